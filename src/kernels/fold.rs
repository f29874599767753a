//! Truncated transforms at half the price: a cosine row meets points j and n - j with one factor, a sine row with opposite ones, so
//! that sums and differences of both points, of which there are half as many, are all that a transform reads or makes.
//!
//! A *pair* p, 0 <= p <= n / 2, is the points p and n - p; pair 0 and, of an even number, pair n / 2 are one point alone. As in
//! [`super::product`] an output is a chain of fused multiply-adds in one order, whatever the vector width and the rows beside it.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::fourier::Axis;
use super::product::{Columns, Start, has_room, heights, load, overhang, store, unrolled, vectors_of_panel};
use super::real::Real;
use crate::error::{Result, collected, zeros};

/// Most components of a block.
const ROWS: usize = 12;
/// Most pairs of a group: with two vectors each of sums and of differences they leave 32 registers for two of a matrix.
const PAIRS: usize = 6;

/// The pairs of an axis.
#[derive(Clone, Copy)]
pub struct Pairing {
    /// Points.
    pub points: usize,
}

impl Pairing {
    /// Number of pairs.
    pub fn pairs(self) -> usize {
        self.points / 2 + 1
    }

    /// The pairs of part `at` of `parts`, which have as equal numbers of points as can be.
    pub fn share(self, at: usize, parts: usize) -> Range<usize> {
        // Pairs before p > 0 have 2 p - 1 points.
        let first = |at: usize| match at {
            0 => 0,
            _ if at == parts => self.pairs(),
            _ => (self.points * at + 2 * parts) / (2 * parts),
        };
        first(at)..first(at + 1)
    }

    /// Both points of a pair; a point alone has no second one.
    pub fn points_of(self, pair: usize) -> [Option<usize>; 2] {
        [Some(pair), (!self.is_alone(pair)).then(|| self.points - pair)]
    }

    /// The place of a point where the points of pairs lie side by side.
    pub fn slot(self, point: usize) -> usize {
        if point < self.pairs() { 2 * point } else { 2 * (self.points - point) + 1 }
    }

    #[inline(always)]
    fn is_alone(self, pair: usize) -> bool {
        pair == 0 || 2 * pair == self.points
    }

    /// Whether `len` elements from each point of the pairs on lie in an array.
    fn check(self, pairs: &Range<usize>, places: Places, len: usize, available: usize) {
        assert!(pairs.end <= self.pairs());
        // Steps are even, so the ends are the extremes.
        let lies_in = |pairs: Range<usize>, start: isize, step: isize| {
            let at = |pair: usize| start as i128 + pair as i128 * step as i128;
            let end = available as i128 - len as i128;
            pairs.is_empty() || [pairs.start, pairs.end - 1].iter().all(|pair| (0..=end).contains(&at(*pair)))
        };
        let two = pairs.start.max(1)..pairs.end.min(self.points.div_ceil(2));
        assert!(lies_in(pairs.clone(), places.first, places.first_step), "the first points of {pairs:?}");
        assert!(lies_in(two, places.second, places.second_step), "the second points of {pairs:?}");
    }
}

/// Parts of `count` things, at most `most` in each and nearly equal: where part `at` begins; `at` may be the number of parts.
#[inline(always)]
fn part(count: usize, most: usize, at: usize) -> usize {
    count * at / count.div_ceil(most).max(1)
}

/// Where the parts begin, and the end of the last.
fn bounds(count: usize, most: usize) -> Result<Vec<usize>> {
    collected((0..=count.div_ceil(most)).map(|at| part(count, most, at)), "a transform")
}

/// The parts that meet a range: calls `work(part, skipped, begin, end)`, `skipped` how much of the part comes before the range, begin .. end
/// what both have.
macro_rules! meeting {
    ($bounds:expr, $range:expr, |$at:ident, $skipped:ident, $begin:ident, $end:ident| $work:block) => {{
        let (bounds, range): (&[usize], Range<usize>) = ($bounds, $range);
        // Nearly always the whole, where a search would take as long as a short block.
        let mut $at =
            if range.start == 0 { 0 } else { bounds.partition_point(|first| *first <= range.start).max(1) - 1 };
        while $at + 1 < bounds.len() && bounds[$at] < range.end {
            let ($begin, $end) = (bounds[$at].max(range.start), bounds[$at + 1].min(range.end));
            if $begin < $end {
                let $skipped = $begin - bounds[$at];
                $work
            }
            $at += 1;
        }
    }};
}

