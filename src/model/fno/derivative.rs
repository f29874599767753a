//! Derivatives of a prediction with respect to the input and the boundary values: in a direction (jvp), and back from the output (vjp).
//!
//! A call evaluates the network once, pass after pass over whole fields, and keeps what activations meet. All else is linear: tangents
//! go through the transforms, products and corrections of the evaluation, cotangents through their transposes
//! ([`super::transpose`]), last to first.
//!
//! Of a roll-out the steps' inputs are kept, and what a step's activations meet is found again when the step is differentiated: backwards,
//! the last step first, with the cotangent of its input carried to the step before.

use std::ops::Range;

use super::norm::Normalised;
use super::run::{Spared, Tile};
use super::sweep::Stage;
use super::transpose::{Corrected, Transposes};
use super::{Boon, Fno, Link, Network, SMOOTHED, Scratch};
use crate::error::{Result, fail, zeros};
use crate::field::{Dtype, Sharing, sharing};
use crate::kernels::activation::Activation;
use crate::kernels::product::{Columns, Packed, Rows, Start, product, products};
use crate::kernels::real::Real;
use crate::kernels::strided::{View, ViewMut};
use crate::kernels::team::Shared;
use crate::model::arrays::{all_finite, expect_extents};
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

/// A thread's buffers: four for values at the points of a tile, one for all that hidden layers meet there.
struct Buffers<'a, T> {
    values: [&'a mut [T]; 4],
    hidden: &'a mut [T],
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
        let field = || Shared::new(self.field_bounds(), points * self.numbers.width + T::PANEL, what);
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
            direction: Shared::new(self.inside_bounds(self.inputs.len()), state, what)?,
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

    /// Works on all tiles of all lines.
    fn each_tile_buffered(&self, threads: &Shared<T>, work: impl Fn(Tile, Buffers<T>) + Sync) {
        let each = self.buffer_len();
        self.each_tile(
            self.line_count(),
            |line| line,
            |tile, thread| {
                let mut all = threads.write(thread);
                let (values, hidden) = all.split_at_mut(4 * each);
                let mut values = values.chunks_exact_mut(each);
                let values = std::array::from_fn(|_| values.next().expect("four buffers"));
                work(tile, Buffers { values, hidden });
            },
        );
    }

    /// Whether block `b` has its activations.
    fn is_active(&self, b: usize) -> bool {
        b + 1 < self.blocks.len() || self.numbers.last_activation
    }

    /// Whether block `b` has an activation at its end; boundary conditions exclude that.
    fn has_final(&self, b: usize) -> bool {
        self.numbers.final_activation && self.is_active(b)
    }

    /// Evaluates the network on one step of a function and keeps what activations and the projection meet. The field of `s.run` is free
    /// then.
    fn evaluate_step(&self, s: &mut DerivativeScratch<T>, values: &[View], function: usize, step: usize) -> Result<()> {
        if let Some(state) = s.states.chunks_exact(s.run.input.len()).nth(step) {
            s.run.input.copy_from_slice(state);
        }
        self.read_values(&mut s.run, values, function * self.steps + step);
        self.sweep(&mut s.run, Stage::Lift);
        self.to_lines_forward(s.run.field.all(), s.lines.all());
        for (b, block) in self.blocks.iter().enumerate() {
            let norm = self.numbers.norm.as_ref().zip(block.norm.as_ref());
            let bias = norm.map_or(&block.bias, |(_, norm)| &norm.spectral_bias);
            self.convolve_lines(&mut s.run, s.lines.all(), block);
            self.join_lines(&s.lines, self.last_inverse(), Start::Bias(bias), &s.met[b]);
            if let Some((numbers, norm)) = norm {
                s.norms[b][0].apply(numbers, &norm.affine[0], Some(&norm.skip_bias), s.met[b].all());
            }
            self.connect_fields(&block.skip, &s.run.field, &s.met[b]);
            if let Some(boon) = &self.boon {
                boon.set(self.numbers.width, self.outputs.len(), &s.run.inside, s.met[b].all());
            }
            let work = &*s;
            self.each_tile_buffered(&s.threads, |tile, buffers| {
                let [x, a, c, _] = buffers.values;
                let piece = self.piece(tile);
                let mut field = work.run.field.write(piece);
                self.activated(b, &work.met[b].read(piece), self.spared(tile), x);
                let result = match &block.mlp {
                    None => &mut x[..field.len()],
                    Some(mlp) => {
                        let result = self.network(mlp, tile.count, x, [a, c], Spared::default());
                        self.connect(&block.mlp_skip, &field, result);
                        result
                    }
                };
                field.copy_from_slice(result);
            });
            if let Some((numbers, norm)) = norm {
                s.norms[b][1].apply(numbers, &norm.affine[1], None, s.run.field.all());
            }
            if self.has_final(b) {
                s.met_last[b].all().copy_from_slice(s.run.field.all());
                let work = &*s;
                self.each_tile_buffered(&s.threads, |tile, _| {
                    let mut field = work.run.field.write(self.piece(tile));
                    self.activate(&mut field, self.numbers.width, Spared::default());
                });
            }
            if b + 1 < self.blocks.len() {
                self.to_lines_forward(s.run.field.all(), s.lines.all());
            }
        }
        std::mem::swap(&mut s.run.field, &mut s.projected);
        if !all_finite(s.projected.all()) {
            return fail!(NonFinite, "the network overflows on function {function}, step {step}");
        }
        Ok(())
    }

    /// Takes the tangents in `s.direction` and `s.run.given` to those of the network's results, in raw units, faces not yet set.
    fn push(&self, s: &mut DerivativeScratch<T>) {
        let w = self.numbers.width;
        s.run.inside.fill(0.0);
        if let Some(boon) = &self.boon {
            self.each_value(boon, |outer, inner, _, scale| s.run.inside[inner] = s.run.given[outer] / scale);
        }
        let work = &*s;
        self.each_tile_buffered(&s.threads, |tile, mut buffers| {
            let [x, t, ..] = &mut buffers.values;
            let mut field = work.run.field.write(self.piece(tile));
            field.fill(T::ZERO);
            let (skipped, count) = self.lifted_points(&work.run, tile, x);
            if count > 0 {
                let (inputs, lifted) = (self.inputs.len(), self.numbers.lifted(self.inputs.len()));
                let direction = work.direction.read(self.piece(tile));
                for (to, from) in t.chunks_exact_mut(lifted).zip(direction.chunks_exact(inputs)) {
                    to[..inputs].copy_from_slice(from);
                    to[inputs..].fill(T::ZERO);
                }
                let result = self.push_network(&self.lifting, count, Spared::default(), buffers);
                field[skipped * w..][..count * w].copy_from_slice(result);
            }
        });
        for (b, block) in self.blocks.iter().enumerate() {
            self.to_lines_forward(s.run.field.all(), s.lines.all());
            let norm = self.numbers.norm.as_ref().zip(block.norm.as_ref());
            self.convolve_lines(&mut s.run, s.lines.all(), block);
            self.join_lines(&s.lines, self.last_inverse(), Start::Zero, &s.beside);
            if let Some((numbers, norm)) = norm {
                s.norms[b][0].push(numbers, &norm.affine[0], s.beside.all());
            }
            self.connect_fields(&block.skip, &s.run.field, &s.beside);
            if let Some(boon) = &self.boon {
                boon.set(w, self.outputs.len(), &s.run.inside, s.beside.all());
            }
            let work = &*s;
            self.each_tile_buffered(&s.threads, |tile, mut buffers| {
                let (piece, spared) = (self.piece(tile), self.spared(tile));
                let (field, mut beside) = (work.run.field.read(piece), work.beside.write(piece));
                let met = work.met[b].read(piece);
                if self.is_active(b) {
                    self.scale_by_slopes(&met, &mut beside, w, spared);
                }
                if let Some(mlp) = &block.mlp {
                    let [x, t, ..] = &mut buffers.values;
                    self.activated(b, &met, spared, x);
                    t[..beside.len()].copy_from_slice(&beside);
                    let result = self.push_network(mlp, tile.count, spared, buffers);
                    self.connect(&block.mlp_skip, &field, result);
                    beside.copy_from_slice(result);
                }
            });
            if let Some((numbers, norm)) = norm {
                s.norms[b][1].push(numbers, &norm.affine[1], s.beside.all());
            }
            self.scale_by_final_slopes(b, s);
            std::mem::swap(&mut s.run.field, &mut s.beside);
        }
        let work = &*s;
        self.each_tile_buffered(&s.threads, |tile, mut buffers| {
            let [x, t, ..] = &mut buffers.values;
            let Some((skipped, count)) = self.projected_points(tile) else { return };
            let inside = skipped * w..(skipped + count) * w;
            x[..inside.len()].copy_from_slice(&work.projected.read(self.piece(tile))[inside.clone()]);
            t[..inside.len()].copy_from_slice(&work.run.field.read(self.piece(tile))[inside]);
            let result = self.push_network(&self.projection, count, self.spared(tile), buffers);
            let channels = self.outputs.iter().cycle();
            let mut to = work.run.result.write(self.piece(tile));
            for ((to, v), c) in to.iter_mut().zip(result).zip(channels) {
                *to = c.scale * v.to_f64();
            }
        });
    }

    /// Takes the cotangents of the network's results (`s.run.result`, raw units) to those of the input, `s.direction`, and adds those of
    /// the boundary values to `s.run.given`.
    fn pull(&self, s: &mut DerivativeScratch<T>, transposes: &Transposes<T>) {
        let w = self.numbers.width;
        let work = &*s;
        self.each_tile_buffered(&s.threads, |tile, mut buffers| {
            let mut beside = work.beside.write(self.piece(tile));
            beside.fill(T::ZERO);
            let Some((skipped, count)) = self.projected_points(tile) else { return };
            let [x, g, ..] = &mut buffers.values;
            let inside = skipped * w..(skipped + count) * w;
            x[..inside.len()].copy_from_slice(&work.projected.read(self.piece(tile))[inside.clone()]);
            let channels = self.outputs.iter().cycle();
            for ((to, v), c) in g.iter_mut().zip(&*work.run.result.read(self.piece(tile))).zip(channels) {
                *to = T::from_f64(c.scale * v);
            }
            let spared = self.spared(tile);
            let result = self.pull_network(&self.projection, &transposes.projection, count, spared, buffers);
            beside[inside].copy_from_slice(result);
        });
        s.run.inside.fill(0.0);
        for (b, block) in self.blocks.iter().enumerate().rev() {
            let t = &transposes.blocks[b];
            let norm = self.numbers.norm.as_ref().zip(block.norm.as_ref());
            self.scale_by_final_slopes(b, s);
            if let Some((numbers, norm)) = norm {
                s.norms[b][1].pull(numbers, &norm.affine[1], s.beside.all());
            }
            let work = &*s;
            self.each_tile_buffered(&s.threads, |tile, mut buffers| {
                let (piece, spared) = (self.piece(tile), self.spared(tile));
                let (mut field, mut beside) = (work.run.field.write(piece), work.beside.write(piece));
                let met = work.met[b].read(piece);
                field.fill(T::ZERO);
                if let Some(mlp) = &block.mlp {
                    let [x, g, ..] = &mut buffers.values;
                    self.connect(&t.mlp_skip, &beside, &mut field);
                    self.activated(b, &met, spared, x);
                    g[..beside.len()].copy_from_slice(&beside);
                    beside.copy_from_slice(self.pull_network(mlp, &t.mlp, tile.count, spared, buffers));
                }
                if self.is_active(b) {
                    self.scale_by_slopes(&met, &mut beside, w, spared);
                }
            });
            if let Some(boon) = &self.boon {
                boon.set_transposed(w, self.outputs.len(), &mut s.run.inside, s.beside.all());
            }
            self.connect_fields(&t.skip, &s.beside, &s.run.field);
            if let Some((numbers, norm)) = norm {
                s.norms[b][0].pull(numbers, &norm.affine[0], s.beside.all());
            }
            let last = transposes.axes.last().expect("an axis");
            self.to_lines(&last.inverse, s.beside.all(), s.lines.all());
            self.convolve_transposed(&mut s.run, s.lines.all(), &mut s.corrected, transposes, b);
            self.join_lines(&s.lines, &last.forward, Start::Output, &s.run.field);
            self.add_faces(&s.corrected, transposes, b, s.run.field.all());
            std::mem::swap(&mut s.run.field, &mut s.beside);
        }
        let work = &*s;
        self.each_tile_buffered(&s.threads, |tile, mut buffers| {
            let [x, g, ..] = &mut buffers.values;
            let (skipped, count) = self.lifted_points(&work.run, tile, x);
            if count == 0 {
                return;
            }
            let len = count * w;
            g[..len].copy_from_slice(&work.beside.read(self.piece(tile))[skipped * w..][..len]);
            let result = self.pull_network(&self.lifting, &transposes.lifting, count, Spared::default(), buffers);
            let (inputs, lifted) = (self.inputs.len(), self.numbers.lifted(self.inputs.len()));
            let mut direction = work.direction.write(self.piece(tile));
            for (to, from) in direction.chunks_exact_mut(inputs).zip(result.chunks_exact(lifted)) {
                to.copy_from_slice(&from[..inputs]);
            }
        });
        if let Some(boon) = &self.boon {
            self.each_value(boon, |outer, inner, _, scale| s.run.given[outer] += s.run.inside[inner] / scale);
        }
    }

    /// The points of the tile that are projected: how many of the tile come before them, how many.
    fn projected_points(&self, tile: Tile) -> Option<(usize, usize)> {
        let (skipped, _, count) = self.inside_points(tile);
        self.inside(tile).filter(|_| count > 0).map(|_| (skipped, count))
    }

    /// What the pointwise network of block `b` meets.
    fn activated(&self, b: usize, met: &[T], spared: Spared, x: &mut [T]) {
        let x = &mut x[..met.len()];
        x.copy_from_slice(met);
        if self.is_active(b) {
            self.activate(x, self.numbers.width, spared);
        }
    }

    /// The field beside times the slopes of the activation at the end of block `b`.
    fn scale_by_final_slopes(&self, b: usize, s: &DerivativeScratch<T>) {
        if self.has_final(b) {
            self.each_tile_buffered(&s.threads, |tile, _| {
                let (met, mut beside) = (s.met_last[b].read(self.piece(tile)), s.beside.write(self.piece(tile)));
                self.scale_by_slopes(&met, &mut beside, self.numbers.width, Spared::default());
            });
        }
    }

    /// Each slope times that of the activation where it met `met`, but at points without one.
    fn scale_by_slopes(&self, met: &[T], slopes: &mut [T], width: usize, spared: Spared) {
        self.scale_by_slopes_of(self.numbers.activation, met, slopes, width, spared);
    }

    fn scale_by_slopes_of(&self, activation: Activation, met: &[T], slopes: &mut [T], width: usize, spared: Spared) {
        let inside = spared.acting(met.len(), width);
        activation.scale_by_slope(self.arch, &met[inside.clone()], &mut slopes[inside]);
    }

    /// The tangent of a pointwise network at `count` points. The first two buffers hold what it meets and the tangent of that.
    fn push_network<'b>(
        &self,
        layers: &Network<T>,
        count: usize,
        spared: Spared,
        buffers: Buffers<'b, T>,
    ) -> &'b mut [T] {
        let [mut x, mut t, mut y, mut u] = buffers.values;
        for (i, layer) in layers.iter().enumerate() {
            let (inner, outputs) = (layer.weight.inner(), layer.weight.outputs());
            let rows = |data| Rows { data, stride: inner, count };
            product(self.arch, rows(t), &layer.weight, Start::Zero, false, u, outputs);
            if i + 1 < layers.len() {
                product(self.arch, rows(x), &layer.weight, Start::Bias(&layer.bias), false, y, outputs);
                let (met, slopes) = (&mut y[..count * outputs], &mut u[..count * outputs]);
                self.scale_by_slopes_of(layers.activation, met, slopes, outputs, spared);
                self.activate_by(layers.activation, met, outputs, spared);
                std::mem::swap(&mut x, &mut y);
            }
            std::mem::swap(&mut t, &mut u);
        }
        let outputs = layers.last().map_or(0, |layer| layer.weight.outputs());
        &mut t[..count * outputs]
    }

    /// The cotangent of what a pointwise network meets at `count` points. The first two buffers hold that and the cotangent of its result.
    fn pull_network<'b>(
        &self,
        layers: &Network<T>,
        transposed: &[Packed<T>],
        count: usize,
        spared: Spared,
        buffers: Buffers<'b, T>,
    ) -> &'b mut [T] {
        let Buffers { values: [x, mut g, mut h, _], hidden } = buffers;
        let mut at = 0;
        for layer in &layers[..layers.len() - 1] {
            let (inner, outputs) = (layer.weight.inner(), layer.weight.outputs());
            let met = &mut hidden[at..][..count * outputs];
            let rows = Rows { data: &*x, stride: inner, count };
            product(self.arch, rows, &layer.weight, Start::Bias(&layer.bias), false, met, outputs);
            x[..met.len()].copy_from_slice(met);
            self.activate_by(layers.activation, &mut x[..met.len()], outputs, spared);
            at += met.len();
        }
        for (i, weight) in transposed.iter().enumerate().rev() {
            let outputs = weight.outputs();
            let rows = Rows { data: &*g, stride: weight.inner(), count };
            product(self.arch, rows, weight, Start::Zero, false, h, outputs);
            if i > 0 {
                at -= count * outputs;
                let (met, slopes) = (&hidden[at..][..count * outputs], &mut h[..count * outputs]);
                self.scale_by_slopes_of(layers.activation, met, slopes, outputs, spared);
            }
            std::mem::swap(&mut g, &mut h);
        }
        let outputs = transposed.first().map_or(0, |weight| weight.outputs());
        &mut g[..count * outputs]
    }

    /// The components along the last axis of a field.
    fn to_lines_forward(&self, field: &[T], lines: &mut [T]) {
        let axis = self.axes.last().expect("an axis");
        self.to_lines(axis.forward(), field, lines);
    }

    /// Applies a matrix [components, points] to each line of a field.
    fn to_lines(&self, matrix: &[T], field: &[T], lines: &mut [T]) {
        let (w, row, points) = (self.numbers.width, self.row, self.line_points());
        let matrix = Rows { data: matrix, stride: points, count: matrix.len() / points };
        self.team.share(lines, row, field.len() * 4, |first, lines| {
            for (line, to) in lines.chunks_exact_mut(row).enumerate() {
                let x = Columns::plain(&field[(first + line) * points * w..], points, w);
                products(self.arch, [(matrix, x)], w, Start::Zero, to, w);
            }
        });
    }

    /// A field from what a matrix [points, components] makes of lines.
    fn join_lines(&self, lines: &Shared<T>, matrix: &[T], start: Start<T>, to: &Shared<T>) {
        let (w, rows) = (self.numbers.width, matrix.len() / self.line_points());
        self.each_tile(
            self.line_count(),
            |line| line,
            |tile, _| {
                let (z, mut to) = (lines.read(tile.line), to.write(self.piece(tile)));
                let matrix = Rows { data: &matrix[tile.first * rows..], stride: rows, count: tile.count };
                products(self.arch, [(matrix, Columns::plain(&z, rows, w))], w, start, &mut to, w);
            },
        );
    }

    /// Adds to one field what a connection makes of another.
    fn connect_fields(&self, link: &Link<T>, from: &Shared<T>, to: &Shared<T>) {
        self.each_tile(
            self.line_count(),
            |line| line,
            |tile, _| self.connect(link, &from.read(self.piece(tile)), &mut to.write(self.piece(tile))),
        );
    }
}

