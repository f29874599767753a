//! One row's sums over a field, and the correction along that row: the two passes of the equality projection.
//!
//! Sums are double-doubles: products split exactly (fused multiply-add), additions with their rounding errors. Cell `i` goes
//! to lane `i % LANES` and lanes are combined in order at the end, so bits depend on the values and their logical index alone:
//! not on strides, blocks, vector width or batch. Bodies are plain loops over fixed-size arrays, compiled once for each
//! instruction set and chosen at run time; a fused multiply-add stands only where a product must be split exactly or where one
//! rounding is meant, because its software form on old processors gives the same bits.

use pulp::{Arch, Simd, WithSimd};

pub use super::double::Double;
use super::double::{LANES, MAGNITUDE, Sum, triple, two_product};
use super::prefetch;
use super::strided::{View, ViewMut, fence};
use crate::field::Dtype;

/// Cells that are staged at a time, and how far ahead memory is asked for them. Measured from 128 to 512: the smaller, the
/// better loads overlap with arithmetic.
const BLOCK: usize = 128;
/// From this many cells on (8 MiB of f64) results are written past the caches.
const STREAM_FROM: usize = 1 << 20;

type Lane = [f64; LANES];

fn total(lanes: &Lane) -> f64 {
    lanes.iter().fold(0.0, |sum, x| sum + x)
}

fn largest(lanes: &[u64; LANES]) -> f64 {
    f64::from_bits(lanes.iter().fold(0, |most, &x| most.max(x)))
}

/// Where blocks of cells are gathered and results wait to be stored: lent to each pass, because clearing it would cost as much as
/// a small slice.
#[derive(Clone, Debug)]
pub struct Stage {
    mean: [f64; BLOCK],
    variance: [f64; BLOCK],
    result: [f64; BLOCK],
}

impl Default for Stage {
    fn default() -> Stage {
        Stage { mean: [0.0; BLOCK], variance: [0.0; BLOCK], result: [0.0; BLOCK] }
    }
}

/// What pass 1 knows of one slice and one row `g`; `u` is the mean and `v` the variance.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    /// `sum g u`
    pub amount: Double,
    /// `sum |g u|`
    pub scale: f64,
    /// `sum g^2 v`
    pub row_variance: Double,
    /// `max |u|`
    pub largest_mean: f64,
    /// `max v`
    pub largest_variance: f64,
    /// `min v`
    pub least_variance: f64,
    /// `max |v g|`
    pub largest_reach: f64,
}

struct Measuring {
    amount: Sum,
    row_variance: Sum,
    scale: Lane,
    reach: [u64; LANES],
    least: Lane,
}

impl Measuring {
    #[inline(always)]
    fn eight(&mut self, g: &Lane, u: &Lane, v: &Lane) {
        for l in 0..LANES {
            let (x, x_error) = two_product(g[l], u[l]);
            self.amount.add(l, x, x_error);
            self.scale[l] += x.abs();
            let (p, p_error) = triple(g[l], g[l], v[l]);
            self.row_variance.add(l, p, p_error);
            self.reach[l] = self.reach[l].max((v[l] * g[l]).to_bits() & MAGNITUDE);
            self.least[l] = if v[l] < self.least[l] { v[l] } else { self.least[l] };
        }
    }
}

/// Pass 1. `None` where the mean or the variance holds NaN or infinity; arithmetic never sees such a value, so that a host
/// that traps invalid operations is not stopped by it. No variance means 1 everywhere.
pub fn measure(row: &[f64], mean: &View, variance: Option<&View>, stage: &mut Stage) -> Option<Moments> {
    measure_with(Arch::new(), Measure { row, mean, variance, stage })
}

fn measure_with(arch: Arch, job: Measure) -> Option<Moments> {
    arch.dispatch(job)
}

struct Measure<'a> {
    row: &'a [f64],
    mean: &'a View<'a>,
    variance: Option<&'a View<'a>>,
    stage: &'a mut Stage,
}

