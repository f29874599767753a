//! Which points a part has, and what its boundary conditions read.
//!
//! A block is a number of neighbouring points of the caller's grid, in C order. The padding around the grid goes with it: what lies on
//! a line of the grid belongs to the block of the line's nearest point; the lines that are all padding, in C order, are dealt out
//! evenly, the k-th of K to block floor(k B / K) of B. So every padded point has one owner, whoever owns which block.
//!
//! A condition on a face may read nodes of other parts: the opposite node, a stencil's, those of the published smoothing. A part
//! evaluates those nodes as well (its *ghosts*): what a point becomes depends on the kept modes and on the point itself, so a ghost
//! has its owner's bits and only its input has to be told, once.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::run::{Tile, smooth_line};
use super::super::{Fno, SMOOTHED};
use crate::error::{Result, collected, push};
use crate::kernels::real::Real;
use crate::model::boundary::{GridBoundary, GridFace};

/// For messages when there is no memory.
const WHAT: &str = "a part's points";

/// Most lines whose components are found together.
pub(super) const LINES: usize = 24;

/// Most planes of three axes whose components are found together.
pub(super) const PLANES: usize = 8;

/// Neighbouring points of one line.
pub(super) struct Run {
    pub tile: Tile,
    /// Place of the first one among the part's points.
    pub at: usize,
    /// Place of the first one that lies on the caller's grid, among those of the part.
    pub node: usize,
}

/// Lines that follow each other, and the runs on them.
pub(super) struct Sweep {
    pub first: usize,
    pub count: usize,
    /// In [`Layout::by_line`].
    pub runs: Range<usize>,
}

/// A part's points: block by block, then its ghosts.
pub(super) struct Layout {
    pub runs: Vec<Run>,
    /// Runs of each block.
    pub blocks: Vec<Range<usize>>,
    /// All runs in the order of lines.
    pub by_line: Vec<usize>,
    pub sweeps: Vec<Sweep>,
    /// Points, ghosts left out and counted in; the same for those on the caller's grid.
    pub own: usize,
    pub points: usize,
    pub own_nodes: usize,
    pub nodes: usize,
    /// Nodes whose input is told to all parts; which of them are this part's to tell and to hear: (place there, node).
    pub told: usize,
    pub tells: Vec<(usize, usize)>,
    pub hears: Vec<(usize, usize)>,
    /// Conditions on blocks' results and on the results at the end.
    pub inner: Conditions,
    pub outer: Conditions,
}

/// What a part sets of boundary conditions, places among its points instead of nodes.
#[derive(Default)]
pub(super) struct Conditions {
    fixes: Vec<Fix>,
    /// Of the face's node and those that it depends on.
    places: Vec<usize>,
    /// The first nodes of a line from either end of the first axis, which are smoothed.
    columns: Vec<[usize; SMOOTHED + 1]>,
}

struct Fix {
    face: usize,
    /// Where its value begins among those given.
    value: usize,
    first: usize,
}

/// Layers (axis, index) that depend on other nodes, and layers that others depend on.
fn layers(conditions: &GridBoundary, smooth: bool) -> [Vec<(usize, usize)>; 2] {
    let (mut setting, mut read) = (vec![], vec![]);
    for face in conditions.faces().iter().filter(|face| !face.read().is_empty()) {
        let layer = |k| (face.axis, face.index(k, conditions.shape()[face.axis]));
        setting.extend(face.set().map(layer));
        read.extend(face.read().map(layer));
    }
    if smooth {
        let n = conditions.shape()[0];
        setting.extend((1..SMOOTHED).chain(n - SMOOTHED..n - 1).map(|at| (0, at)));
        read.extend((0..=SMOOTHED).chain(n - 1 - SMOOTHED..n).map(|at| (0, at)));
    }
    [setting, read]
}

