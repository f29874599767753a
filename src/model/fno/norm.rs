//! Normalisation over the points of a function.
//!
//! The result of a spectral convolution is a sum of orthogonal waves, so its mean and variance are sums over kept modes (Parseval): the
//! normalisation becomes a factor and a shift of those, at no cost a point. After the pointwise network there is no such short cut.

use super::block::{Block, BlockNorm};
use super::numbers::Norm;
use super::{Fno, Scratch, component_strides};
use crate::error::{Result, zeros};
use crate::kernels::fourier::Axis;
use crate::kernels::real::Real;

/// A norm's weights: a factor and a shift of each channel.
pub(super) type Affine<T> = Option<(Vec<T>, Vec<T>)>;

/// Factor and shift of each channel that normalise it, from mean and variance of each.
fn normalising<T: Real>(
    groups: usize,
    eps: f64,
    affine: &Affine<T>,
    moments: &[(f64, f64)],
    mut put: impl FnMut(usize, f64, f64),
) {
    let size = moments.len() / groups;
    for (group, members) in moments.chunks_exact(size).enumerate() {
        let share = 1.0 / size as f64;
        let mean = members.iter().map(|(mean, _)| mean).sum::<f64>() * share;
        let variance = members.iter().map(|(m, variance)| variance + (m - mean) * (m - mean)).sum::<f64>() * share;
        let factor = 1.0 / (variance + eps).sqrt();
        for i in 0..size {
            let c = group * size + i;
            let (gamma, beta) = affine.as_ref().map_or((1.0, 0.0), |(g, b)| (g[c].to_f64(), b[c].to_f64()));
            put(c, factor * gamma, beta - mean * factor * gamma);
        }
    }
}

/// Mean and variance of each channel over the points of a field.
fn measure<T: Real>(field: &[T], moments: &mut [(f64, f64)]) {
    let width = moments.len();
    let rows = || field.chunks_exact(width);
    moments.fill((0.0, 0.0));
    for row in rows() {
        moments.iter_mut().zip(row).for_each(|((mean, _), v)| *mean += v.to_f64());
    }
    let share = 1.0 / rows().len() as f64;
    moments.iter_mut().for_each(|(mean, _)| *mean *= share);
    for row in rows() {
        for ((mean, variance), v) in moments.iter_mut().zip(row) {
            let apart = v.to_f64() - *mean;
            *variance += apart * apart;
        }
    }
    moments.iter_mut().for_each(|(_, variance)| *variance *= share);
}

/// Offset, mean and mean square of each wave that the axes' inverse transforms make of one component.
pub(super) fn waves<T: Real>(axes: &[Axis<T>], row: usize, width: usize) -> Vec<(usize, f64, f64)> {
    let mut waves = vec![(0usize, 1.0, 1.0)];
    for (axis, stride) in axes.iter().zip(component_strides(axes, row, width)) {
        let of = |row: usize| {
            let ((frequency, _), (weight, _)) = (axis.wave(row), axis.weight(row));
            let mean = if frequency == 0 { weight } else { 0.0 };
            let share = if axis.is_own_mirror(frequency) { 1.0 } else { 0.5 };
            (row * stride, mean, share * weight * weight)
        };
        let of_axis: Vec<_> = (0..axis.rows()).map(of).collect();
        let joint = |(at, mean, square): &(usize, f64, f64)| {
            let (at, mean, square) = (*at, *mean, *square);
            of_axis.iter().map(move |(more, m, q)| (at + more, mean * m, square * q)).collect::<Vec<_>>()
        };
        waves = waves.iter().flat_map(joint).collect();
    }
    waves
}

/// What the derivative of a norm needs of an evaluation.
pub(super) struct Normalised<T> {
    /// The normalised field, before factors and shifts of the weights.
    field: Vec<T>,
    /// What each channel was multiplied by.
    factors: Vec<f64>,
    /// What was added to it.
    shifts: Vec<f64>,
    /// Mean and variance of each channel; of a tangent: its mean, and that of its product with the normalised field.
    moments: Vec<(f64, f64)>,
}

impl<T: Real> Normalised<T> {
    pub(super) fn new(points: usize, width: usize, what: &str) -> Result<Self> {
        Ok(Normalised {
            field: zeros(points.saturating_mul(width), what)?,
            factors: zeros(width, what)?,
            shifts: zeros(width, what)?,
            moments: zeros(width, what)?,
        })
    }

    /// Normalises a field, by channel then a factor and a shift of the weights, and adds `bias`.
    pub(super) fn apply(&mut self, numbers: &Norm, affine: &Affine<T>, bias: Option<&[T]>, field: &mut [T]) {
        let width = self.factors.len();
        let field = &mut field[..self.field.len()];
        measure(field, &mut self.moments);
        let Normalised { field: kept, factors, shifts, moments } = self;
        normalising::<T>(numbers.groups(width), numbers.eps, &None, moments, |c, factor, shift| {
            (factors[c], shifts[c]) = (factor, shift);
        });
        for (row, kept) in field.chunks_exact_mut(width).zip(kept.chunks_exact_mut(width)) {
            for (c, (v, kept)) in row.iter_mut().zip(kept).enumerate() {
                *kept = T::from_f64(v.to_f64() * factors[c] + shifts[c]);
                let (gamma, beta) = affine.as_ref().map_or((T::ONE, T::ZERO), |(g, b)| (g[c], b[c]));
                *v = kept.mul_add(gamma, beta) + bias.map_or(T::ZERO, |bias| bias[c]);
            }
        }
    }

