//! Neural operators and boundary conditions: every bad input has its status, a message that names the culprit, and leaves outputs alone.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/operators.rs"]
mod operators;
#[path = "common/plans.rs"]
mod plans;

use std::ffi::CString;
use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, ok, output};
use common::{File, stefan_path};
use operators::{channels, conditioned, pair, plain, random, waves, with_selftest};
use pcml::capi::*;
use pcml::error::Status;
use plans::{Operator, Sizes, load};
use serde_json::{Value, json};

fn small(mut description: Value) -> Value {
    description["fno"]["blocks"] = json!(2);
    description["fno"]["projection"] = json!([8]);
    description
}

/// An operator without conditions on a grid of two axes.
fn free() -> File {
    with_selftest(random(&small(plain(4, &[4, 3], &[0, 0])), 1))
}

/// One that obeys values below and above and slopes on the left and right.
fn bound() -> File {
    let faces = json!([pair(0, "dirichlet", 0.1), pair(1, "neumann", 0.1)].concat());
    with_selftest(random(&small(conditioned(plain(4, &[4, 3], &[0, 0]), "exact", faces)), 2))
}

const GRID: [usize; 2] = [8, 9];
const NODES: usize = 72;

fn sizes(batch: i64) -> Sizes<'static> {
    Sizes { batch, ..Sizes::new(2, &[8, 9]) }
}

/// A prediction of one function with good arrays but for what `change` does to them; it must fail and leave the output alone.
#[track_caller]
fn refuses(
    o: &Operator,
    status: Status,
    parts: &[&str],
    change: impl FnOnce(&mut pcml_const_array, &mut Vec<pcml_const_array>, &mut pcml_array),
) {
    let (x, given) = (waves(NODES, 0.0), waves(9, 1.0));
    let mut out = [SENTINEL; 2 * NODES];
    let mut x = input(&x, &[8, 9, 1]);
    let mut values = vec![input(&given, &[9]), input(&given, &[9]), input(&given, &[8]), input(&given, &[8])];
    let mut y = output(&mut out, &[1, 8, 9, 1]);
    change(&mut x, &mut values, &mut y);
    let found = o.predict(&x, &values, &y);
    failed(found, status, parts);
    assert!(out.iter().all(|v| *v == SENTINEL));
}

#[test]
fn predictions_with_bad_arrays() {
    let o = Operator::new(&bound(), sizes(1));
    refuses(&o, Status::Shape, &["input has shape [9, 8, 1]"], |x, _, _| *x = input(&[0.0; NODES], &[9, 8, 1]));
    refuses(&o, Status::Shape, &["input has shape [72]"], |x, _, _| *x = input(&[0.0; NODES], &[72]));
    refuses(&o, Status::Shape, &["2 functions", "batch, 1"], |x, _, _| {
        *x = input(&[0.0; 2 * NODES], &[2, 8, 9]);
    });
    refuses(&o, Status::Shape, &["output has shape", "[1, 1, 8, 9, 1]"], |_, _, y| y.shape[1] = 7);
    refuses(&o, Status::Shape, &["output"], |_, _, y| y.shape[0] = 2);
    refuses(&o, Status::Stride, &["output", "twice"], |_, _, y| y.strides[2] = 0);
    refuses(&o, Status::Dtype, &["input", "dtype is 7"], |x, _, _| x.dtype = 7);
    refuses(&o, Status::Dtype, &["output", "dtype is 0"], |_, _, y| y.dtype = 0);
    refuses(&o, Status::Mismatch, &["input.struct_size"], |x, _, _| x.struct_size = 8);
    refuses(&o, Status::Shape, &["input.rank is 9"], |x, _, _| x.rank = 9);
    refuses(&o, Status::Stride, &["input.data", "aligned"], |x, _, _| x.data = x.data.wrapping_byte_add(2));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut numbers = waves(NODES, 0.0);
        numbers[41] = bad;
        refuses(&o, Status::NonFinite, &["input", "element 41"], |x, _, _| x.data = numbers.as_ptr().cast());
    }
    let huge = [1e308; NODES];
    refuses(&o, Status::NonFinite, &["the network gives"], |x, _, _| x.data = huge.as_ptr().cast());
    let (x, mut out) = (waves(NODES, 0.0), [SENTINEL; NODES]);
    let (x, y) = (input(&x, &GRID), output(&mut out, &GRID));
    unsafe {
        let predict = |plan, workspace, x, y| pcml_plan_predict(plan, workspace, x, null(), 0, y);
        failed(predict(null(), o.workspace, &x, &y), Status::NullArgument, &["plan"]);
        failed(predict(o.plan, null_mut(), &x, &y), Status::NullArgument, &["workspace"]);
        failed(predict(o.plan, o.workspace, null(), &y), Status::NullArgument, &["input"]);
        failed(predict(o.plan, o.workspace, &x, null()), Status::NullArgument, &["output"]);
        failed(predict(o.model.cast(), o.workspace, &x, &y), Status::Handle, &["pcml_plan"]);
        failed(pcml_plan_regularised(null(), &mut 0), Status::NullArgument, &["plan"]);
        failed(pcml_plan_regularised(o.plan, null_mut()), Status::NullArgument, &["count"]);
    }
    let other = Operator::new(&bound(), sizes(1));
    let status = unsafe { pcml_plan_predict(o.plan, other.workspace, &x, null(), 0, &y) };
    failed(status, Status::Mismatch, &["workspace", "pcml_plan_workspace"]);
    assert!(out.iter().all(|v| *v == SENTINEL));
}

