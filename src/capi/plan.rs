use std::mem::MaybeUninit;

use super::array::{
    Views, dtype, optional_view, optional_view_mut, optional_views, optional_views_mut, pcml_array, pcml_const_array,
    view, view_in, view_mut, view_mut_in, views,
};
use super::model::pcml_model;
use super::options::{Settings, pcml_options};
use super::projector::{self, optional_report, pcml_projector};
use super::workspace::{create_workspace, lease, pcml_workspace};
use super::{Object, borrow, call, create, free, output, pcml_report};
use crate::constraint::{Posterior, Scratch};
use crate::error::fail;
use crate::model::{DerivativeWorkspace, Options, Plan, Workspace};

/// A model bound to sizes, arithmetic and sampling: immutable, to be shared by threads. The model may be freed before it.
pub struct pcml_plan {
    plan: Plan,
}

impl Object for pcml_plan {
    const TAG: u64 = 0x7063_6d6c_706c_6e01;
    const NAME: &'static str = "pcml_plan";
}

const CREATOR: &str = "pcml_plan_workspace";
const DERIVATIVE_CREATOR: &str = "pcml_plan_derivative_workspace";

pub(super) fn plan_options(s: &Settings) -> Options {
    let unset = Options::default();
    Options {
        batch: s.batch.unwrap_or(unset.batch),
        context: s.context,
        targets: s.targets,
        covariance: s.covariance.unwrap_or(unset.covariance),
        latents: s.latents.unwrap_or(unset.latents),
        seed: s.seed.unwrap_or(unset.seed),
        dropout: s.dropout.unwrap_or(unset.dropout),
        shape: s.shape.clone(),
        steps: s.steps.unwrap_or(unset.steps),
        boundary: s.boundary.clone(),
        threads: s.threads.unwrap_or(unset.threads),
        transforms: s.transforms.unwrap_or(unset.transforms),
    }
}

/// Creates a plan: packs the weights for the arithmetic; draws the latent samples of neural processes; makes the transforms of neural
/// operators for the grid, and the corrections of those that obey boundary conditions; factors the kernel matrix of the points that a
/// Gaussian process stores.
///
/// @param model    the surrogate; not needed any more after the call
/// @param dtype    PCML_DTYPE_F32 or PCML_DTYPE_F64: the type in which the network is evaluated; arrays may have either. Gaussian
///                 processes are evaluated in f64 alone, networks in ONNX in their own type
/// @param options  neural processes: batch, context, targets, latents, seed, dropout; Gaussian processes: batch, context (not needed
///                 where the model stores points), targets, covariance; neural operators: batch, shape, steps, boundary, threads,
///                 transforms; perceptrons: batch, dropout, latents, seed; DeepONets: batch, targets, dropout, latents, seed; networks
///                 in ONNX: batch, and shape where they have a grid; ensembles: those of their members; NULL for none set
/// @param plan     receives the object, NULL on failure; to be freed with pcml_plan_free
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT when an option that the model needs
///         is not set or does not fit it; PCML_STATUS_CONTRADICTION for two values at one stored point without noise; PCML_STATUS_SHAPE for a grid with too few points for the model's modes or a stencil;
///         PCML_STATUS_STATE for boundary conditions where the model has none, and for a network in ONNX where the library was built without
///         cargo feature onnx; PCML_STATUS_WEIGHTS for an ONNX file that is damaged or can't be evaluated,
///         PCML_STATUS_FILE_DESCRIPTION for one that is not as described; PCML_STATUS_MISMATCH for other faces or kinds than
///         the model's; PCML_STATUS_SINGULAR, PCML_STATUS_TOO_LARGE; PCML_STATUS_HANDLE; PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any; with option threads the plan has its own. Allocation: the packed weights, and what the transforms take.
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

