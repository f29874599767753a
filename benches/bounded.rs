//! What bounds cost: as passes over memory, against a quadratic program, and with several rows.
//!
//! One pass reads mean, variance, bounds and weights and writes a state, `u = clip(mu - v g lambda)`, once over all cells; it is timed
//! in turn with the projections of one row, a fifth of whose cells end at bounds. The quadratic program is the same problem in
//! Clarabel's interior-point method, setting it up included, whose answer has to agree to 1e-8 of the largest value.

use std::hint::black_box;

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, SupportedConeT, ZeroConeT,
};
use criterion::{BenchmarkId, Criterion, Throughput};
use pcml::constraint::{
    Bounded, Bounds, Constraints, Method, Policy, Posterior, Prior, Projector, ProjectorOptions, SliceReport,
};
use pcml::{View, ViewMut};
use pulp::{Arch, Simd, WithSimd};
use serde_json::json;

#[path = "common/turns.rs"]
mod turns;

fn view(x: &[f64]) -> View<'_> {
    View::new("x", x, &[x.len()]).unwrap()
}

fn view_mut(x: &mut [f64]) -> ViewMut<'_> {
    let n = x.len();
    ViewMut::new("x", x, &[n]).unwrap()
}

struct Case {
    rows: Vec<Vec<f64>>,
    mu: Vec<f64>,
    v: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    b: Vec<f64>,
}

impl Case {
    /// Rows of positive weights; the right-hand sides are those of a state within the bounds, away from the mean.
    fn new(n: usize, m: usize) -> Case {
        let mut state = 7u64;
        let mut random = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let rows: Vec<Vec<f64>> = (0..m).map(|_| (0..n).map(|_| (0.2 + random()) / n as f64).collect()).collect();
        let mu: Vec<f64> = (0..n).map(|_| 0.5 + random()).collect();
        let v = (0..n).map(|_| 0.01 + 0.1 * random()).collect();
        let lower: Vec<f64> = (0..n).map(|_| 0.6 + 0.1 * random()).collect();
        let upper: Vec<f64> = (0..n).map(|_| 1.4 + 0.1 * random()).collect();
        let truth = |i: usize| (1.05 * mu[i] + 0.03).clamp(lower[i], upper[i]);
        let b = rows.iter().map(|g| g.iter().enumerate().map(|(i, g)| g * truth(i)).sum()).collect();
        Case { rows, mu, v, lower, upper, b }
    }

    fn projector(&self, method: Method) -> Projector {
        let mut laws = Constraints::new(self.mu.len()).unwrap();
        self.rows.iter().for_each(|g| laws.add_row(view(g), 0.0).unwrap());
        laws.set_bounds(method, Policy::Refuse);
        Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap()
    }

    fn project(&self, p: &Projector, workspace: &mut Bounded, out: &mut [f64]) {
        let bounds = Bounds { lower: Some(view(&self.lower)), upper: Some(view(&self.upper)) };
        p.project_bounded(workspace, view(&self.mu), Some(view(&self.v)), view(&self.b), bounds, view_mut(out), None)
            .unwrap();
    }

    fn report(&self, p: &Projector, out: &mut [f64]) -> SliceReport {
        let bounds = Bounds { lower: Some(view(&self.lower)), upper: Some(view(&self.upper)) };
        let mut report = p.report(1).unwrap();
        p.project_bounded(
            &mut p.bounded(1).unwrap(),
            view(&self.mu),
            Some(view(&self.v)),
            view(&self.b),
            bounds,
            view_mut(out),
            Some(&mut report),
        )
        .unwrap();
        report.slices()[0]
    }
}

struct Pass<'a> {
    case: &'a Case,
    lambda: f64,
    out: &'a mut [f64],
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Case { rows, mu, v, lower, upper, .. } = self.case;
        let cells = mu.iter().zip(v).zip(&rows[0]).zip(lower).zip(upper);
        for (u, ((((mu, v), g), low), high)) in self.out.iter_mut().zip(cells) {
            let x = mu - v * g * self.lambda;
            let raised = if x > *low { x } else { *low };
            *u = if raised < *high { raised } else { *high };
        }
    }
}

