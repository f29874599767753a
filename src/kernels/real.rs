//! The two arithmetics, f32 and f64, with what a kernel needs of them.

use pulp::{MemMask, Simd, bytemuck};

use crate::field::Element;

/// A floating-point type in which networks are evaluated.
pub trait Real:
    Element
    + Send
    + Sync
    + PartialOrd
    + std::fmt::Debug
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
    + std::ops::AddAssign
    + std::ops::MulAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Where the normal tail times its argument is too small to be seen.
    const TAIL_END: Self;
    /// The series s of the normal tail 2^(-1 + t s(t)), from its highest power down.
    const TAIL: &'static [Self];
    /// The series of 2^f for |f| <= 1/2, likewise.
    const POWER: &'static [Self];
    /// What rounds t s(t) when it is added: the -1 and the exponent's bias are in it, so that the low bits are the exponent.
    const MAGIC: Self;
    /// Values in a panel of packed weights: 128 bytes.
    const PANEL: usize;
    /// A vector register of this type.
    type Vector<S: Simd>: Copy;

    /// Rounds to this type.
    fn from_f64(x: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// self * a + b, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Its size.
    fn abs(self) -> Self;
    /// The larger; the second when either is NaN.
    fn max(self, other: Self) -> Self;
    /// 0 when below it; NaN stays.
    fn relu(self) -> Self;
    /// e^x for x <= 0, within 2 ulp; arguments below the range give the smallest normal numbers, NaN stays.
    fn exp_nonpositive(self) -> Self;
    /// 1 - Phi(t) for t >= 0, Phi the normal distribution function, so that t times it is right to 1e-7 (f32) or 2e-16; constant
    /// from [`Real::TAIL_END`] on; NaN stays.
    #[inline(always)]
    fn normal_tail(self) -> Self {
        let t = if self > Self::TAIL_END { Self::TAIL_END } else { self };
        let horner = |terms: &[Self], x: Self| terms[1..].iter().fold(terms[0], |sum, term| sum.mul_add(x, *term));
        let s = horner(Self::TAIL, t);
        let shifted = t.mul_add(s, Self::MAGIC);
        let f = t.mul_add(s, Self::MAGIC - shifted);
        horner(Self::POWER, f) * shifted.power_of_two()
    }
    /// 2^n of what [`Real::MAGIC`] + n leaves in the low bits.
    fn power_of_two(self) -> Self;

    /// Lanes of a vector.
    fn lanes<S: Simd>() -> usize;
    /// All lanes equal.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// The first lanes of a slice.
    fn load<S: Simd>(simd: S, x: &[Self]) -> Self::Vector<S>;
    /// A slice shorter than a vector, followed by zeros.
    fn load_part<S: Simd>(simd: S, x: &[Self]) -> Self::Vector<S>;
    /// Stores as many lanes as a slice shorter than a vector has.
    fn store_part<S: Simd>(simd: S, x: &mut [Self], v: Self::Vector<S>);
    /// Stores to the first lanes of a slice.
    fn store<S: Simd>(simd: S, x: &mut [Self], v: Self::Vector<S>);
    /// a * b + c in every lane, rounded once.
    fn fused<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// 0 in every lane that is below it; NaN stays.
    fn rectified<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// The sizes of all lanes, at most `most`; of NaN either.
    fn sizes<S: Simd>(simd: S, a: Self::Vector<S>, most: Self::Vector<S>) -> Self::Vector<S>;
    /// a - b in every lane.
    fn difference<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a b in every lane.
    fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// [`Real::power_of_two`] of every lane.
    fn powers_of_two<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
}

/// Whether vectors are those of AVX-512, whose loads and stores take masks. pulp's own way to a part of a vector, a jump to one of many
/// pieces of code, is for processors without.
#[inline(always)]
fn has_masks<T: Real, S: Simd>() -> bool {
    T::lanes::<S>() * 2 == T::PANEL
}

