//! `DeepONet` and `DeepONetCartesianProd` of DeepXDE with its PyTorch backend: `branch.linears.{i}`, `trunk.linears.{i}` and a bias `b` for
//! each output. The trunk's activation follows its last layer too, the branch's does not.

use serde_json::{Value, json};

use super::chain::known;
use super::scaling;
use super::settings::Settings;
use super::state::{State, Tensor};
use super::textbook::{Field, activation};
use super::write::{Element, Output};
use super::{Draft, Stored, channels};
use crate::draws::Draws;
use crate::error::{Result, refuse};

/// Functions and points of the self-test.
const SIZES: [usize; 2] = [3, 7];

/// A network's dense layers: weight and bias.
type Layers<'a> = Vec<(Tensor<'a>, Tensor<'a>)>;

pub fn draft<'a>(state: &'a State, settings: &Settings) -> Result<Draft<'a>> {
    for name in ["branch", "trunk"] {
        if state.has(&format!("{name}.0.linears.0.weight")) {
            return refuse!(
                "tensor {name}.0.linears.0.weight is of networks of their own for each output (multi_output_strategy independent), expected \
                 one {name} network"
            );
        }
    }
    let (branch, trunk) = (layers(state, "branch")?, layers(state, "trunk")?);
    let biases = biases(state)?;
    let outputs = biases.len();
    let width = |layers: &Layers| layers.last().map_or(0, |layer| layer.0.shape[0]);
    let (wide, features) = (width(&branch), width(&trunk));
    // Which of both networks' features belong to an output: multi_output_strategy.
    let (strategy, latent) = match (wide, features) {
        (b, t) if b == t && b.is_multiple_of(outputs) => ("split_both", b / outputs),
        (b, t) if b == t * outputs => ("split_branch", t),
        (b, t) if b * outputs == t => ("split_trunk", b),
        _ => {
            return refuse!(
                "the branch has {wide} features and the trunk {features} for {outputs} outputs, expected as many, or {outputs} times as many"
            );
        }
    };
    match settings.get("multi_output_strategy").and_then(Value::as_str) {
        Some(said) if outputs > 1 && said != strategy => {
            return refuse!("setting multi_output_strategy is {said}, but the tensors have {strategy}");
        }
        _ => {}
    }
    settings.agree("num_outputs", outputs)?;
    let observed = branch[0].0.shape[1];
    let functions = settings.count("functions", 1)?;
    if functions == 0 || !observed.is_multiple_of(functions) {
        return refuse!("setting functions is {functions}, expected a divisor of the branch's {observed} inputs");
    }
    let sensors = observed / functions;
    let inputs = trunk[0].0.shape[1];
    let hidden = |layers: &Layers| layers[..layers.len() - 1].iter().map(|layer| layer.0.shape[0]).collect::<Vec<_>>();
    let (of_branch, of_trunk) = activations(settings, branch.len())?;
    let dropout = settings.number("dropout", 0.0)?;
    if !(0.0..1.0).contains(&dropout) {
        return refuse!("setting dropout is {dropout}, expected a rate in [0, 1)");
    }

    let mut draws = Draws::new(22);
    let u = Field { grid: vec![SIZES[0]], channels: observed, values: draws.take(SIZES[0] * observed) };
    let x = Field { grid: vec![SIZES[1]], channels: inputs, values: draws.take(SIZES[1] * inputs) };
    let b = forward(&branch, &of_branch, u.clone());
    let t = forward(&trunk, &vec![of_trunk.clone(); trunk.len()], x.clone());
    // Where an output's terms begin in both.
    let places = |o: usize| match strategy {
        "split_both" => [o * latent, o * latent],
        "split_branch" => [o * latent, 0],
        _ => [0, o * latent],
    };
    let mut mean = Vec::new();
    for b in b.values.chunks_exact(wide) {
        for t in t.values.chunks_exact(features) {
            for (o, bias) in biases.iter().enumerate() {
                let [i, j] = places(o);
                mean.push(b[i..][..latent].iter().zip(&t[j..][..latent]).map(|(b, t)| b * t).sum::<f64>() + bias);
            }
        }
    }
    let selftest = vec![
        Stored::new("context_y", vec![SIZES[0], sensors, functions], u.values),
        Stored::new("target_x", vec![1, SIZES[1], inputs], x.values),
        Stored::new("mean", vec![SIZES[0], SIZES[1], outputs], mean),
    ];
    let scaling = [
        ("/deeponet/functions", scaling::read("function", functions, state, settings)?),
        ("/inputs", scaling::read("input", inputs, state, settings)?),
        ("/outputs", scaling::read("output", outputs, state, settings)?),
    ];
    let scaling = scaling.into_iter().filter_map(|(place, lines)| Some((place, lines?))).collect();
    let mut deeponet = json!({
        "functions": channels("f", functions), "sensors": sensors, "latent": latent, "branch": hidden(&branch),
        "trunk": hidden(&trunk), "branch_activation": of_branch, "trunk_activation": of_trunk, "trunk_output_activation": of_trunk,
        "shared_trunk": strategy == "split_branch",
    });
    if dropout > 0.0 {
        deeponet["dropout"] = json!(dropout);
    }
    let last = branch.len() - 1;
    let mut weights = vec![Output::values("bias", vec![outputs], biases)];
    for (name, layers) in [("branch", branch), ("trunk", trunk)] {
        for (i, (weight, bias)) in layers.into_iter().enumerate() {
            // A branch that all outputs share is stored for each.
            let times = if name == "branch" && i == last && strategy == "split_trunk" { outputs } else { 1 };
            weights.push(repeated(format!("{name}.{i}.weight"), weight, times));
            weights.push(repeated(format!("{name}.{i}.bias"), bias, times));
        }
    }
    Ok(Draft {
        fields: json!({"architecture": "deeponet", "deeponet": deeponet}),
        inputs,
        outputs,
        scaling,
        weights,
        selftest,
        tolerance: 1e-9,
    })
}

