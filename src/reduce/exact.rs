use pulp::Arch;

use crate::kernels::exact::{self, BLOCK, Placed, Products};

/// Digits of a sum: 2^32 each, from 2^-1074 to beyond 2^1024.
const DIGITS: usize = 66;
/// Additions after which carries are settled: each adds less than 2^32 to a digit of 63 bits.
const MOST_PENDING: u32 = 1 << 30;
const DIGIT: i64 = 0xffff_ffff;
const MANTISSA: u64 = (1 << 52) - 1;

/// An exact sum of doubles, in 66 digits of 32 bits that hold every double and every sum of up to 2^44 of them. NaN and the
/// infinities are counted apart.
///
/// Addition of integers knows no rounding, so the value depends on the terms alone: not on their order, on how they were split
/// among parts, or on the width of the processor's vectors. No function here allocates.
#[derive(Clone, Copy, Debug)]
pub struct Exact {
    digits: [i64; DIGITS],
    /// NaN, +infinity, -infinity.
    special: [i64; 3],
    pending: u32,
}

impl Default for Exact {
    fn default() -> Exact {
        Exact { digits: [0; DIGITS], special: [0; 3], pending: 0 }
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Exact) -> bool {
        self.bins() == other.bins()
    }
}

impl Exact {
    /// Integers of a sum's canonical form.
    pub const BINS: usize = DIGITS + 3;

    /// Adds one value.
    pub fn add(&mut self, x: f64) {
        let bits = x.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as u32;
        if exponent == 0x7ff {
            let kind = if x.is_nan() { 0 } else { 1 + usize::from(x < 0.0) };
            self.special[kind] += 1;
            return;
        }
        let hidden = u64::from(exponent > 0) << 52;
        let mantissa = (bits & MANTISSA | hidden) as i64;
        let count = if bits >> 63 == 1 { -mantissa } else { mantissa };
        self.place(Placed { count, position: exponent.max(1) - 1 });
    }

    /// Adds every value.
    pub fn add_slice(&mut self, values: &[f64]) {
        let arch = Arch::new();
        values.chunks(BLOCK).for_each(|block| self.add_block(arch, block));
    }

