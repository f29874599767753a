//! The command as a user calls it: what it prints, what it writes, and how it ends.

#[path = "../../tests/common/mod.rs"]
mod common;
mod converting;
#[path = "../../tests/common/networks.rs"]
mod networks;
#[path = "../../tests/common/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::Output;

use common::{read_tensors, stefan_path};
use converting::place;
use pcml_cli::arrays::{Array, Arrays, read, write};
use serde_json::Value;
use tools::{printed, run};

const PCML: &str = env!("CARGO_BIN_EXE_pcml");

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("{name}.safetensors"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}

/// What a command that succeeds prints.
#[track_caller]
fn done(args: &[&str]) -> String {
    let output = run(PCML, args);
    assert!(output.status.success() && output.stderr.is_empty(), "{args:?}: {}", printed(&output));
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn json(args: &[&str]) -> Value {
    serde_json::from_str(&done(&[args, &["--json"]].concat())).expect("JSON")
}

/// The message of a command that fails with this status.
#[track_caller]
fn failed(status: i32, args: &[&str], words: &[&str]) {
    let Output { status: found, stdout, stderr } = run(PCML, args);
    let message = String::from_utf8(stderr).expect("text");
    assert_eq!(found.code(), Some(status), "{args:?}: {message}");
    assert!(stdout.is_empty() && (status == 2 || message.starts_with("pcml: ")), "{message}");
    for word in words {
        assert!(message.contains(word), "{message}: {word}");
    }
}

fn arrays(list: &[(&str, &[usize], Vec<f64>)]) -> PathBuf {
    let path = place("arrays.safetensors");
    let all = list.iter().map(|(name, shape, values)| {
        (name.to_string(), Array { shape: shape.to_vec(), values: values.clone(), double: true })
    });
    write(&path, &all.collect::<Arrays>(), None).expect("a file");
    path
}

fn waves(len: usize) -> Vec<f64> {
    (0..len).map(|i| (0.37 * i as f64).sin()).collect()
}

#[test]
fn inspect_tells_what_a_model_is() {
    let stefan = stefan_path();
    let told = done(&["inspect", text(&stefan)]);
    for fact in ["anp", "hidden", "u [1]", "the integral of u along x", "trapezoid", "licence", "Stefan", "249154"] {
        assert!(told.contains(fact), "{told}: {fact}");
    }
    let told = json(&["inspect", text(&stefan)]);
    assert_eq!(told["architecture"], "anp");
    assert_eq!(told["description"]["inputs"][1]["name"], "x");
    assert_eq!(told["weights"], 249154);
    failed(1, &["inspect", text(&fixture("fno_1d"))], &["fno_1d", "pcml convert"]);
    failed(1, &["inspect", "/nowhere"], &["/nowhere"]);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    failed(1, &["inspect", text(&manifest)], &["Cargo.toml", "not a safetensors file"]);
}

#[test]
fn verify_runs_the_self_test_and_times_calls() {
    let stefan = stefan_path();
    let told = json(&["verify", text(&stefan), "--targets", "30", "--repeats", "3", "--dtype", "f64"]);
    assert_eq!(told["selftest"]["passed"], true);
    assert_eq!(told["sizes"]["targets"], 30);
    assert!(told["calls_per_second"].as_f64().is_some_and(|v| v > 0.0));
    assert!(done(&["verify", text(&stefan), "--repeats", "1"]).contains("passed"));

    let mut bytes = std::fs::read(&stefan).expect("the model");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let damaged = place("damaged.safetensors");
    std::fs::write(&damaged, bytes).expect("a file");
    failed(1, &["verify", text(&damaged)], &["damaged"]);
    failed(1, &["verify", text(&stefan), "--shape", "64"], &["--shape", "--targets"]);
    failed(1, &["verify", text(&stefan), "--repeats", "0"], &["--repeats"]);
}

#[test]
fn a_neural_process_predicts_what_its_self_test_says() {
    let stefan = stefan_path();
    let t = read_tensors(&stefan);
    let names = ["context_x", "context_y", "target_x"];
    let given: Vec<(&str, &[usize], Vec<f64>)> = names
        .iter()
        .map(|name| {
            let (shape, values) = &t[&format!("selftest.{name}")];
            (*name, &shape[..], values.clone())
        })
        .collect();
    let out = place("out.safetensors");
    let file = arrays(&given);
    done(&["predict", text(&stefan), text(&file), "-o", text(&out)]);
    let found = read(&out, "").expect("results");
    for name in ["mean", "variance"] {
        let (shape, values) = &t[&format!("selftest.{name}")];
        assert_eq!(&found[name].shape, shape);
        let apart = found[name].values.iter().zip(values).fold(0f64, |a, (x, y)| a.max((x - y).abs()));
        assert!(apart < 1e-9, "{name}: {apart}");
    }
    // Draws: those that are given, or seeded ones.
    let eps = waves(3 * 2 * 64);
    let drawn = arrays(&[&given[..], &[("eps", &[3, 2, 64], eps)]].concat());
    done(&["predict", text(&stefan), text(&drawn), "-o", text(&out)]);
    assert_ne!(read(&out, "").expect("results")["mean"], found["mean"]);
    done(&["predict", text(&stefan), text(&file), "-o", text(&out), "--latents", "4", "--seed", "7", "--dtype", "f32"]);

    std::fs::remove_file(&out).expect("results");
    let missing = arrays(&given[..2]);
    failed(1, &["predict", text(&stefan), text(&missing), "-o", text(&out)], &["target_x"]);
    let unknown = arrays(&[&given[..], &[("contxt", &[1], vec![1.0])]].concat());
    failed(1, &["predict", text(&stefan), text(&unknown), "-o", text(&out)], &["contxt"]);
    let flat = arrays(&[
        ("context_x", &[40, 1], waves(40)),
        ("context_y", &[40, 1], waves(40)),
        ("target_x", &[5, 2], waves(10)),
    ]);
    failed(1, &["predict", text(&stefan), text(&flat), "-o", text(&out)], &["context_x", "[1, 40, 1]"]);
    assert!(!out.exists());
}

#[test]
fn a_gaussian_process_predicts_from_its_own_points_and_others() {
    // Far from all points a process knows nothing, at a point without noise it knows all.
    let mut file = common::File { metadata: Default::default(), tensors: Default::default() };
    let mut put = |name: &str, shape: [usize; 3], values: &[f64]| {
        let shape = if name.starts_with("points") { shape[1..].to_vec() } else { shape.to_vec() };
        file.tensors.insert(name.into(), (shape, values.to_vec()));
    };
    put("points.x", [1, 2, 1], &[0.0, 1.0]);
    put("points.y", [1, 2, 1], &[1.0, -1.0]);
    put("selftest.target_x", [1, 2, 1], &[0.0, 100.0]);
    put("selftest.mean", [1, 2, 1], &[1.0, 0.0]);
    put("selftest.variance", [1, 2, 1], &[0.0, 2.0]);
    file.describe(serde_json::json!({
        "format": 1, "architecture": "gp", "gp": {"kernel": "rbf", "variance": 2.0, "length_scales": [1.0], "points": 2},
        "inputs": [{"name": "x", "unit": "m"}], "outputs": [{"name": "y", "unit": "1"}], "selftest": {"tolerance": 1e-9},
    }));
    let (model, out) = (place("gp.safetensors"), place("out.safetensors"));
    std::fs::write(&model, file.bytes()).expect("a file");
    assert!(done(&["inspect", text(&model)]).contains("rbf"));
    assert_eq!(json(&["verify", text(&model), "--repeats", "1"])["arithmetic"], "f64");
    failed(1, &["verify", text(&model), "--context", "3"], &["--context"]);
    let own = arrays(&[("target_x", &[3, 1], vec![1.0, 0.0, -80.0])]);
    done(&["predict", text(&model), text(&own), "-o", text(&out)]);
    let found = read(&out, "").expect("results");
    assert!(found["mean"].values.iter().zip([-1.0, 1.0, 0.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    let points = [("context_x", &[2usize, 1][..], vec![1.0, 2.0]), ("context_y", &[2, 1], vec![0.5, 0.25])];
    let given = arrays(&[&points[..], &[("target_x", &[1, 1], vec![2.0])]].concat());
    done(&["predict", text(&model), text(&given), "-o", text(&out)]);
    assert!((read(&out, "").expect("results")["mean"].values[0] - 0.25).abs() < 1e-12);
    let noisy = arrays(&[&points[..], &[("target_x", &[1, 1], vec![2.0]), ("noise", &[2], vec![1.0; 2])]].concat());
    done(&["predict", text(&model), text(&noisy), "-o", text(&out)]);
    assert!(read(&out, "").expect("results")["variance"].values[0] > 0.1);
}

/// The file of a model.
fn stored(file: &common::File) -> PathBuf {
    let path = place("network.safetensors");
    std::fs::write(&path, file.bytes()).expect("a file");
    path
}

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    let size = expected.iter().fold(0f64, |a, b| a.max(b.abs()));
    let apart = found.iter().zip(expected).fold(0f64, |a, (x, y)| a.max((x - y).abs()));
    assert!(found.len() == expected.len() && apart < 1e-11 * size, "{apart} of {size}");
}

#[test]
fn a_perceptron_predicts_rows() {
    let head = serde_json::json!({"function": "softplus", "of": "variance"});
    let mut outputs = networks::channels("y", 2);
    outputs[1]["log"] = true.into();
    let mut d = networks::perceptron(networks::channels("x", 3), &[8, 6], outputs, "tanh".into(), Value::Null);
    d["mlp"]["dropout"] = 0.25.into();
    let plain = networks::random(&d, 1);
    d["mlp"]["head"] = head;
    let with_head = networks::random(&d, 2);
    let (model, out) = (stored(&plain), place("out.npy"));
    let x: Vec<f64> = waves(2 * 5 * 3);
    let input = place("input.npy");
    let array = Array { shape: vec![2, 5, 3], values: x.clone(), double: true };
    write(&input, &Arrays::from([("input".into(), array)]), None).expect("a file");
    done(&["predict", text(&model), text(&input), "-o", text(&out)]);
    let found = &read(&out, "output").expect("results")["output"];
    assert_eq!(found.shape, [2, 5, 2]);
    close(&found.values, &networks::textbook(&plain, &x).0);

    let (model_with_head, named) = (stored(&with_head), place("out.safetensors"));
    done(&["predict", text(&model_with_head), text(&input), "-o", text(&named)]);
    let found = read(&named, "").expect("results");
    let (mean, variance) = networks::textbook(&with_head, &x);
    close(&found["mean"].values, &mean);
    close(&found["variance"].values, &variance);
    assert!(!found.contains_key("output"));
    failed(1, &["predict", text(&model_with_head), text(&input), "-o", text(&out)], &["out.npy", "mean, variance"]);

    // Monte Carlo dropout: a mixture over seeded draws.
    let draws = |seed: &str| {
        let options = ["--latents", "20", "--dropout", "0.25", "--seed", seed];
        done(&[&["predict", text(&model), text(&input), "-o", text(&named)], &options[..]].concat());
        read(&named, "").expect("results")
    };
    let first = draws("3");
    assert!(first["variance"].values.iter().all(|v| *v > 0.0));
    assert_eq!(first, draws("3"));
    assert_ne!(first, draws("4"));
    let args = ["predict", text(&model), text(&input), "-o", text(&named)];
    failed(1, &[&args[..], &["--latents", "20"]].concat(), &["dropout", "latents"]);
    failed(1, &[&args[..], &["--channels-first"]].concat(), &["--channels-first"]);
    let wrong = arrays(&[("input", &[5, 2], waves(10))]);
    failed(1, &["predict", text(&model), text(&wrong), "-o", text(&named)], &["[5, 2]", "[rows, 3]"]);

    assert_eq!(json(&["verify", text(&model_with_head), "--batch", "7", "--repeats", "1"])["sizes"]["rows"], 7);
    failed(1, &["verify", text(&model), "--targets", "7"], &["--targets", "--batch"]);
    let told = done(&["inspect", text(&model)]);
    for fact in ["mlp", "hidden", "8 x 6", "0.25", "network value (log raw - "] {
        assert!(told.contains(fact), "{told}: {fact}");
    }
}

#[test]
fn a_deeponet_predicts_from_values_at_its_sensors() {
    let d = networks::deeponet(networks::channels("x", 2), networks::channels("y", 2), 6, 5, false);
    let (u, x) = (waves(3 * 6 * 2), waves(4 * 2));
    let given = arrays(&[("context_y", &[3, 6, 2], u.clone()), ("target_x", &[4, 2], x.clone())]);
    let out = place("out.safetensors");
    for (d, names) in [(d.clone(), &["output"][..]), (networks::ensemble(d, 3), &["mean", "variance"])] {
        let file = networks::random(&d, 4);
        let model = stored(&file);
        done(&["predict", text(&model), text(&given), "-o", text(&out)]);
        let found = read(&out, "").expect("results");
        assert_eq!(found.keys().collect::<Vec<_>>(), names);
        assert_eq!(found[names[0]].shape, [3, 4, 2]);
        let (mean, variance) = networks::textbook_operator(&file, &u, &x, 3);
        close(&found[names[0]].values, &mean);
        if let Some(of_ensemble) = found.get("variance") {
            close(&of_ensemble.values, &variance);
            assert!(done(&["inspect", text(&model)]).contains("ensemble of 3"));
            // What a projection takes is what a prediction gives.
            let lawful = place("lawful.safetensors");
            let law = ["--axis", "1", "--spacing", "0.5", "--quadrature", "trapezoid", "--integral", "2"];
            let told = json(&[&["project", "none", text(&out), "-o", text(&lawful)], &law[..]].concat());
            assert_eq!(told["lines"], 6);
        }
        assert_eq!(json(&["verify", text(&model), "--targets", "9", "--repeats", "1"])["sizes"]["targets"], 9);
        assert!(done(&["inspect", text(&model)]).contains("function 1"));
        failed(1, &["verify", text(&model), "--context", "3"], &["--context", "--targets"]);
    }
    let model = stored(&networks::random(
        &networks::deeponet(networks::channels("x", 2), networks::channels("y", 1), 6, 5, true),
        5,
    ));
    let wrong = arrays(&[("context_y", &[3, 5, 2], waves(30)), ("target_x", &[4, 2], x)]);
    failed(1, &["predict", text(&model), text(&wrong), "-o", text(&out)], &["context_y", "[3, 5, 2]", "6, 2"]);
    let without = arrays(&[("context_y", &[3, 6, 2], u)]);
    failed(1, &["predict", text(&model), text(&without), "-o", text(&out)], &["target_x"]);
}

#[test]
fn an_operator_predicts_from_arrays_as_its_library_has_them() {
    let (state, model, out) = (fixture("physicsnemo_2d"), place("model.safetensors"), place("out.npy"));
    let args = ["convert", "physicsnemo", text(&state), "--prefix", "weights.", "-o", text(&model)];
    assert_eq!(json(&args)["selftest"]["passed"], true);
    let t = read_tensors(&state);
    let input = place("input.npy");
    let (shape, values) = t["input"].clone();
    let array = Array { shape, values, double: true };
    write(&input, &Arrays::from([("input".into(), array.clone())]), None).expect("a file");
    done(&["predict", text(&model), text(&input), "-o", text(&out), "--channels-first"]);
    let found = &read(&out, "output").expect("results")["output"];
    assert_eq!(found.shape, t["output"].0);
    let apart = found.values.iter().zip(&t["output"].1).fold(0f64, |a, (x, y)| a.max((x - y).abs()));
    assert!(apart < 1e-6, "{apart}");
    // The same with channels last.
    let points: usize = array.shape[2..].iter().product();
    let channels = array.shape[1];
    let turned = (0..array.values.len()).map(|i| {
        let (b, p, c) = (i / (points * channels), i / channels % points, i % channels);
        array.values[(b * channels + c) * points + p]
    });
    let last = arrays(&[("input", &[2, 11, 12, 2], turned.collect())]);
    let other = place("out.safetensors");
    done(&["predict", text(&model), text(&last), "-o", text(&other)]);
    assert_eq!(read(&other, "").expect("results")["output"].values, found.values);
    failed(
        1,
        &["predict", text(&model), text(&input), "-o", text(&other)],
        &["input has shape [2, 2, 11, 12]", "channels"],
    );
    failed(1, &["predict", text(&model), text(&last), "-o", text(&other), "--latents", "2"], &["--latents"]);
}

#[test]
fn boundary_values_come_by_name() {
    // A base operator's tensors as those of BOON.
    let mut file = common::File::parse(&std::fs::read(fixture("fno_1d")).expect("a fixture"));
    let names: Vec<String> =
        file.tensors.keys().filter(|n| n.contains("s.conv") || n.contains("s.w")).cloned().collect();
    for name in names {
        let tensor = file.tensors.remove(&name).expect("a tensor");
        file.tensors.insert(name.replace("weights.", "weights.base_no."), tensor);
    }
    file.metadata.clear();
    let (state, model, out) = (place("state.safetensors"), place("model.safetensors"), place("out.safetensors"));
    std::fs::write(&state, file.bytes()).expect("a file");
    let set = ["--prefix", "weights.", "--set", "bc=dirichlet", "--set", "ub=2.5"];
    done(&[&["convert", "boon", text(&state), "-o", text(&model)], &set[..]].concat());
    let x = waves(2 * 20);
    let given =
        arrays(&[("input", &[2, 20, 1], x.clone()), ("left", &[2, 1], vec![0.25, -0.5]), ("right", &[1], vec![0.75])]);
    done(&["predict", text(&model), text(&given), "-o", text(&out)]);
    let found = &read(&out, "").expect("results")["output"].values;
    assert_eq!([found[0], found[20], found[19], found[39]], [0.25, -0.5, 0.75, 0.75]);
    let without = arrays(&[("input", &[2, 20, 1], x.clone()), ("left", &[2, 1], vec![0.25, -0.5])]);
    failed(1, &["predict", text(&model), text(&without), "-o", text(&out)], &["right", "face.1"]);
    let wrong = arrays(&[("input", &[2, 20, 1], x), ("left", &[3], vec![0.0; 3]), ("right", &[1], vec![0.0])]);
    failed(1, &["predict", text(&model), text(&wrong), "-o", text(&out)], &["left", "[3]", "[2, 1]"]);
}

#[test]
fn a_projection_holds_its_integral() {
    let (mean, variance) = (waves(2 * 9 * 3), waves(2 * 9 * 3).iter().map(|v| 0.1 + v * v).collect::<Vec<_>>());
    let shape = [2usize, 9, 3];
    let given = arrays(&[("mean", &shape, mean.clone()), ("variance", &shape, variance.clone())]);
    let out = place("out.safetensors");
    let args = [
        "project",
        "none",
        text(&given),
        "-o",
        text(&out),
        "--axis",
        "1",
        "--spacing",
        "0.5",
        "--quadrature",
        "trapezoid",
    ];
    let told = json(&[&args[..], &["--integral", "-1.5"]].concat());
    assert_eq!(told["lines"], 6);
    let found = read(&out, "").expect("results");
    for (b, c) in (0..2).flat_map(|b| (0..3).map(move |c| (b, c))) {
        let at = |i: usize| found["mean"].values[(b * 9 + i) * 3 + c];
        let integral: f64 = (1..9).map(|i| 0.25 * (at(i) + at(i - 1))).sum();
        assert!((integral + 1.5).abs() < 1e-14, "{integral}");
    }
    assert!(found["variance"].values.iter().zip(&variance).all(|(after, before)| after <= before));
    assert!(told["residual_before"].as_f64() > Some(0.1) && told["residual_after"].as_f64() < Some(1e-14));

    done(&[&args[..], &["--integral", "2", "--lower", "0.25", "--upper", "0.9"]].concat());
    let bounded = read(&out, "").expect("results");
    assert!(bounded["mean"].values.iter().all(|v| (0.25..=0.9).contains(v)));
    failed(1, &[&args[..], &["--integral", "9", "--lower", "0", "--upper", "1"]].concat(), &["bounds"]);

    // The law, the rule and the grid of a model.
    let line = arrays(&[("mean", &[101], waves(101))]);
    let stefan = stefan_path();
    let told = json(&["project", text(&stefan), text(&line), "-o", text(&out), "--integral", "0.5"]);
    assert_eq!(told["quadrature"], "trapezoid");
    let u = &read(&out, "").expect("results")["mean"].values;
    let integral: f64 = (1..101).map(|i| 0.005 * (u[i] + u[i - 1])).sum();
    assert!((integral - 0.5).abs() < 1e-14);

    let none = ["project", "none", text(&line), "-o", text(&out)];
    failed(1, &none, &["--spacing"]);
    failed(1, &[&none[..], &["--spacing", "0.1"]].concat(), &["--quadrature"]);
    failed(1, &[&none[..], &["--spacing", "0.1", "--quadrature", "left"]].concat(), &["--integral"]);
    failed(
        1,
        &[&none[..], &["--spacing", "-1", "--quadrature", "left", "--integral", "1"]].concat(),
        &["--spacing", "-1"],
    );
    failed(1, &[&none[..], &["--axis", "3"]].concat(), &["--axis", "1 axes"]);
}

#[test]
fn wrong_calls_end_with_2() {
    for args in [
        &[][..],
        &["frobnicate"],
        &["convert", "keras3d", "a", "-o", "b"],
        &["convert", "ensemble", "-o", "b"],
        &["predict", "a", "b"],
        &["verify"],
    ] {
        failed(2, args, &["--help"]);
    }
    assert!(done(&["--help"]).contains("convert"));
    assert!(done(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
}
