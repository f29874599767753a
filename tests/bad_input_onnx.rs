//! Networks in ONNX: every bad file, plan and array has its status and a message that names the culprit; outputs stay as they were.
#![cfg(feature = "onnx")]
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/onnx.rs"]
mod fixtures;
#[path = "common/lcg.rs"]
mod lcg;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, ok, output};
use common::Tensors;
use fixtures::{Fixture, Graph, bytes, integers, model_file, node, number, port, tensor};
use lcg::step;
use pcml::capi::*;
use pcml::error::{Error, Status};
use pcml::field::Dtype;
use pcml::model::boundary::Boundary;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use serde_json::{Value, json};

/// The error of loading this file must have the status and all parts.
#[track_caller]
fn refused(file: &[u8], status: Status, parts: &[&str]) {
    told(Model::from_bytes(file).err(), status, parts);
}

#[track_caller]
fn told(error: Option<Error>, status: Status, parts: &[&str]) {
    let e = error.expect("a refusal");
    assert_eq!(e.status(), status, "{e}");
    for part in parts {
        assert!(e.message().contains(part), "\"{part}\" is not in \"{e}\"");
    }
    assert!(!e.message().contains('\n') && e.message().len() < 1000, "{e}");
}

/// A model file of an ONNX file from x to y, both [any, 2].
fn with(onnx: &[u8]) -> Vec<u8> {
    let channels = |name: &str| json!([{"name": name, "unit": "1"}, {"name": name, "unit": "1"}]);
    let description = json!({
        "format": 1, "architecture": "onnx",
        "onnx": {"axes": 0, "dtype": "f32", "input": "x", "output": "y"},
        "inputs": channels("a"), "outputs": channels("u"), "selftest": {"tolerance": 1e-5},
    });
    let array = (vec![1, 2], vec![0.25, 0.5]);
    let tensors =
        Tensors::from([("selftest.input".to_string(), array.clone()), ("selftest.output".to_string(), array)]);
    model_file(description, onnx, &tensors)
}

fn through(op: &str, more: &[Vec<u8>]) -> Graph {
    Graph::new(&[node(op, &["x"], &["y"], more)])
}

#[test]
fn the_graph_written_by_hand_is_good() {
    Model::from_bytes(&with(&through("Identity", &[]).file())).unwrap();
    refused(&with(&through("Neg", &[]).file()), Status::SelfTest, &["another output"]);
}

#[test]
fn damaged_files() {
    let fixture = Fixture::new("dense_relu");
    for len in [0, 1, 5, 100, fixture.file.len() / 2, fixture.file.len() - 1] {
        let file = model_file(fixture.description(), &fixture.file[..len], &fixture.selftest());
        refused(&file, Status::Weights, &[]);
    }
    let mut state = 7u64;
    for len in [16, 1000, 100_000] {
        let mut byte = || (step(&mut state) >> 56) as u8;
        let noise: Vec<u8> = (0..len).map(|_| byte()).collect();
        refused(&with(&noise), Status::Weights, &["onnx.model is no ONNX file"]);
    }
    refused(&with(b"\x08\x08"), Status::Weights, &["onnx.model is no ONNX file", "no graph"]);
    let mut whole = fixture.bytes();
    let last = whole.len() - 100;
    whole[last] ^= 1;
    refused(&whole, Status::FileFormat, &["damaged"]);
}

