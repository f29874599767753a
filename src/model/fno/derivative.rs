//! Derivatives of a prediction with respect to the input and the boundary values: in a direction (jvp), and back from the output (vjp).
//!
//! A call evaluates the network once, pass after pass over whole fields, and keeps what activations meet. All else is linear: tangents
//! go through the transforms, products and corrections of the evaluation, cotangents through their transposes
//! ([`super::transpose`]), last to first.
//!
//! Of a roll-out the steps' inputs are kept, and what a step's activations meet is found again when the step is differentiated: backwards,
//! the last step first, with the cotangent of its input carried to the step before.

mod passes;

use super::norm::Normalised;
use super::transpose::{Corrected, Transposes};
use super::{Fno, Network, Scratch};
use crate::error::{Result, fail, zeros};
use crate::field::{Dtype, Sharing, sharing};
use crate::kernels::real::Real;
use crate::kernels::shared::Shared;
use crate::kernels::strided::{View, ViewMut};
use crate::model::arrays::expect_extents;
use crate::model::fields::Source;

/// Scratch of derivatives.
pub struct DerivativeScratch<T> {
    /// Scratch of the evaluation, then of tangents and cotangents. Its boundary values become their tangents or cotangents.
    run: Scratch<T>,
    /// [lines, row]: components along the last axis.
    lines: Shared<T>,
    /// What each block's activation meets, and the one at the end of a block: fields as in `run`.
    met: Vec<Shared<T>>,
    met_last: Vec<Shared<T>>,
    /// What both norms of each block make of their fields; empty without norms.
    norms: Vec<[Normalised<T>; 2]>,
    /// What the projection meets.
    projected: Shared<T>,
    /// A field besides that of `run`.
    beside: Shared<T>,
    /// Tangent or cotangent of one function's input, network units: [grid, inputs].
    direction: Shared<T>,
    corrected: Corrected<T>,
    threads: Shared<T>,
    /// Inputs of all steps of a roll-out, network units: [steps, grid, inputs].
    states: Vec<T>,
    /// Cotangent of the next step's input, network units.
    carried: Vec<f64>,
    /// Cotangents of all functions, raw units: [batch, grid, inputs], and face by face [batch, steps, values].
    of_input: Vec<f64>,
    of_values: Vec<f64>,
}

impl<T: Real> Fno<T> {
    /// Allocates all that derivatives need; the plan gets its transposed weights.
    pub(in crate::model) fn derivative_scratch(&self) -> Result<DerivativeScratch<T>> {
        if self.transposes.get().is_none() {
            let made = Transposes::new(self)?;
            // Another thread may have been faster, with the same.
            self.transposes.get_or_init(|| made);
        }
        let what = "a workspace of derivatives";
        let points = self.line_count() * self.line_points();
        let nodes: usize = self.grid.iter().product();
        let field = || Shared::new(self.field_bounds(what)?, points * self.numbers.width + T::PANEL, what);
        let fields = |count: usize| (0..count).map(|_| field()).collect::<Result<Vec<_>>>();
        let blocks = self.blocks.len();
        let norm = || Normalised::new(points, self.numbers.width, what);
        let norms = (0..if self.numbers.norm.is_some() { blocks } else { 0 }).map(|_| Ok([norm()?, norm()?]));
        let buffers = 4 * self.buffer_len() + self.hidden_len();
        let values = self.boon.as_ref().map_or(0, |boon| boon.outer.value_len(self.outputs.len()));
        let state = nodes * self.inputs.len();
        let rolled = |count: usize| if self.steps > 1 { count.saturating_mul(state) } else { 0 };
        Ok(DerivativeScratch {
            run: self.scratch()?,
            lines: Shared::uniform(self.line_count(), self.row, what)?,
            met: fields(blocks)?,
            met_last: fields(if self.numbers.final_activation { blocks } else { 0 })?,
            norms: norms.collect::<Result<_>>()?,
            projected: field()?,
            beside: field()?,
            direction: Shared::new(self.inside_bounds(self.inputs.len(), what)?, state, what)?,
            corrected: Corrected::new(self, what)?,
            threads: Shared::uniform(self.team.count(), buffers, what)?,
            states: zeros(rolled(self.steps), what)?,
            carried: zeros(rolled(1), what)?,
            of_input: zeros(self.batch.saturating_mul(state), what)?,
            of_values: zeros(self.batch.saturating_mul(self.steps).saturating_mul(values), what)?,
        })
    }