/// Neural and Gaussian processes and DeepONets: encodes the context points of one or more functions into the workspace. Queries use the encoding
/// until the next successful call. A Gaussian process factors the kernel matrix of each function, points^3 / 3 multiply-adds; where it is
/// singular as far as rounding tells, some variance is added to its diagonal, which pcml_plan_jitter tells.
///
/// @param context_x  [functions, points, inputs]: coordinates, raw units; NULL for a DeepONet, whose model knows its sensors
/// @param context_y  [functions, points, outputs]: values, raw units; of a DeepONet [functions, sensors, channels]: the input functions
///                   (an axis of extent 1 may be left out; functions <= option batch, points <= option context)
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for
///         NaN or infinity in the arrays, or an overflow in the network (then the workspace is left unconditioned);
///         PCML_STATUS_MISMATCH for a workspace of another plan; PCML_STATUS_HANDLE; Gaussian processes: PCML_STATUS_SINGULAR when the
///         kernel matrix stays singular, PCML_STATUS_CONTRADICTION for two values at one point without noise (both leave the workspace
///         unconditioned), PCML_STATUS_STATE for a plan without option context
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
        let values = view(context_y, "context_y")?;
        if context_x.is_null() && plan.plan.has_sensors() {
            return plan.plan.condition_on_sensors(&mut workspace, &values);
        }
        plan.plan.condition(&mut workspace, &view(context_x, "context_x")?, &values)
    })
}

/// Gaussian processes: pcml_plan_condition on points whose values have noise variances of their own, beside the model's.
///
/// @param context_x  as in pcml_plan_condition
/// @param context_y  as in pcml_plan_condition
/// @param noise      [points] for all functions or [functions, points]: variances >= 0, in the square of the outputs' network units (raw
///                   ones where a channel's scale is 1)
/// @return as pcml_plan_condition, and PCML_STATUS_NOISE for a value < 0
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_condition_noisy(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    context_x: *const pcml_const_array,
    context_y: *const pcml_const_array,
    noise: *const pcml_const_array,
) -> i32 {
    call("pcml_plan_condition_noisy", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        let (x, y) = (view(context_x, "context_x")?, view(context_y, "context_y")?);
        plan.plan.condition_noisy(&mut workspace, &x, &y, &view(noise, "noise")?)
    })
}

