//! Every wrong argument of the projection's C functions: a status, a text that names the culprit, outputs untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use border::{failed, ok};
use pcml::capi::*;
use pcml::error::Status;

const CELLS: usize = 5;
const SLICES: usize = 3;
const SENTINEL: f64 = -7.25;

#[track_caller]
fn refused(status: i32, expected: Status, names: &str) {
    failed(status, expected, &[names]);
}

fn array(data: *const f64, shape: &[i64]) -> pcml_const_array {
    let mut a = pcml_const_array {
        struct_size: size_of::<pcml_const_array>() as i64,
        data: data.cast::<c_void>(),
        dtype: 2,
        rank: shape.len() as i32,
        shape: [0; 8],
        strides: [0; 8],
    };
    let mut step = 1;
    for axis in (0..shape.len()).rev() {
        a.shape[axis] = shape[axis];
        a.strides[axis] = step;
        step *= shape[axis];
    }
    a
}

fn writable(a: pcml_const_array) -> pcml_array {
    let pcml_const_array { struct_size, data, dtype, rank, shape, strides } = a;
    pcml_array { struct_size, data: data.cast_mut(), dtype, rank, shape, strides }
}

/// A good call in all its parts; each test spoils one.
struct Call {
    projector: *mut pcml_projector,
    workspace: *mut pcml_workspace,
    report: *mut pcml_report,
    mean: Box<[f64; 15]>,
    variance: Box<[f64; 15]>,
    b: Box<[f64; 3]>,
    out_mean: Box<[f64; 15]>,
    out_variance: Box<[f64; 15]>,
    mean_array: pcml_const_array,
    variance_array: pcml_const_array,
    b_array: pcml_const_array,
    out_mean_array: pcml_array,
    out_variance_array: pcml_array,
}

fn constraints(noise: f64) -> *mut pcml_constraints {
    let mut c = null_mut();
    let weights = [1.0, 2.0, -1.0, 0.5, 1.0];
    unsafe {
        ok(pcml_constraints_create(CELLS as i64, &mut c));
        ok(pcml_constraints_add_row(c, &array(weights.as_ptr(), &[5]), noise));
    }
    c
}

fn projector(prior: i32, held: bool) -> *mut pcml_projector {
    let (c, mut options, mut p) = (constraints(0.0), null_mut(), null_mut());
    unsafe {
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_held_cells(options, i32::from(held)));
        ok(pcml_projector_create(c, prior, options, &mut p));
        pcml_options_free(options);
        pcml_constraints_free(c);
    }
    p
}

impl Call {
    fn new() -> Call {
        Call::with(2, false)
    }

    fn with(prior: i32, held: bool) -> Call {
        let p = projector(prior, held);
        let (mut workspace, mut report) = (null_mut(), null_mut());
        unsafe {
            ok(pcml_projector_workspace(p, SLICES as i64, &mut workspace));
            ok(pcml_projector_report(p, SLICES as i64, &mut report));
        }
        let shape = [3, 5];
        let mean = Box::new(std::array::from_fn(|i| i as f64));
        let (variance, b) = (Box::new([0.5; 15]), Box::new([1.0, 2.0, 3.0]));
        let (mut out_mean, mut out_variance) = (Box::new([SENTINEL; 15]), Box::new([SENTINEL; 15]));
        Call {
            projector: p,
            workspace,
            report,
            mean_array: array(mean.as_ptr(), &shape),
            variance_array: array(variance.as_ptr(), &shape),
            b_array: array(b.as_ptr(), &[3]),
            out_mean_array: writable(array(out_mean.as_mut_ptr(), &shape)),
            out_variance_array: writable(array(out_variance.as_mut_ptr(), &shape)),
            mean,
            variance,
            b,
            out_mean,
            out_variance,
        }
    }

    fn run(&self) -> i32 {
        unsafe {
            pcml_projector_project(
                self.projector,
                self.workspace,
                &self.mean_array,
                &self.variance_array,
                &self.b_array,
                &self.out_mean_array,
                &self.out_variance_array,
                self.report,
            )
        }
    }

    #[track_caller]
    fn untouched(&self) {
        for x in self.out_mean.iter().chain(self.out_variance.iter()) {
            assert_eq!(x.to_bits(), SENTINEL.to_bits());
        }
        let mut slices = -1;
        ok(unsafe { pcml_report_slices(self.report, &mut slices) });
        assert_eq!(slices, 0);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        unsafe {
            pcml_workspace_free(self.workspace);
            pcml_report_free(self.report);
            pcml_projector_free(self.projector);
        }
    }
}