    /// Elements of the widest layer's values at the points of a tile.
    fn buffer_len(&self) -> usize {
        let mlps = self.blocks.iter().filter_map(|block| block.mlp.as_ref());
        let layers = [&self.lifting, &self.projection].into_iter().chain(mlps).flat_map(|network| network.iter());
        let widths = layers.flat_map(|layer| [layer.weight.inner(), layer.weight.outputs()]);
        self.tile * widths.fold(self.numbers.width, usize::max)
    }

    /// Elements of the hidden layers of a pointwise network there.
    fn hidden_len(&self) -> usize {
        let of = |layers: &Network<T>| layers[..layers.len() - 1].iter().map(|l| l.weight.outputs()).sum::<usize>();
        let mlps = self.blocks.iter().filter_map(|block| block.mlp.as_ref().map(&of));
        self.tile * mlps.chain([of(&self.lifting), of(&self.projection)]).max().unwrap_or(0)
    }

    /// See [`crate::model::Plan::jvp`].
    pub(in crate::model) fn jvp(
        &self,
        s: &mut DerivativeScratch<T>,
        input: &View,
        values: &[View],
        input_tangent: Option<&View>,
        value_tangents: Option<&[View]>,
        output_tangent: &mut ViewMut,
    ) -> Result<()> {
        let batch = self.check_inputs(input, values)?;
        if let Some(tangent) = input_tangent {
            self.check_array("input_tangent", tangent, batch, self.inputs.len())?;
            check_finite("input_tangent", tangent)?;
        }
        if let Some(tangents) = value_tangents {
            match &self.boon {
                Some(boon) => {
                    boon.outer.check_finite("value_tangents", &[batch, self.steps], self.outputs.len(), tangents)?;
                }
                None => check_none("value_tangents", tangents.len())?,
            }
        }
        self.check_results("output_tangent", &output_tangent.alias(), batch)?;
        let each = self.nodes() * self.outputs.len();
        for b in 0..batch {
            self.roll_out(s, input, values, b);
            match input_tangent {
                Some(tangent) => self.read_direction(s, tangent, b),
                None => s.direction.all().fill(T::ZERO),
            }
            for step in 0..self.steps {
                let at = b * self.steps + step;
                self.evaluate_step(s, values, b, step)?;
                s.run.given.fill(0.0);
                if let (Some(boon), Some(tangents)) = (&self.boon, value_tangents) {
                    boon.outer.read_values(at, self.outputs.len(), tangents, &mut s.run.given);
                }
                self.push(s);
                let result = &mut s.run.output[at * each..][..each];
                result.copy_from_slice(s.run.result.all());
                if let Some(boon) = &self.boon {
                    boon.finish(self.outputs.len(), &s.run.given, result);
                }
                if step + 1 < self.steps {
                    self.feed(s.direction.all(), result, |v, channel| v / channel.scale);
                }
            }
        }
        let result = &mut s.run.output[..batch * self.steps * each];
        round("output_tangent", output_tangent.dtype(), result)?;
        output_tangent.scatter(0, result);
        Ok(())
    }

