//! The numbers of a multilayer perceptron, their ranges, and the weights that they ask for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Result, fail};
use crate::kernels::activation::Activation;
use crate::model::cost::Cost;
use crate::model::network::{MOST_WIDTH, check_widths, cost, weights};

/// Numbers of the architecture, from the model file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Widths of the hidden layers.
    #[serde(default)]
    pub hidden: Vec<usize>,
    /// After each hidden layer: one for all, or one a layer.
    pub activation: Activations,
    /// After the last layer.
    #[serde(default)]
    pub output_activation: Option<Activation>,
    /// Whether the network gives a variance beside each output.
    #[serde(default)]
    pub head: Option<Head>,
    /// Dropout rate after each hidden layer in training; 0: the model has no dropout.
    #[serde(default)]
    pub dropout: f64,
}

/// One activation for all layers, or one for each.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Activations {
    /// After every layer.
    All(Activation),
    /// After each layer its own.
    Each(Vec<Activation>),
}

/// Outputs that come with a variance: the last layer gives all means, then as many values that variances are made of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// What makes a positive number of a value.
    pub function: Positive,
    /// Whether that number is a variance or a standard deviation.
    pub of: Spread,
    /// Added to it; network units.
    #[serde(default)]
    pub minimum: f64,
}

/// A function whose values are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Positive {
    /// e^x.
    Exp,
    /// log(1 + e^x).
    Softplus,
}

/// What a positive number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// The variance.
    Variance,
    /// Its square root.
    Deviation,
}

impl Head {
    /// The variance, network units.
    pub(super) fn variance(&self, x: f64) -> f64 {
        let positive = match self.function {
            Positive::Exp => libm::exp(x),
            Positive::Softplus if x > 0.0 => x + libm::log1p(libm::exp(-x)),
            Positive::Softplus => libm::log1p(libm::exp(x)),
        };
        let spread = positive + self.minimum;
        if self.of == Spread::Deviation { spread * spread } else { spread }
    }
}

impl Activations {
    /// The activations of `count` layers.
    pub(in crate::model) fn expand(&self, count: usize) -> Vec<Activation> {
        match self {
            Activations::All(activation) => vec![*activation; count],
            Activations::Each(each) => each.clone(),
        }
    }

    pub(in crate::model) fn check(&self, field: &str, count: usize) -> Result<()> {
        match self {
            Activations::Each(each) if each.len() != count => {
                fail!(
                    FileDescription,
                    "{field} has {} entries, expected one or {count}, one a hidden layer",
                    each.len()
                )
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a dropout rate that is none.
pub(in crate::model) fn check_dropout(field: &str, rate: f64) -> Result<()> {
    if (0.0..1.0).contains(&rate) {
        return Ok(());
    }
    fail!(FileDescription, "{field} is {rate}, expected in [0, 1)")
}

impl Numbers {
    /// Ranges that keep every later size computation far from overflow.
    pub(in crate::model) fn check(&self, inputs: usize, outputs: usize) -> Result<()> {
        for (name, count) in [("inputs", inputs), ("outputs", outputs)] {
            if !(1..=MOST_WIDTH).contains(&count) {
                return fail!(FileDescription, "{count} {name}, expected 1 to {MOST_WIDTH}");
            }
        }
        check_widths("mlp.hidden", &self.hidden)?;
        self.activation.check("mlp.activation", self.hidden.len())?;
        check_dropout("mlp.dropout", self.dropout)?;
        if self.dropout > 0.0 && self.hidden.is_empty() {
            return fail!(FileDescription, "mlp.dropout is {}, but there is no hidden layer", self.dropout);
        }
        if let Some(head) = &self.head
            && !(0.0..=1e100).contains(&head.minimum)
        {
            return fail!(FileDescription, "mlp.head.minimum is {}, expected 0 to 1e100", head.minimum);
        }
        Ok(())
    }

    /// Channels of all layers, the input's first.
    fn widths(&self, inputs: usize, outputs: usize) -> Vec<usize> {
        let last = if self.head.is_some() { 2 * outputs } else { outputs };
        [&[inputs], &self.hidden[..], &[last]].concat()
    }

    /// The cost of a plan for `rows` rows and of predicting them.
    pub(in crate::model) fn cost(&self, inputs: usize, outputs: usize, rows: usize) -> Cost {
        cost(&self.widths(inputs, outputs), rows) + Cost::values(4.0 * rows as f64 * outputs as f64)
    }

    /// The activations of all layers.
    pub(super) fn activations(&self) -> Vec<Activation> {
        let mut all = self.activation.expand(self.hidden.len());
        all.push(self.output_activation.unwrap_or(Activation::Identity));
        all
    }

    /// Names and shapes of the weights.
    pub(in crate::model) fn weights(&self, inputs: usize, outputs: usize) -> BTreeMap<String, Vec<usize>> {
        weights("layers", &self.widths(inputs, outputs)).collect()
    }
}
