//! The prior of one slice as numbers: `Sigma G'`, marginal variances, draws. Never an n x n matrix but the caller's own.

mod band;
mod draws;
mod shrink;
mod slice;

use band::solve_band;
use pulp::Arch;

use super::prior::Prior;
use super::rows::{Row, Rows, Support};
use super::system::{self, Assemble, Columns, Factor, Number, Pattern};
use crate::error::{Result, zeros};
use crate::kernels::double::Double;
use crate::kernels::linear::{self, Where};
use crate::kernels::product::{self, Packed, Start};
use crate::kernels::strided::View;

/// Rows of a dense matrix that are handled at a time.
const BLOCK: usize = 64;
/// Cells that are handled at a time where factors or samples are read across: 32 samples of them fit a second-level cache.
const ACROSS: usize = 512;

/// What kind of prior over how many cells; fixed in the projector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub prior: Prior,
    /// Off-diagonals of a band, rank, samples.
    pub size: usize,
    /// `a` of [`Prior::Smoothed`].
    pub smoothing: f64,
    pub cells: usize,
    /// A variance of 0 holds its cell.
    pub held_cells: bool,
}

impl Kind {
    fn width(&self) -> usize {
        if self.prior == Prior::Smoothed { 2 } else { self.size }
    }

    fn factors(&self) -> usize {
        if matches!(self.prior, Prior::LowRank | Prior::Ensemble) { self.size } else { 0 }
    }
}

/// Working memory, and after [`Metric::prepare`] the prior of a slice.
pub(super) struct Metric {
    kind: Kind,
    /// A variance a cell; of a prior that correlates cells its own diagonal part, or 1.
    pub v: Vec<f64>,
    /// Marginal prior variances of a prior that correlates cells.
    sigma: Vec<f64>,
    /// Mean of the samples; or the variances that a smoothed prior came from.
    centre: Vec<f64>,
    /// A banded matrix or its factor L, entry `(d, i)` at `d n + i`: row `i + d`, column `i`.
    band: Vec<f64>,
    /// The inverse of a precision within the band, or the factor of a covariance.
    other: Vec<f64>,
    /// `Sigma G'` by cells, or `F G'` by factors; rows of G by position.
    gain: Vec<f64>,
    line: Vec<f64>,
    block: Vec<f64>,
    /// A dense prior's factor, for draws.
    root: Vec<f64>,
}

pub(super) fn place<'a>(row: &Row<'a>) -> Where<'a> {
    match row.support {
        Support::Run(first) => Where::Run(first),
        Support::List(cells) => Where::List(cells),
    }
}

/// Values `start ..` of a view, where they lie or gathered.
fn read<'a>(view: &'a View, start: usize, stage: &'a mut [f64]) -> &'a [f64] {
    match view.as_slice::<f64>(start, stage.len()) {
        Some(values) => values,
        None => {
            view.gather(start, stage);
            stage
        }
    }
}

impl Metric {
    /// `draws`: room for what draws need beside what projections do.
    pub fn new(kind: Kind, rows: usize, draws: bool) -> Result<Metric> {
        let what = "prior workspace";
        let n = kind.cells;
        let banded = matches!(kind.prior, Prior::CovarianceBand | Prior::PrecisionBand | Prior::Smoothed);
        let band = if banded { (kind.width() + 1).saturating_mul(n) } else { 0 };
        let gain = match kind.prior {
            _ if banded => n.saturating_mul(rows),
            Prior::Dense => n.saturating_mul(rows),
            _ => kind.factors().saturating_mul(rows),
        };
        let coupled = !kind.prior.is_diagonal();
        let mut v = zeros(n, what)?;
        v.fill(1.0);
        Ok(Metric {
            kind,
            v,
            sigma: zeros(if coupled { n } else { 0 }, what)?,
            centre: zeros(if kind.factors() > 0 || kind.prior == Prior::Smoothed { n } else { 0 }, what)?,
            band: zeros(band, what)?,
            other: zeros(band, what)?,
            gain: zeros(gain, what)?,
            line: zeros(if coupled { n } else { 0 }, what)?,
            block: zeros(
                match kind.prior {
                    Prior::Dense => BLOCK.saturating_mul(n),
                    _ => kind.factors().saturating_mul(ACROSS),
                },
                what,
            )?,
            root: zeros(if draws && kind.prior == Prior::Dense { n.saturating_mul(n) } else { 0 }, what)?,
        })
    }

    /// Whether [`Metric::assemble`] is the first to read the prior's data.
    pub fn reads_late(&self) -> bool {
        self.kind.factors() > 0
    }

