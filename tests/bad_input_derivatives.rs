//! Derivatives of neural operators: every bad input has its status, a message that names the culprit, and leaves outputs alone.
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
use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use plans::{Operator, Sizes};
use serde_json::{Value, json};

const NODES: usize = 72;

fn file(mut description: Value) -> File {
    description["fno"]["blocks"] = json!(2);
    description["fno"]["projection"] = json!([8]);
    with_selftest(random(&description, 2))
}

/// An operator that obeys values below and above and slopes on the left and right.
fn bound() -> File {
    let faces = json!([pair(0, "dirichlet", 0.1), pair(1, "neumann", 0.1)].concat());
    file(conditioned(plain(4, &[4, 3], &[0, 0]), "exact", faces))
}

/// Good arrays of both calls.
struct Arrays {
    input: pcml_const_array,
    values: Vec<pcml_const_array>,
    /// Tangent of the input, or cotangent of the output.
    direction: pcml_const_array,
    value_tangents: Vec<pcml_const_array>,
    /// Tangent of the output, or cotangent of the input.
    result: pcml_array,
    value_cotangents: Vec<pcml_array>,
}

struct Derivatives {
    o: Operator,
    workspace: *mut pcml_workspace,
}

impl Derivatives {
    fn new(file: &File) -> Derivatives {
        let o = Operator::new(file, Sizes::new(2, &[8, 9]));
        let mut workspace = null_mut();
        ok(unsafe { pcml_plan_derivative_workspace(o.plan, &mut workspace) });
        Derivatives { o, workspace }
    }

    fn jvp(&self, a: &Arrays) -> i32 {
        let (list, count) = (a.values.as_ptr(), a.values.len() as i64);
        let (d, v) = (&a.direction, a.value_tangents.as_ptr());
        unsafe { pcml_plan_jvp(self.o.plan, self.workspace, &a.input, list, count, d, v, &a.result) }
    }

    fn vjp(&self, a: &Arrays) -> i32 {
        let (list, count) = (a.values.as_ptr(), a.values.len() as i64);
        let (d, v) = (&a.direction, a.value_cotangents.as_ptr());
        unsafe { pcml_plan_vjp(self.o.plan, self.workspace, &a.input, list, count, d, &a.result, v) }
    }

    /// A call with good arrays but for what `change` does to them; it must fail and leave results alone.
    #[track_caller]
    fn refuses(
        &self,
        run: impl Fn(&Derivatives, &Arrays) -> i32,
        status: Status,
        parts: &[&str],
        change: impl FnOnce(&mut Arrays),
    ) {
        let (x, d, given) = (waves(NODES, 0.0), waves(NODES, 0.7), waves(9, 1.0));
        let mut result = [SENTINEL; NODES];
        let mut of_values = vec![vec![SENTINEL; 9]; 4];
        let lengths = [9, 9, 8, 8];
        let value = |n: &usize| input(&given[..*n], &[*n]);
        let mut arrays = Arrays {
            input: input(&x, &[8, 9]),
            values: lengths.iter().map(value).collect(),
            direction: input(&d, &[8, 9]),
            value_tangents: lengths.iter().map(value).collect(),
            result: output(&mut result, &[8, 9]),
            value_cotangents: of_values.iter_mut().zip(lengths).map(|(v, n)| output(&mut v[..n], &[n])).collect(),
        };
        change(&mut arrays);
        failed(run(self, &arrays), status, parts);
        assert!(result.iter().chain(of_values.iter().flatten()).all(|v| *v == SENTINEL));
    }
}

impl Drop for Derivatives {
    fn drop(&mut self) {
        unsafe { pcml_workspace_free(self.workspace) }
    }
}

