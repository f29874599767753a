//! Gaussian process regression (Rasmussen and Williams, "Gaussian processes for machine learning", 2006, chapter 2).
//!
//! f ~ N(m, k), y = f + noise. With L L' = k(X, X) + noise, alpha = (L L')^-1 (y - m) and V = k(x, X) L^-T, the posterior of f at
//! targets x is
//!
//! ```text
//! mean = m + k(x, X) alpha        cov = k(x, x) - V V'
//! ```
//!
//! Conditioning factors; queries are matrix products. The algebra is f64 whatever the arrays' dtypes. Outputs are independent
//! processes with the same kernel, so that one factor serves all of them.

mod factor;
mod fit;
mod kernel;
mod likelihood;
mod numbers;
mod posterior;
mod search;

use pulp::Arch;

use super::arrays::{
    all_finite, apart, at_most, check_targets, expect_extents, expect_shape, finite, in_range, scaled, shape_error,
};
use super::{Channel, Model, Options};
use crate::error::{Result, fail, zeros};
use crate::kernels::product::{Packed, Rows, Start, product};
use crate::kernels::strided::{View, ViewMut};

pub use fit::{Fit, FitOptions, MOST_RESTARTS};
pub use kernel::Kernel;
pub use numbers::Numbers;

use factor::{BLOCK, squares, tile_len};
use kernel::Columns;
use posterior::{Points, Posterior, Process, Work};

/// Bytes of covariances between targets and points that should stay in the second-level cache.
const TILE_BYTES: usize = 1 << 20;

/// Targets that are solved for together: whole register blocks of the products.
fn tile_rows(points: usize) -> usize {
    (TILE_BYTES / points.saturating_mul(8) / 12 * 12).clamp(12, 240)
}

/// A process and the sizes of a plan.
pub struct Gp {
    arch: Arch,
    process: Process,
    inputs: Vec<Channel>,
    outputs: Vec<Channel>,
    stored: Option<Posterior>,
    batch: usize,
    context: Option<usize>,
    targets: usize,
    /// Most targets of a covariance.
    covariance: usize,
    tile: usize,
}

/// Scratch of one plan.
pub struct Scratch {
    /// Functions conditioned on; 0 before the first success.
    pub(super) functions: usize,
    posteriors: Vec<Posterior>,
    work: Option<Work>,
    x: Vec<f64>,
    y: Vec<f64>,
    noise: Vec<f64>,
    rows: Vec<f64>,
    tile: Vec<f64>,
    parts: Vec<f64>,
    sums: Vec<f64>,
    mean: Vec<f64>,
    variance: Vec<f64>,
    dense: Option<Dense>,
}

/// What covariances need.
struct Dense {
    /// Targets of all functions, network units: results may share memory with the caller's.
    targets: Vec<f64>,
    /// V [targets, points].
    rows: Vec<f64>,
    /// Coordinates of the targets, each [targets].
    columns: Vec<f64>,
    /// A block of -V.
    packed: Packed<f64>,
    /// [BLOCK, BLOCK]
    square: Vec<f64>,
    line: Vec<f64>,
}

impl Gp {
    pub(super) fn new(model: &Model, options: &Options) -> Result<Self> {
        let description = model.description();
        let Some(numbers) = &description.gp else {
            return fail!(State, "the model is no Gaussian process");
        };
        let Some(targets) = options.targets else {
            return fail!(InvalidArgument, "option targets is not set, expected the largest number of points");
        };
        if options.context.is_none() && numbers.points == 0 {
            return fail!(
                InvalidArgument,
                "option context is not set, expected the largest number of points: the model stores none"
            );
        }
        if options.latents > 0 || options.dropout > 0.0 {
            let (name, value) = match options.latents {
                0 => ("dropout", options.dropout),
                latents => ("latents", latents as f64),
            };
            return fail!(InvalidArgument, "option {name} is {value}, expected 0 for a Gaussian process");
        }
        let (inputs, outputs) = (description.inputs.clone(), description.outputs.clone());
        let process = numbers.process(inputs.len(), outputs.len());
        let arch = Arch::new();
        let stored = match numbers.points {
            0 => None,
            points => {
                let mut posterior = Posterior::with_capacity(points, inputs.len(), outputs.len())?;
                let (x, y, noise) = stored_points(model, &inputs, &outputs)?;
                let points = Points { x: &x, y: &y, noise: noise.as_deref() };
                posterior.condition(arch, &process, points, false, &mut Work::new(numbers.points)?)?;
                Some(posterior)
            }
        };
        let covariance = options.covariance;
        if covariance > targets {
            return fail!(
                InvalidArgument,
                "option covariance is {covariance}, expected at most option targets, {targets}"
            );
        }
        let tile = tile_rows(options.context.unwrap_or(1).max(numbers.points));
        Ok(Gp {
            arch,
            process,
            inputs,
            outputs,
            stored,
            batch: options.batch,
            context: options.context,
            targets,
            covariance,
            tile,
        })
    }