#[test]
fn wrong_descriptions() {
    let fixture = Fixture::new("conv_2d");
    let says = |status, change: &dyn Fn(&mut Value), parts: &[&str]| {
        let mut description = fixture.description();
        change(&mut description);
        refused(&model_file(description, &fixture.file, &fixture.selftest()), status, parts);
    };
    let number = |key: &'static str, value: Value| move |d: &mut Value| d["onnx"][key] = value.clone();
    let bad = Status::FileDescription;
    says(bad, &|d| drop(d.as_object_mut().unwrap().remove("onnx")), &["no field onnx"]);
    says(bad, &number("axes", json!(6)), &["onnx.axes is 6", "at most 5"]);
    says(bad, &number("axes", json!(1)), &["selftest.input", "rank 3"]);
    says(bad, &number("axes", json!(-1)), &["-1"]);
    says(bad, &number("batch", json!(0)), &["onnx.batch is 0"]);
    says(bad, &number("layout", json!("middle")), &["middle", "first"]);
    says(bad, &number("dtype", json!("f16")), &["f16", "f32"]);
    says(bad, &number("depth", json!(1)), &["depth"]);
    says(bad, &number("input", json!("z")), &["onnx.input is z", "network's input is x"]);
    says(Status::Weights, &number("output", json!("z")), &["no output z", "one of y"]);
    says(bad, &number("dtype", json!("f64")), &["onnx.dtype is F64", "F32"]);
    says(Status::Shape, &number("layout", json!("last")), &["shape [1, 9, 12, 2]", "expected [any, 2, any, any]"]);
    says(Status::Weights, &number("bytes", json!(7)), &["onnx.model", "expected [7]"]);
    says(bad, &|d| d["inputs"] = json!([]), &["inputs"]);
    says(bad, &|d| d["inputs"].as_array_mut().unwrap().truncate(1), &["inputs lists 1", "has 2"]);
    says(bad, &|d| d["outputs"].as_array_mut().unwrap().truncate(1), &["output y", "expected [1, 1, 9, 12]"]);
    says(bad, &|d| d["boon"] = json!({"rule": "exact", "faces": []}), &["boon", "fno"]);
    says(Status::SelfTest, &|d| d["inputs"][0]["offset"] = json!(3.0), &["another output"]);

    let batch = Fixture::new("fixed_batch");
    let mut description = batch.description();
    description["onnx"]["batch"] = json!(2);
    refused(&model_file(description, &batch.file, &batch.selftest()), bad, &["onnx.batch is 2", "has 4"]);

    // Bytes are for ONNX files, and an ONNX file is bytes.
    let mut tensors = fixture.selftest();
    tensors.remove("selftest.output");
    refused(&model_file(fixture.description(), &fixture.file, &tensors), bad, &["selftest.output is missing"]);
    let mut description = common::File::stefan().description();
    description["selftest"] = json!({"tolerance": 1e-9});
    refused(&model_file(description, &fixture.file, &Tensors::new()), Status::Weights, &["missing"]);
}

#[test]
fn networks_that_are_not_evaluated() {
    let weights = Status::Weights;
    let says = |graph: Graph, parts: &[&str]| refused(&with(&graph.file()), weights, parts);
    says(through("Winograd", &[]), &["node n (Winograd)", "no operator Winograd"]);
    says(through("Identity", &[bytes(7, "com.microsoft")]), &["node n", "domain com.microsoft"]);
    says(through("RandomUniformLike", &[]), &["RandomUniformLike", "random"]);
    let body = [bytes(5, [bytes(1, "body"), bytes(6, Graph::default().message()), number(20, 5)].concat())];
    says(through("Loop", &body), &["node n (Loop)", "graph inside", "body"]);
    says(through("If", &body), &["If", "branches"]);
    says(Graph::new(&[node("Add", &["x", "w"], &["y"], &[])]), &["takes w", "nothing before it"]);
    let loose = [node("Neg", &["z"], &["y"], &[]), node("Neg", &["x"], &["z"], &[])];
    says(Graph::new(&loose), &["takes z"]);
    let twice = [node("Neg", &["x"], &["y"], &[]), node("Neg", &["x"], &["y"], &[])];
    says(Graph::new(&twice), &["gives y", "already"]);
    says(Graph::new(&[node("Neg", &["x"], &["z"], &[])]), &["nothing gives output y"]);
    says(Graph { outputs: vec![], ..through("Neg", &[]) }, &["no output"]);
    let two = vec![port("x", 1, &[-1, 2]), port("t", 1, &[-1, 1])];
    says(Graph { inputs: two, ..through("Neg", &[]) }, &["2 inputs (x, t)", "expected one"]);
    says(Graph { inputs: vec![], ..through("Neg", &[]) }, &["0 inputs"]);
    says(Graph { inputs: vec![port("x", 10, &[-1, 2])], ..through("Neg", &[]) }, &["input x", "FLOAT16"]);
    says(Graph { inputs: vec![port("x", 99, &[-1, 2])], ..through("Neg", &[]) }, &["input x", "number 99"]);
    says(Graph { inputs: vec![bytes(1, "x")], ..through("Neg", &[]) }, &["input x", "no array"]);
    let rankless = [bytes(1, "x"), bytes(2, bytes(1, number(1, 1)))].concat();
    says(Graph { inputs: vec![rankless], ..through("Neg", &[]) }, &["input x", "no rank"]);
    let cast = through("Cast", &[bytes(5, [bytes(1, "to"), number(3, 11), number(20, 2)].concat())]);
    says(cast, &["output y", "F64", "F32"]);
}

