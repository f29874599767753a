//! An array of which the tasks of a [`super::team::Team`] have pieces.

use std::ops::{Deref, DerefMut, Range};
use std::sync::atomic::{AtomicI32, Ordering};

use super::pages::Pages;
use crate::error::{Result, collected, fail};

/// An array in pieces that the tasks of a team borrow, each for itself: a piece has one writer or any number of readers, which is
/// checked when it is borrowed.
pub struct Shared<T> {
    data: Pages<T>,
    /// Where pieces begin, and the end of the last.
    bounds: Vec<usize>,
    /// Of each piece: readers, or -1 for a writer.
    borrowed: Vec<AtomicI32>,
}

// SAFETY: a piece is written by one thread at a time while nobody reads it: `borrowed` says so.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

/// A piece for reading.
pub struct Reading<'a, T> {
    piece: &'a [T],
    borrowed: &'a AtomicI32,
}

/// A piece for writing.
pub struct Writing<'a, T> {
    piece: &'a mut [T],
    borrowed: &'a AtomicI32,
}

impl<T: Copy + Default> Shared<T> {
    /// Zeros in pieces from `bounds[i]` to `bounds[i + 1]`; what lies behind the last bound, up to `len`, belongs to no piece.
    pub fn new(bounds: Vec<usize>, len: usize, what: &str) -> Result<Self> {
        assert!(bounds.is_sorted() && bounds.last().is_some_and(|end| *end <= len));
        let data = Pages::zeros(len, what)?;
        let borrowed = collected((1..bounds.len()).map(|_| AtomicI32::new(0)), what)?;
        Ok(Shared { data, bounds, borrowed })
    }

    /// `count` pieces of `each` elements.
    pub fn uniform(count: usize, each: usize, what: &str) -> Result<Self> {
        let Some(len) = count.checked_mul(each) else {
            return fail!(OutOfMemory, "no memory for {what}: {count} times {each} values");
        };
        Shared::new(collected((0..=count).map(|i| i * each), what)?, len, what)
    }

    /// All elements, by whoever has the array alone.
    pub fn all(&mut self) -> &mut [T] {
        &mut self.data
    }

    fn pointer(&self, piece: usize) -> (*mut T, usize) {
        let (first, end) = (self.bounds[piece], self.bounds[piece + 1]);
        // Not by a slice: others may have pieces of it for writing.
        assert!(first <= end && end <= self.data.count());
        // SAFETY: inside the array.
        (unsafe { self.data.as_ptr().add(first) }, end - first)
    }

    /// A piece for reading; panics while it is written.
    pub fn read(&self, piece: usize) -> Reading<'_, T> {
        let borrowed = &self.borrowed[piece];
        let one_more = |readers: i32| readers.checked_add(1).filter(|_| readers >= 0);
        let free = borrowed.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).is_ok();
        assert!(free, "piece {piece} is being written");
        let (first, len) = self.pointer(piece);
        // SAFETY: inside the array; readers are counted, so nobody writes.
        Reading { piece: unsafe { std::slice::from_raw_parts(first, len) }, borrowed }
    }

    /// A piece for writing; panics while anybody else has it.
    pub fn write(&self, piece: usize) -> Writing<'_, T> {
        let borrowed = &self.borrowed[piece];
        let free = borrowed.compare_exchange(0, -1, Ordering::Acquire, Ordering::Relaxed).is_ok();
        assert!(free, "piece {piece} is being used");
        let (first, len) = self.pointer(piece);
        // SAFETY: inside the array; the only borrow of the piece.
        Writing { piece: unsafe { std::slice::from_raw_parts_mut(first, len) }, borrowed }
    }
}

impl<T> Deref for Reading<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.piece
    }
}

impl<T> Drop for Reading<'_, T> {
    fn drop(&mut self) {
        self.borrowed.fetch_sub(1, Ordering::Release);
    }
}

impl<T> Deref for Writing<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.piece
    }
}

impl<T> DerefMut for Writing<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.piece
    }
}

impl<T> Drop for Writing<'_, T> {
    fn drop(&mut self) {
        self.borrowed.store(0, Ordering::Release);
    }
}

/// An array of which tasks have pieces that no rule of whole pieces tells apart: whoever borrows one answers for it.
pub(super) struct Whole<T> {
    first: *mut T,
    len: usize,
}

// SAFETY: what several threads may do with it is said where pieces are borrowed.
unsafe impl<T: Send> Send for Whole<T> {}
// SAFETY: the same.
unsafe impl<T: Send> Sync for Whole<T> {}

impl<T> Clone for Whole<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Whole<T> {}

impl<T> Whole<T> {
    pub fn new(data: &mut [T]) -> Self {
        Whole { first: data.as_mut_ptr(), len: data.len() }
    }

    /// An array that nobody borrows for writing.
    pub fn reading(data: &[T]) -> Self {
        Whole { first: data.as_ptr().cast_mut(), len: data.len() }
    }

    pub fn len(self) -> usize {
        self.len
    }

    pub fn as_ptr(self) -> *mut T {
        self.first
    }

    /// # Safety
    ///
    /// The array is there, and nobody writes this piece.
    #[inline(always)]
    pub unsafe fn read<'a>(self, range: Range<usize>) -> &'a [T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: inside the array; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts(self.first.add(range.start), range.len()) }
    }

    /// # Safety
    ///
    /// The array is there, for writing, and nobody else uses this piece.
    #[inline(always)]
    pub unsafe fn write<'a>(self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: inside the array; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(range.start), range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_one_writer_or_many_readers() {
        let shared = Shared::<u8>::new(vec![0, 2, 5], 6, "test").unwrap();
        let caught = |work: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err();
        let (a, b, other) = (shared.read(0), shared.read(0), shared.write(1));
        assert_eq!((a.len(), b.len(), other.len()), (2, 2, 3));
        assert!(caught(&|| drop(shared.write(0))) && caught(&|| drop(shared.read(1))));
        // Nobody else has the piece after a reader was refused.
        assert!(caught(&|| drop(shared.write(1))) && caught(&|| drop(shared.read(1))));
        drop((a, b, other));
        shared.write(0)[1] = 7;
        assert_eq!(*shared.read(0), [0, 7]);
    }
}
