//! What a network does to the rows of a matrix between products: softmax and layer normalisation. Sums run over 16 lanes by
//! index modulo 16 that are folded in one order, whatever the vector width.

use pulp::Arch;

use super::real::Real;

const LANES: usize = 16;

#[inline(always)]
fn fold<T: Real>(mut lanes: [T; LANES]) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn sum<T: Real>(x: &[T], term: impl Fn(T) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += term(*v);
        }
    }
    for (lane, v) in lanes.iter_mut().zip(rest) {
        *lane += term(*v);
    }
    fold(lanes)
}

/// Row i of y += `x[i]` times `row`.
pub fn add_outer<T: Real>(arch: Arch, x: &[T], row: &[T], y: &mut [T]) {
    arch.dispatch(
        #[inline(always)]
        || {
            for (x, y) in x.iter().zip(y.chunks_exact_mut(row.len())) {
                for (y, v) in y.iter_mut().zip(row) {
                    *y = x.mul_add(*v, *y);
                }
            }
        },
    );
}

/// Replaces each row x of `width` elements by exp(scale (x - max x)) and writes 1 / (the row's sum) to `inverse`: the
/// softmax, its division left to whoever uses the row.
pub fn softmax<T: Real>(arch: Arch, x: &mut [T], width: usize, scale: T, inverse: &mut [T]) {
    arch.dispatch(
        #[inline(always)]
        || {
            for (row, inverse) in x.chunks_exact_mut(width).zip(inverse) {
                let mut tops = [row[0]; LANES];
                let (whole, rest) = row.as_chunks::<LANES>();
                for chunk in whole {
                    for (top, v) in tops.iter_mut().zip(chunk) {
                        *top = Real::max(*v, *top);
                    }
                }
                for (top, v) in tops.iter_mut().zip(rest) {
                    *top = Real::max(*v, *top);
                }
                let top = tops.iter().fold(tops[0], |a, b| Real::max(*b, a));
                for v in row.iter_mut() {
                    *v = (scale * (*v - top)).exp_nonpositive();
                }
                *inverse = T::ONE
                    / sum(
                        row,
                        #[inline(always)]
                        |v| v,
                    );
            }
        },
    );
}

/// Normalises each row in place: (x - mean) / sqrt(var + eps) * gamma + beta, var the biased variance of the row.
pub fn layer_norm<T: Real>(arch: Arch, x: &mut [T], gamma: &[T], beta: &[T], eps: T) {
    let width = gamma.len();
    arch.dispatch(
        #[inline(always)]
        || {
            let share = T::ONE / T::from_f64(width as f64);
            for row in x.chunks_exact_mut(width) {
                let mean = sum(
                    row,
                    #[inline(always)]
                    |v| v,
                ) * share;
                let var = sum(
                    row,
                    #[inline(always)]
                    |v| (v - mean) * (v - mean),
                ) * share;
                let factor = T::ONE / (var + eps).sqrt();
                for ((v, g), b) in row.iter_mut().zip(gamma).zip(beta) {
                    *v = (*v - mean) * factor * *g + *b;
                }
            }
        },
    );
}

/// y = max(a + b, 0), row by row: one row b for all rows of a.
pub fn add_row_relu<T: Real>(arch: Arch, a: &[T], b: &[T], y: &mut [T]) {
    arch.dispatch(
        #[inline(always)]
        || {
            for (a, y) in a.chunks_exact(b.len()).zip(y.chunks_exact_mut(b.len())) {
                for ((a, b), y) in a.iter().zip(b).zip(y) {
                    *y = (*a + *b).relu();
                }
            }
        },
    );
}

/// y += x * factors, row by row: one row of factors for all rows.
pub fn add_scaled<T: Real>(arch: Arch, x: &[T], factors: &[T], y: &mut [T]) {
    arch.dispatch(
        #[inline(always)]
        || {
            for (x, y) in x.chunks_exact(factors.len()).zip(y.chunks_exact_mut(factors.len())) {
                for ((x, f), y) in x.iter().zip(factors).zip(y) {
                    *y = x.mul_add(*f, *y);
                }
            }
        },
    );
}

/// y += x, element by element.
pub fn add<T: Real>(arch: Arch, x: &[T], y: &mut [T]) {
    arch.dispatch(
        #[inline(always)]
        || {
            for (x, y) in x.iter().zip(y) {
                *y += *x;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits_agree<T: Real>() {
        let x: Vec<T> = (0..5 * 37).map(|i| T::from_f64(((i * 7919) % 101) as f64 * 0.13 - 5.0)).collect();
        let softmax = |arch: Arch| {
            let (mut a, mut inverse) = (x.clone(), [T::ZERO; 5]);
            super::softmax(arch, &mut a, 37, T::from_f64(0.25), &mut inverse);
            (a, inverse)
        };
        let (a, ia) = softmax(Arch::new());
        for arch in crate::kernels::other_archs() {
            assert_eq!(softmax(arch), (a.clone(), ia));
        }
        for (row, inverse) in a.chunks_exact(37).zip(ia) {
            let total: f64 = row.iter().map(|v| v.to_f64()).sum::<f64>() * inverse.to_f64();
            assert!((total - 1.0).abs() < 1e-5);
        }
        let gamma: Vec<T> = (0..37).map(|i| T::from_f64(1.0 + i as f64 * 0.01)).collect();
        let norm = |arch: Arch| {
            let mut a = x.clone();
            layer_norm(arch, &mut a, &gamma, &gamma, T::from_f64(1e-5));
            a
        };
        for arch in crate::kernels::other_archs() {
            assert_eq!(norm(arch), norm(Arch::new()));
        }
    }

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        bits_agree::<f32>();
        bits_agree::<f64>();
    }
}
