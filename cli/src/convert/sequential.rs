//! State dicts of `torch.nn.Sequential` perceptrons: dense layers and norms of batches by their numbers; activations have no tensors, so
//! they are settings.

use serde_json::Value;

use super::Draft;
use super::chain::{self, BatchNorm, Dense, Step, known};
use super::settings::Settings;
use super::state::State;
use crate::error::{Result, refuse};

pub fn draft<'a>(state: &'a State, settings: &Settings) -> Result<Draft<'a>> {
    let eps = settings.number("eps", 1e-5)?;
    let steps = match settings.get("steps") {
        Some(value) => {
            let beside = ["activation", "output_activation", "batch_norm"];
            if let Some(name) = beside.into_iter().find(|name| settings.get(name).is_some()) {
                return refuse!(
                    "setting {name} is given beside steps, expected one of them (null takes back what the file says)"
                );
            }
            stated(value, eps, state)?
        }
        None => numbered(eps, state, settings)?,
    };
    chain::draft(steps, state, settings)
}

/// Whether a layer of that name has tensors.
fn is_layer(state: &State, name: &str) -> bool {
    ["weight", "running_mean"].iter().any(|part| state.has(&format!("{name}.{part}")))
}

fn is_norm(state: &State, name: &str) -> bool {
    state.has(&format!("{name}.running_mean"))
}

/// The layer of that name, as its tensors show it.
fn layer<'a>(state: &'a State, name: &str, eps: f64) -> Result<Step<'a>> {
    let take = |part: &str| state.take(&format!("{name}.{part}"));
    let optional = |part: &str| if state.has(&format!("{name}.{part}")) { take(part).map(Some) } else { Ok(None) };
    if is_norm(state, name) {
        let counter = format!("{name}.num_batches_tracked");
        if state.has(&counter) {
            state.drop_prefix(&counter)?;
        }
        let (mean, variance) = (take("running_mean")?, take("running_var")?);
        let (gamma, beta) = (optional("weight")?, optional("bias")?);
        return BatchNorm { name: format!("layer {name}"), mean, variance, gamma, beta, eps }.step();
    }
    let weight = take("weight")?;
    match weight.shape[..] {
        [_, _] => {}
        [_] => {
            return refuse!(
                "tensor {} has shape {:?} and no running_mean beside it: a norm of rows (LayerNorm) is not one that perceptrons here have, \
                 expected dense layers [out, in] and norms of batches",
                weight.name,
                weight.shape
            );
        }
        _ => return refuse!("tensor {} has shape {:?}, expected a dense layer's [out, in]", weight.name, weight.shape),
    }
    let bias = optional("bias")?.map(|bias| bias.expect(&weight.shape[..1])).transpose()?;
    Ok(Step::Dense(Dense { weight, bias, transposed: false }))
}

/// The layers in order, as setting `steps` has them: names of layers and of activations, or objects for what has a number of its own.
fn stated<'a>(value: &Value, eps: f64, state: &'a State) -> Result<Vec<Step<'a>>> {
    let Some(list) = value.as_array() else { return refuse!("setting steps is {value}, expected a list") };
    let one = |entry: &Value| match (entry.as_str(), entry["layer"].as_str(), entry["dropout"].as_f64()) {
        (Some(name), ..) if is_layer(state, name) => layer(state, name, eps),
        (Some(word), ..) => match known("setting steps", word) {
            Ok(word) => Ok(Step::Activation(word)),
            Err(e) => refuse!("{e}, or a layer's name: no tensor is {word}.weight"),
        },
        (_, Some(name), _) => layer(state, name, entry["eps"].as_f64().unwrap_or(eps)),
        (_, _, Some(rate)) => Ok(Step::Dropout(rate)),
        _ => {
            refuse!("setting steps has {entry}, expected a name, {{\"layer\": .., \"eps\": ..}} or {{\"dropout\": ..}}")
        }
    };
    list.iter().map(one).collect()
}

/// Where the norm between two dense layers lies.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Before,
    After,
}

