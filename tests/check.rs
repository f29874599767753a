//! Checks tell how a state stands to its laws, and agree with what projections do.

#[path = "common/views.rs"]
mod views;

use pcml::View;
use pcml::constraint::{Bounds, Constraints, Direction, PartInput, Posterior, Prior, Projector, ProjectorOptions};
use pcml::error::Status;
use proptest::prelude::*;
use views::{view, view_mut};

fn projector(n: usize, prior: Prior, build: impl Fn(&mut Constraints)) -> Projector {
    let mut c = Constraints::new(n).unwrap();
    build(&mut c);
    Projector::new(&c, prior, &ProjectorOptions::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_check_foretells_and_confirms(
        cells in prop::collection::vec((-1.0..1.0f64, 0.1..1.0f64, 0.1..2.0f64), 2..200),
        two in any::<bool>(),
        b in -1.0..1.0f64,
    ) {
        let n = cells.len();
        let mu: Vec<f64> = cells.iter().map(|c| c.0).collect();
        let g: Vec<f64> = cells.iter().map(|c| c.1).collect();
        let v: Vec<f64> = cells.iter().map(|c| c.2).collect();
        // One row streams, two go through the joint engine.
        let p = projector(n, Prior::Diagonal, |c| {
            c.add_row(view(&g), 0.0).unwrap();
            if two {
                c.add_sparse_rows(&[0, 2], &[0, 1], &[1.0, -1.0], None).unwrap();
            }
        });
        let b = if two { vec![b, 0.25] } else { vec![b] };
        let b = View::new("b", &b, &[1, b.len()]).unwrap();
        let (mut scratch, mut report, mut told) = (p.scratch(1).unwrap(), p.report(1).unwrap(), p.report(1).unwrap());
        let mut u = vec![0.0; n];
        let to = Posterior { mean: view_mut(&mut u), variance: None };
        p.project(&mut scratch, view(&mu), Some(view(&v)), b, to, Some(&mut report)).unwrap();
        p.check(&mut scratch, view(&mu), b, &mut told).unwrap();
        prop_assert_eq!(told.slices()[0].unchanged, report.slices()[0].unchanged);
        for (told, done) in told.rows(0).iter().zip(report.rows(0)) {
            prop_assert_eq!(told.residual_before, done.residual_before);
            prop_assert_eq!(told.residual_after, done.residual_before);
        }
        p.check(&mut scratch, view(&u), b, &mut told).unwrap();
        prop_assert!(told.slices()[0].unchanged);
        for (told, done) in told.rows(0).iter().zip(report.rows(0)) {
            prop_assert_eq!((told.residual_after, told.tolerance), (done.residual_after, done.tolerance));
        }

        // Within bounds.
        let (lower, upper) = (vec![-0.5; n], vec![0.5; n]);
        let bounds = Bounds { lower: Some(view(&lower)), upper: Some(view(&upper)) };
        let mut bounded = p.bounded(1).unwrap();
        p.check_bounded(&mut bounded, view(&mu), b, bounds, &mut told).unwrap();
        let outside = mu.iter().filter(|u| u.abs() > 0.5).count();
        let furthest = mu.iter().fold(0.0, |m: f64, u| m.max(u.abs() - 0.5));
        prop_assert_eq!((told.slices()[0].relaxed, told.slices()[0].relaxation), (outside, furthest));
        match p.project_bounded(&mut bounded, view(&mu), Some(view(&v)), b, bounds, view_mut(&mut u), Some(&mut report)) {
            Ok(()) => {
                let at = u.iter().filter(|u| **u == -0.5).count();
                p.check_bounded(&mut bounded, view(&u), b, bounds, &mut told).unwrap();
                prop_assert!(told.slices()[0].unchanged);
                prop_assert_eq!((told.slices()[0].relaxed, told.slices()[0].active_lower), (0, at));
            }
            Err(e) => prop_assert_eq!(e.status(), Status::Infeasible),
        }
    }

    #[test]
    fn a_check_with_invariants(cells in prop::collection::vec((0.5..1.5f64, 0.1..1.0f64), 2..100)) {
        let n = cells.len();
        let mu: Vec<f64> = cells.iter().map(|c| c.0).collect();
        let w: Vec<f64> = cells.iter().map(|c| c.1).collect();
        let p = projector(n, Prior::Identity, |c| {
            c.add_row(view(&w), 0.0).unwrap();
            c.add_energy(view(&w)).unwrap();
        });
        let b = [1.01 * mu.iter().zip(&w).map(|(u, w)| u * w).sum::<f64>()];
        let level = [1.1 * mu.iter().zip(&w).map(|(u, w)| u * u * w).sum::<f64>()];
        let (b, level) = (Some(view(&b)), view(&level));
        let (mut scratch, mut told) = (p.nonlinear_scratch(1).unwrap(), p.report(1).unwrap());
        p.check_nonlinear(&mut scratch, view(&mu), b, level, &mut told).unwrap();
        prop_assert!(!told.slices()[0].unchanged);
        let (mut u, mut report) = (vec![0.0; n], p.report(1).unwrap());
        p.project_nonlinear(&mut scratch, view(&mu), None, b, level, view_mut(&mut u), Some(&mut report)).unwrap();
        for (told, done) in told.rows(0).iter().zip(report.rows(0)) {
            prop_assert_eq!(told.residual_after, done.residual_before);
        }
        p.check_nonlinear(&mut scratch, view(&u), b, level, &mut told).unwrap();
        prop_assert!(told.slices()[0].unchanged);
        for (told, done) in told.rows(0).iter().zip(report.rows(0)) {
            prop_assert_eq!((told.residual_after, told.tolerance), (done.residual_after, done.tolerance));
        }
    }
}

#[test]
fn sets_are_checked_too() {
    let p = projector(6, Prior::Identity, |c| {
        c.add_row(view(&[1.0; 6]), 0.0).unwrap();
        c.add_simplex(0, 3, 1, 1.0).unwrap();
        c.add_monotone(3, 3, Direction::Increasing).unwrap();
    });
    let (mut bounded, mut told) = (p.bounded(1).unwrap(), p.report(1).unwrap());
    let none = Bounds { lower: None, upper: None };
    let mut check = |u: &[f64], b: f64| {
        p.check_bounded(&mut bounded, view(u), view(&[b]), none, &mut told).unwrap();
        let of = told.slices()[0];
        (of.unchanged, of.relaxed, of.relaxation)
    };
    assert_eq!(check(&[0.25, 0.5, 0.25, 0.0, 1.0, 2.0], 4.0), (true, 0, 0.0));
    assert_eq!(check(&[0.25, 0.5, 0.25, 0.0, 1.0, 2.0], 5.0), (false, 0, 0.0));
    assert_eq!(check(&[-0.25, 1.0, 0.25, 0.0, 1.0, 2.0], 4.0), (false, 1, 0.25));
    assert_eq!(check(&[0.25, 0.5, 0.25, 1.0, 0.0, 2.0], 4.0), (false, 1, 1.0));
    assert_eq!(check(&[0.25, 1.0, 0.25, 0.0, 1.0, 2.0], 4.5), (false, 0, 0.5));
}

#[test]
fn a_refused_check_leaves_the_report() {
    let p = projector(3, Prior::Identity, |c| c.add_row(view(&[1.0; 3]), 0.0).unwrap());
    let (mut scratch, mut report) = (p.scratch(2).unwrap(), p.report(2).unwrap());
    p.check(&mut scratch, view(&[1.0; 3]), view(&[3.0]), &mut report).unwrap();
    let before = (report.slices().to_vec(), report.rows(0).to_vec());
    let two = [1.0, 1.0, 2.0, 1.0, f64::NAN, 1.0];
    let mean = View::new("mean", &two, &[2, 3]).unwrap();
    let error = p.check(&mut scratch, mean, view(&[3.0, 3.0]), &mut report).unwrap_err();
    assert_eq!(error.status(), Status::NonFinite);
    assert!(error.message().contains("slice 1, cell 1"), "{}", error.message());
    let error = p.check(&mut scratch, mean, view(&[3.0]), &mut report).unwrap_err();
    assert_eq!(error.status(), Status::Shape);
    assert_eq!((report.slices().to_vec(), report.rows(0).to_vec()), before);
}

#[test]
fn working_memory_of_another_projector_is_refused() {
    let build = |energy: bool| {
        projector(3, Prior::Identity, |c| {
            c.add_row(view(&[1.0; 3]), 0.0).unwrap();
            if energy {
                c.add_energy(view(&[1.0; 3])).unwrap();
            }
        })
    };
    let (p, other, nonlinear, another) = (build(false), build(false), build(true), build(true));
    let (u, b, none) = ([1.0; 3], [4.0], Bounds { lower: None, upper: None });
    let mut out = [7.0; 3];
    let to = Posterior { mean: view_mut(&mut out), variance: None };
    let mut found = vec![p.project(&mut other.scratch(1).unwrap(), view(&u), None, view(&b), to, None)];
    let mut bounded = other.bounded(1).unwrap();
    found.push(p.project_bounded(&mut bounded, view(&u), None, view(&b), none, view_mut(&mut out), None));
    let mut inference = other.inference(1).unwrap();
    found.push(p.log_likelihood(&mut inference, view(&u), None, view(&b)).map(drop));
    let mut part = other.part().unwrap();
    let input = PartInput { mean: view(&u), variance: None, b: view(&b), bounds: none };
    let to = Posterior { mean: view_mut(&mut out), variance: None };
    found.push(p.project_part(&mut part, &input, to, None, &mut |_| Ok(())));
    let mut scratch = another.nonlinear_scratch(1).unwrap();
    found.push(nonlinear.project_nonlinear(
        &mut scratch,
        view(&u),
        None,
        Some(view(&b)),
        view(&b),
        view_mut(&mut out),
        None,
    ));
    for (k, outcome) in found.into_iter().enumerate() {
        assert_eq!(outcome.unwrap_err().status(), Status::Mismatch, "call {k}");
    }
    assert_eq!(out, [7.0; 3]);
    // A clone is the same projector.
    let to = Posterior { mean: view_mut(&mut out), variance: None };
    p.clone().project(&mut p.scratch(1).unwrap(), view(&u), None, view(&b), to, None).unwrap();
}
