//! Bad calls of bounded projections, sets, checks and derivatives at the C border: a status, a text that names the culprit, outputs
//! untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, ok, output};
use pcml::capi::*;
use pcml::error::Status;

/// A projector on three cells of one row of ones.
unsafe fn projector(prior: i32, build: impl Fn(*mut pcml_constraints)) -> *mut pcml_projector {
    let (mut c, mut p) = (null_mut(), null_mut());
    unsafe {
        ok(pcml_constraints_create(3, &mut c));
        ok(pcml_constraints_add_row(c, &input(&[1.0; 3], &[3]), 0.0));
        build(c);
        ok(pcml_projector_create(c, prior, null(), &mut p));
        pcml_constraints_free(c);
    }
    p
}

#[test]
fn sets_and_policies_are_checked() {
    unsafe {
        let mut c = null_mut();
        ok(pcml_constraints_create(6, &mut c));
        failed(pcml_constraints_set_bounds(c, 0, 1), Status::InvalidArgument, &["method is 0"]);
        failed(pcml_constraints_set_bounds(c, 1, 4), Status::InvalidArgument, &["policy is 4"]);
        failed(pcml_constraints_set_bounds(null_mut(), 1, 1), Status::NullArgument, &["constraints"]);
        failed(pcml_constraints_add_simplex(c, 0, 1, 1, 1.0), Status::InvalidArgument, &["components is 1"]);
        failed(pcml_constraints_add_simplex(c, 0, 2, 0, 1.0), Status::InvalidArgument, &["points is 0"]);
        failed(pcml_constraints_add_simplex(c, -1, 2, 1, 1.0), Status::InvalidArgument, &["first is -1"]);
        for total in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            failed(pcml_constraints_add_simplex(c, 0, 2, 1, total), Status::InvalidArgument, &["total is"]);
        }
        failed(pcml_constraints_add_simplex(c, 0, i64::MAX, i64::MAX, 1.0), Status::InvalidArgument, &["6 cells"]);
        failed(pcml_constraints_add_simplex(c, 3, 2, 2, 1.0), Status::InvalidArgument, &["4 cells from cell 3"]);
        failed(pcml_constraints_add_monotone(c, 0, 1, 1), Status::InvalidArgument, &["count is 1"]);
        failed(pcml_constraints_add_monotone(c, 0, 3, 3), Status::InvalidArgument, &["direction is 3"]);
        failed(pcml_constraints_add_monotone(c, 5, 2, 1), Status::InvalidArgument, &["2 cells from cell 5"]);
        ok(pcml_constraints_add_simplex(c, 0, 2, 2, 1.0));
        failed(pcml_constraints_add_monotone(c, 3, 3, 1), Status::InvalidArgument, &["cells 3 to 5", "cells 0 to 3"]);
        ok(pcml_constraints_add_row(c, &input(&[1.0; 6], &[6]), 0.0));
        let (mut p, mut w) = (null_mut(), null_mut());
        ok(pcml_projector_create(c, 2, null(), &mut p));
        // The plain projection does not know sets, and says so.
        ok(pcml_projector_workspace(p, 1, &mut w));
        let mut out = [SENTINEL; 6];
        let (mean, b) = (input(&[1.0; 6], &[6]), input(&[6.0], &[1]));
        let to = output(&mut out, &[6]);
        let status = pcml_projector_project(p, w, &mean, &mean, &b, &to, null(), null_mut());
        failed(status, Status::State, &["project_bounded"]);
        assert_eq!(out, [SENTINEL; 6]);
        pcml_workspace_free(w);
        pcml_projector_free(p);
        pcml_constraints_free(c);
    }
}

