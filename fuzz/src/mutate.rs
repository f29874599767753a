//! Mutations that know what a model file is. The digest is made anew, so that they get past it; weights are often made to fit a changed
//! description, by what the loader itself says is missing, so that they get past that too, for any architecture.

use std::collections::BTreeMap;

use pcml::error::Status;
use pcml::model::Model;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Random;

/// Largest tensor that is made to fit.
const MOST_VALUES: usize = 1 << 14;

/// Words that descriptions have.
const WORDS: [&str; 44] = [
    "anp",
    "fno",
    "gp",
    "boon",
    "mlp",
    "ensemble",
    "gelu",
    "gelu-tanh",
    "relu",
    "silu",
    "tanh",
    "sigmoid",
    "softplus",
    "identity",
    "closed",
    "half-open",
    "after",
    "both",
    "linear",
    "soft-gating",
    "none",
    "instance",
    "group",
    "seed",
    "exact",
    "dirichlet",
    "neumann",
    "periodic",
    "rbf",
    "matern12",
    "matern32",
    "matern52",
    "trapezoid",
    "left",
    "right",
    "simpson",
    "u",
    "x",
    "1",
    "",
    "a0",
    "u0",
    "\u{0}",
    "\u{10ffff}",
];

/// A tensor's bytes.
#[derive(Clone, Default)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data: Vec<u8>,
}

/// A model file taken apart, wrong as it may be.
#[derive(Clone)]
struct File {
    metadata: Map<String, Value>,
    description: Value,
    tensors: BTreeMap<String, Tensor>,
}

impl File {
    fn parse(bytes: &[u8]) -> Option<File> {
        let len = usize::try_from(u64::from_le_bytes(*bytes.first_chunk()?)).ok()?;
        let header: Map<String, Value> = serde_json::from_slice(bytes.get(8..8usize.checked_add(len)?)?).ok()?;
        let data = &bytes[8 + len..];
        let mut file = File { metadata: Map::new(), description: Value::Null, tensors: BTreeMap::new() };
        for (name, value) in header {
            if name == "__metadata__" {
                file.metadata = value.as_object()?.clone();
                continue;
            }
            let numbers =
                |key: &str| -> Option<Vec<u64>> { value[key].as_array()?.iter().map(Value::as_u64).collect() };
            let (shape, offsets) = (numbers("shape")?, numbers("data_offsets")?);
            let [first, end] = offsets[..] else { return None };
            let data = data.get(usize::try_from(first).ok()?..usize::try_from(end).ok()?)?.to_vec();
            file.tensors.insert(name, Tensor { dtype: value["dtype"].as_str()?.into(), shape, data });
        }
        file.description = serde_json::from_str(file.metadata.get("pcml")?.as_str()?).ok()?;
        Some(file)
    }

    fn header_and_data(&self) -> (Map<String, Value>, Vec<u8>) {
        let (mut header, mut data) = (Map::new(), Vec::new());
        for (name, tensor) in &self.tensors {
            let first = data.len();
            data.extend_from_slice(&tensor.data);
            header.insert(
                name.clone(),
                json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [first, data.len()]}),
            );
        }
        let mut metadata = self.metadata.clone();
        let text = self.description.to_string();
        metadata.insert("pcml.sha256".into(), digest(&text, &data).into());
        metadata.insert("pcml".into(), text.into());
        header.insert("__metadata__".into(), metadata.into());
        (header, data)
    }

    fn bytes(&self) -> Vec<u8> {
        let (header, data) = self.header_and_data();
        join(&header, &data)
    }
}

fn digest(text: &str, data: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(text.as_bytes());
    hash.update(data);
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn join(header: &Map<String, Value>, data: &[u8]) -> Vec<u8> {
    let mut text = serde_json::to_string(header).expect("JSON");
    while !text.len().is_multiple_of(8) {
        text.push(' ');
    }
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), data].concat()
}

/// Makes the digest right where the bytes have a header with one.
pub fn with_digest(bytes: &[u8]) -> Option<Vec<u8>> {
    let len = usize::try_from(u64::from_le_bytes(*bytes.first_chunk()?)).ok()?;
    let mut header: Map<String, Value> = serde_json::from_slice(bytes.get(8..8usize.checked_add(len)?)?).ok()?;
    let data = &bytes[8 + len..];
    let metadata = header.get_mut("__metadata__")?.as_object_mut()?;
    let right = digest(metadata.get("pcml")?.as_str()?, data);
    metadata.insert("pcml.sha256".into(), right.into());
    Some(join(&header, data))
}

