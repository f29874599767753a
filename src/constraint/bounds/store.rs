//! States as they are stored: mended until their rows hold, or clipped and spread.

use pulp::Arch;

use super::Bounded;
use crate::constraint::joint::{Input, Work};
use crate::constraint::project::MAX_STEPS;
use crate::constraint::rows::{Rows, Support};
use crate::constraint::sets::Sets;
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::clip;
use crate::kernels::linear;

impl Bounded {
    /// The state at the multipliers as stored, mended until its rows hold.
    pub(super) fn store(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<()> {
        if let (1, false, Support::Run(first)) = (rows.len(), sets.bind(), rows.row(0).support)
            && self.along(rows, first, input)?
        {
            return Ok(());
        }
        let lawful = self.state(rows, sets, input)?;
        self.mend(rows, sets, input, lawful)
    }

    /// Mends the stored values in `work.u` until their rows hold.
    pub(super) fn mend(&mut self, rows: &Rows, sets: &Sets, input: Input, mut lawful: bool) -> Result<()> {
        let arch = Arch::new();
        for repair in 0..MAX_STEPS {
            if lawful {
                self.work.slice.repairs = repair;
                return Ok(());
            }
            self.factor(rows, sets, input, 0.0)?;
            let idle = |at: usize| {
                let row = &self.work.rows[self.joint.pattern.order[at] as usize];
                !self.work.single.takes_part(at) && row.residual_after.abs() > row.tolerance
            };
            if !sets.bind() && (0..rows.len()).any(idle) {
                // Cells at a bound may still leave it to the inside.
                self.work.metric.v.copy_from_slice(&self.v);
                self.factor(rows, sets, input, 0.0)?;
            }
            let Bounded { joint, work, .. } = &mut *self;
            joint.solve(work);
            for (sum, step) in work.lambda.iter_mut().zip(&work.step) {
                *sum += step;
            }
            // From the stored values, so that what they lack is not lost in the size of the multipliers.
            self.given.fill(0.0);
            self.subtract_rows(rows);
            self.respond(sets);
            let Bounded { joint, work, lower, upper, .. } = &mut *self;
            let Work { u, w, metric, .. } = &mut *work;
            for (cell, u) in u.iter_mut().enumerate() {
                let x = *u + w[cell];
                *u = x.max(lower[cell]).min(upper[cell]);
                if *u != x {
                    metric.v[cell] = 0.0;
                }
            }
            sets.simplices.iter().for_each(|set| set.mend(u, &mut metric.v));
            sets.monotones.iter().for_each(|set| set.mend(u));
            linear::round(arch, u, input.dtype);
            lawful = joint.residuals(rows, work, input)?;
        }
        lawful = lawful || self.top_up(rows, sets, input)? && self.is_within(sets, input.dtype);
        if lawful {
            self.work.slice.repairs = MAX_STEPS;
            return Ok(());
        }
        let (k, row) = self.worst(rows);
        if self.joint.dropped[k] {
            return self.joint.refuse(rows, &self.work, input);
        }
        fail!(
            NotConverged,
            "mean: slice {}, row {k}: residual {:e} is left after {MAX_STEPS} repairs, expected at most {:e}",
            input.index,
            row.residual_after,
            row.tolerance
        )
    }

    /// The state at the multiplier of the only row, on cells next to each other, into `work.u`; whether it is lawful as it is.
    fn along(&mut self, rows: &Rows, first: usize, input: Input) -> Result<bool> {
        let arch = Arch::new();
        let row = rows.row(0);
        let end = first + row.weights.len();
        let Bounded { joint, work, lower, upper, v, .. } = self;
        let Work { mean, u, lambda, .. } = work;
        let cells = first..end;
        clip::along(
            arch,
            lambda[0],
            row.weights,
            &mean[cells.clone()],
            &v[cells.clone()],
            &lower[cells.clone()],
            &upper[cells.clone()],
            &mut u[cells],
        );
        for cell in (0..first).chain(end..u.len()) {
            u[cell] = mean[cell].max(lower[cell]).min(upper[cell]);
        }
        linear::round(arch, u, input.dtype);
        Ok(linear::is_finite(arch, u) && joint.residuals(rows, work, input)?)
    }

    /// Hands what rows still lack to cells that only they weigh, one after the other, as far as the bounds have room.
    fn top_up(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
        let Bounded { joint, work, lower, upper, v, .. } = &mut *self;
        for at in 0..rows.len() {
            let k = joint.pattern.order[at] as usize;
            let row = rows.row(k);
            let mut left = work.r[at].high;
            for (i, &g) in row.weights.iter().enumerate() {
                let cell = row.cell(i);
                if left.abs() <= 0.25 * work.rows[k].tolerance {
                    break;
                }
                if g == 0.0 || v[cell] == 0.0 || joint.columns.of(cell).len() > 1 {
                    continue;
                }
                let least = if sets.in_simplex(cell) { 0.0 } else { lower[cell] };
                let mut x = (work.u[cell] - left / g).max(least).min(upper[cell]);
                if input.dtype == Dtype::F32 {
                    x = x as f32 as f64;
                }
                left += g * (x - work.u[cell]);
                work.u[cell] = x;
            }
        }
        joint.residuals(rows, work, input)
    }

    /// Clip, then spread what the row lacks over the room left; false where it is more than that.
    pub(super) fn spread(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
        let slice = input.index;
        let arch = Arch::new();
        let row = rows.row(0);
        let finite = linear::is_finite(arch, &self.lower) && linear::is_finite(arch, &self.upper);
        for k in 0..if finite { 0 } else { row.weights.len() } {
            let cell = row.cell(k);
            if !(self.lower[cell].is_finite() && self.upper[cell].is_finite()) {
                return fail!(
                    InvalidArgument,
                    "lower: slice {slice}, cell {cell} has bounds {:e} to {:e}, expected finite ones to spread over",
                    self.lower[cell],
                    self.upper[cell]
                );
            }
        }
        {
            let Bounded { work, lower, upper, .. } = &mut *self;
            for (cell, u) in work.u.iter_mut().enumerate() {
                *u = work.mean[cell].max(lower[cell]).min(upper[cell]);
            }
            linear::round(Arch::new(), &mut work.u, input.dtype);
        }
        for pass in 0..MAX_STEPS {
            if self.joint.residuals(rows, &mut self.work, input)? {
                self.work.slice.repairs = pass.saturating_sub(1);
                self.work.slice.iterations = 1;
                return Ok(true);
            }
            let Bounded { work, lower, upper, .. } = &mut *self;
            let left = work.r[0].high;
            let raise = left < 0.0;
            let whole = match row.support {
                Support::Run(first) => {
                    let cells = first..first + row.weights.len();
                    clip::room(arch, raise, row.weights, &work.u[cells.clone()], &lower[cells.clone()], &upper[cells])
                }
                Support::List(places) => row.weights.iter().zip(places).fold(0.0, |sum, (&g, &cell)| {
                    let cell = cell as usize;
                    sum + g.abs() * (clip::ahead(raise, g, lower[cell], upper[cell]) - work.u[cell]).abs()
                }),
            };
            // Only at the bounds themselves is it known what the row is allowed there.
            if whole == 0.0 {
                return Ok(false);
            }
            // All of it to what the row is allowed is all of it, and ends at the bounds exactly.
            let all = left.abs() >= whole * (1.0 - 2.0 * f64::EPSILON) - 0.25 * work.rows[0].tolerance;
            let share = if all { 1.0 } else { left.abs() / whole };
            match row.support {
                Support::Run(first) => {
                    let cells = first..first + row.weights.len();
                    let (low, high) = (&lower[cells.clone()], &upper[cells.clone()]);
                    clip::fill(arch, raise, share, row.weights, low, high, &mut work.u[cells]);
                }
                Support::List(places) => row.weights.iter().zip(places).for_each(|(&g, &cell)| {
                    let cell = cell as usize;
                    work.u[cell] = clip::nearer(raise, share, g, work.u[cell], lower[cell], upper[cell]);
                }),
            }
            linear::round(arch, &mut work.u, input.dtype);
        }
        if self.joint.residuals(rows, &mut self.work, input)? || self.top_up(rows, sets, input)? {
            self.work.slice.repairs = MAX_STEPS;
            return Ok(true);
        }
        let (k, row) = self.worst(rows);
        fail!(
            NotConverged,
            "mean: slice {slice}, row {k}: residual {:e} is left after {MAX_STEPS} passes, expected at most {:e}",
            row.residual_after,
            row.tolerance
        )
    }
}
