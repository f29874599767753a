//! The training recipes run, and what they export loads. Needs a Python with torch and safetensors: PCML_PYTHON, else python3.

mod common;
#[path = "common/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};

use common::File;
use pcml::model::Model;
use serde_json::{Value, json};
use tools::{root, run, scratch, succeed};

fn recipe(name: &str) -> PathBuf {
    root().join("examples/training").join(name)
}

/// A recipe's short run, to a new folder of that name.
fn trained(python: &Path, script: &str, folder: &str, args: &[&str]) -> PathBuf {
    let out = scratch(folder);
    let common = [recipe(script).into_os_string(), "--out".into(), out.clone().into(), "--threads".into(), "1".into()];
    succeed(python, common.into_iter().chain(args.iter().map(Into::into)));
    out
}

/// Waves in a file as the example `problems` writes them; `faces` as in a model file.
fn functions(path: &Path, grid: &[usize], faces: &Value) {
    let shape = |tail: &[usize]| [&[12], tail, &[1]].concat();
    let wave = |shape: Vec<usize>| {
        let count: usize = shape.iter().product();
        (shape, (0..count).map(|i| (0.37 * i as f64).sin()).collect::<Vec<f64>>())
    };
    let mut file = File { metadata: Default::default(), tensors: Default::default() };
    file.tensors.insert("input".into(), wave(shape(grid)));
    file.tensors.insert("output".into(), wave(shape(grid)));
    for (number, face) in faces.as_array().expect("a list").iter().enumerate() {
        let mut rest = grid.to_vec();
        rest.remove(face["axis"].as_u64().expect("an axis") as usize);
        file.tensors.insert(format!("face.{number}"), wave(shape(&rest)));
    }
    let axis = |name: &&str| json!({"name": name, "lower": 0.0, "upper": 1.0});
    let axes: Vec<Value> = ["x", "y", "t"].iter().take(grid.len()).map(axis).collect();
    let problem = json!({
        "name": "waves", "title": "waves", "equation": "none", "axes": axes, "faces": faces, "functions": 12, "seed": 0,
        "parameter": {"name": "u0", "lower": null, "upper": null}, "inputs": ["u0"], "outputs": ["u"],
    });
    file.metadata.insert("problem".into(), problem.to_string());
    std::fs::write(path, file.bytes()).expect("a file");
}

/// A Python that can train.
fn python() -> Option<PathBuf> {
    tools::python("torch, safetensors")
}

#[test]
fn masses_are_the_integrals_of_the_solutions() {
    if let Some(python) = python() {
        succeed(python, [root().join("examples/training/problems.py")]);
    }
}

#[test]
fn a_short_training_run_gives_a_model_that_loads() {
    let Some(python) = python() else { return };
    let out = scratch("training");
    let script = root().join("examples/training/train.py");
    let short = ["--steps", "6", "--batch", "4", "--hidden", "16", "--eval-every", "3", "--threads", "1"];
    let args = [&[script.to_str().unwrap(), "--out", out.to_str().unwrap()], &short[..]].concat();
    succeed(&python, args.clone());
    let model = Model::load(&out.join("model.safetensors")).expect("the exported model");
    assert_eq!(model.description().anp.as_ref().map(|n| n.hidden), Some(16));
    let log = std::fs::read_to_string(out.join("log.csv")).expect("the log");
    assert_eq!(log.lines().count(), 3, "{log}");
    // A finished run is resumed from its checkpoint and has nothing left to do.
    assert!(run(&python, args).status.success());
    assert_eq!(std::fs::read_to_string(out.join("log.csv")).unwrap(), log);
}

#[test]
fn the_residual_of_the_equation_trains_too() {
    let Some(python) = python() else { return };
    let short = ["--steps", "2", "--batch", "4", "--eval-every", "2", "--soft", "--soft-functions", "2"];
    let stefan = root().join("examples/models/stefan.safetensors");
    let out = trained(
        &python,
        "train.py",
        "training_soft",
        &[&short[..], &["--start", stefan.to_str().expect("a path")]].concat(),
    );
    let model = Model::load(&out.join("model.safetensors")).expect("the exported model");
    let said = model.description().provenance["loss"].as_str().expect("a loss").to_string();
    assert!(said.contains("residual"), "{said}");
    let log = std::fs::read_to_string(out.join("log.csv")).expect("the log");
    assert!(log.starts_with("step,seconds,learning_rate,loss,residual,"), "{log}");
    // Where solutions jump there is none.
    let refused = run(&python, [recipe("train.py").to_str().unwrap(), "--problem", "burgers", "--soft", "--out", "x"]);
    assert!(!refused.status.success());
}

#[test]
fn the_layers_of_operators_are_what_the_model_file_says() {
    if let Some(python) = python() {
        succeed(&python, [recipe("fno.py")]);
    }
}

#[test]
fn a_short_training_run_gives_an_operator_that_loads() {
    let Some(python) = python() else { return };
    let folder = scratch("training_functions");
    let data = folder.join("waves.safetensors");
    let both = |axis: usize| [-1, 1].map(|side| json!({"axis": axis, "side": side, "kind": "dirichlet"}));
    let slopes = |axis: usize| {
        [(-1, [-1.5, 2.0, -0.5]), (1, [0.5, -2.0, 1.5])]
            .map(|(side, stencil)| json!({"axis": axis, "side": side, "kind": "neumann", "stencil": stencil}))
    };
    let cases = [
        (vec![12], both(0).to_vec()),
        (vec![12, 6], slopes(0).to_vec()),
        (vec![9, 8, 6], [slopes(0), both(1)].concat()),
    ];
    for (grid, faces) in cases {
        functions(&data, &grid, &json!(faces));
        for plain in [false, true] {
            let args = ["--data", data.to_str().unwrap(), "--epochs", "1", "--test", "4", "--width", "6"];
            let args = [&args[..], if plain { &["--plain"] } else { &[] }].concat();
            let out = trained(&python, "train_fno.py", "training_fno", &args);
            let model = Model::load(&out.join("model.safetensors")).expect("the exported model");
            let found = model.description().boon.as_ref().map(|boon| boon.faces.len());
            assert_eq!(found, (!plain).then_some(faces.len()), "{grid:?}");
        }
    }
}

#[test]
fn all_recipes_are_listed() {
    let Some(python) = python() else { return };
    let list = succeed(&python, [recipe("train_all.py").to_str().unwrap(), "--list", "--out", "nowhere"]);
    for line in list.lines() {
        let script = line.split_whitespace().nth(1).expect("a script");
        assert!(recipe(script).is_file(), "{line}");
    }
}

#[test]
fn a_short_training_run_gives_an_ensemble_that_loads() {
    let Some(python) = python() else { return };
    succeed(&python, [recipe("columns.py")]);
    for (script, folder, args) in [
        ("train_columns.py", "training_columns", &["--epochs", "1", "--columns", "300"][..]),
        ("train_ensemble.py", "training_ensemble", &["--problem", "pme", "--steps", "3", "--batch", "2"][..]),
    ] {
        let out = trained(&python, script, folder, &[args, &["--members", "2"]].concat());
        let model = Model::load(&out.join("model.safetensors")).expect("the exported model");
        assert_eq!(model.members().len(), 2);
        assert_eq!(std::fs::read_to_string(out.join("log.csv")).expect("the log").lines().count(), 3);
    }
}
