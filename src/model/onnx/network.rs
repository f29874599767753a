//! An ONNX file: what it says, checked before tract sees it, and what tract makes of it.
//!
//! tract takes much of a file for granted and panics where it errs, so names, shapes and sizes are checked here, and panics end here.

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{self, Value};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, ValueInfoProto,
};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::DimLike;

use super::{Precision, TENSOR, rewritten};
use crate::contain::contain;
use crate::error::{Error, Result, Status, fail};

/// Operators whose results change from call to call.
const RANDOM: [&str; 6] =
    ["Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"];

/// Bytes of one array inside the network beyond which a plan is refused: no machine has them.
const MOST_BYTES: usize = 1 << 44;

/// What a network takes or gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its type.
    pub dtype: Precision,
    /// Its extents, where the file fixes them.
    pub shape: Vec<Option<usize>>,
}

/// A checked ONNX file.
pub struct Network {
    proto: ModelProto,
    input: Port,
    outputs: Vec<String>,
}

/// The network for one shape.
pub(super) struct Runnable {
    plan: TypedRunnableModel<TypedModel>,
    /// What it gives, in the type of what it takes.
    pub shape: Vec<usize>,
    dtype: Precision,
}

impl Network {
    /// Reads the bytes of an ONNX file. Its data must lie in it; it must have one input, and operators of ONNX itself that tract has,
    /// without graphs inside and random numbers.
    ///
    /// Errors: Weights.
    pub fn read(bytes: &[u8]) -> Result<Network> {
        let framework = tract_onnx::onnx();
        let decoded = contain(|| framework.proto_model_for_read(&mut &*bytes));
        let proto = tell(decoded, Status::Weights, &format!("tensor {TENSOR} is no ONNX file"))?;
        let Some(graph) = &proto.graph else {
            return fail!(Weights, "tensor {TENSOR} is no ONNX file: it holds no graph");
        };
        let input = check(graph, &|op| framework.op_register.0.contains_key(op))?;
        let outputs = graph.output.iter().map(|output| output.name.clone()).collect();
        Ok(Network { input, outputs, proto })
    }

    /// Its input.
    pub fn input(&self) -> &Port {
        &self.input
    }

    /// Names of its outputs.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Extents and values of an output for an input of the extents `shape`, all as the network has them: for tools that write model
    /// files.
    ///
    /// Errors: Shape, Weights, TooLarge, Panic.
    pub fn evaluate(self, output: &str, shape: &[usize], values: &[f64]) -> Result<(Vec<usize>, Vec<f64>)> {
        let network = self.bind(output, shape)?;
        let values = match network.dtype {
            Precision::F32 => {
                let single: Vec<f32> = values.iter().map(|v| *v as f32).collect();
                network.run(shape, &single, |given| given.iter().map(|v| f64::from(*v)).collect())?
            }
            Precision::F64 => network.run(shape, values, <[f64]>::to_vec)?,
        };
        Ok((network.shape, values))
    }

