//! Parts of neural operators at the C border: in one call and in steps the same, no allocation, a status for bad calls with a text that
//! names the culprit, outputs untouched, and no part that stays away from the reduction.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/operators.rs"]
mod operators;

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, ok, output};
use counting::allocations;
use operators::{plain, random, with_selftest};
use pcml::capi::*;
use pcml::error::Status;
use serde_json::{Value, json};

const SHAPE: [i64; 2] = [14, 11];
const POINTS: usize = 14 * 11;

#[derive(Default)]
struct Host {
    calls: i32,
    fails_at: i32,
}

unsafe extern "C" fn alone(context: *mut c_void, values: *mut i64, count: i64) -> i32 {
    let host = unsafe { &mut *context.cast::<Host>() };
    assert!(!values.is_null() && count > 0);
    host.calls += 1;
    if host.calls == host.fails_at { 77 } else { 0 }
}

fn settings(shape: &[i64]) -> *mut pcml_options {
    let mut options = null_mut();
    unsafe {
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_shape(options, shape.len() as i64, shape.as_ptr()));
    }
    options
}

/// Kinds of faces on the first axis, or none.
fn description(kind: Option<&str>) -> Value {
    let mut d = plain(6, &[4, 3], if kind.is_some() { &[0, 3] } else { &[2, 3] });
    if let Some(kind) = kind {
        let faces: Vec<Value> = [-1, 1]
            .iter()
            .map(|side| match kind {
                "neumann" => json!({"axis": 0, "side": side, "kind": kind, "stencil": [-1.0, 1.0], "spacing": 0.1}),
                _ => json!({"axis": 0, "side": side, "kind": kind}),
            })
            .collect();
        d["boon"] = json!({"rule": "exact", "faces": faces});
    }
    d
}

/// One part that has all blocks, and a good call of it; each test spoils one argument.
struct Call {
    model: *mut pcml_model,
    part: *mut pcml_operator_part,
    workspace: *mut pcml_workspace,
    reduction: *mut pcml_reduction,
    host: Box<Host>,
    input: Vec<f64>,
    faces: Vec<Vec<f64>>,
    output: Vec<f64>,
}

impl Call {
    fn new(kind: Option<&str>, dtype: i32) -> Call {
        let bytes = with_selftest(random(&description(kind), 7)).bytes();
        let (mut model, mut part, mut workspace, mut reduction) = (null_mut(), null_mut(), null_mut(), null_mut());
        let options = settings(&SHAPE);
        let mut host = Box::<Host>::default();
        let owned: Vec<i64> = (0..8).rev().collect();
        unsafe {
            ok(pcml_model_load_bytes(bytes.as_ptr().cast(), bytes.len() as i64, &mut model));
            ok(pcml_operator_part_create(model, dtype, options, 20, owned.as_ptr(), 8, &mut part));
            pcml_options_free(options);
            ok(pcml_operator_part_workspace(part, &mut workspace));
            ok(pcml_reduction_create(Some(alone), (&raw mut *host).cast(), &mut reduction));
        }
        Call {
            model,
            part,
            workspace,
            reduction,
            host,
            input: (0..POINTS).map(|i| (i as f64 * 0.3).cos()).collect(),
            faces: if kind.is_some() { vec![vec![0.5; 11], vec![-0.25; 11]] } else { vec![] },
            output: vec![SENTINEL; POINTS],
        }
    }

    fn arrays(&mut self) -> (pcml_const_array, Vec<pcml_const_array>, pcml_array) {
        let faces = self.faces.iter().map(|face| input(face, &[11])).collect();
        (input(&self.input, &[POINTS]), faces, output(&mut self.output, &[POINTS]))
    }

    fn predict(&mut self) -> i32 {
        let (x, faces, y) = self.arrays();
        let count = faces.len() as i64;
        unsafe { pcml_operator_part_predict(self.part, self.workspace, self.reduction, &x, faces.as_ptr(), count, &y) }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        unsafe {
            pcml_reduction_free(self.reduction);
            pcml_workspace_free(self.workspace);
            pcml_operator_part_free(self.part);
            pcml_model_free(self.model);
        }
    }
}

#[test]
fn one_call_and_steps_are_the_same_and_allocate_nothing() {
    assert!(allocations(|| drop(std::hint::black_box(Box::new(1)))) > 0, "the counter counts");
    for kind in [None, Some("dirichlet"), Some("neumann")] {
        for dtype in [1, 2] {
            let mut call = Call::new(kind, dtype);
            let (x, faces, y) = call.arrays();
            let (part, workspace, count) = (call.part, call.workspace, faces.len() as i64);
            let of_call = allocations(|| unsafe {
                ok(pcml_operator_part_predict(part, workspace, call.reduction, &x, faces.as_ptr(), count, &y));
            });
            let once = std::mem::replace(&mut call.output, vec![SENTINEL; POINTS]);
            let y = output(&mut call.output, &[POINTS]);
            let mut messages = 0;
            let of_steps = allocations(|| unsafe {
                let (mut values, mut length) = (null_mut(), 0);
                ok(pcml_operator_part_begin(part, workspace, &x, faces.as_ptr(), count, 2, &mut values, &mut length));
                while length > 0 {
                    messages += 1;
                    ok(pcml_operator_part_continue(part, workspace, &mut values, &mut length));
                }
                ok(pcml_operator_part_finish(part, workspace, &y));
            });
            assert_eq!((of_call, of_steps, messages), (0, 0, call.host.calls));
            assert_eq!(once, call.output);
            if kind == Some("dirichlet") {
                assert_eq!((&once[..11], &once[POINTS - 11..]), (&call.faces[0][..], &call.faces[1][..]));
            }
        }
    }
}

