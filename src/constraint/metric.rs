//! The prior of one slice as numbers: `Sigma G'`, marginal variances, draws. Never an n x n matrix but the caller's own.

use pulp::Arch;

use super::prior::Prior;
use super::rows::{Row, Rows, Support};
use super::system::{self, Assemble, Columns, Factor, MOST_SHARED, Number, Pattern, Stretch};
use crate::error::{Result, fail, zeros};
use crate::kernels::double::Double;
use crate::kernels::linear::{self, Where};
use crate::kernels::product::{self, Packed, Start};
use crate::kernels::random::Philox;
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

    /// Takes the data of a slice. `mean` changes where the prior smooths it.
    pub fn prepare(&mut self, slice: usize, data: Option<&View>, mean: &mut [f64]) -> Result<()> {
        let Some(data) = data else { return Ok(()) };
        let n = self.kind.cells;
        match self.kind.prior {
            Prior::Identity => Ok(()),
            Prior::Scalar => {
                let mut value = [0.0];
                data.gather(0, &mut value);
                self.v.fill(value[0]);
                self.check_variances(slice, "variance")
            }
            Prior::Diagonal => {
                data.gather(0, &mut self.v);
                self.check_variances(slice, "variance")
            }
            Prior::Smoothed => {
                data.gather(0, &mut self.v);
                self.check_variances(slice, "variance")?;
                if let Some(cell) = self.v.iter().position(|&v| v == 0.0) {
                    return fail!(
                        Variance,
                        "variance: slice {slice}, cell {cell} is 0, expected above 0 to be smoothed"
                    );
                }
                self.second_differences();
                self.centre.copy_from_slice(&self.v);
                self.v.fill(1.0);
                self.factor_band(slice)?;
                self.smooth(mean);
                self.invert_band();
                Ok(())
            }
            Prior::CovarianceBand => {
                self.read_band(slice, data)?;
                self.sigma.copy_from_slice(&self.band[..n]);
                self.check_marginals(slice)?;
                // Held cells make it semidefinite, which a factor cannot tell from indefinite.
                if self.kind.held_cells { Ok(()) } else { self.check_covariance_band(slice) }
            }
            Prior::PrecisionBand => {
                self.read_band(slice, data)?;
                self.factor_band(slice)?;
                self.invert_band();
                Ok(())
            }
            Prior::LowRank => {
                data.gather(0, &mut self.v);
                let refused = |x: &f64| !(x.is_finite() && *x >= 0.0);
                if let Some(cell) = self.v.iter().position(refused) {
                    let (v, finite) = (self.v[cell], self.v[cell].is_finite());
                    return if finite {
                        fail!(
                            Variance,
                            "variance: slice {slice}, diagonal at cell {cell} is {v:e}, expected at least 0"
                        )
                    } else {
                        fail!(NonFinite, "variance: slice {slice}, diagonal at cell {cell} is {v}")
                    };
                }
                Ok(())
            }
            Prior::Ensemble => {
                self.v.fill(0.0);
                Ok(())
            }
            Prior::Dense => self.check_dense(slice, data),
        }
    }

    fn check_variances(&self, slice: usize, name: &str) -> Result<()> {
        let arch = Arch::new();
        if !linear::is_finite(arch, &self.v) {
            let cell = self.v.iter().position(|v| !v.is_finite()).unwrap_or(0);
            return fail!(
                NonFinite,
                "{name}: slice {slice}, cell {cell} is {}, expected a finite number",
                self.v[cell]
            );
        }
        let held = self.kind.held_cells;
        let refused = |v: f64| v < 0.0 || (v == 0.0 && !held);
        if refused(linear::range(arch, &self.v).0) {
            let cell = self.v.iter().position(|&v| refused(v)).unwrap_or(0);
            let expected = if held { "at least 0" } else { "above 0 (or held cells admitted)" };
            return fail!(Variance, "{name}: slice {slice}, cell {cell} is {:e}, expected {expected}", self.v[cell]);
        }
        Ok(())
    }

    fn check_marginals(&self, slice: usize) -> Result<()> {
        let refused = |v: &f64| !(v.is_finite() && (*v > 0.0 || (*v == 0.0 && self.kind.held_cells)));
        match self.sigma.iter().position(refused) {
            None => Ok(()),
            Some(cell) if self.sigma[cell].is_finite() => {
                fail!(
                    Variance,
                    "variance: slice {slice}, the variance of cell {cell} is {:e}, expected above 0",
                    self.sigma[cell]
                )
            }
            Some(cell) => {
                fail!(NonFinite, "variance: slice {slice}, the variance of cell {cell} is {}", self.sigma[cell])
            }
        }
    }

    fn read_band(&mut self, slice: usize, data: &View) -> Result<()> {
        let n = self.kind.cells;
        data.gather(0, &mut self.band);
        for d in 0..=self.kind.size {
            // Entries that leave the matrix are whatever the caller left there.
            self.band[d * n + n - d..(d + 1) * n].fill(0.0);
        }
        match self.band.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                fail!(NonFinite, "variance: slice {slice}, entry ({}, {}) is {}", at / n, at % n, self.band[at])
            }
        }
    }

    /// The precision `diag(1/v) + D' diag(1/noise) D`, D the second differences.
    fn second_differences(&mut self) {
        let (n, a) = (self.kind.cells, self.kind.smoothing);
        self.band.fill(0.0);
        for (p, v) in self.band[..n].iter_mut().zip(&self.v) {
            *p = 1.0 / v;
        }
        for i in 0..n - 2 {
            let v = &self.v[i..i + 3];
            let s = [v[0].sqrt(), v[1].sqrt(), v[2].sqrt()];
            let noise =
                v[0] + 4.0 * v[1] + v[2] - 4.0 * a * s[0] * s[1] + 2.0 * a * a * s[0] * s[2] - 4.0 * a * s[1] * s[2];
            let row = [1.0, -2.0, 1.0];
            for p in 0..3 {
                for q in p..3 {
                    self.band[(q - p) * n + i + p] += row[p] * row[q] / noise;
                }
            }
        }
    }

    /// Cholesky within the band.
    fn factor_band(&mut self, slice: usize) -> Result<()> {
        let (n, w) = (self.kind.cells, self.kind.width());
        match factor_band(&mut self.band, n, w) {
            None => Ok(()),
            Some(cell) => {
                fail!(Variance, "variance: slice {slice}, the precision is not positive definite at cell {cell}")
            }
        }
    }

    /// Entries of the inverse within the band from the factor, last column first (Takahashi's equations).
    fn invert_band(&mut self) {
        let (n, w) = (self.kind.cells, self.kind.width());
        let (l, z) = (&self.band, &mut self.other);
        let at = |d: usize, i: usize| d * n + i;
        for j in (0..n).rev() {
            let pivot = l[at(0, j)];
            let reach = w.min(n - 1 - j);
            for d in (0..=reach).rev() {
                // Z_(j+d, j) = [d = 0] / L_jj^2 - sum_k L_(j+k, j) / L_jj Z_(j+d, j+k)
                let mut sum = 0.0;
                for k in 1..=reach {
                    let (low, high) = if k <= d { (k, d) } else { (d, k) };
                    sum += l[at(k, j)] * z[at(high - low, j + low)];
                }
                z[at(d, j)] = (if d == 0 { 1.0 / pivot } else { 0.0 } - sum) / pivot;
            }
        }
        self.sigma.copy_from_slice(&self.other[..n]);
    }

    /// `F` row `j` of [`Prior::LowRank`], or a sample's scaled departure from the mean, into `line`.
    fn factor_row(&mut self, data: &View, j: usize) {
        let n = self.kind.cells;
        match self.kind.prior {
            Prior::LowRank => data.gather((j + 1) * n, &mut self.line),
            _ => {
                let scale = 1.0 / ((self.kind.size - 1) as f64).sqrt();
                data.gather(j * n, &mut self.line);
                self.line.iter_mut().zip(&self.centre).for_each(|(x, c)| *x = (*x - c) * scale);
            }
        }
    }

    /// Whether [`Metric::assemble`] is the first to read the prior's data.
    pub fn reads_late(&self) -> bool {
        self.kind.factors() > 0
    }

    /// Where the factors lie in the data, and what scales them.
    fn factor_rows(&self) -> (usize, f64) {
        match self.kind.prior {
            Prior::LowRank => (1, 1.0),
            _ => (0, 1.0 / ((self.kind.size - 1) as f64).sqrt()),
        }
    }

    /// The factors on some cells into `block`, a line each: rows of F, or what samples depart from their mean.
    fn read_factors(&mut self, data: &View, start: usize, count: usize) {
        let (n, arch) = (self.kind.cells, Arch::new());
        let (skip, scale) = self.factor_rows();
        let centre = &self.centre[start..start + count];
        for (j, line) in self.block.chunks_exact_mut(ACROSS).enumerate() {
            let from = (j + skip) * n + start;
            match data.as_slice::<f64>(from, count) {
                Some(x) => linear::centre(arch, x, centre, scale, &mut line[..count]),
                None => {
                    data.gather(from, &mut self.line[..count]);
                    linear::centre(arch, &self.line[..count], centre, scale, &mut line[..count]);
                }
            }
        }
    }

    /// Marginal variances, and `F G'` into `gain`, in one pass over the data.
    fn gain_of_factors(&mut self, slice: usize, data: &View, rows: &Rows, pattern: &Pattern) -> Result<()> {
        let (n, m, arch) = (self.kind.cells, pattern.len(), Arch::new());
        self.gain.fill(0.0);
        self.sigma.copy_from_slice(&self.v);
        self.centre.fill(0.0);
        for start in (0..n).step_by(ACROSS) {
            let count = ACROSS.min(n - start);
            let cells = start..start + count;
            if self.kind.prior == Prior::Ensemble {
                for j in 0..self.kind.size {
                    let x = read(data, j * n + start, &mut self.line[..count]);
                    linear::spread(arch, x, Where::Run(0), 1.0, &mut self.centre[cells.clone()]);
                }
                let size = self.kind.size as f64;
                self.centre[cells.clone()].iter_mut().for_each(|c| *c /= size);
            }
            self.read_factors(data, start, count);
            for (j, line) in self.block.chunks_exact(ACROSS).enumerate() {
                linear::add_squares(arch, &line[..count], &mut self.sigma[cells.clone()]);
                for at in 0..m {
                    let row = rows.row(pattern.order[at] as usize);
                    self.gain[j * m + at] += part_of(arch, &row, start, &line[..count]);
                }
            }
        }
        if let Some(cell) = self.sigma.iter().position(|s| !s.is_finite()) {
            let first = self.factor_rows().0;
            for j in first..first + self.kind.size {
                let mut value = [0.0];
                data.gather(j * n + cell, &mut value);
                if !value[0].is_finite() {
                    return fail!(NonFinite, "variance: slice {slice}, entry ({j}, {cell}) is {}", value[0]);
                }
            }
            return fail!(NonFinite, "variance: slice {slice}, the variance of cell {cell} overflows");
        }
        if self.kind.prior == Prior::Ensemble { Ok(()) } else { self.check_marginals(slice) }
    }

    /// Marginals, and that Sigma is finite and symmetric to rounding.
    fn check_dense(&mut self, slice: usize, data: &View) -> Result<()> {
        let n = self.kind.cells;
        let entry = |i: usize, j: usize| {
            let mut value = [0.0];
            data.gather(i * n + j, &mut value);
            value[0]
        };
        for i in 0..n {
            self.sigma[i] = entry(i, i);
        }
        self.check_marginals(slice)?;
        let slack = 8.0 * data.dtype().epsilon();
        if let Some(whole) = data.as_slice::<f64>(0, n * n)
            && linear::is_symmetric(Arch::new(), whole, n, slack)
        {
            return Ok(());
        }
        for i in 0..n {
            for j in 0..i {
                let (a, b) = (entry(i, j), entry(j, i));
                let off = (a - b).abs();
                if !off.is_finite() {
                    return fail!(NonFinite, "variance: slice {slice}, ({i}, {j}) is {a} and ({j}, {i}) is {b}");
                }
                if off > slack * (a.abs() + b.abs()) {
                    return fail!(
                        Variance,
                        "variance: slice {slice}, ({i}, {j}) is {a:e} and ({j}, {i}) is {b:e}, expected a symmetric matrix"
                    );
                }
            }
        }
        Ok(())
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
        let spread_rows = |w: &mut [f64]| {
            for (&k, &lambda) in pattern.order.iter().zip(lambda) {
                if lambda != 0.0 {
                    let row = rows.row(k as usize);
                    linear::spread(arch, row.weights, place(&row), lambda, w);
                }
            }
        };
        match self.kind.prior {
            prior if prior.is_diagonal() => spread_rows(w),
            Prior::LowRank | Prior::Ensemble => {
                if self.kind.prior == Prior::LowRank {
                    spread_rows(w);
                    w.iter_mut().zip(&self.v).for_each(|(w, v)| *w *= v);
                }
                let Some(data) = data else { return };
                for (start, w) in w.chunks_mut(ACROSS).enumerate().map(|(k, w)| (k * ACROSS, w)) {
                    self.read_factors(data, start, w.len());
                    for (line, y) in self.block.chunks_exact(ACROSS).zip(self.gain.chunks_exact(m)) {
                        let c: f64 = y.iter().zip(lambda).map(|(y, l)| y * l).sum();
                        linear::spread(arch, &line[..w.len()], Where::Run(0), c, w);
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
                    *out = (sigma - share).clamp(0.0, sigma);
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

    /// Prepares draws, beyond [`Metric::prepare`].
    pub fn prepare_draws(&mut self, slice: usize, data: Option<&View>) -> Result<()> {
        let n = self.kind.cells;
        let refused = |cell: usize| -> Result<()> {
            fail!(Variance, "variance: slice {slice}, the covariance is not positive definite at cell {cell}")
        };
        match (self.kind.prior, data) {
            (Prior::CovarianceBand, _) => self.check_covariance_band(slice),
            (Prior::Dense, Some(data)) => {
                if let Some((at, x)) = data.first_non_finite() {
                    return fail!(NonFinite, "variance: slice {slice}, ({}, {}) is {x}", at / n, at % n);
                }
                data.gather(0, &mut self.root);
                factor_dense(&mut self.root, n).map_or(Ok(()), refused)
            }
            _ => Ok(()),
        }
    }

    /// Leaves the band's factor in `other`.
    fn check_covariance_band(&mut self, slice: usize) -> Result<()> {
        self.other.copy_from_slice(&self.band);
        match factor_band(&mut self.other, self.kind.cells, self.kind.size) {
            None => Ok(()),
            Some(cell) => {
                fail!(Variance, "variance: slice {slice}, the covariance is not positive definite at cell {cell}")
            }
        }
    }

    /// Adds `Sigma^(1/2) z` to `x`, z the draws of a stream.
    pub fn add_draw(&mut self, random: &Philox, stream: u64, data: Option<&View>, z: &mut [f64], x: &mut [f64]) {
        let (n, w) = (self.kind.cells, self.kind.width());
        random.normals(stream, 0, &mut z[..n]);
        match self.kind.prior {
            Prior::Identity | Prior::Scalar | Prior::Diagonal | Prior::LowRank => {
                for ((x, z), v) in x.iter_mut().zip(&*z).zip(&self.v) {
                    *x += v.sqrt() * z;
                }
            }
            Prior::CovarianceBand => {
                for j in 0..n {
                    for d in 0..=w.min(n - 1 - j) {
                        x[j + d] += self.other[d * n + j] * z[j];
                    }
                }
            }
            Prior::PrecisionBand | Prior::Smoothed => {
                backward_band(&self.band, n, w, &mut z[..n], 1);
                x.iter_mut().zip(&*z).for_each(|(x, z)| *x += z);
            }
            Prior::Dense => {
                for (i, x) in x.iter_mut().enumerate() {
                    *x += self.root[i * n..i * n + i + 1].iter().zip(&*z).map(|(l, z)| l * z).sum::<f64>();
                }
            }
            Prior::Ensemble => {}
        }
        if let (Prior::LowRank | Prior::Ensemble, Some(data)) = (self.kind.prior, data) {
            // Draws of the factors follow those of the cells in the stream, from an even place on.
            let first = (n as u64).next_multiple_of(2);
            for j in 0..self.kind.size {
                let mut c = [0.0; 2];
                random.normals(stream, first + (j as u64 & !1), &mut c);
                self.factor_row(data, j);
                linear::spread(Arch::new(), &self.line, Where::Run(0), c[j & 1], x);
            }
        }
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
    (-v).mul_add(share.min(1.0), v).max(0.0)
}

/// `sum g x` over the cells of a row among `start ..`, whose values are `x`.
fn part_of(arch: Arch, row: &Row, start: usize, x: &[f64]) -> f64 {
    match row.support {
        Support::Run(first) => {
            let from = first.max(start);
            let to = (first + row.weights.len()).min(start + x.len());
            if from >= to {
                return 0.0;
            }
            linear::dot(arch, &row.weights[from - first..to - first], Where::Run(from - start), x).0.high
        }
        Support::List(cells) => {
            let from = cells.partition_point(|&cell| (cell as usize) < start);
            let to = cells.partition_point(|&cell| (cell as usize) < start + x.len());
            let terms = cells[from..to].iter().zip(&row.weights[from..to]);
            terms.map(|(&cell, g)| g * x[cell as usize - start]).sum()
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

/// Cholesky of a banded matrix in place; the first cell without a positive pivot, if any.
fn factor_band(a: &mut [f64], n: usize, w: usize) -> Option<usize> {
    for j in 0..n {
        let pivot = a[j];
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Some(j);
        }
        let root = pivot.sqrt();
        a[j] = root;
        let reach = w.min(n - 1 - j);
        for d in 1..=reach {
            a[d * n + j] /= root;
        }
        for p in 1..=reach {
            let l = a[p * n + j];
            for q in p..=reach {
                a[(q - p) * n + j + p] -= l * a[q * n + j];
            }
        }
    }
    None
}

/// Solves `L L' x = x` for `m` right-hand sides side by side.
fn solve_band(l: &[f64], n: usize, w: usize, x: &mut [f64], m: usize) {
    for j in 0..n {
        let (done, rest) = x[j * m..].split_at_mut(m);
        done.iter_mut().for_each(|x| *x /= l[j]);
        for d in 1..=w.min(n - 1 - j) {
            let entry = l[d * n + j];
            rest[(d - 1) * m..d * m].iter_mut().zip(&*done).for_each(|(r, x)| *r -= entry * x);
        }
    }
    backward_band(l, n, w, x, m);
}

/// Solves `L' x = x`.
fn backward_band(l: &[f64], n: usize, w: usize, x: &mut [f64], m: usize) {
    for j in (0..n).rev() {
        let (own, rest) = x[j * m..].split_at_mut(m);
        for d in 1..=w.min(n - 1 - j) {
            let entry = l[d * n + j];
            own.iter_mut().zip(&rest[(d - 1) * m..d * m]).for_each(|(x, r)| *x -= entry * r);
        }
        own.iter_mut().for_each(|x| *x /= l[j]);
    }
}

/// Cholesky of a dense matrix in its lower triangle; the first cell without a positive pivot, if any.
fn factor_dense(a: &mut [f64], n: usize) -> Option<usize> {
    for i in 0..n {
        let (before, rest) = a.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let other = &before[j * n..j * n + j + 1];
            let sum: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            row[j] = if other[j] > 0.0 { (row[j] - sum) / other[j] } else { 0.0 };
        }
        let pivot = row[i] - row[..i].iter().map(|x| x * x).sum::<f64>();
        // A covariance of lower rank leaves rounding here, which is no refusal.
        if pivot.is_nan() || pivot <= -1e-12 * row[i] {
            return Some(i);
        }
        row[i] = pivot.max(row[i] * f64::EPSILON * f64::EPSILON).sqrt();
    }
    None
}
