//! Cells that move along rows and stop at their bounds: the passes of the bounded projection.
//!
//! Terms go to lanes as in `linear`, sums of amounts are compensated in each lane, and lanes are added one after the other.

use pulp::{Arch, Simd, WithSimd};

use super::double::{Double, LANES, Sum, two_product, two_sum};
use super::linear::dispatch;

/// `x` between its bounds, by comparison; a NaN becomes `low`.
#[inline(always)]
fn clipped(x: f64, low: f64, high: f64) -> f64 {
    let raised = if x > low { x } else { low };
    if raised < high { raised } else { high }
}

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
        let (mut amount, mut scale, mut slope) = (Sum::ZERO, [0.0; LANES], [0.0; LANES]);
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
                let u = clipped(x, l8[l], h8[l]);
                let (p, p_error) = two_product(g8[l], u);
                amount.add(l, p, p_error);
                scale[l] += p.abs();
                slope[l] += if u == x { reach * g8[l] } else { 0.0 };
            }
            at += LANES;
        }
        Seen { amount: amount.in_order(), scale: scale.iter().sum(), slope: slope.iter().sum() }
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
            *u = clipped(x, *low, *high);
            *free = if *u == x { *v } else { 0.0 };
        }
    });
}

/// `u = clip(mu - v g lambda)` as [`see`] sees it.
#[allow(clippy::too_many_arguments)]
pub fn along(arch: Arch, lambda: f64, g: &[f64], mu: &[f64], v: &[f64], lower: &[f64], upper: &[f64], u: &mut [f64]) {
    dispatch!(arch, (
        lambda: f64 = lambda, g: &'a [f64] = g, mu: &'a [f64] = mu, v: &'a [f64] = v, lower: &'a [f64] = lower,
        upper: &'a [f64] = upper, u: &'a mut [f64] = u,
    ) -> () {
        let cells = g.iter().zip(mu).zip(v).zip(lower).zip(upper);
        for (u, ((((g, mu), v), low), high)) in u.iter_mut().zip(cells) {
            *u = clipped(mu - v * g * lambda, *low, *high);
        }
    });
}

/// The bound that a cell of weight g goes towards for the row's sum to rise, or to fall.
#[inline(always)]
pub fn ahead(raise: bool, g: f64, low: f64, high: f64) -> f64 {
    if (g > 0.0) == raise { high } else { low }
}

/// `u` after a share of the way to the bound ahead, where the row weighs it.
#[inline(always)]
pub fn nearer(raise: bool, share: f64, g: f64, u: f64, low: f64, high: f64) -> f64 {
    let bound = ahead(raise, g, low, high);
    let x = if share == 1.0 { bound } else { u + share * (bound - u) };
    if g == 0.0 { u } else { clipped(x, low, high) }
}

/// What cells between finite bounds can add to the row's sum, or take from it.
pub fn room(arch: Arch, raise: bool, g: &[f64], u: &[f64], lower: &[f64], upper: &[f64]) -> f64 {
    dispatch!(arch, (
        raise: bool = raise, g: &'a [f64] = g, u: &'a [f64] = u, lower: &'a [f64] = lower, upper: &'a [f64] = upper,
    ) -> f64 {
        let (mut high, mut low) = ([0.0; LANES], [0.0; LANES]);
        let one = |g: f64, u: f64, low: f64, high: f64| g.abs() * (ahead(raise, g, low, high) - u).abs();
        let (g8, g_rest) = g.as_chunks::<LANES>();
        let (u8, u_rest) = u.as_chunks::<LANES>();
        let (l8, l_rest) = lower.as_chunks::<LANES>();
        let (h8, h_rest) = upper.as_chunks::<LANES>();
        for (((g, u), bottom), top) in g8.iter().zip(u8).zip(l8).zip(h8) {
            for l in 0..LANES {
                let (sum, error) = two_sum(high[l], one(g[l], u[l], bottom[l], top[l]));
                high[l] = sum;
                low[l] += error;
            }
        }
        for (l, (((g, u), bottom), top)) in g_rest.iter().zip(u_rest).zip(l_rest).zip(h_rest).enumerate() {
            high[l] += one(*g, *u, *bottom, *top);
        }
        high.iter().sum::<f64>() + low.iter().sum::<f64>()
    })
}

/// Each cell [`nearer`] to the bound ahead.
pub fn fill(arch: Arch, raise: bool, share: f64, g: &[f64], lower: &[f64], upper: &[f64], u: &mut [f64]) {
    dispatch!(arch, (
        raise: bool = raise, share: f64 = share, g: &'a [f64] = g, lower: &'a [f64] = lower, upper: &'a [f64] = upper,
        u: &'a mut [f64] = u,
    ) -> () {
        for (u, ((g, low), high)) in u.iter_mut().zip(g.iter().zip(lower).zip(upper)) {
            *u = nearer(raise, share, *g, *u, *low, *high);
        }
    });
}

/// Whether a finite number lies within the bounds of each cell, and no variance is 0.
pub fn admit(arch: Arch, lower: &[f64], upper: &[f64], v: &[f64]) -> bool {
    dispatch!(arch, (lower: &'a [f64] = lower, upper: &'a [f64] = upper, v: &'a [f64] = v) -> bool {
        let good = |low: f64, high: f64, v: f64| (low <= high) & (low <= f64::MAX) & (high >= f64::MIN) & (v != 0.0);
        let (l8, l_rest) = lower.as_chunks::<LANES>();
        let (h8, h_rest) = upper.as_chunks::<LANES>();
        let (v8, v_rest) = v.as_chunks::<LANES>();
        let mut bad = [0u64; LANES];
        for ((low, high), v) in l8.iter().zip(h8).zip(v8) {
            for l in 0..LANES {
                bad[l] |= u64::from(!good(low[l], high[l], v[l]));
            }
        }
        let rest = l_rest.iter().zip(h_rest).zip(v_rest).all(|((&low, &high), &v)| good(low, high, v));
        rest && bad == [0; LANES]
    })
}
