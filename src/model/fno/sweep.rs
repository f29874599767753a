//! A block's one way through the field. Lines are taken in small groups, and all that happens to a group happens while it is in the
//! cache: the last inverse transforms, skip, bias, activation, and the first forward transforms of the next block. The components of
//! lines are not kept for the whole grid.
//!
//! The work is cut into *units* whose number depends on the grid alone, and each leaves sums of its own, so that results do not depend on
//! the threads: of one axis a tile of the line, of two axes a slab of line pairs, of three axes a plane.
//!
//! A fast transform needs whole columns. Those of the first axis lie in whole arrays, between sweeps: of one axis the field itself and the
//! convolution's result at all points, of two axes the components of all lines, each line a unit. Those of other axes are a thread's own.

use std::ops::Range;

use super::direct::Direct;
use super::run::{Spared, Tile};
use super::{Block, Fno, Link, Scratch};
use crate::kernels::fft::Fast;
use crate::kernels::fold::Places;
use crate::kernels::fourier::Axis;
use crate::kernels::prefetch;
use crate::kernels::product::{Columns, Rows, Start, products};
use crate::kernels::real::Real;

/// Where a sweep is.
#[derive(Clone, Copy)]
pub(super) enum Stage<'a, T> {
    /// The lifting before the first block.
    Lift,
    /// What is left of a block after the convolution.
    Block(Left<'a, T>),
    /// The same for the lines that waited for others.
    Rest(bool),
}

/// What is left of a block after the convolution.
#[derive(Clone, Copy)]
pub(super) struct Left<'a, T> {
    pub block: &'a Block<T>,
    /// Instead of its input, for the first one.
    pub direct: Option<&'a Direct<T>>,
    /// Whether it is the last.
    pub last: bool,
}

impl<T> Stage<'_, T> {
    fn is_last(&self) -> bool {
        matches!(self, Stage::Block(Left { last: true, .. }) | Stage::Rest(true))
    }
}

/// Groups of line pairs that are in the cache together.
const TOGETHER: usize = 3;
/// Pairs of planes that are in the cache together, beside the field that a sweep reads and writes.
const PLANE_PAIRS: usize = 3;
/// Cache lines at either end of a line of the field that are fetched ahead: where a transform begins. The processor finds the others itself.
const ENDS: usize = 8;
/// Most slabs of a grid of two axes, and the line pairs that are worth one.
const SLABS: usize = 8;
const LINE_PAIRS: usize = 8;

/// Slabs of a grid of two axes with so many line pairs: an even number, for two threads to share.
pub(super) fn slabs(pairs: usize) -> usize {
    (pairs.div_ceil(LINE_PAIRS).min(SLABS) / 2 * 2).max(1)
}

/// Multiply-adds in the time that a value takes otherwise.
const FACTORS: usize = 8;

/// Scratch of a thread.
struct Buffers<'b, T> {
    /// Components of a group's lines.
    lines: &'b mut [T],
    /// Components of a plane.
    plane: &'b mut [T],
    work: Work<'b, T>,
}

/// Scratch for a line.
struct Work<'b, T> {
    /// Its components.
    row: &'b mut [T],
    /// Values at a tile's points.
    values: [&'b mut [T]; 2],
    /// Values in a pointwise network.
    wide: [&'b mut [T]; 2],
    /// Values at its points, before and after, where the last axis has a fast transform.
    wave: &'b mut [T],
    /// For fast transforms.
    fast: &'b mut [T],
}

/// The values of a tile before the end of a stage.
struct Values {
    /// In which of the two arrays of values they are.
    at: usize,
    /// Whether the field has them, too.
    kept: bool,
}

/// Where the components of a line go, or those of its first tiles went.
struct Components<'c, T> {
    to: &'c mut [T],
    start: Start<'c, T>,
}

