//! Monte Carlo dropout (Gal and Ghahramani, ICML 2016) as a draw of a network: the channels that a draw leaves out are the same for all
//! rows and functions, so that a draw is a function of the input.

use crate::kernels::random::Philox;

/// One draw.
#[derive(Clone, Copy)]
pub(super) struct Draw {
    pub seed: u64,
    pub rate: f64,
    pub number: u32,
}

impl Draw {
    /// What channel `channel` of hidden layer `layer` is multiplied by: 0, or 1 / (1 - rate). `network` tells apart the networks of a model.
    pub fn factor(&self, network: u32, layer: usize, channel: usize) -> f64 {
        let stream = (self.number as u64) << 32 | (network as u64) << 16 | layer as u64;
        let mut factor = 0.0;
        Philox::new(self.seed).words_of(stream, channel as u64, 1, |_, word| {
            if word as f64 >= self.rate * 2f64.powi(32) {
                factor = 1.0 / (1.0 - self.rate);
            }
        });
        factor
    }
}
