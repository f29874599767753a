//! Fourier neural operators (Li et al., ICLR 2021) on grids of one to three axes, and BOON over them.
//!
//! A pointwise network lifts the input channels (and the grid's coordinates) to `width` channels; each block adds a spectral convolution,
//! which multiplies the kept Fourier modes by a complex matrix each, to a pointwise skip, and applies the activation; a pointwise
//! network projects to the output channels.
//!
//! Fields lie with their channels last. A block goes once through the field, line by line along the last axis: what is left of the last inverse
//! transform, skip, bias, activation and the first forward transform of the next block happen while a line is in the cache. Only kept
//! modes go on to the other axes.

mod block;
mod boon;
mod correct;
mod derivative;
mod direct;
mod inverse;
mod lines;
mod norm;
mod numbers;
mod part;
mod run;
mod sweep;
mod transpose;

use std::sync::OnceLock;

use pulp::Arch;

use super::boundary::{Boundary, GridBoundary, Kind};
use super::{Channel, Model, Options, Transforms};
use crate::error::{Result, collected, fail, zeros};
use crate::kernels::fft::{self, Fast};
use crate::kernels::fold::{Fold, Pairing, Unfold};
use crate::kernels::fourier::Axis;
use crate::kernels::modes::Modes;
use crate::kernels::product::overhang;
use crate::kernels::real::Real;
use crate::kernels::shared::Shared;
use crate::kernels::team::Team;

use block::{Block, Link, Network};
use boon::{Boon, check_same};
pub use boon::{Correction, Rule};
pub use derivative::DerivativeScratch;
use direct::{Direct, OfChannel};
pub use numbers::{ChannelMlp, Coordinates, Norm, NormKind, Numbers, Padding, Sides, Skip, Span};
pub use part::{OperatorPart, OperatorScratch};
use transpose::Transposes;

/// Bytes of a line's values that pass together: they should stay in the second-level cache.
const TILE_BYTES: usize = 1 << 18;

/// Nodes on each side over which the published code smooths results on one axis and time, and how deep it reads for that.
const SMOOTHED: usize = 5;

/// Weights packed for one arithmetic, tables, and the sizes of a plan.
pub struct Fno<T> {
    arch: Arch,
    team: Team,
    numbers: Numbers,
    inputs: Vec<Channel>,
    outputs: Vec<Channel>,
    batch: usize,
    steps: usize,
    /// Points of the caller's grid.
    grid: Vec<usize>,
    /// Padding before the caller's first point.
    before: Vec<usize>,
    /// What the forward transforms keep of each axis, and what the inverse ones make of it: other frequencies with `odd_shift` alone.
    axes: Vec<Axis<T>>,
    back: Vec<Axis<T>>,
    /// The last axis' inverse matrix, with the factor that the published Neumann correction gives a block.
    halved_inverse: Option<Vec<T>>,
    transforms: Vec<Transform<T>>,
    modes: Modes,
    back_modes: Modes,
    /// Elements from one line's components to the next, with room for an overhang.
    row: usize,
    /// Points of a line that pass together.
    tile: usize,
    coordinates: Vec<Vec<T>>,
    lifting: Network<T>,
    direct: Option<Direct<T>>,
    projection: Network<T>,
    blocks: Vec<Block<T>>,
    boon: Option<Boon<T>>,
    /// Offset, mean and mean square of each wave that a spectral convolution can make; with a norm.
    waves: Vec<(usize, f64, f64)>,
    /// For each line whether conditions or a norm change a block's result.
    waits: Vec<bool>,
    /// Whether some of them wait in the field until their neighbours are there.
    some_wait: bool,
    /// What derivatives need besides, once somebody asks for them.
    transposes: OnceLock<Transposes<T>>,
}

/// How an axis is transformed: forward as in [`Fno::axes`], back as in [`Fno::back`].
enum Transform<T> {
    /// By matrices, pair of points by pair.
    Matrix { fold: Fold<T>, unfold: Unfold<T> },
    /// Column by column.
    Fast { there: Fast<T>, back: Fast<T> },
}

