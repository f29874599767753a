//! What a converter refuses, and by which name. A refused conversion leaves no file behind.

#[path = "../../tests/common/mod.rs"]
mod common;
mod converting;

use std::path::{Path, PathBuf};

use common::File;
use converting::{converted, place, refused, request};
use pcml_cli::convert::{Kind, convert};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("{name}.safetensors"))
}

/// A fixture with changes, in a file of its own.
fn changed(name: &str, change: impl FnOnce(&mut File)) -> PathBuf {
    let mut file = File::parse(&std::fs::read(fixture(name)).expect("a fixture"));
    change(&mut file);
    let path = place("state.safetensors");
    std::fs::write(&path, file.bytes()).expect("a file");
    path
}

/// Every word must be in the message.
#[track_caller]
fn says(kind: Kind, state: &Path, set: &[&str], words: &[&str]) {
    let message = refused(&request(kind, state, "weights.", set)).to_string();
    for word in words {
        assert!(message.contains(word), "{message}: {word}");
    }
}

#[test]
fn unknown_missing_and_misshapen_tensors() {
    for (kind, name, tensor) in [
        (Kind::Neuraloperator, "neuraloperator_tucker", "fno_blocks.convs.1.weight.core"),
        (Kind::Neuraloperator, "neuraloperator_group_norm", "fno_blocks.norm.3.bias"),
        (Kind::Physicsnemo, "physicsnemo_2d", "spec_encoder.spconv_layers.1.weights2"),
        (Kind::Fno, "fno_2d", "conv2.weights2"),
        (Kind::Fno, "fno_1d", "fc2.bias"),
    ] {
        let full = format!("weights.{tensor}");
        let without = changed(name, |file| drop(file.tensors.remove(&full)));
        says(kind, &without, &[], &["missing", tensor]);
        let beside = changed(name, |file| drop(file.tensors.insert(format!("{full}_v"), (vec![1], vec![1.0]))));
        says(kind, &beside, &[], &[&format!("{tensor}_v"), "--drop"]);
        let flat = changed(name, |file| {
            let t = file.tensors.get_mut(&full).expect("a tensor");
            t.0 = vec![t.1.len()];
            t.0.push(1);
        });
        says(kind, &flat, &[], &[tensor, "shape"]);
    }
    let nan = changed("fno_1d", |file| file.tensors.get_mut("weights.w1.weight").expect("a tensor").1[3] = f64::NAN);
    says(Kind::Fno, &nan, &[], &["blocks.1.skip.weight", "not finite at element 3"]);
}

#[test]
fn what_the_tensors_contradict() {
    let says = |kind, name: &str, set: &[&str], words: &[&str]| says(kind, &fixture(name), set, words);
    says(Kind::Neuraloperator, "neuraloperator_tucker", &["n_modes=[4,8]"], &["n_modes", "[4, 4]"]);
    says(Kind::Neuraloperator, "neuraloperator_tucker", &["hidden_channels=7"], &["hidden_channels", "7", "6"]);
    says(Kind::Neuraloperator, "neuraloperator_tucker", &["factorization=cp"], &["factorization", "tucker"]);
    says(Kind::Neuraloperator, "neuraloperator_tucker", &["stabilizer=tanh"], &["stabilizer", "no such network"]);
    says(Kind::Neuraloperator, "neuraloperator_tucker", &["preactivation=true"], &["preactivation"]);
    says(Kind::Neuraloperator, "neuraloperator_tucker", &["non_linearity=tanh"], &["non_linearity", "gelu"]);
    says(Kind::Neuraloperator, "neuraloperator_group_norm", &["norm=instance_norm"], &["norm"]);
    says(
        Kind::Neuraloperator,
        "neuraloperator_identity",
        &["fno_skip=linear"],
        &["fno_skips.0", "fno_skip", "identity"],
    );
    says(Kind::Neuraloperator, "neuraloperator_tucker", &["fno_skip=soft-gating"], &["fno_skip", "linear"]);
    says(Kind::Physicsnemo, "physicsnemo_2d", &["latent_channels=5"], &["latent_channels", "5"]);
    says(Kind::Physicsnemo, "physicsnemo_2d", &["padding_type=reflect"], &["padding_type", "constant"]);
    says(Kind::Physicsnemo, "physicsnemo_2d", &["dimension=4"], &["dimension", "4", "2"]);
    says(Kind::Fno, "fno_2d", &["activation=sine"], &["activation", "sine", "gelu"]);
    says(Kind::Fno, "fno_2d", &["padding=[1,2,3]"], &["padding", "2"]);
    says(Kind::Boon, "fno_2d", &["bc=dirichlet"], &["base_no.conv0.weights1"]);
    says(Kind::Neuraloperator, "fno_2d", &[], &["lifting.fcs.0.weight", "missing"]);
    says(Kind::Anp, "fno_2d", &[], &["latent_encoder.mu", "missing"]);
}

