//! The projection on any rows in any prior: one slice at a time, into working memory.

use pulp::Arch;

use super::metric::{Kind, Metric, place};
use super::prior::Prior;
use super::project::{MAX_STEPS, ProjectorOptions};
use super::report::{RowReport, SliceReport};
use super::rows::Rows;
use super::system::{self, Columns, Dependent, Factor, Pattern, Stretch};
use crate::error::{Result, collected, fail, zeros};
use crate::field::Dtype;
use crate::kernels::double::Double;
use crate::kernels::linear;
use crate::kernels::product::Packed;
use crate::kernels::strided::View;

/// Below this pivot, of a matrix with a diagonal near 1, S is summed and factored again in twice the precision.
const LEAST_SURE_PIVOT: f64 = 1e-6;

/// A pivot of a scaled S further below 0 is not rounding.
const INDEFINITE: f64 = 1e-8;

/// What a plan knows beside the rows: couplings, dependent rows, tolerances.
pub(super) struct Joint {
    pub kind: Kind,
    pub columns: Columns,
    pub pattern: Pattern,
    stretches: Vec<Stretch>,
    dependent: Vec<Dependent>,
    /// Rows that depend on others, by number.
    pub dropped: Vec<bool>,
    /// A dense prior multiplies these rows.
    packed: Option<Packed<f64>>,
    /// For f32 and f64 storage, a row each: what rounding at underflow can add to a residual.
    floor: [Vec<f64>; 2],
}

/// The arrays and right-hand sides of one slice.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub index: usize,
    pub mean: &'a View<'a>,
    pub data: Option<&'a View<'a>>,
    pub dtype: Dtype,
    /// Posterior variances are asked for.
    pub variances: bool,
}

/// Working memory for one slice.
pub(super) struct Work {
    pub metric: Metric,
    pub single: Factor<f64>,
    double: Option<Factor<Double>>,
    /// The last factorisation was in twice the precision.
    pub doubled: bool,
    /// The prior mean.
    pub mean: Vec<f64>,
    /// The posterior mean as stored.
    pub u: Vec<f64>,
    pub w: Vec<f64>,
    pub b: Vec<f64>,
    ones: Vec<f64>,
    /// Posterior variances, where covariances are asked for.
    pub marginal: Vec<f64>,
    /// By positions: residuals, a step of the multipliers, their sum.
    pub r: Vec<Double>,
    /// By positions: what the residuals are sums of, in magnitude.
    pub scale: Vec<f64>,
    pub step: Vec<f64>,
    pub lambda: Vec<f64>,
    eight: Vec<[f64; 8]>,
    /// By rows.
    pub rows: Vec<RowReport>,
    pub slice: SliceReport,
}

impl Joint {
    /// `coupled`: S is full, whatever the prior.
    pub fn new(rows: &Rows, cells: usize, prior: Prior, options: &ProjectorOptions, coupled: bool) -> Result<Joint> {
        prior.check(cells, options.prior_size, options.smoothing)?;
        // Cells and rows are marked by numbers of 32 bits, of which the last says none.
        if let Some(count) = [cells, rows.len()].into_iter().find(|count| *count > u32::MAX as usize) {
            return fail!(TooLarge, "projectors reach {} cells and rows, this one has {count}", u32::MAX);
        }
        let kind = Kind {
            prior,
            size: options.prior_size,
            smoothing: options.smoothing,
            cells,
            held_cells: options.held_cells,
        };
        let columns = Columns::new(rows, cells)?;
        let mut ones = zeros(cells, "projector")?;
        ones.fill(1.0);
        let dependent = system::dependent_rows(rows, &columns, &ones)?;
        let mut dropped = zeros(rows.len(), "projector")?;
        dependent.iter().for_each(|d| dropped[d.row] = true);
        let pattern = Pattern::new(rows, &columns, coupled || !prior.is_diagonal())?;
        let stretches =
            if prior.is_diagonal() { system::stretches(rows, &columns, &pattern, cells)? } else { Vec::new() };
        let mut packed = None;
        if prior == Prior::Dense {
            let mut dense = Packed::with_capacity(rows.len(), cells, "projector")?;
            let mut full = zeros::<f64>(rows.len().saturating_mul(cells), "projector")?;
            for (at, &k) in pattern.order.iter().enumerate() {
                let row = rows.row(k as usize);
                for (i, &g) in row.weights.iter().enumerate() {
                    full[at * cells + row.cell(i)] = g;
                }
            }
            dense.pack(rows.len(), cells, |o, k| full[o * cells + k]);
            packed = Some(dense);
        }
        let [single, double] =
            [Dtype::F32, Dtype::F64].map(|dtype| collected(rows.iter().map(|row| row.floor(dtype)), "projector"));
        let floor = [single?, double?];
        Ok(Joint { kind, columns, pattern, stretches, dependent, dropped, packed, floor })
    }

