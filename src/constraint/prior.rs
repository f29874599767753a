use std::fmt::Display;

use crate::error::{Result, fail};
use crate::field::Layout;

/// The prior covariance Sigma, which is the metric of the correction, and the data of it that come with each call. A shape is that of
/// one slice; data without a slice axis serve all slices. C order of axes, any strides.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prior {
    /// Sigma = I: every cell yields alike (HardC). Takes no data.
    Identity = 1,
    /// Sigma = diag(v), v the surrogate's variance of each cell (ProbConserv): `[cells]`.
    Diagonal = 2,
    /// Sigma = v I: one variance, `[1]`.
    Scalar = 3,
    /// A banded covariance of `size` off-diagonals: `[size + 1, cells]`, entry `(d, i)` is Sigma_(i, i+d); the last `d` of row `d`
    /// are not read.
    CovarianceBand = 4,
    /// A banded precision Sigma^-1, laid out in the same way.
    PrecisionBand = 5,
    /// Sigma = diag(d) + F'F of rank `size`: `[size + 1, cells]`, d first, then the rows of F.
    LowRank = 6,
    /// The covariance of `size` samples, `[size, cells]`: sum (x - mean x)(x - mean x)' / (size - 1).
    Ensemble = 7,
    /// Sigma itself, `[cells, cells]`, symmetric and positive definite: samples check the whole of that, other calls what the rows
    /// see of it.
    Dense = 8,
    /// A diagonal Sigma after the soft second differences of ProbConserv's diffusion: `u_(i-1) - 2 u_i + u_(i+1) = 0` with noise
    /// variance `v0 + 4 v1 + v2 - 4 a s0 s1 + 2 a^2 s0 s2 - 4 a s1 s2` (s^2 = v at the three cells), which smooths the mean too.
    Smoothed = 9,
}

impl Prior {
    /// Every prior, in order of its number.
    pub const fn all() -> &'static [Prior] {
        &[
            Prior::Identity,
            Prior::Diagonal,
            Prior::Scalar,
            Prior::CovarianceBand,
            Prior::PrecisionBand,
            Prior::LowRank,
            Prior::Ensemble,
            Prior::Dense,
            Prior::Smoothed,
        ]
    }

    /// Whether cells are independent, so that Sigma is a variance a cell.
    pub(super) fn is_diagonal(self) -> bool {
        matches!(self, Prior::Identity | Prior::Diagonal | Prior::Scalar)
    }

    /// Values of one slice's data.
    pub(super) fn span(self, cells: usize, size: usize) -> usize {
        match self {
            Prior::Identity => 0,
            Prior::Scalar => 1,
            Prior::Diagonal | Prior::Smoothed => cells,
            Prior::CovarianceBand | Prior::PrecisionBand | Prior::LowRank => {
                size.saturating_add(1).saturating_mul(cells)
            }
            Prior::Ensemble => size.saturating_mul(cells),
            Prior::Dense => cells.saturating_mul(cells),
        }
    }

    /// That `size` and `smoothing` fit this prior over so many cells.
    pub(super) fn check(self, cells: usize, size: usize, smoothing: f64) -> Result<()> {
        let (least, most, what) = match self {
            Prior::CovarianceBand | Prior::PrecisionBand => (0, cells - 1, "off-diagonals of the band"),
            Prior::LowRank => (1, usize::MAX, "rank"),
            Prior::Ensemble => (2, usize::MAX, "samples"),
            _ => (0, usize::MAX, ""),
        };
        if size < least || size > most {
            return fail!(InvalidArgument, "prior size is {size} ({what}), expected {least} to {most}");
        }
        if self == Prior::Smoothed {
            if !(0.0..1.0).contains(&smoothing) {
                return fail!(InvalidArgument, "smoothing is {smoothing}, expected 0 <= smoothing < 1");
            }
            if cells < 3 {
                return fail!(InvalidArgument, "cells is {cells}, expected at least 3 for second differences");
            }
        }
        if self.span(cells, size) > isize::MAX as usize / 8 {
            return fail!(TooLarge, "the prior's data exceed the address space");
        }
        Ok(())
    }

    /// That data of this layout belong to `slices` slices, or to all of them at once.
    pub(super) fn check_data(self, layout: &Layout, cells: usize, size: usize, slices: usize) -> Result<()> {
        let (span, shape) = (self.span(cells, size), layout.shape());
        // Vectors of a matrix come one after the other, never across.
        let vectors = span / cells.max(1);
        let along = |axis: usize| vectors <= 1 || shape.len() <= axis + 1 || shape[axis] == vectors;
        if layout.len() == span && (along(0) || (shape[0] == 1 && along(1))) {
            return Ok(());
        }
        // A layout of one axis has no slice axis: the variances of a scalar prior are [slices, 1].
        let sliced = shape.len() > 1 && shape[0] == slices && layout.len() == span.saturating_mul(slices);
        if sliced && along(1) {
            return Ok(());
        }
        if vectors > 1 {
            return fail!(
                Shape,
                "variance has shape {shape:?}, expected [{vectors}, {cells}], or [{slices}, {vectors}, {cells}]"
            );
        }
        fail!(
            Shape,
            "variance has shape {shape:?}, expected {span} values, or [{slices}, ...] with {span} values a slice"
        )
    }
}

/// Whether a variance is refused; one of 0 holds its cell.
pub(super) fn is_refused(variance: f64, held_cells: bool) -> bool {
    variance < 0.0 || (variance == 0.0 && !held_cells)
}

/// Refuses a variance; `place` names it.
pub(super) fn refuse_variance<T>(place: impl Display, variance: f64, held_cells: bool) -> Result<T> {
    let expected = if held_cells { "at least 0" } else { "above 0 (or held cells admitted)" };
    fail!(Variance, "{place} is {variance:e}, expected {expected}")
}
