//! The promises of the equality projection, over random fields.

#[path = "common/views.rs"]
mod views;

use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Report, Rule};
use pcml::error::{Result, Status};
use pcml::field::{Element, Layout};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use views::{view, view_mut};

fn projector(g: &[f64], noise: f64, prior: Prior, held_cells: bool) -> Projector {
    let mut c = Constraints::new(g.len()).unwrap();
    c.add_row(view(g), noise).unwrap();
    Projector::new(&c, prior, &ProjectorOptions { held_cells, ..Default::default() }).unwrap()
}

/// Posterior mean and variance of one slice, and its report.
fn project<T: Element>(p: &Projector, u: &[T], v: &[T], b: f64) -> Result<(Vec<T>, Vec<T>, Report)> {
    let n = u.len();
    let (mut mean, mut variance) = (vec![T::default(); n], vec![T::default(); n]);
    let mut report = p.report(1)?;
    let posterior = Posterior { mean: view_mut(&mut mean), variance: Some(view_mut(&mut variance)) };
    p.project(&mut p.scratch(1)?, view(u), Some(view(v)), view(&[b]), posterior, Some(&mut report))?;
    Ok((mean, variance, report))
}

/// `g u - b` and `sum |g u|`: products split exactly, then Neumaier's sum cell by cell, another order than the library's.
fn residual(g: &[f64], u: impl Iterator<Item = f64>, b: f64) -> (f64, f64) {
    let (mut high, mut low, mut scale) = (-b, 0.0, 0.0);
    for (&g, u) in g.iter().zip(u) {
        let x = g * u;
        let x_error = g.mul_add(u, -x);
        for x in [x, x_error] {
            let sum = high + x;
            let (big, small) = if high.abs() >= x.abs() { (high, x) } else { (x, high) };
            low += (big - sum) + small;
            high = sum;
        }
        scale += x.abs();
    }
    (high + low, scale)
}

/// Mean, variance and b of a slice.
type Slice = (Vec<f64>, Vec<f64>, f64);