/// Gaussian processes: the variance that the last conditioning added to the diagonal of kernel matrices so that they could be factored, the
/// largest over functions (else that of the stored points). A pivot must exceed n eps of its diagonal; where one does not, 10 n eps of the
/// signal variance are added, then ten times as much, five times over.
///
/// @param jitter  receives it as a part of the signal variance; 0: none was needed
/// @return 0; PCML_STATUS_STATE before pcml_plan_condition where the model stores no points; PCML_STATUS_NULL_ARGUMENT;
///         PCML_STATUS_MISMATCH; PCML_STATUS_HANDLE
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_jitter(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    jitter: *mut f64,
) -> i32 {
    call("pcml_plan_jitter", || unsafe {
        let (plan, workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        let jitter = output(jitter, "jitter")?;
        *jitter = plan.plan.jitter(&workspace)?;
        Ok(())
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

/// Neural and Gaussian processes and DeepONets: predicts at target points of the functions conditioned on; a Gaussian process that is not
/// conditioned and stores points predicts from those. Variances of a Gaussian process are of the process itself, without noise, from 0 to
/// the signal variance. Neural processes: the mean of a mixture is the mean of the draws' means; its variance, by the law of total
/// variance, the mean of their variances plus the unbiased variance of their means. A DeepONet has a variance in an ensemble or with draws
/// of dropout only. Results do not depend on the batch, the position in it, or the number of targets.
///
/// @param target_x  [targets, inputs] for all functions, or [functions, targets, inputs]; raw units; targets <= option targets
/// @param eps       NULL, or standard normal draws [latents, functions, hidden] or [latents, hidden] instead of the
///                  seeded ones; NULL for Gaussian processes and DeepONets
/// @param mean      receives [functions, targets, outputs], raw units (an axis of extent 1 may be left out)
/// @param variance  receives the same shape, raw units squared; NULL when it is not wanted, and for a single DeepONet
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

/// Gaussian processes: the whole posterior covariance at target points, k(x, x) - k(x, X) (k(X, X) + noise)^-1 k(X, x), and the mean. With one
/// output the two are what pcml_projector_project takes for `mean` and `variance` of PCML_PRIOR_DENSE, functions as slices; a noisy or exact
/// row then gives the process conditioned on that integral too. With several outputs the mean can be written with its outputs before its
/// targets through strides.
///
/// @param target_x    as in pcml_plan_query, at most option covariance targets
/// @param mean        receives [functions, targets, outputs], raw units; NULL when it is not wanted
/// @param covariance  receives [functions, outputs, targets, targets], raw units squared: symmetric bit for bit, the diagonal as
///                    pcml_plan_query has it, without noise (axes of extent 1 may be left out)
/// @return 0; PCML_STATUS_STATE before pcml_plan_condition where the model stores no points, and for a plan without option covariance;
///         PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE also when mean and covariance overlap;
///         PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE; PCML_STATUS_MISMATCH also for a plan of another kind; PCML_STATUS_HANDLE. The
///         arrays are written only on success.
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_covariance(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    target_x: *const pcml_const_array,
    mean: *const pcml_array,
    covariance: *const pcml_array,
) -> i32 {
    call("pcml_plan_covariance", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        plan.plan.covariance(
            &mut workspace,
            &view(target_x, "target_x")?,
            optional_view_mut(mean, "mean")?.as_mut(),
            &mut view_mut(covariance, "covariance")?,
        )
    })
}

/// Neural operators and networks in ONNX: predicts fields on the plan's grid from fields; where such a network has no grid, values at points,
/// each point a function. Multilayer perceptrons: predicts rows of outputs from rows of inputs, each row on its own, such as the columns of an
/// atmosphere. Ensembles of any of these: the mean of their members. Models with boundary conditions obey them: the results have
/// exactly the values of Dirichlet faces, as they are stored.
///
/// @param input        [functions, n_1, .., n_d, inputs], raw units; functions <= option batch. Perceptrons: [.., inputs], the axes before
///                     the channels together at most option batch rows
/// @param values       models with boundary conditions: an array for each Dirichlet and Neumann face, in the order of the model's faces
///                     (of option boundary, where it is set), [functions, (steps,) the grid without the face's axis, outputs], raw units;
///                     a stride of 0 repeats a value. Others: NULL with a count of 0
/// @param value_count  how many
/// @param output       receives [functions, (steps,) n_1, .., n_d, outputs], perceptrons: [.., outputs], raw units; may share memory with the
///                     arrays that are read: it is written last. (Axes of extent 1 may be left out everywhere; `steps` is an axis where that option is > 1)
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT for a
///         count < 0; PCML_STATUS_NON_FINITE for NaN or infinity in the arrays, or an overflow; PCML_STATUS_MISMATCH for another number
///         of values, a workspace of another plan, or a plan of another kind; PCML_STATUS_HANDLE; PCML_STATUS_PANIC where the
///         evaluation of a network in ONNX fails. The output is written only on success.
///
/// Threads: one workspace a thread. Allocation: none; networks in ONNX: arrays inside the network, and some locks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_predict(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    input: *const pcml_const_array,
    values: *const pcml_const_array,
    value_count: i64,
    output: *const pcml_array,
) -> i32 {
    call("pcml_plan_predict", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        let mut room = Views::room();
        let values = views(&mut room, values, value_count, "values")?;
        let (mut from, mut to) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        let (input, output) = (view_in(&mut from, input, "input")?, view_mut_in(&mut to, output, "output")?);
        plan.plan.predict(&mut workspace, input, values, output)
    })
}

/// Predicts as pcml_plan_predict from and to several fields of the host, such as temperature, humidity and winds: the channels of the model
/// are those of the first field, then those of the second and so on. The fields are read and written where they lie; nothing needs to be
/// packed into one array. No more than 64 fields each way.
///
/// @param plan          the plan
/// @param workspace     a workspace of the plan
/// @param inputs        the fields that are read, each [.., channels] or, of a single channel, [..]; the axes before the channels are those of
///                      pcml_plan_predict and the same in all; dtypes and strides may differ; raw units
/// @param input_count   how many
/// @param values        as in pcml_plan_predict
/// @param value_count   how many
/// @param outputs       the fields that receive the prediction, likewise, of one dtype; they lie apart from each other and may share memory
///                      with the arrays that are read: they are written last
/// @param output_count  how many
/// @return 0, or as pcml_plan_predict; PCML_STATUS_SHAPE also where the fields together have another number of channels than the model,
///         PCML_STATUS_DTYPE where outputs differ in dtype, PCML_STATUS_STRIDE where they overlap. They are written only on success.
///
/// Threads: one workspace a thread. Allocation: as pcml_plan_predict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_predict_fields(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    inputs: *const pcml_const_array,
    input_count: i64,
    values: *const pcml_const_array,
    value_count: i64,
    outputs: *const pcml_array,
    output_count: i64,
) -> i32 {
    call("pcml_plan_predict_fields", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        let Some(mut outputs) = optional_views_mut(outputs, output_count, "outputs")? else {
            return fail!(NullArgument, "outputs is NULL, expected arrays");
        };
        plan.plan.predict_fields(
            &mut workspace,
            views(&mut Views::room(), inputs, input_count, "inputs")?,
            views(&mut Views::room(), values, value_count, "values")?,
            outputs.all(),
        )
    })
}