/// The first `count` lanes of 16.
#[inline(always)]
fn first_of_16<S: Simd>(simd: S, count: usize) -> MemMask<S::m32s> {
    const LANES: [u32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    MemMask::new(simd.less_than_u32s(S::as_simd_u32s(&LANES).0[0], simd.splat_u32s(count as u32)))
}

/// The first `count` lanes of 8.
#[inline(always)]
fn first_of_8<S: Simd>(simd: S, count: usize) -> MemMask<S::m64s> {
    const LANES: [u64; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
    MemMask::new(simd.less_than_u64s(S::as_simd_u64s(&LANES).0[0], simd.splat_u64s(count as u64)))
}

macro_rules! real {
    ($t:ident, $panel:expr, $vector:ident, $lanes:ident, $splat:ident, $as_simd:ident, $as_mut_simd:ident, $load_part:ident, $store_part:ident, $first_of:ident, $load_masked:ident, $store_masked:ident, $fma:ident, $less:ident, $select:ident, $abs:ident, $min:ident, $max:ident, $sub:ident, $mul:ident, $powers:ident, $exp:expr, $mantissa:expr, $tail:ident) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const TAIL_END: Self = $tail.end;
            const TAIL: &'static [Self] = &$tail.series;
            const POWER: &'static [Self] = &$tail.power;
            const MAGIC: Self = $tail.magic;
            const PANEL: usize = $panel;
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $t::mul_add(self, a, b)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other { self } else { other }
            }
            #[inline(always)]
            fn relu(self) -> Self {
                if self < 0.0 { 0.0 } else { self }
            }
            #[inline(always)]
            fn exp_nonpositive(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn power_of_two(self) -> Self {
                $t::from_bits(self.to_bits() << $mantissa)
            }
            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S> {
                simd.$splat(x)
            }
            #[inline(always)]
            fn load<S: Simd>(_: S, x: &[Self]) -> Self::Vector<S> {
                S::$as_simd(x).0[0]
            }
            #[inline(always)]
            fn load_part<S: Simd>(simd: S, x: &[Self]) -> Self::Vector<S> {
                if has_masks::<Self, S>() {
                    // SAFETY: lanes behind the end of the slice are not read.
                    unsafe { simd.$load_masked($first_of(simd, x.len()), x.as_ptr()) }
                } else {
                    simd.$load_part(x)
                }
            }
            #[inline(always)]
            fn store_part<S: Simd>(simd: S, x: &mut [Self], v: Self::Vector<S>) {
                if has_masks::<Self, S>() {
                    // SAFETY: lanes behind the end of the slice are not written.
                    unsafe { simd.$store_masked($first_of(simd, x.len()), x.as_mut_ptr(), v) }
                } else {
                    simd.$store_part(x, v)
                }
            }
            #[inline(always)]
            fn store<S: Simd>(_: S, x: &mut [Self], v: Self::Vector<S>) {
                S::$as_mut_simd(x).0[0] = v;
            }
            #[inline(always)]
            fn fused<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S> {
                simd.$fma(a, b, c)
            }
            #[inline(always)]
            fn rectified<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S> {
                let zero = simd.$splat(0.0);
                // Of x86's instruction the result is `a` where that is NaN, and of two zeros.
                if cfg!(target_arch = "x86_64") && Self::lanes::<S>() > 1 {
                    simd.$max(zero, a)
                } else {
                    simd.$select(simd.$less(a, zero), zero, a)
                }
            }
            #[inline(always)]
            fn sizes<S: Simd>(simd: S, a: Self::Vector<S>, most: Self::Vector<S>) -> Self::Vector<S> {
                simd.$min(most, simd.$abs(a))
            }
            #[inline(always)]
            fn difference<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$mul(a, b)
            }
            #[inline(always)]
            fn powers_of_two<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S> {
                $powers(simd, a)
            }
        }
    };
}

real!(
    f32,
    32,
    f32s,
    F32_LANES,
    splat_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s,
    first_of_16,
    mask_load_ptr_f32s,
    mask_store_ptr_f32s,
    mul_add_f32s,
    less_than_f32s,
    select_f32s,
    abs_f32s,
    min_f32s,
    max_f32s,
    sub_f32s,
    mul_f32s,
    powers_of_two_f32,
    exp_nonpositive_f32,
    23,
    TAIL_F32
);
real!(
    f64,
    16,
    f64s,
    F64_LANES,
    splat_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s,
    first_of_8,
    mask_load_ptr_f64s,
    mask_store_ptr_f64s,
    mul_add_f64s,
    less_than_f64s,
    select_f64s,
    abs_f64s,
    min_f64s,
    max_f64s,
    sub_f64s,
    mul_f64s,
    powers_of_two_f64,
    exp_nonpositive_f64,
    52,
    TAIL_F64
);

// x = n ln 2 + r with |r| <= ln 2 / 2; the Taylor series of e^r to the last term above half an ulp; 2^n through the exponent
// bits. Adding 1.5 * 2^(mantissa bits) rounds to an integer and leaves it in the low bits. Branch-free, so that the compiler
// turns a loop of it into vectors; fused operations only where written, so that all vector widths agree to the bit.

#[inline(always)]
fn exp_nonpositive_f32(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = n.mul_add(-6.931_457_5e-1, x);
    let r = n.mul_add(-1.428_606_8e-6, r);
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = r.mul_add(p, c);
    }
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    p * scale
}

