//! A process conditioned on points: K + noise = L L' and alpha = (K + noise)^-1 (y - m).

use pulp::Arch;

use super::factor::{BLOCK, Factor, squares, tile_len};
use super::kernel::{Columns, Covariance};
use crate::error::{Result, fail, zeros};
use crate::kernels::product::{Rows, dots};

/// Jitters that are tried after none: each ten times the last.
const JITTERS: i32 = 6;

/// Values that differ by more than so many deviations of the process contradict each other at one point without noise.
const CONTRADICTION: f64 = 1e-6;

/// A prior: a covariance function, noise and constant means; network units.
#[derive(Clone)]
pub(super) struct Process {
    pub covariance: Covariance,
    pub noise: f64,
    pub means: Vec<f64>,
}

/// Points in network units, C order.
#[derive(Clone, Copy)]
pub(super) struct Points<'a> {
    /// [points, inputs]
    pub x: &'a [f64],
    /// [points, outputs]
    pub y: &'a [f64],
    /// [points]
    pub noise: Option<&'a [f64]>,
}

impl Points<'_> {
    fn noise(&self, point: usize) -> f64 {
        self.noise.map_or(0.0, |noise| noise[point])
    }
}

/// What conditioning works in.
pub(super) struct Work {
    rows: Vec<f64>,
    tile: Vec<f64>,
}

impl Work {
    pub fn new(points: usize) -> Result<Work> {
        Ok(Work { rows: zeros(tile_len(points), "a kernel matrix")?, tile: zeros(tile_len(BLOCK), "a kernel matrix")? })
    }
}

/// Room for a number of points, and what conditioning on some left in it.
pub(super) struct Posterior {
    pub len: usize,
    capacity: usize,
    inputs: usize,
    /// Coordinates, each [capacity].
    columns: Vec<f64>,
    /// [outputs, len]
    alpha: Vec<f64>,
    pub means: Vec<f64>,
    pub factor: Factor,
    /// Added to the diagonal, as a part of the signal variance.
    pub jitter: f64,
    /// (y - m)' (K + noise)^-1 (y - m), summed over outputs.
    pub misfit: f64,
}

impl Posterior {
    pub fn with_capacity(points: usize, inputs: usize, outputs: usize) -> Result<Posterior> {
        let what = "a kernel matrix";
        Ok(Posterior {
            len: 0,
            capacity: points,
            inputs,
            columns: zeros(points.saturating_mul(inputs), what)?,
            alpha: zeros(points.saturating_mul(outputs), what)?,
            means: zeros(outputs, what)?,
            factor: Factor::with_capacity(points)?,
            jitter: 0.0,
            misfit: 0.0,
        })
    }

