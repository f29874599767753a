//! Perceptrons, DeepONets and ensembles: every bad input has its status, a message that names the culprit, and leaves outputs alone.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/networks.rs"]
mod networks;
#[path = "common/operators.rs"]
mod operators;
#[path = "common/plans.rs"]
mod plans;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, message, ok, output};
use networks::{channels, deeponet, ensemble, perceptron, random, uniform};
use pcml::capi::*;
use pcml::error::Status;
use pcml::model::Model;
use plans::Operator;
use serde_json::{Value, json};

/// A plan for at most 4 rows or functions, 6 targets, and its workspace.
fn made(description: &Value) -> Operator {
    Operator::with(&random(description, 1), 2, |options| unsafe {
        ok(pcml_options_set_batch(options, 4));
        if description["architecture"] == "deeponet" {
            ok(pcml_options_set_targets(options, 6));
        }
    })
}

fn members(of: &Operator) -> i64 {
    let mut count = -1;
    ok(unsafe { pcml_plan_members(of.plan, &mut count) });
    count
}

fn with_head() -> Value {
    let head = json!({"function": "softplus", "of": "variance", "minimum": 1e-6});
    perceptron(channels("a", 3), &[8], channels("u", 2), json!("tanh"), head)
}

fn without_head() -> Value {
    perceptron(channels("a", 3), &[8], channels("u", 2), json!("tanh"), Value::Null)
}

#[test]
fn predictions_with_bad_arrays() {
    let f = made(&with_head());
    let (x, mut mean, mut variance) = (uniform(1, 1, 15), [SENTINEL; 10], [SENTINEL; 10]);
    let good = (input(&x[..12], &[4, 3]), output(&mut mean, &[4, 2]), output(&mut variance, &[4, 2]));
    let moments = |x: &pcml_const_array, m: &pcml_array, v: &pcml_array| unsafe {
        pcml_plan_predict_moments(f.plan, f.workspace, x, null(), 0, m, v)
    };
    let mut bad = x.clone();
    for value in [f64::NAN, f64::INFINITY] {
        bad[7] = value;
        failed(moments(&input(&bad[..12], &[4, 3]), &good.1, &good.2), Status::NonFinite, &["input is", "element 7"]);
    }
    failed(moments(&input(&x, &[5, 3]), &good.1, &good.2), Status::Shape, &["5 rows", "option batch, 4"]);
    failed(
        moments(&input(&x[..12], &[3, 4]), &good.1, &good.2),
        Status::Shape,
        &["input has shape [3, 4]", "[rows, 3]"],
    );
    let mut wide = [SENTINEL; 10];
    failed(
        moments(&good.0, &output(&mut wide, &[5, 2]), &good.2),
        Status::Shape,
        &["output has shape [5, 2]", "[4, 2]"],
    );
    failed(moments(&good.0, &good.1, &output(&mut wide, &[2, 5])), Status::Shape, &["variance has shape [2, 5]"]);
    failed(moments(&good.0, &good.1, &good.1), Status::Stride, &["mean and variance overlap"]);
    unsafe {
        let (x, m, v) = (&good.0, &good.1, &good.2);
        failed(
            pcml_plan_predict_moments(f.plan, f.workspace, null(), null(), 0, m, v),
            Status::NullArgument,
            &["input"],
        );
        failed(
            pcml_plan_predict_moments(f.plan, f.workspace, x, null(), 0, null(), v),
            Status::NullArgument,
            &["mean"],
        );
        failed(
            pcml_plan_predict_moments(f.plan, f.workspace, x, null(), 0, m, null()),
            Status::NullArgument,
            &["variance"],
        );
        failed(pcml_plan_predict_moments(null(), f.workspace, x, null(), 0, m, v), Status::NullArgument, &["plan"]);
        failed(pcml_plan_predict_moments(f.plan, null_mut(), x, null(), 0, m, v), Status::NullArgument, &["workspace"]);
        failed(pcml_plan_predict_moments(f.plan, f.workspace, x, null(), -1, m, v), Status::InvalidArgument, &["-1"]);
        failed(
            pcml_plan_predict_moments(f.plan, f.workspace, x, x, 1, m, v),
            Status::Mismatch,
            &["1 arrays of boundary values"],
        );
        failed(pcml_plan_predict_factors(f.plan, f.workspace, x, null(), 0, m, v), Status::Mismatch, &["no ensemble"]);
        failed(pcml_plan_query(f.plan, f.workspace, x, null(), m, v), Status::Mismatch, &["no neural process"]);
        failed(pcml_plan_condition(f.plan, f.workspace, x, x), Status::Mismatch, &["no neural process"]);
        failed(pcml_plan_members(f.plan, null_mut()), Status::NullArgument, &["count"]);
        let mut derivative = null_mut();
        failed(pcml_plan_derivative_workspace(f.plan, &mut derivative), Status::State, &["no derivatives"]);
        assert!(derivative.is_null());
    }
    assert_eq!(members(&f), 0);
    let plain = made(&without_head());
    let found = unsafe { pcml_plan_predict_moments(plain.plan, plain.workspace, &good.0, null(), 0, &good.1, &good.2) };
    failed(found, Status::Mismatch, &["no variances", "mlp.head"]);
    let found = unsafe { pcml_plan_predict(f.plan, plain.workspace, &good.0, null(), 0, &good.1) };
    failed(found, Status::Mismatch, &["workspace belongs to another object"]);
    assert!(mean.iter().chain(&variance).chain(&wide).all(|v| *v == SENTINEL));
    assert!(!message().is_empty());
}