/// Where the points of pairs begin in memory: pair p at `first` + p `first_step` and `second` + p `second_step`.
#[derive(Clone, Copy)]
pub struct Places {
    first: isize,
    first_step: isize,
    second: isize,
    second_step: isize,
}

impl Places {
    /// Points `width` elements apart.
    pub fn line(points: usize, width: usize) -> Places {
        Places {
            first: 0,
            first_step: width as isize,
            second: (points * width) as isize,
            second_step: -(width as isize),
        }
    }

    /// Pairs from `from` on, both points of a pair next to each other, `width` elements apart: [`Pairing::slot`].
    pub fn side_by_side(from: usize, width: usize) -> Places {
        let (first, width) = (-2 * (from * width) as isize, width as isize);
        Places { first, first_step: 2 * width, second: first + width, second_step: 2 * width }
    }

    /// Where the points of pairs from `from` on begin, the second one of a point alone with the first.
    #[inline(always)]
    fn of<const COUNT: usize>(self, from: usize, pairing: Pairing) -> [[usize; 2]; COUNT] {
        let mut places = [self.of_two(from); COUNT];
        for p in 1..COUNT {
            let [first, second] = places[p - 1];
            places[p] = [first.wrapping_add_signed(self.first_step), second.wrapping_add_signed(self.second_step)];
        }
        // Only the first and the last pair can be points alone.
        for p in [0, COUNT - 1] {
            if pairing.is_alone(from + p) {
                places[p][1] = places[p][0];
            }
        }
        places
    }

    /// The same for one pair, of two points.
    #[inline(always)]
    fn of_two(self, pair: usize) -> [usize; 2] {
        let first = self.first + pair as isize * self.first_step;
        [first as usize, (self.second + pair as isize * self.second_step) as usize]
    }
}

/// From data to components: a forward matrix, its even (cosine) and odd (sine) rows apart, for one point of each pair. Factors that are
/// used together lie together, so that one register leads to all of them.
pub struct Fold<T> {
    /// The axis' pairs.
    pub pairing: Pairing,
    /// Even and odd components, and of each half where the blocks begin.
    counts: [usize; 2],
    blocks: [Vec<usize>; 2],
    /// Of each half the blocks of components, [blocks, pairs, ROWS].
    factors: [Vec<T>; 2],
}

/// From components to data: an inverse matrix likewise.
pub struct Unfold<T> {
    /// The axis' pairs.
    pub pairing: Pairing,
    counts: [usize; 2],
    /// Where the groups begin.
    groups: Vec<usize>,
    /// Of each half [groups, components, PAIRS].
    factors: [Vec<T>; 2],
}

/// Elements that are read from the first output of a row on.
fn reach<T: Real>(outputs: usize) -> usize {
    let whole = outputs.saturating_sub(1) / T::PANEL * T::PANEL;
    whole + overhang::<T>(outputs - whole)
}

impl<T: Real> Fold<T> {
    /// The forward matrix of an axis.
    pub fn new(axis: &Axis<T>) -> Result<Self> {
        let (pairing, counts) = (Pairing { points: axis.points }, [axis.even, axis.rows() - axis.even]);
        let pairs = pairing.pairs();
        let room = |count: usize| zeros(count.div_ceil(ROWS) * ROWS * pairs, "a transform");
        let mut factors = [room(counts[0])?, room(counts[1])?];
        let blocks = [bounds(counts[0], ROWS)?, bounds(counts[1], ROWS)?];
        for ((factors, blocks), skipped) in factors.iter_mut().zip(&blocks).zip([0, counts[0]]) {
            for (block, ends) in blocks.windows(2).enumerate() {
                for (row, pair) in (ends[0]..ends[1]).flat_map(|row| (0..pairs).map(move |pair| (row, pair))) {
                    factors[(block * pairs + pair) * ROWS + row - ends[0]] =
                        axis.forward()[(skipped + row) * axis.points + pair];
                }
            }
        }
        Ok(Fold { pairing, counts, blocks, factors })
    }

