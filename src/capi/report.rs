use super::{Object, borrow, call, free, output};
use crate::constraint::{Report, SliceReport};
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

/// A value of a report. With mu the prior mean and u the posterior mean as stored:
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportItem {
    /// `g mu - b`, in the unit of b.
    ResidualBefore = 1,
    /// `g u - b`, in the unit of b.
    ResidualAfter = 2,
    /// The most that `|g u - b|` may be: 4 eps sum |g u|, eps of the posterior mean's dtype, plus a smallest subnormal number a
    /// cell; infinite for a row with noise.
    Tolerance = 3,
    /// `lambda` in `u = mu - v g lambda`; 0 when nothing changed.
    Multiplier = 4,
    /// `sqrt((u - mu)' Sigma^-1 (u - mu))`: the correction in prior standard deviations, without a unit.
    CorrectionNorm = 5,
    /// `max |u - mu|`, in the unit of the field.
    LargestCorrection = 6,
    /// The first cell (from 0) with the largest correction.
    LargestCorrectionCell = 7,
    /// Steps after the first that rounding made necessary; almost always 0.
    Repairs = 8,
    /// 1 when the prior mean obeyed already and came back as it was, else 0.
    Unchanged = 9,
}

impl ReportItem {
    const ALL: [ReportItem; 9] = [
        ReportItem::ResidualBefore,
        ReportItem::ResidualAfter,
        ReportItem::Tolerance,
        ReportItem::Multiplier,
        ReportItem::CorrectionNorm,
        ReportItem::LargestCorrection,
        ReportItem::LargestCorrectionCell,
        ReportItem::Repairs,
        ReportItem::Unchanged,
    ];

    fn of(self, slice: &SliceReport) -> f64 {
        match self {
            ReportItem::ResidualBefore => slice.residual_before,
            ReportItem::ResidualAfter => slice.residual_after,
            ReportItem::Tolerance => slice.tolerance,
            ReportItem::Multiplier => slice.multiplier,
            ReportItem::CorrectionNorm => slice.correction_norm,
            ReportItem::LargestCorrection => slice.largest_correction,
            ReportItem::LargestCorrectionCell => slice.largest_correction_cell as f64,
            ReportItem::Repairs => slice.repairs as f64,
            ReportItem::Unchanged => f64::from(u8::from(slice.unchanged)),
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
/// @param row     0, the only row of this version
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
        return fail!(InvalidArgument, "item is {item}, expected a number of enum pcml_report_item (1 to 9)");
    };
    let slices = report.slices();
    let Some(of_slice) = usize::try_from(slice).ok().and_then(|s| slices.get(s)) else {
        return fail!(InvalidArgument, "slice is {slice}, expected 0 to {} (slices - 1)", slices.len() as i64 - 1);
    };
    if row != 0 {
        return fail!(InvalidArgument, "row is {row}, expected 0, the only row");
    }
    Ok(found.of(of_slice))
}

/// Frees a report. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_report_free(report: *mut pcml_report) {
    unsafe { free("pcml_report_free", report) }
}
