//! Bad calls of parts, sums and reductions at the C border: a status, a text that names the culprit, outputs untouched, and no part that
//! stays away from the reduction.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, ok, output};
use pcml::capi::*;
use pcml::error::Status;

const CELLS: usize = 5;

/// What the host's function does, and how often it did.
#[derive(Default)]
struct Host {
    calls: i32,
    fails_at: i32,
    counts: [i64; 8],
}

unsafe extern "C" fn alone(context: *mut c_void, values: *mut i64, count: i64) -> i32 {
    let host = unsafe { &mut *context.cast::<Host>() };
    assert!(!values.is_null() && count > 0);
    host.counts[host.calls as usize] = count;
    host.calls += 1;
    if host.calls == host.fails_at { 77 } else { 0 }
}

/// Two equal parts: every sum is twice what this one gives.
unsafe extern "C" fn twice(_: *mut c_void, values: *mut i64, count: i64) -> i32 {
    unsafe { std::slice::from_raw_parts_mut(values, count as usize) }.iter_mut().for_each(|v| *v *= 2);
    0
}

/// A good call in all its parts; each test spoils one.
struct Call {
    projector: *mut pcml_projector,
    workspace: *mut pcml_workspace,
    reduction: *mut pcml_reduction,
    report: *mut pcml_report,
    host: Box<Host>,
    values: Box<[[f64; CELLS]; 3]>,
    outputs: Box<[[f64; CELLS]; 2]>,
}

impl Call {
    fn new() -> Call {
        let weights = [1.0, 2.0, -1.0, 0.5, 1.0];
        let (mut c, mut projector, mut workspace, mut report, mut reduction) =
            (null_mut(), null_mut(), null_mut(), null_mut(), null_mut());
        let mut host = Box::<Host>::default();
        unsafe {
            ok(pcml_constraints_create(CELLS as i64, &mut c));
            ok(pcml_constraints_add_row(c, &input(&weights, &[CELLS]), 0.0));
            ok(pcml_projector_create(c, 2, null(), &mut projector));
            pcml_constraints_free(c);
            ok(pcml_part_workspace(projector, &mut workspace));
            ok(pcml_projector_report(projector, 1, &mut report));
            ok(pcml_reduction_create(Some(alone), (&raw mut *host).cast(), &mut reduction));
        }
        let values = Box::new([[0.0, 1.0, 2.0, 3.0, 4.0], [0.5; CELLS], [1.0; CELLS]]);
        let outputs = Box::new([[SENTINEL; CELLS]; 2]);
        Call { projector, workspace, reduction, report, host, values, outputs }
    }

    fn run(&mut self) -> i32 {
        self.run_with(self.projector, self.workspace, self.reduction, true)
    }

    fn run_with(
        &mut self,
        projector: *const pcml_projector,
        workspace: *mut pcml_workspace,
        reduction: *mut pcml_reduction,
        has_mean: bool,
    ) -> i32 {
        let [mean, variance, b] = &*self.values;
        let (mean, variance, b) = (input(mean, &[CELLS]), input(variance, &[CELLS]), input(&b[..1], &[1]));
        let [to_mean, to_variance] = self.outputs.each_mut().map(|o| output(o, &[CELLS]));
        let mean = if has_mean { &raw const mean } else { null() };
        unsafe {
            pcml_part_project(
                projector,
                workspace,
                reduction,
                mean,
                &variance,
                &b,
                null(),
                null(),
                &to_mean,
                &to_variance,
                self.report,
            )
        }
    }

    #[track_caller]
    fn untouched(&self, calls: i32) {
        assert!(self.outputs.iter().flatten().all(|x| x.to_bits() == SENTINEL.to_bits()));
        let mut slices = -1;
        ok(unsafe { pcml_report_slices(self.report, &mut slices) });
        assert_eq!((slices, self.host.calls), (0, calls));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        unsafe {
            pcml_report_free(self.report);
            pcml_workspace_free(self.workspace);
            pcml_reduction_free(self.reduction);
            pcml_projector_free(self.projector);
        }
    }
}

