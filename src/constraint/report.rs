use crate::error::{Result, fail, zeros};

/// What a projection did to one row of one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowReport {
    /// `g mu - b` of the prior mean, in the unit of `b`.
    pub residual_before: f64,
    /// `g u - b` of the posterior mean as it is stored.
    pub residual_after: f64,
    /// The largest `|residual_after|` of a row without noise: `4 eps sum |g u|` with eps and u of the stored posterior mean, plus a
    /// smallest subnormal number a cell. With noise the row need not hold and this is infinite. A dropped row holds to
    /// `1e-13 sum |g u|` and the rounding of the right-hand sides on which it depends.
    pub tolerance: f64,
    /// `lambda` in `u = mu - Sigma G' lambda`, all steps together; 0 when nothing changed.
    pub multiplier: f64,
    /// The row depends on rows before it and took no part: it holds because they do.
    pub dropped: bool,
}

/// What a projection did to one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SliceReport {
    /// Length of the correction in the prior's metric, `sqrt((u - mu)' Sigma^-1 (u - mu))`: in prior standard deviations, without
    /// a unit.
    pub correction_norm: f64,
    /// `max |u - mu|`, in the unit of the field.
    pub largest_correction: f64,
    /// The first cell with that correction; 0 when nothing changed.
    pub largest_correction_cell: usize,
    /// Steps that rounding made necessary after the answer was found; almost always 0.
    pub repairs: usize,
    /// The prior mean obeyed already and came back bit for bit (rounded, where the posterior is of a narrower dtype).
    pub unchanged: bool,
    /// Newton or root-finding steps; 0 where the answer is a formula.
    pub iterations: usize,
    /// Cells at their lower bound.
    pub active_lower: usize,
    /// Cells at their upper bound.
    pub active_upper: usize,
    /// Cells whose bounds had to yield.
    pub relaxed: usize,
    /// The furthest that a cell lies outside its bounds, in the unit of the field.
    pub relaxation: f64,
}

/// What the last successful projection did, slice by slice and row by row. Made once, for a most number of slices; filling it
/// allocates nothing.
#[derive(Clone, Debug)]
pub struct Report {
    slices: Vec<SliceReport>,
    rows: Vec<RowReport>,
    rows_a_slice: usize,
    filled: usize,
}

impl Report {
    pub(super) fn new(max_slices: usize, rows: usize) -> Result<Report> {
        if max_slices == 0 {
            return fail!(InvalidArgument, "slices is 0, expected at least 1");
        }
        let Some(all) = max_slices.checked_mul(rows) else {
            return fail!(TooLarge, "report of {max_slices} slices with {rows} rows exceeds the address space");
        };
        Ok(Report { slices: zeros(max_slices, "report")?, rows: zeros(all, "report")?, rows_a_slice: rows, filled: 0 })
    }

    /// The slices of the last projection; none before the first.
    pub fn slices(&self) -> &[SliceReport] {
        &self.slices[..self.filled]
    }

    /// The rows of one of [`Report::slices`], in the order in which the constraints were given them.
    pub fn rows(&self, slice: usize) -> &[RowReport] {
        assert!(slice < self.filled, "slice {slice} of {}", self.filled);
        &self.rows[slice * self.rows_a_slice..][..self.rows_a_slice]
    }

    /// That a call's report has room for it and belongs to as many rows.
    pub(super) fn check(&self, slices: usize, rows: usize) -> Result<()> {
        if self.rows_a_slice != rows {
            return fail!(Mismatch, "report has {} rows a slice, expected {rows} as the projector", self.rows_a_slice);
        }
        if self.slices.len() < slices {
            return fail!(
                InvalidArgument,
                "report has room for {} slices, expected {slices} at least",
                self.slices.len()
            );
        }
        Ok(())
    }

    /// Begins to fill the report for so many slices, which [`Report::check`] admitted.
    pub(super) fn begin(&mut self, slices: usize) {
        self.filled = slices;
    }

    /// The places of one slice.
    pub(super) fn slice_mut(&mut self, index: usize) -> (&mut SliceReport, &mut [RowReport]) {
        (&mut self.slices[index], &mut self.rows[index * self.rows_a_slice..][..self.rows_a_slice])
    }
}