    pub fn work(&self, draws: bool) -> Result<Work> {
        let (n, m) = (self.kind.cells, self.pattern.len());
        let what = "projector workspace";
        let mut ones = zeros(if self.kind.prior.is_diagonal() { 0 } else { n }, what)?;
        ones.fill(1.0);
        Ok(Work {
            metric: Metric::new(self.kind, m, draws)?,
            single: Factor::new(&self.pattern)?,
            double: if self.kind.prior.is_diagonal() { Some(Factor::new(&self.pattern)?) } else { None },
            doubled: false,
            mean: zeros(n, what)?,
            u: zeros(n, what)?,
            w: zeros(n, what)?,
            b: zeros(m, what)?,
            ones,
            marginal: zeros(n, what)?,
            r: zeros(m, what)?,
            scale: zeros(m, what)?,
            step: zeros(m, what)?,
            lambda: zeros(m, what)?,
            eight: zeros(m, what)?,
            rows: zeros(m, what)?,
            slice: SliceReport::default(),
        })
    }

    /// Reads the mean and the prior's data, refusing what they must not be.
    pub fn prepare(&self, rows: &Rows, input: Input, work: &mut Work) -> Result<()> {
        self.read_mean(input, work)?;
        debug_assert_eq!(rows.len(), work.b.len());
        work.metric.prepare(input.index, input.data, &mut work.mean)
    }

    fn read_mean(&self, input: Input, work: &mut Work) -> Result<()> {
        let arch = Arch::new();
        input.mean.gather(0, &mut work.mean);
        if !linear::is_finite(arch, &work.mean) {
            let cell = work.mean.iter().position(|u| !u.is_finite()).unwrap_or(0);
            return fail!(
                NonFinite,
                "mean: slice {}, cell {cell} is {}, expected a finite number",
                input.index,
                work.mean[cell]
            );
        }
        for (k, b) in work.b.iter().enumerate() {
            if !b.is_finite() {
                return fail!(NonFinite, "b: slice {}, row {k} is {b}, expected a finite number", input.index);
            }
        }
        Ok(())
    }

    /// Sums and factors S.
    pub fn factor(&self, rows: &Rows, input: Input, work: &mut Work) -> Result<()> {
        let packed = self.packed.as_ref();
        let skip = |at: usize| self.dropped[self.pattern.order[at] as usize];
        let Work { metric, single, double, .. } = work;
        metric.assemble(rows, &self.columns, packed, &self.pattern, input.index, input.data, single)?;
        if let Some(at) = single.diagonal.iter().position(|s| !s.is_finite()) {
            let row = self.pattern.order[at];
            return fail!(NonFinite, "variance: slice {}, row {row}: sum g^2 v + s^2 overflows", input.index);
        }
        let least = single.factor(&self.pattern, skip, |_, _| {});
        if !self.kind.prior.is_diagonal() {
            let negative = single.diagonal.iter().any(|s| *s < 0.0);
            if negative || single.lowest < -INDEFINITE {
                return fail!(
                    Variance,
                    "variance: slice {}, the covariance is not positive definite: the rows see a negative variance",
                    input.index
                );
            }
        }
        let dead = |at: usize| !single.takes_part(at) && !skip(at);
        work.doubled = false;
        if (least < LEAST_SURE_PIVOT || (0..self.pattern.len()).any(dead))
            && let Some(double) = double
        {
            metric.assemble(rows, &self.columns, packed, &self.pattern, input.index, input.data, double)?;
            double.factor(&self.pattern, skip, |_, _| {});
            work.doubled = true;
        }
        Ok(())
    }

    pub fn takes_part(&self, work: &Work, at: usize) -> bool {
        match (&work.double, work.doubled) {
            (Some(double), true) => double.takes_part(at),
            _ => work.single.takes_part(at),
        }
    }

    /// `x = S^-1 r`, by positions.
    pub fn solve(&self, work: &mut Work) {
        let Work { single, double, doubled, r, step, .. } = work;
        match double {
            Some(double) if *doubled => double.solve(&self.pattern, r, step),
            _ => single.solve(&self.pattern, r, step),
        }
    }

