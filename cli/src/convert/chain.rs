//! Networks that are a chain of layers, and the perceptrons that they are: maps of single channels (norms of batches, scalings) go into the
//! dense layers beside them in f64, or at either end into the scaling of the channels, where f32 arithmetic loses nothing by them.

use serde_json::{Value, json};

use super::scaling::{self, Line, composed};
use super::settings::Settings;
use super::state::{State, Tensor};
use super::textbook::{ACTIVATIONS, Field, activation};
use super::write::{Element, Output};
use super::{Draft, Stored};
use crate::draws::Draws;
use crate::error::{Result, refuse};

/// Rows of the self-test.
const ROWS: usize = 9;

/// A dense layer as its source has it.
#[derive(Clone)]
pub struct Dense<'a> {
    /// [out, in], or [in, out].
    pub weight: Tensor<'a>,
    /// [out].
    pub bias: Option<Tensor<'a>>,
    /// Whether the weight is [in, out].
    pub transposed: bool,
}

/// What a map of single channels does to channel c's value.
type Channelwise<'a> = Box<dyn Fn(usize, f64) -> f64 + 'a>;

/// A layer.
pub enum Step<'a> {
    /// A dense layer.
    Dense(Dense<'a>),
    /// Each channel on its own, linearly.
    Map {
        /// Its name.
        name: String,
        /// As the source writes it.
        apply: Channelwise<'a>,
        /// The same as scale x + shift of each channel.
        lines: Vec<Line>,
    },
    /// The same function of every value, by the name that model files have for it.
    Activation(String),
    /// Dropout of this rate.
    Dropout(f64),
}

/// A norm of batches as it predicts: gamma (x - mean) / sqrt(variance + eps) + beta.
pub struct BatchNorm<'a> {
    /// Its name.
    pub name: String,
    /// Running mean.
    pub mean: Tensor<'a>,
    /// Running variance.
    pub variance: Tensor<'a>,
    /// Factors, if any.
    pub gamma: Option<Tensor<'a>>,
    /// What is added, if anything.
    pub beta: Option<Tensor<'a>>,
    /// Added to the variance.
    pub eps: f64,
}

impl<'a> BatchNorm<'a> {
    /// The step.
    pub fn step(self) -> Result<Step<'a>> {
        let width = self.mean.elements();
        let expect = |tensor: Tensor<'a>| tensor.expect(&[width]);
        let (mean, variance) = (expect(self.mean)?, expect(self.variance)?);
        let gamma = self.gamma.map(expect).transpose()?;
        let beta = self.beta.map(expect).transpose()?;
        for c in 0..width {
            if !(variance.at(c) >= 0.0 && variance.at(c) + self.eps > 0.0) {
                return refuse!(
                    "tensor {} is {} at channel {c}, expected a variance, with eps {} above 0",
                    variance.name,
                    variance.at(c),
                    self.eps
                );
            }
        }
        let factor = {
            let gamma = gamma.clone();
            move |c: usize| gamma.as_ref().map_or(1.0, |gamma| gamma.at(c))
        };
        let added = move |c: usize| beta.as_ref().map_or(0.0, |beta| beta.at(c));
        let eps = self.eps;
        let lines = (0..width)
            .map(|c| {
                let scale = factor(c) / (variance.at(c) + eps).sqrt();
                Line { scale, shift: added(c) - scale * mean.at(c) }
            })
            .collect();
        let apply = move |c: usize, x: f64| factor(c) * ((x - mean.at(c)) / (variance.at(c) + eps).sqrt()) + added(c);
        Ok(Step::Map { name: self.name, apply: Box::new(apply), lines })
    }
}

impl Dense<'_> {
    fn outputs(&self) -> usize {
        self.weight.shape[usize::from(self.transposed)]
    }

    fn inputs(&self) -> usize {
        self.weight.shape[usize::from(!self.transposed)]
    }

    fn at(&self, output: usize, input: usize) -> f64 {
        let (row, column) = if self.transposed { (input, output) } else { (output, input) };
        self.weight.at(row * self.weight.shape[1] + column)
    }

    fn bias(&self, output: usize) -> f64 {
        self.bias.as_ref().map_or(0.0, |bias| bias.at(output))
    }

    fn forward(&self, x: &Field) -> Field {
        if !self.transposed {
            return x.linear(&self.weight, self.bias.as_ref());
        }
        let mut y = Field::zeros(&x.grid, self.outputs());
        for (x, y) in x.values.chunks_exact(self.inputs()).zip(y.values.chunks_exact_mut(self.outputs())) {
            for (o, y) in y.iter_mut().enumerate() {
                *y = self.bias(o) + x.iter().enumerate().map(|(i, x)| x * self.at(o, i)).sum::<f64>();
            }
        }
        y
    }
}