    /// Binds the network to the extents of its input and to one output.
    pub(super) fn bind(mut self, output: &str, shape: &[usize]) -> Result<Runnable> {
        if self.input.shape.len() != shape.len()
            || self.input.shape.iter().zip(shape).any(|(fixed, n)| fixed.is_some_and(|fixed| fixed != *n))
        {
            return fail!(
                Shape,
                "input {} of the network would have shape {shape:?}, expected {}",
                self.input.name,
                shown(&self.input.shape)
            );
        }
        if !self.outputs.iter().any(|name| name == output) {
            return fail!(Weights, "the network has no output {output}, expected one of {}", self.outputs.join(", "));
        }
        let graph = self.proto.graph.as_mut().expect("read has seen it");
        // What was true of the shape that the exporter saw.
        graph.value_info.clear();
        graph.output.retain(|port| port.name == output);
        let input = graph.input.iter_mut().find(|port| port.name == self.input.name).expect("read has seen it");
        if let Some(Value::TensorType(tensor)) = input.r#type.as_mut().and_then(|t| t.value.as_mut()) {
            let dim =
                |n: &usize| Dimension { value: Some(dimension::Value::DimValue(*n as i64)), ..Dimension::default() };
            tensor.shape = Some(TensorShapeProto { dim: shape.iter().map(dim).collect() });
        }
        rewritten::rewrite(graph, self.input.dtype == Precision::F64);
        let proto = self.proto;
        let translated = contain(|| tract_onnx::onnx().model_for_proto_model(&proto));
        let model = tell(translated, Status::Weights, "the network is not one that tract evaluates")?;
        drop(proto);
        let what = format!("the network can't be evaluated on an input of shape {shape:?}");
        let model = tell(contain(|| model.into_typed()), Status::Shape, &what)?;
        let fact = tell(contain(|| Ok(model.output_fact(0)?.clone())), Status::Shape, &what)?;
        let Some(found) = fact.shape.as_concrete().map(<[usize]>::to_vec) else {
            return fail!(Shape, "{what}: its output has shape {:?}, expected fixed extents", fact.shape);
        };
        for node in model.nodes() {
            for outlet in &node.outputs {
                let bytes = outlet.fact.shape.iter().try_fold(outlet.fact.datum_type.size_of(), |bytes, n| {
                    bytes.checked_mul(n.to_usize().ok()?).filter(|bytes| *bytes <= MOST_BYTES)
                });
                if bytes.is_none() {
                    return fail!(TooLarge, "{what}: node {} would give shape {:?}", node.name, outlet.fact.shape);
                }
            }
        }
        let dtype = match (fact.datum_type, self.input.dtype) {
            (DatumType::F32, Precision::F32) | (DatumType::F64, Precision::F64) => self.input.dtype,
            (found, expected) => {
                return fail!(
                    Weights,
                    "output {output} of the network has type {found:?}, expected that of its input, {expected:?}"
                );
            }
        };
        let plan = contain(|| model.into_optimized()?.into_runnable());
        let plan = tell(plan, Status::Shape, &what)?;
        Ok(Runnable { plan, shape: found, dtype })
    }
}

impl Runnable {
    /// Evaluates the network on values of its type, and hands over what it gives.
    pub fn run<T: Datum + Copy, R>(&self, shape: &[usize], input: &[T], take: impl FnOnce(&[T]) -> R) -> Result<R> {
        let given = contain(|| self.plan.run(tvec!(Tensor::from_shape(shape, input)?.into_tvalue())));
        let given = tell(given, Status::Panic, "the network can't be evaluated")?;
        match given.first().filter(|output| output.shape() == self.shape).map(|output| output.as_slice::<T>()) {
            Some(Ok(output)) => Ok(take(output)),
            _ => fail!(Panic, "the network gives no array of shape {:?}, which it promised", self.shape),
        }
    }
}

/// What tract returns, or why it does not, in one line.
fn tell<T>(outcome: std::result::Result<TractResult<T>, String>, status: Status, what: &str) -> Result<T> {
    let why = match outcome {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => format!("{error:#}"),
        Err(text) => text,
    };
    let mut why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = why.char_indices().nth(400) {
        why.truncate(at);
        why.push_str(" ..");
    }
    Err(Error::new(status, format!("{what}: {why}")))
}

fn shown(shape: &[Option<usize>]) -> String {
    let extents: Vec<String> = shape.iter().map(|n| n.map_or("any".to_string(), |n| n.to_string())).collect();
    format!("[{}]", extents.join(", "))
}

/// Checks a graph, `known` telling the operators there are; its input.
fn check(graph: &GraphProto, known: &dyn Fn(&str) -> bool) -> Result<Port> {
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", |values| &values.name);
        return fail!(Weights, "weight {name} of the network is sparse, expected all of its elements");
    }
    let mut names = HashSet::new();
    for tensor in &graph.initializer {
        check_tensor(tensor, &format!("weight {} of the network", tensor.name))?;
        if !names.insert(&*tensor.name) {
            return fail!(Weights, "weight {} of the network is there twice", tensor.name);
        }
    }
    let free: Vec<&ValueInfoProto> = graph.input.iter().filter(|port| !names.contains(&*port.name)).collect();
    let [input] = free[..] else {
        let free: Vec<&str> = free.iter().map(|port| &*port.name).collect();
        return fail!(Weights, "the network has {} inputs ({}), expected one", free.len(), free.join(", "));
    };
    let port = port(input)?;
    names.insert(&*input.name);
    for node in &graph.node {
        check_node(node, &names, known)?;
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            if !names.insert(output) {
                return fail!(Weights, "{} gives {output}, which is there already", called(node));
            }
        }
    }
    if graph.output.is_empty() {
        return fail!(Weights, "the network has no output");
    }
    match graph.output.iter().find(|output| !names.contains(&*output.name)) {
        Some(output) => fail!(Weights, "nothing gives output {} of the network", output.name),
        None => Ok(port),
    }
}