    /// Components.
    pub fn rows(&self) -> usize {
        self.counts[0] + self.counts[1]
    }

    /// y [components `rows`, outputs] (+)= what the points of `pairs` add to them; `start` is Zero or Output. x is read to the end of
    /// half a panel behind the last output ([`overhang`]).
    #[allow(clippy::too_many_arguments)]
    pub fn apply(
        &self,
        arch: Arch,
        rows: Range<usize>,
        pairs: Range<usize>,
        (x, places): (&[T], Places),
        outputs: usize,
        start: Start<T>,
        y: &mut [T],
        y_stride: usize,
    ) {
        self.pairing.check(&pairs, places, reach::<T>(outputs), x.len());
        let Some(last) = rows.len().checked_sub(1) else { return };
        assert!(rows.end <= self.rows() && has_room(y.len(), [(last, y_stride)], outputs));
        arch.dispatch(Forward { fold: self, rows, pairs, x, places, outputs, start, y, y_stride });
    }
}

impl<T: Real> Unfold<T> {
    /// An axis with `inverse` [points, components] for its inverse matrix, that is worked on in `shares` ([`Pairing::share`]).
    pub fn new(axis: &Axis<T>, inverse: &[T], shares: usize) -> Result<Self> {
        let (pairing, counts) = (Pairing { points: axis.points }, [axis.even, axis.rows() - axis.even]);
        let parts = (0..shares).flat_map(|at| {
            let share = pairing.share(at, shares);
            (0..share.len().div_ceil(PAIRS)).map(move |at| share.start + part(share.len(), PAIRS, at))
        });
        let groups = collected(parts.chain([pairing.pairs()]), "a transform")?;
        let room = |count: usize| zeros((groups.len() - 1) * PAIRS * count, "a transform");
        let mut factors = [room(counts[0])?, room(counts[1])?];
        for ((factors, count), skipped) in factors.iter_mut().zip(counts).zip([0, counts[0]]) {
            for (group, ends) in groups.windows(2).enumerate() {
                for (pair, row) in (ends[0]..ends[1]).flat_map(|pair| (0..count).map(move |row| (pair, row))) {
                    factors[(group * count + row) * PAIRS + pair - ends[0]] =
                        inverse[pair * axis.rows() + skipped + row];
                }
            }
        }
        Ok(Unfold { pairing, counts, groups, factors })
    }

    /// Number of groups of pairs that are best worked on together.
    pub fn groups(&self) -> usize {
        self.groups.len() - 1
    }

    /// The pairs of a group.
    pub fn group(&self, at: usize) -> Range<usize> {
        self.groups[at]..self.groups[at + 1]
    }

    /// Of `pairs` the first ones: to the end of the `count`th group that they meet.
    pub fn first_of(&self, pairs: Range<usize>, count: usize) -> Range<usize> {
        let group = self.groups.partition_point(|first| *first <= pairs.start).max(1) - 1;
        pairs.start..self.groups[(group + count).min(self.groups())].min(pairs.end)
    }

    /// The points of `pairs` in y, from z [components, outputs], `z_stride` apart, on top of `start` (Zero or Bias); with `beside` also the
    /// product of the same points' rows of x with a matrix. z is read to the end of half a panel behind the last output ([`overhang`]).
    #[allow(clippy::too_many_arguments)]
    pub fn apply(
        &self,
        arch: Arch,
        pairs: Range<usize>,
        (z, z_stride): (&[T], usize),
        outputs: usize,
        start: Start<T>,
        beside: Option<(&[T], Places, Columns<T>)>,
        (y, places): (&mut [T], Places),
    ) {
        self.pairing.check(&pairs, places, outputs, y.len());
        if let Some(last) = (self.counts[0] + self.counts[1]).checked_sub(1) {
            assert!(has_room(z.len(), [(last, z_stride)], reach::<T>(outputs)));
        }
        if let Some((x, places, columns)) = &beside {
            self.pairing.check(&pairs, *places, columns.inner(), x.len());
            columns.check(outputs);
        }
        if let Start::Bias(bias) = start {
            assert!(bias.len() >= outputs);
        }
        arch.dispatch(Inverse { unfold: self, pairs, z, z_stride, outputs, start, beside, y, places });
    }
}