#[test]
fn workspaces_are_refused_where_they_cannot_serve() {
    unsafe {
        let mut w = null_mut();
        let dense = projector(8, |_| ());
        failed(pcml_bounded_workspace(dense, 1, &mut w), Status::InvalidArgument, &["prior is Dense"]);
        let energy = projector(2, |c| ok(pcml_constraints_add_energy(c, &input(&[1.0; 3], &[3]))));
        failed(pcml_bounded_workspace(energy, 1, &mut w), Status::State, &["invariants"]);
        let spread = projector(2, |c| {
            ok(pcml_constraints_set_bounds(c, 2, 1));
            ok(pcml_constraints_add_row(c, &input(&[1.0, 2.0, 3.0], &[3]), 0.0));
        });
        failed(pcml_bounded_workspace(spread, 1, &mut w), Status::InvalidArgument, &["method is Spread with 2 rows"]);
        let p = projector(2, |_| ());
        failed(pcml_bounded_workspace(p, 0, &mut w), Status::InvalidArgument, &["slices is 0"]);
        failed(pcml_bounded_workspace(p, i64::MAX / 8, &mut w), Status::OutOfMemory, &["bounded workspace"]);
        failed(pcml_bounded_workspace(null(), 1, &mut w), Status::NullArgument, &["projector"]);
        failed(pcml_bounded_workspace(p, 1, null_mut()), Status::NullArgument, &["workspace"]);
        assert!(w.is_null());
        for p in [dense, energy, spread, p] {
            pcml_projector_free(p);
        }
    }
}

