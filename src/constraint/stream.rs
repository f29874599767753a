//! One row over all cells, in an identity or diagonal prior: two passes through memory for each slice, and no copy of it.

use super::arrays::check_apart;
use super::prior::{is_refused, refuse_variance};
use super::project::{MAX_STEPS, Posterior, Projector, Scratch, find, refuse_non_finite, slice, slice_mut};
use super::report::{Report, RowReport, SliceReport};
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::moments::{self, Moments, Outputs, Shrink, Stage};
use crate::kernels::strided::{View, ViewMut};

/// The inputs of one slice.
struct Slice<'a> {
    index: usize,
    mean: View<'a>,
    variance: Option<View<'a>>,
    b: f64,
}

impl<'a> Slice<'a> {
    fn new(index: usize, count: usize, mean: &View<'a>, variance: Option<&View<'a>>, b: &View) -> Slice<'a> {
        let row_cells = mean.layout().len() / count;
        let mut value = [0.0];
        b.gather(index, &mut value);
        Slice {
            index,
            mean: slice(mean, count, index),
            variance: variance.map(|v| slice(v, if v.layout().len() == row_cells { 1 } else { count }, index)),
            b: value[0],
        }
    }
}

/// What the validating pass decided for one slice, before anything is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    pub(super) residual: f64,
    /// `sum g^2 v`, of a projection.
    row_variance: f64,
    /// `sum |g u|`, of a check.
    pub(super) scale: f64,
    /// `S` and `1 / S`, unless S is 0 or too small to divide by.
    shrink: Option<Shrink>,
    multipliers: [f64; MAX_STEPS],
    steps: usize,
}

impl Plan {
    fn multipliers(&self) -> &[f64] {
        &self.multipliers[..self.steps]
    }
}

