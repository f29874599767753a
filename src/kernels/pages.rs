//! Large arrays on large pages. Weights of many modes are read once a call, front to back: with pages of 4 KiB the processor would spend more
//! time finding them than reading them (measured on 26 MB of weights: 4.3 ms against 2.4).

use std::alloc::{Layout, alloc, dealloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::error::{Result, fail};

/// Size of a large page.
const LARGE: usize = 2 << 20;

/// Zeros to begin with, of a fixed number, aligned to cache lines, and to large pages where they fill one.
pub struct Pages<T> {
    data: NonNull<T>,
    len: usize,
}

// SAFETY: the array is owned, as by a Box.
unsafe impl<T: Send> Send for Pages<T> {}
// SAFETY: likewise.
unsafe impl<T: Sync> Sync for Pages<T> {}

impl<T: Copy + Default> Pages<T> {
    /// `len` zeros; `what` is for the message when there is no memory.
    pub fn zeros(len: usize, what: &str) -> Result<Self> {
        if len == 0 || size_of::<T>() == 0 {
            return Ok(Pages { data: NonNull::dangling(), len });
        }
        let layout = layout::<T>(len);
        // SAFETY: the layout has a size.
        let data = layout.and_then(|layout| NonNull::new(unsafe { alloc(layout) }.cast::<T>()));
        let (Some(data), Some(layout)) = (data, layout) else {
            return fail!(OutOfMemory, "no memory for {what}: {len} values of {} bytes", size_of::<T>());
        };
        #[cfg(target_os = "linux")]
        if layout.align() == LARGE {
            // SAFETY: whole pages of the allocation; advice does not change what they hold. A system that does not take it does without.
            unsafe { libc::madvise(data.as_ptr().cast(), layout.size() / LARGE * LARGE, libc::MADV_HUGEPAGE) };
        }
        let _ = layout;
        for i in 0..len {
            // SAFETY: i < len.
            unsafe { data.add(i).write(T::default()) };
        }
        Ok(Pages { data, len })
    }
}

impl<T> Pages<T> {
    /// Number of elements, without a look at them.
    pub fn count(&self) -> usize {
        self.len
    }

    /// The first element.
    pub fn as_ptr(&self) -> *mut T {
        self.data.as_ptr()
    }
}

fn layout<T>(len: usize) -> Option<Layout> {
    let bytes = len.checked_mul(size_of::<T>())?;
    let align = if bytes < LARGE { 64 } else { LARGE };
    Layout::from_size_align(bytes, align.max(align_of::<T>())).ok()
}

impl<T> Drop for Pages<T> {
    fn drop(&mut self) {
        if self.len > 0 && size_of::<T>() > 0 {
            let layout = layout::<T>(self.len).expect("the layout it was made with");
            // SAFETY: allocated with this layout.
            unsafe { dealloc(self.data.as_ptr().cast(), layout) };
        }
    }
}

impl<T> Deref for Pages<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `len` elements that were written when they were made.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Pages<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: likewise, borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zero_and_aligned() {
        for (len, align) in [(0, 1), (1, 64), (1000, 64), (LARGE, LARGE), (LARGE + 1, LARGE)] {
            let mut pages = Pages::<f32>::zeros(len, "test").unwrap();
            assert!(pages.len() == len && pages.iter().all(|v| *v == 0.0));
            assert!(len == 0 || pages.as_ptr().addr().is_multiple_of(align));
            pages.fill(1.0);
        }
        for len in [usize::MAX, usize::MAX / 4, isize::MAX as usize / 4] {
            let error = Pages::<f32>::zeros(len, "test").err().expect("no such memory");
            assert!(error.to_string().contains("test"), "{error}");
        }
    }
}