#[test]
fn predictions_with_bad_boundary_values() {
    let o = Operator::new(&bound(), sizes(1));
    refuses(&o, Status::Mismatch, &["3 arrays", "expected 4"], |_, values, _| values.truncate(3));
    refuses(&o, Status::Mismatch, &["5 arrays", "expected 4"], |_, values, _| values.push(values[0]));
    refuses(&o, Status::Mismatch, &["0 arrays"], |_, values, _| values.clear());
    refuses(&o, Status::Mismatch, &["65 arrays", "at most 64"], |_, values, _| values.resize(65, values[0]));
    refuses(&o, Status::Shape, &["values[1] has shape [8]", "[1, 1, 9, 1]"], |_, values, _| values[1].shape[0] = 8);
    refuses(&o, Status::Shape, &["values[0]", "expected [1, 1, 9, 1]"], |_, values, _| values.swap(0, 2));
    refuses(&o, Status::Dtype, &["values[3]", "dtype is 3"], |_, values, _| values[3].dtype = 3);
    refuses(&o, Status::NullArgument, &["values[2].data"], |_, values, _| values[2].data = null());
    for bad in [f64::NAN, f64::INFINITY] {
        let mut numbers = waves(9, 0.0);
        numbers[5] = bad;
        refuses(&o, Status::NonFinite, &["values[3]", "element 5"], |_, values, _| {
            values[3].data = numbers.as_ptr().cast()
        });
    }
    // Finite, but the slope asks for more than f64 has.
    let huge = [1.7e308; 9];
    refuses(&o, Status::NonFinite, &["network"], |_, values, _| {
        values[1].data = huge.as_ptr().cast();
        values[2].data = huge.as_ptr().cast();
    });
    let (x, mut out) = (waves(NODES, 0.0), [SENTINEL; NODES]);
    let (x, y) = (input(&x, &GRID), output(&mut out, &GRID));
    unsafe {
        let predict = |values, count| pcml_plan_predict(o.plan, o.workspace, &x, values, count, &y);
        failed(predict(null(), 4), Status::NullArgument, &["values is NULL", "4"]);
        for count in [-1, i64::MIN] {
            failed(predict(&x, count), Status::InvalidArgument, &["count of values"]);
        }
        failed(predict(&x, i64::MAX), Status::Mismatch, &["at most 64"]);
    }
    let unconditioned = Operator::new(&free(), sizes(1));
    failed(unconditioned.predict(&x, &[x], &y), Status::Mismatch, &["1 arrays", "expected none"]);
    assert!(out.iter().all(|v| *v == SENTINEL));
}

