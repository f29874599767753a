//! What a Gaussian process promises: variances from 0 to the prior's, data met where there is no noise, the same bits whatever the batch,
//! the position, strides and the number of targets, the dense formula, and a chain to the projector that is conditioning on the integral.

#[path = "common/gp.rs"]
mod gp;

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use gp::{Array, channels, covariance, model, numbers, plan, query, uniform};
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Rule};
use pcml::error::Status;
use pcml::field::{Dtype, Layout};
use pcml::model::gp::{FitOptions, Kernel, Numbers};
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use proptest::prelude::*;

/// A kernel by its formula.
fn k(numbers: &Numbers, a: &[f64], b: &[f64]) -> f64 {
    let lengths = numbers.length_scales.iter().cycle();
    let r2: f64 = a.iter().zip(b).zip(lengths).map(|((a, b), l)| ((a - b) / l).powi(2)).sum();
    let r = r2.sqrt();
    numbers.variance
        * match numbers.kernel {
            Kernel::Rbf => (-0.5 * r2).exp(),
            Kernel::Matern12 => (-r).exp(),
            Kernel::Matern32 => (1.0 + 3f64.sqrt() * r) * (-3f64.sqrt() * r).exp(),
            Kernel::Matern52 => (1.0 + 5f64.sqrt() * r + 5.0 / 3.0 * r2) * (-5f64.sqrt() * r).exp(),
        }
}