#[test]
fn bad_fields() {
    let f = made(&without_head());
    let (x, mut y) = (uniform(1, 1, 16), [SENTINEL; 20]);
    let good = [input(&x[..4], &[4]), input(&x[4..12], &[4, 2])];
    let base = y.as_mut_ptr();
    let to = |at: usize, shape: &[usize]| {
        let mut array = output(&mut [SENTINEL; 20][..shape.iter().product()], shape);
        array.data = unsafe { base.add(at) }.cast();
        array
    };
    let both = [to(0, &[4]), to(4, &[4])];
    let predict = |inputs: &[pcml_const_array], outputs: &[pcml_array]| unsafe {
        let (count, given) = (inputs.len() as i64, outputs.len() as i64);
        pcml_plan_predict_fields(f.plan, f.workspace, inputs.as_ptr(), count, null(), 0, outputs.as_ptr(), given)
    };
    let few = ["inputs have shapes [[4]]", "3 channels together"];
    failed(predict(&good[..1], &both), Status::Shape, &few);
    failed(predict(&[], &both), Status::Shape, &["inputs are no arrays"]);
    failed(predict(&good, &[]), Status::Shape, &["outputs are no arrays"]);
    failed(predict(&[good[0]; 65], &both), Status::Mismatch, &["65 arrays of inputs", "at most 64"]);
    let turned = [good[0], input(&x[4..12], &[2, 4])];
    failed(predict(&turned, &both), Status::Shape, &["inputs[1] has shape [2, 4]", "[4, 2]"]);
    let long = [input(&x[..5], &[5]), input(&x[..10], &[5, 2])];
    failed(predict(&long, &[to(0, &[5]), to(5, &[5])]), Status::Shape, &["5 rows", "option batch, 4"]);
    failed(predict(&good, &[to(0, &[4, 2]), to(8, &[4])]), Status::Shape, &["outputs have shapes", "2 channels"]);
    failed(predict(&good, &[to(0, &[3]), to(4, &[3])]), Status::Shape, &["output has shape [3, 2]", "[4, 2]"]);
    failed(predict(&good, &[to(0, &[4]), to(3, &[4])]), Status::Stride, &["outputs[1] overlaps"]);
    let mut narrow = both;
    narrow[1].dtype = 1;
    failed(predict(&good, &narrow), Status::Dtype, &["outputs[1] has another dtype"]);
    narrow[1].rank = 0;
    failed(predict(&good, &narrow), Status::Shape, &["outputs[1].rank"]);
    let mut bad = x.clone();
    bad[9] = f64::NAN;
    let spoiled = [good[0], input(&bad[4..12], &[4, 2])];
    failed(predict(&spoiled, &both), Status::NonFinite, &["inputs[1] is NaN at element 5"]);
    let deep = [input(&x[..2], &[1, 1, 1, 1, 1, 1, 1, 2]); 3];
    failed(predict(&deep, &[to(0, &[2, 2])]), Status::Shape, &["inputs[0] has 8 axes", "at most 7"]);
    unsafe {
        let (p, w, i, o) = (f.plan, f.workspace, good.as_ptr(), both.as_ptr());
        failed(pcml_plan_predict_fields(p, w, null(), 2, null(), 0, o, 2), Status::NullArgument, &["inputs is NULL"]);
        failed(pcml_plan_predict_fields(p, w, i, 2, null(), 0, null(), 2), Status::NullArgument, &["outputs is NULL"]);
        failed(pcml_plan_predict_fields(p, w, i, -2, null(), 0, o, 2), Status::InvalidArgument, &["inputs is -2"]);
        failed(pcml_plan_predict_fields(p, w, i, 2, null(), 0, o, -1), Status::InvalidArgument, &["outputs is -1"]);
        failed(pcml_plan_predict_fields(p, w, i, 2, i, 1, o, 2), Status::Mismatch, &["boundary values"]);
    }
    assert!(y.iter().all(|v| *v == SENTINEL));
    ok(predict(&good, &[both[0], to(4, &[4])]));
}

