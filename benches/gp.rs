//! Gaussian process: condition on 100 and 1000 points, query 200 targets, their covariance, and a likelihood with its gradient.
//!
//! `benches/peers/gp.py` times scikit-learn on points of the same kind, in turns with ours.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pcml::model::gp::Kernel;
use pcml::{View, ViewMut};

#[path = "../tests/common/gp.rs"]
mod process;

const TARGETS: usize = 200;

fn gp(c: &mut Criterion) {
    for n in [100, 1000] {
        let mut group = c.benchmark_group(n.to_string());
        group.sample_size(20);
        let model = process::model(&process::numbers(Kernel::Matern52, 1.0, &[0.5, 0.5, 0.5], 1e-2), 3, 1);
        let (plan, mut workspace) = process::plan(&model, 1, n, TARGETS);
        let (x, y, t) = (process::uniform(1, 0, 3 * n), process::uniform(1, 1, n), process::uniform(1, 2, 3 * TARGETS));
        let (x, y) = (View::new("x", &x, &[n, 3]).unwrap(), View::new("y", &y, &[n, 1]).unwrap());
        let t = View::new("t", &t, &[TARGETS, 3]).unwrap();
        let (mut mean, mut variance) = (vec![0.0; TARGETS], vec![0.0; TARGETS]);
        let mut covariance = vec![0.0; TARGETS * TARGETS];
        plan.condition(&mut workspace, &x, &y).unwrap();
        group.bench_function("condition", |b| b.iter(|| plan.condition(&mut workspace, &x, &y).unwrap()));
        group.bench_function("variance", |b| {
            b.iter(|| {
                let mut mean = ViewMut::new("mean", &mut mean, &[TARGETS]).unwrap();
                let mut variance = ViewMut::new("variance", &mut variance, &[TARGETS]).unwrap();
                plan.query(&mut workspace, &t, None, &mut mean, Some(&mut variance)).unwrap();
            })
        });
        group.bench_function("covariance", |b| {
            b.iter(|| {
                let mut mean = ViewMut::new("mean", &mut mean, &[TARGETS]).unwrap();
                let mut covariance = ViewMut::new("covariance", &mut covariance, &[TARGETS, TARGETS]).unwrap();
                plan.covariance(&mut workspace, &t, Some(&mut mean), &mut covariance).unwrap();
            })
        });
        group.bench_function("likelihood", |b| {
            let mut gradient = vec![0.0; 5];
            b.iter(|| black_box(model.log_marginal_likelihood(&x, &y, None, Some(&mut gradient)).unwrap()))
        });
        group.finish();
    }
}

criterion_group!(benches, gp);
criterion_main!(benches);