/// Perceptrons with a variance head and ensembles: predicts as pcml_plan_predict, with variances. Of an ensemble they are those of the equal-weight
/// mixture of its members, by the law of total variance: the mean of their variances (none of a member without) plus the mean square of
/// their means' departures from the mean. Draws of dropout (option dropout) are members too.
///
/// @param plan         the plan
/// @param workspace    a workspace of the plan
/// @param input        as in pcml_plan_predict
/// @param values       as in pcml_plan_predict
/// @param value_count  how many
/// @param mean         receives what pcml_plan_predict gives
/// @param variance     receives the same shape, raw units squared; lies apart from `mean`
/// @return 0, or as pcml_plan_predict; PCML_STATUS_MISMATCH also for a model without variances; PCML_STATUS_STRIDE when the results
///         overlap. They are written only on success.
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_predict_moments(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    input: *const pcml_const_array,
    values: *const pcml_const_array,
    value_count: i64,
    mean: *const pcml_array,
    variance: *const pcml_array,
) -> i32 {
    call("pcml_plan_predict_moments", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        plan.plan.predict_moments(
            &mut workspace,
            &view(input, "input")?,
            views(&mut Views::room(), values, value_count, "values")?,
            &mut view_mut(mean, "mean")?,
            &mut view_mut(variance, "variance")?,
        )
    })
}

/// Ensembles: predicts as pcml_plan_predict, with the covariance of the members' mixture as diag(d) + F'F of rank `members`. The result is what
/// pcml_projector_project takes for `variance` of PCML_PRIOR_LOW_RANK with option prior_size = members, functions as slices: no matrix of
/// cells by cells is made. Where members have no variances of their own d is 0, for which the projector wants option held_cells.
///
/// @param plan         the plan
/// @param workspace    a workspace of the plan
/// @param input        as in pcml_plan_predict
/// @param values       as in pcml_plan_predict
/// @param value_count  how many
/// @param mean         receives what pcml_plan_predict gives
/// @param low_rank     receives [functions, 1 + members, cells], cells the values of a function (of a perceptron: of a row) in the order of
///                     `mean`, as one axis or as many as there: d, the mean of the members' variances, then F, their means' departures
///                     from the mean over the root of their number; raw units squared, raw units. Lies apart from `mean`
/// @return 0, or as pcml_plan_predict; PCML_STATUS_MISMATCH also for a single model; PCML_STATUS_STRIDE when the results overlap. They
///         are written only on success.
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_predict_factors(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    input: *const pcml_const_array,
    values: *const pcml_const_array,
    value_count: i64,
    mean: *const pcml_array,
    low_rank: *const pcml_array,
) -> i32 {
    call("pcml_plan_predict_factors", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        plan.plan.predict_factors(
            &mut workspace,
            &view(input, "input")?,
            views(&mut Views::room(), values, value_count, "values")?,
            &mut view_mut(mean, "mean")?,
            &mut view_mut(low_rank, "low_rank")?,
        )
    })
}

/// Ensembles of processes or DeepONets: predicts at target points as pcml_plan_query, with the covariance of the members' mixture as
/// pcml_plan_predict_factors has it.
///
/// @param plan       the plan
/// @param workspace  a workspace of the plan
/// @param target_x   as in pcml_plan_query
/// @param eps        as in pcml_plan_query
/// @param mean       receives [functions, targets, outputs], raw units
/// @param low_rank   receives [functions, 1 + members, targets, outputs], as in pcml_plan_predict_factors
/// @return 0, or as pcml_plan_query; PCML_STATUS_MISMATCH also for a single model. The arrays are written only on success.
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_query_factors(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    target_x: *const pcml_const_array,
    eps: *const pcml_const_array,
    mean: *const pcml_array,
    low_rank: *const pcml_array,
) -> i32 {
    call("pcml_plan_query_factors", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        plan.plan.query_factors(
            &mut workspace,
            &view(target_x, "target_x")?,
            optional_view(eps, "eps")?.as_ref(),
            &mut view_mut(mean, "mean")?,
            &mut view_mut(low_rank, "low_rank")?,
        )
    })
}

