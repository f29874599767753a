use super::{Object, borrow, call, free, output};
use crate::constraint::{Report, RowReport, SliceReport};
use crate::error::{Result, fail};

/// What a projection did, slice by slice; filled by each successful projection that is given it. One for each thread.
pub struct pcml_report {
    pub(super) report: Report,
}

impl Object for pcml_report {
    const TAG: u64 = 0x7063_6d6c_7265_7001;
    const NAME: &'static str = "pcml_report";
}

impl pcml_report {
    pub(super) fn new(report: Report) -> Self {
        pcml_report { report }
    }
}

/// A value of a report, with mu the prior mean and u the posterior mean as stored: of a row (1 to 4, 10), or of the whole slice.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportItem {
    /// Of a row: `g mu - b`, in the unit of b.
    ResidualBefore = 1,
    /// Of a row: `g u - b`, in the unit of b.
    ResidualAfter = 2,
    /// Of a row: the most that `|g u - b|` may be: 4 eps sum |g u|, eps of the posterior mean's dtype, plus a smallest subnormal
    /// number a cell; infinite for a row with noise; 1e-13 sum |g u| and the rounding of other rows' b for a dropped row.
    Tolerance = 3,
    /// Of a row: its `lambda` in `u = mu - Sigma G' lambda`; 0 when nothing changed.
    Multiplier = 4,
    /// `sqrt((u - mu)' Sigma^-1 (u - mu))`: the correction in prior standard deviations, without a unit.
    CorrectionNorm = 5,
    /// `max |u - mu|`, in the unit of the field.
    LargestCorrection = 6,
    /// The first cell (from 0) with the largest correction.
    LargestCorrectionCell = 7,
    /// Steps that rounding made necessary after the answer was found; almost always 0.
    Repairs = 8,
    /// 1 when the prior mean obeyed already and came back as it was, else 0.
    Unchanged = 9,
    /// Of a row: 1 when it depends on rows before it and holds because they do, else 0.
    Dropped = 10,
    /// Newton or root-finding steps; 0 where the answer is a formula.
    Iterations = 11,
    /// Cells at their lower bound.
    ActiveLower = 12,
    /// Cells at their upper bound.
    ActiveUpper = 13,
    /// Cells whose bounds had to yield.
    Relaxed = 14,
    /// The furthest that a cell lies outside its bounds, in the unit of the field.
    Relaxation = 15,
}

impl ReportItem {
    const ALL: [ReportItem; 15] = [
        ReportItem::ResidualBefore,
        ReportItem::ResidualAfter,
        ReportItem::Tolerance,
        ReportItem::Multiplier,
        ReportItem::CorrectionNorm,
        ReportItem::LargestCorrection,
        ReportItem::LargestCorrectionCell,
        ReportItem::Repairs,
        ReportItem::Unchanged,
        ReportItem::Dropped,
        ReportItem::Iterations,
        ReportItem::ActiveLower,
        ReportItem::ActiveUpper,
        ReportItem::Relaxed,
        ReportItem::Relaxation,
    ];

    fn of(self, slice: &SliceReport, row: &RowReport) -> f64 {
        let flag = |yes: bool| f64::from(u8::from(yes));
        match self {
            ReportItem::ResidualBefore => row.residual_before,
            ReportItem::ResidualAfter => row.residual_after,
            ReportItem::Tolerance => row.tolerance,
            ReportItem::Multiplier => row.multiplier,
            ReportItem::CorrectionNorm => slice.correction_norm,
            ReportItem::LargestCorrection => slice.largest_correction,
            ReportItem::LargestCorrectionCell => slice.largest_correction_cell as f64,
            ReportItem::Repairs => slice.repairs as f64,
            ReportItem::Unchanged => flag(slice.unchanged),
            ReportItem::Dropped => flag(row.dropped),
            ReportItem::Iterations => slice.iterations as f64,
            ReportItem::ActiveLower => slice.active_lower as f64,
            ReportItem::ActiveUpper => slice.active_upper as f64,
            ReportItem::Relaxed => slice.relaxed as f64,
            ReportItem::Relaxation => slice.relaxation,
        }
    }
}

/// How many slices the last successful projection had; 0 before the first.
///
/// @param report  the report
/// @param slices  receives the number
/// @return 0, PCML_STATUS_NULL_ARGUMENT
///
/// Threads: any, while no projection fills the report. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_report_slices(report: *const pcml_report, slices: *mut i64) -> i32 {
    call("pcml_report_slices", || {
        let report = unsafe { borrow(report, "report") }?;
        *unsafe { output(slices, "slices") }? = report.report.slices().len() as i64;
        Ok(())
    })
}

/// One value of the last successful projection.
///
/// @param report  the report
/// @param item    a number of enum pcml_report_item, which states the units
/// @param slice   0 to pcml_report_slices - 1
/// @param row     0 to rows - 1; not read into items of the whole slice, but checked
/// @param value   receives the value
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown item, slice or row
///
/// Threads: any, while no projection fills the report. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_report_value(
    report: *const pcml_report,
    item: i32,
    slice: i64,
    row: i64,
    value: *mut f64,
) -> i32 {
    call("pcml_report_value", || {
        let report = unsafe { borrow(report, "report") }?;
        let value = unsafe { output(value, "value") }?;
        *value = look_up(&report.report, item, slice, row)?;
        Ok(())
    })
}

fn look_up(report: &Report, item: i32, slice: i64, row: i64) -> Result<f64> {
    let Some(found) = ReportItem::ALL.iter().find(|i| **i as i32 == item) else {
        return fail!(InvalidArgument, "item is {item}, expected a number of enum pcml_report_item (1 to 15)");
    };
    let slices = report.slices();
    let Some((number, of_slice)) = usize::try_from(slice).ok().and_then(|s| Some((s, slices.get(s)?))) else {
        return fail!(InvalidArgument, "slice is {slice}, expected 0 to {} (slices - 1)", slices.len() as i64 - 1);
    };
    let rows = report.rows(number);
    let Some(of_row) = usize::try_from(row).ok().and_then(|r| rows.get(r)) else {
        return fail!(InvalidArgument, "row is {row}, expected 0 to {} (rows - 1)", rows.len() - 1);
    };
    Ok(found.of(of_slice, of_row))
}

/// Frees a report. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_report_free(report: *mut pcml_report) {
    unsafe { free("pcml_report_free", report) }
}