#[test]
fn dtypes_may_be_mixed() {
    let file = bound();
    let x = waves(NODES, 0.0);
    let single: Vec<f32> = x.iter().map(|v| *v as f32).collect();
    let exact: Vec<f64> = single.iter().map(|v| *v as f64).collect();
    let (short, long) = ([0.25f32; 9], [0.25f64; 9]);
    for dtype in [1, 2] {
        let o = Operator::new(&file, Sizes { dtype, ..sizes(1) });
        let mixed = [input(&short, &[9]), input(&long, &[9]), input(&short, &[8]), input(&long, &[8])];
        let plain = [input(&long, &[9]), input(&long, &[9]), input(&long, &[8]), input(&long, &[8])];
        let (mut a, mut b) = ([0.0f32; NODES], [0.0f64; NODES]);
        ok(o.predict(&input(&single, &GRID), &mixed, &output(&mut a, &GRID)));
        ok(o.predict(&input(&exact, &GRID), &plain, &output(&mut b, &GRID)));
        let size = b.iter().fold(0f64, |m, v| m.max(v.abs()));
        assert!(a.iter().zip(&b).all(|(a, b)| (*a as f64 - b).abs() <= 1e-6 * size), "dtype {dtype}");
        assert!(a[..9].iter().all(|v| *v == 0.25) && b[63..].iter().all(|v| *v == 0.25));
    }
}

/// A plan with these options must not come to be.
#[track_caller]
fn no_plan(file: &File, status: Status, parts: &[&str], set: impl FnOnce(*mut pcml_options)) {
    let (model, mut options, mut plan) = (load(file), null_mut(), std::ptr::dangling_mut());
    unsafe {
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_shape(options, 2, [8, 9].as_ptr()));
        set(options);
        failed(pcml_plan_create(model, 2, options, &mut plan), status, parts);
        assert!(plan.is_null());
        pcml_options_free(options);
        pcml_model_free(model);
    }
}

fn shape(options: *mut pcml_options, extents: &[i64]) {
    ok(unsafe { pcml_options_set_shape(options, extents.len() as i64, extents.as_ptr()) });
}

#[test]
fn plans_of_bad_options() {
    let free = free();
    let mut plan = null_mut();
    unsafe {
        let model = load(&free);
        failed(pcml_plan_create(model, 2, null(), &mut plan), Status::InvalidArgument, &["option shape is not set"]);
        assert!(plan.is_null());
        pcml_model_free(model);
    }
    no_plan(&free, Status::InvalidArgument, &["shape is [8]", "2 extents"], |o| shape(o, &[8]));
    no_plan(&free, Status::InvalidArgument, &["2 extents"], |o| shape(o, &[8, 9, 1]));
    no_plan(&free, Status::Shape, &["axis 0", "3 points", "4 modes", "at most 3"], |o| shape(o, &[3, 9]));
    no_plan(&free, Status::Shape, &["axis 1", "3 points", "3 modes", "at most 2"], |o| shape(o, &[8, 3]));
    no_plan(&free, Status::TooLarge, &["axis 0"], |o| shape(o, &[i64::MAX, 9]));
    no_plan(&free, Status::TooLarge, &["address space"], |o| shape(o, &[1 << 32, 1 << 32]));
    let mut padded = small(plain(4, &[2, 2, 2], &[0, 0, 0]));
    padded["fno"]["padding"] = json!({"sides": "both", "fraction": [4.0, 0.0, 0.0]});
    let padded = with_selftest(random(&padded, 6));
    no_plan(&padded, Status::TooLarge, &["axis 0"], |o| shape(o, &[i64::MAX, 9, 9]));
    no_plan(&free, Status::InvalidArgument, &["latents"], |o| ok(unsafe { pcml_options_set_latents(o, 2) }));
    let mut two = small(plain(4, &[4, 3], &[0, 0]));
    two["outputs"] = channels("u", 2);
    let two = with_selftest(random(&two, 3));
    no_plan(&two, Status::InvalidArgument, &["steps is 2", "2 outputs", "1 inputs"], |o| {
        ok(unsafe { pcml_options_set_steps(o, 2) })
    });
    let held =
        with_selftest(random(&small(conditioned(plain(4, &[2], &[0]), "exact", json!(pair(0, "dirichlet", 0.1)))), 4));
    no_plan(&held, Status::State, &["transforms is fft", "boon"], |o| {
        shape(o, &[12]);
        ok(unsafe { pcml_options_set_transforms(o, 3) })
    });
    // Enough for the modes, but not for the stencils of both sides.
    let faces = json!(pair(0, "neumann", 0.1));
    let narrow = with_selftest(random(&small(conditioned(plain(4, &[2], &[0]), "exact", faces)), 4));
    no_plan(&narrow, Status::Shape, &["axis 0", "3 points", "at least 4", "face 0"], |o| shape(o, &[3]));
    let mut options = null_mut();
    unsafe {
        ok(pcml_options_create(&mut options));
        let two = [2i64, 2];
        for rank in [0, -1, 9, i64::MIN] {
            failed(pcml_options_set_shape(options, rank, two.as_ptr()), Status::Shape, &["rank"]);
        }
        failed(pcml_options_set_shape(options, 2, null()), Status::NullArgument, &["shape"]);
        failed(pcml_options_set_shape(options, 2, [4, 0].as_ptr()), Status::InvalidArgument, &["shape[1] is 0"]);
        let uneven = two.as_ptr().wrapping_byte_add(3);
        failed(pcml_options_set_shape(options, 1, uneven), Status::Stride, &["shape", "aligned"]);
        failed(pcml_options_set_steps(options, 0), Status::InvalidArgument, &["steps is 0"]);
        for transforms in [0, 4, -1] {
            let status = pcml_options_set_transforms(options, transforms);
            failed(status, Status::InvalidArgument, &[&format!("transforms is {transforms}"), "PCML_TRANSFORMS_FFT"]);
        }
        failed(pcml_options_set_transforms(null_mut(), 1), Status::NullArgument, &["options"]);
        failed(pcml_options_set_threads(options, 0), Status::InvalidArgument, &["threads is 0"]);
        failed(pcml_options_set_threads(options, 1025), Status::InvalidArgument, &["threads is 1025", "1024"]);
        failed(pcml_options_set_boundary(options, options.cast()), Status::Handle, &["pcml_boundary"]);
        for set in [pcml_options_set_steps, pcml_options_set_threads] {
            failed(set(null_mut(), 1), Status::NullArgument, &["options"]);
        }
        failed(pcml_options_set_shape(null_mut(), 1, two.as_ptr()), Status::NullArgument, &["options"]);
        failed(pcml_options_set_boundary(null_mut(), null()), Status::NullArgument, &["options"]);
        pcml_options_free(options);
    }
}

