//! Projections on several rows in every prior, and what goes with them, allocate nothing once their workspaces exist.
#![allow(unsafe_code)]

#[path = "common/counting.rs"]
mod counting;
#[path = "common/lcg.rs"]
mod lcg;
#[path = "common/views.rs"]
mod views;

use std::hint::black_box;

use counting::allocations;
use lcg::step;
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Tangent};
use pcml::{View, ViewMut};
use views::{view, view_mut};

const N: usize = 700;
const SAMPLES: usize = 3;

fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed | 1;
    move || (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64
}

/// Size and data.
fn data_of(prior: Prior) -> (usize, Vec<f64>) {
    let mut random = numbers(11);
    let v: Vec<f64> = (0..N).map(|_| 0.2 + random()).collect();
    let lines = |first: f64, count: usize, random: &mut dyn FnMut() -> f64| -> Vec<f64> {
        (0..count * N).map(|k| if k < N { first + v[k] } else { random() - 0.5 }).collect()
    };
    match prior {
        Prior::Identity => (0, vec![]),
        Prior::Scalar => (0, vec![0.7]),
        Prior::Diagonal | Prior::Smoothed => (0, v),
        Prior::CovarianceBand | Prior::PrecisionBand => (1, lines(1.0, 2, &mut random)),
        Prior::LowRank => (2, lines(0.0, 3, &mut random)),
        Prior::Ensemble => (9, (0..9 * N).map(|_| random()).collect()),
        Prior::Dense => {
            let f: Vec<f64> = (0..N).map(|_| random()).collect();
            (0, (0..N * N).map(|k| f[k / N] * f[k % N] + if k / N == k % N { v[k / N] } else { 0.0 }).collect())
        }
    }
}

/// Rows over all cells, on a run, on scattered cells, with noise, and one that depends on two others.
fn constraints(dependent: bool) -> Constraints {
    let mut random = numbers(5);
    let weights: Vec<f64> = (0..N).map(|_| 0.1 + random()).collect();
    let mut c = Constraints::new(N).unwrap();
    c.add_row(view(&weights), 0.0).unwrap();
    c.add_sparse_rows(&[0, 3, 6], &[300, 301, 302, 9, 77, 650], &[1.0, -2.0, 1.0, 1.0, 1.0, 3.0], None).unwrap();
    c.add_stencils(&[40, 50], &[1.0, -1.0], 2, 0.05).unwrap();
    if dependent {
        c.add_stencils(&[300, 301, 302, 9, 77, 650], &[1.0, -2.0, 1.0, 1.0, 1.0, 3.0], 6, 0.0).unwrap();
    }
    c
}

fn in_prior(prior: Prior, dependent: bool, slices: usize) {
    let (size, data) = data_of(prior);
    let c = constraints(dependent);
    let options = ProjectorOptions { prior_size: size, smoothing: 0.9, ..Default::default() };
    let p = Projector::new(&c, prior, &options).unwrap();
    let m = c.len();
    let mut random = numbers(3);
    let mean: Vec<f64> = (0..slices * N).map(|_| random() * 4.0 - 2.0).collect();
    let b: Vec<f64> = (0..slices).flat_map(|_| [3.0, 0.5, 2.0, 1.0, 2.5].into_iter().take(m)).collect();
    let rates: Vec<f64> = (0..slices * m * 2).map(|_| random()).collect();
    let (mut u, mut v) = (vec![0.0; slices * N], vec![0.0; slices * N]);
    let (mut of_rows, mut matrix) = (vec![0.0; slices * m], vec![0.0; N * N]);
    let (mut scratch, mut report) = (p.scratch(slices).unwrap(), p.report(slices).unwrap());
    let mut inference = p.inference(SAMPLES).unwrap();
    let given = (!data.is_empty()).then(|| view(&data));
    let fields = View::new("mean", &mean, &[slices, N]).unwrap();
    let values = View::new("b", &b, &[slices, m]).unwrap();
    let counted = allocations(|| {
        let mean = ViewMut::new("u", &mut u, &[slices, N]).unwrap();
        let variance = Some(ViewMut::new("v", &mut v, &[slices, N]).unwrap());
        p.project(&mut scratch, fields, given, values, Posterior { mean, variance }, Some(&mut report)).unwrap();
    });
    assert_eq!(counted, 0, "project in {prior:?}");
    assert_eq!(report.rows(0)[m - 1].dropped, dependent);
    // The state obeys now: nothing to do, but variances are asked for.
    let lawful = View::new("mean", &u, &[slices, N]).unwrap();
    let mut again = vec![0.0; slices * N];
    let counted = allocations(|| {
        let mean = ViewMut::new("u", &mut again, &[slices, N]).unwrap();
        let variance = Some(ViewMut::new("v", &mut v, &[slices, N]).unwrap());
        p.project(&mut scratch, lawful, given, values, Posterior { mean, variance }, None).unwrap();
        p.check(&mut scratch, lawful, values, &mut report).unwrap();
    });
    assert_eq!(counted, 0, "project and check of a lawful state in {prior:?}");
    let counted = allocations(|| {
        let to = ViewMut::new("residual", &mut of_rows, &[slices, m]).unwrap();
        p.residual(&mut scratch, fields, values, to).unwrap();
        let rates = View::new("rates", &rates, &[slices, m, 2]).unwrap();
        let to = ViewMut::new("b", &mut of_rows, &[slices, m]).unwrap();
        p.budget(&mut scratch, fields, rates, 0.25, to).unwrap();
    });
    assert_eq!(counted, 0, "residual and budget in {prior:?}");
    let counted = allocations(|| {
        let to = ViewMut::new("covariance", &mut matrix, &[N, N]).unwrap();
        p.covariance(&mut scratch, given, to).unwrap();
    });
    assert_eq!(counted, 0, "covariance in {prior:?}");

    let (mean, b) = (view(&mean[..N]), view(&b[..m]));
    let mut samples = vec![0.0; SAMPLES * N];
    let counted = allocations(|| {
        let to = ViewMut::new("samples", &mut samples, &[SAMPLES, N]).unwrap();
        p.sample(&mut inference, mean, given, b, 7, 0, to).unwrap();
        black_box(p.log_likelihood(&mut inference, mean, given, b).unwrap());
        let to = ViewMut::new("covariance", &mut matrix[..6], &[2, 3]).unwrap();
        p.covariance_block(&mut inference, given, &[0, 40], &[40, 301, 699], to).unwrap();
    });
    assert_eq!(counted, 0, "samples, likelihood and covariances in {prior:?}");
    let of_variance = match prior {
        Prior::Diagonal => Some(N),
        Prior::Scalar => Some(1),
        _ => None,
    };
    let (mut of_v, mut of_b) = (vec![0.0; N], vec![0.0; m]);
    let counted = allocations(|| {
        let variance = of_variance.map(|n| view(&data[..n]));
        let tangent = Tangent { mean: Some(mean), variance, b: Some(b) };
        p.jvp(&mut inference, mean, given, b, tangent, view_mut(&mut u[..N])).unwrap();
        let variance = of_variance.map(|n| view_mut(&mut of_v[..n]));
        let gradient = Tangent { mean: Some(view_mut(&mut u[..N])), variance, b: Some(view_mut(&mut of_b)) };
        p.vjp(&mut inference, mean, given, b, mean, gradient).unwrap();
    });
    assert_eq!(counted, 0, "derivatives in {prior:?}");
}

/// One test, for the counter counts what all threads do.
#[test]
fn hot_calls_allocate_nothing() {
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    for &prior in Prior::all() {
        in_prior(prior, false, 1);
        in_prior(prior, true, 2);
    }
}
