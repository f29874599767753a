//! A field in parts: the same bits for every partition, lawful, and the same status on all parts. Parts are threads that sum through
//! a shared board.

#[path = "common/board.rs"]
mod board;
#[path = "common/lcg.rs"]
mod lcg;

use board::Board;
use lcg::step;
use pcml::constraint::{
    Bounds, Constraints, PartInput, Posterior, Prior, Projector, ProjectorOptions, RowReport, SliceReport,
};
use pcml::error::{Error, Result, Status};
use pcml::field::Element;
use pcml::reduce::Exact;
use pcml::{View, ViewMut};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Part<T> {
    /// Row after row, 0 where a cell has no weight.
    g: Vec<Vec<f64>>,
    u: Vec<T>,
    v: Vec<T>,
    b: Vec<f64>,
    noise: f64,
    prior: Prior,
    held_cells: bool,
    bounds: Option<(Vec<f64>, Vec<f64>)>,
}

/// What a part has after the call, and how often it called its reduction.
struct Done<T> {
    outcome: Result<(SliceReport, Vec<RowReport>)>,
    mean: Vec<T>,
    variance: Vec<T>,
    calls: usize,
}

/// Marks memory that a failed call must leave alone.
const SENTINEL: f64 = -7.25e7;

fn projector<T>(part: &Part<T>) -> Projector {
    let mut c = Constraints::new(part.u.len()).unwrap();
    for g in &part.g {
        let cells: Vec<i64> = (0..g.len()).filter(|&i| g[i] != 0.0).map(|i| i as i64).collect();
        let weights: Vec<f64> = cells.iter().map(|&i| g[i as usize]).collect();
        match cells.len() {
            0 => c.add_absent_row(part.noise).unwrap(),
            n => c.add_sparse_rows(&[0, n as i64], &cells, &weights, Some(&[part.noise])).unwrap(),
        }
    }
    Projector::new(&c, part.prior, &ProjectorOptions { held_cells: part.held_cells, ..Default::default() }).unwrap()
}

fn run_part<T: Element + From<f32>>(part: &Part<T>, sum: &mut dyn FnMut(&mut [i64]) -> Result<()>) -> Done<T> {
    let n = part.u.len();
    let p = projector(part);
    let (mut work, mut report) = (p.part().unwrap(), p.report(1).unwrap());
    let untouched = T::from(SENTINEL as f32);
    let (mut mean, mut variance) = (vec![untouched; n], vec![untouched; n]);
    let of = |x: &'static str, values| View::new(x, values, &[n]).unwrap();
    let input = PartInput {
        mean: View::new("mean", &part.u, &[n]).unwrap(),
        variance: (part.prior == Prior::Diagonal).then(|| View::new("variance", &part.v, &[n]).unwrap()),
        b: View::new("b", &part.b, &[part.b.len()]).unwrap(),
        bounds: match &part.bounds {
            Some((lower, upper)) => Bounds { lower: Some(of("lower", lower)), upper: Some(of("upper", upper)) },
            None => Bounds { lower: None, upper: None },
        },
    };
    let posterior = Posterior {
        mean: ViewMut::new("posterior_mean", &mut mean, &[n]).unwrap(),
        variance: match part.bounds {
            None => Some(ViewMut::new("posterior_variance", &mut variance, &[n]).unwrap()),
            Some(_) => None,
        },
    };
    let mut calls = 0;
    let outcome = p.project_part(&mut work, &input, posterior, Some(&mut report), &mut |values| {
        calls += 1;
        sum(values)
    });
    let outcome = outcome.map(|()| (report.slices()[0], report.rows(0).to_vec()));
    Done { outcome, mean, variance, calls }
}

