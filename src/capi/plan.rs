use super::array::{dtype, optional_view, optional_view_mut, pcml_array, pcml_const_array, view, view_mut};
use super::model::pcml_model;
use super::options::{Settings, pcml_options};
use super::workspace::{create_workspace, lease, pcml_workspace};
use super::{Object, borrow, call, create, free};
use crate::model::{Options, Plan, Workspace};

/// A model bound to sizes, arithmetic and sampling: immutable, to be shared by threads. The model may be freed before it.
pub struct pcml_plan {
    plan: Plan,
}

impl Object for pcml_plan {
    const TAG: u64 = 0x7063_6d6c_706c_6e01;
    const NAME: &'static str = "pcml_plan";
}

const CREATOR: &str = "pcml_plan_workspace";

fn plan_options(s: &Settings) -> Options {
    let unset = Options::default();
    Options {
        batch: s.batch.unwrap_or(unset.batch),
        context: s.context,
        targets: s.targets,
        latents: s.latents.unwrap_or(unset.latents),
        seed: s.seed.unwrap_or(unset.seed),
        dropout: s.dropout.unwrap_or(unset.dropout),
        ..unset
    }
}

/// Creates a plan: packs the weights for the arithmetic and draws the latent samples.
///
/// @param model    the surrogate; not needed any more after the call
/// @param dtype    PCML_DTYPE_F32 or PCML_DTYPE_F64: the type in which the network is evaluated; arrays may have either
/// @param options  batch, context, targets, latents, seed, dropout; NULL for none set
/// @param plan     receives the object, NULL on failure; to be freed with pcml_plan_free
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT when an option that the model needs
///         is not set; PCML_STATUS_HANDLE; PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the packed weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_create(
    model: *const pcml_model,
    dtype: i32,
    options: *const pcml_options,
    plan: *mut *mut pcml_plan,
) -> i32 {
    unsafe {
        create("pcml_plan_create", plan, "plan", || {
            let model = borrow(model, "model")?;
            let dtype = self::dtype(dtype, "plan")?;
            let options = match options.is_null() {
                true => Options::default(),
                false => plan_options(&borrow(options, "options")?.settings),
            };
            Ok(pcml_plan { plan: Plan::new(&model.model, dtype, &options)? })
        })
    }
}

/// Frees a plan; its workspaces are to be freed on their own. NULL is fine; freeing twice is misuse.
///
/// Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_free(plan: *mut pcml_plan) {
    unsafe { free("pcml_plan_free", plan) }
}

/// Creates the scratch memory of a plan: one a thread.
///
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: all that later calls need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_workspace(plan: *const pcml_plan, workspace: *mut *mut pcml_workspace) -> i32 {
    unsafe { create_workspace(CREATOR, plan, "plan", workspace, |plan| plan.plan.workspace()) }
}

/// Neural processes: encodes the context points of one or more functions into the workspace. Queries use the encoding until
/// the next successful call.
///
/// @param context_x  [functions, points, inputs]: coordinates, raw units
/// @param context_y  [functions, points, outputs]: values, raw units
///                   (an axis of extent 1 may be left out; functions <= option batch, points <= option context)
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for
///         NaN or infinity in the arrays, or an overflow in the network (then the workspace is left unconditioned);
///         PCML_STATUS_MISMATCH for a workspace of another plan; PCML_STATUS_HANDLE
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_condition(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    context_x: *const pcml_const_array,
    context_y: *const pcml_const_array,
) -> i32 {
    call("pcml_plan_condition", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        plan.plan.condition(&mut workspace, &view(context_x, "context_x")?, &view(context_y, "context_y")?)
    })
}

/// Neural processes: mean and log variance of the latent density of each function conditioned on, network units.
///
/// @param mu            [functions, hidden]
/// @param log_variance  [functions, hidden]
/// @return 0; PCML_STATUS_STATE before pcml_plan_condition, or with dropout; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE;
///         PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_MISMATCH; PCML_STATUS_HANDLE
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_latent(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    mu: *const pcml_array,
    log_variance: *const pcml_array,
) -> i32 {
    call("pcml_plan_latent", || unsafe {
        let (plan, workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        plan.plan.latent(&workspace, &mut view_mut(mu, "mu")?, &mut view_mut(log_variance, "log_variance")?)
    })
}

/// Neural processes: predicts at target points of the functions conditioned on. The mean of a mixture is the mean of the
/// draws' means; its variance, by the law of total variance, the mean of their variances plus the unbiased variance of their
/// means. Results do not depend on the batch, the position in it, or the number of targets.
///
/// @param target_x  [targets, inputs] for all functions, or [functions, targets, inputs]; raw units; targets <= option targets
/// @param eps       NULL, or standard normal draws [latents, functions, hidden] or [latents, hidden] for the seeded ones
/// @param mean      receives [functions, targets, outputs], raw units (an axis of extent 1 may be left out)
/// @param variance  receives the same shape, raw units squared; NULL when it is not wanted
/// @return 0; PCML_STATUS_STATE before pcml_plan_condition; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE;
///         PCML_STATUS_STRIDE also when mean and variance overlap; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for NaN or infinity
///         in the arrays or an overflow; PCML_STATUS_INVALID_ARGUMENT for eps at the mean latent; PCML_STATUS_MISMATCH;
///         PCML_STATUS_HANDLE. The arrays are written only on success.
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_query(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    target_x: *const pcml_const_array,
    eps: *const pcml_const_array,
    mean: *const pcml_array,
    variance: *const pcml_array,
) -> i32 {
    call("pcml_plan_query", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        plan.plan.query(
            &mut workspace,
            &view(target_x, "target_x")?,
            optional_view(eps, "eps")?.as_ref(),
            &mut view_mut(mean, "mean")?,
            optional_view_mut(variance, "variance")?.as_mut(),
        )
    })
}
