//! Dense networks of Keras: the model's own JSON (`model.to_json()`) as the file's metadata entry `config`, tensors `{layer}.kernel`,
//! `{layer}.bias` and so on by the names that Keras gives to variables. Sequential, or functional without branches.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Draft;
use super::chain::{self, BatchNorm, Dense, Step};
use super::scaling::Line;
use super::settings::Settings;
use super::state::State;
use crate::error::{Result, refuse};

pub fn draft<'a>(state: &'a State, settings: &Settings) -> Result<Draft<'a>> {
    let (Some(class), Some(config)) = (settings.get("class_name").and_then(Value::as_str), settings.get("config"))
    else {
        return refuse!(
            "the metadata has no entry config with the model's JSON, expected model.to_json(): pcml.convert (Python) writes it from a model or \
             a .keras file"
        );
    };
    settings.ignore(&[
        "module",
        "registered_name",
        "build_config",
        "compile_config",
        "keras_version",
        "backend",
        "name",
    ]);
    let layers = match config["layers"].as_array().or(config.as_array()) {
        Some(layers) => layers,
        None => return refuse!("the model's JSON has no list config.layers, expected one"),
    };
    let order = match class {
        "Sequential" => layers.iter().collect(),
        "Functional" | "Model" => in_order(config, layers)?,
        _ => return refuse!("the model is a {class}, expected a Sequential or a Functional one"),
    };
    let mut walk = Walk { state, steps: Vec::new(), width: None };
    for layer in order {
        walk.visit(layer)?;
    }
    chain::draft(walk.steps, state, settings)
}

fn name_of(layer: &Value) -> &str {
    layer["config"]["name"].as_str().or(layer["name"].as_str()).unwrap_or("without a name")
}

/// The names of layers whose outputs these nodes read: `keras_history` of Keras 3, [name, node, tensor, {}] of Keras 2.
fn read_by(nodes: &Value, names: &mut Vec<String>) {
    match nodes {
        Value::Array(list) => match (list.first().and_then(Value::as_str), list.get(1).map(Value::is_u64)) {
            (Some(name), Some(true)) => names.push(name.to_string()),
            _ => list.iter().for_each(|node| read_by(node, names)),
        },
        Value::Object(fields) => fields.values().for_each(|node| read_by(node, names)),
        _ => {}
    }
}

/// The layers of a functional model from its input on, each of which reads the one before.
fn in_order<'v>(config: &'v Value, layers: &'v [Value]) -> Result<Vec<&'v Value>> {
    let mut followers = BTreeMap::new();
    let mut inputs = Vec::new();
    for layer in layers {
        let mut names = Vec::new();
        read_by(&layer["inbound_nodes"], &mut names);
        match &names[..] {
            [] => inputs.push(layer),
            [name] => {
                if let Some(other) = followers.insert(name.clone(), layer) {
                    return refuse!(
                        "layers {} and {} both read {name}, expected a chain of layers",
                        name_of(other),
                        name_of(layer)
                    );
                }
            }
            _ => return refuse!("layer {} reads {}, expected one layer", name_of(layer), names.join(" and ")),
        }
    }
    let [input] = inputs[..] else {
        let names: Vec<&str> = inputs.iter().map(|layer| name_of(layer)).collect();
        return refuse!("the model has the inputs {}, expected one", names.join(", "));
    };
    let mut order = vec![input];
    while let Some(next) = followers.remove(name_of(order[order.len() - 1])) {
        order.push(next);
    }
    let mut outputs = Vec::new();
    read_by(&config["output_layers"], &mut outputs);
    let last = name_of(order[order.len() - 1]);
    if outputs != [last] || order.len() != layers.len() {
        return refuse!(
            "the model's outputs are {}, expected {last}, the last of its chain of layers",
            outputs.join(", ")
        );
    }
    Ok(order)
}

