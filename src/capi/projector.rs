use super::array::{optional_view, optional_view_mut, view, view_mut};
use super::workspace::{create_workspace, lease};
use super::{
    Object, borrow, borrow_mut, call, create, free, pcml_array, pcml_const_array, pcml_constraints, pcml_options,
    pcml_report, pcml_workspace, size,
};
use crate::constraint::{Posterior, Prior, Projector, ProjectorOptions, Report, Scratch};
use crate::error::{Result, fail};
use crate::field::{Element, Layout};
use crate::kernels::strided::{View, ViewMut};

pub(super) const CREATOR: &str = "pcml_projector_workspace";

/// Constraints joined with a prior kind, ready to project. Immutable: any number of threads may use it at once, each with a
/// workspace of its own.
pub struct pcml_projector {
    pub(super) projector: Projector,
}

impl Object for pcml_projector {
    const TAG: u64 = 0x7063_6d6c_7072_6a01;
    const NAME: &'static str = "pcml_projector";
}

fn prior(value: i32) -> Result<Prior> {
    match Prior::all().iter().find(|prior| **prior as i32 == value) {
        Some(prior) => Ok(*prior),
        None => fail!(InvalidArgument, "prior is {value}, expected PCML_PRIOR_IDENTITY (1) to PCML_PRIOR_SMOOTHED (9)"),
    }
}

/// Creates a projector. The rows are copied: the constraints may be freed or changed afterwards.
///
/// @param constraints  constraints with at least one row
/// @param prior        a number of enum pcml_prior
/// @param options      held cells, prior size and smoothing are read from it; NULL: all unset
/// @param projector    receives the object, NULL on failure; to be freed with pcml_projector_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown prior or a size or smoothing that
///         does not fit it, PCML_STATUS_STATE when there is no row, PCML_STATUS_NON_FINITE when squares of weights overflow,
///         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_create(
    constraints: *const pcml_constraints,
    prior: i32,
    options: *const pcml_options,
    projector: *mut *mut pcml_projector,
) -> i32 {
    unsafe {
        create("pcml_projector_create", projector, "projector", || {
            let constraints = borrow(constraints, "constraints")?;
            let prior = self::prior(prior)?;
            let mut chosen = ProjectorOptions::default();
            if !options.is_null() {
                let settings = &borrow(options, "options")?.settings;
                chosen.held_cells = settings.held_cells.unwrap_or_default();
                chosen.prior_size = settings.prior_size.unwrap_or_default();
                chosen.smoothing = settings.smoothing.unwrap_or_default();
            }
            let projector = Projector::new(&constraints.constraints, prior, &chosen)?;
            Ok(pcml_projector { projector })
        })
    }
}

/// Frees a projector. NULL is fine; freeing twice is misuse. Its workspaces and reports stay to be freed. Threads: nobody else
/// uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_free(projector: *mut pcml_projector) {
    unsafe { free("pcml_projector_free", projector) }
}

/// Creates a workspace for calls of this projector.
///
/// @param projector  the projector, and the only one that takes the workspace
/// @param slices     most slices of one call, at least 1
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object: about 150 bytes a slice for one row over all cells in the identity or a diagonal prior;
/// otherwise about 16 bytes a cell and slice, and what a slice's system takes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_workspace(
    projector: *const pcml_projector,
    slices: i64,
    workspace: *mut *mut pcml_workspace,
) -> i32 {
    unsafe {
        create_workspace(CREATOR, projector, "projector", workspace, |projector| {
            projector.projector.scratch(size(slices, "slices", 1)?)
        })
    }
}

/// Creates a report for projections of at most so many slices, by projectors with as many rows.
///
/// @param projector  the projector
/// @param slices     most slices of one call, at least 1
/// @param report     receives the object, NULL on failure; to be freed with pcml_report_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object, about 80 bytes a slice and 40 a row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_report(
    projector: *const pcml_projector,
    slices: i64,
    report: *mut *mut pcml_report,
) -> i32 {
    unsafe {
        create("pcml_projector_report", report, "report", || {
            let projector = borrow(projector, "projector")?;
            Ok(pcml_report::new(projector.projector.report(size(slices, "slices", 1)?)?))
        })
    }
}

