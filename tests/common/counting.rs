//! An allocator that counts, for tests of promises about the hot path. It counts for each thread apart: the test harness allocates
//! in its own, and the library has none.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    COUNT.set(COUNT.get() + 1);
    HELD.set(HELD.get() + bytes);
}

// SAFETY: the system's allocator behind a counter, which neither allocates nor needs dropping.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that this thread holds after `run` ran and did not before.
#[allow(dead_code)]
pub fn held(run: impl FnOnce()) -> i64 {
    let before = HELD.get();
    run();
    HELD.get() - before
}

/// Calls of this thread to the allocator while `run` runs.
pub fn allocations(run: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    run();
    COUNT.get() - before
}