    /// `S^-1` of a right-hand side by positions, in place.
    pub fn solve_for(&self, work: &mut Work, x: &mut [f64]) {
        work.r.iter_mut().zip(&*x).for_each(|(r, &x)| *r = Double { high: x, low: 0.0 });
        self.solve(work);
        x.copy_from_slice(&work.step);
    }

    fn tolerance(&self, rows: &Rows, work: &Work, k: usize, scale: f64, dtype: Dtype) -> f64 {
        if rows.row(k).noise > 0.0 {
            return f64::INFINITY;
        }
        let floor = &self.floor[usize::from(dtype == Dtype::F64)];
        let mut tolerance = 4.0 * dtype.epsilon() * scale + floor[k];
        if self.dropped[k]
            && let Ok(found) = self.dependent.binary_search_by_key(&k, |d| d.row)
        {
            // A row that follows from others does so up to what was taken for nothing when it was dropped; its b is a sum of
            // theirs, which the caller rounded.
            let sum: f64 = self.dependent[found].on.iter().map(|&(j, c)| (c * work.b[j]).abs()).sum();
            tolerance += 1e-13 * scale + 8.0 * f64::EPSILON * sum;
        }
        tolerance
    }

    /// Residuals of `u` into `work.rows` (`after`) and, short of what noise accounts for, into `work.r`; whether all rows hold.
    pub fn residuals(&self, rows: &Rows, work: &mut Work, input: Input) -> Result<bool> {
        let arch = Arch::new();
        let mut lawful = true;
        for at in 0..self.pattern.len() {
            let k = self.pattern.order[at] as usize;
            let row = rows.row(k);
            let (amount, scale) = linear::dot(arch, row.weights, place(&row), &work.u);
            let residual = amount.plus(-work.b[k]);
            if !(residual.high.is_finite() && scale.is_finite()) {
                return fail!(
                    NonFinite,
                    "mean: slice {}, row {k}: the sum over its weighted cells overflows",
                    input.index
                );
            }
            let tolerance = self.tolerance(rows, work, k, scale, input.dtype);
            if row.noise == 0.0 && tolerance.is_infinite() {
                let slice = input.index;
                return fail!(
                    NonFinite,
                    "b: slice {slice}, row {k}: the sum of the rows on which it depends overflows"
                );
            }
            work.rows[k].residual_after = residual.high;
            work.rows[k].tolerance = tolerance;
            work.scale[at] = scale;
            let beyond = if row.noise > 0.0 {
                // A row with noise holds up to s^2 lambda.
                let (noise, lambda) = (row.noise, work.lambda[at]);
                work.scale[at] += work.b[k].abs() + (noise * lambda).abs();
                residual.less_product(Double { high: noise, low: 0.0 }, Double { high: lambda, low: 0.0 })
            } else {
                residual
            };
            lawful &= residual.high.abs() <= tolerance;
            work.r[at] = beyond;
        }
        Ok(lawful)
    }

    /// One slice: leaves the posterior mean as stored in `work.u`, the multipliers in `work.lambda`, and the report.
    pub fn project(&self, rows: &Rows, input: Input, work: &mut Work) -> Result<()> {
        self.prepare(rows, input, work)?;
        self.project_prepared(rows, input, work, false)
    }

