//! Truncated Fourier transforms as real matrices, one axis at a time.
//!
//! An axis keeps few frequencies. Its forward matrix has a cosine and a sine row for each size of a kept frequency (on the axis
//! with half a spectrum: real and imaginary parts), so that +k and -k share their rows and complex data need no complex
//! arithmetic: what leaves the transforms are real *components*, and a complex mode is a signed sum of up to four of them
//! ([`super::modes`]). Components whose row is zero (the sine of frequency 0 and n/2) are left out.

use std::sync::OnceLock;

use super::real::Real;
use crate::error::{Result, fail, zeros};

/// One axis of a truncated transform.
pub struct Axis<T> {
    /// Points.
    pub points: usize,
    /// Whether the data are real along it, so that frequencies k >= 0 alone are kept.
    pub half: bool,
    /// Kept frequencies, ascending.
    pub frequencies: Vec<i64>,
    /// How many of the components, the first ones, have cosine rows; the others have sine rows.
    pub even: usize,
    /// Rows of each kept frequency.
    pub(super) pairs: Vec<Pair>,
    /// Size of the frequency of each component.
    sizes: Vec<usize>,
    matrices: OnceLock<Matrices<T>>,
    /// What [`Axis::forward`] makes of a component that [`Axis::inverse`] turned into data: the product of both is diagonal.
    pub gram: Vec<f64>,
}

/// The transforms of an axis.
struct Matrices<T> {
    forward: Vec<T>,
    inverse: Vec<T>,
}

/// Where a frequency's components are: the cosine or real part, and the sine or imaginary part.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub even: usize,
    pub odd: Option<usize>,
    /// Of the sine, for a negative frequency.
    pub negative: bool,
}

/// cos and sin of 2 pi k j / n, exact where they are 0, 1 or 1/2 of the circle.
pub fn turn(k: i64, j: usize, n: usize) -> (f64, f64) {
    let step = (k as i128 * j as i128).rem_euclid(n as i128) as f64;
    let eighths = 8.0 * step / n as f64;
    let (quarter, rest) = ((eighths / 2.0 + 0.5).floor(), 2.0 * step / n as f64);
    let angle = (rest - quarter / 2.0) * std::f64::consts::PI;
    let (s, c) = libm::sincos(angle);
    match quarter as i64 % 4 {
        0 => (c, s),
        1 => (-s, c),
        2 => (-c, -s),
        _ => (s, -c),
    }
}

