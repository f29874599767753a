//! The passes of a derivative: the evaluation that keeps what activations meet, tangents forward, cotangents back.

use super::DerivativeScratch;
use crate::error::{Result, fail};
use crate::kernels::activation::Activation;
use crate::kernels::product::{Columns, Packed, Rows, Start, product, products};
use crate::kernels::real::Real;
use crate::kernels::shared::Shared;
use crate::kernels::strided::View;
use crate::model::arrays::all_finite;
use crate::model::fno::run::{Spared, Tile};
use crate::model::fno::sweep::Stage;
use crate::model::fno::transpose::Transposes;
use crate::model::fno::{Boon, Fno, Link, Network, SMOOTHED};

/// A thread's buffers: four for values at the points of a tile, one for all that hidden layers meet there.
struct Buffers<'a, T> {
    values: [&'a mut [T]; 4],
    hidden: &'a mut [T],
}

impl<T: Real> Fno<T> {
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
    pub(super) fn evaluate_step(
        &self,
        s: &mut DerivativeScratch<T>,
        values: &[View],
        function: usize,
        step: usize,
    ) -> Result<()> {
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
    pub(super) fn push(&self, s: &mut DerivativeScratch<T>) {
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
    pub(super) fn pull(&self, s: &mut DerivativeScratch<T>, transposes: &Transposes<T>) {
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
    pub(super) fn finish_transposed(&self, outputs: usize, given: &mut [f64], result: &mut [f64]) {
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
