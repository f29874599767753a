//! Derivatives of projections within bounds and sets, on the cells and pools that are free there.

use super::{Bounded, Bounds};
use crate::constraint::arrays::read_or_zero;
use crate::constraint::joint::{Input, Work};
use crate::constraint::project::Projector;
use crate::constraint::sets::{Method, Policy};
use crate::constraint::tangent::{GRADIENTS, Tangent, check_derivative, check_gradient, refuse_infinite};
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::double::Double;
use crate::kernels::strided::{View, ViewMut};

impl Projector {
    /// The derivative in a direction (jvp) of [`Projector::project_bounded`]'s mean, of one slice, into `out` of `cells` values.
    ///
    /// Cells at a bound stay there, components at 0 too, pools move as one; with D the covariance that this leaves (v of free cells and
    /// `S = G D G' + s^2`), `h = dmu - dv (mu - u) / v`: `S dlambda = G D h / v - db`, `du = D (h / v - G' dlambda)`. Where a
    /// cell is about to reach or leave a bound this is one of the one-sided derivatives. Bounds are constants. For
    /// [`Method::Spread`] it is the derivative of clipping and spreading.
    ///
    /// Errors: as [`Projector::project_bounded`]; State where bounds yielded by the least; InvalidArgument where the prior has no
    /// variances of its own. Allocates nothing.
    #[allow(clippy::too_many_arguments)]
    pub fn jvp_bounded(
        &self,
        bounded: &mut Bounded,
        mean: View,
        variance: Option<View>,
        b: View,
        bounds: Bounds,
        tangent: Tangent<View>,
        mut out: ViewMut,
    ) -> Result<()> {
        self.check_tangent("tangent", &tangent, View::layout)?;
        self.check_cells("tangent", &out.alias())?;
        let inputs = [Some(&mean), variance.as_ref(), Some(&b), bounds.lower.as_ref(), bounds.upper.as_ref()];
        check_derivative(&out, &tangent, &inputs)?;
        self.linearise_bounded(bounded, mean, variance, b, bounds)?;
        let Bounded { work, v, given: z, step, .. } = &mut *bounded;
        read_or_zero(tangent.b.as_ref(), "tangent_b", step)?;
        read_or_zero(tangent.mean.as_ref(), "tangent_mean", z)?;
        if let Some(dv) = &tangent.variance {
            self.read_variances(Some(dv), &mut work.w)?;
        } else {
            work.w.fill(0.0);
        }
        if self.sets.method == Method::Spread {
            self.spread_tangent(bounded);
        } else {
            for (i, z) in z.iter_mut().enumerate() {
                *z = if v[i] > 0.0 { (*z - work.w[i] * ((work.mean[i] - work.u[i]) / v[i])) / v[i] } else { 0.0 };
            }
            bounded.respond(&self.sets);
            bounded.gather_rows(&self.rows, true);
            bounded.joint.solve(&mut bounded.work);
            bounded.subtract_rows(&self.rows);
            bounded.respond(&self.sets);
        }
        refuse_infinite("tangent", &bounded.work.w, out.dtype())?;
        out.scatter(0, &bounded.work.w);
        Ok(())
    }

    /// The derivatives (vjp) of `<cotangent, posterior mean>` of [`Projector::project_bounded`] with respect to mean, variances and
    /// right-hand sides, of one slice: the transpose of [`Projector::jvp_bounded`].
    ///
    /// With `w = S^-1 G D ubar`: `mubar = D (ubar - G'w) / v`, `vbar = -mubar (mu - u) / v`, `bbar = w`.
    ///
    /// Errors: as [`Projector::jvp_bounded`].
    #[allow(clippy::too_many_arguments)]
    pub fn vjp_bounded(
        &self,
        bounded: &mut Bounded,
        mean: View,
        variance: Option<View>,
        b: View,
        bounds: Bounds,
        cotangent: View,
        mut gradient: Tangent<ViewMut>,
    ) -> Result<()> {
        self.check_tangent("gradient", &gradient, ViewMut::layout)?;
        self.check_cells("cotangent", &cotangent)?;
        let (lower, upper) = (bounds.lower.as_ref(), bounds.upper.as_ref());
        check_gradient(
            GRADIENTS,
            &gradient,
            &[Some(&mean), variance.as_ref(), Some(&b), Some(&cotangent), lower, upper],
        )?;
        self.linearise_bounded(bounded, mean, variance, b, bounds)?;
        read_or_zero(Some(&cotangent), "cotangent", &mut bounded.given)?;
        if self.sets.method == Method::Spread {
            self.spread_cotangent(bounded);
        } else {
            bounded.respond(&self.sets);
            bounded.gather_rows(&self.rows, false);
            bounded.joint.solve(&mut bounded.work);
            for at in 0..self.rows.len() {
                bounded.step[bounded.joint.pattern.order[at] as usize] = bounded.work.step[at];
            }
            bounded.subtract_rows(&self.rows);
            bounded.respond(&self.sets);
            let Bounded { work, v, given: z, .. } = &mut *bounded;
            for i in 0..self.cells {
                let y = if v[i] > 0.0 { work.w[i] / v[i] } else { 0.0 };
                work.w[i] = y;
                z[i] = if v[i] > 0.0 { -y * ((work.mean[i] - work.u[i]) / v[i]) } else { 0.0 };
            }
        }
        let Bounded { work, given, step, .. } = &*bounded;
        self.write_gradients(&mut gradient, &work.w, given, step)
    }

