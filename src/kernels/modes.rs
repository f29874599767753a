//! Complex modes from the real components that transforms leave, and back, and a convolution from components to components.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::fourier::Axis;
use super::linear::dispatch;
use super::real::Real;
use super::shared::Whole;
use super::spectral::Mixer;
use super::team::Team;

/// The complex modes of the kept frequencies of up to three axes, as signed sums of components, and back. A mode is `channels` real
/// parts followed by as many imaginary parts; modes lie one after the other, the first axis' frequencies fastest.
pub struct Modes {
    /// Place of each mode's frequency on each axis.
    pub places: Vec<Vec<usize>>,
    channels: usize,
    gather: Sums,
    scatter: Sums,
    columns: Columns,
    /// Of each block, what its components fill.
    filled: Vec<Vec<Range<usize>>>,
}

/// What a convolution starts from.
#[derive(Clone, Copy)]
pub enum Begin<'a, T> {
    /// Arrays that lie one after the other, `len` elements each, whose sum the components are.
    Parts {
        parts: &'a [T],
        len: usize,
    },
    Components,
    Modes,
}

/// Blocks of frequencies of the last axis, where that axis has half a spectrum: modes of one block do not meet the components of others.
#[derive(PartialEq)]
struct Columns {
    /// What the places of components with one and the same frequency along the last axis differ by is a multiple of this.
    period: usize,
    /// Distance between components along the last axis.
    stride: usize,
    /// The block of each component along the last axis.
    owners: Vec<usize>,
    /// Where blocks begin among the frequencies, and the end of the last.
    bounds: Vec<usize>,
}

impl Columns {
    fn new<T: Real>(axes: &[&Axis<T>], strides: &[usize], channels: usize, blocks: usize) -> Columns {
        let frequencies = axes.last().map_or(1, |last| last.pairs.len());
        let one = Columns { period: 1, stride: 1, owners: vec![0], bounds: vec![0, frequencies] };
        let (Some((last, outer)), Some((stride, outer_strides))) = (axes.split_last(), strides.split_last()) else {
            return one;
        };
        if !last.half || blocks < 2 {
            return one;
        }
        let width = last.rows() * stride;
        let period = outer_strides.last().copied().unwrap_or(width);
        assert!(outer.len() == outer_strides.len() && outer_strides.iter().all(|outer| outer % period == 0));
        assert!(channels <= *stride && (last.rows() - 1) * stride + channels <= period);
        let blocks = blocks.min(frequencies);
        let bounds: Vec<usize> = (0..=blocks).map(|block| frequencies * block / blocks).collect();
        let mut owners = vec![usize::MAX; last.rows()];
        for (at, pair) in last.pairs.iter().enumerate() {
            for row in [Some(pair.even), pair.odd].into_iter().flatten() {
                assert_eq!(owners[row], usize::MAX, "one frequency for each component of half a spectrum");
                owners[row] = bounds.partition_point(|first| *first <= at) - 1;
            }
        }
        Columns { period, stride: *stride, owners, bounds }
    }

    fn blocks(&self) -> usize {
        self.bounds.len() - 1
    }

    fn owner(&self, at: usize) -> usize {
        if self.blocks() == 1 { 0 } else { self.owners[at % self.period / self.stride] }
    }
}

/// Rows that are signed sums of rows, all of one length.
#[derive(Default)]
struct Sums {
    targets: Vec<usize>,
    starts: Vec<usize>,
    sources: Vec<(usize, bool)>,
    /// The last of the targets, and of the sources.
    last: [usize; 2],
}

impl Sums {
    fn push(&mut self, target: usize, sources: impl IntoIterator<Item = (usize, bool)>) {
        self.starts.push(self.sources.len());
        self.targets.push(target);
        self.sources.extend(sources);
        let last = self.of(self.targets.len() - 1).iter().fold(self.last[1], |last, (source, _)| last.max(*source));
        self.last = [self.last[0].max(target), last];
    }

    /// The sources of a target.
    fn of(&self, i: usize) -> &[(usize, bool)] {
        let end = self.starts.get(i + 1).copied().unwrap_or(self.sources.len());
        &self.sources[self.starts[i]..end]
    }

    /// Puts targets of one owner next to each other.
    fn sort_by(&mut self, owner: impl Fn(usize) -> usize) {
        let mut order: Vec<usize> = (0..self.targets.len()).collect();
        order.sort_by_key(|i| owner(self.targets[*i]));
        let mut sorted = Sums::default();
        for i in order {
            sorted.push(self.targets[i], self.of(i).iter().copied());
        }
        *self = sorted;
    }