    /// Most points of a function.
    fn points(&self) -> usize {
        self.context.unwrap_or(0).max(self.stored.as_ref().map_or(0, |stored| stored.len))
    }

    /// Most values of a prediction.
    pub(super) fn room(&self) -> usize {
        self.batch.saturating_mul(self.targets).saturating_mul(self.outputs.len())
    }

    pub(super) fn scratch(&self) -> Result<Scratch> {
        let (inputs, outputs, points) = (self.inputs.len(), self.outputs.len(), self.points());
        let many = |count: usize, width: usize| zeros::<f64>(count.saturating_mul(width), "a workspace");
        let context = self.context.unwrap_or(0);
        let mut posteriors = Vec::new();
        if context > 0 {
            if posteriors.try_reserve_exact(self.batch).is_err() {
                return fail!(OutOfMemory, "no memory for {} kernel matrices", self.batch);
            }
            for _ in 0..self.batch {
                posteriors.push(Posterior::with_capacity(context, inputs, outputs)?);
            }
        }
        let staged = self.room();
        let dense = match self.covariance {
            0 => None,
            targets => Some(Dense {
                targets: many(targets.saturating_mul(self.batch), inputs)?,
                rows: many(targets, points)?,
                columns: many(targets, inputs)?,
                packed: Packed::with_capacity(BLOCK, points, "a workspace")?,
                square: many(BLOCK, BLOCK)?,
                line: many(BLOCK, 1)?,
            }),
        };
        Ok(Scratch {
            functions: 0,
            posteriors,
            work: if context > 0 { Some(Work::new(context)?) } else { None },
            x: many(context.max(self.tile), inputs)?,
            y: many(context, outputs)?,
            noise: many(context, 1)?,
            rows: many(self.tile, points)?,
            tile: many(tile_len(self.tile), 1)?,
            parts: many(self.tile, outputs)?,
            sums: many(self.tile, 1)?,
            mean: many(staged, 1)?,
            variance: many(staged, 1)?,
            dense,
        })
    }

    /// Conditions on the points x [functions, n, inputs], y [functions, n, outputs] of every function, with noise [n] or [functions, n].
    pub(super) fn condition(&self, s: &mut Scratch, x: &View, y: &View, noise: Option<&View>) -> Result<()> {
        let (Some(context), Some(work)) = (self.context, &mut s.work) else {
            return fail!(State, "the plan was made without option context, expected the largest number of points");
        };
        let (functions, points) = check_points(x, y, noise, self.inputs.len(), self.outputs.len())?;
        at_most("context_x", "functions", functions, self.batch, "batch")?;
        at_most("context_x", "points", points, context, "context")?;
        s.functions = 0;
        for function in 0..functions {
            let (x, y) = (x.merged(), y.merged());
            let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
            let (sx, sy) = (&mut s.x[..points * inputs], &mut s.y[..points * outputs]);
            gather(&x, function * points, inputs, &self.inputs, sx)?;
            gather(&y, function * points, outputs, &self.outputs, sy)?;
            let noise = match noise {
                None => None,
                Some(view) => {
                    let noise = &mut s.noise[..points];
                    view.merged().gather(function * points % view.layout().len(), noise);
                    Some(&*noise)
                }
            };
            s.posteriors[function].condition(self.arch, &self.process, Points { x: sx, y: sy, noise }, false, work)?;
        }
        s.functions = functions;
        Ok(())
    }

