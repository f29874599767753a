//! The promises of the projection on quadratic invariants jointly with linear rows.

#[path = "common/views.rs"]
mod views;

use pcml::constraint::{Constraints, Prior, Projector, ProjectorOptions, Report};
use pcml::error::{Result, Status};
use pcml::field::{Element, Layout};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use views::view;

fn project<T: Element>(p: &Projector, u: &[T], v: &[f64], b: &[f64], e: &[f64]) -> Result<(Vec<T>, Report)> {
    let n = u.len();
    let mut out = vec![T::default(); n];
    let mut report = p.report(1)?;
    let b = (!b.is_empty()).then(|| View::new("b", b, &[1, b.len()]).unwrap());
    let e = View::new("levels", e, &[1, e.len()]).unwrap();
    let to = ViewMut::new("u", &mut out, &[n]).unwrap();
    p.project_nonlinear(&mut p.nonlinear_scratch(1)?, view(u), Some(view(v)), b, e, to, Some(&mut report))?;
    Ok((out, report))
}

/// Neumaier's sum of exactly split terms, another order of operations than the library's.
fn sum(terms: impl Iterator<Item = [f64; 2]>, from: f64) -> (f64, f64) {
    let (mut high, mut low, mut scale) = (from, 0.0, 0.0);
    for pair in terms {
        for x in pair {
            let s = high + x;
            low += if high.abs() >= x.abs() { (high - s) + x } else { (x - s) + high };
            high = s;
        }
        scale += pair[0].abs();
    }
    (high + low, scale)
}

fn split(w: f64, a: f64, b: f64) -> [f64; 2] {
    let p = a * b;
    let wp = w * p;
    [wp, w.mul_add(a.mul_add(b, -p), w.mul_add(p, -wp))]
}

fn row(g: &[f64], u: &[f64], b: f64) -> (f64, f64) {
    sum(g.iter().zip(u).map(|(&g, &u)| split(1.0, g, u)), -b)
}

fn energy(w: &[f64], u: &[f64], e: f64) -> (f64, f64) {
    sum(w.iter().zip(u).map(|(&w, &u)| split(w, u, u)), -e)
}

fn wide<T: Element + Into<f64>>(u: &[T]) -> Vec<f64> {
    u.iter().map(|&x| x.into()).collect()
}

fn join(g: Option<&[f64]>, w: &[f64]) -> Projector {
    let mut c = Constraints::new(w.len()).unwrap();
    if let Some(g) = g {
        c.add_row(view(g), 0.0).unwrap();
    }
    c.add_energy(view(w)).unwrap();
    Projector::new(&c, Prior::Diagonal, &ProjectorOptions::default()).unwrap()
}

#[derive(Clone, Debug)]
struct Case {
    u: Vec<f64>,
    v: Vec<f64>,
    w: Vec<f64>,
    g: Vec<f64>,
    factor: f64,
}

fn case(most: usize, decades: i32) -> impl Strategy<Value = Case> {
    let spread = (1.0f64..10.0, -decades..=0).prop_map(|(x, e)| x * 10f64.powi(e));
    let cell = (-5.0f64..5.0, spread, 0.1f64..2.0, 0.1f64..2.0);
    (prop::collection::vec(cell, 1..=most), 0.8f64..1.2).prop_map(|(c, factor)| Case {
        u: c.iter().map(|c| if c.0.abs() < 0.05 { 1.0 } else { c.0 }).collect(),
        v: c.iter().map(|c| c.1).collect(),
        w: c.iter().map(|c| c.2).collect(),
        g: c.iter().map(|c| c.3).collect(),
        factor,
    })
}

