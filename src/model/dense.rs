//! A dense layer's weights, packed for one arithmetic.

use super::Model;
use crate::error::Result;
use crate::kernels::product::Packed;
use crate::kernels::real::Real;

/// y = x W' + bias.
pub(super) struct Dense<T> {
    pub weight: Packed<T>,
    pub bias: Vec<T>,
}

impl<T: Real> Dense<T> {
    pub(super) fn new(model: &Model, name: &str) -> Result<Self> {
        let weight = model.tensor(&format!("{name}.weight"));
        Ok(Dense {
            weight: Packed::from_rows(&weight.to_f64(), weight.shape[0], weight.shape[1], name)?,
            bias: vector(model, &format!("{name}.bias")),
        })
    }
}

/// A vector of weights in the arithmetic.
pub(super) fn vector<T: Real>(model: &Model, name: &str) -> Vec<T> {
    model.tensor(name).to_f64().into_iter().map(T::from_f64).collect()
}