impl<T: Real> Axis<T> {
    /// An axis of `points` that keeps `modes` frequencies: 0 to modes - 1 of half a spectrum, else from -floor(modes / 2) + `shift`
    /// on. `name` is for the message when the grid has too few points.
    pub fn new(name: &str, points: usize, modes: usize, half: bool, shift: i64) -> Result<Self> {
        let most = if half { points / 2 + 1 } else { points };
        if modes > most {
            return fail!(
                Shape,
                "{name} has {points} points (padding included) and {modes} modes, expected at most {most} modes"
            );
        }
        let first = if half { 0 } else { shift - (modes / 2) as i64 };
        let n = points as i64;
        // Points see k and k + n alike; waves of one frequency are to be one.
        let wrapped = |k: i64| if 2 * k < -n { k + n } else { k };
        let frequencies: Vec<i64> = (first..first + modes as i64).map(wrapped).collect();
        let mut sizes: Vec<i64> = frequencies.iter().map(|k| k.abs()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let has_odd = |k: i64| k != 0 && 2 * k != n;
        let odd_rows: Vec<i64> = sizes.iter().copied().filter(|k| has_odd(*k)).collect();
        let place = |k: i64| Pair {
            even: sizes.binary_search(&k.abs()).expect("kept"),
            odd: odd_rows.binary_search(&k.abs()).ok().map(|at| sizes.len() + at),
            negative: k < 0,
        };
        let pairs = frequencies.iter().map(|k| place(*k)).collect();
        let gram = |k: &i64| if half || !has_odd(*k) { 1.0 } else { 0.5 };
        let all = || sizes.iter().chain(&odd_rows);
        Ok(Axis {
            points,
            half,
            even: sizes.len(),
            pairs,
            sizes: all().map(|k| *k as usize).collect(),
            matrices: OnceLock::new(),
            gram: all().map(gram).collect(),
            frequencies,
        })
    }

    /// Makes the matrices, unless they are there.
    pub fn make_matrices(&self) -> Result<()> {
        if self.matrices.get().is_some() {
            return Ok(());
        }
        let (rows, points) = (self.rows(), self.points);
        let mut forward = zeros::<T>(rows.saturating_mul(points), "a transform")?;
        let mut inverse = zeros::<T>(rows.saturating_mul(points), "a transform")?;
        for row in 0..rows {
            let (k, odd) = self.wave(row);
            let (weight, sign) = self.weight(row);
            for j in 0..points {
                let (c, s) = turn(k as i64, j, points);
                let value = if odd { sign * s } else { c };
                forward[row * points + j] = T::from_f64(value);
                inverse[j * rows + row] = T::from_f64(value * weight);
            }
        }
        // Another thread may have been faster, with the same.
        self.matrices.get_or_init(|| Matrices { forward, inverse });
        Ok(())
    }

    fn matrices(&self) -> &Matrices<T> {
        self.matrices.get().expect("the axis' matrices")
    }

    /// [components, points]: data to components; after [`Axis::make_matrices`].
    pub fn forward(&self) -> &[T] {
        &self.matrices().forward
    }

    /// [points, components]: components of a result, its frequencies' weights included, to data; after [`Axis::make_matrices`].
    pub fn inverse(&self) -> &[T] {
        &self.matrices().inverse
    }

    /// Size of a component's frequency, and whether its row is a sine.
    pub fn wave(&self, row: usize) -> (usize, bool) {
        (self.sizes[row], row >= self.even)
    }

    /// What the inverse multiplies a component by, and the sign of its wave in both directions.
    pub fn weight(&self, row: usize) -> (f64, f64) {
        let (k, odd) = self.wave(row);
        // e^(-i a) = cos a - i sin a: the imaginary part of half a spectrum has the sign with it.
        let sign = if self.half && odd { -1.0 } else { 1.0 };
        let weight = if self.half && !self.is_own_mirror(k) { 2.0 } else { 1.0 };
        (weight / self.points as f64, sign)
    }

    /// Whether the size of a frequency is 0 or half the points, which have no sine.
    pub fn is_own_mirror(&self, k: usize) -> bool {
        k == 0 || 2 * k == self.points
    }

    /// Components.
    pub fn rows(&self) -> usize {
        self.gram.len()
    }

    /// Place of the frequency that data see as -k, if it is kept.
    pub fn mirror(&self, at: usize) -> Option<usize> {
        let (k, n) = (self.frequencies[at], self.points as i64);
        self.frequencies.iter().position(|other| (other + k).rem_euclid(n) == 0)
    }

    /// Whether a frequency of half a spectrum is its own mirror: real data have no imaginary part there.
    pub fn is_real(&self, at: usize) -> bool {
        self.pairs[at].odd.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_those_of_the_circle() {
        for n in [1usize, 2, 3, 7, 12, 73, 101] {
            for k in -7i64..8 {
                for j in 0..n {
                    let angle = 2.0 * std::f64::consts::PI * (k * j as i64) as f64 / n as f64;
                    let (c, s) = turn(k, j, n);
                    assert!((c - angle.cos()).abs() < 1e-13 && (s - angle.sin()).abs() < 1e-13, "{k} {j} {n}");
                }
            }
        }
        assert_eq!([turn(1, 1, 4), turn(1, 1, 2), turn(-1, 1, 4)], [(0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)]);
    }

    #[test]
    fn forward_and_inverse_are_diagonal_together() {
        for (points, modes, half) in
            [(8, 5, true), (9, 5, true), (101, 8, true), (8, 8, false), (9, 9, false), (39, 8, false)]
        {
            let axis = Axis::<f64>::new("axis", points, modes, half, 0).unwrap();
            axis.make_matrices().unwrap();
            let rows = axis.rows();
            for a in 0..rows {
                for b in 0..rows {
                    let sum: f64 =
                        (0..points).map(|j| axis.forward()[a * points + j] * axis.inverse()[j * rows + b]).sum();
                    let expected = if a == b { axis.gram[a] } else { 0.0 };
                    assert!((sum - expected).abs() < 1e-14, "{points} {modes} {half} {a} {b} {sum}");
                }
            }
        }
    }
}
