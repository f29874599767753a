//! The host's sum over parts that are threads.

use std::sync::{Barrier, Mutex};

/// An all-reduce among threads.
pub struct Board {
    sums: Mutex<Vec<i64>>,
    barrier: Barrier,
}

impl Board {
    pub fn new(parts: usize) -> Board {
        Board { sums: Mutex::default(), barrier: Barrier::new(parts) }
    }

    pub fn sum(&self, values: &mut [i64]) {
        {
            let mut sums = self.sums.lock().unwrap();
            sums.resize(values.len(), 0);
            sums.iter_mut().zip(&*values).for_each(|(sum, value)| *sum += value);
        }
        self.barrier.wait();
        values.copy_from_slice(&self.sums.lock().unwrap());
        if self.barrier.wait().is_leader() {
            self.sums.lock().unwrap().clear();
        }
        self.barrier.wait();
    }
}