    /// The targets numbered `range`, `channels` elements each.
    ///
    /// # Safety
    ///
    /// Nobody else uses these targets, nor writes their sources, and targets are not among the sources.
    unsafe fn apply<T: Real>(&self, arch: Arch, channels: usize, range: Range<usize>, from: Whole<T>, to: Whole<T>) {
        assert!(
            range.end <= self.targets.len()
                && self.last[0] + channels <= to.len()
                && self.last[1] + channels <= from.len()
        );
        arch.dispatch(Apply { sums: self, channels, range, from: from.as_ptr(), to: to.as_ptr() });
    }

    fn apply_all<T: Real>(&self, arch: Arch, channels: usize, from: &[T], to: &mut [T]) {
        // SAFETY: two borrowed arrays.
        unsafe { self.apply(arch, channels, 0..self.targets.len(), Whole::reading(from), Whole::new(to)) }
    }
}

struct Apply<'a, T> {
    sums: &'a Sums,
    channels: usize,
    range: Range<usize>,
    from: *const T,
    to: *mut T,
}

impl<T: Real> WithSimd for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (lanes, channels) = (T::lanes::<S>(), self.channels);
        for i in self.range.clone() {
            if channels < lanes {
                self.few(i);
                continue;
            }
            let mut at = 0;
            while at < channels {
                match (channels - at) / lanes {
                    0 => {
                        // A vector that ends with the channels instead of a part of one.
                        at = channels - lanes;
                        at += self.some::<S, 1>(simd, i, at);
                    }
                    1 => at += self.some::<S, 1>(simd, i, at),
                    2 | 3 => at += self.some::<S, 2>(simd, i, at),
                    _ => at += self.some::<S, 4>(simd, i, at),
                }
            }
        }
    }
}

impl<T: Real> Apply<'_, T> {
    /// Channels from `at` on of a target, so many vectors of them; how many they are.
    #[inline(always)]
    fn some<S: Simd, const VECTORS: usize>(&self, simd: S, i: usize, at: usize) -> usize {
        let lanes = T::lanes::<S>();
        let signs = [T::splat(simd, T::ONE), T::splat(simd, T::ZERO - T::ONE)];
        let mut sums = [T::splat(simd, T::ZERO); VECTORS];
        for (source, negative) in self.sums.of(i) {
            // SAFETY: [`Sums::apply`] has compared all sources and targets with the lengths; the rest is what it was promised.
            let from = unsafe { std::slice::from_raw_parts(self.from.add(source + at), VECTORS * lanes) };
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = T::fused(simd, signs[usize::from(*negative)], T::load(simd, &from[v * lanes..]), *sum);
            }
        }
        // SAFETY: likewise.
        let to = unsafe { std::slice::from_raw_parts_mut(self.to.add(self.sums.targets[i] + at), VECTORS * lanes) };
        for (v, sum) in sums.iter().enumerate() {
            T::store(simd, &mut to[v * lanes..], *sum);
        }
        VECTORS * lanes
    }

    /// All channels of a target where they do not fill a vector.
    #[inline(always)]
    fn few(&self, i: usize) {
        let target = self.sums.targets[i];
        for channel in 0..self.channels {
            let mut sum = T::ZERO;
            for (source, negative) in self.sums.of(i) {
                // SAFETY: as in [`Apply::some`].
                let from = unsafe { *self.from.add(source + channel) };
                sum = if *negative { sum - from } else { sum + from };
            }
            // SAFETY: likewise.
            unsafe { *self.to.add(target + channel) = sum };
        }
    }
}

