//! One complex matrix for each mode: the weights of a spectral convolution, and the operators of its faces.

use pulp::{Arch, Simd, WithSimd};

use super::pages::Pages;
use super::prefetch;
use super::product::store;
use super::real::Real;
use crate::error::Result;

/// Complex matrices [modes, inputs, outputs].
pub struct Mixer<T> {
    modes: usize,
    inputs: usize,
    outputs: usize,
    /// For each mode and input a row of real parts, then one of imaginary parts; room for an overhang behind the last.
    data: Pages<T>,
}

impl<T: Real> Mixer<T> {
    /// Packs the matrices from their entries `at(mode, input, output)`, (re, im).
    pub fn new(
        modes: usize,
        inputs: usize,
        outputs: usize,
        what: &str,
        at: impl Fn(usize, usize, usize) -> (f64, f64),
    ) -> Result<Self> {
        let len = modes.saturating_mul(2 * inputs).saturating_mul(outputs).saturating_add(2 * T::PANEL);
        let mut data = Pages::<T>::zeros(len, what)?;
        for (row, pair) in data.chunks_exact_mut(2 * outputs).take(modes * inputs).enumerate() {
            let (re, im) = pair.split_at_mut(outputs);
            for (o, (re, im)) in re.iter_mut().zip(im).enumerate() {
                let (a, b) = at(row / inputs, row % inputs, o);
                (*re, *im) = (T::from_f64(a), T::from_f64(b));
            }
        }
        Ok(Mixer { modes, inputs, outputs, data })
    }

    /// The conjugate transposes.
    pub fn adjoint(&self, what: &str) -> Result<Self> {
        let outputs = self.outputs;
        Mixer::new(self.modes, outputs, self.inputs, what, |mode, output, input| {
            let re = (mode * self.inputs + input) * 2 * outputs + output;
            (self.data[re].to_f64(), -self.data[re + outputs].to_f64())
        })
    }

    /// Numbers in all of them.
    pub fn len(&self) -> usize {
        2 * self.modes * self.inputs * self.outputs
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of matrices.
    pub fn modes(&self) -> usize {
        self.modes
    }

    /// y = W x for the modes from `first` on, as many as `y` holds: a mode is its real parts, then its imaginary ones.
    pub fn apply(&self, arch: Arch, first: usize, x: &[T], y: &mut [T]) {
        let count = y.len() / (2 * self.outputs);
        assert!(first.checked_add(count).is_some_and(|end| end <= self.modes));
        assert!(x.len() == count * 2 * self.inputs && y.len() == count * 2 * self.outputs);
        arch.dispatch(Apply { mixer: self, first, x, y });
    }
}

/// Elements ahead of the product that the processor is told to fetch: matrices are read once, and its own prefetching stops at
/// every page.
const AHEAD: usize = 2048;

struct Apply<'a, T> {
    mixer: &'a Mixer<T>,
    first: usize,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> WithSimd for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Accumulators of four vectors fit the registers of AVX-512 alone.
        if T::lanes::<S>() * 2 == T::PANEL && self.mixer.outputs > T::PANEL {
            self.run::<S, 4>(simd);
        } else {
            self.run::<S, 2>(simd);
        }
    }
}

