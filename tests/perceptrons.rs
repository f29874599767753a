//! What a multilayer perceptron promises: the textbook's values in f64 and near them in f32, the same bits whatever the batch, the place in it,
//! the strides and the arrays' sharing of memory, and errors that leave the outputs alone.

mod common;
#[path = "common/networks.rs"]
mod networks;

use common::File;
use networks::{channels, perceptron, plain_channels, random, textbook, uniform};
use pcml::error::Status;
use pcml::field::{Dtype, Element, Layout};
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use serde_json::{Value, json};

const FUNCTIONS: [&str; 9] = ["relu", "tanh", "gelu", "elu", "leaky-relu", "silu", "sigmoid", "softplus", "identity"];

fn load(file: &File) -> Model {
    Model::from_bytes(&file.bytes()).unwrap()
}

fn plan(model: &Model, dtype: Dtype, batch: usize) -> Plan {
    Plan::new(model, dtype, &Options { batch, ..Options::default() }).unwrap()
}

/// Means, and variances where the model has them.
fn predict<T: Element>(plan: &Plan, x: &[T], shape: &[usize], outputs: usize) -> (Vec<T>, Vec<T>) {
    let mut out = shape.to_vec();
    *out.last_mut().unwrap() = outputs;
    let len = out.iter().product();
    let (mut mean, mut variance) = (vec![T::default(); len], vec![T::default(); len]);
    let mut workspace = plan.workspace().unwrap();
    let x = View::new("x", x, shape).unwrap();
    let mut view = ViewMut::new("mean", &mut mean, &out).unwrap();
    if plan.has_variance() {
        let mut variance = ViewMut::new("variance", &mut variance, &out).unwrap();
        plan.predict_moments(&mut workspace, &x, &[], &mut view, &mut variance).unwrap();
    } else {
        plan.predict(&mut workspace, &x, &[], &mut view).unwrap();
    }
    (mean, variance)
}

fn close(here: &[f64], there: &[f64], tolerance: f64) {
    let size = there.iter().fold(1.0f64, |a, v| a.max(v.abs()));
    for (h, t) in here.iter().zip(there) {
        assert!((h - t).abs() <= tolerance * size, "{h} {t}");
    }
}

fn head(kind: usize) -> Value {
    match kind {
        0 => Value::Null,
        1 => json!({"function": "exp", "of": "variance"}),
        2 => json!({"function": "softplus", "of": "variance", "minimum": 1e-6}),
        _ => json!({"function": "softplus", "of": "deviation", "minimum": 1e-3}),
    }
}

fn layers() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1usize..70, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn predictions_are_the_textbooks(
        hidden in layers(), inputs in 1usize..40, outputs in 1usize..40, rows in 1usize..300, f in 0usize..9, kind in 0usize..4, seed: u64,
    ) {
        let d = perceptron(channels("a", inputs), &hidden, channels("u", outputs), json!(FUNCTIONS[f]), head(kind));
        let file = random(&d, seed);
        let model = load(&file);
        let x = uniform(seed, 5, rows * inputs);
        let (mean, variance) = textbook(&file, &x);
        let (here, spread) = predict(&plan(&model, Dtype::F64, rows), &x, &[rows, inputs], outputs);
        close(&here, &mean, 1e-12);
        if kind > 0 {
            close(&spread, &variance, 1e-12);
        }
        let narrow: Vec<f32> = x.iter().map(|v| *v as f32).collect();
        let (here, _) = predict(&plan(&model, Dtype::F32, rows), &narrow, &[rows, inputs], outputs);
        close(&here.iter().map(|v| *v as f64).collect::<Vec<_>>(), &mean, 1e-5);
    }

    #[test]
    fn every_row_has_its_own_bits(
        hidden in layers(), inputs in 1usize..20, outputs in 1usize..20, rows in 1usize..200, place in 0usize..200, kind in 0usize..4, seed: u64,
        scaled: bool,
    ) {
        let of = |name: &str, count| if scaled { channels(name, count) } else { plain_channels(name, count) };
        let d = perceptron(of("a", inputs), &hidden, of("u", outputs), json!("tanh"), head(kind));
        let model = load(&random(&d, seed));
        let place = place % rows;
        let x: Vec<f32> = uniform(seed, 5, rows * inputs).iter().map(|v| *v as f32).collect();
        let (all, spread) = predict(&plan(&model, Dtype::F32, rows), &x, &[rows, inputs], outputs);
        let row = &x[place * inputs..][..inputs];
        let (one, of_one) = predict(&plan(&model, Dtype::F32, 1), row, &[1, inputs], outputs);
        prop_assert_eq!(&all[place * outputs..][..outputs], &one[..]);
        prop_assert_eq!(&spread[place * outputs..][..outputs], &of_one[..]);

        // Channels first, backwards, and results likewise: the same numbers.
        let plan = plan(&model, Dtype::F32, rows);
        let mut turned = vec![0f32; x.len()];
        for (i, v) in x.iter().enumerate() {
            turned[i % inputs * rows + rows - 1 - i / inputs] = *v;
        }
        let layout = Layout::new("x", &[rows, inputs], &[-1, rows as isize]).unwrap();
        let out = Layout::new("y", &[rows, outputs], &[-1, rows as isize]).unwrap();
        let mut y = vec![0f32; rows * outputs];
        plan.predict(
            &mut plan.workspace().unwrap(),
            &View::strided("x", &turned, rows - 1, layout).unwrap(),
            &[],
            &mut ViewMut::strided("y", &mut y, rows - 1, out).unwrap(),
        ).unwrap();
        for (i, v) in all.iter().enumerate() {
            prop_assert_eq!(*v, y[i % outputs * rows + rows - 1 - i / outputs]);
        }
    }
}

