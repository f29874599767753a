//! What a model file says of its model, and what must hold of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ensemble::MOST_MEMBERS;
use super::{anp, deeponet, fno, gp, mlp, onnx};
use crate::error::{Result, fail};

/// The format that this version reads.
pub const FORMAT: u64 = 1;

/// What a model file says of its model. Fields that this version does not know are refused: they could change the meaning.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of the format: [`FORMAT`].
    pub format: u64,
    /// The architecture's name; its numbers stand under the same key.
    pub architecture: Architecture,
    /// Numbers of an attentive neural process.
    #[serde(default)]
    pub anp: Option<anp::Numbers>,
    /// Numbers of a Fourier neural operator.
    #[serde(default)]
    pub fno: Option<fno::Numbers>,
    /// Numbers of a Gaussian process.
    #[serde(default)]
    pub gp: Option<gp::Numbers>,
    /// Numbers of a multilayer perceptron.
    #[serde(default)]
    pub mlp: Option<mlp::Numbers>,
    /// Numbers of a DeepONet.
    #[serde(default)]
    pub deeponet: Option<deeponet::Numbers>,
    /// Numbers of a network in an ONNX file.
    #[serde(default)]
    pub onnx: Option<onnx::Numbers>,
    /// Members that share this description.
    #[serde(default)]
    pub ensemble: Option<Members>,
    /// Boundary conditions that a Fourier neural operator obeys itself.
    #[serde(default)]
    pub boon: Option<fno::Correction>,
    /// Input channels in order: for a neural process the coordinates of a point.
    pub inputs: Vec<Channel>,
    /// Output channels in order.
    pub outputs: Vec<Channel>,
    /// The domain of the training data.
    #[serde(default)]
    pub grid: Vec<Axis>,
    /// Laws that the outputs should obey: what a host may set up by default.
    #[serde(default)]
    pub conservation: Vec<Conservation>,
    /// Where the model comes from: free form.
    #[serde(default)]
    pub provenance: serde_json::Value,
    /// How closely the stored outputs must be reproduced.
    pub selftest: SelfTest,
}

/// The architectures that this version evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// Attentive neural process.
    Anp,
    /// Fourier neural operator.
    Fno,
    /// Gaussian process.
    Gp,
    /// Multilayer perceptron.
    Mlp,
    /// DeepONet.
    DeepOnet,
    /// A network in an ONNX file.
    Onnx,
}

/// How many members an ensemble has: the weights of member m have names that begin with `members.{m}.`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// 1 to 1024.
    pub members: usize,
}

/// One channel: raw = offset + scale * network value; with `log` that is log(raw + shift).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The field's name.
    pub name: String,
    /// The unit of raw values; "1" without one.
    pub unit: String,
    /// Raw value of the network's 0.
    #[serde(default)]
    pub offset: f64,
    /// Raw step of the network's 1; positive.
    #[serde(default = "one")]
    pub scale: f64,
    /// Whether the network sees the logarithm of raw + shift.
    #[serde(default, skip_serializing_if = "is_false")]
    pub log: bool,
    /// Added to raw values before their logarithm is taken, raw units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shift: f64,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Channel {
    /// A channel whose raw values are the network's.
    pub fn plain(name: impl Into<String>) -> Channel {
        Channel { name: name.into(), unit: "1".into(), offset: 0.0, scale: 1.0, log: false, shift: 0.0 }
    }
}

fn one() -> f64 {
    1.0
}

/// One axis of the training domain.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The coordinate's name.
    pub name: String,
    /// Lower bound, raw units.
    pub lower: f64,
    /// Upper bound, raw units.
    pub upper: f64,
}

/// A conservation law: the integral of an output along an axis is given.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conservation {
    /// Name of the output channel.
    pub output: String,
    /// Name of the coordinate, one of [`Description::grid`] where that is given.
    pub axis: String,
    /// The quadrature rule: "trapezoid", "left", "right" or "simpson".
    pub quadrature: String,
}

/// The self-test's numbers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    /// Largest difference in f64, relative to the largest stored output.
    pub tolerance: f64,
}

/// Shapes of weights by name.
pub(super) type Shapes = BTreeMap<String, Vec<usize>>;

/// Refuses channels whose scaling is none; `kind` is their field's name.
pub(super) fn check_channels(kind: &str, channels: &[Channel]) -> Result<()> {
    for (i, c) in channels.iter().enumerate() {
        if !c.offset.is_finite() || !c.scale.is_finite() || c.scale <= 0.0 {
            return fail!(
                FileDescription,
                "{kind}[{i}] ({}) has offset {} and scale {}, expected finite and scale > 0",
                c.name,
                c.offset,
                c.scale
            );
        }
        if !c.shift.is_finite() || (c.shift != 0.0 && !c.log) {
            return fail!(
                FileDescription,
                "{kind}[{i}] ({}) has shift {}, expected a finite one, and none without log",
                c.name,
                c.shift
            );
        }
    }
    Ok(())
}