/// What a node's value on the padded grid depends on beside the node itself.
fn reads(conditions: &GridBoundary, smooth: bool, node: usize, mut each: impl FnMut(usize)) {
    for face in conditions.faces().iter().filter(|face| conditions.sets(face, node)) {
        let line = conditions.line(face.axis, node);
        face.read().map(|k| line.node(face, k)).filter(|other| *other != node).for_each(&mut each);
    }
    let (n, stride) = (conditions.shape()[0], conditions.shape()[1..].iter().product::<usize>());
    let at = node / stride;
    if smooth && ((1..SMOOTHED).contains(&at) || (n - SMOOTHED..n - 1).contains(&at)) {
        each(node - stride);
        each(node + stride);
    }
}

impl Layout {
    /// The points of `owned` blocks, ascending, of `count` blocks of `block` points.
    pub(super) fn new<T: Real>(fno: &Fno<T>, block: usize, count: usize, owned: &[usize]) -> Result<Layout> {
        let mut layout = Layout {
            runs: vec![],
            blocks: vec![],
            by_line: vec![],
            sweeps: vec![],
            own: 0,
            points: 0,
            own_nodes: 0,
            nodes: 0,
            told: 0,
            tells: vec![],
            hears: vec![],
            inner: Conditions::default(),
            outer: Conditions::default(),
        };
        let last = fno.axes.len() - 1;
        let (points, n, before) = (fno.line_points(), fno.grid[last], fno.before[last]);
        let all = |line: usize| Tile { line, number: 0, first: 0, count: points };
        let of_grid = |line: &usize| fno.inside(all(*line)).is_some();
        let lines: Vec<usize> = collected((0..fno.line_count()).filter(of_grid), WHAT)?;
        let padding: Vec<usize> = collected((0..fno.line_count()).filter(|line| !of_grid(line)), WHAT)?;
        let dealt = |b: usize| (b as u128 * padding.len() as u128).div_ceil(count as u128) as usize;
        for &b in owned {
            let start = layout.runs.len();
            let (mut node, end) = (b * block, (b + 1).saturating_mul(block).min(fno.nodes()));
            while node < end {
                let low = node % n;
                let high = n.min(low + end - node);
                let first = if low == 0 { 0 } else { before + low };
                let past = if high == n { points } else { before + high };
                layout.push(fno, Tile { line: lines[node / n], number: 0, first, count: past - first })?;
                node += high - low;
            }
            for line in &padding[dealt(b)..dealt(b + 1)] {
                layout.push(fno, all(*line))?;
            }
            push(&mut layout.blocks, start..layout.runs.len(), WHAT)?;
        }
        (layout.own, layout.own_nodes) = (layout.points, layout.nodes);
        layout.sort()?;
        if let Some(boon) = &fno.boon {
            layout.add_ghosts(fno, &boon.inner, boon.smooth)?;
            layout.bind(fno, &boon.inner, &boon.outer, boon.smooth)?;
        }
        layout.sweep(fno)?;
        Ok(layout)
    }

    fn push<T: Real>(&mut self, fno: &Fno<T>, tile: Tile) -> Result<()> {
        push(&mut self.runs, Run { tile, at: self.points, node: self.nodes }, WHAT)?;
        self.points += tile.count;
        let (_, _, count) = fno.inside_points(tile);
        self.nodes += fno.inside(tile).map_or(0, |_| count);
        Ok(())
    }

    fn sort(&mut self) -> Result<()> {
        self.by_line = collected(0..self.runs.len(), WHAT)?;
        self.by_line.sort_unstable_by_key(|r| (self.runs[*r].tile.line, self.runs[*r].tile.first));
        Ok(())
    }

    /// The run that a padded point belongs to.
    fn find(&self, line: usize, point: usize) -> Option<&Run> {
        let key = |r: &usize| (self.runs[*r].tile.line, self.runs[*r].tile.first);
        let after = self.by_line.partition_point(|r| key(r) <= (line, point));
        let run = &self.runs[self.by_line[after.checked_sub(1)?]];
        (run.tile.line == line && point < run.tile.first + run.tile.count).then_some(run)
    }

