//! DeepONets (Lu et al., Nature Machine Intelligence 2021): an output at x is sum_k branch_k(u) trunk_k(x) + bias, the branch network fed
//! with an input function's values at fixed sensors, the trunk with the coordinates of a point.

mod numbers;

use pulp::Arch;

use super::arrays::{all_finite, at_most, expect_extents, expect_shape, finite, in_range, shape_error};
use super::dense::vector;
use super::dropout::Draw;
use super::fields::Source;
use super::network::Network;
use super::scaling::Scaling;
use super::{Model, Options};
use crate::error::{Result, fail, reserved, zeros};
use crate::kernels::product::{Rows, dots};
use crate::kernels::real::Real;
use crate::kernels::strided::{View, ViewMut};

pub use numbers::Numbers;

/// Numbers of the networks in draws of dropout.
const BRANCH: u32 = 0;
const TRUNK: u32 = 1;

/// Weights packed for one arithmetic, and the sizes of a plan.
pub struct DeepOnet<T> {
    arch: Arch,
    branch: Network<T>,
    trunk: Network<T>,
    bias: Vec<T>,
    functions: Scaling,
    inputs: Scaling,
    outputs: Scaling,
    sensors: usize,
    latent: usize,
    shared_trunk: bool,
    batch: usize,
    targets: usize,
    tile: usize,
}

/// Scratch of one plan.
pub struct Scratch<T> {
    /// Functions conditioned on; 0 before the first success.
    pub(super) functions: usize,
    /// Of each function the branch's features [outputs, latent].
    features: Vec<T>,
    raw: Vec<f64>,
    x: Vec<T>,
    layers: [Vec<T>; 2],
    /// An output at the points of a tile, and all of them.
    column: Vec<T>,
    values: Vec<T>,
    mean: Vec<f64>,
}

impl<T: Real> DeepOnet<T> {
    /// A plan's networks, or a draw of them.
    pub(super) fn new(model: &Model, options: &Options, draw: Option<Draw>) -> Result<Self> {
        let description = model.description();
        let Some(numbers) = &description.deeponet else { return fail!(State, "the model is no DeepONet") };
        let Some(targets) = options.targets else {
            return fail!(InvalidArgument, "option targets is not set, expected the largest number of points");
        };
        let factor = |network: u32| {
            move |layer: usize, channel: usize| match (&draw, layer.checked_sub(1)) {
                (Some(draw), Some(hidden)) => draw.factor(network, hidden, channel),
                _ => 1.0,
            }
        };
        let branch = Network::new(model, "branch", &numbers.branch_activations(), factor(BRANCH))?;
        let trunk = Network::new(model, "trunk", &numbers.trunk_activations(), factor(TRUNK))?;
        Ok(DeepOnet {
            arch: Arch::new(),
            tile: trunk.tile().min(targets),
            branch,
            trunk,
            bias: vector(model, "bias"),
            functions: Scaling::new(&numbers.functions),
            inputs: Scaling::new(&description.inputs),
            outputs: Scaling::new(&description.outputs),
            sensors: numbers.sensors,
            latent: numbers.latent,
            shared_trunk: numbers.shared_trunk,
            batch: options.batch,
            targets,
        })
    }

    /// Most values of a prediction.
    pub(super) fn room(&self) -> usize {
        self.batch.saturating_mul(self.targets).saturating_mul(self.outputs.width())
    }

    fn observed(&self) -> usize {
        self.sensors * self.functions.width()
    }

    pub(super) fn scratch(&self) -> Result<Scratch<T>> {
        let what = "a workspace";
        let (inputs, outputs) = (self.inputs.width(), self.outputs.width());
        let read = self.observed().max(self.tile.saturating_mul(inputs));
        let layer = self.branch.buffer_len(1).max(self.trunk.buffer_len(self.tile));
        let results = self.tile.saturating_mul(outputs);
        Ok(Scratch {
            functions: 0,
            features: zeros(self.batch.saturating_mul(self.branch.outputs()), what)?,
            raw: zeros(read, what)?,
            x: zeros(read, what)?,
            layers: [zeros(layer, what)?, zeros(layer, what)?],
            column: zeros(self.tile, what)?,
            values: zeros(results, what)?,
            mean: reserved(self.room(), what)?,
        })
    }

