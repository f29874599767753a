//! The data of one slice: read, checked, and what all rows need of them.

use pulp::Arch;

use super::band::factor_band;
use super::{ACROSS, Metric, read};
use crate::constraint::prior::{Prior, is_refused, refuse_variance};
use crate::constraint::rows::{Row, Rows, Support};
use crate::constraint::system::Pattern;
use crate::error::{Result, fail};
use crate::kernels::linear::{self, Where};
use crate::kernels::strided::View;

impl Metric {
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
        if is_refused(linear::range(arch, &self.v).0, held) {
            let cell = self.v.iter().position(|&v| is_refused(v, held)).unwrap_or(0);
            return refuse_variance(format_args!("{name}: slice {slice}, cell {cell}"), self.v[cell], held);
        }
        Ok(())
    }

    fn check_marginals(&self, slice: usize) -> Result<()> {
        let refused = |v: &f64| !v.is_finite() || is_refused(*v, self.kind.held_cells);
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
    pub(super) fn factor_row(&mut self, data: &View, j: usize) {
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

    /// Where the factors lie in the data, and what scales them.
    fn factor_rows(&self) -> (usize, f64) {
        match self.kind.prior {
            Prior::LowRank => (1, 1.0),
            _ => (0, 1.0 / ((self.kind.size - 1) as f64).sqrt()),
        }
    }

    /// The factors on some cells into `block`, a line each: rows of F, or what samples depart from their mean.
    pub(super) fn read_factors(&mut self, data: &View, start: usize, count: usize) {
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
    pub(super) fn gain_of_factors(&mut self, slice: usize, data: &View, rows: &Rows, pattern: &Pattern) -> Result<()> {
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
                    linear::add_multiple(arch, x, Where::Run(0), 1.0, &mut self.centre[cells.clone()]);
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