    /// What functions a query is about: those conditioned on, or the stored one.
    fn functions(&self, s: &Scratch) -> Result<usize> {
        match (s.functions, &self.stored) {
            (0, None) => fail!(State, "the workspace is not conditioned, expected context points first"),
            (0, Some(_)) => Ok(1),
            (functions, _) => Ok(functions),
        }
    }

    fn posterior<'a>(&'a self, functions: usize, posteriors: &'a [Posterior], function: usize) -> &'a Posterior {
        match &self.stored {
            Some(stored) if functions == 0 => stored,
            _ => &posteriors[function],
        }
    }

    /// The largest jitter, as a part of the signal variance.
    pub(super) fn jitter(&self, s: &Scratch) -> Result<f64> {
        let functions = self.functions(s)?;
        let jitters = (0..functions).map(|f| self.posterior(s.functions, &s.posteriors, f).jitter);
        Ok(jitters.fold(0.0, f64::max))
    }

    /// Mean and variance at the targets x.
    pub(super) fn query(
        &self,
        s: &mut Scratch,
        x: &View,
        eps: Option<&View>,
        mean: &mut ViewMut,
        variance: Option<&mut ViewMut>,
    ) -> Result<()> {
        let functions = self.functions(s)?;
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        let (shared, targets) = check_targets(x, functions, inputs, (self.targets, "targets"))?;
        expect_shape("mean", mean.layout().shape(), functions, targets, outputs)?;
        if let Some(variance) = &variance {
            expect_shape("variance", variance.layout().shape(), functions, targets, outputs)?;
            apart("variance", variance, mean)?;
        }
        if eps.is_some() {
            return fail!(InvalidArgument, "eps is given, but a Gaussian process has no latents");
        }
        let x = x.merged();
        for function in 0..functions {
            let posterior = self.posterior(s.functions, &s.posteriors, function);
            for first in (0..targets).step_by(self.tile) {
                let count = self.tile.min(targets - first);
                let start = if shared { first } else { function * targets + first };
                let tile = &mut s.x[..count * inputs];
                gather(&x, start, inputs, &self.inputs, tile)?;
                let at = (function * targets + first) * outputs;
                let rows = &mut s.rows[..count * posterior.len];
                posterior.predict(self.arch, &self.process.covariance, tile, rows, &mut s.parts);
                self.raw_means(&s.parts[..count * outputs], &mut s.mean[at..]);
                if variance.is_some() {
                    self.solve(posterior, rows, count, &mut s.tile, &mut s.sums);
                    for (v, sum) in s.variance[at..].chunks_exact_mut(outputs).zip(&s.sums[..count]) {
                        for (v, channel) in v.iter_mut().zip(&self.outputs) {
                            *v = channel.scale * channel.scale * self.left(*sum);
                        }
                    }
                }
            }
        }
        let staged = functions * targets * outputs;
        in_range(mean.dtype(), &s.mean[..staged])?;
        if let Some(variance) = variance {
            in_range(variance.dtype(), &s.variance[..staged])?;
            variance.scatter(0, &s.variance[..staged]);
        }
        mean.scatter(0, &s.mean[..staged]);
        Ok(())
    }

    /// Rows k(x, X) := k(x, X) L^-T, and their sums of squares.
    fn solve(&self, posterior: &Posterior, rows: &mut [f64], count: usize, tile: &mut [f64], sums: &mut [f64]) {
        let len = posterior.len;
        posterior.factor.forward(self.arch, rows, len, count, 0, len, tile);
        squares(self.arch, rows, len, len, &mut sums[..count]);
    }

    /// The posterior variance, of which `explained` is gone; rounding takes it no further than 0.
    fn left(&self, explained: f64) -> f64 {
        let left = self.process.covariance.variance - explained;
        if left < 0.0 { 0.0 } else { left }
    }

    fn raw_means(&self, parts: &[f64], mean: &mut [f64]) {
        for (mean, part) in mean.chunks_exact_mut(self.outputs.len()).zip(parts.chunks_exact(self.outputs.len())) {
            for ((mean, part), channel) in mean.iter_mut().zip(part).zip(&self.outputs) {
                *mean = channel.offset + channel.scale * part;
            }
        }
    }