/// Layers by their numbers, with activations between the dense ones as the settings say.
fn numbered<'a>(eps: f64, state: &'a State, settings: &Settings) -> Result<Vec<Step<'a>>> {
    let mut numbers: Vec<usize> = state
        .names()
        .filter_map(|name| name.split_once('.')?.0.parse().ok())
        .filter(|i: &usize| is_layer(state, &i.to_string()))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let (norms, dense): (Vec<usize>, Vec<usize>) = numbers.iter().partition(|i| is_norm(state, &i.to_string()));
    if dense.is_empty() {
        return refuse!(
            "no tensor is named NUMBER.weight as in a torch.nn.Sequential: --prefix says what comes before the number, setting steps the order \
             of layers with other names"
        );
    }
    let layer = |i: usize| layer(state, &i.to_string(), eps);
    // What is neither a dense layer nor a norm is told as such, before its place is looked at.
    for i in &numbers {
        layer(*i)?;
    }
    let activations = activations(dense.len() - 1, settings)?;
    let last = match settings.get("output_activation") {
        Some(Value::String(word)) => known("setting output_activation", word)?,
        Some(value) => return refuse!("setting output_activation is {value}, expected a word"),
        None => "identity".to_string(),
    };
    let said = match settings.get("batch_norm") {
        None => None,
        Some(Value::String(word)) if word == "before" => Some(Place::Before),
        Some(Value::String(word)) if word == "after" => Some(Place::After),
        Some(value) => {
            return refuse!("setting batch_norm is {value}, expected before or after (the activation)");
        }
    };
    // Without gaps it is a list of layers, whose numbers say nothing of what lies between.
    let is_list = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let dropout = settings.number("dropout", 0.0)?;

    let mut steps = Vec::new();
    for i in norms.iter().filter(|i| **i < dense[0]) {
        steps.push(layer(*i)?);
    }
    for (k, i) in dense.iter().enumerate() {
        let next = dense.get(k + 1);
        let word = activations.get(k).unwrap_or(&last).clone();
        let between: Vec<usize> = norms.iter().copied().filter(|n| n > i && next.is_none_or(|next| n < next)).collect();
        let place = match (&between[..], next) {
            ([], Some(next)) if *next == i + 1 && !is_list && word != "identity" => {
                return refuse!(
                    "layers {i} and {next} leave no room for an activation, expected identity there and not {word}"
                );
            }
            ([], _) => None,
            (_, _) if word == "identity" => Some(Place::Before),
            ([n], Some(next)) if *n == i + 1 && *next == n + 1 && !is_list => {
                return refuse!(
                    "layers {i}, {n} and {next} leave no room for an activation, expected identity there and not {word}"
                );
            }
            ([n], _) if *n == i + 1 && !is_list => Some(Place::Before),
            ([n], Some(next)) if *next == n + 1 && !is_list => Some(Place::After),
            ([n], _) => match said {
                Some(place) => Some(place),
                None => {
                    return refuse!(
                        "setting batch_norm is not given, and the numbers do not show it: whether layer {n} comes before or after the activation"
                    );
                }
            },
            ([_, n, ..], _) => {
                return refuse!("layer {n} is a second norm of batches after dense layer {i}, expected one");
            }
        };
        if let (Some(said), Some(place), false) = (said, place, word == "identity")
            && said != place
        {
            return refuse!(
                "setting batch_norm does not fit layer {}, whose number shows the other place: setting steps says it layer by layer",
                between[0]
            );
        }
        let norms = || between.iter().map(|n| layer(*n));
        steps.push(layer(*i)?);
        if place == Some(Place::Before) {
            steps.extend(norms().collect::<Result<Vec<_>>>()?);
        }
        steps.push(Step::Activation(word));
        if dropout > 0.0 && next.is_some() {
            steps.push(Step::Dropout(dropout));
        }
        if place == Some(Place::After) {
            steps.extend(norms().collect::<Result<Vec<_>>>()?);
        }
    }
    Ok(steps)
}

/// After each hidden layer: one for all, or one each.
fn activations(count: usize, settings: &Settings) -> Result<Vec<String>> {
    let place = "setting activation";
    match settings.get("activation") {
        None if count == 0 => Ok(vec![]),
        None => refuse!(
            "{place} is not given, and the state dict does not hold it: one, or a list of {count}, one after each hidden layer"
        ),
        Some(Value::String(word)) => Ok(vec![known(place, word)?; count]),
        Some(Value::Array(list)) if list.len() == count => {
            list.iter().map(|word| known(place, word.as_str().unwrap_or(&word.to_string()))).collect()
        }
        Some(value) => refuse!("{place} is {value}, expected a word or a list of {count}, one a hidden layer"),
    }
}
