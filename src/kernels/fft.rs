//! Truncated transforms by fast Fourier transforms (realfft), for axes that keep so many components of so many points that the matrices
//! of [`super::fold`] have more to do.
//!
//! Data are real along every axis, so one real transform of a column gives all sums with cosines and sines that the forward matrix
//! gives, and one back makes a column of its components. Columns lie side by side; a cache line's worth of them is brought together, one
//! after the other, transformed, and what is kept goes back side by side. A column's bits depend on that column alone.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealToComplex};

use super::fourier::Axis;
use super::real::Real;
use super::team::{Shared, Team};
use crate::error::{Result, zeros};

/// Plans of real transforms, forward and back.
pub type Plans<T> = (Arc<dyn RealToComplex<T>>, Arc<dyn ComplexToReal<T>>);

/// Both transforms of an axis: what [`super::fold::Fold`] and [`super::fold::Unfold`] do, rounded otherwise.
pub struct Fast<T> {
    points: usize,
    forward: Arc<dyn RealToComplex<T>>,
    inverse: Arc<dyn ComplexToReal<T>>,
    parts: Vec<Part<T>>,
}

/// Where a component is in a spectrum.
struct Part<T> {
    frequency: usize,
    imaginary: bool,
    /// What makes a component of it, and what makes it of a component.
    there: T,
    back: T,
}

/// Columns that are transformed one after the other: a cache line of them.
const fn together<T: Real>() -> usize {
    T::PANEL / 2
}

/// Rows that change places with as many columns.
const ROWS: usize = 16;

impl<T: Real> Fast<T> {
    /// The transforms of an axis.
    pub fn new(axis: &Axis<T>) -> Result<Self> {
        let n = axis.points;
        // The library that plans them aborts without memory: what it takes, some complex numbers a point, has to be there.
        drop(zeros::<T>(n.saturating_mul(16), "a transform")?);
        let (forward, inverse) = T::transforms(n);
        let part = |row: usize| {
            let (frequency, imaginary) = axis.wave(row);
            // The transform back counts all frequencies twice but those that are their own mirror.
            let twice = if axis.is_own_mirror(frequency) { 1.0 } else { 0.5 };
            let (weight, sign) = axis.weight(row);
            // The sine of a spectrum is negative.
            let sign = if imaginary { -sign } else { sign };
            Part { frequency, imaginary, there: T::from_f64(sign), back: T::from_f64(sign * weight * twice) }
        };
        Ok(Fast { points: n, forward, inverse, parts: (0..axis.rows()).map(part).collect() })
    }

    /// Elements from one column to the next; a power of 2 would send all columns to a few sets of the cache.
    fn pitch(&self) -> usize {
        self.points.next_multiple_of(ROWS) + ROWS
    }

    /// Elements of a thread's buffer.
    pub fn buffer_len(&self) -> usize {
        let scratch = self.forward.get_scratch_len().max(self.inverse.get_scratch_len());
        together::<T>() * self.pitch() + 2 * (self.forward.complex_len() + scratch)
    }

    /// y [components, columns] of x [points, columns], arrays with the distances of their rows.
    pub fn forward(&self, x: (&[T], usize), columns: usize, (y, stride): (&mut [T], usize), buffer: &mut [T]) {
        let y = Strips::new(y, stride, self.parts.len(), columns);
        self.check(x, self.points, columns);
        for columns in groups::<T>(columns) {
            // SAFETY: one group at a time.
            unsafe { self.forward_some(x, columns, &y, buffer) };
        }
    }

    /// The same by a team, of which each thread has a piece of `buffers`.
    pub fn forward_by(
        &self,
        team: &Team,
        x: (&[T], usize),
        columns: usize,
        (y, stride): (&mut [T], usize),
        buffers: &Shared<T>,
    ) {
        let y = Strips::new(y, stride, self.parts.len(), columns);
        self.check(x, self.points, columns);
        team.each(groups::<T>(columns).len(), |group, thread| {
            // SAFETY: every group has columns of its own, and its one thread.
            unsafe { self.forward_some(x, of_group::<T>(columns, group), &y, &mut buffers.write(thread)) };
        });
    }

    /// y [points, columns] of z [components, columns].
    pub fn inverse(&self, z: (&[T], usize), columns: usize, (y, stride): (&mut [T], usize), buffer: &mut [T]) {
        let y = Strips::new(y, stride, self.points, columns);
        self.check(z, self.parts.len(), columns);
        for columns in groups::<T>(columns) {
            // SAFETY: one group at a time.
            unsafe { self.inverse_some(z, columns, &y, buffer) };
        }
    }