    pub fn columns(&self) -> Columns<'_> {
        Columns { data: &self.columns, stride: self.capacity }
    }

    /// alpha of one output.
    pub fn alpha(&self, output: usize) -> &[f64] {
        &self.alpha[output * self.len..][..self.len]
    }

    /// Conditions on points. With `estimate` the means are those of the greatest likelihood: 1' K^-1 y / 1' K^-1 1.
    ///
    /// A pivot must exceed n eps of its diagonal, which is what rounding may leave of nothing. Where one does not, the diagonal gets
    /// 10 n eps of the signal variance, then ten times as much, five times over; then the matrix is refused.
    pub fn condition(
        &mut self,
        arch: Arch,
        process: &Process,
        points: Points,
        estimate: bool,
        work: &mut Work,
    ) -> Result<()> {
        let (inputs, outputs) = (self.inputs, self.means.len());
        let len = points.x.len() / inputs;
        self.len = len;
        for (point, x) in points.x.chunks_exact(inputs).enumerate() {
            for (k, x) in x.iter().enumerate() {
                self.columns[k * self.capacity + point] = *x;
            }
        }
        let covariance = &process.covariance;
        let columns = Columns { data: &self.columns, stride: self.capacity };
        let least = len as f64 * f64::EPSILON;
        self.jitter = 0.0;
        for attempt in 0..=JITTERS {
            if attempt > 0 {
                self.jitter = 10.0 * self.jitter.max(least);
            }
            let more = process.noise + self.jitter * covariance.variance;
            let fill = |first: usize, rows: usize, out: &mut [f64], stride: usize| {
                let x = &points.x[first * inputs..(first + rows) * inputs];
                covariance.rows(arch, x, columns, first + rows, out, stride);
                for row in 0..rows {
                    out[row * stride + first + row] += more + points.noise(first + row);
                }
            };
            if self.factor.factor(arch, len, least, &mut work.rows, len, &mut work.tile, fill).is_ok() {
                break;
            }
            if attempt == 0 {
                self.contradiction(process, points)?;
            }
            if attempt == JITTERS {
                return fail!(
                    Singular,
                    "the kernel matrix of {len} points is singular, with {:e} of the signal variance added too: expected points \
                     farther apart for the length scales, or noise",
                    self.jitter
                );
            }
        }
        let ones = &mut work.rows[..len];
        let mut weight = 0.0;
        if estimate {
            ones.fill(1.0);
            self.factor.forward(arch, ones, len, 1, 0, len, &mut work.tile);
            let mut sum = [0.0];
            squares(arch, ones, len, len, &mut sum);
            weight = sum[0];
            self.factor.backward(ones);
        }
        self.misfit = 0.0;
        for output in 0..outputs {
            let y = points.y.iter().skip(output).step_by(outputs);
            self.means[output] = match estimate {
                true => work.rows[..len].iter().zip(y.clone()).map(|(w, y)| w * y).sum::<f64>() / weight,
                false => process.means[output],
            };
            let mean = self.means[output];
            let alpha = &mut self.alpha[output * len..][..len];
            alpha.iter_mut().zip(y).for_each(|(a, y)| *a = y - mean);
            self.factor.forward(arch, alpha, len, 1, 0, len, &mut work.tile);
            let mut sum = [0.0];
            squares(arch, alpha, len, len, &mut sum);
            self.misfit += sum[0];
            self.factor.backward(alpha);
        }
        if !self.misfit.is_finite() || self.alpha[..outputs * len].iter().any(|a| !a.is_finite()) {
            return fail!(NonFinite, "the context points overflow the kernel matrix");
        }
        Ok(())
    }

    /// Two values at one point without noise. Looked for only after a matrix turned out singular.
    fn contradiction(&self, process: &Process, points: Points) -> Result<()> {
        let outputs = self.means.len();
        let least = CONTRADICTION * process.covariance.variance.sqrt();
        let x = |point: usize| &points.x[point * self.inputs..][..self.inputs];
        let y = |point: usize| &points.y[point * outputs..][..outputs];
        for j in 1..self.len {
            for i in 0..j {
                let noise = process.noise + points.noise(i) + points.noise(j);
                let apart = y(i).iter().zip(y(j)).any(|(a, b)| (a - b).abs() > least);
                if noise == 0.0 && x(i) == x(j) && apart {
                    return fail!(
                        Contradiction,
                        "context points {i} and {j} are one point with two values and no noise, expected noise > 0 or one of them"
                    );
                }
            }
        }
        Ok(())
    }

    /// Covariances k(x, X) of `rows` targets x [rows, inputs] to v [rows, len], and the posterior means to `means` [rows, outputs].
    pub fn predict(&self, arch: Arch, covariance: &Covariance, x: &[f64], v: &mut [f64], means: &mut [f64]) {
        let (len, rows) = (self.len, x.len() / self.inputs);
        covariance.rows(arch, x, self.columns(), len, v, len);
        let alpha = &self.alpha[..self.means.len() * len];
        dots(arch, Rows { data: v, stride: len, count: rows }, alpha, &self.means, means);
    }
}
