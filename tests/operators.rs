//! Neural operators through C: conditions of the host, roll-outs in place, threads of a plan, and one call from the input to a field that
//! obeys conservation and boundary together.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/operators.rs"]
mod operators;
#[path = "common/plans.rs"]
mod plans;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, ok, output};
use common::File;
use operators::{channels, conditioned, pair, plain, random, waves, with_selftest};
use pcml::capi::*;
use pcml::error::Status;
use pcml::field::Element;
use plans::{Operator, Sizes};
use serde_json::json;

const POINTS: usize = 40;

/// A 1-D operator that obeys its values at both ends.
fn heated() -> File {
    let mut description = conditioned(plain(6, &[5], &[0]), "exact", json!(pair(0, "dirichlet", 1.0)));
    description["fno"]["blocks"] = json!(2);
    with_selftest(random(&description, 3))
}

/// Trapezoid of 40 points on [0, 1], and a row for each end: the law and the conditions of `heated`.
struct Laws {
    projector: *mut pcml_projector,
    scratch: *mut pcml_workspace,
    report: *mut pcml_report,
}

impl Laws {
    fn new(prior: i32) -> Laws {
        let mut laws = Laws { projector: null_mut(), scratch: null_mut(), report: null_mut() };
        let x: Vec<f64> = (0..POINTS).map(|i| i as f64 / (POINTS - 1) as f64).collect();
        let axes = [input(&x, &[POINTS])];
        let mut constraints = null_mut();
        unsafe {
            ok(pcml_constraints_create(POINTS as i64, &mut constraints));
            ok(pcml_constraints_add_quadrature(constraints, 1, &axes[0], 0.0));
            for side in [-1, 1] {
                ok(pcml_constraints_add_boundary(constraints, axes.as_ptr(), 1, 0, &side, 0, 1.0, 0.0, 0, 0.0));
            }
            ok(pcml_projector_create(constraints, prior, null(), &mut laws.projector));
            ok(pcml_projector_workspace(laws.projector, 2, &mut laws.scratch));
            ok(pcml_projector_report(laws.projector, 2, &mut laws.report));
            pcml_constraints_free(constraints);
        }
        laws
    }

    /// What the terms of a field's mass amount to.
    fn scale(u: &[f64]) -> f64 {
        let h = 1.0 / (POINTS - 1) as f64;
        u.iter().enumerate().map(|(i, u)| u.abs() * if i == 0 || i + 1 == POINTS { h / 2.0 } else { h }).sum()
    }
}

impl Drop for Laws {
    fn drop(&mut self) {
        unsafe {
            pcml_report_free(self.report);
            pcml_workspace_free(self.scratch);
            pcml_projector_free(self.projector);
        }
    }
}

/// Two functions, with values [0.3, -0.4] on the left and [0.6, 0.1] on the right, and masses 0.7 and -0.2.
fn lawful<T: Element + Into<f64>>(dtype: i32, prior: i32) {
    let o = Operator::new(&heated(), Sizes { batch: 2, ..Sizes::new(dtype, &[POINTS as i64]) });
    let laws = Laws::new(prior);
    let (x, left, right) = (waves(2 * POINTS, 0.0), [0.3, -0.4], [0.6, 0.1]);
    let values = [input(&left, &[2]), input(&right, &[2])];
    let b = [0.7, 0.3, 0.6, -0.2, -0.4, 0.1];
    let prior_variance: Vec<f64> = (0..POINTS).map(|i| 0.5 + (i % 7) as f64).collect();
    let (x, b) = (input(&x, &[2, POINTS, 1]), input(&b, &[2, 3]));
    let v = input(&prior_variance, &[POINTS]);
    let v: *const pcml_const_array = if prior == 1 { null() } else { &v };
    let (mut plain, mut mean) = (vec![T::default(); 2 * POINTS], vec![T::default(); 2 * POINTS]);
    let mut apart = vec![T::default(); 2 * POINTS];
    let shape = [2, POINTS, 1];
    ok(o.predict(&x, &values, &output(&mut plain, &shape)));
    unsafe {
        let mean = output(&mut mean, &shape);
        let (list, report) = (values.as_ptr(), laws.report);
        ok(pcml_plan_predict_lawful(
            o.plan,
            o.workspace,
            &x,
            list,
            2,
            laws.projector,
            laws.scratch,
            v,
            &b,
            &mean,
            null(),
            report,
        ));
        let apart = output(&mut apart, &shape);
        let plain = input(&plain, &shape);
        ok(pcml_projector_project(laws.projector, laws.scratch, &plain, v, &b, &apart, null(), null_mut()));
        let mut slices = 0;
        ok(pcml_report_slices(laws.report, &mut slices));
        assert_eq!(slices, 2);
    }
    // Summed in twice the precision of f64.
    let mut residual = [f64::NAN; 6];
    ok(unsafe {
        pcml_projector_residual(laws.projector, laws.scratch, &input(&mean, &shape), &b, residual.as_mut_ptr())
    });
    let numbers = |u: Vec<T>| -> Vec<f64> { u.into_iter().map(Into::into).collect() };
    let (plain, mean, apart) = (numbers(plain), numbers(mean), numbers(apart));
    assert_eq!(mean, apart, "the same as the two calls");
    let eps = T::DTYPE.epsilon();
    for f in 0..2 {
        let (before, u) = (&plain[f * POINTS..][..POINTS], &mean[f * POINTS..][..POINTS]);
        for (at, value) in [(0, left[f]), (POINTS - 1, right[f])] {
            assert_eq!(before[at], T::DTYPE.round(value), "the operator obeys");
            assert!((u[at] - value).abs() <= 4.0 * eps * value.abs(), "node {at}: {} and {value}", u[at]);
        }
        let scale = Laws::scale(u);
        assert!(residual[3 * f].abs() <= 4.0 * eps * scale, "mass is {} apart", residual[3 * f]);
        assert!(before[1..POINTS - 1].iter().zip(&u[1..]).all(|(a, b)| a != b), "the inside gives way");
    }
}

