//! Parity of Fourier neural operators and BOON with the published code, through the converters: 1e-5 of the largest output, 2e-4 where
//! that divides by small pivots; f32 with f64.

#[path = "../../tests/common/mod.rs"]
mod common;
mod converting;

use std::path::Path;

use common::{read_tensors, reference_dir};
use converting::converted;
use pcml::field::Element;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use pcml_cli::convert::Kind;

const BOON: [(&str, f64); 10] = [
    ("fno1d", 1e-5),
    ("fno2d", 1e-5),
    ("fno3d", 1e-5),
    ("boon1d_dirichlet", 1e-5),
    ("boon1d_neumann", 1e-5),
    ("boon1d_periodic", 1e-5),
    ("boon2d_dirichlet", 2e-4),
    ("boon2d_neumann", 2e-4),
    ("boon2d_periodic", 2e-4),
    ("boon3d_dirichlet", 2e-4),
];
const NEURALOPERATOR: [&str; 5] = ["fno1d", "fno2d", "fno2d_no_channel_mlp", "fno2d_padding", "fno3d"];

/// A reference case: the model of its state dict, and what goes in and comes out, channels last.
struct Case {
    model: Model,
    input: Array,
    output: Array,
    faces: Vec<Array>,
}

type Array = (Vec<usize>, Vec<f64>);

/// A file of `reference/boon`.
fn boon(dir: &Path, name: &str) -> Case {
    let path = dir.join("boon").join(format!("{name}.safetensors"));
    let t = read_tensors(&path);
    let (batch, shape) = (t["input"].0[0], t["input"].0[1..].to_vec());
    let sides = ["left", "right", "top", "down"].into_iter().enumerate().filter(|(_, side)| t.contains_key(*side));
    let faces = sides.map(|(number, side)| {
        let mut extents = [&[batch][..], &shape].concat();
        extents.remove(1 + number / 2);
        let len = extents.iter().product();
        // One value for all functions is repeated.
        (extents, t[side].1.iter().copied().cycle().take(len).collect())
    });
    let faces = faces.collect();
    let model = converted(Kind::Boon, &path, "weights.", &[]);
    Case { model, input: t["input"].clone(), output: t["output"].clone(), faces }
}

/// A file of `reference/neuraloperator`.
fn neuraloperator(dir: &Path, name: &str) -> Case {
    let path = dir.join("neuraloperator").join(format!("{name}.safetensors"));
    let t = read_tensors(&path);
    let model = converted(Kind::Neuraloperator, &path, "weights.", &[]);
    let (input, output) = (channels_last(&t["input"]), channels_last(&t["output"]));
    Case { model, input, output, faces: vec![] }
}

/// [batch, channels, grid..] to [batch, grid.., channels].
fn channels_last((shape, values): &Array) -> Array {
    let (batch, channels) = (shape[0], shape[1]);
    let points: usize = shape[2..].iter().product();
    let mut out = vec![0.0; values.len()];
    for b in 0..batch {
        for c in 0..channels {
            for p in 0..points {
                out[(b * points + p) * channels + c] = values[(b * channels + c) * points + p];
            }
        }
    }
    ([&[batch][..], &shape[2..], &[channels]].concat(), out)
}

fn predict<T: Element + Into<f64>>(case: &Case) -> Vec<f64> {
    let shape = &case.input.0;
    let options = Options { batch: shape[0], shape: Some(shape[1..shape.len() - 1].to_vec()), ..Options::default() };
    let plan = Plan::new(&case.model, T::DTYPE, &options).unwrap();
    let mut output = vec![T::default(); case.output.1.len()];
    let faces: Vec<View> = case.faces.iter().map(|(shape, values)| View::new("face", values, shape).unwrap()).collect();
    plan.predict(
        &mut plan.workspace().unwrap(),
        &View::new("input", &case.input.1, &case.input.0).unwrap(),
        &faces,
        &mut ViewMut::new("output", &mut output, &case.output.0).unwrap(),
    )
    .unwrap();
    output.into_iter().map(Into::into).collect()
}

fn apart(found: &[f64], expected: &[f64]) -> f64 {
    let size = expected.iter().fold(0f64, |a, b| a.max(b.abs()));
    found.iter().zip(expected).fold(0f64, |a, (x, y)| a.max((x - y).abs())) / size
}

fn check(name: &str, case: &Case, tolerance: f64) {
    let (single, double) = (predict::<f32>(case), predict::<f64>(case));
    let found = [apart(&double, &case.output.1), apart(&single, &case.output.1), apart(&single, &double)];
    println!("{name}: f64 {:.1e}, f32 {:.1e}, f32 against f64 {:.1e}", found[0], found[1], found[2]);
    assert!(found.iter().all(|apart| *apart <= tolerance), "{name}: {found:?} > {tolerance:e}");
}

#[test]
fn the_published_boon_code() {
    let Some(dir) = reference_dir(BOON.len()) else { return };
    for (name, tolerance) in BOON {
        check(name, &boon(&dir, name), tolerance);
    }
}

#[test]
fn neuraloperator_2() {
    let Some(dir) = reference_dir(NEURALOPERATOR.len()) else { return };
    for name in NEURALOPERATOR {
        check(name, &neuraloperator(&dir, name), 1e-5);
    }
}
