use super::array::{optional_view, view, view_mut};
use super::projector::{optional_report, pcml_projector};
use super::workspace::lease;
use super::{
    borrow, borrow_mut, call, create, pcml_array, pcml_const_array, pcml_constraints, pcml_report, pcml_workspace, size,
};
use crate::constraint::NonlinearScratch;
use crate::error::{Result, fail};

const CREATOR: &str = "pcml_projector_workspace_nonlinear";

/// # Safety
/// NULL or `count` values that nobody writes during `'a`.
unsafe fn list<'a, T>(data: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    if data.is_null() {
        return fail!(NullArgument, "{name} is NULL, expected {count} values");
    }
    if !data.is_aligned() {
        return fail!(Stride, "{name} is not aligned to {} bytes", align_of::<T>());
    }
    if count > isize::MAX as usize / size_of::<T>() {
        return fail!(TooLarge, "{name} has {count} values, beyond the address space");
    }
    // SAFETY: not NULL, aligned, within the address space; the caller promises the values.
    Ok(unsafe { std::slice::from_raw_parts(data, count) })
}

/// Adds the quadratic invariant q(u) = sum over t of weights[t] u[cells_i[t]] u[cells_j[t]]: weighted squares where the two cells
/// are the same, products of two fields of the concatenated state where they differ. Its level comes with each projection. The
/// lists are copied.
///
/// @param constraints  the object that gets the invariant
/// @param terms        number of terms, at least 1
/// @param cells_i      the first cell of each term, 0 to cells - 1
/// @param cells_j      the second cell of each term, 0 to cells - 1
/// @param weights      one weight a term, of any sign, not all 0
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when terms < 1 or a cell is out of range (the text names the
///         term), PCML_STATUS_STRIDE for alignment, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are 0,
///         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: the invariant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_quadratic(
    constraints: *mut pcml_constraints,
    terms: i64,
    cells_i: *const i64,
    cells_j: *const i64,
    weights: *const f64,
) -> i32 {
    call("pcml_constraints_add_quadratic", || unsafe {
        let object = borrow_mut(constraints, "constraints")?;
        let count = size(terms, "terms", 1)?;
        let (i, j) = (list(cells_i, count, "cells_i")?, list(cells_j, count, "cells_j")?);
        object.constraints.add_quadratic(i, j, list(weights, count, "weights")?)
    })
}

/// Adds the quadratic invariant q(u) = sum of weights[i] u[i]^2: kinetic energy with half the masses, enstrophy with half the
/// volumes. Its level comes with each projection. The weights are copied.
///
/// @param constraints  the object that gets the invariant
/// @param weights      one weight a cell (any shape with that many values), of any sign, not all 0
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are 0,
///         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor; after a failure the constraints
///         are as before
///
/// Threads: one at a time for one object. Allocation: the invariant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_energy(
    constraints: *mut pcml_constraints,
    weights: *const pcml_const_array,
) -> i32 {
    call("pcml_constraints_add_energy", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        object.constraints.add_energy(unsafe { view(weights, "weights") }?)
    })
}

/// Creates a workspace for pcml_projector_project_nonlinear of this projector.
///
/// @param projector  the projector, with an invariant, and the only one that takes the workspace
/// @param slices     most slices of one call, at least 1
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, PCML_STATUS_STATE without an invariant,
///         PCML_STATUS_TOO_LARGE above 256 rows and invariants, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object, about 8 bytes a cell for each slice, row and invariant, and 80 bytes a cell.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_workspace_nonlinear(
    projector: *const pcml_projector,
    slices: i64,
    workspace: *mut *mut pcml_workspace,
) -> i32 {
    unsafe {
        create(CREATOR, workspace, "workspace", || {
            let projector = borrow(projector, "projector")?;
            let scratch = projector.projector.nonlinear_scratch(size(slices, "slices", 1)?)?;
            Ok(pcml_workspace::new(projector.owner, scratch))
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
/// @param workspace       one of pcml_projector_workspace_nonlinear of this projector with room for the slices
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
pub unsafe extern "C" fn pcml_projector_project_nonlinear(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    levels: *const pcml_const_array,
    posterior_mean: *const pcml_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_projector_project_nonlinear", || unsafe {
        let projector = borrow(projector, "projector")?;
        let mut scratch = lease::<NonlinearScratch>(workspace, projector.owner, CREATOR)?;
        let report = optional_report(report)?;
        projector.projector.project_nonlinear(
            &mut scratch,
            view(mean, "mean")?,
            optional_view(variance, "variance")?,
            optional_view(b, "b")?,
            view(levels, "levels")?,
            view_mut(posterior_mean, "posterior_mean")?,
            report,
        )
    })
}