impl WithSimd for Measure<'_> {
    type Output = Option<Moments>;

    // A closure would not do: only a body inlined into the dispatching function is compiled for its instruction set.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<Moments> {
        measure_body(self)
    }
}

#[inline(always)]
fn measure_body(job: Measure) -> Option<Moments> {
    let Measure { row, mean, variance, stage } = job;
    let mut sums = Measuring {
        amount: Sum::ZERO,
        row_variance: Sum::ZERO,
        scale: [0.0; LANES],
        reach: [0; LANES],
        least: [f64::INFINITY; LANES],
    };
    let (mut most_u, mut most_v) = (0, 0);
    for (at, g) in row.chunks(BLOCK).enumerate().map(|(k, g)| (k * BLOCK, g)) {
        let u = read(mean, at, &mut stage.mean[..g.len()]);
        let v = read_variance(variance, at, &mut stage.variance[..g.len()]);
        most_u = raise(most_u, u);
        most_v = raise(most_v, v);
        if !f64::from_bits(most_u.max(most_v)).is_finite() {
            return None;
        }
        let (g8, g_rest) = g.as_chunks::<LANES>();
        let (u8, u_rest) = u.as_chunks::<LANES>();
        let (v8, v_rest) = v.as_chunks::<LANES>();
        for ((g, u), v) in g8.iter().zip(u8).zip(v8) {
            prefetch::to_first_level(g, BLOCK);
            prefetch::to_first_level(u, BLOCK);
            prefetch::to_first_level(v, BLOCK);
            sums.eight(g, u, v);
        }
        if !g_rest.is_empty() {
            sums.eight(&padded(g_rest, 0.0), &padded(u_rest, 0.0), &padded(v_rest, f64::MAX));
        }
    }
    Some(Moments {
        amount: sums.amount.in_order(),
        scale: total(&sums.scale),
        row_variance: sums.row_variance.in_order(),
        largest_mean: f64::from_bits(most_u),
        largest_variance: f64::from_bits(most_v),
        least_variance: sums.least.iter().fold(f64::INFINITY, |least, &x| least.min(x)),
        largest_reach: largest(&sums.reach),
    })
}

/// How much of a variance the row leaves: `v - v^2 g^2 / S`.
#[derive(Clone, Copy, Debug)]
pub struct Shrink {
    /// `S = sum g^2 v + s^2`
    pub total: Double,
    /// `1 / S`
    pub inverse: f64,
}

impl Shrink {
    /// Never above `v` and never below 0: where the row takes less than half, one rounding of `v - v q` with `q >= 0`; where it
    /// takes more, `v (S - v g^2) / S` with the difference in double-double, because `1 - q` would cancel.
    #[inline(always)]
    pub fn apply(&self, v: f64, g: f64) -> f64 {
        let (p, p_error) = triple(g, g, v);
        let q = p * self.inverse;
        let rest = ((self.total.high - p) - p_error) + self.total.low;
        let left = v * ((if rest > 0.0 { rest } else { 0.0 }) * self.inverse);
        if q < 0.5 { (-v).mul_add(q, v) } else { left }
    }
}

/// A slice after the correction, as stored.
#[derive(Clone, Copy, Debug)]
pub struct Corrected {
    /// `sum g u`
    pub amount: Double,
    /// `sum |g u|`
    pub scale: f64,
    /// `max |u|`
    pub largest_mean: f64,
    /// `max |u - mu|`
    pub largest_change: f64,
    /// The first cell where that maximum is.
    pub cell: usize,
}

/// Where pass 2 writes.
pub struct Outputs<'a, 'b> {
    /// The posterior mean.
    pub mean: &'a mut ViewMut<'b>,
    /// The posterior variance and what it takes; without a [`Shrink`] variances are copied.
    pub variance: Option<(&'a mut ViewMut<'b>, Option<Shrink>)>,
}

