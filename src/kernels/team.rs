//! Threads that a plan asked for: tasks are dealt out in contiguous shares, so which thread does a task never changes what it
//! computes. One thread is the caller's own, without a pool.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicI32, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::pages::Pages;
use crate::error::{Error, Result, Status, fail};

/// Values that a thread goes through in the time that another one needs to wake up, some 50 us.
const WORTHWHILE: usize = 1 << 20;

/// The calling thread and the pool of a plan beside it.
pub struct Team {
    pool: Option<ThreadPool>,
    count: usize,
}

impl Team {
    /// `count` threads in all, at least 1.
    pub fn new(count: usize) -> Result<Team> {
        let pool = match count {
            1 => None,
            _ => Some(
                ThreadPoolBuilder::new()
                    .num_threads(count - 1)
                    .thread_name(|i| format!("pcml-{}", i + 1))
                    .build()
                    .map_err(|e| {
                        Error::new(Status::OutOfMemory, format!("no {} threads for a plan: {e}", count - 1))
                    })?,
            ),
        };
        Ok(Team { pool, count })
    }

    /// Threads in all.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Calls `work(task, thread)` for each task, each once, `thread` below [`Team::count`] and one task at a time on each.
    pub fn each(&self, tasks: usize, work: impl Fn(usize, usize) + Sync) {
        let threads = self.count.min(tasks);
        let Some(pool) = self.pool.as_ref().filter(|_| threads > 1) else {
            return (0..tasks).for_each(|task| work(task, 0));
        };
        let share = |thread: usize| (tasks * thread / threads)..(tasks * (thread + 1) / threads);
        let (work, share) = (&work, &share);
        pool.in_place_scope(|scope| {
            for thread in 1..threads {
                scope.spawn(move |_| share(thread).for_each(|task| work(task, thread)));
            }
            share(0).for_each(|task| work(task, 0));
        });
    }

    /// Cuts a slice of whole units of `unit` elements into a share for each thread; `work(first, share)` gets the number of its
    /// first unit. `cost`: values that all of the work reads or computes with; little work stays with the caller.
    pub fn share<T: Send>(&self, data: &mut [T], unit: usize, cost: usize, work: impl Fn(usize, &mut [T]) + Sync) {
        let units = data.len() / unit;
        let Some(pool) = self.pool.as_ref().filter(|_| units > 1 && cost >= WORTHWHILE) else { return work(0, data) };
        let work = &work;
        pool.in_place_scope(|scope| {
            let mut rest = data;
            for thread in (0..self.count).rev() {
                let first = units * thread / self.count;
                let (before, share) = rest.split_at_mut(first * unit);
                rest = before;
                if thread > 0 {
                    scope.spawn(move |_| work(first, share));
                } else {
                    work(first, share);
                }
            }
        });
    }
}

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
        let borrowed = (1..bounds.len()).map(|_| AtomicI32::new(0)).collect();
        Ok(Shared { data, bounds, borrowed })
    }

    /// `count` pieces of `each` elements.
    pub fn uniform(count: usize, each: usize, what: &str) -> Result<Self> {
        let Some(len) = count.checked_mul(each) else {
            return fail!(OutOfMemory, "no memory for {what}: {count} times {each} values");
        };
        Shared::new((0..=count).map(|i| i * each).collect(), len, what)
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
        let before = borrowed.fetch_add(1, Ordering::Acquire);
        assert!(before >= 0, "piece {piece} is being written");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 3, 5] {
            let team = Team::new(threads).unwrap();
            for tasks in [0, 1, 2, 7, 64] {
                let mut done = Shared::<usize>::uniform(tasks, 1, "test").unwrap();
                team.each(tasks, |task, thread| {
                    assert!(thread < threads);
                    done.write(task)[0] += 1;
                });
                assert_eq!(done.all(), vec![1; tasks]);
                let mut units = vec![0; 3 * tasks];
                team.share(&mut units, 3, WORTHWHILE, |first, share| {
                    for (i, v) in share.iter_mut().enumerate() {
                        *v += 3 * first + i;
                    }
                });
                assert_eq!(units, (0..3 * tasks).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_piece_has_one_writer_or_many_readers() {
        let shared = Shared::<u8>::new(vec![0, 2, 5], 6, "test").unwrap();
        let caught = |work: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err();
        let (a, b, other) = (shared.read(0), shared.read(0), shared.write(1));
        assert_eq!((a.len(), b.len(), other.len()), (2, 2, 3));
        assert!(caught(&|| drop(shared.write(0))) && caught(&|| drop(shared.write(1))));
        drop((a, b, other));
        shared.write(0)[1] = 7;
        assert_eq!(*shared.read(0), [0, 7]);
    }
}
