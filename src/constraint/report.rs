use crate::error::{Result, fail, zeros};

/// What a projection did to one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SliceReport {
    /// `g mu - b` of the prior mean, in the unit of `b`.
    pub residual_before: f64,
    /// `g u - b` of the posterior mean as it is stored.
    pub residual_after: f64,
    /// The largest `|residual_after|` of a row without noise: `4 eps sum |g u|` with eps and u of the stored posterior mean, plus a
    /// smallest subnormal number a cell. With noise the row need not hold and this is infinite.
    pub tolerance: f64,
    /// `lambda` in `u = mu - Sigma g' lambda`, all steps together; 0 when nothing changed.
    pub multiplier: f64,
    /// Length of the correction in the prior's metric, `sqrt((u - mu)' Sigma^-1 (u - mu)) = |lambda| sqrt(g Sigma g')`: in prior
    /// standard deviations, without a unit.
    pub correction_norm: f64,
    /// `max |u - mu|`, in the unit of the field.
    pub largest_correction: f64,
    /// The first cell with that correction; 0 when nothing changed.
    pub largest_correction_cell: usize,
    /// Steps after the first that rounding made necessary; almost always 0.
    pub repairs: usize,
    /// The prior mean obeyed already and came back bit for bit (rounded, where the posterior is of a narrower dtype).
    pub unchanged: bool,
}

/// What the last successful projection did, slice by slice. Made once, for a most number of slices; filling it allocates nothing.
#[derive(Clone, Debug)]
pub struct Report {
    slices: Vec<SliceReport>,
    filled: usize,
}

impl Report {
    /// Room for `max_slices`.
    ///
    /// Errors: InvalidArgument when 0, OutOfMemory.
    pub fn new(max_slices: usize) -> Result<Report> {
        if max_slices == 0 {
            return fail!(InvalidArgument, "slices is 0, expected at least 1");
        }
        Ok(Report { slices: zeros(max_slices, "report")?, filled: 0 })
    }

    /// The slices of the last projection; none before the first.
    pub fn slices(&self) -> &[SliceReport] {
        &self.slices[..self.filled]
    }

    pub(super) fn room(&self) -> usize {
        self.slices.len()
    }

    /// `count` is at most [`Report::room`], which the projector checked.
    pub(super) fn fill(&mut self, count: usize) -> &mut [SliceReport] {
        self.filled = count;
        &mut self.slices[..count]
    }
}