/// A node as messages name it.
fn called(node: &NodeProto) -> String {
    format!("node {} ({}) of the network", node.name, node.op_type)
}

/// Checks a node, `names` holding what comes before it.
fn check_node(node: &NodeProto, names: &HashSet<&str>, known: &dyn Fn(&str) -> bool) -> Result<()> {
    let op = &*node.op_type;
    if !["", "ai.onnx"].contains(&&*node.domain) {
        return fail!(Weights, "{} is of domain {}, expected an operator of ONNX itself", called(node), node.domain);
    }
    if RANDOM.contains(&op) {
        return fail!(Weights, "{} gives random numbers, expected a network that always gives the same", called(node));
    }
    if let Some(input) = node.input.iter().find(|name| !name.is_empty() && !names.contains(&***name)) {
        return fail!(Weights, "{} takes {input}, which nothing before it gives", called(node));
    }
    let inside = |a: &AttributeProto| a.g.is_some() || !a.graphs.is_empty();
    if let Some(attribute) = node.attribute.iter().find(|a| inside(a)) {
        return fail!(
            Weights,
            "{} has a graph inside (attribute {}): loops and branches are not evaluated",
            called(node),
            attribute.name
        );
    }
    if !known(op) {
        return fail!(Weights, "{}: tract has no operator {op}", called(node));
    }
    for attribute in &node.attribute {
        for tensor in attribute.t.iter().chain(&attribute.tensors) {
            check_tensor(tensor, &format!("attribute {} of {}", attribute.name, called(node)))?;
        }
    }
    Ok(())
}

/// Checks that a tensor's data lie in the file, as much as its extents say.
fn check_tensor(tensor: &TensorProto, what: &str) -> Result<()> {
    if tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty() {
        return fail!(Weights, "{what} lies in another file, expected its data in the ONNX file");
    }
    let size = match DataType::from_i32(tensor.data_type) {
        Some(DataType::Bool | DataType::Uint8 | DataType::Int8) => 1,
        Some(DataType::Uint16 | DataType::Int16 | DataType::Float16) => 2,
        Some(DataType::Float | DataType::Int32 | DataType::Uint32) => 4,
        Some(DataType::Double | DataType::Int64 | DataType::Uint64) => 8,
        other => {
            let name = other.map_or(format!("number {}", tensor.data_type), |t| t.as_str_name().to_string());
            return fail!(Weights, "{what} has type {name}, expected numbers of 1 to 8 bytes");
        }
    };
    let count = tensor.dims.iter().try_fold(1usize, |count, n| count.checked_mul(usize::try_from(*n).ok()?));
    let typed = tensor.float_data.len() + tensor.double_data.len() + tensor.int32_data.len() + tensor.int64_data.len();
    let raw = tensor.raw_data.len();
    let fits = match (count, raw) {
        (None, _) => false,
        (Some(count), 0) => count == typed,
        (Some(count), raw) => count.checked_mul(size) == Some(raw),
    };
    if !fits {
        let (count, unit) = if raw > 0 { (raw, "bytes") } else { (typed, "values") };
        return fail!(Weights, "{what} has {count} {unit} of data, which do not fit its extents {:?}", tensor.dims);
    }
    Ok(())
}

/// The network's input, which must be an array of f32 or f64.
fn port(info: &ValueInfoProto) -> Result<Port> {
    let name = &info.name;
    let Some(Value::TensorType(type_proto::Tensor { elem_type, shape })) =
        info.r#type.as_ref().and_then(|t| t.value.as_ref())
    else {
        return fail!(Weights, "input {name} of the network is no array");
    };
    let dtype = match DataType::from_i32(*elem_type) {
        Some(DataType::Float) => Precision::F32,
        Some(DataType::Double) => Precision::F64,
        other => {
            let found = other.map_or(format!("number {elem_type}"), |t| t.as_str_name().to_string());
            return fail!(Weights, "input {name} of the network has type {found}, expected FLOAT or DOUBLE");
        }
    };
    let Some(shape) = shape else {
        return fail!(
            Weights,
            "input {name} of the network has no rank, expected [functions, channels] or with a grid"
        );
    };
    let extent = |dim: &Dimension| match dim.value {
        Some(dimension::Value::DimValue(n)) => usize::try_from(n).ok().filter(|n| *n > 0),
        _ => None,
    };
    Ok(Port { name: name.clone(), dtype, shape: shape.dim.iter().map(extent).collect() })
}
