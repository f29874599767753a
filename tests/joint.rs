//! The promises of the projection on many rows, in every prior, over random problems.

#[path = "common/lcg.rs"]
mod lcg;
#[path = "common/refusals.rs"]
mod refusals;
#[path = "common/views.rs"]
mod views;

use lcg::step;
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Report};
use pcml::error::{Result, Status};
use pcml::field::{Element, Layout};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use refusals::Refusals;
use views::{view, view_mut};

/// A row by cells and weights, with its noise variance.
#[derive(Clone, Debug)]
struct Row {
    cells: Vec<usize>,
    weights: Vec<f64>,
    noise: f64,
}

impl Row {
    fn dense(&self, n: usize) -> Vec<f64> {
        let mut g = vec![0.0; n];
        self.cells.iter().zip(&self.weights).for_each(|(&i, &w)| g[i] = w);
        g
    }

    /// `g u - b` and `sum |g u|`, the sum in twice the precision.
    fn residual(&self, u: &[f64], b: f64) -> (f64, f64) {
        let (mut high, mut low, mut scale) = (-b, 0.0, 0.0);
        for (&i, &g) in self.cells.iter().zip(&self.weights) {
            let x = g * u[i];
            let x_error = g.mul_add(u[i], -x);
            for x in [x, x_error] {
                let sum: f64 = high + x;
                let (big, small) = if f64::abs(high) >= x.abs() { (high, x) } else { (x, high) };
                low += (big - sum) + small;
                high = sum;
            }
            scale += x.abs();
        }
        (high + low, scale)
    }
}

fn constraints(n: usize, rows: &[Row]) -> Constraints {
    let mut c = Constraints::new(n).unwrap();
    for row in rows {
        let cells: Vec<i64> = row.cells.iter().map(|&i| i as i64).collect();
        c.add_sparse_rows(&[0, cells.len() as i64], &cells, &row.weights, Some(&[row.noise])).unwrap();
    }
    c
}

#[derive(Clone, Debug)]
struct Case {
    n: usize,
    rows: Vec<Row>,
    u: Vec<f64>,
    v: Vec<f64>,
    b: Vec<f64>,
}

/// Rows on runs and on scattered cells, right-hand sides near or far from the prior's own values.
fn case(most_cells: usize, most_rows: usize, decades: i32, noise: bool) -> impl Strategy<Value = Case> {
    (1..=most_cells, 1..=most_rows).prop_flat_map(move |(n, m)| {
        let row = (0u8..3, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u64>(), -3i32..3);
        let rows = prop::collection::vec(row, m.min(n));
        let cell = (-5.0f64..5.0, 1.0f64..10.0, -decades..=0);
        let off = prop::collection::vec((-1.0f64..1.0, prop_oneof![Just(1e-3), Just(1.0)], any::<u8>()), m.min(n));
        (rows, prop::collection::vec(cell, n), off).prop_map(move |(rows, cells, off)| {
            let rows: Vec<Row> = rows
                .iter()
                .enumerate()
                .map(|(k, (kind, a, b, seed, scale))| {
                    let (a, b) = (a.index(n), b.index(n));
                    let mut cells: Vec<usize> = match kind {
                        0 => (0..n).collect(),
                        1 => (a.min(b)..=a.max(b)).collect(),
                        _ => (0..n).filter(|i| (*i as u64).wrapping_mul(seed | 1) >> 7 & 3 == 0).collect(),
                    };
                    // A cell of its own keeps the row apart from the others.
                    if !cells.contains(&k) {
                        cells.push(k);
                    }
                    // Equal seeds, to which cases shrink, must not give equal rows.
                    let mut state = seed.wrapping_add(k as u64).wrapping_mul(0x9E3779B97F4A7C15) | 1;
                    let weights = cells
                        .iter()
                        .map(|_| {
                            let x = (step(&mut state) >> 40) as f64 / (1u64 << 24) as f64;
                            (0.2 + x) * if state >> 20 & 3 == 0 { -1.0 } else { 1.0 } * 10f64.powi(*scale)
                        })
                        .collect();
                    let noise = if noise && seed % 3 == 0 { 1e-2 * 10f64.powi(2 * scale) } else { 0.0 };
                    Row { cells, weights, noise }
                })
                .collect();
            let u: Vec<f64> = cells.iter().map(|c| c.0).collect();
            let v: Vec<f64> = cells.iter().map(|c| c.1 * 10f64.powi(c.2)).collect();
            let b = rows
                .iter()
                .zip(&off)
                .map(|(row, (x, size, pick))| {
                    let (now, scale) = row.residual(&u, 0.0);
                    if pick % 16 == 0 { 0.0 } else { now + x * size * scale / (1.0 + row.cells.len() as f64).sqrt() }
                })
                .collect();
            Case { n, rows, u, v, b }
        })
    })
}