/// # Safety
/// NULL or a report that nobody else uses during `'a`.
pub(super) unsafe fn optional_report<'a>(report: *mut pcml_report) -> Result<Option<&'a mut Report>> {
    if report.is_null() {
        return Ok(None);
    }
    Ok(Some(&mut unsafe { borrow_mut(report, "report") }?.report))
}

/// Makes every slice obey the rows. With S = G Sigma G' + diag(s^2) and S lambda = G mu - b, the posterior mean is
/// mu - Sigma G' lambda, its covariance Sigma - Sigma G' S^-1 G Sigma.
///
/// A row without noise holds for the posterior mean u as it is stored: |g u - b| <= 4 eps sum |g u|, eps of its dtype; a mean that
/// obeys so already comes back bit for bit (but PCML_PRIOR_SMOOTHED smooths it). Variances never grow. The bits of a slice depend
/// on its own values alone. Rows that depend on others, whatever the prior, take no part and are marked in the report; they hold
/// because the others do, or are refused by number. A lawful prediction is not always a better one.
///
/// Arrays hold `cells` values, or have shape [slices, ...] with `cells` values a slice; any strides; dtypes may differ. The
/// posterior may be the prior's own array (same data, dtype, shape and strides) or lie apart from all other arrays.
///
/// @param projector           the projector
/// @param workspace           a workspace of this projector with room for the slices
/// @param mean                mu, in the unit of the field
/// @param variance            the prior's data, in that unit squared where they are variances: enum pcml_prior states their shape for
///                            one slice; with a slice axis before it, or without one for all slices. Variances are above 0 (or at
///                            least 0 with held cells). NULL with PCML_PRIOR_IDENTITY
/// @param b                   one value a slice and row, [slices, rows] ([slices] for one row), in the unit of weight times field
/// @param posterior_mean      receives the posterior mean
/// @param posterior_variance  receives the posterior variances; NULL: not asked for
/// @param report              is filled on success, needs room for the slices; NULL: not asked for
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_STATE for constraints with invariants or sets, which have calls of
///         their own, PCML_STATUS_MISMATCH for the workspace or report of another projector
///         or a wrong struct_size, PCML_STATUS_INVALID_ARGUMENT for data with the identity prior or too many slices,
///         PCML_STATUS_SHAPE, PCML_STATUS_DTYPE, PCML_STATUS_STRIDE for strides, alignment or overlap, PCML_STATUS_TOO_LARGE;
///         PCML_STATUS_NON_FINITE (array, slice and cell are named; also where a result would overflow), PCML_STATUS_VARIANCE
///         (slice and cell are named; also for data that no covariance has), PCML_STATUS_SINGULAR when no cell can move a row,
///         PCML_STATUS_CONTRADICTION when a row contradicts rows on which it depends, PCML_STATUS_NOT_CONVERGED when rounding
///         keeps a row from holding (extreme scales only). After any failure the arrays and the report are as before.
///
/// Threads: any, one workspace and one report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_project(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    posterior_mean: *const pcml_array,
    posterior_variance: *const pcml_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_projector_project", || unsafe {
        let (projector, mut scratch) = lease::<_, Scratch>(projector, "projector", workspace, CREATOR)?;
        let report = optional_report(report)?;
        let posterior = Posterior {
            mean: view_mut(posterior_mean, "posterior_mean")?,
            variance: optional_view_mut(posterior_variance, "posterior_variance")?,
        };
        let (mean, variance, b) = (view(mean, "mean")?, optional_view(variance, "variance")?, view(b, "b")?);
        projector.projector.project(&mut scratch, mean, variance, b, posterior, report)
    })
}