fn bits64(x: &[f64]) -> Vec<u64> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn bits32(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[derive(Clone, Debug)]
struct Case {
    g: Vec<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    b: f64,
}

/// Weights, means and variances over the stated decades; b near the prior's own value, or anywhere.
fn case(most: usize, decades: i32) -> impl Strategy<Value = Case> {
    let spread = move || (1.0f64..10.0, -decades..=0).prop_map(|(x, e)| x * 10f64.powi(e));
    let cell = (-1.0f64..4.0, -5.0f64..5.0, spread());
    (prop::collection::vec(cell, 1..=most), prop_oneof![-1e-3f64..1e-3, -2.0f64..2.0], any::<u64>()).prop_map(
        |(cells, off, pick)| {
            let g: Vec<f64> = cells.iter().map(|c| if c.0.abs() < 0.05 { 1.0 } else { c.0 }).collect();
            let u: Vec<f64> = cells.iter().map(|c| c.1).collect();
            let v: Vec<f64> = cells.iter().map(|c| c.2).collect();
            let now: f64 = g.iter().zip(&u).map(|(g, u)| g * u).sum();
            let b = if pick % 8 == 0 { 0.0 } else { now * (1.0 + off) + off };
            Case { g, u, v, b }
        },
    )
}

/// A random place in memory for `shape`: axis order, directions, a gap, an offset.
fn place(shape: &[usize], pick: u64) -> (usize, usize, Layout) {
    let gap = 1 + (pick % 3) as usize;
    let mut order: Vec<usize> = (0..shape.len()).collect();
    if pick / 3 % 2 == 1 {
        order.reverse();
    }
    let mut strides = vec![0isize; shape.len()];
    let (mut step, mut offset) = (gap, (pick / 7 % 5) as usize);
    for &axis in &order {
        strides[axis] = step as isize;
        if pick >> (20 + axis) & 1 == 1 {
            offset += (shape[axis] - 1) * step;
            strides[axis] = -strides[axis];
        }
        step *= shape[axis] + (pick >> (30 + axis) & 1) as usize;
    }
    (step + 5, offset, Layout::new("x", shape, &strides).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lawful_idempotent_and_a_no_op_on_the_lawful(c in case(5000, 4), prior_is_wide in any::<bool>()) {
        let p = projector(&c.g, 0.0, Prior::Diagonal, false);
        let (mean, variance, report) = project(&p, &c.u, &c.v, c.b).unwrap();
        let (r, scale) = residual(&c.g, mean.iter().copied(), c.b);
        prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale, "{r:e} of {scale:e}");
        let done = report.rows(0)[0];
        prop_assert!((done.residual_after - r).abs() <= 1e-25 * scale);
        prop_assert!(done.residual_after.abs() <= done.tolerance);
        for (after, before) in variance.iter().zip(&c.v) {
            prop_assert!(*after <= *before && *after >= 0.0);
        }
        let (again, _, report) = project(&p, &mean, &c.v, c.b).unwrap();
        prop_assert!(report.slices()[0].unchanged);
        prop_assert_eq!(bits64(&again), bits64(&mean));

        let u32: Vec<f32> = c.u.iter().map(|&x| x as f32).collect();
        let v32: Vec<f32> = c.v.iter().map(|&x| x as f32).collect();
        let (mean, variance, _) = project(&p, &u32, &v32, c.b).unwrap();
        let (r, scale) = residual(&c.g, mean.iter().map(|&x| x as f64), c.b);
        prop_assert!(r.abs() <= 4.0 * f32::EPSILON as f64 * scale, "{r:e} of {scale:e}");
        for (after, before) in variance.iter().zip(&v32) {
            prop_assert!(*after <= *before && *after >= 0.0);
        }
        let (again, _, _) = project(&p, &mean, &v32, c.b).unwrap();
        prop_assert_eq!(bits32(&again), bits32(&mean));

        // f64 prior, f32 posterior and the reverse.
        let mut narrow = vec![0f32; mean.len()];
        let mut wide = vec![0f64; mean.len()];
        let mut scratch = p.scratch(1).unwrap();
        if prior_is_wide {
            let posterior = Posterior { mean: view_mut(&mut narrow), variance: None };
            p.project(&mut scratch, view(&c.u), Some(view(&v32)), view(&[c.b]), posterior, None).unwrap();
            let (r, scale) = residual(&c.g, narrow.iter().map(|&x| x as f64), c.b);
            prop_assert!(r.abs() <= 4.0 * f32::EPSILON as f64 * scale);
        } else {
            let posterior = Posterior { mean: view_mut(&mut wide), variance: None };
            p.project(&mut scratch, view(&u32), Some(view(&c.v)), view(&[c.b]), posterior, None).unwrap();
            let (r, scale) = residual(&c.g, wide.iter().copied(), c.b);
            prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale);
        }
    }

    #[test]
    fn nearest_in_the_metric_and_equal_to_the_textbook(c in case(60, 2), noise in prop_oneof![Just(0.0), 1e-4f64..10.0]) {
        let n = c.g.len();
        let p = projector(&c.g, noise, Prior::Diagonal, false);
        let (mean, variance, report) = project(&p, &c.u, &c.v, c.b).unwrap();
        // Dense: G Sigma G' by matrices, K = Sigma G' / S, cov = Sigma - K G Sigma.
        let sigma: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| if i == j { c.v[i] } else { 0.0 }).collect()).collect();
        let sg: Vec<f64> = sigma.iter().map(|row| row.iter().zip(&c.g).map(|(s, g)| s * g).sum()).collect();
        let s = sg.iter().zip(&c.g).map(|(a, g)| a * g).sum::<f64>() + noise;
        let (r, _) = residual(&c.g, c.u.iter().copied(), c.b);
        let mut covariance = vec![0.0; n * n];
        p.covariance(&mut p.scratch(1).unwrap(), Some(view(&c.v)), ViewMut::new("covariance", &mut covariance, &[n, n]).unwrap()).unwrap();
        let size = c.u.iter().fold(r.abs() / s.sqrt(), |m, x| m.max(x.abs()));
        for i in 0..n {
            prop_assert!((mean[i] - (c.u[i] - sg[i] / s * r)).abs() <= 1e-11 * size);
            for j in 0..n {
                let dense = sigma[i][j] - sg[i] / s * sg[j];
                prop_assert!((covariance[i * n + j] - dense).abs() <= 1e-11 * (c.v[i] * c.v[j]).sqrt());
                prop_assert_eq!(covariance[i * n + j].to_bits(), covariance[j * n + i].to_bits());
            }
            prop_assert_eq!(covariance[i * n + i].to_bits(), variance[i].to_bits());
        }
        let done = report.slices()[0];
        if !done.unchanged {
            // KKT: the correction is -lambda Sigma g', up to the rounding of the stored values.
            let lambda = r / s;
            for i in 0..n {
                let correction = mean[i] - c.u[i];
                let slack = 1e-10 * (lambda * sg[i]).abs() + f64::EPSILON * (c.u[i].abs() + mean[i].abs());
                prop_assert!((correction + lambda * sg[i]).abs() <= slack);
            }
            prop_assert!((report.rows(0)[0].multiplier - lambda).abs() <= 1e-10 * lambda.abs());
            let norm = (0..n).map(|i| (lambda * sg[i]).powi(2) / c.v[i]).sum::<f64>().sqrt();
            prop_assert!((done.correction_norm - norm).abs() <= 1e-10 * norm);
        }
    }

    #[test]
    fn bits_ignore_strides_batch_and_place(
        c in case(700, 4), slices in 1usize..5, picks in prop::array::uniform4(any::<u64>()), identity in any::<bool>(),
        in_place in any::<bool>(),
    ) {
        let n = c.g.len();
        let p = projector(&c.g, 0.0, if identity { Prior::Identity } else { Prior::Diagonal }, false);
        let shape = if n % 2 == 0 { vec![slices, 2, n / 2] } else { vec![slices, n] };
        let fields: Vec<Slice> = (0..slices)
            .map(|s| {
                let scale = 1.0 + s as f64;
                (c.u.iter().map(|x| x * scale).collect(), c.v.iter().map(|x| x / scale).collect(), c.b + s as f64)
            })
            .collect();
        let all = |f: fn(&Slice) -> &Vec<f64>| fields.iter().flat_map(f).copied().collect::<Vec<f64>>();
        let [mut mean, mut variance, mut out_mean, mut out_variance] = picks.map(|k| vec![0f64; place(&shape, k).0]);
        let at = picks.map(|k| (place(&shape, k).1, place(&shape, k).2));
        ViewMut::strided("mean", &mut mean, at[0].0, at[0].1).unwrap().scatter(0, &all(|f| &f.0));
        ViewMut::strided("variance", &mut variance, at[1].0, at[1].1).unwrap().scatter(0, &all(|f| &f.1));
        let b: Vec<f64> = fields.iter().map(|f| f.2).collect();
        let mut scratch = p.scratch(slices).unwrap();
        let mut report = p.report(slices).unwrap();
        let (found_mean, found_variance) = if in_place {
            let m = ViewMut::strided("mean", &mut mean, at[0].0, at[0].1).unwrap();
            let v = (!identity).then(|| ViewMut::strided("variance", &mut variance, at[1].0, at[1].1).unwrap());
            p.project_in_place(&mut scratch, m, v, view(&b), Some(&mut report)).unwrap();
            ((&mean, at[0]), (!identity).then_some((&variance, at[1])))
        } else {
            let posterior = Posterior {
                mean: ViewMut::strided("mean", &mut out_mean, at[2].0, at[2].1).unwrap(),
                variance: Some(ViewMut::strided("variance", &mut out_variance, at[3].0, at[3].1).unwrap()),
            };
            let m = View::strided("mean", &mean, at[0].0, at[0].1).unwrap();
            let v = (!identity).then(|| View::strided("variance", &variance, at[1].0, at[1].1).unwrap());
            p.project(&mut scratch, m, v, view(&b), posterior, Some(&mut report)).unwrap();
            ((&out_mean, at[2]), Some((&out_variance, at[3])))
        };
        let read = |(memory, (offset, layout)): (&Vec<f64>, (usize, Layout))| {
            let mut x = vec![0.0; slices * n];
            View::strided("x", memory, offset, layout).unwrap().gather(0, &mut x);
            bits64(&x)
        };
        let (found_mean, found_variance) = (read(found_mean), found_variance.map(read));
        for (s, (u, v, b)) in fields.iter().enumerate() {
            let (mut mean, mut variance) = (vec![0.0; n], vec![0.0; n]);
            let mut alone = p.report(1).unwrap();
            let posterior = Posterior { mean: view_mut(&mut mean), variance: Some(view_mut(&mut variance)) };
            let prior = (!identity).then(|| view(v));
            p.project(&mut scratch, view(u), prior, view(&[*b]), posterior, Some(&mut alone)).unwrap();
            prop_assert_eq!(&found_mean[s * n..(s + 1) * n], &bits64(&mean));
            if let Some(found) = &found_variance {
                prop_assert_eq!(&found[s * n..(s + 1) * n], &bits64(&variance));
            }
            prop_assert_eq!(report.slices()[s], alone.slices()[0]);
            prop_assert_eq!(report.rows(s), alone.rows(0));
        }
        let mut residuals = vec![0f64; slices];
        let m = View::strided("mean", if in_place { &mean } else { &out_mean }, at[if in_place { 0 } else { 2 }].0,
            at[if in_place { 0 } else { 2 }].1).unwrap();
        p.residual(&mut scratch, m, view(&b), view_mut(&mut residuals)).unwrap();
        for (s, r) in residuals.iter().enumerate() {
            prop_assert_eq!(r.to_bits(), report.rows(s)[0].residual_after.to_bits());
        }
    }

    #[test]
    fn sixteen_decades_of_variance_and_one_free_cell(c in case(300, 16), free in any::<prop::sample::Index>(), far in -12i32..12) {
        let p = projector(&c.g, 0.0, Prior::Diagonal, true);
        let b = c.b * 10f64.powi(far);
        let (mean, variance, _) = project(&p, &c.u, &c.v, b).unwrap();
        let (r, scale) = residual(&c.g, mean.iter().copied(), b);
        prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale);
        prop_assert!(variance.iter().zip(&c.v).all(|(a, v)| a <= v && *a >= 0.0));

        let free = free.index(c.g.len());
        let mut v = vec![0.0; c.g.len()];
        v[free] = c.v[free];
        let (mean, variance, _) = project(&p, &c.u, &v, b).unwrap();
        let (r, scale) = residual(&c.g, mean.iter().copied(), b);
        prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale);
        prop_assert!(variance.iter().all(|v| *v == 0.0));
        for i in (0..mean.len()).filter(|&i| i != free) {
            prop_assert_eq!(mean[i].to_bits(), c.u[i].to_bits());
        }
    }

    #[test]
    fn corrections_far_beyond_the_result(c in case(200, 3), up in 0i32..100, to_zero in any::<bool>()) {
        let u: Vec<f64> = c.u.iter().map(|x| x * 10f64.powi(up)).collect();
        let b = if to_zero { 0.0 } else { c.b };
        let p = projector(&c.g, 0.0, Prior::Diagonal, false);
        let (mean, _, _) = project(&p, &u, &c.v, b).unwrap();
        let (r, scale) = residual(&c.g, mean.iter().copied(), b);
        prop_assert!(r.abs() <= 4.0 * f64::EPSILON * scale, "{r:e} {scale:e}");
    }

    #[test]
    fn noise_leaves_its_share(c in case(200, 2), noise in 1e-6f64..1e3) {
        let p = projector(&c.g, noise, Prior::Diagonal, false);
        let (mean, _, _) = project(&p, &c.u, &c.v, c.b).unwrap();
        let (before, scale) = residual(&c.g, c.u.iter().copied(), c.b);
        let (after, _) = residual(&c.g, mean.iter().copied(), c.b);
        let s = c.g.iter().zip(&c.v).map(|(g, v)| g * g * v).sum::<f64>() + noise;
        prop_assert!((after - before * noise / s).abs() <= 1e-13 * (scale + before.abs()));
    }
}