fn one_row(c: &mut Criterion) {
    let n = 1_000_000;
    let case = Case::new(n, 1);
    let arch = Arch::new();
    let mut out = vec![0.0; n];
    let plain = case.projector(Method::Nearest);
    let spread = case.projector(Method::Spread);
    let of = case.report(&plain, &mut out);
    let mut scratch = plain.scratch(1).unwrap();
    let mut workspaces = [plain.bounded(1).unwrap(), spread.bounded(1).unwrap()];
    let times: [Vec<f64>; 4] = turns::turns(turns::rounds(41), |who| match who {
        0 => arch.dispatch(Pass { case: &case, lambda: black_box(3.0), out: &mut out }),
        1 => {
            let to = Posterior { mean: view_mut(&mut out), variance: None };
            plain.project(&mut scratch, view(&case.mu), Some(view(&case.v)), view(&case.b), to, None).unwrap();
        }
        2 => case.project(&plain, &mut workspaces[0], &mut out),
        _ => case.project(&spread, &mut workspaces[1], &mut out),
    });
    let [pass, without, nearest, spread_out] = &times;
    // Mean, variance, bounds and weights read, a state written.
    turns::record("one row, 1000000 cells", "pcml", nearest, json!({"bytes": 48 * n}));
    turns::record_beside("one row, 1000000 cells", "one pass", pass, nearest);
    turns::record_beside("one row, 1000000 cells", "pcml, without bounds", without, nearest);
    turns::record_beside("one row, 1000000 cells", "pcml, clip and spread", spread_out, nearest);
    let passes = |k: usize| turns::median(&turns::ratios(&times[k], pass));
    println!(
        "{n} cells, one row: pass {:.2e} s; in passes: without bounds {:.1}, nearest {:.1} ({} steps, {} repairs, {:.0} % at bounds), spread {:.1}",
        turns::median(pass),
        passes(1),
        passes(2),
        of.iterations,
        of.repairs,
        100.0 * (of.active_lower + of.active_upper) as f64 / n as f64,
        passes(3)
    );
    let mut group = c.benchmark_group("bounded, one row");
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function(BenchmarkId::new("pass", n), |bench| {
        bench.iter(|| arch.dispatch(Pass { case: &case, lambda: black_box(3.0), out: &mut out }))
    });
    group.bench_function(BenchmarkId::new("without bounds", n), |bench| {
        bench.iter(|| {
            let to = Posterior { mean: view_mut(&mut out), variance: None };
            plain.project(&mut scratch, view(&case.mu), Some(view(&case.v)), view(&case.b), to, None).unwrap()
        })
    });
    for (name, p, workspace) in [("nearest", &plain, 0), ("spread", &spread, 1)] {
        group.bench_function(BenchmarkId::new(name, n), |bench| {
            bench.iter(|| case.project(p, &mut workspaces[workspace], &mut out))
        });
    }
    group.finish();
}

/// Of the quadratic program's gap and of its sides.
const TOLERANCE: f64 = 1e-12;