    /// See [`crate::model::Plan::vjp`].
    pub(in crate::model) fn vjp(
        &self,
        s: &mut DerivativeScratch<T>,
        input: &View,
        values: &[View],
        output_cotangent: &View,
        input_cotangent: Option<&mut ViewMut>,
        value_cotangents: Option<&mut [ViewMut]>,
    ) -> Result<()> {
        let Some(transposes) = self.transposes.get() else {
            return fail!(Mismatch, "the workspace belongs to another plan");
        };
        let batch = self.check_inputs(input, values)?;
        self.check_results("output_cotangent", output_cotangent, batch)?;
        check_finite("output_cotangent", output_cotangent)?;
        if let Some(cotangent) = &input_cotangent {
            self.check_array("input_cotangent", &cotangent.alias(), batch, self.inputs.len())?;
        }
        if let Some(cotangents) = &value_cotangents {
            match &self.boon {
                Some(boon) => {
                    let views = cotangents.iter().map(|cotangent| cotangent.alias());
                    boon.outer.check_shapes("value_cotangents", &[batch, self.steps], self.outputs.len(), views)?;
                }
                None => check_none("value_cotangents", cotangents.len())?,
            }
        }
        check_apart(input_cotangent.as_deref(), value_cotangents.as_deref().unwrap_or_default())?;
        let each = s.direction.all().len();
        for b in 0..batch {
            self.roll_out(s, input, values, b);
            s.carried.fill(0.0);
            for step in (0..self.steps).rev() {
                let at = b * self.steps + step;
                self.evaluate_step(s, values, b, step)?;
                let result = s.run.result.all();
                output_cotangent.gather(at * result.len(), result);
                self.add_carried(&s.carried, result);
                s.run.given.fill(0.0);
                if let Some(boon) = &self.boon {
                    boon.finish_transposed(self.outputs.len(), &mut s.run.given, result);
                }
                self.pull(s, transposes);
                self.carry(s);
                s.of_values[at * s.run.given.len()..][..s.run.given.len()].copy_from_slice(&s.run.given);
            }
            let channels = self.inputs.iter().cycle();
            let of_input = s.of_input[b * each..][..each].iter_mut().zip(s.direction.all());
            for ((to, v), channel) in of_input.zip(channels) {
                *to = v.to_f64() / channel.scale;
            }
        }
        if let Some(cotangent) = &input_cotangent {
            round("input_cotangent", cotangent.dtype(), &mut s.of_input[..batch * each])?;
        }
        let of_values = &mut s.of_values[..batch * self.steps * s.run.given.len()];
        let parts = || self.boon.iter().flat_map(|boon| boon.outer.parts(self.outputs.len()));
        for (cotangent, part) in value_cotangents.iter().flat_map(|all| all.iter()).zip(parts()) {
            for of_function in of_values.chunks_exact_mut(s.run.given.len()) {
                round("value_cotangents", cotangent.dtype(), &mut of_function[part.clone()])?;
            }
        }
        if let Some(cotangent) = input_cotangent {
            cotangent.scatter(0, &s.of_input[..batch * each]);
        }
        for (cotangent, part) in value_cotangents.into_iter().flatten().zip(parts()) {
            for (b, of_function) in of_values.chunks_exact(s.run.given.len()).enumerate() {
                cotangent.scatter(b * part.len(), &of_function[part.clone()]);
            }
        }
        Ok(())
    }

    /// The number of functions.
    fn check_inputs(&self, input: &View, values: &[View]) -> Result<usize> {
        let batch = (input.layout().len() / (self.nodes() * self.inputs.len())).max(1);
        self.check_array("input", input, batch, self.inputs.len())?;
        if batch > self.batch {
            let most = self.batch;
            return fail!(Shape, "input has {batch} functions, expected at most the plan's option batch, {most}");
        }
        check_finite("input", input)?;
        match &self.boon {
            Some(boon) => boon.outer.check_values(&[batch, self.steps], self.outputs.len(), values)?,
            None => check_none("values", values.len())?,
        }
        Ok(batch)
    }

    fn check_array(&self, name: &str, array: &View, batch: usize, channels: usize) -> Result<()> {
        expect_extents(name, array.layout(), [batch].into_iter().chain(self.grid.iter().copied()).chain([channels]))
    }

