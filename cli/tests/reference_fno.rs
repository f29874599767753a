//! Parity of Fourier neural operators and BOON with the published code: 1e-5 of the largest output, 2e-4 where that divides by small
//! pivots; f32 with f64.

mod common;
#[path = "common/operators.rs"]
mod operators;

use common::reference_dir;
use operators::{Case, boon, neuraloperator};
use pcml::field::Element;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};

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

fn predict<T: Element + Into<f64>>(case: &Case, model: &Model) -> Vec<f64> {
    let options = Options { batch: case.input.0[0], shape: Some(case.shape.clone()), ..Options::default() };
    let plan = Plan::new(model, T::DTYPE, &options).unwrap();
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
    let model = Model::from_bytes(&case.file.bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (single, double) = (predict::<f32>(case, &model), predict::<f64>(case, &model));
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
