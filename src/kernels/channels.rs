//! Rows of channels between the caller's memory and a network: their largest magnitude, and a factor and a shift for each channel.

use pulp::{Arch, Simd, WithSimd};

use super::real::Real;
use super::strided::View;
use crate::field::Dtype;

/// Elements that pass through a buffer together.
const BUFFER: usize = 256;
/// Lanes of a running maximum.
const LANES: usize = 16;

/// The largest magnitude of an array's elements; infinity where one is not finite.
pub fn magnitude(arch: Arch, view: &View) -> f64 {
    let len = view.layout().len();
    // In the order of memory, which is the quickest to read.
    let sorted;
    let view = match view.layout().shape() {
        [_] => view,
        _ => {
            sorted = view.by_steps();
            &sorted
        }
    };
    let whole = match view.dtype() {
        Dtype::F32 => view.as_slice::<f32>(0, len).map(|x| largest_f32(arch, x)),
        Dtype::F64 => view.as_slice::<f64>(0, len).map(|x| largest_f64(arch, x)),
    };
    whole.unwrap_or_else(|| {
        let mut buffer = [0.0; BUFFER];
        (0..len).step_by(BUFFER).fold(0.0, |most: f64, start| {
            let part = &mut buffer[..(len - start).min(BUFFER)];
            view.gather(start, part);
            most.max(largest_f64(arch, part))
        })
    })
}

/// Magnitudes are ordered by their bits, with infinity and NaN last; no comparison of numbers raises a flag of the processor.
macro_rules! largest {
    ($name:ident, $t:ident, $bits:ident) => {
        fn $name(arch: Arch, x: &[$t]) -> f64 {
            struct Largest<'a>(&'a [[$t; LANES]]);
            impl WithSimd for Largest<'_> {
                type Output = $bits;
                #[inline(always)]
                fn with_simd<S: Simd>(self, _: S) -> $bits {
                    let mut most = [0; LANES];
                    for x in self.0 {
                        for l in 0..LANES {
                            most[l] = most[l].max(x[l].to_bits() & ($bits::MAX >> 1));
                        }
                    }
                    most.into_iter().fold(0, $bits::max)
                }
            }
            let magnitude = |x: &$t| x.to_bits() & ($bits::MAX >> 1);
            let (whole, rest) = x.as_chunks::<LANES>();
            // A short array would wait longer for the lanes than for its elements.
            let whole = if whole.is_empty() { 0 } else { arch.dispatch(Largest(whole)) };
            let largest = $t::from_bits(rest.iter().map(magnitude).fold(whole, $bits::max)) as f64;
            if largest.is_nan() { f64::INFINITY } else { largest }
        }
    };
}

largest!(largest_f32, f32, u32);
largest!(largest_f64, f64, u64);

/// to = (from - shift) factor, channel by channel, rounded once more to the result's type. Both hold rows of as many channels as there
/// are factors.
pub fn shift_then_scale<A: Real, B: Real>(arch: Arch, from: &[A], shift: &[f64], factor: &[f64], to: &mut [B]) {
    struct Job<'a, A, B>(&'a [A], &'a [f64], &'a [f64], &'a mut [B]);
    impl<A: Real, B: Real> WithSimd for Job<'_, A, B> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Job(from, shift, factor, to) = self;
            let width = shift.len();
            for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
                for (((to, from), shift), factor) in to.iter_mut().zip(from).zip(shift).zip(factor) {
                    *to = B::from_f64((from.to_f64() - shift) * factor);
                }
            }
        }
    }
    assert!(factor.len() == shift.len() && from.len() == to.len());
    arch.dispatch(Job(from, shift, factor, to));
}

/// to = shift + factor from, likewise; rows of `from` lie `stride` apart and may have more channels than are read.
pub fn scale_then_shift<A: Real, B: Real>(
    arch: Arch,
    from: &[A],
    stride: usize,
    shift: &[f64],
    factor: &[f64],
    to: &mut [B],
) {
    struct Job<'a, A, B>(&'a [A], usize, &'a [f64], &'a [f64], &'a mut [B]);
    impl<A: Real, B: Real> WithSimd for Job<'_, A, B> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Job(from, stride, shift, factor, to) = self;
            let width = shift.len();
            for (from, to) in from.chunks(stride).zip(to.chunks_exact_mut(width)) {
                for (((to, from), shift), factor) in to.iter_mut().zip(from).zip(shift).zip(factor) {
                    *to = B::from_f64(shift + from.to_f64() * factor);
                }
            }
        }
    }
    let width = shift.len();
    assert!(factor.len() == width && stride >= width && from.len() + stride >= to.len() / width * stride + width);
    arch.dispatch(Job(from, stride, shift, factor, to));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Layout;

    #[test]
    fn magnitude_sees_every_element() {
        let arch = Arch::new();
        for len in [1, 15, 16, 17, 300, 1000] {
            for at in [0, len / 2, len - 1] {
                for value in [-3.5, f64::NAN, f64::NEG_INFINITY] {
                    let mut x = vec![0.25f64; len];
                    x[at] = value;
                    let y: Vec<f32> = x.iter().map(|v| *v as f32).collect();
                    let expected = if value.is_finite() { 3.5 } else { f64::INFINITY };
                    assert_eq!(magnitude(arch, &View::new("x", &x, &[len]).unwrap()), expected);
                    assert_eq!(magnitude(arch, &View::new("y", &y, &[len]).unwrap()), expected);
                    let back = Layout::new("x", &[len], &[-1]).unwrap();
                    assert_eq!(magnitude(arch, &View::strided("x", &x, len - 1, back).unwrap()), expected);
                }
            }
        }
    }

    #[test]
    fn rows_are_scaled_by_their_channels() {
        let arch = Arch::new();
        let (shift, factor) = ([1.0, -2.0, 0.5], [2.0, 4.0, 0.25]);
        let x: Vec<f64> = (0..3 * 7).map(|i| i as f64).collect();
        let mut y = vec![0f32; x.len()];
        shift_then_scale(arch, &x, &shift, &factor, &mut y);
        for (i, y) in y.iter().enumerate() {
            assert_eq!(*y as f64, (x[i] - shift[i % 3]) * factor[i % 3]);
        }
        // Two more channels that are not read, and none behind the last row.
        let wide: Vec<f32> =
            (0..7).flat_map(|r| [0f32, 1.0, 2.0, f32::NAN, f32::NAN].map(|v| v + 3.0 * r as f32)).collect();
        let mut back = vec![0f64; x.len()];
        scale_then_shift(arch, &wide[..wide.len() - 2], 5, &shift, &factor, &mut back);
        for (i, v) in back.iter().enumerate() {
            assert_eq!(*v, shift[i % 3] + x[i] * factor[i % 3]);
        }
    }
}
