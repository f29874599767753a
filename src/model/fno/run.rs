//! One evaluation, block by block.

use std::ops::Range;

use super::boon::Pair;
use super::numbers::MOST_AXES;
use super::sweep::{Left, Stage};
use super::{Block, Boon, Fno, Link, Network, SMOOTHED, Scratch};
use crate::error::{Result, collected, fail};
use crate::field::{Dtype, Layout};
use crate::kernels::activation::Activation;
use crate::kernels::modes::Begin;
use crate::kernels::product::{Rows, Start, dots, product};
use crate::kernels::real::Real;
use crate::kernels::rows::add_scaled;
use crate::kernels::strided::{View, ViewMut};
use crate::model::Channel;
use crate::model::arrays::expect_extents;
use crate::model::boundary::Kind;
use crate::model::fields::Source;

/// Points that pass through a pointwise network together.
const CHUNK: usize = 48;

/// Points `first .. first + count` of a line, the `number`th of its tiles.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub line: usize,
    pub number: usize,
    pub first: usize,
    pub count: usize,
}

/// Points of a tile that no activation touches.
#[derive(Clone, Copy, Default)]
pub(super) struct Spared {
    pub all: bool,
    pub first: bool,
    pub last: bool,
}

impl Spared {
    /// The elements of a tile's values that an activation touches.
    pub(super) fn acting(self, len: usize, width: usize) -> Range<usize> {
        let first = if self.all { len } else { usize::from(self.first) * width };
        first.min(len)..(len - usize::from(self.last) * width).max(first.min(len))
    }
}

pub(super) fn thirds<T>(buffer: &mut [T]) -> [&mut [T]; 3] {
    let third = buffer.len() / 3;
    let (a, rest) = buffer.split_at_mut(third);
    let (b, c) = rest.split_at_mut(third);
    [a, b, c]
}

/// The first value that is not finite. By chunks, which become vectors.
fn non_finite(x: &[f64]) -> Option<usize> {
    const CHUNK: usize = 64;
    let bad = |chunk: &[f64]| chunk.iter().fold(false, |bad, v| bad | !v.is_finite());
    let first = x.chunks(CHUNK).position(bad)? * CHUNK;
    x[first..].iter().position(|v| !v.is_finite()).map(|i| first + i)
}

