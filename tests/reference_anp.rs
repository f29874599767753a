//! Parity of the attentive neural process with the published code and weights: 1e-9 relative in f64, 2e-5 in f32.

mod common;

use common::{Tensors, probconserv_model, read_tensors, reference_dir};
use pcml::field::{Dtype, Element};
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};

const CASES: usize = 100;

/// Largest difference over the largest expected value.
fn apart(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(0f64, |a, b| a.max(b.abs()));
    found.iter().zip(expected).fold(0f64, |a, (x, y)| a.max((x - y).abs())) / size
}

fn close(name: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    let apart = apart(found, expected);
    println!("{name}: {apart:.2e}");
    assert!(apart <= tolerance, "{name}: {apart:e} > {tolerance:e}");
}

fn compare<T: Element + Into<f64>>(model: &Model, cases: &Tensors, expected: &Tensors, tolerance: f64) {
    let view = |name: &'static str| View::new(name, &cases[name].1, &cases[name].0).unwrap();
    let widen = |v: Vec<T>| v.into_iter().map(Into::into).collect::<Vec<f64>>();
    let zeros = |n: usize| vec![T::default(); n];
    let options =
        |latents| Options { batch: CASES, context: Some(100), targets: Some(201), latents, ..Options::default() };
    for (latents, loc, scale) in
        [(0, "loc_at_mean_latent", "scale_at_mean_latent"), (16, "loc_mixture16", "scale_mixture16")]
    {
        let plan = Plan::new(model, T::DTYPE, &options(latents)).unwrap();
        let mut workspace = plan.workspace().unwrap();
        plan.condition(&mut workspace, &view("context_x"), &view("context_y")).unwrap();

        let (mut mu, mut log_variance) = (zeros(CASES * 128), zeros(CASES * 128));
        plan.latent(
            &workspace,
            &mut ViewMut::new("mu", &mut mu, &[CASES, 128]).unwrap(),
            &mut ViewMut::new("log_variance", &mut log_variance, &[CASES, 128]).unwrap(),
        )
        .unwrap();
        close("latent mean", &widen(mu), &expected["latent_mu"].1, tolerance);
        close("latent log variance", &widen(log_variance), &expected["latent_log_sigma"].1, tolerance);

        let (mut mean, mut variance) = (zeros(CASES * 201), zeros(CASES * 201));
        let eps = view("eps");
        plan.query(
            &mut workspace,
            &view("target_x"),
            (latents > 0).then_some(&eps),
            &mut ViewMut::new("mean", &mut mean, &[CASES, 201, 1]).unwrap(),
            Some(&mut ViewMut::new("variance", &mut variance, &[CASES, 201]).unwrap()),
        )
        .unwrap();
        close(loc, &widen(mean), &expected[loc].1, tolerance);
        let sigma: Vec<f64> = widen(variance).iter().map(|v| v.sqrt()).collect();
        close(scale, &sigma, &expected[scale].1, tolerance);
    }
}

#[test]
fn attentive_neural_process_agrees_with_the_published_code() {
    let Some(dir) = reference_dir(CASES) else { return };
    let model = Model::from_bytes(&probconserv_model(&dir)).expect("the published weights");
    let cases = read_tensors(&dir.join("probconserv_stefan/cases.safetensors"));
    let expected = read_tensors(&dir.join("probconserv_stefan/expected.safetensors"));
    assert_eq!(f64::DTYPE, Dtype::F64);
    compare::<f64>(&model, &cases, &expected, 1e-9);
    compare::<f32>(&model, &cases, &expected, 2e-5);
}
