//! The C border as a test calls it: descriptors, the last message, checked failures.
#![allow(dead_code)]

use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

use pcml::capi::*;
use pcml::error::Status;
use pcml::field::Element;

/// Marks memory that a failed call must leave alone.
pub const SENTINEL: f64 = -7.25e77;

/// The text of this thread's last failure.
pub fn message() -> String {
    let mut buffer = [0 as c_char; 2048];
    assert_eq!(unsafe { pcml_error_message(buffer.as_mut_ptr(), 2048, null_mut()) }, 0);
    unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_str().expect("UTF-8").to_owned()
}

/// The call failed with this status, and its text has every part.
#[track_caller]
pub fn failed(status: i32, expected: Status, parts: &[&str]) {
    let text = message();
    assert_eq!(status, expected as i32, "expected {expected:?}: {text}");
    for part in parts {
        assert!(text.contains(part), "\"{part}\" is not in \"{text}\"");
    }
}

/// The call succeeded.
#[track_caller]
pub fn ok(status: i32) {
    assert_eq!(status, 0, "{}", message());
}

fn padded(values: &[usize]) -> [i64; 8] {
    let mut out = [0; 8];
    out.iter_mut().zip(values).for_each(|(o, v)| *o = *v as i64);
    out
}

fn c_strides(shape: &[usize]) -> [i64; 8] {
    let mut out = [0; 8];
    let mut step = 1;
    for axis in (0..shape.len()).rev() {
        out[axis] = step;
        step *= shape[axis] as i64;
    }
    out
}

/// A C-ordered array to read.
pub fn input<T: Element>(data: &[T], shape: &[usize]) -> pcml_const_array {
    pcml_const_array {
        struct_size: size_of::<pcml_const_array>() as i64,
        data: data.as_ptr().cast(),
        dtype: T::DTYPE as i32,
        rank: shape.len() as i32,
        shape: padded(shape),
        strides: c_strides(shape),
    }
}

/// A C-ordered array to write.
pub fn output<T: Element>(data: &mut [T], shape: &[usize]) -> pcml_array {
    pcml_array {
        struct_size: size_of::<pcml_array>() as i64,
        data: data.as_mut_ptr().cast(),
        dtype: T::DTYPE as i32,
        rank: shape.len() as i32,
        shape: padded(shape),
        strides: c_strides(shape),
    }
}