/// A mutation of a model file; of bytes that are none, the bytes with a few changed.
pub fn mutate(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let Some(mut file) = File::parse(bytes) else { return scratched(bytes, &mut random) };
    for _ in 0..1 + random.below(3) {
        match random.below(10) {
            0..=4 => describe(&mut file.description, &mut random),
            5 => add_part(&mut file.description, &mut random),
            6 => retensor(&mut file, &mut random),
            7 => revalue(&mut file, &mut random),
            _ => regrid(&mut file, &mut random),
        }
    }
    if !random.once_in(4) {
        fit_weights(&mut file, &mut random);
    }
    if random.once_in(3) {
        fit_selftest(&mut file, &mut random);
    }
    let (mut header, data) = file.header_and_data();
    match random.below(16) {
        0 => describe_header(&mut header, &mut random),
        1 => return scratched(&join(&header, &data), &mut random),
        _ => {}
    }
    join(&header, &data)
}

/// Bytes with a few changed, cut off or doubled; half of the time with a fitting digest.
fn scratched(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return vec![random.word() as u8];
    }
    for _ in 0..1 + random.below(4) {
        let span = if random.once_in(2) { bytes.len() } else { bytes.len().min(512) };
        let at = random.below(span);
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.word() as u8,
            2 => bytes.truncate(at.max(1)),
            _ => bytes.insert(at, *random.pick(b"0:,{}[]\"e\\")),
        }
    }
    if random.once_in(2)
        && let Some(right) = with_digest(&bytes)
    {
        return right;
    }
    bytes
}

/// All values of a tree, by the path to them.
fn paths(value: &Value, here: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    all.push(here.clone());
    let mut inside = |key: String, value: &Value| {
        here.push(key);
        paths(value, here, all);
        here.pop();
    };
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| inside(i.to_string(), v)),
        Value::Object(map) => map.iter().for_each(|(key, v)| inside(key.clone(), v)),
        _ => {}
    }
}

fn find<'a>(value: &'a mut Value, path: &[String]) -> &'a mut Value {
    path.iter().fold(value, |value, key| match value {
        Value::Array(list) => &mut list[key.parse::<usize>().expect("an index")],
        value => &mut value[key.as_str()],
    })
}

fn number(old: &Value, random: &mut Random) -> Value {
    let old = old.as_f64().unwrap_or(1.0);
    match random.below(12) {
        0..=3 => json!(1 + random.below(6)),
        4 => json!((old as i64).saturating_add(1)),
        5 => json!((old as i64).saturating_sub(1)),
        6 => json!((old as i64).saturating_mul(2)),
        7 => json!(*random.pick(&[
            0i64,
            -1,
            13,
            17,
            64,
            97,
            256,
            1 << 14,
            1 << 16,
            1 << 20,
            1 << 24,
            1 << 31,
            1 << 53,
            i64::MAX,
            i64::MIN
        ])),
        8 => json!(*random.pick(&[
            0.0,
            -0.0,
            0.5,
            1e-3,
            1e-9,
            1e-100,
            1e-320,
            1e100,
            1e300,
            f64::MAX,
            -1.5,
            4.0,
            0.999_999
        ])),
        9 => json!(u64::MAX - random.below(2) as u64),
        10 => json!(old * (1.0 + random.signed())),
        _ => json!(random.signed()),
    }
}