/// The vectors from an element on.
///
/// # Safety
/// There are so many elements.
#[inline(always)]
unsafe fn vectors<T: Real, S: Simd, const VECTORS: usize>(simd: S, from: *const T) -> [T::Vector<S>; VECTORS] {
    let lanes = T::lanes::<S>();
    let mut vectors = [T::splat(simd, T::ZERO); VECTORS];
    for (v, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *vector = T::load(simd, unsafe { std::slice::from_raw_parts(from.add(v * lanes), lanes) });
    }
    vectors
}

/// Vectors to the `width` elements from one on.
///
/// # Safety
/// There are so many elements, and no more than the vectors have.
#[inline(always)]
unsafe fn store_at<T: Real, S: Simd, const VECTORS: usize>(
    simd: S,
    to: *mut T,
    width: usize,
    from: &[T::Vector<S>; VECTORS],
) {
    let lanes = T::lanes::<S>();
    if width == VECTORS * lanes {
        for (v, from) in from.iter().enumerate() {
            // SAFETY: whole vectors are there.
            T::store(simd, unsafe { std::slice::from_raw_parts_mut(to.add(v * lanes), lanes) }, *from);
        }
    } else {
        // SAFETY: the caller's promise.
        store::<T, S, VECTORS>(simd, unsafe { std::slice::from_raw_parts_mut(to, width) }, from);
    }
}

/// sums[r] += factors[r] x.
///
/// # Safety
/// There are so many factors.
#[inline(always)]
unsafe fn add_all<T: Real, S: Simd, const VECTORS: usize, const COUNT: usize>(
    simd: S,
    factors: *const T,
    x: [T::Vector<S>; VECTORS],
    sums: &mut [[T::Vector<S>; VECTORS]; COUNT],
) {
    unrolled!(COUNT, |r| {
        // SAFETY: the caller's promise.
        let factor = T::splat(simd, unsafe { *factors.add(r) });
        for v in 0..VECTORS {
            sums[r][v] = T::fused(simd, factor, x[v], sums[r][v]);
        }
    });
}

/// The same with the next component's factors and outputs.
///
/// # Safety
/// There are so many factors, and outputs from `z` on.
#[inline(always)]
unsafe fn add_next<T: Real, S: Simd, const VECTORS: usize, const COUNT: usize>(
    simd: S,
    factors: &mut *const T,
    (z, stride): (&mut *const T, usize),
    sums: &mut [[T::Vector<S>; VECTORS]; COUNT],
) {
    // SAFETY: the caller's promise.
    unsafe { add_all(simd, *factors, vectors(simd, *z), sums) };
    (*factors, *z) = (factors.wrapping_add(PAIRS), z.wrapping_add(stride));
}

/// Runs `work`, which is to be inlined, as a function of its own: the compiler's time for the loops of one function grows faster than their
/// number.
#[inline(never)]
fn apart<S: Simd>(simd: S, work: impl FnOnce()) {
    simd.vectorize(work);
}

/// Registers for sums that leave some for data and factors: AVX-512 and NEON have 32.
#[inline(always)]
fn accumulators<T: Real, S: Simd>() -> usize {
    if matches!(vectors_of_panel::<T, S>(), 2 | 8) { 24 } else { 12 }
}

/// Runs `$block` for strips of the outputs, so many vectors wide, a constant: wide ones read a factor, high ones data less often. Four
/// vectors of NEON and two others let the compiler keep all of [`accumulators`] in registers; with three of AVX2, `$three`, a compiler
/// does so with one kind of data, and not beside a second product.
macro_rules! strips {
    ($T:ident, $S:ident, $three:literal, $outputs:expr, |$first:ident, $width:ident, $vectors:ident| $block:expr) => {{
        let (lanes, outputs): (usize, usize) = ($T::lanes::<$S>(), $outputs);
        let mut $first = 0;
        while $first < outputs {
            let left = (outputs - $first).min($T::PANEL - $first % $T::PANEL);
            macro_rules! case {
                ($v:literal) => {{
                    const $vectors: usize = $v;
                    let $width = left.min($v * lanes);
                    $block;
                    $first += $v * lanes;
                }};
            }
            if const { vectors_of_panel::<$T, $S>() > 4 } {
                case!(4);
            } else if const { $three && vectors_of_panel::<$T, $S>() == 4 } && left > 2 * lanes && left <= 3 * lanes {
                case!(3);
            } else if left <= lanes {
                case!(1);
            } else {
                case!(2);
            }
        }
    }};
}

