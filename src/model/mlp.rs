//! Multilayer perceptrons: rows of inputs (columns of an atmosphere, cells of a grid) to rows of outputs, each row on its own; with a
//! variance head a variance beside each output (Lakshminarayanan et al., NeurIPS 2017).

mod numbers;

use pulp::Arch;

use super::arrays::{apart, expect_extents, in_range};
use super::dropout::Draw;
use super::fields::Source;
use super::network::Network;
use super::scaling::Scaling;
use super::{Model, Options};
use crate::error::{Result, fail, reserved, zeros};
use crate::field::{Dtype, Layout};
use crate::kernels::product::Rows;
use crate::kernels::real::Real;
use crate::kernels::strided::{View, ViewMut};

pub(super) use numbers::check_dropout;
pub use numbers::{Activations, Head, Numbers, Positive, Spread};

/// Weights packed for one arithmetic, and the sizes of a plan.
pub struct Mlp<T> {
    arch: Arch,
    network: Network<T>,
    head: Option<Head>,
    inputs: Scaling,
    outputs: Scaling,
    batch: usize,
    tile: usize,
}

/// Scratch of one plan.
pub struct Scratch<T> {
    tile: Tile<T>,
    /// Means and variances of a tile.
    mean: Vec<f64>,
    variance: Vec<f64>,
    /// All results, where they cannot be written as they come.
    means: Vec<f64>,
    variances: Vec<f64>,
}

/// Scratch for some rows: raw inputs, the network's, its layers.
struct Tile<T> {
    raw: Vec<f64>,
    x: Vec<T>,
    layers: [Vec<T>; 2],
}

impl<T: Real> Mlp<T> {
    /// A plan's network, or a draw of it.
    pub(super) fn new(model: &Model, options: &Options, draw: Option<Draw>) -> Result<Self> {
        let description = model.description();
        let Some(numbers) = &description.mlp else { return fail!(State, "the model is no multilayer perceptron") };
        let factor = |layer: usize, channel| match (&draw, layer.checked_sub(1)) {
            (Some(draw), Some(hidden)) => draw.factor(0, hidden, channel),
            _ => 1.0,
        };
        let network = Network::new(model, "layers", &numbers.activations(), factor)?;
        Ok(Mlp {
            arch: Arch::new(),
            tile: network.tile().min(options.batch),
            network,
            head: numbers.head.clone(),
            inputs: Scaling::new(&description.inputs),
            outputs: Scaling::new(&description.outputs),
            batch: options.batch,
        })
    }

    pub(super) fn has_variance(&self) -> bool {
        self.head.is_some()
    }

    /// Of a row that is read, and of one that is written.
    pub(super) fn channels(&self) -> (usize, usize) {
        (self.inputs.width(), self.outputs.width())
    }

    /// Values of a row.
    pub(super) fn cells(&self) -> usize {
        self.outputs.width()
    }

    /// Most values of a prediction.
    pub(super) fn room(&self) -> usize {
        self.batch.saturating_mul(self.outputs.width())
    }

    pub(super) fn scratch(&self) -> Result<Scratch<T>> {
        let what = "a workspace";
        let (inputs, outputs) = (self.inputs.width(), self.outputs.width());
        let variance = if self.has_variance() { self.tile.saturating_mul(outputs) } else { 0 };
        Ok(Scratch {
            tile: Tile {
                raw: zeros(self.tile.saturating_mul(inputs), what)?,
                x: zeros(self.tile.saturating_mul(inputs), what)?,
                layers: [
                    zeros(self.network.buffer_len(self.tile), what)?,
                    zeros(self.network.buffer_len(self.tile), what)?,
                ],
            },
            mean: zeros(self.tile.saturating_mul(outputs), what)?,
            variance: zeros(variance, what)?,
            means: reserved(self.room(), what)?,
            variances: reserved(if self.has_variance() { self.room() } else { 0 }, what)?,
        })
    }

