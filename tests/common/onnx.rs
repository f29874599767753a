//! Networks in ONNX: the fixtures of `tests/onnx`, model files of them, and ONNX files written by hand.
#![allow(dead_code)]

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::common::{Tensors, read_tensors, tree};

/// An exported network, an input, and what onnxruntime gives for it, both laid out as the network has them.
pub struct Fixture {
    pub name: String,
    pub file: Vec<u8>,
    pub numbers: Value,
    pub input: (Vec<usize>, Vec<f64>),
    pub output: (Vec<usize>, Vec<f64>),
}

impl Fixture {
    /// The fixture of a name.
    pub fn new(name: &str) -> Fixture {
        let all = Fixture::all();
        all.into_iter().find(|fixture| fixture.name == name).unwrap_or_else(|| panic!("no fixture {name}"))
    }

    /// All of them.
    pub fn all() -> Vec<Fixture> {
        let folder = tree().join("tests/onnx");
        let path = folder.join("arrays.safetensors");
        let bytes = std::fs::read(&path).expect("the arrays");
        let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("a header");
        let networks = &metadata.metadata().as_ref().expect("metadata")["networks"];
        let networks: BTreeMap<String, Value> = serde_json::from_str(networks).expect("JSON");
        let mut arrays = read_tensors(&path);
        let fixture = |(name, numbers): (String, Value)| {
            let mut take = |kind: &str| arrays.remove(&format!("{name}.{kind}")).expect("an array");
            let (input, output) = (take("input"), take("output"));
            let file = std::fs::read(folder.join(format!("{name}.onnx"))).expect("a network");
            Fixture { name, file, numbers, input, output }
        };
        networks.into_iter().map(fixture).collect()
    }

    pub fn axes(&self) -> usize {
        self.numbers["axes"].as_u64().expect("axes") as usize
    }

    pub fn double(&self) -> bool {
        self.name.ends_with("f64")
    }

    /// Extents of the grid.
    pub fn grid(&self) -> Vec<usize> {
        let at = if self.numbers["layout"] == "first" { 2 } else { 1 };
        self.input.0[at..at + self.axes()].to_vec()
    }

    /// An array with its channels last.
    pub fn last(&self, array: &(Vec<usize>, Vec<f64>)) -> (Vec<usize>, Vec<f64>) {
        if self.numbers["layout"] != "first" {
            return array.clone();
        }
        let (shape, values) = array;
        let (channels, nodes) = (shape[1], shape[2..].iter().product::<usize>());
        let at = |i: usize| (i / (channels * nodes) * channels + i % channels) * nodes + i / channels % nodes;
        let extents = [&shape[..1], &shape[2..], &shape[1..2]].concat();
        (extents, (0..values.len()).map(|i| values[at(i)]).collect())
    }

    /// Its description.
    pub fn description(&self) -> Value {
        let (input, output) = (self.last(&self.input), self.last(&self.output));
        let channels = |name: &str, shape: &[usize]| -> Value {
            let one = |c| json!({"name": format!("{name}{c}"), "unit": "m", "offset": 0.5, "scale": 1.0 + c as f64});
            (0..*shape.last().expect("channels")).map(one).collect()
        };
        let mut numbers = self.numbers.clone();
        numbers["dtype"] = json!(if self.double() { "f64" } else { "f32" });
        (numbers["input"], numbers["output"]) = (json!("x"), json!("y"));
        json!({
            "format": 1, "architecture": "onnx", "onnx": numbers,
            "inputs": channels("a", &input.0), "outputs": channels("u", &output.0),
            "selftest": {"tolerance": if self.double() { 1e-10 } else { 1e-5 }},
        })
    }

    /// Input and output in raw units, channels last.
    pub fn selftest(&self) -> Tensors {
        let raw = |array: &(Vec<usize>, Vec<f64>)| {
            let (shape, mut values) = self.last(array);
            let channels = *shape.last().expect("channels");
            values.iter_mut().enumerate().for_each(|(i, v)| *v = 0.5 + (1.0 + (i % channels) as f64) * *v);
            (shape, values)
        };
        Tensors::from([
            ("selftest.input".to_string(), raw(&self.input)),
            ("selftest.output".to_string(), raw(&self.output)),
        ])
    }

    /// The model file.
    pub fn bytes(&self) -> Vec<u8> {
        model_file(self.description(), &self.file, &self.selftest())
    }
}