/// Scratch of one plan.
pub struct Scratch<T> {
    /// The caller's input, network units.
    input: Vec<T>,
    /// Boundary values of one function and step, raw units.
    given: Vec<f64>,
    /// The same on the padded grid, network units.
    inside: Vec<f64>,
    /// Results, raw units: [batch, steps, grid, outputs].
    output: Vec<f64>,
    /// [padded grid, width].
    field: Shared<T>,
    /// Components that the units of a sweep leave.
    sums: Shared<T>,
    /// Components along the last axis of the first and the last line of each plane, [planes, 2, row]; where corrections need them.
    edges: Shared<T>,
    /// [grid, outputs]: results of the function and step at hand, raw units.
    result: Shared<f64>,
    /// Of one axis with a fast transform: the convolution's result, like the field.
    wave: Vec<T>,
    /// Components along all axes.
    components: Vec<T>,
    modes: [Vec<T>; 2],
    faces: correct::Faces<T>,
    /// Where the first block does without its input.
    channel: Option<OfChannel<T>>,
    threads: Shared<T>,
    /// Bias, factor and shift of the block at hand where a norm changes them.
    bias: Vec<T>,
    affine: [Vec<T>; 2],
    /// Mean and variance of each channel there.
    moments: Vec<(f64, f64)>,
}