#[test]
fn weights_that_do_not_fit() {
    let add = |weight: Vec<u8>| Graph { weights: vec![weight], ..Graph::new(&[node("Add", &["x", "w"], &["y"], &[])]) };
    let says = |weight: Vec<u8>, parts: &[&str]| refused(&with(&add(weight).file()), Status::Weights, parts);
    Model::from_bytes(&with(&add(tensor("w", 1, &[2], &[0; 8])).file())).unwrap();
    says(tensor("w", 1, &[3], &[0; 8]), &["weight w", "8 bytes", "[3]"]);
    says(tensor("w", 1, &[1 << 62, 8], &[0; 8]), &["weight w", "do not fit"]);
    says(tensor("w", 1, &[-2], &[0; 8]), &["weight w", "[-2]"]);
    says(tensor("w", 1, &[2], &[]), &["weight w", "0 values"]);
    says(tensor("w", 8, &[2], &[0; 8]), &["weight w", "STRING"]);
    says(tensor("w", 22, &[2], &[0; 8]), &["weight w", "number 22"]);
    says([tensor("w", 1, &[2], &[0; 8]), number(14, 1)].concat(), &["weight w", "another file"]);
    let elsewhere = bytes(13, [bytes(1, "location"), bytes(2, "/etc/passwd")].concat());
    says([tensor("w", 1, &[2], &[0; 8]), elsewhere].concat(), &["weight w", "another file"]);
    let twice = Graph { weights: vec![tensor("w", 1, &[2], &[0; 8]); 2], ..add(vec![]) };
    refused(&with(&twice.file()), Status::Weights, &["weight w", "twice"]);
    let value = bytes(5, [bytes(1, "value"), bytes(5, tensor("", 1, &[5], &[0; 8])), number(20, 4)].concat());
    let constant = Graph::new(&[node("Constant", &[], &["w"], &[value]), node("Add", &["x", "w"], &["y"], &[])]);
    refused(&with(&constant.file()), Status::Weights, &["attribute value of node n (Constant)", "[5]"]);
}

/// Files of a few bytes that ask for arrays beyond any machine.
#[test]
fn huge_extents() {
    let shape = |op: &str, extents: &[i64]| Graph {
        weights: vec![integers("s", &[extents.len() as i64], extents)],
        ..Graph::new(&[node(op, &["x", "s"], &["z"], &[]), node("ReduceMax", &["z"], &["y"], &[])])
    };
    for graph in [shape("Expand", &[1 << 30, 1 << 15, 2]), shape("Tile", &[1 << 30, 1 << 15])] {
        refused(&with(&graph.file()), Status::TooLarge, &["node", "would give shape"]);
    }
    for graph in [shape("Expand", &[1 << 50, 1, 2]), shape("Tile", &[1 << 50, 1]), shape("Expand", &[1 << 62, 4, 2])] {
        assert!(Model::from_bytes(&with(&graph.file())).is_err());
    }
    let constant = Graph {
        weights: vec![integers("s", &[1], &[1 << 50])],
        ..Graph::new(&[
            node("ConstantOfShape", &["s"], &["z"], &[]),
            node("ReduceMax", &["z"], &["m"], &[]),
            node("Add", &["x", "m"], &["y"], &[]),
        ])
    };
    assert!(Model::from_bytes(&with(&constant.file())).is_err());
    let wide = Graph { inputs: vec![port("x", 1, &[-1, 1 << 50])], ..through("Neg", &[]) };
    refused(&with(&wide.file()), Status::FileDescription, &["inputs lists 2", "1125899906842624"]);
}

