use super::array::{optional_view, view, view_mut};
use super::inference::{direction, gradient};
use super::projector::{optional_report, pcml_projector};
use super::workspace::{create_workspace, lease};
use super::{borrow_mut, call, pcml_array, pcml_const_array, pcml_report, pcml_workspace, size};
use crate::constraint::{GRADIENTS, NonlinearScratch};

const CREATOR: &str = "pcml_nonlinear_workspace";

/// Creates a workspace for pcml_nonlinear_project of this projector.
///
/// @param projector  the projector, with an invariant, and the only one that takes the workspace
/// @param slices     most slices of one call, at least 1
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1 or for a prior that correlates cells,
///         PCML_STATUS_STATE without an invariant or with sets, PCML_STATUS_TOO_LARGE above 256 rows and invariants, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object, about 8 bytes a cell for each slice, row and invariant, and 80 bytes a cell.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_nonlinear_workspace(
    projector: *const pcml_projector,
    slices: i64,
    workspace: *mut *mut pcml_workspace,
) -> i32 {
    unsafe {
        create_workspace(CREATOR, projector, "projector", workspace, |projector| {
            projector.projector.nonlinear_scratch(size(slices, "slices", 1)?)
        })
    }
}

/// Makes every slice obey all rows and all quadratic invariants: the state u nearest to mu, with least sum of (u - mu)^2 / v, such
/// that G u = b and q(u) = e.
///
/// |g u - b| <= 4 eps sum |g u| and |q(u) - e| <= 4 eps sum |w u_i u_j| hold for u as it is stored, eps of its dtype; a mean that
/// obeys so already comes back bit for bit. The bits of a slice depend on its own values alone. A lawful prediction is not always
/// a better one. The report's rows are the linear rows, then the invariants.
///
/// Arrays hold `cells` values, or have shape [slices, ...] with `cells` values a slice; any strides; dtypes may differ. The
/// posterior may be the mean's own array (same data, dtype, shape and strides) or lie apart from all other arrays.
///
/// @param projector       the projector
/// @param workspace       one of pcml_nonlinear_workspace of this projector with room for the slices
/// @param mean            mu, in the unit of the field
/// @param variance        v > 0 (or >= 0 with held cells), that unit squared; NULL with PCML_PRIOR_IDENTITY, where v = 1
/// @param b               [slices, rows], or [slices] for one row; NULL when there are no linear rows
/// @param levels          e, [slices, invariants], or [slices] for one invariant, in the unit of weight times field squared
/// @param posterior_mean  receives u
/// @param report          is filled on success, needs room for the slices; NULL: not asked for
/// @return as pcml_projector_project; PCML_STATUS_STATE for a row with noise, PCML_STATUS_INFEASIBLE when no state obeys (slice
///         and invariant are named, where that can be told), PCML_STATUS_SINGULAR when no cell can move an invariant or many
///         states are equally near, as from mu = 0, PCML_STATUS_NOT_CONVERGED (the text has the residual). After any failure
///         the arrays and the report are as before.
///
/// Threads: any, one workspace and one report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_nonlinear_project(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    levels: *const pcml_const_array,
    posterior_mean: *const pcml_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_nonlinear_project", || unsafe {
        let (projector, mut scratch) = lease::<_, NonlinearScratch>(projector, "projector", workspace, CREATOR)?;
        let report = optional_report(report)?;
        let (mean, variance) = (view(mean, "mean")?, optional_view(variance, "variance")?);
        let (b, levels) = (optional_view(b, "b")?, view(levels, "levels")?);
        let posterior_mean = view_mut(posterior_mean, "posterior_mean")?;
        projector.projector.project_nonlinear(&mut scratch, mean, variance, b, levels, posterior_mean, report)
    })
}