#[test]
fn ensembles_with_bad_arrays() {
    let f = made(&ensemble(with_head(), 3));
    assert_eq!(members(&f), 3);
    let (x, mut mean, mut rows) = (uniform(1, 1, 12), [SENTINEL; 10], [SENTINEL; 40]);
    let x = input(&x, &[4, 3]);
    let (m, r) = (output(&mut mean, &[4, 2]), output(&mut rows, &[4, 4, 2]));
    let factors =
        |m: &pcml_array, r: &pcml_array| unsafe { pcml_plan_predict_factors(f.plan, f.workspace, &x, null(), 0, m, r) };
    failed(factors(&m, &output(&mut rows, &[4, 5, 2])), Status::Shape, &["low_rank has shape [4, 5, 2]", "[4, 4, 2]"]);
    failed(factors(&m, &output(&mut rows, &[5, 4, 2])), Status::Shape, &["low_rank"]);
    failed(factors(&output(&mut mean, &[5, 2]), &r), Status::Shape, &["low_rank", "[5, 4, 2]"]);
    failed(factors(&m, &output(&mut mean, &[2, 4])), Status::Stride, &["overlap"]);
    unsafe {
        let (p, w) = (f.plan, f.workspace);
        failed(pcml_plan_predict_factors(p, w, &x, null(), 0, &m, null()), Status::NullArgument, &["low_rank"]);
        failed(pcml_plan_predict_factors(p, w, null(), null(), 0, &m, &r), Status::NullArgument, &["input"]);
        failed(pcml_plan_query_factors(p, w, &x, null(), &m, &r), Status::Mismatch, &["neural process"]);
        failed(
            pcml_plan_predict_moments(p, w, &x, null(), 0, &m, &output(&mut rows, &[2, 4])),
            Status::Shape,
            &["variance"],
        );
    }
    assert!(mean.iter().chain(&rows).all(|v| *v == SENTINEL));

    let (mut joined, mut other) = (null_mut(), [null::<pcml_model>(); 2]);
    unsafe {
        failed(pcml_model_ensemble(null(), 2, &mut joined), Status::NullArgument, &["members"]);
        failed(pcml_model_ensemble(other.as_ptr(), 0, &mut joined), Status::InvalidArgument, &["count is 0"]);
        failed(pcml_model_ensemble(other.as_ptr(), 2, &mut joined), Status::NullArgument, &["members[0]"]);
        other[0] = f.model;
        failed(pcml_model_ensemble(other.as_ptr(), 1, &mut joined), Status::InvalidArgument, &["an ensemble itself"]);
        failed(pcml_model_ensemble(other.as_ptr(), 1, null_mut()), Status::NullArgument, &["model"]);
        let (a, b) = (made(&with_head()), plans::load(&random(&operator(), 1)));
        other = [a.model, b];
        failed(pcml_model_ensemble(other.as_ptr(), 2, &mut joined), Status::Mismatch, &["member 1", "architecture"]);
        pcml_model_free(b);
        assert!(joined.is_null());
        // Members may go before the ensemble.
        let (first, second) = (plans::load(&random(&with_head(), 1)), plans::load(&random(&with_head(), 2)));
        ok(pcml_model_ensemble([first.cast_const(), second.cast_const()].as_ptr(), 2, &mut joined));
        pcml_model_free(first);
        pcml_model_free(second);
        let mut plan = null_mut();
        ok(pcml_plan_create(joined, 1, null(), &mut plan));
        pcml_plan_free(plan);
        pcml_model_free(joined);
    }
}

