//! What a neural process plan promises: results depend on the function and the target alone, not on the batch, the position in
//! it, strides, dtype of the arrays or the number of targets; a mixture is the law of total variance over its draws.

mod common;

use pcml::field::{Dtype, Layout};
use pcml::kernels::random::Philox;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use proptest::prelude::*;

fn model() -> Model {
    Model::load(&common::stefan_path()).expect("the shipped model")
}

struct Case {
    functions: usize,
    points: usize,
    targets: usize,
    context_x: Vec<f64>,
    context_y: Vec<f64>,
    target_x: Vec<f64>,
}

fn case(functions: usize, points: usize, targets: usize, seed: u64) -> Case {
    let uniform = |stream: u64, n: usize| -> Vec<f64> {
        (0..n).map(|i| Philox::new(seed).word(stream, i as u64) as f64 / u32::MAX as f64).collect()
    };
    let in_time = |mut x: Vec<f64>| {
        x.iter_mut().step_by(2).for_each(|t| *t *= 0.1);
        x
    };
    Case {
        functions,
        points,
        targets,
        context_x: in_time(uniform(0, functions * points * 2)),
        context_y: uniform(1, functions * points),
        target_x: in_time(uniform(2, functions * targets * 2)),
    }
}

fn predict(plan: &Plan, c: &Case) -> (Vec<f64>, Vec<f64>) {
    let (f, n, m) = (c.functions, c.points, c.targets);
    let mut workspace = plan.workspace().unwrap();
    let (mut mean, mut variance) = (vec![0.0; f * m], vec![0.0; f * m]);
    plan.condition(
        &mut workspace,
        &View::new("x", &c.context_x, &[f, n, 2]).unwrap(),
        &View::new("y", &c.context_y, &[f, n, 1]).unwrap(),
    )
    .unwrap();
    plan.query(
        &mut workspace,
        &View::new("t", &c.target_x, &[f, m, 2]).unwrap(),
        None,
        &mut ViewMut::new("mean", &mut mean, &[f, m, 1]).unwrap(),
        Some(&mut ViewMut::new("variance", &mut variance, &[f, m, 1]).unwrap()),
    )
    .unwrap();
    (mean, variance)
}