#[inline(always)]
fn exp_nonpositive_f64(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    let x = if x < -708.0 { -708.0 } else { x };
    let shifted = x.mul_add(std::f64::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = n.mul_add(-0.693_147_180_369_123_8, x);
    let r = n.mul_add(-1.908_214_929_270_587_7e-10, r);
    let mut p = 1.0 / 6_227_020_800.0;
    for c in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = r.mul_add(p, c);
    }
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    p * scale
}

// 1 - Phi(t) = 2^q(t), q(t) = -1 + t s(t) with a polynomial s fitted so that t times the tail is right to the last bits; then
// 2^q as above. Beyond the last argument the tail is below what can be seen beside t.

struct Tail<T, const SERIES: usize, const POWER: usize> {
    end: T,
    magic: T,
    series: [T; SERIES],
    power: [T; POWER],
}

const TAIL_F32: Tail<f32, 8, 6> = Tail {
    end: 6.0,
    magic: 12_583_038.0,
    series: [
        -2.023531e-06,
        2.974_565_4e-5,
        -0.000_140_807_29,
        -0.000_245_300_2,
        0.007_202_959,
        -0.052_590_914,
        -0.459_178_06,
        -1.151_108_4,
    ],
    power: [0.001_324_755_8, 0.009_671_839, 0.055_508_88, 0.240_222_33, 0.693_146_7, 1.0],
};

const TAIL_F64: Tail<f64, 22, 11> = Tail {
    end: 8.5,
    magic: 6_755_399_441_056_766.0,
    series: [
        -7.00369910415149e-18,
        5.237612158074352e-16,
        -1.8099915669282295e-14,
        3.850859530897953e-13,
        -5.660402053690609e-12,
        6.102636235439699e-11,
        -4.98525923497633e-10,
        3.1269240355324786e-09,
        -1.493354107822716e-08,
        5.162785267282505e-08,
        -1.0526319112161876e-07,
        -5.101144763513059e-08,
        1.2761230955406941e-06,
        -4.056021555441697e-06,
        -2.3712393547787812e-06,
        7.527064071927004e-05,
        -0.0003058958308694437,
        5.335385680628812e-05,
        0.0068991285743520946,
        -0.05242119329383167,
        -0.4592240942651445,
        -1.151104099072128,
    ],
    power: [
        7.038193163731757e-09,
        1.020832425712783e-07,
        1.3215653504390166e-06,
        1.525265942043254e-05,
        0.00015403529994453515,
        0.0013333558225814334,
        0.009618129107982957,
        0.055504108664481716,
        0.240226506959091,
        0.6931471805599492,
        1.0,
    ],
};

#[inline(always)]
fn powers_of_two_f32<S: Simd>(simd: S, a: S::f32s) -> S::f32s {
    simd.transmute_f32s_u32s(simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(a), simd.splat_u32s(23)))
}

/// There are shifts of 32 bits alone: a number that ends 20 bits later has in its upper half what the other one has at its end.
#[inline(always)]
fn powers_of_two_f64<S: Simd>(simd: S, a: S::f64s) -> S::f64s {
    if S::F64_LANES == 1 {
        return bytemuck::cast(bytemuck::cast::<_, f64>(a).power_of_two());
    }
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    const UPPER: f64 = 1.5 * (1u64 << 20) as f64;
    let upper = simd.add_f64s(simd.sub_f64s(a, simd.splat_f64s(WHOLE)), simd.splat_f64s(UPPER));
    let halves: S::u32s = bytemuck::cast(upper);
    bytemuck::cast(simd.wrapping_dyn_shl_u32s(halves, simd.splat_u32s(20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_within_two_ulp() {
        let (mut worst32, mut worst64) = (0f64, 0f64);
        for i in 0..200_000 {
            let x = -(i as f64) * 3.5e-3;
            let exact = libm::exp(x);
            worst64 = worst64.max((x.exp_nonpositive() - exact).abs() / (exact * f64::EPSILON));
            if x > -87.0 {
                let x = x as f32;
                let exact = libm::exp(x as f64);
                worst32 = worst32.max((x.exp_nonpositive() as f64 - exact).abs() / (exact * f32::EPSILON as f64));
            }
        }
        assert!(worst64 <= 2.0 && worst32 <= 2.0, "{worst64} {worst32}");
        assert_eq!(0f32.exp_nonpositive(), 1.0);
        assert_eq!(0f64.exp_nonpositive(), 1.0);
        assert!(f64::NEG_INFINITY.exp_nonpositive() < 1e-300);
        assert!(f64::NAN.exp_nonpositive().is_nan() && f32::NAN.exp_nonpositive().is_nan());
    }
}