struct Done<T> {
    mean: Vec<T>,
    variance: Vec<T>,
    report: Report,
}

fn run<T: Element>(p: &Projector, u: &[T], data: Option<View>, b: &[f64]) -> Result<Done<T>> {
    let (mut mean, mut variance) = (vec![T::default(); u.len()], vec![T::default(); u.len()]);
    let mut report = p.report(1)?;
    let posterior = Posterior { mean: view_mut(&mut mean), variance: Some(view_mut(&mut variance)) };
    p.project(&mut p.scratch(1)?, view(u), data, view(b), posterior, Some(&mut report))?;
    Ok(Done { mean, variance, report })
}

fn projector(c: &Constraints, prior: Prior, size: usize) -> Projector {
    Projector::new(c, prior, &ProjectorOptions { prior_size: size, smoothing: 0.9, ..Default::default() }).unwrap()
}

type Matrix = Vec<Vec<f64>>;

fn zeros(n: usize, m: usize) -> Matrix {
    vec![vec![0.0; m]; n]
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let mut c = zeros(a.len(), b[0].len());
    for i in 0..a.len() {
        for (k, row) in b.iter().enumerate() {
            for (j, x) in row.iter().enumerate() {
                c[i][j] += a[i][k] * x;
            }
        }
    }
    c
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

/// Gauss with full row pivoting, refined once.
fn inverse(a: &Matrix) -> Matrix {
    let n = a.len();
    let mut work: Matrix = a
        .iter()
        .enumerate()
        .map(|(i, r)| [&r[..], &(0..n).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>()].concat())
        .collect();
    for k in 0..n {
        let p = (k..n).max_by(|&p, &q| work[p][k].abs().total_cmp(&work[q][k].abs())).unwrap();
        work.swap(k, p);
        let pivot = work[k][k];
        work[k].iter_mut().for_each(|x| *x /= pivot);
        for i in (0..n).filter(|i| *i != k) {
            let f = work[i][k];
            let row = work[k].clone();
            work[i].iter_mut().zip(row).for_each(|(x, y)| *x -= f * y);
        }
    }
    work.iter().map(|r| r[n..].to_vec()).collect()
}

/// `mean`, `cov`, and `S`: K = Sigma G' S^-1 by matrices.
fn textbook(sigma: &Matrix, rows: &[Row], u: &[f64], b: &[f64]) -> (Vec<f64>, Matrix, Matrix) {
    let n = u.len();
    let g: Matrix = rows.iter().map(|r| r.dense(n)).collect();
    let sg = product(sigma, &transposed(&g));
    let mut s = product(&g, &sg);
    rows.iter().enumerate().for_each(|(k, r)| s[k][k] += r.noise);
    let k = product(&sg, &inverse(&s));
    let r: Matrix = rows.iter().zip(b).map(|(row, &b)| vec![row.residual(u, b).0]).collect();
    let step = product(&k, &r);
    let taken = product(&k, &transposed(&sg));
    let mean = u.iter().zip(&step).map(|(u, s)| u - s[0]).collect();
    let cov = sigma.iter().zip(&taken).map(|(s, t)| s.iter().zip(t).map(|(a, b)| a - b).collect()).collect();
    (mean, cov, s)
}

/// Prior data of each kind, with the covariance that it stands for and the mean that it starts from.
fn prior_data(prior: Prior, n: usize, v: &[f64], u: &[f64], seed: u64) -> (usize, Vec<f64>, Matrix, Vec<f64>) {
    let mut state = seed | 1;
    let mut random = move || (step(&mut state) >> 40) as f64 / (1u64 << 24) as f64 - 0.5;
    let diagonal =
        |v: &[f64]| -> Matrix { (0..n).map(|i| (0..n).map(|j| if i == j { v[i] } else { 0.0 }).collect()).collect() };
    let w = 2.min(n - 1);
    let band = |a: &Matrix| -> Vec<f64> {
        (0..=w)
            .flat_map(|d| (0..n).map(move |i| (d, i)))
            .map(|(d, i)| if i + d < n { a[i][i + d] } else { f64::NAN })
            .collect()
    };
    let mut banded = || {
        let mut a = diagonal(v);
        for i in 0..n {
            for j in i + 1..n.min(i + 1 + w) {
                a[i][j] = random() * 0.4 * (v[i] * v[j]).sqrt();
                a[j][i] = a[i][j];
            }
        }
        a
    };
    match prior {
        Prior::Identity => (0, vec![], diagonal(&vec![1.0; n]), u.to_vec()),
        Prior::Diagonal => (0, v.to_vec(), diagonal(v), u.to_vec()),
        Prior::Scalar => (0, vec![v[0]], diagonal(&vec![v[0]; n]), u.to_vec()),
        Prior::CovarianceBand => {
            let a = banded();
            (w, band(&a), a, u.to_vec())
        }
        Prior::PrecisionBand => {
            let a = banded();
            (w, band(&a), inverse(&a), u.to_vec())
        }
        Prior::LowRank => {
            let f: Matrix = (0..3).map(|_| (0..n).map(|i| random() * v[i].sqrt() * 3.0).collect()).collect();
            let mut sigma = diagonal(v);
            for (i, row) in sigma.iter_mut().enumerate() {
                for (j, x) in row.iter_mut().enumerate() {
                    *x += f.iter().map(|f| f[i] * f[j]).sum::<f64>();
                }
            }
            (3, [v.to_vec(), f.concat()].concat(), sigma, u.to_vec())
        }
        Prior::Ensemble => {
            let k = 12;
            let x: Matrix = (0..k).map(|_| (0..n).map(|i| u[i] + random() * v[i].sqrt()).collect()).collect();
            let c: Vec<f64> = (0..n).map(|i| x.iter().map(|x| x[i]).sum::<f64>() / k as f64).collect();
            let mut sigma = zeros(n, n);
            for (i, row) in sigma.iter_mut().enumerate() {
                for (j, s) in row.iter_mut().enumerate() {
                    *s = x.iter().map(|x| (x[i] - c[i]) * (x[j] - c[j])).sum::<f64>() / (k - 1) as f64;
                }
            }
            (k, x.concat(), sigma, u.to_vec())
        }
        Prior::Dense => {
            let f: Matrix = (0..n).map(|_| (0..n).map(|_| random()).collect()).collect();
            let mut sigma = diagonal(v);
            for (i, row) in sigma.iter_mut().enumerate() {
                for (j, x) in row.iter_mut().enumerate() {
                    *x += f.iter().map(|f| f[i.min(j)] * f[i.max(j)]).sum::<f64>() * (v[i] * v[j]).sqrt() / n as f64;
                }
            }
            (0, sigma.concat(), sigma, u.to_vec())
        }
        Prior::Smoothed => {
            let a = 0.9;
            let mut p = diagonal(&v.iter().map(|v| 1.0 / v).collect::<Vec<_>>());
            for i in 0..n - 2 {
                let s: Vec<f64> = v[i..i + 3].iter().map(|v| v.sqrt()).collect();
                let noise = v[i] + 4.0 * v[i + 1] + v[i + 2] - 4.0 * a * s[0] * s[1] + 2.0 * a * a * s[0] * s[2]
                    - 4.0 * a * s[1] * s[2];
                let d = [1.0, -2.0, 1.0];
                for q in 0..3 {
                    for r in 0..3 {
                        p[i + q][i + r] += d[q] * d[r] / noise;
                    }
                }
            }
            let sigma = inverse(&p);
            let scaled: Matrix = u.iter().zip(v).map(|(u, v)| vec![u / v]).collect();
            let mean = product(&sigma, &scaled).into_iter().map(|x| x[0]).collect();
            (0, v.to_vec(), sigma, mean)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_rows_are_lawful_and_idempotent(c in case(5000, 6, 4, true)) {
        let p = projector(&constraints(c.n, &c.rows), Prior::Diagonal, 0);
        let lawful = |mean: &[f64], eps: f64| -> std::result::Result<(), TestCaseError> {
            for (row, &b) in c.rows.iter().zip(&c.b).filter(|(row, _)| row.noise == 0.0) {
                let (r, scale) = row.residual(mean, b);
                prop_assert!(r.abs() <= 4.0 * eps * scale, "{r:e} of {scale:e}");
            }
            Ok(())
        };
        let noisy = c.rows.iter().any(|r| r.noise > 0.0);
        let done = run(&p, &c.u, Some(view(&c.v)), &c.b).unwrap();
        lawful(&done.mean, f64::EPSILON)?;
        for (k, row) in done.report.rows(0).iter().enumerate() {
            let (r, scale) = c.rows[k].residual(&done.mean, c.b[k]);
            prop_assert!((row.residual_after - r).abs() <= 1e-24 * scale);
            prop_assert!(row.residual_after.abs() <= row.tolerance);
        }
        for (after, before) in done.variance.iter().zip(&c.v) {
            prop_assert!(*after <= *before && *after >= 0.0);
        }
        if !noisy {
            let again = run(&p, &done.mean, Some(view(&c.v)), &c.b).unwrap();
            prop_assert!(again.report.slices()[0].unchanged);
            for (a, b) in again.mean.iter().zip(&done.mean) {
                prop_assert_eq!(a.to_bits(), b.to_bits());
            }
        }
        let (u, v): (Vec<f32>, Vec<f32>) = (c.u.iter().map(|&x| x as f32).collect(), c.v.iter().map(|&x| x as f32).collect());
        let done = run(&p, &u, Some(view(&v)), &c.b).unwrap();
        lawful(&done.mean.iter().map(|&x| x as f64).collect::<Vec<_>>(), f32::EPSILON as f64)?;
        for (after, before) in done.variance.iter().zip(&v) {
            prop_assert!(*after <= *before && *after >= 0.0);
        }
    }

    #[test]
    fn every_prior_follows_the_textbook(c in case(40, 5, 1, true), seed in any::<u64>()) {
        for &prior in Prior::all() {
            if prior == Prior::Smoothed && c.n < 3 || (prior == Prior::Ensemble && c.rows.len() > 4) {
                continue;
            }
            let (size, data, sigma, start) = prior_data(prior, c.n, &c.v, &c.u, seed);
            let p = projector(&constraints(c.n, &c.rows), prior, size);
            let prior_view = (!data.is_empty()).then(|| view(&data));
            let done = run(&p, &c.u, prior_view, &c.b).unwrap();
            let (mean, cov, s) = textbook(&sigma, &c.rows, &start, &c.b);
            // The textbook solves with S itself: its own error grows with the condition of S.
            let scaled: Matrix = s.iter().enumerate()
                .map(|(i, r)| r.iter().enumerate().map(|(j, x)| x / (s[i][i] * s[j][j]).sqrt()).collect())
                .collect();
            let condition = inverse(&scaled).iter().flatten().fold(1f64, |m, x| m.max(x.abs()));
            let slack = 1e-11 * condition.clamp(1.0, 1e4);
            if condition > 1e4 {
                continue;
            }
            let size = mean.iter().chain(&start).fold(0f64, |m, x| m.max(x.abs()));
            let mut covariance = vec![0f64; c.n * c.n];
            let prior_view = (!data.is_empty()).then(|| view(&data));
            let out = ViewMut::new("covariance", &mut covariance, &[c.n, c.n]).unwrap();
            p.covariance(&mut p.scratch(1).unwrap(), prior_view, out).unwrap();
            for i in 0..c.n {
                prop_assert!((done.mean[i] - mean[i]).abs() <= slack * size, "{prior:?} {} {}", done.mean[i], mean[i]);
                prop_assert!((done.variance[i] - cov[i][i]).abs() <= slack * sigma[i][i], "{prior:?} {} {}", done.variance[i], cov[i][i]);
                prop_assert!(done.variance[i] <= sigma[i][i] * (1.0 + 1e-12));
                prop_assert_eq!(done.variance[i].to_bits(), covariance[i * c.n + i].to_bits(), "{:?}", prior);
                for j in 0..c.n {
                    let wide = (sigma[i][i] * sigma[j][j]).sqrt();
                    prop_assert!((covariance[i * c.n + j] - cov[i][j]).abs() <= slack * wide, "{prior:?} {i} {j}");
                    prop_assert_eq!(covariance[i * c.n + j].to_bits(), covariance[j * c.n + i].to_bits());
                }
            }
            for (k, row) in c.rows.iter().enumerate() {
                let (r, scale) = row.residual(&done.mean, c.b[k]);
                prop_assert!(row.noise > 0.0 || r.abs() <= 4.0 * f64::EPSILON * scale, "{prior:?}");
            }
        }
    }

    #[test]
    fn bits_ignore_strides_batch_and_place(c in case(300, 4, 3, true), slices in 1usize..4, gap in 1usize..3, reverse in any::<bool>()) {
        let (n, m) = (c.n, c.rows.len());
        let p = projector(&constraints(n, &c.rows), Prior::Diagonal, 0);
        // [slices, cells] with gaps, maybe backwards.
        let step = gap as isize * if reverse { -1 } else { 1 };
        let layout = Layout::new("x", &[slices, n], &[(n * gap) as isize, step]).unwrap();
        let offset = if reverse { (n - 1) * gap } else { 0 };
        let memory = |x: &[f64]| {
            let mut all = vec![0.0; slices * n * gap];
            let many: Vec<f64> = (0..slices).flat_map(|s| x.iter().map(move |x| x * (1.0 + s as f64))).collect();
            ViewMut::strided("x", &mut all, offset, layout).unwrap().scatter(0, &many);
            all
        };
        let (mean, variance) = (memory(&c.u), memory(&c.v));
        let b: Vec<f64> = (0..slices).flat_map(|s| c.b.iter().map(move |b| b + s as f64)).collect();
        let mut out = vec![0.0; slices * n * gap];
        let mut out_variance = out.clone();
        let posterior = Posterior {
            mean: ViewMut::strided("out", &mut out, offset, layout).unwrap(),
            variance: Some(ViewMut::strided("out", &mut out_variance, offset, layout).unwrap()),
        };
        let mut report = p.report(slices).unwrap();
        p.project(
            &mut p.scratch(slices).unwrap(),
            View::strided("mean", &mean, offset, layout).unwrap(),
            Some(View::strided("variance", &variance, offset, layout).unwrap()),
            View::new("b", &b, &[slices, m]).unwrap(),
            posterior,
            Some(&mut report),
        ).unwrap();
        let mut residuals = vec![0f64; slices * m];
        p.residual(
            &mut p.scratch(slices).unwrap(),
            View::strided("out", &out, offset, layout).unwrap(),
            View::new("b", &b, &[slices, m]).unwrap(),
            ViewMut::new("residual", &mut residuals, &[slices, m]).unwrap(),
        ).unwrap();
        for s in 0..slices {
            let alone = run(
                &p,
                &c.u.iter().map(|x| x * (1.0 + s as f64)).collect::<Vec<_>>(),
                Some(view(&c.v.iter().map(|x| x * (1.0 + s as f64)).collect::<Vec<_>>())),
                &b[s * m..(s + 1) * m],
            ).unwrap();
            let read = |memory: &[f64]| {
                let mut x = vec![0.0; n];
                View::strided("x", memory, offset, layout).unwrap().gather(s * n, &mut x);
                x
            };
            prop_assert_eq!(read(&out), alone.mean);
            prop_assert_eq!(read(&out_variance), alone.variance);
            prop_assert_eq!(report.slices()[s], alone.report.slices()[0]);
            prop_assert_eq!(report.rows(s), alone.report.rows(0));
            for (k, row) in report.rows(s).iter().enumerate() {
                prop_assert_eq!(residuals[s * m + k].to_bits(), row.residual_after.to_bits());
            }
        }
    }

    #[test]
    fn dependent_rows_are_dropped_or_refused(c in case(200, 3, 2, false), a in 0.5f64..2.0, wrong in prop::sample::select(vec![0.0, 1e-6, 1.0])) {
        let mut rows = c.rows.clone();
        let first = rows[0].dense(c.n);
        let last = rows[rows.len() - 1].dense(c.n);
        let sum: Vec<f64> = first.iter().zip(&last).map(|(x, y)| a * x + y).collect();
        rows.push(Row { cells: (0..c.n).collect(), weights: sum, noise: 0.0 });
        prop_assume!(rows[rows.len() - 1].weights.iter().any(|w| w.abs() > 1e-3));
        let mut b = c.b.clone();
        let scale = rows[rows.len() - 1].residual(&c.u, 0.0).1 + b.iter().fold(0f64, |m, b| m.max(b.abs()));
        b.push(a * b[0] + b[b.len() - 1] + wrong * scale);
        let p = projector(&constraints(c.n, &rows), Prior::Diagonal, 0);
        let done = run(&p, &c.u, Some(view(&c.v)), &b);
        if wrong == 0.0 {
            let done = done.unwrap();
            prop_assert_eq!(done.report.rows(0).iter().filter(|r| r.dropped).count(), 1);
            let fewer = projector(&constraints(c.n, &c.rows), Prior::Diagonal, 0);
            let fewer = run(&fewer, &c.u, Some(view(&c.v)), &c.b).unwrap();
            let size = fewer.mean.iter().fold(0f64, |m, x| m.max(x.abs()));
            for (a, b) in done.mean.iter().zip(&fewer.mean) {
                prop_assert!((a - b).abs() <= 1e-9 * size);
            }
        } else {
            let e = done.err().unwrap();
            prop_assert_eq!(e.status(), Status::Contradiction, "{}", e.message());
            prop_assert!(e.message().contains("row"));
        }
    }

    #[test]
    fn worst_cases(c in case(120, 5, 16, false), lift in -8i32..=8, near in 1e-9f64..1e-3, free in any::<prop::sample::Index>()) {
        // Rows of scales 10^8 apart, variances over 16 decades.
        let mut rows = c.rows.clone();
        let mut b = c.b.clone();
        for (k, row) in rows.iter_mut().enumerate() {
            let f = 10f64.powi(if k % 2 == 0 { lift } else { 0 });
            row.weights.iter_mut().for_each(|w| *w *= f);
            b[k] *= f;
        }
        let check = |rows: &[Row], b: &[f64], mean: &[f64]| -> std::result::Result<(), TestCaseError> {
            for (row, &b) in rows.iter().zip(b) {
                let (r, scale) = row.residual(mean, b);
                prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale, "{r:e} of {scale:e}");
            }
            Ok(())
        };
        let p = projector(&constraints(c.n, &rows), Prior::Diagonal, 0);
        static SEEN: Refusals = Refusals::new();
        let done = run(&p, &c.u, Some(view(&c.v)), &b);
        SEEN.count(done.is_err(), 0.05).map_err(TestCaseError::fail)?;
        match done {
            Ok(done) => check(&rows, &b, &done.mean)?,
            // Cells that could tell two rows apart may be 10^16 times stiffer than the rest.
            Err(e) => prop_assert!(matches!(e.status(), Status::Singular | Status::NotConverged), "{}", e.message()),
        }
        // Nearly dependent rows in ordinary variances.
        let mut rows = vec![c.rows[0].clone()];
        let mut b = vec![c.b[0]];
        let mut twin = rows[0].clone();
        let at = free.index(twin.weights.len());
        prop_assume!(twin.weights.len() > 2);
        twin.weights[at] *= 1.0 + near;
        let shift = near * twin.weights[at] * c.u[twin.cells[at]];
        b.push(b[0] + shift);
        rows.push(twin);
        let v = vec![0.5; c.n];
        let p = projector(&constraints(c.n, &rows), Prior::Diagonal, 0);
        let done = run(&p, &c.u, Some(view(&v)), &b).map_err(|e| TestCaseError::fail(e.message().to_owned()))?;
        check(&rows, &b, &done.mean)?;
    }
}

#[test]
fn right_hand_sides_that_overflow_in_a_dependent_row_are_refused() {
    let mut c = Constraints::new(2).unwrap();
    for g in [[1.0, 1.0], [1.0, 1.0 + 1e-9], [1.0, -1.0]] {
        c.add_row(View::new("g", &g, &[2]).unwrap(), 0.0).unwrap();
    }
    let p = Projector::new(&c, Prior::Identity, &ProjectorOptions::default()).unwrap();
    let (mean, b, mut u) = ([1e300, 0.0], [1e300, 1e300, 0.0], [7.0; 2]);
    let posterior = Posterior { mean: ViewMut::new("u", &mut u, &[2]).unwrap(), variance: None };
    let (mean, b) = (View::new("mean", &mean, &[2]).unwrap(), View::new("b", &b, &[1, 3]).unwrap());
    let error = p.project(&mut p.scratch(1).unwrap(), mean, None, b, posterior, None).unwrap_err();
    assert_eq!((error.status(), u), (Status::NonFinite, [7.0; 2]), "{error}");
}
