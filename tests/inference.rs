//! Samples, probabilities, covariances, budgets and derivatives of projections.

#[path = "common/lcg.rs"]
mod lcg;
#[path = "common/views.rs"]
mod views;

use lcg::step;
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Rule, Tangent, log_density};
use pcml::error::Status;
use pcml::{View, ViewMut};
use proptest::prelude::*;
use views::{view, view_mut};

struct Problem {
    projector: Projector,
    mean: Vec<f64>,
    data: Vec<f64>,
    b: Vec<f64>,
    rows: Vec<(Vec<f64>, f64)>,
}

impl Problem {
    fn data(&self) -> Option<View<'_>> {
        (!self.data.is_empty()).then(|| view(&self.data))
    }

    fn project(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.mean.len();
        let (mut u, mut v) = (vec![0.0; n], vec![0.0; n]);
        let posterior = Posterior { mean: view_mut(&mut u), variance: Some(view_mut(&mut v)) };
        let p = &self.projector;
        p.project(&mut p.scratch(1).unwrap(), view(&self.mean), self.data(), view(&self.b), posterior, None).unwrap();
        (u, v)
    }
}

fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed | 1;
    move || (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64
}

/// `rows` rows over `n` cells, the last one noisy when there are several.
fn problem(prior: Prior, n: usize, rows: usize, seed: u64) -> Problem {
    let mut random = numbers(seed);
    let mut c = Constraints::new(n).unwrap();
    let rows: Vec<(Vec<f64>, f64)> = (0..rows)
        .map(|k| {
            let g = (0..n).map(|_| random() - 0.3).collect();
            (g, if k > 0 && k + 1 == rows { 0.05 } else { 0.0 })
        })
        .collect();
    rows.iter().for_each(|(g, noise)| c.add_row(view(g), *noise).unwrap());
    let v: Vec<f64> = (0..n).map(|_| 0.2 + random()).collect();
    let (size, data) = match prior {
        Prior::Identity => (0, vec![]),
        Prior::Scalar => (0, vec![0.7]),
        Prior::Diagonal | Prior::Smoothed => (0, v.clone()),
        Prior::CovarianceBand | Prior::PrecisionBand => {
            (1, (0..2 * n).map(|k| if k < n { 1.0 + v[k] } else { random() - 0.5 }).collect())
        }
        Prior::LowRank => (2, (0..3 * n).map(|k| if k < n { v[k] } else { random() - 0.5 }).collect()),
        Prior::Ensemble => (9, (0..9 * n).map(|_| random()).collect()),
        Prior::Dense => {
            let f: Vec<f64> = (0..n).map(|_| random()).collect();
            (0, (0..n * n).map(|k| f[k / n] * f[k % n] + if k / n == k % n { v[k / n] } else { 0.0 }).collect())
        }
    };
    let options = ProjectorOptions { prior_size: size, smoothing: 0.9, ..Default::default() };
    let mean: Vec<f64> = (0..n).map(|_| random() * 4.0 - 2.0).collect();
    let b = rows.iter().map(|_| random() * 3.0).collect();
    Problem { projector: Projector::new(&c, prior, &options).unwrap(), mean, data, b, rows }
}

fn draw(p: &Problem, seed: u64, first: u64, count: usize) -> Vec<f64> {
    let n = p.mean.len();
    let mut samples = vec![0.0; count * n];
    let mut inference = p.projector.inference(count).unwrap();
    let out = ViewMut::new("samples", &mut samples, &[count, n]).unwrap();
    p.projector.sample(&mut inference, view(&p.mean), p.data(), view(&p.b), seed, first, out).unwrap();
    samples
}

