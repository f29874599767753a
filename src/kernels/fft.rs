//! Truncated transforms by the factors of their lengths, for axes that keep so many components of so many points that the matrices of
//! [`super::fold`] have more to do.
//!
//! Of n = p q points j = q a + b, a < p, b < q, those with the same b are transformed among themselves first, which leaves the frequencies
//! h = 0 to p / 2. A frequency k of the whole has h = k or -k modulo p and is a sum over b of what h has, turned by 2 pi k b / n (Cooley
//! and Tukey, Math. Comp. 1965). Both steps are products of small matrices with many columns, and they make nothing that is not kept:
//! some n p + 2 m q multiply-adds for m components, least where p is near the square root of 2 m.
//!
//! Columns lie side by side, and a panel of them is transformed at once. A column's bits depend on that column alone.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::Arch;

use super::fourier::{Axis, turn};
use super::product::{Columns, Rows, Start, has_room, overhang, products};
use super::real::Real;
use super::shared::Shared;
use super::team::Team;
use crate::error::{Result, zeros};

/// Both transforms of an axis: what [`super::fold::Fold`] and [`super::fold::Unfold`] do, rounded otherwise.
pub struct Fast<T> {
    arch: Arch,
    points: usize,
    components: usize,
    /// p and q.
    factors: [usize; 2],
    /// The first step: [waves, p] and back, [p, waves].
    waves: usize,
    there: Vec<T>,
    back: Vec<T>,
    groups: Vec<Group<T>>,
}

/// The components whose frequencies are alike, but for their sign, modulo p.
struct Group<T> {
    /// Its cosine among the waves, and its sine behind it if it has one.
    wave: usize,
    has_sine: bool,
    /// Components.
    parts: Vec<usize>,
    /// Of cosine and sine: [parts, q] and back, [q, parts].
    there: [Vec<T>; 2],
    back: [Vec<T>; 2],
}

/// Columns that are transformed at once.
const fn together<T: Real>() -> usize {
    T::PANEL
}

/// Elements of a cache line, which keep waves from meeting in one set of the cache.
const LINE: usize = 16;

/// The size of frequency k modulo p, and whether k is less by it than a multiple of p.
fn folded(k: usize, p: usize) -> (usize, bool) {
    let rest = k % p;
    if 2 * rest > p { (p - rest, true) } else { (rest, false) }
}

/// Sizes that the frequencies of an axis can have modulo p.
fn sizes<T: Real>(axis: &Axis<T>, p: usize) -> usize {
    let largest = (0..axis.rows()).map(|row| axis.wave(row).0).max();
    largest.map_or(0, |largest| largest.min(p / 2) + 1)
}

/// Multiply-adds of a column with p points of the first step; `used` has room for all sizes.
fn work<T: Real>(axis: &Axis<T>, p: usize, used: &mut [bool]) -> usize {
    used.fill(false);
    (0..axis.rows()).for_each(|row| used[folded(axis.wave(row).0, p).0] = true);
    let sines = |h: &usize| 1 + usize::from(*h != 0 && 2 * h != p);
    let waves: usize = (0..used.len()).filter(|h| used[*h]).map(|h| sines(&h)).sum();
    let second: usize = (0..axis.rows()).map(|row| sines(&folded(axis.wave(row).0, p).0)).sum();
    axis.points * waves + second * (axis.points / p)
}

/// The factor p of the points with which transforms have least to do, behind what that is.
fn best_factor<T: Real>(axis: &Axis<T>) -> Result<(usize, usize)> {
    let n = axis.points;
    let mut used = zeros(sizes(axis, n), "a transform")?;
    let pairs = (1..=n.isqrt()).filter(|p| n.is_multiple_of(*p)).flat_map(|p| [p, n / p]);
    Ok(pairs.map(|p| (work(axis, p, &mut used), p)).min().expect("1 divides"))
}

