//! Checks alone: a report of what holds, of a state that nobody changes.

use super::batch::data_of;
use super::bounds::{Bounded, Bounds};
use super::joint::Input;
use super::nonlinear::NonlinearScratch;
use super::project::{Projector, Scratch, check_values, slice};
use super::report::{Report, RowReport, SliceReport};
use crate::error::{Result, fail};
use crate::kernels::moments;
use crate::kernels::strided::View;

impl Projector {
    /// Fills the report with how every slice of `mean` stands to its rows; changes nothing else.
    ///
    /// Residuals before and after are both `g mu - b`, the tolerance is that of the mean's own dtype, and `unchanged` says that all rows
    /// hold, those with noise to the bit: that [`Projector::project`] into the mean's dtype would leave it as it is. With
    /// [`Prior::Smoothed`](super::Prior::Smoothed) the mean is judged as given.
    ///
    /// Errors: as [`Projector::project`], as far as they concern the mean, `b` and the report.
    pub fn check(&self, scratch: &mut Scratch, mean: View, b: View, report: &mut Report) -> Result<()> {
        self.check_whole()?;
        let count = self.check_slices(scratch, "mean", &mean)?;
        let m = self.rows.len();
        check_values("b", b.layout(), count, m)?;
        report.check(count, m)?;
        if let (Some(joint), Some(batch)) = (&self.joint, &mut scratch.batch) {
            for index in 0..count {
                let mean = slice(&mean, count, index);
                b.gather(index * m, &mut batch.work.b);
                let input = Input { index, mean: &mean, data: None, dtype: mean.dtype(), variances: false };
                joint.residuals_of(&self.rows, input, &mut batch.work)?;
                batch.work.rows.iter_mut().enumerate().for_each(|(k, row)| row.dropped = joint.dropped[k]);
                batch.rows[index * m..(index + 1) * m].copy_from_slice(&batch.work.rows);
            }
            return self.tell(report, count, &batch.rows, |_| SliceReport { unchanged: true, ..Default::default() });
        }
        let row = self.rows.row(0);
        let Scratch { plans, stage, .. } = scratch;
        for (index, plan) in plans[..count].iter_mut().enumerate() {
            let mean = slice(&mean, count, index);
            let mut b_here = [0.0];
            b.gather(index, &mut b_here);
            if !b_here[0].is_finite() {
                return fail!(NonFinite, "b: slice {index} is {}, expected a finite number", b_here[0]);
            }
            let Some(moments) = moments::measure(row.weights, &mean, None, stage) else {
                return super::project::refuse_non_finite(index, &mean, None).map(drop);
            };
            plan.residual = moments.amount.plus(-b_here[0]).high;
            plan.scale = moments.scale;
            if !(plan.residual.is_finite() && plan.scale.is_finite()) {
                return fail!(NonFinite, "mean: slice {index}: the sum over its weighted cells overflows");
            }
        }
        report.begin(count);
        for (index, plan) in plans[..count].iter().enumerate() {
            let (of_slice, of_rows) = report.slice_mut(index);
            let dtype = mean.dtype();
            let tolerance =
                if row.noise > 0.0 { f64::INFINITY } else { 4.0 * dtype.epsilon() * plan.scale + self.floor(dtype) };
            let of_row = RowReport { residual_after: plan.residual, tolerance, ..Default::default() };
            of_rows[0] = RowReport { residual_before: plan.residual, ..of_row };
            *of_slice = SliceReport { unchanged: self.holds(of_rows), ..Default::default() };
        }
        Ok(())
    }