#[test]
fn what_the_state_dict_does_not_hold() {
    let bare = changed("fno_2d", |file| drop(file.metadata.remove("config")));
    says(Kind::Fno, &bare, &[], &["padding", "2 axes", "published"]);
    says(Kind::Fno, &bare, &["padding=3", "stride=2"], &["stride", "padding"]);
    says(Kind::Fno, &bare, &["padding"], &["padding", "NAME=VALUE"]);
    says(Kind::Fno, &bare, &["padding=3", "padding=4"], &["padding", "twice"]);
    says(Kind::Fno, &bare, &["padding=-1"], &["padding", "counts"]);
    let config = changed("fno_2d", |file| drop(file.metadata.insert("config".into(), "{".into())));
    says(Kind::Fno, &config, &[], &["config", "JSON"]);
}

#[test]
fn files_that_are_no_state_dicts() {
    for (bytes, word) in [
        (&b"PK\x03\x04 a zip archive of PyTorch"[..], "PyTorch"),
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (b"\x05\x00\x00\x00\x00\x00\x00\x00hello", "safetensors"),
        (b"", "safetensors"),
    ] {
        let path = place("state");
        std::fs::write(&path, bytes).expect("a file");
        says(Kind::Fno, &path, &[], &[&path.display().to_string(), word]);
    }
    says(Kind::Fno, Path::new("/nowhere/state.safetensors"), &[], &["/nowhere/state.safetensors"]);
    let mut wrong = request(Kind::Fno, &fixture("fno_1d"), "model.", &[]);
    assert!(refused(&wrong).to_string().contains("prefix model."));
    wrong.prefix = "weights.".into();
    wrong.drop = vec!["bn".into()];
    assert!(refused(&wrong).to_string().contains("weights.bn"));
    wrong.drop.clear();
    wrong.output = Path::new("/nowhere/model.safetensors").into();
    assert!(convert(&wrong).expect_err("no folder").to_string().contains("/nowhere/model.safetensors"));
}

