//! Fourier neural operators of others' published code as model files, their self-test taken from the expected values.
#![allow(dead_code)]

use std::path::Path;

use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use serde_json::{Value, json};

use crate::common::{File, Tensors};

/// A reference case: the model file, and what goes in and comes out, channels last.
pub struct Case {
    pub file: File,
    pub shape: Vec<usize>,
    pub input: (Vec<usize>, Vec<f64>),
    pub output: (Vec<usize>, Vec<f64>),
    pub faces: Vec<(Vec<usize>, Vec<f64>)>,
}

fn finish(mut tensors: Tensors, mut case: Case, description: Value) -> Case {
    tensors.insert("selftest.input".into(), case.input.clone());
    tensors.insert("selftest.output".into(), case.output.clone());
    for (f, values) in case.faces.iter().enumerate() {
        tensors.insert(format!("selftest.face.{f}"), values.clone());
    }
    case.file.tensors = tensors;
    case.file.describe(description);
    case
}

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
    let mut draw = |scale: f64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (((state >> 33) as f64 / (1u64 << 30) as f64 - 1.0) * scale) as f32 as f64
    };
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

/// Joins blocks of weights [in, out, m.., 2] along axis `axis`.
fn join(axis: usize, parts: &[&(Vec<usize>, Vec<f64>)]) -> (Vec<usize>, Vec<f64>) {
    let mut shape = parts[0].0.clone();
    let inner: usize = shape[axis..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    let mut values = Vec::new();
    for o in 0..outer {
        for part in parts {
            values.extend_from_slice(&part.1[o * inner..][..inner]);
        }
    }
    shape[axis] *= parts.len();
    (shape, values)
}

/// A file of `reference/boon`: the published BOON code, or its base model.
pub fn boon(dir: &Path, name: &str) -> Case {
    let path = dir.join("boon").join(format!("{name}.safetensors"));
    let source = File::parse(&std::fs::read(path).unwrap());
    let config: Value = serde_json::from_str(&source.metadata["config"]).unwrap();
    let t = source.tensors;
    let numbers =
        |v: &Value| -> Vec<usize> { v.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect() };
    let (modes, shape) = (numbers(&config["modes"]), numbers(&config["shape"]));
    let d = shape.len();
    let width = config["width"].as_u64().unwrap();
    let bc = config["bc"].as_str().unwrap();
    let (low, high) = (config["lb"].as_f64().unwrap_or(0.0), config["ub"].as_f64().unwrap_or(1.0));
    let base = if bc == "none" { "weights" } else { "weights.base_no" };
    let mut out = Tensors::new();
    for (from, to) in [("fc0", "lifting.0"), ("fc1", "projection.0"), ("fc2", "projection.1")] {
        for part in ["weight", "bias"] {
            out.insert(format!("{to}.{part}"), t[&format!("weights.{from}.{part}")].clone());
        }
    }
    // The published FNO1d computes its fourth layer and throws the result away.
    let blocks = if name == "fno1d" { 3 } else { 4 };
    for b in 0..blocks {
        let spectrum = |i: usize| &t[&format!("{base}.conv{b}.weights{i}")];
        // Negative frequencies first: the published corners are (+, +), (-, +), (+, -), (-, -).
        let weight = match d {
            1 => spectrum(1).clone(),
            2 => join(2, &[spectrum(2), spectrum(1)]),
            _ => {
                let (upper, lower) = (join(2, &[spectrum(2), spectrum(1)]), join(2, &[spectrum(4), spectrum(3)]));
                join(3, &[&lower, &upper])
            }
        };
        out.insert(format!("blocks.{b}.spectral.weight"), weight);
        let (shape, values) = &t[&format!("{base}.w{b}.weight")];
        out.insert(format!("blocks.{b}.skip.weight"), (shape[..2].to_vec(), values.clone()));
        out.insert(format!("blocks.{b}.skip.bias"), t[&format!("{base}.w{b}.bias")].clone());
    }
    let mut counts: Vec<usize> = modes.iter().map(|m| 2 * m).collect();
    *counts.last_mut().unwrap() = *modes.last().unwrap();
    let cells = match (d, bc) {
        (1, _) | (_, "periodic") => vec![0; d],
        (2, "none") => vec![9, 9],
        (2, _) => vec![0, 9],
        _ => vec![0, 0, 6],
    };
    let mut description = json!({
        "format": 1, "architecture": "fno",
        "fno": {
            "width": width, "blocks": blocks, "last_activation": blocks == 3, "modes": counts, "projection": [128], "activation": "gelu",
            "coordinates": {"span": "closed", "bounds": vec![[low, high]; d]},
            "padding": {"sides": "after", "cells": cells},
            "skip": "linear", "skip_bias": true,
        },
        "inputs": channels("a", 1), "outputs": channels("u", 1),
        "selftest": {"tolerance": 1e-3},
    });
    let mut faces = Vec::new();
    let batch = t["input"].0[0];
    if bc != "none" {
        let mut list = Vec::new();
        let sides = [("left", 0, -1), ("right", 0, 1), ("top", 1, -1), ("down", 1, 1)];
        for (side, axis, sign) in sides.into_iter().take(if d == 3 { 4 } else { 2 }) {
            let mut face = json!({"axis": axis, "side": sign, "kind": bc});
            if bc == "neumann" {
                // Normalised: 1 / c_0 at the face, the others over c_0.
                let s = &t[&format!("stencil_{side}")].1;
                let at = if sign < 0 { 0 } else { s.len() - 1 };
                let c: Vec<f64> =
                    s.iter().enumerate().map(|(k, v)| if k == at { 1.0 / v } else { v / s[at] }).collect();
                face["stencil"] = json!(c);
                face["spacing"] = json!(1.0);
            }
            if bc == "periodic" && sign > 0 {
                continue;
            }
            list.push(face);
            if bc != "periodic" {
                let values = &t[side].1;
                let mut shape_of_face = vec![batch];
                shape_of_face.extend((0..d).filter(|a| *a != axis).map(|a| shape[a]));
                shape_of_face.push(1);
                let len: usize = shape_of_face.iter().product();
                // One value for all functions is repeated.
                faces.push((shape_of_face, values.iter().copied().cycle().take(len).collect()));
            }
        }
        description["boon"] = json!({"rule": "seed", "faces": list});
    }
    let case = Case {
        file: File { metadata: Default::default(), tensors: Tensors::new() },
        shape,
        input: t["input"].clone(),
        output: t["output"].clone(),
        faces,
    };
    finish(out, case, description)
}

/// [batch, channels, grid..] to [batch, grid.., channels].
fn channels_last((shape, values): &(Vec<usize>, Vec<f64>)) -> (Vec<usize>, Vec<f64>) {
    let (batch, channels) = (shape[0], shape[1]);
    let points: usize = shape[2..].iter().product();
    let mut out = vec![0.0; values.len()];
    for b in 0..batch {
        for c in 0..channels {
            for p in 0..points {
                out[(b * points + p) * channels + c] = values[(b * channels + c) * points + p];
            }
        }
    }
    ([&[batch][..], &shape[2..], &[channels]].concat(), out)
}

/// A file of `reference/neuraloperator`.
pub fn neuraloperator(dir: &Path, name: &str) -> Case {
    let path = dir.join("neuraloperator").join(format!("{name}.safetensors"));
    let source = File::parse(&std::fs::read(path).unwrap());
    let config: Value = serde_json::from_str(&source.metadata["config"]).unwrap();
    let t = source.tensors;
    let mut modes: Vec<usize> =
        config["n_modes"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    let d = modes.len();
    modes[d - 1] = modes[d - 1] / 2 + 1;
    let number = |key: &str, unset: u64| config[key].as_u64().unwrap_or(unset);
    let (width, blocks) = (number("hidden_channels", 0), number("n_layers", 4));
    let mlp = config["use_channel_mlp"].as_bool().unwrap_or(true);
    let mut out = Tensors::new();
    for (name, (shape, values)) in &t {
        let Some(name) = name.strip_prefix("weights.") else { continue };
        let number = name.split('.').find(|part| part.parse::<usize>().is_ok()).unwrap_or("");
        let last = name.rsplit('.').next().unwrap();
        let (to, shape) = match name {
            _ if name.starts_with("lifting.") || name.starts_with("projection.") => {
                (name.replace(".fcs", ""), shape[..shape.len().min(2)].to_vec())
            }
            _ if name.contains("channel_mlp_skips") => {
                (format!("blocks.{number}.mlp_skip.weight"), vec![width as usize])
            }
            _ if name.contains("channel_mlp") => {
                let layer = name.rsplit('.').nth(1).unwrap();
                (format!("blocks.{number}.mlp.{layer}.{last}"), shape[..shape.len().min(2)].to_vec())
            }
            _ if name.contains("fno_skips") => (format!("blocks.{number}.skip.weight"), shape[..2].to_vec()),
            _ if last == "bias" => (format!("blocks.{number}.spectral.bias"), shape[..1].to_vec()),
            _ => (format!("blocks.{number}.spectral.weight"), shape.clone()),
        };
        // A trailing kernel extent of 1 is dropped.
        let shape = if last == "bias" { shape[..1].to_vec() } else { shape };
        out.insert(to, (shape, values.clone()));
    }
    let mut fno = json!({
        "width": width, "blocks": blocks, "modes": modes, "lifting": [2 * width], "projection": [2 * width],
        "activation": "gelu", "skip": "linear", "spectral_bias": true, "final_activation": true,
        "odd_shift": source.metadata["neuraloperator"] == "2.0.0",
    });
    if config.get("positional_embedding").is_none_or(|v| !v.is_null()) {
        fno["coordinates"] = json!({"span": "half-open", "bounds": vec![[0.0, 1.0]; d]});
    }
    if let Some(fraction) = config["domain_padding"].as_f64() {
        fno["padding"] = json!({"sides": "both", "fraction": vec![fraction; d]});
    }
    if mlp {
        fno["mlp"] = json!({"hidden": width / 2, "skip": "soft-gating"});
    }
    let (input, output) = (channels_last(&t["input"]), channels_last(&t["output"]));
    let description = json!({
        "format": 1, "architecture": "fno", "fno": fno,
        "inputs": channels("a", *input.0.last().unwrap()), "outputs": channels("u", *output.0.last().unwrap()),
        "selftest": {"tolerance": 1e-3},
    });
    let shape = input.0[1..=d].to_vec();
    let case = Case {
        file: File { metadata: Default::default(), tensors: Tensors::new() },
        shape,
        input,
        output,
        faces: vec![],
    };
    finish(out, case, description)
}