/// Changes one place of a description.
fn describe(description: &mut Value, random: &mut Random) {
    let mut all = Vec::new();
    paths(description, &mut Vec::new(), &mut all);
    // Channels, faces and bounds are many; the architecture's numbers should have their turn.
    let deep: Vec<&Vec<String>> =
        all.iter().filter(|p| p.len() > 1 && ["anp", "fno", "gp", "boon"].contains(&p[0].as_str())).collect();
    let path = match deep.is_empty() || random.once_in(3) {
        true => random.pick(&all).clone(),
        false => (*random.pick(&deep)).clone(),
    };
    let value = find(description, &path);
    match value {
        Value::Array(list) => {
            let at = random.below(list.len().max(1));
            match random.below(4) {
                0 if !list.is_empty() => drop(list.remove(at)),
                1 if !list.is_empty() => {
                    let more = if random.once_in(8) { 70 } else { 1 };
                    (0..more).for_each(|_| list.push(list[at].clone()));
                }
                2 if !list.is_empty() => list.swap(0, at),
                _ => list.push(json!(1 + random.below(4))),
            }
        }
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            if keys.is_empty() || random.once_in(8) {
                map.insert(random.pick(&WORDS).to_string(), json!({}));
            } else if random.once_in(2) {
                map.remove(random.pick(&keys));
            } else {
                let from = map[random.pick(&keys)].clone();
                map.insert(random.pick(&keys).clone(), from);
            }
        }
        Value::Bool(b) => *b = !*b,
        Value::String(_) => *value = json!(*random.pick(&WORDS)),
        Value::Number(_) => *value = number(value, random),
        Value::Null => *value = json!(random.below(3)),
    }
    if random.once_in(40) {
        *find(description, &path) =
            [json!(null), json!("a"), json!([]), json!({}), json!(1.5), json!([[[[]]]])][random.below(6)].clone();
    }
}

/// Adds or replaces a part that descriptions may have.
fn add_part(d: &mut Value, random: &mut Random) {
    let axes = d["fno"]["modes"].as_array().map_or(1, Vec::len).clamp(1, 3);
    let small = |random: &mut Random| -> Vec<usize> { (0..axes).map(|_| random.below(4)).collect() };
    let Some(map) = d.as_object_mut() else { return };
    let fno = |map: &mut Map<String, Value>, key: &str, value: Value| {
        if let Some(fno) = map.get_mut("fno").and_then(Value::as_object_mut) {
            fno.insert(key.into(), value);
        }
    };
    match random.below(16) {
        0 => {
            let sides = *random.pick(&["after", "both"]);
            let cells = small(random);
            fno(map, "padding", json!({"sides": sides, "cells": cells}));
        }
        1 => {
            let fraction: Vec<f64> = (0..axes).map(|_| *random.pick(&[0.0, 0.1, 0.25, 1.0, 4.0])).collect();
            fno(map, "padding", json!({"sides": "both", "fraction": fraction}));
        }
        2 => {
            let kind = *random.pick(&["instance", "group"]);
            fno(map, "norm", json!({"kind": kind, "groups": 1 + random.below(2), "eps": 1e-5}));
        }
        3 => {
            let skip = *random.pick(&["linear", "soft-gating", "identity", "none"]);
            fno(map, "mlp", json!({"hidden": 1 + random.below(5), "skip": skip}));
        }
        4 => {
            let span = *random.pick(&["closed", "half-open"]);
            fno(map, "coordinates", json!({"span": span, "bounds": vec![[-1.0, 1.0]; axes]}));
        }
        5 => fno(map, "lifting", json!((0..random.below(3)).map(|_| 1 + random.below(20)).collect::<Vec<_>>())),
        6 => fno(map, "projection", json!((0..random.below(3)).map(|_| 1 + random.below(20)).collect::<Vec<_>>())),
        7 => fno(map, "modes", json!((0..1 + random.below(3)).map(|_| 1 + random.below(5)).collect::<Vec<_>>())),
        8 => {
            let key = *random.pick(&["skip_bias", "spectral_bias", "final_activation", "last_activation", "odd_shift"]);
            fno(map, key, json!(true));
        }
        9 => {
            let skip = *random.pick(&["linear", "soft-gating", "identity", "none"]);
            fno(map, "skip", json!(skip));
        }
        10..=12 => {
            let rule = *random.pick(&["seed", "exact"]);
            let mut faces = Vec::new();
            for axis in 0..1 + random.below(axes) {
                match random.below(3) {
                    0 => faces.push(json!({"axis": axis, "side": -1, "kind": "periodic"})),
                    1 => {
                        let stencil = [json!([-1.5, 2.0, -0.5]), json!([0.5, -2.0, 1.5])];
                        for (stencil, side) in stencil.iter().zip([-1, 1]) {
                            faces.push(json!({"axis": axis, "side": side, "kind": "neumann", "stencil": stencil, "spacing": 0.25}));
                        }
                    }
                    _ => [-1, 1].iter().for_each(|s| faces.push(json!({"axis": axis, "side": s, "kind": "dirichlet"}))),
                }
            }
            for key in ["mlp", "norm", "final_activation", "odd_shift"] {
                if let Some(fno) = map.get_mut("fno").and_then(Value::as_object_mut) {
                    fno.remove(key);
                }
            }
            map.insert("boon".into(), json!({"rule": rule, "faces": faces}));
        }
        13 => drop(map.remove("boon")),
        14 => drop(map.insert("grid".into(), json!(vec![json!({"name": "x", "lower": 0.0, "upper": 1.0}); axes]))),
        _ => {
            let deep = (0..1 + random.below(200)).fold(json!({}), |inner, _| json!([inner]));
            map.insert(
                "provenance".into(),
                if random.once_in(2) { deep } else { json!(vec![json!({"": 0}); 1 << random.below(12)]) },
            );
        }
    }
}