#[test]
fn a_good_call_reduces_thrice() {
    let mut call = Call::new();
    ok(call.run());
    assert_eq!((call.host.calls, call.host.counts[0]), (3, 52));
    let found: f64 = [1.0, 2.0, -1.0, 0.5, 1.0].iter().zip(&call.outputs[0]).map(|(g, u)| g * u).sum();
    assert!((found - 1.0).abs() < 1e-14);
}

#[test]
fn handles_are_checked_and_the_others_are_told() {
    let mut call = Call::new();
    let (p, w, r) = (call.projector, call.workspace, call.reduction);
    failed(call.run_with(p, w, null_mut(), true), Status::NullArgument, &["reduction"]);
    call.untouched(0);
    failed(call.run_with(null(), w, r, true), Status::NullArgument, &["projector"]);
    call.untouched(1);
    failed(call.run_with(p, null_mut(), r, true), Status::NullArgument, &["workspace"]);
    call.untouched(2);
    let mut other = null_mut();
    ok(unsafe { pcml_projector_workspace(p, 1, &mut other) });
    failed(call.run_with(p, other, r, true), Status::Mismatch, &["pcml_part_workspace"]);
    unsafe { pcml_workspace_free(other) };
    failed(call.run_with(p, w, r, false), Status::NullArgument, &["mean"]);
    call.untouched(4);
    assert!(call.host.counts[..4].iter().all(|&count| count == 52));
}

#[test]
fn values_are_checked() {
    for (array, cell, value, status, text) in [
        (0, 3, f64::NAN, Status::NonFinite, "mean: cell 3"),
        (1, 2, f64::INFINITY, Status::NonFinite, "variance: cell 2"),
        (1, 0, 0.0, Status::Variance, "variance: cell 0"),
        (1, 4, -1.0, Status::Variance, "variance: cell 4"),
        (2, 0, f64::NAN, Status::NonFinite, "b[0]"),
    ] {
        let mut call = Call::new();
        call.values[array][cell] = value;
        failed(call.run(), status, &[text]);
        call.untouched(1);
    }
}

#[test]
fn failing_and_foolish_reductions_are_refused() {
    for at in 1..=3 {
        let mut call = Call::new();
        call.host.fails_at = at;
        failed(call.run(), Status::Reduction, &["returned 77"]);
        call.untouched(at);
    }
    unsafe {
        let mut reduction = null_mut();
        failed(pcml_reduction_create(None, null_mut(), &mut reduction), Status::NullArgument, &["sum is NULL"]);
        assert!(reduction.is_null());
        failed(pcml_reduction_create(Some(twice), null_mut(), null_mut()), Status::NullArgument, &["reduction"]);
        pcml_reduction_free(null_mut());
    }
}

#[test]
fn a_conversation_in_steps() {
    let mut call = Call::new();
    let (p, w, report) = (call.projector, call.workspace, call.report);
    let [mean, variance, b] = *call.values;
    let (mean, variance, b) = (input(&mean, &[CELLS]), input(&variance, &[CELLS]), input(&b[..1], &[1]));
    let [to_mean, to_variance] = call.outputs.each_mut().map(|o| output(o, &[CELLS]));
    let (mut values, mut count) = (null_mut(), 7);
    type Step = unsafe extern "C" fn(
        *const pcml_projector,
        *mut pcml_workspace,
        *const pcml_const_array,
        *const pcml_const_array,
        *const pcml_const_array,
        *const pcml_const_array,
        *const pcml_const_array,
        *const pcml_array,
        *const pcml_array,
        *mut pcml_report,
        *mut *mut i64,
        *mut i64,
    ) -> i32;
    let step = |f: Step, values: *mut *mut i64, count: *mut i64| unsafe {
        f(p, w, &mean, &variance, &b, null(), null(), &to_mean, &to_variance, report, values, count)
    };
    failed(step(pcml_part_continue, &mut values, &mut count), Status::State, &["nothing is under way"]);
    assert_eq!((values, count), (null_mut(), 0));
    failed(step(pcml_part_begin, null_mut(), &mut count), Status::NullArgument, &["values"]);
    failed(step(pcml_part_begin, &mut values, null_mut()), Status::NullArgument, &["count"]);
    ok(step(pcml_part_begin, &mut values, &mut count));
    let mut rounds = 0;
    while count > 0 {
        rounds += 1;
        assert!(!values.is_null());
        ok(step(pcml_part_continue, &mut values, &mut count));
    }
    assert_eq!((rounds, values), (3, null_mut()));
    let in_steps = *call.outputs;
    let mut whole = Call::new();
    ok(whole.run());
    assert_eq!(in_steps, *whole.outputs);
    // Begun again, it starts afresh.
    ok(step(pcml_part_begin, &mut values, &mut count));
    ok(step(pcml_part_begin, &mut values, &mut count));
    assert_eq!(count, 52);
}