fn run<T: Element + From<f32> + Send + Sync>(parts: &[Part<T>]) -> Vec<Done<T>> {
    let board = Board::new(parts.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = parts
            .iter()
            .map(|part| {
                scope.spawn(|| {
                    run_part(part, &mut |values| {
                        board.sum(values);
                        Ok(())
                    })
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

#[derive(Clone, Debug)]
struct Case {
    /// Mean, variance, lower and upper bound.
    cells: Vec<(f64, f64, f64, f64)>,
    g: Vec<Vec<f64>>,
    b: Vec<f64>,
    noise: f64,
    prior: Prior,
    bounded: bool,
    /// The part of each cell, and the order in which a part has its cells.
    split: Vec<(usize, u32)>,
    parts: usize,
}

impl Case {
    fn whole<T: Element>(&self, narrow: impl Fn(f64) -> T) -> Part<T> {
        let bounds = (self.cells.iter().map(|c| c.2).collect(), self.cells.iter().map(|c| c.3).collect());
        Part {
            g: self.g.clone(),
            u: self.cells.iter().map(|c| narrow(c.0)).collect(),
            v: self.cells.iter().map(|c| narrow(c.1)).collect(),
            b: self.b.clone(),
            noise: self.noise,
            prior: self.prior,
            held_cells: false,
            bounds: self.bounded.then_some(bounds),
        }
    }

    /// The cells of every part that has some.
    fn owners(&self) -> Vec<Vec<usize>> {
        let mut owners = vec![Vec::new(); self.parts];
        (0..self.cells.len()).for_each(|i| owners[self.split[i].0 % self.parts].push(i));
        owners.iter_mut().for_each(|cells| cells.sort_by_key(|&i| self.split[i].1));
        owners.retain(|cells| !cells.is_empty());
        owners
    }
}

fn pick<T: Copy>(whole: &Part<T>, cells: &[usize]) -> Part<T> {
    let of = |x: &[f64]| cells.iter().map(|&i| x[i]).collect::<Vec<f64>>();
    Part {
        g: whole.g.iter().map(|g| of(g)).collect(),
        u: cells.iter().map(|&i| whole.u[i]).collect(),
        v: cells.iter().map(|&i| whole.v[i]).collect(),
        bounds: whole.bounds.as_ref().map(|(lower, upper)| (of(lower), of(upper))),
        ..whole.clone()
    }
}

fn case(bounded: bool) -> impl Strategy<Value = Case> {
    let sizes = prop_oneof![4 => 1..200usize, 1 => 500..3000usize];
    (sizes, 1..=5usize, any::<u64>(), 1..=64usize).prop_map(move |(n, m, seed, parts)| {
        let mut state = seed | 1;
        let mut random = move || (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64;
        let m = if bounded { 1 } else { m.min(n) };
        // The first row is everywhere, the others on some of the cells.
        let g: Vec<Vec<f64>> = (0..m)
            .map(|k| {
                (0..n)
                    .map(|i| {
                        if i == k || k == 0 {
                            0.3 + random()
                        } else if random() < 0.4 {
                            random() - 0.5
                        } else {
                            0.0
                        }
                    })
                    .collect()
            })
            .collect();
        let cells: Vec<_> = (0..n)
            .map(|_| {
                let v = (1.0 + 9.0 * random()) * 10f64.powi(-(5.0 * random()) as i32);
                let (low, high) = (-0.3 * random(), 0.5 + random());
                let mean = 4.0 * random() - 1.5;
                (mean, v, low, if random() < 0.1 { f64::INFINITY } else { high })
            })
            .collect();
        // What a state within the bounds has.
        let inside: Vec<f64> = cells.iter().map(|c| c.2 + random() * (c.3.min(2.0) - c.2)).collect();
        let b = g.iter().map(|g| g.iter().zip(&inside).map(|(g, u)| g * u).sum()).collect();
        Case {
            g,
            b,
            noise: if random() < 0.3 { 0.5 * random() } else { 0.0 },
            prior: if random() < 0.5 { Prior::Diagonal } else { Prior::Identity },
            bounded,
            split: (0..n).map(|_| ((random() * 1e6) as usize, (random() * 1e6) as u32)).collect(),
            cells,
            parts,
        }
    })
}

fn amount<T: Copy + Into<f64>>(g: &[f64], u: &[T], b: f64) -> (f64, f64) {
    let (mut amount, mut size) = (Exact::default(), 0.0);
    for (&g, u) in g.iter().zip(u) {
        let u: f64 = (*u).into();
        amount.add_product(g, u);
        size += (g * u).abs();
    }
    amount.add(-b);
    (amount.round(), size)
}

fn check<T>(case: &Case, narrow: impl Fn(f64) -> T) -> std::result::Result<(), TestCaseError>
where
    T: Element + From<f32> + Into<f64> + Send + Sync + std::fmt::Debug,
{
    let bits = |x: &T| -> u64 { (*x).into().to_bits() };
    let whole = case.whole(&narrow);
    let one = run_part(&whole, &mut |_| Ok(()));
    let law = one.outcome.as_ref().map_err(|e| TestCaseError::fail(e.message().to_owned()))?;

    let owners = case.owners();
    let parts: Vec<Part<T>> = owners.iter().map(|cells| pick(&whole, cells)).collect();
    for (done, cells) in run(&parts).iter().zip(&owners) {
        let found = done.outcome.as_ref().map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
        prop_assert_eq!(done.calls, one.calls);
        for (k, &i) in cells.iter().enumerate() {
            prop_assert_eq!(bits(&done.mean[k]), bits(&one.mean[i]));
            prop_assert_eq!(bits(&done.variance[k]), bits(&one.variance[i]));
        }
        prop_assert_eq!(&found.1, &law.1);
        let shared = |r: &SliceReport| (r.correction_norm.to_bits(), r.repairs, r.unchanged, r.iterations);
        prop_assert_eq!(shared(&found.0), shared(&law.0));
    }

    let eps = T::DTYPE.epsilon();
    for (k, g) in whole.g.iter().enumerate() {
        let (left, size) = amount(g, &one.mean, case.b[k]);
        prop_assert_eq!(left.to_bits(), law.1[k].residual_after.to_bits());
        if case.noise == 0.0 {
            prop_assert!(left.abs() <= 4.0 * eps * size * (1.0 + 1e-12) + 1e-40, "{:?}", law);
        }
    }
    if let Some((lower, upper)) = &whole.bounds {
        for ((u, low), high) in one.mean.iter().zip(lower).zip(upper) {
            let u: f64 = (*u).into();
            prop_assert!(u >= *low && u <= *high, "{u:e} is not within {low:e} and {high:e}");
        }
    }
    if case.noise == 0.0 {
        let again = run_part(&Part { u: one.mean.clone(), ..whole.clone() }, &mut |_| Ok(()));
        let second = again.outcome.as_ref().map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
        prop_assert!(second.0.unchanged);
        prop_assert!(again.mean.iter().zip(&one.mean).all(|(a, b)| bits(a) == bits(b)));
    }
    Ok(())
}

/// The largest magnitude in the inverse of S scaled to a unit diagonal: what rounding in a factor of S may be multiplied by.
fn condition(part: &Part<f64>) -> f64 {
    let m = part.g.len();
    let v = |i: usize| if part.prior == Prior::Diagonal { part.v[i] } else { 1.0 };
    let mut s = vec![vec![0.0; 2 * m]; m];
    for (k, row) in s.iter_mut().enumerate() {
        for (l, s) in row[..m].iter_mut().enumerate() {
            *s = (0..part.u.len()).map(|i| part.g[k][i] * v(i) * part.g[l][i]).sum();
        }
        row[k] += part.noise;
        row[m + k] = 1.0;
    }
    let scale: Vec<f64> = (0..m).map(|k| s[k][k].sqrt()).collect();
    for k in 0..m {
        (0..m).for_each(|l| s[k][l] /= scale[k] * scale[l]);
    }
    for k in 0..m {
        let pivot = s[k][k];
        s[k].iter_mut().for_each(|x| *x /= pivot);
        let row = s[k].clone();
        for (_, other) in s.iter_mut().enumerate().filter(|o| o.0 != k) {
            let factor = other[k];
            other.iter_mut().zip(&row).for_each(|(x, y)| *x -= factor * y);
        }
    }
    s.iter().flat_map(|row| &row[m..]).fold(1.0, |most: f64, x| most.max(x.abs()))
}

/// Against the projection of a whole field, whose sums are double-doubles.
fn check_against_whole(case: &Case) -> std::result::Result<(), TestCaseError> {
    let whole = case.whole(|x| x);
    let n = whole.u.len();
    let p = projector(&whole);
    let (mut u, mut var) = (vec![0.0; n], vec![0.0; n]);
    let mut report = p.report(1).unwrap();
    let of = |x: &'static str, values| View::new(x, values, &[n]).unwrap();
    let variance = (case.prior == Prior::Diagonal).then(|| of("v", &whole.v));
    let b = View::new("b", &case.b, &[1, case.b.len()]).unwrap();
    let mean = ViewMut::new("u", &mut u, &[n]).unwrap();
    let outcome = if let Some((lower, upper)) = &whole.bounds {
        let bounds = Bounds { lower: Some(of("lower", lower)), upper: Some(of("upper", upper)) };
        let mut bounded = p.bounded(1).unwrap();
        p.project_bounded(&mut bounded, of("mean", &whole.u), variance, b, bounds, mean, Some(&mut report))
    } else {
        let posterior = Posterior { mean, variance: Some(ViewMut::new("var", &mut var, &[n]).unwrap()) };
        p.project(&mut p.scratch(1).unwrap(), of("mean", &whole.u), variance, b, posterior, Some(&mut report))
    };
    let one = run_part(&whole, &mut |_| Ok(()));
    outcome.map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
    one.outcome.map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
    let law = report.slices()[0];
    let slack = 1e-12 * condition(&whole);
    for (cell, (a, b)) in one.mean.iter().zip(&u).enumerate() {
        prop_assert!((a - b).abs() <= slack * (b.abs() + law.largest_correction), "cell {cell}: {a:e}, {b:e}");
    }
    if whole.bounds.is_none() {
        for ((a, b), v) in one.variance.iter().zip(&var).zip(&whole.v) {
            let v = if case.prior == Prior::Diagonal { *v } else { 1.0 };
            prop_assert!((a - b).abs() <= slack * v && *a <= v, "{a:e}, {b:e}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_partition_gives_the_bits_of_one_part(case in case(false)) {
        check::<f64>(&case, |x| x)?;
        check::<f32>(&case, |x| x as f32)?;
        check_against_whole(&case)?;
    }

    #[test]
    fn any_partition_gives_the_bits_of_one_part_within_bounds(case in case(true)) {
        check::<f64>(&case, |x| x)?;
        check::<f32>(&case, |x| x as f32)?;
        check_against_whole(&case)?;
    }
}

/// Variances over 16 decades, rows of scales 10^8 apart, rows that differ in one weight by little, one free cell: lawful, or a status that
/// says why not, and either way the same on all parts.
#[test]
fn worst_cases_end_alike_on_all_parts() {
    let mut lawful = 0;
    for seed in 0..200usize {
        let mut state = (seed as u64).wrapping_mul(0x9E3779B97F4A7C15) | 1;
        let mut random = move || (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64;
        let n = 60;
        let mut g: Vec<Vec<f64>> = (0..3).map(|_| (0..n).map(|_| random() - 0.3).collect()).collect();
        let mut twin = g[0].clone();
        twin[seed % n] *= 1.0 + 10f64.powf(-8.0 * random());
        g.push(twin);
        g.iter_mut().enumerate().for_each(|(k, row)| row.iter_mut().for_each(|w| *w *= [1.0, 1e8][k % 2]));
        let near: Vec<f64> = (0..n).map(|_| random()).collect();
        let one_free = seed % 3 == 0;
        let mut whole = Part {
            b: g.iter().map(|g| amount(g, &near, 0.0).0).collect(),
            g,
            u: near.iter().map(|u| u + 0.1 * random()).collect(),
            v: (0..n).map(|_| 10f64.powf(-16.0 * random())).collect(),
            noise: 0.0,
            prior: Prior::Diagonal,
            held_cells: one_free,
            bounds: None,
        };
        if one_free {
            // One row, one cell that may move.
            (whole.g, whole.b) = (vec![whole.g[0].clone()], vec![whole.b[0]]);
            whole.v.iter_mut().enumerate().for_each(|(i, v)| *v = if i == seed % n { *v } else { 0.0 });
        }
        let one = run_part(&whole, &mut |_| Ok(()));
        let owners: Vec<Vec<usize>> = (0..7).map(|k| (0..n).filter(|i| i * 31 % 7 == k).collect()).collect();
        let parts: Vec<_> = owners.iter().map(|cells| pick(&whole, cells)).collect();
        for (done, cells) in run(&parts).iter().zip(&owners) {
            match (&one.outcome, &done.outcome) {
                (Ok(a), Ok(b)) => assert_eq!(a.1, b.1),
                (Err(a), Err(b)) => assert_eq!(a.status(), b.status()),
                (a, b) => panic!("seed {seed}: {a:?} in one part, {b:?} in seven"),
            }
            assert!(cells.iter().zip(&done.mean).all(|(&i, u)| u.to_bits() == one.mean[i].to_bits()), "seed {seed}");
        }
        match one.outcome {
            Ok((_, rows)) => {
                lawful += 1;
                for (k, g) in whole.g.iter().enumerate() {
                    let (left, size) = amount(g, &one.mean, whole.b[k]);
                    let allowed = if rows[k].dropped { rows[k].tolerance } else { 4.0 * f64::EPSILON * size };
                    assert!(left.abs() <= allowed, "seed {seed}, row {k}: {left:e} of {size:e}");
                }
            }
            Err(e) => assert!(
                matches!(e.status(), Status::NotConverged | Status::Singular | Status::Contradiction),
                "seed {seed}: {e}"
            ),
        }
    }
    assert!(lawful >= 100, "{lawful} of 200");
}

/// 40 cells on four parts, one of which is spoiled.
fn spoiled(spoil: impl FnOnce(&mut [Part<f64>])) -> Vec<Done<f64>> {
    let part = |k: usize| Part {
        g: vec![vec![1.0; 10]],
        u: (0..10).map(|i| (i + k) as f64).collect(),
        v: vec![0.5; 10],
        b: vec![7.0],
        noise: 0.0,
        prior: Prior::Diagonal,
        held_cells: false,
        bounds: None,
    };
    let mut parts: Vec<Part<f64>> = (0..4).map(part).collect();
    spoil(&mut parts);
    run(&parts)
}

#[track_caller]
fn refused(done: &[Done<f64>], status: Status, calls: usize) {
    for (k, part) in done.iter().enumerate() {
        let error = part.outcome.as_ref().expect_err("a refusal");
        assert_eq!(error.status(), status, "part {k}: {error}");
        assert_eq!(part.calls, calls, "part {k}: {error}");
        assert!(part.mean.iter().chain(&part.variance).all(|&x| x == SENTINEL), "part {k} was written");
    }
}

fn text(done: &Done<f64>) -> &str {
    done.outcome.as_ref().expect_err("a refusal").message()
}

fn all(parts: &mut [Part<f64>], change: impl Fn(&mut Part<f64>)) {
    parts.iter_mut().for_each(change);
}

#[test]
fn one_bad_part_is_refused_by_all() {
    assert!(spoiled(|_| {}).iter().all(|done| done.outcome.is_ok() && done.calls == 3));
    for bad in [f64::NAN, f64::INFINITY] {
        let done = spoiled(|parts| parts[2].u[3] = bad);
        refused(&done, Status::NonFinite, 1);
        assert!(text(&done[2]).contains("cell 3") && text(&done[0]).contains("another part"));
        refused(&spoiled(|parts| parts[0].v[9] = bad), Status::NonFinite, 1);
    }
    let done = spoiled(|parts| parts[1].v[4] = -0.5);
    refused(&done, Status::Variance, 1);
    assert!(text(&done[1]).contains("cell 4 is -5e-1"), "{}", text(&done[1]));
    refused(&spoiled(|parts| parts[1].v[4] = 0.0), Status::Variance, 1);
    // Of several errors all parts return the one with the least number.
    let both = |parts: &mut [Part<f64>]| (parts[0].v[1], parts[3].u[1]) = (-1.0, f64::NAN);
    refused(&spoiled(both), Status::NonFinite, 1);
    refused(&spoiled(|parts| parts[3].b[0] = f64::NAN), Status::NonFinite, 1);
    refused(&spoiled(|parts| parts[3].prior = Prior::Identity), Status::Mismatch, 1);
    refused(&spoiled(|parts| parts[2].b[0] = 7.0 + 1e-15), Status::Mismatch, 1);
    refused(&spoiled(|parts| parts[0].noise = 1.0), Status::Mismatch, 1);
    refused(&spoiled(|parts| parts[0].bounds = Some((vec![0.0; 10], vec![1.0; 10]))), Status::Mismatch, 1);
    let crossed = |parts: &mut [Part<f64>]| {
        all(parts, |p| p.bounds = Some((vec![0.0; 10], vec![1.0; 10])));
        parts[1].bounds.as_mut().unwrap().0[3] = 2.0;
    };
    let done = spoiled(crossed);
    refused(&done, Status::InvalidArgument, 1);
    assert!(text(&done[1]).contains("cell 3"), "{}", text(&done[1]));
}

#[test]
fn what_only_the_sum_shows_is_refused_by_all() {
    let held = |parts: &mut [Part<f64>]| all(parts, |p| (p.held_cells, p.v) = (true, vec![0.0; 10]));
    refused(&spoiled(held), Status::Singular, 2);
    refused(&spoiled(|parts| all(parts, |p| p.u[0] = 1.5e308)), Status::NonFinite, 2);
    refused(&spoiled(|parts| all(parts, |p| p.v[0] = 1e308)), Status::NonFinite, 2);
    // One part's cells overflow after the correction.
    let overflow = |parts: &mut [Part<f64>]| all(parts, |p| (p.b, p.g) = (vec![1.7e308], vec![vec![1e-3; 10]]));
    refused(&spoiled(overflow), Status::NonFinite, 3);
    let infeasible = |parts: &mut [Part<f64>]| all(parts, |p| p.bounds = Some((vec![1.0; 10], vec![2.0; 10])));
    refused(&spoiled(infeasible), Status::Infeasible, 2);
    // Two equal rows that want different sums.
    let contradictory = |parts: &mut [Part<f64>]| all(parts, |p| (p.g, p.b) = (vec![vec![1.0; 10]; 2], vec![7.0, 8.0]));
    let done = spoiled(contradictory);
    refused(&done, Status::Contradiction, 3);
    assert!(text(&done[0]).contains("row 1"), "{}", text(&done[0]));
    let dependent = |parts: &mut [Part<f64>]| all(parts, |p| (p.g, p.b) = (vec![vec![1.0; 10]; 2], vec![7.0, 7.0]));
    assert!(spoiled(dependent).iter().all(|done| done.outcome.as_ref().unwrap().1[1].dropped));
}

#[test]
fn a_part_without_weights_changes_nothing() {
    let plain = spoiled(|_| {});
    let mut parts: Vec<Part<f64>> = (0..4)
        .map(|k| Part {
            g: vec![vec![1.0; 10]],
            u: (0..10).map(|i| (i + k) as f64).collect(),
            v: vec![0.5; 10],
            b: vec![7.0],
            noise: 0.0,
            prior: Prior::Diagonal,
            held_cells: false,
            bounds: None,
        })
        .collect();
    parts.push(Part { g: vec![vec![0.0]], u: vec![3.0], v: vec![2.0], ..parts[0].clone() });
    let more = run(&parts);
    for (a, b) in plain.iter().zip(&more) {
        assert_eq!((&a.mean, &a.variance), (&b.mean, &b.variance));
    }
    assert_eq!((more[4].mean[0], more[4].variance[0]), (3.0, 2.0));
}

#[test]
fn repairs_are_the_same_for_every_partition() {
    // A correction far larger than the result leaves roundings that take a second step.
    let mut repairs = 0;
    for seed in 0..40 {
        let x = |i: usize| ((i * 7919 + seed * 104729) % 1009) as f64 / 1009.0;
        let case = Case {
            g: vec![(0..900).map(|i| 0.5 + x(i)).collect()],
            cells: (0..900).map(|i| (1e12 * (1.0 + x(i)), 0.1 + (1.0 - x(i)) * 0.01, 0.0, 0.0)).collect(),
            b: vec![1e-6 * (seed + 1) as f64],
            noise: 0.0,
            prior: Prior::Diagonal,
            bounded: false,
            split: (0..900).map(|i| ((i * 31 + seed) % 64, (i * 2654435761 % 997) as u32)).collect(),
            parts: 1 + seed,
        };
        check::<f64>(&case, |x| x).unwrap();
        check::<f32>(&case, |x| x as f32).unwrap();
        repairs += run_part(&case.whole(|x| x), &mut |_| Ok(())).outcome.unwrap().0.repairs;
    }
    assert!(repairs > 0);
}

#[test]
fn a_failing_reduction_leaves_the_outputs_alone() {
    let part = Part {
        g: vec![vec![1.0; 4]],
        u: vec![1.0; 4],
        v: vec![1.0; 4],
        b: vec![5.0],
        noise: 0.0,
        prior: Prior::Diagonal,
        held_cells: false,
        bounds: None,
    };
    for last in 1..=3 {
        let mut calls = 0;
        let done = run_part(&part, &mut |_| {
            calls += 1;
            if calls == last { Err(Error::new(Status::Io, "the cable is out")) } else { Ok(()) }
        });
        refused(std::slice::from_ref(&done), Status::Reduction, last);
        assert!(text(&done).contains("the cable is out"));
    }
    for nonsense in [0, -1, i64::MAX, i64::MIN] {
        let done = run_part(&part, &mut |values| {
            values.fill(nonsense);
            Ok(())
        });
        refused(&[done], Status::Reduction, 1);
    }
}

#[test]
fn a_row_that_is_absent_needs_parts() {
    let mut c = Constraints::new(2).unwrap();
    c.add_absent_row(0.0).unwrap();
    let p = Projector::new(&c, Prior::Identity, &ProjectorOptions::default()).unwrap();
    let mut u = [SENTINEL; 2];
    let to = Posterior { mean: ViewMut::new("u", &mut u, &[2]).unwrap(), variance: None };
    let (mean, b) = ([1.0; 2], [1.0]);
    let (mean, b) = (View::new("mean", &mean, &[2]).unwrap(), View::new("b", &b, &[1]).unwrap());
    let error = p.project(&mut p.scratch(1).unwrap(), mean, None, b, to, None).unwrap_err();
    assert_eq!((error.status(), u), (Status::State, [SENTINEL; 2]));
    for error in [p.bounded(1).err(), p.inference(0).err()] {
        assert_eq!(error.unwrap().status(), Status::State);
    }
}

#[test]
fn a_conversation_out_of_turn_is_refused() {
    let part = pick(&case_of_four(), &[0, 1, 2, 3]);
    let p = projector(&part);
    let mut work = p.part().unwrap();
    let input = PartInput {
        mean: View::new("mean", &part.u, &[4]).unwrap(),
        variance: None,
        b: View::new("b", &part.b, &[1]).unwrap(),
        bounds: Bounds { lower: None, upper: None },
    };
    let mut u = [SENTINEL; 4];
    let mut posterior = Posterior { mean: ViewMut::new("u", &mut u, &[4]).unwrap(), variance: None };
    let error = p.continue_part(&mut work, &input, &mut posterior, None).unwrap_err();
    assert_eq!(error.status(), Status::State);
    p.begin_part(&mut work, &input, &posterior, None).unwrap();
    p.continue_part(&mut work, &input, &mut posterior, None).unwrap();
    let shorter = PartInput { mean: View::new("mean", &part.u[..3], &[3]).unwrap(), ..input };
    let error = p.continue_part(&mut work, &shorter, &mut posterior, None).unwrap_err();
    assert_eq!(error.status(), Status::Shape);
    let error = p.continue_part(&mut work, &input, &mut posterior, None).unwrap_err();
    assert_eq!(error.status(), Status::State);
    assert_eq!(u, [SENTINEL; 4]);
}

#[test]
fn a_call_depends_on_no_call_before() {
    let mut part = pick(&case_of_four(), &[0, 1, 2, 3]);
    (part.prior, part.held_cells) = (Prior::Diagonal, true);
    let p = projector(&part);
    let call = |work: &mut pcml::constraint::Part, v: [f64; 4], b: f64| {
        let (mut u, b) = ([SENTINEL; 4], [b]);
        let input = PartInput {
            mean: View::new("mean", &part.u, &[4]).unwrap(),
            variance: Some(View::new("variance", &v, &[4]).unwrap()),
            b: View::new("b", &b, &[1]).unwrap(),
            bounds: Bounds { lower: None, upper: None },
        };
        let posterior = Posterior { mean: ViewMut::new("u", &mut u, &[4]).unwrap(), variance: None };
        p.project_part(work, &input, posterior, None, &mut |_| Ok(())).unwrap();
        u
    };
    let mut kept = p.part().unwrap();
    // All is held, so that the row takes no part.
    assert_eq!(call(&mut kept, [0.0; 4], 10.0)[..], part.u[..]);
    let b = 10.0 + 5e-13;
    let u = call(&mut kept, [1.0; 4], b);
    assert_eq!(u, call(&mut p.part().unwrap(), [1.0; 4], b));
    assert!((u.iter().sum::<f64>() - b).abs() <= 4.0 * f64::EPSILON * 10.0, "{u:?}");
}

#[test]
fn a_held_cell_is_within_its_bounds_as_it_is_stored() {
    let mut part = pick(&case_of_four(), &[0, 1, 2, 3]);
    (part.prior, part.held_cells) = (Prior::Diagonal, true);
    let p = projector(&part);
    let (mean, v) = ([0.1, 2.0, 3.0, 4.0], [0.0, 1.0, 1.0, 1.0]);
    // 0.1 in f32 is above 0.1.
    let run = |upper: f64| {
        let (lower, upper) = ([0.0; 4], [upper, 9.0, 9.0, 9.0]);
        let of = |x: &'static str, values| View::new(x, values, &[4]).unwrap();
        let input = PartInput {
            mean: of("mean", &mean),
            variance: Some(of("variance", &v)),
            b: View::new("b", &[8.0], &[1]).unwrap(),
            bounds: Bounds { lower: Some(of("lower", &lower)), upper: Some(of("upper", &upper)) },
        };
        let mut u = [0f32; 4];
        let posterior = Posterior { mean: ViewMut::new("u", &mut u, &[4]).unwrap(), variance: None };
        p.project_part(&mut p.part().unwrap(), &input, posterior, None, &mut |_| Ok(())).map(|()| u[0])
    };
    assert_eq!(run(0.1).unwrap_err().status(), Status::Infeasible);
    assert_eq!(run(0.1f32 as f64).unwrap(), 0.1f32);
}

fn case_of_four() -> Part<f64> {
    Part {
        g: vec![vec![1.0; 4]],
        u: vec![1.0, 2.0, 3.0, 4.0],
        v: vec![1.0; 4],
        b: vec![5.0],
        noise: 0.0,
        prior: Prior::Identity,
        held_cells: false,
        bounds: None,
    }
}