/// Changes a tensor's name, type, shape or presence.
fn retensor(file: &mut File, random: &mut Random) {
    let names: Vec<String> = file.tensors.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let name = random.pick(&names);
    match random.below(6) {
        0 => drop(file.tensors.remove(name)),
        1 => {
            let tensor = file.tensors[name].clone();
            file.tensors.insert(format!("{name}.more"), tensor);
        }
        2 => {
            if let Some(t) = file.tensors.get_mut(name) {
                t.dtype = random.pick(&["F32", "F64", "F16", "BF16", "I64", "BOOL", "F8_E4M3", "F4", "U8"]).to_string();
            }
        }
        3 => {
            let shape = (0..random.below(10)).map(|_| random.below(4) as u64).collect();
            resize(file, name, shape, random);
        }
        4 => {
            if let Some(t) = file.tensors.get_mut(name) {
                t.shape.insert(random.below(t.shape.len() + 1), 1);
            }
        }
        _ => {
            let mut shape = file.tensors[name].shape.clone();
            if !shape.is_empty() {
                let at = random.below(shape.len());
                shape[at] = *random.pick(&[0, 1, 2, 3, 5, 8, u64::MAX, 1 << 32, 1 << 63]);
                resize(file, name, shape, random);
            }
        }
    }
}

/// Gives a tensor a shape, and data for it unless there is too much of it.
fn resize(file: &mut File, name: &str, shape: Vec<u64>, random: &mut Random) {
    let tensor = file.tensors.entry(name.into()).or_insert_with(|| Tensor { dtype: "F64".into(), ..Tensor::default() });
    let count =
        shape.iter().try_fold(1u64, |count, n| count.checked_mul(*n)).and_then(|count| usize::try_from(count).ok());
    tensor.shape = shape;
    let Some(count) = count.filter(|count| *count <= MOST_VALUES) else { return };
    let size = if tensor.dtype == "F32" { 4 } else { 8 };
    while tensor.data.len() < count * size {
        let value = random.signed();
        match size {
            4 => tensor.data.extend((value as f32).to_le_bytes()),
            _ => tensor.data.extend(value.to_le_bytes()),
        }
    }
    tensor.data.truncate(count * size);
}

