//! The correction of one pair of faces in one spectral layer: the kernel's entries or its matrix among their nodes.

use faer::c64;

use super::Rule;
use crate::error::Result;
use crate::kernels::fourier::{Axis, turn};
use crate::kernels::modes::Modes;
use crate::kernels::real::Real;
use crate::kernels::spectral::Mixer;
use crate::model::boundary::Kind;
use crate::model::fno::inverse::Matrix;

/// The correction of one pair of faces in one spectral layer.
pub(in crate::model::fno) enum Kernel<T> {
    /// The published numbers, and the kernel's matrix from the lower face to the upper.
    Seed { numbers: Seed<T>, across: Mixer<T> },
    /// R [2 channels, 2 channels] for each tangential mode.
    Exact(Mixer<T>),
}

/// delta_0 = left (x_0 - pivot ((K x)_0 - ratio (K x)_N + k0n x_N)); delta_N = 2 x'_0 or x_N - (K x')_N / knn.
#[derive(Clone, Copy)]
pub(in crate::model::fno) struct Seed<T> {
    /// Whether the lower face is corrected.
    pub left: bool,
    pub pivot: T,
    pub ratio: T,
    pub k0n: T,
    pub inverse_knn: T,
    /// Whether the upper node starts from twice the corrected lower one, as the published code has it beyond one axis.
    pub from_left: bool,
}

/// A pair of opposite faces: which modes it sees.
pub(in crate::model::fno) struct Pair<T> {
    pub axis: usize,
    /// Tangential modes of a face whose components lie as the plan's scratch has them.
    pub tangential: Modes,
    /// For each mode of the layer its tangential mode, and the phase of the upper face, e^(-i k (n - 1)).
    pub phases: Vec<(usize, T, T)>,
    /// Where the tangential components lie, and what turns one of a result into one of data.
    pub gram: Vec<(usize, T)>,
}

/// A weight of a layer: (mode's places, input, output) -> (re, im).
pub(in crate::model::fno) type Weight<'a> = &'a dyn Fn(&[usize], usize, usize) -> (f64, f64);

/// The kernel's matrix from node `from` to node `to` of a pair, for one tangential mode, [input, output].
struct Among<'a, T> {
    axes: &'a [Axis<T>],
    axis: usize,
    weight: Weight<'a>,
}

impl<T: Real> Among<'_, T> {
    fn entry(&self, tangential: &[usize], shift: i64, input: usize, output: usize) -> c64 {
        let normal = &self.axes[self.axis];
        let others: Vec<usize> = (0..self.axes.len()).filter(|a| *a != self.axis).collect();
        let full = |at: usize, tangential: &[usize]| {
            let mut places = vec![at; self.axes.len()];
            for (axis, place) in others.iter().zip(tangential) {
                places[*axis] = *place;
            }
            let (re, im) = (self.weight)(&places, input, output);
            c64::new(re, im)
        };
        // The same mode with every frequency negated, where it is kept.
        let mirrored: Option<Vec<usize>> = others
            .iter()
            .zip(tangential)
            .map(|(axis, place)| {
                let axis = &self.axes[*axis];
                if axis.half { Some(*place) } else { axis.mirror(*place) }
            })
            .collect();
        let n = normal.points;
        let phase = |at: usize| {
            let (c, s) = turn(normal.frequencies[at] * shift.signum(), shift.unsigned_abs() as usize, n);
            c64::new(c, s)
        };
        let zero = c64::new(0.0, 0.0);
        let all = 0..normal.frequencies.len();
        let sum = |tangential: &[usize]| all.clone().fold(zero, |sum, at| sum + full(at, tangential) * phase(at));
        let scale = 1.0 / n as f64;
        if normal.half {
            // Real data along a half spectrum: +k with the mode, -k with the conjugate of its mirror.
            let half = |at: usize| if normal.is_real(at) { 0.5 } else { 1.0 };
            let term = |at: usize| {
                let mirror = mirrored.as_ref().map_or(zero, |places| full(at, places));
                (full(at, tangential) * phase(at) + (mirror * phase(at)).conj()) * half(at)
            };
            return all.clone().fold(zero, |sum, at| sum + term(at)) * scale;
        }
        let last = self.axes.len() - 1;
        let real = others.iter().zip(tangential).any(|(axis, place)| *axis == last && self.axes[last].is_real(*place));
        if real {
            // The inverse drops the imaginary part there: a mode and the conjugate of its mirror are seen alike.
            let mirror = mirrored.as_ref().map_or(zero, |places| sum(places).conj());
            return (sum(tangential) + mirror) * (0.5 * scale);
        }
        sum(tangential) * scale
    }
}