/// `u_i = mu_i / (1 + 2 nu v_i w_i)` with nu bisected: the secular equation.
fn secular(c: &Case, e: f64) -> Vec<f64> {
    let at = |nu: f64| -> Vec<f64> { (0..c.u.len()).map(|i| c.u[i] / (1.0 + 2.0 * nu * c.v[i] * c.w[i])).collect() };
    let q = |u: &[f64]| energy(&c.w, u, e).0;
    let steepest = c.v.iter().zip(&c.w).map(|(v, w)| v * w).fold(0.0, f64::max);
    let (mut low, mut high) = (-0.5 / steepest, 1.0 / steepest);
    while q(&at(high)) > 0.0 {
        high *= 2.0;
    }
    for _ in 0..300 {
        let middle = 0.5 * (low + high);
        if q(&at(middle)) > 0.0 { low = middle } else { high = middle }
    }
    at(high)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_energy_follows_the_secular_equation(c in case(5000, 8)) {
        let e = c.factor * energy(&c.w, &c.u, 0.0).0;
        let (u, report) = project(&join(None, &c.w), &c.u, &c.v, &[], &[e]).unwrap();
        let (left, scale) = energy(&c.w, &u, e);
        prop_assert!(left.abs() <= 4.0 * f64::EPSILON * scale);
        prop_assert_eq!(report.rows(0).len(), 1);
        for (a, b) in u.iter().zip(secular(&c, e)) {
            prop_assert!((a - b).abs() <= 1e-9 * (a.abs() + b.abs()), "{} {}", a, b);
        }
        let (again, report) = project(&join(None, &c.w), &u, &c.v, &[], &[e]).unwrap();
        prop_assert!(report.slices()[0].unchanged && again == u);
    }

    #[test]
    fn row_and_energy_hold_together_at_a_stationary_point(c in case(5000, 4), far in any::<bool>()) {
        prop_assume!(c.u.len() > 2);
        // The target is that of a state which exists, so that it can be reached.
        let reach = if far { 0.3 } else { 0.02 };
        let target: Vec<f64> =
            c.u.iter().enumerate().map(|(i, u)| u + reach * c.v[i].sqrt() * (1.7 * i as f64).sin()).collect();
        let (b, e) = (row(&c.g, &target, 0.0).0, energy(&c.w, &target, 0.0).0);
        let p = join(Some(&c.g), &c.w);
        let (u, report) = project(&p, &c.u, &c.v, &[b], &[e]).unwrap();
        let (left, scale) = row(&c.g, &u, b);
        prop_assert!(left.abs() <= 4.0 * f64::EPSILON * scale);
        let (left, scale) = energy(&c.w, &u, e);
        prop_assert!(left.abs() <= 4.0 * f64::EPSILON * scale);
        let (lambda, nu) = (report.rows(0)[0].multiplier, report.rows(0)[1].multiplier);
        let (mut square, mut norm) = (0.0, 0.0);
        for (i, &x) in u.iter().enumerate() {
            let parts = [(x - c.u[i]) / c.v[i], lambda * c.g[i], 2.0 * nu * c.w[i] * x];
            // Stationarity in standard deviations, against the rounding of the stored state.
            square += c.v[i] * parts.iter().sum::<f64>().powi(2);
            norm += c.v[i] * parts.iter().map(|p| p * p).sum::<f64>() + (x * x) / c.v[i] * 1e-10;
        }
        prop_assert!(square.sqrt() <= 1e-10 * norm.sqrt(), "{} {}", square.sqrt(), norm.sqrt());
        let (again, report) = project(&p, &u, &c.v, &[b], &[e]).unwrap();
        prop_assert!(report.slices()[0].unchanged && again == u);

        let narrow: Vec<f32> = c.u.iter().map(|&x| x as f32).collect();
        let (u, _) = project(&p, &narrow, &c.v, &[b], &[e]).unwrap();
        let stored = wide(&u);
        for (left, scale) in [row(&c.g, &stored, b), energy(&c.w, &stored, e)] {
            prop_assert!(left.abs() <= 4.0 * f32::EPSILON as f64 * scale);
        }
        let (again, _) = project(&p, &u, &c.v, &[b], &[e]).unwrap();
        prop_assert!(again == u);
    }

    #[test]
    fn a_product_of_two_fields_holds_with_the_mass(c in case(1000, 3)) {
        let n = c.u.len();
        let mut state: Vec<f64> = c.u.iter().map(|u| 1.0 + 0.1 * u.abs()).collect();
        state.extend(&c.u);
        let mut v: Vec<f64> = c.v.iter().map(|v| 1e-3 * v).collect();
        v.extend(&c.v);
        let mut g = c.g.clone();
        g.resize(2 * n, 0.0);
        let target: Vec<f64> =
            state.iter().zip(&v).enumerate().map(|(i, (u, v))| u + 0.1 * v.sqrt() * (i as f64).cos()).collect();
        let product = |u: &[f64], e: f64| sum((0..n).map(|i| split(c.w[i], u[i], u[n + i])), -e);
        let (b, e) = (row(&g, &target, 0.0).0, product(&target, 0.0).0);
        let mut laws = Constraints::new(2 * n).unwrap();
        laws.add_row(view(&g), 0.0).unwrap();
        let first: Vec<i64> = (0..n as i64).collect();
        let second: Vec<i64> = (n as i64..2 * n as i64).collect();
        laws.add_quadratic(&first, &second, &c.w).unwrap();
        let p = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
        let (u, _) = project(&p, &state, &v, &[b], &[e]).unwrap();
        for (left, scale) in [row(&g, &u, b), product(&u, e)] {
            prop_assert!(left.abs() <= 4.0 * f64::EPSILON * scale);
        }
        let (again, _) = project(&p, &u, &v, &[b], &[e]).unwrap();
        prop_assert!(again == u);
    }

    #[test]
    fn strides_and_the_place_in_a_batch_change_no_bit(c in case(300, 3)) {
        let n = c.u.len();
        let e = c.factor * energy(&c.w, &c.u, 0.0).0;
        let p = join(None, &c.w);
        let (alone, _) = project(&p, &c.u, &c.v, &[], &[e]).unwrap();
        let mut data = vec![1.5; 6 * n];
        let mut spread = vec![1.0; 6 * n];
        for i in 0..n {
            (data[6 * i + 2], spread[6 * i + 2]) = (c.u[i], c.v[i]);
        }
        let other = energy(&c.w, &vec![1.5; n], 0.0).0 * 1.1;
        let layout = Layout::new("x", &[3, n], &[2, 6]).unwrap();
        let mut out = vec![0f64; 6 * n];
        let to = ViewMut::strided("u", &mut out, 0, layout).unwrap();
        let (mean, v) = (View::strided("u", &data, 0, layout).unwrap(), View::strided("v", &spread, 0, layout).unwrap());
        let levels = [other, e, other];
        p.project_nonlinear(&mut p.nonlinear_scratch(3).unwrap(), mean, Some(v), None, view(&levels), to, None).unwrap();
        prop_assert!((0..n).all(|i| out[6 * i + 2].to_bits() == alone[i].to_bits()));
    }
}