/// The steps so far.
struct Walk<'a> {
    state: &'a State,
    steps: Vec<Step<'a>>,
    /// Channels, where they are known.
    width: Option<usize>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, layer: &Value) -> Result<()> {
        let (name, config) = (name_of(layer), &layer["config"]);
        let class = layer["class_name"].as_str().unwrap_or("nothing");
        match class {
            "InputLayer" => {
                let shape =
                    [&config["batch_shape"], &config["batch_input_shape"]].into_iter().find_map(Value::as_array);
                if let Some(channels) = shape.and_then(|shape| shape.last()).and_then(Value::as_u64) {
                    self.width = Some(channels as usize);
                }
            }
            "Dense" => self.dense(name, config)?,
            "BatchNormalization" => self.batch_norm(name, config)?,
            "Normalization" => self.normalization(name, config)?,
            "Rescaling" => {
                let (scale, offset) = (self.values(name, config, "scale")?, self.values(name, config, "offset")?);
                self.map(name, scale.into_iter().zip(offset).map(|(scale, shift)| Line { scale, shift }).collect());
            }
            "Dropout" => match config["rate"].as_f64() {
                Some(rate) if rate > 0.0 => self.steps.push(Step::Dropout(rate)),
                Some(_) => {}
                None => return refuse!("layer {name} has rate {}, expected a number", config["rate"]),
            },
            "Activation" => self.activation(name, &config["activation"])?,
            "ReLU" => {
                let number = |field: &str| config[field].as_f64().unwrap_or(0.0);
                if !config["max_value"].is_null() || number("threshold") != 0.0 {
                    return refuse!(
                        "layer {name} (ReLU) has max_value {} and threshold {}, expected none",
                        config["max_value"],
                        config["threshold"]
                    );
                }
                self.leaky(name, number("negative_slope"))?;
            }
            "LeakyReLU" => {
                let slope = config["negative_slope"].as_f64().or(config["alpha"].as_f64()).unwrap_or(0.3);
                self.leaky(name, slope)?;
            }
            "ELU" => match config["alpha"].as_f64() {
                Some(1.0) | None => self.steps.push(Step::Activation("elu".into())),
                Some(alpha) => return refuse!("layer {name} (ELU) has alpha {alpha}, expected 1"),
            },
            _ => {
                return refuse!(
                    "layer {name} is a {class}, expected Dense, Dropout, Normalization, Rescaling, BatchNormalization, Activation, ReLU, \
                     LeakyReLU or ELU"
                );
            }
        }
        Ok(())
    }

    fn map(&mut self, name: &str, lines: Vec<Line>) {
        let own = lines.clone();
        let apply = Box::new(move |c: usize, x: f64| x * own[c].scale + own[c].shift);
        self.steps.push(Step::Map { name: format!("layer {name}"), apply, lines });
    }

    /// A number for all channels or one each.
    fn values(&self, name: &str, config: &Value, field: &str) -> Result<Vec<f64>> {
        let Some(width) = self.width else {
            return refuse!("layer {name} comes before the number of channels is known, expected an InputLayer first");
        };
        let mut flat = Vec::new();
        let mut rest = vec![&config[field]];
        while let Some(value) = rest.pop() {
            match (value.as_array(), value.as_f64()) {
                (Some(list), _) => rest.extend(list.iter().rev()),
                (_, Some(number)) => flat.push(number),
                _ => return refuse!("layer {name} has {field} {value}, expected numbers"),
            }
        }
        match flat.len() {
            1 => Ok(vec![flat[0]; width]),
            n if n == width => Ok(flat),
            n => refuse!("layer {name} has {n} values of {field}, expected 1 or {width}"),
        }
    }

    /// Channels are the last axis.
    fn last_axis(&self, name: &str, axis: &Value) -> Result<()> {
        let axis = axis.as_array().and_then(|list| if list.len() == 1 { list.first() } else { None }).unwrap_or(axis);
        match axis.as_i64() {
            Some(-1 | 1) => Ok(()),
            _ => refuse!("layer {name} has axis {axis}, expected -1, the channels"),
        }
    }

    fn dense(&mut self, name: &str, config: &Value) -> Result<()> {
        let weight = self.state.take(&format!("{name}.kernel"))?.squeezed(2)?;
        let (inputs, outputs) = (weight.shape[0], weight.shape[1]);
        if let Some(width) = self.width
            && width != inputs
        {
            return refuse!("tensor {} has shape {:?}, expected [{width}, out]", weight.name, weight.shape);
        }
        if config["units"].as_u64() != Some(outputs as u64) {
            return refuse!(
                "tensor {} has shape {:?}, but layer {name} {} units",
                weight.name,
                weight.shape,
                config["units"]
            );
        }
        let bias = match config["use_bias"] {
            Value::Bool(false) => None,
            _ => Some(self.state.take(&format!("{name}.bias"))?.expect(&[outputs])?),
        };
        self.width = Some(outputs);
        self.steps.push(Step::Dense(Dense { weight, bias, transposed: true }));
        self.activation(name, &config["activation"])
    }

    fn batch_norm(&mut self, name: &str, config: &Value) -> Result<()> {
        self.last_axis(name, &config["axis"])?;
        if config["renorm"] == true {
            return refuse!("layer {name} has renorm true, expected false");
        }
        let take = |part: &str| self.state.take(&format!("{name}.{part}"));
        let Some(eps) = config["epsilon"].as_f64() else {
            return refuse!("layer {name} has epsilon {}, expected a number", config["epsilon"]);
        };
        let unless = |field: &str, part: &str| if config[field] == false { Ok(None) } else { take(part).map(Some) };
        let norm = BatchNorm {
            name: format!("layer {name}"),
            mean: take("moving_mean")?,
            variance: take("moving_variance")?,
            gamma: unless("scale", "gamma")?,
            beta: unless("center", "beta")?,
            eps,
        };
        self.width = Some(norm.mean.elements());
        self.steps.push(norm.step()?);
        Ok(())
    }

    /// (x - mean) / max(sqrt(variance), 1e-7), or that undone.
    fn normalization(&mut self, name: &str, config: &Value) -> Result<()> {
        self.last_axis(name, &config["axis"])?;
        let [mean, variance] = if config["mean"].is_null() {
            let counter = format!("{name}.count");
            if self.state.has(&counter) {
                self.state.drop_prefix(&counter)?;
            }
            let found = [self.state.take(&format!("{name}.mean"))?, self.state.take(&format!("{name}.variance"))?];
            let width = *self.width.get_or_insert(found[0].elements());
            for tensor in &found {
                if tensor.elements() != width {
                    return refuse!("tensor {} has shape {:?}, expected {width} values", tensor.name, tensor.shape);
                }
            }
            found.map(|tensor| tensor.values())
        } else {
            [self.values(name, config, "mean")?, self.values(name, config, "variance")?]
        };
        let line = |(mean, variance): (f64, f64)| {
            let spread = variance.sqrt().max(1e-7);
            let line = Line { scale: 1.0 / spread, shift: -mean / spread };
            if config["invert"] == true { line.inverse() } else { line }
        };
        self.map(name, mean.into_iter().zip(variance).map(line).collect());
        Ok(())
    }

    fn leaky(&mut self, name: &str, slope: f64) -> Result<()> {
        let word = match slope {
            0.0 => "relu",
            0.01 => "leaky-relu",
            _ => return refuse!("layer {name} has slope {slope} below 0, expected 0.01 (or 0)"),
        };
        self.steps.push(Step::Activation(word.into()));
        Ok(())
    }

    /// An activation by Keras's word for it; Keras's leaky_relu has slope 0.2.
    fn activation(&mut self, name: &str, value: &Value) -> Result<()> {
        let word = match value.as_str() {
            Some("linear") => return Ok(()),
            None if value.is_null() => return Ok(()),
            Some("swish") => "silu",
            Some(word @ ("relu" | "tanh" | "sigmoid" | "gelu" | "silu" | "softplus" | "elu")) => word,
            _ => {
                return refuse!(
                    "layer {name} has activation {value}, expected linear, relu, tanh, sigmoid, gelu, silu, softplus or elu"
                );
            }
        };
        self.steps.push(Step::Activation(word.into()));
        Ok(())
    }
}