    /// [`Joint::project`] from `work.mean` with the prior in `work.metric`; S may be `factored` already.
    pub fn project_prepared(&self, rows: &Rows, input: Input, work: &mut Work, factored: bool) -> Result<()> {
        let arch = Arch::new();
        work.lambda.fill(0.0);
        work.slice = SliceReport::default();
        // A mean in wider storage than the posterior's is judged as it would be stored, corrected as it is.
        work.u.copy_from_slice(&work.mean);
        linear::round(arch, &mut work.u, input.dtype);
        let lawful = self.residuals(rows, work, input)?;
        for (k, row) in work.rows.iter_mut().enumerate() {
            (row.residual_before, row.multiplier, row.dropped) = (row.residual_after, 0.0, self.dropped[k]);
        }
        let silent =
            |work: &Work| (0..rows.len()).all(|k| rows.row(k).noise == 0.0 || work.rows[k].residual_after == 0.0);
        let smoothed = self.kind.prior == Prior::Smoothed;
        if lawful && silent(work) {
            work.slice.unchanged = !smoothed;
            self.fits(work, input)?;
            // Samples are read, and refused, where S is summed.
            let unread = work.metric.reads_late();
            let wanted = (input.variances || unread) && !factored;
            return if wanted { self.factor(rows, input, work) } else { Ok(()) };
        }
        if !factored {
            self.factor(rows, input, work)?;
        }
        if input.mean.dtype() != input.dtype || smoothed {
            work.u.copy_from_slice(&work.mean);
            self.residuals(rows, work, input)?;
            for row in work.rows.iter_mut() {
                row.residual_before = row.residual_after;
            }
        }
        let mut norm = 0.0;
        for steps in 0..=MAX_STEPS {
            self.solve(work);
            for (at, (sum, step)) in work.lambda.iter_mut().zip(&work.step).enumerate() {
                norm += step * work.r[at].high;
                *sum += step;
            }
            let Work { metric, u, w, step, ones, .. } = work;
            metric.apply(rows, &self.pattern, input.data, step, w);
            let v = if self.kind.prior.is_diagonal() { &metric.v } else { &*ones };
            linear::subtract(arch, u, v, w, input.dtype);
            if steps >= 2 {
                // Rows that send cells to 0 would chase them through ever smaller numbers, each step's rounding of the one before.
                for (u, mean) in work.u.iter_mut().zip(&work.mean) {
                    *u = if u.abs() <= mean.abs() * 2f64.powi(-90) { 0.0 } else { *u };
                }
            }
            self.fits(work, input)?;
            let lawful = self.residuals(rows, work, input)?;
            if steps == 0 {
                let noise = |at: usize| rows.row(self.pattern.order[at] as usize).noise;
                let noisy: f64 = work.lambda.iter().enumerate().map(|(at, l)| noise(at) * l * l).sum();
                let square = norm - noisy;
                work.slice.correction_norm = if square.is_nan() { f64::INFINITY } else { square.max(0.0).sqrt() };
            }
            if lawful {
                work.slice.repairs = steps;
                self.describe(work);
                return Ok(());
            }
        }
        self.refuse(rows, work, input)
    }

    pub fn describe(&self, work: &mut Work) {
        for (at, &lambda) in work.lambda.iter().enumerate() {
            work.rows[self.pattern.order[at] as usize].multiplier = lambda;
        }
        let (mut most, mut cell) = (0.0, 0);
        for (i, (u, mean)) in work.u.iter().zip(&work.mean).enumerate() {
            let change = (u - mean).abs();
            if change > most {
                (most, cell) = (change, i);
            }
        }
        (work.slice.largest_correction, work.slice.largest_correction_cell) = (most, cell);
    }

    fn fits(&self, work: &Work, input: Input) -> Result<()> {
        let arch = Arch::new();
        let (low, high) = if linear::is_finite(arch, &work.u) {
            linear::range(arch, &work.u)
        } else {
            (f64::NEG_INFINITY, f64::INFINITY)
        };
        if low < -input.dtype.max() || high > input.dtype.max() {
            return fail!(NonFinite, "posterior_mean: slice {}: the corrected cells overflow its dtype", input.index);
        }
        Ok(())
    }

    /// Rows that still do not hold: why.
    pub fn refuse(&self, rows: &Rows, work: &Work, input: Input) -> Result<()> {
        let slice = input.index;
        let broken = |k: &usize| work.rows[*k].residual_after.abs() > work.rows[*k].tolerance;
        let position = |k: usize| self.pattern.position[k] as usize;
        let free = |k: &usize| !self.dropped[*k];
        let (mut own, mut others) = ((0..rows.len()).filter(broken).filter(free), (0..rows.len()).filter(broken));
        if let Some(k) = own.find(|&k| !self.takes_part(work, position(k))) {
            return fail!(
                Singular,
                "variance: slice {slice}, row {k}: no cell can move it apart from rows before it, and its residual is {:e}",
                work.rows[k].residual_after
            );
        }
        if let Some(k) = (0..rows.len()).filter(broken).find(free) {
            return fail!(
                NotConverged,
                "mean: slice {slice}, row {k}: residual {:e} is left after {MAX_STEPS} steps, expected at most {:e}",
                work.rows[k].residual_after,
                work.rows[k].tolerance
            );
        }
        let k = others.next().unwrap_or(0);
        let on = self.dependent.iter().find(|d| d.row == k).map_or(&[][..], |d| &d.on);
        let mut numbers: Vec<usize> = on.iter().map(|on| on.0).collect();
        numbers.sort_unstable();
        let names: Vec<String> = numbers.iter().take(8).map(usize::to_string).collect();
        let value = work.b[k] + work.rows[k].residual_after;
        fail!(
            Contradiction,
            "b: slice {slice}, row {k} is {:e}, but rows {} on which it depends make it {value:e}",
            work.b[k],
            names.join(", ")
        )
    }