impl<T: Real> Pair<T> {
    /// `strides`: of the tangential components in a face's scratch.
    pub(in crate::model::fno) fn new(
        axes: &[Axis<T>],
        axis: usize,
        modes: &Modes,
        strides: &[usize],
        channels: usize,
    ) -> Pair<T> {
        let others: Vec<&Axis<T>> =
            axes.iter().enumerate().filter(|(a, _)| *a != axis).map(|(_, other)| other).collect();
        let tangential = Modes::new(&others, strides, channels, 1);
        let normal = &axes[axis];
        let phases = modes
            .places
            .iter()
            .map(|places| {
                let rest: Vec<usize> = places.iter().enumerate().filter(|(a, _)| *a != axis).map(|(_, p)| *p).collect();
                let place = tangential.places.iter().position(|t| *t == rest).expect("a tangential mode");
                let (c, s) = turn(-normal.frequencies[places[axis]], normal.points - 1, normal.points);
                (place, T::from_f64(c), T::from_f64(s))
            })
            .collect();
        let mut gram = vec![(0, 1.0)];
        for (other, stride) in others.iter().zip(strides) {
            let rows = || other.gram.iter().enumerate();
            gram = gram.iter().flat_map(|(at, g)| rows().map(move |(row, h)| (at + row * stride, g * h))).collect();
        }
        Pair { axis, tangential, phases, gram: gram.into_iter().map(|(at, g)| (at, T::from_f64(g))).collect() }
    }

    /// The correction of a layer with these weights; adds the number of modes whose matrix had to be regularised to `singular`.
    #[allow(clippy::too_many_arguments)]
    pub(in crate::model::fno) fn kernel(
        &self,
        rule: Rule,
        kind: Kind,
        axes: &[Axis<T>],
        weight: Weight,
        channels: usize,
        regularisation: f64,
        singular: &mut usize,
    ) -> Result<Option<Kernel<T>>> {
        if kind == Kind::Periodic || (rule == Rule::Seed && self.axis > 0) {
            return Ok(None);
        }
        let among = Among { axes, axis: self.axis, weight };
        let across = axes[self.axis].points as i64 - 1;
        let tangential = &self.tangential.places;
        if rule == Rule::Seed {
            return Ok(Some(self.seed(kind, axes.len(), &among, across, channels, singular)?));
        }
        let w = channels;
        let mut inverses = Vec::with_capacity(tangential.len());
        for places in tangential {
            // Column a (a face and a channel that enters), row b (a face and a channel that leaves).
            let block = Matrix::from_fn(2 * w, |b, a| {
                let shift = if (b < w) == (a < w) {
                    0
                } else if b < w {
                    -across
                } else {
                    across
                };
                let v = among.entry(places, shift, a % w, b % w);
                (v.re, v.im)
            });
            let (inverse, poor) = block.regularised_inverse(regularisation);
            *singular += usize::from(poor);
            inverses.push(inverse);
        }
        let entry = |mode: usize, input: usize, output: usize| inverses[mode].entry(output, input);
        Ok(Some(Kernel::Exact(Mixer::new(tangential.len(), 2 * w, 2 * w, "boundary kernels", entry)?)))
    }

    fn seed(
        &self,
        kind: Kind,
        axes: usize,
        among: &Among<T>,
        across: i64,
        channels: usize,
        singular: &mut usize,
    ) -> Result<Kernel<T>> {
        let tangential = &self.tangential.places;
        // The published code probes the kernel with ones in all channels and at all nodes of a face, which is the tangential mode of
        // frequency 0, and reads the first channel.
        let zero = tangential
            .iter()
            .position(|places| {
                let others = (0..among.axes.len()).filter(|a| *a != self.axis);
                others.zip(places).all(|(axis, place)| among.axes[axis].frequencies[*place] == 0)
            })
            .expect("frequency 0 is kept");
        let probe = |shift: i64| (0..channels).map(|i| among.entry(&tangential[zero], shift, i, 0).re).sum::<f64>();
        let (k00, k0n, kn0) = (probe(0), probe(-across), probe(across));
        let guard = |v: f64| match axes {
            1 if v.abs() < 1e-7 => 1e-7,
            2 if v < 1e-4 => 1e-4,
            3 if v.abs() < 1e-4 => 1e-4,
            _ => v,
        };
        let (first, last) = (guard(k00), guard(k00));
        let pivot = guard(first - kn0 * k0n / last);
        *singular += usize::from(first != k00 || pivot != first - kn0 * k0n / last);
        let numbers = Seed {
            left: !(kind == Kind::Neumann && axes == 1),
            pivot: T::from_f64(1.0 / pivot),
            ratio: T::from_f64(k0n / last),
            k0n: T::from_f64(k0n),
            inverse_knn: T::from_f64(1.0 / last),
            from_left: axes > 1,
        };
        let entry = |mode: usize, input: usize, output: usize| {
            let v = among.entry(&tangential[mode], across, input, output);
            (v.re, v.im)
        };
        Ok(Kernel::Seed {
            numbers,
            across: Mixer::new(tangential.len(), channels, channels, "boundary kernels", entry)?,
        })
    }
}