/// Fills the report with how every slice stands to its rows and invariants; changes nothing else. As pcml_projector_check; residuals
/// of invariants, q(u) - e, follow those of the rows.
///
/// @param projector  the projector
/// @param workspace  one of pcml_nonlinear_workspace of this projector with room for the slices
/// @param mean       u, shaped as in pcml_nonlinear_project
/// @param b          as in pcml_nonlinear_project; NULL when there are no linear rows
/// @param levels     e, as in pcml_nonlinear_project
/// @param report     is filled on success, needs room for the slices; not NULL
/// @return 0, or as pcml_nonlinear_project where it concerns these arguments; after a failure the report is as before
///
/// Threads: any, one workspace and one report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_nonlinear_check(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    b: *const pcml_const_array,
    levels: *const pcml_const_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_nonlinear_check", || unsafe {
        let (projector, mut scratch) = lease::<_, NonlinearScratch>(projector, "projector", workspace, CREATOR)?;
        let report = &mut borrow_mut(report, "report")?.report;
        let (mean, b) = (view(mean, "mean")?, optional_view(b, "b")?);
        projector.projector.check_nonlinear(&mut scratch, mean, b, view(levels, "levels")?, report)
    })
}

/// The derivative of pcml_nonlinear_project's mean, of one slice, in a direction: along the rows and the tangents of the invariants,
/// with their curvature.
///
/// @param projector         the projector
/// @param workspace         from pcml_nonlinear_workspace
/// @param mean              mu, `cells` values
/// @param variance          the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param b                 one value a row; NULL when there are no linear rows
/// @param levels            one value an invariant
/// @param tangent_mean      dmu, `cells` values; NULL: 0
/// @param tangent_variance  dv, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: 0
/// @param tangent_b         one value a row, then one an invariant, for its level; NULL: 0
/// @param tangent           receives du, `cells` values; may be tangent_mean's own array, else lies apart
/// @return 0, or as pcml_nonlinear_project; PCML_STATUS_SINGULAR where rows and invariants have no gradient;
///         PCML_STATUS_INVALID_ARGUMENT for a tangent_variance that the prior has not
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_nonlinear_jvp(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    levels: *const pcml_const_array,
    tangent_mean: *const pcml_const_array,
    tangent_variance: *const pcml_const_array,
    tangent_b: *const pcml_const_array,
    tangent: *const pcml_array,
) -> i32 {
    call("pcml_nonlinear_jvp", || unsafe {
        let (projector, mut scratch) = lease::<_, NonlinearScratch>(projector, "projector", workspace, CREATOR)?;
        let direction = direction(tangent_mean, tangent_variance, tangent_b)?;
        let (mean, variance) = (view(mean, "mean")?, optional_view(variance, "variance")?);
        let (b, levels) = (optional_view(b, "b")?, view(levels, "levels")?);
        let tangent = view_mut(tangent, "tangent")?;
        projector.projector.jvp_nonlinear(&mut scratch, mean, variance, b, levels, direction, tangent)
    })
}

/// The derivatives of <cotangent, u>, u of pcml_nonlinear_project, of one slice: the transpose of pcml_nonlinear_jvp.
///
/// @param projector          the projector
/// @param workspace          from pcml_nonlinear_workspace
/// @param mean               mu, `cells` values
/// @param variance           the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param b                  one value a row; NULL when there are no linear rows
/// @param levels             one value an invariant
/// @param cotangent          ubar, `cells` values
/// @param gradient_mean      receives mubar, `cells` values; NULL: not asked for
/// @param gradient_variance  receives vbar, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: not asked
///                           for, and with PCML_PRIOR_IDENTITY
/// @param gradient_b         receives one value a row, then one an invariant, for its level; NULL: not asked for
/// @return 0, or as pcml_nonlinear_jvp; PCML_STATUS_INVALID_ARGUMENT also when no gradient is asked for; after a failure the
///         gradients are as before
///
/// The gradients lie apart from each other and from the inputs.
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_nonlinear_vjp(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    levels: *const pcml_const_array,
    cotangent: *const pcml_const_array,
    gradient_mean: *const pcml_array,
    gradient_variance: *const pcml_array,
    gradient_b: *const pcml_array,
) -> i32 {
    call("pcml_nonlinear_vjp", || unsafe {
        let (projector, mut scratch) = lease::<_, NonlinearScratch>(projector, "projector", workspace, CREATOR)?;
        let (mean, variance) = (view(mean, "mean")?, optional_view(variance, "variance")?);
        let (b, levels) = (optional_view(b, "b")?, view(levels, "levels")?);
        let cotangent = view(cotangent, "cotangent")?;
        let gradient = gradient([gradient_mean, gradient_variance, gradient_b], GRADIENTS)?;
        projector.projector.vjp_nonlinear(&mut scratch, mean, variance, b, levels, cotangent, gradient)
    })
}