impl<T: Real> Fno<T> {
    /// Predicts; see [`crate::model::Plan::predict`].
    pub(in crate::model) fn predict(
        &self,
        s: &mut Scratch<T>,
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
        s: &'s mut Scratch<T>,
        input: &Source,
        values: &[View],
        output: &Layout,
        dtype: Dtype,
    ) -> Result<View<'s>> {
        let batch = self.check_shapes(input.layout(), output)?;
        input.check_finite()?;
        self.check_values(&[batch, self.steps], values)?;
        let each = self.nodes() * self.outputs.len();
        for b in 0..batch {
            self.read_input(s, input, b);
            for step in 0..self.steps {
                let at = b * self.steps + step;
                self.read_values(s, values, at);
                self.forward(s);
                let result = &mut s.output[at * each..][..each];
                result.copy_from_slice(s.result.all());
                dtype.round_all(result);
                if let Some(boon) = &self.boon {
                    boon.finish(self.outputs.len(), &s.given, result);
                    dtype.round_all(result);
                }
                if let Some(i) = non_finite(result) {
                    let v = result[i];
                    return fail!(NonFinite, "the network gives {v} at element {i} of function {b}, step {step}");
                }
                if step + 1 < self.steps {
                    let Scratch { input, output, .. } = s;
                    let result = &output[at * each..][..each];
                    self.feed(input, result, |v, channel| (v - channel.offset) / channel.scale);
                }
            }
        }
        let shape = self.output_shape(batch);
        View::new("prediction", &s.output[..batch * self.steps * each], &shape[..self.axes.len() + 3])
    }

    /// [functions, steps, grid, outputs]; entries behind are 0.
    fn output_shape(&self, batch: usize) -> [usize; MOST_AXES + 3] {
        let mut shape = [0; MOST_AXES + 3];
        let d = self.grid.len();
        (shape[0], shape[1], shape[d + 2]) = (batch, self.steps, self.outputs.len());
        shape[2..d + 2].copy_from_slice(&self.grid);
        shape
    }

    /// Compares the arrays with the plan; the number of functions.
    fn check_shapes(&self, input: &Layout, output: &Layout) -> Result<usize> {
        let batch = (input.len() / (self.nodes() * self.inputs.len())).max(1);
        let inputs = [batch].into_iter().chain(self.grid.iter().copied()).chain([self.inputs.len()]);
        expect_extents("input", input, inputs)?;
        if batch > self.batch {
            return fail!(
                Shape,
                "input has {batch} functions, expected at most the plan's option batch, {}",
                self.batch
            );
        }
        let shape = self.output_shape(batch);
        expect_extents("output", output, shape.into_iter().take(self.axes.len() + 3))?;
        Ok(batch)
    }

    pub(super) fn check_values(&self, lead: &[usize], values: &[View]) -> Result<()> {
        match &self.boon {
            Some(boon) => boon.outer.check_values(lead, self.outputs.len(), values),
            None if values.is_empty() => Ok(()),
            None => fail!(Mismatch, "{} arrays of boundary values, expected none without boon", values.len()),
        }
    }

    /// Points of the caller's grid.
    pub(super) fn nodes(&self) -> usize {
        self.grid.iter().product()
    }

    pub(super) fn read_input(&self, s: &mut Scratch<T>, input: &Source, b: usize) {
        let each = s.input.len();
        let input = match input {
            Source::One { merged, .. } => merged,
            Source::Several(_) => {
                let width = self.inputs.len();
                return input.each(b * self.nodes(), self.nodes(), width, |node, channel, v| {
                    let c = &self.inputs[channel];
                    s.input[node * width + channel] = T::from_f64((v - c.offset) / c.scale);
                });
            }
        };
        self.scale_input(input, b * each, &mut s.input);
    }

    /// Elements of [.., inputs] from `first` on, where a point begins, in network units.
    pub(super) fn scale_input(&self, input: &View, first: usize, to: &mut [T]) {
        let mut buffer = [0.0; 256];
        let mut channels = self.inputs.iter().cycle();
        for (i, to) in to.chunks_mut(buffer.len()).enumerate() {
            input.gather(first + i * buffer.len(), &mut buffer[..to.len()]);
            let (part, to) = (&buffer[..to.len()], to.iter_mut());
            // The loop over a single channel becomes vectors.
            match &self.inputs[..] {
                [c] => to.zip(part).for_each(|(to, v)| *to = T::from_f64((*v - c.offset) / c.scale)),
                _ => to
                    .zip(part)
                    .zip(&mut channels)
                    .for_each(|((to, v), c)| *to = T::from_f64((*v - c.offset) / c.scale)),
            }
        }
    }

    /// A roll-out's next input: its oldest channels leave, the outputs become its newest, `scaled` to network units.
    pub(super) fn feed(&self, input: &mut [T], result: &[f64], scaled: impl Fn(f64, &Channel) -> f64) {
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        let kept = inputs - outputs;
        for (input, result) in input.chunks_exact_mut(inputs).zip(result.chunks_exact(outputs)) {
            input.copy_within(outputs.., 0);
            for ((to, v), c) in input[kept..].iter_mut().zip(result).zip(&self.inputs[kept..]) {
                *to = T::from_f64(scaled(*v, c));
            }
        }
    }

    /// Boundary values of one function and step: raw on the caller's grid, and in network units on the padded one.
    pub(super) fn read_values(&self, s: &mut Scratch<T>, values: &[View], at: usize) {
        let Some(boon) = &self.boon else { return };
        boon.outer.read_values(at, self.outputs.len(), values, &mut s.given);
        s.inside.fill(0.0);
        let Scratch { given, inside, .. } = s;
        self.each_value(boon, |outer, inner, offset, scale| inside[inner] = (given[outer] - offset) / scale);
    }

    /// Calls `visit(outer, inner, offset, scale)` for each boundary value: its place among those on the caller's grid and among those on
    /// the padded one, and what makes a raw value of a network's.
    pub(super) fn each_value(&self, boon: &Boon<T>, mut visit: impl FnMut(usize, usize, f64, f64)) {
        let outputs = self.outputs.len();
        for face in boon.outer.faces().iter().filter(|face| face.value.is_some()) {
            let [outer, inner] = [&boon.outer, &boon.inner].map(|bound| bound.value_start(face, outputs));
            for node in 0..boon.outer.nodes(face.axis) {
                let (mut rest, mut place, mut stride) = (node, 0, 1);
                for axis in (0..self.axes.len()).rev().filter(|axis| *axis != face.axis) {
                    place += (rest % self.grid[axis] + self.before[axis]) * stride;
                    rest /= self.grid[axis];
                    stride *= self.axes[axis].points;
                }
                for (o, c) in self.outputs.iter().enumerate() {
                    let offset = if face.kind == Kind::Dirichlet { c.offset } else { 0.0 };
                    visit(outer + node * outputs + o, inner + place * outputs + o, offset, c.scale);
                }
            }
        }
    }

    /// Evaluates the network on `s.input`; `s.result` receives the results, raw units.
    pub(super) fn forward(&self, s: &mut Scratch<T>) {
        if self.direct.is_none() {
            self.sweep(s, Stage::Lift);
        }
        for (b, block) in self.blocks.iter().enumerate() {
            let last = b + 1 == self.blocks.len();
            let direct = self.direct.as_ref().filter(|_| b == 0);
            if let Some(direct) = direct {
                self.lift_directly(s, direct);
                self.convolve(s, block, false, |s, number, pair| self.lifted_on_faces(s, number, pair));
            } else {
                let parts = self.collect(s);
                self.convolve(s, block, parts, |s, _, pair| self.input_on_faces(s, pair));
            }
            if let Some(norm) = &block.norm {
                self.normalise_modes(s, norm);
            }
            self.spread(s);
            self.sweep(s, Stage::Block(Left { block, direct, last }));
            if !self.some_wait {
                continue;
            }
            match &self.boon {
                Some(boon) => boon.set(self.numbers.width, self.outputs.len(), &s.inside, s.field.all()),
                None => self.measure_points(s, block),
            }
            self.sweep(s, Stage::Rest(last));
        }
    }

    /// The spectral convolution, from the components of its input along all axes, or from `parts` of them that the units of a sweep
    /// left, to those of its result. `input` is for [`Fno::correct`].
    pub(super) fn convolve(
        &self,
        s: &mut Scratch<T>,
        block: &Block<T>,
        parts: bool,
        input: impl Fn(&mut Scratch<T>, usize, &Pair<T>),
    ) {
        let Scratch { sums, components, modes, .. } = s;
        let begin = match parts {
            true => Begin::Parts { parts: sums.all(), len: self.sums_len() },
            false => Begin::Components,
        };
        self.mix(block, begin, components, modes);
        if let Some(boon) = &self.boon {
            self.correct(s, boon, block, input);
        }
    }

    /// All tiles of all lines.
    pub(super) fn every_tile(&self) -> impl Iterator<Item = Tile> {
        (0..self.line_count()).flat_map(move |line| (0..self.tiles()).map(move |number| self.tile_of(line, number)))
    }

    pub(super) fn tile_of(&self, line: usize, number: usize) -> Tile {
        let first = number * self.tile;
        Tile { line, number, first, count: self.tile.min(self.line_points() - first) }
    }

    /// Where the tiles begin in the field.
    pub(super) fn field_bounds(&self, what: &str) -> Result<Vec<usize>> {
        self.bounds(|tile| tile.count * self.numbers.width, what)
    }

    /// Where the tiles begin in an array [grid, channels]; those of the padding are empty.
    pub(super) fn inside_bounds(&self, channels: usize, what: &str) -> Result<Vec<usize>> {
        let len = |tile| {
            let (_, _, count) = self.inside_points(tile);
            self.inside(tile).map_or(0, |_| count * channels)
        };
        self.bounds(len, what)
    }

    /// Where tiles of so many elements begin that follow each other, and the end of the last.
    fn bounds(&self, len: impl Fn(Tile) -> usize, what: &str) -> Result<Vec<usize>> {
        let ends = self.every_tile().scan(0, |end, tile| {
            *end += len(tile);
            Some(*end)
        });
        collected(std::iter::once(0).chain(ends), what)
    }

    /// Calls `work(tile, thread)` for all tiles of the lines `line(0)` to `line(lines - 1)`.
    pub(super) fn each_tile(
        &self,
        lines: usize,
        line: impl Fn(usize) -> usize + Sync,
        work: impl Fn(Tile, usize) + Sync,
    ) {
        let tiles = self.tiles();
        self.team.each(lines * tiles, |task, thread| work(self.tile_of(line(task / tiles), task % tiles), thread));
    }

    /// The tile's line on the caller's grid: its first node there, and its indices on the axes before the last; none in the padding.
    pub(super) fn inside(&self, tile: Tile) -> Option<(usize, [usize; 2])> {
        let d = self.axes.len();
        let mut places = self.line_places(tile.line);
        let mut node = 0;
        for ((place, before), points) in places.iter_mut().zip(&self.before).zip(&self.grid).take(d - 1) {
            *place = place.checked_sub(*before).filter(|p| p < points)?;
            node = node * points + *place;
        }
        Some((node * self.grid[d - 1], places))
    }

    /// The tile's points on the caller's grid: how many of the tile come before them, the first one's index there, how many.
    pub(super) fn inside_points(&self, tile: Tile) -> (usize, usize, usize) {
        let last = self.axes.len() - 1;
        let (before, points) = (self.before[last], self.grid[last]);
        let end = tile.first + tile.count;
        // A tile may lie before the grid as a whole: padding has any width.
        let low = tile.first.max(before).min(end);
        let high = end.min(before + points);
        (low - tile.first, low.saturating_sub(before), high.saturating_sub(low))
    }

    /// What of a tile lies on the caller's grid.
    pub(super) fn trimmed(&self, tile: Tile) -> Tile {
        let (skipped, _, count) = self.inside_points(tile);
        let count = if self.inside(tile).is_some() { count } else { 0 };
        Tile { first: tile.first + skipped, count, ..tile }
    }

    pub(super) fn spared(&self, tile: Tile) -> Spared {
        let mut spared = Spared::default();
        let Some(boon) = self.boon.as_ref().filter(|boon| boon.spare) else { return spared };
        let places = self.line_places(tile.line);
        for face in boon.inner.faces().iter().filter(|face| face.kind != Kind::Periodic) {
            let end = if face.upper { self.axes[face.axis].points - 1 } else { 0 };
            if face.axis + 1 < self.axes.len() {
                spared.all |= places[face.axis] == end;
            } else if face.upper {
                spared.last |= tile.first + tile.count == end + 1;
            } else {
                spared.first |= tile.first == 0;
            }
        }
        spared
    }

    /// The activation of the blocks, but at points without one.
    pub(super) fn activate(&self, x: &mut [T], width: usize, spared: Spared) {
        self.activate_by(self.numbers.activation, x, width, spared);
    }

    /// The same, all values also to `copy`.
    pub(super) fn activate_and_copy(&self, x: &mut [T], width: usize, spared: Spared, copy: &mut [T]) {
        let acting = spared.acting(x.len(), width);
        for spared in [0..acting.start, acting.end..x.len()] {
            copy[spared.clone()].copy_from_slice(&x[spared]);
        }
        self.numbers.activation.apply_and_copy(self.arch, &mut x[acting.clone()], &mut copy[acting]);
    }

    pub(super) fn activate_by(&self, activation: Activation, x: &mut [T], width: usize, spared: Spared) {
        let acting = spared.acting(x.len(), width);
        activation.apply(self.arch, &mut x[acting]);
    }

    /// A pointwise network on `count` points; its result lies in one of the buffers.
    pub(super) fn network<'b>(
        &self,
        layers: &Network<T>,
        count: usize,
        x: &[T],
        buffers: [&'b mut [T]; 2],
        spared: Spared,
    ) -> &'b mut [T] {
        let [mut here, mut there] = buffers;
        for (i, layer) in layers.iter().enumerate() {
            let outputs = layer.weight.outputs();
            let from = if i == 0 { x } else { &*there };
            let x = Rows { data: from, stride: layer.weight.inner(), count };
            match &layer.few {
                Some(weight) => dots(self.arch, x, weight, &layer.bias, here),
                None => product(self.arch, x, &layer.weight, Start::Bias(&layer.bias), false, here, outputs),
            }
            if i + 1 < layers.len() {
                self.activate_by(layers.activation, &mut here[..count * outputs], outputs, spared);
                std::mem::swap(&mut here, &mut there);
            }
        }
        let outputs = layers.last().map_or(0, |layer| layer.weight.outputs());
        &mut here[..count * outputs]
    }

    /// The same for as many points as `result` has, in chunks whose hidden layers stay in the first-level cache.
    pub(super) fn network_into(
        &self,
        layers: &Network<T>,
        x: &[T],
        result: &mut [T],
        [a, b]: &mut [&mut [T]; 2],
        spared: Spared,
    ) {
        let (Some(first), Some(last)) = (layers.first(), layers.last()) else { return };
        let (inputs, outputs) = (first.weight.inner(), last.weight.outputs());
        let chunks = result.len().div_ceil(CHUNK * outputs);
        for (i, result) in result.chunks_mut(CHUNK * outputs).enumerate() {
            let (count, x) = (result.len() / outputs, &x[i * CHUNK * inputs..]);
            let spared =
                Spared { first: spared.first && i == 0, last: spared.last && i + 1 == chunks, all: spared.all };
            result.copy_from_slice(self.network(layers, count, x, [a, b], spared));
        }
    }

    /// Elements of a buffer of [`Fno::network_into`].
    pub(super) fn wide_len(&self) -> usize {
        CHUNK * self.widest() + T::PANEL
    }

    /// What the lifting meets at all points of a tile, and 1; 0 in the padding.
    pub(super) fn lifting_meets(&self, s: &Scratch<T>, tile: Tile, x: &mut [T]) {
        let each = self.numbers.lifted(self.inputs.len()) + 1;
        let (skipped, start, count) = self.inside_points(tile);
        x.fill(T::ZERO);
        let Some((node, places)) = self.inside(tile).filter(|_| count > 0) else { return };
        let inside = &mut x[skipped * each..][..count * each];
        self.meet(&s.input, node + start, start..start + count, places, (inside, each));
        inside.chunks_exact_mut(each).for_each(|to| to[each - 1] = T::ONE);
    }

    /// What the lifting meets at points `on_last` of a line of the caller's grid, which are nodes `node` and following of `input`
    /// [nodes, inputs], to the beginnings of rows that are `each` elements apart. Channel by channel: a point has too few values for a loop.
    pub(super) fn meet(
        &self,
        input: &[T],
        node: usize,
        on_last: Range<usize>,
        places: [usize; 2],
        (to, each): (&mut [T], usize),
    ) {
        let (inputs, last) = (self.inputs.len(), self.axes.len() - 1);
        let (input, to) = (&input[node * inputs..][..on_last.len() * inputs], &mut to[..on_last.len() * each]);
        for channel in 0..inputs {
            for (to, from) in to.chunks_exact_mut(each).zip(input.chunks_exact(inputs)) {
                to[channel] = from[channel];
            }
        }
        for (axis, values) in self.coordinates.iter().enumerate() {
            let to = to.chunks_exact_mut(each).map(|to| &mut to[inputs + axis]);
            if axis == last {
                to.zip(&values[on_last.clone()]).for_each(|(to, v)| *to = *v);
            } else {
                to.for_each(|to| *to = values[places[axis]]);
            }
        }
    }

    /// What the lifting meets at the tile's points on the caller's grid: how many points of the tile come before them, and how many
    /// there are.
    pub(super) fn lifted_points(&self, s: &Scratch<T>, tile: Tile, x: &mut [T]) -> (usize, usize) {
        let (skipped, start, count) = self.inside_points(tile);
        let Some((node, places)) = self.inside(tile).filter(|_| count > 0) else { return (skipped, 0) };
        let each = self.numbers.lifted(self.inputs.len());
        self.meet(&s.input, node + start, start..start + count, places, (x, each));
        (skipped, count)
    }

    /// What the projection made of points to raw units.
    pub(super) fn unscale(&self, projected: &[T], to: &mut [f64]) {
        let outputs = self.outputs.len();
        for (to, values) in to.chunks_exact_mut(outputs).zip(projected.chunks_exact(outputs)) {
            for ((to, v), c) in to.iter_mut().zip(values).zip(&self.outputs) {
                *to = c.offset + c.scale * v.to_f64();
            }
        }
    }

    /// Number of a tile among the pieces of the field, the partial sums and the results.
    pub(super) fn piece(&self, tile: Tile) -> usize {
        tile.line * self.tiles() + tile.number
    }

    /// The spectral convolution without corrections.
    pub(super) fn mix(&self, block: &Block<T>, begin: Begin<T>, components: &mut [T], [x, y]: &mut [Vec<T>; 2]) {
        self.modes.convolve(&self.back_modes, &self.team, self.arch, &block.mixer, begin, components, [x, y]);
    }

    /// y += what a connection makes of x.
    pub(super) fn connect(&self, link: &Link<T>, x: &[T], y: &mut [T]) {
        let w = self.numbers.width;
        match link {
            Link::None => {}
            Link::Gate(factors) => add_scaled(self.arch, x, factors, y),
            Link::Linear(weight) => {
                let rows = Rows { data: x, stride: w, count: x.len() / w };
                product(self.arch, rows, weight, Start::Output, false, y, w);
            }
        }
    }
}