    /// The posterior covariance [functions, outputs, m, m] at the targets x, and the means.
    pub(super) fn covariance(
        &self,
        s: &mut Scratch,
        x: &View,
        mean: Option<&mut ViewMut>,
        covariance: &mut ViewMut,
    ) -> Result<()> {
        let functions = self.functions(s)?;
        let Some(dense) = &mut s.dense else {
            return fail!(State, "the plan was made without option covariance, expected the largest number of targets");
        };
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        let (shared, targets) = check_targets(x, functions, inputs, (self.covariance, "covariance"))?;
        expect_extents("covariance", covariance.layout(), [functions, outputs, targets, targets].into_iter())?;
        if let Some(mean) = &mean {
            expect_shape("mean", mean.layout().shape(), functions, targets, outputs)?;
            apart("covariance", covariance, mean)?;
        }
        let greatest = self.outputs.iter().map(|c| c.scale * c.scale).fold(0.0, f64::max);
        in_range(covariance.dtype(), &[greatest * self.process.covariance.variance])?;
        let (copies, all) = if shared { (1, 0) } else { (functions, targets * inputs) };
        gather(&x.merged(), 0, inputs, &self.inputs, &mut dense.targets[..copies * targets * inputs])?;
        // Nothing is written before every function is known to have a finite answer.
        for function in 0..functions {
            self.explain(s, function, function * all, targets)?;
        }
        if let Some(mean) = mean {
            in_range(mean.dtype(), &s.mean[..functions * targets * outputs])?;
            mean.scatter(0, &s.mean[..functions * targets * outputs]);
        }
        let mut covariance = covariance.merged_mut();
        for function in 0..functions {
            if functions > 1 {
                self.explain(s, function, function * all, targets)?;
            }
            self.write_covariance(s, function, function * all, targets, &mut covariance);
        }
        Ok(())
    }

    /// V of all targets of one function, which are there from `at` on, its sums of squares (in the place of variances) and the means.
    fn explain(&self, s: &mut Scratch, function: usize, at: usize, targets: usize) -> Result<()> {
        let Some(dense) = &mut s.dense else { return Ok(()) };
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        let all = &dense.targets[at..at + targets * inputs];
        for (target, x) in all.chunks_exact(inputs).enumerate() {
            for (k, x) in x.iter().enumerate() {
                dense.columns[k * self.covariance + target] = *x;
            }
        }
        let posterior = self.posterior(s.functions, &s.posteriors, function);
        let len = posterior.len;
        for first in (0..targets).step_by(self.tile) {
            let count = self.tile.min(targets - first);
            let rows = &mut dense.rows[first * len..(first + count) * len];
            let x = &all[first * inputs..(first + count) * inputs];
            posterior.predict(self.arch, &self.process.covariance, x, rows, &mut s.parts);
            let at = (function * targets + first) * outputs;
            self.raw_means(&s.parts[..count * outputs], &mut s.mean[at..]);
            self.solve(posterior, rows, count, &mut s.tile, &mut s.sums);
            s.variance[first..first + count].copy_from_slice(&s.sums[..count]);
        }
        if !all_finite(&s.variance[..targets]) {
            return fail!(NonFinite, "the covariance overflows: the kernel matrix is nearly singular");
        }
        Ok(())
    }

    /// Writes k(x, x) - V V' of one function, a pair of blocks at a time: both halves from the same numbers, the diagonal as queries have it.
    fn write_covariance(&self, s: &mut Scratch, function: usize, at: usize, targets: usize, covariance: &mut ViewMut) {
        let Some(dense) = &mut s.dense else { return };
        let inputs = self.inputs.len();
        let len = self.posterior(s.functions, &s.posteriors, function).len;
        for first in (0..targets).step_by(BLOCK) {
            let width = BLOCK.min(targets - first);
            let (rows, packed) = (&dense.rows, &mut dense.packed);
            packed.pack(width, len, |target, k| -rows[(first + target) * len + k]);
            let columns = Columns { data: &dense.columns[first..], stride: self.covariance };
            for below in (first..targets).step_by(BLOCK) {
                let count = BLOCK.min(targets - below);
                let square = &mut dense.square[..count * width];
                let x = &dense.targets[at..][below * inputs..(below + count) * inputs];
                self.process.covariance.rows(self.arch, x, columns, width, square, width);
                let left = Rows { data: &dense.rows[below * len..], stride: len, count };
                product(self.arch, left, &dense.packed, Start::Output, false, square, width);
                if below == first {
                    for i in 0..width {
                        square[i * width + i] = self.left(s.variance[first + i]);
                    }
                }
                for (output, channel) in self.outputs.iter().enumerate() {
                    let square_of_scale = channel.scale * channel.scale;
                    let place =
                        |i: usize, j: usize| ((function * self.outputs.len() + output) * targets + i) * targets + j;
                    let line = &mut dense.line;
                    for i in 0..count {
                        for (to, from) in line.iter_mut().zip(&square[i * width..][..width]) {
                            *to = square_of_scale * from;
                        }
                        covariance.scatter(place(below + i, first), &line[..width]);
                    }
                    if below > first {
                        for j in 0..width {
                            for (to, from) in line.iter_mut().zip(square.chunks_exact(width)) {
                                *to = square_of_scale * from[j];
                            }
                            covariance.scatter(place(first + j, below), &line[..count]);
                        }
                    }
                }
            }
        }
    }
}

