//! Memory for when the system has none. Rust ends the process where a small request is refused that the code took for granted; the C
//! library must not end its host. Its allocator meets such requests from a room of its own, and a call that needed it makes no object.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error;

/// What is given out is a run of blocks, aligned to one.
const BLOCK: usize = 256;
const BLOCKS: usize = 1 << 14;
/// Requests beyond it are refused as the system refuses them: the code asks first, and says so.
const MOST: usize = 1 << 18;

/// The allocator of the C library: the system's, with 4 MiB in reserve for requests of up to 256 KiB that the system refuses. The room is no
/// part of the library's file, and of memory only once it is needed. A Rust host has the allocator that it likes; without this one it ends
/// where memory does.
pub struct Reserve;

/// Bits of blocks that are given out, and the blocks.
struct Room {
    locked: AtomicBool,
    given: UnsafeCell<[u64; BLOCKS / 64]>,
    blocks: UnsafeCell<Blocks>,
}

#[repr(align(256))]
struct Blocks([u8; BLOCK * BLOCKS]);

// SAFETY: `given` is touched under the lock alone, a block by who has it.
unsafe impl Sync for Room {}

static ROOM: Room = Room {
    locked: AtomicBool::new(false),
    given: UnsafeCell::new([0; BLOCKS / 64]),
    blocks: UnsafeCell::new(Blocks([0; BLOCK * BLOCKS])),
};

impl Room {
    fn first(&self) -> *mut u8 {
        // SAFETY: a place, nothing is read.
        unsafe { (&raw mut (*self.blocks.get()).0).cast() }
    }

    fn holds(&self, place: *mut u8) -> bool {
        (place as usize).wrapping_sub(self.first() as usize) < BLOCK * BLOCKS
    }

    /// The lock waits without the system's help, which might need memory; it is held for microseconds.
    fn with<T>(&self, body: impl FnOnce(&mut [u64; BLOCKS / 64]) -> T) -> T {
        while self.locked.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            std::thread::yield_now();
        }
        // SAFETY: the lock is this thread's until the store, and the body does not panic.
        let result = body(unsafe { &mut *self.given.get() });
        self.locked.store(false, Ordering::Release);
        result
    }

    /// The first free run that is long enough; NULL where there is none.
    fn take(&self, layout: Layout) -> *mut u8 {
        let count = layout.size().div_ceil(BLOCK);
        if layout.align() > BLOCK || layout.size() > MOST {
            return std::ptr::null_mut();
        }
        let found = self.with(|given| {
            let mut from = 0;
            for at in 0..BLOCKS {
                if given[at / 64] >> (at % 64) & 1 == 1 {
                    from = at + 1;
                } else if at + 1 - from >= count {
                    (from..from + count).for_each(|b| given[b / 64] |= 1 << (b % 64));
                    return Some(from);
                }
            }
            None
        });
        // SAFETY: a block of the room.
        found.map_or(std::ptr::null_mut(), |from| unsafe { self.first().add(from * BLOCK) })
    }

    fn give_back(&self, place: *mut u8, layout: Layout) {
        let from = (place as usize - self.first() as usize) / BLOCK;
        let count = layout.size().div_ceil(BLOCK);
        self.with(|given| (from..from + count).for_each(|b| given[b / 64] &= !(1 << (b % 64))));
    }
}

impl Reserve {
    #[cold]
    fn spare(layout: Layout) -> *mut u8 {
        let place = ROOM.take(layout);
        if !place.is_null() {
            error::spend();
        }
        place
    }
}