#[test]
fn one_call_obeys_conservation_and_boundary_together() {
    for prior in [1, 2] {
        for arithmetic in [1, 2] {
            lawful::<f32>(arithmetic, prior);
            lawful::<f64>(arithmetic, prior);
        }
    }
}

#[test]
fn a_refused_chain_writes_nothing() {
    let o = Operator::new(&heated(), Sizes { batch: 2, ..Sizes::new(2, &[POINTS as i64]) });
    let laws = Laws::new(1);
    let other = Operator::new(&heated(), Sizes::new(2, &[POINTS as i64]));
    let (x, mut b) = (waves(2 * POINTS, 0.0), [0.7, 0.3, 0.6, -0.2, -0.4, 0.1]);
    let (left, right) = ([0.3, -0.4], [0.6, 0.1]);
    let values = [input(&left, &[2]), input(&right, &[2])];
    let chain =
        |o: &Operator, workspace, scratch, x: &[f64], values: &[pcml_const_array], b: &[f64], shape: &[usize]| {
            let mut u = [SENTINEL; 2 * POINTS];
            let (x, b) = (input(x, &[2, POINTS]), input(b, &[2, b.len() / 2]));
            let mean = output(&mut u, shape);
            let status = unsafe {
                let (list, count) = (values.as_ptr(), values.len() as i64);
                pcml_plan_predict_lawful(
                    o.plan,
                    workspace,
                    &x,
                    list,
                    count,
                    laws.projector,
                    scratch,
                    null(),
                    &b,
                    &mean,
                    null(),
                    laws.report,
                )
            };
            (status, u)
        };
    let mut slices = 0;
    ok(unsafe { pcml_report_slices(laws.report, &mut slices) });
    let shape = [2, POINTS];
    let refused = |(status, u): (i32, [f64; 2 * POINTS]), expected: Status, parts: &[&str]| {
        failed(status, expected, parts);
        assert!(u.iter().all(|v| *v == SENTINEL));
        let mut now = 0;
        ok(unsafe { pcml_report_slices(laws.report, &mut now) });
        assert_eq!(now, slices);
    };
    let (w, s) = (o.workspace, laws.scratch);
    refused(chain(&o, other.workspace, s, &x, &values, &b, &shape), Status::Mismatch, &["workspace"]);
    refused(chain(&o, w, w, &x, &values, &b, &shape), Status::Handle, &["in use"]);
    refused(chain(&o, w, other.workspace, &x, &values, &b, &shape), Status::Mismatch, &["pcml_projector_workspace"]);
    refused(chain(&o, w, null_mut(), &x, &values, &b, &shape), Status::NullArgument, &["workspace"]);
    refused(chain(&o, w, s, &x, &values[..1], &b, &shape), Status::Mismatch, &["1 arrays"]);
    refused(chain(&o, w, s, &x, &values, &b[..4], &shape), Status::Shape, &["b has shape"]);
    refused(chain(&o, w, s, &x, &values, &b, &[POINTS, 2]), Status::Shape, &["output"]);
    b[4] = f64::NAN;
    refused(chain(&o, w, s, &x, &values, &b, &shape), Status::NonFinite, &["b"]);
    let mut bad = x.clone();
    bad[50] = f64::INFINITY;
    refused(chain(&o, w, s, &bad, &values, &[0.0; 6], &shape), Status::NonFinite, &["input"]);
}

#[test]
fn a_projector_of_another_size_is_refused() {
    let o = Operator::new(&heated(), Sizes::new(2, &[30]));
    let laws = Laws::new(1);
    let (x, b, value) = (waves(30, 0.0), [0.0; 3], [0.5]);
    let mut u = [SENTINEL; 30];
    let values = [input(&value, &[1]), input(&value, &[1])];
    let status = unsafe {
        let (x, b, u) = (input(&x, &[30]), input(&b, &[3]), output(&mut u, &[30]));
        pcml_plan_predict_lawful(
            o.plan,
            o.workspace,
            &x,
            values.as_ptr(),
            2,
            laws.projector,
            laws.scratch,
            null(),
            &b,
            &u,
            null(),
            null_mut(),
        )
    };
    failed(status, Status::Shape, &["mean has shape", "40 values"]);
    assert!(u.iter().all(|v| *v == SENTINEL));
}