impl Numbers {
    fn process(&self, inputs: usize, outputs: usize) -> Process {
        Process { covariance: self.covariance(inputs), noise: self.noise, means: self.means(outputs) }
    }
}

/// Checks context_x [functions, n, inputs], context_y [functions, n, outputs] and noise [n] or [functions, n]: functions and n.
fn check_points(x: &View, y: &View, noise: Option<&View>, inputs: usize, outputs: usize) -> Result<(usize, usize)> {
    let (functions, points) = match *x.layout().shape() {
        [points] if inputs == 1 => (1, points),
        [functions, points] if inputs == 1 && points > 1 => (functions, points),
        [points, _] => (1, points),
        [functions, points, _] => (functions, points),
        _ => {
            shape_error("context_x", x, "[functions, points, inputs]")?;
            (0, 0)
        }
    };
    expect_shape("context_x", x.layout().shape(), functions, points, inputs)?;
    expect_shape("context_y", y.layout().shape(), functions, points, outputs)?;
    finite("context_x", x, points, inputs)?;
    finite("context_y", y, points, outputs)?;
    if let Some(noise) = noise {
        if *noise.layout().shape() != [points] && *noise.layout().shape() != [functions, points] {
            let shape = noise.layout().shape();
            return fail!(Shape, "noise has shape {shape:?}, expected [{points}] or [{functions}, {points}]");
        }
        finite("noise", noise, points, 1)?;
        let noise = noise.merged();
        for i in 0..noise.layout().len() {
            let mut value = [0.0];
            noise.gather(i, &mut value);
            if !(0.0..=1e100).contains(&value[0]) {
                return fail!(Noise, "noise[{}, {}] is {}, expected 0 to 1e100", i / points, i % points, value[0]);
            }
        }
    }
    Ok((functions, points))
}

/// Points from `first` on in network units, as many as `out` holds.
fn gather(view: &View, first: usize, width: usize, channels: &[Channel], out: &mut [f64]) -> Result<()> {
    scaled(view, first, out.len() / width, width, channels, |point, channel, v| out[point * width + channel] = v);
    if !all_finite(out) {
        return fail!(NonFinite, "values overflow in the units of their channels: far outside the channels' scales");
    }
    Ok(())
}

type Stored = (Vec<f64>, Vec<f64>, Option<Vec<f64>>);

fn stored_points(model: &Model, inputs: &[Channel], outputs: &[Channel]) -> Result<Stored> {
    let Some(numbers) = &model.description().gp else { return fail!(State, "the model is no Gaussian process") };
    let read = |name: &str, channels: &[Channel]| -> Result<Vec<f64>> {
        let (raw, mut out) = (model.tensor(name).to_f64(), zeros(numbers.points * channels.len(), name)?);
        gather(&View::new(name, &raw, &[raw.len()])?, 0, channels.len(), channels, &mut out)?;
        Ok(out)
    };
    let noise = match numbers.point_noise {
        false => None,
        true => {
            let noise = model.tensor("points.noise").to_f64();
            if let Some((i, v)) = noise.iter().enumerate().find(|(_, v)| !(0.0..=1e100).contains(*v)) {
                return fail!(Weights, "points.noise[{i}] is {v}, expected 0 to 1e100");
            }
            Some(noise)
        }
    };
    Ok((read("points.x", inputs)?, read("points.y", outputs)?, noise))
}
