//! The network on a part's points: the lifting, the sums of each block, and from the sums of all blocks to the next layer.

use std::ops::Range;

use super::super::run::{Spared, Tile, thirds};
use super::super::{Block, Link};
use super::layout::{LINES, PLANES, Run, plane};
use super::message;
use super::{PartOf, ScratchOf};
use crate::error::{Result, fail};
use crate::kernels::product::{Columns, Rows, Start, products};
use crate::kernels::real::Real;
use crate::kernels::rows::add;

/// What enters the sums of a pair of faces: where its components lie in a message and in memory.
pub(super) struct FaceSums {
    /// Number of the pair.
    pub pair: usize,
    pub axis: usize,
    /// Index of the face on its axis.
    pub place: usize,
    /// The lower face or the upper one.
    pub side: usize,
    /// Rows of components, used elements of each, elements from one to the next.
    pub rows: usize,
    pub used: usize,
    pub stride: usize,
    /// Nodes of the face.
    pub nodes: usize,
    /// Where they begin in the part's scratch and in the message.
    pub start: usize,
    pub message: usize,
}

impl<T: Real> PartOf<T> {
    /// The run in pieces that pass together.
    fn tiles(&self, run: &Run) -> impl Iterator<Item = (Tile, usize)> {
        let (whole, each, at) = (run.tile, self.fno.tile, run.at);
        (0..whole.count).step_by(each).map(move |skip| {
            (Tile { first: whole.first + skip, count: each.min(whole.count - skip), ..whole }, at + skip)
        })
    }

    /// The tile's points on the caller's grid: how many of the tile come before, how many there are, the first one's place among the
    /// part's nodes, its node on the grid's last axis and its line's indices.
    fn on_grid(&self, run: &Run, tile: Tile) -> Option<(usize, usize, usize, usize, [usize; 2])> {
        let (_, places) = self.fno.inside(tile)?;
        let (skipped, start, count) = self.fno.inside_points(tile);
        let (_, begin, _) = self.fno.inside_points(run.tile);
        (count > 0).then(|| (skipped, count, run.node + start - begin, start, places))
    }

    pub(super) fn lift(&self, s: &mut ScratchOf<T>) {
        let fno = &self.fno;
        let w = fno.numbers.width;
        let lifted = fno.numbers.lifted(fno.inputs.len());
        let [a, b, c] = thirds(&mut s.buffers);
        s.field.fill(T::ZERO);
        for run in &self.layout.runs {
            for (tile, at) in self.tiles(run) {
                let Some((skipped, count, node, start, places)) = self.on_grid(run, tile) else { continue };
                fno.meet(&s.input, node, start..start + count, places, (a, lifted));
                let result = fno.network(&fno.lifting, count, a, [b, c], Spared::default());
                s.field[(at + skipped) * w..][..count * w].copy_from_slice(result);
            }
        }
    }

    /// Adds this part's sums to the message, as multiples of 2^`steps` for all components and for those of each face; how many
    /// overflow.
    pub(super) fn add_sums(&self, s: &mut ScratchOf<T>) -> i64 {
        let (fno, arch) = (&self.fno, self.fno.arch);
        let (row, used) = (fno.row, self.used());
        let mut beyond = 0;
        for runs in &self.layout.blocks {
            self.block_sums(s, runs.clone());
            let rows = s.sums.chunks_exact(row).zip(s.message[..self.components].chunks_exact_mut(used));
            for (sums, to) in rows {
                beyond += message::add(arch, s.step, &sums[..used], to);
            }
            for (face, (touched, step)) in self.faces.iter().zip(s.touched.iter().zip(&s.face_steps)) {
                if *touched {
                    let from = s.faces[face.start..].chunks(face.stride).take(face.rows);
                    for (sums, to) in from.zip(s.message[face.message..].chunks_exact_mut(face.used)) {
                        beyond += message::add(arch, *step, &sums[..face.used], to);
                    }
                }
            }
        }
        beyond
    }

