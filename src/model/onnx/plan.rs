//! A network bound to a grid, and its evaluation: the caller's arrays, a few functions at a time, through tract.

use tract_onnx::prelude::Datum;

use super::network::{Network, Runnable};
use super::{Layout, Numbers, Precision, TENSOR};
use crate::error::{Result, fail, zeros};
use crate::field::{self, Dtype};
use crate::kernels::strided::{View, ViewMut};
use crate::model::arrays::expect_extents;
use crate::model::fields::Source;
use crate::model::{Channel, Model, Options};

/// A network and the sizes of a plan.
pub struct Onnx {
    network: Runnable,
    numbers: Numbers,
    inputs: Vec<Channel>,
    outputs: Vec<Channel>,
    batch: usize,
    grid: Vec<usize>,
}

/// Scratch of one plan.
pub struct Scratch {
    /// The functions that the network is given: [batch, grid, inputs], network units.
    input: Vec<f64>,
    /// Results, raw units: [functions, grid, outputs].
    output: Vec<f64>,
}

impl Onnx {
    pub(in crate::model) fn new(model: &Model, arithmetic: Dtype, options: &Options) -> Result<Self> {
        let description = model.description();
        let Some(numbers) = description.onnx.clone() else {
            return fail!(State, "the model is no network in ONNX");
        };
        let grid = grid(&numbers, options)?;
        if arithmetic != numbers.dtype.into() {
            let name = if numbers.dtype == Precision::F32 { "f32" } else { "f64" };
            return fail!(Dtype, "the network is of {name}, expected a plan of that dtype; arrays may have either");
        }
        let Some(bytes) = model.tensor(TENSOR).bytes() else {
            return fail!(Weights, "tensor {TENSOR} is not of dtype U8");
        };
        let network = Network::read(bytes)?;
        let (inputs, outputs) = (description.inputs.clone(), description.outputs.clone());
        check_input(&network, &numbers, inputs.len())?;
        let network = network.bind(&numbers.output, &numbers.shape(&grid, inputs.len()))?;
        let expected = numbers.shape(&grid, outputs.len());
        if network.shape != expected {
            return fail!(
                FileDescription,
                "output {} of the network has shape {:?}, expected {expected:?}",
                numbers.output,
                network.shape
            );
        }
        Ok(Onnx { network, numbers, inputs, outputs, batch: options.batch, grid })
    }

    fn nodes(&self) -> usize {
        self.grid.iter().product()
    }

    /// Values of one function in a prediction.
    pub(in crate::model) fn cells(&self) -> usize {
        self.nodes().saturating_mul(self.outputs.len())
    }

    /// Of what is read, and of what is written.
    pub(in crate::model) fn channels(&self) -> (usize, usize) {
        (self.inputs.len(), self.outputs.len())
    }

    /// Most values of a prediction.
    pub(in crate::model) fn room(&self) -> usize {
        self.batch.saturating_mul(self.cells())
    }

    pub(in crate::model) fn scratch(&self) -> Result<Scratch> {
        let many = |functions: usize, channels: usize| {
            zeros(functions.saturating_mul(self.nodes()).saturating_mul(channels), "a workspace")
        };
        Ok(Scratch {
            input: many(self.numbers.batch, self.inputs.len())?,
            output: many(self.batch, self.outputs.len())?,
        })
    }

    /// Predicts; see [`crate::model::Plan::predict`].
    pub(in crate::model) fn predict(
        &self,
        s: &mut Scratch,
        input: &Source,
        values: &[View],
        output: &mut ViewMut,
    ) -> Result<()> {
        let len = self.evaluate(s, input, values, output.layout(), output.dtype())?.layout().len();
        output.merged_mut().scatter(0, &s.output[..len]);
        Ok(())
    }

