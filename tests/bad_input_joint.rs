//! Bad workspaces, reports, arguments and outputs of projections with many rows and of inference at the C border: a status, a text
//! that names the culprit, outputs untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
#[path = "common/joint.rs"]
mod joint;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, message, ok, output};
use joint::{ALL, Call, Handles, INF, N, NAN, SAMPLES, What, add, data_of, handles, three_rows};
use pcml::capi::*;
use pcml::error::Status;

#[test]
fn workspaces_and_reports_are_checked() {
    let h = handles(2, 0, three_rows);
    let other = handles(2, 0, |c| ok(unsafe { pcml_constraints_add_row(c, &input(&[1.0; N], &[N]), 0.0) }));
    let call = Call::new(2);
    let mixed = |workspace, inference, report| Handles { projector: h.projector, workspace, inference, report };
    let check = |m: Handles, status: Status, parts: &[&str]| {
        call.refused(&m, &ALL, status, parts);
        std::mem::forget(m);
    };
    check(mixed(null_mut(), null_mut(), h.report), Status::NullArgument, &["workspace"]);
    check(mixed(other.workspace, other.inference, h.report), Status::Mismatch, &["workspace"]);
    check(mixed(h.inference, h.workspace, h.report), Status::Mismatch, &["workspace"]);
    let m = mixed(h.workspace, h.inference, other.report);
    call.refused(&m, &[What::Project], Status::Mismatch, &["report has 1 rows a slice, expected 3"]);
    std::mem::forget(m);

    let mut w = null_mut();
    unsafe {
        let p = h.projector;
        failed(pcml_projector_workspace(p, 0, &mut w), Status::InvalidArgument, &["slices is 0"]);
        failed(pcml_projector_workspace(p, i64::MAX, &mut w), Status::OutOfMemory, &["workspace"]);
        failed(pcml_projector_workspace(p, i64::MAX / 16, &mut w), Status::OutOfMemory, &["workspace"]);
        failed(pcml_inference_workspace(p, -1, &mut w), Status::InvalidArgument, &["max_samples is -1"]);
        failed(pcml_inference_workspace(p, i64::MAX, &mut w), Status::OutOfMemory, &["inference workspace"]);
        failed(pcml_inference_workspace(p, i64::MAX / 16, &mut w), Status::OutOfMemory, &["inference workspace"]);
        failed(pcml_inference_workspace(null(), 1, &mut w), Status::NullArgument, &["projector"]);
        failed(pcml_inference_workspace(p, 1, null_mut()), Status::NullArgument, &["workspace"]);
        assert!(w.is_null());
        let mut r = null_mut();
        for slices in [i64::MAX, i64::MAX / 16] {
            let status = pcml_projector_report(p, slices, &mut r);
            assert!([Status::TooLarge as i32, Status::OutOfMemory as i32].contains(&status), "{}", message());
        }
        failed(pcml_projector_report(p, 0, &mut r), Status::InvalidArgument, &["slices is 0"]);
        assert!(r.is_null());

        // States of an absurd size: rows fit, what needs a value a cell does not.
        let mut c = null_mut();
        ok(pcml_constraints_create(i64::MAX, &mut c));
        failed(pcml_constraints_add_row(c, &input(&[1.0; N], &[N]), 0.0), Status::Shape, &["weights"]);
        let status = pcml_constraints_add_stencils(c, 1, 1, &0, &1.0, 0, 0.0);
        failed(status, Status::TooLarge, &["9223372036854775807"]);
        pcml_constraints_free(c);
        let beyond = u32::MAX as i64 + 1;
        ok(pcml_constraints_create(beyond, &mut c));
        ok(pcml_constraints_add_grid_quadrature(c, 1, &input(&[0.0, 1.0], &[2]), 1, beyond - 2, 0.0));
        let mut p = null_mut();
        failed(pcml_projector_create(c, 2, null(), &mut p), Status::TooLarge, &["4294967296", "4294967295"]);
        assert!(p.is_null());
        pcml_constraints_free(c);
        ok(pcml_constraints_create(u32::MAX as i64, &mut c));
        ok(pcml_constraints_add_stencils(c, 1, 1, &0, &1.0, 0, 0.0));
        failed(pcml_projector_create(c, 8, null(), &mut p), Status::TooLarge, &["prior"]);
        assert!(p.is_null());
        pcml_constraints_free(c);
    }
}

