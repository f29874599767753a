//! Products of a few rows with a packed matrix: y = x W' (+ bias), the work of every dense layer and of attention.
//!
//! W is packed once into panels of 128 bytes of output channels, the summed index running down a panel. Every output is a
//! chain of fused multiply-adds along the summed index from its start value, so its bits depend on its own row of x and its
//! own row of W alone: not on the number of rows, their position, or the vector width.

use pulp::{Arch, Simd, WithSimd};

use super::real::Real;
use crate::error::{Result, zeros};

/// A matrix W [outputs, inner] in panels. The capacity may exceed what is packed at the moment.
pub struct Packed<T> {
    outputs: usize,
    inner: usize,
    data: Vec<T>,
}

/// What an output starts from.
#[derive(Clone, Copy)]
pub enum Start<'a, T> {
    /// 0.
    Zero,
    /// One value an output channel.
    Bias(&'a [T]),
    /// What the output array holds: y += x W'.
    Output,
}

/// Rows of a matrix in memory: row r begins at r * stride.
#[derive(Clone, Copy)]
pub struct Rows<'a, T> {
    /// Elements from the first row on.
    pub data: &'a [T],
    /// Elements from one row to the next.
    pub stride: usize,
    /// Number of rows.
    pub count: usize,
}

fn panels<T: Real>(outputs: usize) -> usize {
    outputs.div_ceil(T::PANEL)
}

impl<T: Real> Packed<T> {
    /// Room for matrices up to [outputs, inner].
    pub fn with_capacity(outputs: usize, inner: usize, what: &str) -> Result<Self> {
        let len = panels::<T>(outputs).saturating_mul(T::PANEL).saturating_mul(inner);
        Ok(Packed { outputs: 0, inner: 0, data: zeros(len, what)? })
    }

    /// Packs W from its entries `at(output, inner)`; its size must fit the capacity.
    pub fn pack(&mut self, outputs: usize, inner: usize, at: impl Fn(usize, usize) -> T) {
        assert!(panels::<T>(outputs) * T::PANEL * inner <= self.data.len());
        (self.outputs, self.inner) = (outputs, inner);
        for (panel, block) in self.data.chunks_exact_mut(T::PANEL * inner).take(panels::<T>(outputs)).enumerate() {
            for (k, lanes) in block.chunks_exact_mut(T::PANEL).enumerate() {
                for (lane, value) in lanes.iter_mut().enumerate() {
                    let output = panel * T::PANEL + lane;
                    *value = if output < outputs { at(output, k) } else { T::ZERO };
                }
            }
        }
    }

    /// Packs a row-major [outputs, inner] matrix.
    pub fn from_rows(weights: &[f64], outputs: usize, inner: usize, what: &str) -> Result<Self> {
        let mut packed = Self::with_capacity(outputs, inner, what)?;
        packed.pack(outputs, inner, |o, k| T::from_f64(weights[o * inner + k]));
        Ok(packed)
    }

    /// Rows of W.
    pub fn outputs(&self) -> usize {
        self.outputs
    }
}

/// y [rows, outputs] = start + x [rows, inner] W', rectified when `relu`. NaN passes through.
pub fn product<T: Real>(
    arch: Arch,
    x: Rows<T>,
    w: &Packed<T>,
    start: Start<T>,
    relu: bool,
    y: &mut [T],
    y_stride: usize,
) {
    let Some(last) = x.count.checked_sub(1) else { return };
    assert!(x.data.len() >= last * x.stride + w.inner);
    assert!(y.len() >= last * y_stride + w.outputs);
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= w.outputs);
    }
    arch.dispatch(Product { x, w, start, relu, y, y_stride });
}

struct Product<'a, T> {
    x: Rows<'a, T>,
    w: &'a Packed<T>,
    start: Start<'a, T>,
    relu: bool,
    y: &'a mut [T],
    y_stride: usize,
}

impl<T: Real> WithSimd for Product<'_, T> {
    type Output = ();

    // Register blocks: as many accumulators as the registers of the machine hold beside a row of the panel. A panel of
    // 128 bytes is 2 registers of AVX-512, 4 of AVX2, 8 of NEON; up to half a panel of outputs is done with half of them.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = T::lanes::<S>();
        if lanes * 2 == T::PANEL {
            self.run::<S, 2, 1, 12>(simd);
        } else if lanes * 4 == T::PANEL {
            self.run::<S, 4, 2, 3>(simd);
        } else if lanes * 8 == T::PANEL {
            self.run::<S, 8, 4, 3>(simd);
        } else if lanes * 16 == T::PANEL {
            self.run::<S, 16, 8, 1>(simd);
        } else {
            self.run::<S, 32, 16, 1>(simd);
        }
    }
}

