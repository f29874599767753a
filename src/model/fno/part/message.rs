//! What the parts of an operator tell each other after their first message: sums of integers, and what shows that they are sums.
//!
//! Sums of components go as multiples of a step that all parts know, a power of two: 2^-61 of what the sum of all magnitudes could
//! reach, given the largest value anywhere. One integer a sum, and no order of addition changes it; what a sum exact to the last bit
//! ([`Exact`](crate::reduce::Exact)) would add takes 69 integers and lies below the rounding of the arithmetic. The largest value is
//! found by a sum as well: each part counts itself under its own one's exponent.

use crate::error::{Result, fail};
use crate::kernels::real::Real;

/// Integers after every message: blocks, a digest of which, and two halves of a sum of all other integers, each times an odd number.
pub(super) const TAIL: usize = 4;
/// Powers of two of one size class.
const CLASS: u32 = 4;
/// Size classes, and what is not finite.
pub(super) const SIZES: usize = 2048 / CLASS as usize + 1;

/// Which blocks a part, or all parts together, have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cover {
    count: i64,
    digest: i64,
}

impl Cover {
    /// Of blocks by their numbers: a sum, so that parts add up.
    pub(super) fn of(blocks: impl Iterator<Item = usize>) -> Cover {
        blocks.fold(Cover::default(), |cover, block| {
            let mut z = (block as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            Cover { count: cover.count + 1, digest: cover.digest + (z >> 33) as i64 }
        })
    }
}

/// Linear in the words: that of a sum is the sum of those of its terms.
fn check(words: &[i64]) -> u64 {
    words
        .iter()
        .enumerate()
        .fold(0u64, |sum, (i, word)| sum.wrapping_add((*word as u64).wrapping_mul(2 * i as u64 + 1)))
}

/// Writes what follows the `len` integers of a message; its length then.
pub(super) fn close(message: &mut [i64], len: usize, cover: Cover) -> usize {
    (message[len], message[len + 1]) = (cover.count, cover.digest);
    let check = check(&message[..len + 2]);
    (message[len + 2], message[len + 3]) = ((check & 0xffff_ffff) as i64, (check >> 32) as i64);
    len + TAIL
}

/// The sums of a message of all parts, which have all blocks between them.
pub(super) fn open(message: &[i64], all: Cover) -> Result<&[i64]> {
    let len = message.len() - TAIL;
    let halves = (message[len + 2] as u64).wrapping_add((message[len + 3] as u64) << 32);
    let found = Cover { count: message[len], digest: message[len + 1] };
    if check(&message[..len + 2]) != halves || found == Cover::default() {
        return fail!(Reduction, "reduction: gave sums that no set of parts has");
    }
    if found != all {
        return fail!(
            Mismatch,
            "the parts have {} blocks between them, expected each of {} once, and their sum from the reduction",
            found.count,
            all.count
        );
    }
    Ok(&message[..len])
}

/// The size class of the largest of some values; the last one when any is not finite.
pub(super) fn size_of_largest<T: Real>(arch: pulp::Arch, values: &[T]) -> usize {
    const LANES: usize = 16;
    let (top, odd) = arch.dispatch(
        #[inline(always)]
        || {
            let (mut top, mut odd) = ([T::ZERO; LANES], [T::ZERO; LANES]);
            for chunk in values.chunks(LANES) {
                for ((top, odd), v) in top.iter_mut().zip(&mut odd).zip(chunk) {
                    *top = Real::max(Real::max(*v, T::ZERO - *v), *top);
                    *odd += *v * T::ZERO;
                }
            }
            (top, odd)
        },
    );
    if odd.iter().any(|v| v.to_f64() != 0.0) {
        return SIZES - 1;
    }
    let largest = top.iter().fold(0.0, |a: f64, v| a.max(v.to_f64()));
    (largest.to_bits() >> 52) as usize / CLASS as usize
}

/// The step for sums of `terms` values at most as large as those counted in the classes, as a power of two.
pub(super) fn step(sizes: &[i64], terms: usize) -> Result<i32> {
    if sizes[SIZES - 1] != 0 {
        return fail!(NonFinite, "the network overflows on a part of the field");
    }
    let Some(class) = sizes.iter().rposition(|count| *count != 0) else {
        return fail!(Reduction, "reduction: lost the size of all values");
    };
    let beyond = (class as i32 + 1) * CLASS as i32 - 1023;
    let count = terms.next_power_of_two().trailing_zeros() as i32;
    // Far below what any arithmetic of a network sees, the step and its inverse must stay numbers.
    Ok((beyond + count - 61).max(-1020))
}

fn power(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// Adds sums of a block as multiples of 2^`step`; how many are out of bounds, as they are when one has overflowed.
pub(super) fn add<T: Real>(arch: pulp::Arch, step: i32, sums: &[T], message: &mut [i64]) -> i64 {
    let scale = power(-step);
    arch.dispatch(
        #[inline(always)]
        || {
            let mut beyond = 0;
            for (to, v) in message.iter_mut().zip(sums) {
                let multiple = v.to_f64() * scale;
                // NaN is not below either.
                beyond += 1 - i64::from(multiple.abs() < power(62));
                *to = to.wrapping_add(multiple as i64);
            }
            beyond
        },
    )
}

/// Sums of all parts, as values.
pub(super) fn read<T: Real>(step: i32, message: &[i64], sums: &mut [T]) {
    let scale = power(step);
    for (v, sum) in sums.iter_mut().zip(message) {
        *v = T::from_f64(*sum as f64 * scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_rounded_to_the_step_alone() {
        let arch = pulp::Arch::new();
        for scale in [1e-280, 1.0, 1e280] {
            let values: Vec<f64> = (0..100).map(|i| scale * ((i * 37 % 101) as f64 - 50.0) / 7.0).collect();
            let mut sizes = [0; SIZES];
            sizes[size_of_largest(arch, &values)] += 1;
            let step = step(&sizes, values.len()).unwrap();
            let (mut forth, mut back, mut sum) = ([0], [0], [0.0]);
            for v in &values {
                assert_eq!(add(arch, step, &[*v], &mut forth), 0);
            }
            for v in values.iter().rev() {
                assert_eq!(add(arch, step, &[*v], &mut back), 0);
            }
            read(step, &forth, &mut sum);
            assert_eq!(forth, back);
            let plain: f64 = values.iter().sum();
            assert!((sum[0] - plain).abs() <= 1e-14 * 100.0 * scale, "{} {plain}", sum[0]);
        }
    }

    #[test]
    fn what_is_not_finite_is_told() {
        let arch = pulp::Arch::new();
        for v in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, 15, 16, 20] {
                let mut values = [1f32; 21];
                values[at] = v;
                assert_eq!(size_of_largest(arch, &values), SIZES - 1);
            }
            assert_eq!(add(arch, 0, &[v], &mut [0]), 1);
        }
        let mut sizes = [0; SIZES];
        assert!(step(&sizes, 1).is_err());
        (sizes[3], sizes[SIZES - 1]) = (1, 1);
        assert!(step(&sizes, 1).is_err());
    }

    #[test]
    fn a_message_of_all_parts_is_known_from_others() {
        let all = Cover::of(0..3);
        let part = |values: [i64; 3], blocks: &[usize]| {
            let mut message = [0; 3 + TAIL];
            message[..3].copy_from_slice(&values);
            assert_eq!(close(&mut message, 3, Cover::of(blocks.iter().copied())), 3 + TAIL);
            message
        };
        let sum = |a: [i64; 7], b: [i64; 7]| -> [i64; 7] { std::array::from_fn(|i| a[i].wrapping_add(b[i])) };
        let (a, b) = (part([1, -5, i64::MAX / 2], &[0, 2]), part([7, 9, i64::MIN / 2], &[1]));
        assert_eq!(open(&sum(a, b), all).unwrap(), &[8, 4, -1]);
        for wrong in [a, [0; 7], sum(a, a), sum(a, part([0; 3], &[2])), sum(sum(a, b), b)] {
            assert!(open(&wrong, all).is_err());
        }
        let mut damaged = sum(a, b);
        damaged[1] += 1;
        assert!(open(&damaged, all).is_err());
    }
}