#[test]
fn a_single_cell_with_a_huge_correction_is_repaired() {
    let p = projector(&[3.0], 0.0, Prior::Diagonal, false);
    let (mean, variance, report) = project(&p, &[1e20f64], &[1.0], 1.0).unwrap();
    assert_eq!((mean[0], variance[0]), (1.0 / 3.0, 0.0));
    assert!(report.slices()[0].repairs > 0);
    let (mean, _, _) = project(&p, &[1e20f64], &[1.0], 0.0).unwrap();
    assert_eq!(mean[0], 0.0);
}

#[test]
fn the_identity_prior_moves_every_cell_alike() {
    let p = projector(&[1.0, 1.0, 2.0], 0.0, Prior::Identity, false);
    let (mut mean, mut variance) = (vec![1.0, 2.0, 3.0], vec![0f64; 3]);
    let prior = mean.clone();
    let posterior = Posterior { mean: view_mut(&mut mean), variance: Some(view_mut(&mut variance)) };
    p.project(&mut p.scratch(1).unwrap(), view(&prior), None, view(&[3.0]), posterior, None).unwrap();
    assert_eq!(mean, [0.0, 1.0, 1.0]);
    for (v, e) in variance.iter().zip([5.0 / 6.0, 5.0 / 6.0, 1.0 / 3.0]) {
        assert!((v - e).abs() < 1e-15);
    }
}

