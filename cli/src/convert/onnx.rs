//! Networks in ONNX files. The file goes into the model file as it is.

use std::path::Path;

use pcml::model::onnx::{MOST_AXES, Network, Port, Precision, TENSOR};
use serde_json::json;

use super::settings::Settings;
use super::write::Output;
use super::{Draft, Stored};
use crate::arrays::{Array, moved, read};
use crate::draws::Draws;
use crate::error::{Result, refuse};

/// Points of an axis of the self-test that the file leaves free.
const POINTS: usize = 16;

/// The draft of an ONNX file, and whether the outputs of its self-test come from other code than that which evaluates it here.
pub fn draft<'a>(bytes: &'a [u8], settings: &Settings) -> Result<(Draft<'a>, bool)> {
    let network = Network::read(bytes)?;
    let Port { name, dtype, shape } = network.input().clone();
    let Some(axes) = shape.len().checked_sub(2).filter(|axes| *axes <= MOST_AXES) else {
        return refuse!(
            "input {name} of the network has rank {}, expected functions, up to {MOST_AXES} axes of a grid, and channels",
            shape.len()
        );
    };
    // Without a grid both layouts are the same.
    let layout = settings.word("layout", if axes == 0 { "last" } else { "" }, &["first", "last"])?;
    if layout.is_empty() {
        return refuse!(
            "setting layout is not given, and the file does not tell it: first for [functions, channels, grid], last for [functions, grid, \
             channels]"
        );
    }
    let channel = if layout == "first" { 1 } else { axes + 1 };
    let output = match (settings.get("output"), network.outputs()) {
        (None, [output]) => output.clone(),
        (None, several) => return refuse!("setting output is not given, expected one of {}", several.join(", ")),
        (Some(value), several) => match value.as_str().filter(|name| several.iter().any(|other| other == name)) {
            Some(name) => name.to_string(),
            None => return refuse!("setting output is {value}, expected one of {}", several.join(", ")),
        },
    };
    let free = |name: &str, at: usize, unset: Option<usize>| -> Result<usize> {
        match (settings.count_if(name)?, shape[at], unset) {
            (Some(said), Some(fixed), _) if said != fixed => {
                refuse!("setting {name} is {said}, but the network has {fixed}")
            }
            (_, Some(n), _) | (Some(n), None, _) | (None, None, Some(n)) if n > 0 => Ok(n),
            (None, None, None) => refuse!("setting {name} is not given, and the network leaves it free"),
            _ => refuse!("setting {name} is 0, expected at least 1"),
        }
    };
    let batch = free("batch", 0, Some(1))?;
    let inputs = free("inputs", channel, None)?;
    let (double, dtype, usual) = match dtype {
        Precision::F32 => (false, "f32", 1e-5),
        Precision::F64 => (true, "f64", 1e-10),
    };
    let tolerance = settings.number("tolerance", usual)?;
    let mut extents = settings.counts("shape", axes)?.unwrap_or(vec![POINTS; axes]);
    let fixed = shape.iter().enumerate().filter(|(axis, _)| *axis > 0 && *axis != channel);
    for (n, (_, fixed)) in extents.iter_mut().zip(fixed) {
        *n = fixed.unwrap_or(*n);
    }
    let (input, given) = match settings.get("selftest").cloned() {
        None => {
            extents.insert(channel - 1, inputs);
            extents.insert(0, batch);
            let values = Draws::new(1).take(extents.iter().product());
            let values = if double { values } else { values.iter().map(|v| f64::from(*v as f32)).collect() };
            let (shape, given) = network.evaluate(&output, &extents, &values)?;
            if let Some(v) = given.iter().find(|v| !v.is_finite()) {
                return refuse!(
                    "the network gives {v} for random numbers between -1 and 1, expected arrays of its own in setting selftest"
                );
            }
            (Array { shape: extents, values, double }, Array { shape, values: given, double })
        }
        Some(path) => arrays(path.as_str().unwrap_or_default(), &shape)?,
    };
    let independent = settings.get("selftest").is_some();
    if given.shape.len() != shape.len() || given.shape[0] != input.shape[0] {
        return refuse!(
            "output {output} of the network has shape {:?} for an input of shape {:?}, expected as many functions and axes",
            given.shape,
            input.shape
        );
    }
    let outputs = given.shape[channel];
    let last = |array: Array| if layout == "first" { moved(array, 1, axes + 1) } else { array };
    let [input, given] = [last(input), last(given)];
    let draft = Draft {
        fields: json!({"architecture": "onnx", "onnx": {
            "axes": axes, "layout": layout, "dtype": dtype, "batch": batch, "input": name, "output": output, "bytes": bytes.len(),
        }}),
        inputs,
        outputs,
        scaling: vec![],
        weights: vec![Output::file(TENSOR, bytes)],
        selftest: vec![
            Stored::new("input", input.shape, input.values),
            Stored::new("output", given.shape, given.values),
        ],
        tolerance,
    };
    Ok((draft, independent))
}

/// Arrays `input` and `output` as the network takes and gives them, from other code.
fn arrays(path: &str, shape: &[Option<usize>]) -> Result<(Array, Array)> {
    let mut found = read(Path::new(path), "input")?;
    let mut take = |name: &str| match found.remove(name) {
        Some(array) if array.shape.len() == shape.len() && !array.values.is_empty() => Ok(array),
        Some(array) => {
            refuse!(
                "{path}: array {name} has shape {:?}, expected {} axes as the network has",
                array.shape,
                shape.len()
            )
        }
        None => refuse!("{path} has no array {name}, expected input and output of the network"),
    };
    Ok((take("input")?, take("output")?))
}