impl Modes {
    /// The modes of `axes`, whose components lie `strides` apart in memory; no axes at all make one real mode. `blocks`: into how many tasks
    /// a convolution is cut, at most.
    pub fn new<T: Real>(axes: &[&Axis<T>], strides: &[usize], channels: usize, blocks: usize) -> Modes {
        let mut places = vec![vec![]];
        for axis in axes.iter().rev() {
            places = places
                .iter()
                .flat_map(|rest: &Vec<usize>| (0..axis.frequencies.len()).map(move |at| [&[at][..], rest].concat()))
                .collect();
        }
        let mut gather = Sums::default();
        // For every component the modes that meet it, found while the modes are made of components.
        let mut met = std::collections::BTreeMap::<usize, Vec<(usize, bool)>>::new();
        let mut ranges = vec![0];
        for (axis, stride) in axes.iter().zip(strides) {
            ranges = ranges.iter().flat_map(|at| (0..axis.rows()).map(move |row| at + row * stride)).collect();
        }
        for at in ranges {
            met.entry(at).or_default();
        }
        for (mode, places) in places.iter().enumerate() {
            // Terms (offset, power of i): the product over the axes of cos - i sin.
            let mut terms = vec![(0usize, 0u32)];
            for ((axis, stride), at) in axes.iter().zip(strides).zip(places) {
                let pair = axis.pairs[*at];
                let odd = pair.odd.map(|row| {
                    // Half a spectrum has the imaginary part itself: times i. Else -i sin k x, with the sign of k.
                    (row * stride, if axis.half || pair.negative { 1 } else { 3 })
                });
                let options = [Some((pair.even * stride, 0)), odd];
                terms = terms
                    .iter()
                    .flat_map(|(offset, power)| {
                        options.iter().flatten().map(move |(more, turn)| (offset + more, power + turn))
                    })
                    .collect();
            }
            let first = 2 * mode * channels;
            for (part, target) in [(0, first), (1, first + channels)] {
                let of_part = terms.iter().filter(|(_, power)| power % 2 == part);
                gather.push(target, of_part.map(|(offset, power)| (*offset, power % 4 >= 2)));
            }
            // Back: data are the sum over modes of Re(Z e^(i a)), so a component collects the real part of Z times the conjugate
            // of what it contributes to a mode.
            for (offset, power) in &terms {
                let (source, negative) = match power % 4 {
                    0 => (first, false),
                    1 => (first + channels, false),
                    2 => (first, true),
                    _ => (first + channels, true),
                };
                met.get_mut(offset).expect("a component").push((source, negative));
            }
        }
        let mut scatter = Sums::default();
        for (target, sources) in met {
            scatter.push(target, sources);
        }
        let columns = Columns::new(axes, strides, channels, blocks);
        scatter.sort_by(|target| columns.owner(target));
        let mut modes = Modes { places, channels, gather, scatter, columns, filled: vec![] };
        for block in 0..modes.columns.blocks() {
            let (own, range) = (modes.targets_of(block), modes.modes_of(block));
            let owned = |sums: &Sums, i: usize| sums.of(i).iter().all(|(at, _)| modes.columns.owner(*at) == block);
            let numbered =
                |sums: &Sums, i: usize| sums.of(i).iter().all(|(at, _)| range.contains(&(at / (2 * channels))));
            assert!(own.clone().all(|i| numbered(&modes.scatter, i)));
            assert!((2 * range.start..2 * range.end).all(|i| owned(&modes.gather, i)));
            let mut filled: Vec<Range<usize>> = vec![];
            for at in &modes.scatter.targets[own] {
                match filled.last_mut() {
                    Some(last) if last.end == *at => last.end += channels,
                    _ => filled.push(*at..at + channels),
                }
            }
            modes.filled.push(filled);
        }
        modes
    }

    /// The modes of a block: the last axis' frequencies are the slowest.
    fn modes_of(&self, block: usize) -> Range<usize> {
        let bounds = &self.columns.bounds;
        let each = self.len() / bounds[bounds.len() - 1];
        bounds[block] * each..bounds[block + 1] * each
    }

    /// Targets of `scatter` of a block.
    fn targets_of(&self, block: usize) -> Range<usize> {
        let first = |block: usize| self.scatter.targets.partition_point(|at| self.columns.owner(*at) < block);
        first(block)..first(block + 1)
    }

    /// Number of modes.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Never: without axes there is one.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Components to modes.
    pub fn gather<T: Real>(&self, arch: Arch, components: &[T], modes: &mut [T]) {
        self.gather.apply_all(arch, self.channels, components, modes);
    }

    /// Modes of a result to the components that [`Axis::inverse`] takes.
    pub fn scatter<T: Real>(&self, arch: Arch, modes: &[T], components: &mut [T]) {
        self.scatter.apply_all(arch, self.channels, modes, components);
    }

    /// A convolution: the components of these modes, which come first, give way to those of `back`'s, the result's. `x` receives the modes
    /// of what came, or has them, `y` those of the result. Blocks of modes are tasks of their own, from the sums of the parts on to
    /// the result's components.
    #[allow(clippy::too_many_arguments)]
    pub fn convolve<T: Real>(
        &self,
        back: &Modes,
        team: &Team,
        arch: Arch,
        mixer: &Mixer<T>,
        begin: Begin<T>,
        components: &mut [T],
        [x, y]: [&mut [T]; 2],
    ) {
        assert!(self.columns == back.columns && self.channels == back.channels && self.len() == back.len());
        let each = 2 * self.channels;
        let [components, x, y] = [components, x, y].map(Whole::new);
        team.each_worth(mixer.len(), self.columns.blocks(), |block| {
            let modes = self.modes_of(block);
            let (first, all) = (modes.start, each * modes.start..each * modes.end);
            // SAFETY: a block's modes are its own and, as both agree on what belongs together, so are its components. What is borrowed for
            // writing at a time is either components, or modes of one kind.
            unsafe {
                if let Begin::Parts { parts, len } = begin {
                    self.add_up(arch, block, parts, len, components);
                }
                if !matches!(begin, Begin::Modes) {
                    self.gather.apply(arch, self.channels, 2 * modes.start..2 * modes.end, components, x);
                }
                mixer.apply(arch, first, x.read(all.clone()), y.write(all));
                back.scatter.apply(arch, self.channels, back.targets_of(block), y, components);
            }
        });
    }