#[test]
fn columns_of_any_rank_are_rows() {
    let d = perceptron(channels("a", 6), &[9], channels("u", 4), json!("relu"), Value::Null);
    let model = load(&random(&d, 3));
    let x = uniform(1, 5, 6 * 30);
    let plan = plan(&model, Dtype::F64, 30);
    let (flat, _) = predict(&plan, &x, &[30, 6], 4);
    let (grid, _) = predict(&plan, &x, &[5, 3, 2, 6], 4);
    assert_eq!(flat, grid);
    let (row, _) = predict(&plan, &x[..6], &[6], 4);
    assert_eq!(row[..], flat[..4]);
}

#[test]
fn arrays_may_share_memory() {
    let d = perceptron(channels("a", 6), &[9], channels("u", 6), json!("silu"), Value::Null);
    let model = load(&random(&d, 4));
    let mut x = uniform(1, 5, 6 * 500);
    let plan = plan(&model, Dtype::F64, 500);
    let (apart, _) = predict(&plan, &x, &[500, 6], 6);
    // Results lie in memory in the order of the last row first, where rows are still to be read.
    let back = Layout::new("y", &[500, 6], &[-6, 1]).unwrap();
    let (input, output) = {
        let data = x.as_mut_ptr();
        let (there, len) = (data, x.len());
        // SAFETY: the test is about a view and a writable view of the same memory, as a host may pass them.
        #[allow(unsafe_code)]
        unsafe {
            (
                View::new("x", std::slice::from_raw_parts(data, len), &[500, 6]).unwrap(),
                ViewMut::strided("y", std::slice::from_raw_parts_mut(there, len), 499 * 6, back).unwrap(),
            )
        }
    };
    let mut output = output;
    plan.predict(&mut plan.workspace().unwrap(), &input, &[], &mut output).unwrap();
    for (row, expected) in apart.chunks(6).enumerate() {
        assert_eq!(x[(499 - row) * 6..][..6], *expected);
    }
}

#[test]
fn logarithms_are_read_and_undone() {
    let (mut inputs, mut outputs) = (channels("a", 3), channels("u", 2));
    inputs[1]["log"] = json!(true);
    inputs[1]["shift"] = json!(0.125);
    outputs[0]["log"] = json!(true);
    for kind in 0..4 {
        let d = perceptron(inputs.clone(), &[16, 16], outputs.clone(), json!("tanh"), head(kind));
        let file = random(&d, 11 + kind as u64);
        let model = load(&file);
        let x: Vec<f64> = uniform(2, 5, 3 * 400).iter().map(|v| 1.01 + v).collect();
        let (mean, variance) = textbook(&file, &x);
        let (here, spread) = predict(&plan(&model, Dtype::F64, 400), &x, &[400, 3], 2);
        close(&here, &mean, 1e-12);
        close(&spread, &variance, if kind > 0 { 1e-12 } else { f64::INFINITY });

        let mut bad = x.clone();
        bad[3 * 7 + 1] = -0.125;
        let plan = plan(&model, Dtype::F64, 400);
        let mut y = vec![7.25; 800];
        let error = plan
            .predict(
                &mut plan.workspace().unwrap(),
                &View::new("x", &bad, &[400, 3]).unwrap(),
                &[],
                &mut ViewMut::new("y", &mut y, &[400, 2]).unwrap(),
            )
            .unwrap_err();
        assert_eq!(error.status(), Status::InvalidArgument);
        assert!(
            error.message().contains("-0.125 at element 22") && error.message().contains("more than -0.125"),
            "{error}"
        );
        assert!(y.iter().all(|v| *v == 7.25));
    }
}

#[test]
fn an_overflow_is_told_and_writes_nothing() {
    let d = perceptron(plain_channels("a", 2), &[8], plain_channels("u", 2), json!("relu"), Value::Null);
    let model = load(&random(&d, 5));
    let plan = plan(&model, Dtype::F32, 100);
    let mut x = vec![0.5f32; 200];
    x[150] = 3e38;
    x[151] = 3e38;
    let mut y = vec![7.25f32; 200];
    let mut run = |x: &[f32]| {
        let x = View::new("x", x, &[100, 2]).unwrap();
        plan.predict(&mut plan.workspace().unwrap(), &x, &[], &mut ViewMut::new("y", &mut y, &[100, 2]).unwrap())
    };
    assert_eq!(run(&x).unwrap_err().status(), Status::NonFinite);
    // Near the limit the bound does not tell, but every value is finite.
    x[150] = 1e37;
    x[151] = 1e37;
    run(&x).unwrap();
    assert!(y.iter().all(|v| v.is_finite() && *v != 7.25));
}

#[test]
fn a_network_without_layers_between_is_a_matrix() {
    let d = perceptron(plain_channels("a", 1), &[], plain_channels("u", 1), json!("relu"), Value::Null);
    let file = random(&d, 6);
    let model = load(&file);
    let (w, b) = (file.tensors["layers.0.weight"].1[0], file.tensors["layers.0.bias"].1[0]);
    let (y, _) = predict(&plan(&model, Dtype::F64, 3), &[1.0, -2.0, 0.5], &[3], 3);
    assert_eq!(y, [1.0, -2.0, 0.5].map(|x| w * x + b));
}