    /// Predicts; see [`crate::model::Plan::predict`] and [`crate::model::Plan::predict_moments`].
    pub(super) fn predict(
        &self,
        s: &mut Scratch<T>,
        input: &Source,
        mean: &mut ViewMut,
        mut variance: Option<&mut ViewMut>,
    ) -> Result<()> {
        let rows = self.check(input.layout(), mean.layout())?;
        if let Some(variance) = &variance {
            self.check_variance(variance, mean)?;
        }
        let largest = self.check_values(input)?;
        let outputs = self.outputs.width();
        let is_apart = |array: &ViewMut| input.is_one_apart_from(&array.place());
        let most = |array: &ViewMut| array.dtype().max();
        let (limit, free) = match &variance {
            Some(variance) => (most(mean).min(most(variance)), is_apart(mean) && is_apart(variance)),
            None => (most(mean), is_apart(mean)),
        };
        // Results that surely are finite, in memory that is not read any more, need no second place.
        if free && self.bound(largest, variance.is_some()) < limit {
            let mut mean = mean.merged_mut();
            if variance.is_none() && self.outputs.is_linear() {
                match mean.dtype() {
                    Dtype::F32 if self.predict_into::<f32>(s, input, rows, &mut mean) => return Ok(()),
                    Dtype::F64 if self.predict_into::<f64>(s, input, rows, &mut mean) => return Ok(()),
                    _ => {}
                }
            }
            let mut variance = variance.as_mut().map(|variance| variance.merged_mut());
            for first in (0..rows).step_by(self.tile) {
                let values = self.tile.min(rows - first) * outputs;
                self.predict_tile(s, input, first, values / outputs, variance.is_some());
                mean.scatter(first * outputs, &s.mean[..values]);
                if let Some(variance) = &mut variance {
                    variance.scatter(first * outputs, &s.variance[..values]);
                }
            }
            return Ok(());
        }
        self.stage(s, input, rows, variance.is_some());
        in_range(mean.dtype(), &s.means)?;
        if let Some(variance) = variance {
            in_range(variance.dtype(), &s.variances)?;
            variance.scatter(0, &s.variances);
        }
        mean.scatter(0, &s.means);
        Ok(())
    }

    /// Predicts means straight into an array without gaps; false, and nothing done, where it is another.
    fn predict_into<A: Real>(&self, s: &mut Scratch<T>, input: &Source, rows: usize, mean: &mut ViewMut) -> bool {
        let outputs = self.outputs.width();
        if A::DTYPE == T::DTYPE && self.outputs.is_plain() && self.network.outputs() == outputs {
            let Some(mean) = mean.as_slice_mut::<T>(0, rows * outputs) else { return false };
            for (tile, mean) in mean.chunks_mut(self.tile * outputs).enumerate() {
                let (x, layers) = self.tile_input(&mut s.tile, input, tile * self.tile, mean.len() / outputs);
                self.network.apply_to(self.arch, x, layers, mean);
            }
            return true;
        }
        let Some(mean) = mean.as_slice_mut::<A>(0, rows * outputs) else { return false };
        for (tile, mean) in mean.chunks_mut(self.tile * outputs).enumerate() {
            let result = self.network_tile(&mut s.tile, input, tile * self.tile, mean.len() / outputs);
            self.outputs.to_raw_linear(self.arch, result, self.network.outputs(), mean);
        }
        true
    }