/// How many members a plan's predictions are made of: those of an ensemble, or the draws of dropout; 0 for a single model.
///
/// @param plan   the plan
/// @param count  receives the number
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_members(plan: *const pcml_plan, count: *mut i64) -> i32 {
    call("pcml_plan_members", || unsafe {
        let plan = borrow(plan, "plan")?;
        *output(count, "count")? = plan.plan.members() as i64;
        Ok(())
    })
}

/// Neural operators: predicts as pcml_plan_predict and makes the prediction lawful as pcml_projector_project, in one call. The prediction
/// stays in the plan's workspace, rounded to the dtype of `mean`; each function of the batch (with all its steps) is a slice.
///
/// Where the model obeys boundary conditions, the projector should hold them as rows beside its conservation laws
/// (pcml_constraints_add_boundary, pcml_constraints_add_sparse_rows), so that the result obeys both: rows that hold already cost no
/// accuracy, and keep their faces where they are.
///
/// @param plan                 the plan
/// @param workspace            a workspace of the plan
/// @param input                as in pcml_plan_predict
/// @param values               as in pcml_plan_predict
/// @param value_count          how many
/// @param projector            the projector, whose cells are the values of one function: (steps,) n_1, .., n_d, outputs in C order
/// @param projector_workspace  a workspace of the projector with room for the functions
/// @param variance             the prior's data, as in pcml_projector_project; NULL with PCML_PRIOR_IDENTITY
/// @param b                    one value a function and row, [functions, rows]
/// @param mean                 receives the lawful prediction, shaped as the output of pcml_plan_predict; lies apart from the other arrays
///                             but `input` and `values`, whose memory it may share
/// @param posterior_variance   receives the posterior variances; NULL: not asked for
/// @param report               is filled on success, needs room for the functions; NULL: not asked for
/// @return 0, or as pcml_plan_predict and pcml_projector_project, which calls the prediction `mean` in its messages. The arrays and the
///         report are written only on success of both.
///
/// Threads: one of each workspace and one report a thread. Allocation: none on success; networks in ONNX as pcml_plan_predict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_predict_lawful(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    input: *const pcml_const_array,
    values: *const pcml_const_array,
    value_count: i64,
    projector: *const pcml_projector,
    projector_workspace: *mut pcml_workspace,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    mean: *const pcml_array,
    posterior_variance: *const pcml_array,
    report: *mut pcml_report,
) -> i32 {
    call("pcml_plan_predict_lawful", || unsafe {
        let (plan, mut workspace) = lease::<_, Workspace>(plan, "plan", workspace, CREATOR)?;
        let (projector, mut scratch) =
            lease::<_, Scratch>(projector, "projector", projector_workspace, projector::CREATOR)?;
        let report = optional_report(report)?;
        let (variance, b) = (optional_view(variance, "variance")?, view(b, "b")?);
        let posterior = Posterior {
            mean: view_mut(mean, "mean")?,
            variance: optional_view_mut(posterior_variance, "posterior_variance")?,
        };
        let mut room = Views::room();
        let values = views(&mut room, values, value_count, "values")?;
        let prediction = plan.plan.evaluate(&mut workspace, &view(input, "input")?, values, &posterior.mean)?;
        projector.projector.project(&mut scratch, prediction, variance, b, posterior, report)
    })
}

/// Creates the scratch memory of derivatives of a plan's predictions (pcml_plan_jvp, pcml_plan_vjp): one a thread, apart from
/// pcml_plan_workspace, since it takes a field for each block of the network beside, and of a roll-out the input of each step. The first
/// call gives the plan its transposed weights, and matrices where it has fast Fourier transforms.
///
/// @param plan       a plan of a neural operator
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_OUT_OF_MEMORY, PCML_STATUS_STATE for a model that is no single
///         neural operator
///
/// Threads: any. Allocation: all that later calls need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_derivative_workspace(
    plan: *const pcml_plan,
    workspace: *mut *mut pcml_workspace,
) -> i32 {
    unsafe { create_workspace(DERIVATIVE_CREATOR, plan, "plan", workspace, |plan| plan.plan.derivative_workspace()) }
}