    /// From a tangent of the field that was normalised to that of the result, in place.
    pub(super) fn push(&mut self, numbers: &Norm, affine: &Affine<T>, tangent: &mut [T]) {
        self.project(numbers.groups(self.factors.len()), tangent);
        self.scale(affine, tangent);
    }

    /// The transpose of [`Normalised::push`].
    pub(super) fn pull(&mut self, numbers: &Norm, affine: &Affine<T>, cotangent: &mut [T]) {
        self.scale(affine, cotangent);
        self.project(numbers.groups(self.factors.len()), cotangent);
    }

    fn scale(&self, affine: &Affine<T>, field: &mut [T]) {
        let Some((gamma, _)) = affine else { return };
        for row in field[..self.field.len()].chunks_exact_mut(gamma.len()) {
            row.iter_mut().zip(gamma).for_each(|(v, factor)| *v *= *factor);
        }
    }

    /// factor (t - mean(t) - y mean(y t)) in each group, y the normalised field: a change of its mean or of its size is not seen. The
    /// matrix is symmetric.
    fn project(&mut self, groups: usize, field: &mut [T]) {
        let Normalised { field: kept, factors, moments, .. } = self;
        let (width, size) = (factors.len(), factors.len() / groups);
        let field = &mut field[..kept.len()];
        let points = field.len() / width;
        moments.fill((0.0, 0.0));
        for (row, kept) in field.chunks_exact(width).zip(kept.chunks_exact(width)) {
            for ((v, y), (sum, along)) in row.iter().zip(kept).zip(moments.iter_mut()) {
                *sum += v.to_f64();
                *along += v.to_f64() * y.to_f64();
            }
        }
        for group in moments.chunks_exact_mut(size) {
            let share = 1.0 / (points * size) as f64;
            let (sum, along) = group.iter().fold((0.0, 0.0), |(a, b), (sum, along)| (a + sum, b + along));
            group.fill((share * sum, share * along));
        }
        for (row, kept) in field.chunks_exact_mut(width).zip(kept.chunks_exact(width)) {
            for (c, (v, y)) in row.iter_mut().zip(kept).enumerate() {
                let (mean, along) = moments[c];
                *v = T::from_f64(factors[c] * (v.to_f64() - mean - y.to_f64() * along));
            }
        }
    }
}

impl<T: Real> Fno<T> {
    /// The first norm of a block, applied to the components of the convolution's result and to the bias.
    pub(super) fn normalise_modes(&self, s: &mut Scratch<T>, norm: &BlockNorm<T>) {
        let w = self.numbers.width;
        let numbers = self.numbers.norm.as_ref().expect("a norm");
        let components = &mut s.components;
        let moments = &mut s.moments;
        moments.fill((0.0, 0.0));
        for (at, mean, square) in &self.waves {
            for ((m, variance), v) in moments.iter_mut().zip(&components[*at..]) {
                let v = v.to_f64();
                if *mean != 0.0 {
                    *m = mean * v;
                } else {
                    *variance += square * v * v;
                }
            }
        }
        for ((mean, _), bias) in moments.iter_mut().zip(&norm.spectral_bias) {
            *mean += bias.to_f64();
        }
        let [factors, _] = &mut s.affine;
        normalising(numbers.groups(w), numbers.eps, &norm.affine[0], moments, |c, factor, shift| {
            factors[c] = T::from_f64(factor);
            let bias = factor * norm.spectral_bias[c].to_f64() + shift + norm.skip_bias[c].to_f64();
            s.bias[c] = T::from_f64(bias);
        });
        for (at, ..) in &self.waves {
            components[*at..at + w].iter_mut().zip(&*factors).for_each(|(v, factor)| *v *= *factor);
        }
    }

    /// The second norm of a block: factors and shifts from the field's points.
    pub(super) fn measure_points(&self, s: &mut Scratch<T>, block: &Block<T>) {
        let w = self.numbers.width;
        let (numbers, norm) = (self.numbers.norm.as_ref().expect("a norm"), block.norm.as_ref().expect("a norm"));
        let points: usize = self.axes.iter().map(|axis| axis.points).product();
        let field = &s.field.all()[..points * w];
        let moments = &mut s.moments;
        measure(field, moments);
        let [factors, shifts] = &mut s.affine;
        normalising(numbers.groups(w), numbers.eps, &norm.affine[1], moments, |c, factor, shift| {
            (factors[c], shifts[c]) = (T::from_f64(factor), T::from_f64(shift));
        });
    }
}