/// What is done with single models alone.
#[test]
fn ensembles_where_a_single_model_is_wanted() {
    let file = operators::with_selftest(operators::random(&operators::plain(4, &[3], &[0]), 1));
    let fno = plans::load(&file);
    let (mut gp, mut options, mut part) = (null_mut(), null_mut(), null_mut());
    let (mut of_fno, mut of_gp) = (null_mut(), null_mut());
    let (mut fitted, mut values) = (null_mut(), [SENTINEL; 4]);
    unsafe {
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_length_scales(options, 1, &0.5));
        ok(pcml_options_set_shape(options, 1, &16));
        ok(pcml_model_gaussian_process(1, 1, 1, options, &mut gp));
        ok(pcml_model_ensemble(&fno.cast_const(), 1, &mut of_fno));
        ok(pcml_model_ensemble(&gp.cast_const(), 1, &mut of_gp));
        let made = pcml_operator_part_create(of_fno, 2, options, 4, &0, 1, &mut part);
        failed(made, Status::State, &["ensemble", "a single neural operator"]);
        failed(pcml_model_hyperparameters(of_gp, 4, values.as_mut_ptr(), null_mut()), Status::State, &["ensemble"]);
        let (x, y) = (input(&[0.0, 1.0], &[1, 2, 1]), input(&[0.0, 1.0], &[1, 2, 1]));
        failed(pcml_model_fit(of_gp, &x, &y, null(), options, &mut fitted, null_mut()), Status::State, &["ensemble"]);
        assert!(part.is_null() && fitted.is_null() && values.iter().all(|v| *v == SENTINEL));
        [fno, gp, of_fno, of_gp].into_iter().for_each(|model| pcml_model_free(model));
        pcml_options_free(options);
    }
}

fn operator() -> Value {
    deeponet(channels("x", 2), channels("u", 2), 5, 3, false)
}

#[test]
fn deeponets_with_bad_arrays() {
    let f = made(&operator());
    let (u, t, mut mean) = (uniform(1, 1, 50), uniform(1, 2, 48), [SENTINEL; 48]);
    let (x, m) = (input(&t[..12], &[6, 2]), output(&mut mean, &[2, 6, 2]));
    let condition = |u: &pcml_const_array| unsafe { pcml_plan_condition(f.plan, f.workspace, null(), u) };
    let query =
        |x: &pcml_const_array, m: &pcml_array| unsafe { pcml_plan_query(f.plan, f.workspace, x, null(), m, null()) };
    failed(query(&x, &m), Status::State, &["not conditioned"]);
    failed(condition(&input(&u, &[5, 5, 2])), Status::Shape, &["5 functions", "batch, 4"]);
    failed(condition(&input(&u[..24], &[2, 6, 2])), Status::Shape, &["context_y has shape [2, 6, 2]", "5, 2]"]);
    let mut bad = u.clone();
    bad[13] = f64::NAN;
    failed(condition(&input(&bad[..20], &[2, 5, 2])), Status::NonFinite, &["context_y[1, 1, 1] is NaN"]);
    failed(query(&x, &m), Status::State, &["not conditioned"]);
    let given = input(&u[..20], &[2, 5, 2]);
    unsafe {
        failed(pcml_plan_condition(f.plan, f.workspace, null(), null()), Status::NullArgument, &["context_y"]);
        failed(pcml_plan_condition(f.plan, f.workspace, &given, &given), Status::Mismatch, &["no neural process"]);
        failed(
            pcml_plan_predict(f.plan, f.workspace, &x, null(), 0, &m),
            Status::Mismatch,
            &["operator or perceptron"],
        );
    }
    ok(condition(&given));
    failed(query(&input(&t[..14], &[7, 2]), &m), Status::Shape, &["7 targets", "targets, 6"]);
    failed(query(&input(&t[..18], &[6, 3]), &m), Status::Shape, &["target_x", "[1, 6, 2]"]);
    failed(query(&input(&t[..36], &[3, 6, 2]), &m), Status::Shape, &["target_x", "[2, 6, 2]"]);
    failed(query(&x, &output(&mut mean, &[1, 6, 2])), Status::Shape, &["mean has shape", "[2, 6, 2]"]);
    let mut far = t.clone();
    far[5] = f64::INFINITY;
    failed(query(&input(&far[..12], &[6, 2]), &m), Status::NonFinite, &["target_x[0, 2, 1] is inf"]);
    unsafe {
        let v = output(&mut mean, &[2, 6, 2]);
        failed(pcml_plan_query(f.plan, f.workspace, &x, null(), &m, &v), Status::Mismatch, &["DeepONet has none"]);
        failed(pcml_plan_query(f.plan, f.workspace, &x, &x, &m, null()), Status::InvalidArgument, &["eps"]);
        failed(pcml_plan_query_factors(f.plan, f.workspace, &x, null(), &m, &v), Status::Mismatch, &["ensemble"]);
        // Without the largest number of points there is no plan.
        let (mut plan, mut options) = (null_mut(), null_mut());
        failed(
            pcml_plan_create(f.model, 1, null(), &mut plan),
            Status::InvalidArgument,
            &["option targets is not set"],
        );
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_targets(options, 3));
        ok(pcml_options_set_latents(options, 3));
        failed(
            pcml_plan_create(f.model, 1, options, &mut plan),
            Status::InvalidArgument,
            &["latents is 3", "dropout 0"],
        );
        ok(pcml_options_set_dropout(options, 0.5));
        failed(pcml_plan_create(f.model, 1, options, &mut plan), Status::InvalidArgument, &["trained without dropout"]);
        pcml_options_free(options);
    }
    assert!(mean.iter().all(|v| *v == SENTINEL));
    // What failed left the functions as they were.
    ok(query(&x, &m));
}

