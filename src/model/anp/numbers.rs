//! The numbers of an attentive neural process, their ranges, and the weights that they ask for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Result, fail};
use crate::model::cost::Cost;

/// Numbers of the architecture, from the model file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Width of every representation; the decoder is three times as wide.
    pub hidden: usize,
    /// Attention heads; each takes a contiguous share of the width.
    pub heads: usize,
    /// Coordinates of a point.
    pub dim_x: usize,
    /// Values at a point.
    pub dim_y: usize,
    /// Self-attention layers of each encoder.
    #[serde(default = "two")]
    pub self_attentions: usize,
    /// Cross-attention layers.
    #[serde(default = "two")]
    pub cross_attentions: usize,
    /// Hidden layers of the decoder.
    #[serde(default = "three")]
    pub decoder_layers: usize,
    /// Added to the softplus that gives sigma; network units.
    pub min_sigma: f64,
    /// Added to the variance in layer normalisation.
    pub layer_norm_eps: f64,
    /// Rate of dropout while the model was trained.
    pub dropout: f64,
}

fn two() -> usize {
    2
}

fn three() -> usize {
    3
}

impl Numbers {
    /// Ranges that keep every later size computation far from overflow.
    pub(in crate::model) fn check(&self, inputs: usize, outputs: usize) -> Result<()> {
        for (name, value, most) in [
            ("hidden", self.hidden, 1 << 14),
            ("heads", self.heads, self.hidden),
            ("dim_x", self.dim_x, 64),
            ("dim_y", self.dim_y, 1024),
            ("self_attentions", self.self_attentions, 64),
            ("cross_attentions", self.cross_attentions, 64),
            ("decoder_layers", self.decoder_layers, 64),
        ] {
            if value < 1 || value > most {
                return fail!(FileDescription, "anp.{name} is {value}, expected 1 to {most}");
            }
        }
        if !self.hidden.is_multiple_of(self.heads) {
            return fail!(FileDescription, "anp.hidden {} is no multiple of anp.heads {}", self.hidden, self.heads);
        }
        if !(self.min_sigma >= 0.0 && self.min_sigma.is_finite()) {
            return fail!(FileDescription, "anp.min_sigma is {}, expected finite and >= 0", self.min_sigma);
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return fail!(FileDescription, "anp.layer_norm_eps is {}, expected in (0, 1)", self.layer_norm_eps);
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return fail!(FileDescription, "anp.dropout is {}, expected in [0, 1)", self.dropout);
        }
        if (inputs, outputs) != (self.dim_x, self.dim_y) {
            return fail!(
                FileDescription,
                "{inputs} inputs and {outputs} outputs, expected anp.dim_x = {} and anp.dim_y = {}",
                self.dim_x,
                self.dim_y
            );
        }
        Ok(())
    }

    /// Names and shapes of all weights.
    pub(in crate::model) fn weights(&self) -> BTreeMap<String, Vec<usize>> {
        let (h, x, y) = (self.hidden, self.dim_x, self.dim_y);
        let mut all = BTreeMap::new();
        let mut dense = |name: &str, outputs: usize, inner: usize| {
            all.insert(format!("{name}.weight"), vec![outputs, inner]);
            all.insert(format!("{name}.bias"), vec![outputs]);
        };
        dense("latent_encoder.input_projection", h, x + y);
        dense("latent_encoder.penultimate_layer", h, h);
        dense("latent_encoder.mu", h, h);
        dense("latent_encoder.log_sigma", h, h);
        dense("deterministic_encoder.input_projection", h, x + y);
        dense("deterministic_encoder.context_projection", h, x);
        dense("deterministic_encoder.target_projection", h, x);
        dense("decoder.target_projection", h, x);
        for i in 0..self.decoder_layers {
            dense(&format!("decoder.linears.{i}"), 3 * h, 3 * h);
        }
        dense("decoder.final_projection", 2 * y, 3 * h);
        for (place, count) in [
            ("latent_encoder.self_attentions", self.self_attentions),
            ("deterministic_encoder.self_attentions", self.self_attentions),
            ("deterministic_encoder.cross_attentions", self.cross_attentions),
        ] {
            for i in 0..count {
                let name = format!("{place}.{i}");
                for part in ["key", "value", "query"] {
                    all.insert(format!("{name}.encoder_{part}.weight"), vec![h, h]);
                }
                all.insert(format!("{name}.final_linear.weight"), vec![h, 2 * h]);
                for part in ["final_linear.bias", "layer_norm.weight", "layer_norm.bias"] {
                    all.insert(format!("{name}.{part}"), vec![h]);
                }
            }
        }
        all
    }

    /// A plan's cost with `context` points for each of `batch` functions, and of a query at `targets` at the mean latent.
    pub(in crate::model) fn cost(&self, batch: f64, context: f64, targets: f64) -> Cost {
        let of = |n: usize| n as f64;
        let (h, heads, x, y) = (of(self.hidden), of(self.heads), of(self.dim_x), of(self.dim_y));
        let (own, cross, decoder) = (of(self.self_attentions), of(self.cross_attentions), of(self.decoder_layers));
        let attention = Cost::packed(h, h) * 5.0;
        let weights = Cost::packed(h, x + y) * 2.0
            + Cost::packed(h, h) * 3.0
            + Cost::packed(h, x) * 3.0
            + Cost::packed(2.0 * y, 3.0 * h)
            + Cost::packed(3.0 * h, 3.0 * h) * decoder
            + attention * (2.0 * own + cross);
        // Keys and values are packed head by head, in panels of 16.
        let share = h / heads;
        let memory = Cost::values(heads * ((context + 16.0) * share + (share + 16.0) * context) + 64.0 * heads);
        let rows = context.max(240.0);
        let scratch =
            Cost::values(rows * (6.0 * h + 2.0 * x + y + context + 1.0) + 240.0 * (9.0 * h + 8.0 * y) + 8.0 * h)
                + memory
                + (memory * cross + Cost::values(2.0 * h)) * batch
                + Cost::values(8.0 * batch * (targets + context) * (x + y));
        let meeting = |rows: f64| rows * (5.0 * h * h + 2.0 * context * (h + 32.0));
        let encoding = 2.0 * own * meeting(context) + context * h * (3.0 * h + 4.0 * (x + y));
        let query = cross * meeting(targets) + targets * (9.0 * h * h * decoder + 6.0 * h * (x + y) + 32.0 * h);
        weights + scratch + Cost::work(batch * (encoding + query + cross * context * 4.0 * h * h))
    }
}