    /// Place of a node of the padded grid among the part's points.
    fn place<T: Real>(&self, fno: &Fno<T>, node: usize) -> Option<usize> {
        let (line, point) = (node / fno.line_points(), node % fno.line_points());
        self.find(line, point).map(|run| run.at + point - run.tile.first)
    }

    /// Place of a node of the padded grid among the part's nodes of the caller's grid, and whether it is the part's own.
    fn node<T: Real>(&self, fno: &Fno<T>, node: usize) -> Option<(usize, bool)> {
        let (line, point) = (node / fno.line_points(), node % fno.line_points());
        let run = self.find(line, point)?;
        let before = fno.before[fno.axes.len() - 1];
        let at = run.node + point - run.tile.first.max(before);
        Some((at, at < self.own_nodes))
    }

    fn add_ghosts<T: Real>(&mut self, fno: &Fno<T>, conditions: &GridBoundary, smooth: bool) -> Result<()> {
        let [setting, read] = layers(conditions, smooth);
        let nodes = |layers: &[(usize, usize)]| -> Result<Vec<usize>> {
            let lines = layers.iter().flat_map(|&(axis, index)| conditions.lines(axis).map(move |line| line.at(index)));
            let mut nodes = collected(lines, WHAT)?;
            nodes.sort_unstable();
            nodes.dedup();
            Ok(nodes)
        };
        let mut open = nodes(&setting)?;
        open.retain(|node| self.place(fno, *node).is_some());
        let mut ghosts = BTreeSet::new();
        let mut outcome = Ok(());
        while let Some(node) = open.pop() {
            reads(conditions, smooth, node, |other| {
                if self.place(fno, other).is_none() && ghosts.insert(other) && outcome.is_ok() {
                    outcome = push(&mut open, other, WHAT);
                }
            });
        }
        outcome?;
        let points = fno.line_points();
        let mut run: Option<Tile> = None;
        for node in ghosts {
            let (line, first) = (node / points, node % points);
            match &mut run {
                Some(tile) if (tile.line, tile.first + tile.count) == (line, first) => tile.count += 1,
                _ => {
                    let new = Tile { line, number: 0, first, count: 1 };
                    if let Some(tile) = run.replace(new) {
                        self.push(fno, tile)?;
                    }
                }
            }
        }
        if let Some(tile) = run {
            self.push(fno, tile)?;
        }
        self.sort()?;
        let last = fno.axes.len() - 1;
        let of_grid = |node: &usize| {
            let point = node % points;
            let inside = fno.inside(Tile { line: node / points, number: 0, first: point, count: 1 });
            inside.is_some() && (fno.before[last]..fno.before[last] + fno.grid[last]).contains(&point)
        };
        for node in nodes(&read)?.into_iter().filter(of_grid) {
            match self.node(fno, node) {
                Some((at, true)) => push(&mut self.tells, (self.told, at), WHAT)?,
                Some((at, false)) => push(&mut self.hears, (self.told, at), WHAT)?,
                None => {}
            }
            self.told += 1;
        }
        Ok(())
    }

    fn bind<T: Real>(&mut self, fno: &Fno<T>, inner: &GridBoundary, outer: &GridBoundary, smooth: bool) -> Result<()> {
        let outputs = fno.outputs.len();
        let on_padded = |node: usize| {
            let (mut rest, mut padded, mut stride) = (node, 0, 1);
            for axis in (0..fno.axes.len()).rev() {
                padded += (rest % fno.grid[axis] + fno.before[axis]) * stride;
                rest /= fno.grid[axis];
                stride *= fno.axes[axis].points;
            }
            padded
        };
        self.inner = Conditions::new(inner, outputs, smooth, |node| self.place(fno, node))?;
        self.outer = Conditions::new(outer, outputs, smooth, |node| self.node(fno, on_padded(node)).map(|(at, _)| at))?;
        Ok(())
    }

