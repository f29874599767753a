//! Blocks of a part's cells: their weights, their sums, their corrections.

use pulp::{Arch, Simd, WithSimd};

use crate::constraint::rows::{Row, Support};
use crate::field::Dtype;
use crate::kernels::exact::{BLOCK, Products};
use crate::kernels::linear::dispatch;
use crate::kernels::moments::Shrink;
use crate::reduce::Exact;

/// A block of cells.
pub(super) struct Block {
    pub(super) start: usize,
    pub(super) len: usize,
    pub(super) u: [f64; BLOCK],
    pub(super) v: [f64; BLOCK],
    pub(super) w: [f64; BLOCK],
    pub(super) lower: [f64; BLOCK],
    pub(super) upper: [f64; BLOCK],
    pub(super) after: [f64; BLOCK],
    /// Weights, row after row, and which rows have some here.
    pub(super) g: Vec<f64>,
    pub(super) here: Vec<bool>,
    /// Where a listed row goes on.
    pub(super) cursors: Vec<usize>,
    pub(super) terms: Products,
    pub(super) sizes: [f64; BLOCK],
}

impl Block {
    /// The weights of cells from `start` on.
    pub(super) fn weigh<'r>(&mut self, rows: impl Iterator<Item = Row<'r>>, start: usize, len: usize) {
        (self.start, self.len) = (start, len);
        for (k, row) in rows.enumerate() {
            let g = &mut self.g[k * BLOCK..k * BLOCK + len];
            g.fill(0.0);
            match row.support {
                Support::Run(first) => {
                    let (from, to) = (first.max(start), (first + row.weights.len()).min(start + len));
                    self.here[k] = from < to;
                    if from < to {
                        g[from - start..to - start].copy_from_slice(&row.weights[from - first..to - first]);
                    }
                }
                Support::List(cells) => {
                    if start == 0 {
                        self.cursors[k] = 0;
                    }
                    let begin = self.cursors[k];
                    let mut at = begin;
                    while at < cells.len() && (cells[at] as usize) < start + len {
                        g[cells[at] as usize - start] = row.weights[at];
                        at += 1;
                    }
                    self.here[k] = at > begin;
                    self.cursors[k] = at;
                }
            }
        }
    }

    /// `sum g u` and `sum |g u|` of row `k` over `values`.
    pub(super) fn amount(&mut self, arch: Arch, k: usize, of_after: bool, amount: &mut Exact, size: &mut Exact) {
        let values = if of_after { &self.after } else { &self.u };
        self.terms.fill(arch, &self.g[k * BLOCK..k * BLOCK + self.len], &values[..self.len]);
        for (size, product) in self.sizes[..self.len].iter_mut().zip(&self.terms.product) {
            *size = product.abs();
        }
        amount.add_split(arch, &self.terms, self.len);
        size.add_block(arch, &self.sizes[..self.len]);
    }

    /// `sum v g_k g_l`, of the variances in `w`.
    pub(super) fn row_covariance(&mut self, arch: Arch, k: usize, l: usize, sum: &mut Exact) {
        let of = |k: usize| k * BLOCK..k * BLOCK + self.len;
        self.terms.fill_weighted(arch, &self.w[..self.len], &self.g[of(k)], &self.g[of(l)]);
        sum.add_split(arch, &self.terms, self.len);
    }
}

/// `u = clip(u - v w)` rounded to storage, or not. As in [`linear::subtract`], what is left of a cell that the correction cancels is 0.
pub(super) fn moved(
    arch: Arch,
    dtype: Option<Dtype>,
    v: &[f64],
    w: &[f64],
    lower: &[f64],
    upper: &[f64],
    u: &mut [f64],
) {
    let narrow = dtype == Some(Dtype::F32);
    dispatch!(arch, (
        v: &'a [f64] = v, w: &'a [f64] = w, lower: &'a [f64] = lower, upper: &'a [f64] = upper,
        u: &'a mut [f64] = u, narrow: bool = narrow,
    ) -> () {
        for ((((u, v), w), low), high) in u.iter_mut().zip(v).zip(w).zip(lower).zip(upper) {
            let by = v * w;
            let x = *u - by;
            let x = if x.abs() <= 8.0 * f64::EPSILON * u.abs() { 0.0 } else { x };
            let x = if by == 0.0 { *u } else { x };
            let x = if narrow { x as f32 as f64 } else { x };
            let raised = if x < *low { *low } else { x };
            *u = if raised > *high { *high } else { raised };
        }
    });
}

/// `max |a - b|`
pub(super) fn furthest(arch: Arch, a: &[f64], b: &[f64]) -> f64 {
    dispatch!(arch, (a: &'a [f64] = a, b: &'a [f64] = b) -> f64 {
        const LANES: usize = 8;
        let mut most = [0.0; LANES];
        let ((a8, a), (b8, b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a8.iter().zip(b8) {
            for l in 0..LANES {
                let d = (a[l] - b[l]).abs();
                most[l] = if d > most[l] { d } else { most[l] };
            }
        }
        let rest = a.iter().zip(b).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        most.iter().fold(rest, |m, x| m.max(*x))
    })
}

/// The posterior variances of one row's cells.
pub(super) fn shrunk(arch: Arch, shrink: Shrink, v: &[f64], g: &[f64], out: &mut [f64]) {
    dispatch!(arch, (shrink: Shrink = shrink, v: &'a [f64] = v, g: &'a [f64] = g, out: &'a mut [f64] = out) -> () {
        for ((out, v), g) in out.iter_mut().zip(v).zip(g) {
            *out = shrink.apply(*v, *g);
        }
    });
}

/// `share += (sum of rows so far)^2 / pivot` of row k of `L^-1 g`, whose rows lie in `h`: forward substitution, cell by cell.
pub(super) fn substitute(arch: Arch, k: usize, factor: &[f64], pivot: f64, h: &mut [f64], share: &mut [f64]) {
    dispatch!(arch, (
        k: usize = k, factor: &'a [f64] = factor, pivot: f64 = pivot, h: &'a mut [f64] = h, share: &'a mut [f64] = share,
    ) -> () {
        let (before, here) = h.split_at_mut(k * BLOCK);
        let here = &mut here[..share.len()];
        for (j, l) in factor[..k].iter().enumerate() {
            here.iter_mut().zip(&before[j * BLOCK..]).for_each(|(h, b)| *h -= l * b);
        }
        share.iter_mut().zip(&*here).for_each(|(s, h)| *s += h * h / pivot);
    });
}