#[test]
fn sixteen_decades_of_variance_and_scales_far_apart() {
    let n = 400;
    let u: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64).sin()).collect();
    let v: Vec<f64> = (0..n).map(|i| 10f64.powf(-16.0 * i as f64 / n as f64)).collect();
    let (w, g) = (vec![1e8; n], vec![1e-8; n]);
    let target: Vec<f64> =
        u.iter().zip(&v).enumerate().map(|(i, (u, v))| u + 0.1 * v.sqrt() * (i as f64).cos()).collect();
    let (b, e) = (row(&g, &target, 0.0).0, energy(&w, &target, 0.0).0);
    let (u, _) = project(&join(Some(&g), &w), &u, &v, &[b], &[e]).unwrap();
    for (left, scale) in [row(&g, &u, b), energy(&w, &u, e)] {
        assert!(left.abs() <= 4.0 * f64::EPSILON * scale);
    }
}

#[test]
fn what_cannot_be_reached_is_refused() {
    let (u, v, w, g) = ([1.0, 2.0, 3.0], [1.0; 3], [0.5; 3], [1.0; 3]);
    let refused = |u: &[f64], b: &[f64], e: f64| {
        let error = project(&join((!b.is_empty()).then_some(&g[..]), &w), u, &v, b, &[e]).unwrap_err();
        (error.status(), error.message().to_owned())
    };
    let (s, m) = refused(&u, &[], -1.0);
    assert!(s == Status::Infeasible && m.contains("slice 0, invariant 0"), "{m}");
    // Under sum u = 6 the least energy is that of the constant state, 6.
    let (s, m) = refused(&u, &[6.0], 5.9);
    assert!(s == Status::Infeasible && m.contains("invariant 0"), "{m}");
    let (s, m) = refused(&[0.0; 3], &[], 1.0);
    assert!(s == Status::Singular && m.contains("invariant 0"), "{m}");
    // The hard case: all room is along a cell whose mean is 0, on either side alike.
    let error = project(&join(None, &w), &[1.0, 0.0, 0.0], &[1e-6, 1.0, 1.0], &[], &[10.0]).unwrap_err();
    assert_eq!(error.status(), Status::NotConverged, "{}", error.message());
}

#[test]
fn invariants_are_checked_when_added() {
    let mut c = Constraints::new(3).unwrap();
    let status = |r: Result<()>| r.unwrap_err().status();
    assert_eq!(status(c.add_quadratic(&[], &[], &[])), Status::Shape);
    assert_eq!(status(c.add_quadratic(&[0], &[0, 1], &[1.0])), Status::Shape);
    assert_eq!(status(c.add_quadratic(&[0], &[3], &[1.0])), Status::InvalidArgument);
    assert_eq!(status(c.add_quadratic(&[-1], &[0], &[1.0])), Status::InvalidArgument);
    assert_eq!(status(c.add_quadratic(&[0], &[1], &[f64::NAN])), Status::NonFinite);
    assert_eq!(status(c.add_quadratic(&[0], &[1], &[0.0])), Status::Singular);
    assert_eq!(status(c.add_energy(view(&[0.0; 3]))), Status::Singular);
    assert_eq!(status(c.add_energy(view(&[1.0; 2]))), Status::Shape);
    assert_eq!(c.invariants(), 0);
}
