//! One evaluation: block by block, line by line.

use super::numbers::MOST_AXES;
use super::{Block, BlockNorm, Boon, Fno, Link, SMOOTHED, Scratch};
use crate::error::{Result, fail};
use crate::kernels::product::{Columns, Rows, Start, dots, product, products};
use crate::kernels::real::Real;
use crate::kernels::rows::{add, add_scaled};
use crate::kernels::strided::{View, ViewMut};
use crate::model::arrays::expect_extents;
use crate::model::boundary::Kind;
use crate::model::dense::Dense;

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

pub(super) fn thirds<T>(buffer: &mut [T]) -> [&mut [T]; 3] {
    let third = buffer.len() / 3;
    let (a, rest) = buffer.split_at_mut(third);
    let (b, c) = rest.split_at_mut(third);
    [a, b, c]
}

impl<T: Real> Fno<T> {
    /// Predicts; see [`crate::model::Plan::predict`].
    pub(in crate::model) fn predict(
        &self,
        s: &mut Scratch<T>,
        input: &View,
        values: &[View],
        output: &mut ViewMut,
    ) -> Result<()> {
        let len = self.evaluate(s, input, values, output)?.layout().len();
        output.merged_mut().scatter(0, &s.output[..len]);
        Ok(())
    }

    /// Leaves the prediction in the scratch; see [`crate::model::Plan::evaluate`].
    pub(in crate::model) fn evaluate<'s>(
        &self,
        s: &'s mut Scratch<T>,
        input: &View,
        values: &[View],
        output: &ViewMut,
    ) -> Result<View<'s>> {
        let batch = self.check_shapes(input, output)?;
        if let Some((i, v)) = input.first_non_finite() {
            return fail!(NonFinite, "input is {v} at element {i}, expected finite values");
        }
        match &self.boon {
            Some(boon) => boon.outer.check_values(&[batch, self.steps], self.outputs.len(), values)?,
            None if values.is_empty() => {}
            None => return fail!(Mismatch, "{} arrays of boundary values, expected none without boon", values.len()),
        }
        let each = self.nodes() * self.outputs.len();
        for b in 0..batch {
            self.read_input(s, input, b);
            for step in 0..self.steps {
                let at = b * self.steps + step;
                self.read_values(s, values, at);
                self.forward(s);
                let result = &mut s.output[at * each..][..each];
                for (to, v) in result.iter_mut().zip(s.result.all()) {
                    *to = output.dtype().round(*v);
                }
                if let Some(boon) = &self.boon {
                    boon.finish(self.outputs.len(), &s.given, result);
                    result.iter_mut().for_each(|v| *v = output.dtype().round(*v));
                }
                if let Some(i) = result.iter().position(|v| !v.is_finite()) {
                    let v = result[i];
                    return fail!(NonFinite, "the network gives {v} at element {i} of function {b}, step {step}");
                }
                if step + 1 < self.steps {
                    self.feed_back(s, at * each);
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
    fn check_shapes(&self, input: &View, output: &ViewMut) -> Result<usize> {
        let batch = (input.layout().len() / (self.nodes() * self.inputs.len())).max(1);
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
        expect_extents("output", &output.alias(), shape.into_iter().take(self.axes.len() + 3))?;
        Ok(batch)
    }

    /// Points of the caller's grid.
    pub(super) fn nodes(&self) -> usize {
        self.grid.iter().product()
    }

    pub(super) fn read_input(&self, s: &mut Scratch<T>, input: &View, b: usize) {
        let each = s.input.len();
        let mut buffer = [0.0; 256];
        let mut channels = self.inputs.iter().cycle();
        for start in (0..each).step_by(buffer.len()) {
            let part = &mut buffer[..(each - start).min(256)];
            input.gather(b * each + start, part);
            for (to, v) in s.input[start..].iter_mut().zip(part) {
                let c = channels.next().expect("endless");
                *to = T::from_f64((*v - c.offset) / c.scale);
            }
        }
    }

    /// A roll-out's next input: its oldest channels leave, the outputs become its newest.
    fn feed_back(&self, s: &mut Scratch<T>, from: usize) {
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        let kept = inputs - outputs;
        for (input, result) in s.input.chunks_exact_mut(inputs).zip(s.output[from..].chunks_exact(outputs)) {
            input.copy_within(outputs.., 0);
            for ((to, v), c) in input[kept..].iter_mut().zip(result).zip(&self.inputs[kept..]) {
                *to = T::from_f64((*v - c.offset) / c.scale);
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
    fn forward(&self, s: &mut Scratch<T>) {
        self.lift(s);
        for (b, block) in self.blocks.iter().enumerate() {
            let last = b + 1 == self.blocks.len();
            self.convolve(s, block, block.norm.as_ref());
            self.pass(s, block, last);
            if self.waiting.is_empty() {
                continue;
            }
            match &self.boon {
                Some(boon) => boon.set(self.numbers.width, self.outputs.len(), &s.inside, s.field.all()),
                None => self.measure_points(s, block),
            }
            self.finish_waiting(s, last);
        }
    }

    /// All tiles of all lines.
    pub(super) fn every_tile(&self) -> impl Iterator<Item = Tile> {
        (0..self.line_count()).flat_map(move |line| (0..self.tiles()).map(move |number| self.tile(line, number)))
    }

    fn tile(&self, line: usize, number: usize) -> Tile {
        let first = number * self.tile;
        Tile { line, number, first, count: self.tile.min(self.line_points() - first) }
    }

    /// Where the tiles begin in the field.
    pub(super) fn field_bounds(&self) -> Vec<usize> {
        let mut bounds = vec![0];
        bounds.extend(self.every_tile().scan(0, |end, tile| {
            *end += tile.count * self.numbers.width;
            Some(*end)
        }));
        bounds
    }

    /// Where the tiles begin in an array [grid, channels]; those of the padding are empty.
    pub(super) fn inside_bounds(&self, channels: usize) -> Vec<usize> {
        let mut bounds = vec![0];
        bounds.extend(self.every_tile().scan(0, |end, tile| {
            let (_, _, count) = self.inside_points(tile);
            *end += self.inside(tile).map_or(0, |_| count * channels);
            Some(*end)
        }));
        bounds
    }

    /// Calls `work(tile, thread)` for all tiles of the lines `line(0)` to `line(lines - 1)`.
    pub(super) fn each_tile(
        &self,
        lines: usize,
        line: impl Fn(usize) -> usize + Sync,
        work: impl Fn(Tile, usize) + Sync,
    ) {
        let tiles = self.tiles();
        self.team.each(lines * tiles, |task, thread| work(self.tile(line(task / tiles), task % tiles), thread));
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
        let low = tile.first.max(before);
        let high = (tile.first + tile.count).min(before + points);
        (low - tile.first, low - before, high.saturating_sub(low))
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

    pub(super) fn activate(&self, x: &mut [T], width: usize, spared: Spared) {
        if spared.all {
            return;
        }
        let end = x.len() - if spared.last { width } else { 0 };
        let first = if spared.first { width } else { 0 };
        if first < end {
            self.numbers.activation.apply(self.arch, &mut x[first..end]);
        }
    }

    /// A pointwise network on `count` points; its result lies in one of the buffers.
    pub(super) fn network<'b>(
        &self,
        layers: &[Dense<T>],
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
                self.activate(&mut here[..count * outputs], outputs, spared);
                std::mem::swap(&mut here, &mut there);
            }
        }
        let outputs = layers.last().map_or(0, |layer| layer.weight.outputs());
        &mut here[..count * outputs]
    }

    /// What the lifting meets at the tile's points on the caller's grid: how many points of the tile come before them, and how many
    /// there are.
    pub(super) fn lifted_points(&self, s: &Scratch<T>, tile: Tile, x: &mut [T]) -> (usize, usize) {
        let (inputs, last) = (self.inputs.len(), self.axes.len() - 1);
        let (skipped, start, count) = self.inside_points(tile);
        let Some((node, places)) = self.inside(tile).filter(|_| count > 0) else { return (skipped, 0) };
        let from = s.input[(node + start) * inputs..].chunks_exact(inputs);
        for (i, (to, from)) in x.chunks_exact_mut(self.numbers.lifted(inputs)).zip(from).take(count).enumerate() {
            to[..inputs].copy_from_slice(from);
            for (axis, values) in self.coordinates.iter().enumerate() {
                to[inputs + axis] = values[if axis == last { start + i } else { places[axis] }];
            }
        }
        (skipped, count)
    }

    pub(super) fn lift(&self, s: &mut Scratch<T>) {
        let w = self.numbers.width;
        let work = &*s;
        self.each_tile(
            self.line_count(),
            |line| line,
            |tile, thread| {
                let mut buffers = work.threads.write(thread);
                let mut field = work.field.write(self.piece(tile));
                let [a, b, c] = thirds(&mut buffers);
                field.fill(T::ZERO);
                let (skipped, count) = self.lifted_points(work, tile, a);
                if count > 0 {
                    let result = self.network(&self.lifting, count, a, [b, c], Spared::default());
                    field[skipped * w..][..count * w].copy_from_slice(result);
                }
                a[..field.len()].copy_from_slice(&field);
                self.forward_tile(tile, a, work);
            },
        );
        self.join_tiles(s);
    }

    /// Number of a tile among the pieces of the field, the partial sums and the results.
    pub(super) fn piece(&self, tile: Tile) -> usize {
        tile.line * self.tiles() + tile.number
    }

    /// The components along the last axis of a tile's values.
    fn forward_tile(&self, tile: Tile, values: &[T], s: &Scratch<T>) {
        let w = self.numbers.width;
        let axis = self.axes.last().expect("an axis");
        let mut to = if self.tiles() == 1 { s.lines.write(tile.line) } else { s.partial.write(self.piece(tile)) };
        let matrix = Rows { data: &axis.forward[tile.first..], stride: axis.points, count: axis.rows() };
        products(self.arch, [(matrix, Columns::plain(values, tile.count, w))], w, Start::Zero, &mut to, w);
    }

    /// Adds up the components of lines that consist of several tiles.
    fn join_tiles(&self, s: &mut Scratch<T>) {
        let tiles = self.tiles();
        if tiles == 1 {
            return;
        }
        for (parts, sum) in s.partial.all().chunks_exact(tiles * self.row).zip(s.lines.all().chunks_exact_mut(self.row))
        {
            let (first, rest) = parts.split_at(self.row);
            sum.copy_from_slice(first);
            rest.chunks_exact(self.row).for_each(|part| add(self.arch, part, sum));
        }
    }

    /// y [rows, outputs] = matrix [rows, inner] x [inner, outputs]. Goes in steps of a few rows of y and of x, so that what a step reads
    /// and writes lies together.
    pub(super) fn transform(&self, matrix: &[T], inner: usize, x: &[T], outputs: usize, y: &mut [T]) {
        const ROWS: usize = 24;
        const INNER: usize = 64;
        self.team.share(y, outputs, |first, y| {
            for (i, y) in y.chunks_mut(ROWS * outputs).enumerate() {
                let count = y.len() / outputs;
                let matrix = &matrix[(first + i * ROWS) * inner..];
                for at in (0..inner).step_by(INNER) {
                    let step = INNER.min(inner - at);
                    let rows = Rows { data: &matrix[at..], stride: inner, count };
                    let x = Columns::plain(&x[at * outputs..], step, outputs);
                    products(
                        self.arch,
                        [(rows, x)],
                        outputs,
                        if at == 0 { Start::Zero } else { Start::Output },
                        y,
                        outputs,
                    );
                }
            }
        });
    }

    /// The same for each of many x and y that lie one after the other.
    pub(super) fn transform_each(&self, matrix: &[T], inner: usize, x: &[T], outputs: usize, y: &mut [T]) {
        let rows = matrix.len() / inner;
        self.team.share(y, rows * outputs, |first, y| {
            let x = x[first * inner * outputs..].chunks_exact(inner * outputs);
            for (x, y) in x.zip(y.chunks_exact_mut(rows * outputs)) {
                let term = (Rows { data: matrix, stride: inner, count: rows }, Columns::plain(x, inner, outputs));
                products(self.arch, [term], outputs, Start::Zero, y, outputs);
            }
        });
    }

    /// The spectral convolution, from the components along the last axis to those of its result, normalised by `norm`.
    pub(super) fn convolve(&self, s: &mut Scratch<T>, block: &Block<T>, norm: Option<&BlockNorm<T>>) {
        let row = self.row;
        match &self.axes[..] {
            [first, _] => {
                let y = &mut s.components[..first.rows() * row];
                self.transform(&first.forward, first.points, s.lines.all(), row, y);
            }
            [first, middle, _] => {
                let outputs = middle.rows() * row;
                let between = &mut s.middle[..first.points * outputs];
                self.transform_each(&middle.forward, middle.points, s.lines.all(), row, between);
                self.transform(
                    &first.forward,
                    first.points,
                    between,
                    outputs,
                    &mut s.components[..first.rows() * outputs],
                );
            }
            _ => {}
        }
        let [x, _] = &mut s.modes;
        self.modes.gather(self.arch, if self.axes.len() == 1 { s.lines.all() } else { &s.components }, x);
        self.mix(s, block);
        self.scatter(s);
        if let Some(boon) = &self.boon {
            self.correct(s, boon, block);
        }
        if let Some(norm) = norm {
            self.normalise_modes(s, norm);
        }
        match &self.back[..] {
            [first, _] => self.transform(&first.inverse, first.rows(), &s.components, row, s.lines.all()),
            [first, middle, _] => {
                let outputs = middle.rows() * row;
                let between = &mut s.middle[..first.points * outputs];
                self.transform(&first.inverse, first.rows(), &s.components, outputs, between);
                self.transform_each(&middle.inverse, middle.rows(), between, row, s.lines.all());
            }
            _ => {}
        }
    }

    pub(super) fn mix(&self, s: &mut Scratch<T>, block: &Block<T>) {
        let [x, y] = &mut s.modes;
        let each = 2 * self.numbers.width;
        self.team.share(y, each, |first, y| {
            block.mixer.apply(self.arch, first, &x[first * each..][..y.len()], y);
        });
    }

    /// The modes of a result to its components along all axes.
    pub(super) fn scatter(&self, s: &mut Scratch<T>) {
        let components = if self.axes.len() == 1 { s.lines.all() } else { &mut s.components };
        self.back_modes.scatter(self.arch, &s.modes[1], components);
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

    /// What is left of a block after the convolution, tile by tile.
    fn pass(&self, s: &mut Scratch<T>, block: &Block<T>, last: bool) {
        let w = self.numbers.width;
        let axis = self.axes.last().expect("an axis");
        let work = &*s;
        let bias = if block.norm.is_some() { &work.bias } else { &block.bias };
        self.each_tile(
            self.line_count(),
            |line| line,
            |tile, thread| {
                // Of the last block's result the padding is not wanted.
                let trimmed = if last && !self.waits[tile.line] { self.trimmed(tile) } else { tile };
                if trimmed.count == 0 {
                    return;
                }
                let mut buffers = work.threads.write(thread);
                let (z, held) = (work.lines.read(tile.line), work.field.read(self.piece(tile)));
                let x = &held[(trimmed.first - tile.first) * w..][..trimmed.count * w];
                let tile = trimmed;
                let [a, b, c] = thirds(&mut buffers);
                let matrix = Rows {
                    data: &self.last_inverse[tile.first * axis.rows()..],
                    stride: axis.rows(),
                    count: tile.count,
                };
                let spectral = (matrix, Columns::plain(&z, axis.rows(), w));
                if let Link::Linear(skip) = &block.skip {
                    let x = Rows { data: x, stride: w, count: tile.count };
                    products(self.arch, [spectral, (x, skip.columns())], w, Start::Bias(bias), a, w);
                } else {
                    products(self.arch, [spectral], w, Start::Bias(bias), a, w);
                    self.connect(&block.skip, x, &mut a[..tile.count * w]);
                }
                let waits = self.waits[tile.line];
                let activate = !last || self.numbers.last_activation;
                if activate && !(waits && self.boon.is_some()) {
                    self.activate(&mut a[..tile.count * w], w, Spared::default());
                }
                let (result, free) = match &block.mlp {
                    None => (a, [b, c]),
                    Some(mlp) => {
                        let result = self.network(mlp, tile.count, a, [c, b], Spared::default());
                        self.connect(&block.mlp_skip, x, result);
                        // Two layers: the result lies in the second buffer.
                        (b, [a, c])
                    }
                };
                drop((held, z));
                if waits {
                    work.field.write(self.piece(tile)).copy_from_slice(&result[..tile.count * w]);
                } else {
                    self.finish(tile, result, free, last, self.numbers.final_activation, work);
                }
            },
        );
        if !last && self.waiting.is_empty() {
            self.join_tiles(s);
        }
    }

    /// The end of a block for a tile whose values are complete: a last activation, then the next block's first transform, or the
    /// projection to the results.
    fn finish(&self, tile: Tile, values: &mut [T], free: [&mut [T]; 2], last: bool, activate: bool, s: &Scratch<T>) {
        let w = self.numbers.width;
        let spared = self.spared(tile);
        let own = &mut values[..tile.count * w];
        if activate && (!last || self.numbers.last_activation) {
            self.activate(own, w, spared);
        }
        if !last {
            s.field.write(self.piece(tile)).copy_from_slice(own);
            return self.forward_tile(tile, values, s);
        }
        let (skipped, _, count) = self.inside_points(tile);
        if self.inside(tile).is_none() || count == 0 {
            return;
        }
        let outputs = self.outputs.len();
        let result = self.network(&self.projection, count, &values[skipped * w..], free, spared);
        let mut to = s.result.write(self.piece(tile));
        for (to, values) in to.chunks_exact_mut(outputs).zip(result.chunks_exact(outputs)) {
            for ((to, v), c) in to.iter_mut().zip(values).zip(&self.outputs) {
                *to = c.offset + c.scale * v.to_f64();
            }
        }
    }

    /// The end of a block for the lines that waited.
    fn finish_waiting(&self, s: &mut Scratch<T>, last: bool) {
        let w = self.numbers.width;
        let work = &*s;
        self.each_tile(
            self.waiting.len(),
            |i| self.waiting[i],
            |tile, thread| {
                let mut buffers = work.threads.write(thread);
                let [a, b, c] = thirds(&mut buffers);
                let values = &mut a[..tile.count * w];
                values.copy_from_slice(&work.field.read(self.piece(tile)));
                if self.numbers.norm.is_some() {
                    for row in values.chunks_exact_mut(w) {
                        for ((v, factor), shift) in row.iter_mut().zip(&work.affine[0]).zip(&work.affine[1]) {
                            *v = *v * *factor + *shift;
                        }
                    }
                }
                let activate = self.boon.is_some() || self.numbers.final_activation;
                self.finish(tile, a, [b, c], last, activate, work);
            },
        );
        if !last {
            self.join_tiles(s);
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
    for first in [1, lines - SMOOTHED] {
        for i in 0..line {
            let mut before = field[(first - 1) * line + i].to_f64();
            for l in first..first + SMOOTHED - 1 {
                let (here, after) = (field[l * line + i].to_f64(), field[(l + 1) * line + i].to_f64());
                field[l * line + i] = E::from_f64((before + here + after) / 3.0);
                before = here;
            }
        }
    }
}
