use super::array::{optional_view, optional_view_mut, view, view_mut};
use super::bounded::bounds;
use super::projector::{optional_report, pcml_projector};
use super::workspace::{Lease, create_workspace, lease};
use super::{borrow_mut, call, output, pcml_array, pcml_const_array, pcml_reduction, pcml_report, pcml_workspace};
use crate::constraint::{Part, PartInput, Posterior, Report};
use crate::error::Result;
use crate::reduce::abstain;

const CREATOR: &str = "pcml_part_workspace";

/// Creates a workspace for the pcml_part_* calls of a projector: the projection of a field whose cells lie in parts, one in each process.
///
/// @param projector  the projector of this part, with the part's weights and an absent row (pcml_constraints_add_absent_row) for each
///                   row of the whole field that has none here; PCML_PRIOR_IDENTITY, PCML_PRIOR_DIAGONAL or PCML_PRIOR_SCALAR; at
///                   most 16 rows
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for another prior, PCML_STATUS_STATE beside invariants, sets,
///         spreading or relaxed bounds, PCML_STATUS_TOO_LARGE for more rows, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object, about 10 kB a row and 600 bytes a pair of rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_part_workspace(
    projector: *const pcml_projector,
    workspace: *mut *mut pcml_workspace,
) -> i32 {
    unsafe { create_workspace(CREATOR, projector, "projector", workspace, |projector| projector.projector.part()) }
}

/// The arguments of one call, checked as far as one part can.
struct Arguments<'a> {
    projector: &'a pcml_projector,
    part: Lease<'a, Part>,
    input: PartInput<'a>,
    posterior: Posterior<'a>,
    report: Option<&'a mut Report>,
}

unsafe fn arguments<'a>(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    [mean, variance, b, lower, upper]: [*const pcml_const_array; 5],
    [posterior_mean, posterior_variance]: [*const pcml_array; 2],
    report: *mut pcml_report,
) -> Result<Arguments<'a>> {
    unsafe {
        let (projector, part) = lease::<_, Part>(projector, "projector", workspace, CREATOR)?;
        Ok(Arguments {
            projector,
            part,
            report: optional_report(report)?,
            input: PartInput {
                mean: view(mean, "mean")?,
                variance: optional_view(variance, "variance")?,
                b: view(b, "b")?,
                bounds: bounds(lower, upper)?,
            },
            posterior: Posterior {
                mean: view_mut(posterior_mean, "posterior_mean")?,
                variance: optional_view_mut(posterior_variance, "posterior_variance")?,
            },
        })
    }
}

/// pcml_projector_project for one slice whose cells lie in parts, one in each process: every part calls it with its own cells, and
/// the whole field obeys afterwards. With bounds, for one row, as pcml_bounded_project.
///
/// A cell's bits do not depend on how the field is split (1 to 2^20 parts of any sizes), nor on the order of the parts: all that
/// parts share are exact sums. They may differ from those of pcml_projector_project in the last bits. Residuals, tolerances,
/// multipliers and norm of the report are those of the whole field; the largest correction and active bounds are those of this part.
///
/// Ownership, units and arrays as in pcml_projector_project; each array holds the `cells` values of this part. A part without cells
/// brings one of any mean that no row weighs: absent rows only.
///
/// The reduction is called for 52 integers, then for some hundreds, then once for each step that is tried, nearly always one: equally
/// often on all parts with the same counts. A part whose arguments or values are refused takes part in the first call all the same,
/// and all parts return its status; only a reduction that is itself NULL or no reduction keeps a part away, and then the others wait.
///
/// @param projector           the projector of this part
/// @param workspace           one of pcml_part_workspace of this projector
/// @param reduction           the host's sum over the parts; not NULL
/// @param mean                mu of this part
/// @param variance            v of this part (one value with PCML_PRIOR_SCALAR); NULL with PCML_PRIOR_IDENTITY, where v = 1
/// @param b                   the values of the whole field's rows, the same on all parts, as are noise, prior and dtypes
/// @param lower               least values of this part, with one row; NULL on all parts: none
/// @param upper               largest values of this part, with one row; NULL on all parts: none
/// @param posterior_mean      receives the posterior mean of this part
/// @param posterior_variance  receives the posterior variances of this part; NULL: not asked for, and within bounds
/// @param report              is filled on success; NULL: not asked for
/// @return 0, or as pcml_projector_project and pcml_bounded_project, on all parts alike; PCML_STATUS_MISMATCH also where b, noise,
///         prior or dtypes differ between parts; PCML_STATUS_REDUCTION when the host's sum failed or is none. After any failure the
///         arrays and the report are as before, for the last reduction comes before the first write; where a reduction fails on
///         some parts only, the others may have written.
///
/// Threads: any, one workspace, reduction and report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_part_project(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    reduction: *mut pcml_reduction,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    lower: *const pcml_const_array,
    upper: *const pcml_const_array,
    posterior_mean: *const pcml_array,
    posterior_variance: *const pcml_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_part_project", || unsafe {
        let reduction = borrow_mut(reduction, "reduction")?;
        let mut sum = |values: &mut [i64]| reduction.sum(values);
        let (input, posterior) = ([mean, variance, b, lower, upper], [posterior_mean, posterior_variance]);
        match arguments(projector, workspace, input, posterior, report) {
            Err(error) => Err(abstain(error, &mut sum)),
            Ok(Arguments { projector, mut part, input, posterior, report }) => {
                projector.projector.project_part(&mut part, &input, posterior, report, &mut sum)
            }
        }
    })
}

