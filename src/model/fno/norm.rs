//! Normalisation over the points of a function.
//!
//! The result of a spectral convolution is a sum of orthogonal waves, so its mean and variance are sums over kept modes (Parseval): the
//! normalisation becomes a factor and a shift of those, at no cost a point. After the pointwise network there is no such short cut.

use super::{Block, BlockNorm, Fno, Scratch, component_strides};
use crate::kernels::fourier::Axis;
use crate::kernels::real::Real;

/// Factor and shift of each channel that normalise it, from mean and variance of each.
fn normalising<T: Real>(
    groups: usize,
    eps: f64,
    affine: &Option<(Vec<T>, Vec<T>)>,
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

/// Offset, mean and mean square of each wave that the axes' inverse transforms make of one component.
pub(super) fn waves<T: Real>(axes: &[Axis<T>], row: usize, width: usize) -> Vec<(usize, f64, f64)> {
    let mut waves = vec![(0usize, 1.0, 1.0)];
    for (axis, stride) in axes.iter().zip(component_strides(axes, row, width)) {
        let rows = axis.rows();
        let share = 1.0 / axis.points as f64;
        let of = |row: usize| {
            let values = || axis.inverse.chunks_exact(rows).map(|point| point[row].to_f64());
            let (sum, squares) = values().fold((0.0, 0.0), |(a, b), v| (a + v, b + v * v));
            // One wave at most is constant; frequency 0 may have been shifted away.
            let constant = row == 0 && values().all(|v| v == axis.inverse[0].to_f64());
            (row * stride, if constant { sum * share } else { 0.0 }, squares * share)
        };
        let of_axis: Vec<_> = (0..rows).map(of).collect();
        let joint = |(at, mean, square): &(usize, f64, f64)| {
            let (at, mean, square) = (*at, *mean, *square);
            of_axis.iter().map(move |(more, m, q)| (at + more, mean * m, square * q)).collect::<Vec<_>>()
        };
        waves = waves.iter().flat_map(joint).collect();
    }
    waves
}

impl<T: Real> Fno<T> {
    /// The first norm of a block, applied to the components of the convolution's result and to the bias.
    pub(super) fn normalise_modes(&self, s: &mut Scratch<T>, norm: &BlockNorm<T>) {
        let w = self.numbers.width;
        let numbers = self.numbers.norm.as_ref().expect("a norm");
        let components = if self.back.len() == 1 { s.lines.all() } else { &mut s.components };
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
        let share = 1.0 / points as f64;
        let moments = &mut s.moments;
        moments.fill((0.0, 0.0));
        for row in field.chunks_exact(w) {
            moments.iter_mut().zip(row).for_each(|((mean, _), v)| *mean += v.to_f64());
        }
        moments.iter_mut().for_each(|(mean, _)| *mean *= share);
        for row in field.chunks_exact(w) {
            for ((mean, variance), v) in moments.iter_mut().zip(row) {
                let apart = v.to_f64() - *mean;
                *variance += apart * apart;
            }
        }
        moments.iter_mut().for_each(|(_, variance)| *variance *= share);
        let [factors, shifts] = &mut s.affine;
        normalising(numbers.groups(w), numbers.eps, &norm.affine[1], moments, |c, factor, shift| {
            (factors[c], shifts[c]) = (T::from_f64(factor), T::from_f64(shift));
        });
    }
}
