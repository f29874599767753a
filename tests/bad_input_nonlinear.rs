//! Bad calls of the nonlinear projection at the C border: a status, a text that names the culprit, outputs untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, message, ok, output};
use pcml::capi::*;
use pcml::error::Status;

#[test]
fn bad_calls_change_nothing() {
    unsafe {
        let mut c = null_mut();
        ok(pcml_constraints_create(3, &mut c));
        let ones = [1.0; 3];
        ok(pcml_constraints_add_row(c, &input(&ones, &[3]), 0.0));
        failed(pcml_constraints_add_energy(c, null()), Status::NullArgument, &["weights"]);
        failed(pcml_constraints_add_energy(c, &input(&ones, &[2])), Status::Shape, &["weights"]);
        let (i, j) = ([0i64, 5], [1i64, 2]);
        let add = |n, i: *const i64, w: *const f64| pcml_constraints_add_quadratic(c, n, i, j.as_ptr(), w);
        failed(add(2, i.as_ptr(), ones.as_ptr()), Status::InvalidArgument, &["cells_i[1] is 5"]);
        failed(add(0, i.as_ptr(), ones.as_ptr()), Status::InvalidArgument, &["terms"]);
        failed(add(1, null(), ones.as_ptr()), Status::NullArgument, &["cells_i"]);
        failed(add(1, i.as_ptr(), null()), Status::NullArgument, &["weights"]);
        ok(pcml_constraints_add_energy(c, &input(&ones, &[3])));
        let mut p = null_mut();
        ok(pcml_projector_create(c, 2, null(), &mut p));
        let (mut w, mut linear) = (null_mut(), null_mut());
        ok(pcml_nonlinear_workspace(p, 1, &mut w));
        ok(pcml_projector_workspace(p, 1, &mut linear));

        let mut out = [SENTINEL; 3];
        let (mean, v, b, e) = ([1.0, 2.0, 3.0], [1.0; 3], [6.0], [13.0]);
        let to = output(&mut out, &[3]);
        let run = |w, mean: &[f64], v: &[f64], b: &[f64], e: &[f64], to: &pcml_array| {
            let (mean, v) = (input(mean, &[mean.len()]), input(v, &[v.len()]));
            let (b, e) = (input(b, &[b.len()]), input(e, &[e.len()]));
            pcml_nonlinear_project(p, w, &mean, &v, &b, &e, to, null_mut())
        };
        failed(run(null_mut(), &mean, &v, &b, &e, &to), Status::NullArgument, &["workspace"]);
        failed(run(linear, &mean, &v, &b, &e, &to), Status::Mismatch, &["pcml_nonlinear_workspace"]);
        failed(run(w, &mean[..2], &v, &b, &e, &to), Status::Shape, &["mean"]);
        failed(run(w, &[1.0, f64::NAN, 3.0], &v, &b, &e, &to), Status::NonFinite, &["mean", "slice 0, cell 1"]);
        failed(run(w, &mean, &[1.0, 0.0, 1.0], &b, &e, &to), Status::Variance, &["slice 0, cell 1"]);
        failed(run(w, &mean, &v, &[f64::INFINITY], &e, &to), Status::NonFinite, &["b: slice 0"]);
        failed(run(w, &mean, &v, &b, &[f64::NAN], &to), Status::NonFinite, &["levels: slice 0"]);
        failed(run(w, &mean, &v, &[1.0, 2.0], &e, &to), Status::Shape, &["b has shape"]);
        failed(run(w, &mean, &v, &b, &[1.0, 2.0], &to), Status::Shape, &["levels has shape"]);
        failed(run(w, &mean, &v, &b, &[-1.0], &to), Status::Infeasible, &["slice 0, invariant 0"]);
        failed(run(w, &mean, &v, &b, &[11.0], &to), Status::Infeasible, &["slice 0, invariant 0"]);
        let (field, level) = (input(&mean, &[3]), input(&e, &[1]));
        failed(
            pcml_nonlinear_project(p, w, &field, &field, null(), &level, &to, null_mut()),
            Status::NullArgument,
            &["b is missing"],
        );
        failed(
            pcml_projector_project(p, linear, &field, &field, &level, &to, null(), null_mut()),
            Status::State,
            &["invariants"],
        );
        assert_eq!(out, [SENTINEL; 3]);
        let mut shared = [1.0, 2.0, 3.0, 4.0];
        let from = input(&shared[..3], &[3]);
        let over = output(&mut shared[1..], &[3]);
        let (ones, b) = (input(&ones, &[3]), input(&b, &[1]));
        failed(
            pcml_nonlinear_project(p, w, &from, &ones, &b, &level, &over, null_mut()),
            Status::Stride,
            &["posterior_mean overlaps mean"],
        );
        assert_eq!(shared, [1.0, 2.0, 3.0, 4.0]);
        let to = output(&mut out, &[3]);
        ok(pcml_nonlinear_project(p, w, &field, &ones, &b, &level, &to, null_mut()));
        assert!((out.iter().sum::<f64>() - 6.0).abs() < 1e-14, "{}", message());
        assert!((out.iter().map(|u| u * u).sum::<f64>() - 13.0).abs() < 1e-13);
        pcml_workspace_free(w);
        pcml_workspace_free(linear);
        pcml_projector_free(p);
        pcml_constraints_free(c);
    }
}