    /// As [`Projector::check`], with bounds and sets: `unchanged` says that they hold too, `relaxed` counts cells outside their bounds,
    /// below 0 in a simplex or out of order in a run, and `relaxation` is the furthest of these, or the furthest that a simplex's
    /// sum is off.
    ///
    /// Errors: as [`Projector::project_bounded`], as far as they concern the mean, `b`, the bounds and the report.
    pub fn check_bounded(
        &self,
        bounded: &mut Bounded,
        mean: View,
        b: View,
        bounds: Bounds,
        report: &mut Report,
    ) -> Result<()> {
        let count = self.check_bounded_arrays(bounded, &mean, None, &b, &bounds)?;
        let (n, m) = (self.cells(), self.rows.len());
        report.check(count, m)?;
        for index in 0..count {
            let mean = slice(&mean, count, index);
            b.gather(index * m, &mut bounded.work.b);
            let input = Input { index, mean: &mean, data: None, dtype: mean.dtype(), variances: false };
            bounded.v.fill(1.0);
            let Bounded { joint, work, .. } = &mut *bounded;
            joint.residuals_of(&self.rows, input, work)?;
            work.rows.iter_mut().enumerate().for_each(|(k, row)| row.dropped = joint.dropped[k]);
            let lower = data_of(bounds.lower.as_ref(), n, count, index);
            let upper = data_of(bounds.upper.as_ref(), n, count, index);
            bounded.read_bounds(&self.sets, input, lower.as_ref(), upper.as_ref())?;
            bounded.work.slice = SliceReport::default();
            bounded.count_active();
            let (relaxed, relaxation) = bounded.outside(&self.sets, input.dtype);
            let within = bounded.is_within(&self.sets, input.dtype);
            let Bounded { work, slices, rows, .. } = &mut *bounded;
            slices[index] = SliceReport { unchanged: within, relaxed, relaxation, ..work.slice };
            rows[index * m..(index + 1) * m].copy_from_slice(&work.rows);
        }
        self.tell(report, count, &bounded.rows, |index| bounded.slices[index])
    }

    /// As [`Projector::check`], with invariants, whose residuals `q(mu) - e` follow those of the rows.
    ///
    /// Errors: as [`Projector::project_nonlinear`], as far as they concern the mean, `b`, `levels` and the report.
    pub fn check_nonlinear(
        &self,
        scratch: &mut NonlinearScratch,
        mean: View,
        b: Option<View>,
        levels: View,
        report: &mut Report,
    ) -> Result<()> {
        let count = self.check_nonlinear_arrays(scratch, &mean, b.as_ref(), &levels)?;
        let m = self.rows.len() + self.invariants();
        report.check(count, m)?;
        for index in 0..count {
            self.read_slice(scratch, index, count, &mean, None, b.as_ref(), &levels)?;
            self.measure_slice(scratch, index, mean.dtype())?;
        }
        report.begin(count);
        for index in 0..count {
            let (of_slice, of_rows) = report.slice_mut(index);
            for (k, row) in of_rows.iter_mut().enumerate() {
                let residual = scratch.before[index * m + k];
                *row = RowReport {
                    residual_before: residual,
                    residual_after: residual,
                    tolerance: scratch.allowed[index * m + k],
                    ..Default::default()
                };
            }
            let unchanged = of_rows.iter().all(|row| row.residual_after.abs() <= row.tolerance);
            *of_slice = SliceReport { unchanged, ..Default::default() };
        }
        Ok(())
    }

    /// Rows without noise hold to their tolerance, those with noise to the bit.
    fn holds(&self, rows: &[RowReport]) -> bool {
        rows.iter().enumerate().all(|(k, row)| {
            let tolerance = if self.rows.row(k).noise > 0.0 { 0.0 } else { row.tolerance };
            row.residual_after.abs() <= tolerance
        })
    }

    fn tell(
        &self,
        report: &mut Report,
        count: usize,
        rows: &[RowReport],
        of_slice: impl Fn(usize) -> SliceReport,
    ) -> Result<()> {
        report.begin(count);
        for index in 0..count {
            let (slice, of_rows) = report.slice_mut(index);
            let m = of_rows.len();
            for (row, found) in of_rows.iter_mut().zip(&rows[index * m..]) {
                *row = RowReport { residual_before: found.residual_after, multiplier: 0.0, ..*found };
            }
            let found = of_slice(index);
            *slice = SliceReport { unchanged: found.unchanged && self.holds(of_rows), ..found };
        }
        Ok(())
    }
}
