//! Blocks of doubles split into integers without any rounding error: the fast half of the exact sums in [`crate::reduce`].
//!
//! An accumulator that starts at `1.5 * 2^m` and stays in its binade holds multiples of `2^(m-52)` only. Adding x to it rounds x to
//! such a multiple; what is left of x is exact and goes to the next level, 43 bits further down. After three levels nothing is left
//! of any x within 76 bits (22 decades) of the block's largest, and the accumulators' bits, read as integers, are the sum.
//! Where something is left the caller takes the block value by value.
//!
//! The arithmetic relies on IEEE gradual underflow, as subnormal numbers count.

use pulp::{Arch, Simd, WithSimd, bytemuck};

use super::double::MAGNITUDE;

/// Most values of a block.
pub const BLOCK: usize = 512;
/// Accumulators of different magnitude.
pub const LEVELS: usize = 3;
/// Vectors of each level side by side, to hide the latency of an addition.
const VECTORS: usize = 2;
/// Bits that a level leaves to the carries of a block: at most BLOCK / VECTORS additions in one accumulator, and a sign.
const CARRY: i32 = 10;
/// Values of the last, incomplete group, for the widest vectors.
const EDGE: usize = VECTORS * 8;
/// How far a level lies below the one before: its 52 bits less the carries, and one for rounding to nearest.
const STEP: i32 = 53 - CARRY;

/// `count * 2^(position - 1074)`: an integer, placed by the distance of its last bit from the smallest subnormal number's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// The integer.
    pub count: i64,
    /// Bits above 2^-1074, at most 2045.
    pub position: u32,
}

/// The exact sum of at most [`BLOCK`] values as placed integers. `None` where a value is not finite, above 2^1012, or too far below
/// the largest one.
pub fn split(arch: Arch, values: &[f64]) -> Option<[Placed; LEVELS]> {
    debug_assert!(values.len() <= BLOCK);
    arch.dispatch(Split { values })
}

struct Split<'a> {
    values: &'a [f64],
}

impl WithSimd for Split<'_> {
    type Output = Option<[Placed; LEVELS]>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let most = self.values.iter().fold(0, |most: u64, x| most.max(x.to_bits() & MAGNITUDE));
        // Every value is below 2^above.
        let above = (most >> 52) as i32 - 1022;
        let levels: [i32; LEVELS] = std::array::from_fn(|l| (above + CARRY - l as i32 * STEP).max(-1022));
        if levels[0] > 1022 {
            return None;
        }
        let base = levels.map(|m| ((m + 1023) as u64) << 52 | 1 << 51);
        let mut sums = base.map(|b| [simd.splat_f64s(f64::from_bits(b)); VECTORS]);
        let mut left = [simd.splat_u64s(0); VECTORS];
        let (vectors, tail) = S::as_simd_f64s(self.values);
        let (groups, rest) = vectors.as_chunks::<VECTORS>();
        for group in groups {
            absorb(simd, &mut sums, &mut left, group);
        }
        let mut edge = [0.0; EDGE];
        let (ahead, behind) = edge.split_at_mut(rest.len() * S::F64_LANES);
        ahead.copy_from_slice(bytemuck::cast_slice(rest));
        behind[..tail.len()].copy_from_slice(tail);
        for group in S::as_simd_f64s(&edge).0.as_chunks::<VECTORS>().0 {
            absorb(simd, &mut sums, &mut left, group);
        }
        if bytemuck::cast_slice::<S::u64s, u64>(&left).iter().any(|&x| x != 0) {
            return None;
        }
        Some(std::array::from_fn(|l| {
            let lanes = bytemuck::cast_slice::<S::f64s, u64>(&sums[l]);
            let count = lanes.iter().fold(0, |sum, lane| sum + lane.wrapping_sub(base[l]) as i64);
            Placed { count, position: (levels[l] + 1022) as u32 }
        }))
    }
}

#[inline(always)]
fn absorb<S: Simd>(
    simd: S,
    sums: &mut [[S::f64s; VECTORS]; LEVELS],
    left: &mut [S::u64s; VECTORS],
    group: &[S::f64s; VECTORS],
) {
    for v in 0..VECTORS {
        let mut x = group[v];
        for level in sums.iter_mut() {
            let sum = simd.add_f64s(level[v], x);
            x = simd.sub_f64s(x, simd.sub_f64s(sum, level[v]));
            level[v] = sum;
        }
        left[v] = simd.or_u64s(left[v], simd.transmute_u64s_f64s(simd.abs_f64s(x)));
    }
}

/// Products of a block, each as an unevaluated sum: `a b = product + error` where neither underflows nor overflows.
#[derive(Clone, Debug)]
pub struct Products {
    /// The products, rounded.
    pub product: [f64; BLOCK],
    /// What rounding left out, itself rounded to a multiple of 2^-1074; meaningless where the product is not finite.
    pub error: [f64; BLOCK],
}

impl Default for Products {
    fn default() -> Products {
        Products { product: [0.0; BLOCK], error: [0.0; BLOCK] }
    }
}

impl Products {
    /// `a[i] b[i]` for at most [`BLOCK`] pairs.
    pub fn fill(&mut self, arch: Arch, a: &[f64], b: &[f64]) {
        let n = a.len();
        arch.dispatch(Multiply { a, b: &b[..n], product: &mut self.product[..n], error: &mut self.error[..n] });
    }

    /// `v[i] a[i] b[i]`, to about twice the precision of a double.
    pub fn fill_weighted(&mut self, arch: Arch, v: &[f64], a: &[f64], b: &[f64]) {
        let n = v.len();
        let (product, error) = (&mut self.product[..n], &mut self.error[..n]);
        arch.dispatch(MultiplyThree { v, a: &a[..n], b: &b[..n], product, error });
    }
}

struct Multiply<'a> {
    a: &'a [f64],
    b: &'a [f64],
    product: &'a mut [f64],
    error: &'a mut [f64],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Multiply { a, b, product, error } = self;
        for (((&a, &b), p), e) in a.iter().zip(b).zip(product).zip(error) {
            *p = a * b;
            *e = a.mul_add(b, -*p);
        }
    }
}

struct MultiplyThree<'a> {
    v: &'a [f64],
    a: &'a [f64],
    b: &'a [f64],
    product: &'a mut [f64],
    error: &'a mut [f64],
}

impl WithSimd for MultiplyThree<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let MultiplyThree { v, a, b, product, error } = self;
        for ((((&v, &a), &b), p), e) in v.iter().zip(a).zip(b).zip(product).zip(error) {
            let w = v * a;
            let w_error = v.mul_add(a, -w);
            *p = w * b;
            *e = w_error.mul_add(b, w.mul_add(b, -*p));
        }
    }
}