/// A model file of a description, whose `onnx.bytes` is filled in where it has none.
pub fn model_file(mut description: Value, onnx: &[u8], tensors: &Tensors) -> Vec<u8> {
    if description["onnx"].is_object() && description["onnx"]["bytes"].is_null() {
        description["onnx"]["bytes"] = json!(onnx.len());
    }
    let raw: BTreeMap<&String, Vec<u8>> =
        tensors.iter().map(|(n, (_, v))| (n, v.iter().flat_map(|x| x.to_le_bytes()).collect())).collect();
    let views = || {
        let numbers = tensors
            .iter()
            .map(|(n, (shape, _))| (n.clone(), TensorView::new(Dtype::F64, shape.clone(), &raw[n]).expect("a tensor")));
        let file = TensorView::new(Dtype::U8, vec![onnx.len()], onnx).expect("a tensor");
        numbers.chain([("onnx.model".to_string(), file)])
    };
    let draft = safetensors::serialize(views(), None).expect("serializable");
    let header = u64::from_le_bytes(draft[..8].try_into().expect("8 bytes")) as usize;
    let text = description.to_string();
    let mut hash = Sha256::new();
    hash.update(text.as_bytes());
    hash.update(&draft[8 + header..]);
    let digest: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let metadata = [("pcml".to_string(), text), ("pcml.sha256".to_string(), digest)];
    safetensors::serialize(views(), Some(metadata.into_iter().collect())).expect("serializable")
}

/// Protocol buffers by hand: a field that holds an integer.
pub fn number(field: u64, value: i64) -> Vec<u8> {
    [varint(field << 3), varint(value as u64)].concat()
}

/// A field that holds bytes: text, or a message.
pub fn bytes(field: u64, data: impl AsRef<[u8]>) -> Vec<u8> {
    [varint(field << 3 | 2), varint(data.as_ref().len() as u64), data.as_ref().to_vec()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = vec![];
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A `NodeProto`.
pub fn node(op: &str, inputs: &[&str], outputs: &[&str], more: &[Vec<u8>]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| bytes(1, name));
    let outputs = outputs.iter().flat_map(|name| bytes(2, name));
    inputs.chain(outputs).chain(bytes(3, "n")).chain(bytes(4, op)).chain(more.concat()).collect()
}

/// A `TensorProto` of 64-bit integers.
pub fn integers(name: &str, dims: &[i64], values: &[i64]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, 7, dims, &data)
}

/// A `TensorProto` of a type and raw data.
pub fn tensor(name: &str, dtype: i64, dims: &[i64], raw: &[u8]) -> Vec<u8> {
    [dims.iter().flat_map(|n| number(1, *n)).collect(), number(2, dtype), bytes(8, name), bytes(9, raw)].concat()
}

/// A `ValueInfoProto` of a type and extents; -1 for one that is free.
pub fn port(name: &str, dtype: i64, dims: &[i64]) -> Vec<u8> {
    let dim = |n: &i64| bytes(1, if *n < 0 { bytes(2, "free") } else { number(1, *n) });
    let shape: Vec<u8> = dims.iter().flat_map(dim).collect();
    [bytes(1, name), bytes(2, bytes(1, [number(1, dtype), bytes(2, shape)].concat()))].concat()
}

/// A graph in parts: nodes, weights, inputs, outputs.
#[derive(Clone, Default)]
pub struct Graph {
    pub nodes: Vec<Vec<u8>>,
    pub weights: Vec<Vec<u8>>,
    pub inputs: Vec<Vec<u8>>,
    pub outputs: Vec<Vec<u8>>,
}

impl Graph {
    /// From x [any, 2] to y [any, 2] by these nodes.
    pub fn new(nodes: &[Vec<u8>]) -> Graph {
        Graph {
            nodes: nodes.to_vec(),
            weights: vec![],
            inputs: vec![port("x", 1, &[-1, 2])],
            outputs: vec![port("y", 1, &[-1, 2])],
        }
    }

    /// A `GraphProto`.
    pub fn message(&self) -> Vec<u8> {
        let all = |field: u64, list: &[Vec<u8>]| -> Vec<u8> { list.iter().flat_map(|m| bytes(field, m)).collect() };
        [all(1, &self.nodes), bytes(2, "g"), all(5, &self.weights), all(11, &self.inputs), all(12, &self.outputs)]
            .concat()
    }

    /// The ONNX file.
    pub fn file(&self) -> Vec<u8> {
        [number(1, 8), bytes(7, self.message()), bytes(8, [bytes(1, ""), number(2, 18)].concat())].concat()
    }
}