#[test]
fn workspaces_beyond_memory() {
    let o = Operator::new(&free(), sizes(1));
    let (mut plan, mut workspace) = (null_mut(), std::ptr::dangling_mut());
    unsafe {
        ok(pcml_options_set_batch(o.options, 1 << 60));
        ok(pcml_plan_create(o.model, 2, o.options, &mut plan));
        failed(pcml_plan_workspace(plan, &mut workspace), Status::OutOfMemory, &["workspace"]);
        pcml_plan_free(plan);
    }
    assert!(workspace.is_null());
}

/// Conditions put together through C.
struct Conditions(*mut pcml_boundary);

impl Conditions {
    fn new() -> Conditions {
        let mut boundary = null_mut();
        ok(unsafe { pcml_boundary_create(&mut boundary) });
        Conditions(boundary)
    }

    fn add(&self, axis: i64, side: i32, kind: i32, stencil: &[f64], spacing: f64) -> i32 {
        let list = if stencil.is_empty() { null() } else { stencil.as_ptr() };
        unsafe { pcml_boundary_add_face(self.0, axis, side, kind, list, stencil.len() as i64, spacing) }
    }
}

impl Drop for Conditions {
    fn drop(&mut self) {
        unsafe { pcml_boundary_free(self.0) };
    }
}

const LOWER: [f64; 3] = [-1.5, 2.0, -0.5];
const UPPER: [f64; 3] = [0.5, -2.0, 1.5];

#[test]
fn conditions_other_than_the_models() {
    let set = |c: &Conditions| {
        let boundary = c.0;
        move |o| ok(unsafe { pcml_options_set_boundary(o, boundary) })
    };
    let c = Conditions::new();
    no_plan(&bound(), Status::Mismatch, &["option boundary has faces", "expected those of the model"], set(&c));
    ok(c.add(0, -1, 1, &[], 0.0));
    ok(c.add(0, 1, 1, &[], 0.0));
    no_plan(&free(), Status::State, &["boundary", "no field boon"], set(&c));
    no_plan(&bound(), Status::Mismatch, &["expected those of the model"], set(&c));
    ok(c.add(1, -1, 2, &LOWER, 0.1));
    let other_kind = Conditions::new();
    for (axis, side) in [(0, -1), (0, 1), (1, -1), (1, 1)] {
        ok(other_kind.add(axis, side, 1, &[], 0.0));
    }
    no_plan(&bound(), Status::Mismatch, &["(1, 1, 1)", "(1, 1, 2)"], set(&other_kind));
    // Without a grid in the model, a face must bring its spacing.
    ok(c.add(1, 1, 2, &UPPER, 0.0));
    no_plan(&bound(), Status::InvalidArgument, &["face 3 has no spacing"], set(&c));
}

