//! The log marginal likelihood of points, log N(y; m, K + noise), and its gradient by the logarithms of the hyperparameters
//! (Rasmussen and Williams, section 5.4.1): with A = alpha alpha' - (K + noise)^-1 for each output,
//!
//! ```text
//! d/dtheta log p = tr(A dK/dtheta) / 2
//! ```

use pulp::Arch;

use super::factor::{BLOCK, tile_len};
use super::posterior::{Points, Posterior, Process, Work};
use crate::error::{Result, zeros};
use crate::kernels::product::{Packed, Rows, Start, product};

/// Points of several functions, and all that an evaluation needs.
pub(super) struct Evidence<'a> {
    arch: Arch,
    inputs: usize,
    outputs: usize,
    functions: Vec<Points<'a>>,
    posterior: Posterior,
    work: Work,
    /// (L^-1)' [points, points], for gradients.
    rows: Vec<f64>,
    tile: Vec<f64>,
    packed: Packed<f64>,
    slopes: Vec<f64>,
}

/// An evaluation: the value in network units, its gradient, and what conditioning told.
pub(super) struct Evaluation {
    pub value: f64,
    /// By log variance, log lengths (one for all, where `shared`), log noise.
    pub gradient: Vec<f64>,
    /// Means of the greatest likelihood or as given, of the first function.
    pub means: Vec<f64>,
    pub jitter: f64,
}

impl<'a> Evidence<'a> {
    /// Functions of as many points each.
    pub fn new(inputs: usize, outputs: usize, functions: Vec<Points<'a>>) -> Result<Self> {
        let points = functions[0].x.len() / inputs;
        let what = "a kernel matrix";
        Ok(Evidence {
            arch: Arch::new(),
            inputs,
            outputs,
            functions,
            posterior: Posterior::with_capacity(points, inputs, outputs)?,
            work: Work::new(points)?,
            rows: zeros(points.saturating_mul(points), what)?,
            tile: zeros(tile_len(points), what)?,
            packed: Packed::with_capacity(BLOCK, points, what)?,
            slopes: zeros(points, what)?,
        })
    }

    /// The likelihood of all functions; `shared`: one length for all inputs; `estimate`: the means of the greatest likelihood.
    pub fn evaluate(&mut self, process: &Process, shared: bool, estimate: bool) -> Result<Evaluation> {
        let lengths = if shared { 1 } else { self.inputs };
        let mut out = Evaluation { value: 0.0, gradient: vec![0.0; lengths + 2], means: Vec::new(), jitter: 0.0 };
        for function in 0..self.functions.len() {
            let points = self.functions[function];
            self.posterior.condition(self.arch, process, points, estimate, &mut self.work)?;
            let (n, outputs) = (self.posterior.len as f64, self.outputs as f64);
            let spread = self.posterior.factor.log_determinant + n * libm::log(2.0 * std::f64::consts::PI);
            out.value -= 0.5 * (self.posterior.misfit + outputs * spread);
            out.jitter = out.jitter.max(self.posterior.jitter);
            if out.means.is_empty() {
                out.means.extend_from_slice(&self.posterior.means);
            }
            self.add_gradient(process, points, shared, &mut out.gradient);
        }
        Ok(out)
    }

    fn add_gradient(&mut self, process: &Process, points: Points, shared: bool, gradient: &mut [f64]) {
        let (arch, n, inputs) = (self.arch, self.posterior.len, self.inputs);
        let (first_length, last) = (1, gradient.len() - 1);
        // Row i of L^-T, which is 0 before its block.
        self.rows.fill(0.0);
        for first in (0..n).step_by(BLOCK) {
            let count = BLOCK.min(n - first);
            let rows = &mut self.rows[first * n..(first + count) * n];
            for (i, row) in rows.chunks_exact_mut(n).enumerate() {
                row[first + i] = 1.0;
            }
            self.posterior.factor.forward(arch, rows, n, count, first, n, &mut self.tile);
        }
        let covariance = &process.covariance;
        for first in (0..n).step_by(BLOCK) {
            let width = BLOCK.min(n - first);
            let (rows, packed) = (&self.rows, &mut self.packed);
            packed.pack(width, n - first, |i, k| -rows[(first + i) * n + first + k]);
            for above in (0..=first).step_by(BLOCK) {
                let count = BLOCK.min(n - above);
                let a = &mut self.tile[..count * width];
                for (i, a) in a.chunks_exact_mut(width).enumerate() {
                    for (j, a) in a.iter_mut().enumerate() {
                        let each = (0..self.outputs).map(|c| {
                            let alpha = self.posterior.alpha(c);
                            alpha[above + i] * alpha[first + j]
                        });
                        *a = each.sum::<f64>() / self.outputs as f64;
                    }
                }
                // A of the block, over the outputs' number: alpha alpha' less the inverse, from products of rows of L^-T.
                let left = Rows { data: &self.rows[above * n + first..], stride: n, count };
                product(arch, left, &self.packed, Start::Output, false, a, width);
                let columns = self.posterior.columns().from(first);
                // Both halves of A but on the diagonal blocks, which are whole; times one half of the trace.
                let weight = self.outputs as f64 * if above == first { 0.5 } else { 1.0 };
                for (i, a) in a.chunks_exact(width).enumerate() {
                    let x = &points.x[(above + i) * inputs..][..inputs];
                    let line = &mut self.slopes[..width];
                    covariance.rows(arch, x, columns, width, line, width);
                    gradient[0] += weight * a.iter().zip(&*line).map(|(a, k)| a * k).sum::<f64>();
                    if above == first {
                        gradient[last] += weight * a[i] * process.noise;
                    }
                    covariance.slopes(arch, x, columns, line);
                    line.iter_mut().zip(a).for_each(|(slope, a)| *slope *= a);
                    for (k, (x, inverse)) in x.iter().zip(&covariance.inverse_lengths).enumerate() {
                        let of_axis = columns.data[k * columns.stride..].iter().zip(&*line);
                        let sum: f64 = of_axis.map(|(p, slope)| slope * ((x - p) * inverse).powi(2)).sum();
                        gradient[first_length + if shared { 0 } else { k }] += weight * sum;
                    }
                }
            }
        }
    }
}
