//! The model file: untrusted bytes -> checked description and weights.
//!
//! One safetensors file. Metadata key `pcml` holds the description (JSON, [`Description`]); `pcml.sha256` the hexadecimal
//! SHA-256 of that text followed by the data section, so that a damaged file is told from a wrong model. Tensors `selftest.*`
//! hold inputs and expected outputs; all others are weights, and each must be read.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ensemble::MOST_MEMBERS;
use super::{anp, deeponet, fno, gp, mlp, onnx};
use crate::error::{Error, Result, Status, fail, zeros};

/// The format that this version reads.
pub const FORMAT: u64 = 1;

/// Most bytes of the container's header. It is read into maps, which take many times its size and have no answer to a lack of memory.
const MOST_HEADER: u64 = 8 << 20;

/// Most bytes of the description, for the same reason: `{"":0},` of its free part becomes a map of 600 bytes.
const MOST_DESCRIPTION: usize = 1 << 20;

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

/// A weight or a stored array, C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Extents.
    pub shape: Vec<usize>,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Bytes(Vec<u8>),
}

impl Tensor {
    /// All values; f32 to f64 is exact.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.values {
            Values::F32(v) => v.iter().map(|x| *x as f64).collect(),
            Values::F64(v) => v.clone(),
            Values::Bytes(v) => v.iter().map(|x| f64::from(*x)).collect(),
        }
    }

    /// The bytes of a tensor that holds no numbers but a file.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.values {
            Values::Bytes(v) => Some(v),
            _ => None,
        }
    }
}

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// A parsed file.
pub(super) struct Contents {
    pub description: Description,
    pub text: String,
    pub tensors: Tensors,
    pub selftest: Tensors,
}

/// The bytes of a file; no more is read than the file had when it was opened.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let failed = |e: std::io::Error| Error::new(Status::Io, format!("{}: {e}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let info = file.metadata().map_err(failed)?;
    if !info.is_file() {
        return fail!(Io, "{}: not a file", path.display());
    }
    let Ok(len) = usize::try_from(info.len()) else {
        return fail!(TooLarge, "{}: {} bytes, beyond the address space", path.display(), info.len());
    };
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(len).is_err() {
        return fail!(OutOfMemory, "no memory for the {len} bytes of {}", path.display());
    }
    file.take(len as u64).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Checks everything but the self-test.
pub(super) fn parse(bytes: &[u8]) -> Result<Contents> {
    let damaged = |e: safetensors::SafeTensorError| {
        Error::new(Status::FileFormat, format!("not a complete safetensors file, which a pcml model is: {e}"))
    };
    if let Some(len) = bytes.first_chunk().map(|len| u64::from_le_bytes(*len))
        && (MOST_HEADER + 1..=bytes.len() as u64).contains(&len)
    {
        return fail!(TooLarge, "the header has {len} bytes, expected at most {MOST_HEADER}");
    }
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let entries = metadata.metadata().as_ref();
    let entry = |key: &str| match entries.and_then(|m| m.get(key)) {
        Some(text) => Ok(text.clone()),
        None => fail!(
            FileFormat,
            "a safetensors file without metadata key \"{key}\", so not a pcml model: \
             `pcml convert` makes one of the weights of a known architecture"
        ),
    };
    let text = entry("pcml")?;
    let digest = entry("pcml.sha256")?;
    if text.len() > MOST_DESCRIPTION {
        let len = text.len();
        return fail!(TooLarge, "metadata key \"pcml\" has {len} bytes, expected at most {MOST_DESCRIPTION}");
    }
    let Some(data) = bytes.get(8 + header..) else {
        return fail!(FileFormat, "the header reaches beyond the file");
    };
    check_version(&text)?;
    let mut hash = Sha256::new();
    hash.update(text.as_bytes());
    hash.update(data);
    let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    if found != digest {
        return fail!(FileFormat, "the file is damaged: its SHA-256 is {found}, expected {digest}");
    }

    let description: Description = serde_json::from_str(&text)
        .map_err(|e| Error::new(Status::FileDescription, format!("metadata key \"pcml\": {e}")))?;
    let expected = check_description(&description)?;

    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let (mut tensors, mut selftest) = (Tensors::new(), Tensors::new());
    for (name, view) in file.iter() {
        let tensor = decode(name, &view)?;
        let home = if name.starts_with("selftest.") { &mut selftest } else { &mut tensors };
        home.insert(name.to_string(), tensor);
    }
    for (name, shape) in &expected {
        match tensors.get(name) {
            None => return fail!(Weights, "weight {name} is missing, expected shape {shape:?}"),
            Some(t) if t.shape != *shape => {
                return fail!(Weights, "weight {name} has shape {:?}, expected {shape:?}", t.shape);
            }
            Some(_) => {}
        }
    }
    if let Some(name) = tensors.keys().find(|name| !expected.contains_key(*name)) {
        return fail!(Weights, "weight {name} is not read by this architecture");
    }
    Ok(Contents { description, text, tensors, selftest })
}

