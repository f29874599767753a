//! Cells that move along rows and stop at their bounds: the passes of the bounded projection.
//!
//! Lanes and compensated sums as in `linear`.

use pulp::{Arch, Simd, WithSimd};

use super::double::{Double, two_product, two_sum};
use super::linear::dispatch;

const LANES: usize = 8;

/// What one row sees of a clipped state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// `sum g u`
    pub amount: Double,
    /// `sum |g u|`
    pub scale: f64,
    /// `sum g^2 v` over cells between their bounds
    pub slope: f64,
}

/// `u = clip(mu - v g lambda)` seen by the row `g`, of cells next to each other; nothing is written.
pub fn see(arch: Arch, lambda: f64, g: &[f64], mu: &[f64], v: &[f64], lower: &[f64], upper: &[f64]) -> Seen {
    dispatch!(arch, (
        lambda: f64 = lambda, g: &'a [f64] = g, mu: &'a [f64] = mu, v: &'a [f64] = v, lower: &'a [f64] = lower,
        upper: &'a [f64] = upper,
    ) -> Seen {
        let (mut high, mut low, mut scale, mut slope) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let whole = g.len() / LANES * LANES;
        let mut at = 0;
        while at < g.len() {
            let count = if at < whole { LANES } else { g.len() - at };
            // A padded lane weighs nothing.
            let (mut g8, mut m8, mut v8) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
            let (mut l8, mut h8) = ([0.0; LANES], [0.0; LANES]);
            if count == LANES {
                g8.copy_from_slice(&g[at..at + LANES]);
                m8.copy_from_slice(&mu[at..at + LANES]);
                v8.copy_from_slice(&v[at..at + LANES]);
                l8.copy_from_slice(&lower[at..at + LANES]);
                h8.copy_from_slice(&upper[at..at + LANES]);
            } else {
                g8[..count].copy_from_slice(&g[at..]);
                m8[..count].copy_from_slice(&mu[at..]);
                v8[..count].copy_from_slice(&v[at..]);
                l8[..count].copy_from_slice(&lower[at..]);
                h8[..count].copy_from_slice(&upper[at..]);
            }
            for l in 0..LANES {
                let reach = v8[l] * g8[l];
                let x = m8[l] - reach * lambda;
                let raised = if x > l8[l] { x } else { l8[l] };
                let u = if raised < h8[l] { raised } else { h8[l] };
                let (p, p_error) = two_product(g8[l], u);
                let (sum, error) = two_sum(high[l], p);
                high[l] = sum;
                low[l] += error + p_error;
                scale[l] += p.abs();
                slope[l] += if u == x { reach * g8[l] } else { 0.0 };
            }
            at += LANES;
        }
        let mut amount = Double::default();
        for l in 0..LANES {
            amount = amount + Double::normal(high[l], low[l]);
        }
        Seen { amount, scale: scale.iter().sum(), slope: slope.iter().sum() }
    })
}

/// `u = clip(mu - v w)`, and `free`: `v` of cells between their bounds, 0 of those at one.
#[allow(clippy::too_many_arguments)]
pub fn clip(
    arch: Arch,
    mu: &[f64],
    v: &[f64],
    w: &[f64],
    lower: &[f64],
    upper: &[f64],
    u: &mut [f64],
    free: &mut [f64],
) {
    dispatch!(arch, (
        mu: &'a [f64] = mu, v: &'a [f64] = v, w: &'a [f64] = w, lower: &'a [f64] = lower, upper: &'a [f64] = upper,
        u: &'a mut [f64] = u, free: &'a mut [f64] = free,
    ) -> () {
        let cells = mu.iter().zip(v).zip(w).zip(lower).zip(upper);
        for ((u, free), ((((mu, v), w), low), high)) in u.iter_mut().zip(free).zip(cells) {
            let x = mu - v * w;
            let raised = if x > *low { x } else { *low };
            let clipped = if raised < *high { raised } else { *high };
            *u = clipped;
            *free = if clipped == x { *v } else { 0.0 };
        }
    });
}