impl<T: Real> Apply<'_, T> {
    /// In blocks of so many vectors of outputs, each with two accumulators for real and for imaginary parts.
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize>(self, simd: S) {
        let (inputs, outputs) = (self.mixer.inputs, self.mixer.outputs);
        let lanes = T::lanes::<S>();
        let lines = (VECTORS * lanes * size_of::<T>()).div_ceil(64);
        let data = &self.mixer.data[..];
        let (zero, one) = (T::splat(simd, T::ZERO), T::splat(simd, T::ONE));
        let minus = T::splat(simd, T::ZERO - T::ONE);
        let modes = self.x.chunks_exact(2 * inputs).zip(self.y.chunks_exact_mut(2 * outputs));
        for (mode, (x, y)) in modes.enumerate() {
            let start = (self.first + mode) * 2 * inputs * outputs;
            let (xr, xi) = x.split_at(inputs);
            let (yr, yi) = y.split_at_mut(outputs);
            for at in (0..outputs).step_by(VECTORS * lanes) {
                let width = (VECTORS * lanes).min(outputs - at);
                let mut sums = [[zero; VECTORS]; 4];
                for i in 0..inputs {
                    let re = start + 2 * i * outputs + at;
                    for part in [re, re + outputs] {
                        prefetch::to_second_level(data, part + AHEAD, lines);
                    }
                    let (a, b) = (T::splat(simd, xr[i]), T::splat(simd, xi[i]));
                    // SAFETY: the room behind the last matrix covers what is read beyond `width`.
                    let (wr, wi) = unsafe {
                        (
                            data.get_unchecked(re..re + VECTORS * lanes),
                            data.get_unchecked(re + outputs..re + outputs + VECTORS * lanes),
                        )
                    };
                    for v in 0..VECTORS {
                        let (wr, wi) = (T::load(simd, &wr[v * lanes..]), T::load(simd, &wi[v * lanes..]));
                        sums[0][v] = T::fused(simd, a, wr, sums[0][v]);
                        sums[1][v] = T::fused(simd, b, wi, sums[1][v]);
                        sums[2][v] = T::fused(simd, a, wi, sums[2][v]);
                        sums[3][v] = T::fused(simd, b, wr, sums[3][v]);
                    }
                }
                let (mut re, mut im) = ([zero; VECTORS], [zero; VECTORS]);
                for v in 0..VECTORS {
                    re[v] = T::fused(simd, minus, sums[1][v], sums[0][v]);
                    im[v] = T::fused(simd, one, sums[3][v], sums[2][v]);
                }
                store::<T, S, VECTORS>(simd, &mut yr[at..at + width], &re);
                store::<T, S, VECTORS>(simd, &mut yi[at..at + width], &im);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Real>(eps: f64) {
        for (modes, inputs, outputs) in [(3, 1, 1), (4, 5, 7), (2, 20, 20), (2, 33, 40), (2, 3, 70), (1, 64, 128)] {
            let entry = |m: usize, i: usize, o: usize| {
                let v = ((m * 31 + i * 7 + o * 3) % 17) as f64 / 8.0 - 1.0;
                (v, 0.5 - v * v)
            };
            let mixer = Mixer::<T>::new(modes, inputs, outputs, "test", entry).unwrap();
            let x: Vec<T> = (0..modes * 2 * inputs).map(|i| T::from_f64(((i * 13) % 11) as f64 / 5.0 - 1.0)).collect();
            let mut y = vec![T::ZERO; modes * 2 * outputs];
            mixer.apply(Arch::new(), 0, &x, &mut y);
            for arch in crate::kernels::other_archs() {
                let mut other = vec![T::ZERO; y.len()];
                mixer.apply(arch, 0, &x, &mut other);
                assert_eq!(y, other);
            }
            for (m, (x, y)) in x.chunks(2 * inputs).zip(y.chunks(2 * outputs)).enumerate() {
                for o in 0..outputs {
                    let (mut re, mut im) = (0.0, 0.0);
                    for i in 0..inputs {
                        let ((wr, wi), a, b) = (entry(m, i, o), x[i].to_f64(), x[inputs + i].to_f64());
                        re += wr * a - wi * b;
                        im += wr * b + wi * a;
                    }
                    let close = |v: T, w: f64| (v.to_f64() - w).abs() <= 8.0 * eps * inputs as f64;
                    assert!(close(y[o], re) && close(y[outputs + o], im));
                }
            }
        }
    }

    #[test]
    fn products_are_complex_and_the_same_at_every_vector_width() {
        check::<f32>(f32::EPSILON as f64);
        check::<f64>(f64::EPSILON);
    }
}