#[test]
fn bad_calls_change_nothing() {
    unsafe {
        let p = projector(2, |_| ());
        let other = projector(2, |_| ());
        let (mut w, mut linear, mut report) = (null_mut(), null_mut(), null_mut());
        ok(pcml_bounded_workspace(p, 1, &mut w));
        ok(pcml_projector_workspace(p, 1, &mut linear));
        ok(pcml_projector_report(p, 1, &mut report));
        let mut out = [SENTINEL; 3];
        let (mean, v, b, l, h) = ([1.0, 2.0, 3.0], [1.0; 3], [3.0], [0.0; 3], [2.0; 3]);
        let to = output(&mut out, &[3]);
        let run = |w, mean: &[f64], v: &[f64], b: &[f64], l: &[f64], h: &[f64], to: &pcml_array| {
            let (mean, v, b) = (input(mean, &[mean.len()]), input(v, &[v.len()]), input(b, &[b.len()]));
            let (l, h) = (input(l, &[l.len()]), input(h, &[h.len()]));
            pcml_bounded_project(p, w, &mean, &v, &b, &l, &h, to, report)
        };
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        failed(run(null_mut(), &mean, &v, &b, &l, &h, &to), Status::NullArgument, &["workspace"]);
        failed(run(linear, &mean, &v, &b, &l, &h, &to), Status::Mismatch, &["pcml_bounded_workspace"]);
        failed(run(w, &mean[..2], &v, &b, &l, &h, &to), Status::Shape, &["mean"]);
        failed(run(w, &mean, &v[..2], &b, &l, &h, &to), Status::Shape, &["variance"]);
        failed(run(w, &mean, &v, &[1.0; 2], &l, &h, &to), Status::Shape, &["b has shape"]);
        failed(run(w, &mean, &v, &b, &l[..1], &h, &to), Status::Shape, &["lower"]);
        failed(run(w, &mean, &v, &b, &l, &h[..2], &to), Status::Shape, &["upper"]);
        failed(run(w, &[1.0, nan, 3.0], &v, &b, &l, &h, &to), Status::NonFinite, &["mean", "slice 0, cell 1"]);
        failed(run(w, &mean, &[1.0, 1.0, inf], &b, &l, &h, &to), Status::NonFinite, &["variance", "cell 2"]);
        failed(run(w, &mean, &[1.0, 0.0, 1.0], &b, &l, &h, &to), Status::Variance, &["slice 0, cell 1"]);
        failed(run(w, &mean, &[1.0, -1.0, 1.0], &b, &l, &h, &to), Status::Variance, &["slice 0, cell 1"]);
        failed(run(w, &mean, &v, &[nan], &l, &h, &to), Status::NonFinite, &["b: slice 0"]);
        failed(run(w, &mean, &v, &b, &[0.0, nan, 0.0], &h, &to), Status::NonFinite, &["lower: slice 0, cell 1"]);
        failed(run(w, &mean, &v, &b, &l, &[2.0, 2.0, nan], &to), Status::NonFinite, &["upper: slice 0, cell 2"]);
        let crossed = run(w, &mean, &v, &b, &[0.0, 2.5, 0.0], &h, &to);
        failed(crossed, Status::InvalidArgument, &["slice 0, cell 1", "2.5e0", "2e0"]);
        failed(run(w, &mean, &v, &b, &[inf, 0.0, 0.0], &[inf; 3], &to), Status::InvalidArgument, &["cell 0"]);
        failed(run(w, &mean, &v, &[7.0], &l, &h, &to), Status::Infeasible, &["slice 0, row 0 is 7e0"]);
        failed(run(w, &mean, &v, &[-1e-9], &l, &h, &to), Status::Infeasible, &["row 0"]);
        failed(run(w, &[1.7e308; 3], &v, &b, &l, &h, &to), Status::NonFinite, &["overflow"]);

        let (field, sum, low, high) = (input(&mean, &[3]), input(&b, &[1]), input(&l, &[3]), input(&h, &[3]));
        let ones = input(&v, &[3]);
        let status = pcml_bounded_project(other, w, &field, &ones, &sum, &low, &high, &to, null_mut());
        failed(status, Status::Mismatch, &["pcml_bounded_workspace"]);
        let status = pcml_bounded_project(p, w, null(), &ones, &sum, &low, &high, &to, null_mut());
        failed(status, Status::NullArgument, &["mean"]);
        let status = pcml_bounded_project(p, w, &field, null(), &sum, &low, &high, &to, null_mut());
        failed(status, Status::NullArgument, &["variance"]);
        let status = pcml_bounded_project(p, w, &field, &ones, &sum, &low, &high, null(), null_mut());
        failed(status, Status::NullArgument, &["posterior_mean"]);
        let mut value = 0.0;
        failed(pcml_report_value(report, 1, 0, 0, &mut value), Status::InvalidArgument, &["slice is 0"]);

        // Checks and derivatives.
        failed(pcml_bounded_check(p, w, &field, &sum, &low, &high, null_mut()), Status::NullArgument, &["report"]);
        failed(pcml_projector_check(p, w, &field, &sum, report), Status::Mismatch, &["pcml_projector_workspace"]);
        failed(pcml_projector_check(p, linear, &field, &field, report), Status::Shape, &["b has shape"]);
        let jvp = |dv: *const pcml_const_array, to: *const pcml_array| {
            pcml_bounded_jvp(p, w, &field, &ones, &sum, &low, &high, &field, dv, null(), to)
        };
        failed(jvp(&sum, &to), Status::Shape, &["tangent_variance"]);
        failed(jvp(null(), null()), Status::NullArgument, &["tangent"]);
        let vjp = |cotangent: *const pcml_const_array, to: *const pcml_array| {
            pcml_bounded_vjp(p, w, &field, &ones, &sum, &low, &high, cotangent, to, null(), null())
        };
        failed(vjp(&field, null()), Status::InvalidArgument, &["no gradient"]);
        failed(vjp(null(), &to), Status::NullArgument, &["cotangent"]);
        failed(vjp(&input(&[1.0, nan, 1.0], &[3]), &to), Status::NonFinite, &["cotangent[1]"]);
        assert_eq!(out, [SENTINEL; 3]);

        // An output over an input.
        let mut shared = [1.0, 2.0, 3.0, 4.0];
        let from = input(&shared[..3], &[3]);
        let over = output(&mut shared[1..], &[3]);
        for (mean, bound) in [(&from, &high), (&field, &from)] {
            let status = pcml_bounded_project(p, w, mean, &ones, &sum, &low, bound, &over, null_mut());
            failed(status, Status::Stride, &["posterior_mean overlaps"]);
        }
        assert_eq!(shared, [1.0, 2.0, 3.0, 4.0]);

        // And a good call at last.
        let to = output(&mut out, &[3]);
        ok(pcml_bounded_project(p, w, &field, &ones, &sum, &low, &high, &to, report));
        assert_eq!(out, [0.0, 1.0, 2.0]);
        pcml_report_free(report);
        pcml_workspace_free(w);
        pcml_workspace_free(linear);
        pcml_projector_free(p);
        pcml_projector_free(other);
    }
}