    /// Leaves the prediction in the scratch; see [`crate::model::Plan::evaluate`].
    pub(in crate::model) fn evaluate<'s>(
        &self,
        s: &'s mut Scratch,
        input: &Source,
        values: &[View],
        output: &field::Layout,
        dtype: Dtype,
    ) -> Result<View<'s>> {
        let functions = self.check_arrays(input.layout(), values, output)?;
        input.check_finite()?;
        let (taken, given) = (self.nodes() * self.inputs.len(), self.nodes() * self.outputs.len());
        let most = self.numbers.batch;
        for first in (0..functions).step_by(most) {
            let count = most.min(functions - first);
            // A network that takes more functions than are left is given the last one again.
            for (place, part) in s.input.chunks_exact_mut(taken).enumerate() {
                let function = first + place.min(count - 1);
                input.gather(function * self.nodes(), self.nodes(), self.inputs.len(), part);
                for (v, c) in part.iter_mut().zip(self.inputs.iter().cycle()) {
                    *v = (*v - c.offset) / c.scale;
                }
            }
            let result = &mut s.output[first * given..][..count * given];
            match self.numbers.dtype {
                Precision::F32 => self.run(&s.input, result, |v| v as f32, f64::from)?,
                Precision::F64 => self.run(&s.input, result, |v| v, |v| v)?,
            }
            for (v, c) in result.iter_mut().zip(self.outputs.iter().cycle()) {
                *v = c.offset + c.scale * *v;
            }
            dtype.round_all(result);
            if let Some(i) = result.iter().position(|v| !v.is_finite()) {
                let (v, function) = (result[i], first + i / given);
                return fail!(NonFinite, "the network gives {v} at element {} of function {function}", i % given);
            }
        }
        let shape = [&[functions, 1], &self.grid[..], &[self.outputs.len()]].concat();
        View::new("prediction", &s.output[..functions * given], &shape)
    }

    /// Compares the arrays with the plan; the number of functions.
    fn check_arrays(&self, input: &field::Layout, values: &[View], output: &field::Layout) -> Result<usize> {
        let functions = (input.len() / (self.nodes() * self.inputs.len())).max(1);
        let shape = |channels: usize| [&[functions], &self.grid[..], &[channels]].concat();
        expect_extents("input", input, shape(self.inputs.len()).into_iter())?;
        if functions > self.batch {
            let most = self.batch;
            return fail!(Shape, "input has {functions} functions, expected at most the plan's option batch, {most}");
        }
        expect_extents("output", output, shape(self.outputs.len()).into_iter())?;
        if !values.is_empty() {
            return fail!(
                Mismatch,
                "{} arrays of boundary values, expected none: the network takes none",
                values.len()
            );
        }
        Ok(functions)
    }

    /// One evaluation, network units: from `input` [batch, grid, inputs] to the first functions of what the network gives.
    fn run<T: Datum + Copy>(
        &self,
        input: &[f64],
        output: &mut [f64],
        narrow: impl Fn(f64) -> T,
        widen: impl Fn(T) -> f64,
    ) -> Result<()> {
        let nodes = self.nodes();
        let values: Vec<T> = match self.numbers.layout {
            Layout::Last => input.iter().map(|v| narrow(*v)).collect(),
            Layout::First => {
                let channels = self.inputs.len();
                let each = |function: &'_ [f64]| {
                    (0..channels * nodes)
                        .map(|i| narrow(function[i % nodes * channels + i / nodes]))
                        .collect::<Vec<T>>()
                };
                input.chunks_exact(nodes * channels).flat_map(each).collect()
            }
        };
        let shape = self.numbers.shape(&self.grid, self.inputs.len());
        self.network.run(&shape, &values, |given: &[T]| match self.numbers.layout {
            Layout::Last => output.iter_mut().zip(given).for_each(|(to, v)| *to = widen(*v)),
            Layout::First => {
                let channels = self.outputs.len();
                for (to, from) in output.chunks_exact_mut(nodes * channels).zip(given.chunks_exact(nodes * channels)) {
                    for (i, to) in to.iter_mut().enumerate() {
                        *to = widen(from[i % channels * nodes + i / channels]);
                    }
                }
            }
        })
    }
}

/// The grid that the options ask for; all that does not fit a network is refused.
fn grid(numbers: &Numbers, options: &Options) -> Result<Vec<usize>> {
    let d = numbers.axes;
    if options.latents > 0 || options.dropout > 0.0 {
        return fail!(InvalidArgument, "options latents and dropout belong to neural processes, expected them unset");
    }
    if options.steps > 1 {
        return fail!(InvalidArgument, "option steps is {}, expected 1 for a network in ONNX", options.steps);
    }
    if options.threads > 1 {
        return fail!(
            InvalidArgument,
            "option threads is {}, expected 1: a network in ONNX is evaluated by the calling thread",
            options.threads
        );
    }
    if options.boundary.is_some() {
        return fail!(State, "option boundary is set, but the model has no field boon");
    }
    let grid = match (&options.shape, d) {
        (None, 0) => vec![],
        (None, _) => return fail!(InvalidArgument, "option shape is not set, expected the grid's {d} extents"),
        (Some(grid), _) => grid.clone(),
    };
    if grid.len() != d || grid.contains(&0) {
        return fail!(InvalidArgument, "option shape is {grid:?}, expected {d} extents of at least 1");
    }
    if grid.iter().try_fold(1usize, |nodes, n| nodes.checked_mul(*n)).is_none_or(|nodes| nodes > 1 << 40) {
        return fail!(TooLarge, "a grid of {grid:?} points is beyond the address space");
    }
    Ok(grid)
}

/// Compares what the description says of the network's input with what the network says.
fn check_input(network: &Network, numbers: &Numbers, channels: usize) -> Result<()> {
    let input = network.input();
    if input.name != numbers.input {
        return fail!(FileDescription, "onnx.input is {}, but the network's input is {}", numbers.input, input.name);
    }
    if input.dtype != numbers.dtype {
        return fail!(
            FileDescription,
            "onnx.dtype is {:?}, but input {} of the network is {:?}",
            numbers.dtype,
            input.name,
            input.dtype
        );
    }
    let rank = input.shape.len();
    if rank != numbers.axes + 2 {
        return fail!(
            FileDescription,
            "onnx.axes is {}, but input {} of the network has rank {rank}, expected 2 more",
            numbers.axes,
            input.name
        );
    }
    let at = if numbers.layout == Layout::First { 1 } else { rank - 1 };
    for (what, here, fixed) in
        [("onnx.batch is", numbers.batch, input.shape[0]), ("inputs lists", channels, input.shape[at])]
    {
        if fixed.is_some_and(|fixed| fixed != here) {
            let fixed = fixed.unwrap_or_default();
            return fail!(FileDescription, "{what} {here}, but input {} of the network has {fixed}", input.name);
        }
    }
    Ok(())
}
