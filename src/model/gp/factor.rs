//! The Cholesky factor of a kernel matrix, in blocks of rows over the packed product.
//!
//! A block of rows of L is the block of rows of K after forward substitution with the blocks before it, which is also what a query
//! does with its rows of covariances: one routine serves both, at the speed of matrix products, without an allocation, and with bits
//! that depend on the row alone (a library's factorisation lets them depend on shapes and on where memory is aligned). Blocks on the
//! diagonal are inverted, as is usual where substitution must be a product (Higham, "Accuracy and stability of numerical algorithms",
//! section 8.3 and 14.2).

use pulp::{Arch, Simd, WithSimd};

use crate::error::{Result, fail};
use crate::kernels::linear::dispatch;
use crate::kernels::product::{Packed, Rows, Start, product, products};

/// Rows of a block: whole panels of the product.
pub(super) const BLOCK: usize = 64;

/// L of K = L L'.
pub(super) struct Factor {
    len: usize,
    blocks: Vec<Block>,
    /// Of K.
    pub log_determinant: f64,
}

struct Block {
    /// -L left of the diagonal block, [rows, first].
    left: Packed<f64>,
    /// The diagonal block's inverse, [rows, rows].
    inverse: Packed<f64>,
}

/// A pivot below what rounding leaves of nothing: no factor.
pub(super) struct Breakdown;

/// A place for a block of columns: [rows, BLOCK].
pub(super) fn tile_len(rows: usize) -> usize {
    rows.saturating_mul(BLOCK)
}

impl Factor {
    pub fn with_capacity(len: usize) -> Result<Factor> {
        // All of it at once first: block by block a size that does not fit would be found out only when memory is gone.
        let all = len.saturating_mul(len) / 2;
        if Vec::<f64>::new().try_reserve_exact(all).is_err() {
            return fail!(OutOfMemory, "no memory for the kernel matrix of {len} points: {all} values");
        }
        let mut blocks = Vec::new();
        let count = len.div_ceil(BLOCK);
        if blocks.try_reserve_exact(count).is_err() {
            return fail!(OutOfMemory, "no memory for {count} blocks of a kernel matrix");
        }
        for first in (0..len).step_by(BLOCK) {
            let rows = BLOCK.min(len - first);
            blocks.push(Block {
                left: Packed::with_capacity(rows, first, "a kernel matrix")?,
                inverse: Packed::with_capacity(rows, rows, "a kernel matrix")?,
            });
        }
        Ok(Factor { len: 0, blocks, log_determinant: 0.0 })
    }

    /// Factors a matrix of `len` rows that `fill(first, rows, out, stride)` writes, columns 0 .. first + rows of each. Pivots (squares of
    /// L's diagonal) must exceed `least` of K's diagonal. `work` holds BLOCK rows of `stride` >= len, `tile` BLOCK squared.
    #[allow(clippy::too_many_arguments)]
    pub fn factor(
        &mut self,
        arch: Arch,
        len: usize,
        least: f64,
        work: &mut [f64],
        stride: usize,
        tile: &mut [f64],
        mut fill: impl FnMut(usize, usize, &mut [f64], usize),
    ) -> std::result::Result<(), Breakdown> {
        self.len = len;
        self.log_determinant = 0.0;
        for first in (0..len).step_by(BLOCK) {
            let rows = BLOCK.min(len - first);
            fill(first, rows, work, stride);
            let mut floors = [0.0; BLOCK];
            for (row, floor) in floors[..rows].iter_mut().enumerate() {
                *floor = least * work[row * stride + first + row];
            }
            self.forward(arch, work, stride, rows, 0, first, tile);
            let block = &mut self.blocks[first / BLOCK];
            let square = &mut tile[..rows * rows];
            for (row, square) in square.chunks_exact_mut(rows).enumerate() {
                square.copy_from_slice(&work[row * stride + first..][..rows]);
            }
            if first > 0 {
                block.left.pack(rows, first, |row, k| -work[row * stride + k]);
                let left = Rows { data: work, stride, count: rows };
                product(arch, left, &block.left, Start::Output, false, square, rows);
            }
            self.log_determinant += cholesky(arch, square, rows, &floors)?;
            let inverse = &mut work[..rows * rows];
            invert(arch, square, rows, inverse);
            block.inverse.pack(rows, rows, |row, k| inverse[row * rows + k]);
        }
        Ok(())
    }

    /// Rows v := v L^-T in columns from .. to, block by block; columns before `from` are zero and not read. `from` is the first of
    /// a block, `to` too or the end.
    #[allow(clippy::too_many_arguments)]
    pub fn forward(
        &self,
        arch: Arch,
        v: &mut [f64],
        stride: usize,
        rows: usize,
        from: usize,
        to: usize,
        tile: &mut [f64],
    ) {
        for first in (from..to).step_by(BLOCK) {
            let block = &self.blocks[first / BLOCK];
            let width = block.inverse.outputs();
            let tile = &mut tile[..rows * width];
            for (row, tile) in tile.chunks_exact_mut(width).enumerate() {
                tile.copy_from_slice(&v[row * stride + first..][..width]);
            }
            if first > from {
                let before = Rows { data: &v[from..], stride, count: rows };
                products(arch, [(before, block.left.columns_from(from))], width, Start::Output, tile, width);
            }
            let solved = Rows { data: tile, stride: width, count: rows };
            product(arch, solved, &block.inverse, Start::Zero, false, &mut v[first..], stride);
        }
    }

