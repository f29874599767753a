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
        let weight = model.tensor(&format!("{name}.weight"));
        let values = weight.to_f64();
        let few = weight.shape[0] <= FEW;
        Ok(Dense {
            weight: Packed::from_rows(&values, weight.shape[0], weight.shape[1], name)?,
            bias: vector(model, &format!("{name}.bias")),
            few: few.then(|| values.into_iter().map(T::from_f64).collect()),
        })
    }
}

/// A vector of weights in the arithmetic.
pub(super) fn vector<T: Real>(model: &Model, name: &str) -> Vec<T> {
    model.tensor(name).to_f64().into_iter().map(T::from_f64).collect()
}