#[track_caller]
fn spoiled(expected: Status, names: &str, spoil: impl FnOnce(&mut Call)) {
    let mut call = Call::new();
    spoil(&mut call);
    refused(call.run(), expected, names);
    call.untouched();
}

#[test]
fn the_good_call_succeeds() {
    let mut call = Call::new();
    ok(call.run());
    let mut value = 0.0;
    for item in 1..=9 {
        ok(unsafe { pcml_report_value(call.report, item, 2, 0, &mut value) });
    }
    let mut residual = [SENTINEL; 3];
    call.mean_array.data = call.out_mean.as_ptr().cast();
    ok(unsafe {
        let (mean, b) = (&call.mean_array, &call.b_array);
        pcml_projector_residual(call.projector, call.workspace, mean, b, residual.as_mut_ptr())
    });
    assert!(residual.iter().all(|r| r.abs() < 1e-14));
    // In place, through the plain-pointer form, in both dtypes.
    let (mut u, mut v) = (*call.mean, *call.variance);
    ok(unsafe {
        let (m, s) = (u.as_mut_ptr(), v.as_mut_ptr());
        pcml_projector_project_f64(call.projector, call.workspace, 3, m, s, call.b.as_ptr(), m, s, call.report)
    });
    assert_eq!((u, v), (*call.out_mean, *call.out_variance));
    let (mut u, mut v) = (call.mean.map(|x| x as f32), call.variance.map(|x| x as f32));
    ok(unsafe {
        let (m, s) = (u.as_mut_ptr(), v.as_mut_ptr());
        pcml_projector_project_f32(call.projector, call.workspace, 3, m, s, call.b.as_ptr(), m, s, null_mut())
    });
    assert!(u.iter().zip(call.out_mean.iter()).all(|(a, b)| (*a as f64 - b).abs() < 1e-5));
}

