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
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
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
