//! State dicts of others' code, and networks in ONNX, as model files. Each kind has a room: what it reads, what it asks for, and the source's own forward pass.

mod anp;
mod boon;
mod chain;
mod corners;
mod deeponet;
mod ensemble;
mod factors;
mod fno;
mod keras;
mod neuraloperator;
#[cfg(feature = "onnx")]
mod onnx;
mod physicsnemo;
mod published;
mod scaling;
mod sequential;
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
use scaling::Line;
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
    /// DeepONet of DeepXDE.
    Deeponet,
    /// Model files of one architecture as one.
    Ensemble,
    /// The original code of Fourier neural operators.
    Fno,
    /// Dense networks of Keras.
    Keras,
    /// FNO and TFNO of neuraloperator.
    Neuraloperator,
    /// A network in an ONNX file.
    Onnx,
    /// FNO of PhysicsNeMo.
    Physicsnemo,
    /// Perceptrons in a torch.nn.Sequential.
    Sequential,
}

impl Kind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Anp => "anp",
            Kind::Boon => "boon",
            Kind::Deeponet => "deeponet",
            Kind::Ensemble => "ensemble",
            Kind::Fno => "fno",
            Kind::Keras => "keras",
            Kind::Neuraloperator => "neuraloperator",
            Kind::Onnx => "onnx",
            Kind::Physicsnemo => "physicsnemo",
            Kind::Sequential => "sequential",
        }
    }
}

/// What a conversion is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose state dict it is.
    pub kind: Kind,
    /// The safetensors file that holds it; the ONNX file; the model files of an ensemble's members.
    pub states: Vec<PathBuf>,
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
    /// From network values to raw ones, where the source has that: the channels' place in the description, and each channel's line.
    scaling: Vec<(&'static str, Vec<Line>)>,
    weights: Vec<Output<'a>>,
    /// Network units.
    selftest: Vec<Stored>,
    tolerance: f64,
}

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
    if request.kind == Kind::Ensemble {
        return ensemble::convert(request);
    }
    let [path] = &request.states[..] else {
        return refuse!("{} files are given, expected one: kind ensemble alone takes more", request.states.len());
    };
    if request.kind == Kind::Onnx {
        return convert_onnx(request, path);
    }
    let state = State::open(path, &request.prefix)?;
    let plain = if request.kind == Kind::Anp { anp::PLAIN } else { &[] };
    let settings = Settings::new(&request.set, state.metadata(), plain)?;
    for prefix in &request.drop {
        state.drop_prefix(prefix)?;
    }
    let draft = match request.kind {
        Kind::Anp => anp::draft(&state, &settings),
        Kind::Boon => boon::draft(&state, &settings),
        Kind::Deeponet => deeponet::draft(&state, &settings),
        Kind::Fno => fno::draft(&state, &settings),
        Kind::Keras => keras::draft(&state, &settings),
        Kind::Neuraloperator => neuraloperator::draft(&state, &settings),
        Kind::Physicsnemo => physicsnemo::draft(&state, &settings),
        Kind::Sequential => sequential::draft(&state, &settings),
        Kind::Ensemble | Kind::Onnx => unreachable!("it has no state dict"),
    }?;
    state.finish(request.kind.name())?;
    settings.finish(request.kind.name())?;
    write_draft(request, draft, origin(request, path, state.bytes(), state.metadata()))
}

#[cfg(feature = "onnx")]
fn convert_onnx(request: &Request, path: &Path) -> Result<Report> {
    if !request.prefix.is_empty() || !request.drop.is_empty() {
        return refuse!("--prefix and --drop belong to state dicts, expected neither for an ONNX file");
    }
    let map = crate::map::map(path)?;
    let settings = Settings::new(&request.set, &HashMap::new(), &[])?;
    let (draft, independent) = onnx::draft(&map, &settings)?;
    settings.finish(request.kind.name())?;
    let report = write_draft(request, draft, origin(request, path, &map, &HashMap::new()))?;
    Ok(Report { independent, ..report })
}

#[cfg(not(feature = "onnx"))]
fn convert_onnx(_: &Request, _: &Path) -> Result<Report> {
    refuse!("this command was built without cargo feature onnx: cargo install --path cli --features onnx")
}

/// Describes a draft, scales its self-test, and writes it.
fn write_draft(request: &Request, draft: Draft, origin: Value) -> Result<Report> {
    let mut description = draft.fields;
    description["format"] = json!(pcml::model::description::FORMAT);
    description["selftest"] = json!({"tolerance": draft.tolerance});
    description["inputs"] = channels("a", draft.inputs);
    description["outputs"] = channels("u", draft.outputs);
    description["provenance"] = json!({});
    describe(&mut description, request, [draft.inputs, draft.outputs])?;
    for (place, lines) in &draft.scaling {
        scale(place.trim_start_matches('/'), description.pointer_mut(place), lines)?;
    }
    description["provenance"]["converted"] = origin;

    let raw = scaled(&draft.selftest, &description)?;
    let selftest = draft.selftest.into_iter().zip(raw);
    let selftest = selftest.map(|(stored, values)| Stored { values, ..stored }).collect();
    finish(request, &description, draft.weights, selftest, draft.tolerance)
}