#[test]
fn samples_obey_and_have_the_posterior_moments() {
    for &prior in Prior::all() {
        for rows in [1, 3] {
            let n = 12;
            let p = problem(prior, n, rows, 5 + rows as u64);
            let (u, v) = p.project();
            let count = 6000;
            let samples = draw(&p, 11, 0, count);
            for sample in samples.chunks(n) {
                for ((g, _), b) in p.rows.iter().zip(&p.b).filter(|(row, _)| row.1 == 0.0) {
                    let terms: Vec<f64> = g.iter().zip(sample).map(|(g, u)| g * u).collect();
                    let scale: f64 = terms.iter().map(|t| t.abs()).sum();
                    assert!((terms.iter().sum::<f64>() - b).abs() <= 8.0 * f64::EPSILON * scale, "{prior:?}");
                }
            }
            for i in 0..n {
                let x: Vec<f64> = samples.iter().skip(i).step_by(n).copied().collect();
                let mean = x.iter().sum::<f64>() / count as f64;
                let variance = x.iter().map(|x| (x - u[i]).powi(2)).sum::<f64>() / count as f64;
                // Five standard errors.
                let error = (v[i] / count as f64).sqrt();
                assert!(
                    (mean - u[i]).abs() <= 5.0 * error + 1e-12,
                    "{prior:?} {rows} mean of cell {i}: {mean} {}",
                    u[i]
                );
                let slack = 5.0 * v[i] * (2.0 / count as f64).sqrt() + 1e-12;
                assert!((variance - v[i]).abs() <= slack, "{prior:?} {rows} variance of cell {i}: {variance} {}", v[i]);
            }
        }
    }
}

#[test]
fn sets_have_no_gaussian() {
    let mut c = Constraints::new(4).unwrap();
    c.add_row(view(&[1.0; 4]), 0.0).unwrap();
    c.add_simplex(0, 2, 2, 1.0).unwrap();
    let p = Projector::new(&c, Prior::Identity, &ProjectorOptions::default()).unwrap();
    let mut covariance = [7.0; 16];
    let out = ViewMut::new("covariance", &mut covariance, &[4, 4]).unwrap();
    let refused = [p.inference(1).err(), p.covariance(&mut p.scratch(1).unwrap(), None, out).err()];
    assert!(refused.iter().all(|e| e.as_ref().is_some_and(|e| e.status() == Status::State)), "{refused:?}");
    assert_eq!(covariance, [7.0; 16]);
}

