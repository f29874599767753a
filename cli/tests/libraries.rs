//! Checkpoints that others' libraries wrote (`fixtures/make.py`) predict what those libraries predicted: 1e-6 of the largest output, as
//! their coordinates are f32.

#[path = "../../tests/common/mod.rs"]
mod common;
mod converting;

use std::path::{Path, PathBuf};

use common::{Tensors, read_tensors};
use converting::converted;
use pcml::field::{Dtype, Layout};
use pcml::model::{Options, Plan};
use pcml::{View, ViewMut};
use pcml_cli::convert::Kind;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("{name}.safetensors"))
}

/// Strides of [batch, channels, grid..] seen as [batch, grid.., channels].
fn channels_last(shape: &[usize]) -> Layout {
    let mut strides = vec![1; shape.len()];
    for axis in (0..shape.len() - 1).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1] as isize;
    }
    let order: Vec<usize> = [0].into_iter().chain(2..shape.len()).chain([1]).collect();
    let extents: Vec<usize> = order.iter().map(|a| shape[*a]).collect();
    let strides: Vec<isize> = order.iter().map(|a| strides[*a]).collect();
    Layout::new("array", &extents, &strides).expect("a layout")
}

#[track_caller]
fn check(kind: Kind, name: &str) {
    let path = fixture(name);
    let model = converted(kind, &path, "weights.", &[]);
    let t = read_tensors(&path);
    let (input, expected) = (&t["input"], &t["output"]);
    let options = Options { batch: input.0[0], shape: Some(input.0[2..].to_vec()), ..Options::default() };
    let plan = Plan::new(&model, Dtype::F64, &options).unwrap();
    let mut found = vec![0.0; expected.1.len()];
    plan.predict(
        &mut plan.workspace().unwrap(),
        &View::strided("input", &input.1, 0, channels_last(&input.0)).unwrap(),
        &[],
        &mut ViewMut::strided("output", &mut found, 0, channels_last(&expected.0)).unwrap(),
    )
    .unwrap();
    let size = expected.1.iter().fold(0f64, |a, b| a.max(b.abs()));
    let apart = found.iter().zip(&expected.1).fold(0f64, |a, (x, y)| a.max((x - y).abs())) / size;
    println!("{name}: {apart:.1e}");
    assert!(apart <= 1e-6, "{name}: {apart:e}");
}

#[test]
fn neuraloperator() {
    for name in ["tucker", "cp", "tt", "tucker_1d", "group_norm", "instance_norm", "identity", "plain"] {
        check(Kind::Neuraloperator, &format!("neuraloperator_{name}"));
    }
}

#[test]
fn physicsnemo() {
    for name in ["1d", "2d", "3d"] {
        check(Kind::Physicsnemo, &format!("physicsnemo_{name}"));
    }
}

#[test]
fn the_original_code() {
    for name in ["1d", "2d", "3d"] {
        check(Kind::Fno, &format!("fno_{name}"));
    }
}

/// Arrays of a fixture against what a plan gives: output, or mean and variance.
#[track_caller]
fn agree(name: &str, t: &Tensors, found: &[f64], which: &str) {
    let expected = &t[which].1;
    let size = expected.iter().fold(0f64, |a, b| a.max(b.abs()));
    let apart = found.iter().zip(expected).fold(0f64, |a, (x, y)| a.max((x - y).abs())) / size;
    println!("{name} {which}: {apart:.1e}");
    assert!(found.len() == expected.len() && apart <= 1e-6, "{name} {which}: {apart:e}");
}

#[track_caller]
fn check_rows(kind: Kind, name: &str, set: &[&str]) {
    let path = fixture(name);
    let model = converted(kind, &path, "weights.", set);
    let t = read_tensors(&path);
    let (shape, x) = &t["input"];
    let plan = Plan::new(&model, Dtype::F64, &Options { batch: shape[0], ..Options::default() }).unwrap();
    let (input, out) = (View::new("input", x, shape).unwrap(), [shape[0], model.description().outputs.len()]);
    let [mut mean, mut variance] = [vec![0.0; out[0] * out[1]], vec![0.0; out[0] * out[1]]];
    let mut workspace = plan.workspace().unwrap();
    let mut view = ViewMut::new("mean", &mut mean, &out).unwrap();
    if !plan.has_variance() {
        plan.predict(&mut workspace, &input, &[], &mut view).unwrap();
        return agree(name, &t, &mean, "output");
    }
    let mut variances = ViewMut::new("variance", &mut variance, &out).unwrap();
    plan.predict_moments(&mut workspace, &input, &[], &mut view, &mut variances).unwrap();
    agree(name, &t, &mean, "mean");
    agree(name, &t, &variance, "variance");
}

#[test]
fn sequential() {
    for name in ["plain", "norms", "head"] {
        check_rows(Kind::Sequential, &format!("sequential_{name}"), &[]);
    }
    // The layers in order say the same.
    let steps = r#"steps=["0",{"layer":"1","eps":1e-5},"2","leaky-relu","4","elu","6","7","8"]"#;
    check_rows(Kind::Sequential, "sequential_norms", &[steps, "activation=null"]);
}

#[test]
fn keras() {
    check_rows(Kind::Keras, "keras_everything", &["dropout=0"]);
    check_rows(Kind::Keras, "keras_functional", &[]);
}

#[test]
fn deepxde() {
    for name in ["single", "split_both", "split_branch", "split_trunk"] {
        let name = format!("deeponet_{name}");
        let path = fixture(&name);
        let model = converted(Kind::Deeponet, &path, "weights.", &[]);
        let t = read_tensors(&path);
        let ((of_u, u), (of_x, x)) = (&t["context_y"], &t["target_x"]);
        let out = [of_u[0], of_x[0], model.description().outputs.len()];
        let options = Options { batch: out[0], targets: Some(out[1]), ..Options::default() };
        let plan = Plan::new(&model, Dtype::F64, &options).unwrap();
        let mut workspace = plan.workspace().unwrap();
        plan.condition_on_sensors(&mut workspace, &View::new("context_y", u, of_u).unwrap()).unwrap();
        let mut mean = vec![0.0; out.iter().product()];
        let x = View::new("target_x", x, of_x).unwrap();
        plan.query(&mut workspace, &x, None, &mut ViewMut::new("mean", &mut mean, &out).unwrap(), None).unwrap();
        agree(&name, &t, &mean, "output");
    }
}
