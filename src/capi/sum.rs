use super::array::{optional_view, view};
use super::{borrow_mut, call, output, pcml_const_array, pcml_reduction, values};
use crate::error::{Result, fail};
use crate::kernels::strided::View;
use crate::reduce::{Exact, together};

/// Integers of an exact sum (pcml_sum_bins).
pub const SUM_BINS: usize = 69;

const _: () = assert!(SUM_BINS == Exact::BINS);

const BLOCK: usize = 256;

fn add(sum: &mut Exact, array: &View, second: Option<&View>) -> Result<()> {
    let n = array.layout().len();
    if let Some(second) = second
        && second.layout().len() != n
    {
        let shape = second.layout().shape();
        return fail!(Shape, "second has shape {shape:?}, expected {n} values as array");
    }
    let (mut a, mut b) = ([0.0; BLOCK], [0.0; BLOCK]);
    let (array, second) = (array.merged(), second.map(View::merged));
    for start in (0..n).step_by(BLOCK) {
        let len = BLOCK.min(n - start);
        array.gather(start, &mut a[..len]);
        match &second {
            None => sum.add_slice(&a[..len]),
            Some(second) => {
                second.gather(start, &mut b[..len]);
                sum.add_products(&a[..len], &b[..len]);
            }
        }
    }
    Ok(())
}

/// The sum of an array's values, or of the products of two arrays' values, over all parts of a field: exact, then rounded once. Its bits
/// depend on no order, on no partition and on no thread count.
///
/// @param array      values, of any shape, strides and dtype
/// @param second     as many values, to be multiplied with those of `array` one by one, in exact products; NULL: the sum of `array`
/// @param reduction  the host's sum over the parts, which is called once; NULL: this array is all
/// @param sum        receives the sum; NaN or infinite where a value is
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_REDUCTION, PCML_STATUS_MISMATCH where some parts have a second
///         array and some not, or those of an array descriptor; `sum` is as before. What one part's arguments are refused for is the
///         status of all parts.
///
/// Threads: any, one reduction each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_sum(
    array: *const pcml_const_array,
    second: *const pcml_const_array,
    reduction: *mut pcml_reduction,
    sum: *mut f64,
) -> i32 {
    call("pcml_sum", || unsafe {
        let mut exact = Exact::default();
        let own = (|| {
            output(sum, "sum")?;
            add(&mut exact, &view(array, "array")?, optional_view(second, "second")?.as_ref())
        })();
        if reduction.is_null() {
            own?;
        } else {
            let words = [1 + u64::from(!second.is_null()), 0, 0];
            exact = together(exact, own.err(), words, |message| borrow_mut(reduction, "reduction")?.sum(message))?;
        }
        *output(sum, "sum")? = exact.round();
        Ok(())
    })
}

/// The first half of pcml_sum, for a host that sums between calls: the exact sum of this part as integers. Bins of up to 2^30 parts are
/// added as integers, in any order, and rounded by pcml_sum_round.
///
/// @param array   values, of any shape, strides and dtype
/// @param second  as many values, to be multiplied with those of `array`; NULL: the sum of `array`
/// @param bins    receives PCML_SUM_BINS integers
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, or those of an array descriptor
///
/// Threads: any. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_sum_bins(
    array: *const pcml_const_array,
    second: *const pcml_const_array,
    bins: *mut i64,
) -> i32 {
    call("pcml_sum_bins", || unsafe {
        let out = output(bins.cast::<[i64; SUM_BINS]>(), "bins")?;
        let mut exact = Exact::default();
        let second = optional_view(second, "second")?;
        add(&mut exact, &view(array, "array")?, second.as_ref())?;
        *out = exact.bins();
        Ok(())
    })
}

/// The second half of pcml_sum: the double nearest to the sum that the bins hold.
///
/// @param bins  PCML_SUM_BINS integers, of pcml_sum_bins or the sums of such
/// @param sum   receives the sum
/// @return 0, PCML_STATUS_NULL_ARGUMENT
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_sum_round(bins: *const i64, sum: *mut f64) -> i32 {
    call("pcml_sum_round", || unsafe {
        let out = output(sum, "sum")?;
        let mut copy = [0; SUM_BINS];
        copy.copy_from_slice(values(bins, SUM_BINS, "bins")?);
        *out = Exact::from_bins(&copy).round();
        Ok(())
    })
}