/// Outputs that come with a variance, as model files have them.
struct Head {
    exponential: bool,
    deviation: bool,
    minimum: f64,
}

impl Head {
    fn new(value: &Value) -> Result<Head> {
        let word = |name: &str, words: [&str; 2]| match value[name].as_str() {
            Some(word) if words.contains(&word) => Ok(word == words[0]),
            _ => refuse!("setting head has {name} {}, expected {} or {}", value[name], words[0], words[1]),
        };
        let known = |name: &&String| ["function", "of", "minimum"].contains(&name.as_str());
        match value.as_object() {
            None => return refuse!("setting head is {value}, expected an object with function, of and minimum"),
            Some(fields) => {
                if let Some(name) = fields.keys().find(|name| !known(name)) {
                    return refuse!("setting head has {name}, expected function, of and minimum");
                }
            }
        }
        let minimum = match &value["minimum"] {
            Value::Null => 0.0,
            given => match given.as_f64() {
                Some(v) => v,
                None => return refuse!("setting head has minimum {given}, expected a number"),
            },
        };
        Ok(Head {
            exponential: word("function", ["exp", "softplus"])?,
            deviation: word("of", ["deviation", "variance"])?,
            minimum,
        })
    }

    fn variance(&self, x: f64) -> f64 {
        let positive = if self.exponential { x.exp() } else { activation("softplus").expect("known")(x) };
        let spread = positive + self.minimum;
        if self.deviation { spread * spread } else { spread }
    }
}

/// A dense layer with what goes into it and what follows.
struct Layer<'a> {
    dense: Dense<'a>,
    before: Option<Vec<Line>>,
    after: Option<Vec<Line>>,
    activation: Option<String>,
    dropout: Option<f64>,
}

/// A chain whose maps have found their places.
struct Folded<'a> {
    /// Maps before the first layer and after the last one.
    ends: [Option<Vec<Line>>; 2],
    layers: Vec<Layer<'a>>,
    /// Where dropout does not follow a hidden layer's activation.
    odd: bool,
}

fn fold<'a>(steps: &[Step<'a>]) -> Result<Folded<'a>> {
    let mut layers: Vec<Layer<'a>> = Vec::new();
    let (mut start, mut pending, mut odd) = (None, None, false);
    let mut width = None;
    for step in steps {
        match step {
            Step::Dense(dense) => {
                let mut before = pending.take();
                if layers.is_empty() {
                    start = before.take();
                }
                if width.is_some_and(|width| width != dense.inputs()) {
                    return refuse!(
                        "tensor {} has shape {:?}, but {} channels come before it",
                        dense.weight.name,
                        dense.weight.shape,
                        width.unwrap_or(0)
                    );
                }
                width = Some(dense.outputs());
                layers.push(Layer { dense: dense.clone(), before, after: None, activation: None, dropout: None });
            }
            Step::Map { name, lines, .. } => {
                if width.is_some_and(|width| width != lines.len()) {
                    return refuse!("{name} has {} channels, expected {}", lines.len(), width.unwrap_or(0));
                }
                width = Some(lines.len());
                match layers.last_mut() {
                    Some(layer) if layer.activation.is_none() => {
                        odd |= layer.dropout.is_some();
                        layer.after = Some(composed(layer.after.take(), lines));
                    }
                    _ => pending = Some(composed(pending.take(), lines)),
                }
            }
            Step::Activation(word) if word == "identity" => {}
            Step::Activation(word) => match layers.last_mut() {
                Some(layer) if layer.activation.is_none() => {
                    odd |= layer.dropout.is_some();
                    layer.activation = Some(word.clone());
                }
                Some(_) => {
                    return refuse!("activation {word} follows another one, expected a dense layer between them");
                }
                None => return refuse!("activation {word} comes before the first dense layer, expected one before it"),
            },
            Step::Dropout(rate) => match layers.last_mut() {
                Some(layer) if layer.dropout.is_none() && pending.is_none() => layer.dropout = Some(*rate),
                _ => odd = true,
            },
        }
    }
    Ok(Folded { ends: [start, pending], layers, odd })
}