/// Pass 2: `u = mu - v g lambda` for each multiplier in turn, rounded to `dtype` after each, summed again as it is stored.
/// Without multipliers the mean is copied. Without outputs nothing is written, and the result tells what would be stored.
pub fn correct(
    row: &[f64],
    mean: &View,
    variance: Option<&View>,
    multipliers: &[f64],
    dtype: Dtype,
    outputs: Option<Outputs>,
    stage: &mut Stage,
) -> Corrected {
    correct_with(Arch::new(), dtype, Correct { row, mean, variance, multipliers, outputs, stage })
}

fn correct_with(arch: Arch, dtype: Dtype, job: Correct) -> Corrected {
    match dtype {
        Dtype::F32 => arch.dispatch(Stored::<true>(job)),
        Dtype::F64 => arch.dispatch(Stored::<false>(job)),
    }
}

struct Correct<'a, 'b, 'c> {
    row: &'a [f64],
    mean: &'a View<'a>,
    variance: Option<&'a View<'a>>,
    multipliers: &'a [f64],
    outputs: Option<Outputs<'b, 'c>>,
    stage: &'a mut Stage,
}

/// A correction whose result is stored as f32, or as f64.
struct Stored<'a, 'b, 'c, const F32: bool>(Correct<'a, 'b, 'c>);

impl<const F32: bool> WithSimd for Stored<'_, '_, '_, F32> {
    type Output = Corrected;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Corrected {
        correct_body::<F32>(self.0)
    }
}

struct Correcting {
    amount: Sum,
    scale: Lane,
    most: [u64; LANES],
    change: Lane,
    cell: Lane,
}

impl Correcting {
    #[inline(always)]
    fn eight(&mut self, start: f64, g: &Lane, before: &Lane, after: &Lane) {
        for l in 0..LANES {
            let (x, x_error) = two_product(g[l], after[l]);
            self.amount.add(l, x, x_error);
            self.scale[l] += x.abs();
            self.most[l] = self.most[l].max(after[l].to_bits() & MAGNITUDE);
            let change = (after[l] - before[l]).abs();
            let more = change > self.change[l];
            self.change[l] = if more { change } else { self.change[l] };
            // An index below 2^53 is exact as a double, which spares the mixed-width select.
            self.cell[l] = if more { start + l as f64 } else { self.cell[l] };
        }
    }
}