#[test]
fn inference_arguments_are_checked() {
    let h = handles(2, 0, three_rows);
    let call = Call::new(2);
    let (mean, b) = (input(&call.mean, &[N]), input(&call.b, &[3]));
    let v = input(&call.data, &[N]);
    let (p, w) = (h.projector, h.inference);
    let mut out = [SENTINEL; 64];
    let mut second = [SENTINEL; 64];
    use Status::*;
    unsafe {
        let sample = |first, to: *const pcml_array| pcml_inference_sample(p, w, &mean, &v, &b, 1, first, to);
        let full = output(&mut out, &[SAMPLES, N]);
        failed(sample(0, &output(&mut out, &[3, N])), InvalidArgument, &["samples has 3", "at most 2"]);
        failed(sample(0, &output(&mut out, &[N])), Shape, &["samples has shape [6]"]);
        failed(sample(0, &output(&mut out, &[2, 5])), Shape, &["samples has shape [2, 5]"]);
        failed(sample(0, &output(&mut out, &[N, 2])), Shape, &["samples has shape [6, 2]"]);
        failed(sample(-1, &full), InvalidArgument, &["first is -1"]);
        failed(sample(i64::MIN, &full), InvalidArgument, &["first"]);
        failed(sample(0, null()), NullArgument, &["samples"]);
        failed(pcml_inference_sample(p, w, null(), &v, &b, 1, 0, &full), NullArgument, &["mean"]);
        failed(pcml_inference_sample(p, w, &mean, &v, null(), 1, 0, &full), NullArgument, &["b is NULL"]);
        let value = &mut out[0] as *mut f64;
        failed(pcml_inference_log_likelihood(p, w, &mean, &v, &b, null_mut()), NullArgument, &["log_likelihood"]);
        failed(pcml_inference_log_likelihood(p, w, null(), &v, &b, value), NullArgument, &["mean"]);

        let block = |rows: *const i64, n, columns: *const i64, m, to: *const pcml_array| {
            pcml_inference_covariance(p, w, &v, rows, n, columns, m, to)
        };
        let (one, two) = ([0, 5], [1, 6, 2]);
        let (r, c) = (one.as_ptr(), one.as_ptr());
        let to = output(&mut out, &[2, 2]);
        failed(block(two.as_ptr(), 3, c, 2, &output(&mut out, &[3, 2])), InvalidArgument, &["rows[1] is 6", "0 to 5"]);
        failed(block(r, 2, two.as_ptr(), 3, &output(&mut out, &[2, 3])), InvalidArgument, &["columns[1] is 6"]);
        failed(block([0, -1].as_ptr(), 2, c, 2, &to), InvalidArgument, &["rows[1] is -1"]);
        failed(block(r, 2, [i64::MAX, 0].as_ptr(), 2, &to), InvalidArgument, &["columns[0] is"]);
        failed(block(r, 0, c, 2, &to), InvalidArgument, &["row_count is 0"]);
        failed(block(r, 2, c, -2, &to), InvalidArgument, &["column_count is -2"]);
        failed(block(r, i64::MAX, c, 2, &to), TooLarge, &["rows"]);
        failed(block(null(), 2, c, 2, &to), NullArgument, &["rows"]);
        failed(block(r, 2, null(), 2, &to), NullArgument, &["columns"]);
        failed(block(r, 2, c, 2, null()), NullArgument, &["covariance"]);
        failed(block(r, 2, c, 2, &output(&mut out, &[4])), Shape, &["covariance has shape [4]", "[2, 2]"]);
        failed(block(r, 2, c, 2, &output(&mut out, &[2, 3])), Shape, &["covariance has shape [2, 3]"]);
        let status = pcml_projector_covariance(p, h.workspace, &v, &output(&mut out, &[N, 5]));
        failed(status, Shape, &["covariance has shape [6, 5]"]);

        let none = null::<pcml_const_array>();
        let jvp = |du: *const pcml_const_array, dv: *const pcml_const_array, db: *const pcml_const_array, to| {
            pcml_inference_jvp(p, w, &mean, &v, &b, du, dv, db, to)
        };
        let field = output(&mut out, &[N]);
        failed(jvp(&mean, none, none, null()), NullArgument, &["tangent"]);
        failed(jvp(&b, none, none, &field), Shape, &["tangent_mean"]);
        failed(jvp(none, &b, none, &field), Shape, &["tangent_variance"]);
        failed(jvp(none, none, &mean, &field), Shape, &["tangent_b"]);
        failed(jvp(none, none, none, &output(&mut out, &[5])), Shape, &["tangent has shape [5]"]);
        let bad = [1.0, 1.0, NAN, 1.0, 1.0, 1.0];
        let bad = input(&bad, &[N]);
        failed(jvp(&bad, none, none, &field), NonFinite, &["tangent_mean[2]"]);
        failed(jvp(none, &bad, none, &field), NonFinite, &["tangent_variance[2]"]);
        failed(jvp(none, none, &input(&[1.0, INF, 1.0], &[3]), &field), NonFinite, &["tangent_b[1]"]);

        let no = null::<pcml_array>();
        let vjp = |cotangent: *const pcml_const_array, u, dv, db| {
            pcml_inference_vjp(p, w, &mean, &v, &b, cotangent, u, dv, db)
        };
        let rows = output(&mut second, &[3]);
        failed(vjp(&mean, no, no, no), InvalidArgument, &["no gradient"]);
        failed(vjp(none, &field, no, no), NullArgument, &["cotangent"]);
        failed(vjp(&b, &field, no, no), Shape, &["cotangent has shape [3]"]);
        failed(vjp(&bad, &field, no, &rows), NonFinite, &["cotangent[2]"]);
        failed(vjp(&mean, &rows, no, no), Shape, &["gradient_mean"]);
        failed(vjp(&mean, no, &rows, no), Shape, &["gradient_variance"]);
        failed(vjp(&mean, no, no, &field), Shape, &["gradient_b"]);
        failed(vjp(&mean, &field, &field, no), Stride, &["gradient_mean overlaps gradient_variance"]);
        assert!(out.iter().chain(&second).all(|x| x.to_bits() == SENTINEL.to_bits()));

        // Variances of their own have the diagonal and the scalar prior only.
        for prior in [1, 4, 5, 6, 7, 8, 9] {
            let h = handles(prior, data_of(prior).0, three_rows);
            let (_, values, shape) = data_of(prior);
            let v = (prior > 1).then(|| input(&values, &shape));
            let v = v.as_ref().map_or(null(), |v| &raw const *v);
            let (p, w) = (h.projector, h.inference);
            let status = pcml_inference_jvp(p, w, &mean, v, &b, none, &mean, none, &field);
            failed(status, InvalidArgument, &["tangent_variance", "no variances of its own"]);
            let status = pcml_inference_vjp(p, w, &mean, v, &b, &mean, no, &field, no);
            failed(status, InvalidArgument, &["gradient_variance", "no variances of its own"]);
        }
        assert!(out.iter().chain(&second).all(|x| x.to_bits() == SENTINEL.to_bits()));
    }
}

