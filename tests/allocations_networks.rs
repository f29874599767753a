//! Predicting with perceptrons, DeepONets and ensembles calls the allocator not once, through C, in both arithmetics.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/networks.rs"]
mod networks;
#[path = "common/plans.rs"]
mod plans;

use std::hint::black_box;
use std::ptr::null;

use border::{input, ok, output};
use counting::allocations;
use networks::{channels, deeponet, ensemble, perceptron, random, uniform};
use pcml::capi::*;
use pcml::field::Element;
use plans::Operator;
use serde_json::{Value, json};

const ROWS: usize = 70;

/// A plan for [`ROWS`] rows, or 3 functions at as many targets.
fn made(description: &Value, dtype: i32, draws: i64) -> Operator {
    Operator::with(&random(description, 1), dtype, |options| unsafe {
        if description["architecture"] == "deeponet" {
            ok(pcml_options_set_targets(options, ROWS as i64));
            ok(pcml_options_set_batch(options, 3));
        } else {
            ok(pcml_options_set_batch(options, ROWS as i64));
        }
        if draws > 0 {
            ok(pcml_options_set_latents(options, draws));
            ok(pcml_options_set_dropout(options, 0.2));
        }
    })
}

/// Allocations of a second call.
fn second(mut call: impl FnMut()) -> u64 {
    call();
    allocations(call)
}

fn rows<T: Element + From<f32>>(made: &Operator, members: usize, variances: bool) -> [u64; 4] {
    let values = |count: usize| -> Vec<T> { uniform(1, 1, count).iter().map(|v| T::from(*v as f32)).collect() };
    let (x, mut mean) = (values(ROWS * 3), values(ROWS * 2));
    let (mut variance, mut low_rank) = (values(ROWS * 2), values(ROWS * 2 * (members + 1)));
    let (x, m) = (input(&x, &[ROWS, 3]), output(&mut mean, &[ROWS, 2]));
    let v = output(&mut variance, &[ROWS, 2]);
    let r = output(&mut low_rank, &[ROWS, members + 1, 2]);
    let (p, w) = (made.plan, made.workspace);
    let mut columns = [x, x];
    (columns[0].shape[1], columns[1].shape[1]) = (1, 2);
    unsafe {
        [
            second(|| ok(pcml_plan_predict(p, w, &x, null(), 0, &m))),
            second(|| ok(pcml_plan_predict_fields(p, w, columns.as_ptr(), 2, null(), 0, &m, 1))),
            if variances { second(|| ok(pcml_plan_predict_moments(p, w, &x, null(), 0, &m, &v))) } else { 0 },
            if members > 0 { second(|| ok(pcml_plan_predict_factors(p, w, &x, null(), 0, &m, &r))) } else { 0 },
        ]
    }
}

#[test]
fn rows_allocate_nothing() {
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    let head = json!({"function": "exp", "of": "deviation"});
    let plain = perceptron(channels("a", 3), &[20, 7], channels("u", 2), json!("gelu"), Value::Null);
    let variances = perceptron(channels("a", 3), &[20], channels("u", 2), json!("relu"), head);
    let mut logarithms = variances.clone();
    logarithms["inputs"][0] = json!({"name": "a", "unit": "1", "log": true, "shift": 5.0});
    logarithms["outputs"][1] = json!({"name": "u", "unit": "1", "log": true});
    let mut dropout = plain.clone();
    dropout["mlp"]["dropout"] = json!(0.2);
    for dtype in [1, 2] {
        let cases = [(&plain, 0, 0), (&variances, 0, 0), (&logarithms, 0, 0), (&dropout, 4, 4)];
        let ensembles = [ensemble(plain.clone(), 3), ensemble(variances.clone(), 2)];
        let cases = cases.into_iter().chain(ensembles.iter().zip([3, 2]).map(|(d, members)| (d, 0, members)));
        for (description, draws, members) in cases {
            let made = made(description, dtype, draws);
            let has_variance = members > 0 || description["mlp"]["head"].is_object();
            let counts = [rows::<f32>(&made, members, has_variance), rows::<f64>(&made, members, has_variance)];
            assert_eq!(counts, [[0; 4]; 2], "{description}, dtype {dtype}");
        }
    }
}

#[test]
fn deeponets_allocate_nothing() {
    let plain = deeponet(channels("x", 2), channels("u", 2), 9, 6, false);
    let members = ensemble(plain.clone(), 3);
    for (description, count) in [(&plain, 0), (&members, 3)] {
        for dtype in [1, 2] {
            let made = made(description, dtype, 0);
            let (u, t, mut mean) = (uniform(1, 1, 54), uniform(1, 2, ROWS * 2), vec![0.0; 3 * ROWS * 2]);
            let mut low_rank = vec![0.0; 3 * ROWS * 2 * (count + 1)];
            let (u, t) = (input(&u, &[3, 9, 2]), input(&t, &[ROWS, 2]));
            let m = output(&mut mean, &[3, ROWS, 2]);
            let r = output(&mut low_rank, &[3, count + 1, ROWS, 2]);
            let (p, w) = (made.plan, made.workspace);
            unsafe {
                assert_eq!(second(|| ok(pcml_plan_condition(p, w, null(), &u))), 0);
                assert_eq!(second(|| ok(pcml_plan_query(p, w, &t, null(), &m, null()))), 0);
                if count > 0 {
                    assert_eq!(second(|| ok(pcml_plan_query_factors(p, w, &t, null(), &m, &r))), 0);
                }
            }
        }
    }
}
