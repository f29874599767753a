use std::ffi::c_void;

use super::{Object, create, free};
use crate::contain::outside;
use crate::error::{Result, fail};

/// The host's sum over all parts.
type Sum = unsafe extern "C" fn(context: *mut c_void, values: *mut i64, count: i64) -> i32;

/// The host's sum over all parts of a field, which may lie in several processes: a function of the host, so that the library needs
/// no message passing of its own.
pub struct pcml_reduction {
    sum: Sum,
    context: *mut c_void,
}

impl Object for pcml_reduction {
    const TAG: u64 = 0x7063_6d6c_7265_6401;
    const NAME: &'static str = "pcml_reduction";
}

impl pcml_reduction {
    /// # Safety
    /// The host's function and its context keep the promises of pcml_reduction_create.
    pub(super) unsafe fn sum(&mut self, values: &mut [i64]) -> Result<()> {
        // SAFETY: as many writable integers as it is told of; the caller promises the rest.
        match outside(|| unsafe { (self.sum)(self.context, values.as_mut_ptr(), values.len() as i64) }) {
            0 => Ok(()),
            status => fail!(Reduction, "reduction: the host's function returned {status}, expected 0"),
        }
    }
}

/// Creates a reduction from a function of the host.
///
/// The function replaces each of `count` values by its sum over all parts, in place, and gives all parts the same sums; with MPI it
/// is one MPI_Allreduce of MPI_INT64_T with MPI_SUM, in place. It returns 0, or another number when it failed. Sums of integers
/// have no rounding, so any order of addition gives the same. One part alone returns 0 and leaves the values as they are. All parts
/// are called equally often with equal counts.
///
/// @param sum        the function; it must return (no longjmp, no exception) and may not use the objects of the call that calls it
/// @param context    goes to the function as it is, may be NULL; stays the caller's
/// @param reduction  receives the object, NULL on failure; to be freed with pcml_reduction_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT
///
/// Threads: any; the function runs on the thread of the call that needs it. Allocation: the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_reduction_create(
    sum: Option<unsafe extern "C" fn(context: *mut c_void, values: *mut i64, count: i64) -> i32>,
    context: *mut c_void,
    reduction: *mut *mut pcml_reduction,
) -> i32 {
    unsafe {
        create("pcml_reduction_create", reduction, "reduction", || match sum {
            Some(sum) => Ok(pcml_reduction { sum, context }),
            None => fail!(NullArgument, "sum is NULL, expected a function that sums over all parts"),
        })
    }
}

/// Frees a reduction; its context stays the caller's. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_reduction_free(reduction: *mut pcml_reduction) {
    unsafe { free("pcml_reduction_free", reduction) }
}