impl<T: Real> Product<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const FULL: usize, const HALF: usize, const ROWS: usize>(mut self, simd: S) {
        let lanes = T::lanes::<S>();
        for panel in 0..panels::<T>(self.w.outputs) {
            let left = self.w.outputs - panel * T::PANEL;
            if left > HALF * lanes {
                self.panel::<S, FULL, ROWS>(simd, panel, left.min(T::PANEL));
            } else {
                self.panel::<S, HALF, ROWS>(simd, panel, left);
            }
        }
    }

    #[inline(always)]
    fn panel<S: Simd, const VECTORS: usize, const ROWS: usize>(&mut self, simd: S, panel: usize, width: usize) {
        let mut row = 0;
        while row + ROWS <= self.x.count {
            self.block::<S, VECTORS, ROWS>(simd, panel, width, row);
            row += ROWS;
        }
        if ROWS > 6 && row + 6 <= self.x.count {
            self.block::<S, VECTORS, 6>(simd, panel, width, row);
            row += 6;
        }
        if ROWS > 3 && row + 3 <= self.x.count {
            self.block::<S, VECTORS, 3>(simd, panel, width, row);
            row += 3;
        }
        while row < self.x.count {
            self.block::<S, VECTORS, 1>(simd, panel, width, row);
            row += 1;
        }
    }

    #[inline(always)]
    fn block<S: Simd, const VECTORS: usize, const ROWS: usize>(
        &mut self,
        simd: S,
        panel: usize,
        width: usize,
        row: usize,
    ) {
        let lanes = T::lanes::<S>();
        let (inner, first) = (self.w.inner, panel * T::PANEL);
        let weights = &self.w.data[first * inner..][..T::PANEL * inner];
        let x: [&[T]; ROWS] = std::array::from_fn(|r| &self.x.data[(row + r) * self.x.stride..][..inner]);
        let mut edge = [T::ZERO; 32];
        let mut sums = [[T::splat(simd, T::ZERO); VECTORS]; ROWS];
        for (r, sums) in sums.iter_mut().enumerate() {
            let source = match self.start {
                Start::Zero => continue,
                Start::Bias(bias) => &bias[first..first + width],
                Start::Output => &self.y[(row + r) * self.y_stride + first..][..width],
            };
            edge[..width].copy_from_slice(source);
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = T::load(simd, &edge[v * lanes..]);
            }
        }
        for (k, weights) in weights.chunks_exact(T::PANEL).enumerate() {
            let w: [T::Vector<S>; VECTORS] = std::array::from_fn(|v| T::load(simd, &weights[v * lanes..]));
            for r in 0..ROWS {
                // SAFETY: k < inner, the length of every row of x.
                let x = T::splat(simd, unsafe { *x[r].get_unchecked(k) });
                for v in 0..VECTORS {
                    sums[r][v] = T::fused(simd, x, w[v], sums[r][v]);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut self.y[(row + r) * self.y_stride + first..][..width];
            let whole = width == VECTORS * lanes;
            let target: &mut [T] = if whole { &mut *out } else { &mut edge };
            for (v, sum) in sums.iter().enumerate() {
                let sum = if self.relu { T::rectified(simd, *sum) } else { *sum };
                T::store(simd, &mut target[v * lanes..], sum);
            }
            if !whole {
                out.copy_from_slice(&edge[..width]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn case<T: Real>(rows: usize, outputs: usize, inner: usize, seed: u64) -> (Vec<T>, Packed<T>, Vec<T>, Vec<T>) {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            T::from_f64((state >> 40) as f64 / (1u64 << 23) as f64 - 1.0)
        };
        let x: Vec<T> = (0..rows * inner).map(|_| next()).collect();
        let w: Vec<f64> = (0..outputs * inner).map(|_| next().to_f64()).collect();
        let bias: Vec<T> = (0..outputs).map(|_| next()).collect();
        let mut expected = vec![T::ZERO; rows * outputs];
        for r in 0..rows {
            for o in 0..outputs {
                let mut sum = bias[o];
                for k in 0..inner {
                    sum = x[r * inner + k].mul_add(T::from_f64(w[o * inner + k]), sum);
                }
                expected[r * outputs + o] = sum;
            }
        }
        (x, Packed::from_rows(&w, outputs, inner, "test").unwrap(), bias, expected)
    }

    fn check<T: Real>(arch: Arch, rows: usize, outputs: usize, inner: usize, seed: u64) {
        let (x, w, bias, expected) = case::<T>(rows, outputs, inner, seed);
        let mut y = vec![T::ZERO; rows * outputs];
        product(arch, Rows { data: &x, stride: inner, count: rows }, &w, Start::Bias(&bias), false, &mut y, outputs);
        assert_eq!(y, expected);
        y.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(&bias));
        product(arch, Rows { data: &x, stride: inner, count: rows }, &w, Start::Output, true, &mut y, outputs);
        let rectified: Vec<T> = expected.iter().map(|v| v.relu()).collect();
        assert_eq!(y, rectified);
    }

    proptest! {
        #[test]
        fn every_vector_width_gives_the_bits_of_the_plain_chain(
            rows in 1usize..30, outputs in 1usize..80, inner in 1usize..70, seed: u64,
        ) {
            for arch in [Arch::new(), Arch::Scalar] {
                check::<f32>(arch, rows, outputs, inner, seed);
                check::<f64>(arch, rows, outputs, inner, seed);
            }
            #[cfg(target_arch = "x86_64")]
            if let Some(v3) = pulp::x86::V3::try_new() {
                check::<f32>(Arch::V3(v3), rows, outputs, inner, seed);
                check::<f64>(Arch::V3(v3), rows, outputs, inner, seed);
            }
        }
    }
}