/// Layers whose widths follow each other.
fn layers<'a>(state: &'a State, name: &str) -> Result<Layers<'a>> {
    let tensor = |i: usize| format!("{name}.linears.{i}.weight");
    let count = state.count(tensor);
    if count == 0 {
        return refuse!("tensor {} is missing: no state dict of DeepXDE's DeepONet in PyTorch", tensor(0));
    }
    let mut layers: Layers = Vec::new();
    for i in 0..count {
        let weight = state.take(&tensor(i))?;
        let fits = match (&weight.shape[..], layers.last()) {
            ([_, columns], Some((before, _))) => *columns == before.shape[0],
            (shape, _) => shape.len() == 2,
        };
        if !fits {
            return refuse!("tensor {} has shape {:?}, which does not fit the layer before", weight.name, weight.shape);
        }
        let bias = state.take(&format!("{name}.linears.{i}.bias"))?.expect(&weight.shape[..1])?;
        layers.push((weight, bias));
    }
    Ok(layers)
}

/// One number an output: `b` of earlier versions, `b.{o}` of later ones.
fn biases(state: &State) -> Result<Vec<f64>> {
    let numbered = |o: usize| format!("b.{o}");
    let names = match state.count(numbered) {
        0 => vec!["b".to_string()],
        count => (0..count).map(numbered).collect(),
    };
    names.iter().map(|name| Ok(state.take(name)?.squeezed(0)?.at(0))).collect()
}

/// Those of the branch's hidden layers, and the trunk's.
fn activations(settings: &Settings, layers: usize) -> Result<(Vec<String>, String)> {
    let word = |value: &Value| match value.as_str().map(str::to_lowercase).as_deref() {
        Some("swish") => Ok("silu".to_string()),
        Some(word) => known("setting activation", word),
        None => refuse!("setting activation has {value}, expected a word"),
    };
    let (branch, trunk) = match settings.get("activation") {
        None => {
            return refuse!(
                "setting activation is not given, and the state dict does not hold it: as the constructor has it"
            );
        }
        Some(both) if both.is_object() => (&both["branch"], &both["trunk"]),
        Some(value) => (value, value),
    };
    // The constructor's list has an entry for the last layer, which nothing reads.
    let branch = match branch {
        Value::Array(list) if list.len() == layers => list[..layers - 1].iter().map(word).collect::<Result<_>>()?,
        Value::Array(list) => {
            return refuse!("setting activation has {} entries for the branch, expected {layers}", list.len());
        }
        value => vec![word(value)?; layers - 1],
    };
    Ok((branch, word(trunk)?))
}

/// Dense layers with an activation after each, but for the last ones without.
fn forward(layers: &Layers, activations: &[String], x: Field) -> Field {
    layers.iter().enumerate().fold(x, |x, (i, (weight, bias))| {
        let y = x.linear(weight, Some(bias));
        match activations.get(i) {
            Some(word) => y.map(activation(word).expect("a known activation")),
            None => y,
        }
    })
}

/// A tensor several times on its first axis.
fn repeated(name: String, tensor: Tensor, times: usize) -> Output {
    if times == 1 {
        return Output::copy(name, tensor);
    }
    let mut shape = tensor.shape.clone();
    shape[0] *= times;
    let chunk = tensor.elements();
    Output {
        name,
        shape,
        element: Element::float(tensor.is_double()),
        chunk,
        fill: Box::new(move |_, out| tensor.read(0, out)),
    }
}
