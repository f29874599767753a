//! Threads that a plan asked for: tasks are dealt out in contiguous shares, or one by one, and whoever is ready helps the others. Which
//! thread does a task never changes what it computes. One thread is the caller's own, without others.
//!
//! A call of a network is some dozens of regions of work, each of some tens of microseconds: as long as a sleeping thread needs to wake
//! up. So threads wait awake between regions and fall asleep after a call; and nobody waits for one that has not arrived, for its tasks
//! are taken by those that have. Nothing allocates.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::shared::Whole;
use crate::error::{Error, Result, Status, reserved};

/// Values that a thread goes through in the time that it takes to begin a region, some 5 us.
const WORTHWHILE: usize = 1 << 16;

/// How often a thread looks for work before it sleeps, some 200 us in all.
const LOOKS: usize = 4096;

/// Looks after which it lets others have the processor, a few us.
const TURN: usize = 64;

/// What a thread does in a region; gets the thread's number.
type Job<'a> = dyn Fn(usize) + Sync + 'a;

/// The state of the gate: whether a region is open, how many threads are in it, and above its number.
const OPEN: u64 = 1 << 31;
const INSIDE: u64 = OPEN - 1;
const NUMBER: u32 = 32;

/// The calling thread and those of a plan beside it.
pub struct Team {
    hall: Arc<Hall>,
    threads: Vec<JoinHandle<()>>,
}

