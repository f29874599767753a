//! Sums and updates along one row of weights, over values that lie without gaps.
//!
//! Terms go to lanes in turn. At the end sums in twice the precision add halves of the lanes side by side, plain sums lane after lane:
//! bits depend on the values and their place in the row alone. Plain loops over fixed-size arrays, compiled once for each instruction
//! set and chosen at run time.

use pulp::{Arch, Simd, WithSimd};

use super::double::{Double, LANES, MAGNITUDE, Sum, triple, two_product};
use crate::field::Dtype;

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

/// Runs `$body` compiled for the best instruction set of the machine. A closure would not do: only a body inlined into the dispatching
/// function is compiled for its instruction set, so the body is a function of a type of its own.
macro_rules! dispatch {
    ($arch:expr, $($real:ident,)? ($($name:ident: $type:ty = $value:expr),* $(,)?) -> $result:ty $body:block) => {{
        struct Job<'a $(, $real)?> {
            $($name: $type,)*
            lifetime: std::marker::PhantomData<(&'a (), $($real,)?)>,
        }
        impl<'a $(, $real: $crate::kernels::real::Real)?> WithSimd for Job<'a $(, $real)?> {
            type Output = $result;
            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> $result {
                let Job { $($name,)* .. } = self;
                $body
            }
        }
        $arch.dispatch(Job { $($name: $value,)* lifetime: std::marker::PhantomData })
    }};
}

pub(crate) use dispatch;

/// `sum g u` in twice the precision, and `sum |g u|`.
pub fn dot(arch: Arch, g: &[f64], place: Where, u: &[f64]) -> (Double, f64) {
    match place {
        Where::Run(first) => dot_run(arch, g, &u[first..first + g.len()], (Double::default(), 0.0)),
        Where::List(places) => {
            let mut sums = (Double::default(), 0.0);
            let mut values = [0.0; BLOCK];
            for (g, places) in g.chunks(BLOCK).zip(places.chunks(BLOCK)) {
                values.iter_mut().zip(places).for_each(|(v, &p)| *v = u[p as usize]);
                sums = dot_run(arch, g, &values[..g.len()], sums);
            }
            sums
        }
    }
}

/// Adds `sum g u` and `sum |g u|` of values next to each other.
fn dot_run(arch: Arch, g: &[f64], u: &[f64], before: (Double, f64)) -> (Double, f64) {
    let (part, scale) = dispatch!(arch, (g: &'a [f64] = g, u: &'a [f64] = u) -> (Double, f64) {
        let (mut sum, mut scale) = (Sum::ZERO, [0.0; LANES]);
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
        (sum.by_halves(), scale.iter().fold(0.0, |a, x| a + x))
    });
    (before.0 + part, before.1 + scale)
}

/// `sum a b`, in f64.
pub fn plain_dot(arch: Arch, a: &[f64], b: &[f64]) -> f64 {
    dispatch!(arch, (a: &'a [f64] = a, b: &'a [f64] = b) -> f64 {
        let mut sums = [0.0; 4 * LANES];
        let ((a32, a), (b32, b)) = (a.as_chunks::<{ 4 * LANES }>(), b.as_chunks::<{ 4 * LANES }>());
        for (a, b) in a32.iter().zip(b32) {
            for l in 0..4 * LANES {
                sums[l] += a[l] * b[l];
            }
        }
        a.iter().zip(b).enumerate().for_each(|(l, (a, b))| sums[l] += a * b);
        sums.iter().sum()
    })
}

/// `sum g h v` over cells next to each other, in f64.
pub fn weighted(arch: Arch, g: &[f64], h: &[f64], v: &[f64]) -> f64 {
    dispatch!(arch, (g: &'a [f64] = g, h: &'a [f64] = h, v: &'a [f64] = v) -> f64 {
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
    })
}

/// `sum g h v` over cells next to each other, in twice the precision.
pub fn weighted_double(arch: Arch, g: &[f64], h: &[f64], v: &[f64]) -> Double {
    dispatch!(arch, (g: &'a [f64] = g, h: &'a [f64] = h, v: &'a [f64] = v) -> Double {
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
        sum.by_halves()
    })
}

/// `w += g lambda`.
pub fn add_multiple(arch: Arch, g: &[f64], place: Where, lambda: f64, w: &mut [f64]) {
    match place {
        Where::Run(first) => {
            let w = &mut w[first..first + g.len()];
            dispatch!(arch, (w: &'a mut [f64] = w, g: &'a [f64] = g, lambda: f64 = lambda) -> () {
                w.iter_mut().zip(g).for_each(|(w, g)| *w += g * lambda);
            });
        }
        Where::List(places) => places.iter().zip(g).for_each(|(&p, g)| w[p as usize] += g * lambda),
    }
}

/// `u = stored(u - v w)`, rounded to `dtype`; a cell with `v w = 0` keeps its value, also the sign of a zero. Where the correction
/// cancels the cell to the last bits, what is left is the rounding of the correction, not a result: it becomes 0, or a field that
/// rows send to 0 would be chased through ever smaller numbers.
pub fn subtract(arch: Arch, u: &mut [f64], v: &[f64], w: &[f64], dtype: Dtype) {
    let f32 = dtype == Dtype::F32;
    dispatch!(arch, (u: &'a mut [f64] = u, v: &'a [f64] = v, w: &'a [f64] = w, f32: bool = f32) -> () {
        for ((u, v), w) in u.iter_mut().zip(v).zip(w) {
            let by = v * w;
            let moved = *u - by;
            let moved = if moved.abs() <= 8.0 * f64::EPSILON * u.abs() { 0.0 } else { moved };
            let next = if by == 0.0 { *u } else { moved };
            *u = if f32 { next as f32 as f64 } else { next };
        }
    });
}