#[test]
fn plans_that_do_not_fit() {
    let conv = Model::from_bytes(&Fixture::new("conv_2d").bytes()).unwrap();
    let fixed = Model::from_bytes(&Fixture::new("spectral").bytes()).unwrap();
    let double = Model::from_bytes(&Fixture::new("dense_f64").bytes()).unwrap();
    let shape = |shape: &[usize]| Options { shape: Some(shape.to_vec()), ..Options::default() };
    let refuses = |model: &Model, dtype, options: Options, status, parts: &[&str]| {
        told(Plan::new(model, dtype, &options).err(), status, parts);
    };
    let bad = Status::InvalidArgument;
    refuses(&conv, Dtype::F32, Options::default(), bad, &["option shape is not set", "2 extents"]);
    refuses(&conv, Dtype::F32, shape(&[9]), bad, &["option shape is [9]"]);
    refuses(&conv, Dtype::F32, shape(&[9, 0]), bad, &["option shape is [9, 0]"]);
    refuses(&conv, Dtype::F32, shape(&[1 << 40, 1 << 40]), Status::TooLarge, &["grid"]);
    refuses(&conv, Dtype::F32, shape(&[1 << 20, 1 << 20]), Status::TooLarge, &["node"]);
    refuses(&conv, Dtype::F64, shape(&[9, 12]), Status::Dtype, &["network is of f32"]);
    refuses(&double, Dtype::F32, Options::default(), Status::Dtype, &["network is of f64"]);
    refuses(&double, Dtype::F64, shape(&[4]), bad, &["option shape is [4]", "0 extents"]);
    refuses(&fixed, Dtype::F32, shape(&[17]), Status::Shape, &["[1, 1, 17]", "[any, 1, 16]"]);
    refuses(&conv, Dtype::F32, Options { threads: 2, ..shape(&[9, 12]) }, bad, &["option threads is 2"]);
    refuses(&conv, Dtype::F32, Options { steps: 2, ..shape(&[9, 12]) }, bad, &["option steps is 2"]);
    refuses(&conv, Dtype::F32, Options { latents: 1, ..shape(&[9, 12]) }, bad, &["latents"]);
    let boundary = Some(Boundary::new());
    refuses(&conv, Dtype::F32, Options { boundary, ..shape(&[9, 12]) }, Status::State, &["option boundary"]);
    let plan = Plan::new(&conv, Dtype::F32, &shape(&[9, 12])).unwrap();
    told(plan.derivative_workspace().err(), Status::State, &["network in ONNX", "no derivatives"]);
    let view = View::new("x", &[0.0], &[1]).unwrap();
    told(
        plan.condition(&mut plan.workspace().unwrap(), &view, &view).err(),
        Status::Mismatch,
        &["of no neural process"],
    );
}

