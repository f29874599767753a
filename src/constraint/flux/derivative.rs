//! Derivatives of the corrected fluxes. The correction is a projection, linear in fluxes and sources, so its derivative is the same
//! correction of other fluxes, and its transpose that of fluxes weighed with their variances.

use super::mesh::OUTSIDE;
use super::{Balances, FluxBalance, FluxScratch, Storage, overflow};
use crate::constraint::arrays::{check_apart, read_each};
use crate::constraint::tangent::{FLUX_GRADIENTS, Tangent, check_gradient, refuse_infinite, write_gradient};
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::strided::{View, ViewMut};

const BLOCK: usize = 256;
/// Solves of one derivative: the first, and refinements.
const ROUNDS: usize = 3;
/// What may be left of a balance, of the largest terms of any: derivatives are not repaired as fluxes are. Balance by balance terms may
/// cancel but for rounding, which would be no measure.
const MOST_LEFT: f64 = 1e-8;

/// Calls `each` with the face and its variance.
fn for_variances(faces: usize, variance: Option<&View>, mut each: impl FnMut(usize, f64)) {
    let mut stage = [1.0; BLOCK];
    let variance = variance.map(View::merged);
    for start in (0..faces).step_by(BLOCK) {
        let len = BLOCK.min(faces - start);
        if let Some(view) = &variance {
            view.gather(start, &mut stage[..len]);
        }
        stage[..len].iter().enumerate().for_each(|(k, &w)| each(start + k, w));
    }
}

impl FluxBalance {
    /// The derivative (jvp) of [`FluxBalance::correct`]'s fluxes in a direction: of the fluxes (`mean`), their variances and the sources
    /// (`b`), into `out` of `faces` values. With `q = (F - F') / w`: the correction of `dF - dw q` with sources ds.
    ///
    /// Where a part of the mesh has no free boundary face, ds sums to its net outflow through held faces, as sources do.
    ///
    /// Errors: as [`FluxBalance::correct`], Infeasible also for ds that misses that sum by 1e-8 of its terms. Two solves, no allocation.
    #[allow(clippy::too_many_arguments)]
    pub fn jvp(
        &self,
        scratch: &mut FluxScratch,
        fluxes: View,
        variance: Option<View>,
        source: Option<View>,
        tangent: Tangent<View>,
        mut out: ViewMut,
    ) -> Result<()> {
        self.check_faces("tangent", out.layout())?;
        let place = ("tangent", out.place());
        let others = [("fluxes", Some(&fluxes)), ("variance", variance.as_ref()), ("source", source.as_ref())];
        let directions = [("tangent_variance", tangent.variance.as_ref()), ("tangent_source", tangent.b.as_ref())];
        for (name, other) in others.into_iter().chain(directions) {
            if let Some(other) = other {
                check_apart(place, (name, other.place()), false)?;
            }
        }
        if let Some(d) = &tangent.mean {
            self.check_faces("tangent_fluxes", d.layout())?;
            check_apart(place, ("tangent_fluxes", d.place()), true)?;
        }
        if let Some(d) = &tangent.variance {
            self.check_faces("tangent_variance", d.layout())?;
        }
        if let Some(d) = &tangent.b {
            self.check_cells("tangent_source", d.layout())?;
        }
        self.linearise(scratch, fluxes, variance.as_ref(), source)?;
        read_each(tangent.mean.as_ref(), "tangent_fluxes", "face", &mut scratch.flux)?;
        read_each(tangent.variance.as_ref(), "tangent_variance", "face", &mut scratch.corrected)?;
        read_each(tangent.b.as_ref(), "tangent_source", "cell", &mut scratch.source)?;
        for ((flux, dw), q) in scratch.flux.iter_mut().zip(&scratch.corrected).zip(&scratch.drop) {
            *flux -= dw * q;
        }
        self.project(scratch)?;
        refuse_infinite("tangent", &scratch.corrected, out.dtype())?;
        out.merged_mut().scatter(0, &scratch.corrected);
        Ok(())
    }