#[test]
fn faces_that_make_no_sense() {
    let c = Conditions::new();
    for axis in [-1, 8, i64::MAX, i64::MIN] {
        failed(c.add(axis, 1, 1, &[], 0.0), Status::InvalidArgument, &["axis is"]);
    }
    for side in [0, 2, -2, i32::MIN] {
        failed(c.add(0, side, 1, &[], 0.0), Status::InvalidArgument, &["side is", "-1"]);
    }
    for kind in [0, 4, -1] {
        failed(c.add(0, 1, kind, &[], 0.0), Status::InvalidArgument, &["kind is", "PCML_BOUNDARY_KIND_PERIODIC (3)"]);
    }
    failed(c.add(0, 1, 1, &LOWER, 0.0), Status::InvalidArgument, &["stencil"]);
    failed(c.add(0, 1, 3, &[], 0.1), Status::InvalidArgument, &["spacing"]);
    failed(c.add(0, 1, 2, &[], 0.1), Status::InvalidArgument, &["0 coefficients", "2 to 16"]);
    failed(c.add(0, 1, 2, &[1.0], 0.1), Status::InvalidArgument, &["1 coefficients"]);
    failed(c.add(0, 1, 2, &[1.0; 17], 0.1), Status::InvalidArgument, &["coefficients", "2 to 16"]);
    failed(c.add(0, -1, 2, &[0.0, 1.0], 0.1), Status::Singular, &["stencil[0]"]);
    failed(c.add(0, 1, 2, &[1.0, 0.0], 0.1), Status::Singular, &["stencil[1]"]);
    failed(c.add(0, 1, 2, &[1.0, 1e-320], 0.1), Status::Singular, &["stencil[1]"]);
    for bad in [f64::NAN, f64::INFINITY] {
        failed(c.add(0, 1, 2, &[bad, 1.0], 0.1), Status::NonFinite, &["stencil[0]"]);
        failed(c.add(0, 1, 2, &UPPER, bad), Status::InvalidArgument, &["spacing is"]);
    }
    failed(c.add(0, 1, 2, &UPPER, -0.1), Status::InvalidArgument, &["spacing is -0.1"]);
    ok(c.add(0, 1, 2, &UPPER, 0.1));
    failed(c.add(0, 1, 1, &[], 0.0), Status::InvalidArgument, &["axis 0", "already"]);
    failed(c.add(0, -1, 3, &[], 0.0), Status::InvalidArgument, &["axis 0", "already"]);
    ok(c.add(1, -1, 3, &[], 0.0));
    for side in [-1, 1] {
        failed(c.add(1, side, 1, &[], 0.0), Status::InvalidArgument, &["axis 1", "already"]);
        failed(c.add(1, side, 3, &[], 0.0), Status::InvalidArgument, &["axis 1", "already"]);
    }
    unsafe {
        failed(pcml_boundary_create(null_mut()), Status::NullArgument, &["boundary"]);
        failed(pcml_boundary_add_face(null_mut(), 0, 1, 1, null(), 0, 0.0), Status::NullArgument, &["boundary"]);
        let add = |stencil, count| pcml_boundary_add_face(c.0, 2, 1, 2, stencil, count, 0.1);
        failed(add(null(), 3), Status::NullArgument, &["stencil is NULL"]);
        failed(add(LOWER.as_ptr(), -1), Status::InvalidArgument, &["count is -1"]);
        failed(add([1.0; 17].as_ptr(), i64::MAX), Status::InvalidArgument, &["coefficients"]);
        failed(add(LOWER.as_ptr().wrapping_byte_add(1), 3), Status::Stride, &["stencil", "aligned"]);
        pcml_boundary_free(null_mut());
    }
}