    /// An array of results, [functions, steps, grid, outputs].
    fn check_results(&self, name: &str, array: &View, batch: usize) -> Result<()> {
        let grid = self.grid.iter().copied();
        expect_extents(name, array.layout(), [batch, self.steps].into_iter().chain(grid).chain([self.outputs.len()]))
    }

    /// Keeps the inputs of all steps of a function's roll-out.
    fn roll_out(&self, s: &mut DerivativeScratch<T>, input: &View, values: &[View], function: usize) {
        self.read_input(&mut s.run, &Source::one(input), function);
        let len = s.run.input.len();
        for (step, state) in s.states.chunks_exact_mut(len).enumerate() {
            state.copy_from_slice(&s.run.input);
            if step + 1 == self.steps {
                break;
            }
            self.read_values(&mut s.run, values, function * self.steps + step);
            self.forward(&mut s.run);
            let Scratch { input, given, result, .. } = &mut s.run;
            if let Some(boon) = &self.boon {
                boon.finish(self.outputs.len(), given, result.all());
            }
            self.feed(input, result.all(), |v, channel| (v - channel.offset) / channel.scale);
        }
    }

    /// Adds to cotangents of a step's results what the next step's input carries.
    fn add_carried(&self, carried: &[f64], result: &mut [f64]) {
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        for (to, from) in result.chunks_exact_mut(outputs).zip(carried.chunks_exact(inputs)) {
            for ((to, v), channel) in to.iter_mut().zip(&from[inputs - outputs..]).zip(&self.inputs[inputs - outputs..])
            {
                *to += v / channel.scale;
            }
        }
    }

    /// Adds to the cotangent of a step's input, `s.direction`, what its channels that stay for the next step carry, and carries the sum.
    fn carry(&self, s: &mut DerivativeScratch<T>) {
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        for (own, next) in s.direction.all().chunks_exact_mut(inputs).zip(s.carried.chunks_exact_mut(inputs)) {
            next.copy_within(..inputs - outputs, outputs);
            next[..outputs].fill(0.0);
            for (own, next) in own.iter_mut().zip(next) {
                *next += own.to_f64();
                *own = T::from_f64(*next);
            }
        }
    }

    fn read_direction(&self, s: &mut DerivativeScratch<T>, tangent: &View, b: usize) {
        let direction = s.direction.all();
        let each = direction.len();
        let mut buffer = [0.0; 256];
        let mut channels = self.inputs.iter().cycle();
        for start in (0..each).step_by(buffer.len()) {
            let part = &mut buffer[..(each - start).min(256)];
            tangent.gather(b * each + start, part);
            for ((to, v), c) in direction[start..].iter_mut().zip(part).zip(&mut channels) {
                *to = T::from_f64(*v / c.scale);
            }
        }
    }
}

fn check_finite(name: &str, array: &View) -> Result<()> {
    match array.first_non_finite() {
        None => Ok(()),
        Some((i, v)) => fail!(NonFinite, "{name} is {v} at element {i}, expected finite values"),
    }
}

fn check_none(name: &str, count: usize) -> Result<()> {
    if count > 0 {
        return fail!(Mismatch, "{name}: {count} arrays of boundary values, expected none without boon");
    }
    Ok(())
}

/// Results of one call may not share memory.
fn check_apart(of_input: Option<&ViewMut>, of_values: &[ViewMut]) -> Result<()> {
    let arrays = || of_input.into_iter().chain(of_values);
    for (number, a) in arrays().enumerate() {
        if arrays().skip(number + 1).any(|b| sharing(&a.place(), &b.place()) != Sharing::Disjoint) {
            return fail!(Stride, "two of the cotangents overlap, expected arrays apart");
        }
    }
    Ok(())
}

/// Rounds a result as it will be stored.
fn round(name: &str, dtype: Dtype, values: &mut [f64]) -> Result<()> {
    values.iter_mut().for_each(|v| *v = dtype.round(*v));
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => fail!(NonFinite, "{name} becomes {} at element {i}", values[i]),
    }
}
