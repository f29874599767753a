//! A dense layer's weights, packed for one arithmetic.

use super::Model;
use crate::error::Result;
use crate::kernels::product::Packed;
use crate::kernels::real::Real;

/// y = x W' + bias.
pub(super) struct Dense<T> {
    pub weight: Packed<T>,
    pub bias: Vec<T>,
    /// W as it is [outputs, inner], where outputs are few.
    pub few: Option<Vec<T>>,
}

/// Outputs that a product's panels are too wide for.
const FEW: usize = 3;

impl<T: Real> Dense<T> {
    pub(super) fn new(model: &Model, name: &str) -> Result<Self> {
        Self::scaled(model, name, |_| 1.0)
    }

    /// The layer whose input channels are multiplied by a factor each.
    pub(super) fn scaled(model: &Model, name: &str, factor: impl Fn(usize) -> f64) -> Result<Self> {
        let weight = model.tensor(&format!("{name}.weight"));
        let (outputs, inner) = (weight.shape[0], weight.shape[1]);
        let mut values = weight.to_f64();
        for (i, value) in values.iter_mut().enumerate() {
            *value *= factor(i % inner);
        }
        let few = outputs <= FEW;
        Ok(Dense {
            weight: Packed::from_rows(&values, outputs, inner, name)?,
            bias: vector(model, &format!("{name}.bias")),
            few: few.then(|| values.into_iter().map(T::from_f64).collect()),
        })
    }

    /// The largest sum of the magnitudes of an output's weights, and the largest of a bias.
    pub(super) fn norms(&self) -> (f64, f64) {
        let sum = |o| (0..self.weight.inner()).map(|k| self.weight.entry(o, k).to_f64().abs()).sum::<f64>();
        let bias = self.bias.iter().fold(0.0, |most: f64, b| most.max(b.to_f64().abs()));
        ((0..self.weight.outputs()).map(sum).fold(0.0, f64::max), bias)
    }
}

/// A vector of weights in the arithmetic.
pub(super) fn vector<T: Real>(model: &Model, name: &str) -> Vec<T> {
    model.tensor(name).to_f64().into_iter().map(T::from_f64).collect()
}