    /// Adds `a b`, exact where the product is 0 or `2^-969 <= |a b| < 2^1024`. Below, what lies under 2^-1074 is rounded to a
    /// multiple of it, which is at most 2^-1075 a product and still depends on the product alone. A product that overflows counts
    /// as infinite.
    pub fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(product);
        if product.is_finite() {
            self.add(a.mul_add(b, -product));
        }
    }

    /// Adds `a[i] b[i]` for every i, as [`Exact::add_product`] does.
    ///
    /// Panics when the lengths differ.
    pub fn add_products(&mut self, a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len(), "factors pair up");
        let arch = Arch::new();
        let mut products = Products::default();
        for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
            products.fill(arch, a, b);
            self.add_split(arch, &products, a.len());
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Exact) {
        let other = other.settled();
        *self = self.settled();
        self.pending = 1;
        for (digit, more) in self.digits.iter_mut().zip(other.digits) {
            *digit = digit.wrapping_add(more);
        }
        for (count, more) in self.special.iter_mut().zip(other.special) {
            *count = count.wrapping_add(more);
        }
    }

    /// The canonical form: equal sums have equal bins. Bins of up to 2^30 sums may be added as integers, in any order, and read back
    /// with [`Exact::from_bins`].
    pub fn bins(&self) -> [i64; Exact::BINS] {
        let settled = self.settled();
        let mut bins = [0; Exact::BINS];
        bins[..DIGITS].copy_from_slice(&settled.digits);
        bins[DIGITS..].copy_from_slice(&settled.special);
        bins
    }

    /// The sum whose bins, or sums of whose parts' bins, these are.
    pub fn from_bins(bins: &[i64; Exact::BINS]) -> Exact {
        let mut sum = Exact::default();
        sum.digits.copy_from_slice(&bins[..DIGITS]);
        sum.special.copy_from_slice(&bins[DIGITS..]);
        sum.settled()
    }

    /// Whether no term was NaN or infinite. Then an infinite [`Exact::round`] means that the sum itself is beyond the largest double.
    pub fn is_finite(&self) -> bool {
        self.special == [0; 3]
    }

    /// The sum as a double, rounded once, ties to even; +0 when it is 0. Beyond the largest double it is infinite. With infinite
    /// terms it is theirs, with NaN or infinities of both signs NaN.
    pub fn round(&self) -> f64 {
        match self.special.map(|count| count != 0) {
            [false, false, false] => {}
            [false, true, false] => return f64::INFINITY,
            [false, false, true] => return f64::NEG_INFINITY,
            _ => return f64::NAN,
        }
        let mut magnitude = self.settled();
        let negative = magnitude.digits[DIGITS - 1] < 0;
        if negative {
            magnitude.digits.iter_mut().for_each(|digit| *digit = digit.wrapping_neg());
            magnitude = magnitude.settled();
        }
        let rounded = round_magnitude(&magnitude.digits);
        if negative { -rounded } else { rounded }
    }

    /// Adds the products of a block as [`Products`] split them.
    pub(crate) fn add_split(&mut self, arch: Arch, products: &Products, len: usize) {
        let (product, error) = (&products.product[..len], &products.error[..len]);
        self.add_block(arch, product);
        match exact::split(arch, error) {
            Some(placed) => placed.into_iter().for_each(|p| self.place(p)),
            None => {
                for (product, &error) in product.iter().zip(error) {
                    if product.is_finite() {
                        self.add(error);
                    }
                }
            }
        }
    }

    /// Adds at most [`BLOCK`] values.
    pub(crate) fn add_block(&mut self, arch: Arch, block: &[f64]) {
        match exact::split(arch, block) {
            Some(placed) => placed.into_iter().for_each(|p| self.place(p)),
            None => block.iter().for_each(|&x| self.add(x)),
        }
    }

    fn place(&mut self, Placed { count, position }: Placed) {
        let wide = i128::from(count) << (position % 32);
        let low = (position / 32) as usize;
        let digits = &mut self.digits[low..low + 3];
        digits[0] += wide as i64 & DIGIT;
        digits[1] += (wide >> 32) as i64 & DIGIT;
        digits[2] += (wide >> 64) as i64;
        self.pending += 1;
        if self.pending == MOST_PENDING {
            *self = self.settled();
        }
    }

    /// The same sum with every digit but the last in 0 .. 2^32. Bins that no sum gives wrap around.
    fn settled(&self) -> Exact {
        let mut settled = *self;
        let mut carry = 0;
        for digit in &mut settled.digits[..DIGITS - 1] {
            let whole = digit.wrapping_add(carry);
            *digit = whole & DIGIT;
            carry = whole >> 32;
        }
        settled.digits[DIGITS - 1] = settled.digits[DIGITS - 1].wrapping_add(carry);
        settled.pending = 0;
        settled
    }
}