impl<T: Real> Fast<T> {
    /// The transforms of an axis.
    pub fn new(axis: &Axis<T>) -> Result<Self> {
        let (n, what) = (axis.points, "a transform");
        let (_, p) = best_factor(axis)?;
        let q = n / p;
        let mut members: Vec<Vec<usize>> = zeros(sizes(axis, p), what)?;
        for row in 0..axis.rows() {
            members[folded(axis.wave(row).0, p).0].push(row);
        }
        let (mut groups, mut waves) = (Vec::new(), Vec::new());
        for (h, parts) in members.into_iter().enumerate().filter(|(_, parts)| !parts.is_empty()) {
            let has_sine = h != 0 && 2 * h != p;
            let len = parts.len().saturating_mul(q);
            let sine = if has_sine { len } else { 0 };
            let mut group = Group {
                wave: waves.len(),
                has_sine,
                there: [zeros(len, what)?, zeros(sine, what)?],
                back: [zeros(len, what)?, zeros(sine, what)?],
                parts,
            };
            for (i, row) in group.parts.iter().enumerate() {
                let ((k, odd), (weight, sign)) = (axis.wave(*row), axis.weight(*row));
                let turned = if folded(k, p).1 { -1.0 } else { 1.0 };
                for b in 0..q {
                    let (c, s) = turn(k as i64, b, n);
                    // cos(x + y) and sin(x + y), x the angle of the first step.
                    let [cosine, sine] = if odd { [s, turned * c] } else { [c, -turned * s] }.map(|v| sign * v);
                    for (of, value) in [cosine, sine].into_iter().enumerate().take(1 + usize::from(has_sine)) {
                        group.there[of][i * q + b] = T::from_f64(value);
                        group.back[of][b * group.parts.len() + i] = T::from_f64(value * weight);
                    }
                }
            }
            groups.push(group);
            waves.push((h, false));
            if has_sine {
                waves.push((h, true));
            }
        }
        let count = waves.len();
        let mut there = zeros::<T>(count.saturating_mul(p), what)?;
        let mut back = zeros::<T>(count.saturating_mul(p), what)?;
        for (wave, (h, odd)) in waves.into_iter().enumerate() {
            for a in 0..p {
                let (c, s) = turn(h as i64, a, p);
                let value = T::from_f64(if odd { s } else { c });
                there[wave * p + a] = value;
                back[a * count + wave] = value;
            }
        }
        Ok(Fast {
            arch: Arch::new(),
            points: n,
            components: axis.rows(),
            factors: [p, q],
            waves: count,
            there,
            back,
            groups,
        })
    }

    /// Elements from one wave to the next.
    fn pitch(&self) -> usize {
        self.factors[1] * together::<T>() + LINE
    }

    /// Elements of a thread's buffer.
    pub fn buffer_len(&self) -> usize {
        let rows = self.groups.iter().map(|group| group.parts.len()).fold(self.factors[0], usize::max);
        self.waves * self.pitch() + rows * together::<T>()
    }

    /// y [components, columns] of x [points, columns], arrays with the distances of their rows.
    pub fn forward(&self, x: (&[T], usize), columns: usize, (y, stride): (&mut [T], usize), buffer: &mut [T]) {
        let y = Strips::new(y, stride, self.components, columns);
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
        let y = Strips::new(y, stride, self.components, columns);
        self.check(x, self.points, columns);
        team.each(groups::<T>(columns).len(), |group, thread| {
            // SAFETY: every group has columns of its own, and its one thread.
            unsafe { self.forward_some(x, of_group::<T>(columns, group), &y, &mut buffers.write(thread)) };
        });
    }

    /// y [points, columns] of z [components, columns].
    pub fn inverse(&self, z: (&[T], usize), columns: usize, (y, stride): (&mut [T], usize), buffer: &mut [T]) {
        let y = Strips::new(y, stride, self.points, columns);
        self.check(z, self.components, columns);
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
        self.check(z, self.components, columns);
        team.each(groups::<T>(columns).len(), |group, thread| {
            // SAFETY: every group has columns of its own, and its one thread.
            unsafe { self.inverse_some(z, of_group::<T>(columns, group), &y, &mut buffers.write(thread)) };
        });
    }

    fn check(&self, (x, stride): (&[T], usize), rows: usize, columns: usize) {
        assert!(has_room(x.len(), [(rows.saturating_sub(1), stride)], columns));
    }