#[test]
fn sums_are_exact_and_checked() {
    let a = [1e300, 1.0, -1e300, 2f64.powi(-1060)];
    let mut found = SENTINEL;
    let array = input(&a, &[2, 2]);
    let mut bins = [0i64; SUM_BINS];
    let mut reduction = null_mut();
    unsafe {
        ok(pcml_sum(&array, null(), null_mut(), &mut found));
        assert_eq!(found, 1.0);
        ok(pcml_sum(&array, &input(&[1.0, 3.0, 1.0, 0.0], &[4]), null_mut(), &mut found));
        assert_eq!(found, 3.0);
        ok(pcml_reduction_create(Some(twice), null_mut(), &mut reduction));
        ok(pcml_sum(&array, null(), reduction, &mut found));
        assert_eq!(found, 2.0);
        ok(pcml_sum_bins(&array, null(), bins.as_mut_ptr()));
        bins.iter_mut().for_each(|bin| *bin *= 3);
        ok(pcml_sum_round(bins.as_ptr(), &mut found));
        assert_eq!(found, 3.0);
        ok(pcml_sum(&input(&[1.0, f64::NAN], &[2]), null(), null_mut(), &mut found));
        assert!(found.is_nan());
        ok(pcml_sum(&input(&[1.0, f64::MAX, f64::MAX], &[3]), null(), null_mut(), &mut found));
        assert_eq!(found, f64::INFINITY);

        found = SENTINEL;
        failed(pcml_sum(null(), null(), reduction, &mut found), Status::NullArgument, &["array"]);
        failed(pcml_sum(&array, &input(&a[..3], &[3]), null_mut(), &mut found), Status::Shape, &["second"]);
        failed(pcml_sum(&array, null(), null_mut(), null_mut()), Status::NullArgument, &["sum"]);
        failed(pcml_sum_bins(&array, null(), null_mut()), Status::NullArgument, &["bins"]);
        failed(pcml_sum_round(null(), &mut found), Status::NullArgument, &["bins"]);
        assert_eq!(found, SENTINEL);
        pcml_reduction_free(reduction);
    }
}

#[test]
fn workspaces_are_refused_where_they_cannot_serve() {
    unsafe {
        let (mut c, mut p, mut w) = (null_mut(), null_mut(), null_mut());
        ok(pcml_constraints_create(20, &mut c));
        failed(pcml_constraints_add_absent_row(c, -1.0), Status::Noise, &["noise_variance is -1"]);
        failed(pcml_constraints_add_absent_row(c, f64::NAN), Status::NonFinite, &["noise_variance"]);
        for k in 0..17 {
            ok(pcml_constraints_add_stencils(c, 1, 1, &k, &1.0, 0, 0.0));
        }
        ok(pcml_projector_create(c, 2, null(), &mut p));
        failed(pcml_part_workspace(p, &mut w), Status::TooLarge, &["rows are 17", "at most 16"]);
        pcml_projector_free(p);
        pcml_constraints_free(c);
        ok(pcml_constraints_create(3, &mut c));
        ok(pcml_constraints_add_row(c, &input(&[1.0; 3], &[3]), 0.0));
        ok(pcml_projector_create(c, 8, null(), &mut p));
        failed(pcml_part_workspace(p, &mut w), Status::InvalidArgument, &["prior is Dense"]);
        pcml_projector_free(p);
        ok(pcml_constraints_set_bounds(c, 1, 2));
        ok(pcml_projector_create(c, 2, null(), &mut p));
        failed(pcml_part_workspace(p, &mut w), Status::State, &["relax"]);
        pcml_projector_free(p);
        pcml_constraints_free(c);
        assert!(w.is_null());
    }
}
