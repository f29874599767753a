//! BOON (Saad et al., ICLR 2023): a spectral convolution K corrected so that its result can take boundary values, at the price of one.
//!
//! The correction changes the input of K at the nodes of two opposite faces alone, x' = x + sum_b delta_b e_b. K is linear, so
//! K x' needs no second evaluation on the grid: with F the truncated transform, F x' = F x + sum_b phase_b delta_hat_b, and what
//! delta needs of K x are its values on two faces, sums over kept modes. Everything happens in the frequencies along the faces
//! ("tangential modes"), where K couples only the two nodes of one mode.
//!
//! - Rule seed, the published code: delta from three numbers, the kernel's entries between the faces summed over the channels that enter the
//!   first channel, with its own safeguards; K's matrix from the one face to the other is needed in full.
//! - Rule exact: delta_B = x_B - R (K x)_B, R the regularised inverse of the kernel's matrix among the nodes of both faces.

use faer::c64;
use serde::Deserialize;

use super::inverse::Matrix;
use super::numbers::Numbers;
use crate::error::{Result, fail};
use crate::kernels::fourier::{Axis, Modes, turn};
use crate::kernels::real::Real;
use crate::kernels::spectral::Mixer;
use crate::model::boundary::{Face, Kind};

/// Far beyond it the inverse is nothing but 0.
const MOST_REGULARISATION: f64 = 1000.0;

/// Corrected boundary conditions of a model, from the model file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Whose algebra.
    pub rule: Rule,
    /// Size of singular values that the inverse leaves alone, relative to their root mean square; rule exact.
    #[serde(default = "hundredth")]
    pub regularisation: f64,
    /// The conditions that the model was trained with.
    pub faces: Vec<Face>,
}

/// Whose algebra the correction follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The published code, its habits included.
    Seed,
    /// The kernel's matrix among boundary nodes.
    Exact,
}

fn hundredth() -> f64 {
    0.01
}

impl Correction {
    /// What must hold whatever the grid.
    pub(in crate::model) fn check(&self, numbers: &Numbers) -> Result<()> {
        if numbers.mlp.is_some() || numbers.norm.is_some() || numbers.final_activation || numbers.odd_shift {
            return fail!(
                FileDescription,
                "boon with fno.mlp, norm, final_activation or odd_shift, expected plain blocks"
            );
        }
        if !(self.regularisation > 0.0 && self.regularisation <= MOST_REGULARISATION) {
            return fail!(
                FileDescription,
                "boon.regularisation is {}, expected in (0, {MOST_REGULARISATION}]",
                self.regularisation
            );
        }
        check_faces(self.rule, &self.faces, numbers.axes())
    }
}

/// Faces come in pairs on leading axes; the published code knows fewer cases.
fn check_faces(rule: Rule, faces: &[Face], axes: usize) -> Result<()> {
    let mut boundary = crate::model::boundary::Boundary::new();
    for face in faces {
        boundary.add_face(face.clone())?;
    }
    let pairs = pairs(faces);
    if faces.is_empty() || !pairs.iter().enumerate().all(|(place, pair)| pair.0 == place && pair.0 < axes) {
        return fail!(FileDescription, "boon.faces lie on axes {pairs:?}, expected the leading ones of {axes}");
    }
    for (axis, periodic, count) in &pairs {
        if !periodic && *count != 2 {
            return fail!(FileDescription, "boon.faces has one face on axis {axis}, expected both or none");
        }
    }
    if axes == 3 && pairs.len() == 3 {
        return fail!(FileDescription, "boon.faces lie on all three axes, expected the last without");
    }
    if rule == Rule::Seed {
        let kind = faces[0].kind;
        let known = match (axes, pairs.len()) {
            (1, 1) | (2, 1) => true,
            (3, 2) => kind != Kind::Neumann,
            _ => false,
        };
        if !known || faces.iter().any(|face| face.kind != kind) {
            return fail!(
                FileDescription,
                "boon.rule is seed with these faces, which the published code does not know; expected rule exact"
            );
        }
    }
    Ok(())
}

/// Axes with faces, ascending: (axis, periodic, faces).
fn pairs(faces: &[Face]) -> Vec<(usize, bool, usize)> {
    let mut axes: Vec<usize> = faces.iter().map(|face| face.axis).collect();
    axes.sort_unstable();
    axes.dedup();
    let on = |axis: usize| faces.iter().filter(move |face| face.axis == axis);
    axes.iter().map(|&axis| (axis, on(axis).any(|face| face.kind == Kind::Periodic), on(axis).count())).collect()
}

/// The correction of one pair of faces in one spectral layer.
pub(super) enum Kernel<T> {
    /// The published numbers, and the kernel's matrix from the lower face to the upper.
    Seed { numbers: Seed<T>, across: Mixer<T> },
    /// R [2 channels, 2 channels] for each tangential mode.
    Exact(Mixer<T>),
}

/// delta_0 = left (x_0 - pivot ((K x)_0 - ratio (K x)_N + k0n x_N)); delta_N = 2 x'_0 or x_N - (K x')_N / knn.
#[derive(Clone, Copy)]
pub(super) struct Seed<T> {
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
pub(super) struct Pair<T> {
    pub axis: usize,
    /// Tangential modes of a face whose components lie as the plan's scratch has them.
    pub tangential: Modes,
    /// For each mode of the layer its tangential mode, and the phase of the upper face, e^(-i k (n - 1)).
    pub phases: Vec<(usize, T, T)>,
    /// Where the tangential components lie, and what turns one of a result into one of data.
    pub gram: Vec<(usize, T)>,
}

/// A weight of a layer: (mode's places, input, output) -> (re, im).
pub(super) type Weight<'a> = &'a dyn Fn(&[usize], usize, usize) -> (f64, f64);

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
    pub(super) fn new(axes: &[Axis<T>], axis: usize, modes: &Modes, strides: &[usize], channels: usize) -> Pair<T> {
        let others: Vec<&Axis<T>> =
            axes.iter().enumerate().filter(|(a, _)| *a != axis).map(|(_, other)| other).collect();
        let tangential = Modes::new(&others, strides, channels);
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
    pub(super) fn kernel(
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