#[test]
fn enforcing_on_bad_arrays() {
    let c = Conditions::new();
    ok(c.add(0, -1, 1, &[], 0.0));
    ok(c.add(1, 1, 2, &UPPER, 0.1));
    let mut field = [SENTINEL; NODES];
    let given = waves(9, 0.0);
    let good = [input(&given, &[9]), input(&given, &[8])];
    let field_of = |field: &mut [f64; NODES]| output(field, &[1, 8, 9, 1]);
    let enforce = |array: &pcml_array, rank: i64, values: &[pcml_const_array]| unsafe {
        pcml_boundary_enforce(c.0, array, rank, values.as_ptr(), values.len() as i64)
    };
    let array = field_of(&mut field);
    failed(enforce(&array, 0, &good), Status::InvalidArgument, &["rank is 0"]);
    failed(enforce(&array, 1, &good), Status::Shape, &["field has shape [1, 8, 9, 1]", "1 axes"]);
    failed(enforce(&array, i64::MAX, &good), Status::Shape, &["field has shape"]);
    failed(enforce(&array, 2, &good[..1]), Status::Mismatch, &["1 arrays", "expected 2"]);
    failed(enforce(&array, 2, &[good[1], good[0]]), Status::Shape, &["values[0] has shape [8]"]);
    let mut bad = given.clone();
    bad[3] = f64::NAN;
    failed(enforce(&array, 2, &[good[0], input(&bad, &[8])]), Status::NonFinite, &["values[1]", "element 3"]);
    let overlapping = input(&field[40..49], &[9]);
    failed(enforce(&array, 2, &[overlapping, good[1]]), Status::Stride, &["values[0] overlaps"]);
    let mut twice = array;
    twice.strides[1] = 0;
    failed(enforce(&twice, 2, &good), Status::Stride, &["field", "twice"]);
    let mut narrow = array;
    (narrow.shape[1], narrow.shape[2]) = (24, 3);
    failed(enforce(&narrow, 2, &good), Status::Shape, &["axis 1", "3 points", "at least 4", "face 1"]);
    failed(enforce(&output(&mut [0.0; 8], &[1, 8, 1]), 1, &good), Status::InvalidArgument, &["face 1 has axis 1"]);
    unsafe {
        failed(pcml_boundary_enforce(null(), &array, 2, good.as_ptr(), 2), Status::NullArgument, &["boundary"]);
        failed(pcml_boundary_enforce(c.0, null(), 2, good.as_ptr(), 2), Status::NullArgument, &["field"]);
        failed(pcml_boundary_enforce(c.0, &array, 2, null(), 2), Status::NullArgument, &["values"]);
    }
    let loose = Conditions::new();
    ok(loose.add(1, 1, 2, &UPPER, 0.0));
    let status = unsafe { pcml_boundary_enforce(loose.0, &array, 2, &good[1], 1) };
    failed(status, Status::InvalidArgument, &["face 0 has no spacing"]);
    assert!(field.iter().all(|v| *v == SENTINEL));
    field = [1.0; NODES];
    field[16] = f64::INFINITY;
    failed(enforce(&field_of(&mut field), 2, &good), Status::NonFinite, &["field", "on a face"]);
    assert!(field.iter().enumerate().all(|(i, v)| *v == if i == 16 { f64::INFINITY } else { 1.0 }));
}

#[test]
fn plans_of_the_other_kind() {
    let operator = Operator::new(&free(), sizes(1));
    let path = CString::new(stefan_path().to_str().unwrap()).unwrap();
    let mut process = Operator { model: null_mut(), options: null_mut(), plan: null_mut(), workspace: null_mut() };
    let (x, mut out) = (waves(NODES, 0.0), [SENTINEL; NODES]);
    let (x, y) = (input(&x, &GRID), output(&mut out, &GRID));
    unsafe {
        ok(pcml_model_load(path.as_ptr(), &mut process.model));
        ok(pcml_options_create(&mut process.options));
        ok(pcml_options_set_context(process.options, 10));
        ok(pcml_options_set_targets(process.options, 10));
        ok(pcml_plan_create(process.model, 2, process.options, &mut process.plan));
        ok(pcml_plan_workspace(process.plan, &mut process.workspace));
        failed(process.predict(&x, &[], &y), Status::Mismatch, &["no neural operator"]);
        let mut count = -1;
        ok(pcml_plan_regularised(process.plan, &mut count));
        assert_eq!(count, 0);
        let (plan, workspace) = (operator.plan, operator.workspace);
        failed(pcml_plan_condition(plan, workspace, &x, &x), Status::Mismatch, &["no neural process"]);
        failed(pcml_plan_latent(plan, workspace, &y, &y), Status::Mismatch, &["no neural process"]);
        failed(pcml_plan_query(plan, workspace, &x, null(), &y, null()), Status::Mismatch, &["no neural process"]);
    }
    assert!(out.iter().all(|v| *v == SENTINEL));
}

