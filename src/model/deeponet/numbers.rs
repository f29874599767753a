//! The numbers of a DeepONet, their ranges, and the weights that they ask for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Result, fail};
use crate::kernels::activation::Activation;
use crate::model::cost::Cost;
use crate::model::description::{Channel, check_channels};
use crate::model::mlp::{Activations, check_dropout};
use crate::model::network::{MOST_WIDTH, check_widths, cost, weights};

/// Numbers of the architecture, from the model file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Channels of the input function.
    pub functions: Vec<Channel>,
    /// Points at which it is known.
    pub sensors: usize,
    /// Terms of the sum that is an output.
    pub latent: usize,
    /// Widths of the branch network's hidden layers.
    pub branch: Vec<usize>,
    /// Widths of the trunk network's hidden layers.
    pub trunk: Vec<usize>,
    /// After the hidden layers of the branch.
    pub branch_activation: Activations,
    /// After the hidden layers of the trunk.
    pub trunk_activation: Activations,
    /// After the trunk's last layer.
    #[serde(default)]
    pub trunk_output_activation: Option<Activation>,
    /// Whether all outputs have the same trunk features.
    #[serde(default)]
    pub shared_trunk: bool,
    /// Dropout rate after each hidden layer in training; 0: the model has no dropout.
    #[serde(default)]
    pub dropout: f64,
}

impl Numbers {
    /// Ranges that keep every later size computation far from overflow.
    pub(in crate::model) fn check(&self, inputs: usize, outputs: usize) -> Result<()> {
        check_channels("deeponet.functions", &self.functions)?;
        let observed = self.sensors.saturating_mul(self.functions.len());
        let features = self.latent.saturating_mul(outputs);
        let sizes = [
            ("inputs", inputs),
            ("outputs", outputs),
            ("values at deeponet.sensors", observed),
            ("features, deeponet.latent times the outputs", features),
        ];
        for (name, count) in sizes {
            if !(1..=MOST_WIDTH).contains(&count) {
                return fail!(FileDescription, "{count} {name}, expected 1 to {MOST_WIDTH}");
            }
        }
        check_widths("deeponet.branch", &self.branch)?;
        check_widths("deeponet.trunk", &self.trunk)?;
        self.branch_activation.check("deeponet.branch_activation", self.branch.len())?;
        self.trunk_activation.check("deeponet.trunk_activation", self.trunk.len())?;
        check_dropout("deeponet.dropout", self.dropout)
    }

    /// Channels of all layers of the branch, and of the trunk.
    fn widths(&self, inputs: usize, outputs: usize) -> [Vec<usize>; 2] {
        let observed = self.sensors * self.functions.len();
        let features = if self.shared_trunk { self.latent } else { self.latent * outputs };
        let branch = [&[observed], &self.branch[..], &[self.latent * outputs]].concat();
        [branch, [&[inputs], &self.trunk[..], &[features]].concat()]
    }

    /// The cost of a plan for so many functions and targets, and of a query at targets of their own.
    pub(in crate::model) fn cost(&self, inputs: usize, outputs: usize, functions: usize, targets: usize) -> Cost {
        let [branch, trunk] = self.widths(inputs, outputs);
        let values = functions as f64 * targets as f64 * outputs as f64;
        let features = functions as f64 * self.latent as f64 * outputs as f64;
        cost(&branch, functions)
            + cost(&trunk, functions.saturating_mul(targets))
            + Cost::values(4.0 * values + features)
            + Cost::work(values * self.latent as f64)
    }

    /// Names and shapes of the weights.
    pub(in crate::model) fn weights(&self, inputs: usize, outputs: usize) -> BTreeMap<String, Vec<usize>> {
        let [branch, trunk] = self.widths(inputs, outputs);
        let bias = ("bias".to_string(), vec![outputs]);
        weights("branch", &branch).chain(weights("trunk", &trunk)).chain([bias]).collect()
    }

    /// The activations of all layers of the branch.
    pub(super) fn branch_activations(&self) -> Vec<Activation> {
        let mut all = self.branch_activation.expand(self.branch.len());
        all.push(Activation::Identity);
        all
    }

    /// The activations of all layers of the trunk.
    pub(super) fn trunk_activations(&self) -> Vec<Activation> {
        let mut all = self.trunk_activation.expand(self.trunk.len());
        all.push(self.trunk_output_activation.unwrap_or(Activation::Identity));
        all
    }
}