impl<T: Real> Boon<T> {
    /// Sets a block's result at the nodes of faces.
    pub(super) fn set(&self, width: usize, outputs: usize, inside: &[f64], field: &mut [T]) {
        self.inner.set(width, inside, |c| c % outputs, self.stretch, |node, c| node * width + c, field);
        if self.smooth {
            let shape = self.inner.shape();
            smooth(shape[0], shape[1..].iter().product::<usize>() * width, field);
        }
    }

    /// Sets the results at the nodes of faces, raw units.
    pub(super) fn finish(&self, outputs: usize, given: &[f64], result: &mut [f64]) {
        self.outer.set(outputs, given, |c| c, 1.0, |node, c| node * outputs + c, result);
        if self.smooth {
            let lines = self.outer.shape()[0];
            smooth(lines, result.len() / lines, result);
        }
    }
}

/// The published code's smoothing next to Dirichlet faces: nodes 1 to 4 from either end of the first axis get the mean of themselves and
/// both neighbours before it. `line`: elements of one index.
fn smooth<E: Real>(lines: usize, line: usize, field: &mut [E]) {
    for first in [0, lines - 1 - SMOOTHED] {
        for i in 0..line {
            smooth_line(field, |k| (first + k) * line + i);
        }
    }
}

/// The smoothing of one line's nodes between the first and the last of those whose places `at` tells.
pub(super) fn smooth_line<E: Real>(field: &mut [E], at: impl Fn(usize) -> usize) {
    let mut before = field[at(0)].to_f64();
    for k in 1..SMOOTHED {
        let (here, after) = (field[at(k)].to_f64(), field[at(k + 1)].to_f64());
        field[at(k)] = E::from_f64((before + here + after) / 3.0);
        before = here;
    }
}