    /// The same by a team.
    pub fn inverse_by(
        &self,
        team: &Team,
        z: (&[T], usize),
        columns: usize,
        (y, stride): (&mut [T], usize),
        buffers: &Shared<T>,
    ) {
        let y = Strips::new(y, stride, self.points, columns);
        self.check(z, self.parts.len(), columns);
        team.each(groups::<T>(columns).len(), |group, thread| {
            // SAFETY: every group has columns of its own, and its one thread.
            unsafe { self.inverse_some(z, of_group::<T>(columns, group), &y, &mut buffers.write(thread)) };
        });
    }

    fn check(&self, (x, stride): (&[T], usize), rows: usize, columns: usize) {
        assert!(x.len() >= rows.saturating_sub(1) * stride + columns);
    }

    /// A thread's buffer for columns, a spectrum and what the transforms need themselves.
    fn cut<'b>(&self, buffer: &'b mut [T]) -> (&'b mut [T], &'b mut [Complex<T>], &'b mut [Complex<T>]) {
        let (columns, rest) = buffer.split_at_mut(together::<T>() * self.pitch());
        let (spectrum, rest) = rest.split_at_mut(2 * self.forward.complex_len());
        (columns, complex(spectrum), complex(rest))
    }

    /// # Safety
    /// Nobody else uses these columns of y.
    unsafe fn forward_some(
        &self,
        (x, x_stride): (&[T], usize),
        columns: Range<usize>,
        y: &Strips<T>,
        buffer: &mut [T],
    ) {
        let (values, spectrum, scratch) = self.cut(buffer);
        let (pitch, width) = (self.pitch(), columns.len());
        for first in (0..self.points).step_by(ROWS) {
            let count = ROWS.min(self.points - first);
            let rows = &x[first * x_stride + columns.start..];
            for (c, to) in values.chunks_exact_mut(pitch).take(width).enumerate() {
                for (to, from) in to[first..first + count].iter_mut().zip(rows[c..].iter().step_by(x_stride)) {
                    *to = *from;
                }
            }
        }
        let scratch = &mut scratch[..self.forward.get_scratch_len()];
        for (c, column) in values.chunks_exact_mut(pitch).take(width).enumerate() {
            let done = self.forward.process_with_scratch(&mut column[..self.points], spectrum, scratch);
            done.expect("as many points as planned");
            for (row, part) in self.parts.iter().enumerate() {
                let v = spectrum[part.frequency];
                // SAFETY: the caller's promise.
                unsafe { y.row(row, columns.start + c..columns.start + c + 1)[0] = part.there * part.of(v) };
            }
        }
    }

    /// # Safety
    /// Nobody else uses these columns of y.
    unsafe fn inverse_some(
        &self,
        (z, z_stride): (&[T], usize),
        columns: Range<usize>,
        y: &Strips<T>,
        buffer: &mut [T],
    ) {
        let (values, spectrum, scratch) = self.cut(buffer);
        let (pitch, width) = (self.pitch(), columns.len());
        let scratch = &mut scratch[..self.inverse.get_scratch_len()];
        for (c, column) in values.chunks_exact_mut(pitch).take(width).enumerate() {
            spectrum.fill(Complex { re: T::ZERO, im: T::ZERO });
            for (row, part) in self.parts.iter().enumerate() {
                let v = part.back * z[row * z_stride + columns.start + c];
                let to = &mut spectrum[part.frequency];
                *(if part.imaginary { &mut to.im } else { &mut to.re }) = v;
            }
            let done = self.inverse.process_with_scratch(spectrum, &mut column[..self.points], scratch);
            done.expect("a spectrum of real data");
        }
        for first in (0..self.points).step_by(ROWS) {
            for j in first..self.points.min(first + ROWS) {
                // SAFETY: the caller's promise.
                let row = unsafe { y.row(j, columns.clone()) };
                for (to, from) in row.iter_mut().zip(values[j..].iter().step_by(pitch)) {
                    *to = *from;
                }
            }
        }
    }
}

impl<T: Real> Part<T> {
    fn of(&self, v: Complex<T>) -> T {
        if self.imaginary { v.im } else { v.re }
    }
}

fn groups<T: Real>(columns: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    (0..columns.div_ceil(together::<T>())).map(move |group| of_group::<T>(columns, group))
}

fn of_group<T: Real>(columns: usize, group: usize) -> Range<usize> {
    let first = group * together::<T>();
    first..columns.min(first + together::<T>())
}

/// Pairs of numbers as complex ones.
fn complex<T: Real>(pairs: &mut [T]) -> &mut [Complex<T>] {
    // SAFETY: `Complex` is `repr(C)` of two `T`, so it has their alignment and, by twos, their places; a `Real` is a float.
    unsafe { std::slice::from_raw_parts_mut(pairs.as_mut_ptr().cast(), pairs.len() / 2) }
}

/// An array [rows, columns] of which several threads write some columns each.
struct Strips<'a, T> {
    data: *mut T,
    stride: usize,
    rows: usize,
    columns: usize,
    array: PhantomData<&'a mut [T]>,
}