struct Forward<'a, T> {
    fold: &'a Fold<T>,
    rows: Range<usize>,
    pairs: Range<usize>,
    x: &'a [T],
    places: Places,
    outputs: usize,
    start: Start<'a, T>,
    y: &'a mut [T],
    y_stride: usize,
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        strips!(T, S, true, self.outputs, |first, width, VECTORS| self.strip::<S, VECTORS>(simd, first, width));
    }
}

impl<T: Real> Forward<'_, T> {
    #[inline(always)]
    fn strip<S: Simd, const VECTORS: usize>(&mut self, simd: S, first: usize, width: usize) {
        self.half::<S, VECTORS, 0>(simd, first, width);
        self.half::<S, VECTORS, 1>(simd, first, width);
    }

    /// The even components, or the odd ones. Which is a constant: a sum or a difference needs no register of its own.
    #[inline(always)]
    fn half<S: Simd, const VECTORS: usize, const HALF: usize>(&mut self, simd: S, first: usize, width: usize) {
        apart(
            simd,
            #[inline(always)]
            || {
                let most = accumulators::<T, S>() / VECTORS;
                let before = HALF * self.fold.counts[0];
                let rows = self.rows.start.saturating_sub(before)..self.rows.end.saturating_sub(before);
                meeting!(&self.fold.blocks[HALF], rows, |block, skipped, begin, end| {
                    heights!(most, most.min(ROWS), end - begin, |from, HEIGHT| {
                        let y_row = before + begin + from - self.rows.start;
                        self.block::<S, VECTORS, HALF, HEIGHT>(simd, first, width, (block, skipped + from), y_row)
                    });
                });
            },
        );
    }

    #[inline(always)]
    fn block<S: Simd, const VECTORS: usize, const HALF: usize, const HEIGHT: usize>(
        &mut self,
        simd: S,
        first: usize,
        width: usize,
        (block, skipped): (usize, usize),
        y_row: usize,
    ) {
        let (pairing, places) = (self.fold.pairing, self.places);
        let Range { mut start, mut end } = self.pairs.clone();
        // SAFETY: every pair has a factor for every component; `check` has seen that x has so many elements from every point of the
        // pairs on, and `apply` that all outputs of every row lie in y. Without components or pairs there may be nothing to point to.
        unsafe {
            let x = self.x.as_ptr().wrapping_add(first);
            let factors = self.fold.factors[HALF].as_ptr().wrapping_add(block * pairing.pairs() * ROWS + skipped);
            let y = self.y.as_mut_ptr().add(y_row * self.y_stride + first);
            let mut sums = [[T::splat(simd, T::ZERO); VECTORS]; HEIGHT];
            if let Start::Output = self.start {
                unrolled!(HEIGHT, |r| {
                    let y = y.add(r * self.y_stride);
                    sums[r] = if width == VECTORS * T::lanes::<S>() {
                        vectors(simd, y)
                    } else {
                        load::<T, S, VECTORS>(simd, std::slice::from_raw_parts(y, width))
                    };
                });
            }
            // A sine is 0 at a point alone.
            if start < end && pairing.is_alone(start) {
                if HALF == 0 {
                    add_all(simd, factors.add(start * ROWS), vectors(simd, x.add(places.of_two(start)[0])), &mut sums);
                }
                start += 1;
            }
            let closing = start < end && pairing.is_alone(end - 1);
            end -= usize::from(closing);
            let sign = T::splat(simd, if HALF == 0 { T::ONE } else { T::ZERO - T::ONE });
            let [mut one, mut other] = places.of_two(start);
            let mut of_pair = factors.wrapping_add(start * ROWS);
            for _ in start..end {
                let (mut sum, other_x) = (vectors(simd, x.add(one)), vectors::<T, S, VECTORS>(simd, x.add(other)));
                for v in 0..VECTORS {
                    sum[v] = T::fused(simd, sign, other_x[v], sum[v]);
                }
                add_all(simd, of_pair, sum, &mut sums);
                one = one.wrapping_add_signed(places.first_step);
                other = other.wrapping_add_signed(places.second_step);
                of_pair = of_pair.wrapping_add(ROWS);
            }
            if closing && HALF == 0 {
                add_all(simd, of_pair, vectors(simd, x.add(one)), &mut sums);
            }
            unrolled!(HEIGHT, |r| store_at::<T, S, VECTORS>(simd, y.add(r * self.y_stride), width, &sums[r]));
        }
    }
}

