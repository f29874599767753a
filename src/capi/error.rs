use std::ffi::c_char;

use super::{MESSAGE, call, copy_text};
use crate::error::Status;

/// Copies the text of this thread's last failed call into `buffer`: one line that names the function, the culprit and the
/// expected value. A later success leaves the text as it is.
///
/// @param buffer    room for `capacity` bytes, or NULL to ask for the length only; always closed by a NUL, cut where too small
/// @param capacity  bytes at `buffer`, at least 1
/// @param length    receives the whole text's length without the NUL; may be NULL when `buffer` is not
/// @return 0, or PCML_STATUS_NULL_ARGUMENT when both are NULL, PCML_STATUS_INVALID_ARGUMENT when capacity < 1
///
/// Threads: each thread has its own text, which may be gone, and empty, for what a thread runs as it ends. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_error_message(buffer: *mut c_char, capacity: i64, length: *mut i64) -> i32 {
    call("pcml_error_message", || {
        let copied = MESSAGE.try_with(|text| unsafe { copy_text(&text.borrow(), buffer, capacity, length) });
        copied.unwrap_or_else(|_| unsafe { copy_text("", buffer, capacity, length) })
    })
}

/// The name of a status number, as "PCML_STATUS_SHAPE"; "unknown status" for a number that is none.
///
/// @return a static text, never NULL, not to be freed
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub extern "C" fn pcml_status_name(status: i32) -> *const c_char {
    let name = match Status::all().iter().find(|s| **s as i32 == status) {
        None => c"unknown status",
        Some(Status::Ok) => c"PCML_STATUS_OK",
        Some(Status::NullArgument) => c"PCML_STATUS_NULL_ARGUMENT",
        Some(Status::InvalidArgument) => c"PCML_STATUS_INVALID_ARGUMENT",
        Some(Status::Shape) => c"PCML_STATUS_SHAPE",
        Some(Status::Stride) => c"PCML_STATUS_STRIDE",
        Some(Status::Dtype) => c"PCML_STATUS_DTYPE",
        Some(Status::NonFinite) => c"PCML_STATUS_NON_FINITE",
        Some(Status::NotSorted) => c"PCML_STATUS_NOT_SORTED",
        Some(Status::Variance) => c"PCML_STATUS_VARIANCE",
        Some(Status::Noise) => c"PCML_STATUS_NOISE",
        Some(Status::Singular) => c"PCML_STATUS_SINGULAR",
        Some(Status::NotConverged) => c"PCML_STATUS_NOT_CONVERGED",
        Some(Status::Io) => c"PCML_STATUS_IO",
        Some(Status::FileFormat) => c"PCML_STATUS_FILE_FORMAT",
        Some(Status::FileVersion) => c"PCML_STATUS_FILE_VERSION",
        Some(Status::FileDescription) => c"PCML_STATUS_FILE_DESCRIPTION",
        Some(Status::Weights) => c"PCML_STATUS_WEIGHTS",
        Some(Status::SelfTest) => c"PCML_STATUS_SELF_TEST",
        Some(Status::TooLarge) => c"PCML_STATUS_TOO_LARGE",
        Some(Status::OutOfMemory) => c"PCML_STATUS_OUT_OF_MEMORY",
        Some(Status::Mismatch) => c"PCML_STATUS_MISMATCH",
        Some(Status::Handle) => c"PCML_STATUS_HANDLE",
        Some(Status::State) => c"PCML_STATUS_STATE",
        Some(Status::Panic) => c"PCML_STATUS_PANIC",
        Some(Status::Reduction) => c"PCML_STATUS_REDUCTION",
        Some(Status::Infeasible) => c"PCML_STATUS_INFEASIBLE",
        Some(Status::Contradiction) => c"PCML_STATUS_CONTRADICTION",
    };
    name.as_ptr()
}