#[inline(always)]
fn correct_body<const F32: bool>(job: Correct) -> Corrected {
    let Correct { row, mean, variance, multipliers, mut outputs, stage } = job;
    // In place the lines to be written are in the cache already.
    let streams = |out: &ViewMut, input: Option<&View>| {
        row.len() >= STREAM_FROM && input.is_none_or(|input| input.place().address != out.place().address)
    };
    let mean_streams = outputs.as_ref().is_some_and(|o| streams(o.mean, Some(mean)));
    let variance_streams =
        outputs.as_ref().and_then(|o| o.variance.as_ref()).is_some_and(|(out, _)| streams(out, variance));
    let mut sums = Correcting {
        amount: Sum::ZERO,
        scale: [0.0; LANES],
        most: [0; LANES],
        change: [0.0; LANES],
        cell: [NOWHERE; LANES],
    };
    for (at, g) in row.chunks(BLOCK).enumerate().map(|(k, g)| (k * BLOCK, g)) {
        let before = read(mean, at, &mut stage.mean[..g.len()]);
        let v = read_variance(variance, at, &mut stage.variance[..g.len()]);
        let after = &mut stage.result[..g.len()];
        if multipliers.is_empty() {
            for (a, u) in after.iter_mut().zip(before) {
                *a = stored::<F32>(*u);
            }
        }
        for (k, &lambda) in multipliers.iter().enumerate() {
            // The first step starts from the prior itself, which may be wider than the storage of the posterior.
            let from = if k == 0 { Some(before) } else { None };
            step::<F32>(after, from, g, v, lambda);
        }
        let (g8, g_rest) = g.as_chunks::<LANES>();
        let (b8, b_rest) = before.as_chunks::<LANES>();
        let (a8, a_rest) = after.as_chunks::<LANES>();
        let (v8, _) = v.as_chunks::<LANES>();
        for (k, (((g, b), a), v)) in g8.iter().zip(b8).zip(a8).zip(v8).enumerate() {
            prefetch::to_first_level(g, BLOCK);
            prefetch::to_first_level(b, BLOCK);
            prefetch::to_first_level(v, BLOCK);
            sums.eight((at + k * LANES) as f64, g, b, a);
        }
        if !g_rest.is_empty() {
            let start = (at + g8.len() * LANES) as f64;
            sums.eight(start, &padded(g_rest, 0.0), &padded(b_rest, 0.0), &padded(a_rest, 0.0));
        }
        if let Some(outputs) = &mut outputs {
            put(outputs.mean, mean_streams, at, after);
            if let Some((target, shrink)) = &mut outputs.variance {
                let left = &mut stage.result[..g.len()];
                match shrink {
                    Some(shrink) => {
                        for ((o, &v), &g) in left.iter_mut().zip(v).zip(g) {
                            *o = shrink.apply(v, g);
                        }
                    }
                    None => left.copy_from_slice(v),
                }
                put(target, variance_streams, at, left);
            }
        }
    }
    if mean_streams || variance_streams {
        fence();
    }
    let (mut largest_change, mut cell) = (0.0, NOWHERE);
    for l in 0..LANES {
        if sums.change[l] > largest_change || (sums.change[l] == largest_change && sums.cell[l] < cell) {
            (largest_change, cell) = (sums.change[l], sums.cell[l]);
        }
    }
    Corrected {
        amount: sums.amount.in_order(),
        scale: total(&sums.scale),
        largest_mean: largest(&sums.most),
        largest_change,
        cell: if largest_change > 0.0 { cell as usize } else { 0 },
    }
}

/// One correction of a block, from the prior or from what the step before would store.
#[inline(always)]
fn step<const F32: bool>(after: &mut [f64], from: Option<&[f64]>, g: &[f64], v: &[f64], lambda: f64) {
    match from {
        Some(before) => {
            for (((a, &u), &g), &v) in after.iter_mut().zip(before).zip(g).zip(v) {
                *a = stored::<F32>(moved(u, v * g, lambda));
            }
        }
        None => {
            for ((a, &g), &v) in after.iter_mut().zip(g).zip(v) {
                *a = stored::<F32>(moved(*a, v * g, lambda));
            }
        }
    }
}

/// One cell's step. A cell that is held, or that the row does not weigh, keeps its bits: also the sign of a zero. Where the
/// correction cancels the cell to the last bits, what is left is the rounding of the correction, not a result: it becomes 0, or
/// a field that the row sends to 0 everywhere would be chased through ever smaller numbers.
#[inline(always)]
fn moved(u: f64, reach: f64, lambda: f64) -> f64 {
    let moved = (-reach).mul_add(lambda, u);
    let moved = if moved.abs() <= 4.0 * f64::EPSILON * u.abs() { 0.0 } else { moved };
    if reach == 0.0 { u } else { moved }
}

#[inline(always)]
fn stored<const F32: bool>(x: f64) -> f64 {
    if F32 { x as f32 as f64 } else { x }
}

/// Behind every cell, and within the range of integers: compilers convert before they choose, and what cannot be converted would raise
/// a flag of the processor, or its trap.
const NOWHERE: f64 = (1u64 << 53) as f64;

static ONES: [f64; BLOCK] = [1.0; BLOCK];

#[inline(always)]
fn read<'s>(view: &'s View, start: usize, stage: &'s mut [f64]) -> &'s [f64] {
    if let Some(cells) = view.as_slice::<f64>(start, stage.len()) {
        return cells;
    }
    if let Some(cells) = view.as_slice::<f32>(start, stage.len()) {
        for (s, cell) in stage.iter_mut().zip(cells) {
            *s = *cell as f64;
        }
        return stage;
    }
    view.gather(start, stage);
    stage
}