// SAFETY: memory of the system is the system's to free, and a run of blocks is one owner's until it is given back; nothing here unwinds.
unsafe impl GlobalAlloc for Reserve {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, here and below.
        let place = unsafe { System.alloc(layout) };
        if place.is_null() { Reserve::spare(layout) } else { place }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let place = unsafe { System.alloc_zeroed(layout) };
        if !place.is_null() {
            return place;
        }
        let place = Reserve::spare(layout);
        if !place.is_null() {
            unsafe { place.write_bytes(0, layout.size()) };
        }
        place
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        match ROOM.holds(place) {
            true => ROOM.give_back(place, layout),
            false => unsafe { System.dealloc(place, layout) },
        }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !ROOM.holds(place) {
            let moved = unsafe { System.realloc(place, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: the caller promises that the size fits the alignment.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both have so many bytes, and the new place is nobody's yet.
            unsafe {
                moved.copy_from_nonoverlapping(place, size.min(layout.size()));
                self.dealloc(place, layout);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::spent;
    use proptest::prelude::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// A room of the test's own would be 4 MiB of stack; they take turns with this one.
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn free_blocks() -> usize {
        ROOM.with(|given| given.iter().map(|word| word.count_zeros() as usize).sum())
    }

    proptest! {
        #[test]
        fn runs_do_not_overlap_and_return(sizes in prop::collection::vec((1usize..200_000, 0u32..9, any::<bool>()), 1..80)) {
            let _turn = TURN.lock();
            let mut held: Vec<(*mut u8, Layout, u8)> = Vec::new();
            for (k, (size, align, returns)) in sizes.into_iter().enumerate() {
                let layout = layout(size, 1 << align);
                let place = Reserve::spare(layout);
                if !place.is_null() {
                    let last = unsafe { place.add(size - 1) };
                    prop_assert!(ROOM.holds(place) && ROOM.holds(last));
                    prop_assert!((place as usize).is_multiple_of(1 << align) && spent() && !spent());
                    unsafe { place.write_bytes(k as u8, size) };
                    held.push((place, layout, k as u8));
                }
                if returns && !held.is_empty() {
                    let (place, layout, mark) = held.swap_remove(k % held.len());
                    let bytes = unsafe { std::slice::from_raw_parts(place, layout.size()) };
                    prop_assert!(bytes.iter().all(|b| *b == mark));
                    unsafe { Reserve.dealloc(place, layout) };
                }
            }
            for (place, layout, mark) in held {
                let bytes = unsafe { std::slice::from_raw_parts(place, layout.size()) };
                prop_assert!(bytes.iter().all(|b| *b == mark));
                unsafe { Reserve.dealloc(place, layout) };
            }
            prop_assert_eq!(free_blocks(), BLOCKS);
        }
    }

    #[test]
    fn it_has_an_end_and_grows_what_it_gave() {
        let _turn = TURN.lock();
        for refused in [layout(MOST + 1, 8), layout(8, 512)] {
            assert!(Reserve::spare(refused).is_null() && !spent());
        }
        let whole: Vec<_> = (0..16).map(|_| Reserve::spare(layout(MOST, 8))).collect();
        assert!(whole.iter().all(|place| !place.is_null()) && free_blocks() == 0);
        assert!(Reserve::spare(layout(1, 1)).is_null());
        whole.into_iter().for_each(|place| unsafe { Reserve.dealloc(place, layout(MOST, 8)) });

        let place = Reserve::spare(layout(300, 8));
        unsafe {
            place.write_bytes(7, 300);
            // The system has memory again.
            let moved = Reserve.realloc(place, layout(300, 8), 5000);
            assert!(!ROOM.holds(moved) && std::slice::from_raw_parts(moved, 300).iter().all(|b| *b == 7));
            Reserve.dealloc(moved, layout(5000, 8));
            let zeros = Reserve.alloc_zeroed(layout(64, 8));
            Reserve.dealloc(zeros, layout(64, 8));
        }
        assert_eq!(free_blocks(), BLOCKS);
        spent();
    }

    #[test]
    fn threads_share_it() {
        let _turn = TURN.lock();
        std::thread::scope(|scope| {
            for mark in 1..=4u8 {
                scope.spawn(move || {
                    for k in 0..500 {
                        let layout = layout(1 + k * 37 % 3000, 8);
                        let place = Reserve::spare(layout);
                        unsafe {
                            place.write_bytes(mark, layout.size());
                            std::thread::yield_now();
                            assert!(std::slice::from_raw_parts(place, layout.size()).iter().all(|b| *b == mark));
                            Reserve.dealloc(place, layout);
                        }
                    }
                });
            }
        });
        assert_eq!(free_blocks(), BLOCKS);
    }
}
