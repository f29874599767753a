//! Energy and mass together against the mass alone, whose linear projection is the unit of comparison.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions};
use pcml::{View, ViewMut};

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("nonlinear");
    group.sample_size(10);
    // `cargo test --benches` asks whether the bench runs, not how fast.
    let quick = std::env::args().all(|arg| arg != "--bench");
    for n in if quick { vec![1_000] } else { vec![10_000, 1_000_000] } {
        let u: Vec<f64> = (0..n).map(|i| 1.0 + 0.5 * (i as f64 * 0.37).sin()).collect();
        let v: Vec<f64> = (0..n).map(|i| 0.1 + 0.05 * (i as f64 * 0.11).cos()).collect();
        let g = vec![1.0 / n as f64; n];
        fn view(x: &[f64]) -> View<'_> {
            View::new("x", x, &[x.len()]).unwrap()
        }
        let (b, e) = ([1.01], [1.2]);
        let mut out = vec![0.0; n];
        let mut laws = Constraints::new(n).unwrap();
        laws.add_row(view(&g), 0.0).unwrap();
        let linear = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
        laws.add_energy(view(&g)).unwrap();
        let both = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
        group.throughput(Throughput::Elements(n as u64));
        let mut scratch = linear.scratch(1).unwrap();
        group.bench_function(BenchmarkId::new("mass", n), |bench| {
            bench.iter(|| {
                let to = Posterior { mean: ViewMut::new("u", &mut out, &[n]).unwrap(), variance: None };
                linear.project(&mut scratch, view(&u), Some(view(&v)), view(&b), to, None).unwrap()
            })
        });
        let mut scratch = both.nonlinear_scratch(1).unwrap();
        let mut report = both.report(1).unwrap();
        group.bench_function(BenchmarkId::new("mass and energy", n), |bench| {
            bench.iter(|| {
                let to = ViewMut::new("u", &mut out, &[n]).unwrap();
                let (b, e) = (Some(view(&b)), view(&e));
                both.project_nonlinear(&mut scratch, view(&u), Some(view(&v)), b, e, to, Some(&mut report)).unwrap()
            })
        });
        // None where a filter left this case out.
        if let Some(of) = report.slices().first() {
            println!("{n} cells: {} iterations, {} repairs", of.iterations, of.repairs);
        }
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