#[track_caller]
fn refused(file: &File, status: Status, parts: &[&str]) {
    let (bytes, mut model) = (file.bytes(), std::ptr::dangling_mut());
    let found = unsafe { pcml_model_load_bytes(bytes.as_ptr().cast(), bytes.len() as i64, &mut model) };
    failed(found, status, parts);
    assert!(model.is_null());
}

#[track_caller]
fn refused_description(file: &File, parts: &[&str], change: impl FnOnce(&mut Value)) {
    let mut file = file.clone();
    let mut description = file.description();
    change(&mut description);
    file.describe(description);
    refused(&file, Status::FileDescription, parts);
}

#[test]
fn files_that_are_no_operator() {
    let (free, bound) = (free(), bound());
    let name = "blocks.1.spectral.weight";
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut file = free.clone();
        file.tensors.get_mut(name).unwrap().1[17] = value;
        refused(&file, Status::Weights, &[name, "element 17"]);
    }
    let mut file = free.clone();
    file.tensors.remove("blocks.0.skip.bias");
    refused(&file, Status::Weights, &["blocks.0.skip.bias", "missing"]);
    let mut file = free.clone();
    file.tensors.get_mut(name).unwrap().0 = vec![4, 4, 3, 4, 2];
    refused(&file, Status::Weights, &[name, "shape"]);
    let mut file = free.clone();
    file.tensors.insert("blocks.2.skip.bias".into(), (vec![4], vec![0.0; 4]));
    refused(&file, Status::Weights, &["blocks.2.skip.bias", "not read"]);
    let mut file = free.clone();
    file.tensors.get_mut("selftest.output").unwrap().1[3] += 0.1;
    refused(&file, Status::SelfTest, &["output"]);
    let mut file = free.clone();
    file.tensors.remove("selftest.output");
    refused(&file, Status::FileDescription, &["selftest.output", "missing"]);
    let mut file = free.clone();
    file.tensors.get_mut("selftest.input").unwrap().0 = vec![1, NODES * 2];
    refused(&file, Status::FileDescription, &["selftest.input", "rank 4"]);
    let mut file = bound.clone();
    file.tensors.remove("selftest.face.2");
    refused(&file, Status::FileDescription, &["selftest.face.2", "missing"]);

    refused_description(&free, &["fno"], |d| drop(d.as_object_mut().unwrap().remove("fno")));
    refused_description(&free, &["fno.width has 0"], |d| d["fno"]["width"] = json!(0));
    refused_description(&free, &["fno.width"], |d| d["fno"]["width"] = json!(u64::MAX));
    refused_description(&free, &["fno.modes has 4 axes"], |d| d["fno"]["modes"] = json!([1, 1, 1, 1]));
    refused_description(&free, &["fno.modes has 0"], |d| d["fno"]["modes"] = json!([4, 0]));
    refused_description(&free, &["sine", "gelu"], |d| d["fno"]["activation"] = json!("sine"));
    refused_description(&free, &["padding"], |d| d["fno"]["padding"]["cells"] = json!([1]));
    refused_description(&free, &["coordinates"], |d| d["fno"]["coordinates"]["bounds"] = json!([[0, 1]]));
    refused_description(&free, &["dropout"], |d| d["fno"]["dropout"] = json!(0.1));
    refused_description(&bound, &["axis 1", "both or none"], |d| {
        drop(d["boon"]["faces"].as_array_mut().unwrap().pop())
    });
    refused_description(&bound, &["leading"], |d| d["boon"]["faces"] = json!(pair(1, "dirichlet", 0.1)));
    refused_description(&bound, &["published code does not know"], |d| d["boon"]["rule"] = json!("seed"));
    refused_description(&bound, &["regularisation is 0"], |d| d["boon"]["regularisation"] = json!(0.0));
    refused_description(&bound, &["final_activation"], |d| d["fno"]["final_activation"] = json!(true));
    refused_description(&bound, &["robin"], |d| d["boon"]["faces"][0]["kind"] = json!("robin"));
}