impl<T: Real> Fno<T> {
    fn buffer_lens(&self) -> [usize; 9] {
        let w = self.numbers.width;
        let values = self.tile * w.max(self.numbers.lifted(self.inputs.len()) + 1).max(self.outputs.len()) + T::PANEL;
        let wide = self.wide_len();
        let d = self.axes.len();
        let plane = if d == 3 { self.sums_len() } else { 0 };
        let lines = match self.outer() {
            Some(outer) if self.fast(outer).is_some() => {
                if d == 3 {
                    self.axes[outer].points
                } else {
                    0
                }
            }
            _ => 2 * self.most_pairs(),
        };
        let wave = if d > 1 && self.fast(d - 1).is_some() { self.line_points() * w } else { 0 };
        let of_axis = |axis| self.fast(axis).map_or(0, |(there, back)| there.buffer_len().max(back.buffer_len()));
        let fast = (0..d).map(of_axis).max().unwrap_or(0);
        [lines.saturating_mul(self.row), plane, self.row, values, values, wide, wide, wave, fast]
    }

    /// Elements of a thread's scratch.
    pub(super) fn thread_len(&self) -> usize {
        self.buffer_lens().iter().fold(0, |len, part| len.saturating_add(*part))
    }

    fn buffers<'b>(&self, mut all: &'b mut [T]) -> Buffers<'b, T> {
        let [lines, plane, row, a, b, c, d, wave, fast] = self.buffer_lens().map(|len| {
            let (own, rest) = std::mem::take(&mut all).split_at_mut(len);
            all = rest;
            own
        });
        Buffers { lines, plane, work: Work { row, values: [a, b], wide: [c, d], wave, fast } }
    }

    /// Number of the axis along which a plane's lines lie; none of a single line.
    fn outer(&self) -> Option<usize> {
        self.axes.len().checked_sub(2)
    }

    /// Most pairs of lines that are in the cache together.
    fn most_pairs(&self) -> usize {
        let Some(outer) = self.outer() else { return 0 };
        let (pairs, (_, unfold)) = (self.pairing(outer).pairs(), self.folds(outer));
        // Slabs begin with groups.
        let firsts = (0..unfold.groups()).map(|group| unfold.group(group).start);
        firsts.map(|first| unfold.first_of(first..pairs, TOGETHER).len()).max().unwrap_or(0)
    }

    /// Elements of a unit's sums: the components of a line or of a plane.
    pub(super) fn sums_len(&self) -> usize {
        let rows = match self.axes.len() {
            2 if self.fast(0).is_some() => 1,
            _ => self.outer().map_or(1, |outer| self.axes[outer].rows().max(self.back[outer].rows())),
        };
        rows.saturating_mul(self.row)
    }

    /// Units of a sweep, and places for their sums.
    pub(super) fn units(&self) -> (usize, usize) {
        let (pairing, fast) = (self.pairing(0), self.fast(0).is_some());
        match self.axes.len() {
            1 => (self.tiles(), if fast { 0 } else { self.tiles() }),
            2 if !fast => {
                let slabs = slabs(pairing.pairs());
                (slabs, slabs)
            }
            _ => (pairing.points, if fast { pairing.points } else { 2 * pairing.pairs() }),
        }
    }

    /// The place of a plane's or a line's sums: both planes of a pair lie together, columns of a fast transform in order.
    pub(super) fn slot(&self, place: usize) -> usize {
        if self.fast(0).is_some() { place } else { self.pairing(0).slot(place) }
    }

    /// Takes all lines that `stage` has work for through it, and with any block ahead leaves the sums of their components in `s.sums`.
    pub(super) fn sweep(&self, s: &mut Scratch<T>, stage: Stage<T>) {
        let (units, _) = self.units();
        // The last sweep leaves no sums: smaller tasks, for who is ready. Of the padding, whose points belong to the first pairs, there is
        // nothing to do.
        if stage.is_last() && self.axes.len() == 2 && self.fast(0).is_none() && self.team.count() > 1 {
            let ((_, unfold), work) = (self.folds(0), &*s);
            return self.team.in_order(unfold.groups(), |task, thread| {
                let mut all = work.threads.write(thread);
                let mut buffers = self.buffers(&mut all);
                self.plane(
                    0,
                    unfold.group(unfold.groups() - 1 - task),
                    stage,
                    &work.components,
                    &mut [],
                    &mut buffers,
                    work,
                );
            });
        }
        if matches!(stage, Stage::Block(_)) && self.spreads_in_turn() {
            let (pairing, len) = (self.pairing(0), 2 * self.sums_len());
            for first in (0..pairing.pairs()).step_by(PLANE_PAIRS) {
                let pairs = first..(first + PLANE_PAIRS).min(pairing.pairs());
                let Scratch { components, sums, .. } = &mut *s;
                self.spread_planes(pairs.clone(), components, &mut sums.all()[pairs.start * len..pairs.end * len]);
                for plane in pairs.flat_map(|pair| pairing.points_of(pair)).flatten() {
                    self.unit(plane, units, stage, s, 0);
                }
            }
            return;
        }
        let work = &*s;
        self.team.each(units, |unit, thread| self.unit(unit, units, stage, work, thread));
    }

    /// A unit of a sweep.
    fn unit(&self, unit: usize, units: usize, stage: Stage<T>, work: &Scratch<T>, thread: usize) {
        let mut all = work.threads.write(thread);
        let mut buffers = self.buffers(&mut all);
        match &self.axes[..] {
            [_] if self.fast(0).is_some() => {
                let tile = self.tile_of(0, unit);
                let w = self.numbers.width;
                let wave = &work.wave[tile.first * w..][..tile.count * w];
                if let Some(values) = self.begin(tile, stage, wave, &mut buffers.work, work) {
                    self.finish(tile, stage, values, None, &mut buffers.work, work);
                }
            }
            [_] => {
                let mut sums = work.sums.write(unit);
                let components = Components { to: &mut sums, start: Start::Zero };
                let tile = self.tile_of(0, unit);
                if let Some(values) = self.begin(tile, stage, &work.components, &mut buffers.work, work) {
                    self.finish(tile, stage, values, Some(components), &mut buffers.work, work);
                }
            }
            [_, _] if self.fast(0).is_some() => {
                let mut components = work.sums.write(unit);
                if self.has_work(unit, stage) {
                    self.line(unit, stage, &mut components, &mut buffers.work, work);
                }
            }
            [_, _] => {
                let mut sums = work.sums.write(unit);
                self.plane(
                    0,
                    self.pairing(0).share(unit, units),
                    stage,
                    &work.components,
                    &mut sums,
                    &mut buffers,
                    work,
                );
            }
            [_, _, _] => {
                let (slot, pairs) = (self.slot(unit), 0..self.pairing(1).pairs());
                if self.fast(1).is_some() {
                    return self.fast_plane(unit, stage, &mut work.sums.write(slot), &mut buffers, work);
                }
                let plane = std::mem::take(&mut buffers.plane);
                if let Stage::Block(..) = stage {
                    self.plane(unit, pairs, stage, &work.sums.read(slot), plane, &mut buffers, work);
                    if !stage.is_last() {
                        work.sums.write(slot).copy_from_slice(plane);
                    }
                } else {
                    self.plane(unit, pairs, stage, &[], &mut work.sums.write(slot), &mut buffers, work);
                }
            }
            _ => unreachable!("one to three axes"),
        }
    }

    /// Some line pairs of a plane, whose components before the last two inverse transforms are `z`; to `sums`, on top of what is
    /// there already of lines that did not wait.
    #[allow(clippy::too_many_arguments)]
    fn plane(
        &self,
        plane: usize,
        mut pairs: Range<usize>,
        stage: Stage<T>,
        z: &[T],
        sums: &mut [T],
        buffers: &mut Buffers<T>,
        s: &Scratch<T>,
    ) {
        let outer = self.outer().expect("an outer axis");
        let ((fold, unfold), row) = (self.folds(outer), self.row);
        let used = self.axes[outer + 1].rows() * self.numbers.width;
        let line_of = |point: usize| plane * fold.pairing.points + point;
        let mut fresh = !matches!(stage, Stage::Rest(_));
        while !pairs.is_empty() {
            let together = unfold.first_of(pairs.clone(), TOGETHER);
            pairs.start = together.end;
            let points = together.clone().flat_map(|pair| fold.pairing.points_of(pair));
            if !points.clone().flatten().any(|point| self.has_work(line_of(point), stage)) {
                continue;
            }
            let lines = &mut buffers.lines[..2 * together.len() * row];
            let places = Places::side_by_side(together.start, row);
            if let Stage::Block(..) = stage {
                unfold.apply(self.arch, together.clone(), (z, row), used, Start::Zero, None, (lines, places));
            }
            let mut ahead = points.clone().flatten().skip(1);
            for (point, components) in points.zip(lines.chunks_exact_mut(row)) {
                if let Some(next) = point.and_then(|_| ahead.next()) {
                    self.fetch(line_of(next), stage, s);
                }
                let left = point.is_some_and(|point| {
                    self.has_work(line_of(point), stage)
                        && self.line(line_of(point), stage, components, &mut buffers.work, s)
                });
                match point {
                    Some(point) if left => self.keep_edge(s, plane, point, components),
                    _ if stage.is_last() => {}
                    _ => components.fill(T::ZERO),
                }
            }
            if !stage.is_last() {
                let start = if fresh { Start::Zero } else { Start::Output };
                fold.apply(self.arch, 0..fold.rows(), together, (lines, places), used, start, sums, row);
                fresh = false;
            }
        }
        if fresh && !stage.is_last() {
            sums.fill(T::ZERO);
        }
    }

    /// Tells the processor that a line of the field will be read.
    fn fetch(&self, line: usize, stage: Stage<T>, s: &Scratch<T>) {
        if let Stage::Lift = stage {
            return;
        }
        let values = s.field.read(self.piece(self.tile_of(line, 0)));
        prefetch::to_second_level(&values, 0, ENDS);
        prefetch::to_second_level(&values, values.len().saturating_sub(ENDS * 64 / size_of::<T>()), ENDS);
    }

    /// All lines of a plane whose own axis has a fast transform, from `sums` to `sums`.
    fn fast_plane(&self, plane: usize, stage: Stage<T>, sums: &mut [T], buffers: &mut Buffers<T>, s: &Scratch<T>) {
        let ((there, back), axis, row) = (self.fast(1).expect("a fast transform"), &self.axes[1], self.row);
        let used = self.axes[2].rows() * self.numbers.width;
        let lines = &mut buffers.lines[..axis.points * row];
        if let Stage::Block(..) = stage {
            back.inverse((sums, row), used, (lines, row), buffers.work.fast);
        }
        let mut left = false;
        for (point, components) in lines.chunks_exact_mut(row).enumerate() {
            let line = plane * axis.points + point;
            left |= self.has_work(line, stage) && self.line(line, stage, components, &mut buffers.work, s);
        }
        if left {
            there.forward((lines, row), used, (sums, row), buffers.work.fast);
        }
    }

    /// Whether a stage has anything to do for a line. Of the last block's result the padding is not wanted.
    fn has_work(&self, line: usize, stage: Stage<T>) -> bool {
        match stage {
            Stage::Block(Left { last: true, .. }) => {
                self.must_wait(line) || self.inside(self.tile_of(line, 0)).is_some()
            }
            Stage::Lift | Stage::Block(_) => true,
            Stage::Rest(_) => self.must_wait(line),
        }
    }

    /// Takes a line through a stage, from its components to those of the next block; whether there are such already.
    fn line(&self, line: usize, stage: Stage<T>, components: &mut [T], work: &mut Work<T>, s: &Scratch<T>) -> bool {
        if let Some(transforms) = self.fast(self.axes.len() - 1) {
            return self.fast_line(line, stage, transforms, components, work, s);
        }
        if self.tiles() == 1 {
            let tile = self.tile_of(line, 0);
            let Some(values) = self.begin(tile, stage, components, work, s) else { return false };
            self.finish(tile, stage, values, Some(Components { to: components, start: Start::Zero }), work, s);
            return !stage.is_last();
        }
        let row = std::mem::take(&mut work.row);
        let mut left = false;
        for number in 0..self.tiles() {
            let tile = self.tile_of(line, number);
            let Some(values) = self.begin(tile, stage, components, work, s) else { continue };
            let start = if number == 0 { Start::Zero } else { Start::Output };
            self.finish(tile, stage, values, Some(Components { to: row, start }), work, s);
            left = !stage.is_last();
        }
        if left {
            components.copy_from_slice(row);
        }
        work.row = row;
        left
    }

    /// The same with a fast transform along the line.
    fn fast_line(
        &self,
        line: usize,
        stage: Stage<T>,
        (there, back): (&Fast<T>, &Fast<T>),
        components: &mut [T],
        work: &mut Work<T>,
        s: &Scratch<T>,
    ) -> bool {
        let w = self.numbers.width;
        let wave = std::mem::take(&mut work.wave);
        if let Stage::Block(..) = stage {
            back.inverse((components, w), w, (wave, w), work.fast);
        }
        let mut left = false;
        for number in 0..self.tiles() {
            let tile = self.tile_of(line, number);
            let part = &mut wave[tile.first * w..][..tile.count * w];
            let Some(values) = self.begin(tile, stage, part, work, s) else { continue };
            self.finish(tile, stage, values, None, work, s);
            if !stage.is_last() {
                part.copy_from_slice(&s.field.read(self.piece(tile)));
                left = true;
            }
        }
        if left {
            there.forward((wave, w), w, (components, w), work.fast);
        }
        work.wave = wave;
        left
    }

    /// Boundary corrections read the components of a plane's first and last line.
    fn keep_edge(&self, s: &Scratch<T>, plane: usize, point: usize, components: &[T]) {
        let ends = [0, self.axes[self.axes.len() - 2].points - 1];
        for (node, end) in ends.into_iter().enumerate() {
            if point == end && self.keeps_edges() {
                s.edges.write(2 * plane + node).copy_from_slice(components);
            }
        }
    }

    pub(super) fn keeps_edges(&self) -> bool {
        let outer = self.outer();
        self.boon.as_ref().is_some_and(|boon| boon.pairs.iter().any(|pair| Some(pair.axis) == outer))
    }

    /// The values of a tile before the end of a stage, `z` the components of its line, or with a fast transform the convolution's result
    /// at its points; none when they wait in the field.
    fn begin(&self, tile: Tile, stage: Stage<T>, z: &[T], work: &mut Work<T>, s: &Scratch<T>) -> Option<Values> {
        let w = self.numbers.width;
        match stage {
            Stage::Lift => {
                let [x, values] = &mut work.values;
                let values = &mut values[..tile.count * w];
                values.fill(T::ZERO);
                let (skipped, count) = self.lifted_points(s, tile, x);
                let inside = &mut values[skipped * w..][..count * w];
                self.network_into(&self.lifting, x, inside, &mut work.wide, Spared::default());
                Some(Values { at: 1, kept: false })
            }
            Stage::Block(left) => {
                let values = self.after_convolution(tile, left, z, work, s);
                if self.must_wait(tile.line) {
                    s.field.write(self.piece(tile)).copy_from_slice(&work.values[values.at][..tile.count * w]);
                    return None;
                }
                Some(values)
            }
            Stage::Rest(_) => {
                let values = &mut work.values[0][..tile.count * w];
                values.copy_from_slice(&s.field.read(self.piece(tile)));
                if self.numbers.norm.is_some() {
                    for row in values.chunks_exact_mut(w) {
                        for ((v, factor), shift) in row.iter_mut().zip(&s.affine[0]).zip(&s.affine[1]) {
                            *v = *v * *factor + *shift;
                        }
                    }
                }
                Some(Values { at: 0, kept: false })
            }
        }
    }

    /// A block up to where lines may wait.
    fn after_convolution(
        &self,
        tile: Tile,
        Left { block, direct, last }: Left<T>,
        z: &[T],
        work: &mut Work<T>,
        s: &Scratch<T>,
    ) -> Values {
        let w = self.numbers.width;
        let len = tile.count * w;
        let bias = Start::Bias(if block.norm.is_some() { &s.bias } else { &block.bias });
        let held = s.field.read(self.piece(tile));
        let [values, other] = &mut work.values;
        let (x, width, columns) = match (direct, &block.skip) {
            (Some(direct), _) => {
                let inner = self.numbers.lifted(self.inputs.len()) + 1;
                let x = &mut other[..tile.count * inner];
                self.lifting_meets(s, tile, x);
                (&*x, inner, direct.skip.as_ref().map(|skip| skip.columns()))
            }
            (None, Link::Linear(skip)) => (&held[..], w, Some(skip.columns())),
            (None, _) => (&held[..], w, None),
        };
        let axis = self.axes.last().expect("an axis");
        if self.fast(self.axes.len() - 1).is_some() {
            let values = &mut values[..len];
            let bias = if block.norm.is_some() { &s.bias } else { &block.bias };
            for (to, from) in values.chunks_exact_mut(w).zip(z.chunks_exact(w)) {
                for ((to, v), bias) in to.iter_mut().zip(from).zip(bias) {
                    *to = *v + *bias;
                }
            }
            if let Some(columns) = columns {
                let x = Rows { data: x, stride: width, count: tile.count };
                products(self.arch, [(x, columns)], w, Start::Output, values, w);
            }
        } else if self.tiles() == 1 {
            let (_, unfold) = self.folds(self.axes.len() - 1);
            let places = Places::line(axis.points, w);
            let beside = columns.map(|columns| (x, Places::line(axis.points, width), columns));
            unfold.apply(self.arch, 0..unfold.pairing.pairs(), (z, w), w, bias, beside, (values, places));
        } else {
            let data = &self.last_inverse()[tile.first * axis.rows()..];
            let matrix = Rows { data, stride: axis.rows(), count: tile.count };
            let spectral = (matrix, Columns::plain(z, axis.rows(), w));
            match columns {
                None => products(self.arch, [spectral], w, bias, values, w),
                Some(columns) => {
                    let x = Rows { data: x, stride: width, count: tile.count };
                    products(self.arch, [spectral, (x, columns)], w, bias, values, w);
                }
            }
        }
        if columns.is_none() && direct.is_none() {
            self.connect(&block.skip, x, &mut values[..len]);
        }
        let waits = self.must_wait(tile.line);
        let mut spared = Spared::default();
        if let Some(boon) = self.boon.as_ref().filter(|_| self.waits[tile.line] && !waits) {
            let nodes = (tile.line * axis.points + tile.first, tile.count);
            boon.inner.set_some(nodes, w, &s.inside, boon.stretch, &mut values[..len]);
            spared = self.spared(tile);
        }
        let activate = (!last || self.numbers.last_activation) && !(waits && self.boon.is_some());
        if activate && block.mlp.is_none() && !last && !waits && !self.numbers.final_activation {
            // Results on their way to memory need no time of their own.
            drop(held);
            self.activate_and_copy(&mut values[..len], w, spared, &mut s.field.write(self.piece(tile)));
            return Values { at: 0, kept: true };
        }
        if activate {
            self.activate(&mut values[..len], w, spared);
        }
        let Some(mlp) = &block.mlp else { return Values { at: 0, kept: false } };
        self.network_into(mlp, values, &mut other[..len], &mut work.wide, Spared::default());
        self.connect(&block.mlp_skip, &held, &mut other[..len]);
        Values { at: 1, kept: false }
    }

    /// The end of a stage for a tile whose values are complete: a last activation, then the next block's first transform, or the
    /// projection to the results.
    fn finish(
        &self,
        tile: Tile,
        stage: Stage<T>,
        Values { at, kept }: Values,
        components: Option<Components<T>>,
        work: &mut Work<T>,
        s: &Scratch<T>,
    ) {
        let last = stage.is_last();
        let activate = match stage {
            Stage::Lift => false,
            Stage::Block(..) => self.numbers.final_activation,
            Stage::Rest(_) => self.boon.is_some() || self.numbers.final_activation,
        };
        let w = self.numbers.width;
        let spared = self.spared(tile);
        let [a, b] = &mut work.values;
        let (values, other) = if at == 0 { (a, b) } else { (b, a) };
        if activate && (!last || self.numbers.last_activation) {
            self.activate(&mut values[..tile.count * w], w, spared);
        }
        if !last {
            if !kept {
                s.field.write(self.piece(tile)).copy_from_slice(&values[..tile.count * w]);
            }
            if let Some(components) = components {
                self.forward_tile(tile, values, components);
            }
            return;
        }
        let (skipped, _, count) = self.inside_points(tile);
        if self.inside(tile).is_none() || count == 0 {
            return;
        }
        let outputs = self.outputs.len();
        // A point of a face that is spared has nothing before it.
        let result = &mut other[..count * outputs];
        self.network_into(&self.projection, &values[skipped * w..], result, &mut work.wide, spared);
        self.unscale(result, &mut s.result.write(self.piece(tile)));
    }

    /// Adds a tile's values to the components along the last axis.
    fn forward_tile(&self, tile: Tile, values: &[T], components: Components<T>) {
        let (w, Components { to, start }) = (self.numbers.width, components);
        if self.tiles() == 1 {
            let (fold, _) = self.folds(self.axes.len() - 1);
            let x = (values, Places::line(tile.count, w));
            return fold.apply(self.arch, 0..fold.rows(), 0..fold.pairing.pairs(), x, w, start, to, w);
        }
        let axis = self.axes.last().expect("an axis");
        let matrix = Rows { data: &axis.forward()[tile.first..], stride: axis.points, count: axis.rows() };
        products(self.arch, [(matrix, Columns::plain(values, tile.count, w))], w, start, to, w);
    }

    /// Columns along the first axis, and the distance of their components.
    fn first_columns(&self, axes: &[Axis<T>]) -> (usize, usize) {
        let (w, row) = (self.numbers.width, self.row);
        match axes {
            [_] => (w, w),
            [_, last] => (last.rows() * w, row),
            [_, middle, _] => (middle.rows() * row, middle.rows() * row),
            _ => unreachable!("one to three axes"),
        }
    }

    /// The units' sums to the components along all axes; true where they are parts of these, for the convolution to add up.
    pub(super) fn collect(&self, s: &mut Scratch<T>) -> bool {
        let len = self.sums_len();
        let Scratch { sums, components, field, threads, .. } = s;
        if let Some((there, _)) = self.fast(0) {
            let (columns, stride) = self.first_columns(&self.axes);
            let x = if self.axes.len() == 1 { (&*field.all(), stride) } else { (&*sums.all(), len) };
            there.forward_by(&self.team, x, columns, (components, stride), threads);
            return false;
        }
        let sums = sums.all();
        if let [first, middle, _] = &self.axes[..] {
            let outputs = middle.rows() * self.row;
            let ((fold, _), x) = (self.folds(0), (&*sums, Places::side_by_side(0, len)));
            let cost = first.points * outputs * first.rows().div_ceil(FACTORS);
            self.team.share(&mut components[..first.rows() * outputs], outputs, cost, |from, y| {
                let rows = from..from + y.len() / outputs;
                fold.apply(self.arch, rows, 0..fold.pairing.pairs(), x, outputs, Start::Zero, y, outputs);
            });
            return false;
        }
        true
    }

    /// The components along all axes to what the units of a sweep begin with where that is something else: planes of three axes,
    /// unless the sweep makes them itself, and whatever a fast transform of the first axis makes.
    pub(super) fn spread(&self, s: &mut Scratch<T>) {
        if let Some((_, back)) = self.fast(0) {
            let Scratch { sums, components, wave, threads, .. } = s;
            let (columns, stride) = self.first_columns(&self.back);
            let y = if self.axes.len() == 1 { (&mut wave[..], stride) } else { (sums.all(), self.sums_len()) };
            return back.inverse_by(&self.team, (components, stride), columns, y, threads);
        }
        let [_, middle, _] = &self.back[..] else { return };
        if self.spreads_in_turn() {
            return;
        }
        let (len, outputs) = (2 * self.sums_len(), middle.rows() * self.row);
        let cost = self.axes[0].points * outputs * self.back[0].rows().div_ceil(FACTORS);
        let components = &s.components;
        self.team.share(s.sums.all(), len, cost, |from, y| {
            self.spread_planes(from..from + y.len() / len, components, y);
        });
    }

    /// Whether a sweep of planes makes what it begins with itself, some at a time, which the cache keeps until they are read. One thread
    /// does; for several the planes are the smaller tasks.
    fn spreads_in_turn(&self) -> bool {
        self.axes.len() == 3 && self.fast(0).is_none() && self.team.count() == 1
    }

    /// What the planes of `pairs` begin with, side by side, from the components along all axes.
    fn spread_planes(&self, pairs: Range<usize>, components: &[T], y: &mut [T]) {
        let (_, unfold) = self.folds(0);
        let (len, outputs) = (self.sums_len(), self.back[1].rows() * self.row);
        let places = Places::side_by_side(pairs.start, len);
        unfold.apply(self.arch, pairs, (components, outputs), outputs, Start::Zero, None, (y, places));
    }
}