#[test]
fn bad_arrays() {
    let d = Derivatives::new(&bound());
    let bad = [f64::NAN; NODES];
    let nan = || input(&bad, &[8, 9]);
    for run in [Derivatives::jvp, Derivatives::vjp] {
        d.refuses(run, Status::Shape, &["input has shape [9, 8]"], |a| a.input.shape[..2].swap(0, 1));
        d.refuses(run, Status::NonFinite, &["input is NaN at element 0"], |a| a.input = nan());
        d.refuses(run, Status::Mismatch, &["values: 3 arrays", "expected 4"], |a| a.values.truncate(3));
        d.refuses(run, Status::Shape, &["values[2]", "[1, 1, 8, 1]"], |a| a.values[2].shape[0] = 7);
        d.refuses(run, Status::NonFinite, &["values[1] holds NaN at element 0"], |a| {
            a.values[1].data = bad.as_ptr().cast()
        });
        d.refuses(run, Status::NonFinite, &["the network overflows"], |a| a.input = input(&[1e308; NODES], &[8, 9]));
        d.refuses(run, Status::Dtype, &["dtype is 9"], |a| a.direction.dtype = 9);
    }
    let (jvp, vjp) = (Derivatives::jvp, Derivatives::vjp);
    d.refuses(jvp, Status::Shape, &["input_tangent has shape [8, 7]"], |a| a.direction.shape[1] = 7);
    d.refuses(jvp, Status::NonFinite, &["input_tangent is NaN"], |a| a.direction = nan());
    d.refuses(jvp, Status::Shape, &["value_tangents[0]"], |a| a.value_tangents[0].shape[0] = 8);
    d.refuses(jvp, Status::NonFinite, &["value_tangents[3] holds NaN"], |a| {
        a.value_tangents[3].data = bad.as_ptr().cast()
    });
    d.refuses(jvp, Status::Shape, &["output_tangent has shape [7, 9]"], |a| a.result.shape[0] = 7);
    d.refuses(jvp, Status::Stride, &["output_tangent", "twice"], |a| a.result.strides[0] = 0);
    d.refuses(jvp, Status::NonFinite, &["output_tangent becomes"], |a| a.direction = input(&[1e308; NODES], &[8, 9]));
    d.refuses(vjp, Status::Shape, &["output_cotangent has shape [8, 7]"], |a| a.direction.shape[1] = 7);
    d.refuses(vjp, Status::NonFinite, &["output_cotangent is NaN"], |a| a.direction = nan());
    d.refuses(vjp, Status::Shape, &["input_cotangent has shape [7, 9]"], |a| a.result.shape[0] = 7);
    d.refuses(vjp, Status::Shape, &["value_cotangents[1]"], |a| a.value_cotangents[1].shape[0] = 8);
    d.refuses(vjp, Status::Dtype, &["value_cotangents[1]"], |a| a.value_cotangents[1].dtype = 0);
    d.refuses(vjp, Status::Stride, &["overlap"], |a| a.value_cotangents[2].data = a.value_cotangents[1].data);
    d.refuses(vjp, Status::Stride, &["overlap"], |a| a.value_cotangents[0].data = a.result.data);
    d.refuses(vjp, Status::NonFinite, &["becomes"], |a| a.direction = input(&[1e308; NODES], &[8, 9]));
    let negative = |d: &Derivatives, a: &Arrays| unsafe {
        pcml_plan_jvp(d.o.plan, d.workspace, &a.input, a.values.as_ptr(), -1, null(), null(), &a.result)
    };
    d.refuses(negative, Status::InvalidArgument, &["the count of values is -1"], |_| {});
    let many = |d: &Derivatives, a: &Arrays| unsafe {
        pcml_plan_vjp(d.o.plan, d.workspace, &a.input, null(), 65, &a.direction, null(), a.value_cotangents.as_ptr())
    };
    d.refuses(many, Status::Mismatch, &["65 arrays"], |_| {});
    let free = Derivatives::new(&file(plain(4, &[4, 3], &[0, 0])));
    free.refuses(jvp, Status::Mismatch, &["values: 4 arrays", "expected none"], |_| {});
}

#[test]
fn bad_handles() {
    let (d, other) = (Derivatives::new(&bound()), Derivatives::new(&bound()));
    let (plan, workspace) = (d.o.plan, d.workspace);
    let (x, mut y) = (waves(NODES, 0.0), [SENTINEL; NODES]);
    let (x, y) = (input(&x, &[8, 9]), output(&mut y, &[8, 9]));
    unsafe {
        let jvp = |plan, workspace, x, y| pcml_plan_jvp(plan, workspace, x, null(), 0, null(), null(), y);
        let vjp = |plan, workspace, x, w| pcml_plan_vjp(plan, workspace, x, null(), 0, w, null(), null());
        failed(jvp(null(), workspace, &x, &y), Status::NullArgument, &["plan"]);
        failed(jvp(plan, null_mut(), &x, &y), Status::NullArgument, &["workspace"]);
        failed(jvp(plan, workspace, null(), &y), Status::NullArgument, &["input"]);
        failed(jvp(plan, workspace, &x, null()), Status::NullArgument, &["output_tangent"]);
        failed(vjp(null(), workspace, &x, &x), Status::NullArgument, &["plan"]);
        failed(vjp(plan, null_mut(), &x, &x), Status::NullArgument, &["workspace"]);
        failed(vjp(plan, workspace, null(), &x), Status::NullArgument, &["input"]);
        failed(vjp(plan, workspace, &x, null()), Status::NullArgument, &["output_cotangent"]);
        let creator = "pcml_plan_derivative_workspace";
        for foreign in [d.o.workspace, other.workspace] {
            failed(jvp(plan, foreign, &x, &y), Status::Mismatch, &["workspace", creator]);
            failed(vjp(plan, foreign, &x, &x), Status::Mismatch, &["workspace", creator]);
        }
        failed(pcml_plan_predict(plan, workspace, &x, null(), 0, &y), Status::Mismatch, &["pcml_plan_workspace"]);
        failed(pcml_plan_derivative_workspace(plan, null_mut()), Status::NullArgument, &["workspace"]);
    }
}