/// Changes some of a tensor's values, or all.
fn revalue(file: &mut File, random: &mut Random) {
    let names: Vec<String> = file.tensors.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let name = random.pick(&names);
    let Some(tensor) = file.tensors.get_mut(name) else { return };
    let special =
        [0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, 1e150, -1e300, 1e308, 5e-324, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let (value, all, step) = (*random.pick(&special), random.once_in(3), if tensor.dtype == "F32" { 4 } else { 8 });
    let count = tensor.data.len() / step;
    if count == 0 {
        return;
    }
    let one = random.below(count);
    for i in (0..count).filter(|i| all || *i == one) {
        let bytes = &mut tensor.data[i * step..][..step];
        match step {
            4 => bytes.copy_from_slice(&(value as f32).to_le_bytes()),
            _ => bytes.copy_from_slice(&value.to_le_bytes()),
        }
    }
}

/// Gives the arrays of the self-test another extent wherever they have one of some size.
fn regrid(file: &mut File, random: &mut Random) {
    let names: Vec<String> = file.tensors.keys().filter(|name| name.starts_with("selftest.")).cloned().collect();
    let extents: Vec<u64> = names.iter().flat_map(|name| file.tensors[name].shape.clone()).collect();
    if extents.is_empty() {
        return;
    }
    let most = if random.once_in(8) { 300 } else { 24 };
    let (old, new) = (*random.pick(&extents), 1 + random.below(most) as u64);
    for name in names {
        let shape = file.tensors[&name].shape.iter().map(|n| if *n == old { new } else { *n }).collect();
        resize(file, &name, shape, random);
    }
}

/// Adds, reshapes and removes weights as the loader asks, as long as they are small.
fn fit_weights(file: &mut File, random: &mut Random) {
    for _ in 0..200 {
        let Err(e) = Model::from_bytes_untested(&file.bytes()) else { return };
        if e.status() != Status::Weights {
            return;
        }
        let Some(rest) = e.message().strip_prefix("weight ") else { return };
        let Some((name, rest)) = rest.split_once(' ') else { return };
        if rest.starts_with("is not read") {
            file.tensors.remove(name);
            continue;
        }
        let Some((_, list)) = rest.rsplit_once('[') else { return };
        let shape: Vec<u64> = list.trim_end_matches(']').split(',').map_while(|n| n.trim().parse().ok()).collect();
        let count = shape.iter().try_fold(1u64, |count, n| count.checked_mul(*n));
        if count.is_none_or(|count| count > MOST_VALUES as u64) {
            return;
        }
        resize(file, name, shape, random);
    }
}

/// Gives the self-test arrays of the shapes that the description asks for, on a small grid or for few points. The outputs are wrong.
fn fit_selftest(file: &mut File, random: &mut Random) {
    let d = file.description.clone();
    let count = |key: &str| d[key].as_array().map_or(1, Vec::len) as u64;
    let (inputs, outputs) = (count("inputs"), count("outputs"));
    let few = |random: &mut Random| {
        let most = if random.once_in(16) { 200 } else { 9 };
        1 + random.below(most) as u64
    };
    let batch = 1 + random.below(2) as u64;
    let mut put = |name: &str, shape: Vec<u64>| resize(file, &format!("selftest.{name}"), shape, random);
    if d["architecture"] == "fno" {
        let mut random = Random(batch + inputs * 7 + count("conservation"));
        let modes = d["fno"]["modes"].as_array().cloned().unwrap_or_default();
        let grid: Vec<u64> =
            modes.iter().map(|m| 2 * m.as_u64().unwrap_or(1).clamp(1, 64) + few(&mut random) - 1).collect();
        let shape = |channels: u64| [&[batch][..], &grid, &[channels]].concat();
        put("input", shape(inputs));
        put("output", shape(outputs));
        for (f, face) in d["boon"]["faces"].as_array().iter().flat_map(|faces| faces.iter().enumerate()) {
            let mut rest = shape(outputs);
            if let Some(axis) = face["axis"].as_u64().filter(|axis| *axis < grid.len() as u64) {
                rest.remove(1 + axis as usize);
                put(&format!("face.{f}"), rest);
            }
        }
        return;
    }
    let stored = d["gp"]["points"].as_u64().is_some_and(|points| points > 0);
    let mut sizes = Random(batch + inputs);
    let (batch, context, targets) = (if stored { 1 } else { batch }, few(&mut sizes), few(&mut sizes));
    put("context_x", vec![batch, context, inputs]);
    put("context_y", vec![batch, context, outputs]);
    put("target_x", vec![batch, targets, inputs]);
    put("mean", vec![batch, targets, outputs]);
    put("variance", vec![batch, targets, outputs]);
}

/// Changes one place of the container's header.
fn describe_header(header: &mut Map<String, Value>, random: &mut Random) {
    let names: Vec<String> = header.keys().cloned().collect();
    let name = random.pick(&names).clone();
    let entry = header.get_mut(&name).expect("a key");
    if name == "__metadata__" {
        match random.below(3) {
            0 => entry["pcml"] = json!(*random.pick(&WORDS)),
            1 => entry["more"] = json!("x".repeat(random.below(2000))),
            _ => entry["pcml.sha256"] = json!(*random.pick(&WORDS)),
        }
        return;
    }
    let huge = *random.pick(&[0, 1, 7, 1 << 31, 1 << 53, u64::MAX, u64::MAX - 7]);
    match random.below(4) {
        0 => entry["data_offsets"][random.below(2)] = json!(huge),
        1 => entry["shape"] = json!(vec![huge; 1 + random.below(4)]),
        2 => entry["dtype"] = json!(*random.pick(&["F32", "F64", "F4", "F6_E2M3", "C64", "U64", ""])),
        _ => drop(header.remove(&name)),
    }
}
