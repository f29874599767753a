use std::ffi::c_char;

use super::{call, output};

fn part(text: &str) -> i32 {
    text.parse().unwrap_or(0)
}

/// The version of the library that is linked; compare with PCML_VERSION_MAJOR, _MINOR, _PATCH of the header.
///
/// @return 0, or PCML_STATUS_NULL_ARGUMENT
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_version(major: *mut i32, minor: *mut i32, patch: *mut i32) -> i32 {
    call("pcml_version", || {
        let parts = unsafe { (output(major, "major")?, output(minor, "minor")?, output(patch, "patch")?) };
        *parts.0 = part(env!("CARGO_PKG_VERSION_MAJOR"));
        *parts.1 = part(env!("CARGO_PKG_VERSION_MINOR"));
        *parts.2 = part(env!("CARGO_PKG_VERSION_PATCH"));
        Ok(())
    })
}

/// The version as text, as "0.1.0": static, never NULL, not to be freed.
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub extern "C" fn pcml_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