    /// Fills S, without noise for rows that `noise` says so, and keeps `Sigma G'`.
    #[allow(clippy::too_many_arguments)]
    pub fn assemble<T: Assemble>(
        &mut self,
        rows: &Rows,
        columns: &Columns,
        packed: Option<&Packed<f64>>,
        pattern: &Pattern,
        slice: usize,
        data: Option<&View>,
        factor: &mut Factor<T>,
    ) -> Result<()> {
        let noise = |k: usize| rows.row(k).noise;
        let (n, m) = (self.kind.cells, pattern.len());
        match self.kind.prior {
            prior if prior.is_diagonal() => {
                system::assemble(rows, pattern, &self.v, noise, factor);
                return Ok(());
            }
            Prior::LowRank | Prior::Ensemble => {
                let Some(data) = data else { return Ok(()) };
                self.gain_of_factors(slice, data, rows, pattern)?;
                system::assemble(rows, pattern, &self.v, noise, factor);
                for y in self.gain.chunks_exact(m) {
                    add_outer(pattern, y, y, factor);
                }
                return Ok(());
            }
            Prior::Dense => {
                let (Some(data), Some(packed)) = (data, packed) else { return Ok(()) };
                for start in (0..n).step_by(BLOCK) {
                    let count = BLOCK.min(n - start);
                    let x = read(data, start * n, &mut self.block[..count * n]);
                    let x = product::Rows { data: x, stride: n, count };
                    product::product(Arch::new(), x, packed, Start::Zero, false, &mut self.gain[start * m..], m);
                }
            }
            Prior::CovarianceBand => {
                self.gain.fill(0.0);
                for j in 0..n {
                    for &(row, g) in columns.of(j) {
                        let at = pattern.position[row as usize] as usize;
                        for d in 0..=self.kind.size.min(n - 1 - j) {
                            self.gain[(j + d) * m + at] += self.band[d * n + j] * g;
                        }
                        for d in 1..=self.kind.size.min(j) {
                            self.gain[(j - d) * m + at] += self.band[d * n + j - d] * g;
                        }
                    }
                }
            }
            _ => {
                self.gain.fill(0.0);
                for j in 0..n {
                    for &(row, g) in columns.of(j) {
                        self.gain[j * m + pattern.position[row as usize] as usize] = g;
                    }
                }
                solve_band(&self.band, n, self.kind.width(), &mut self.gain, m);
            }
        }
        for at in 0..m {
            factor.diagonal[at] = T::of(Default::default());
        }
        factor.below.fill(T::of(Default::default()));
        for j in 0..n {
            let a = &self.gain[j * m..(j + 1) * m];
            for &(row, g) in columns.of(j) {
                let at = pattern.position[row as usize] as usize;
                let (near, range) = pattern.near(at);
                add(&mut factor.diagonal[at], g, a[at]);
                for (&other, s) in near.iter().zip(&mut factor.below[range]) {
                    add(s, g, a[other as usize]);
                }
            }
        }
        for at in 0..m {
            add(&mut factor.diagonal[at], 1.0, noise(pattern.order[at] as usize));
        }
        Ok(())
    }

    /// `w = Sigma G' lambda`, short of the factor `v` of a diagonal prior; lambda by positions.
    pub fn apply(&mut self, rows: &Rows, pattern: &Pattern, data: Option<&View>, lambda: &[f64], w: &mut [f64]) {
        let arch = Arch::new();
        let m = pattern.len();
        w.fill(0.0);
        let add_rows = |w: &mut [f64]| {
            for (&k, &lambda) in pattern.order.iter().zip(lambda) {
                if lambda != 0.0 {
                    let row = rows.row(k as usize);
                    linear::add_multiple(arch, row.weights, place(&row), lambda, w);
                }
            }
        };
        match self.kind.prior {
            prior if prior.is_diagonal() => add_rows(w),
            Prior::LowRank | Prior::Ensemble => {
                if self.kind.prior == Prior::LowRank {
                    add_rows(w);
                    w.iter_mut().zip(&self.v).for_each(|(w, v)| *w *= v);
                }
                let Some(data) = data else { return };
                for (start, w) in w.chunks_mut(ACROSS).enumerate().map(|(k, w)| (k * ACROSS, w)) {
                    self.read_factors(data, start, w.len());
                    for (line, y) in self.block.chunks_exact(ACROSS).zip(self.gain.chunks_exact(m)) {
                        let c: f64 = y.iter().zip(lambda).map(|(y, l)| y * l).sum();
                        linear::add_multiple(arch, &line[..w.len()], Where::Run(0), c, w);
                    }
                }
            }
            _ => {
                for (w, a) in w.iter_mut().zip(self.gain.chunks_exact(m)) {
                    *w = a.iter().zip(lambda).map(|(a, l)| a * l).sum();
                }
            }
        }
    }

    /// `P^-1 diag(1/v) x`, P the precision of a smoothed prior.
    pub fn smooth(&self, x: &mut [f64]) {
        x.iter_mut().zip(&self.centre).for_each(|(x, v)| *x /= v);
        solve_band(&self.band, self.kind.cells, self.kind.width(), x, 1);
    }

    /// The transpose of [`Metric::smooth`].
    pub fn smooth_back(&self, x: &mut [f64]) {
        solve_band(&self.band, self.kind.cells, self.kind.width(), x, 1);
        x.iter_mut().zip(&self.centre).for_each(|(x, v)| *x /= v);
    }

