//! Bounded projections, checks, derivatives and parts allocate nothing once their workspaces exist.
#![allow(unsafe_code)]

#[path = "common/counting.rs"]
mod counting;
#[path = "common/views.rs"]
mod views;

use std::hint::black_box;

use counting::allocations;
use pcml::View;
use pcml::constraint::{
    Bounds, Constraints, Direction, Method, PartInput, Policy, Posterior, Prior, Projector, ProjectorOptions, Tangent,
};
use views::{view, view_mut};

#[test]
fn within_bounds_and_in_parts_nothing_is_allocated() {
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    let n = 903;
    let g: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64 * 0.1).sin() * 0.5).collect();
    let h: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).cos()).collect();
    let mu: Vec<f64> = (0..n).map(|i| 0.5 + 0.8 * (i as f64 * 0.37).sin()).collect();
    let v: Vec<f64> = (0..n).map(|i| 0.1 + 0.05 * (i as f64 * 0.11).cos()).collect();
    let inside: Vec<f64> = (0..n).map(|i| 0.5 + 0.2 * (i as f64 * 0.91).sin()).collect();
    let dot = |a: &[f64]| a.iter().zip(&inside).map(|(a, b)| a * b).sum::<f64>();
    let (lower, upper) = (vec![0.0; n], vec![1.0; n]);
    let bounds = Bounds { lower: Some(view(&lower)), upper: Some(view(&upper)) };
    let (mut u, mut gu, mut gv) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    // One row; several; sets; clip and spread; bounds that yield.
    for kind in 0..5 {
        let mut c = Constraints::new(n).unwrap();
        c.add_row(view(&g), 0.0).unwrap();
        let mut b = vec![dot(&g)];
        match kind {
            1 => {
                c.add_row(view(&h), 0.0).unwrap();
                b.push(dot(&h));
            }
            2 => {
                c.add_simplex(0, 3, 100, 1.0).unwrap();
                c.add_monotone(400, 200, Direction::Increasing).unwrap();
            }
            3 => c.set_bounds(Method::Spread, Policy::Refuse),
            4 => {
                c.set_bounds(Method::Nearest, Policy::RelaxLeast);
                b[0] = 10.0 * n as f64;
            }
            _ => (),
        }
        let p = Projector::new(&c, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
        let (mut bounded, mut report) = (p.bounded(1).unwrap(), p.report(1).unwrap());
        let b = View::new("b", &b, &[1, b.len()]).unwrap();
        let (mean, variance) = (view(&mu), Some(view(&v)));
        let counted = allocations(|| {
            let to = view_mut(&mut u);
            p.project_bounded(&mut bounded, mean, variance, b, bounds, to, Some(&mut report)).unwrap();
            p.check_bounded(&mut bounded, mean, b, bounds, &mut report).unwrap();
            if kind < 4 {
                let tangent = Tangent { mean: Some(mean), variance, b: None };
                p.jvp_bounded(&mut bounded, mean, variance, b, bounds, tangent, view_mut(&mut u)).unwrap();
                let gradient = Tangent { mean: Some(view_mut(&mut gu)), variance: Some(view_mut(&mut gv)), b: None };
                p.vjp_bounded(&mut bounded, mean, variance, b, bounds, mean, gradient).unwrap();
            }
        });
        assert_eq!(counted, 0, "kind {kind}");
        if kind == 2 {
            continue;
        }
        let mut scratch = p.scratch(1).unwrap();
        assert_eq!(allocations(|| p.check(&mut scratch, mean, b, &mut report).unwrap()), 0, "kind {kind}");
        if kind > 1 {
            continue;
        }
        let mut part = p.part().unwrap();
        let mut input = PartInput { mean, variance, b, bounds: Bounds { lower: None, upper: None } };
        let counted = allocations(|| {
            let to = Posterior { mean: view_mut(&mut u), variance: Some(view_mut(&mut gv)) };
            p.project_part(&mut part, &input, to, Some(&mut report), &mut |_| Ok(())).unwrap();
            if kind == 0 {
                input.bounds = bounds;
                let to = Posterior { mean: view_mut(&mut u), variance: None };
                p.project_part(&mut part, &input, to, Some(&mut report), &mut |_| Ok(())).unwrap();
            }
        });
        assert_eq!(counted, 0, "parts of kind {kind}");
    }
}

#[test]
fn with_invariants_nothing_is_allocated() {
    let n = 300;
    let ones = vec![1.0; n];
    let mu: Vec<f64> = (0..n).map(|i| 1.0 + 0.5 * (i as f64 * 0.37).sin()).collect();
    let mut c = Constraints::new(n).unwrap();
    c.add_row(view(&ones), 0.0).unwrap();
    c.add_energy(view(&ones)).unwrap();
    let p = Projector::new(&c, Prior::Identity, &ProjectorOptions::default()).unwrap();
    let (mut scratch, mut report) = (p.nonlinear_scratch(1).unwrap(), p.report(1).unwrap());
    let (b, e) = ([305.0], [350.0]);
    let (mut u, mut gu) = (vec![0.0; n], vec![0.0; n]);
    let counted = allocations(|| {
        let (mean, b, e) = (view(&mu), Some(view(&b)), view(&e));
        p.check_nonlinear(&mut scratch, mean, b, e, &mut report).unwrap();
        let tangent = Tangent { mean: Some(mean), variance: None, b: None };
        p.jvp_nonlinear(&mut scratch, mean, None, b, e, tangent, view_mut(&mut u)).unwrap();
        let gradient = Tangent { mean: Some(view_mut(&mut gu)), variance: None, b: None };
        p.vjp_nonlinear(&mut scratch, mean, None, b, e, mean, gradient).unwrap();
    });
    assert_eq!(counted, 0);
}