#[test]
fn a_sample_depends_on_its_seed_and_number_alone() {
    for &prior in Prior::all() {
        let p = problem(prior, 31, 3, 3);
        let all = draw(&p, 9, 0, 20);
        assert_eq!(draw(&p, 9, 7, 5), all[7 * 31..12 * 31], "{prior:?}");
        assert_ne!(draw(&p, 10, 7, 5), all[7 * 31..12 * 31]);
        let threads: Vec<Vec<f64>> = std::thread::scope(|scope| {
            let run = |part: u64| draw(&p, 9, 5 * part, 5);
            let all: Vec<_> = (0..4).map(|part| scope.spawn(move || run(part))).collect();
            all.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(threads.concat(), all);
    }
}

/// Covariance matrix of the prior, from a projector whose only row has so much noise that it takes nothing.
fn prior_covariance(prior: Prior, p: &Problem) -> Vec<f64> {
    let n = p.mean.len();
    let mut c = Constraints::new(n).unwrap();
    c.add_row(view(&p.rows[0].0), 1e30).unwrap();
    let size = match prior {
        Prior::CovarianceBand | Prior::PrecisionBand => 1,
        Prior::LowRank => 2,
        Prior::Ensemble => 9,
        _ => 0,
    };
    let options = ProjectorOptions { prior_size: size, smoothing: 0.9, ..Default::default() };
    let projector = Projector::new(&c, prior, &options).unwrap();
    let mut covariance = vec![0.0; n * n];
    let out = ViewMut::new("covariance", &mut covariance, &[n, n]).unwrap();
    projector.covariance(&mut projector.scratch(1).unwrap(), p.data(), out).unwrap();
    covariance
}

/// Solves by Gauss with row pivoting; the logarithm of the determinant beside it.
fn solve(mut a: Vec<Vec<f64>>, mut x: Vec<f64>) -> (Vec<f64>, f64) {
    let n = x.len();
    let mut log = 0.0;
    for k in 0..n {
        let p = (k..n).max_by(|&p, &q| a[p][k].abs().total_cmp(&a[q][k].abs())).unwrap();
        a.swap(k, p);
        x.swap(k, p);
        log += a[k][k].abs().ln();
        for i in k + 1..n {
            let f = a[i][k] / a[k][k];
            #[allow(clippy::needless_range_loop)]
            for j in k..n {
                a[i][j] -= f * a[k][j];
            }
            x[i] -= f * x[k];
        }
    }
    for k in (0..n).rev() {
        for j in k + 1..n {
            x[k] -= a[k][j] * x[j];
        }
        x[k] /= a[k][k];
    }
    (x, log)
}

#[test]
fn the_likelihood_is_the_textbooks() {
    for &prior in Prior::all() {
        let p = problem(prior, 9, 3, 21);
        let n = 9;
        let sigma = prior_covariance(prior, &p);
        let s: Vec<Vec<f64>> = (0..3)
            .map(|k| {
                (0..3)
                    .map(|l| {
                        let sum: f64 = (0..n * n).map(|e| p.rows[k].0[e / n] * sigma[e] * p.rows[l].0[e % n]).sum();
                        sum + if k == l { p.rows[k].1 } else { 0.0 }
                    })
                    .collect()
            })
            .collect();
        // The smoothed prior moves the mean, too: what its projector holds without pull.
        let mean = if prior == Prior::Smoothed {
            let mut c = Constraints::new(n).unwrap();
            c.add_row(view(&p.rows[0].0), 1e30).unwrap();
            let options = ProjectorOptions { smoothing: 0.9, ..Default::default() };
            let q = Projector::new(&c, prior, &options).unwrap();
            let mut u = vec![0.0; n];
            let posterior = Posterior { mean: view_mut(&mut u), variance: None };
            q.project(&mut q.scratch(1).unwrap(), view(&p.mean), p.data(), view(&[0.0]), posterior, None).unwrap();
            u
        } else {
            p.mean.clone()
        };
        let r: Vec<f64> = p
            .rows
            .iter()
            .zip(&p.b)
            .map(|((g, _), b)| g.iter().zip(&mean).map(|(g, u)| g * u).sum::<f64>() - b)
            .collect();
        let (x, log) = solve(s, r.clone());
        let square: f64 = x.iter().zip(&r).map(|(x, r)| x * r).sum();
        let expected = -0.5 * (square + log + 3.0 * std::f64::consts::TAU.ln());
        let mut inference = p.projector.inference(0).unwrap();
        let found = p.projector.log_likelihood(&mut inference, view(&p.mean), p.data(), view(&p.b)).unwrap();
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{prior:?}: {found} {expected}");
    }
}

#[test]
fn blocks_are_parts_of_the_covariance() {
    for &prior in Prior::all() {
        let p = problem(prior, 14, 3, 8);
        let n = 14;
        let mut whole = vec![0f64; n * n];
        let out = ViewMut::new("covariance", &mut whole, &[n, n]).unwrap();
        p.projector.covariance(&mut p.projector.scratch(1).unwrap(), p.data(), out).unwrap();
        let (first, second) = ([3i64, 0, 13], [5i64, 3]);
        let mut block = vec![0f64; 6];
        let mut inference = p.projector.inference(0).unwrap();
        let out = ViewMut::new("block", &mut block, &[3, 2]).unwrap();
        p.projector.covariance_block(&mut inference, p.data(), &first, &second, out).unwrap();
        for (i, &a) in first.iter().enumerate() {
            for (j, &b) in second.iter().enumerate() {
                let (a, b) = (a as usize, b as usize);
                let size = (whole[a * n + a] * whole[b * n + b]).sqrt() + 1e-3;
                assert!((block[i * 2 + j] - whole[a * n + b]).abs() < 1e-12 * size, "{prior:?}");
            }
        }
        let refused = p.projector.covariance_block(
            &mut inference,
            p.data(),
            &[n as i64],
            &[0],
            ViewMut::new("block", &mut block[..1], &[1, 1]).unwrap(),
        );
        assert_eq!(refused.unwrap_err().status(), Status::InvalidArgument);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn derivatives_are_adjoint_and_differences(seed in any::<u64>(), n in 3usize..40, rows in 1usize..4, kind in 0usize..9) {
        let prior = Prior::all()[kind];
        let p = problem(prior, n, rows.min(n - 1), seed);
        let m = p.b.len();
        let mut random = numbers(seed ^ 77);
        let mut direction = |k: usize| -> Vec<f64> { (0..k).map(|_| random() - 0.5).collect() };
        let (dm, dv, db, bar) = (direction(n), direction(p.data.len()), direction(m), direction(n));
        let varied = matches!(prior, Prior::Diagonal | Prior::Scalar);
        let mut inference = p.projector.inference(0).unwrap();
        let mut forward = vec![0.0; n];
        let tangent = Tangent { mean: Some(view(&dm)), variance: varied.then(|| view(&dv)), b: Some(view(&db)) };
        p.projector.jvp(&mut inference, view(&p.mean), p.data(), view(&p.b), tangent, view_mut(&mut forward)).unwrap();
        let (mut gm, mut gv, mut gb) = (vec![0.0; n], vec![0.0; p.data.len().max(1)], vec![0.0; m]);
        let gradient = Tangent {
            mean: Some(view_mut(&mut gm)),
            variance: varied.then(|| view_mut(&mut gv)),
            b: Some(view_mut(&mut gb)),
        };
        p.projector.vjp(&mut inference, view(&p.mean), p.data(), view(&p.b), view(&bar), gradient).unwrap();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let left = dot(&forward, &bar);
        let right = dot(&dm, &gm) + if varied { dot(&dv, &gv) } else { 0.0 } + dot(&db, &gb);
        let size = dot(&forward, &forward).sqrt() * dot(&bar, &bar).sqrt() + left.abs() + 1.0;
        prop_assert!((left - right).abs() <= 1e-9 * size, "{prior:?} {left} {right}");
        // Central differences.
        let h = 1e-5;
        let moved = |sign: f64| {
            let step = |x: &[f64], d: &[f64]| -> Vec<f64> { x.iter().zip(d).map(|(x, d)| x + sign * h * d).collect() };
            let data = if varied { step(&p.data, &dv) } else { p.data.clone() };
            let q = Problem { projector: p.projector.clone(), mean: step(&p.mean, &dm), data, b: step(&p.b, &db), rows: vec![] };
            q.project().0
        };
        let (plus, minus) = (moved(1.0), moved(-1.0));
        let size = forward.iter().chain(&p.mean).fold(1f64, |m, x| m.max(x.abs()));
        for i in 0..n {
            let difference = (plus[i] - minus[i]) / (2.0 * h);
            prop_assert!((difference - forward[i]).abs() <= 1e-4 * size * size, "{prior:?} {difference} {}", forward[i]);
        }
    }

    #[test]
    fn budgets_are_sums_rounded_once(seed in any::<u64>(), n in 1usize..50, rows in 1usize..4, slices in 1usize..4, terms in 1usize..4) {
        let p = problem(Prior::Identity, n, rows, seed);
        let mut random = numbers(seed ^ 5);
        let u: Vec<f64> = (0..slices * n).map(|_| random() - 0.5).collect();
        let rates: Vec<f64> = (0..slices * rows * terms).map(|_| random() - 0.5).collect();
        let mut b = vec![0.0; slices * rows];
        p.projector.budget(
            &mut p.projector.scratch(slices).unwrap(),
            View::new("u", &u, &[slices, n]).unwrap(),
            View::new("rates", &rates, &[slices, rows, terms]).unwrap(),
            0.25,
            ViewMut::new("b", &mut b, &[slices, rows]).unwrap(),
        ).unwrap();
        for s in 0..slices {
            for k in 0..rows {
                let amount: f64 = p.rows[k].0.iter().zip(&u[s * n..]).map(|(g, u)| g * u).sum();
                let income: f64 = rates[(s * rows + k) * terms..][..terms].iter().sum();
                prop_assert!((b[s * rows + k] - (amount + 0.25 * income)).abs() < 1e-13 * n as f64);
            }
        }
    }
}

/// Conservation and boundary conditions at once: neither breaks the other, also where a corner has two rows.
#[test]
fn boundaries_and_conservation_hold_together() {
    use pcml::constraint::Condition;
    let (nx, ny, nt) = (7, 6, 4);
    let axis = |n: usize| -> Vec<f64> { (0..n).map(|i| (i as f64 / (n - 1) as f64).powf(1.2)).collect() };
    let (x, y, t) = (axis(nx), axis(ny), axis(nt));
    let n = nx * ny * nt;
    let axes = [view(&t), view(&x), view(&y)];
    let mut c = Constraints::new(n).unwrap();
    // The mass of every time, all times in one state.
    for k in 0..nt {
        c.add_grid_quadrature(Rule::Trapezoid, &[view(&x), view(&y)], k * nx * ny, 0.0).unwrap();
    }
    let dirichlet = Condition { value: 1.0, slope: 0.0, order: 0 };
    let robin = Condition { value: 0.5, slope: 0.3, order: 3 };
    c.add_boundary(&axes, 0, &[0, -1, 0], 1, dirichlet, 0.0).unwrap();
    c.add_boundary(&axes, 0, &[0, 0, 1], 2, dirichlet, 0.0).unwrap();
    c.add_boundary(&axes, 0, &[0, 1, 0], 1, robin, 0.0).unwrap();
    let truth: Vec<f64> = (0..n)
        .map(|i| {
            let (t, x, y) = (t[i / (nx * ny)], x[i / ny % nx], y[i % ny]);
            (1.0 + t) * (1.0 + x * x) * (2.0 - y)
        })
        .collect();
    let p = Projector::new(&c, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
    let zero = vec![0.0; p.rows()];
    let mut b = vec![0.0; p.rows()];
    let mut scratch = p.scratch(1).unwrap();
    p.residual(&mut scratch, view(&truth), view(&zero), view_mut(&mut b)).unwrap();
    let mut random = numbers(4);
    let mean: Vec<f64> = truth.iter().map(|u| u + 0.3 * (random() - 0.5)).collect();
    let v: Vec<f64> = (0..n).map(|_| 0.01 + random()).collect();
    let mut u = vec![0.0; n];
    let mut report = p.report(1).unwrap();
    let posterior = Posterior { mean: view_mut(&mut u), variance: None };
    p.project(&mut scratch, view(&mean), Some(view(&v)), view(&b), posterior, Some(&mut report)).unwrap();
    let mut left = vec![0f64; p.rows()];
    p.residual(&mut scratch, view(&u), view(&b), view_mut(&mut left)).unwrap();
    for (k, (left, row)) in left.iter().zip(report.rows(0)).enumerate() {
        assert!(
            left.abs() <= row.tolerance && (row.dropped || row.tolerance < 1e-12),
            "row {k}: {left:e}, {:e}",
            row.tolerance
        );
    }
    // At each time a node lies on both Dirichlet faces, so that its second row says the same again; and the Robin row in the other
    // corner has all its points on a Dirichlet face.
    assert_eq!(report.rows(0).iter().filter(|r| r.dropped).count(), 2 * nt);
    // What was far from the truth is nearer: the data are the truth's own.
    let far = |a: &[f64]| a.iter().zip(&truth).zip(&v).map(|((a, t), v)| (a - t).powi(2) / v).sum::<f64>();
    assert!(far(&u) <= far(&mean));
    // Contradicting corners are refused by number.
    let corner = nt + nt * ny + nx - 1 - (nx - 1);
    b[corner] += 1.0;
    let posterior = Posterior { mean: view_mut(&mut u), variance: None };
    let e = p.project(&mut scratch, view(&mean), Some(view(&v)), view(&b), posterior, None).unwrap_err();
    assert!(e.status() == Status::Contradiction && e.message().contains("row"), "{e}");
    let _ = log_density(view(&truth), view(&mean), view(&v)).unwrap();
}
