//! Spectral convolutions as sums over kept modes.

use std::f64::consts::TAU;

use super::Field;

/// (re, im).
pub type Complex = (f64, f64);

/// What makes the channels of a mode.
pub type Weight<'a> = Box<dyn Fn(&[usize], &[Complex]) -> Vec<Complex> + 'a>;

/// Kept modes with weights: frequencies of each axis that are read, those that are written, and what makes the channels of a mode at
/// these places of the ones read.
pub struct Corner<'a> {
    /// Frequencies read, axis by axis.
    pub read: Vec<Vec<i64>>,
    /// Frequencies written, axis by axis.
    pub written: Vec<Vec<i64>>,
    /// (places, channels in) -> channels out.
    pub weight: Weight<'a>,
}

/// The unscaled transform of a real field, weights at the kept modes, and the inverse over 1/n as `irfftn` has it: of frequencies of the
/// last axis other than 0 and n/2 the conjugates count too, and the result is real.
pub fn convolution(x: &Field, outputs: usize, corners: &[Corner]) -> Field {
    let axes = x.grid.len();
    let mut y = Field::zeros(&x.grid, outputs);
    let points = x.points() as f64;
    for corner in corners {
        let mut modes: Vec<Complex> = x.values.iter().map(|v| (*v, 0.0)).collect();
        let mut shape = [&x.grid[..], &[x.channels]].concat();
        for axis in (0..axes).rev() {
            let n = x.grid[axis];
            modes = transform(&modes, &mut shape, axis, corner.read[axis].len(), |k, i| {
                turn(-corner.read[axis][k] * i as i64, n)
            });
        }
        let counts: Vec<usize> = corner.read.iter().map(Vec::len).collect();
        let mut out = Vec::with_capacity(modes.len() / x.channels * outputs);
        for (mode, input) in modes.chunks_exact(x.channels).enumerate() {
            let mut places = vec![0; axes];
            let mut rest = mode;
            for (place, count) in places.iter_mut().zip(&counts).rev() {
                (*place, rest) = (rest % count, rest / count);
            }
            out.extend((corner.weight)(&places, input));
        }
        shape[axes] = outputs;
        for axis in 0..axes {
            let n = x.grid[axis];
            out = transform(&out, &mut shape, axis, n, |i, k| {
                let frequency = corner.written[axis][k];
                let (c, s) = turn(frequency * i as i64, n);
                let twice = if axis + 1 == axes && frequency != 0 && 2 * frequency != n as i64 { 2.0 } else { 1.0 };
                (c * twice, s * twice)
            });
        }
        y.values.iter_mut().zip(&out).for_each(|(y, v)| *y += v.0 / points);
    }
    y
}

/// e^(2 pi i k / n).
fn turn(k: i64, n: usize) -> Complex {
    let angle = TAU * k.rem_euclid(n as i64) as f64 / n as f64;
    (angle.cos(), angle.sin())
}

/// Replaces an axis by `count` sums over it: sum_i factor(k, i) x_i.
fn transform(
    x: &[Complex],
    shape: &mut [usize],
    axis: usize,
    count: usize,
    factor: impl Fn(usize, usize) -> Complex,
) -> Vec<Complex> {
    let n = shape[axis];
    let inner: usize = shape[axis + 1..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    let factors: Vec<Complex> = (0..count * n).map(|at| factor(at / n, at % n)).collect();
    let mut y = vec![(0.0, 0.0); outer * count * inner];
    for o in 0..outer {
        for k in 0..count {
            let out = &mut y[(o * count + k) * inner..][..inner];
            for i in 0..n {
                let (c, s) = factors[k * n + i];
                for (y, x) in out.iter_mut().zip(&x[(o * n + i) * inner..][..inner]) {
                    y.0 += c * x.0 - s * x.1;
                    y.1 += c * x.1 + s * x.0;
                }
            }
        }
    }
    shape[axis] = count;
    y
}

/// Frequencies first, first + 1, ..
pub fn frequencies(first: i64, count: usize) -> Vec<i64> {
    (first..first + count as i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With weight 1 at every mode the convolution gives the field back, on even and odd lengths.
    #[test]
    fn all_modes_give_the_field_back() {
        for grid in [vec![7], vec![8], vec![5, 6], vec![4, 3, 5]] {
            let mut x = Field::zeros(&grid, 2);
            x.values.iter_mut().enumerate().for_each(|(i, v)| *v = (i as f64).sin());
            let axes = grid.len();
            let all: Vec<Vec<i64>> = grid
                .iter()
                .enumerate()
                .map(|(a, n)| if a + 1 == axes { frequencies(0, n / 2 + 1) } else { frequencies(-(*n as i64 / 2), *n) })
                .collect();
            let same = Corner { read: all.clone(), written: all, weight: Box::new(|_, x| x.to_vec()) };
            let y = convolution(&x, 2, &[same]);
            assert!(x.values.iter().zip(&y.values).all(|(a, b)| (a - b).abs() < 1e-13), "{grid:?}");
        }
    }
}