#[test]
fn perceptrons_that_are_none() {
    let kind = Kind::Sequential;
    for (name, tensor) in [("sequential_norms", "4.weight"), ("sequential_plain", "2.bias")] {
        let beside =
            changed(name, |file| drop(file.tensors.insert(format!("weights.{tensor}_v"), (vec![1], vec![1.0]))));
        says(kind, &beside, &[], &[&format!("{tensor}_v"), "--drop"]);
    }
    let changed = |name: &str, change: &dyn Fn(&mut File)| changed(name, change);
    let bare = changed("sequential_norms", &|file| drop(file.metadata.remove("config")));
    says(kind, &bare, &[], &["activation", "list of 2"]);
    says(kind, &bare, &["activation=sine"], &["activation", "sine", "leaky-relu"]);
    says(kind, &bare, &[r#"activation=["relu"]"#], &["activation", "list of 2"]);
    says(kind, &bare, &["activation=relu", "eps=-9"], &["running_var", "eps -9"]);
    says(kind, &bare, &["activation=relu", "batch_norm=after"], &["batch_norm", "layer 2"]);
    says(kind, &bare, &["activation=relu", "batch_norm=between"], &["batch_norm", "before or after"]);
    says(kind, &bare, &["activation=relu", "output_activation=3"], &["output_activation", "3"]);
    says(kind, &bare, &[r#"steps=["1","relu","relu"]"#], &["activation relu follows another"]);
    says(kind, &bare, &[r#"steps=["relu","1"]"#], &["activation relu comes before"]);
    says(kind, &bare, &[r#"steps=["1","sine"]"#], &["sine", "no tensor is sine.weight"]);
    says(kind, &bare, &[r#"steps=["1",7]"#], &["steps has 7"]);
    says(kind, &bare, &["steps=4"], &["steps is 4"]);
    says(kind, &fixture("sequential_norms"), &[r#"steps=["1"]"#], &["activation", "beside steps"]);
    says(kind, &bare, &[r#"steps=["0"]"#], &["no dense layer"]);
    says(kind, &bare, &[r#"steps=["1","7"]"#], &["7.weight", "7 channels"]);
    says(kind, &bare, &[r#"steps=["1","8"]"#], &["layer 8", "2 channels", "expected 7"]);

    let name = "sequential_plain";
    let norm_of_rows = changed(name, &|file| {
        for part in ["weight", "bias"] {
            file.tensors.insert(format!("weights.3.{part}"), (vec![5], vec![1.0; 5]));
        }
    });
    says(kind, &norm_of_rows, &[], &["3.weight", "LayerNorm"]);
    let convolution =
        changed(name, &|file| file.tensors.get_mut("weights.2.weight").expect("a tensor").0 = vec![5, 7, 1]);
    says(kind, &convolution, &[], &["2.weight", "[5, 7, 1]", "[out, in]"]);
    let short =
        changed(name, &|file| *file.tensors.get_mut("weights.2.bias").expect("a bias") = (vec![4], vec![0.0; 4]));
    says(kind, &short, &[], &["2.bias", "[4]", "[5]"]);
    let close = changed(name, &|file| {
        for part in ["weight", "bias"] {
            let tensor = file.tensors.remove(&format!("weights.4.{part}")).expect("a tensor");
            file.tensors.insert(format!("weights.3.{part}"), tensor);
        }
    });
    says(kind, &close, &[], &["layers 2 and 3", "tanh"]);
    // A norm with room for an activation on both sides.
    let far = changed("sequential_norms", &|file| {
        for part in ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"] {
            let full = |i: usize| format!("weights.{i}.{part}");
            for (from, to) in [(8, 18), (7, 17), (6, 6)] {
                let tensor = file.tensors.remove(&full(from));
                file.tensors.extend(tensor.map(|tensor| (full(to), tensor)));
            }
        }
    });
    says(kind, &far, &[], &["batch_norm", "layer 6"]);
    converted(kind, &far, "weights.", &["batch_norm=before"]);
    says(kind, &far, &["batch_norm=after"], &["batch_norm", "layer 2", "steps"]);
    let plain = changed(name, &|_| {});
    says(kind, &plain, &["dropout=1"], &["dropout", "[0, 1)"]);
    says(kind, &plain, &[r#"head={"function":"square","of":"variance"}"#], &["head", "square", "exp", "softplus"]);
    says(kind, &plain, &[r#"head={"function":"exp","of":"variance","floor":1}"#], &["head", "floor"]);
    says(kind, &plain, &["head=3"], &["head is 3"]);
    says(kind, &changed("sequential_norms", &|_| {}), &["dropout=0.1", "head=null", "momentum=1"], &["momentum"]);
    for (set, words) in [
        (&["input_std=[1,0,1]"][..], &["input_std", "channel 1"][..]),
        (&["input_mean=[1,2]"], &["input_mean", "3"]),
        (&["input_min=0"], &["input_min", "input_max"]),
        (&["output_max=0"], &["output_max", "output_min"]),
        (&["output_min=[0,1]", "output_max=1"], &["output_min", "channel 1"]),
        (&["input_min=0", "input_max=1", "input_std=2"], &["input_std", "one way"]),
        (&["input_min=0", "input_max=1", "input_range=[1,-1]"], &["input_range"]),
        (&["input_range=[1,-1]"], &["input_range", "input_min"]),
    ] {
        says(kind, &plain, set, words);
    }
    let twice = changed(name, &|file| drop(file.tensors.insert("weights.input_mean".into(), (vec![3], vec![1.0; 3]))));
    says(kind, &twice, &["input_mean=2"], &["input_mean", "tensor"]);
    let wide = changed(name, &|file| drop(file.tensors.insert("weights.input_mean".into(), (vec![4], vec![1.0; 4]))));
    says(kind, &wide, &[], &["input_mean", "[4]", "3 values"]);
    let nan = changed(name, &|file| drop(file.tensors.insert("input_min".into(), (vec![3], vec![0.0, f64::NAN, 0.0]))));
    says(kind, &nan, &["input_max=1"], &["input_min", "channel 1", "finite"]);
    let mut described = request(kind, &plain, "weights.", &["input_mean=2"]);
    described.description = Some(place("description.json"));
    let text = r#"{"inputs": [{"name": "p", "unit": "Pa", "scale": 2e3}, {"name": "q", "unit": "1"}, {"name": "r", "unit": "1"}]}"#;
    std::fs::write(described.description.as_ref().expect("a path"), text).expect("a file");
    assert!(refused(&described).to_string().contains("inputs[0]"));
}

#[test]
fn scalings_of_perceptrons_reach_their_channels() {
    let path = fixture("sequential_head");
    let set = ["input_mean=[1,2]", "input_std=[3,4]", "output_min=-1", "output_max=3", "output_range=[-1,1]"];
    let mut described = request(Kind::Sequential, &path, "weights.", &set);
    described.description = Some(place("description.json"));
    let text = r#"{"outputs": [{"name": "p", "unit": "Pa", "log": true, "shift": 0.5}, {"name": "q", "unit": "K"}, {"name": "r", "unit": "1"}]}"#;
    std::fs::write(described.description.as_ref().expect("a path"), text).expect("a file");
    // The self-test with logarithms, offsets and variances is run.
    assert!(convert(&described).expect("a model").verified);
    let model = pcml::model::Model::load(&described.output).expect("the model");
    let d = model.description();
    assert_eq!([d.inputs[1].offset, d.inputs[1].scale, d.outputs[1].offset, d.outputs[1].scale], [2.0, 4.0, 1.0, 2.0]);
    assert_eq!((d.outputs[0].log, d.mlp.as_ref().map(|mlp| mlp.dropout)), (true, Some(0.2)));
}

#[test]
fn networks_of_keras_that_are_no_chains() {
    let kind = Kind::Keras;
    let with = |name: &str, from: &str, to: &str| {
        changed(name, |file| {
            let config = file.metadata.get_mut("config").expect("the model's JSON");
            assert!(config.contains(from), "{from}: {config}");
            *config = config.replace(from, to);
        })
    };
    let all = "keras_everything";
    says(kind, &fixture(all), &[], &["dropout", "dropout=0"]);
    let set = ["dropout=0"];
    for (from, to, words) in [
        (r#""class_name": "ELU""#, r#""class_name": "LSTM""#, &["layer elu", "LSTM", "Dense"][..]),
        (r#""activation": "gelu""#, r#""activation": "selu""#, &["layer third", "selu"]),
        (r#""negative_slope": 0.01"#, r#""negative_slope": 0.3"#, &["layer leaky", "0.3", "0.01"]),
        (r#""alpha": 1.0"#, r#""alpha": 0.5"#, &["layer elu", "0.5"]),
        (r#""axis": [-1]"#, r#""axis": [0]"#, &["layer adapted", "axis"]),
        (r#""units": 5"#, r#""units": 6"#, &["second", "6"]),
        (r#""scale": -2.0"#, r#""scale": [1.0, 2.0]"#, &["layer turned", "2 values", "3"]),
        (r#""scale": -2.0"#, r#""scale": "much""#, &["layer turned", "much"]),
        (r#""renorm": false"#, r#""renorm": true"#, &["norm", "renorm"]),
        (r#""rate": 0.1"#, r#""rate": null"#, &["layer drop", "rate"]),
        (r#""batch_shape": [null, 3]"#, r#""batch_shape": [null, 4]"#, &["4"]),
        (r#""class_name": "Sequential""#, r#""class_name": "Custom""#, &["Custom", "Sequential"]),
    ] {
        says(kind, &with(all, from, to), &set, words);
    }
    let chain = "keras_functional";
    says(kind, &with(chain, r#"["one", 0, 0]"#, r#"["in", 0, 0]"#), &[], &["in", "chain"]);
    says(kind, &with(chain, r#""output_layers": ["three""#, r#""output_layers": ["wide""#), &[], &["wide", "three"]);
    // Links as Keras 2 wrote them.
    let second = changed(chain, |file| {
        let config = file.metadata.get_mut("config").expect("the model's JSON");
        let mut model: serde_json::Value = serde_json::from_str(config).expect("JSON");
        let mut before = None;
        for layer in model["config"]["layers"].as_array_mut().expect("layers") {
            layer["inbound_nodes"] =
                before.map_or(serde_json::json!([]), |name| serde_json::json!([[[name, 0, 0, {}]]]));
            before = Some(layer["name"].clone());
        }
        model["config"]["output_layers"] = serde_json::json!([["three", 0, 0]]);
        *config = model.to_string();
    });
    let wide = converted(kind, &second, "weights.", &[]).description().mlp.as_ref().map(|mlp| mlp.hidden.clone());
    assert_eq!(wide, Some(vec![3, 4]));
    let without = changed(chain, |file| drop(file.tensors.remove("weights.wide.bias")));
    says(kind, &without, &[], &["wide.bias", "missing"]);
    let beside = changed(chain, |file| drop(file.tensors.insert("weights.wide.gamma".into(), (vec![4], vec![1.0; 4]))));
    says(kind, &beside, &[], &["wide.gamma"]);
    let bare = changed(chain, |file| drop(file.metadata.remove("config")));
    says(kind, &bare, &[], &["config", "to_json"]);
}

#[test]
fn deeponets_that_are_none() {
    let kind = Kind::Deeponet;
    let name = "deeponet_split_trunk";
    let without = changed(name, |file| drop(file.tensors.remove("weights.trunk.linears.1.bias")));
    says(kind, &without, &[], &["trunk.linears.1.bias", "missing"]);
    let beside = changed(name, |file| drop(file.tensors.insert("weights.trunk.a".into(), (vec![1], vec![1.0]))));
    says(kind, &beside, &[], &["trunk.a", "--drop"]);
    let bias = changed(name, |file| drop(file.tensors.remove("weights.b.1")));
    says(kind, &bias, &["num_outputs=null"], &["branch has 4", "trunk 8", "1 outputs"]);
    let independent = changed(name, |file| {
        let tensor = file.tensors.remove("weights.branch.linears.0.weight").expect("a tensor");
        file.tensors.insert("weights.branch.0.linears.0.weight".into(), tensor);
    });
    says(kind, &independent, &[], &["branch.0.linears.0.weight", "independent"]);
    let wide =
        changed(name, |file| file.tensors.get_mut("weights.branch.linears.1.weight").expect("a tensor").0 = vec![3, 8]);
    says(kind, &wide, &[], &["branch.linears.1.weight", "[3, 8]"]);
    let path = fixture(name);
    says(kind, &path, &["multi_output_strategy=split_both"], &["split_both", "split_trunk"]);
    says(kind, &path, &["num_outputs=3"], &["num_outputs", "3"]);
    says(kind, &path, &["functions=2"], &["functions", "5"]);
    says(kind, &path, &["dropout=1.5"], &["dropout", "[0, 1)"]);
    says(kind, &path, &["activation=sin"], &["activation", "sin"]);
    says(kind, &path, &[r#"activation={"branch":["relu"],"trunk":"relu"}"#], &["activation", "1 entries", "2"]);
    says(kind, &path, &[r#"activation={"branch":"relu"}"#], &["activation", "null"]);
    let bare = changed(name, |file| drop(file.metadata.remove("config")));
    says(kind, &bare, &[], &["activation", "constructor"]);
    let mut described = request(kind, &path, "weights.", &["function_mean=2", "function_std=3", "output_std=2"]);
    described.description = Some(place("description.json"));
    let description = described.description.as_ref().expect("a path");
    std::fs::write(description, r#"{"functions": [{"name": "q", "unit": "W/m2"}]}"#).expect("a file");
    assert!(convert(&described).expect("a model").verified);
    let model = pcml::model::Model::load(&described.output).expect("the model");
    let function = &model.description().deeponet.as_ref().expect("numbers").functions[0];
    assert_eq!((function.name.as_str(), function.offset, function.scale), ("q", 2.0, 3.0));
    std::fs::write(description, r#"{"functions": [{"name": "q", "unit": "W/m2", "scale": 5}]}"#).expect("a file");
    described.output = place("model.safetensors");
    assert!(refused(&described).to_string().contains("deeponet/functions[0]"));
    std::fs::write(description, r#"{"functions": []}"#).expect("a file");
    assert!(refused(&described).to_string().contains("1 channels"));
}

#[test]
fn norms_of_batches_are_refused_unless_they_are_unused() {
    let norms = changed("fno_1d", |file| {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            file.tensors.insert(format!("weights.bn0.{part}"), (vec![5], vec![1.0; 5]));
        }
    });
    says(Kind::Fno, &norms, &[], &["bn0.bias", "--drop"]);
    let mut unused = request(Kind::Fno, &norms, "weights.", &[]);
    unused.drop = vec!["bn0.".into()];
    assert!(convert(&unused).expect("a model").verified);
}

#[test]
fn a_description_is_taken_over_and_scales_the_self_test() {
    let path = place("description.json");
    std::fs::write(
        &path,
        r#"{"inputs": [{"name": "p", "unit": "Pa", "offset": 1e5, "scale": 2e3}],
            "outputs": [{"name": "T", "unit": "K", "offset": 280, "scale": 5}],
            "grid": [{"name": "x", "lower": 0, "upper": 2}],
            "conservation": [{"output": "T", "axis": "x", "quadrature": "trapezoid"}],
            "provenance": {"licence": "MIT", "training_data": "none: random weights"}}"#,
    )
    .expect("a file");
    let mut described = request(Kind::Fno, &fixture("fno_1d"), "weights.", &[]);
    described.description = Some(path.clone());
    assert!(convert(&described).expect("a model").verified);
    let model = pcml::model::Model::load(&described.output).expect("the model");
    let d = model.description();
    assert_eq!((d.inputs[0].name.as_str(), d.outputs[0].scale, d.conservation.len()), ("p", 5.0, 1));
    assert_eq!(d.provenance["licence"], "MIT");
    assert_eq!(d.provenance["converted"]["sha256"].as_str().map(str::len), Some(64));
    for (text, word) in [
        (r#"{"inputs": []}"#, "1 channels"),
        (r#"{"architecture": "anp"}"#, "architecture"),
        (r#"{"provenance": 3}"#, "provenance"),
        ("[1]", "description.json"),
    ] {
        std::fs::write(&path, text).expect("a file");
        described.output = place("model.safetensors");
        let message = refused(&described).to_string();
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn wrappers_of_corrected_layers_list_them_twice() {
    // A BOON state dict made of a base operator: what its forward pass reads, and the wrappers' copies.
    let boon = |change: &dyn Fn(&mut File)| {
        changed("fno_1d", |file| {
            file.metadata.remove("config");
            let names: Vec<String> = file.tensors.keys().filter(|n| n.starts_with("weights.")).cloned().collect();
            for name in names {
                let tensor = file.tensors[&name].clone();
                let short = name.trim_start_matches("weights.");
                file.tensors.insert(format!("weights.base_no.{short}"), tensor.clone());
                if let Some((layer, rest)) = short.split_once('.').filter(|(layer, _)| !layer.starts_with("fc")) {
                    let (kind, number) = layer.split_at(layer.len() - 1);
                    file.tensors.remove(&name);
                    file.tensors.insert(format!("weights.{kind}_correction{number}.layer.{rest}"), tensor);
                }
            }
            change(file);
        })
    };
    let set = ["bc=dirichlet"];
    let model = converted(Kind::Boon, &boon(&|_| {}), "weights.", &set);
    assert_eq!(model.description().boon.as_ref().map(|b| b.faces.len()), Some(2));
    let other = boon(&|file| file.tensors.get_mut("weights.w_correction2.layer.bias").expect("a copy").1[0] += 1.0);
    says(Kind::Boon, &other, &set, &["w_correction2.layer.bias", "differs"]);
    says(Kind::Boon, &boon(&|_| {}), &[], &["bc", "dirichlet"]);
    says(Kind::Boon, &boon(&|_| {}), &["bc=neumann"], &["stencil_left"]);
    let stencils = ["bc=neumann", "stencil_left=[-0.1,-1.0]", "stencil_right=[-1.0,0.1]"];
    let model = converted(Kind::Boon, &boon(&|_| {}), "weights.", &stencils);
    let faces = &model.description().boon.as_ref().expect("conditions").faces;
    assert!((faces[0].stencil[0] + 10.0).abs() < 1e-12 && (faces[1].stencil[1] - 10.0).abs() < 1e-12);
}