    /// A thread's buffer: all waves, each [q, together], and some rows.
    fn cut<'b>(&self, buffer: &'b mut [T]) -> (&'b mut [T], &'b mut [T]) {
        buffer.split_at_mut(self.waves * self.pitch())
    }

    /// # Safety
    /// Nobody else uses these columns of y.
    unsafe fn forward_some(&self, x: (&[T], usize), columns: Range<usize>, y: &Strips<T>, buffer: &mut [T]) {
        let ([p, q], pitch) = (self.factors, self.pitch());
        let (waves, rows) = self.cut(buffer);
        let width = overhang::<T>(columns.len());
        for b in 0..q {
            gather(x, (0..p).map(|a| q * a + b), columns.clone(), rows);
            let waves = &mut waves[b * together::<T>()..];
            let first = Rows { data: &self.there, stride: p, count: self.waves };
            products(self.arch, [(first, plain(rows, p))], width, Start::Zero, waves, pitch);
        }
        for group in &self.groups {
            let count = group.parts.len();
            let of = |at: usize| Rows { data: &group.there[at], stride: q, count };
            let wave = |at: usize| plain(&waves[(group.wave + at) * pitch..], q);
            if group.has_sine {
                let terms = [(of(0), wave(0)), (of(1), wave(1))];
                products(self.arch, terms, width, Start::Zero, rows, together::<T>());
            } else {
                products(self.arch, [(of(0), wave(0))], width, Start::Zero, rows, together::<T>());
            }
            for (part, row) in group.parts.iter().zip(rows.chunks_exact(together::<T>())) {
                // SAFETY: the caller's promise.
                unsafe { y.row(*part, columns.clone()) }.copy_from_slice(&row[..columns.len()]);
            }
        }
    }

    /// # Safety
    /// Nobody else uses these columns of y.
    unsafe fn inverse_some(&self, z: (&[T], usize), columns: Range<usize>, y: &Strips<T>, buffer: &mut [T]) {
        let ([p, q], pitch) = (self.factors, self.pitch());
        let (waves, rows) = self.cut(buffer);
        let width = overhang::<T>(columns.len());
        for group in &self.groups {
            let inner = group.parts.len();
            gather(z, group.parts.iter().copied(), columns.clone(), rows);
            for (at, back) in group.back.iter().enumerate().take(1 + usize::from(group.has_sine)) {
                let back = Rows { data: back, stride: inner, count: q };
                let wave = &mut waves[(group.wave + at) * pitch..];
                products(self.arch, [(back, plain(rows, inner))], width, Start::Zero, wave, together::<T>());
            }
        }
        for b in 0..q {
            let back = Rows { data: &self.back, stride: self.waves, count: p };
            let of_point = Columns::plain(&waves[b * together::<T>()..], self.waves, pitch);
            products(self.arch, [(back, of_point)], width, Start::Zero, rows, together::<T>());
            for (a, row) in rows.chunks_exact(together::<T>()).take(p).enumerate() {
                // SAFETY: the caller's promise.
                unsafe { y.row(q * a + b, columns.clone()) }.copy_from_slice(&row[..columns.len()]);
            }
        }
    }
}

/// So many rows of columns that lie together.
fn plain<T: Real>(rows: &[T], inner: usize) -> Columns<'_, T> {
    Columns::plain(rows, inner, together::<T>())
}

/// Brings some columns of an array's rows together; zeros behind them, which products read.
fn gather<T: Real>((x, stride): (&[T], usize), from: impl Iterator<Item = usize>, columns: Range<usize>, to: &mut [T]) {
    for (row, to) in from.zip(to.chunks_exact_mut(together::<T>())) {
        let (values, behind) = to.split_at_mut(columns.len());
        values.copy_from_slice(&x[row * stride..][columns.clone()]);
        behind.fill(T::ZERO);
    }
}

fn groups<T: Real>(columns: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    (0..columns.div_ceil(together::<T>())).map(move |group| of_group::<T>(columns, group))
}

fn of_group<T: Real>(columns: usize, group: usize) -> Range<usize> {
    let first = group * together::<T>();
    first..columns.min(first + together::<T>())
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
        assert!(columns <= stride && has_room(array.len(), [(rows.saturating_sub(1), stride)], columns));
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

/// Whether the factors of an axis save more than they cost: the matrices, folded, have half a multiply-add for each point and component.
pub fn is_faster<T: Real>(axis: &Axis<T>) -> Result<bool> {
    let steps = best_factor(axis)?.0 + MOVED * (axis.points + axis.rows());
    Ok(2 * steps < axis.rows() * axis.points)
}

/// Multiply-adds that take as long as bringing a value to its place and back.
const MOVED: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_axes_and_few_modes_stay_with_matrices() {
        let fast = |points, modes| is_faster(&Axis::<f32>::new("axis", points, modes, true, 0).unwrap()).unwrap();
        assert!(!fast(64, 12) && !fast(500, 16) && !fast(4096, 16) && !fast(1, 1));
        assert!(fast(4096, 1024) && fast(16384, 512) && fast(6000, 512));
        // A prime.
        assert!(!fast(4099, 1024));
    }

    #[test]
    fn the_longest_axes_are_decided_upon_at_once() {
        for points in [1 << 32, (1 << 32) - 5] {
            let axis = Axis::<f32>::new("axis", points, 3, true, 0).unwrap();
            let (_, best) = best_factor(&axis).unwrap();
            assert!(points.is_multiple_of(best) && !is_faster(&axis).unwrap());
        }
    }

    #[test]
    fn work_is_least_near_the_square_root() {
        let axis = Axis::<f64>::new("axis", 4096, 1024, true, 0).unwrap();
        let (work, p) = best_factor(&axis).unwrap();
        assert!(p == 64 && work < 4096 * 2047 / 15);
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