/// # Safety
/// The pointer is NULL or points to elements of the layout that are readable during `'a`.
unsafe fn plain<'a, T: Element>(data: *const T, layout: Layout, name: &str) -> Result<View<'a>> {
    if data.is_null() {
        return fail!(NullArgument, "{name} is NULL, expected an array");
    }
    if !data.is_aligned() {
        return fail!(Stride, "{name} is not aligned to the {} bytes of its dtype", size_of::<T>());
    }
    // SAFETY: not NULL, aligned; the caller promises the elements.
    Ok(unsafe { View::from_raw(data.cast(), T::DTYPE, layout) })
}

/// # Safety
/// The pointer is NULL or points to elements of the layout that are writable during `'a`.
unsafe fn plain_mut<'a, T: Element>(data: *mut T, layout: Layout, name: &str) -> Result<ViewMut<'a>> {
    unsafe { plain(data.cast_const(), layout, name) }?;
    // SAFETY: checked as for reading; a layout without gaps names each element once.
    Ok(unsafe { ViewMut::from_raw(data.cast(), T::DTYPE, layout) })
}

/// # Safety
/// As the C functions below.
#[allow(clippy::too_many_arguments)]
unsafe fn project_plain<T: Element>(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    slices: i64,
    mean: *const T,
    variance: *const T,
    b: *const f64,
    posterior_mean: *mut T,
    posterior_variance: *mut T,
    report: *mut pcml_report,
) -> Result<()> {
    unsafe {
        let (projector, mut scratch) = lease::<_, Scratch>(projector, "projector", workspace, CREATOR)?;
        let report = optional_report(report)?;
        let slices = size(slices, "slices", 1)?;
        let kind = projector.projector.prior();
        if !variance.is_null() && !matches!(kind, Prior::Identity | Prior::Diagonal | Prior::Smoothed) {
            return fail!(
                InvalidArgument,
                "variance is given without its shape, expected pcml_projector_project for the prior {kind:?}"
            );
        }
        let field = Layout::contiguous("mean", &[slices, projector.projector.cells()])?;
        let mean = plain(mean, field, "mean")?;
        let variance = if variance.is_null() { None } else { Some(plain(variance, field, "variance")?) };
        let b = plain(b, Layout::contiguous("b", &[slices, projector.projector.rows()])?, "b")?;
        let posterior = Posterior {
            mean: plain_mut(posterior_mean, field, "posterior_mean")?,
            variance: if posterior_variance.is_null() {
                None
            } else {
                Some(plain_mut(posterior_variance, field, "posterior_variance")?)
            },
        };
        projector.projector.project(&mut scratch, mean, variance, b, posterior, report)
    }
}

/// pcml_projector_project for f64 arrays in C order without gaps: mean, variance and the posterior [slices, cells], b [slices, rows].
/// For the identity, the diagonal and the smoothed prior; others take the descriptors of pcml_projector_project, and their data are
/// PCML_STATUS_INVALID_ARGUMENT here.
/// Ownership, NULL, units, errors, threads and allocation as there; slices < 1 is PCML_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_project_f64(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    slices: i64,
    mean: *const f64,
    variance: *const f64,
    b: *const f64,
    posterior_mean: *mut f64,
    posterior_variance: *mut f64,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_projector_project_f64", || unsafe {
        project_plain(projector, workspace, slices, mean, variance, b, posterior_mean, posterior_variance, report)
    })
}

/// pcml_projector_project for f32 arrays in C order without gaps: mean, variance and the posterior [slices, cells]; b [slices, rows] is
/// f64. For the priors of pcml_projector_project_f64, and as there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_project_f32(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    slices: i64,
    mean: *const f32,
    variance: *const f32,
    b: *const f64,
    posterior_mean: *mut f32,
    posterior_variance: *mut f32,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_projector_project_f32", || unsafe {
        project_plain(projector, workspace, slices, mean, variance, b, posterior_mean, posterior_variance, report)
    })
}

