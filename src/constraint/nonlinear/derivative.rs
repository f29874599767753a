//! Derivatives of projections onto rows and invariants, at the multipliers found.

use super::{NonlinearScratch, Work, dot};
use crate::constraint::arrays::read_or_zero;
use crate::constraint::project::Projector;
use crate::constraint::tangent::{GRADIENTS, Tangent, check_derivative, check_gradient, refuse_infinite};
use crate::error::{Result, fail};
use crate::kernels::strided::{View, ViewMut};

impl Projector {
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
            *left = dot(&work.jacobian[k * z.len()..][..z.len()], &work.x) - *left;
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
            *left = dot(&work.jacobian[k * z.len()..][..z.len()], &work.x);
        }
        self.finish_nonlinear(work, z, solved)?;
        for (i, z) in z.iter_mut().enumerate() {
            let v = work.v[i];
            work.x[i] = if v > 0.0 { work.x[i] / v } else { 0.0 };
            *z = if v > 0.0 { work.x[i] * ((work.u[i] - work.mu[i]) / v) } else { 0.0 };
        }
        self.write_gradients(&mut gradient, &work.x, z, &work.step)
    }

    /// `step = (J H^-1 J')^-1 left` and `x = H^-1 (z - J' step)`.
    fn finish_nonlinear(&self, work: &mut Work, z: &[f64], mut solved: bool) -> Result<()> {
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
}