fn options(latents: usize, dropout: f64) -> Options {
    Options { batch: 4, context: Some(40), targets: Some(250), latents, seed: 11, dropout, ..Options::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_function_alone_gives_the_bits_it_gives_in_a_batch(
        functions in 1usize..4, points in 1usize..40, targets in 1usize..250, seed: u64,
        latents in 0usize..3, dropout: bool, single: bool,
    ) {
        let model = model();
        let dropout = if dropout && latents > 0 { 0.1 } else { 0.0 };
        let arithmetic = if single { Dtype::F32 } else { Dtype::F64 };
        let plan = Plan::new(&model, arithmetic, &options(latents, dropout)).unwrap();
        let all = case(functions, points, targets, seed);
        let (mean, variance) = predict(&plan, &all);
        prop_assert!(variance.iter().all(|v| *v > 0.0));
        for f in 0..functions {
            let (from, to) = (f * targets, (f + 1) * targets);
            // A part of the targets, too: the last ones of the function alone.
            let keep = 1 + targets / 3;
            let alone = Case {
                functions: 1,
                points,
                targets: if dropout > 0.0 { targets } else { keep },
                context_x: all.context_x[f * points * 2..(f + 1) * points * 2].to_vec(),
                context_y: all.context_y[f * points..(f + 1) * points].to_vec(),
                target_x: all.target_x[from * 2..to * 2].to_vec(),
            };
            let skip = targets - alone.targets;
            let alone = Case { target_x: alone.target_x[skip * 2..].to_vec(), ..alone };
            let (m, v) = predict(&plan, &alone);
            prop_assert_eq!(&m[..], &mean[from + skip..to]);
            prop_assert_eq!(&v[..], &variance[from + skip..to]);
        }
    }
}

#[test]
fn strides_and_storage_do_not_matter() {
    let plan = Plan::new(&model(), Dtype::F64, &options(3, 0.0)).unwrap();
    let mut c = case(2, 20, 30, 5);
    // Values that f32 holds exactly, so that both storages mean the same.
    for v in c.context_x.iter_mut().chain(&mut c.context_y).chain(&mut c.target_x) {
        *v = *v as f32 as f64;
    }
    let (mean, variance) = predict(&plan, &c);

    // Coordinates apart as a Fortran host has them, values in f32 and backwards in memory, results interleaved.
    let columns = |x: &[f64]| -> Vec<f64> { (0..2).flat_map(|d| x.iter().skip(d).step_by(2).copied()).collect() };
    let fortran = |n: usize| Layout::new("x", &[2, n, 2], &[n as isize, 1, 2 * n as isize]).unwrap();
    let (x, t) = (columns(&c.context_x), columns(&c.target_x));
    let mut y: Vec<f32> = c.context_y.iter().map(|v| *v as f32).collect();
    y.reverse();
    let mut results = vec![0.0; 120];
    let mut workspace = plan.workspace().unwrap();
    let backwards = Layout::new("y", &[2, 20, 1], &[-20, -1, 1]).unwrap();
    plan.condition(
        &mut workspace,
        &View::strided("x", &x, 0, fortran(20)).unwrap(),
        &View::strided("y", &y, 39, backwards).unwrap(),
    )
    .unwrap();
    let spaced = Layout::new("mean", &[2, 30, 1], &[60, 2, 1]).unwrap();
    plan.query(
        &mut workspace,
        &View::strided("t", &t, 0, fortran(30)).unwrap(),
        None,
        &mut ViewMut::strided("mean", &mut results, 1, spaced).unwrap(),
        None,
    )
    .unwrap();
    let found: Vec<f64> = results.iter().skip(1).step_by(2).copied().collect();
    assert_eq!(found, mean);
    assert!(results.iter().step_by(2).all(|v| *v == 0.0));
    assert_eq!(variance.len(), 60);
}

#[test]
fn a_mixture_is_the_law_of_total_variance_over_its_draws() {
    let c = case(1, 20, 30, 9);
    let model = model();
    let hidden = 64;
    let latents = 5;
    let mixture = Plan::new(&model, Dtype::F64, &options(latents, 0.0)).unwrap();
    let one = Plan::new(&model, Dtype::F64, &options(1, 0.0)).unwrap();
    let (mean, variance) = predict(&mixture, &c);
    let mut parts = Vec::new();
    for draw in 0..latents {
        // The documented draws: stream `draw` of the seed's generator.
        let mut eps = vec![0.0; hidden];
        Philox::new(11).normals(draw as u64, 0, &mut eps);
        let mut workspace = one.workspace().unwrap();
        let (mut m, mut v) = (vec![0.0; 30], vec![0.0; 30]);
        one.condition(
            &mut workspace,
            &View::new("x", &c.context_x, &[20, 2]).unwrap(),
            &View::new("y", &c.context_y, &[20]).unwrap(),
        )
        .unwrap();
        one.query(
            &mut workspace,
            &View::new("t", &c.target_x, &[30, 2]).unwrap(),
            Some(&View::new("eps", &eps, &[1, hidden]).unwrap()),
            &mut ViewMut::new("mean", &mut m, &[30]).unwrap(),
            Some(&mut ViewMut::new("variance", &mut v, &[30]).unwrap()),
        )
        .unwrap();
        parts.push((m, v));
    }
    for i in 0..30 {
        let average = parts.iter().map(|p| p.0[i]).sum::<f64>() / latents as f64;
        let between = parts.iter().map(|p| (p.0[i] - average).powi(2)).sum::<f64>() / (latents - 1) as f64;
        let within = parts.iter().map(|p| p.1[i]).sum::<f64>() / latents as f64;
        assert!((mean[i] - average).abs() <= 1e-14 * average.abs().max(1.0));
        assert!((variance[i] - within - between).abs() <= 1e-13 * variance[i]);
    }
}

#[test]
fn dropout_is_seeded_and_changes_the_prediction() {
    let c = case(2, 20, 30, 3);
    let model = model();
    let plan = |seed, dropout| Plan::new(&model, Dtype::F64, &Options { seed, ..options(4, dropout) }).unwrap();
    let (first, again) = (predict(&plan(1, 0.2), &c), predict(&plan(1, 0.2), &c));
    assert_eq!(first, again);
    assert_ne!(first, predict(&plan(2, 0.2), &c));
    assert_ne!(first, predict(&plan(1, 0.0), &c));
}

#[test]
fn dropped_shares_match_the_rate() {
    let random = Philox::new(3);
    let threshold = (0.1 * 4_294_967_296.0) as u32;
    let dropped = (0..100_000).filter(|i| random.word(7, *i) < threshold).count();
    assert!((9_500..10_500).contains(&dropped), "{dropped}");
}