#[test]
fn budgets_residuals_and_checks_are_checked() {
    let h = handles(2, 0, three_rows);
    let (p, w) = (h.projector, h.workspace);
    let u = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let field = input(&u, &[N]);
    let mut out = [SENTINEL; 3];
    let to = output(&mut out, &[3]);
    use Status::*;
    unsafe {
        let budget = |u: &pcml_const_array, rates: &[f64], shape: &[usize], dt| {
            pcml_projector_budget(p, w, u, &input(rates, shape), dt, &to)
        };
        let rates = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        failed(budget(&field, &rates[..4], &[4], 1.0), Shape, &["rates has shape [4]"]);
        failed(budget(&field, &rates[..2], &[2], 1.0), Shape, &["rates has shape [2]"]);
        failed(budget(&field, &rates, &[2, 3], 1.0), Shape, &["rates has shape [2, 3]", "[1, 3, terms]"]);
        for dt in [NAN, INF] {
            failed(budget(&field, &rates, &[1, 3, 2], dt), NonFinite, &["dt is"]);
        }
        failed(budget(&field, &[1.0, NAN, 1.0], &[3], 1.0), NonFinite, &["rates[1] is NaN"]);
        failed(budget(&field, &[1.0, 1e300, 1.0], &[3], 1e300), NonFinite, &["rates: slice 0, row 1"]);
        let sum = [1.7e308, 1.7e308, 1.0, 1.0, 1.0, 1.0];
        failed(budget(&field, &sum, &[1, 3, 2], 1.0), NonFinite, &["rates: slice 0, row 0"]);
        let bad = [1.0, 2.0, 3.0, 4.0, INF, 6.0];
        failed(budget(&input(&bad, &[N]), &rates, &[1, 3, 2], 1.0), NonFinite, &["previous: slice 0, cell 4"]);
        let big = [1.7e308; N];
        failed(budget(&input(&big, &[N]), &rates, &[1, 3, 2], 1.0), NonFinite, &["previous: slice 0, row", "overflow"]);
        failed(budget(&input(&u, &[5]), &rates, &[1, 3, 2], 1.0), Shape, &["previous has shape [5]"]);
        let two = input(&[1.0; 12], &[2, N]);
        failed(budget(&two, &rates, &[2, 3], 1.0), InvalidArgument, &["previous has 2 slices"]);
        let three = input(&rates, &[3]);
        let status = pcml_projector_budget(p, w, &field, &three, 1.0, &output(&mut [SENTINEL; 2], &[2]));
        failed(status, Shape, &["b has shape [2]"]);
        failed(pcml_projector_budget(p, w, null(), &three, 1.0, &to), NullArgument, &["previous"]);
        failed(pcml_projector_budget(p, w, &field, null(), 1.0, &to), NullArgument, &["rates"]);
        failed(pcml_projector_budget(p, w, &field, &three, 1.0, null()), NullArgument, &["b is NULL"]);
        failed(pcml_projector_budget(p, null_mut(), &field, &three, 1.0, &to), NullArgument, &["workspace"]);

        let residual =
            |u: &pcml_const_array, b: &[f64], to| pcml_projector_residual(p, w, u, &input(b, &[b.len()]), to);
        let place = to.data.cast::<f64>();
        failed(residual(&field, &[1.0; 2], place), Shape, &["b has shape [2]"]);
        failed(residual(&field, &[1.0, NAN, 1.0], place), NonFinite, &["b: slice 0, row 1"]);
        failed(residual(&input(&bad, &[N]), &[1.0; 3], place), NonFinite, &["mean: slice 0, cell 4"]);
        failed(residual(&input(&big, &[N]), &[1.0; 3], place), NonFinite, &["mean: slice 0, row", "overflow"]);
        failed(residual(&field, &[1.0; 3], null_mut()), NullArgument, &["residual"]);
        let check = |u: &pcml_const_array, b: &[f64], r| pcml_projector_check(p, w, u, &input(b, &[b.len()]), r);
        failed(check(&field, &[1.0; 2], h.report), Shape, &["b has shape [2]"]);
        failed(check(&field, &[1.0, 1.0, INF], h.report), NonFinite, &["b: slice 0, row 2"]);
        failed(check(&input(&bad, &[N]), &[1.0; 3], h.report), NonFinite, &["mean: slice 0, cell 4"]);
        failed(check(&field, &[1.0; 3], null_mut()), NullArgument, &["report"]);
        let mut slices = -1;
        ok(pcml_report_slices(h.report, &mut slices));
        assert_eq!((slices, out), (0, [SENTINEL; 3]));
    }
}