impl<T: Real> Fno<T> {
    pub(super) fn new(model: &Model, options: &Options) -> Result<Self> {
        let description = model.description();
        let Some(numbers) = description.fno.clone() else {
            return fail!(State, "the model is no Fourier neural operator");
        };
        let d = numbers.axes();
        let w = numbers.width;
        if options.latents > 0 || options.dropout > 0.0 {
            return fail!(
                InvalidArgument,
                "options latents and dropout belong to neural processes, expected them unset"
            );
        }
        let Some(grid) = options.shape.clone() else {
            return fail!(InvalidArgument, "option shape is not set, expected the grid's {d} extents");
        };
        if grid.len() != d || grid.contains(&0) {
            return fail!(InvalidArgument, "option shape is {grid:?}, expected {d} extents of at least 1");
        }
        let (mut before, mut extents) = (Vec::new(), Vec::new());
        for (axis, &points) in grid.iter().enumerate() {
            // Padding is a small multiple of the points, or few cells.
            if points > 1 << 32 {
                return fail!(TooLarge, "axis {axis} has {points} points, expected at most 2^32");
            }
            let (first, last) = numbers.padding(axis, points);
            before.push(first);
            extents.push(first + points + last);
        }
        // Before any transform, which can be large, is made.
        let total = extents.iter().try_fold(4 * w, |len: usize, n| len.checked_mul(*n));
        if total.is_none_or(|len| len > isize::MAX as usize / 16) {
            return fail!(TooLarge, "a field of {grid:?} points and {w} channels is beyond the address space");
        }
        let (mut axes, mut back) = (Vec::new(), Vec::new());
        for (axis, (&padded, &modes)) in extents.iter().zip(&numbers.modes).enumerate() {
            let name = format!("axis {axis}");
            let shift = if numbers.odd_shift && axis + 1 < d && padded % 2 == 1 { -1 } else { 0 };
            axes.push(Axis::<T>::new(&name, padded, modes, axis + 1 == d, 0)?);
            back.push(Axis::<T>::new(&name, padded, modes, axis + 1 == d, shift)?);
        }
        let last = &axes[d - 1];
        // An odd number of cache lines: an even one would send the rows that a product walks along to a few sets of the cache.
        let line = T::PANEL / 2;
        let row = (((last.rows() - 1) * w + overhang::<T>(w)).div_ceil(line) | 1) * line;
        // More blocks than threads, for who is ready to help the others.
        let mix_blocks = if options.threads == 1 { 1 } else { 8 * options.threads };
        let modes_of = |axes: &[Axis<T>]| {
            let all: Vec<&Axis<T>> = axes.iter().collect();
            Modes::new(&all, &component_strides(axes, row, w), w, mix_blocks)
        };
        let (modes, back_modes) = (modes_of(&axes), modes_of(&back));

        let boundary = match (&options.boundary, &description.boon) {
            (Some(_), None) => return fail!(State, "option boundary is set, but the model has no field boon"),
            (Some(boundary), Some(trained)) => {
                check_same(boundary, &trained.faces)?;
                Some(boundary.clone())
            }
            (None, Some(trained)) => {
                let mut boundary = Boundary::new();
                for face in &trained.faces {
                    boundary.add_face(face.clone())?;
                }
                Some(boundary)
            }
            (None, None) => None,
        };
        let mut singular = 0;
        let mut boon = None;
        if let (Some(boundary), Some(correction)) = (&boundary, &description.boon) {
            let spacings: Vec<Option<f64>> = (0..d)
                .map(|a| description.grid.get(a).map(|g| (g.upper - g.lower) / (grid[a].max(2) - 1) as f64))
                .collect();
            boon = Some(Boon::new(boundary, correction, &grid, &spacings, &axes, &modes, row, w)?);
        }

        let seed = description.boon.as_ref().filter(|c| c.rule == Rule::Seed);
        let kind = boundary.as_ref().map(|b| b.faces()[0].kind);
        // The published Neumann correction halves the sum of both corrected operators.
        let share = if seed.is_some() && kind == Some(Kind::Neumann) { 0.5 } else { 1.0 };
        if boon.is_some() && options.transforms == Transforms::Fft {
            return fail!(State, "option transforms is fft, expected auto or matrix: the model has a field boon");
        }
        let is_fast = |axis: &Axis<T>| match options.transforms {
            // Boundary corrections read components of some lines alone.
            Transforms::Auto if boon.is_none() => fft::is_faster(axis),
            Transforms::Auto | Transforms::Matrix => Ok(false),
            Transforms::Fft => Ok(true),
        };
        let mut halved_inverse = None;
        let mut transforms = Vec::new();
        for (a, (there, back)) in axes.iter().zip(&back).enumerate() {
            if is_fast(there)? {
                transforms.push(Transform::Fast { there: Fast::new(there)?, back: Fast::new(back)? });
                continue;
            }
            there.make_matrices()?;
            back.make_matrices()?;
            if a + 1 == d && share != 1.0 {
                let halved = back.inverse().iter().map(|v| T::from_f64(v.to_f64() * share));
                halved_inverse = Some(collected(halved, "a transform")?);
            }
            let inverse = halved_inverse.as_deref().unwrap_or(back.inverse());
            let fold = Fold::new(there)?;
            let shares = if d == 2 && a == 0 { sweep::slabs(fold.pairing.pairs()) } else { 1 };
            transforms.push(Transform::Matrix { fold, unfold: Unfold::new(back, inverse, shares)? });
        }

        let mut blocks = Vec::new();
        for b in 0..numbers.blocks {
            blocks.push(Block::new(
                model,
                &numbers,
                b,
                &axes,
                &modes,
                share,
                boon.as_ref().zip(description.boon.as_ref()),
                &mut singular,
            )?);
        }
        if let Some(boon) = &mut boon {
            boon.singular = singular;
        }
        let coordinates = match &numbers.coordinates {
            None => vec![],
            Some(c) => {
                let axes = grid.iter().zip(&c.bounds);
                axes.map(|(&n, &[low, high])| coordinates(n, low, high, c.span)).collect::<Result<_>>()?
            }
        };
        let longest = TILE_BYTES / (w * size_of::<T>());
        let tile = if last.points <= longest { last.points } else { (longest / 48 * 48).max(48) };
        let mut fno = Fno {
            arch: Arch::new(),
            team: Team::new(options.threads)?,
            inputs: description.inputs.clone(),
            outputs: description.outputs.clone(),
            batch: options.batch,
            steps: options.steps,
            grid,
            before,
            halved_inverse,
            transforms,
            modes,
            back_modes,
            row,
            tile,
            coordinates,
            lifting: Network::new(model, "lifting", numbers.lifting.len(), numbers.activation)?,
            projection: Network::new(
                model,
                "projection",
                numbers.projection.len(),
                numbers.projection_activation.unwrap_or(numbers.activation),
            )?,
            blocks,
            boon,
            waves: if numbers.norm.is_some() { norm::waves(&back, row, w) } else { vec![] },
            waits: vec![],
            some_wait: false,
            transposes: OnceLock::new(),
            direct: None,
            axes,
            back,
            numbers,
        };
        if fno.steps > 1 && fno.inputs.len() < fno.outputs.len() {
            let (i, o) = (fno.inputs.len(), fno.outputs.len());
            return fail!(InvalidArgument, "option steps is {}, but {o} outputs do not fit {i} inputs", fno.steps);
        }
        let mut waits = zeros(fno.line_count(), "a plan's lines")?;
        waits.iter_mut().enumerate().for_each(|(line, waits)| *waits = fno.is_changed(line));
        fno.waits = waits;
        fno.some_wait = (0..fno.line_count()).any(|line| fno.must_wait(line));
        fno.direct = fno.new_direct()?;
        Ok(fno)
    }