    /// Evaluates the branch for input functions [functions, sensors, channels].
    pub(super) fn condition(&self, s: &mut Scratch<T>, values: &View) -> Result<()> {
        let (width, observed) = (self.functions.width(), self.observed());
        let functions = (values.layout().len() / observed).max(1);
        expect_extents("context_y", values.layout(), [functions, self.sensors, width].into_iter())?;
        at_most("context_y", "functions", functions, self.batch, "batch")?;
        finite("context_y", values, self.sensors, width)?;
        self.functions.check_domain("context_y", &Source::one(values))?;
        let values = values.merged();
        s.functions = 0;
        let Scratch { features, raw, x, layers: [a, b], .. } = s;
        for (function, features) in features.chunks_exact_mut(self.branch.outputs()).take(functions).enumerate() {
            values.gather(function * observed, &mut raw[..observed]);
            self.functions.to_network(self.arch, &mut raw[..observed], &mut x[..observed]);
            let row = Rows { data: &x[..observed], stride: observed, count: 1 };
            features.copy_from_slice(self.branch.apply(self.arch, row, [a, b]));
            if !all_finite(features) {
                return fail!(NonFinite, "the branch network overflows for function {function}");
            }
        }
        s.functions = functions;
        Ok(())
    }

    /// The outputs at points x [targets, inputs] or [functions, targets, inputs].
    pub(super) fn query(&self, s: &mut Scratch<T>, x: &View, mean: &mut ViewMut) -> Result<()> {
        if s.functions == 0 {
            return fail!(State, "the workspace is not conditioned, expected an input function first");
        }
        let (inputs, outputs, functions) = (self.inputs.width(), self.outputs.width(), s.functions);
        let (shared, targets) = match *x.layout().shape() {
            [targets] if inputs == 1 => (true, targets),
            [targets, _] => (true, targets),
            [f, targets, _] => (f == 1, targets),
            _ => return shape_error("target_x", x, "[targets, inputs] or [functions, targets, inputs]"),
        };
        expect_shape("target_x", x.layout().shape(), if shared { 1 } else { functions }, targets, inputs)?;
        at_most("target_x", "targets", targets, self.targets, "targets")?;
        finite("target_x", x, targets, inputs)?;
        expect_shape("mean", mean.layout().shape(), functions, targets, outputs)?;
        self.inputs.check_domain("target_x", &Source::one(x))?;
        let x = x.merged();
        let len = functions * targets * outputs;
        s.mean.clear();
        s.mean.resize(len, 0.0);
        // Points that all functions share go through the trunk once.
        for of in 0..if shared { 1 } else { functions } {
            let of = if shared { 0..functions } else { of..of + 1 };
            for first in (0..targets).step_by(self.tile) {
                let count = self.tile.min(targets - first);
                let start = if shared { first } else { of.start * targets + first };
                self.query_tile(s, &x, start, count, |function| (function * targets + first) * outputs, of.clone());
            }
        }
        in_range(mean.dtype(), &s.mean)?;
        mean.scatter(0, &s.mean);
        Ok(())
    }

    /// The outputs of some functions at points `start .. start + count`, function f's from `place(f)` on.
    fn query_tile(
        &self,
        s: &mut Scratch<T>,
        x: &View,
        start: usize,
        count: usize,
        place: impl Fn(usize) -> usize,
        functions: std::ops::Range<usize>,
    ) {
        let Scratch { features, raw, x: network, layers: [a, b], column, values, mean, .. } = s;
        let (inputs, outputs, p) = (self.inputs.width(), self.outputs.width(), self.latent);
        let len = count * inputs;
        x.gather(start * inputs, &mut raw[..len]);
        self.inputs.to_network(self.arch, &mut raw[..len], &mut network[..len]);
        let rows = Rows { data: &network[..len], stride: inputs, count };
        let trunk = &*self.trunk.apply(self.arch, rows, [a, b]);
        let width = self.trunk.outputs();
        for function in functions {
            for o in 0..outputs {
                let basis = if self.shared_trunk { 0 } else { o * p };
                let rows = Rows { data: &trunk[basis..], stride: width, count };
                let branch = &features[(function * outputs + o) * p..][..p];
                dots(self.arch, rows, branch, &self.bias[o..=o], &mut column[..count]);
                values[o..].iter_mut().step_by(outputs).zip(&column[..count]).for_each(|(to, v)| *to = *v);
            }
            let at = place(function);
            self.outputs.to_raw(self.arch, &values[..count * outputs], outputs, &mut mean[at..at + count * outputs]);
        }
    }
}