/// Through the border: statuses, messages, and an output that stays as it was.
#[test]
fn predictions_with_bad_arrays() {
    let bytes = Fixture::new("conv_2d").bytes();
    let (mut model, mut options, mut plan, mut workspace) = (null_mut(), null_mut(), null_mut(), null_mut());
    unsafe {
        ok(pcml_model_load_bytes(bytes.as_ptr().cast(), bytes.len() as i64, &mut model));
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_shape(options, 2, [9, 12].as_ptr()));
        ok(pcml_options_set_batch(options, 2));
        failed(pcml_plan_create(model, 2, options, &mut plan), Status::Dtype, &["pcml_plan_create", "f32"]);
        ok(pcml_plan_create(model, 1, options, &mut plan));
        ok(pcml_plan_workspace(plan, &mut workspace));
    }
    const NODES: usize = 108;
    let mut out = [SENTINEL; 2 * 3 * NODES];
    let mut x = [0.1; 3 * 2 * NODES];
    let predict = |x: &pcml_const_array, y: &pcml_array| unsafe { pcml_plan_predict(plan, workspace, x, null(), 0, y) };
    let y = output(&mut out, &[2, 9, 12, 3]);
    failed(predict(&input(&x, &[3, 9, 12, 2]), &y), Status::Shape, &["3 functions", "batch, 2"]);
    failed(predict(&input(&x[..432], &[2, 12, 9, 2]), &y), Status::Shape, &["input has shape [2, 12, 9, 2]"]);
    failed(predict(&input(&x[..216], &[1, 9, 12, 2]), &y), Status::Shape, &["output has shape [2, 9, 12, 3]"]);
    let value = input(&x[..1], &[1]);
    let status = unsafe { pcml_plan_predict(plan, workspace, &input(&x[..432], &[2, 9, 12, 2]), &value, 1, &y) };
    failed(status, Status::Mismatch, &["1 arrays", "expected none"]);
    for bad in [f64::NAN, f64::INFINITY] {
        x[300] = bad;
        failed(predict(&input(&x[..432], &[2, 9, 12, 2]), &y), Status::NonFinite, &["input", "element 300"]);
    }
    // Beyond f32: the first function is good, and is not written either.
    x[300] = 1e300;
    failed(predict(&input(&x[..432], &[2, 9, 12, 2]), &y), Status::NonFinite, &["network gives", "function 1"]);
    assert!(out.iter().all(|v| *v == SENTINEL));
    unsafe {
        pcml_workspace_free(workspace);
        pcml_plan_free(plan);
        pcml_options_free(options);
        pcml_model_free(model);
    }
}

/// Files with a few bytes changed are refused or evaluated, and nothing else happens.
#[test]
fn changed_files() {
    let mut state = 11u64;
    let mut draw = |below: usize| (step(&mut state) >> 33) as usize % below;
    let rounds = std::env::var("PCML_ROUNDS").map_or(20, |n| n.parse().expect("a count"));
    let (mut refused, mut evaluated) = (0, 0);
    for fixture in Fixture::all() {
        for _ in 0..rounds {
            let mut file = fixture.file.clone();
            for _ in 0..1 + draw(3) {
                let at = draw(file.len());
                file[at] = draw(256) as u8;
            }
            let bytes = model_file(fixture.description(), &file, &Tensors::new());
            let model = Model::from_bytes_untested(&bytes).expect("a file");
            let (shape, batch) = (fixture.grid(), fixture.input.0[0]);
            let dtype = if fixture.double() { Dtype::F64 } else { Dtype::F32 };
            let Ok(plan) = Plan::new(&model, dtype, &Options { batch, shape: Some(shape), ..Options::default() })
            else {
                refused += 1;
                continue;
            };
            let stored = fixture.selftest();
            let (input, output) = (&stored["selftest.input"], &stored["selftest.output"]);
            let mut out = vec![SENTINEL; output.1.len()];
            let outcome = plan.predict(
                &mut plan.workspace().unwrap(),
                &View::new("input", &input.1, &input.0).unwrap(),
                &[],
                &mut ViewMut::new("output", &mut out, &output.0).unwrap(),
            );
            match outcome {
                Ok(()) => assert!(out.iter().all(|v| v.is_finite())),
                Err(_) => assert!(out.iter().all(|v| *v == SENTINEL)),
            }
            evaluated += 1;
        }
    }
    println!("{refused} refused, {evaluated} evaluated");
    assert!(refused > 0 && evaluated > 0);
}
