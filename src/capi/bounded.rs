use super::array::{optional_view, view, view_mut};
use super::inference::{direction, gradient};
use super::projector::{optional_report, pcml_projector};
use super::workspace::{create_workspace, lease};
use super::{borrow_mut, call, pcml_array, pcml_const_array, pcml_report, pcml_workspace, size};
use crate::constraint::{Bounded, Bounds, GRADIENTS};
use crate::error::Result;

const CREATOR: &str = "pcml_bounded_workspace";

/// # Safety
/// NULL or descriptors whose elements are readable during `'a`.
pub(super) unsafe fn bounds<'a>(lower: *const pcml_const_array, upper: *const pcml_const_array) -> Result<Bounds<'a>> {
    Ok(Bounds { lower: unsafe { optional_view(lower, "lower") }?, upper: unsafe { optional_view(upper, "upper") }? })
}

/// Creates a workspace for the pcml_bounded_* calls of a projector: projections within bounds, on simplices and along monotone runs.
///
/// @param projector  the projector, with PCML_PRIOR_IDENTITY, PCML_PRIOR_DIAGONAL or PCML_PRIOR_SCALAR, and the only one that takes
///                   the workspace
/// @param slices     most slices of one call, at least 1
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, for a prior that correlates cells, or for
///         PCML_BOUNDS_METHOD_SPREAD with more than one row or with sets, PCML_STATUS_STATE beside invariants,
///         PCML_STATUS_TOO_LARGE for more than 256 rows beside sets or 2^32 cells, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object, about 80 bytes a cell, 8 more a cell and slice, and what the rows' system takes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_bounded_workspace(
    projector: *const pcml_projector,
    slices: i64,
    workspace: *mut *mut pcml_workspace,
) -> i32 {
    unsafe {
        create_workspace(CREATOR, projector, "projector", workspace, |projector| {
            projector.projector.bounded(size(slices, "slices", 1)?)
        })
    }
}

/// Makes every slice obey all rows and stay within its bounds and sets: the u with least sum of (u - mu)^2 / v, such that G u = b,
/// lower <= u <= upper, and the sets of pcml_constraints_add_simplex and pcml_constraints_add_monotone hold. With
/// PCML_BOUNDS_METHOD_SPREAD clipping and spreading instead.
///
/// Bounds hold with tolerance zero for u as it is stored (one that the dtype of u cannot hold is rounded inwards), rows without noise
/// to 4 eps sum |g u|; a mean that obeys and lies within comes back bit for bit. A cell whose variance is 0 stays. Where no state
/// within the bounds obeys, the policy of pcml_constraints_set_bounds decides; the report has the cells whose bounds yielded, and by how
/// much at most.
///
/// Arrays hold `cells` values, or have shape [slices, ...] with `cells` values a slice; any strides; dtypes may differ. The
/// posterior may be the mean's own array (same data, dtype, shape and strides) or lie apart from all other arrays.
///
/// @param projector       the projector
/// @param workspace       one of pcml_bounded_workspace of this projector with room for the slices
/// @param mean            mu, in the unit of the field
/// @param variance        v, that unit squared; NULL with PCML_PRIOR_IDENTITY
/// @param b               one value a slice and row, [slices, rows]
/// @param lower           least values, of the mean's shape or that of one slice, -infinity where there is none; NULL: none
/// @param upper           largest values, likewise, +infinity where there is none; NULL: none
/// @param posterior_mean  receives u
/// @param report          is filled on success, needs room for the slices; NULL: not asked for
/// @return as pcml_projector_project; PCML_STATUS_INVALID_ARGUMENT also where a lower bound is above its upper bound (the text names
///         slice and cell), or infinite with PCML_BOUNDS_METHOD_SPREAD; PCML_STATUS_INFEASIBLE when no state within the bounds obeys
///         (slice and row are named); PCML_STATUS_NOT_CONVERGED (the text has the residual). After any failure the arrays and the
///         report are as before.
///
/// Threads: any, one workspace and one report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_bounded_project(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    lower: *const pcml_const_array,
    upper: *const pcml_const_array,
    posterior_mean: *const pcml_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_bounded_project", || unsafe {
        let (projector, mut bounded) = lease::<_, Bounded>(projector, "projector", workspace, CREATOR)?;
        let report = optional_report(report)?;
        let (mean, variance, b) = (view(mean, "mean")?, optional_view(variance, "variance")?, view(b, "b")?);
        let (bounds, posterior_mean) = (bounds(lower, upper)?, view_mut(posterior_mean, "posterior_mean")?);
        projector.projector.project_bounded(&mut bounded, mean, variance, b, bounds, posterior_mean, report)
    })
}

