//! Monte Carlo dropout: masks from the counter-based generator.

use crate::kernels::random::Philox;
use crate::kernels::real::Real;

/// Zeroes elements with a given probability and scales the others by 1 / (1 - rate). Which ones depends on the seed, the
/// latent draw, the layer and the element's place in its function, not on the batch.
pub(super) struct Dropout<T> {
    random: Philox,
    threshold: u32,
    scale: T,
}

impl<T: Real> Dropout<T> {
    /// None at rate 0.
    pub(super) fn new(rate: f64, seed: u64) -> Option<Self> {
        (rate > 0.0).then(|| Dropout {
            random: Philox::new(seed),
            threshold: (rate * 4_294_967_296.0) as u32,
            scale: T::from_f64(1.0 / (1.0 - rate)),
        })
    }

    /// `layer` counts the masks of one pass; `first` is the place of x[0] within the whole matrix of its layer.
    pub(super) fn apply(&self, x: &mut [T], sample: usize, layer: usize, first: usize) {
        let stream = (sample as u64) << 32 | layer as u64;
        self.random.words_of(stream, first as u64, x.len(), |i, word| {
            x[i] = if word >= self.threshold { x[i] * self.scale } else { T::ZERO };
        });
    }
}
