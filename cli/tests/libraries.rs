//! Checkpoints that others' libraries wrote (`fixtures/make.py`) predict what those libraries predicted: 1e-6 of the largest output, as
//! their coordinates are f32.

#[path = "../../tests/common/mod.rs"]
mod common;
mod converting;

use std::path::{Path, PathBuf};

use common::read_tensors;
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