/// Names and shapes of the weights that the description asks for, those of all members of an ensemble.
pub(super) fn check_description(d: &Description) -> Result<Shapes> {
    if !(d.selftest.tolerance > 0.0 && d.selftest.tolerance <= 1e-3) {
        return fail!(FileDescription, "selftest.tolerance is {}, expected in (0, 1e-3]", d.selftest.tolerance);
    }
    check_channels("inputs", &d.inputs)?;
    check_channels("outputs", &d.outputs)?;
    if !matches!(d.architecture, Architecture::Mlp | Architecture::DeepOnet)
        && let Some(c) = d.inputs.iter().chain(&d.outputs).find(|c| c.log)
    {
        return fail!(
            FileDescription,
            "channel {} is read by its logarithm, which architectures mlp and deeponet alone do",
            c.name
        );
    }
    for axis in &d.grid {
        if !(axis.lower < axis.upper && (axis.upper - axis.lower).is_finite()) {
            let Axis { name, lower, upper } = axis;
            return fail!(FileDescription, "grid: {name} runs from {lower} to {upper}, expected a finite interval");
        }
    }
    for c in &d.conservation {
        if !d.outputs.iter().any(|o| o.name == c.output) {
            return fail!(FileDescription, "conservation names output {}, which is not among outputs", c.output);
        }
        if !d.grid.is_empty() && !d.grid.iter().any(|axis| axis.name == c.axis) {
            return fail!(FileDescription, "conservation names axis {}, which is not among those of grid", c.axis);
        }
        if !["trapezoid", "left", "right", "simpson"].contains(&c.quadrature.as_str()) {
            return fail!(FileDescription, "conservation.quadrature is {}, expected a known rule", c.quadrature);
        }
    }
    for (there, field, of, name) in [
        (d.boon.is_some(), "boon", Architecture::Fno, "fno"),
        (d.anp.is_some(), "anp", Architecture::Anp, "anp"),
        (d.fno.is_some(), "fno", Architecture::Fno, "fno"),
        (d.gp.is_some(), "gp", Architecture::Gp, "gp"),
        (d.mlp.is_some(), "mlp", Architecture::Mlp, "mlp"),
        (d.deeponet.is_some(), "deeponet", Architecture::DeepOnet, "deeponet"),
        (d.onnx.is_some(), "onnx", Architecture::Onnx, "onnx"),
    ] {
        if there && d.architecture != of {
            return fail!(FileDescription, "field {field} belongs to architecture {name}");
        }
    }
    let weights = check_architecture(d)?;
    let Some(Members { members }) = d.ensemble else { return Ok(weights) };
    if !(1..=MOST_MEMBERS).contains(&members) {
        return fail!(FileDescription, "ensemble.members is {members}, expected 1 to {MOST_MEMBERS}");
    }
    let all = (0..members)
        .flat_map(|m| weights.iter().map(move |(name, shape)| (format!("{}{name}", member_prefix(m)), shape.clone())));
    Ok(all.collect())
}

/// How the names of a member's weights begin.
pub(super) fn member_prefix(member: usize) -> String {
    format!("members.{member}.")
}

/// Names and shapes of the weights of one model.
fn check_architecture(d: &Description) -> Result<Shapes> {
    let (inputs, outputs) = (d.inputs.len(), d.outputs.len());
    match d.architecture {
        Architecture::Fno => {
            let numbers = numbers("fno", &d.fno)?;
            numbers.check(inputs, outputs)?;
            if let Some(correction) = &d.boon {
                correction.check(numbers)?;
            }
            Ok(numbers.weights(inputs, outputs))
        }
        Architecture::Anp => {
            let numbers = numbers("anp", &d.anp)?;
            numbers.check(inputs, outputs)?;
            Ok(numbers.weights())
        }
        Architecture::Gp => {
            let numbers = numbers("gp", &d.gp)?;
            numbers.check(inputs, outputs)?;
            Ok(numbers.weights(inputs, outputs))
        }
        Architecture::Mlp => {
            let numbers = numbers("mlp", &d.mlp)?;
            numbers.check(inputs, outputs)?;
            Ok(numbers.weights(inputs, outputs))
        }
        Architecture::DeepOnet => {
            let numbers = numbers("deeponet", &d.deeponet)?;
            numbers.check(inputs, outputs)?;
            Ok(numbers.weights(inputs, outputs))
        }
        Architecture::Onnx => {
            let numbers = numbers("onnx", &d.onnx)?;
            numbers.check(inputs, outputs)?;
            Ok(numbers.weights())
        }
    }
}

/// The numbers of the architecture that is named.
fn numbers<'d, N>(architecture: &str, there: &'d Option<N>) -> Result<&'d N> {
    match there {
        Some(numbers) => Ok(numbers),
        None => fail!(FileDescription, "architecture is {architecture}, but there is no field {architecture}"),
    }
}
