//! Draws of the prior.

use pulp::Arch;

use super::Metric;
use super::band::{backward_band, factor_band};
use crate::constraint::prior::Prior;
use crate::error::{Result, fail};
use crate::kernels::linear::{self, Where};
use crate::kernels::random::Philox;
use crate::kernels::strided::View;

impl Metric {
    /// Prepares draws, beyond [`Metric::prepare`].
    pub fn prepare_draws(&mut self, slice: usize, data: Option<&View>) -> Result<()> {
        let n = self.kind.cells;
        let refused = |cell: usize| -> Result<()> {
            fail!(Variance, "variance: slice {slice}, the covariance is not positive definite at cell {cell}")
        };
        match (self.kind.prior, data) {
            (Prior::CovarianceBand, _) => self.check_covariance_band(slice),
            (Prior::Dense, Some(data)) => {
                if let Some((at, x)) = data.first_non_finite() {
                    return fail!(NonFinite, "variance: slice {slice}, ({}, {}) is {x}", at / n, at % n);
                }
                data.gather(0, &mut self.root);
                factor_dense(&mut self.root, n).map_or(Ok(()), refused)
            }
            _ => Ok(()),
        }
    }

    /// Leaves the band's factor in `other`.
    pub(super) fn check_covariance_band(&mut self, slice: usize) -> Result<()> {
        self.other.copy_from_slice(&self.band);
        match factor_band(&mut self.other, self.kind.cells, self.kind.size) {
            None => Ok(()),
            Some(cell) => {
                fail!(Variance, "variance: slice {slice}, the covariance is not positive definite at cell {cell}")
            }
        }
    }

    /// Adds `Sigma^(1/2) z` to `x`, z the draws of a stream.
    pub fn add_draw(&mut self, random: &Philox, stream: u64, data: Option<&View>, z: &mut [f64], x: &mut [f64]) {
        let (n, w) = (self.kind.cells, self.kind.width());
        random.normals(stream, 0, &mut z[..n]);
        match self.kind.prior {
            Prior::Identity | Prior::Scalar | Prior::Diagonal | Prior::LowRank => {
                for ((x, z), v) in x.iter_mut().zip(&*z).zip(&self.v) {
                    *x += v.sqrt() * z;
                }
            }
            Prior::CovarianceBand => {
                for j in 0..n {
                    for d in 0..=w.min(n - 1 - j) {
                        x[j + d] += self.other[d * n + j] * z[j];
                    }
                }
            }
            Prior::PrecisionBand | Prior::Smoothed => {
                backward_band(&self.band, n, w, &mut z[..n], 1);
                x.iter_mut().zip(&*z).for_each(|(x, z)| *x += z);
            }
            Prior::Dense => {
                for (i, x) in x.iter_mut().enumerate() {
                    *x += self.root[i * n..i * n + i + 1].iter().zip(&*z).map(|(l, z)| l * z).sum::<f64>();
                }
            }
            Prior::Ensemble => {}
        }
        if let (Prior::LowRank | Prior::Ensemble, Some(data)) = (self.kind.prior, data) {
            // Draws of the factors follow those of the cells in the stream, from an even place on.
            let first = (n as u64).next_multiple_of(2);
            for j in 0..self.kind.size {
                let mut c = [0.0; 2];
                random.normals(stream, first + (j as u64 & !1), &mut c);
                self.factor_row(data, j);
                linear::add_multiple(Arch::new(), &self.line, Where::Run(0), c[j & 1], x);
            }
        }
    }
}

/// Cholesky of a dense matrix in its lower triangle; the first cell without a positive pivot, if any.
fn factor_dense(a: &mut [f64], n: usize) -> Option<usize> {
    for i in 0..n {
        let (before, rest) = a.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let other = &before[j * n..j * n + j + 1];
            let sum: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            row[j] = if other[j] > 0.0 { (row[j] - sum) / other[j] } else { 0.0 };
        }
        let pivot = row[i] - row[..i].iter().map(|x| x * x).sum::<f64>();
        // A covariance of lower rank leaves rounding here, which is no refusal.
        if pivot.is_nan() || pivot <= -1e-12 * row[i] {
            return Some(i);
        }
        row[i] = pivot.max(row[i] * f64::EPSILON * f64::EPSILON).sqrt();
    }
    None
}