/// Loads a file whose description or tensors were changed.
#[track_caller]
fn refused(description: &Value, status: Status, parts: &[&str], change: impl FnOnce(&mut common::File, &mut Value)) {
    let mut file = random(description, 1);
    let mut description = file.description();
    change(&mut file, &mut description);
    file.describe(description);
    let error = Model::from_bytes(&file.bytes()).err().expect("a refusal");
    assert_eq!(error.status(), status, "{error}");
    for part in parts {
        assert!(error.message().contains(part), "\"{part}\" is not in \"{error}\"");
    }
}

/// 1e39 is infinite in f32, and times 0 no number.
#[test]
fn a_weight_beyond_the_arithmetic_is_told() {
    let plain = networks::plain_channels;
    let mut file = random(&perceptron(plain("a", 3), &[8], plain("u", 2), json!("tanh"), Value::Null), 1);
    file.tensors.get_mut("layers.0.weight").unwrap().1[0] = 1e39;
    let x = file.tensors["selftest.input"].1.clone();
    let expected = networks::textbook(&file, &x).0;
    file.tensors.get_mut("selftest.output").unwrap().1 = expected;
    let f = Operator::with(&file, 1, |options| unsafe { ok(pcml_options_set_batch(options, 4)) });
    let mut u = [SENTINEL; 8];
    let status = f.predict(&input(&[0.0; 12], &[4, 3]), &[], &output(&mut u, &[4, 2]));
    failed(status, Status::NonFinite, &["overflows"]);
    assert_eq!(u, [SENTINEL; 8]);
}