#[test]
fn bad_parts_leave_null_behind() {
    let call = Call::new(None, 2);
    let create = |dtype: i32, shape: &[i64], block: i64, owned: &[i64]| unsafe {
        let (mut part, options) = (std::ptr::dangling_mut(), settings(shape));
        let count = owned.len() as i64;
        let status = pcml_operator_part_create(call.model, dtype, options, block, owned.as_ptr(), count, &mut part);
        pcml_options_free(options);
        assert!(part.is_null());
        status
    };
    failed(create(3, &SHAPE, 20, &[0]), Status::Dtype, &["part: dtype is 3"]);
    failed(create(1, &[14], 20, &[0]), Status::InvalidArgument, &["option shape is [14]"]);
    failed(create(1, &SHAPE, 0, &[0]), Status::InvalidArgument, &["block is 0"]);
    failed(create(1, &SHAPE, 20, &[]), Status::InvalidArgument, &["owned has no block"]);
    failed(create(1, &SHAPE, 20, &[0, -1]), Status::InvalidArgument, &["owned[1] is -1"]);
    failed(create(1, &SHAPE, 20, &[0, 8]), Status::InvalidArgument, &["owned has block 8"]);
    failed(create(1, &SHAPE, 20, &[1, 1]), Status::InvalidArgument, &["owned has block 1 twice"]);
    let mut part = null_mut();
    unsafe {
        failed(
            pcml_operator_part_create(call.model, 1, null(), 20, SHAPE.as_ptr(), 1, &mut part),
            Status::InvalidArgument,
            &["option shape is not set"],
        );
        failed(
            pcml_operator_part_create(call.model, 1, null(), 20, null(), 1, &mut part),
            Status::NullArgument,
            &["owned is NULL"],
        );
        failed(
            pcml_operator_part_create(null(), 1, null(), 20, SHAPE.as_ptr(), 1, &mut part),
            Status::NullArgument,
            &["model is NULL"],
        );
    }
}

#[test]
fn bad_calls_take_part_in_the_first_reduction() {
    for wrong in 0..8 {
        let mut call = Call::new(Some("dirichlet"), 2);
        let (mut x, mut faces, mut y) = call.arrays();
        let mut count = 2;
        let mut workspace = call.workspace;
        let (status, text) = match wrong {
            0 => {
                x.struct_size = 1;
                (Status::Mismatch, "input.struct_size")
            }
            1 => {
                y.data = null_mut();
                (Status::NullArgument, "output.data is NULL")
            }
            2 => {
                faces[1].rank = 9;
                (Status::Shape, "values[1].rank")
            }
            3 => {
                count = 65;
                (Status::Mismatch, "65 arrays of values")
            }
            4 => {
                count = 1;
                (Status::Mismatch, "1 arrays of boundary values, expected 2")
            }
            5 => {
                y.shape[0] -= 1;
                (Status::Shape, "output has shape")
            }
            6 => {
                workspace = null_mut();
                (Status::NullArgument, "workspace is NULL")
            }
            _ => {
                call.input[3] = f64::NAN;
                (Status::NonFinite, "input is NaN at element 3")
            }
        };
        let status_here =
            unsafe { pcml_operator_part_predict(call.part, workspace, call.reduction, &x, faces.as_ptr(), count, &y) };
        failed(status_here, status, &["pcml_operator_part_predict", text]);
        assert_eq!(call.host.calls, 1);
        assert!(call.output.iter().all(|v| *v == SENTINEL));
    }
}

#[test]
fn reductions_that_fail_and_steps_out_of_order() {
    let mut call = Call::new(Some("dirichlet"), 1);
    // First, two for each of four layers, last.
    for fails_at in 1..=10 {
        *call.host = Host { calls: 0, fails_at };
        failed(call.predict(), Status::Reduction, &["returned 77"]);
        assert!(call.output.iter().all(|v| *v == SENTINEL));
    }
    let (x, faces, y) = call.arrays();
    let (part, workspace) = (call.part, call.workspace);
    let (mut values, mut count) = (null_mut(), 0);
    unsafe {
        let none = null_mut();
        failed(
            pcml_operator_part_predict(part, workspace, none, &x, faces.as_ptr(), 2, &y),
            Status::NullArgument,
            &["reduction is NULL"],
        );
        failed(pcml_operator_part_finish(part, workspace, &y), Status::State, &["no results"]);
        failed(
            pcml_operator_part_continue(part, workspace, &mut values, &mut count),
            Status::State,
            &["nothing is under way"],
        );
        failed(
            pcml_operator_part_begin(part, workspace, &x, null(), 2, 2, &mut values, &mut count),
            Status::NullArgument,
            &["values is NULL"],
        );
        ok(pcml_operator_part_begin(part, workspace, &x, faces.as_ptr(), 2, 2, &mut values, &mut count));
        ok(pcml_operator_part_continue(part, workspace, &mut values, &mut count));
        // What was said is lost.
        std::slice::from_raw_parts_mut(values, count as usize).fill(0);
        failed(
            pcml_operator_part_continue(part, workspace, &mut values, &mut count),
            Status::Reduction,
            &["no set of parts"],
        );
        assert!(values.is_null() && count == 0);
    }
    *call.host = Host::default();
    ok(call.predict());
    assert!(call.host.calls == 10 && call.output.iter().all(|v| v.is_finite() && *v != SENTINEL));
}