    /// One row v := v L^-1.
    pub fn backward(&self, v: &mut [f64]) {
        for first in (0..self.len).step_by(BLOCK).rev() {
            let block = &self.blocks[first / BLOCK];
            let rows = block.inverse.outputs();
            let mut solved = [0.0; BLOCK];
            for (column, solved) in solved[..rows].iter_mut().enumerate() {
                *solved = (column..rows).map(|row| block.inverse.entry(row, column) * v[first + row]).sum();
            }
            v[first..first + rows].copy_from_slice(&solved[..rows]);
            for (k, v) in v[..first].iter_mut().enumerate() {
                *v += (0..rows).map(|row| block.left.entry(row, k) * solved[row]).sum::<f64>();
            }
        }
    }
}

/// Sums of squares of the first `len` values of rows, over 16 lanes by index modulo 16 folded in one order.
pub(super) fn squares(arch: Arch, v: &[f64], stride: usize, len: usize, sums: &mut [f64]) {
    dispatch!(arch, (v: &'a [f64] = v, sums: &'a mut [f64] = sums, stride: usize = stride, len: usize = len) -> () {
        for (row, sum) in v.chunks(stride).zip(sums) {
            let mut lanes = [0.0; 16];
            let (whole, rest) = row[..len].as_chunks::<16>();
            for chunk in whole {
                for (lane, v) in lanes.iter_mut().zip(chunk) {
                    *lane = f64::mul_add(*v, *v, *lane);
                }
            }
            for (lane, v) in lanes.iter_mut().zip(rest) {
                *lane = f64::mul_add(*v, *v, *lane);
            }
            let mut half = 8;
            while half > 0 {
                for i in 0..half {
                    lanes[i] += lanes[i + half];
                }
                half /= 2;
            }
            *sum = lanes[0];
        }
    });
}

/// The lower triangle a := L, a = L L' [n, n], pivots above their floors; the sum of their logarithms.
fn cholesky(arch: Arch, a: &mut [f64], n: usize, floors: &[f64]) -> std::result::Result<f64, Breakdown> {
    let mut sum = 0.0;
    for k in 0..n {
        let pivot = a[k * n + k];
        // False for NaN too.
        if !(pivot > floors[k] && pivot < f64::INFINITY) {
            return Err(Breakdown);
        }
        sum += libm::log(pivot);
        let root = pivot.sqrt();
        // Column k of L, kept in row k too, where the rows below find it side by side.
        a[k * n + k] = root;
        for i in k + 1..n {
            let l = a[i * n + k] / root;
            a[i * n + k] = l;
            a[k * n + i] = l;
        }
        let (done, rest) = a.split_at_mut((k + 1) * n);
        let column = &done[k * n..];
        dispatch!(arch, (column: &'a [f64] = column, rest: &'a mut [f64] = rest, n: usize = n, k: usize = k) -> () {
            for (row, i) in rest.chunks_exact_mut(n).zip(k + 1..) {
                let factor = -column[i];
                for (a, l) in row[k + 1..=i].iter_mut().zip(&column[k + 1..=i]) {
                    *a = f64::mul_add(factor, *l, *a);
                }
            }
        });
    }
    Ok(sum)
}

/// The inverse of a lower triangle, row by row: row i of L^-1 is (e_i - sum_{k < i} L_ik row k of L^-1) / L_ii.
fn invert(arch: Arch, l: &[f64], n: usize, inverse: &mut [f64]) {
    for i in 0..n {
        let (done, row) = inverse.split_at_mut(i * n);
        let row = &mut row[..n];
        row.fill(0.0);
        let own = &l[i * n..][..=i];
        dispatch!(arch, (own: &'a [f64] = own, done: &'a [f64] = done, row: &'a mut [f64] = row, n: usize = n) -> () {
            for (k, (l, before)) in own.iter().zip(done.chunks_exact(n)).enumerate() {
                for (v, b) in row[..=k].iter_mut().zip(before) {
                    *v = f64::mul_add(-*l, *b, *v);
                }
            }
            let i = own.len() - 1;
            row[i] = 1.0;
            let root = own[i];
            row[..=i].iter_mut().for_each(|v| *v /= root);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn solves_with_the_matrix(n in 1usize..200, seed: u64) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
            };
            let b: Vec<f64> = (0..n * n).map(|_| next()).collect();
            let entry = |i: usize, j: usize| {
                (0..n).map(|k| b[i * n + k] * b[j * n + k]).sum::<f64>() + if i == j { n as f64 } else { 0.0 }
            };
            let a: Vec<f64> = (0..n * n).map(|k| entry(k / n, k % n)).collect();
            let arch = Arch::new();
            let (mut work, mut tile) = (vec![0.0; BLOCK * n.max(BLOCK)], vec![0.0; tile_len(BLOCK)]);
            let mut factor = Factor::with_capacity(n + 70).unwrap();
            let fill = |first: usize, rows: usize, out: &mut [f64], stride: usize| {
                for r in 0..rows {
                    out[r * stride..][..first + rows].copy_from_slice(&a[(first + r) * n..][..first + rows]);
                }
            };
            prop_assert!(factor.factor(arch, n, 1e-9, &mut work, n.max(BLOCK), &mut tile, fill).is_ok());
            let x: Vec<f64> = (0..n).map(|_| next()).collect();
            let mut v: Vec<f64> = (0..n).map(|i| (0..n).map(|k| a[i * n + k] * x[k]).sum()).collect();
            factor.forward(arch, &mut v, n, 1, 0, n, &mut tile);
            factor.backward(&mut v);
            for (v, x) in v.iter().zip(&x) {
                prop_assert!((v - x).abs() < 1e-11, "{} {}", v, x);
            }
        }
    }
}