    /// Posterior variances of the slice that was projected last.
    pub fn variances(&self, rows: &Rows, input: Input, work: &mut Work, out: &mut [f64]) {
        let Work { metric, single, double, doubled, eight, .. } = work;
        let Joint { columns, stretches, pattern, .. } = self;
        match double {
            Some(double) if *doubled => {
                metric.shrink(rows, columns, stretches, pattern, input.data, double, eight, out);
            }
            _ => metric.shrink(rows, columns, stretches, pattern, input.data, single, eight, out),
        }
    }

    /// `G u - b` of a mean, into `work.rows`.
    pub fn residuals_of(&self, rows: &Rows, input: Input, work: &mut Work) -> Result<()> {
        self.read_mean(input, work)?;
        work.lambda.fill(0.0);
        work.u.copy_from_slice(&work.mean);
        self.residuals(rows, work, input).map(drop)
    }

    /// Readies [`Joint::covariance`] for cell `i`: `S^-1 G Sigma e_i` into `work.lambda`, `Sigma e_i` into `work.w`.
    pub fn begin_covariances(&self, input: Input, work: &mut Work, i: usize) {
        let Work { metric, lambda, w, .. } = &mut *work;
        self.gain_of(metric, input, i, lambda);
        metric.column(i, w);
        let mut x = std::mem::take(&mut work.lambda);
        self.solve_for(work, &mut x);
        work.lambda = x;
    }

    fn gain_of(&self, metric: &Metric, input: Input, cell: usize, a: &mut [f64]) {
        if !self.kind.prior.is_diagonal() {
            return metric.cell_gain(&self.columns, &self.pattern, input.data, cell, a);
        }
        a.fill(0.0);
        for &(row, g) in self.columns.of(cell) {
            a[self.pattern.position[row as usize] as usize] = metric.v[cell] * g;
        }
    }

    /// Posterior covariance of cells `i`, which [`Joint::begin_covariances`] was told, and `j`.
    pub fn covariance(&self, input: Input, work: &mut Work, i: usize, j: usize) -> f64 {
        let Work { metric, lambda, w, step, marginal, .. } = work;
        if i == j {
            return marginal[i];
        }
        let share: f64 = if self.kind.prior.is_diagonal() {
            let rows = self.columns.of(j).iter();
            rows.map(|&(row, g)| lambda[self.pattern.position[row as usize] as usize] * metric.v[j] * g).sum()
        } else {
            self.gain_of(metric, input, j, step);
            step.iter().zip(&*lambda).map(|(a, x)| a * x).sum()
        };
        if self.kind.prior.is_diagonal() { -share } else { metric.covariance(input.data, i, j, w) - share }
    }

    /// `-(r' S^-1 r + log det S + m log 2 pi) / 2` from `work.mean` with S factored.
    pub fn log_likelihood(&self, rows: &Rows, input: Input, work: &mut Work) -> Result<f64> {
        work.lambda.fill(0.0);
        let Work { u, mean, .. } = &mut *work;
        u.copy_from_slice(mean);
        self.residuals(rows, work, input)?;
        for dependent in &self.dependent {
            let residual = |k: usize| work.r[self.pattern.position[k] as usize].high;
            let scale = |k: usize| work.scale[self.pattern.position[k] as usize] + work.b[k].abs();
            let own = dependent.row;
            let (mut off, mut size) = (residual(own), scale(own));
            for &(k, c) in &dependent.on {
                off -= c * residual(k);
                size += c.abs() * scale(k);
            }
            if off.is_nan() || size.is_infinite() || off.abs() > 1e-12 * size {
                return fail!(
                    Contradiction,
                    "b: row {own} is {:e}, off by {off:e} from what the rows on which it depends make it",
                    work.b[own]
                );
            }
        }
        self.solve(work);
        let (mut square, mut count) = (0.0, 0);
        for at in 0..self.pattern.len() {
            square += work.step[at] * work.r[at].high;
            count += usize::from(self.takes_part(work, at));
        }
        let log_determinant = match &work.double {
            Some(double) if work.doubled => double.log_determinant(),
            _ => work.single.log_determinant(),
        };
        Ok(-0.5 * (square + log_determinant + count as f64 * libm::log(std::f64::consts::TAU)))
    }
}