impl Projector {
    /// Every slice is decided upon before any is written.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn project_stream(
        &self,
        scratch: &mut Scratch,
        count: usize,
        mean: &View,
        variance: Option<&View>,
        b: &View,
        mut posterior: Posterior,
        mut report: Option<&mut Report>,
    ) -> Result<()> {
        let dtypes = (posterior.mean.dtype(), posterior.variance.as_ref().map(|v| v.dtype()));
        let Scratch { plans, stage, .. } = scratch;
        let input = |index| Slice::new(index, count, mean, variance, b);
        for (index, plan) in plans[..count].iter_mut().enumerate() {
            *plan = self.plan(&input(index), dtypes, stage)?;
        }
        if let Some(report) = &mut report {
            report.begin(count);
        }
        for (index, plan) in plans[..count].iter().enumerate() {
            let out_mean = slice_mut(&mut posterior.mean, count, index);
            let out_variance = posterior.variance.as_mut().map(|v| slice_mut(v, count, index));
            let (done, row) = self.write(plan, &input(index), out_mean, out_variance, stage);
            debug_assert!(row.residual_after.abs() <= row.tolerance, "slice {index}: {plan:?} {row:?}");
            if let Some(report) = &mut report {
                let (slice, rows) = report.slice_mut(index);
                (*slice, rows[0]) = (done, row);
            }
        }
        Ok(())
    }

    /// `g u - off` of every slice.
    pub(super) fn evaluate_stream(
        &self,
        scratch: &mut Scratch,
        count: usize,
        mean: &View,
        off: impl Fn(usize) -> f64,
        (name, mut out): (&str, ViewMut),
    ) -> Result<()> {
        let Scratch { plans, stage, .. } = scratch;
        for (index, plan) in plans[..count].iter_mut().enumerate() {
            let input = Slice { index, mean: slice(mean, count, index), variance: None, b: off(index) };
            let moments = self.measure(&input, stage)?;
            let found = moments.amount.plus(-input.b).high;
            if found.abs() > out.dtype().max() {
                return fail!(NonFinite, "{name}: slice {index} overflows its dtype");
            }
            plan.residual = found;
        }
        for (index, plan) in plans[..count].iter().enumerate() {
            out.scatter(index, &[plan.residual]);
        }
        Ok(())
    }

    /// Of one slice, as [`Projector::covariance`] states.
    pub(super) fn covariance_stream(&self, variance: Option<View>, mut covariance: ViewMut) -> Result<()> {
        let n = self.cells();
        if let Some(v) = &variance {
            if v.layout().len() != n {
                return fail!(Shape, "variance has shape {:?}, expected {n} values of one slice", v.layout().shape());
            }
            check_apart(("covariance", covariance.place()), ("variance", v.place()), false)?;
        }
        if covariance.layout().shape() != [n, n] {
            return fail!(Shape, "covariance has shape {:?}, expected [{n}, {n}]", covariance.layout().shape());
        }
        let v = variance.map(|v| v.merged());
        // The mean does not enter; any finite array of the right length stands for it.
        let weights = View::new("weights", self.rows.row(0).weights, &[n])?;
        let input = Slice { index: 0, mean: v.unwrap_or(weights), variance: v, b: 0.0 };
        let moments = self.measure(&input, &mut Stage::default())?;
        let Some(shrink) = self.shrink(&moments) else {
            return fail!(
                Singular,
                "variance: sum g^2 v + s^2 is {:e}, too small to divide by",
                moments.row_variance.high
            );
        };
        if moments.largest_variance > covariance.dtype().max() {
            return fail!(NonFinite, "covariance: variances up to {:e} overflow its dtype", moments.largest_variance);
        }
        let variance_at = |start: usize, out: &mut [f64]| match &v {
            Some(v) => v.gather(start, out),
            None => out.fill(1.0),
        };
        let root = shrink.total.high.sqrt();
        let mut stage = [0.0; 256];
        for i in 0..n {
            let mut vi = [0.0];
            variance_at(i, &mut vi);
            let gi = self.rows.row(0).weights[i];
            let gain = vi[0] * gi / root;
            for start in (0..n).step_by(stage.len()) {
                let block = &mut stage[..256.min(n - start)];
                variance_at(start, block);
                for (c, g) in block.iter_mut().zip(&self.rows.row(0).weights[start..]) {
                    *c = -gain * (*c * g / root);
                }
                if (start..start + block.len()).contains(&i) {
                    block[i - start] = shrink.apply(vi[0], gi);
                }
                covariance.scatter(i * n + start, block);
            }
        }
        Ok(())
    }

    /// Pass 1: the moments of one slice, its values and sums checked.
    fn measure(&self, input: &Slice, stage: &mut Stage) -> Result<Moments> {
        let Slice { index, mean, variance, b } = input;
        if !b.is_finite() {
            return fail!(NonFinite, "b: slice {index} is {b}, expected a finite number");
        }
        let Some(moments) = moments::measure(self.rows.row(0).weights, mean, variance.as_ref(), stage) else {
            return refuse_non_finite(*index, mean, variance.as_ref());
        };
        let held = self.options.held_cells;
        if let Some(v) = variance
            && is_refused(moments.least_variance, held)
            && let Some((cell, x)) = find(v, |v| is_refused(v, held))
        {
            return refuse_variance(format_args!("variance: slice {index}, cell {cell}"), x, held);
        }
        // The weights are finite and so is every cell: what is not finite here has overflowed.
        if !(moments.amount.plus(-*b).high.is_finite() && moments.scale.is_finite()) {
            return fail!(NonFinite, "mean: slice {index}: the sum over its weighted cells overflows");
        }
        if !moments.row_variance.plus(self.rows.row(0).noise).high.is_finite() {
            return fail!(NonFinite, "variance: slice {index}: sum g^2 v + s^2 overflows");
        }
        Ok(moments)
    }

    fn shrink(&self, moments: &Moments) -> Option<Shrink> {
        let total = moments.row_variance.plus(self.rows.row(0).noise);
        (total.high >= f64::MIN_POSITIVE).then(|| Shrink { total, inverse: 1.0 / total.high })
    }

    /// Decides everything about one slice without writing: what is wrong with it, or the multipliers that make it lawful.
    ///
    /// Why one step is nearly always known to do: let u be the stored result of a step with lambda = r / S. Rounding to storage
    /// leaves at most (eps/2) sum |g u| of residual; lambda and v g are off by a few roundings in f64 and cells that cancel become
    /// 0, which together leaves at most 6 eps64 |r|. As 4 eps sum |g u| is allowed, it is enough that 2 eps64 |r| <= eps sum |g u|.
    /// That sum is at least |b| - |g u - b| and at least sum |g mu| - |r|, both known here. The condition below asks for twice
    /// that, and that neither v g nor lambda nor S comes near underflow, where roundings are no longer relative; bounds on |u| and on
    /// sum |g u| rule overflow out.
    ///
    /// Otherwise (corrections far larger than the result, extreme scales) the steps are tried on paper: a posterior is a function
    /// of its cell's inputs and of the multipliers so far, so each trial is a pass that reads and sums but does not write, and
    /// repeats with the next multiplier until the stored values would obey.
    fn plan(&self, input: &Slice, (dtype, variance_dtype): (Dtype, Option<Dtype>), stage: &mut Stage) -> Result<Plan> {
        let Slice { index, mean, variance, b } = input;
        let moments = self.measure(input, stage)?;
        if variance_dtype.is_some_and(|d| moments.largest_variance > d.max()) {
            return fail!(
                NonFinite,
                "posterior_variance: slice {index}: variances up to {:e} overflow its dtype",
                moments.largest_variance
            );
        }
        let overflow = || -> Result<Plan> {
            fail!(NonFinite, "posterior_mean: slice {index}: the corrected cells overflow its dtype")
        };
        let residual = moments.amount.plus(-*b).high;
        let shrink = self.shrink(&moments);
        let exact = self.rows.row(0).noise == 0.0;
        let (eps, floor) = (dtype.epsilon(), self.floor(dtype));
        let mut plan = Plan { residual, row_variance: moments.row_variance.high, shrink, ..Plan::default() };

        // Rounding a wider mean to narrower storage adds up to half an eps.
        let narrower = mean.dtype().epsilon() < eps;
        let allowed = if narrower { 3.0 } else { 4.0 } * eps * moments.scale + floor;
        if residual == 0.0 || (exact && residual.abs() <= allowed) {
            return if moments.largest_mean <= dtype.max() { Ok(plan) } else { overflow() };
        }
        let Some(shrink) = shrink else {
            return fail!(
                Singular,
                "variance: slice {index}: sum g^2 v + s^2 is {:e}, too small to move the row by {residual:e}",
                moments.row_variance.plus(self.rows.row(0).noise).high
            );
        };
        let lambda = residual / shrink.total.high;
        plan.multipliers[0] = lambda;
        plan.steps = 1;
        let reach = moments.largest_mean + moments.largest_reach * lambda.abs();
        let summed = moments.scale + 2.0 * residual.abs();
        let fits = reach * (1.0 + 4.0 * f64::EPSILON) <= dtype.max() && summed.is_finite();
        let known = b.abs().max(moments.scale - residual.abs());
        let relative = shrink.total.high >= self.floor(Dtype::F64) * 2f64.powi(60) && lambda.abs() >= 2f64.powi(-960);
        let sure = !exact || (relative && f64::EPSILON * residual.abs() <= 0.25 * eps * known);
        if fits && sure {
            return Ok(plan);
        }
        loop {
            let (row, variance) = (self.rows.row(0).weights, variance.as_ref());
            let trial = moments::correct(row, mean, variance, plan.multipliers(), dtype, None, stage);
            let left = trial.amount.plus(-*b).high;
            if !(trial.largest_mean <= dtype.max() && left.is_finite() && trial.scale.is_finite()) {
                return overflow();
            }
            if !exact || left.abs() <= 4.0 * eps * trial.scale + floor {
                return Ok(plan);
            }
            let next = left / shrink.total.high;
            if plan.steps == MAX_STEPS || next == 0.0 {
                return fail!(
                    NotConverged,
                    "mean: slice {index}: residual {left:e} is left after {} steps, expected at most {:e}",
                    plan.steps,
                    4.0 * eps * trial.scale + floor
                );
            }
            plan.multipliers[plan.steps] = next;
            plan.steps += 1;
        }
    }

    /// Pass 2.
    fn write<'a>(
        &self,
        plan: &Plan,
        input: &Slice,
        mut posterior_mean: ViewMut<'a>,
        mut posterior_variance: Option<ViewMut<'a>>,
        stage: &mut Stage,
    ) -> (SliceReport, RowReport) {
        let dtype = posterior_mean.dtype();
        let outputs =
            Outputs { mean: &mut posterior_mean, variance: posterior_variance.as_mut().map(|v| (v, plan.shrink)) };
        let (row, variance) = (self.rows.row(0).weights, input.variance.as_ref());
        let done = moments::correct(row, &input.mean, variance, plan.multipliers(), dtype, Some(outputs), stage);
        let multiplier = plan.multipliers().iter().sum::<f64>();
        let of_row = RowReport {
            residual_before: plan.residual,
            residual_after: done.amount.plus(-input.b).high,
            tolerance: if self.rows.row(0).noise == 0.0 {
                4.0 * dtype.epsilon() * done.scale + self.floor(dtype)
            } else {
                f64::INFINITY
            },
            multiplier,
            dropped: false,
        };
        let of_slice = SliceReport {
            correction_norm: multiplier.abs() * plan.row_variance.sqrt(),
            largest_correction: done.largest_change,
            largest_correction_cell: done.cell,
            repairs: plan.steps.saturating_sub(1),
            unchanged: plan.steps == 0,
            ..SliceReport::default()
        };
        (of_slice, of_row)
    }
}
