//! State dicts of others' code, and networks in ONNX, as model files. Each kind has a room: what it reads, what it asks for, and the source's own forward pass.

mod anp;
mod boon;
mod corners;
mod factors;
mod fno;
mod neuraloperator;
#[cfg(feature = "onnx")]
mod onnx;
mod physicsnemo;
mod published;
mod settings;
mod state;
mod textbook;
mod write;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pcml::model::Model;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result, refuse};
use settings::Settings;
use state::State;
use textbook::Field;
use write::Output;

/// Bytes of data beyond which the written model is not loaded again: that would need memory of its size.
const LOADED: u64 = 64 << 20;

/// Whose state dict it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Attentive neural process of ProbConserv.
    Anp,
    /// BOON and its base operators.
    Boon,
    /// The original code of Fourier neural operators.
    Fno,
    /// FNO and TFNO of neuraloperator.
    Neuraloperator,
    /// A network in an ONNX file.
    Onnx,
    /// FNO of PhysicsNeMo.
    Physicsnemo,
}

impl Kind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Anp => "anp",
            Kind::Boon => "boon",
            Kind::Fno => "fno",
            Kind::Neuraloperator => "neuraloperator",
            Kind::Onnx => "onnx",
            Kind::Physicsnemo => "physicsnemo",
        }
    }
}

/// What a conversion is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose state dict it is.
    pub kind: Kind,
    /// The safetensors file that holds it; the ONNX file.
    pub state: PathBuf,
    /// The model file to write.
    pub output: PathBuf,
    /// What names of the state dict begin with.
    pub prefix: String,
    /// `NAME=VALUE`.
    pub set: Vec<String>,
    /// Beginnings of names that the network does not read.
    pub drop: Vec<String>,
    /// A JSON file with fields of the description: inputs, outputs, grid, conservation, provenance.
    pub description: Option<PathBuf>,
}

/// What a conversion did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The architecture of the model file.
    pub architecture: String,
    /// Tensors written, without those of the self-test.
    pub weights: usize,
    /// Bytes of the data section.
    pub bytes: u64,
    /// Whether the model file was loaded, and so reproduced what the source gives.
    pub verified: bool,
    /// Whether what it reproduced comes from other code than the model's own.
    pub independent: bool,
    /// Largest difference allowed there, relative to the largest output.
    pub tolerance: f64,
}

/// What a kind makes of a state dict.
struct Draft<'a> {
    /// Architecture and its numbers.
    fields: Value,
    inputs: usize,
    outputs: usize,
    weights: Vec<Output<'a>>,
    /// Network units.
    selftest: Vec<Stored>,
    tolerance: f64,
}

/// Drafts a state dict.
type Drafter = for<'a> fn(&'a State, &'a Settings) -> Result<Draft<'a>>;