/// How far every slice is from obeying: G u - b, with sums in twice the precision of f64. Checks only: no field changes.
///
/// @param projector  the projector
/// @param workspace  a workspace of this projector with room for the slices
/// @param mean       u, shaped as in pcml_projector_project
/// @param b          one value a slice and row, [slices, rows]
/// @param residual   receives one value a slice and row, in the unit of b; lies apart from the other arrays
/// @return 0, or as pcml_projector_project where it concerns these arguments
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_residual(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    b: *const pcml_const_array,
    residual: *mut f64,
) -> i32 {
    call("pcml_projector_residual", || unsafe {
        let (projector, mut scratch) = lease::<_, Scratch>(projector, "projector", workspace, CREATOR)?;
        let (mean, b) = (view(mean, "mean")?, view(b, "b")?);
        let slices = projector.projector.slices("mean", mean.layout())?;
        let layout = Layout::contiguous("residual", &[slices, projector.projector.rows()])?;
        let residual = plain_mut(residual, layout, "residual")?;
        projector.projector.residual(&mut scratch, mean, b, residual)
    })
}

/// Fills the report with how every slice stands to its rows; changes nothing else. Residuals before and after are both g u - b, the
/// tolerance is that of the mean's own dtype, and PCML_REPORT_ITEM_UNCHANGED says that all rows hold, those with noise to the bit.
///
/// @param projector  the projector
/// @param workspace  a workspace of this projector with room for the slices
/// @param mean       u, shaped as in pcml_projector_project
/// @param b          one value a slice and row, [slices, rows]
/// @param report     is filled on success, needs room for the slices; not NULL
/// @return 0, or as pcml_projector_project where it concerns these arguments; after a failure the report is as before
///
/// Threads: any, one workspace and one report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_check(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    b: *const pcml_const_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_projector_check", || unsafe {
        let (projector, mut scratch) = lease::<_, Scratch>(projector, "projector", workspace, CREATOR)?;
        let report = &mut borrow_mut(report, "report")?.report;
        projector.projector.check(&mut scratch, view(mean, "mean")?, view(b, "b")?, report)
    })
}

/// Right-hand sides of a balance: what the rows hold of an earlier state, plus what has come in since,
/// b = G u + dt sum_j rates_j, with sums in twice the precision of f64, rounded once. Fills b for every row; that of a boundary row
/// is no balance, and is the caller's to set afterwards.
///
/// @param projector  the projector
/// @param workspace  a workspace of this projector with room for the slices
/// @param previous   u, shaped as the mean in pcml_projector_project
/// @param rates      [slices, rows, terms] or [slices, rows]: what each row gains per unit of time, as fluxes through boundaries times
///                   their areas and sources times volumes; negative where it loses
/// @param dt         the time that has passed
/// @param b          receives one value a slice and row, [slices, rows]; lies apart from the other arrays
/// @return 0, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, or as pcml_projector_project where it concerns these arguments
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_budget(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    previous: *const pcml_const_array,
    rates: *const pcml_const_array,
    dt: f64,
    b: *const pcml_array,
) -> i32 {
    call("pcml_projector_budget", || unsafe {
        let (projector, mut scratch) = lease::<_, Scratch>(projector, "projector", workspace, CREATOR)?;
        let (previous, rates) = (view(previous, "previous")?, view(rates, "rates")?);
        projector.projector.budget(&mut scratch, previous, rates, dt, view_mut(b, "b")?)
    })
}

/// The whole posterior covariance of one slice, Sigma - Sigma G' S^-1 G Sigma: symmetric to the bit, its diagonal equal to the
/// posterior variances of the projection. For inspection; a projection never needs it.
///
/// @param projector   the projector
/// @param workspace   a workspace of this projector
/// @param variance    the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param covariance  receives [cells, cells], the field's unit squared; lies apart from `variance`
/// @return 0, or as pcml_projector_project where it concerns these arguments
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_projector_covariance(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    variance: *const pcml_const_array,
    covariance: *const pcml_array,
) -> i32 {
    call("pcml_projector_covariance", || unsafe {
        let (projector, mut scratch) = lease::<_, Scratch>(projector, "projector", workspace, CREATOR)?;
        let covariance = view_mut(covariance, "covariance")?;
        projector.projector.covariance(&mut scratch, optional_view(variance, "variance")?, covariance)
    })
}
