//! The layers' weights, packed for one arithmetic.

use crate::error::Result;
use crate::kernels::product::Packed;
use crate::kernels::real::Real;
use crate::model::Model;
use crate::model::dense::vector;

/// One layer of multi-head attention.
pub(super) struct Attention<T> {
    pub key: Packed<T>,
    pub value: Packed<T>,
    pub query: Packed<T>,
    /// Columns of the final layer that meet the query, and those that meet the heads' outputs.
    pub final_query: Packed<T>,
    pub final_heads: Packed<T>,
    pub final_bias: Vec<T>,
    pub gamma: Vec<T>,
    pub beta: Vec<T>,
}

impl<T: Real> Attention<T> {
    pub(super) fn new(model: &Model, name: &str, h: usize) -> Result<Self> {
        let square = |part: &str| {
            Packed::from_rows(&model.tensor(&format!("{name}.{part}.weight")).to_f64(), h, h, "packed weights")
        };
        let last = model.tensor(&format!("{name}.final_linear.weight")).to_f64();
        Ok(Attention {
            key: square("encoder_key")?,
            value: square("encoder_value")?,
            query: square("encoder_query")?,
            final_query: columns(&last, h, 2 * h, 0, h)?,
            final_heads: columns(&last, h, 2 * h, h, h)?,
            final_bias: vector(model, &format!("{name}.final_linear.bias")),
            gamma: vector(model, &format!("{name}.layer_norm.weight")),
            beta: vector(model, &format!("{name}.layer_norm.bias")),
        })
    }
}

/// Columns first .. first + count of a row-major [outputs, width] matrix, packed.
pub(super) fn columns<T: Real>(
    w: &[f64],
    outputs: usize,
    width: usize,
    first: usize,
    count: usize,
) -> Result<Packed<T>> {
    let mut packed = Packed::with_capacity(outputs, count, "packed weights")?;
    packed.pack(outputs, count, |o, k| T::from_f64(w[o * width + first + k]));
    Ok(packed)
}
