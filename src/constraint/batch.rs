use super::arrays::check_apart;
use super::joint::{Input, Joint, Work};
use super::project::{Posterior, Projector, Scratch, slice, slice_mut};
use super::report::{Report, RowReport, SliceReport};
use crate::error::{Result, fail, zeros};
use crate::field::Dtype;
use crate::kernels::linear;
use crate::kernels::strided::{View, ViewMut};

/// Working memory of a batch: one slice's, and the results of all slices until every one is known to be good.
pub struct Batch {
    pub(super) work: Work,
    mean: Vec<f64>,
    variance: Vec<f64>,
    slices: Vec<SliceReport>,
    pub(super) rows: Vec<RowReport>,
    residual: Vec<f64>,
}

impl Batch {
    pub(super) fn new(joint: &Joint, max_slices: usize) -> Result<Batch> {
        let what = "projector workspace";
        let cells = max_slices.saturating_mul(joint.kind.cells);
        let rows = max_slices.saturating_mul(joint.pattern.len());
        Ok(Batch {
            work: joint.work(false)?,
            mean: zeros(cells, what)?,
            variance: zeros(cells, what)?,
            slices: zeros(max_slices, what)?,
            rows: zeros(rows, what)?,
            residual: zeros(rows, what)?,
        })
    }
}

/// The prior's data of one slice: its own, or those of all slices.
pub(super) fn data_of<'a>(data: Option<&View<'a>>, span: usize, count: usize, index: usize) -> Option<View<'a>> {
    data.map(|data| if data.layout().len() == span { data.merged() } else { slice(data, count, index) })
}