    /// The components of a block from parts whose sum they are.
    ///
    /// # Safety
    ///
    /// Nobody else uses the block's components.
    unsafe fn add_up<T: Real>(&self, arch: Arch, block: usize, parts: &[T], len: usize, components: Whole<T>) {
        let filled = &self.filled[block];
        dispatch!(arch, T, (filled: &'a [Range<usize>] = filled, parts: &'a [T] = parts, len: usize = len, components: Whole<T> = components) -> () {
            for own in filled {
                // SAFETY: the caller's promise.
                let to = unsafe { components.write(own.clone()) };
                let (first, rest) = parts.split_at(len);
                to.copy_from_slice(&first[own.clone()]);
                for part in rest.chunks_exact(len) {
                    for (to, v) in to.iter_mut().zip(&part[own.clone()]) {
                        *to += *v;
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values between -1 and 1 that look random.
    fn values(count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// Points and modes of each axis; blocks and threads change no bit, nor what lies between the components.
    fn check(extents: &[(usize, usize)], shift: i64, channels: usize) {
        let axes = |shift: i64| -> Vec<Axis<f64>> {
            let last = extents.len() - 1;
            let axis = |(a, (points, modes)): (usize, &(usize, usize))| {
                let shift = if a == last { 0 } else { shift };
                Axis::new("axis", *points, *modes, a == last, shift).unwrap()
            };
            extents.iter().enumerate().map(axis).collect()
        };
        let strides = |axes: &[Axis<f64>]| {
            let mut strides = vec![channels];
            let mut stride = axes[axes.len() - 1].rows() * channels + 3;
            for axis in axes[..axes.len() - 1].iter().rev() {
                strides.insert(0, stride);
                stride *= axis.rows();
            }
            (strides, stride)
        };
        let (there, back) = (axes(0), axes(shift));
        let ((there_strides, a), (back_strides, b)) = (strides(&there), strides(&back));
        let len = a.max(b);
        let modes = |axes: &[Axis<f64>], strides: &[usize], blocks: usize| {
            Modes::new(&axes.iter().collect::<Vec<_>>(), strides, channels, blocks)
        };
        let arch = Arch::new();
        let (parts, untouched) = (values(3 * len, 1), values(len, 2));
        let whole = modes(&there, &there_strides, 1);
        let result = modes(&back, &back_strides, 1);
        let weights = values(2 * whole.len() * channels * channels, 3);
        let at = |mode: usize, i: usize, o: usize| {
            let at = 2 * ((mode * channels + i) * channels + o);
            (weights[at], weights[at + 1])
        };
        let mixer = Mixer::<f64>::new(whole.len(), channels, channels, "test", at).unwrap();

        let mut expected = untouched.clone();
        for own in &whole.filled[0] {
            for at in own.clone() {
                expected[at] = parts[at] + parts[len + at] + parts[2 * len + at];
            }
        }
        let (summed, room) = (expected.clone(), || vec![0.0; whole.len() * 2 * channels]);
        let (mut x, mut y) = (room(), room());
        whole.gather(arch, &expected, &mut x);
        mixer.apply(arch, 0, &x, &mut y);
        result.scatter(arch, &y, &mut expected);

        for (blocks, threads) in [(1, 1), (2, 1), (3, 2), (100, 3)] {
            let team = Team::new(threads).unwrap();
            let (modes, back) = (modes(&there, &there_strides, blocks), modes(&back, &back_strides, blocks));
            assert_eq!(modes.filled.len(), blocks.min(extents[extents.len() - 1].1));
            let parts = Begin::Parts { parts: &parts, len };
            for (begin, start) in [(parts, &untouched), (Begin::Components, &summed), (Begin::Modes, &summed)] {
                let mut components = start.clone();
                let (mut own, mut mixed) = (room(), room());
                if let Begin::Modes = begin {
                    own.copy_from_slice(&x);
                }
                modes.convolve(&back, &team, arch, &mixer, begin, &mut components, [&mut own, &mut mixed]);
                assert_eq!(own, x);
                assert_eq!(mixed, y);
                assert_eq!(components, expected);
            }
        }
    }

    #[test]
    fn convolutions_are_the_same_in_blocks() {
        // Wide enough to be worth several threads, but for the first.
        check(&[(12, 5)], 0, 3);
        check(&[(12, 5)], 0, 81);
        check(&[(9, 5), (8, 5)], 0, 37);
        check(&[(9, 9), (11, 3)], -1, 36);
        check(&[(7, 4), (6, 6), (9, 4)], -1, 19);
    }
}