// SAFETY: whoever writes promises that nobody else uses the same columns.
unsafe impl<T: Send> Sync for Strips<'_, T> {}

impl<'a, T> Strips<'a, T> {
    fn new(array: &'a mut [T], stride: usize, rows: usize, columns: usize) -> Self {
        assert!(columns <= stride && array.len() >= rows.saturating_sub(1) * stride + columns);
        Strips { data: array.as_mut_ptr(), stride, rows, columns, array: PhantomData }
    }

    /// Some columns of a row.
    ///
    /// # Safety
    /// Nobody else has them.
    #[allow(clippy::mut_from_ref)]
    #[inline(always)]
    unsafe fn row(&self, row: usize, columns: Range<usize>) -> &mut [T] {
        assert!(row < self.rows && columns.start <= columns.end && columns.end <= self.columns);
        // SAFETY: inside the array, as `new` and the line before have seen; the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(row * self.stride + columns.start), columns.len()) }
    }
}

/// Whether fast transforms of an axis take less time than its matrices.
///
/// Both ways of a column of n points take some log2(n) by fast transforms and the number of components by matrices, a point, whatever
/// the other axes. Measured on one core with AVX-512, 64 columns, best of 21 (`cargo bench --bench fno -- --axes`), for lengths that
/// are powers of 2: f32 equal at 161 modes of 1,024 points, 168 of 2,048 and 171 of 4,096, where the bound is 160, 176 and 192; f64, whose
/// vectors are half as wide, at 58 of 256, 84 of 1,024 and 70 of 2,048, the bound 64, 80 and 88. From 8,192 points on the bound is
/// late (f64: equal at 43 modes, bound 104), for lines then leave the cache. Factors up to 13 cost a third more (f32: equal at 211 modes
/// of 1,000 points, bound 213; 253 of 2,187, bound 256). Larger prime factors cost ten times as much (f32: equal at 1,613 modes of 4,099).
pub fn is_faster<T: Real>(axis: &Axis<T>) -> bool {
    let n = axis.points;
    let mut rest = n;
    for factor in 2..=13 {
        while rest.is_multiple_of(factor) {
            rest /= factor;
        }
    }
    let thirds = match rest {
        1 if n.is_power_of_two() => 3,
        1 => 4,
        _ => 30,
    };
    3 * axis.rows() > T::PANEL * thirds * n.next_power_of_two().ilog2().max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_axes_and_few_modes_stay_with_matrices() {
        let fast = |points, modes| is_faster(&Axis::<f32>::new("axis", points, modes, true, 0).unwrap());
        assert!(!fast(64, 33) && !fast(256, 120) && !fast(4096, 64) && !fast(1, 1));
        assert!(fast(4096, 1024) && fast(16384, 512) && fast(6000, 512));
        // A prime.
        assert!(!fast(4099, 1024));
        assert!(is_faster(&Axis::<f64>::new("axis", 4096, 128, true, 0).unwrap()));
    }

    #[test]
    fn columns_are_those_of_the_matrices() {
        for (points, modes, half, shift) in [
            (1, 1, true, 0),
            (2, 2, true, 0),
            (3, 2, true, 0),
            (9, 9, false, -1),
            (16, 16, false, 0),
            (101, 40, true, 0),
            (160, 81, true, 0),
            (100, 31, false, 0),
        ] {
            let axis = Axis::<f64>::new("axis", points, modes, half, shift).unwrap();
            axis.make_matrices().unwrap();
            let (fast, rows) = (Fast::new(&axis).unwrap(), axis.rows());
            let mut buffer = vec![0.0; fast.buffer_len()];
            for columns in [1, 7, 8, 19] {
                let stride = columns + 3;
                let at = |i: usize, c: usize| ((i * 31 + c * 7) % 23) as f64 / 11.0 - 1.0;
                let array =
                    |rows: usize| -> Vec<f64> { (0..rows * stride).map(|i| at(i / stride, i % stride)).collect() };
                let (x, z) = (array(points), array(rows));
                let mut there = vec![9.0; rows * stride];
                fast.forward((&x, stride), columns, (&mut there, stride), &mut buffer);
                let mut back = vec![9.0; points * stride];
                fast.inverse((&z, stride), columns, (&mut back, stride), &mut buffer);
                let check = |found: &[f64], matrix: &[f64], inner: usize, x: &[f64]| {
                    for (row, found) in matrix.chunks_exact(inner).zip(found.chunks_exact(stride)) {
                        for (c, found) in found.iter().enumerate() {
                            let sum: f64 = row.iter().enumerate().map(|(i, v)| v * x[i * stride + c]).sum();
                            let expected = if c < columns { sum } else { 9.0 };
                            assert!((found - expected).abs() <= 1e-12 * inner as f64, "{points} {modes} {columns}");
                        }
                    }
                };
                check(&there, axis.forward(), points, &x);
                check(&back, axis.inverse(), rows, &z);
            }
        }
    }
}