    /// The sums of one block: `s.sums`, and `s.faces` where `s.touched`.
    fn block_sums(&self, s: &mut ScratchOf<T>, runs: Range<usize>) {
        let (fno, arch, row, w) = (&self.fno, self.fno.arch, self.fno.row, self.fno.numbers.width);
        let ScratchOf { field, terms, between, sums, faces, touched, .. } = s;
        touched.fill(false);
        // Of three axes: whole planes that wait, and whether the one at hand has begun.
        let (mut begun, mut fresh, mut held) = (false, true, 0);
        let mut at = runs.start;
        while at < runs.end {
            let line = |r: usize| self.layout.runs[r].tile.line;
            let first = line(at);
            let mut end = at + 1;
            while end < runs.end
                && end - at < LINES
                && line(end) == first + end - at
                && plane(fno, line(end)) == plane(fno, first)
            {
                end += 1;
            }
            let group = &self.layout.runs[at..end];
            for (run, to) in group.iter().zip(terms.chunks_exact_mut(row)) {
                self.line_sums(run, field, to);
            }
            let start = if begun { Start::Output } else { Start::Zero };
            let lines = Columns::plain(terms, end - at, row);
            let next = (end < runs.end).then(|| plane(fno, line(end)));
            let closed = next != Some(plane(fno, first));
            let flush = closed && (next != Some(plane(fno, first) + 1) || held + 1 == PLANES);
            match &fno.axes[..] {
                [outer, _] => {
                    let matrix = Rows { data: &outer.forward()[first..], stride: outer.points, count: outer.rows() };
                    products(arch, [(matrix, lines)], row, start, sums, row);
                    begun = true;
                }
                [outer, middle, _] => {
                    let len = middle.rows() * row;
                    let data = &middle.forward()[first % middle.points..];
                    let matrix = Rows { data, stride: middle.points, count: middle.rows() };
                    let of_plane = if fresh { Start::Zero } else { Start::Output };
                    products(arch, [(matrix, lines)], row, of_plane, &mut between[held * len..], row);
                    if flush {
                        let data = &outer.forward()[plane(fno, first) - held..];
                        let matrix = Rows { data, stride: outer.points, count: outer.rows() };
                        products(arch, [(matrix, Columns::plain(between, held + 1, len))], len, start, sums, len);
                        begun = true;
                    }
                    fresh = closed;
                }
                _ => sums[..row].copy_from_slice(&terms[..row]),
            }
            for (face, touched) in self.faces.iter().zip(touched.iter_mut()) {
                let to = &mut faces[face.start..][..face.rows * face.stride];
                let mut begin = |to: &mut [T]| {
                    if !std::mem::replace(touched, true) {
                        to.fill(T::ZERO);
                    }
                };
                let point = |run: &Run| {
                    let at = face.place.checked_sub(run.tile.first).filter(|at| *at < run.tile.count)?;
                    Some(&field[(run.at + at) * w..])
                };
                // One index of the first axis times a row of components.
                let spread = |index: usize, x: &[T], outputs: usize, to: &mut [T]| {
                    let outer = &fno.axes[0];
                    let matrix = Rows { data: &outer.forward()[index..], stride: outer.points, count: outer.rows() };
                    products(arch, [(matrix, Columns::plain(x, 1, outputs))], outputs, Start::Output, to, outputs);
                };
                match (fno.axes.len(), face.axis) {
                    (1, _) => {
                        for x in group.iter().filter_map(point) {
                            begin(to);
                            add(arch, &x[..w], to);
                        }
                    }
                    (2, 0) => {
                        if (first..first + group.len()).contains(&face.place) {
                            begin(to);
                            add(arch, &terms[(face.place - first) * row..][..row], to);
                        }
                    }
                    (2, _) => {
                        for run in group {
                            if let Some(x) = point(run) {
                                begin(to);
                                spread(run.tile.line, x, w, to);
                            }
                        }
                    }
                    (_, 0) => {
                        if closed && plane(fno, first) == face.place {
                            begin(to);
                            add(arch, &between[held * to.len()..][..to.len()], to);
                        }
                    }
                    _ => {
                        let low = first % fno.axes[1].points;
                        if (low..low + group.len()).contains(&face.place) {
                            begin(to);
                            spread(plane(fno, first), &terms[(face.place - low) * row..], row, to);
                        }
                    }
                }
            }
            held = if flush { 0 } else { held + usize::from(closed) };
            at = end;
        }
    }