/// Whether the maps are a scaling that channels have.
fn is_scaling(lines: &[Line]) -> bool {
    lines.iter().all(|line| line.scale > 0.0 && line.scale.is_finite() && line.shift.is_finite())
}

/// What the source gives.
fn textbook(steps: &[Step], x: Field) -> Field {
    steps.iter().fold(x, |mut x, step| match step {
        Step::Dense(dense) => dense.forward(&x),
        Step::Map { apply, lines, .. } => {
            x.values.chunks_exact_mut(lines.len()).for_each(|row| {
                row.iter_mut().enumerate().for_each(|(c, v)| *v = apply(c, *v));
            });
            x
        }
        Step::Activation(word) => x.map(activation(word).expect("a known activation")),
        Step::Dropout(_) => x,
    })
}

/// Reads an activation that model files have.
pub fn known(place: &str, word: &str) -> Result<String> {
    if ACTIVATIONS.contains(&word) {
        return Ok(word.to_string());
    }
    refuse!("{place} is {word}, expected one of {}", ACTIVATIONS.join(", "))
}

/// The perceptron of a chain. Settings `head`, `dropout`, and normalisers of inputs and outputs.
pub fn draft<'a>(steps: Vec<Step<'a>>, state: &'a State, settings: &Settings) -> Result<Draft<'a>> {
    let dense = || steps.iter().filter_map(|step| if let Step::Dense(dense) = step { Some(dense) } else { None });
    let (Some(first), Some(last)) = (dense().next(), dense().next_back()) else {
        return refuse!("the network has no dense layer, expected at least one");
    };
    let (inputs, width) = (first.inputs(), last.outputs());
    let head = settings.get("head").map(Head::new).transpose()?;
    if head.is_some() && width % 2 == 1 {
        return refuse!("the last layer has {width} outputs, expected with setting head means and as many spreads");
    }
    let outputs = if head.is_some() { width / 2 } else { width };

    let Folded { mut ends, mut layers, odd } = fold(&steps)?;
    let count = layers.len();
    // Maps after the last dense layer scale the outputs, if they can.
    if layers[count - 1].activation.is_none() {
        ends[1] = layers[count - 1].after.take();
    }
    let [start, end] = &mut ends;
    if let Some(lines) = start.take_if(|lines| !is_scaling(lines)) {
        layers[0].before = Some(lines);
    }
    if let Some(lines) = end.take_if(|lines| head.is_some() || !is_scaling(lines)) {
        if layers[count - 1].activation.is_some() {
            return refuse!(
                "the map after the last activation is no scaling of outputs: expected positive factors, and no head"
            );
        }
        layers[count - 1].after = Some(lines);
    }
    let dropout = dropout(&layers, odd, settings)?;

    // Network units are those between both ends.
    let mut x = Field { grid: vec![ROWS], channels: inputs, values: Draws::new(21).take(ROWS * inputs) };
    let seen = x.clone();
    if let Some(lines) = start {
        x.values.chunks_exact_mut(inputs).for_each(|row| {
            row.iter_mut().zip(&*lines).for_each(|(v, line)| *v = (*v - line.shift) / line.scale);
        });
    }
    let mut y = textbook(&steps, x);
    if let Some(lines) = end {
        y.values.chunks_exact_mut(width).for_each(|row| {
            row.iter_mut().zip(&*lines).for_each(|(v, line)| *v = (*v - line.shift) / line.scale);
        });
    }
    let rows = || y.values.chunks_exact(width);
    let mut selftest = vec![
        Stored::new("input", vec![ROWS, inputs], seen.values),
        Stored::new("output", vec![ROWS, outputs], rows().flat_map(|row| row[..outputs].to_vec()).collect()),
    ];
    if let Some(head) = &head {
        let variance = rows().flat_map(|row| row[outputs..].iter().map(|v| head.variance(*v))).collect();
        selftest.push(Stored::new("variance", vec![ROWS, outputs], variance));
    }

    let hidden: Vec<usize> = layers[..count - 1].iter().map(|layer| layer.dense.outputs()).collect();
    let word = |layer: &Layer| layer.activation.clone().unwrap_or("identity".into());
    let words: Vec<String> = layers[..count - 1].iter().map(word).collect();
    let alike = words.iter().all(|word| *word == words[0]) && !words.is_empty();
    let mut mlp = json!({"hidden": hidden, "activation": if alike { json!(words[0]) } else { json!(words) }});
    if let Some(word) = &layers[count - 1].activation {
        mlp["output_activation"] = json!(word);
    }
    if let Some(head) = settings.get("head") {
        mlp["head"] = head.clone();
    }
    if dropout > 0.0 {
        mlp["dropout"] = json!(dropout);
    }
    let undone = start.as_ref().map(|lines| lines.iter().map(|line| line.inverse()).collect::<Vec<_>>());
    let scaling = [
        ("/inputs", composed_with(undone, scaling::read("input", inputs, state, settings)?)),
        ("/outputs", composed_with(end.take(), scaling::read("output", outputs, state, settings)?)),
    ];
    let scaling = scaling.into_iter().filter_map(|(place, lines)| Some((place, lines?))).collect();
    Ok(Draft {
        fields: json!({"architecture": "mlp", "mlp": mlp}),
        inputs,
        outputs,
        scaling,
        weights: layers.into_iter().enumerate().flat_map(|(i, layer)| layer.weights(i)).collect(),
        selftest,
        tolerance: 1e-9,
    })
}