/// The version is read on its own first: a later format may have fields of any kind.
fn check_version(text: &str) -> Result<()> {
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|e| Error::new(Status::FileDescription, format!("metadata key \"pcml\": {e}")))?;
    match value.get("format") {
        Some(v) if v.as_u64() == Some(FORMAT) => Ok(()),
        Some(v) => fail!(FileVersion, "format is {v}, expected {FORMAT}"),
        None => fail!(FileDescription, "metadata key \"pcml\" has no field format"),
    }
}

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
pub(super) fn check_description(d: &Description) -> Result<BTreeMap<String, Vec<usize>>> {
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

/// Whether a tensor holds an ONNX file, a member's perhaps.
fn is_file(name: &str) -> bool {
    let own = match name.strip_prefix("members.").and_then(|rest| rest.split_once('.')) {
        Some((_, own)) => own,
        None => name,
    };
    own == onnx::TENSOR
}

/// Names and shapes of the weights of one model.
fn check_architecture(d: &Description) -> Result<BTreeMap<String, Vec<usize>>> {
    match d.architecture {
        Architecture::Fno => {
            let Some(numbers) = &d.fno else {
                return fail!(FileDescription, "architecture is fno, but there is no field fno");
            };
            numbers.check(d.inputs.len(), d.outputs.len())?;
            if let Some(correction) = &d.boon {
                correction.check(numbers)?;
            }
            Ok(numbers.weights(d.inputs.len(), d.outputs.len()))
        }
        Architecture::Anp => {
            let Some(numbers) = &d.anp else {
                return fail!(FileDescription, "architecture is anp, but there is no field anp");
            };
            numbers.check(d.inputs.len(), d.outputs.len())?;
            Ok(numbers.weights())
        }
        Architecture::Gp => {
            let Some(numbers) = &d.gp else {
                return fail!(FileDescription, "architecture is gp, but there is no field gp");
            };
            numbers.check(d.inputs.len(), d.outputs.len())?;
            Ok(numbers.weights(d.inputs.len(), d.outputs.len()))
        }
        Architecture::Mlp => {
            let Some(numbers) = &d.mlp else {
                return fail!(FileDescription, "architecture is mlp, but there is no field mlp");
            };
            numbers.check(d.inputs.len(), d.outputs.len())?;
            Ok(numbers.weights(d.inputs.len(), d.outputs.len()))
        }
        Architecture::DeepOnet => {
            let Some(numbers) = &d.deeponet else {
                return fail!(FileDescription, "architecture is deeponet, but there is no field deeponet");
            };
            numbers.check(d.inputs.len(), d.outputs.len())?;
            Ok(numbers.weights(d.inputs.len(), d.outputs.len()))
        }
        Architecture::Onnx => {
            let Some(numbers) = &d.onnx else {
                return fail!(FileDescription, "architecture is onnx, but there is no field onnx");
            };
            numbers.check(d.inputs.len(), d.outputs.len())?;
            Ok(numbers.weights())
        }
    }
}

/// f32 or f64, little endian, finite; for an ONNX file bytes. The crate has checked that the data's size is that of the shape.
fn decode(name: &str, view: &safetensors::tensor::TensorView) -> Result<Tensor> {
    let data = view.data();
    let values = match view.dtype() {
        safetensors::Dtype::F32 => {
            let mut out = zeros::<f32>(data.len() / 4, name)?;
            for (v, b) in out.iter_mut().zip(data.as_chunks::<4>().0) {
                *v = f32::from_le_bytes(*b);
            }
            Values::F32(out)
        }
        safetensors::Dtype::F64 => {
            let mut out = zeros::<f64>(data.len() / 8, name)?;
            for (v, b) in out.iter_mut().zip(data.as_chunks::<8>().0) {
                *v = f64::from_le_bytes(*b);
            }
            Values::F64(out)
        }
        safetensors::Dtype::U8 if is_file(name) => {
            let mut out = zeros::<u8>(data.len(), name)?;
            out.copy_from_slice(data);
            Values::Bytes(out)
        }
        other => return fail!(Weights, "tensor {name} has dtype {other:?}, expected F32 or F64"),
    };
    let bad = match &values {
        Values::F32(v) => v.iter().position(|x| !x.is_finite()),
        Values::F64(v) => v.iter().position(|x| !x.is_finite()),
        Values::Bytes(_) => None,
    };
    if let Some(i) = bad {
        return fail!(Weights, "tensor {name} is not finite at element {i}");
    }
    Ok(Tensor { shape: view.shape().to_vec(), values })
}