    /// Projects one slice in f64 and factors S over what is free there.
    fn linearise_bounded(
        &self,
        bounded: &mut Bounded,
        mean: View,
        variance: Option<View>,
        b: View,
        bounds: Bounds,
    ) -> Result<()> {
        self.check_one(&mean, variance.as_ref(), &b)?;
        self.check_bounded_arrays(bounded, &mean, variance.as_ref(), &b, &bounds)?;
        let (mean, variance) = (mean.merged(), variance.map(|v| v.merged()));
        let (lower, upper) = (bounds.lower.map(|x| x.merged()), bounds.upper.map(|x| x.merged()));
        b.gather(0, &mut bounded.work.b);
        let input = Input { index: 0, mean: &mean, data: variance.as_ref(), dtype: Dtype::F64, variances: false };
        bounded.project(&self.rows, &self.sets, input, [lower.as_ref(), upper.as_ref()], true)?;
        if bounded.work.slice.unchanged {
            let Work { mean, u, .. } = &mut bounded.work;
            mean.copy_from_slice(u);
        }
        if self.sets.policy == Policy::RelaxLeast && bounded.work.slice.relaxed > 0 {
            return fail!(
                State,
                "b: the bounds had to yield by the least, expected a state within them to differentiate at"
            );
        }
        bounded.find_free(&self.sets);
        bounded.factor(&self.rows, &self.sets, input, 0.0)
    }

    /// Clip to `c`, then `u = c + q (a - c)`, a the bound that helps and `q = |r| / R`, `r = g c - b`, `R = sum |g (a - c)|`. Calls
    /// `each` with cell, weight, a - c and whether the cell was free of clipping; returns `sign(r)`, q and R.
    fn spread_of(&self, bounded: &Bounded, mut each: impl FnMut(usize, f64, f64, bool)) -> (f64, f64, f64) {
        let Bounded { work, v, lower, upper, .. } = bounded;
        let row = self.rows.row(0);
        let clipped = |cell: usize| work.mean[cell].max(lower[cell]).min(upper[cell]);
        let left = (0..row.weights.len())
            .fold(Double { high: -work.b[0], low: 0.0 }, |sum, k| sum.plus(row.weights[k] * clipped(row.cell(k))));
        let sign = if left.high > 0.0 { 1.0 } else { -1.0 };
        let mut room = 0.0;
        for (k, &g) in row.weights.iter().enumerate() {
            let cell = row.cell(k);
            let bound = if (g > 0.0) == (sign < 0.0) { upper[cell] } else { lower[cell] };
            let way = if v[cell] > 0.0 && g != 0.0 { bound - clipped(cell) } else { 0.0 };
            room += (g * way).abs();
            each(cell, g, way, bounded.is_unclipped(cell));
        }
        (sign, if room > 0.0 { left.high.abs() / room } else { 0.0 }, room)
    }

    /// `given` (dmu) and `step` (db) to du in `work.w`.
    fn spread_tangent(&self, bounded: &mut Bounded) {
        let (mut moved, dmu) = (0.0, &bounded.given);
        let (sign, share, room) = self.spread_of(bounded, |cell, g, _, free| {
            if free {
                moved += g * dmu[cell];
            }
        });
        // With r also R changes: dR = sign(r) g dc.
        let share_moved = if room > 0.0 { sign * (moved - bounded.step[0] - share * moved) / room } else { 0.0 };
        let mut out = std::mem::take(&mut bounded.work.w);
        for (cell, u) in out.iter_mut().enumerate() {
            *u = if bounded.is_unclipped(cell) { bounded.given[cell] } else { 0.0 };
        }
        self.spread_of(bounded, |cell, _, way, _| {
            if way != 0.0 {
                out[cell] += share_moved * way - share * out[cell];
            }
        });
        bounded.work.w = out;
    }

    /// `given` (ubar) to mubar in `work.w`, bbar in `step` and 0 in `given`.
    fn spread_cotangent(&self, bounded: &mut Bounded) {
        let mut along = 0.0;
        let ubar = &bounded.given;
        let (sign, share, room) = self.spread_of(bounded, |cell, _, way, _| along += ubar[cell] * way);
        let scale = if room > 0.0 { sign * along / room } else { 0.0 };
        let mut out = std::mem::take(&mut bounded.work.w);
        for (cell, m) in out.iter_mut().enumerate() {
            *m = if bounded.is_unclipped(cell) { bounded.given[cell] } else { 0.0 };
        }
        self.spread_of(bounded, |cell, g, way, free| {
            if free {
                let kept = if way != 0.0 { (1.0 - share) * bounded.given[cell] } else { bounded.given[cell] };
                out[cell] = kept + scale * (1.0 - share) * g;
            }
        });
        bounded.work.w = out;
        bounded.step[0] = -scale;
        bounded.given.fill(0.0);
    }
}

impl Bounded {
    fn is_unclipped(&self, cell: usize) -> bool {
        let u = self.work.mean[cell];
        self.v[cell] > 0.0 && u >= self.lower[cell] && u <= self.upper[cell]
    }
}