/// pcml_part_project in steps, for a host that sums between calls: begins, and hands out this part's message. As long as `count` is not
/// 0 the host replaces the values by their sums over all parts and calls pcml_part_continue with the same arrays.
///
/// What is wrong with this part's values and shapes is told by the next call, to all parts at once. After a failure here, of a
/// handle or a descriptor, this part has no message and the host must stop the other parts.
///
/// @param projector           as in pcml_part_project, and so the arrays
/// @param workspace           one of pcml_part_workspace of this projector
/// @param mean                mu of this part
/// @param variance            v of this part
/// @param b                   the values of the whole field's rows
/// @param lower               least values of this part; NULL: none
/// @param upper               largest values of this part; NULL: none
/// @param posterior_mean      will receive the posterior mean of this part
/// @param posterior_variance  will receive the posterior variances; NULL: not asked for
/// @param report              will be filled; NULL: not asked for
/// @param values              receives the message, `count` integers that belong to the workspace until the next call with it
/// @param count               receives their number
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_MISMATCH, PCML_STATUS_HANDLE, or those of an array descriptor
///
/// Threads: any, one workspace and report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_part_begin(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    lower: *const pcml_const_array,
    upper: *const pcml_const_array,
    posterior_mean: *const pcml_array,
    posterior_variance: *const pcml_array,
    report: *mut pcml_report,
    values: *mut *mut i64,
    count: *mut i64,
) -> i32 {
    call("pcml_part_begin", || unsafe {
        let (values, count) = (output(values, "values")?, output(count, "count")?);
        (*values, *count) = (std::ptr::null_mut(), 0);
        let (input, posterior) = ([mean, variance, b, lower, upper], [posterior_mean, posterior_variance]);
        let arguments = arguments(projector, workspace, input, posterior, report)?;
        let Arguments { projector, mut part, input, posterior, report } = arguments;
        projector.projector.begin_part(&mut part, &input, &posterior, report.as_deref())?;
        let message = part.message();
        (*values, *count) = (message.as_mut_ptr(), message.len() as i64);
        Ok(())
    })
}

/// Reads the sums over all parts where pcml_part_begin, or the call before, left its message; hands out the next message, or writes the
/// posterior and gives a count of 0.
///
/// @param projector           as in pcml_part_begin, and so all arrays
/// @param workspace           the one that it began with
/// @param mean                mu of this part
/// @param variance            v of this part
/// @param b                   the values of the whole field's rows
/// @param lower               least values of this part; NULL: none
/// @param upper               largest values of this part; NULL: none
/// @param posterior_mean      receives the posterior mean of this part
/// @param posterior_variance  receives the posterior variances; NULL: not asked for
/// @param report              is filled on success; NULL: not asked for
/// @param values              receives the next message, as in pcml_part_begin
/// @param count               receives its length; 0: done
/// @return 0, or as pcml_part_project; PCML_STATUS_STATE when nothing is under way, or the arrays are not those it began with. After a
///         failure the projection is over, outputs and report are as before.
///
/// Threads: any, one workspace and report each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_part_continue(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    lower: *const pcml_const_array,
    upper: *const pcml_const_array,
    posterior_mean: *const pcml_array,
    posterior_variance: *const pcml_array,
    report: *mut pcml_report,
    values: *mut *mut i64,
    count: *mut i64,
) -> i32 {
    call("pcml_part_continue", || unsafe {
        let (values, count) = (output(values, "values")?, output(count, "count")?);
        (*values, *count) = (std::ptr::null_mut(), 0);
        let (input, posterior) = ([mean, variance, b, lower, upper], [posterior_mean, posterior_variance]);
        let arguments = arguments(projector, workspace, input, posterior, report)?;
        let Arguments { projector, mut part, input, mut posterior, report } = arguments;
        projector.projector.continue_part(&mut part, &input, &mut posterior, report)?;
        let message = part.message();
        if !message.is_empty() {
            (*values, *count) = (message.as_mut_ptr(), message.len() as i64);
        }
        Ok(())
    })
}
