//! Corrections of face fluxes on a square mesh of quadrilaterals with open boundaries, by both ways to solve: time at 10^5 and 10^6
//! cells, and the power of the cells with which it grows between them. Variances are 1 everywhere, or range over 4 decades.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Throughput};
use pcml::constraint::{FluxBalance, FluxOptions, FluxReport, FluxScratch};
use pcml::{View, ViewMut};
use serde_json::json;

#[path = "common/turns.rs"]
mod turns;

struct Case {
    balance: FluxBalance,
    flux: Vec<f64>,
    variance: Vec<f64>,
    corrected: Vec<f64>,
    planning: Duration,
}

impl Case {
    fn new(side: usize, direct: bool, decades: f64) -> Case {
        let cells = side * side;
        let (mut owner, mut neighbour) = (Vec::new(), Vec::new());
        for c in 0..cells as i64 {
            let (x, y, n) = (c % side as i64, c / side as i64, side as i64);
            let mut face = |to: i64| {
                owner.push(c);
                neighbour.push(to);
            };
            face(if x + 1 < n { c + 1 } else { -1 });
            face(if y + 1 < n { c + n } else { -1 });
            if x == 0 {
                face(-1);
            }
            if y == 0 {
                face(-1);
            }
        }
        let faces = owner.len();
        // A low-discrepancy sequence stands for the surrogate's errors.
        let unit = |f: usize, step: f64| (f as f64 * step).fract();
        let volumes = vec![1.0; cells];
        let start = Instant::now();
        let options = FluxOptions { held_faces: false, direct_cells: Some(if direct { cells } else { 0 }) };
        let volumes = View::new("volumes", &volumes, &[cells]).unwrap();
        let balance = FluxBalance::new(&owner, &neighbour, volumes, &options).unwrap();
        Case {
            balance,
            flux: (0..faces).map(|f| 1.0 + 0.1 * unit(f, 0.618_033_988_749_895)).collect(),
            variance: (0..faces).map(|f| 10f64.powf(decades * (unit(f, 0.754_877_666_246_693) - 0.5))).collect(),
            corrected: vec![0.0; faces],
            planning: start.elapsed(),
        }
    }

    fn run(&mut self, scratch: &mut FluxScratch) -> FluxReport {
        let faces = [self.flux.len()];
        let flux = View::new("fluxes", &self.flux, &faces).unwrap();
        let variance = View::new("variance", &self.variance, &faces).unwrap();
        let corrected = ViewMut::new("corrected", &mut self.corrected, &faces).unwrap();
        self.balance.correct(scratch, flux, Some(variance), None, corrected).unwrap()
    }
}

fn main() {
    let mut criterion = turns::criterion(5);
    let mut group = criterion.benchmark_group("flux");
    for (name, direct) in [("elimination", true), ("conjugate gradients", false)] {
        for decades in [0.0, 4.0] {
            let mut last: Option<(f64, f64)> = None;
            // `cargo test --benches` asks whether the bench runs, not how fast.
            let sides: &[usize] = if turns::is_bench() { &[316, 1000] } else { &[100] };
            for &side in sides {
                let mut case = Case::new(side, direct, decades);
                let mut scratch = case.balance.scratch().unwrap();
                let cells = case.balance.cells();
                group.throughput(Throughput::Elements(cells as u64));
                let id = BenchmarkId::new(format!("{name}, {decades} decades"), cells);
                group.bench_function(id, |bencher| bencher.iter(|| case.run(&mut scratch)));
                let [times] = turns::turns(turns::rounds(5), |_| {
                    case.run(&mut scratch);
                });
                let seconds = turns::median(&times);
                let planned = json!({"note": format!("planned in {:.2} s", case.planning.as_secs_f64())});
                turns::record(&format!("{cells} cells, {name}, {decades} decades"), "pcml", &times, planned);
                let report = case.run(&mut scratch);
                let growth = last.map(|(n, t)| (seconds / t).ln() / (cells as f64 / n).ln());
                println!(
                    "{cells} cells, {name}, {decades} decades: {seconds:.3} s, planning {:.3} s, {} rounds, {} iterations, growth {}",
                    case.planning.as_secs_f64(),
                    report.rounds,
                    report.iterations,
                    growth.map_or("-".into(), |g| format!("{g:.2}"))
                );
                last = Some((cells as f64, seconds));
            }
        }
    }
    group.finish();
    criterion.final_summary();
}
