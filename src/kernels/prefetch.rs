//! Tells the processor what will be read, so that memory and arithmetic overlap. Hints: they read nothing, and may point past an array.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};

/// The line of element `at` into the first-level cache.
#[inline(always)]
pub fn to_first_level<T>(data: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which never faults; the address is not read.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(data.as_ptr().wrapping_add(at).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (data, at);
}

/// `lines` cache lines from element `first` on into the second-level cache.
#[inline(always)]
pub fn to_second_level<T>(data: &[T], first: usize, lines: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..lines {
        // SAFETY: a hint, which never faults; the address is not read.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(data.as_ptr().wrapping_add(first).cast::<i8>().wrapping_add(64 * line));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (data, first, lines);
}