#[test]
fn conditions_of_the_host_take_the_place_of_the_models() {
    let mut description = conditioned(plain(6, &[5], &[0]), "exact", json!(pair(0, "neumann", 0.5)));
    description["fno"]["blocks"] = json!(2);
    let file = with_selftest(random(&description, 5));
    let mut o = Operator::new(&file, Sizes::new(2, &[30]));
    let (x, values) = (waves(30, 0.0), [0.25, -0.5]);
    let predict = |o: &Operator, order: [usize; 2]| {
        let mut u = vec![0f64; 30];
        let faces = order.map(|i| input(&values[i..i + 1], &[1]));
        ok(o.predict(&input(&x, &[30]), &faces, &output(&mut u, &[30])));
        u
    };
    let slopes = |u: &[f64], c: [f64; 2], h: f64| [(c[0] * u[0] + c[1] * u[1]) / h, -(c[0] * u[29] + c[1] * u[28]) / h];
    let own = predict(&o, [0, 1]);
    assert!(((-1.5 * own[0] + 2.0 * own[1] - 0.5 * own[2]) / 0.5 - 0.25).abs() < 1e-12);
    // First order, another spacing, and the upper face first: so are the values.
    let mut boundary = null_mut();
    unsafe {
        ok(pcml_boundary_create(&mut boundary));
        ok(pcml_boundary_add_face(boundary, 0, 1, 2, [-1.0, 1.0].as_ptr(), 2, 0.1));
        ok(pcml_boundary_add_face(boundary, 0, -1, 2, [-1.0, 1.0].as_ptr(), 2, 0.1));
        ok(pcml_options_set_boundary(o.options, boundary));
        pcml_boundary_free(boundary);
        pcml_workspace_free(o.workspace);
        pcml_plan_free(o.plan);
        o.workspace = null_mut();
        ok(pcml_plan_create(o.model, 2, o.options, &mut o.plan));
        ok(pcml_plan_workspace(o.plan, &mut o.workspace));
    }
    let found = slopes(&predict(&o, [1, 0]), [-1.0, 1.0], 0.1);
    assert!((found[0] - 0.25).abs() < 1e-12 && (found[1] + 0.5).abs() < 1e-12, "{found:?}");
    let mut plan = null_mut();
    unsafe {
        ok(pcml_options_set_boundary(o.options, null()));
        ok(pcml_plan_create(o.model, 2, o.options, &mut plan));
        let mut count = -1;
        ok(pcml_plan_regularised(plan, &mut count));
        assert!(count >= 0);
        pcml_plan_free(plan);
    }
}

#[test]
fn a_roll_out_is_its_steps_and_may_overwrite_its_input() {
    let mut description = plain(6, &[5], &[0]);
    description["fno"]["blocks"] = json!(2);
    description["inputs"] = channels("a", 2);
    let file = with_selftest(random(&description, 9));
    let (all, one) =
        (Operator::new(&file, Sizes { steps: 3, ..Sizes::new(2, &[20]) }), Operator::new(&file, Sizes::new(2, &[20])));
    let mut state = waves(40, 0.0);
    let mut rolled = vec![0.0; 60];
    ok(all.predict(&input(&state, &[20, 2]), &[], &output(&mut rolled, &[3, 20])));
    for step in 0..3 {
        let before = state.clone();
        // The new values go where the oldest channel is, which is part of the input.
        let mut to = output(&mut state, &[20]);
        to.strides[0] = 2;
        let mut from = input(&state, &[20, 2]);
        from.data = to.data;
        ok(one.predict(&from, &[], &to));
        let new: Vec<f64> = state.iter().step_by(2).copied().collect();
        assert_eq!(new, rolled[step * 20..][..20], "step {step}");
        for (i, v) in new.iter().enumerate() {
            (state[2 * i], state[2 * i + 1]) = (before[2 * i + 1], *v);
        }
    }
}

#[test]
fn threads_of_a_plan_change_no_bit() {
    let mut description = plain(6, &[6, 4], &[0, 3]);
    description["fno"]["blocks"] = json!(2);
    let file = with_selftest(random(&description, 4));
    let x = waves(20 * 18, 0.0);
    let run = |threads: i64| {
        let o = Operator::new(&file, Sizes { threads, ..Sizes::new(1, &[20, 18]) });
        let mut u = vec![0.0f32; 20 * 18];
        ok(o.predict(&input(&x, &[20, 18]), &[], &output(&mut u, &[20, 18])));
        u
    };
    let alone = run(1);
    assert_eq!(alone, run(2));
    assert_eq!(alone, run(5));
}