#[test]
fn files_of_networks() {
    use Status::{FileDescription, SelfTest, Weights};
    let (mlp, net) = (with_head(), operator());
    let set = |path: &'static str, value: Value| {
        move |_: &mut common::File, d: &mut Value| *d.pointer_mut(path).unwrap() = value
    };
    refused(&mlp, FileDescription, &["mlp.hidden", "width 0"], set("/mlp/hidden", json!([0])));
    refused(&mlp, FileDescription, &["mlp.hidden", "expected 1 to 65536"], set("/mlp/hidden", json!([1u64 << 40])));
    refused(&mlp, FileDescription, &["fewer than 256"], set("/mlp/hidden", json!(vec![1; 300])));
    refused(&mlp, FileDescription, &["mlp.activation has 2 entries"], set("/mlp/activation", json!(["relu", "tanh"])));
    refused(&mlp, FileDescription, &["variant `swish`", "silu"], set("/mlp/activation", json!("swish")));
    refused(&mlp, FileDescription, &["mlp.head.minimum"], set("/mlp/head/minimum", json!(-1.0)));
    refused(&mlp, FileDescription, &["precision", "deviation"], set("/mlp/head/of", json!("precision")));
    refused(&mlp, FileDescription, &["mlp.dropout is 1"], |_, d| d["mlp"]["dropout"] = json!(1.0));
    refused(&mlp, FileDescription, &["no field mlp"], |_, d| drop(d.as_object_mut().unwrap().remove("mlp")));
    refused(&mlp, FileDescription, &["unknown field `width`"], |_, d| d["mlp"]["width"] = json!(3));
    refused(&mlp, FileDescription, &["inputs[1]", "shift 1"], |_, d| d["inputs"][1]["shift"] = json!(1.0));
    refused(&mlp, FileDescription, &["0 outputs"], set("/outputs", json!([])));
    refused(&mlp, Weights, &["layers.1.weight", "[4, 8]"], |f, _| {
        f.tensors.get_mut("layers.1.weight").unwrap().0 = vec![8, 4]
    });
    refused(&mlp, Weights, &["layers.0.bias is missing"], |f, _| drop(f.tensors.remove("layers.0.bias")));
    refused(&mlp, Weights, &["layers.2.weight is not read"], |f, _| {
        drop(f.tensors.insert("layers.2.weight".into(), (vec![1], vec![0.0])))
    });
    refused(&mlp, FileDescription, &["selftest.variance is missing"], |f, _| {
        drop(f.tensors.remove("selftest.variance"))
    });
    refused(&mlp, SelfTest, &["another variance"], |f, _| f.tensors.get_mut("selftest.variance").unwrap().1[0] += 1e-3);
    refused(&mlp, SelfTest, &["another output"], |f, _| f.tensors.get_mut("layers.0.weight").unwrap().1[0] += 1e-3);

    refused(&net, FileDescription, &["deeponet.functions[0]", "scale 0"], |_, d| {
        d["deeponet"]["functions"][0]["scale"] = json!(0.0)
    });
    refused(&net, FileDescription, &["deeponet.sensors"], set("/deeponet/sensors", json!(0)));
    refused(&net, FileDescription, &["deeponet.sensors"], set("/deeponet/sensors", json!(u64::MAX)));
    refused(&net, FileDescription, &["deeponet.latent"], set("/deeponet/latent", json!(u64::MAX)));
    refused(&net, FileDescription, &["deeponet.branch"], set("/deeponet/branch", json!([0])));
    refused(&net, Weights, &["trunk.1.bias", "[3]"], set("/deeponet/shared_trunk", json!(true)));
    refused(&net, FileDescription, &["selftest.context_y"], |f, _| {
        f.tensors.get_mut("selftest.context_y").unwrap().0 = vec![20]
    });

    let members = ensemble(with_head(), 2);
    refused(&members, FileDescription, &["ensemble.members is 0"], set("/ensemble/members", json!(0)));
    refused(&members, FileDescription, &["1 to 1024"], set("/ensemble/members", json!(1u64 << 50)));
    refused(&members, Weights, &["members.2.layers.0.bias is missing"], set("/ensemble/members", json!(3)));
    refused(&members, Weights, &["members.1.", "not read"], set("/ensemble/members", json!(1)));
    refused(&members, SelfTest, &["another"], |f, _| f.tensors.get_mut("members.1.layers.0.bias").unwrap().1[0] += 0.1);
    let gp = json!({"kernel": "rbf", "variance": 1.0, "length_scales": [1.0]});
    refused(&mlp, FileDescription, &["field gp belongs to architecture gp"], |_, d| d["gp"] = gp.clone());
    let mut process = networks::plain_channels("x", 1);
    process[0]["log"] = json!(true);
    refused(&mlp, FileDescription, &["logarithm", "mlp and deeponet"], |_, d| {
        d["architecture"] = json!("gp");
        d["gp"] = gp.clone();
        d["inputs"] = process;
    });
}