#[test]
fn the_lawful_come_back_bit_for_bit_even_where_nothing_can_move() {
    let p = projector(&[1.0, -1.0, 0.0], 0.0, Prior::Diagonal, true);
    let u = [2.0f32, 2.0, -0.0];
    let mut wide = [0f64; 3];
    let posterior = Posterior { mean: view_mut(&mut wide), variance: None };
    p.project(&mut p.scratch(1).unwrap(), view(&u), Some(view(&[0f32; 3])), view(&[0.0]), posterior, None).unwrap();
    assert_eq!(bits64(&wide), bits64(&[2.0, 2.0, -0.0]));
    let (mean, variance, _) = project(&p, &[2.0, 2.0, -0.0], &[0.0; 3], 0.0).unwrap();
    assert_eq!((bits64(&mean), variance), (bits64(&[2.0, 2.0, -0.0]), vec![0.0; 3]));
    assert_eq!(project(&p, &[2.0; 3], &[0.0; 3], 1.0).unwrap_err().status(), Status::Singular);
}

#[test]
fn what_cannot_be_stored_is_refused_before_anything_is_written() {
    let p = projector(&[1.0, 1e-3], 0.0, Prior::Diagonal, false);
    let status = |u: [f64; 2], v: [f64; 2], b: f64| {
        let (mut mean, mut variance) = ([7f32; 2], [7f32; 2]);
        let posterior = Posterior { mean: view_mut(&mut mean), variance: Some(view_mut(&mut variance)) };
        let outcome = p.project(&mut p.scratch(1).unwrap(), view(&u), Some(view(&v)), view(&[b]), posterior, None);
        match outcome {
            Ok(()) => Status::Ok,
            Err(e) => {
                assert_eq!((mean, variance), ([7.0; 2], [7.0; 2]));
                e.status()
            }
        }
    };
    assert_eq!(status([0.0; 2], [1.0; 2], 1e39), Status::NonFinite);
    assert_eq!(status([0.0; 2], [1.0; 2], 3.4e38), Status::Ok);
    assert_eq!(status([1e39, 0.0], [1.0; 2], 1e39), Status::NonFinite);
    // The cheap bound |u| + |correction| fails here, the trial shows that the result fits.
    assert_eq!(status([3e38, 0.0], [1.0; 2], -3e38), Status::Ok);
    assert_eq!(status([0.0; 2], [1e39, 1.0], 1.0), Status::NonFinite);
    assert_eq!(status([0.0; 2], [1e-320, 1e-320], 1.0), Status::Singular);
    let tiny = projector(&[1.0], 0.0, Prior::Diagonal, false);
    assert_eq!(project(&tiny, &[1e-310], &[1e20], 0.0).unwrap_err().status(), Status::NotConverged);
    // r / S overflows.
    assert_eq!(project(&tiny, &[1e300], &[1e-300], -1e300).unwrap_err().status(), Status::NonFinite);
    let far = projector(&[1e200], 0.0, Prior::Diagonal, false);
    assert_eq!(project(&far, &[1e200], &[1.0], 0.0).unwrap_err().status(), Status::NonFinite);
    assert_eq!(project(&far, &[1.0], &[1e-100], 1e200 * 0.5).unwrap().0[0], 0.5);
}