    fn sweep<T: Real>(&mut self, fno: &Fno<T>) -> Result<()> {
        for (at, r) in self.by_line.iter().enumerate() {
            let line = self.runs[*r].tile.line;
            match self.sweeps.last_mut() {
                Some(sweep) if line == sweep.first + sweep.count - 1 => sweep.runs.end = at + 1,
                Some(sweep)
                    if line == sweep.first + sweep.count
                        && sweep.count < LINES
                        && plane(fno, line) == plane(fno, sweep.first) =>
                {
                    sweep.count += 1;
                    sweep.runs.end = at + 1;
                }
                _ => push(&mut self.sweeps, Sweep { first: line, count: 1, runs: at..at + 1 }, WHAT)?,
            }
        }
        Ok(())
    }
}

impl Layout {
    /// Where the planes end that follow each other from that of a sweep on; at most [`PLANES`].
    pub(super) fn planes_from<T: Real>(&self, fno: &Fno<T>, sweep: usize) -> usize {
        let first = plane(fno, self.sweeps[sweep].first);
        let mut end = first + 1;
        for next in self.sweeps[sweep + 1..].iter().map(|sweep| plane(fno, sweep.first)) {
            if next > end || end == first + PLANES {
                break;
            }
            end = next + 1;
        }
        end
    }
}

/// Index of a line on the first of three axes.
pub(super) fn plane<T: Real>(fno: &Fno<T>, line: usize) -> usize {
    if fno.axes.len() == 3 { line / fno.axes[1].points } else { 0 }
}

impl Conditions {
    /// Those whose nodes `place` knows, in the order in which they are set.
    fn new(
        conditions: &GridBoundary,
        outputs: usize,
        smooth: bool,
        place: impl Fn(usize) -> Option<usize>,
    ) -> Result<Conditions> {
        let mut all = Conditions::default();
        let mut known = Vec::new();
        for (number, face) in conditions.faces().iter().enumerate() {
            let start = face.value.map_or(0, |_| conditions.value_start(face, outputs));
            for line in conditions.lines(face.axis) {
                known.clear();
                known.extend((0..face.count()).map_while(|k| place(line.node(face, k))));
                if known.len() == face.count() {
                    let value = start + line.number * outputs;
                    push(&mut all.fixes, Fix { face: number, value, first: all.places.len() }, WHAT)?;
                    for node in &known {
                        push(&mut all.places, *node, WHAT)?;
                    }
                }
            }
        }
        if smooth {
            for first in [0, conditions.shape()[0] - 1 - SMOOTHED] {
                for line in conditions.lines(0) {
                    let column = std::array::from_fn(|k| place(line.at(first + k)));
                    if column.iter().all(Option::is_some) {
                        push(&mut all.columns, column.map(|at| at.unwrap_or_default()), WHAT)?;
                    }
                }
            }
        }
        Ok(all)
    }

    /// Sets `field` [place, channels] as [`GridBoundary::set`] and the smoothing do.
    pub(super) fn apply<E: Real>(
        &self,
        faces: &[GridFace],
        channels: usize,
        outputs: usize,
        stretch: f64,
        given: &[f64],
        field: &mut [E],
    ) {
        for fix in &self.fixes {
            let face = &faces[fix.face];
            let places = &self.places[fix.first..][..face.count()];
            for c in 0..channels {
                let value = || face.scaled(given[fix.value + c % outputs], stretch);
                let v = E::from_f64(face.rule(value, |k| field[places[k] * channels + c].to_f64()));
                face.set().for_each(|k| field[places[k] * channels + c] = v);
            }
        }
        for column in &self.columns {
            for c in 0..channels {
                smooth_line(field, |k| column[k] * channels + c);
            }
        }
    }
}