/// From network values to the source's, then to raw ones.
fn composed_with(first: Option<Vec<Line>>, next: Option<Vec<Line>>) -> Option<Vec<Line>> {
    match next {
        Some(next) => Some(composed(first, &next)),
        None => first,
    }
}

/// The rate of training. Draws of dropout follow each hidden layer's activation; a source that has it elsewhere must be told to go without.
fn dropout(layers: &[Layer], odd: bool, settings: &Settings) -> Result<f64> {
    let said = settings.get("dropout").is_some();
    let rate = settings.number("dropout", 0.0)?;
    if !(0.0..1.0).contains(&rate) {
        return refuse!("setting dropout is {rate}, expected a rate in [0, 1)");
    }
    let (last, hidden) = layers.split_last().expect("a dense layer");
    let rates: Vec<f64> = hidden.iter().filter_map(|layer| layer.dropout).collect();
    if rates.is_empty() && !odd && last.dropout.is_none() {
        if rate > 0.0 && hidden.is_empty() {
            return refuse!("setting dropout is {rate}, but there is no hidden layer");
        }
        return Ok(rate);
    }
    let regular = !odd && last.dropout.is_none() && rates.len() == hidden.len() && rates.iter().all(|r| *r == rates[0]);
    match (said, regular) {
        (true, _) if rate == 0.0 => Ok(0.0),
        (_, false) => refuse!(
            "the network has dropout elsewhere than after each hidden layer's activation at one rate, where draws of it are here: setting \
             dropout=0 makes a model that predicts the same and has no such draws"
        ),
        (true, true) if rate != rates[0] => refuse!("setting dropout is {rate}, but the network has {}", rates[0]),
        (_, true) => Ok(rates[0]),
    }
}

impl<'a> Layer<'a> {
    /// Weight and bias of the model file's layer `i`, as they are stored where nothing goes into them.
    fn weights(self, i: usize) -> [Output<'a>; 2] {
        let (weight, bias) = (format!("layers.{i}.weight"), format!("layers.{i}.bias"));
        let Layer { dense, before, after, .. } = self;
        let (inputs, outputs) = (dense.inputs(), dense.outputs());
        let line = |lines: &Option<Vec<Line>>, c: usize| lines.as_ref().map_or(Line::NONE, |lines| lines[c]);
        let changed = before.is_some() || after.is_some();
        let biases = if changed || dense.bias.is_none() {
            let value = |o: usize| {
                let moved: f64 = (0..inputs).map(|i| dense.at(o, i) * line(&before, i).shift).sum();
                let after = line(&after, o);
                after.scale * (dense.bias(o) + moved) + after.shift
            };
            Output::values(bias, vec![outputs], (0..outputs).map(value).collect())
        } else {
            Output::copy(bias, dense.bias.clone().expect("a bias"))
        };
        if !changed && !dense.transposed {
            return [Output::copy(weight, dense.weight), biases];
        }
        let double = changed || dense.weight.is_double();
        let fill = move |o: usize, row: &mut [f64]| {
            let factor = line(&after, o).scale;
            row.iter_mut().enumerate().for_each(|(i, v)| *v = factor * dense.at(o, i) * line(&before, i).scale);
        };
        [
            Output {
                name: weight,
                shape: vec![outputs, inputs],
                element: Element::float(double),
                chunk: inputs,
                fill: Box::new(fill),
            },
            biases,
        ]
    }
}