/// Fills the report with how every slice stands to its rows, bounds and sets; changes nothing else. As pcml_projector_check, with
/// PCML_REPORT_ITEM_UNCHANGED only where bounds and sets hold too, active bounds counted, PCML_REPORT_ITEM_RELAXED the cells outside
/// their bounds (below 0 in a simplex, out of order in a run), and PCML_REPORT_ITEM_RELAXATION the furthest of these or of a simplex's
/// sum.
///
/// @param projector  the projector
/// @param workspace  one of pcml_bounded_workspace of this projector with room for the slices
/// @param mean       u, shaped as in pcml_bounded_project
/// @param b          one value a slice and row, [slices, rows]
/// @param lower      as in pcml_bounded_project; NULL: none
/// @param upper      as in pcml_bounded_project; NULL: none
/// @param report     is filled on success, needs room for the slices; not NULL
/// @return 0, or as pcml_bounded_project where it concerns these arguments; after a failure the report is as before
///
/// Threads: any, one workspace and one report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_bounded_check(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    b: *const pcml_const_array,
    lower: *const pcml_const_array,
    upper: *const pcml_const_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_bounded_check", || unsafe {
        let (projector, mut bounded) = lease::<_, Bounded>(projector, "projector", workspace, CREATOR)?;
        let report = &mut borrow_mut(report, "report")?.report;
        let (mean, b) = (view(mean, "mean")?, view(b, "b")?);
        projector.projector.check_bounded(&mut bounded, mean, b, bounds(lower, upper)?, report)
    })
}

/// The derivative of pcml_bounded_project's mean, of one slice, in a direction. Cells at a bound stay there, components at 0 too, a
/// pool of a monotone run moves as one; bounds are constants. Where a cell is about to reach or leave a bound it is one of
/// the one-sided derivatives. Takes and returns what pcml_inference_jvp does, with the bounds.
///
/// @param projector         the projector
/// @param workspace         from pcml_bounded_workspace
/// @param mean              mu, `cells` values
/// @param variance          the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param b                 one value a row
/// @param lower             `cells` values; NULL: none
/// @param upper             `cells` values; NULL: none
/// @param tangent_mean      dmu, `cells` values; NULL: 0
/// @param tangent_variance  dv, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: 0
/// @param tangent_b         db, one value a row; NULL: 0
/// @param tangent           receives du, `cells` values; may be tangent_mean's own array, else lies apart
/// @return 0, or as pcml_bounded_project; PCML_STATUS_STATE where bounds yielded by the least; PCML_STATUS_INVALID_ARGUMENT for a
///         tangent_variance that the prior has not
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_bounded_jvp(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    lower: *const pcml_const_array,
    upper: *const pcml_const_array,
    tangent_mean: *const pcml_const_array,
    tangent_variance: *const pcml_const_array,
    tangent_b: *const pcml_const_array,
    tangent: *const pcml_array,
) -> i32 {
    call("pcml_bounded_jvp", || unsafe {
        let (projector, mut bounded) = lease::<_, Bounded>(projector, "projector", workspace, CREATOR)?;
        let direction = direction(tangent_mean, tangent_variance, tangent_b)?;
        let (mean, variance, b) = (view(mean, "mean")?, optional_view(variance, "variance")?, view(b, "b")?);
        let (bounds, tangent) = (bounds(lower, upper)?, view_mut(tangent, "tangent")?);
        projector.projector.jvp_bounded(&mut bounded, mean, variance, b, bounds, direction, tangent)
    })
}

/// The derivatives of <cotangent, u>, u of pcml_bounded_project, of one slice: the transpose of pcml_bounded_jvp. Takes and returns
/// what pcml_inference_vjp does, with the bounds.
///
/// @param projector          the projector
/// @param workspace          from pcml_bounded_workspace
/// @param mean               mu, `cells` values
/// @param variance           the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param b                  one value a row
/// @param lower              `cells` values; NULL: none
/// @param upper              `cells` values; NULL: none
/// @param cotangent          ubar, `cells` values
/// @param gradient_mean      receives mubar, `cells` values; NULL: not asked for
/// @param gradient_variance  receives vbar, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: not asked
///                           for, and with PCML_PRIOR_IDENTITY
/// @param gradient_b         receives bbar, one value a row; NULL: not asked for
/// @return 0, or as pcml_bounded_jvp; PCML_STATUS_INVALID_ARGUMENT also when no gradient is asked for; after a failure the
///         gradients are as before
///
/// The gradients lie apart from each other and from the inputs.
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_bounded_vjp(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    lower: *const pcml_const_array,
    upper: *const pcml_const_array,
    cotangent: *const pcml_const_array,
    gradient_mean: *const pcml_array,
    gradient_variance: *const pcml_array,
    gradient_b: *const pcml_array,
) -> i32 {
    call("pcml_bounded_vjp", || unsafe {
        let (projector, mut bounded) = lease::<_, Bounded>(projector, "projector", workspace, CREATOR)?;
        let (mean, variance, b) = (view(mean, "mean")?, optional_view(variance, "variance")?, view(b, "b")?);
        let (bounds, cotangent) = (bounds(lower, upper)?, view(cotangent, "cotangent")?);
        let gradient = gradient([gradient_mean, gradient_variance, gradient_b], GRADIENTS)?;
        projector.projector.vjp_bounded(&mut bounded, mean, variance, b, bounds, cotangent, gradient)
    })
}