    /// Kernel matrices of boundary corrections that were singular or nearly so, and were regularised.
    pub(super) fn regularised(&self) -> usize {
        self.boon.as_ref().map_or(0, |boon| boon.singular)
    }

    /// The last axis' inverse matrix that blocks use, where it is there.
    fn last_inverse(&self) -> &[T] {
        let plain = || self.back[self.back.len() - 1].inverse();
        self.halved_inverse.as_deref().unwrap_or_else(plain)
    }

    /// The fast transforms of an axis, forward and back; none where matrices do it.
    fn fast(&self, axis: usize) -> Option<(&Fast<T>, &Fast<T>)> {
        match &self.transforms[axis] {
            Transform::Fast { there, back } => Some((there, back)),
            Transform::Matrix { .. } => None,
        }
    }

    /// The matrices of an axis without fast transforms.
    fn folds(&self, axis: usize) -> (&Fold<T>, &Unfold<T>) {
        match &self.transforms[axis] {
            Transform::Matrix { fold, unfold } => (fold, unfold),
            Transform::Fast { .. } => unreachable!("an axis without matrices"),
        }
    }

    fn pairing(&self, axis: usize) -> Pairing {
        Pairing { points: self.axes[axis].points }
    }

    fn line_points(&self) -> usize {
        self.axes[self.axes.len() - 1].points
    }

    fn line_count(&self) -> usize {
        self.axes[..self.axes.len() - 1].iter().map(|axis| axis.points).product()
    }

    /// Indices of a line on the axes before the last.
    fn line_places(&self, line: usize) -> [usize; 2] {
        match &self.axes[..] {
            [_, middle, _] => [line / middle.points, line % middle.points],
            _ => [line, 0],
        }
    }

    fn tiles(&self) -> usize {
        self.line_points().div_ceil(self.tile)
    }

    /// Whether a line's result waits in the field until its neighbours are there.
    fn must_wait(&self, line: usize) -> bool {
        self.waits[line] && !self.boon.as_ref().is_some_and(|boon| boon.in_line)
    }

    /// Whether a line's result is read or changed by others before the activation: next to faces, and everywhere before a norm of
    /// all points.
    fn is_changed(&self, line: usize) -> bool {
        if self.numbers.norm.is_some() {
            return true;
        }
        let Some(boon) = &self.boon else { return false };
        let places = self.line_places(line);
        boon.inner.faces().iter().any(|face| {
            if face.axis + 1 == self.axes.len() {
                return true;
            }
            let n = self.axes[face.axis].points;
            let depth = if boon.smooth { SMOOTHED + 1 } else { face.ratios.len() + 1 };
            places[face.axis] < depth || n - 1 - places[face.axis] < depth
        })
    }

    /// Most channels that a point has anywhere.
    fn widest(&self) -> usize {
        let widest = self.lifting.iter().chain(self.projection.iter()).map(|layer| layer.weight.outputs());
        let hidden = self.numbers.mlp.iter().map(|mlp| mlp.hidden);
        widest.chain(hidden).fold(self.numbers.width.max(self.numbers.lifted(self.inputs.len())), usize::max)
    }

