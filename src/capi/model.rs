use std::ffi::{CStr, c_char, c_void};
use std::path::Path;

use super::{Object, borrow, call, copy_text, create, free, size};
use crate::error::{Result, fail};
use crate::model::Model;

/// A trained surrogate from a model file: immutable, to be shared by any number of plans and threads.
pub struct pcml_model {
    pub(crate) model: Model,
}

impl Object for pcml_model {
    const TAG: u64 = 0x7063_6d6c_6d6f_6401;
    const NAME: &'static str = "pcml_model";
}

/// Loads a model file and runs its self-test.
///
/// @param path   the file's path, closed by a NUL, UTF-8 or the system's own bytes
/// @param model  receives the object, NULL on failure; to be freed with pcml_model_free
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_IO when the file cannot be read; PCML_STATUS_FILE_FORMAT when it is no
///         model file, truncated or damaged; PCML_STATUS_FILE_VERSION; PCML_STATUS_FILE_DESCRIPTION; PCML_STATUS_WEIGHTS when
///         one is missing, unread, misshapen or not finite; PCML_STATUS_SELF_TEST; PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the file's size a few times over while it is checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_load(path: *const c_char, model: *mut *mut pcml_model) -> i32 {
    unsafe {
        create("pcml_model_load", model, "model", || {
            if path.is_null() {
                return fail!(NullArgument, "path is NULL, expected a file's path");
            }
            // SAFETY: not NULL; the header demands a NUL-terminated text.
            let path = CStr::from_ptr(path);
            Ok(pcml_model { model: Model::load(native(path)?)? })
        })
    }
}

#[cfg(unix)]
fn native(path: &CStr) -> Result<&Path> {
    use std::os::unix::ffi::OsStrExt;
    Ok(Path::new(std::ffi::OsStr::from_bytes(path.to_bytes())))
}

#[cfg(not(unix))]
fn native(path: &CStr) -> Result<&Path> {
    path.to_str().map(Path::new).or_else(|_| fail!(InvalidArgument, "path is not UTF-8"))
}

/// Loads a model from the bytes of a model file, so that one rank may read and broadcast. The bytes are not kept.
///
/// @param bytes  `size` bytes
/// @param size   at least 1
/// @param model  receives the object, NULL on failure; to be freed with pcml_model_free
/// @return as pcml_model_load, and PCML_STATUS_INVALID_ARGUMENT when size < 1
///
/// Threads: any. Allocation: `size` a few times over while it is checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_load_bytes(bytes: *const c_void, size: i64, model: *mut *mut pcml_model) -> i32 {
    unsafe {
        create("pcml_model_load_bytes", model, "model", || {
            if bytes.is_null() {
                return fail!(NullArgument, "bytes is NULL, expected the bytes of a model file");
            }
            let len = self::size(size, "size", 1)?;
            if isize::try_from(len).is_err() {
                return fail!(TooLarge, "size is {size}, beyond the address space");
            }
            // SAFETY: not NULL; the header demands that many bytes.
            let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), len);
            Ok(pcml_model { model: Model::from_bytes(bytes)? })
        })
    }
}

/// Copies the model's description, JSON: channels with units and scaling, architecture, domain, laws, provenance.
///
/// @param buffer    room for `capacity` bytes, or NULL to ask for the length only; always closed by a NUL, cut where too small
/// @param capacity  bytes at `buffer`, at least 1
/// @param length    receives the whole text's length without the NUL; may be NULL when `buffer` is not
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when capacity < 1, PCML_STATUS_HANDLE
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_description(
    model: *const pcml_model,
    buffer: *mut c_char,
    capacity: i64,
    length: *mut i64,
) -> i32 {
    call("pcml_model_description", || unsafe {
        copy_text(borrow(model, "model")?.model.description_text(), buffer, capacity, length)
    })
}

/// Frees a model; plans made from it live on. NULL is fine; freeing twice is misuse.
///
/// Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_free(model: *mut pcml_model) {
    unsafe { free("pcml_model_free", model) }
}