/// Writes the model file; while it is of moderate size it is loaded too, which runs its self-test (raw units), before it gets its name.
fn finish(
    request: &Request,
    description: &Value,
    mut outputs: Vec<Output>,
    selftest: Vec<Stored>,
    tolerance: f64,
) -> Result<Report> {
    let weights = outputs.len();
    for Stored { name, shape, values } in selftest {
        outputs.push(Output::values(format!("selftest.{name}"), shape, values));
    }
    let written = write::write(&request.output, description, outputs)?;
    let verified = written.bytes() <= LOADED;
    if verified {
        Model::load(written.path()).map_err(|e| {
            Error::new(format!("the written model does not do what its source does, and was not kept: {}", e.message()))
        })?;
    }
    let bytes = written.bytes();
    written.keep()?;
    let architecture = description["architecture"].as_str().unwrap_or_default().to_string();
    Ok(Report { architecture, weights, bytes, verified, independent: true, tolerance })
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
            "functions" if description["deeponet"].is_object() => {
                description["deeponet"]["functions"].as_array().map(Vec::len)
            }
            _ => {
                return refuse!(
                    "{}: field {name} is not expected: inputs, outputs, grid, conservation, provenance, and functions of a DeepONet",
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
        if name == "functions" {
            description["deeponet"][name] = value;
        } else {
            description[name] = value;
        }
    }
    Ok(())
}

/// Gives channels the scaling that the source has.
fn scale(kind: &str, channels: Option<&mut Value>, lines: &[Line]) -> Result<()> {
    for (i, (channel, line)) in channels.and_then(Value::as_array_mut).into_iter().flatten().zip(lines).enumerate() {
        if channel.get("offset").is_some() || channel.get("scale").is_some() {
            return refuse!(
                "the description has offset or scale for {kind}[{i}], expected none: the settings or the network's own layers scale that channel"
            );
        }
        line.describe(channel);
    }
    Ok(())
}

/// A file's name and digest.
fn file(path: &Path, bytes: &[u8]) -> (Option<String>, String) {
    let digest = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    (path.file_name().map(|name| name.to_string_lossy().into_owned()), digest)
}

/// Where the weights come from.
fn origin(request: &Request, path: &Path, bytes: &[u8], metadata: &HashMap<String, String>) -> Value {
    let (name, digest) = file(path, bytes);
    json!({
        "by": format!("pcml {}", env!("CARGO_PKG_VERSION")),
        "kind": request.kind.name(),
        "file": name,
        "sha256": digest,
        "prefix": request.prefix,
        "settings": request.set,
        "metadata": metadata,
    })
}

/// A channel's scaling, as the description states it.
#[derive(Clone, Copy)]
struct Raw {
    line: Line,
    /// What is taken from the exponential, where the network sees a logarithm.
    log: Option<f64>,
}

impl Raw {
    fn of(kind: &str, channels: &Value) -> Result<Vec<Raw>> {
        let one = |channel: &Value| {
            let number = |name: &str, unset: f64| channel.get(name).map_or(Some(unset), Value::as_f64);
            match (number("offset", 0.0), number("scale", 1.0), number("shift", 0.0)) {
                (Some(shift), Some(scale), Some(log)) => {
                    Ok(Raw { line: Line { scale, shift }, log: (channel["log"] == true).then_some(log) })
                }
                _ => refuse!("{kind}: offset, scale and shift must be numbers"),
            }
        };
        channels.as_array().into_iter().flatten().map(one).collect()
    }

    /// The raw mean and variance of a network value's.
    fn moments(self, mean: f64, variance: f64) -> (f64, f64) {
        let Line { scale, shift } = self.line;
        let (mean, variance) = (shift + scale * mean, scale * scale * variance);
        match self.log {
            None => (mean, variance),
            // The exponential of a normal variable.
            Some(log) => {
                let middle = (mean + 0.5 * variance).exp();
                (middle - log, middle * middle * variance.exp_m1())
            }
        }
    }
}

/// The raw values of the arrays of a self-test.
fn scaled(selftest: &[Stored], description: &Value) -> Result<Vec<Vec<f64>>> {
    let variance = selftest.iter().find(|stored| stored.name == "variance");
    let mean = selftest.iter().find(|stored| ["mean", "output"].contains(&stored.name.as_str()));
    let one = |stored: &Stored| {
        let mut channels = match stored.name.as_str() {
            "input" | "context_x" | "target_x" => Raw::of("inputs", &description["inputs"])?,
            "context_y" if description["deeponet"].is_object() => {
                Raw::of("functions", &description["deeponet"]["functions"])?
            }
            _ => Raw::of("outputs", &description["outputs"])?,
        };
        // A slope has no offset.
        let face = stored.name.strip_prefix("face.").and_then(|number| number.parse::<usize>().ok());
        if face.is_some_and(|f| description["boon"]["faces"][f]["kind"] == "neumann") {
            channels.iter_mut().for_each(|channel| channel.line.shift = 0.0);
        }
        let each = channels.len().max(1);
        let raw = |(i, v): (usize, &f64)| {
            let value = |of: Option<&Stored>| of.map_or(0.0, |of| of.values[i]);
            let channel = channels[i % each];
            match stored.name.as_str() {
                "variance" => channel.moments(value(mean), *v).1,
                "mean" | "output" => channel.moments(*v, value(variance)).0,
                _ => channel.moments(*v, 0.0).0,
            }
        };
        Ok(stored.values.iter().enumerate().map(raw).collect())
    };
    selftest.iter().map(one).collect()
}