#[test]
fn outputs_that_overlap_inputs_are_refused() {
    let h = handles(2, 0, three_rows);
    let (p, w, i) = (h.projector, h.workspace, h.inference);
    let call = Call::new(2);
    let mut shared: Vec<f64> = (0..48).map(|k| 1.0 + f64::from(k) * 0.25).collect();
    let before = shared.clone();
    let mut out = [SENTINEL; 2 * N];
    let (mean, v, b) = (input(&call.mean, &[N]), input(&call.data, &[N]), input(&call.b, &[3]));
    let (from, from_b) = (input(&shared[..N], &[N]), input(&shared[..3], &[3]));
    let over = output(&mut shared[1..], &[N]);
    let matrix = output(&mut shared[1..], &[N, N]);
    let samples = output(&mut shared[1..], &[SAMPLES, N]);
    let (over_b, apart) = (output(&mut shared[1..], &[3]), output(&mut out, &[N]));
    let (none, no) = (null::<pcml_const_array>(), null::<pcml_array>());
    let refused = |status: i32, parts: &[&str]| failed(status, Status::Stride, parts);
    unsafe {
        for (mean, v, b, name) in [(&from, &v, &b, "mean"), (&mean, &from, &b, "variance"), (&mean, &v, &from_b, "b")] {
            let name = format!("overlaps {name}");
            let status = pcml_projector_project(p, w, mean, v, b, &over, no, h.report);
            refused(status, &["posterior_mean", &name]);
            let status = pcml_projector_project(p, w, mean, v, b, &apart, &over, h.report);
            refused(status, &["posterior_variance", &name]);
            refused(pcml_inference_sample(p, i, mean, v, b, 1, 0, &samples), &["samples", &name]);
            refused(pcml_inference_jvp(p, i, mean, v, b, none, none, none, &over), &["tangent overlaps"]);
            let status = pcml_inference_vjp(p, i, mean, v, b, &mean.clone(), no, no, &over_b);
            refused(status, &["gradient_b overlaps"]);
        }
        refused(pcml_projector_project(p, w, &mean, &v, &b, &over, &over, h.report), &["posterior_variance overlaps"]);
        refused(pcml_inference_jvp(p, i, &mean, &v, &b, &from, none, none, &over), &["tangent overlaps"]);
        refused(pcml_inference_jvp(p, i, &mean, &v, &b, none, &from, none, &over), &["tangent overlaps"]);
        refused(pcml_inference_jvp(p, i, &mean, &v, &b, none, none, &from_b, &over), &["tangent overlaps"]);
        refused(pcml_inference_vjp(p, i, &mean, &v, &b, &from, &over, no, no), &["gradient_mean overlaps"]);
        let cells = [0, 1, 2, 3, 4, 5];
        let c = cells.as_ptr();
        refused(pcml_inference_covariance(p, i, &from, c, 6, c, 6, &matrix), &["covariance overlaps variance"]);
        refused(pcml_projector_covariance(p, w, &from, &matrix), &["covariance overlaps variance"]);
        let residual = over_b.data.cast::<f64>();
        refused(pcml_projector_residual(p, w, &from, &b, residual), &["residual overlaps mean"]);
        refused(pcml_projector_residual(p, w, &mean, &from_b, residual), &["residual overlaps b"]);
        refused(pcml_projector_budget(p, w, &from, &b, 1.0, &over_b), &["b overlaps previous"]);
        refused(pcml_projector_budget(p, w, &mean, &from_b, 1.0, &over_b), &["b overlaps rates"]);
    }
    assert_eq!((shared, out), (before, [SENTINEL; 2 * N]));
}