/// Posterior variances `v - v^2 g' X g`, never below 0 nor above `v`, of cells that share rows: `g` holds each row's weights on these
/// cells, `x` is `S^-1` among the rows.
pub fn shrink(arch: Arch, g: &[&[f64]], x: &[f64], v: &[f64], out: &mut [f64]) {
    let count = g.len();
    dispatch!(arch, (g: &'a [&'a [f64]] = g, x: &'a [f64] = x, v: &'a [f64] = v, out: &'a mut [f64] = out, count: usize = count) -> () {
        let (v8, v_rest) = v.as_chunks::<LANES>();
        let (out8, out_rest) = out.as_chunks_mut::<LANES>();
        for (k, (v, out)) in v8.iter().zip(out8).enumerate() {
            let at = k * LANES;
            let mut share = [0.0; LANES];
            for a in 0..count {
                let mut sum = [0.0; LANES];
                for b in 0..count {
                    let (x, g) = (x[a * count + b], &g[b][at..at + LANES]);
                    for l in 0..LANES {
                        sum[l] += x * g[l];
                    }
                }
                let g = &g[a][at..at + LANES];
                for l in 0..LANES {
                    share[l] += g[l] * sum[l];
                }
            }
            for l in 0..LANES {
                out[l] = left(v[l], share[l]);
            }
        }
        let at = v8.len() * LANES;
        for (k, (v, out)) in v_rest.iter().zip(out_rest).enumerate() {
            let mut share = 0.0;
            for a in 0..count {
                let mut sum = 0.0;
                for b in 0..count {
                    sum += x[a * count + b] * g[b][at + k];
                }
                share += g[a][at + k] * sum;
            }
            *out = left(*v, share);
        }
    });
}

/// `v - v^2 share` between 0 and `v`; NaN where that is none. A held cell, v = 0, may have any share.
#[inline(always)]
fn left(v: f64, share: f64) -> f64 {
    let taken = if v > 0.0 { v * share } else { 0.0 };
    let taken = if taken > 1.0 { 1.0 } else { taken };
    let taken = if taken < 0.0 { 0.0 } else { taken };
    v - v * taken
}

/// `out = (x - centre) scale`.
pub fn centre(arch: Arch, x: &[f64], centre: &[f64], scale: f64, out: &mut [f64]) {
    dispatch!(arch, (x: &'a [f64] = x, centre: &'a [f64] = centre, scale: f64 = scale, out: &'a mut [f64] = out) -> () {
        for ((out, x), c) in out.iter_mut().zip(x).zip(centre) {
            *out = (x - c) * scale;
        }
    });
}

/// `sum += x^2`.
pub fn add_squares(arch: Arch, x: &[f64], sum: &mut [f64]) {
    dispatch!(arch, (x: &'a [f64] = x, sum: &'a mut [f64] = sum) -> () {
        sum.iter_mut().zip(x).for_each(|(s, x)| *s += x * x);
    });
}

/// Rounds to `dtype`.
pub fn round(arch: Arch, u: &mut [f64], dtype: Dtype) {
    if dtype == Dtype::F32 {
        dispatch!(arch, (u: &'a mut [f64] = u) -> () {
            u.iter_mut().for_each(|u| *u = *u as f32 as f64);
        });
    }
}

/// Smallest and largest value of a block without NaN; `(0, 0)` of none.
pub fn range(arch: Arch, x: &[f64]) -> (f64, f64) {
    dispatch!(arch, (x: &'a [f64] = x) -> (f64, f64) {
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
    })
}

/// Whether a matrix in C order without gaps is finite and symmetric, up to `slack` of each pair's size.
pub fn is_symmetric(arch: Arch, a: &[f64], n: usize, slack: f64) -> bool {
    dispatch!(arch, (a: &'a [f64] = a, n: usize = n, slack: f64 = slack) -> bool {
        let mut wrong = [0u64; LANES];
        let whole = n / LANES * LANES;
        for i in (0..whole).step_by(LANES) {
            for j in (0..=i).step_by(LANES) {
                let (mut upper, mut lower) = ([[0.0; LANES]; LANES], [[0.0; LANES]; LANES]);
                for l in 0..LANES {
                    upper[l].copy_from_slice(&a[(j + l) * n + i..][..LANES]);
                    lower[l].copy_from_slice(&a[(i + l) * n + j..][..LANES]);
                }
                for r in 0..LANES {
                    for c in 0..LANES {
                        let (x, y) = (lower[r][c], upper[c][r]);
                        // Also wrong for NaN, and for infinity, to which all is close in its own measure.
                        let apart = (x - y).abs();
                        let close = (apart <= slack * (x.abs() + y.abs())) & (apart < f64::INFINITY);
                        wrong[c] |= u64::from(!close);
                    }
                }
            }
        }
        for i in whole..n {
            for j in 0..=i {
                let (x, y) = (a[i * n + j], a[j * n + i]);
                let apart = (x - y).abs();
                let close = (apart <= slack * (x.abs() + y.abs())) & (apart < f64::INFINITY);
                wrong[0] |= u64::from(!close);
            }
        }
        wrong.iter().all(|&w| w == 0)
    })
}

/// Whether every value is finite.
pub fn is_finite(arch: Arch, x: &[f64]) -> bool {
    dispatch!(arch, (x: &'a [f64] = x) -> bool {
        let mut most = [0u64; LANES];
        let (x8, rest) = x.as_chunks::<LANES>();
        for x in x8 {
            for l in 0..LANES {
                most[l] = most[l].max(x[l].to_bits() & MAGNITUDE);
            }
        }
        rest.iter().for_each(|x| most[0] = most[0].max(x.to_bits() & MAGNITUDE));
        most.iter().all(|&m| m < f64::INFINITY.to_bits())
    })
}