    /// Leaves the prediction in the scratch; see [`crate::model::Plan::evaluate`].
    pub(super) fn evaluate<'s>(
        &self,
        s: &'s mut Scratch<T>,
        input: &Source,
        output: &Layout,
        dtype: Dtype,
    ) -> Result<View<'s>> {
        let rows = self.check(input.layout(), output)?;
        self.check_values(input)?;
        self.stage(s, input, rows, false);
        in_range(dtype, &s.means)?;
        dtype.round_all(&mut s.means);
        View::new("prediction", &s.means, &[rows, self.outputs.width()])
    }

    /// Compares the arrays with the plan; the number of rows.
    fn check(&self, input: &Layout, output: &Layout) -> Result<usize> {
        let (inputs, outputs) = (self.inputs.width(), self.outputs.width());
        let shape = input.shape();
        let rows = input.len() / inputs;
        let before = match shape {
            [before @ .., last] if *last == inputs => before,
            // A single channel may be left out.
            _ if inputs == 1 => shape,
            _ => return fail!(Shape, "input has shape {shape:?}, expected [rows, {inputs}], the channels last"),
        };
        if rows > self.batch {
            return fail!(Shape, "input has {rows} rows, expected at most the plan's option batch, {}", self.batch);
        }
        expect_extents("output", output, before.iter().copied().chain([outputs]))?;
        Ok(rows)
    }

    /// Compares an array for variances with that of the means, which fits the plan.
    fn check_variance(&self, variance: &ViewMut, mean: &ViewMut) -> Result<()> {
        if !self.has_variance() {
            return fail!(Mismatch, "the model gives no variances, expected one with field mlp.head or an ensemble");
        }
        expect_extents("variance", variance.layout(), mean.layout().shape().iter().copied())?;
        apart("variance", variance, mean)
    }

    /// The largest magnitude of the input, all of which is finite and in its channels' domain.
    fn check_values(&self, input: &Source) -> Result<f64> {
        let largest = input.magnitude(self.arch);
        if !largest.is_finite() {
            input.check_finite()?;
        }
        self.inputs.check_domain("input", input)?;
        Ok(largest)
    }

    /// What no result exceeds for inputs up to `largest`; infinity where the arithmetic may overflow on the way. Twice what the exact
    /// network has, for its rounding.
    fn bound(&self, largest: f64, with_variance: bool) -> f64 {
        let inside = 2.0 * self.network.bound(self.inputs.network_bound(largest));
        if inside >= T::DTYPE.max() {
            return f64::INFINITY;
        }
        let mean = 2.0 * self.outputs.raw_bound(inside);
        match &self.head {
            Some(head) if with_variance => mean.max(2.0 * self.outputs.variance_bound(head.variance(inside))),
            _ => mean,
        }
    }

    /// All results into the scratch, raw units.
    fn stage(&self, s: &mut Scratch<T>, input: &Source, rows: usize, with_variance: bool) {
        s.means.clear();
        s.variances.clear();
        for first in (0..rows).step_by(self.tile) {
            let count = self.tile.min(rows - first);
            self.predict_tile(s, input, first, count, with_variance);
            let values = count * self.outputs.width();
            s.means.extend_from_slice(&s.mean[..values]);
            if with_variance {
                s.variances.extend_from_slice(&s.variance[..values]);
            }
        }
    }

    /// The network's results for some rows.
    fn network_tile<'s>(&self, tile: &'s mut Tile<T>, input: &'s Source, first: usize, count: usize) -> &'s [T] {
        let (x, layers) = self.tile_input(tile, input, first, count);
        self.network.apply(self.arch, x, layers)
    }

    /// What the network takes of some rows, and the buffers of its layers.
    fn tile_input<'s>(
        &self,
        tile: &'s mut Tile<T>,
        input: &'s Source,
        first: usize,
        count: usize,
    ) -> (Rows<'s, T>, [&'s mut [T]; 2]) {
        let Tile { raw, x, layers: [a, b] } = tile;
        let inputs = self.inputs.width();
        let len = count * inputs;
        let data = match input.as_slice::<T>(first, count, inputs) {
            Some(x) if self.inputs.is_plain() => x,
            Some(given) if self.inputs.is_linear() => {
                self.inputs.to_network_linear(self.arch, given, &mut x[..len]);
                &x[..len]
            }
            _ => {
                input.gather(first, count, inputs, &mut raw[..len]);
                self.inputs.to_network(self.arch, &mut raw[..len], &mut x[..len]);
                &x[..len]
            }
        };
        (Rows { data, stride: inputs, count }, [a, b])
    }

    /// Means, and variances, of some rows, raw units.
    fn predict_tile(&self, s: &mut Scratch<T>, input: &Source, first: usize, count: usize, with_variance: bool) {
        let outputs = self.outputs.width();
        let Scratch { tile, mean, variance, .. } = s;
        let result = self.network_tile(tile, input, first, count);
        let (mean, width) = (&mut mean[..count * outputs], self.network.outputs());
        match &self.head {
            // The mean of a logarithm's exponential depends on its variance.
            Some(head) if with_variance || !self.outputs.is_linear() => {
                let variance = &mut variance[..count * outputs];
                let parts = mean.chunks_exact_mut(outputs).zip(variance.chunks_exact_mut(outputs));
                for (row, (mean, variance)) in result.chunks_exact(width).zip(parts) {
                    let (means, spreads) = row.split_at(outputs);
                    mean.iter_mut().zip(means).for_each(|(to, v)| *to = v.to_f64());
                    variance.iter_mut().zip(spreads).for_each(|(to, v)| *to = head.variance(v.to_f64()));
                }
                self.outputs.moments_to_raw(mean, variance);
            }
            _ => self.outputs.to_raw(self.arch, result, width, mean),
        }
    }
}