#[test]
fn null_in_every_place() {
    let call = Call::new();
    let (p, w) = (call.projector, call.workspace);
    let (m, v, b) = (&raw const call.mean_array, &raw const call.variance_array, &raw const call.b_array);
    let (u, s, r) = (&raw const call.out_mean_array, &raw const call.out_variance_array, call.report);
    let null_of = Status::NullArgument;
    unsafe {
        refused(pcml_projector_project(null(), w, m, v, b, u, s, r), null_of, "projector");
        refused(pcml_projector_project(p, null_mut(), m, v, b, u, s, r), null_of, "workspace");
        refused(pcml_projector_project(p, w, null(), v, b, u, s, r), null_of, "mean");
        refused(pcml_projector_project(p, w, m, null(), b, u, s, r), null_of, "variance");
        refused(pcml_projector_project(p, w, m, v, null(), u, s, r), null_of, "b is NULL");
        refused(pcml_projector_project(p, w, m, v, b, null(), s, r), null_of, "posterior_mean");

        let (fm, fv, fb) = (call.mean.as_ptr(), call.variance.as_ptr(), call.b.as_ptr());
        let (fu, fs) = (call.out_mean.as_ptr().cast_mut(), call.out_variance.as_ptr().cast_mut());
        refused(pcml_projector_project_f64(null(), w, 3, fm, fv, fb, fu, fs, r), null_of, "projector");
        refused(pcml_projector_project_f64(p, null_mut(), 3, fm, fv, fb, fu, fs, r), null_of, "workspace");
        refused(pcml_projector_project_f64(p, w, 3, null(), fv, fb, fu, fs, r), null_of, "mean");
        refused(pcml_projector_project_f64(p, w, 3, fm, null(), fb, fu, fs, r), null_of, "variance");
        refused(pcml_projector_project_f64(p, w, 3, fm, fv, null(), fu, fs, r), null_of, "b is NULL");
        refused(pcml_projector_project_f64(p, w, 3, fm, fv, fb, null_mut(), fs, r), null_of, "posterior_mean");
        refused(pcml_projector_project_f64(p, w, 0, fm, fv, fb, fu, fs, r), Status::InvalidArgument, "slices");
        refused(pcml_projector_project_f64(p, w, 4, fm, fv, fb, fu, fs, r), Status::InvalidArgument, "4 slices");
        refused(pcml_projector_project_f64(p, w, i64::MAX, fm, fv, fb, fu, fs, r), Status::TooLarge, "mean");
        let odd = fm.byte_add(4);
        refused(pcml_projector_project_f64(p, w, 1, odd, fv, fb, fu, fs, r), Status::Stride, "mean is not aligned");
        refused(
            pcml_projector_project_f32(p, w, 3, null(), null(), fb, null_mut(), null_mut(), r),
            null_of,
            "mean is NULL",
        );

        let mut left = [SENTINEL; 3];
        let out = left.as_mut_ptr();
        refused(pcml_projector_residual(null(), w, m, b, out), null_of, "projector");
        refused(pcml_projector_residual(p, null_mut(), m, b, out), null_of, "workspace");
        refused(pcml_projector_residual(p, w, null(), b, out), null_of, "mean");
        refused(pcml_projector_residual(p, w, m, null(), out), null_of, "b is NULL");
        refused(pcml_projector_residual(p, w, m, b, null_mut()), null_of, "residual");
        assert_eq!(left, [SENTINEL; 3]);

        let one = array(call.variance.as_ptr(), &[5]);
        let mut square = [SENTINEL; 25];
        let full = writable(array(square.as_mut_ptr(), &[5, 5]));
        refused(pcml_projector_covariance(null(), w, &one, &full), null_of, "projector");
        refused(pcml_projector_covariance(p, null_mut(), &one, &full), null_of, "workspace");
        refused(pcml_projector_covariance(p, w, null(), &full), null_of, "variance");
        refused(pcml_projector_covariance(p, w, &one, null()), null_of, "covariance");
        let flat = writable(array(square.as_mut_ptr(), &[25]));
        refused(pcml_projector_covariance(p, w, &one, &flat), Status::Shape, "covariance");
        refused(pcml_projector_covariance(p, w, v, &full), Status::Shape, "variance");
        assert_eq!(square, [SENTINEL; 25]);

        let (c, mut made, mut space, mut report) = (constraints(0.0), p, w, r);
        refused(pcml_projector_create(null(), 2, null(), &mut made), null_of, "constraints");
        assert!(made.is_null());
        refused(pcml_projector_create(c, 2, null(), null_mut()), null_of, "projector");
        refused(pcml_projector_workspace(null(), 3, &mut space), null_of, "projector");
        assert!(space.is_null());
        refused(pcml_projector_workspace(p, 3, null_mut()), null_of, "workspace");
        refused(pcml_projector_report(null(), 3, &mut report), null_of, "projector");
        assert!(report.is_null());
        refused(pcml_projector_report(p, 3, null_mut()), null_of, "report");
        refused(pcml_constraints_create(5, null_mut()), null_of, "constraints");
        refused(pcml_constraints_add_quadrature(null_mut(), 1, &one, 0.0), null_of, "constraints");
        refused(pcml_constraints_add_quadrature(c, 1, null(), 0.0), null_of, "points");
        refused(pcml_constraints_add_row(null_mut(), &one, 0.0), null_of, "constraints");
        refused(pcml_constraints_add_row(c, null(), 0.0), null_of, "weights");
        pcml_constraints_free(c);
        pcml_constraints_free(null_mut());
        pcml_projector_free(null_mut());
        pcml_report_free(null_mut());

        let (mut count, mut value) = (SENTINEL as i64, SENTINEL);
        refused(pcml_report_slices(null(), &mut count), null_of, "report");
        refused(pcml_report_slices(r, null_mut()), null_of, "slices");
        refused(pcml_report_value(null(), 1, 0, 0, &mut value), null_of, "report");
        refused(pcml_report_value(r, 1, 0, 0, null_mut()), null_of, "value");
        refused(pcml_report_value(r, 1, 0, 0, &mut value), Status::InvalidArgument, "slice");
        assert_eq!(value, SENTINEL);
    }
    call.untouched();
    ok(call.run());
    let mut value = SENTINEL;
    for (item, slice, row, culprit) in
        [(0, 0, 0, "item"), (99, 0, 0, "item"), (1, 3, 0, "slice"), (1, -1, 0, "slice"), (1, 0, 1, "row")]
    {
        let status = unsafe { pcml_report_value(call.report, item, slice, row, &mut value) };
        refused(status, Status::InvalidArgument, culprit);
    }
    assert_eq!(value, SENTINEL);
}