#[inline(always)]
fn read_variance<'s>(view: Option<&'s View>, start: usize, stage: &'s mut [f64]) -> &'s [f64] {
    match view {
        Some(view) => read(view, start, stage),
        None => &ONES[..stage.len()],
    }
}

#[inline(always)]
fn put(out: &mut ViewMut, streams: bool, start: usize, values: &[f64]) {
    if streams { out.stream(start, values) } else { out.scatter(start, values) }
}

/// The largest magnitude, as bits: an order-free maximum, so no lanes are needed.
#[inline(always)]
fn raise(most: u64, values: &[f64]) -> u64 {
    values.iter().fold(most, |most, x| most.max(x.to_bits() & MAGNITUDE))
}

#[inline(always)]
fn padded(cells: &[f64], fill: f64) -> Lane {
    let mut lane = [fill; LANES];
    lane[..cells.len()].copy_from_slice(cells);
    lane
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Element, Layout};
    use proptest::prelude::*;

    fn field(n: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<f64>)> {
        let cell = (-3.0f64..3.0, -8i32..8).prop_map(|(x, e)| x * 10f64.powi(e));
        let cells = prop::collection::vec((cell.clone(), cell.clone(), cell.prop_map(f64::abs)), n);
        cells.prop_map(|cells| {
            let pick = |f: fn(&(f64, f64, f64)) -> f64| cells.iter().map(f).collect();
            (pick(|c| c.0), pick(|c| c.1), pick(|c| c.2))
        })
    }

    fn moments(row: &[f64], mean: &View, variance: Option<&View>) -> Option<Moments> {
        measure(row, mean, variance, &mut Stage::default())
    }

    fn bits(m: &Moments) -> Vec<u64> {
        [
            m.amount.high,
            m.amount.low,
            m.scale,
            m.row_variance.high,
            m.row_variance.low,
            m.largest_mean,
            m.largest_variance,
        ]
        .into_iter()
        .chain([m.least_variance, m.largest_reach])
        .map(f64::to_bits)
        .collect()
    }

    #[test]
    fn sums_keep_what_cancels() {
        let n = 2000;
        let row: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let mut u: Vec<f64> = (0..n).map(|i| ((i / 2) as f64 + 0.1) * 1e15).collect();
        u[n - 1] -= 0.25;
        let m = moments(&row, &View::new("u", &u, &[n]).unwrap(), None).unwrap();
        assert_eq!(m.amount.high, u[n - 2] - u[n - 1]);
        let tenth = vec![0.1; n];
        let m = moments(&tenth, &View::new("u", &tenth, &[n]).unwrap(), None).unwrap();
        // 0.1 as a double is 3602879701896397 / 2^55: the sum is known to the last bit as an integer of 2^-110.
        let square = 3602879701896397i128 * 3602879701896397 * n as i128;
        let found = (m.amount.high * 2f64.powi(110)) as i128 + (m.amount.low * 2f64.powi(110)) as i128;
        assert!((found - square).abs() <= square >> 96);
    }

    #[test]
    fn infinity_and_nan_are_told() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for at in [0, 127, 128, 519, 520] {
                let (row, good) = ([1.0; 521], [1.0; 521]);
                let mut u = good;
                u[at] = bad;
                let (good, u) = (View::new("u", &good, &[521]).unwrap(), View::new("u", &u, &[521]).unwrap());
                assert!(moments(&row, &u, Some(&good)).is_none());
                assert!(moments(&row, &good, Some(&u)).is_none());
            }
        }
    }

    /// A field beyond the caches in storage of type T, written without gaps from three alignments, against one with gaps.
    fn large<T: Element + PartialEq + Into<f64>>(one: impl Fn(f64) -> T) {
        let n = STREAM_FROM + 517;
        let row = vec![1.0; n];
        let u: Vec<T> = (0..n).map(|i| one((i % 1013) as f64 * 0.01)).collect();
        let untouched = one(-1.0);
        let run = |shift: usize, spaced: usize| {
            let mut out = vec![untouched; (n + 4) * spaced];
            let layout = Layout::new("out", &[n], &[spaced as isize]).unwrap();
            let mut mean = ViewMut::strided("out", &mut out, shift, layout).unwrap();
            let outputs = Outputs { mean: &mut mean, variance: None };
            let view = View::new("u", &u, &[n]).unwrap();
            correct(&row, &view, None, &[0.1], T::DTYPE, Some(outputs), &mut Stage::default());
            assert!(out[..shift].iter().chain(&out[shift + n * spaced..]).all(|&x| x == untouched));
            out[shift..].iter().step_by(spaced).take(n).map(|&x| x.into().to_bits()).collect::<Vec<_>>()
        };
        let plain = run(0, 2);
        let last: f64 = u[n - 1].into();
        assert_eq!(plain[n - 1], one(last - 0.1).into().to_bits());
        for shift in 0..4 {
            assert!(run(shift, 1) == plain);
        }
    }

    #[test]
    fn a_large_field_is_streamed_to_the_same_bits() {
        large::<f64>(|x| x);
        large::<f32>(|x| x as f32);
    }

    proptest! {
        #[test]
        fn instruction_sets_and_strides_give_the_same_bits(
            (row, u, v) in (1usize..1200).prop_flat_map(field), lambda in -2.0f64..2.0, narrow in any::<bool>(),
        ) {
            let n = row.len();
            let view = |x| View::new("x", x, &[n]).unwrap();
            let (mean, variance) = (view(&u), view(&v));
            let here = moments(&row, &mean, Some(&variance)).unwrap();
            for arch in crate::kernels::other_archs() {
                let job = Measure { row: &row, mean: &mean, variance: Some(&variance), stage: &mut Stage::default() };
                prop_assert_eq!(bits(&here), bits(&measure_with(arch, job).unwrap()));
            }

            let backwards: Vec<f64> = u.iter().rev().flat_map(|&x| [x, f64::NAN]).collect();
            let layout = Layout::new("x", &[n], &[-2]).unwrap();
            let strided = View::strided("x", &backwards, 2 * (n - 1), layout).unwrap();
            prop_assert_eq!(bits(&here), bits(&moments(&row, &strided, Some(&variance)).unwrap()));

            let dtype = if narrow { Dtype::F32 } else { Dtype::F64 };
            let total = here.row_variance.plus(1e-30);
            let run = |arch, mean: &View| {
                let (mut a, mut b) = (vec![0.0f64; n], vec![0.0f64; n]);
                let mut out_mean = ViewMut::new("a", &mut a, &[n]).unwrap();
                let mut out_variance = ViewMut::new("b", &mut b, &[n]).unwrap();
                let outputs = Outputs {
                    mean: &mut out_mean,
                    variance: Some((&mut out_variance, Some(Shrink { total, inverse: 1.0 / total.high }))),
                };
                let multipliers = [lambda, 1e-3 * lambda];
                let job = Correct { row: &row, mean, variance: Some(&variance), multipliers: &multipliers, outputs: Some(outputs), stage: &mut Stage::default() };
                let done = correct_with(arch, dtype, job);
                let bits: Vec<u64> = a.iter().chain(&b).map(|x| x.to_bits()).collect();
                (bits, done.amount, done.scale.to_bits(), done.largest_change.to_bits(), done.cell)
            };
            let here = run(Arch::new(), &mean);
            for arch in crate::kernels::other_archs() {
                prop_assert_eq!(&here, &run(arch, &mean));
            }
            prop_assert_eq!(&here, &run(Arch::new(), &strided));
            let first = (0..n).map(|i| (f64::from_bits(here.0[i]) - u[i]).abs()).fold((0, 0.0), {
                let mut i = 0;
                move |best, x| { i += 1; if x > best.1 { (i - 1, x) } else { best } }
            });
            prop_assert_eq!((first.0, first.1.to_bits()), (here.4, here.3));
        }
    }
}
