//! A chain of dense layers, evaluated for some rows at a time.

use pulp::Arch;

use super::Model;
use super::cost::Cost;
use super::dense::Dense;
use crate::error::{Result, fail};
use crate::kernels::activation::Activation;
use crate::kernels::product::{Rows, Start, dots, product};
use crate::kernels::real::Real;

/// Widest layer that a model file may ask for.
pub(super) const MOST_WIDTH: usize = 1 << 16;
/// Most layers.
pub(super) const MOST_LAYERS: usize = 256;
/// Bytes of a tile's widest layer: two of them stay in the second-level cache beside the weights.
const TILE_BYTES: usize = 1 << 16;

/// y = f(W x + b), layer after layer.
pub(super) struct Network<T> {
    layers: Vec<(Dense<T>, Activation)>,
    /// Of each layer the largest sum of the magnitudes of an output's weights, and of its bias alone.
    norms: Vec<(f64, f64)>,
}

impl<T: Real> Network<T> {
    /// Layers `name.0`, `name.1`, .. of the model, each with its activation. `kept(layer, channel)` is a factor of a layer's input channel.
    pub fn new(
        model: &Model,
        name: &str,
        activations: &[Activation],
        kept: impl Fn(usize, usize) -> f64,
    ) -> Result<Self> {
        let (mut layers, mut norms) = (Vec::new(), Vec::new());
        for (i, activation) in activations.iter().enumerate() {
            let dense = Dense::scaled(model, &format!("{name}.{i}"), |channel| kept(i, channel))?;
            norms.push(dense.norms());
            layers.push((dense, *activation));
        }
        Ok(Network { layers, norms })
    }

    /// Channels of the input.
    pub fn inputs(&self) -> usize {
        self.layers[0].0.weight.inner()
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].0.weight.outputs()
    }

    fn widest(&self) -> usize {
        self.layers.iter().map(|(dense, _)| dense.weight.outputs()).fold(self.inputs(), usize::max)
    }

    /// Rows of a tile: whole register blocks of the products.
    pub fn tile(&self) -> usize {
        (TILE_BYTES / (self.widest() * size_of::<T>()) / 8 * 8).clamp(24, 240)
    }

    /// Elements of each buffer of [`Network::apply`] for so many rows.
    pub fn buffer_len(&self, rows: usize) -> usize {
        rows.saturating_mul(self.widest()).saturating_add(T::PANEL)
    }

    /// The result for some rows [count, inputs], [count, outputs] in one of the buffers.
    pub fn apply<'b>(&self, arch: Arch, x: Rows<T>, buffers: [&'b mut [T]; 2]) -> &'b mut [T] {
        let count = x.count;
        let last = self.layers.len() - 1;
        let [here, there] = self.inner(arch, x, buffers);
        self.layer(arch, last, self.input_of(last, x, there), here);
        &mut here[..count * self.outputs()]
    }

    /// The same with the result in an array of its own.
    pub fn apply_to(&self, arch: Arch, x: Rows<T>, buffers: [&mut [T]; 2], y: &mut [T]) {
        let [_, there] = self.inner(arch, x, buffers);
        let last = self.layers.len() - 1;
        self.layer(arch, last, self.input_of(last, x, there), y);
    }

    /// Runs all layers but the last one; a free buffer, and the one with what the last one takes.
    fn inner<'b>(&self, arch: Arch, x: Rows<T>, [mut here, mut there]: [&'b mut [T]; 2]) -> [&'b mut [T]; 2] {
        for i in 0..self.layers.len() - 1 {
            self.layer(arch, i, self.input_of(i, x, there), here);
            std::mem::swap(&mut here, &mut there);
        }
        [here, there]
    }

    /// What layer i takes: the network's input, or the result of the layer before.
    fn input_of<'a>(&self, i: usize, x: Rows<'a, T>, before: &'a [T]) -> Rows<'a, T> {
        if i == 0 { x } else { Rows { data: before, stride: self.layers[i].0.weight.inner(), count: x.count } }
    }

    fn layer(&self, arch: Arch, i: usize, x: Rows<T>, y: &mut [T]) {
        let (dense, activation) = &self.layers[i];
        let outputs = dense.weight.outputs();
        let relu = *activation == Activation::Relu && dense.few.is_none();
        match &dense.few {
            Some(weight) => dots(arch, x, weight, &dense.bias, y),
            None => product(arch, x, &dense.weight, Start::Bias(&dense.bias), relu, y, outputs),
        }
        if !relu {
            activation.apply(arch, &mut y[..x.count * outputs]);
        }
    }

    /// What no magnitude inside the network exceeds when those of the input are at most `x`; infinite where a weight is.
    pub fn bound(&self, x: f64) -> f64 {
        let mut most = x;
        let mut largest = x;
        for ((_, activation), (weights, bias)) in self.layers.iter().zip(&self.norms) {
            let sum = weights * most + bias;
            if !sum.is_finite() {
                return f64::INFINITY;
            }
            largest = largest.max(sum);
            most = activation.bound(sum);
        }
        largest.max(most)
    }
}

/// Names and shapes of the weights of layers `name.0`, `name.1`, ..: from `widths[0]` channels over the others.
pub(super) fn weights(name: &str, widths: &[usize]) -> impl Iterator<Item = (String, Vec<usize>)> {
    widths.windows(2).enumerate().flat_map(move |(i, pair)| {
        let (inputs, outputs) = (pair[0], pair[1]);
        [(format!("{name}.{i}.weight"), vec![outputs, inputs]), (format!("{name}.{i}.bias"), vec![outputs])]
    })
}

/// The cost of packed layers, of the buffers of a tile, and of so many rows through them.
pub(super) fn cost(widths: &[usize], rows: usize) -> Cost {
    let layers = widths.windows(2).map(|pair| {
        let (inputs, outputs) = (pair[0] as f64, pair[1] as f64);
        // An activation takes as long as some tens of multiply-adds.
        Cost::packed(outputs, inputs) + Cost::work(rows as f64 * outputs * (inputs + 32.0))
    });
    let widest = widths.iter().fold(0, |most, w| most.max(*w)) as f64;
    layers.sum::<Cost>() + Cost::values(4.0 * 24.0 * widest + TILE_BYTES as f64)
}

/// Refuses widths out of range, `field` their name in the model file.
pub(super) fn check_widths(field: &str, widths: &[usize]) -> Result<()> {
    if widths.len() >= MOST_LAYERS {
        return fail!(FileDescription, "{field} has {} widths, expected fewer than {MOST_LAYERS}", widths.len());
    }
    match widths.iter().find(|w| !(1..=MOST_WIDTH).contains(*w)) {
        Some(width) => fail!(FileDescription, "{field} has width {width}, expected 1 to {MOST_WIDTH}"),
        None => Ok(()),
    }
}
