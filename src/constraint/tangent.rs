//! Directions of derivatives and what they are taken with respect to, as callers give and receive them.

use pulp::Arch;

use super::arrays::{check_apart, read_or_zero};
use super::prior::Prior;
use super::project::Projector;
use crate::error::{Result, fail};
use crate::field::{Dtype, Layout};
use crate::kernels::linear;
use crate::kernels::strided::{View, ViewMut};

/// Directions in which a projection is differentiated, or what its derivative is with respect to: an absent one counts as 0, or is
/// not asked for.
pub struct Tangent<T> {
    /// Of the prior mean, `cells` values.
    pub mean: Option<T>,
    /// Of the variances of a diagonal prior, `cells` values, or of the one variance of a scalar prior.
    pub variance: Option<T>,
    /// Of the right-hand sides, one a row.
    pub b: Option<T>,
}

impl Projector {
    /// `what`: tangent or gradient.
    pub(super) fn check_tangent<T>(
        &self,
        what: &str,
        tangent: &Tangent<T>,
        layout: impl Fn(&T) -> &Layout,
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

    /// The tangent of every cell's variance, which is one value of a scalar prior.
    pub(super) fn read_variances(&self, tangent: Option<&View>, out: &mut [f64]) -> Result<()> {
        if self.prior != Prior::Scalar {
            return read_or_zero(tangent, "tangent_variance", out);
        }
        let mut scalar = [0.0];
        read_or_zero(tangent, "tangent_variance", &mut scalar)?;
        out.fill(scalar[0]);
        Ok(())
    }

    /// Writes gradients by mean, by every cell's variance and by b; of a scalar prior the sum of the second.
    pub(super) fn write_gradients(
        &self,
        gradient: &mut Tangent<ViewMut>,
        mean: &[f64],
        variance: &[f64],
        b: &[f64],
    ) -> Result<()> {
        let scalar = [variance.iter().sum::<f64>()];
        write_gradient(GRADIENTS, gradient, mean, if self.prior == Prior::Scalar { &scalar } else { variance }, b)
    }
}

/// A derivative lies apart from all inputs but the tangent of the mean, whose own array it may be.
pub(super) fn check_derivative(out: &ViewMut, tangent: &Tangent<View>, inputs: &[Option<&View>]) -> Result<()> {
    let of_tangent = [tangent.variance.as_ref(), tangent.b.as_ref()];
    for input in inputs.iter().copied().chain(of_tangent).flatten() {
        check_apart(("tangent", out.place()), ("an input", input.place()), false)?;
    }
    match &tangent.mean {
        Some(d) => check_apart(("tangent", out.place()), ("tangent_mean", d.place()), true),
        None => Ok(()),
    }
}

/// What callers know the parts of a gradient by: of means, of variances, of right-hand sides.
pub(crate) type Names = [&'static str; 3];
/// Those of projections.
pub(crate) const GRADIENTS: Names = ["gradient_mean", "gradient_variance", "gradient_b"];
/// Those of fluxes: of fluxes, their variances and sources.
pub(crate) const FLUX_GRADIENTS: Names = ["gradient_fluxes", "gradient_variance", "gradient_source"];

/// Gradients lie apart from all inputs and from each other.
pub(super) fn check_gradient(names: Names, gradient: &Tangent<ViewMut>, inputs: &[Option<&View>]) -> Result<()> {
    let [of_mean, of_variance, of_b] = names;
    let outputs = [(of_mean, &gradient.mean), (of_variance, &gradient.variance), (of_b, &gradient.b)];
    for (at, (name, out)) in outputs.iter().enumerate() {
        let Some(out) = out else { continue };
        for input in inputs.iter().flatten() {
            check_apart((name, out.place()), ("an input", input.place()), false)?;
        }
        for (other, second) in &outputs[at + 1..] {
            if let Some(second) = second {
                check_apart((name, out.place()), (other, second.place()), false)?;
            }
        }
    }
    Ok(())
}

/// Writes what was asked for, once all of it is known to fit.
pub(super) fn write_gradient(
    names: Names,
    gradient: &mut Tangent<ViewMut>,
    of_mean: &[f64],
    of_variance: &[f64],
    of_b: &[f64],
) -> Result<()> {
    let Tangent { mean, variance, b } = gradient;
    let parts = [(&*mean, of_mean), (&*variance, of_variance), (&*b, of_b)];
    for (name, (out, values)) in names.into_iter().zip(parts) {
        if let Some(out) = out {
            refuse_infinite(name, values, out.dtype())?;
        }
    }
    for (out, values) in [(mean, of_mean), (variance, of_variance), (b, of_b)] {
        if let Some(out) = out {
            out.scatter(0, values);
        }
    }
    Ok(())
}

/// Refuses what its array cannot hold.
pub(super) fn refuse_infinite(name: &str, values: &[f64], dtype: Dtype) -> Result<()> {
    let arch = Arch::new();
    if !linear::is_finite(arch, values) {
        return fail!(NonFinite, "{name} overflows");
    }
    let (low, high) = linear::range(arch, values);
    if low < -dtype.max() || high > dtype.max() {
        return fail!(NonFinite, "{name} overflows its dtype, with values from {low:e} to {high:e}");
    }
    Ok(())
}
