//! How many random cases are refused where a test admits that some are.

use std::sync::atomic::{AtomicU32, Ordering};

pub struct Refusals {
    cases: AtomicU32,
    refused: AtomicU32,
}

impl Refusals {
    pub const fn new() -> Self {
        Refusals { cases: AtomicU32::new(0), refused: AtomicU32::new(0) }
    }

    /// Counts a case. An error when more than this share was refused, of 200 cases or more.
    pub fn count(&self, refused: bool, most: f64) -> Result<(), String> {
        let cases = self.cases.fetch_add(1, Ordering::Relaxed) + 1;
        let refused = self.refused.fetch_add(refused as u32, Ordering::Relaxed) + refused as u32;
        let few = cases < 200 || refused as f64 <= most * cases as f64;
        if few { Ok(()) } else { Err(format!("{refused} of {cases} cases are refused")) }
    }
}