/// Where threads meet.
struct Hall {
    gate: AtomicU64,
    /// What is done in the open region. Written by the caller that is `taken` while the gate is closed and nobody is inside, read by those
    /// inside.
    job: UnsafeCell<Option<&'static Job<'static>>>,
    /// Tasks of each thread's share that somebody has begun.
    begun: Vec<Begun>,
    /// Whether a caller has the team.
    taken: AtomicBool,
    ended: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// On a line of the cache of its own.
#[repr(align(64))]
struct Begun(AtomicUsize);

// SAFETY: `job` is the only part that is not Sync; who writes it and who reads it when is said there, and the gate orders both.
unsafe impl Sync for Hall {}
// SAFETY: a reference to something Sync.
unsafe impl Send for Hall {}

/// Waits a little before a thread looks once more; `looks` counts.
fn pause(looks: &mut usize) {
    *looks += 1;
    if looks.is_multiple_of(TURN) {
        thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

impl Hall {
    /// What a thread beside the caller does until the team ends.
    fn serve(&self, thread: usize) {
        let mut done = self.gate.load(Ordering::Relaxed) >> NUMBER;
        let mut looks = 0;
        while !self.ended.load(Ordering::Acquire) {
            let gate = self.gate.load(Ordering::Relaxed);
            if gate & OPEN == 0 || gate >> NUMBER == done {
                if looks < LOOKS {
                    pause(&mut looks);
                } else {
                    looks = 0;
                    thread::park();
                }
                continue;
            }
            looks = 0;
            if self.gate.compare_exchange(gate, gate + 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
                continue;
            }
            done = gate >> NUMBER;
            // SAFETY: this thread is inside, so nobody writes, and what the job borrows lives until it has left.
            if let Some(job) = unsafe { *self.job.get() }
                && let Err(panic) = catch_unwind(AssertUnwindSafe(|| job(thread)))
            {
                self.panic.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(panic);
            }
            self.gate.fetch_sub(1, Ordering::Release);
        }
    }

    /// Begins tasks of the thread's own of `shares` shares, and then of the others', until all are begun.
    fn work(&self, tasks: usize, shares: usize, thread: usize, work: impl Fn(usize, usize)) {
        let own = thread % shares;
        for share in (own..shares).chain(0..own) {
            let (first, end) = (tasks * share / shares, tasks * (share + 1) / shares);
            loop {
                let task = first + self.begun[share].0.fetch_add(1, Ordering::Relaxed);
                if task >= end {
                    break;
                }
                work(task, thread);
            }
        }
    }
}

impl Team {
    /// `count` threads in all, at least 1.
    pub fn new(count: usize) -> Result<Team> {
        let hall = Hall {
            gate: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            begun: (0..count).map(|_| Begun(AtomicUsize::new(0))).collect(),
            taken: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            panic: Mutex::new(None),
        };
        let mut team = Team { hall: Arc::new(hall), threads: Vec::new() };
        for thread in 1..count {
            let hall = team.hall.clone();
            // The standard library takes what a thread needs from the system and ends the process without: is there some?
            drop(reserved::<u8>(1 << 14, "a thread of a plan")?);
            let begun = thread::Builder::new().name(format!("pcml-{thread}")).spawn(move || hall.serve(thread));
            team.threads.push(begun.map_err(|e| {
                Error::new(Status::OutOfMemory, format!("no thread {thread} beside the calling one for a plan: {e}"))
            })?);
        }
        Ok(team)
    }

    /// Threads in all.
    pub fn count(&self) -> usize {
        self.hall.begun.len()
    }

    /// Calls `work(task, thread)` for each task, each once, `thread` below [`Team::count`] and one task at a time on each. While
    /// another caller has the team, the calling thread does everything.
    pub fn each(&self, tasks: usize, work: impl Fn(usize, usize) + Sync) {
        self.deal(tasks, self.count(), work);
    }

    /// The same for tasks that differ in size, the largest first: whoever is ready begins the next.
    pub fn in_order(&self, tasks: usize, work: impl Fn(usize, usize) + Sync) {
        self.deal(tasks, 1, work);
    }

    fn deal(&self, tasks: usize, shares: usize, work: impl Fn(usize, usize) + Sync) {
        let hall = &*self.hall;
        if self.threads.is_empty() || tasks < 2 || hall.taken.swap(true, Ordering::Acquire) {
            return (0..tasks).for_each(|task| work(task, 0));
        }
        hall.begun.iter().for_each(|begun| begun.0.store(0, Ordering::Relaxed));
        let job = |thread: usize| hall.work(tasks, shares, thread, &work);
        let borrowed: &Job<'_> = &job;
        // SAFETY: only the lifetime changes. Nobody uses the reference once the gate is closed and everybody has left, and this function
        // does not return before, nor unwind. The gate is closed now, so nobody reads.
        unsafe { *hall.job.get() = Some(std::mem::transmute::<&Job<'_>, &'static Job<'static>>(borrowed)) };
        let number = (hall.gate.load(Ordering::Relaxed) >> NUMBER).wrapping_add(1);
        hall.gate.store(number << NUMBER | OPEN, Ordering::Release);
        self.threads.iter().for_each(|thread| thread.thread().unpark());
        let own = catch_unwind(AssertUnwindSafe(|| job(0)));
        hall.gate.fetch_and(!OPEN, Ordering::Relaxed);
        let mut looks = 0;
        while hall.gate.load(Ordering::Acquire) & INSIDE != 0 {
            pause(&mut looks);
        }
        let other = hall.panic.lock().unwrap_or_else(|e| e.into_inner()).take();
        hall.taken.store(false, Ordering::Release);
        if let Some(panic) = own.err().or(other) {
            resume_unwind(panic);
        }
    }

    /// Cuts a slice of whole units of `unit` elements into a piece for each thread; `work(first, piece)` gets the number of its
    /// first unit. `cost`: values that all of the work reads or computes with; little work stays with the caller.
    pub fn share<T: Send>(&self, data: &mut [T], unit: usize, cost: usize, work: impl Fn(usize, &mut [T]) + Sync) {
        let (units, count) = (data.len() / unit, self.count());
        if count == 1 || units < 2 || cost < WORTHWHILE {
            return work(0, data);
        }
        let whole = Whole::new(data);
        self.each(count, |piece, _| {
            let (first, end) = (units * piece / count, units * (piece + 1) / count);
            // SAFETY: the slice is borrowed for as long as `each` takes; every piece is a task of its own, and they do not overlap.
            work(first, unsafe { whole.write(first * unit..end * unit) });
        });
    }

    /// Calls `work(task)` for each task. `cost` as in [`Team::share`].
    pub fn each_worth(&self, cost: usize, tasks: usize, work: impl Fn(usize) + Sync) {
        if cost < WORTHWHILE {
            return (0..tasks).for_each(work);
        }
        self.each(tasks, |task, _| work(task));
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.hall.ended.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A thread catches what its jobs throw.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shared::Shared;
    use super::*;

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 3, 5] {
            let team = Team::new(threads).unwrap();
            assert_eq!(team.count(), threads);
            for tasks in [0, 1, 2, 7, 64] {
                let mut done = Shared::<usize>::uniform(tasks, 1, "test").unwrap();
                team.each(tasks, |task, thread| {
                    assert!(thread < threads);
                    done.write(task)[0] += 1;
                });
                team.in_order(tasks, |task, thread| {
                    assert!(thread < threads);
                    done.write(task)[0] += 1;
                });
                assert_eq!(done.all(), vec![2; tasks]);
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

    /// Threads fall asleep now and then and are not waited for; results of a region are seen by the next.
    #[test]
    fn regions_follow_each_other() {
        let team = Team::new(3).unwrap();
        let mut sums = vec![0u64; 40];
        for round in 0..3000 {
            if round % 500 == 0 {
                thread::sleep(std::time::Duration::from_millis(2));
            }
            team.share(&mut sums, 1, WORTHWHILE, |first, share| {
                share.iter_mut().zip(first as u64..).for_each(|(sum, i)| *sum = 3 * (*sum % 1000) + i + round);
            });
        }
        let alone = |i: u64| (0..3000).fold(0u64, |sum, round| 3 * (sum % 1000) + i + round);
        assert_eq!(sums, (0..40).map(alone).collect::<Vec<_>>());
    }

    #[test]
    fn several_callers_may_have_one_team() {
        let team = Team::new(2).unwrap();
        let done = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        team.each(7, |_, _| {
                            done.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 3 * 500 * 7);
    }

    #[test]
    fn panics_reach_the_caller_and_leave_a_good_team() {
        let team = Team::new(3).unwrap();
        for bad in 0..9 {
            let caught = catch_unwind(AssertUnwindSafe(|| team.each(9, |task, _| assert_ne!(task, bad, "bad task"))));
            let text = caught.unwrap_err().downcast::<String>().unwrap();
            assert!(text.contains("bad task"), "{text}");
            let sum = AtomicUsize::new(0);
            team.each(9, |task, _| {
                sum.fetch_add(task, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 36);
        }
    }
}
