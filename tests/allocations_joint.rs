//! Projections on many rows in every prior, and what else a projector can say, allocate nothing once their workspaces exist.
#![allow(unsafe_code)]

#[path = "common/counting.rs"]
mod counting;

use std::hint::black_box;

use counting::allocations;
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Tangent};
use pcml::{View, ViewMut};

fn view(x: &[f64]) -> View<'_> {
    View::new("x", x, &[x.len()]).unwrap()
}

fn view_mut(x: &mut [f64]) -> ViewMut<'_> {
    let n = x.len();
    ViewMut::new("x", x, &[n]).unwrap()
}

const PRIORS: [Prior; 9] = [
    Prior::Identity,
    Prior::Diagonal,
    Prior::Scalar,
    Prior::CovarianceBand,
    Prior::PrecisionBand,
    Prior::LowRank,
    Prior::Ensemble,
    Prior::Dense,
    Prior::Smoothed,
];

/// Size and data of one slice.
fn data(prior: Prior, n: usize) -> (usize, Vec<f64>) {
    let v = |i: usize| 0.5 + 0.3 * (i as f64 * 0.7).sin();
    let wave = |k: usize, i: usize| 0.2 * ((k + 1) as f64 * i as f64 * 0.13).cos();
    let first = (0..n).map(v);
    match prior {
        Prior::Identity => (0, vec![]),
        Prior::Scalar => (0, vec![0.5]),
        Prior::Diagonal | Prior::Smoothed => (0, first.collect()),
        Prior::CovarianceBand | Prior::PrecisionBand => (1, first.chain((0..n).map(|_| 0.05)).collect()),
        Prior::LowRank => (2, first.chain((0..2 * n).map(|at| wave(at / n, at % n))).collect()),
        Prior::Ensemble => (9, (0..9 * n).map(|at| wave(at / n, at % n) + 0.3 * ((at * at) as f64).sin()).collect()),
        Prior::Dense => (0, (0..n * n).map(|at| if at / n == at % n { v(at / n) } else { 1e-3 }).collect()),
    }
}

#[test]
fn hot_calls_allocate_nothing() {
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    let (n, m, slices) = (120, 4, 2);
    let mut c = Constraints::new(n).unwrap();
    c.add_row(view(&vec![1.0; n]), 0.0).unwrap();
    c.add_row(view(&(0..n).map(|i| (i as f64 * 0.3).cos()).collect::<Vec<_>>()), 0.1).unwrap();
    c.add_sparse_rows(&[0, 3, 5], &[5, 2, 40, 7, 119], &[1.0, -2.0, 0.5, 1.0, 1.0], None).unwrap();
    let mean: Vec<f64> = (0..slices * n).map(|i| 1.0 + (i as f64 * 0.37).sin()).collect();
    let b = [100.0, 3.0, 0.5, 1.5, 110.0, 2.0, 0.25, 2.0];
    let rates = vec![0.1; slices * m];
    for prior in PRIORS {
        let (size, of_prior) = data(prior, n);
        let options = ProjectorOptions { prior_size: size, smoothing: 0.5, ..Default::default() };
        let p = Projector::new(&c, prior, &options).unwrap();
        let mut scratch = p.scratch(slices).unwrap();
        let mut report = p.report(slices).unwrap();
        let mut inference = p.inference(3).unwrap();
        let (mut u, mut v) = (vec![0f32; slices * n], vec![0f32; slices * n]);
        let (mut sums, mut square) = (vec![0.0; slices * m], vec![0.0; n * n]);
        let (mut samples, mut gradient, mut of_b) = (vec![0.0; 3 * n], vec![0.0; n], vec![0.0; m]);
        let mut block = [0.0; 4];
        let shape = [slices, n];
        let counted = allocations(|| {
            let of = |name: &'static str, x, shape: &[usize]| View::new(name, x, shape).unwrap();
            let data = (prior != Prior::Identity).then(|| view(&of_prior));
            let (all, b_all) = (of("mean", &mean[..], &shape), of("b", &b[..], &[slices, m]));
            let to = Posterior {
                mean: ViewMut::new("u", &mut u, &shape).unwrap(),
                variance: Some(ViewMut::new("v", &mut v, &shape).unwrap()),
            };
            p.project(&mut scratch, all, data, b_all, to, Some(&mut report)).unwrap();
            p.check(&mut scratch, all, b_all, &mut report).unwrap();
            let to = ViewMut::new("residual", &mut sums, &[slices, m]).unwrap();
            p.residual(&mut scratch, all, b_all, to).unwrap();
            let to = ViewMut::new("b", &mut sums, &[slices, m]).unwrap();
            p.budget(&mut scratch, all, of("rates", &rates[..], &[slices, m]), 0.5, to).unwrap();
            p.covariance(&mut scratch, data, ViewMut::new("covariance", &mut square, &[n, n]).unwrap()).unwrap();

            let (one, b_one) = (view(&mean[..n]), view(&b[..m]));
            let to = ViewMut::new("samples", &mut samples, &[3, n]).unwrap();
            p.sample(&mut inference, one, data, b_one, 11, 0, to).unwrap();
            black_box(p.log_likelihood(&mut inference, one, data, b_one).unwrap());
            let to = ViewMut::new("covariance", &mut block, &[2, 2]).unwrap();
            p.covariance_block(&mut inference, data, &[0, 5], &[7, 5], to).unwrap();
            let tangent = Tangent { mean: Some(one), variance: None, b: Some(b_one) };
            p.jvp(&mut inference, one, data, b_one, tangent, view_mut(&mut gradient)).unwrap();
            let to = Tangent { mean: Some(view_mut(&mut gradient)), variance: None, b: Some(view_mut(&mut of_b)) };
            p.vjp(&mut inference, one, data, b_one, one, to).unwrap();
        });
        assert_eq!(counted, 0, "{prior:?}");
    }
}