fn matrix(numbers: &Numbers, a: &[f64], b: &[f64], d: usize) -> Mat<f64> {
    Mat::from_fn(a.len() / d, b.len() / d, |i, j| k(numbers, &a[i * d..(i + 1) * d], &b[j * d..(j + 1) * d]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn predictions_are_the_dense_formula_and_lose_variance(
        kernel in 0usize..4, n in 1usize..150, m in 1usize..150, inputs in 1usize..4, seed: u64, noise in 1e-3..0.5f64,
        offset in -3.0..3.0f64, scale in 0.1..4.0f64,
    ) {
        let lengths: Vec<f64> = uniform(seed, 9, inputs).iter().map(|u| 0.2 + u).collect();
        let mut numbers = numbers(Kernel::all()[kernel], 1.3, &lengths, noise);
        numbers.means = vec![0.4];
        let model = Model::gaussian_process(&numbers, &channels(inputs, offset, scale), &channels(1, -offset, 2.0 * scale)).unwrap();
        let (plan, mut workspace) = plan(&model, 1, n, m);
        let raw = |u: Vec<f64>| -> Vec<f64> { u.iter().map(|u| offset + scale * u).collect() };
        let (x, t, y) = (uniform(seed, 0, n * inputs), uniform(seed, 1, m * inputs), uniform(seed, 2, n));
        let raw_y = Array(y.iter().map(|y| -offset + 2.0 * scale * y).collect(), vec![n]);
        plan.condition(&mut workspace, &Array(raw(x.clone()), vec![n, inputs]).view(), &raw_y.view()).unwrap();
        let t_raw = Array(raw(t.clone()), vec![m, inputs]);
        let (mean, variance) = query(&plan, &mut workspace, &t_raw, &[m]);
        let cov = covariance(&plan, &mut workspace, &t_raw, &[1, 1, m, m]);

        let mut kxx = matrix(&numbers, &x, &x, inputs);
        (0..n).for_each(|i| kxx[(i, i)] += noise);
        let (ktx, ktt) = (matrix(&numbers, &t, &x, inputs), matrix(&numbers, &t, &t, inputs));
        let llt = kxx.llt(Side::Lower).unwrap();
        let centred = Mat::from_fn(n, 1, |i, _| y[i] - 0.4);
        let expected_mean = &ktx * llt.solve(&centred);
        let expected_cov = &ktt - &ktx * llt.solve(ktx.transpose());
        let unit = 4.0 * scale * scale;
        for i in 0..m {
            let e = -offset + 2.0 * scale * (0.4 + expected_mean[(i, 0)]);
            prop_assert!((mean[i] - e).abs() <= 1e-9 * (1.0 + e.abs()), "{} {}", mean[i], e);
            prop_assert!(variance[i] >= 0.0 && variance[i] <= unit * 1.3 * (1.0 + 1e-15));
            prop_assert_eq!(variance[i], cov[i * m + i]);
            for j in 0..m {
                let e = unit * expected_cov[(i, j)];
                prop_assert!((cov[i * m + j] - e).abs() <= 1e-10 * unit, "{} {}", cov[i * m + j], e);
                prop_assert_eq!(cov[i * m + j], cov[j * m + i]);
            }
        }
    }

    #[test]
    fn data_without_noise_are_met(kernel in 0usize..4, n in 1usize..12, seed: u64) {
        let model = model(&numbers(Kernel::all()[kernel], 2.0, &[0.1], 0.0), 1, 1);
        let (plan, mut workspace) = plan(&model, 1, n, n);
        let x: Vec<f64> = uniform(seed, 0, n).iter().enumerate().map(|(i, u)| (i as f64 + 0.3 * u) / 8.0).collect();
        let (x, y) = (Array(x, vec![n]), Array(uniform(seed, 1, n), vec![n]));
        plan.condition(&mut workspace, &x.view(), &y.view()).unwrap();
        let (mean, variance) = query(&plan, &mut workspace, &x, &[n]);
        for i in 0..n {
            prop_assert!((mean[i] - y.0[i]).abs() <= 1e-8, "{} {}", mean[i], y.0[i]);
            prop_assert!((0.0..1e-8).contains(&variance[i]), "{}", variance[i]);
        }
    }

    #[test]
    fn a_function_alone_gives_the_bits_it_gives_in_a_batch(
        kernel in 0usize..4, functions in 1usize..4, n in 1usize..140, m in 1usize..300, outputs in 1usize..3, seed: u64,
    ) {
        let model = model(&numbers(Kernel::all()[kernel], 1.0, &[0.4], 1e-3), 2, outputs);
        let all = (uniform(seed, 0, functions * n * 2), uniform(seed, 1, functions * n * outputs), uniform(seed, 2, functions * m * 2));
        let (batched, mut workspace) = plan(&model, functions, n, m);
        let y = Array(all.1.clone(), vec![functions, n, outputs]);
        batched.condition(&mut workspace, &Array(all.0.clone(), vec![functions, n, 2]).view(), &y.view()).unwrap();
        let t = Array(all.2.clone(), vec![functions, m, 2]);
        let (mean, variance) = query(&batched, &mut workspace, &t, &[functions, m, outputs]);
        let cov = covariance(&batched, &mut workspace, &t, &[functions, outputs, m, m]);
        // A plan with room for more, and only the last targets.
        let (alone, mut workspace) = plan(&model, 1, n + 77, m + 5);
        let keep = 1 + m / 3;
        for f in 0..functions {
            let x = Array(all.0[f * n * 2..(f + 1) * n * 2].to_vec(), vec![n, 2]);
            let y = Array(all.1[f * n * outputs..(f + 1) * n * outputs].to_vec(), vec![n, outputs]);
            let t = Array(all.2[((f + 1) * m - keep) * 2..(f + 1) * m * 2].to_vec(), vec![keep, 2]);
            // Twice: conditioning again changes nothing.
            alone.condition(&mut workspace, &x.view(), &y.view()).unwrap();
            alone.condition(&mut workspace, &x.view(), &y.view()).unwrap();
            let (a, v) = query(&alone, &mut workspace, &t, &[1, keep, outputs]);
            let from = ((f + 1) * m - keep) * outputs;
            prop_assert_eq!(&a[..], &mean[from..from + keep * outputs]);
            prop_assert_eq!(&v[..], &variance[from..from + keep * outputs]);
            let c = covariance(&alone, &mut workspace, &t, &[1, outputs, keep, keep]);
            for o in 0..outputs {
                for i in 0..keep {
                    let at = ((f * outputs + o) * m + m - keep + i) * m + m - keep;
                    prop_assert_eq!(&c[(o * keep + i) * keep..][..keep], &cov[at..at + keep]);
                }
            }
        }
    }

    #[test]
    fn gradients_of_the_likelihood_are_its_differences(
        kernel in 0usize..4, n in 2usize..130, outputs in 1usize..3, functions in 1usize..3, ard: bool, seed: u64,
    ) {
        let lengths = if ard { vec![0.4, 0.9] } else { vec![0.6] };
        let start = numbers(Kernel::all()[kernel], 1.5, &lengths, 0.05);
        let x = Array(uniform(seed, 0, functions * n * 2), vec![functions, n, 2]);
        let y = Array(uniform(seed, 1, functions * n * outputs), vec![functions, n, outputs]);
        let at = |numbers: &Numbers, gradient: Option<&mut [f64]>| {
            model(numbers, 2, outputs).log_marginal_likelihood(&x.view(), &y.view(), None, gradient).unwrap()
        };
        let mut gradient = vec![0.0; lengths.len() + 2];
        at(&start, Some(&mut gradient));
        let moved = |i: usize, step: f64| {
            let mut numbers = start.clone();
            let last = lengths.len() + 1;
            let value = match i {
                0 => &mut numbers.variance,
                i if i == last => &mut numbers.noise,
                i => &mut numbers.length_scales[i - 1],
            };
            *value *= step.exp();
            at(&numbers, None)
        };
        for (i, gradient) in gradient.iter().enumerate() {
            let h = 1e-4;
            let coarse = (moved(i, h) - moved(i, -h)) / (2.0 * h);
            let fine = (moved(i, h / 2.0) - moved(i, -h / 2.0)) / h;
            let difference = (4.0 * fine - coarse) / 3.0;
            let size = 1.0 + (functions * n * outputs) as f64;
            prop_assert!((difference - gradient).abs() <= 1e-7 * size, "{}: {} {}", i, difference, gradient);
        }
    }
}

#[test]
fn strides_and_storage_do_not_matter() {
    let model = model(&numbers(Kernel::Matern52, 1.0, &[0.5, 0.8], 1e-2), 2, 2);
    let (plan, mut workspace) = plan(&model, 2, 20, 30);
    let single = |seed, count| -> Vec<f64> { uniform(4, seed, count).iter().map(|v| *v as f32 as f64).collect() };
    let x = Array(single(0, 80), vec![2, 20, 2]);
    let (y, t) = (Array(single(1, 80), vec![2, 20, 2]), Array(single(2, 60), vec![30, 2]));
    plan.condition(&mut workspace, &x.view(), &y.view()).unwrap();
    let (mean, _) = query(&plan, &mut workspace, &t, &[2, 30, 2]);
    let cov = covariance(&plan, &mut workspace, &t, &[2, 2, 30, 30]);

    // Coordinates apart, values in f32 and backwards, results with gaps, the covariance with its functions last.
    let columns = |x: &[f64]| -> Vec<f64> { (0..2).flat_map(|d| x.iter().skip(d).step_by(2).copied()).collect() };
    let mut back: Vec<f32> = y.0.iter().map(|v| *v as f32).collect();
    back.reverse();
    let (x, t) = (columns(&x.0), columns(&t.0));
    let of_x = Layout::new("x", &[2, 20, 2], &[20, 1, 40]).unwrap();
    let of_y = Layout::new("y", &[2, 20, 2], &[-40, -2, -1]).unwrap();
    let (x, y) = (View::strided("x", &x, 0, of_x).unwrap(), View::strided("y", &back, 79, of_y).unwrap());
    plan.condition(&mut workspace, &x, &y).unwrap();
    let t = View::strided("t", &t, 0, Layout::new("t", &[30, 2], &[1, 30]).unwrap()).unwrap();
    let (mut means, mut covs) = (vec![0.0; 240], vec![0f32; 3600]);
    let spaced = Layout::new("mean", &[2, 30, 2], &[120, 4, 2]).unwrap();
    let last = Layout::new("covariance", &[2, 2, 30, 30], &[1, 2, 120, 4]).unwrap();
    plan.covariance(
        &mut workspace,
        &t,
        Some(&mut ViewMut::strided("mean", &mut means, 1, spaced).unwrap()),
        &mut ViewMut::strided("covariance", &mut covs, 0, last).unwrap(),
    )
    .unwrap();
    assert_eq!(means.iter().skip(1).step_by(2).copied().collect::<Vec<f64>>(), mean);
    for (at, c) in cov.iter().enumerate() {
        let (f, o, ij) = (at / 1800, at / 900 % 2, at % 900);
        assert_eq!(covs[ij * 4 + o * 2 + f], *c as f32);
    }
}

/// The process, conditioned jointly on its data and on exact and noisy integrals, is what the projector makes of its posterior.
#[test]
fn projection_is_conditioning_on_the_integral() {
    let m = 101;
    let t: Vec<f64> = (0..m).map(|i| i as f64 / 100.0).collect();
    for (kernel, noise) in [(Kernel::Matern32, 0.0), (Kernel::Matern52, 0.0), (Kernel::Matern52, 1e-3)] {
        let numbers = numbers(kernel, 0.8, &[0.25], 1e-2);
        let (plan, mut workspace) = plan(&model(&numbers, 1, 1), 1, 12, m);
        let (x, y) = (uniform(3, 0, 12), uniform(3, 1, 12));
        plan.condition(&mut workspace, &Array(x.clone(), vec![12]).view(), &Array(y.clone(), vec![12]).view()).unwrap();
        let (mut mean, mut cov) = (vec![0.0; m], vec![0.0; m * m]);
        plan.covariance(
            &mut workspace,
            &Array(t.clone(), vec![m]).view(),
            Some(&mut ViewMut::new("mean", &mut mean, &[m]).unwrap()),
            &mut ViewMut::new("covariance", &mut cov, &[m, m]).unwrap(),
        )
        .unwrap();

        let mut laws = Constraints::new(m).unwrap();
        laws.add_quadrature(Rule::Trapezoid, View::new("t", &t, &[m]).unwrap(), noise).unwrap();
        let projector = Projector::new(&laws, Prior::Dense, &ProjectorOptions::default()).unwrap();
        let (mut u, mut v) = (vec![0.0; m], vec![0.0; m]);
        let posterior = Posterior {
            mean: ViewMut::new("u", &mut u, &[m]).unwrap(),
            variance: Some(ViewMut::new("v", &mut v, &[m]).unwrap()),
        };
        let (mu, sigma) = (View::new("mean", &mean, &[m]).unwrap(), View::new("cov", &cov, &[m, m]).unwrap());
        let b = View::new("b", &[0.7], &[1]).unwrap();
        projector.project(&mut projector.scratch(1).unwrap(), mu, Some(sigma), b, posterior, None).unwrap();

        // The textbook's: one Gaussian over values at data, the integral and the targets.
        let weights: Vec<f64> = (0..m).map(|i| if i == 0 || i == m - 1 { 0.005 } else { 0.01 }).collect();
        let g = Mat::from_fn(1, m, |_, j| weights[j]);
        let (kxx, ktx, ktt) = (matrix(&numbers, &x, &x, 1), matrix(&numbers, &t, &x, 1), matrix(&numbers, &t, &t, 1));
        let (gx, gt) = (&g * &ktx, &g * &ktt);
        let gg = (&gt * g.transpose())[(0, 0)] + noise;
        let joint = Mat::from_fn(13, 13, |i, j| match (i < 12, j < 12) {
            (true, true) => kxx[(i, j)] + if i == j { 1e-2 } else { 0.0 },
            (true, false) => gx[(0, i)],
            (false, true) => gx[(0, j)],
            (false, false) => gg,
        });
        let cross = Mat::from_fn(m, 13, |i, j| if j < 12 { ktx[(i, j)] } else { gt[(0, i)] });
        let given = Mat::from_fn(13, 1, |i, _| if i < 12 { y[i] } else { 0.7 });
        let llt = joint.llt(Side::Lower).unwrap();
        let (expected, reduced) = (&cross * llt.solve(&given), &cross * llt.solve(cross.transpose()));
        for i in 0..m {
            assert!((u[i] - expected[(i, 0)]).abs() < 1e-10, "{} {}", u[i], expected[(i, 0)]);
            assert!((v[i] - (ktt[(i, i)] - reduced[(i, i)])).abs() < 1e-10);
        }
        let mass: f64 = u.iter().zip(&weights).map(|(u, w)| u * w).sum();
        assert!(noise > 0.0 || (mass - 0.7).abs() < 1e-15);
    }
}

#[test]
fn jitter_is_told_and_keeps_what_is_singular_finite() {
    // Far more points than a smooth process with this length can tell apart, without noise.
    let x: Vec<f64> = (0..120).map(|i| i as f64 / 119.0).collect();
    let y: Vec<f64> = x.iter().map(|x| (3.0 * x).sin()).collect();
    let (plan, mut workspace) = plan(&model(&numbers(Kernel::Rbf, 1.0, &[0.5], 0.0), 1, 1), 1, 120, 120);
    let (x, y) = (Array(x, vec![120]), Array(y, vec![120]));
    plan.condition(&mut workspace, &x.view(), &y.view()).unwrap();
    let jitter = plan.jitter(&workspace).unwrap();
    assert!(jitter > 0.0 && jitter < 1e-9, "{jitter}");
    let (mean, variance) = query(&plan, &mut workspace, &x, &[120]);
    for i in 0..120 {
        assert!((mean[i] - y.0[i]).abs() < 1e-5 && (0.0..1e-5).contains(&variance[i]), "{} {}", mean[i], variance[i]);
    }
    // A point twice, with one value: nothing contradicts.
    let twice = (Array(vec![0.1, 0.5, 0.1], vec![3]), Array(vec![1.0, 2.0, 1.0], vec![3]));
    plan.condition(&mut workspace, &twice.0.view(), &twice.1.view()).unwrap();
    assert!(plan.jitter(&workspace).unwrap() > 0.0);
    let (mean, _) = query(&plan, &mut workspace, &twice.0, &[3]);
    assert!((mean[0] - 1.0).abs() < 1e-6 && (mean[1] - 2.0).abs() < 1e-6);
    // With two values it does, unless there is noise.
    let two = Array(vec![1.0, 2.0, 1.5], vec![3]);
    let refused = plan.condition(&mut workspace, &twice.0.view(), &two.view()).unwrap_err();
    assert_eq!(refused.status(), Status::Contradiction, "{refused}");
    let noise = Array(vec![0.1, 0.1, 0.1], vec![3]);
    plan.condition_noisy(&mut workspace, &twice.0.view(), &two.view(), &noise.view()).unwrap();
    assert_eq!(plan.jitter(&workspace).unwrap(), 0.0);
}

#[test]
fn fits_are_repeatable_and_stay_in_range() {
    let start = numbers(Kernel::Matern52, 1.0, &[0.3], 0.1);
    let x = Array(uniform(1, 0, 40), vec![40]);
    let values = x.0.iter().zip(uniform(1, 1, 40)).map(|(x, e)| 5.0 + (6.0 * x).sin() + 0.1 * e).collect();
    let y = Array(values, vec![40]);
    let model = model(&start, 1, 1);
    let fit = |options: &FitOptions| model.fit(&x.view(), &y.view(), None, options).unwrap();
    let means = FitOptions { means: true, ..FitOptions::default() };
    let ((first, told), (again, same)) = (fit(&means), fit(&means));
    assert_eq!((first.process_numbers().unwrap(), told), (again.process_numbers().unwrap(), same));
    assert!(told.converged && told.log_likelihood > told.log_likelihood_before && told.evaluations > told.iterations);
    let found = first.process_numbers().unwrap();
    assert!((found.means[0] - 5.0).abs() < 1.5 && found.noise < 0.1, "{found:?}");
    // A mean is worth some likelihood.
    assert!(told.log_likelihood > fit(&FitOptions::default()).1.log_likelihood);
    let narrow = fit(&FitOptions { range: 1.5, noise: false, ..FitOptions::default() }).0;
    let narrow = narrow.process_numbers().unwrap();
    assert_eq!(narrow.noise, 0.1);
    assert!((1.0 / 1.5 - 1e-12..=1.5 + 1e-12).contains(&narrow.variance), "{narrow:?}");
    let nothing = fit(&FitOptions { variance: false, lengths: false, noise: false, ..FitOptions::default() });
    assert_eq!(nothing.1.log_likelihood, nothing.1.log_likelihood_before);
    assert_eq!(nothing.0.process_numbers().unwrap(), &start);
}

#[test]
fn several_functions_share_hyperparameters_and_scales_shift_the_density() {
    let numbers = numbers(Kernel::Matern32, 1.2, &[0.4], 0.1);
    let (x, y) = (Array(uniform(2, 0, 60), vec![3, 20]), Array(uniform(2, 1, 60), vec![3, 20]));
    let all = model(&numbers, 1, 1).log_marginal_likelihood(&x.view(), &y.view(), None, None).unwrap();
    let one = |f: usize| {
        let part = |a: &Array| Array(a.0[f * 20..(f + 1) * 20].to_vec(), vec![20, 1]);
        model(&numbers, 1, 1).log_marginal_likelihood(&part(&x).view(), &part(&y).view(), None, None).unwrap()
    };
    assert!((all - one(0) - one(1) - one(2)).abs() < 1e-12 * all.abs().max(1.0));
    // Values in another unit: the density is per that unit.
    let scaled = Model::gaussian_process(&numbers, &channels(1, 0.0, 1.0), &channels(1, 7.0, 4.0)).unwrap();
    let raw = Array(y.0.iter().map(|y| 7.0 + 4.0 * y).collect(), y.1.clone());
    let there = scaled.log_marginal_likelihood(&x.view(), &raw.view(), None, None).unwrap();
    assert!((there - (all - 60.0 * 4f64.ln())).abs() < 1e-9);
}

#[test]
fn plans_say_what_they_lack() {
    let model = model(&numbers(Kernel::Rbf, 1.0, &[1.0], 0.1), 1, 1);
    let refused = |dtype: Dtype, options: Options, status: Status, part: &str| {
        let error = Plan::new(&model, dtype, &options).err().expect("a refusal");
        assert!(error.status() == status && error.message().contains(part), "{error}");
    };
    let fine = Options { context: Some(3), targets: Some(4), ..Options::default() };
    refused(Dtype::F32, fine.clone(), Status::Dtype, "f64");
    refused(Dtype::F64, Options { context: None, ..fine.clone() }, Status::InvalidArgument, "context");
    refused(Dtype::F64, Options { targets: None, ..fine.clone() }, Status::InvalidArgument, "targets");
    refused(Dtype::F64, Options { latents: 2, ..fine.clone() }, Status::InvalidArgument, "latents is 2");
    refused(Dtype::F64, Options { covariance: 5, ..fine.clone() }, Status::InvalidArgument, "covariance is 5");
    let absurd = Options { context: Some(usize::MAX / 4), ..fine.clone() };
    let error = Plan::new(&model, Dtype::F64, &absurd).unwrap().workspace().err().unwrap();
    assert_eq!(error.status(), Status::OutOfMemory, "{error}");
    let plan = Plan::new(&model, Dtype::F64, &fine).unwrap();
    assert_eq!(plan.derivative_workspace().err().unwrap().status(), Status::State);
}