#[test]
fn wrong_descriptors() {
    spoiled(Status::Mismatch, "mean.struct_size", |c| c.mean_array.struct_size -= 8);
    spoiled(Status::Mismatch, "posterior_variance.struct_size", |c| c.out_variance_array.struct_size = 0);
    spoiled(Status::NullArgument, "b.data", |c| c.b_array.data = null());
    spoiled(Status::NullArgument, "posterior_mean.data", |c| c.out_mean_array.data = null_mut());
    spoiled(Status::Dtype, "variance", |c| c.variance_array.dtype = 3);
    spoiled(Status::Dtype, "posterior_mean", |c| c.out_mean_array.dtype = 0);
    spoiled(Status::Shape, "mean.rank", |c| c.mean_array.rank = 0);
    spoiled(Status::Shape, "variance.rank", |c| c.variance_array.rank = 9);
    spoiled(Status::Shape, "mean.shape[1]", |c| c.mean_array.shape[1] = -5);
    spoiled(Status::Shape, "mean has shape", |c| c.mean_array.shape[1] = 4);
    spoiled(Status::Shape, "variance has shape", |c| c.variance_array.shape[0] = 2);
    spoiled(Status::Shape, "b has shape", |c| c.b_array.shape[0] = 2);
    spoiled(Status::Shape, "b has shape", |c| (c.b_array.rank, c.b_array.shape[0], c.b_array.shape[1]) = (2, 1, 3));
    spoiled(Status::Shape, "posterior_mean has shape", |c| c.out_mean_array.shape[0] = 2);
    spoiled(Status::Shape, "posterior_variance has shape", |c| c.out_variance_array.rank = 1);
    spoiled(Status::TooLarge, "mean", |c| c.mean_array.strides[0] = i64::MAX);
    spoiled(Status::Stride, "posterior_mean", |c| c.out_mean_array.strides[0] = 0);
    spoiled(Status::Stride, "posterior_variance", |c| c.out_variance_array.strides[0] = 3);
    spoiled(Status::Stride, "mean.data", |c| c.mean_array.data = c.mean_array.data.wrapping_byte_add(2));
}

#[test]
fn wrong_values() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        spoiled(Status::NonFinite, "mean: slice 1, cell 2", |c| c.mean[7] = bad);
        spoiled(Status::NonFinite, "variance: slice 2, cell 4", |c| c.variance[14] = bad);
        spoiled(Status::NonFinite, "b: slice 2", |c| c.b[2] = bad);
    }
    spoiled(Status::Variance, "variance: slice 0, cell 3 is 0e0", |c| c.variance[3] = 0.0);
    spoiled(Status::Variance, "variance: slice 1, cell 0 is -1e0", |c| c.variance[5] = -1.0);
    spoiled(Status::Variance, "variance: slice 2, cell 0 is -1e-300", |c| c.variance[10] = -1e-300);
    spoiled(Status::NonFinite, "mean: slice 2", |c| (c.mean[10], c.mean[11]) = (1.5e308, 1.5e308));
    spoiled(Status::NonFinite, "variance: slice 0", |c| *c.variance = [1.7e308; 15]);

    let mut call = Call::with(2, true);
    call.variance[3] = 0.0;
    ok(call.run());
    let mut call = Call::with(2, true);
    call.variance[10..].fill(0.0);
    refused(call.run(), Status::Singular, "slice 2");
    call.untouched();
    let mut call = Call::with(2, true);
    call.variance[4] = -1.0;
    refused(call.run(), Status::Variance, "variance: slice 0, cell 4");
    call.untouched();

    let mut call = Call::with(1, false);
    refused(call.run(), Status::InvalidArgument, "variance is given");
    call.untouched();
    call.mean[0] = 3.0;
    let status = unsafe {
        let (m, b, u) = (&call.mean_array, &call.b_array, &call.out_mean_array);
        pcml_projector_project(call.projector, call.workspace, m, null(), b, u, null(), call.report)
    };
    ok(status);
}

