//! Posterior variances.

use pulp::Arch;

use super::{ACROSS, Metric};
use crate::constraint::prior::Prior;
use crate::constraint::rows::{Rows, Support};
use crate::constraint::system::{Columns, Factor, MOST_SHARED, Number, Pattern, Stretch};
use crate::kernels::linear;
use crate::kernels::strided::View;

impl Metric {
    /// Posterior variances into `out`: `sigma_i - a_i S^-1 a_i'`, never below 0 nor above `sigma_i`.
    #[allow(clippy::too_many_arguments)]
    pub fn shrink<T: Number>(
        &mut self,
        rows: &Rows,
        columns: &Columns,
        stretches: &[Stretch],
        pattern: &Pattern,
        data: Option<&View>,
        factor: &mut Factor<T>,
        eight: &mut [[f64; 8]],
        out: &mut [f64],
    ) {
        if self.kind.prior.is_diagonal() {
            factor.begin_shares();
            let mut next = 0;
            for stretch in stretches {
                self.shrink_cells(columns, pattern, factor, next..stretch.first, out);
                next = stretch.first + stretch.cells;
                self.shrink_stretch(rows, columns, stretch, pattern, factor, out);
            }
            return self.shrink_cells(columns, pattern, factor, next..self.kind.cells, out);
        }
        let (n, m) = (self.kind.cells, pattern.len());
        let across = self.kind.factors() > 0;
        for start in (0..n).step_by(ACROSS) {
            let count = ACROSS.min(n - start);
            if let (true, Some(data)) = (across, data) {
                self.read_factors(data, start, count);
            }
            for first in (start..start + count).step_by(8) {
                let lanes = 8.min(start + count - first);
                for (at, y) in eight.iter_mut().enumerate() {
                    *y = [0.0; 8];
                    if across {
                        for (f, gain) in self.block.chunks_exact(ACROSS).zip(self.gain.chunks_exact(m)) {
                            for (y, f) in y.iter_mut().zip(&f[first - start..first - start + lanes]) {
                                *y += f * gain[at];
                            }
                        }
                    } else {
                        for (lane, y) in y[..lanes].iter_mut().enumerate() {
                            *y = self.gain[(first + lane) * m + at];
                        }
                    }
                }
                if self.kind.prior == Prior::LowRank {
                    for (lane, cell) in (first..first + lanes).enumerate() {
                        for &(row, g) in columns.of(cell) {
                            eight[pattern.position[row as usize] as usize][lane] += self.v[cell] * g;
                        }
                    }
                }
                let share = factor.share_eight(pattern, eight);
                let cells = first..first + lanes;
                for ((out, &sigma), share) in out[cells.clone()].iter_mut().zip(&self.sigma[cells]).zip(share) {
                    *out = within(sigma - share, sigma);
                }
            }
        }
    }

    fn shrink_cells<T: Number>(
        &self,
        columns: &Columns,
        pattern: &Pattern,
        factor: &mut Factor<T>,
        cells: std::ops::Range<usize>,
        out: &mut [f64],
    ) {
        for cell in cells {
            out[cell] = diagonal_variance(columns, pattern, factor, cell, self.v[cell]);
        }
    }

    fn shrink_stretch<T: Number>(
        &self,
        rows: &Rows,
        columns: &Columns,
        stretch: &Stretch,
        pattern: &Pattern,
        factor: &mut Factor<T>,
        out: &mut [f64],
    ) {
        let Stretch { first, cells, .. } = *stretch;
        let count = stretch.rows.len();
        let mut block = [0.0; MOST_SHARED * MOST_SHARED];
        if !factor.inverse_block(pattern, &stretch.positions, first as u32, &mut block) {
            factor.begin_shares();
            return self.shrink_cells(columns, pattern, factor, first..first + cells, out);
        }
        let mut g: [&[f64]; MOST_SHARED] = [&[]; MOST_SHARED];
        for (g, &k) in g.iter_mut().zip(&stretch.rows) {
            let row = rows.row(k as usize);
            if let Support::Run(from) = row.support {
                *g = &row.weights[first - from..first - from + cells];
            }
        }
        let part = first..first + cells;
        linear::shrink(Arch::new(), &g[..count], &block, &self.v[part.clone()], &mut out[part]);
    }
}

/// `v - v^2 g' S^-1 g`, g the weights on the cell.
fn diagonal_variance<T: Number>(
    columns: &Columns,
    pattern: &Pattern,
    factor: &mut Factor<T>,
    cell: usize,
    v: f64,
) -> f64 {
    let rows = columns.of(cell);
    if rows.is_empty() || v == 0.0 {
        return v;
    }
    let terms = rows.iter().map(|&(row, g)| (pattern.position[row as usize] as usize, g));
    let share = v * factor.share(pattern, terms, cell as u32);
    within((-v).mul_add(if share > 1.0 { 1.0 } else { share }, v), v)
}

/// Between 0 and the variance before; what is no number stays none, and is refused.
fn within(left: f64, before: f64) -> f64 {
    let left = if left < 0.0 { 0.0 } else { left };
    if left > before { before } else { left }
}
