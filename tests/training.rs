//! The training recipe runs, and what it exports loads. Needs a Python with torch and safetensors: PCML_PYTHON, else python3.

#[path = "common/tools.rs"]
mod tools;

use pcml::model::Model;
use tools::{root, run, scratch, succeed};

/// A Python that can train, or None after saying so.
fn python() -> Option<String> {
    let python = std::env::var("PCML_PYTHON").unwrap_or("python3".into());
    let ready = std::process::Command::new(&python).args(["-c", "import torch, safetensors"]).output();
    if ready.is_ok_and(|o| o.status.success()) {
        return Some(python);
    }
    println!("skipped: training recipe, {python} has no torch and safetensors");
    None
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
fn the_layers_of_operators_are_what_the_model_file_says() {
    if let Some(python) = python() {
        succeed(&python, [root().join("examples/training/fno.py")]);
        succeed(&python, [root().join("examples/training/heat.py")]);
    }
}

#[test]
fn a_short_training_run_gives_an_operator_that_loads() {
    let Some(python) = python() else { return };
    let out = scratch("training_fno");
    let script = root().join("examples/training/train_fno.py");
    let short = ["--epochs", "1", "--functions", "20", "--eval-every", "1", "--threads", "1"];
    succeed(&python, [&[script.to_str().unwrap(), "--out", out.to_str().unwrap()], &short[..]].concat());
    let model = Model::load(&out.join("model.safetensors")).expect("the exported model");
    assert_eq!(model.description().boon.as_ref().map(|boon| boon.faces.len()), Some(2));
}

#[test]
fn a_short_training_run_gives_an_ensemble_that_loads() {
    let Some(python) = python() else { return };
    succeed(&python, [root().join("examples/training/columns.py")]);
    let out = scratch("training_columns");
    let script = root().join("examples/training/train_columns.py");
    let short = ["--epochs", "1", "--columns", "300", "--members", "2", "--threads", "1"];
    succeed(&python, [&[script.to_str().unwrap(), "--out", out.to_str().unwrap()], &short[..]].concat());
    let model = Model::load(&out.join("model.safetensors")).expect("the exported model");
    assert_eq!(model.members().len(), 2);
    assert_eq!(std::fs::read_to_string(out.join("log.csv")).expect("the log").lines().count(), 3);
}