#[test]
fn results_may_replace_what_was_read() {
    let d = Derivatives::new(&file(plain(4, &[4, 3], &[0, 0])));
    let (x, shape) = (waves(NODES, 0.0), [8, 9]);
    for run in [Derivatives::jvp, Derivatives::vjp] {
        let (mut apart, mut place) = (vec![0.0; NODES], waves(NODES, 0.7));
        let mut arrays = Arrays {
            input: input(&x, &shape),
            values: vec![],
            direction: input(&place, &shape),
            value_tangents: vec![],
            result: output(&mut apart, &shape),
            value_cotangents: vec![],
        };
        ok(run(&d, &arrays));
        arrays.result = output(&mut place, &shape);
        arrays.direction.data = arrays.result.data;
        ok(run(&d, &arrays));
        assert_eq!(apart, place);
    }
}

#[test]
fn roll_outs() {
    let mut rolled = plain(4, &[4, 3], &[0, 0]);
    rolled["inputs"] = channels("a", 2);
    let o = Operator::new(&file(rolled), Sizes { steps: 3, ..Sizes::new(2, &[8, 9]) });
    let mut workspace = null_mut();
    ok(unsafe { pcml_plan_derivative_workspace(o.plan, &mut workspace) });
    let (x, w) = (waves(2 * NODES, 0.0), waves(3 * NODES, 0.7));
    let x = input(&x, &[8, 9, 2]);
    let mut result = [SENTINEL; 3 * NODES];
    for (shape, parts) in [(&[8i64, 9][..], ["output_tangent"]), (&[2, 8, 9], ["output_tangent"])] {
        let shape: Vec<usize> = shape.iter().map(|n| *n as usize).collect();
        let y = output(&mut result[..shape.iter().product()], &shape);
        let status = unsafe { pcml_plan_jvp(o.plan, workspace, &x, null(), 0, &x, null(), &y) };
        failed(status, Status::Shape, &parts);
    }
    let mut of_x = [SENTINEL; 2 * NODES];
    let of_x_array = output(&mut of_x, &[8, 9, 2]);
    let vjp = |w: &pcml_const_array| unsafe { pcml_plan_vjp(o.plan, workspace, &x, null(), 0, w, &of_x_array, null()) };
    failed(vjp(&input(&w[..NODES], &[8, 9])), Status::Shape, &["output_cotangent"]);
    let mut bad = w.clone();
    bad[2 * NODES + 5] = f64::NAN;
    failed(vjp(&input(&bad, &[3, 8, 9])), Status::NonFinite, &["output_cotangent", "element 149"]);
    assert!(result.iter().chain(&of_x).all(|v| *v == SENTINEL));
    ok(vjp(&input(&w, &[3, 8, 9])));
    unsafe { pcml_workspace_free(workspace) };
}

#[test]
fn models_without_derivatives() {
    let mut workspace = std::ptr::dangling_mut();
    let path = CString::new(stefan_path().to_str().unwrap()).unwrap();
    let (mut model, mut options, mut plan) = (null_mut(), null_mut(), null_mut());
    unsafe {
        ok(pcml_model_load(path.as_ptr(), &mut model));
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_context(options, 10));
        ok(pcml_options_set_targets(options, 10));
        ok(pcml_plan_create(model, 2, options, &mut plan));
        failed(pcml_plan_derivative_workspace(plan, &mut workspace), Status::State, &["neural process"]);
        assert!(workspace.is_null());
        pcml_plan_free(plan);
        pcml_options_free(options);
        pcml_model_free(model);
    }
}

#[test]
fn a_workspace_of_another_arithmetic() {
    let model = Model::from_bytes(&file(plain(4, &[4, 3], &[0, 0])).bytes()).unwrap();
    let options = Options { shape: Some(vec![8, 9]), ..Options::default() };
    let [single, double] = [Dtype::F32, Dtype::F64].map(|dtype| Plan::new(&model, dtype, &options).unwrap());
    let mut workspace = single.derivative_workspace().unwrap();
    let (x, mut y) = (waves(NODES, 0.0), [SENTINEL; NODES]);
    let x = pcml::View::new("x", &x, &[8, 9]).unwrap();
    let mut out = pcml::ViewMut::new("y", &mut y, &[8, 9]).unwrap();
    let error = double.jvp(&mut workspace, &x, &[], None, None, &mut out).unwrap_err();
    assert_eq!(error.status(), Status::Mismatch);
    let error = double.vjp(&mut workspace, &x, &[], &x, None, None).unwrap_err();
    assert_eq!(error.status(), Status::Mismatch);
    assert!(y.iter().all(|v| *v == SENTINEL));
}
