//! Covariance functions of the distance between points, each coordinate over its length scale.

use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};

use crate::kernels::linear::dispatch;
use crate::kernels::real::Real;

/// A stationary covariance function: the correlation of two points whose scaled distance is r,
/// r^2 = sum_k ((x_k - x'_k) / length_k)^2. Matern functions of smoothness nu are nu - 1/2 times differentiable (Rasmussen and Williams,
/// "Gaussian processes for machine learning", 2006, section 4.2).
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kernel {
    /// exp(-r^2 / 2), the squared exponential.
    Rbf = 1,
    /// exp(-r), of the Ornstein-Uhlenbeck process.
    Matern12 = 2,
    /// (1 + a) exp(-a), a = sqrt(3) r.
    Matern32 = 3,
    /// (1 + a + a^2 / 3) exp(-a), a = sqrt(5) r.
    Matern52 = 4,
}

/// Where correlations have long underflowed: keeps powers of r finite.
const FARTHEST: f64 = 1e6;

const ROOT_3: f64 = 1.732_050_807_568_877_2;
const ROOT_5: f64 = 2.236_067_977_499_79;

impl Kernel {
    /// Every one, in order of its number.
    pub const fn all() -> [Kernel; 4] {
        [Kernel::Rbf, Kernel::Matern12, Kernel::Matern32, Kernel::Matern52]
    }
}

/// Points by coordinates: coordinate k of all points from k * stride.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub data: &'a [f64],
    pub stride: usize,
}

impl<'a> Columns<'a> {
    /// Without the points before `first`.
    pub fn from(self, first: usize) -> Columns<'a> {
        Columns { data: &self.data[first..], stride: self.stride }
    }
}

/// A covariance function with its scales.
#[derive(Clone, Debug)]
pub(super) struct Covariance {
    pub kernel: Kernel,
    /// At distance 0.
    pub variance: f64,
    /// 1 / length, one a coordinate.
    pub inverse_lengths: Vec<f64>,
}

/// Squared scaled distances of a point to the first points of some columns. Differences come first: coordinates may be large.
#[inline(always)]
fn distances(inverse: &[f64], x: &[f64], points: Columns, out: &mut [f64]) {
    out.fill(0.0);
    for (k, (x, inverse)) in x.iter().zip(inverse).enumerate() {
        for (r2, p) in out.iter_mut().zip(&points.data[k * points.stride..]) {
            let d = (*x - *p) * *inverse;
            *r2 = f64::mul_add(d, d, *r2);
        }
    }
}

/// min(r2, FARTHEST).
#[inline(always)]
fn near(r2: f64) -> f64 {
    if r2 < FARTHEST { r2 } else { FARTHEST }
}

impl Covariance {
    /// Covariances of `rows` points, x [rows, coordinates], with the first `count` points of `points`; row r goes to
    /// out[r * stride ..]. Exactly the variance at distance 0, and the same bits whichever point comes first.
    pub fn rows(&self, arch: Arch, x: &[f64], points: Columns, count: usize, out: &mut [f64], stride: usize) {
        let (kernel, variance) = (self.kernel, self.variance);
        dispatch!(arch, (
            inverse: &'a [f64] = &self.inverse_lengths, x: &'a [f64] = x, points: Columns<'a> = points, out: &'a mut [f64] = out,
            kernel: Kernel = kernel, variance: f64 = variance, count: usize = count, stride: usize = stride,
        ) -> () {
            for (x, out) in x.chunks_exact(inverse.len()).zip(out.chunks_mut(stride)) {
                let out = &mut out[..count];
                distances(inverse, x, points, out);
                match kernel {
                    Kernel::Rbf => {
                        for v in out {
                            *v = variance * (-0.5 * near(*v)).exp_nonpositive();
                        }
                    }
                    Kernel::Matern12 => {
                        for v in out {
                            *v = variance * (-near(*v).sqrt()).exp_nonpositive();
                        }
                    }
                    Kernel::Matern32 => {
                        for v in out {
                            let a = ROOT_3 * near(*v).sqrt();
                            *v = variance * ((1.0 + a) * (-a).exp_nonpositive());
                        }
                    }
                    Kernel::Matern52 => {
                        for v in out {
                            let a = ROOT_5 * near(*v).sqrt();
                            *v = variance * (f64::mul_add(a, f64::mul_add(a, 1.0 / 3.0, 1.0), 1.0) * (-a).exp_nonpositive());
                        }
                    }
                }
            }
        });
    }

    /// What the derivative of the covariance by log length_k is, over ((x_k - x'_k) / length_k)^2: one point x against the first
    /// points of `points`.
    pub fn slopes(&self, arch: Arch, x: &[f64], points: Columns, out: &mut [f64]) {
        let (kernel, variance) = (self.kernel, self.variance);
        dispatch!(arch, (
            inverse: &'a [f64] = &self.inverse_lengths, x: &'a [f64] = x, points: Columns<'a> = points, out: &'a mut [f64] = out,
            kernel: Kernel = kernel, variance: f64 = variance,
        ) -> () {
            distances(inverse, x, points, out);
            for v in out {
                let r2 = near(*v);
                *v = variance * match kernel {
                    Kernel::Rbf => (-0.5 * r2).exp_nonpositive(),
                    // At r = 0 the squared difference that this meets is 0.
                    Kernel::Matern12 => {
                        let r = r2.sqrt();
                        if r > 0.0 { (-r).exp_nonpositive() / r } else { 0.0 }
                    }
                    Kernel::Matern32 => 3.0 * (-ROOT_3 * r2.sqrt()).exp_nonpositive(),
                    Kernel::Matern52 => {
                        let a = ROOT_5 * r2.sqrt();
                        5.0 / 3.0 * (1.0 + a) * (-a).exp_nonpositive()
                    }
                };
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_width_gives_the_formula() {
        let points: Vec<f64> = (0..74).map(|i| ((i * 7919) % 101) as f64 * 0.031 - 1.0).collect();
        let columns = Columns { data: &points, stride: 37 };
        let x = [0.3, -0.2, points[5], points[42]];
        for kernel in Kernel::all() {
            let c = Covariance { kernel, variance: 1.7, inverse_lengths: vec![2.0, 0.5] };
            let rows = |arch: Arch| {
                let mut rows = [0.0; 80];
                c.rows(arch, &x, columns, 37, &mut rows, 40);
                rows
            };
            let mut a = rows(Arch::new());
            for arch in crate::kernels::other_archs() {
                assert_eq!(rows(arch), a);
            }
            assert_eq!(a[45], 1.7, "the variance at distance 0");
            for i in 0..37 {
                let r = f64::hypot(2.0 * (x[0] - points[i]), 0.5 * (x[1] - points[37 + i]));
                let expected = 1.7
                    * match kernel {
                        Kernel::Rbf => (-0.5 * r * r).exp(),
                        Kernel::Matern12 => (-r).exp(),
                        Kernel::Matern32 => (1.0 + 3f64.sqrt() * r) * (-3f64.sqrt() * r).exp(),
                        Kernel::Matern52 => (1.0 + 5f64.sqrt() * r + 5.0 / 3.0 * r * r) * (-5f64.sqrt() * r).exp(),
                    };
                assert!((a[i] - expected).abs() <= 1e-14 * expected, "{kernel:?} {i}");
            }
            let far = [1e308, -1e308];
            c.rows(Arch::new(), &far, Columns { data: &[-1e308, 1e308], stride: 1 }, 1, &mut a, 1);
            assert!(a[0] >= 0.0 && a[0] < 1e-290);
        }
    }
}