    /// The derivatives (vjp) of `<cotangent, F'>` with respect to fluxes (`mean`), variances and sources (`b`): the transpose of
    /// [`FluxBalance::jvp`].
    ///
    /// With p the potentials of the correction of `w ubar` without sources: `Fbar = ubar - D'p`, `wbar = -q Fbar`, `sbar = p`. In a
    /// part of the mesh without a free boundary face p, and so sbar, is known up to a constant.
    ///
    /// Errors: as [`FluxBalance::correct`]. Two solves, no allocation.
    pub fn vjp(
        &self,
        scratch: &mut FluxScratch,
        fluxes: View,
        variance: Option<View>,
        source: Option<View>,
        cotangent: View,
        mut gradient: Tangent<ViewMut>,
    ) -> Result<()> {
        self.check_faces("cotangent", cotangent.layout())?;
        for (name, out) in [("gradient_fluxes", &gradient.mean), ("gradient_variance", &gradient.variance)] {
            if let Some(out) = out {
                self.check_faces(name, out.layout())?;
            }
        }
        if let Some(out) = &gradient.b {
            self.check_cells("gradient_source", out.layout())?;
        }
        check_gradient(
            FLUX_GRADIENTS,
            &gradient,
            &[Some(&fluxes), variance.as_ref(), source.as_ref(), Some(&cotangent)],
        )?;
        self.linearise(scratch, fluxes, variance.as_ref(), source)?;
        read_each(Some(&cotangent), "cotangent", "face", &mut scratch.flux)?;
        scratch.source.fill(0.0);
        // The potentials belong to scaled variances.
        let (mut largest, mut scale) = (0.0, 1.0);
        for_variances(self.faces(), variance.as_ref(), |f, w| {
            scratch.flux[f] *= w;
            if w > largest {
                (largest, scale) = (w, scratch.conductance[f] / w);
            }
        });
        self.project(scratch)?;
        let FluxScratch { flux, corrected, high, rhs, drop, .. } = &mut *scratch;
        rhs.iter_mut().zip(&*high).for_each(|(s, p)| *s = p * scale);
        cotangent.merged().gather(0, flux);
        for_variances(self.faces(), variance.as_ref(), |f, w| {
            let (owner, neighbour) = self.mesh.ends(f);
            let across = rhs[owner as usize] - if neighbour == OUTSIDE { 0.0 } else { rhs[neighbour as usize] };
            corrected[f] = if w > 0.0 { corrected[f] / w } else { flux[f] - across };
            flux[f] = -drop[f] * corrected[f];
        });
        write_gradient(FLUX_GRADIENTS, &mut gradient, corrected, flux, rhs)
    }

    /// Corrects `flux` into `corrected`, to the rounding of what went in: of a derivative nothing may be left but that.
    fn project(&self, scratch: &mut FluxScratch) -> Result<()> {
        let storage = Storage(Dtype::F64);
        scratch.corrected.copy_from_slice(&scratch.flux);
        let overflows = |c| overflow("tangent or cotangent", c);
        let largest = |scratch: &FluxScratch| scratch.balances.scale.iter().fold(0.0, |most: f64, s| most.max(*s));
        scratch.measure(&self.mesh, storage).map_err(overflows)?;
        let entered = largest(scratch);
        self.ready(scratch);
        scratch.refuse_imbalance("tangent_source", MOST_LEFT, storage)?;
        for _ in 0..ROUNDS {
            self.step(scratch, f64::EPSILON);
            if let Some(f) = scratch.apply(&self.mesh, storage) {
                return fail!(NonFinite, "tangent or cotangent: the derivative of face {f} overflows");
            }
            if scratch.measure(&self.mesh, storage).map_err(overflows)?.closeness <= 1.0 {
                return Ok(());
            }
            scratch.forest.weigh(&scratch.balances.scale);
        }
        let Balances { residual, scale, .. } = &scratch.balances;
        let left = residual.iter().zip(scale).enumerate().map(|(c, (r, t))| (r - scratch.forest.share(c, *t)).abs());
        let (left, most) = (left.fold(0.0, f64::max), MOST_LEFT * entered.max(largest(scratch)));
        if left > most + storage.tiny() {
            return fail!(
                NotConverged,
                "variance: a balance of the derivative misses by {left:e}, expected at most {most:e}, as the variances are too far apart"
            );
        }
        Ok(())
    }

    /// Corrects the fluxes in f64 and leaves `(F - F') / w` in `drop`, 0 on held faces.
    fn linearise(
        &self,
        scratch: &mut FluxScratch,
        fluxes: View,
        variance: Option<&View>,
        source: Option<View>,
    ) -> Result<()> {
        self.check_faces("fluxes", fluxes.layout())?;
        if let Some(w) = variance {
            self.check_faces("variance", w.layout())?;
        }
        if let Some(s) = &source {
            self.check_cells("source", s.layout())?;
        }
        self.check_scratch(scratch)?;
        read_each(Some(&fluxes), "fluxes", "face", &mut scratch.flux)?;
        read_each(source.as_ref(), "source", "cell", &mut scratch.source)?;
        self.read_variance(variance, &mut scratch.conductance)?;
        self.decide(scratch, variance, Storage(Dtype::F64))?;
        let FluxScratch { flux, corrected, drop, .. } = scratch;
        for_variances(flux.len(), variance, |f, w| {
            drop[f] = if w > 0.0 { (flux[f] - corrected[f]) / w } else { 0.0 };
        });
        Ok(())
    }
}
