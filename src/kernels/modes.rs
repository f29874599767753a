//! Complex modes from the real components that transforms leave, and back, and a convolution from components to components.

use pulp::{Arch, Simd, WithSimd};

use super::fourier::Axis;
use super::linear::dispatch;
use super::real::Real;

/// The complex modes of the kept frequencies of up to three axes, as signed sums of components, and back. A mode is `channels` real
/// parts followed by as many imaginary parts; modes lie one after the other, the first axis' frequencies fastest.
pub struct Modes {
    /// Place of each mode's frequency on each axis.
    pub places: Vec<Vec<usize>>,
    channels: usize,
    gather: Sums,
    scatter: Sums,
}

/// Rows that are signed sums of rows, all of one length.
#[derive(Default)]
struct Sums {
    targets: Vec<usize>,
    starts: Vec<usize>,
    sources: Vec<(usize, bool)>,
}

impl Sums {
    fn push(&mut self, target: usize, sources: impl IntoIterator<Item = (usize, bool)>) {
        self.starts.push(self.sources.len());
        self.targets.push(target);
        self.sources.extend(sources);
    }

    fn apply<T: Real>(&self, arch: Arch, channels: usize, from: &[T], to: &mut [T]) {
        dispatch!(arch, T, (sums: &'a Sums = self, channels: usize = channels, from: &'a [T] = from, to: &'a mut [T] = to) -> () {
            for (i, target) in sums.targets.iter().enumerate() {
                let end = sums.starts.get(i + 1).copied().unwrap_or(sums.sources.len());
                let to = &mut to[*target..target + channels];
                to.fill(T::ZERO);
                for (source, negative) in &sums.sources[sums.starts[i]..end] {
                    let from = &from[*source..source + channels];
                    if *negative {
                        for (t, f) in to.iter_mut().zip(from) {
                            *t = *t - *f;
                        }
                    } else {
                        for (t, f) in to.iter_mut().zip(from) {
                            *t += *f;
                        }
                    }
                }
            }
        });
    }
}

impl Modes {
    /// The modes of `axes`, whose components lie `strides` apart in memory; no axes at all make one real mode.
    pub fn new<T: Real>(axes: &[&Axis<T>], strides: &[usize], channels: usize) -> Modes {
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
        Modes { places, channels, gather, scatter }
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
        self.gather.apply(arch, self.channels, components, modes);
    }

    /// Modes of a result to the components that [`Axis::inverse`] takes.
    pub fn scatter<T: Real>(&self, arch: Arch, modes: &[T], components: &mut [T]) {
        self.scatter.apply(arch, self.channels, modes, components);
    }
}