fn quadratic_program(case: &Case) -> Vec<f64> {
    let n = case.mu.len();
    // In u - mu and with weights near 1, so that tolerances are not those of large numbers. Cells close to a bound without quite
    // reaching it come out right to the root of the gap only: it has to be small in itself, not beside the objective.
    let squares = CscMatrix::new(n, n, (0..=n).collect(), (0..n).collect(), case.v.iter().map(|v| 1.0 / v).collect());
    let linear = vec![0.0; n];
    // Of each cell: its weight in the row, its upper bound, its lower bound.
    let places = (0..n).flat_map(|i| [0, 1 + i, 1 + n + i]).collect();
    let values = case.rows[0].iter().flat_map(|&g| [g * n as f64, 1.0, -1.0]).collect();
    let sides = CscMatrix::new(1 + 2 * n, n, (0..=n).map(|i| 3 * i).collect(), places, values);
    let mass: f64 = case.rows[0].iter().zip(&case.mu).map(|(g, mu)| g * mu).sum();
    let room = |bound: f64, mu: f64| bound - mu;
    let above = case.upper.iter().zip(&case.mu).map(|(&high, &mu)| room(high, mu));
    let below = case.lower.iter().zip(&case.mu).map(|(&low, &mu)| -room(low, mu));
    let right: Vec<f64> = std::iter::once((case.b[0] - mass) * n as f64).chain(above).chain(below).collect();
    let cones: [SupportedConeT<f64>; 2] = [ZeroConeT(1), NonnegativeConeT(2 * n)];
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .tol_gap_abs(TOLERANCE)
        .tol_gap_rel(1e-16)
        .tol_feas(TOLERANCE)
        .build()
        .unwrap();
    let mut solver = DefaultSolver::new(&squares, &linear, &sides, &right, &cones, settings).unwrap();
    solver.solve();
    assert_eq!(solver.solution.status, SolverStatus::Solved);
    solver.solution.x.iter().zip(&case.mu).map(|(x, mu)| x + mu).collect()
}

fn against_a_quadratic_program(c: &mut Criterion) {
    let n = 10_000;
    let case = Case::new(n, 1);
    let p = case.projector(Method::Nearest);
    let mut workspace = p.bounded(1).unwrap();
    let mut out = vec![0.0; n];
    let mut other = Vec::new();
    let [theirs, ours] = turns::turns(turns::rounds(11), |who| match who {
        0 => other = quadratic_program(&case),
        _ => case.project(&p, &mut workspace, &mut out),
    });
    let size = out.iter().fold(0.0, |m: f64, u| m.max(u.abs()));
    let off = out.iter().zip(&other).fold(0.0, |m: f64, (u, x)| m.max((u - x).abs())) / size;
    assert!(off <= 1e-8, "the answers differ by {off:e}");
    println!(
        "{n} cells, one row: quadratic program {:.2e} s, projection {:.2e} s, {:.0} times; the answers differ by {off:.1e}",
        turns::median(&theirs),
        turns::median(&ours),
        turns::median(&turns::ratios(&theirs, &ours))
    );
    turns::record("one row, 10000 cells", "pcml", &ours, json!({"bytes": 48 * n}));
    turns::record_beside("one row, 10000 cells", "Clarabel", &theirs, &ours);
    let mut group = c.benchmark_group("bounded, against a quadratic program");
    group.bench_function(BenchmarkId::new("quadratic program", n), |bench| bench.iter(|| quadratic_program(&case)));
    group.bench_function(BenchmarkId::new("projection", n), |bench| {
        bench.iter(|| case.project(&p, &mut workspace, &mut out))
    });
    group.finish();
}

fn several_rows(c: &mut Criterion) {
    let (n, m) = (100_000, 4);
    let case = Case::new(n, m);
    let p = case.projector(Method::Nearest);
    let mut workspace = p.bounded(1).unwrap();
    let mut out = vec![0.0; n];
    let of = case.report(&p, &mut out);
    println!(
        "{n} cells, {m} rows: {} steps, {} repairs, {:.0} % at bounds",
        of.iterations,
        of.repairs,
        100.0 * (of.active_lower + of.active_upper) as f64 / n as f64
    );
    let [ours] = turns::turns(turns::rounds(21), |_| case.project(&p, &mut workspace, &mut out));
    turns::record("4 rows, 100000 cells", "pcml", &ours, json!({"bytes": 8 * n * (5 + m)}));
    let mut group = c.benchmark_group("bounded, several rows");
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function(BenchmarkId::new(format!("{m} rows"), n), |bench| {
        bench.iter(|| case.project(&p, &mut workspace, &mut out))
    });
    group.finish();
}

fn main() {
    let mut criterion = turns::criterion(2);
    one_row(&mut criterion);
    against_a_quadratic_program(&mut criterion);
    several_rows(&mut criterion);
    criterion.final_summary();
}
