//! `cargo bench --bench joint`: many rows and other priors, beside what the machine can do.
//!
//! - 10^5 columns of 72 levels with 4 rows each, as slices with the same weights and as one state with weights of its own for each
//!   column, against the traffic of the same arrays (read twice, written once).
//! - Dense prior, 2,000 cells, 50 rows; faer's product of the same size alone: `benches/peers/product`.
//! - Ensemble of 32 samples over 10^6 cells, against reading the samples once a pass.

use std::hint::black_box;
use std::time::Instant;

use criterion::BenchmarkId;
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Scratch};
use pcml::{View, ViewMut};
use serde_json::json;

#[path = "common/turns.rs"]
mod turns;

struct Case {
    name: &'static str,
    projector: Projector,
    slices: usize,
    mean: Vec<f64>,
    data: Vec<f64>,
    b: Vec<f64>,
    posterior_mean: Vec<f64>,
    posterior_variance: Vec<f64>,
}

fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Case {
    fn new(name: &'static str, cells: usize, rows: usize, slices: usize, prior: Prior, size: usize) -> Case {
        let mut random = numbers(7);
        let mut c = Constraints::new(cells).unwrap();
        for _ in 0..rows {
            let g: Vec<f64> = (0..cells).map(|_| 0.5 + random()).collect();
            c.add_row(View::new("weights", &g, &[cells]).unwrap(), 0.0).unwrap();
        }
        Case::with(name, c, slices, prior, size)
    }

    /// A state of columns, each with rows of its own.
    fn state(name: &'static str, columns: usize, levels: usize, rows: usize) -> Case {
        let mut random = numbers(7);
        let mut c = Constraints::new(columns * levels).unwrap();
        let starts: Vec<i64> = (0..=columns * rows).map(|k| (k * levels) as i64).collect();
        let cells: Vec<i64> =
            (0..columns * rows * levels).map(|at| (at / (rows * levels) * levels + at % levels) as i64).collect();
        let weights: Vec<f64> = cells.iter().map(|_| 0.5 + random()).collect();
        c.add_sparse_rows(&starts, &cells, &weights, None).unwrap();
        Case::with(name, c, 1, Prior::Diagonal, 0)
    }

    fn with(name: &'static str, c: Constraints, slices: usize, prior: Prior, size: usize) -> Case {
        let mut random = numbers(8);
        let (cells, rows) = (c.cells(), c.len());
        let start = Instant::now();
        let options = ProjectorOptions { prior_size: size, ..Default::default() };
        let projector = Projector::new(&c, prior, &options).unwrap();
        println!("{name}: planned in {:.3} s", start.elapsed().as_secs_f64());
        let mean: Vec<f64> = (0..cells * slices).map(|_| random()).collect();
        let data = match prior {
            Prior::Dense => {
                let f: Vec<f64> = (0..cells).map(|_| random()).collect();
                (0..cells * cells)
                    .map(|k| f[k / cells] * f[k % cells] + f64::from(u8::from(k / cells == k % cells)))
                    .collect()
            }
            Prior::Ensemble => (0..size * cells).map(|_| random()).collect(),
            _ => (0..cells * slices).map(|_| 0.1 + random()).collect(),
        };
        let reach = if rows > 64 { 72.0 } else { cells as f64 };
        let b = (0..rows * slices).map(|_| reach * (0.5 + 0.1 * random())).collect();
        let posterior_mean = vec![0.0; cells * slices];
        let posterior_variance = vec![0.0; cells * slices];
        Case { name, projector, slices, mean, data, b, posterior_mean, posterior_variance }
    }

    fn run(&mut self, scratch: &mut Scratch) {
        let (cells, rows) = (self.projector.cells(), self.projector.rows());
        let shape = [self.slices, cells];
        let posterior = Posterior {
            mean: ViewMut::new("posterior_mean", &mut self.posterior_mean, &shape).unwrap(),
            variance: Some(ViewMut::new("posterior_variance", &mut self.posterior_variance, &shape).unwrap()),
        };
        let data = View::new("data", &self.data, &[self.data.len() / cells, cells]).unwrap();
        let mean = View::new("mean", &self.mean, &shape).unwrap();
        let b = View::new("b", &self.b, &[self.slices, rows]).unwrap();
        self.projector.project(scratch, mean, Some(data), b, posterior, None).unwrap();
        black_box(&self.posterior_mean);
    }
}

fn main() {
    let mut criterion = turns::criterion(2);
    let mut group = criterion.benchmark_group("joint");
    let quick = !turns::is_bench();
    let columns = if quick { 100 } else { 100_000 };
    let (dense, ensemble) = if quick { (100, 1000) } else { (2000, 1_000_000) };
    for mut case in [
        Case::new("columns", 72, 4, columns, Prior::Diagonal, 0),
        Case::state("state", columns, 72, 4),
        Case::new("dense", dense, 50, 1, Prior::Dense, 0),
        Case::new("ensemble", ensemble, 1, 1, Prior::Ensemble, 32),
    ] {
        if std::env::args()
            .skip(1)
            .any(|a| ["columns", "state", "dense", "ensemble"].contains(&&a[..]) && a != case.name)
        {
            continue;
        }
        let mut scratch = case.projector.scratch(case.slices).unwrap();
        group.bench_function(BenchmarkId::from_parameter(case.name), |bencher| bencher.iter(|| case.run(&mut scratch)));
        let cells = case.projector.cells();
        // What has to pass through memory, in doubles: data read twice and results written, or the samples four times.
        let traffic = match case.name {
            "columns" | "state" => 6 * cells * case.slices,
            "dense" => cells * cells,
            _ => 4 * 32 * cells,
        };
        let x = vec![1.0f64; traffic / 2];
        let mut y = vec![0.0; traffic / 2];
        let [ours, floor] = turns::turns(turns::rounds(11), |who| match who {
            0 => case.run(&mut scratch),
            _ => {
                y.copy_from_slice(&x);
                black_box(&y);
            }
        });
        let (n, m) = (cells as f64, case.projector.rows() as f64);
        let mut work = json!({"bytes": 8 * traffic});
        let [seconds, least] = [&ours, &floor].map(|times| turns::median(times));
        if case.name == "dense" {
            let flops = 2.0 * n * n * m + n * m * m + m * m * m / 3.0 + n * m * m;
            work["flops"] = json!(flops);
            println!("dense: {seconds:.3e} s, {:.1} GFLOP/s", flops / seconds / 1e9);
        } else {
            let over = 1.0 / turns::median(&turns::ratios(&floor, &ours));
            println!("{}: {seconds:.3e} s, traffic floor {least:.3e} s, ratio {over:.2}", case.name);
        }
        turns::record(case.name, "pcml", &ours, work);
        turns::record_beside(case.name, "memory", &floor, &ours);
    }
    group.finish();
    criterion.final_summary();
}
