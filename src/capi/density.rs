use super::array::view;
use super::{call, output, pcml_const_array};
use crate::constraint::log_density;

/// Mean over the cells of log N(truth; mean, variance): how probable a truth is under marginals, in nats a cell.
///
/// @param truth     the values to be judged, in the unit of the field
/// @param mean      of truth's shape
/// @param variance  above 0, of truth's shape, that unit squared
/// @param density   receives the mean log-density
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_VARIANCE (array and cell are
///         named), or those of an array descriptor
///
/// Threads: any. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_log_density(
    truth: *const pcml_const_array,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    density: *mut f64,
) -> i32 {
    call("pcml_log_density", || unsafe {
        let density = output(density, "density")?;
        *density = log_density(view(truth, "truth")?, view(mean, "mean")?, view(variance, "variance")?)?;
        Ok(())
    })
}