impl Projector {
    /// Every slice into the batch's memory, then all of it into the caller's.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn project_batch(
        &self,
        joint: &Joint,
        scratch: &mut Scratch,
        count: usize,
        mean: &View,
        data: Option<&View>,
        b: &View,
        mut posterior: Posterior,
        report: Option<&mut Report>,
    ) -> Result<()> {
        let Some(batch) = &mut scratch.batch else {
            return fail!(Mismatch, "workspace belongs to another projector");
        };
        let (n, m) = (self.cells, self.rows.len());
        let span = self.prior.span(n, self.options.prior_size);
        let dtype = posterior.mean.dtype();
        let variance_dtype = posterior.variance.as_ref().map(|v| v.dtype());
        let Batch { work, mean: means, variance: variances, slices, rows, .. } = &mut **batch;
        for index in 0..count {
            let (mean, data) = (slice(mean, count, index), data_of(data, span, count, index));
            b.gather(index * m, &mut work.b);
            let input = Input { index, mean: &mean, data: data.as_ref(), dtype, variances: variance_dtype.is_some() };
            joint.project(&self.rows, input, work)?;
            means[index * n..(index + 1) * n].copy_from_slice(&work.u);
            if let Some(dtype) = variance_dtype {
                let out = &mut variances[index * n..(index + 1) * n];
                joint.variances(&self.rows, input, work, out);
                refuse_overflow(index, out, dtype)?;
            }
            slices[index] = work.slice;
            rows[index * m..(index + 1) * m].copy_from_slice(&work.rows);
        }
        for index in 0..count {
            let part = index * n..(index + 1) * n;
            slice_mut(&mut posterior.mean, count, index).scatter(0, &means[part.clone()]);
            if let Some(out) = &mut posterior.variance {
                slice_mut(out, count, index).scatter(0, &variances[part]);
            }
        }
        if let Some(report) = report {
            report.begin(count);
            for index in 0..count {
                let (slice, of_rows) = report.slice_mut(index);
                *slice = slices[index];
                of_rows.copy_from_slice(&rows[index * m..(index + 1) * m]);
            }
        }
        Ok(())
    }

    pub(super) fn evaluate_batch(
        &self,
        joint: &Joint,
        scratch: &mut Scratch,
        count: usize,
        mean: &View,
        off: impl Fn(usize) -> f64,
        (name, mut out): (&str, ViewMut),
    ) -> Result<()> {
        let Some(batch) = &mut scratch.batch else {
            return fail!(Mismatch, "workspace belongs to another projector");
        };
        let m = self.rows.len();
        let Batch { work, residual, .. } = &mut **batch;
        for index in 0..count {
            let mean = slice(mean, count, index);
            work.b.iter_mut().enumerate().for_each(|(k, b)| *b = off(index * m + k));
            let input = Input { index, mean: &mean, data: None, dtype: mean.dtype(), variances: false };
            joint.residuals_of(&self.rows, input, work)?;
            for (k, row) in work.rows.iter().enumerate() {
                if row.residual_after.abs() > out.dtype().max() {
                    return fail!(NonFinite, "{name}: slice {index}, row {k} overflows its dtype");
                }
                residual[index * m + k] = row.residual_after;
            }
        }
        out.scatter(0, &residual[..count * m]);
        Ok(())
    }

    /// Covariances between chosen cells (none: all) of one slice.
    pub(super) fn covariance_of(
        &self,
        joint: &Joint,
        work: &mut Work,
        data: Option<View>,
        chosen: Option<(&[i64], &[i64])>,
        mut covariance: ViewMut,
    ) -> Result<()> {
        let n = self.cells;
        let (first, second) = chosen.map_or((n, n), |(i, j)| (i.len(), j.len()));
        if covariance.layout().shape() != [first, second] {
            let shape = covariance.layout().shape();
            return fail!(Shape, "covariance has shape {shape:?}, expected [{first}, {second}]");
        }
        if let Some(data) = &data {
            self.prior.check_data(data.layout(), n, self.options.prior_size, 1)?;
            check_apart(("covariance", covariance.place()), ("variance", data.place()), false)?;
        }
        let data = data.map(|data| data.merged());
        work.b.fill(0.0);
        work.mean.fill(0.0);
        work.metric.prepare(0, data.as_ref(), &mut work.mean)?;
        // The mean is not read.
        let nothing = [0.0];
        let mean = View::new("mean", &nothing, &[1])?;
        let input = Input { index: 0, mean: &mean, data: data.as_ref(), dtype: Dtype::F64, variances: true };
        joint.factor(&self.rows, input, work)?;
        let mut marginal = std::mem::take(&mut work.marginal);
        joint.variances(&self.rows, input, work, &mut marginal);
        work.marginal = marginal;
        if !linear::is_finite(pulp::Arch::new(), &work.marginal) {
            return fail!(NonFinite, "covariance: what the rows take from the variances overflows");
        }
        let cell = |list: Option<&[i64]>, at: usize| list.map_or(at, |list| list[at] as usize);
        let most = covariance.dtype().max();
        // Overflow is known before the first write: no covariance exceeds the larger of two prior variances.
        for at in 0..first.max(second) {
            for (list, len) in [(chosen.map(|c| c.0), first), (chosen.map(|c| c.1), second)] {
                if at < len && work.metric.variance(cell(list, at)) > most {
                    return fail!(NonFinite, "covariance: variances overflow its dtype");
                }
            }
        }
        for p in 0..first {
            let i = cell(chosen.map(|c| c.0), p);
            joint.begin_covariances(input, work, i);
            // The whole matrix is symmetric to the bit.
            for q in if chosen.is_none() { p } else { 0 }..second {
                let value = joint.covariance(input, work, i, cell(chosen.map(|c| c.1), q));
                covariance.scatter(p * second + q, &[value]);
                if chosen.is_none() {
                    covariance.scatter(q * second + p, &[value]);
                }
            }
        }
        Ok(())
    }
}

pub(super) fn refuse_overflow(index: usize, variances: &[f64], dtype: Dtype) -> Result<()> {
    let arch = pulp::Arch::new();
    let largest = if linear::is_finite(arch, variances) { linear::range(arch, variances).1 } else { f64::INFINITY };
    if largest > dtype.max() {
        return fail!(NonFinite, "posterior_variance: slice {index}: variances up to {largest:e} overflow its dtype");
    }
    Ok(())
}