struct Inverse<'a, T> {
    unfold: &'a Unfold<T>,
    pairs: Range<usize>,
    z: &'a [T],
    z_stride: usize,
    outputs: usize,
    start: Start<'a, T>,
    beside: Option<(&'a [T], Places, Columns<'a, T>)>,
    y: &'a mut [T],
    places: Places,
}

impl<T: Real> WithSimd for Inverse<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        strips!(T, S, false, self.outputs, |first, width, VECTORS| self.strip::<S, VECTORS>(simd, first, width));
    }
}

impl<T: Real> Inverse<'_, T> {
    #[inline(always)]
    fn strip<S: Simd, const VECTORS: usize>(&mut self, simd: S, first: usize, width: usize) {
        let most = (accumulators::<T, S>() / (2 * VECTORS)).clamp(1, PAIRS);
        let start = match self.start {
            Start::Bias(bias) => load::<T, S, VECTORS>(simd, &bias[first..first + width]),
            _ => [T::splat(simd, T::ZERO); VECTORS],
        };
        meeting!(&self.unfold.groups, self.pairs.clone(), |group, skipped, begin, end| {
            heights!(most, most, end - begin, |from, HEIGHT| {
                self.block::<S, VECTORS, HEIGHT>(simd, start, first, width, (group, skipped + from), begin + from)
            });
        });
    }

    #[inline(always)]
    fn block<S: Simd, const VECTORS: usize, const COUNT: usize>(
        &mut self,
        simd: S,
        start: [T::Vector<S>; VECTORS],
        first: usize,
        width: usize,
        (group, skipped): (usize, usize),
        from: usize,
    ) {
        let Unfold { pairing, counts: [even, odd], factors: [of_even, of_odd], .. } = self.unfold;
        let (pairing, even, odd, z_stride) = (*pairing, *even, *odd, self.z_stride);
        let zero = [T::splat(simd, T::ZERO); VECTORS];
        let (mut sums, mut differences) = ([start; COUNT], [zero; COUNT]);
        // Side by side, so that there are enough chains for the latency of an addition.
        let both = even.min(odd);
        // SAFETY: there are factors of every group for all components; the length of z was compared with the last component and the end of
        // half a panel.
        unsafe {
            let z = self.z.as_ptr().wrapping_add(first);
            let (mut of_even, mut of_odd) = (
                of_even.as_ptr().wrapping_add(group * even * PAIRS + skipped),
                of_odd.as_ptr().wrapping_add(group * odd * PAIRS + skipped),
            );
            let (mut z_even, mut z_odd) = (z, z.wrapping_add(even * z_stride));
            for _ in 0..both {
                add_next(simd, &mut of_even, (&mut z_even, z_stride), &mut sums);
                add_next(simd, &mut of_odd, (&mut z_odd, z_stride), &mut differences);
            }
            for _ in both..even {
                add_next(simd, &mut of_even, (&mut z_even, z_stride), &mut sums);
            }
            for _ in both..odd {
                add_next(simd, &mut of_odd, (&mut z_odd, z_stride), &mut differences);
            }
        }
        let (one, minus) = (T::splat(simd, T::ONE), T::splat(simd, T::ZERO - T::ONE));
        let mut points_sums = [[zero; COUNT]; 2];
        unrolled!(COUNT, |p| {
            for v in 0..VECTORS {
                points_sums[0][p][v] = T::fused(simd, one, differences[p][v], sums[p][v]);
                points_sums[1][p][v] = T::fused(simd, minus, differences[p][v], sums[p][v]);
            }
        });
        if let Some((x, places, columns)) = &self.beside {
            let at = places.of::<COUNT>(from, pairing);
            // SAFETY: `check` has seen that `inner` elements from every point on lie in x, and has checked the columns for all outputs.
            unsafe {
                let mut rows = [[x.as_ptr(); 2]; COUNT];
                unrolled!(COUNT, |p| rows[p] = [x.as_ptr().add(at[p][0]), x.as_ptr().add(at[p][1])]);
                for k in 0..columns.inner() {
                    let w: [T::Vector<S>; VECTORS] = columns.vectors_from(simd, first, k);
                    for side in 0..2 {
                        unrolled!(COUNT, |p| {
                            let factor = T::splat(simd, *rows[p][side].add(k));
                            for v in 0..VECTORS {
                                points_sums[side][p][v] = T::fused(simd, factor, w[v], points_sums[side][p][v]);
                            }
                        });
                    }
                }
            }
        }
        let at = self.places.of::<COUNT>(from, pairing);
        unrolled!(COUNT, |p| {
            for side in 0..2 {
                // SAFETY: `check` has seen that all outputs of every point lie in y.
                unsafe {
                    let y = self.y.as_mut_ptr().add(at[p][side] + first);
                    store_at::<T, S, VECTORS>(simd, y, width, &points_sums[side][p]);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::product::{Packed, Rows, products};
    use proptest::prelude::*;

    fn values<T: Real>(len: usize, seed: u64) -> Vec<T> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            T::from_f64((state >> 40) as f64 / (1u64 << 23) as f64 - 1.0)
        };
        std::iter::repeat_with(next).take(len).collect()
    }

    fn close<T: Real>(a: &[T], b: &[T], points: usize) {
        let eps = if T::PANEL == 32 { f32::EPSILON as f64 } else { f64::EPSILON };
        for (a, b) in a.iter().zip(b) {
            let (a, b) = (a.to_f64(), b.to_f64());
            assert!((a - b).abs() <= 8.0 * eps * points as f64, "{a} {b}");
        }
    }

    fn check<T: Real>(points: usize, modes: usize, half: bool, outputs: usize, cut: usize, seed: u64) {
        let most = if half { points / 2 + 1 } else { points };
        let axis = Axis::<T>::new("axis", points, modes.clamp(1, most), half, 0).unwrap();
        axis.make_matrices().unwrap();
        let fold = Fold::new(&axis).unwrap();
        let pairing = fold.pairing;
        let shares = 1 + (seed % 8) as usize % pairing.pairs();
        let unfold = Unfold::new(&axis, axis.inverse(), shares).unwrap();
        let share = |at| pairing.share(at, shares);
        assert_eq!((share(0).start, share(shares - 1).end), (0, pairing.pairs()));
        let points_in = |pairs: Range<usize>| pairs.flat_map(|pair| pairing.points_of(pair)).flatten().count();
        for at in 0..shares {
            assert!(at == 0 || share(at).start == share(at - 1).end);
            assert!(points_in(share(at)).abs_diff(points / shares) <= 2, "{points} points in {shares} shares");
            let mut rest = share(at);
            while !rest.is_empty() {
                let first = unfold.first_of(rest.clone(), 1);
                assert!(first.start == rest.start && (1..=PAIRS).contains(&first.len()) && first.end <= rest.end);
                rest.start = first.end;
            }
        }
        let (rows, room) = (axis.rows(), T::PANEL);
        let (arch, line) = (Arch::new(), Places::line(points, outputs));
        let archs = || std::iter::once(arch).chain(crate::kernels::other_archs());
        let (all, row_cut, cut) = (0..pairing.pairs(), cut % (rows + 1), cut % (pairing.pairs() + 1));

        let x = values::<T>(points * outputs + room, seed);
        let mut expected = vec![T::ZERO; rows * outputs];
        let matrix = Rows { data: axis.forward(), stride: points, count: rows };
        products(arch, [(matrix, Columns::plain(&x, points, outputs))], outputs, Start::Zero, &mut expected, outputs);
        let results = archs().map(|arch| {
            let mut y = vec![T::ZERO; rows * outputs];
            let (upper, lower) = y.split_at_mut(row_cut * outputs);
            for (rows, y) in [(0..row_cut, upper), (row_cut..rows, lower)] {
                fold.apply(arch, rows.clone(), 0..cut, (&x, line), outputs, Start::Zero, y, outputs);
                fold.apply(arch, rows, cut..all.end, (&x, line), outputs, Start::Output, y, outputs);
            }
            y
        });
        let results: Vec<Vec<T>> = results.collect();
        assert!(results.iter().all(|result| *result == results[0]));
        close(&results[0], &expected, points);

        // Pairs that lie together give the same bits as points in a line.
        let mut paired = vec![T::ZERO; 2 * all.end * outputs + room];
        for (side, point) in all.clone().flat_map(|pair| pairing.points_of(pair).into_iter().enumerate()) {
            if let Some(point) = point {
                assert_eq!(pairing.slot(point) % 2, side);
                paired[pairing.slot(point) * outputs..][..outputs].copy_from_slice(&x[point * outputs..][..outputs]);
            }
        }
        let mut y = vec![T::ZERO; rows * outputs];
        for (pairs, start) in [(0..cut, Start::Zero), (cut..all.end, Start::Output)] {
            let x = (&paired[2 * pairs.start * outputs..], Places::side_by_side(pairs.start, outputs));
            fold.apply(arch, 0..rows, pairs, x, outputs, start, &mut y, outputs);
        }
        assert_eq!(y, results[0]);

        let z = values::<T>(rows * outputs + room, seed ^ 1);
        let weight =
            Packed::<T>::from_rows(&values::<f64>(outputs * outputs, seed ^ 2), outputs, outputs, "test").unwrap();
        let bias = values::<T>(outputs, seed ^ 3);
        let mut expected = vec![T::ZERO; points * outputs];
        let matrix = Rows { data: axis.inverse(), stride: rows, count: points };
        let beside = Rows { data: &x, stride: outputs, count: points };
        let terms = [(matrix, Columns::plain(&z, rows, outputs)), (beside, weight.columns())];
        products(arch, terms, outputs, Start::Bias(&bias), &mut expected, outputs);
        let results = archs().map(|arch| {
            let mut y = vec![T::ZERO; points * outputs];
            for pairs in [0..cut, cut..all.end] {
                let beside = Some((&x[..], line, weight.columns()));
                unfold.apply(arch, pairs, (&z, outputs), outputs, Start::Bias(&bias), beside, (&mut y, line));
            }
            y
        });
        let results: Vec<Vec<T>> = results.collect();
        assert!(results.iter().all(|result| *result == results[0]));
        close(&results[0], &expected, points + outputs);
    }

    #[test]
    fn points_that_lie_outside_are_found() {
        let inside = |points: usize, pairs: Range<usize>, places: Places, len: usize, available: usize| {
            let check = || Pairing { points }.check(&pairs, places, len, available);
            std::panic::catch_unwind(check).is_ok()
        };
        for points in [1, 2, 7, 8] {
            let (pairing, line) = (Pairing { points }, Places::line(points, 3));
            let all = 0..pairing.pairs();
            assert!(inside(points, all.clone(), line, 3, 3 * points));
            assert!(
                !inside(points, all.clone(), line, 3, 3 * points - 1)
                    && !inside(points, all.clone(), line, 4, 3 * points)
            );
            assert!(!inside(points, 0..all.end + 1, line, 3, 9 * points));
            assert!(inside(points, 0..0, line, 3, 0) && !inside(points, all.clone(), line, usize::MAX, 3 * points));
            for pair in all.clone() {
                // Pairs before the first one lie before the array.
                let beside = Places::side_by_side(pair, 3);
                assert!(inside(points, pair..all.end, beside, 3, 6 * (all.end - pair)));
                assert!(pair == 0 || !inside(points, pair - 1..all.end, beside, 3, 100));
            }
        }
    }

    proptest! {
        #[test]
        fn halves_are_the_whole_transform(
            points in 1usize..40, modes in 1usize..20, half: bool, outputs in 1usize..70, cut: usize, seed: u64,
        ) {
            check::<f32>(points, modes, half, outputs, cut, seed);
            check::<f64>(points, modes, half, outputs, cut, seed);
        }
    }
}
