//! Derivatives of projections: within bounds and sets on the cells and pools that are free there, with invariants at the multipliers
//! found.

use pulp::Arch;

use super::arrays::read_or_zero;
use super::bounds::{Bounded, Bounds};
use super::joint::{Input, Work};
use super::metric::place;
use super::nonlinear::{self, NonlinearScratch};
use super::prior::Prior;
use super::project::Projector;
use super::rows::Rows;
use super::sets::{Method, Policy, Sets};
use super::tangent::{GRADIENTS, Tangent, check_derivative, check_gradient, refuse_infinite, write_gradient};
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::double::Double;
use crate::kernels::linear;
use crate::kernels::strided::{View, ViewMut};

impl Projector {
    /// `what`: tangent or gradient.
    pub(super) fn check_tangent<T>(
        &self,
        what: &str,
        tangent: &Tangent<T>,
        layout: impl Fn(&T) -> &crate::field::Layout,
    ) -> Result<()> {
        let expect = |name: &str, part: &Option<T>, len: usize| match part {
            Some(part) if layout(part).len() != len => {
                fail!(Shape, "{what}_{name} has shape {:?}, expected {len} values", layout(part).shape())
            }
            _ => Ok(()),
        };
        expect("mean", &tangent.mean, self.cells)?;
        expect("b", &tangent.b, self.rows.len() + self.quadratics.len())?;
        match self.prior {
            Prior::Diagonal => expect("variance", &tangent.variance, self.cells),
            Prior::Scalar => expect("variance", &tangent.variance, 1),
            prior if tangent.variance.is_some() => {
                fail!(InvalidArgument, "{what}_variance is given, expected none: {prior:?} has no variances of its own")
            }
            _ => Ok(()),
        }
    }

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
            bounded.spread_rows(&self.rows);
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
            bounded.spread_rows(&self.rows);
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

    /// The derivative in a direction (jvp) of [`Projector::project_nonlinear`]'s mean, of one slice, into `out` of `cells` values. The
    /// tangent of `b` has one value a row, then one an invariant, for its level.
    ///
    /// With `H = Sigma^-1 + sum nu_k Q_k` and J the gradients of rows and invariants at u, `h = (dmu + dv (u - mu) / v) / v`:
    /// `J H^-1 J' dy = J H^-1 h - d(b, e)`, `du = H^-1 (h - J' dy)`.
    ///
    /// Errors: as [`Projector::project_nonlinear`]; Singular where gradients of all rows and invariants vanish. Allocates nothing.
    #[allow(clippy::too_many_arguments)]
    pub fn jvp_nonlinear(
        &self,
        scratch: &mut NonlinearScratch,
        mean: View,
        variance: Option<View>,
        b: Option<View>,
        levels: View,
        tangent: Tangent<View>,
        mut out: ViewMut,
    ) -> Result<()> {
        self.check_tangent("tangent", &tangent, View::layout)?;
        self.check_cells("tangent", &out.alias())?;
        check_derivative(&out, &tangent, &[Some(&mean), variance.as_ref(), b.as_ref(), Some(&levels)])?;
        self.linearise_nonlinear(scratch, mean, variance, b, levels)?;
        let NonlinearScratch { work, results, .. } = scratch;
        let z = &mut results[..self.cells()];
        self.read_variances(tangent.variance.as_ref(), z)?;
        read_or_zero(tangent.mean.as_ref(), "tangent_mean", &mut work.right)?;
        read_or_zero(tangent.b.as_ref(), "tangent_b", &mut work.left)?;
        for (i, z) in z.iter_mut().enumerate() {
            let v = work.v[i];
            let h = if v > 0.0 { (work.right[i] + *z * ((work.u[i] - work.mu[i]) / v)) / v } else { 0.0 };
            (*z, work.right[i]) = (h, h);
        }
        let solved = work.solve(self);
        for (k, left) in work.left.iter_mut().enumerate() {
            *left = nonlinear::dot(&work.jacobian[k * z.len()..][..z.len()], &work.x) - *left;
        }
        self.finish_nonlinear(work, z, solved)?;
        refuse_infinite("tangent", &work.x, out.dtype())?;
        out.scatter(0, &work.x);
        Ok(())
    }

    /// The derivatives (vjp) of `<cotangent, posterior mean>` of [`Projector::project_nonlinear`] with respect to mean, variances and
    /// right-hand sides (rows, then levels), of one slice: the transpose of [`Projector::jvp_nonlinear`].
    ///
    /// With `J H^-1 J' w = J H^-1 ubar`, `z = H^-1 (ubar - J'w)`: `mubar = z / v`, `vbar = z (u - mu) / v^2`, bbar = w.
    ///
    /// Errors: as [`Projector::jvp_nonlinear`].
    #[allow(clippy::too_many_arguments)]
    pub fn vjp_nonlinear(
        &self,
        scratch: &mut NonlinearScratch,
        mean: View,
        variance: Option<View>,
        b: Option<View>,
        levels: View,
        cotangent: View,
        mut gradient: Tangent<ViewMut>,
    ) -> Result<()> {
        self.check_tangent("gradient", &gradient, ViewMut::layout)?;
        self.check_cells("cotangent", &cotangent)?;
        let inputs = [Some(&mean), variance.as_ref(), b.as_ref(), Some(&levels), Some(&cotangent)];
        check_gradient(GRADIENTS, &gradient, &inputs)?;
        self.linearise_nonlinear(scratch, mean, variance, b, levels)?;
        let NonlinearScratch { work, results, .. } = scratch;
        let z = &mut results[..self.cells()];
        read_or_zero(Some(&cotangent), "cotangent", z)?;
        work.right.copy_from_slice(z);
        let solved = work.solve(self);
        for (k, left) in work.left.iter_mut().enumerate() {
            *left = nonlinear::dot(&work.jacobian[k * z.len()..][..z.len()], &work.x);
        }
        self.finish_nonlinear(work, z, solved)?;
        for (i, z) in z.iter_mut().enumerate() {
            let v = work.v[i];
            work.x[i] = if v > 0.0 { work.x[i] / v } else { 0.0 };
            *z = if v > 0.0 { work.x[i] * ((work.u[i] - work.mu[i]) / v) } else { 0.0 };
        }
        self.write_gradients(&mut gradient, &work.x, z, &work.step)
    }