/// A C-ordered f32 array to write.
fn output32(data: &mut [f32], shape: &[usize]) -> pcml_array {
    let mut a = output::<f64>(&mut [], shape);
    (a.data, a.dtype) = (data.as_mut_ptr().cast(), 1);
    a
}

#[test]
fn results_that_overflow_f32_are_refused() {
    let h = handles(2, 0, |c| unsafe {
        add(c, &[0, 1], &[1.0, 1.0], 0.0);
        add(c, &[2], &[1.0], 0.0);
        add(c, &[3], &[1.0], 0.0);
    });
    let (p, w, i) = (h.projector, h.workspace, h.inference);
    let call = Call::new(2);
    let (mean, v, b) = (input(&call.mean, &[N]), input(&call.data, &[N]), input(&call.b, &[3]));
    let mut out = [-7f32; N * N];
    let mut second = [-7f32; N];
    let (none, no) = (null::<pcml_const_array>(), null::<pcml_array>());
    unsafe {
        for big in [1e300, -1e300] {
            let mut x = [0.0; N];
            x[5] = big;
            let x = input(&x, &[N]);
            let to = output32(&mut out, &[N]);
            let status = pcml_inference_jvp(p, i, &mean, &v, &b, &x, none, none, &to);
            failed(status, Status::NonFinite, &["tangent overflows"]);
            let status = pcml_inference_vjp(p, i, &mean, &v, &b, &x, &to, no, &output32(&mut second, &[3]));
            failed(status, Status::NonFinite, &["gradient_mean overflows"]);
            let status = pcml_projector_project(p, w, &x, &v, &b, &to, &output32(&mut second, &[N]), h.report);
            failed(status, Status::NonFinite, &["posterior_mean", "overflow"]);
            let samples = output32(&mut out, &[SAMPLES, N]);
            let status = pcml_inference_sample(p, i, &x, &v, &b, 1, 0, &samples);
            failed(status, Status::NonFinite, &["sample 0", "overflow"]);
            let rates = [big, 1.0, 1.0];
            let status = pcml_projector_budget(p, w, &mean, &input(&rates, &[3]), 1.0, &output32(&mut second, &[3]));
            failed(status, Status::NonFinite, &["b: slice 0, row 0 overflows"]);
        }
        let wide = input(&[1e200; N], &[N]);
        let to = output32(&mut out, &[N]);
        let status = pcml_projector_project(p, w, &mean, &wide, &b, &output32(&mut second, &[N]), &to, h.report);
        failed(status, Status::NonFinite, &["posterior_variance", "overflow"]);
        let status = pcml_projector_covariance(p, w, &wide, &output32(&mut out, &[N, N]));
        failed(status, Status::NonFinite, &["covariance", "overflow"]);
        let cells = [0, 5];
        let to = output32(&mut out, &[2, 2]);
        let status = pcml_inference_covariance(p, i, &wide, cells.as_ptr(), 2, cells.as_ptr(), 2, &to);
        failed(status, Status::NonFinite, &["covariance", "overflow"]);
    }
    assert!(out.iter().chain(&second).all(|&x| x == -7.0));
}
