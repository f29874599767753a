//! The problems of both papers: what a surrogate is trained on, and what it is judged by.
#![allow(dead_code, unused_imports)]

pub mod boundary;
pub mod conservation;

use pcml::kernels::random::Philox;

/// The random numbers of function `index` of a seed: the same whatever else is drawn.
#[derive(Clone, Copy)]
pub struct Draw {
    random: Philox,
    index: u64,
}

impl Draw {
    pub fn new(seed: u64, index: u64) -> Draw {
        Draw { random: Philox::new(seed), index }
    }

    /// In (0, 1).
    pub fn uniform(&self, i: usize) -> f64 {
        (self.random.word(self.index, i as u64) as f64 + 0.5) / 4_294_967_296.0
    }

    pub fn within(&self, i: usize, [low, high]: [f64; 2]) -> f64 {
        low + (high - low) * self.uniform(i)
    }

    /// Standard normal.
    pub fn normals(&self, count: usize) -> Vec<f64> {
        let mut out = vec![0.0; count];
        self.random.normals(self.index, 0, &mut out);
        out
    }
}