/// An array of the self-test.
struct Stored {
    name: String,
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Stored {
    fn new(name: &str, shape: Vec<usize>, values: Vec<f64>) -> Stored {
        Stored { name: name.to_string(), shape, values }
    }

    /// A field of one function.
    fn field(name: &str, field: &Field) -> Stored {
        Stored::new(name, [&[1][..], &field.grid, &[field.channels]].concat(), field.values.clone())
    }
}

/// A small grid that carries the modes: odd where a leading axis keeps an even number of them.
fn test_grid(modes: &[usize]) -> Vec<usize> {
    let last = modes.len() - 1;
    modes.iter().enumerate().map(|(axis, c)| if axis == last { (2 * c).max(12) } else { (c + 1).max(11) }).collect()
}

/// Converts a state dict. A file at `output` is replaced only by a whole model.
pub fn convert(request: &Request) -> Result<Report> {
    let draft = match request.kind {
        Kind::Anp => anp::draft as Drafter,
        Kind::Boon => boon::draft as Drafter,
        Kind::Fno => fno::draft as Drafter,
        Kind::Neuraloperator => neuraloperator::draft as Drafter,
        Kind::Physicsnemo => physicsnemo::draft as Drafter,
        Kind::Onnx => return convert_onnx(request),
    };
    let state = State::open(&request.state, &request.prefix)?;
    let plain = if request.kind == Kind::Anp { anp::PLAIN } else { &[] };
    let settings = Settings::new(&request.set, state.metadata(), plain)?;
    for prefix in &request.drop {
        state.drop_prefix(prefix)?;
    }
    let draft = draft(&state, &settings)?;
    state.finish(request.kind.name())?;
    settings.finish(request.kind.name())?;
    finish(request, draft, origin(request, state.bytes(), state.metadata()))
}

#[cfg(feature = "onnx")]
fn convert_onnx(request: &Request) -> Result<Report> {
    if !request.prefix.is_empty() || !request.drop.is_empty() {
        return refuse!("--prefix and --drop belong to state dicts, expected neither for an ONNX file");
    }
    let map = crate::map::map(&request.state)?;
    let settings = Settings::new(&request.set, &HashMap::new(), &[])?;
    let (draft, independent) = onnx::draft(&map, &settings)?;
    settings.finish(request.kind.name())?;
    let report = finish(request, draft, origin(request, &map, &HashMap::new()))?;
    Ok(Report { independent, ..report })
}

#[cfg(not(feature = "onnx"))]
fn convert_onnx(_: &Request) -> Result<Report> {
    refuse!("this command was built without cargo feature onnx: cargo install --path cli --features onnx")
}

/// Writes the model file of a draft, and loads it.
fn finish(request: &Request, draft: Draft, origin: Value) -> Result<Report> {
    let mut description = draft.fields;
    description["format"] = json!(pcml::model::file::FORMAT);
    description["selftest"] = json!({"tolerance": draft.tolerance});
    description["inputs"] = channels("a", draft.inputs);
    description["outputs"] = channels("u", draft.outputs);
    description["provenance"] = json!({});
    describe(&mut description, request, [draft.inputs, draft.outputs])?;
    description["provenance"]["converted"] = origin;

    let mut outputs = draft.weights;
    let weights = outputs.len();
    for stored in draft.selftest {
        let values = scaled(&stored, &description)?;
        outputs.push(Output::values(format!("selftest.{}", stored.name), stored.shape, values));
    }
    let written = write::write(&request.output, &description, outputs)?;
    let verified = written.bytes() <= LOADED;
    if verified {
        Model::load(written.path()).map_err(|e| {
            Error::new(format!("the written model does not do what its source does, and was not kept: {}", e.message()))
        })?;
    }
    let bytes = written.bytes();
    written.keep()?;
    let architecture = description["architecture"].as_str().unwrap_or_default().to_string();
    Ok(Report { architecture, weights, bytes, verified, independent: true, tolerance: draft.tolerance })
}

/// Channels without units, all alike.
fn channels(name: &str, count: usize) -> Value {
    (0..count).map(|i| json!({"name": format!("{name}{i}"), "unit": "1"})).collect()
}

/// Takes fields of the description over from a file.
fn describe(description: &mut Value, request: &Request, counts: [usize; 2]) -> Result<()> {
    let Some(path) = &request.description else { return Ok(()) };
    let failed = |e: &dyn std::fmt::Display| Error::new(format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| failed(&e))?;
    let fields: Map<String, Value> = serde_json::from_str(&text).map_err(|e| failed(&e))?;
    for (name, value) in fields {
        let count = match name.as_str() {
            "inputs" => Some(counts[0]),
            "outputs" => Some(counts[1]),
            "grid" | "conservation" | "provenance" => None,
            _ => {
                return refuse!(
                    "{}: field {name} is not expected: inputs, outputs, grid, conservation, provenance",
                    path.display()
                );
            }
        };
        if let Some(count) = count
            && value.as_array().is_none_or(|list| list.len() != count)
        {
            return refuse!("{}: {name} must list {count} channels", path.display());
        }
        if name == "provenance" && !value.is_object() {
            return refuse!("{}: provenance must be an object", path.display());
        }
        description[name] = value;
    }
    Ok(())
}

/// Where the weights come from.
fn origin(request: &Request, bytes: &[u8], metadata: &HashMap<String, String>) -> Value {
    let digest: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    json!({
        "by": format!("pcml {}", env!("CARGO_PKG_VERSION")),
        "kind": request.kind.name(),
        "file": name(&request.state),
        "sha256": digest,
        "prefix": request.prefix,
        "settings": request.set,
        "metadata": metadata,
    })
}

/// The raw values of an array of the self-test.
fn scaled(stored: &Stored, description: &Value) -> Result<Vec<f64>> {
    let of = |kind: &str| -> Result<Vec<(f64, f64)>> {
        let one = |channel: &Value| {
            let number = |name: &str, unset: f64| channel.get(name).map_or(Some(unset), Value::as_f64);
            match (number("offset", 0.0), number("scale", 1.0)) {
                (Some(offset), Some(scale)) => Ok((offset, scale)),
                _ => refuse!("{kind}: offset and scale must be numbers"),
            }
        };
        description[kind].as_array().into_iter().flatten().map(one).collect()
    };
    let face = stored.name.strip_prefix("face.").and_then(|number| number.parse::<usize>().ok());
    let mut factors = match stored.name.as_str() {
        "input" | "context_x" | "target_x" => of("inputs")?,
        _ => of("outputs")?,
    };
    // A variance has no offset and the scale's square; nor has a slope an offset.
    if stored.name == "variance" {
        factors.iter_mut().for_each(|(offset, scale)| (*offset, *scale) = (0.0, *scale * *scale));
    }
    if face.is_some_and(|f| description["boon"]["faces"][f]["kind"] == "neumann") {
        factors.iter_mut().for_each(|(offset, _)| *offset = 0.0);
    }
    let each = factors.len().max(1);
    Ok(stored.values.iter().enumerate().map(|(i, v)| factors[i % each].0 + factors[i % each].1 * v).collect())
}