#[test]
fn a_failing_slice_keeps_all_slices_from_being_written() {
    let p = projector(&[1.0, 1.0], 0.0, Prior::Diagonal, false);
    let u = [1.0, 2.0, 3.0, 4.0, f64::NAN, 6.0];
    let mut mean = [7.0; 6];
    let shape = [3, 2];
    let posterior = Posterior { mean: ViewMut::new("posterior_mean", &mut mean, &shape).unwrap(), variance: None };
    let (m, v) = (View::new("mean", &u, &shape).unwrap(), View::new("variance", &[1.0; 6], &shape).unwrap());
    let e = p.project(&mut p.scratch(3).unwrap(), m, Some(v), view(&[0.0; 3]), posterior, None).unwrap_err();
    assert_eq!(e.status(), Status::NonFinite);
    assert!(e.message().contains("mean: slice 2, cell 0"), "{e}");
    assert_eq!(mean, [7.0; 6]);
}

#[test]
fn quadrature_of_a_profile() {
    let x: Vec<f64> = (0..201).map(|i| (i as f64 / 200.0).powi(2)).collect();
    for rule in [Rule::Trapezoid, Rule::Left, Rule::Right, Rule::Simpson] {
        let mut c = Constraints::new(201).unwrap();
        c.add_quadrature(rule, view(&x), 0.0).unwrap();
        let p = Projector::new(&c, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
        let u: Vec<f64> = x.iter().map(|x| (1.0 - x).max(0.0)).collect();
        let (mean, _, report) = project(&p, &u, &[0.01; 201], 0.6).unwrap();
        let mut left = [0f64];
        p.residual(&mut p.scratch(1).unwrap(), view(&mean), view(&[0.6]), view_mut(&mut left)).unwrap();
        assert!(left[0].abs() <= report.rows(0)[0].tolerance);
    }
}