    /// The tangent of every cell's variance, which is one value of a scalar prior.
    fn read_variances(&self, tangent: Option<&View>, out: &mut [f64]) -> Result<()> {
        if self.prior != Prior::Scalar {
            return read_or_zero(tangent, "tangent_variance", out);
        }
        let mut scalar = [0.0];
        read_or_zero(tangent, "tangent_variance", &mut scalar)?;
        out.fill(scalar[0]);
        Ok(())
    }

    /// Writes gradients by mean, by every cell's variance and by b; of a scalar prior the sum of the second.
    fn write_gradients(
        &self,
        gradient: &mut Tangent<ViewMut>,
        mean: &[f64],
        variance: &[f64],
        b: &[f64],
    ) -> Result<()> {
        let scalar = [variance.iter().sum::<f64>()];
        write_gradient(GRADIENTS, gradient, mean, if self.prior == Prior::Scalar { &scalar } else { variance }, b)
    }

    /// `step = (J H^-1 J')^-1 left` and `x = H^-1 (z - J' step)`.
    fn finish_nonlinear(&self, work: &mut nonlinear::Work, z: &[f64], mut solved: bool) -> Result<()> {
        if work.left.iter().all(|&left| left == 0.0) {
            work.step.fill(0.0);
        } else {
            solved &= work.newton(self);
        }
        work.right.copy_from_slice(z);
        for (gradient, &s) in work.jacobian.chunks(z.len()).zip(&work.step) {
            work.right.iter_mut().zip(gradient).for_each(|(r, g)| *r -= s * g);
        }
        solved &= work.solve(self);
        match solved {
            true => Ok(()),
            false => {
                fail!(Singular, "mean: its projection has no derivative there: rows and invariants have no gradient")
            }
        }
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

    /// The variances of cells that are free at the projected state into the metric, and pools of equal values.
    fn find_free(&mut self, sets: &Sets) {
        let Bounded { work, v, lower, upper, pools, .. } = self;
        for (cell, free) in work.metric.v.iter_mut().enumerate() {
            let u = work.u[cell];
            *free = if u > lower[cell] && u < upper[cell] { v[cell] } else { 0.0 };
        }
        for set in &sets.simplices {
            let cells = set.first..set.first + set.components * set.points;
            let free = work.metric.v[cells.clone()].iter_mut();
            for ((free, u), v) in free.zip(&work.u[cells.clone()]).zip(&v[cells]) {
                *free = if *u > 0.0 { *v } else { 0.0 };
            }
        }
        for set in &sets.monotones {
            work.metric.v[set.first..set.first + set.count].fill(0.0);
            let mut begin = 0;
            for k in 0..set.count {
                if work.u[set.first + k] != work.u[set.first + begin] {
                    begin = k;
                }
                pools[set.first + k] = begin as u32;
            }
        }
    }

    /// `work.w = D given`.
    pub(super) fn respond(&mut self, sets: &Sets) {
        let Bounded { work, v, given, pools, .. } = self;
        let y = &mut work.w;
        for ((y, x), free) in y.iter_mut().zip(&*given).zip(&work.metric.v) {
            *y = x * free;
        }
        for group in sets.groups(v, &work.metric.v, pools) {
            let sum: f64 = group.cells().map(|(cell, a)| a * given[cell]).sum();
            group.cells().for_each(|(cell, a)| y[cell] += group.factor * sum * a);
        }
    }

    /// `r = G work.w`, less `step` where that holds db.
    fn gather_rows(&mut self, rows: &Rows, less: bool) {
        let Bounded { joint, work, step, .. } = self;
        for (at, r) in work.r.iter_mut().enumerate() {
            let k = joint.pattern.order[at] as usize;
            let row = rows.row(k);
            let (sum, _) = linear::dot(Arch::new(), row.weights, place(&row), &work.w);
            *r = if less { sum.plus(-step[k]) } else { sum };
        }
    }

    /// Takes `G'` of the solution off `given`.
    pub(super) fn spread_rows(&mut self, rows: &Rows) {
        let Bounded { joint, work, given, .. } = self;
        for (at, &x) in work.step.iter().enumerate() {
            let row = rows.row(joint.pattern.order[at] as usize);
            linear::spread(Arch::new(), row.weights, place(&row), -x, given);
        }
    }
}