/// Digits in canonical form, the last one at least 0.
fn round_magnitude(digits: &[i64; DIGITS]) -> f64 {
    let Some(top) = digits.iter().rposition(|&digit| digit != 0) else { return 0.0 };
    let digit = |back: usize| top.checked_sub(back).map_or(0, |i| digits[i] as u128);
    // The highest bit's distance from 2^-1074.
    let highest = 32 * top + 63 - digits[top].leading_zeros() as usize;
    let wide = digit(0) << 64 | digit(1) << 32 | digit(2);
    if highest <= 52 {
        // An integer below 2^53, in units of the smallest subnormal number, is its own bit pattern.
        return f64::from_bits((digit(0) << 32 | digit(1)) as u64 >> if top == 0 { 32 } else { 0 });
    }
    // `wide` begins 64 bits below the top digit.
    let shift = highest - 52 + 64 - 32 * top;
    let mantissa = (wide >> shift) as u64;
    let below = wide & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    let more = digits[..top.saturating_sub(2)].iter().any(|&digit| digit != 0);
    let up = below > half || (below == half && (more || mantissa & 1 == 1));
    let exponent = highest as u64 - 51;
    if exponent > 2046 {
        return f64::INFINITY;
    }
    // A mantissa that rounds up to 2^53 carries into the exponent.
    f64::from_bits((exponent << 52) + (mantissa & MANTISSA) + u64::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Schoolbook: signed bytes of an integer in units of 2^-1074, built bit by bit. Knows nothing of digits or blocks.
    #[derive(Clone)]
    struct Big(Vec<i64>);

    impl Big {
        fn zero() -> Big {
            Big(vec![0; 280])
        }

        fn add(&mut self, x: f64, times: i64) {
            let (bits, exponent) = (x.to_bits(), x.to_bits() >> 52 & 0x7ff);
            let mantissa = bits & MANTISSA | u64::from(exponent > 0) << 52;
            let sign = if x.is_sign_negative() { -times } else { times };
            for bit in (0..53).filter(|bit| mantissa >> bit & 1 == 1) {
                let at = bit + exponent.max(1) as usize - 1;
                self.0[at / 8] += sign << (at % 8);
            }
        }

        fn sum(values: &[f64]) -> Big {
            let mut sum = Big::zero();
            values.iter().for_each(|&x| sum.add(x, 1));
            sum
        }

        /// -1, 0 or 1.
        fn sign(&self) -> i64 {
            let (mut carry, mut any) = (0, false);
            for &byte in &self.0 {
                let whole = byte + carry;
                any |= whole & 0xff != 0;
                carry = whole >> 8;
            }
            if carry != 0 { carry.signum() } else { i64::from(any) }
        }

        /// The sign of 2 self - a - b, that is, on which side of the middle between a and b.
        fn beside_middle(&self, a: f64, b: f64) -> i64 {
            let mut twice = Big(self.0.iter().map(|byte| 2 * byte).collect());
            twice.add(a, -1);
            twice.add(b, -1);
            twice.sign()
        }
    }

    #[track_caller]
    fn assert_rounded(exact: &Big, found: f64) {
        let even = found.to_bits() & 1 == 0;
        if found.is_finite() {
            // Above the largest double the next one would be 2^1024: half the sum and the comparison stay in range without it.
            if found < f64::MAX {
                let side = exact.beside_middle(found, found.next_up());
                assert!(side < 0 || (side == 0 && even), "{found:e} is too low");
            }
            if found > f64::MIN {
                let side = exact.beside_middle(found.next_down(), found);
                assert!(side > 0 || (side == 0 && even), "{found:e} is too high");
            }
        } else {
            let largest = if found > 0.0 { f64::MAX } else { f64::MIN };
            let mut beyond = exact.clone();
            beyond.add(largest, -1);
            beyond.add(largest * 2f64.powi(-54), -1);
            assert!(beyond.sign() == found.signum() as i64, "{found} is no overflow");
        }
    }

    fn summed(values: &[f64]) -> Exact {
        let mut sum = Exact::default();
        sum.add_slice(values);
        sum
    }

    fn one_by_one(values: &[f64]) -> Exact {
        let mut sum = Exact::default();
        values.iter().for_each(|&x| sum.add(x));
        sum
    }

    /// Any finite bits; numbers of one size; of a few sizes; subnormal ones; pairs that cancel.
    fn values() -> impl Strategy<Value = Vec<f64>> {
        let arbitrary = any::<u64>().prop_map(|bits| {
            let x = f64::from_bits(bits);
            if x.is_finite() { x } else { f64::from_bits(bits & !(1 << 62)) }
        });
        let near = (-1.0f64..1.0, -3i32..3).prop_map(|(x, e)| x * 10f64.powi(e));
        let wide = (-1.0f64..1.0, -30i32..30).prop_map(|(x, e)| x * 10f64.powi(e));
        let tiny = (any::<u64>(), any::<bool>()).prop_map(|(bits, minus)| {
            let x = f64::from_bits(bits & (MANTISSA << 1 | 1));
            if minus { -x } else { x }
        });
        let many = |term: BoxedStrategy<f64>| prop::collection::vec(term, 0..2000);
        prop_oneof![many(arbitrary.boxed()), many(near.boxed()), many(wide.boxed()), many(tiny.boxed())].prop_flat_map(
            |v| {
                let n = v.len();
                (Just(v), any::<bool>(), 0..n.max(1)).prop_map(|(mut v, cancel, keep)| {
                    if cancel && !v.is_empty() {
                        let negated: Vec<f64> = v.iter().rev().skip(keep % 3).map(|x| -x).collect();
                        v.extend(negated);
                        let kept = v[keep];
                        v.push(kept * 1e-17);
                    }
                    v
                })
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rounds_the_exact_sum_once(values in values()) {
            let sum = summed(&values);
            prop_assert!(sum == one_by_one(&values));
            for arch in crate::kernels::other_archs() {
                let mut other = Exact::default();
                values.chunks(BLOCK).for_each(|block| other.add_block(arch, block));
                prop_assert!(sum == other);
            }
            assert_rounded(&Big::sum(&values), sum.round());
        }

        #[test]
        fn order_and_parts_leave_the_bins_alone(mut values in values(), parts in 1usize..=64, turn in any::<usize>()) {
            let whole = summed(&values);
            let mut bins = [0; Exact::BINS];
            let mut merged = Exact::default();
            let step = values.len().div_ceil(parts).max(1);
            if !values.is_empty() {
                let by = turn % values.len();
                values.rotate_left(by);
                values[..by / 2].reverse();
            }
            for part in values.chunks(step) {
                let part = summed(part);
                merged.merge(&part);
                bins.iter_mut().zip(part.bins()).for_each(|(sum, bin)| *sum += bin);
            }
            prop_assert_eq!(merged.bins(), whole.bins());
            let reduced = Exact::from_bins(&bins);
            prop_assert_eq!(reduced.bins(), whole.bins());
            prop_assert_eq!(reduced.round().to_bits(), whole.round().to_bits());
        }

        #[test]
        fn products_are_exact(pairs in prop::collection::vec((-1.0f64..1.0, -40i32..40, -1.0f64..1.0, -40i32..40), 0..1500)) {
            let a: Vec<f64> = pairs.iter().map(|p| p.0 * 10f64.powi(p.1)).collect();
            let b: Vec<f64> = pairs.iter().map(|p| p.2 * 10f64.powi(p.3)).collect();
            let (mut blocks, mut singles, mut exact) = (Exact::default(), Exact::default(), Big::zero());
            blocks.add_products(&a, &b);
            for (&a, &b) in a.iter().zip(&b) {
                singles.add_product(a, b);
                // Cut in half, factors multiply without rounding.
                let high = |x: f64| f64::from_bits(x.to_bits() >> 27 << 27);
                for (a, b) in [(high(a), high(b)), (high(a), b - high(b)), (a - high(a), high(b)), (a - high(a), b - high(b))] {
                    exact.add(a * b, 1);
                }
            }
            prop_assert_eq!(blocks.bins(), singles.bins());
            assert_rounded(&exact, blocks.round());
        }
    }

    #[test]
    fn known_hard_sums() {
        let round = |values: &[f64]| {
            let sum = summed(values);
            assert_eq!(sum.bins(), one_by_one(values).bins());
            sum.round()
        };
        assert_eq!(round(&[]).to_bits(), 0);
        assert_eq!(round(&[-0.0, -0.0]).to_bits(), 0);
        assert_eq!(round(&[1e300, 1e-320, -1e300]), 1e-320);
        assert_eq!(round(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(round(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(round(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(round(&[f64::MIN, f64::MIN]), f64::NEG_INFINITY);
        assert!(summed(&[f64::MAX, f64::MAX]).is_finite());
        // Half an ulp above the largest double, and a little less.
        let half = 2f64.powi(970);
        assert_eq!(round(&[f64::MAX, half]), f64::INFINITY);
        assert_eq!(round(&[f64::MAX, half, -f64::from_bits(1)]), f64::MAX);
        // Ties go to even, whatever breaks them decides.
        let ulp = f64::EPSILON;
        assert_eq!(round(&[1.0, ulp / 2.0]), 1.0);
        assert_eq!(round(&[1.0 + ulp, ulp / 2.0]), 1.0 + 2.0 * ulp);
        assert_eq!(round(&[1.0, ulp / 2.0, f64::from_bits(1)]), 1.0 + ulp);
        assert_eq!(round(&[-1.0, -ulp / 2.0, -f64::from_bits(1)]), -1.0 - ulp);
        // From subnormal to normal.
        let least = f64::MIN_POSITIVE;
        assert_eq!(round(&[least, -f64::from_bits(1)]), least.next_down());
        assert_eq!(round(&[least.next_down(), f64::from_bits(1)]), least);
        assert_eq!(round(&vec![f64::from_bits(1); 1000]), f64::from_bits(1000));
        assert_eq!(round(&vec![0.1; 1 << 16]), 0.1 * 65536.0);
        // A huge alternating series over a small one.
        let swing: Vec<f64> = (0..4096).map(|i| if i % 2 == 0 { 1e308 } else { -1e308 }).collect();
        let mixed: Vec<f64> = swing.iter().flat_map(|&x| [x, 1e-10]).collect();
        assert_eq!(round(&mixed), 4.096e-7);
    }

    #[test]
    fn non_finite_terms_are_counted() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for at in [0, 511, 512, 700] {
            let mut values = vec![1.0; 701];
            values[at] = inf;
            let sum = summed(&values);
            assert!(sum.round() == inf && !sum.is_finite());
            values[(at + 1) % 701] = -inf;
            assert!(summed(&values).round().is_nan());
            values[(at + 1) % 701] = nan;
            assert!(summed(&values).round().is_nan());
            values[at] = -inf;
            values[(at + 1) % 701] = 1.0;
            assert_eq!(summed(&values).round(), -inf);
        }
    }

    #[test]
    fn products_at_the_ends_of_the_range() {
        let round = |a: &[f64], b: &[f64]| {
            let (mut blocks, mut singles) = (Exact::default(), Exact::default());
            blocks.add_products(a, b);
            a.iter().zip(b).for_each(|(&a, &b)| singles.add_product(a, b));
            assert_eq!(blocks.bins(), singles.bins());
            blocks.round()
        };
        assert_eq!(round(&[1e200, 1.0], &[1e200, 1.0]), f64::INFINITY);
        assert_eq!(round(&[1e200, -1e200], &[1e150, 1e108]), 1e200 * 1e150);
        assert_eq!(round(&[1e-200], &[1e-200]), 0.0);
        // The last whole product: its error is the smallest subnormal number's multiple.
        let a = 1.0 + f64::EPSILON;
        let scale = 2f64.powi(-969);
        assert_eq!(
            round(&[a * scale, -scale, -scale], &[a, 1.0, 2.0 * f64::EPSILON]),
            f64::EPSILON * f64::EPSILON * scale
        );
    }

    #[test]
    fn carries_are_settled_in_time() {
        let mut sum = Exact { pending: MOST_PENDING - 3, ..Exact::default() };
        for _ in 0..8 {
            sum.add(-f64::MAX);
            sum.add(f64::MAX);
        }
        assert!(sum.pending < 16 && sum == Exact::default());
    }
}
