//! Sums and updates along one row of weights, over values that lie without gaps.
//!
//! Term `i` goes to lane `i % LANES`, lanes are combined in order at the end: bits depend on the values and their place in the row
//! alone. Plain loops over fixed-size arrays, compiled once for each instruction set and chosen at run time.

use pulp::{Arch, Simd, WithSimd};

use super::double::{Double, two_product, two_sum};
use crate::field::Dtype;

const LANES: usize = 8;
/// Terms of a listed row that are collected at a time.
const BLOCK: usize = 128;

/// Where the values of a row lie in a state: next to each other from a first one, or in listed places.
#[derive(Clone, Copy, Debug)]
pub enum Where<'a> {
    /// From this place on.
    Run(usize),
    /// One place a term.
    List(&'a [u32]),
}

impl Where<'_> {
    /// Hands the row to `each` in stretches of at most `BLOCK` terms (a run: all at once): the terms, and their values of `x`.
    #[inline(always)]
    fn stretches(self, len: usize, x: &[f64], mut each: impl FnMut(std::ops::Range<usize>, &[f64])) {
        match self {
            Where::Run(first) => each(0..len, &x[first..first + len]),
            Where::List(places) => {
                let mut values = [0.0; BLOCK];
                for (k, places) in places.chunks(BLOCK).enumerate() {
                    values.iter_mut().zip(places).for_each(|(v, &p)| *v = x[p as usize]);
                    each(k * BLOCK..k * BLOCK + places.len(), &values[..places.len()]);
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Sum {
    high: [f64; LANES],
    low: [f64; LANES],
}

impl Sum {
    const ZERO: Sum = Sum { high: [0.0; LANES], low: [0.0; LANES] };

    #[inline(always)]
    fn add(&mut self, lane: usize, x: f64, x_error: f64) {
        let (high, error) = two_sum(self.high[lane], x);
        self.high[lane] = high;
        self.low[lane] += error + x_error;
    }

    #[inline(always)]
    fn total(&self) -> Double {
        let mut total = Double::default();
        for lane in 0..LANES {
            total = total.add(Double::normal(self.high[lane], self.low[lane]));
        }
        total
    }
}

/// A job whose body is compiled for each instruction set.
struct Job<F>(F);

impl<R, F: FnOnce() -> R> WithSimd for Job<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> R {
        self.0()
    }
}

/// `sum g u` in twice the precision, and `sum |g u|`.
pub fn dot(arch: Arch, g: &[f64], place: Where, u: &[f64]) -> (Double, f64) {
    arch.dispatch(Job(
        #[inline(always)]
        || {
            let (mut sum, mut scale) = (Sum::ZERO, [0.0; LANES]);
            place.stretches(
                g.len(),
                u,
                #[inline(always)]
                |terms, u| {
                    let g = &g[terms];
                    let (g8, g_rest) = g.as_chunks::<LANES>();
                    let (u8, u_rest) = u.as_chunks::<LANES>();
                    for (g, u) in g8.iter().zip(u8) {
                        for l in 0..LANES {
                            let (x, x_error) = two_product(g[l], u[l]);
                            sum.add(l, x, x_error);
                            scale[l] += x.abs();
                        }
                    }
                    for (l, (g, u)) in g_rest.iter().zip(u_rest).enumerate() {
                        let (x, x_error) = two_product(*g, *u);
                        sum.add(l, x, x_error);
                        scale[l] += x.abs();
                    }
                },
            );
            (sum.total(), scale.iter().fold(0.0, |a, x| a + x))
        },
    ))
}

/// `sum g h v` over cells next to each other, in f64.
pub fn weighted(arch: Arch, g: &[f64], h: &[f64], v: &[f64]) -> f64 {
    arch.dispatch(Job(
        #[inline(always)]
        || {
            let mut sum = [0.0; LANES];
            let (g8, g_rest) = g.as_chunks::<LANES>();
            let (h8, h_rest) = h.as_chunks::<LANES>();
            let (v8, v_rest) = v.as_chunks::<LANES>();
            for ((g, h), v) in g8.iter().zip(h8).zip(v8) {
                for l in 0..LANES {
                    sum[l] += g[l] * v[l] * h[l];
                }
            }
            for (l, ((g, h), v)) in g_rest.iter().zip(h_rest).zip(v_rest).enumerate() {
                sum[l] += g * v * h;
            }
            sum.iter().fold(0.0, |a, x| a + x)
        },
    ))
}

/// `sum g h v` over cells next to each other, in twice the precision.
pub fn weighted_double(arch: Arch, g: &[f64], h: &[f64], v: &[f64]) -> Double {
    arch.dispatch(Job(
        #[inline(always)]
        || {
            let mut sum = Sum::ZERO;
            let (g8, g_rest) = g.as_chunks::<LANES>();
            let (h8, h_rest) = h.as_chunks::<LANES>();
            let (v8, v_rest) = v.as_chunks::<LANES>();
            for ((g, h), v) in g8.iter().zip(h8).zip(v8) {
                for l in 0..LANES {
                    let (p, p_error) = triple(g[l], h[l], v[l]);
                    sum.add(l, p, p_error);
                }
            }
            for (l, ((g, h), v)) in g_rest.iter().zip(h_rest).zip(v_rest).enumerate() {
                let (p, p_error) = triple(*g, *h, *v);
                sum.add(l, p, p_error);
            }
            sum.total()
        },
    ))
}

/// `g h v` as an unevaluated sum.
#[inline(always)]
pub fn triple(g: f64, h: f64, v: f64) -> (f64, f64) {
    let (w, w_error) = two_product(g, v);
    let (p, p_error) = two_product(w, h);
    (p, w_error.mul_add(h, p_error))
}

/// `w += g lambda`.
pub fn spread(arch: Arch, g: &[f64], place: Where, lambda: f64, w: &mut [f64]) {
    match place {
        Where::Run(first) => {
            let w = &mut w[first..first + g.len()];
            arch.dispatch(Job(
                #[inline(always)]
                || w.iter_mut().zip(g).for_each(|(w, g)| *w += g * lambda),
            ));
        }
        Where::List(places) => places.iter().zip(g).for_each(|(&p, g)| w[p as usize] += g * lambda),
    }
}

/// `u = stored(u - v w)`, rounded to `dtype`; a cell with `v w = 0` keeps its value, also the sign of a zero. Where the correction
/// cancels the cell to the last bits, what is left is the rounding of the correction, not a result: it becomes 0, or a field that
/// rows send to 0 would be chased through ever smaller numbers.
pub fn subtract(arch: Arch, u: &mut [f64], v: &[f64], w: &[f64], dtype: Dtype) {
    let f32 = dtype == Dtype::F32;
    arch.dispatch(Job(
        #[inline(always)]
        || {
            for ((u, v), w) in u.iter_mut().zip(v).zip(w) {
                let by = v * w;
                let moved = *u - by;
                let moved = if moved.abs() <= 8.0 * f64::EPSILON * u.abs() { 0.0 } else { moved };
                let next = if by == 0.0 { *u } else { moved };
                *u = if f32 { next as f32 as f64 } else { next };
            }
        },
    ));
}

/// Rounds to `dtype`.
pub fn round(arch: Arch, u: &mut [f64], dtype: Dtype) {
    if dtype == Dtype::F32 {
        arch.dispatch(Job(
            #[inline(always)]
            || u.iter_mut().for_each(|u| *u = *u as f32 as f64),
        ));
    }
}

/// Largest and smallest value of a block without NaN; `(0, 0)` of none.
pub fn range(arch: Arch, x: &[f64]) -> (f64, f64) {
    arch.dispatch(Job(
        #[inline(always)]
        || {
            let Some(&first) = x.first() else { return (0.0, 0.0) };
            let (mut low, mut high) = ([first; LANES], [first; LANES]);
            let (x8, rest) = x.as_chunks::<LANES>();
            for x in x8 {
                for l in 0..LANES {
                    low[l] = if x[l] < low[l] { x[l] } else { low[l] };
                    high[l] = if x[l] > high[l] { x[l] } else { high[l] };
                }
            }
            for &x in rest {
                low[0] = low[0].min(x);
                high[0] = high[0].max(x);
            }
            (low.iter().fold(first, |a, x| a.min(*x)), high.iter().fold(first, |a, x| a.max(*x)))
        },
    ))
}

/// Whether every value is finite.
pub fn is_finite(arch: Arch, x: &[f64]) -> bool {
    arch.dispatch(Job(
        #[inline(always)]
        || {
            // Ordered as integers, magnitudes are ordered as numbers, with infinity and NaN last.
            let mut most = [0u64; LANES];
            let (x8, rest) = x.as_chunks::<LANES>();
            for x in x8 {
                for l in 0..LANES {
                    most[l] = most[l].max(x[l].to_bits() & (u64::MAX >> 1));
                }
            }
            rest.iter().for_each(|x| most[0] = most[0].max(x.to_bits() & (u64::MAX >> 1)));
            most.iter().all(|&m| m < f64::INFINITY.to_bits())
        },
    ))
}