    /// The components of a run along the last axis.
    fn line_sums(&self, run: &Run, field: &[T], to: &mut [T]) {
        let (w, axis) = (self.fno.numbers.width, self.last_axis());
        for (tile, at) in self.tiles(run) {
            let start = if tile.first == run.tile.first { Start::Zero } else { Start::Output };
            let matrix = Rows { data: &axis.forward()[tile.first..], stride: axis.points, count: axis.rows() };
            products(self.fno.arch, [(matrix, Columns::plain(&field[at * w..], tile.count, w))], w, start, to, w);
        }
    }

    /// From the sums of all blocks to the components of a layer's convolution.
    pub(super) fn convolve(&self, s: &mut ScratchOf<T>, block: &Block<T>) {
        let (fno, row, used) = (&self.fno, self.fno.row, self.used());
        let inner = &mut s.inner;
        let components = &mut inner.components;
        for (to, from) in components.chunks_exact_mut(row).zip(s.message[..self.components].chunks_exact(used)) {
            message::read(s.step, from, &mut to[..used]);
        }
        for (face, step) in self.faces.iter().zip(&s.face_steps) {
            let to = s.faces[face.start..].chunks_mut(face.stride).take(face.rows);
            for (to, from) in to.zip(s.message[face.message..].chunks_exact(face.used)) {
                message::read(*step, from, &mut to[..face.used]);
            }
        }
        let sums = &s.faces;
        fno.convolve(inner, block, false, |inner, number, pair| {
            for face in self.faces.iter().filter(|face| face.pair == number) {
                fno.take_input(inner, pair, face.side, &sums[face.start..][..face.rows * face.stride]);
            }
        });
    }

    /// What is left of a layer, point by point.
    pub(super) fn pass(&self, s: &mut ScratchOf<T>, block: &Block<T>, last: bool) {
        let (fno, arch, row, w) = (&self.fno, self.fno.arch, self.fno.row, self.fno.numbers.width);
        let axis = self.last_axis();
        let ScratchOf { inner, field, result, between, terms, buffers, .. } = s;
        let mut held = 0..0;
        for (number, sweep) in self.layout.sweeps.iter().enumerate() {
            let lines: &[T] = match &fno.back[..] {
                [outer, _] => {
                    let data = &outer.inverse()[sweep.first * outer.rows()..];
                    let matrix = Rows { data, stride: outer.rows(), count: sweep.count };
                    let x = Columns::plain(&inner.components, outer.rows(), row);
                    products(arch, [(matrix, x)], row, Start::Zero, terms, row);
                    terms
                }
                [outer, middle, _] => {
                    let (plane, len) = (plane(fno, sweep.first), middle.rows() * row);
                    if !held.contains(&plane) {
                        held = plane..self.layout.planes_from(fno, number);
                        let data = &outer.inverse()[plane * outer.rows()..];
                        let matrix = Rows { data, stride: outer.rows(), count: held.len() };
                        let x = Columns::plain(&inner.components, outer.rows(), len);
                        products(arch, [(matrix, x)], len, Start::Zero, between, len);
                    }
                    let data = &middle.inverse()[sweep.first % middle.points * middle.rows()..];
                    let matrix = Rows { data, stride: middle.rows(), count: sweep.count };
                    let x = Columns::plain(&between[(plane - held.start) * len..], middle.rows(), row);
                    products(arch, [(matrix, x)], row, Start::Zero, terms, row);
                    terms
                }
                _ => &inner.components,
            };
            for r in &self.layout.by_line[sweep.runs.clone()] {
                let run = &self.layout.runs[*r];
                let z = &lines[(run.tile.line - sweep.first) * row..][..row];
                let waits = fno.waits[run.tile.line];
                for (whole, at) in self.tiles(run) {
                    // Of the last layer's result the padding is not wanted.
                    let tile = if last && !waits { fno.trimmed(whole) } else { whole };
                    if tile.count == 0 {
                        continue;
                    }
                    let at = at + tile.first - whole.first;
                    let x = &field[at * w..][..tile.count * w];
                    let [a, b, c] = thirds(buffers);
                    let matrix = Rows {
                        data: &fno.last_inverse()[tile.first * axis.rows()..],
                        stride: axis.rows(),
                        count: tile.count,
                    };
                    let spectral = (matrix, Columns::plain(z, axis.rows(), w));
                    if let Link::Linear(skip) = &block.skip {
                        let x = Rows { data: x, stride: w, count: tile.count };
                        products(arch, [spectral, (x, skip.columns())], w, Start::Bias(&block.bias), a, w);
                    } else {
                        products(arch, [spectral], w, Start::Bias(&block.bias), a, w);
                        fno.connect(&block.skip, x, &mut a[..tile.count * w]);
                    }
                    if !waits && (!last || fno.numbers.last_activation) {
                        fno.activate(&mut a[..tile.count * w], w, Spared::default());
                    }
                    let (values, free) = match &block.mlp {
                        None => (a, [b, c]),
                        Some(mlp) => {
                            let result = fno.network(mlp, tile.count, a, [c, b], Spared::default());
                            fno.connect(&block.mlp_skip, x, result);
                            // Two layers: the result lies in the second buffer.
                            (b, [a, c])
                        }
                    };
                    if waits {
                        field[at * w..][..tile.count * w].copy_from_slice(&values[..tile.count * w]);
                    } else {
                        let activate = fno.numbers.final_activation;
                        self.finish_tile(run, (tile, at), values, free, (last, activate), field, result);
                    }
                }
            }
        }
        let Some(boon) = &fno.boon else { return };
        self.layout.inner.apply(boon.inner.faces(), w, fno.outputs.len(), boon.stretch, &s.inner.inside, &mut s.field);
        let ScratchOf { field, result, buffers, .. } = s;
        for run in self.layout.runs.iter().filter(|run| fno.waits[run.tile.line]) {
            for (tile, at) in self.tiles(run) {
                let [a, b, c] = thirds(buffers);
                a[..tile.count * w].copy_from_slice(&field[at * w..][..tile.count * w]);
                self.finish_tile(run, (tile, at), a, [b, c], (last, true), field, result);
            }
        }
    }