impl Spared {
    /// The elements of a tile's values that an activation touches.
    fn acting(self, len: usize, width: usize) -> Range<usize> {
        let first = if self.all { len } else { usize::from(self.first) * width };
        first.min(len)..(len - usize::from(self.last) * width).max(first.min(len))
    }
}

impl<T: Real> Boon<T> {
    /// The transpose of [`Boon::set`]; cotangents of the values are added to `inside`.
    fn set_transposed(&self, width: usize, outputs: usize, inside: &mut [f64], field: &mut [T]) {
        if self.smooth {
            let shape = self.inner.shape();
            smooth_transposed(shape[0], shape[1..].iter().product::<usize>() * width, field);
        }
        let at = |node: usize, c: usize| node * width + c;
        self.inner.set_transposed(width, inside, |c| c % outputs, self.stretch, at, field);
    }

    /// The transpose of [`Boon::finish`].
    fn finish_transposed(&self, outputs: usize, given: &mut [f64], result: &mut [f64]) {
        if self.smooth {
            let lines = self.outer.shape()[0];
            smooth_transposed(lines, result.len() / lines, result);
        }
        self.outer.set_transposed(outputs, given, |c| c, 1.0, |node, c| node * outputs + c, result);
    }
}

/// The transpose of [`super::run::smooth`]: what a mean of three lines gets goes to them in equal parts.
fn smooth_transposed<E: Real>(lines: usize, line: usize, field: &mut [E]) {
    for first in [1, lines - SMOOTHED] {
        let means = first..first + SMOOTHED - 1;
        for i in 0..line {
            let mut before = 0.0;
            for l in first - 1..=means.end {
                let here = field[l * line + i].to_f64();
                let part = if means.contains(&l) { here / 3.0 } else { 0.0 };
                let own = if means.contains(&l) { part } else { here };
                let after = if means.contains(&(l + 1)) { field[(l + 1) * line + i].to_f64() / 3.0 } else { 0.0 };
                field[l * line + i] = E::from_f64(before + own + after);
                before = part;
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