    /// Values of a prediction of one function.
    pub(super) fn cells(&self) -> usize {
        self.steps.saturating_mul(self.nodes()).saturating_mul(self.outputs.len())
    }

    /// Of what is read, and of what is written.
    pub(super) fn channels(&self) -> (usize, usize) {
        (self.inputs.len(), self.outputs.len())
    }

    /// Most values of a prediction.
    pub(super) fn room(&self) -> usize {
        self.batch.saturating_mul(self.cells())
    }

    /// Allocates all that a call needs.
    pub(super) fn scratch(&self) -> Result<Scratch<T>> {
        let what = "a workspace";
        let w = self.numbers.width;
        let lines = self.line_count();
        let points = lines * self.line_points();
        let nodes: usize = self.grid.iter().product();
        let last = self.axes.len() - 1;
        let many = |counts: &[usize]| zeros::<T>(counts.iter().fold(1usize, |len, n| len.saturating_mul(*n)), what);
        let rows: Vec<usize> = self.axes.iter().zip(&self.back).map(|(a, b)| a.rows().max(b.rows())).collect();
        let outputs = self.room();
        let value_len = |conditions: Option<&GridBoundary>| conditions.map_or(0, |c| c.value_len(self.outputs.len()));
        let norm = self.numbers.norm.is_some();
        let edges = if last == 2 { 2 * self.axes[0].points } else { 2 };
        Ok(Scratch {
            input: many(&[nodes, self.inputs.len()])?,
            given: zeros(value_len(self.boon.as_ref().map(|b| &b.outer)), what)?,
            inside: zeros(value_len(self.boon.as_ref().map(|b| &b.inner)), what)?,
            output: zeros(outputs, what)?,
            // A face's nodes are read with the overhang of a product.
            field: Shared::new(self.field_bounds(what)?, points * w + T::PANEL, what)?,
            result: Shared::new(self.inside_bounds(self.outputs.len(), what)?, nodes * self.outputs.len(), what)?,
            sums: Shared::uniform(self.units().1, self.sums_len(), what)?,
            edges: Shared::uniform(if self.keeps_edges() { edges } else { 0 }, self.row, what)?,
            wave: many(&[if last == 0 && self.fast(0).is_some() { points * w } else { 0 }])?,
            components: many(&[rows[..last].iter().product(), self.row])?,
            modes: [many(&[self.modes.len(), 2 * w])?, many(&[self.modes.len(), 2 * w])?],
            faces: correct::Faces::new(self, what)?,
            channel: self.channel(what)?,
            threads: Shared::uniform(self.team.count(), self.thread_len(), what)?,
            bias: many(&[if norm { w } else { 0 }])?,
            affine: [many(&[if norm { w } else { 0 }])?, many(&[if norm { w } else { 0 }])?],
            moments: zeros(if norm { w } else { 0 }, what)?,
        })
    }
}

/// Distances between components, axis by axis: those of the last axis lie `width` apart in a row, rows follow each other.
fn component_strides<T: Real>(axes: &[Axis<T>], row: usize, width: usize) -> Vec<usize> {
    let mut strides = vec![width];
    let mut stride = row;
    for axis in axes[..axes.len() - 1].iter().rev() {
        strides.insert(0, stride);
        stride *= axis.rows();
    }
    strides
}

/// Values of a grid channel, like numpy's linspace.
fn coordinates<T: Real>(points: usize, low: f64, high: f64, span: Span) -> Result<Vec<T>> {
    let steps = match span {
        Span::Closed => points.max(2) - 1,
        Span::HalfOpen => points,
    };
    let at = |i: usize| {
        if span == Span::Closed && i + 1 == points && points > 1 {
            high
        } else {
            low + (high - low) / steps as f64 * i as f64
        }
    };
    collected((0..points).map(|i| T::from_f64(at(i))), "a plan's coordinates")
}
