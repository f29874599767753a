//! What a projector says beside the projection, beside the time of that projection: lawful samples, a likelihood, gradients, a block of
//! the covariance, a check, and boundary rows solved together with a mass.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pcml::constraint::{Condition, Constraints, Posterior, Prior, Projector, ProjectorOptions, Rule, Tangent};
use pcml::{View, ViewMut};

fn view(x: &[f64]) -> View<'_> {
    View::new("x", x, &[x.len()]).unwrap()
}

fn view_mut(x: &mut [f64]) -> ViewMut<'_> {
    let n = x.len();
    ViewMut::new("x", x, &[n]).unwrap()
}

/// A square grid: its mass, and Dirichlet, Neumann and Robin conditions on three of its sides.
fn benches(c: &mut Criterion) {
    // `cargo test --benches` asks whether the bench runs, not how fast.
    let quick = std::env::args().all(|arg| arg != "--bench");
    let side = if quick { 20 } else { 1000 };
    let (n, samples) = (side * side, 8);
    let x: Vec<f64> = (0..side).map(|i| i as f64 / side as f64).collect();
    let axes = [view(&x), view(&x)];
    let mut laws = Constraints::new(n).unwrap();
    laws.add_grid_quadrature(Rule::Trapezoid, &axes, 0, 0.0).unwrap();
    let mass = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
    let condition = |value, slope, order| Condition { value, slope, order };
    laws.add_boundary(&axes, 0, &[-1, 0], 0, condition(1.0, 0.0, 0), 0.0).unwrap();
    laws.add_boundary(&axes, 0, &[1, 0], 0, condition(0.0, 1.0, 2), 0.0).unwrap();
    laws.add_boundary(&axes, 0, &[0, 1], 1, condition(0.5, 1.0, 4), 0.0).unwrap();
    let all = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap();

    let mean: Vec<f64> = (0..n).map(|i| 1.0 + 0.3 * (i as f64 * 0.37).sin()).collect();
    let v: Vec<f64> = (0..n).map(|i| 0.1 + 0.05 * (i as f64 * 0.11).cos()).collect();
    let (mut u, mut var, mut drawn) = (vec![0.0; n], vec![0.0; n], vec![0.0; samples * n]);
    for (name, p) in [("mass", &mass), ("mass and boundaries", &all)] {
        let m = p.rows();
        let zero = vec![0.0; m];
        let mut b = vec![0.0; m];
        let mut scratch = p.scratch(1).unwrap();
        // Right-hand sides of a state that differs from the mean, so that corners agree.
        let other: Vec<f64> = (0..n).map(|i| 1.1 + 0.2 * (i as f64 * 0.29).cos()).collect();
        p.residual(&mut scratch, view(&other), view(&zero), view_mut(&mut b)).unwrap();
        let (mean, v, b) = (view(&mean), Some(view(&v)), view(&b));
        let mut inference = p.inference(samples).unwrap();
        let mut report = p.report(1).unwrap();
        let mut group = c.benchmark_group(name);
        group.sample_size(10);
        group.throughput(Throughput::Elements(n as u64));
        let id = |what: &str| BenchmarkId::new(what.to_owned(), n);
        group.bench_function(id("projection"), |bench| {
            bench.iter(|| {
                let to = Posterior { mean: view_mut(&mut u), variance: Some(view_mut(&mut var)) };
                p.project(&mut scratch, mean, v, b, to, None).unwrap()
            })
        });
        group.bench_function(id("check"), |bench| bench.iter(|| p.check(&mut scratch, mean, b, &mut report).unwrap()));
        group.bench_function(id("8 samples"), |bench| {
            bench.iter(|| {
                let to = ViewMut::new("samples", &mut drawn, &[samples, n]).unwrap();
                p.sample(&mut inference, mean, v, b, 7, 0, to).unwrap()
            })
        });
        group.bench_function(id("log-likelihood"), |bench| {
            bench.iter(|| black_box(p.log_likelihood(&mut inference, mean, v, b).unwrap()))
        });
        group.bench_function(id("gradients"), |bench| {
            bench.iter(|| {
                let to = Tangent { mean: Some(view_mut(&mut u)), variance: Some(view_mut(&mut var)), b: None };
                p.vjp(&mut inference, mean, v, b, mean, to).unwrap()
            })
        });
        let mut block = [0.0; 64];
        let cells: Vec<i64> = (0..8).map(|k| k * side as i64 + k).collect();
        group.bench_function(id("8 x 8 covariances"), |bench| {
            bench.iter(|| {
                let to = ViewMut::new("block", &mut block, &[8, 8]).unwrap();
                p.covariance_block(&mut inference, v, &cells, &cells, to).unwrap()
            })
        });
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