/// Neural operators: the derivative of pcml_plan_predict in a direction (jvp), at an input and boundary values. Corrections and conditions of
/// boundaries are differentiated too: tangents of Dirichlet values arrive at their faces as they are. Where an activation has a kink it
/// is one of the one-sided derivatives. A roll-out is linearised at the states that it takes into f64 arrays, at the cost of one more
/// evaluation a step.
///
/// @param plan            the plan
/// @param workspace       made by pcml_plan_derivative_workspace
/// @param input           as in pcml_plan_predict
/// @param values          as in pcml_plan_predict
/// @param value_count     how many
/// @param input_tangent   the direction of the input, shaped as it, raw units; NULL: 0
/// @param value_tangents  the direction of the values, `value_count` arrays shaped as they are, raw units; NULL: 0
/// @param output_tangent  receives [functions, (steps,) n_1, .., n_d, outputs], raw units; may share memory with the arrays that are read: it is
///                        written last
/// @return 0, or as pcml_plan_predict; PCML_STATUS_NON_FINITE also for tangents and where the derivative overflows;
///         PCML_STATUS_MISMATCH also for a workspace of pcml_plan_workspace. The tangent is written only on success.
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_jvp(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    input: *const pcml_const_array,
    values: *const pcml_const_array,
    value_count: i64,
    input_tangent: *const pcml_const_array,
    value_tangents: *const pcml_const_array,
    output_tangent: *const pcml_array,
) -> i32 {
    call("pcml_plan_jvp", || unsafe {
        let (plan, mut workspace) = lease::<_, DerivativeWorkspace>(plan, "plan", workspace, DERIVATIVE_CREATOR)?;
        plan.plan.jvp(
            &mut workspace,
            &view(input, "input")?,
            views(&mut Views::room(), values, value_count, "values")?,
            optional_view(input_tangent, "input_tangent")?.as_ref(),
            optional_views(&mut Views::room(), value_tangents, value_count, "value_tangents")?,
            &mut view_mut(output_tangent, "output_tangent")?,
        )
    })
}

/// Neural operators: from cotangents of the output to those of the input and of the boundary values (vjp), at an input and boundary values:
/// the transpose of pcml_plan_jvp, and so the gradient of a function of the prediction from its gradient with respect to that.
///
/// @param plan              the plan
/// @param workspace         made by pcml_plan_derivative_workspace
/// @param input             as in pcml_plan_predict
/// @param values            as in pcml_plan_predict
/// @param value_count       how many
/// @param output_cotangent  [functions, (steps,) n_1, .., n_d, outputs], per raw unit
/// @param input_cotangent   receives the cotangent of the input, shaped as it, per raw unit; NULL: not asked for
/// @param value_cotangents  receive those of the values, `value_count` arrays shaped as they are, per raw unit; NULL: not asked for. A value
///                          that was repeated by a stride of 0 has a cotangent for each time it was read
/// @return 0, or as pcml_plan_jvp; PCML_STATUS_STRIDE also when results overlap each other; they may share memory with the arrays that
///         are read. The cotangents are written only on success.
///
/// Threads: one workspace a thread. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_vjp(
    plan: *const pcml_plan,
    workspace: *mut pcml_workspace,
    input: *const pcml_const_array,
    values: *const pcml_const_array,
    value_count: i64,
    output_cotangent: *const pcml_const_array,
    input_cotangent: *const pcml_array,
    value_cotangents: *const pcml_array,
) -> i32 {
    call("pcml_plan_vjp", || unsafe {
        let (plan, mut workspace) = lease::<_, DerivativeWorkspace>(plan, "plan", workspace, DERIVATIVE_CREATOR)?;
        plan.plan.vjp(
            &mut workspace,
            &view(input, "input")?,
            views(&mut Views::room(), values, value_count, "values")?,
            &view(output_cotangent, "output_cotangent")?,
            optional_view_mut(input_cotangent, "input_cotangent")?.as_mut(),
            optional_views_mut(value_cotangents, value_count, "value_cotangents")?.as_mut().map(|views| views.all()),
        )
    })
}

/// How many kernel matrices of boundary corrections were singular or nearly so, and were regularised when the plan was created: the
/// corrections of such frequencies do less than they were trained for. Conditions hold whatever the number; 0 for models without them.
///
/// @param plan   the plan
/// @param count  receives the number
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_plan_regularised(plan: *const pcml_plan, count: *mut i64) -> i32 {
    call("pcml_plan_regularised", || unsafe {
        let plan = borrow(plan, "plan")?;
        *output(count, "count")? = plan.plan.regularised() as i64;
        Ok(())
    })
}