    /// `G Sigma x`, by positions.
    pub fn adjoint(
        &mut self,
        rows: &Rows,
        pattern: &Pattern,
        data: Option<&View>,
        x: &[f64],
        w: &mut [f64],
        out: &mut [f64],
    ) {
        let m = pattern.len();
        let arch = Arch::new();
        if self.kind.prior.is_diagonal() || self.kind.factors() > 0 {
            w.iter_mut().zip(x).zip(&self.v).for_each(|((w, x), v)| *w = v * x);
            for (out, &k) in out.iter_mut().zip(&pattern.order) {
                let row = rows.row(k as usize);
                *out = linear::dot(arch, row.weights, place(&row), w).0.high;
            }
            for j in 0..self.kind.factors() {
                let Some(data) = data else { return };
                self.factor_row(data, j);
                let c = linear::dot(arch, &self.line, Where::Run(0), x).0.high;
                out.iter_mut().zip(&self.gain[j * m..]).for_each(|(out, y)| *out += c * y);
            }
            return;
        }
        out.fill(0.0);
        for (a, x) in self.gain.chunks_exact(m).zip(x) {
            out.iter_mut().zip(a).for_each(|(out, a)| *out += a * x);
        }
    }

    /// Prior variance of a cell.
    pub fn variance(&self, cell: usize) -> f64 {
        if self.kind.prior.is_diagonal() { self.v[cell] } else { self.sigma[cell] }
    }

    /// `Sigma_(i, .) G'` of one cell of a prior that correlates cells, by positions.
    pub fn cell_gain(&self, rows: &Columns, pattern: &Pattern, data: Option<&View>, cell: usize, a: &mut [f64]) {
        let m = pattern.len();
        match (self.kind.prior, data) {
            (Prior::LowRank | Prior::Ensemble, Some(data)) => {
                a.fill(0.0);
                for &(row, g) in rows.of(cell) {
                    a[pattern.position[row as usize] as usize] = self.v[cell] * g;
                }
                for j in 0..self.kind.size {
                    let f = self.factor_at(data, j, cell);
                    a.iter_mut().zip(&self.gain[j * m..]).for_each(|(a, y)| *a += f * y);
                }
            }
            _ => a.copy_from_slice(&self.gain[cell * m..(cell + 1) * m]),
        }
    }

    fn factor_at(&self, data: &View, j: usize, cell: usize) -> f64 {
        let n = self.kind.cells;
        let mut x = [0.0];
        match self.kind.prior {
            Prior::LowRank => data.gather((j + 1) * n + cell, &mut x),
            _ => {
                data.gather(j * n + cell, &mut x);
                x[0] = (x[0] - self.centre[cell]) / ((self.kind.size - 1) as f64).sqrt();
            }
        }
        x[0]
    }

    /// `Sigma_ij` of a prior that correlates cells.
    pub fn covariance(&self, data: Option<&View>, i: usize, j: usize, column: &[f64]) -> f64 {
        let n = self.kind.cells;
        let (low, high) = (i.min(j), i.max(j));
        match (self.kind.prior, data) {
            (Prior::LowRank | Prior::Ensemble, Some(data)) => {
                let own = if i == j { self.v[i] } else { 0.0 };
                (0..self.kind.size).fold(own, |s, k| s + self.factor_at(data, k, low) * self.factor_at(data, k, high))
            }
            (Prior::CovarianceBand, _) if high - low <= self.kind.size => self.band[(high - low) * n + low],
            (Prior::CovarianceBand, _) => 0.0,
            (Prior::Dense, Some(data)) => {
                let mut x = [0.0];
                data.gather(high * n + low, &mut x);
                x[0]
            }
            _ => column[j],
        }
    }

    /// Column `i` of a banded precision's inverse, for [`Metric::covariance`]; other priors need none.
    pub fn column(&self, i: usize, column: &mut [f64]) {
        if matches!(self.kind.prior, Prior::PrecisionBand | Prior::Smoothed) {
            column.fill(0.0);
            column[i] = 1.0;
            solve_band(&self.band, self.kind.cells, self.kind.width(), column, 1);
        }
    }
}

#[inline(always)]
fn add<T: Number>(sum: &mut T, a: f64, b: f64) {
    *sum = sum.less_product(T::of(Double { high: -a, low: 0.0 }), T::of(Double { high: b, low: 0.0 }));
}

/// S += y z', below the diagonal and on it.
fn add_outer<T: Number>(pattern: &Pattern, y: &[f64], z: &[f64], factor: &mut Factor<T>) {
    for at in 0..pattern.len() {
        add(&mut factor.diagonal[at], y[at], z[at]);
        let (near, range) = pattern.near(at);
        for (&other, s) in near.iter().zip(&mut factor.below[range]) {
            add(s, y[at], z[other as usize]);
        }
    }
}
