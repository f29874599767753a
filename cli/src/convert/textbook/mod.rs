//! The sources' own forward passes as a textbook has them: f64, loops, sums over modes; straight from the state dict, under its names.
//! Nothing here is shared with the library that is compared with them.

pub mod boon;
pub mod fourier;

use crate::convert::state::Tensor;

/// Values on a grid, channels last; rank 0 is one point.
#[derive(Clone, Debug)]
pub struct Field {
    /// Points on each axis.
    pub grid: Vec<usize>,
    /// Channels at a point.
    pub channels: usize,
    /// [grid, channels].
    pub values: Vec<f64>,
}

impl Field {
    /// Zeros.
    pub fn zeros(grid: &[usize], channels: usize) -> Field {
        Field { grid: grid.to_vec(), channels, values: vec![0.0; grid.iter().product::<usize>() * channels] }
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.grid.iter().product()
    }

    /// A pointwise linear layer: weight [out, in] (further extents are 1), bias [out].
    pub fn linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Field {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1]);
        let mut out = Field::zeros(&self.grid, outputs);
        let mut row = vec![0.0; inputs];
        for o in 0..outputs {
            weight.read(o * inputs, &mut row);
            let start = bias.map_or(0.0, |bias| bias.at(o));
            for (x, y) in self.values.chunks_exact(inputs).zip(out.values.chunks_exact_mut(outputs)) {
                y[o] = start + x.iter().zip(&row).map(|(x, w)| x * w).sum::<f64>();
            }
        }
        out
    }

    /// Every value through a function.
    pub fn map(mut self, f: impl Fn(f64) -> f64) -> Field {
        self.values.iter_mut().for_each(|v| *v = f(*v));
        self
    }

    /// The sum of two fields.
    pub fn plus(mut self, other: &Field) -> Field {
        self.values.iter_mut().zip(&other.values).for_each(|(a, b)| *a += b);
        self
    }

    /// Each channel times its factor.
    pub fn gated(&self, factors: &Tensor) -> Field {
        let mut out = self.clone();
        out.values
            .chunks_exact_mut(self.channels)
            .for_each(|x| x.iter_mut().enumerate().for_each(|(c, v)| *v *= factors.at(c)));
        out
    }

    /// Each channel plus its bias.
    pub fn biased(&self, bias: &Tensor) -> Field {
        let mut out = self.clone();
        out.values
            .chunks_exact_mut(self.channels)
            .for_each(|x| x.iter_mut().enumerate().for_each(|(c, v)| *v += bias.at(c)));
        out
    }

    /// The index of a point on each axis.
    pub fn place(&self, mut point: usize) -> Vec<usize> {
        let mut place = vec![0; self.grid.len()];
        for (at, n) in place.iter_mut().zip(&self.grid).rev() {
            (*at, point) = (point % n, point / n);
        }
        place
    }

    /// Coordinates as channels after the others: `at(axis, i, n)`.
    pub fn with_coordinates(&self, at: impl Fn(usize, usize, usize) -> f64) -> Field {
        let axes = self.grid.len();
        let mut out = Field::zeros(&self.grid, self.channels + axes);
        for (point, (x, y)) in
            self.values.chunks_exact(self.channels).zip(out.values.chunks_exact_mut(self.channels + axes)).enumerate()
        {
            y[..self.channels].copy_from_slice(x);
            for (axis, (i, n)) in self.place(point).into_iter().zip(&self.grid).enumerate() {
                y[self.channels + axis] = at(axis, i, *n);
            }
        }
        out
    }

    /// Zeros before and after on each axis.
    pub fn padded(&self, before: &[usize], after: &[usize]) -> Field {
        let grid: Vec<usize> = self.grid.iter().zip(before.iter().zip(after)).map(|(n, (a, b))| n + a + b).collect();
        let mut out = Field::zeros(&grid, self.channels);
        for (point, x) in self.values.chunks_exact(self.channels).enumerate() {
            let place: Vec<usize> = self.place(point).iter().zip(before).map(|(i, a)| i + a).collect();
            out.point_mut(&place).copy_from_slice(x);
        }
        out
    }

    /// The inverse of [`Field::padded`]: `grid` points from `before` on.
    pub fn cropped(&self, before: &[usize], grid: &[usize]) -> Field {
        let mut out = Field::zeros(grid, self.channels);
        for point in 0..out.points() {
            let place: Vec<usize> = out.place(point).iter().zip(before).map(|(i, a)| i + a).collect();
            let from = self.point(&place).to_vec();
            out.values[point * self.channels..][..self.channels].copy_from_slice(&from);
        }
        out
    }

    /// Values at a point.
    pub fn point(&self, place: &[usize]) -> &[f64] {
        let at = place.iter().zip(&self.grid).fold(0, |at, (i, n)| at * n + i);
        &self.values[at * self.channels..][..self.channels]
    }

    /// Values at a point.
    pub fn point_mut(&mut self, place: &[usize]) -> &mut [f64] {
        let at = place.iter().zip(&self.grid).fold(0, |at, (i, n)| at * n + i);
        &mut self.values[at * self.channels..][..self.channels]
    }
}

/// A pointwise function by the name that model files have for it.
pub fn activation(name: &str) -> Option<fn(f64) -> f64> {
    fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }
    Some(match name {
        "identity" => |x| x,
        "relu" => |x| x.max(0.0),
        "gelu" => |x| 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        "gelu-tanh" => |x| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh()),
        "silu" => |x| x * sigmoid(x),
        "sigmoid" => sigmoid,
        "tanh" => f64::tanh,
        "softplus" => |x| x.max(0.0) + (-x.abs()).exp().ln_1p(),
        "leaky-relu" => |x| if x < 0.0 { 0.01 * x } else { x },
        "elu" => |x| if x < 0.0 { x.exp_m1() } else { x },
        _ => return None,
    })
}

/// Names of [`activation`].
pub const ACTIVATIONS: [&str; 10] =
    ["gelu", "gelu-tanh", "relu", "leaky-relu", "elu", "silu", "tanh", "sigmoid", "softplus", "identity"];
