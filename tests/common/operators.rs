//! Fourier neural operators with random weights.
#![allow(dead_code)]

#[path = "lcg.rs"]
mod lcg;

use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use serde_json::{Value, json};

use crate::common::{File, Tensors};
pub use lcg::step;

/// A plain description: `width` channels, 4 blocks, a projection through 128 as in the published code.
pub fn plain(width: usize, modes: &[usize], padding: &[usize]) -> Value {
    json!({
        "format": 1, "architecture": "fno",
        "fno": {
            "width": width, "blocks": 4, "modes": modes, "projection": [128], "activation": "gelu",
            "coordinates": {"span": "closed", "bounds": vec![[0.0, 1.0]; modes.len()]},
            "padding": {"sides": "after", "cells": padding},
            "skip": "linear", "skip_bias": true,
        },
        "inputs": channels("a", 1), "outputs": channels("u", 1),
        "selftest": {"tolerance": 1e-3},
    })
}

/// A model of a description with random weights that keep activations of order one, in f32 precision; no self-test.
pub fn random(description: &Value, seed: u64) -> File {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut draw = |scale: f64| (((step(&mut state) >> 33) as f64 / (1u64 << 30) as f64 - 1.0) * scale) as f32 as f64;
    let fno = &description["fno"];
    let list = |v: &Value| -> Vec<usize> {
        v.as_array().map_or(vec![], |list| list.iter().map(|n| n.as_u64().unwrap() as usize).collect())
    };
    let count = |key: &str| description[key].as_array().unwrap().len();
    let w = fno["width"].as_u64().unwrap() as usize;
    let modes = list(&fno["modes"]);
    let lifted = count("inputs") + if fno["coordinates"].is_object() { modes.len() } else { 0 };
    let mut tensors = Tensors::new();
    let mut put = |name: String, shape: Vec<usize>, scale: f64| {
        let len = shape.iter().product();
        tensors.insert(name, (shape, (0..len).map(|_| draw(scale)).collect()));
    };
    let mut networks = vec![
        ("lifting".to_string(), [&[lifted][..], &list(&fno["lifting"]), &[w]].concat()),
        ("projection".to_string(), [&[w][..], &list(&fno["projection"]), &[count("outputs")]].concat()),
    ];
    for b in 0..fno["blocks"].as_u64().unwrap() {
        if let Some(hidden) = fno["mlp"]["hidden"].as_u64() {
            networks.push((format!("blocks.{b}.mlp"), vec![w, hidden as usize, w]));
        }
        put(format!("blocks.{b}.spectral.weight"), [&[w, w][..], &modes, &[2]].concat(), 1.0 / w as f64);
        for (name, kind) in [("skip", &fno["skip"]), ("mlp_skip", &fno["mlp"]["skip"])] {
            match kind.as_str() {
                Some("linear") => put(format!("blocks.{b}.{name}.weight"), vec![w, w], (w as f64).powf(-0.5)),
                Some("soft-gating") => put(format!("blocks.{b}.{name}.weight"), vec![w], 1.0),
                _ => {}
            }
        }
        for (name, there) in [("skip", &fno["skip_bias"]), ("spectral", &fno["spectral_bias"])] {
            if there.as_bool() == Some(true) {
                put(format!("blocks.{b}.{name}.bias"), vec![w], 0.1);
            }
        }
        if fno["norm"]["kind"] == "group" {
            for place in 0..2 {
                put(format!("blocks.{b}.norm.{place}.weight"), vec![w], 1.0);
                put(format!("blocks.{b}.norm.{place}.bias"), vec![w], 0.2);
            }
        }
    }
    for (name, widths) in networks {
        for (i, pair) in widths.windows(2).enumerate() {
            put(format!("{name}.{i}.weight"), vec![pair[1], pair[0]], (pair[0] as f64).powf(-0.5));
            put(format!("{name}.{i}.bias"), vec![pair[1]], 0.1);
        }
    }
    let mut file = File { metadata: Default::default(), tensors };
    file.describe(description.clone());
    file
}

/// A description whose operator obeys conditions itself.
pub fn conditioned(mut description: Value, rule: &str, faces: Value) -> Value {
    description["boon"] = json!({"rule": rule, "faces": faces});
    description
}

/// Faces on both sides of an axis; Neumann with stencils of second order at `spacing`.
pub fn pair(axis: usize, kind: &str, spacing: f64) -> Vec<Value> {
    let face = |side: i32| match kind {
        "neumann" => {
            let stencil = if side < 0 { [-1.5, 2.0, -0.5] } else { [0.5, -2.0, 1.5] };
            json!({"axis": axis, "side": side, "kind": kind, "stencil": stencil, "spacing": spacing})
        }
        _ => json!({"axis": axis, "side": side, "kind": kind}),
    };
    let sides: &[i32] = if kind == "periodic" { &[-1] } else { &[-1, 1] };
    sides.iter().map(|side| face(*side)).collect()
}

/// Smooth numbers of order one.
pub fn waves(len: usize, phase: f64) -> Vec<f64> {
    (0..len).map(|i| (0.37 * i as f64 + phase).sin()).collect()
}

/// The file with a self-test, on a grid with room for the modes: what the model gives in f64.
pub fn with_selftest(mut file: File) -> File {
    let model = Model::from_bytes_untested(&file.bytes()).expect("a model but for its self-test");
    let description = model.description();
    let numbers = description.fno.as_ref().expect("a neural operator");
    let shape: Vec<usize> = numbers.modes.iter().map(|modes| (2 * modes).max(12)).collect();
    let (inputs, outputs) = (description.inputs.len(), description.outputs.len());
    let named = |shape: Vec<usize>, phase: f64| {
        let len = shape.iter().product();
        (shape, waves(len, phase))
    };
    let input = named([&[1][..], &shape, &[inputs]].concat(), 0.0);
    let mut faces = Vec::new();
    for (f, face) in description.boon.iter().flat_map(|boon| &boon.faces).enumerate().filter(|(_, f)| f.has_value()) {
        let mut rest = [&[1][..], &shape, &[outputs]].concat();
        rest.remove(1 + face.axis);
        faces.push((f, named(rest, 1.0 + f as f64)));
    }
    let plan = Plan::new(&model, Dtype::F64, &Options { shape: Some(shape.clone()), ..Options::default() }).unwrap();
    let mut output = named([&[1][..], &shape, &[outputs]].concat(), 0.0);
    let values: Vec<View> = faces.iter().map(|(_, (shape, v))| View::new("values", v, shape).unwrap()).collect();
    plan.predict(
        &mut plan.workspace().unwrap(),
        &View::new("input", &input.1, &input.0).unwrap(),
        &values,
        &mut ViewMut::new("output", &mut output.1, &output.0).unwrap(),
    )
    .expect("a prediction");
    file.tensors.insert("selftest.input".into(), input);
    file.tensors.insert("selftest.output".into(), output);
    for (f, values) in faces {
        file.tensors.insert(format!("selftest.face.{f}"), values);
    }
    file
}

/// Channels without units, all alike.
pub fn channels(kind: &str, count: usize) -> Value {
    (0..count).map(|i| json!({"name": format!("{kind}{i}"), "unit": "1"})).collect()
}
