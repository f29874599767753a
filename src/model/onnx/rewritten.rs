//! What tract has not or gets wrong, written with what it has: periodic padding (`Pad` in mode wrap), `Gemm` in f64, whose factors it
//! makes f32, and names that several nodes have.

use std::collections::HashSet;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// Rewrites a graph. What can't be rewritten stays as it is, and tract refuses it.
pub(super) fn rewrite(graph: &mut GraphProto, double: bool) {
    let nodes = std::mem::take(&mut graph.node);
    for node in nodes.iter() {
        if let Some(widths) = widths(graph, &nodes, node) {
            wrap(graph, node, &widths);
        } else if double && is_plain_gemm(node) {
            multiply(graph, node);
        } else {
            graph.node.push(node.clone());
        }
    }
    let weights = graph.initializer.iter().map(|tensor| tensor.name.clone());
    let mut names: HashSet<String> = weights.chain(graph.input.iter().map(|port| port.name.clone())).collect();
    for (number, node) in graph.node.iter_mut().enumerate() {
        if node.name.is_empty() || !names.insert(node.name.clone()) {
            node.name = format!("{}/{number}", node.name);
            names.insert(node.name.clone());
        }
    }
}

/// Whether a node is a product and a sum, without factors.
fn is_plain_gemm(node: &NodeProto) -> bool {
    let factors = ["alpha", "beta"];
    node.op_type == "Gemm" && node.attribute.iter().all(|a| !factors.contains(&&*a.name) || a.f == 1.0)
}

/// A B + C, with A and B transposed where the node says so.
fn multiply(graph: &mut GraphProto, node: &NodeProto) {
    let Some(last) = node.output.first() else { return };
    let mut put = |op: &str, input: Vec<String>, output: String| {
        graph.node.push(NodeProto {
            op_type: op.into(),
            name: output.clone(),
            input,
            output: vec![output.clone()],
            ..NodeProto::default()
        });
        output
    };
    let mut factors = vec![];
    for (name, flag) in node.input.iter().zip(["transA", "transB"]) {
        let transposed = node.attribute.iter().any(|a| a.name == flag && a.i != 0);
        // Without a permutation axes are reversed.
        factors.push(match transposed {
            true => put("Transpose", vec![name.clone()], format!("{last}/gemm.{flag}")),
            false => name.clone(),
        });
    }
    match node.input.get(2).filter(|name| !name.is_empty()) {
        Some(addend) => {
            let product = put("MatMul", factors, format!("{last}/gemm.product"));
            put("Add", vec![product, addend.clone()], last.clone());
        }
        None => drop(put("MatMul", factors, last.clone())),
    }
}

/// Axis, cells before and cells behind of a periodic padding.
fn widths(graph: &GraphProto, nodes: &[NodeProto], node: &NodeProto) -> Option<Vec<(i64, i64, i64)>> {
    let mode = node.attribute.iter().find(|a| a.name == "mode")?;
    if node.op_type != "Pad" || mode.s != b"wrap" {
        return None;
    }
    let constant = |name: &str| {
        let value = |n: &NodeProto| {
            let given = n.op_type == "Constant" && n.output.iter().any(|output| output == name);
            given.then(|| n.attribute.iter().find(|a| a.name == "value")?.t.clone()).flatten()
        };
        integers(&graph.initializer.iter().find(|t| t.name == name).cloned().or_else(|| nodes.iter().find_map(value))?)
    };
    let pads = constant(node.input.get(1)?)?;
    let rank = pads.len() / 2;
    let axes = match node.input.get(3).filter(|name| !name.is_empty()) {
        Some(name) => constant(name)?,
        None => (0..rank as i64).collect(),
    };
    if pads.len() != 2 * axes.len() || pads.iter().any(|n| *n < 0) {
        return None;
    }
    Some(axes.iter().enumerate().map(|(i, axis)| (*axis, pads[i], pads[rank + i])).collect())
}

/// The values of a tensor of 64-bit integers.
fn integers(tensor: &TensorProto) -> Option<Vec<i64>> {
    if tensor.data_type != DataType::Int64 as i32 {
        return None;
    }
    if tensor.raw_data.is_empty() {
        return Some(tensor.int64_data.clone());
    }
    Some(tensor.raw_data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect())
}

/// Pads one axis after the other, so that corners are periodic too.
fn wrap(graph: &mut GraphProto, node: &NodeProto, widths: &[(i64, i64, i64)]) {
    let (Some(first), Some(last)) = (node.input.first(), node.output.first()) else { return };
    // Names that no exporter gives.
    let named = |axis: i64, part: &str| format!("{last}/wrapped.{axis}.{part}");
    let mut from = first.clone();
    for &(axis, before, behind) in widths.iter().filter(|(_, before, behind)| before + behind > 0) {
        let mut parts = vec![from.clone()];
        for (part, cells, start, end) in [("behind", behind, 0, behind), ("before", before, -before, i64::MAX)] {
            if cells == 0 {
                continue;
            }
            let mut input = vec![from.clone()];
            for (what, value) in [("start", start), ("end", end), ("axis", axis)] {
                let name = named(axis, &format!("{part}.{what}"));
                graph.initializer.push(TensorProto {
                    name: name.clone(),
                    data_type: DataType::Int64 as i32,
                    dims: vec![1],
                    int64_data: vec![value],
                    ..TensorProto::default()
                });
                input.push(name);
            }
            let name = named(axis, part);
            graph.node.push(NodeProto {
                op_type: "Slice".into(),
                name: name.clone(),
                input,
                output: vec![name.clone()],
                ..NodeProto::default()
            });
            parts.insert(if part == "before" { 0 } else { 1 }, name);
        }
        let name = named(axis, "whole");
        graph.node.push(NodeProto {
            op_type: "Concat".into(),
            name: name.clone(),
            input: parts,
            output: vec![name.clone()],
            attribute: vec![AttributeProto {
                name: "axis".into(),
                r#type: AttributeType::Int as i32,
                i: axis,
                ..AttributeProto::default()
            }],
            ..NodeProto::default()
        });
        from = name;
    }
    graph.node.push(NodeProto {
        op_type: "Identity".into(),
        name: node.name.clone(),
        input: vec![from],
        output: vec![last.clone()],
        ..NodeProto::default()
    });
}
