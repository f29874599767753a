//! The numbers of a Gaussian process, their ranges, and the stored points that they ask for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kernel::{Covariance, Kernel};
use crate::error::{Result, fail};
use crate::model::cost::Cost;

/// Numbers of the architecture, from the model file; network units. Outputs are independent processes that share kernel, scales and
/// noise; their channels' offsets and scales tell them apart, and their means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The covariance function.
    pub kernel: Kernel,
    /// Signal variance: the covariance at distance 0.
    pub variance: f64,
    /// One length for all inputs, or one an input.
    pub length_scales: Vec<f64>,
    /// Noise variance of a value.
    #[serde(default)]
    pub noise: f64,
    /// Mean of each output; none: all 0.
    #[serde(default)]
    pub means: Vec<f64>,
    /// Points that the file stores; 0: the caller conditions.
    #[serde(default)]
    pub points: usize,
    /// Whether stored points have noise variances of their own, beside `noise`.
    #[serde(default)]
    pub point_noise: bool,
}

/// What a variance or length may be: their squares and quotients are far from overflow.
const RANGE: std::ops::RangeInclusive<f64> = 1e-100..=1e100;

impl Numbers {
    /// Ranges that keep every later computation far from overflow.
    pub(in crate::model) fn check(&self, inputs: usize, outputs: usize) -> Result<()> {
        if !(1..=64).contains(&inputs) || !(1..=1024).contains(&outputs) {
            return fail!(
                FileDescription,
                "{inputs} inputs and {outputs} outputs, expected 1 to 64 and 1 to 1024 of a Gaussian process"
            );
        }
        if !RANGE.contains(&self.variance) {
            return fail!(FileDescription, "gp.variance is {}, expected 1e-100 to 1e100", self.variance);
        }
        let lengths = self.length_scales.len();
        if lengths != 1 && lengths != inputs {
            return fail!(
                FileDescription,
                "gp.length_scales has {lengths} values, expected 1 or {inputs}, one an input"
            );
        }
        if let Some((k, l)) = self.length_scales.iter().enumerate().find(|(_, l)| !RANGE.contains(*l)) {
            return fail!(FileDescription, "gp.length_scales[{k}] is {l}, expected 1e-100 to 1e100");
        }
        if self.noise != 0.0 && !RANGE.contains(&self.noise) {
            return fail!(FileDescription, "gp.noise is {}, expected 0 or 1e-100 to 1e100", self.noise);
        }
        if !self.means.is_empty() && self.means.len() != outputs {
            return fail!(FileDescription, "gp.means has {} values, expected none or {outputs}", self.means.len());
        }
        if let Some((c, mean)) = self.means.iter().enumerate().find(|(_, m)| m.abs() > 1e100 || m.is_nan()) {
            return fail!(FileDescription, "gp.means[{c}] is {mean}, expected -1e100 to 1e100");
        }
        if self.points > 1 << 24 {
            return fail!(FileDescription, "gp.points is {}, expected at most {}", self.points, 1 << 24);
        }
        if self.point_noise && self.points == 0 {
            return fail!(FileDescription, "gp.point_noise is set, but gp.points is 0");
        }
        Ok(())
    }

    /// Names and shapes of the stored points.
    pub(in crate::model) fn weights(&self, inputs: usize, outputs: usize) -> BTreeMap<String, Vec<usize>> {
        let mut all = BTreeMap::new();
        if self.points > 0 {
            all.insert("points.x".into(), vec![self.points, inputs]);
            all.insert("points.y".into(), vec![self.points, outputs]);
        }
        if self.point_noise {
            all.insert("points.noise".into(), vec![self.points]);
        }
        all
    }

    /// A plan's cost with `context` points for each of `batch` functions, or with the stored points alone, and of a query at `targets`.
    pub(in crate::model) fn cost(&self, inputs: f64, outputs: f64, batch: f64, context: f64, targets: f64) -> Cost {
        let posterior = |points: f64| {
            // The lower triangle in blocks of 64 rows, what it is made in, coordinates and coefficients.
            let matrix = Cost::values(points * (points / 2.0 + 4.0 * 64.0 + inputs + outputs) + 4.0 * 64.0 * 64.0);
            // Covariances take an exponential each; every output solves twice.
            let kernel = 0.5 * points * points * (inputs + 32.0);
            matrix + Cost::work(points * points * points / 6.0 + kernel + outputs * points * points)
        };
        let stored = self.points as f64;
        let most = stored.max(context);
        let tile = targets.clamp(12.0, 240.0);
        let query = Cost::values(256.0 * (most + 64.0 + inputs + outputs) + 8.0 * batch * targets * (inputs + outputs))
            + Cost::work(batch * targets * most * (0.5 * most + 32.0 + inputs + outputs));
        posterior(stored) + posterior(context) * batch + query + Cost::values(tile * most)
    }

    pub(super) fn covariance(&self, inputs: usize) -> Covariance {
        let lengths = self.length_scales.iter().cycle().take(inputs);
        let inverse_lengths = lengths.map(|l| 1.0 / l).collect();
        Covariance { kernel: self.kernel, variance: self.variance, inverse_lengths }
    }

    pub(super) fn means(&self, outputs: usize) -> Vec<f64> {
        if self.means.is_empty() { vec![0.0; outputs] } else { self.means.clone() }
    }
}