#[test]
fn overlapping_arrays() {
    spoiled(Status::Stride, "posterior_mean overlaps mean", |c| {
        c.mean_array.data = c.out_mean.as_ptr().cast();
        c.mean_array.strides[..2].copy_from_slice(&[1, 3]);
        c.out_mean_array.data = c.mean_array.data.cast_mut();
    });
    spoiled(Status::Stride, "posterior_mean overlaps variance", |c| {
        c.variance_array.data = c.out_mean_array.data.cast_const();
    });
    spoiled(Status::Stride, "posterior_mean overlaps b", |c| c.b_array.data = c.out_mean_array.data.cast_const());
    spoiled(Status::Stride, "posterior_variance overlaps mean", |c| {
        c.mean_array.data = c.out_variance_array.data.cast_const();
    });
    spoiled(Status::Stride, "posterior_variance overlaps b", |c| {
        c.b_array.data = c.out_variance_array.data.cast_const();
    });
    spoiled(Status::Stride, "posterior_variance overlaps posterior_mean", |c| {
        c.out_variance_array.data = c.out_mean_array.data;
    });
    let mut call = Call::new();
    call.out_variance_array.data = call.variance_array.data.cast_mut();
    call.out_mean_array.data = call.mean_array.data.cast_mut();
    ok(call.run());

    let call = Call::new();
    let (before, out) = (*call.mean, call.mean.as_ptr().cast_mut());
    let status =
        unsafe { pcml_projector_residual(call.projector, call.workspace, &call.mean_array, &call.b_array, out) };
    refused(status, Status::Stride, "residual overlaps mean");
    assert_eq!(before, *call.mean);
    let mut square = [0.5; 25];
    let full = writable(array(square.as_mut_ptr(), &[5, 5]));
    let status =
        unsafe { pcml_projector_covariance(call.projector, call.workspace, &array(square.as_ptr(), &[5]), &full) };
    refused(status, Status::Stride, "covariance overlaps variance");
    assert_eq!(square, [0.5; 25]);
}

#[test]
fn handles_of_another_kind_or_owner() {
    let other = Call::new();
    spoiled(Status::Mismatch, "workspace belongs to another object", |c| {
        std::mem::swap(&mut c.workspace, &mut Call::new().workspace);
    });
    let call = Call::new();
    let (m, v, b) = (&raw const call.mean_array, &raw const call.variance_array, &raw const call.b_array);
    let (u, s) = (&raw const call.out_mean_array, &raw const call.out_variance_array);
    unsafe {
        let foreign = call.workspace.cast::<pcml_projector>();
        refused(
            pcml_projector_project(foreign, call.workspace, m, v, b, u, s, null_mut()),
            Status::Handle,
            "projector is not a live pcml_projector",
        );
        let foreign = call.projector.cast::<pcml_workspace>();
        refused(
            pcml_projector_project(call.projector, foreign, m, v, b, u, s, null_mut()),
            Status::Handle,
            "workspace is not a live pcml_workspace",
        );
        let foreign = call.projector.cast::<pcml_report>();
        refused(
            pcml_projector_project(call.projector, call.workspace, m, v, b, u, s, foreign),
            Status::Handle,
            "report is not a live pcml_report",
        );
        refused(
            pcml_projector_residual(call.projector, other.workspace, m, b, [0.0; 3].as_mut_ptr()),
            Status::Mismatch,
            "workspace",
        );
        let mut made = null_mut();
        refused(
            pcml_projector_create(call.projector.cast(), 2, null(), &mut made),
            Status::Handle,
            "constraints is not a live pcml_constraints",
        );
        let c = constraints(0.0);
        refused(pcml_projector_create(c, 2, c.cast(), &mut made), Status::Handle, "options is not a live pcml_options");
        refused(pcml_report_slices(c.cast(), &mut 0), Status::Handle, "report is not a live pcml_report");
        pcml_constraints_free(c);
    }
    call.untouched();
    ok(call.run());

    let small = Call::new();
    let mut report = null_mut();
    ok(unsafe { pcml_projector_report(small.projector, 2, &mut report) });
    let status = unsafe { pcml_projector_project(small.projector, small.workspace, m, v, b, u, s, report) };
    refused(status, Status::InvalidArgument, "report has room for 2");
    unsafe { pcml_report_free(report) };
    let mut narrow = null_mut();
    ok(unsafe { pcml_projector_workspace(small.projector, 2, &mut narrow) });
    let status = unsafe {
        let (m, v, b) = (&small.mean_array, &small.variance_array, &small.b_array);
        let (u, s) = (&small.out_mean_array, &small.out_variance_array);
        pcml_projector_project(small.projector, narrow, m, v, b, u, s, small.report)
    };
    refused(status, Status::InvalidArgument, "3 slices");
    small.untouched();
    unsafe { pcml_workspace_free(narrow) };
}