    /// The end of a layer for values that are complete: a last activation, and after the last layer the projection to the results.
    #[allow(clippy::too_many_arguments)]
    fn finish_tile(
        &self,
        run: &Run,
        (tile, at): (Tile, usize),
        values: &mut [T],
        free: [&mut [T]; 2],
        (last, activate): (bool, bool),
        field: &mut [T],
        result: &mut [f64],
    ) {
        let fno = &self.fno;
        let w = fno.numbers.width;
        let spared = fno.spared(tile);
        let own = &mut values[..tile.count * w];
        if activate && (!last || fno.numbers.last_activation) {
            fno.activate(own, w, spared);
        }
        if !last {
            return field[at * w..][..tile.count * w].copy_from_slice(own);
        }
        let Some((skipped, count, node, ..)) = self.on_grid(run, tile) else { return };
        let outputs = fno.outputs.len();
        let projected = fno.network(&fno.projection, count, &values[skipped * w..], free, spared);
        fno.unscale(projected, &mut result[node * outputs..][..count * outputs]);
    }

    /// Rounds the results to storage and sets the nodes of faces.
    pub(super) fn close(&self, s: &mut ScratchOf<T>) -> Result<()> {
        let fno = &self.fno;
        let outputs = fno.outputs.len();
        let dtype = s.dtype;
        s.result.iter_mut().for_each(|v| *v = dtype.round(*v));
        if let Some(boon) = &fno.boon {
            self.layout.outer.apply(boon.outer.faces(), outputs, outputs, 1.0, &s.inner.given, &mut s.result);
            s.result.iter_mut().for_each(|v| *v = dtype.round(*v));
        }
        match s.result[..self.layout.own_nodes * outputs].iter().position(|v| !v.is_finite()) {
            Some(i) => fail!(NonFinite, "the network gives {} at element {i} of this part", s.result[i]),
            None => Ok(()),
        }
    }
}
