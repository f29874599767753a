//! What a model file says of itself, from its header alone: nothing is run, and a file of any size is told at once.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

use crate::error::{Error, Result, refuse};
use crate::outcome::{Outcome, shown};

/// The description, the stored digest, and tensors by name with dtype and shape.
pub struct Header {
    /// The description as it stands in the file.
    pub description: Value,
    /// The digest as it stands in the file.
    pub digest: String,
    /// Names, dtypes and extents.
    pub tensors: Vec<(String, Dtype, Vec<usize>)>,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Header {
    /// Reads a model file's header.
    pub fn read(path: &Path) -> Result<Header> {
        let map = crate::map::map(path)?;
        let shown = path.display();
        let (_, metadata) = SafeTensors::read_metadata(&map)
            .map_err(|e| Error::new(format!("{shown}: not a safetensors file, so no model file: {e}")))?;
        let entries = metadata.metadata().clone().unwrap_or_default();
        let Some(text) = entries.get("pcml") else {
            let count = metadata.tensors().len();
            return refuse!(
                "{shown} has no metadata entry pcml, so it is no model file: with {count} tensors it may be a state dict for pcml convert"
            );
        };
        let description =
            serde_json::from_str(text).map_err(|e| Error::new(format!("{shown}: metadata entry pcml: {e}")))?;
        let mut tensors: Vec<_> =
            metadata.tensors().into_iter().map(|(name, info)| (name, info.dtype, info.shape.clone())).collect();
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        let digest = entries.get("pcml.sha256").cloned().unwrap_or_default();
        Ok(Header { description, digest, tensors, bytes: map.len() as u64 })
    }

    /// Extents of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.iter().find(|t| t.0 == name).map(|t| &t.2[..])
    }
}

/// Tells what a model file is.
pub fn inspect(path: &Path) -> Result<Outcome> {
    let header = Header::read(path)?;
    let d = &header.description;
    let mut out = Outcome::new();
    let architecture = d["architecture"].as_str().unwrap_or("unknown");
    let more = if d["boon"].is_object() { " with boundary conditions (boon)" } else { "" };
    let many = d["ensemble"]["members"].as_u64().map(|count| format!(", an ensemble of {count}")).unwrap_or_default();
    out.tell("architecture", architecture, format!("{architecture}{more}{many}"));
    if let Some(members) = d["ensemble"]["members"].as_u64() {
        out.data("members", members);
    }
    out.fact("format", d["format"].clone());
    out.data("description", d.clone());
    // The channels of a DeepONet's input functions are told with the others.
    let numbers = d[architecture].as_object().into_iter().flatten();
    for (name, value) in numbers.filter(|(name, _)| *name != "functions") {
        out.line(&format!("  {name}"), shown(value));
    }
    for (name, value) in d["boon"].as_object().into_iter().flatten() {
        match value.as_array() {
            None => out.line(&format!("  boon {name}"), shown(value)),
            Some(faces) => faces.iter().enumerate().for_each(|(f, face)| {
                let side = if face["side"] == -1 { "first" } else { "last" };
                out.line(
                    &format!("  face {f}"),
                    format!("{} at the {side} point of axis {}", shown(&face["kind"]), face["axis"]),
                );
            }),
        }
    }
    for (kind, channels) in
        [("functions", &d[architecture]["functions"]), ("inputs", &d["inputs"]), ("outputs", &d["outputs"])]
    {
        for (i, channel) in channels.as_array().into_iter().flatten().enumerate() {
            let scaling = scaling(channel);
            let name = format!("{} {i}", kind.trim_end_matches('s'));
            out.line(&name, format!("{} [{}]{scaling}", shown(&channel["name"]), shown(&channel["unit"])));
        }
    }
    for axis in d["grid"].as_array().into_iter().flatten() {
        out.line("axis", format!("{} from {} to {}", shown(&axis["name"]), axis["lower"], axis["upper"]));
    }
    let laws = d["conservation"].as_array().cloned().unwrap_or_default();
    for law in &laws {
        let (output, axis, rule) = (shown(&law["output"]), shown(&law["axis"]), shown(&law["quadrature"]));
        out.line("law", format!("the integral of {output} along {axis} is given ({rule})"));
    }
    if laws.is_empty() {
        out.line("laws", "none stated");
    }
    let weights = header.tensors.iter().filter(|t| !t.0.starts_with("selftest."));
    let (mut count, mut single, mut file) = (0, true, false);
    for (_, dtype, shape) in weights {
        count += shape.iter().product::<usize>();
        single &= *dtype == Dtype::F32;
        file |= *dtype == Dtype::U8;
    }
    if file {
        out.tell("weights", count, format!("an ONNX file of {count} bytes"));
    } else {
        out.tell("weights", count, format!("{count} numbers, {}", if single { "f32" } else { "f64 or mixed" }));
    }
    out.tell("bytes", header.bytes, format!("{} in the file", header.bytes));
    let stored: Vec<String> = header
        .tensors
        .iter()
        .filter_map(|(name, _, shape)| Some(format!("{} {}", name.strip_prefix("selftest.")?, shown(&json!(shape)))))
        .collect();
    out.line("self-test", format!("{}, to {}", stored.join(", "), d["selftest"]["tolerance"]));
    out.fact("sha256", header.digest.clone());
    told(&mut out, "provenance", &d["provenance"], 0);
    out.data(
        "selftest",
        json!(header.tensors.iter().filter(|t| t.0.starts_with("selftest.")).map(|t| (&t.0, &t.2)).collect::<Vec<_>>()),
    );
    Ok(out)
}

/// Free-form facts, one a line.
/// What a network sees of a channel's raw values, where that is not the same.
fn scaling(channel: &Value) -> String {
    let number = |name: &str, unset: f64| channel[name].as_f64().unwrap_or(unset);
    let value = match (channel["log"] == true, number("shift", 0.0)) {
        (true, 0.0) => "log raw".to_string(),
        (true, shift) => format!("log(raw + {shift})"),
        (false, _) if channel["offset"].is_null() && channel["scale"].is_null() => return String::new(),
        (false, _) => "raw".to_string(),
    };
    format!(", network value ({value} - {}) / {}", number("offset", 0.0), number("scale", 1.0))
}

fn told(out: &mut Outcome, name: &str, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if depth < 3 => {
            out.line(&format!("{}{name}", "  ".repeat(depth)), if fields.is_empty() { "none stated" } else { "" });
            fields.iter().for_each(|(name, value)| told(out, name, value, depth + 1));
        }
        Value::Null if depth == 0 => out.line(name, "none stated"),
        value => out.line(&format!("{}{name}", "  ".repeat(depth)), shown(value)),
    }
}