/// A freed handle is told where the memory still tells; a stand-in whose tag was cleared, as freeing does, shows it without
/// reading freed memory.
#[test]
fn freed_handles() {
    let mut gone = [0u64; 64];
    let call = Call::new();
    let dead = gone.as_mut_ptr();
    let (m, b) = (&raw const call.mean_array, &raw const call.b_array);
    let mut left = [SENTINEL; 3];
    unsafe {
        let out = left.as_mut_ptr();
        refused(pcml_projector_residual(dead.cast(), call.workspace, m, b, out), Status::Handle, "projector");
        refused(pcml_projector_residual(call.projector, dead.cast(), m, b, out), Status::Handle, "workspace");
        refused(pcml_report_slices(dead.cast(), &mut 0), Status::Handle, "report");
        refused(pcml_constraints_add_row(dead.cast(), m, 0.0), Status::Handle, "constraints");
        pcml_projector_free(dead.cast());
    }
    assert_eq!(left, [SENTINEL; 3]);
    assert_eq!(gone, [0; 64]);
}

#[test]
fn rows_and_priors() {
    let mut c = null_mut();
    let mut p = null_mut();
    unsafe {
        refused(pcml_constraints_create(0, &mut c), Status::InvalidArgument, "cells");
        refused(pcml_constraints_create(-1, &mut c), Status::InvalidArgument, "cells");
        assert!(c.is_null());
        ok(pcml_constraints_create(5, &mut c));
        refused(pcml_projector_create(c, 2, null(), &mut p), Status::State, "no row");
        let add = |points: [f64; 5], rule| pcml_constraints_add_quadrature(c, rule, &array(points.as_ptr(), &[5]), 0.0);
        let good = [0.0, 1.0, 2.0, 4.0, 5.0];
        refused(add(good, 0), Status::InvalidArgument, "rule");
        refused(add(good, 5), Status::InvalidArgument, "rule");
        refused(add([0.0, 1.0, 0.5, 4.0, 5.0], 1), Status::NotSorted, "points[2]");
        refused(add([0.0, 1.0, 1.0, 4.0, 5.0], 2), Status::NotSorted, "points[2]");
        refused(add([0.0, 1.0, 2.0, f64::NAN, 5.0], 3), Status::NonFinite, "points[3]");
        refused(add([0.0, 1.0, 2.0, 3.0, f64::INFINITY], 4), Status::NonFinite, "points[4]");
        let row = |weights: [f64; 5], noise| pcml_constraints_add_row(c, &array(weights.as_ptr(), &[5]), noise);
        refused(row([0.0; 5], 0.0), Status::Singular, "weights");
        refused(row([0.0, 0.0, f64::NAN, 0.0, 1.0], 0.0), Status::NonFinite, "weights[2]");
        refused(row(good, -1e-300), Status::Noise, "noise_variance");
        refused(row(good, f64::NAN), Status::NonFinite, "noise_variance");
        refused(row(good, f64::INFINITY), Status::NonFinite, "noise_variance");
        refused(pcml_constraints_add_row(c, &array(good.as_ptr(), &[4]), 0.0), Status::Shape, "weights");
        refused(pcml_constraints_add_quadrature(c, 1, &array(good.as_ptr(), &[2, 2]), 0.0), Status::Shape, "points");
        refused(pcml_projector_create(c, 2, null(), &mut p), Status::State, "no row");
        ok(add(good, 4));
        refused(pcml_projector_create(c, 0, null(), &mut p), Status::InvalidArgument, "prior");
        refused(pcml_projector_create(c, 10, null(), &mut p), Status::InvalidArgument, "prior");
        ok(pcml_projector_create(c, 2, null(), &mut p));
        pcml_constraints_free(c);
        let (mut w, mut r) = (null_mut(), null_mut());
        refused(pcml_projector_workspace(p, 0, &mut w), Status::InvalidArgument, "slices");
        refused(pcml_projector_report(p, -3, &mut r), Status::InvalidArgument, "slices");
        refused(pcml_projector_workspace(p, i64::MAX, &mut w), Status::OutOfMemory, "workspace");
        refused(pcml_projector_report(p, i64::MAX, &mut r), Status::OutOfMemory, "report");
        pcml_projector_free(p);
    }
}
