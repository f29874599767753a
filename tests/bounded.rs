//! The promises of the projection within bounds and sets, over random problems.

#[path = "common/lcg.rs"]
mod lcg;
#[path = "common/refusals.rs"]
mod refusals;
#[path = "common/views.rs"]
mod views;

use lcg::step;
use pcml::constraint::{Bounds, Constraints, Direction, Method, Policy, Prior, Projector, ProjectorOptions, Report};
use pcml::error::{Result, Status};
use pcml::field::{Element, Layout};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use refusals::Refusals;
use views::{view, view_mut};

#[derive(Clone, Debug)]
struct Case {
    rows: Vec<Vec<f64>>,
    mu: Vec<f64>,
    v: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// A state within the bounds, whose sums are the right-hand sides.
    within: Vec<f64>,
    b: Vec<f64>,
}

/// `at_bounds` in [0, 1] of the cells of the hidden state lie at a bound.
fn case(most_cells: usize, most_rows: usize, decades: i32, at_bounds: f64) -> impl Strategy<Value = Case> {
    (1..=most_cells, 1..=most_rows, any::<u64>()).prop_map(move |(n, m, seed)| {
        let mut state = seed | 1;
        let mut random = move || (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64;
        let m = m.min(n);
        let rows: Vec<Vec<f64>> =
            (0..m).map(|k| (0..n).map(|_| if k == 0 { 0.2 + random() } else { random() - 0.4 }).collect()).collect();
        let mu: Vec<f64> = (0..n).map(|_| 3.0 * random() - 1.0).collect();
        let v: Vec<f64> = (0..n).map(|_| 10f64.powf(-random() * decades as f64)).collect();
        let lower: Vec<f64> =
            (0..n).map(|_| if random() < 0.1 { f64::NEG_INFINITY } else { -0.2 * random() }).collect();
        let upper: Vec<f64> = (0..n).map(|_| if random() < 0.1 { f64::INFINITY } else { 0.5 + random() }).collect();
        let within: Vec<f64> = (0..n)
            .map(|i| {
                let (l, h) = (lower[i].max(-1.0), upper[i].min(2.0));
                let x = random();
                if random() < at_bounds { if x < 0.5 { l } else { h } } else { l + x * (h - l) }
            })
            .collect();
        let b = rows.iter().map(|g| residual(g, &within, 0.0).0).collect();
        Case { rows, mu, v, lower, upper, within, b }
    })
}

fn projector(rows: &[Vec<f64>], n: usize, build: impl Fn(&mut Constraints)) -> Projector {
    let mut c = Constraints::new(n).unwrap();
    rows.iter().for_each(|g| c.add_row(view(g), 0.0).unwrap());
    build(&mut c);
    Projector::new(&c, Prior::Diagonal, &ProjectorOptions { held_cells: true, ..Default::default() }).unwrap()
}

fn run<T: Element>(
    p: &Projector,
    mu: &[T],
    v: &[f64],
    b: &[f64],
    bounds: Option<(&[f64], &[f64])>,
) -> Result<(Vec<T>, Report)> {
    let mut u = vec![T::default(); mu.len()];
    let mut report = p.report(1)?;
    let bounds = Bounds { lower: bounds.map(|b| view(b.0)), upper: bounds.map(|b| view(b.1)) };
    p.project_bounded(
        &mut p.bounded(1)?,
        view(mu),
        Some(view(v)),
        view(b),
        bounds,
        view_mut(&mut u),
        Some(&mut report),
    )?;
    Ok((u, report))
}

/// `g u - b` and `sum |g u|`, products split exactly, summed cell by cell.
fn residual(g: &[f64], u: &[f64], b: f64) -> (f64, f64) {
    let (mut high, mut low, mut scale): (f64, f64, f64) = (-b, 0.0, 0.0);
    for (&g, &u) in g.iter().zip(u) {
        let x = g * u;
        for x in [x, g.mul_add(u, -x)] {
            let sum = high + x;
            let (big, small) = if high.abs() >= x.abs() { (high, x) } else { (x, high) };
            low += (big - sum) + small;
            high = sum;
        }
        scale += x.abs();
    }
    (high + low, scale)
}

type Check = std::result::Result<(), TestCaseError>;

fn lawful(c: &Case, u: &[f64], eps: f64) -> Check {
    for (g, &b) in c.rows.iter().zip(&c.b) {
        let (r, scale) = residual(g, u, b);
        prop_assert!(r.abs() <= 4.0 * eps * scale, "{r:e} of {scale:e}");
    }
    for (i, &u) in u.iter().enumerate() {
        prop_assert!(
            u >= c.lower[i] && u <= c.upper[i],
            "cell {i}: {u:e} outside of {:e} to {:e}",
            c.lower[i],
            c.upper[i]
        );
    }
    Ok(())
}

/// What stationarity leaves, of the largest step in the metric: (u - mu) / v + G'lambda pushes outwards at bounds and is 0 elsewhere.
fn stationary(c: &Case, u: &[f64], report: &Report) -> Check {
    if report.slices()[0].unchanged {
        return Ok(());
    }
    let lambda: Vec<f64> = report.rows(0).iter().map(|r| r.multiplier).collect();
    let pull = |i: usize| c.rows.iter().zip(&lambda).map(|(g, l)| g[i] * l).sum::<f64>();
    for i in (0..u.len()).filter(|&i| c.v[i] > 0.0) {
        let size: f64 = c.mu[i].abs()
            + u[i].abs()
            + c.v[i] * c.rows.iter().zip(&lambda).map(|(g, l)| (g[i] * l).abs()).sum::<f64>();
        let push = u[i] - c.mu[i] + c.v[i] * pull(i);
        let slack = 1e-10 * size;
        let held = if u[i] == c.lower[i] {
            push >= -slack
        } else if u[i] == c.upper[i] {
            push <= slack
        } else {
            push.abs() <= slack
        };
        prop_assert!(held, "cell {i}: {push:e} of {size:e}");
    }
    Ok(())
}

#[test]
fn a_workspace_forgets_which_cells_were_at_bounds() {
    let mut laws = Constraints::new(4).unwrap();
    laws.add_row(view(&[1.0, 1.0, 0.0, 0.0]), 0.0).unwrap();
    laws.add_row(view(&[0.0, 0.0, 1.0, 1.0]), 0.0).unwrap();
    let p = Projector::new(&laws, Prior::Identity, &ProjectorOptions::default()).unwrap();
    let mut workspace = p.bounded(1).unwrap();
    let mut project = |mu: &[f64], b: [f64; 2], low: f64, high: f64| {
        let mut u = [0.0; 4];
        let (lower, upper) = ([low; 4], [high; 4]);
        let bounds = Bounds { lower: Some(view(&lower)), upper: Some(view(&upper)) };
        p.project_bounded(&mut workspace, view(mu), None, view(&b), bounds, view_mut(&mut u), None).unwrap();
        u
    };
    assert_eq!(project(&[0.0, 2.0, 3.0, 0.5], [1.5, 1.5], 0.0, 1.0)[1..3], [1.0, 1.0]);
    assert_eq!(project(&[0.0; 4], [2.0; 2], -9.0, 9.0), [1.0; 4]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_row_is_lawful_within_and_nearest(c in case(5000, 1, 4, 0.3)) {
        let p = projector(&c.rows, c.mu.len(), |_| ());
        let (u, report) = run(&p, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        lawful(&c, &u, f64::EPSILON)?;
        stationary(&c, &u, &report)?;
        prop_assert!(report.slices()[0].iterations <= 30, "{}", report.slices()[0].iterations);
        let (again, report) = run(&p, &u, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        prop_assert!(report.slices()[0].unchanged);
        prop_assert_eq!(&again, &u);
        let mu: Vec<f32> = c.mu.iter().map(|&x| x as f32).collect();
        let (u, _) = run(&p, &mu, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        let u: Vec<f64> = u.iter().map(|&x| x as f64).collect();
        lawful(&c, &u, f32::EPSILON as f64)?;
    }

    #[test]
    fn several_rows_are_lawful_within_and_nearest(c in case(600, 5, 2, 0.2)) {
        // Where a single state obeys, at a corner of the bounds, the multipliers lie at infinity.
        let inside = (0..c.mu.len()).filter(|&i| c.within[i] > c.lower[i] && c.within[i] < c.upper[i]).count();
        prop_assume!(inside > 2 * c.rows.len());
        let p = projector(&c.rows, c.mu.len(), |_| ());
        let (u, report) = match run(&p, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))) {
            Ok(done) => done,
            Err(e) => return Err(TestCaseError::fail(e.message().to_owned())),
        };
        lawful(&c, &u, f64::EPSILON)?;
        stationary(&c, &u, &report)?;
        let (again, report) = run(&p, &u, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        prop_assert!(report.slices()[0].unchanged);
        prop_assert_eq!(&again, &u);
        let mu: Vec<f32> = c.mu.iter().map(|&x| x as f32).collect();
        match run(&p, &mu, &c.v, &c.b, Some((&c.lower, &c.upper))) {
            Ok((u, _)) => lawful(&c, &u.iter().map(|&x| x as f64).collect::<Vec<_>>(), f32::EPSILON as f64)?,
            Err(e) => return Err(TestCaseError::fail(e.message().to_owned())),
        }
    }

    #[test]
    fn bits_ignore_strides_batch_and_place(
        c in case(200, 4, 2, 0.2), slices in 1usize..4, gap in 1usize..4, reverse in any::<bool>(), shared in any::<bool>(),
    ) {
        let inside = (0..c.mu.len()).filter(|&i| c.within[i] > c.lower[i] && c.within[i] < c.upper[i]).count();
        prop_assume!(inside > 2 * c.rows.len());
        let (n, m) = (c.mu.len(), c.rows.len());
        let p = projector(&c.rows, n, |_| ());
        let step = gap as isize * if reverse { -1 } else { 1 };
        let layout = Layout::new("x", &[slices, n], &[(n * gap) as isize, step]).unwrap();
        let offset = if reverse { (n - 1) * gap } else { 0 };
        let memory = |of: &dyn Fn(usize, usize) -> f64| {
            let mut all = vec![0.0; slices * n * gap];
            let many: Vec<f64> = (0..slices * n).map(|at| of(at / n, at % n)).collect();
            ViewMut::strided("x", &mut all, offset, layout).unwrap().scatter(0, &many);
            all
        };
        // Slices differ in their means; bounds are one for all, or each slice's own.
        let mean_of = |s: usize, i: usize| c.mu[i] + 0.1 * s as f64;
        let (mean, v) = (memory(&mean_of), memory(&|_, i| c.v[i]));
        let (lower, upper) = (memory(&|_, i| c.lower[i]), memory(&|_, i| c.upper[i]));
        let strided = |x| View::strided("x", x, offset, layout).unwrap();
        let bounds = match shared {
            true => Bounds { lower: Some(view(&c.lower)), upper: Some(view(&c.upper)) },
            false => Bounds { lower: Some(strided(&lower)), upper: Some(strided(&upper)) },
        };
        let b: Vec<f64> = (0..slices).flat_map(|_| c.b.clone()).collect();
        let b = View::new("b", &b, &[slices, m]).unwrap();
        let (mut out, mut report) = (mean.clone(), p.report(slices).unwrap());
        let to = ViewMut::strided("out", &mut out, offset, layout).unwrap();
        let mut bounded = p.bounded(slices).unwrap();
        let done = p.project_bounded(&mut bounded, strided(&mean), Some(strided(&v)), b, bounds, to, Some(&mut report));
        done.map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
        let mut found = vec![0.0; slices * n];
        strided(&out).gather(0, &mut found);
        for s in 0..slices {
            let mu: Vec<f64> = (0..n).map(|i| mean_of(s, i)).collect();
            let (alone, told) = run(&p, &mu, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
            prop_assert!(found[s * n..(s + 1) * n].iter().zip(&alone).all(|(a, b)| a.to_bits() == b.to_bits()));
            prop_assert_eq!(report.slices()[s], told.slices()[0]);
            prop_assert_eq!(report.rows(s), told.rows(0));
        }
    }

    /// Variances over 16 decades, rows of scales 10^8 apart, rows that differ in one weight by little: lawful and within, or a status
    /// that says that it did not come to an end.
    #[test]
    fn worst_cases_of_several_rows(
        c in case(120, 4, 16, 0.2), lift in -8i32..=8, near in 1e-8f64..1e-3, at in any::<prop::sample::Index>(),
    ) {
        let mut c = c;
        let mut twin = c.rows[0].clone();
        let cell = at.index(twin.len());
        twin[cell] *= 1.0 + near;
        c.rows.push(twin);
        for (k, row) in c.rows.iter_mut().enumerate() {
            let f = 10f64.powi(if k % 2 == 0 { lift } else { 0 });
            row.iter_mut().for_each(|w| *w *= f);
        }
        c.b = c.rows.iter().map(|g| residual(g, &c.within, 0.0).0).collect();
        let p = projector(&c.rows, c.mu.len(), |_| ());
        // Four of five are refused; the others have to be lawful.
        static SEEN: Refusals = Refusals::new();
        let done = run(&p, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper)));
        SEEN.count(done.is_err(), 0.9).map_err(TestCaseError::fail)?;
        match done {
            Ok((u, report)) => {
                for (k, (g, &b)) in c.rows.iter().zip(&c.b).enumerate() {
                    let (r, scale) = residual(g, &u, b);
                    let row = report.rows(0)[k];
                    let allowed = if row.dropped { row.tolerance } else { 4.0 * f64::EPSILON * scale };
                    prop_assert!(r.abs() <= allowed, "row {k}: {r:e} of {scale:e}");
                }
                for (i, &u) in u.iter().enumerate() {
                    prop_assert!(u >= c.lower[i] && u <= c.upper[i], "cell {i}");
                }
            }
            Err(e) => prop_assert!(
                matches!(e.status(), Status::NotConverged | Status::Singular),
                "{}", e.message()
            ),
        }
    }

    #[test]
    fn spreading_is_lawful_and_within(mut c in case(5000, 1, 1, 0.3)) {
        for i in 0..c.mu.len() {
            c.lower[i] = c.lower[i].max(-1.0);
            c.upper[i] = c.upper[i].min(2.0);
        }
        let p = projector(&c.rows, c.mu.len(), |c| c.set_bounds(Method::Spread, Policy::Refuse));
        let (u, _) = run(&p, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        lawful(&c, &u, f64::EPSILON)?;
        let (again, report) = run(&p, &u, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        prop_assert!(report.slices()[0].unchanged && again == u);
        let mu: Vec<f32> = c.mu.iter().map(|&x| x as f32).collect();
        let (u, _) = run(&p, &mu, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        lawful(&c, &u.iter().map(|&x| x as f64).collect::<Vec<_>>(), f32::EPSILON as f64)?;
    }

    #[test]
    fn listed_rows_do_as_whole_ones(mut c in case(400, 1, 2, 0.3), spread in any::<bool>()) {
        for i in 0..c.mu.len() {
            (c.lower[i], c.upper[i]) = (c.lower[i].max(-1.0), c.upper[i].min(2.0));
            c.rows[0][i] *= if i % 3 == 1 { 0.0 } else if i % 5 == 1 { -1.0 } else { 1.0 };
        }
        c.b[0] = residual(&c.rows[0], &c.within, 0.0).0;
        let cells: Vec<i64> = (0..c.mu.len()).filter(|&i| c.rows[0][i] != 0.0).map(|i| i as i64).rev().collect();
        let weights: Vec<f64> = cells.iter().map(|&i| c.rows[0][i as usize]).collect();
        let method = if spread { Method::Spread } else { Method::Nearest };
        let mut laws = Constraints::new(c.mu.len()).unwrap();
        laws.add_sparse_rows(&[0, cells.len() as i64], &cells, &weights, None).unwrap();
        laws.set_bounds(method, Policy::Refuse);
        let listed = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
        let whole = projector(&c.rows, c.mu.len(), |c| c.set_bounds(method, Policy::Refuse));
        let bounds = Some((&c.lower[..], &c.upper[..]));
        let (u, _) = run(&listed, &c.mu, &c.v, &c.b, bounds).unwrap();
        lawful(&c, &u, f64::EPSILON)?;
        let (other, _) = run(&whole, &c.mu, &c.v, &c.b, bounds).unwrap();
        for (i, (u, other)) in u.iter().zip(&other).enumerate() {
            prop_assert!((u - other).abs() <= 1e-11, "cell {i}: {u:e} and {other:e}");
            prop_assert!(c.rows[0][i] != 0.0 || *u == c.mu[i].clamp(c.lower[i], c.upper[i]));
        }
    }

    #[test]
    fn all_cells_at_bounds_and_one_free(mut c in case(300, 1, 16, 1.0), free in any::<prop::sample::Index>()) {
        for i in 0..c.mu.len() {
            c.lower[i] = c.lower[i].max(-1.0);
            c.upper[i] = c.upper[i].min(2.0);
        }
        let p = projector(&c.rows, c.mu.len(), |_| ());
        let (u, _) = run(&p, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        lawful(&c, &u, f64::EPSILON)?;
        // Every cell at its upper bound: the largest sum there is.
        c.b[0] = residual(&c.rows[0], &c.upper, 0.0).0;
        let (u, _) = run(&p, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        lawful(&c, &u, f64::EPSILON)?;
        // All but one held.
        let free = free.index(c.mu.len());
        let mut v = vec![0.0; c.mu.len()];
        v[free] = c.v[free];
        let mu: Vec<f64> = (0..v.len()).map(|i| if i == free { c.mu[i] } else { c.within[i].clamp(c.lower[i], c.upper[i]) }).collect();
        let moved: f64 = 0.5 * (c.lower[free] + c.upper[free]);
        let target: Vec<f64> = (0..v.len()).map(|i| if i == free { moved } else { mu[i] }).collect();
        c.b[0] = residual(&c.rows[0], &target, 0.0).0;
        let (u, _) = run(&p, &mu, &v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        lawful(&c, &u, f64::EPSILON)?;
        prop_assert!((0..v.len()).all(|i| i == free || u[i] == mu[i]));
    }

    #[test]
    fn what_cannot_be_is_refused_or_relaxed(mut c in case(200, 1, 1, 0.0), beyond in 0.01f64..2.0, high in any::<bool>()) {
        for i in 0..c.mu.len() {
            c.lower[i] = c.lower[i].max(-1.0);
            c.upper[i] = c.upper[i].min(2.0);
        }
        let most: f64 = c.rows[0].iter().zip(if high { &c.upper } else { &c.lower }).map(|(g, u)| g * u).sum();
        c.b[0] = if high { most + beyond } else { most - beyond };
        let with = |policy| projector(&c.rows, c.mu.len(), |c| c.set_bounds(Method::Nearest, policy));
        let e = run(&with(Policy::Refuse), &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))).err().unwrap();
        prop_assert_eq!(e.status(), Status::Infeasible, "{}", e.message());
        let spread = projector(&c.rows, c.mu.len(), |c| c.set_bounds(Method::Spread, Policy::Refuse));
        let e = run(&spread, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))).err().unwrap();
        prop_assert_eq!(e.status(), Status::Infeasible);
        let (u, report) = run(&with(Policy::RelaxLeast), &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))).unwrap();
        let (r, scale) = residual(&c.rows[0], &u, c.b[0]);
        prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale);
        prop_assert!(report.slices()[0].relaxed == u.len() && report.slices()[0].relaxation > 0.0);
        // Every cell passes its bound in proportion to variance times weight: the least in the metric.
        let bound = if high { &c.upper } else { &c.lower };
        let rate = (u[0] - bound[0]) / (c.v[0] * c.rows[0][0]);
        for i in 0..u.len() {
            prop_assert!((u[i] - bound[i] - rate * c.v[i] * c.rows[0][i]).abs() <= 1e-12 * (1.0 + rate.abs()));
        }
        let extremes = run(&with(Policy::RelaxToExtremes), &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper)));
        let (low, top) = (c.lower.iter().fold(9.0, |m: f64, x| m.min(*x)), c.upper.iter().fold(-9.0, |m: f64, x| m.max(*x)));
        let reach: f64 = c.rows[0].iter().map(|g| g * if high { top } else { low }).sum();
        if (high && c.b[0] < reach - 1e-9) || (!high && c.b[0] > reach + 1e-9) {
            let (u, report) = extremes.unwrap();
            let (r, scale) = residual(&c.rows[0], &u, c.b[0]);
            prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale && report.slices()[0].relaxed > 0);
            prop_assert!(u.iter().all(|u| *u >= low && *u <= top));
        } else if (high && c.b[0] > reach + 1e-9) || (!high && c.b[0] < reach - 1e-9) {
            prop_assert_eq!(extremes.err().unwrap().status(), Status::Infeasible);
        }
    }

    #[test]
    fn contradicting_rows_within_bounds_are_infeasible(c in case(60, 3, 1, 0.0), beyond in 0.5f64..2.0) {
        let mut c = c;
        for i in 0..c.mu.len() {
            c.lower[i] = c.lower[i].max(-1.0);
            c.upper[i] = c.upper[i].min(2.0);
        }
        prop_assume!(c.rows.len() > 1);
        // No state reaches the first row's sum, whatever the others ask.
        c.b[0] = c.rows[0].iter().zip(&c.upper).map(|(g, u)| g * u).sum::<f64>() + beyond;
        let p = projector(&c.rows, c.mu.len(), |_| ());
        let e = run(&p, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper))).err().unwrap();
        prop_assert_eq!(e.status(), Status::Infeasible, "{}", e.message());
        // Made to yield, the bounds yield by the least: the distances to them are -v G'lambda, in the limit of stiff bounds.
        let p = projector(&c.rows, c.mu.len(), |c| c.set_bounds(Method::Nearest, Policy::RelaxLeast));
        let (u, report) = run(&p, &c.mu, &c.v, &c.b, Some((&c.lower, &c.upper)))
            .map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
        for (g, &b) in c.rows.iter().zip(&c.b) {
            let (r, scale) = residual(g, &u, b);
            prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale, "{r:e} of {scale:e}");
        }
        let lambda: Vec<f64> = report.rows(0).iter().map(|r| 1e-6 * r.multiplier).collect();
        let (mut relaxed, mut furthest) = (0, 0.0);
        let size: f64 = 1.0 + lambda.iter().map(|l| l.abs()).sum::<f64>();
        for i in 0..u.len() {
            let pull = -c.v[i] * c.rows.iter().zip(&lambda).map(|(g, l)| g[i] * l).sum::<f64>();
            let outside = u[i] - u[i].clamp(c.lower[i], c.upper[i]);
            relaxed += usize::from(outside != 0.0);
            furthest = f64::max(furthest, outside.abs());
            let stationary = if outside != 0.0 {
                (outside - pull).abs() <= 1e-5 * size
            } else {
                // Inside nothing pulls, at a bound only outwards.
                (pull <= 1e-5 * size || u[i] == c.upper[i]) && (pull >= -1e-5 * size || u[i] == c.lower[i])
            };
            prop_assert!(stationary, "cell {i}: {outside:e} outside, pulled {pull:e} of {size:e}");
        }
        prop_assert!(relaxed > 0 && report.slices()[0].relaxed == relaxed);
        prop_assert_eq!(report.slices()[0].relaxation, furthest);
    }

    #[test]
    fn simplices_hold_with_the_masses(components in 2usize..5, points in 1usize..60, total in 0.5f64..2.0, seed in any::<u64>(), narrow in any::<bool>()) {
        let n = components * points;
        let mut state = seed | 1;
        let mut random = move || {
            (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64
        };
        // A lawful state, its component masses, and a prior off it.
        let volume: Vec<f64> = (0..points).map(|_| 0.5 + random()).collect();
        let mut truth = vec![0.0; n];
        for p in 0..points {
            let parts: Vec<f64> = (0..components).map(|_| if random() < 0.3 { 0.0 } else { random() + 1e-3 }).collect();
            let sum: f64 = parts.iter().sum::<f64>().max(1e-9);
            for (c, part) in parts.iter().enumerate() {
                truth[c * points + p] = if sum < 1e-6 { total / components as f64 } else { total * part / sum };
            }
        }
        // The last component's mass follows from the others.
        let rows: Vec<Vec<f64>> = (0..components - 1)
            .map(|c| (0..n).map(|i| if i / points == c { volume[i % points] } else { 0.0 }).collect())
            .collect();
        let b: Vec<f64> = rows.iter().map(|g| g.iter().zip(&truth).map(|(g, u)| g * u).sum()).collect();
        let mu: Vec<f64> = truth.iter().map(|u| u + 0.3 * (random() - 0.5)).collect();
        let v: Vec<f64> = (0..n).map(|_| 0.05 + random()).collect();
        let p = projector(&rows, n, |c| c.add_simplex(0, components, points, total).unwrap());
        let eps = if narrow { f32::EPSILON as f64 } else { f64::EPSILON };
        let u: Vec<f64> = if narrow {
            let mu: Vec<f32> = mu.iter().map(|&x| x as f32).collect();
            let done = run(&p, &mu, &v, &b, None).map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
            done.0.iter().map(|&x| x as f64).collect()
        } else {
            run(&p, &mu, &v, &b, None).map_err(|e| TestCaseError::fail(e.message().to_owned()))?.0
        };
        for (g, b) in rows.iter().zip(&b) {
            let (r, scale) = residual(g, &u, *b);
            prop_assert!(r.abs() <= 4.0 * eps * scale, "{r:e} of {scale:e}");
        }
        for p in 0..points {
            let parts: Vec<f64> = (0..components).map(|c| u[c * points + p]).collect();
            prop_assert!(parts.iter().all(|x| *x >= 0.0));
            let sum: f64 = parts.iter().sum();
            prop_assert!((sum - total).abs() <= 4.0 * eps * total, "{sum} {total}");
        }
        // Nearest: no lawful state is nearer, the truth among them.
        let far = |x: &[f64]| x.iter().zip(&mu).zip(&v).map(|((x, m), v)| (x - m).powi(2) / v).sum::<f64>();
        prop_assert!(far(&u) <= far(&truth) + 1e3 * eps * n as f64, "{} {}", far(&u), far(&truth));
    }

    #[test]
    fn monotone_runs_hold_with_the_mass(n in 2usize..400, seed in any::<u64>(), falling in any::<bool>()) {
        let mut state = seed | 1;
        let mut random = move || {
            (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64
        };
        let sign = if falling { -1.0 } else { 1.0 };
        let mut truth: Vec<f64> = (0..n).map(|_| random()).collect();
        truth.sort_by(|a, b| (sign * a).total_cmp(&(sign * b)));
        let g: Vec<f64> = (0..n).map(|_| 0.5 + random()).collect();
        let b = vec![g.iter().zip(&truth).map(|(g, u)| g * u).sum::<f64>()];
        let mu: Vec<f64> = truth.iter().map(|u| u + 0.2 * (random() - 0.5)).collect();
        let v: Vec<f64> = (0..n).map(|_| 0.05 + random()).collect();
        let direction = if falling { Direction::Decreasing } else { Direction::Increasing };
        let p = projector(std::slice::from_ref(&g), n, |c| c.add_monotone(0, n, direction).unwrap());
        let (u, report) = run(&p, &mu, &v, &b, None).map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
        prop_assert!(u.windows(2).all(|pair| sign * pair[0] <= sign * pair[1]));
        let (r, scale) = residual(&g, &u, b[0]);
        prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale);
        let far = |x: &[f64]| x.iter().zip(&mu).zip(&v).map(|((x, m), v)| (x - m).powi(2) / v).sum::<f64>();
        prop_assert!(far(&u) <= far(&truth) * (1.0 + 1e-9) + 1e-12);
        // Pools: what is left of stationarity sums to 0 over each, in the metric.
        if !report.slices()[0].unchanged {
            let lambda = report.rows(0)[0].multiplier;
            let mut from = 0;
            while from < n {
                let to = (from..n).find(|&k| u[k] != u[from]).unwrap_or(n);
                let push: f64 = (from..to).map(|i| (u[i] - mu[i]) / v[i] + g[i] * lambda).sum();
                let size: f64 = (from..to).map(|i| (u[i].abs() + mu[i].abs()) / v[i] + (g[i] * lambda).abs()).sum();
                prop_assert!(push.abs() <= 1e-10 * size, "{push:e} {size:e}");
                from = to;
            }
        }
        let mu: Vec<f32> = mu.iter().map(|&x| x as f32).collect();
        let (u, _) = run(&p, &mu, &v, &b, None).map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
        prop_assert!(u.windows(2).all(|pair| sign as f32 * pair[0] <= sign as f32 * pair[1]));
    }
}
