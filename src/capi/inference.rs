use super::array::{optional_view, optional_view_mut, view, view_mut};
use super::workspace::{create_workspace, lease};
use super::{call, output, pcml_array, pcml_const_array, pcml_projector, pcml_workspace, size, values};
use crate::constraint::{GRADIENTS, Inference, Tangent};
use crate::error::{Result, fail};
use crate::kernels::strided::{View, ViewMut};

const CREATOR: &str = "pcml_inference_workspace";

/// Creates a workspace for the pcml_inference_* calls of a projector: samples, the probability of right-hand sides, covariances of
/// chosen cells, derivatives. They take one slice a call.
///
/// @param projector    the projector, and the only one that takes the workspace
/// @param max_samples  most samples of one call, 0 or more
/// @param workspace    receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT, PCML_STATUS_STATE for constraints with invariants or sets,
///         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object, a few states, one state a sample, and for PCML_PRIOR_DENSE with samples one matrix.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_inference_workspace(
    projector: *const pcml_projector,
    max_samples: i64,
    workspace: *mut *mut pcml_workspace,
) -> i32 {
    unsafe {
        create_workspace(CREATOR, projector, "projector", workspace, |projector| {
            projector.projector.inference(size(max_samples, "max_samples", 0)?)
        })
    }
}

/// # Safety
/// NULL or descriptors whose elements are readable during `'a`.
pub(super) unsafe fn direction<'a>(
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
) -> Result<Tangent<View<'a>>> {
    let mean = unsafe { optional_view(mean, "tangent_mean") }?;
    let variance = unsafe { optional_view(variance, "tangent_variance") }?;
    Ok(Tangent { mean, variance, b: unsafe { optional_view(b, "tangent_b") }? })
}

/// # Safety
/// NULL or descriptors whose elements nobody else uses during `'a`.
pub(super) unsafe fn gradient<'a>(arrays: [*const pcml_array; 3], names: [&str; 3]) -> Result<Tangent<ViewMut<'a>>> {
    let [mean, variance, b] = arrays;
    let view = |array, part: usize| unsafe { optional_view_mut(array, names[part]) };
    let gradient = Tangent { mean: view(mean, 0)?, variance: view(variance, 1)?, b: view(b, 2)? };
    if gradient.mean.is_none() && gradient.variance.is_none() && gradient.b.is_none() {
        return fail!(InvalidArgument, "no gradient is asked for, expected at least one array");
    }
    Ok(gradient)
}

/// Draws samples of the posterior of one slice, every one lawful: Matheron's rule, a draw from the prior projected on the rows,
/// whose noise is drawn too. Sample k is a function of the seed and of first + k alone: not of the call, the count or the thread.
///
/// @param projector  the projector
/// @param workspace  from pcml_inference_workspace, with room for the samples
/// @param mean       mu, `cells` values
/// @param variance   the prior's data of one slice, as enum pcml_prior states; NULL with PCML_PRIOR_IDENTITY
/// @param b          one value a row
/// @param seed       any
/// @param first      number of the first sample, at least 0
/// @param samples    receives [count, cells]; lies apart from the other arrays
/// @return 0, or as pcml_projector_project, for the draw that fails; PCML_STATUS_VARIANCE for a covariance that is not positive
///         definite; after a failure the samples are as before
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_inference_sample(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    seed: i64,
    first: i64,
    samples: *const pcml_array,
) -> i32 {
    call("pcml_inference_sample", || unsafe {
        let (projector, mut inference) = lease::<_, Inference>(projector, "projector", workspace, CREATOR)?;
        let first = size(first, "first", 0)? as u64;
        let (mean, variance, b) = (view(mean, "mean")?, optional_view(variance, "variance")?, view(b, "b")?);
        let samples = view_mut(samples, "samples")?;
        projector.projector.sample(&mut inference, mean, variance, b, seed as u64, first, samples)
    })
}

/// log N(b; G mu, S): how probable right-hand sides are under the prior, in nats, over the rows that take part.
///
/// @param projector       the projector
/// @param workspace       from pcml_inference_workspace
/// @param mean            mu, `cells` values
/// @param variance        the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param b               one value a row
/// @param log_likelihood  receives the value
/// @return 0, or as pcml_projector_project where it concerns these arguments
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_inference_log_likelihood(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    log_likelihood: *mut f64,
) -> i32 {
    call("pcml_inference_log_likelihood", || unsafe {
        let (projector, mut inference) = lease::<_, Inference>(projector, "projector", workspace, CREATOR)?;
        let (mean, variance, b) = (view(mean, "mean")?, optional_view(variance, "variance")?, view(b, "b")?);
        let out = output(log_likelihood, "log_likelihood")?;
        *out = projector.projector.log_likelihood(&mut inference, mean, variance, b)?;
        Ok(())
    })
}

/// Posterior covariances between the cells of two lists, of one slice. Work grows with the lists, never with the square of the
/// state.
///
/// @param projector   the projector
/// @param workspace   from pcml_inference_workspace
/// @param variance    the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param rows        cells of the block's rows
/// @param row_count   how many, at least 1
/// @param columns     cells of the block's columns
/// @param column_count  how many, at least 1
/// @param covariance  receives [row_count, column_count], the field's unit squared; lies apart from
///                    `variance`, `rows` and `columns`
/// @return 0, or as pcml_projector_project where it concerns these arguments; PCML_STATUS_INVALID_ARGUMENT for a cell out of range
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_inference_covariance(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    variance: *const pcml_const_array,
    rows: *const i64,
    row_count: i64,
    columns: *const i64,
    column_count: i64,
    covariance: *const pcml_array,
) -> i32 {
    call("pcml_inference_covariance", || unsafe {
        let (projector, mut inference) = lease::<_, Inference>(projector, "projector", workspace, CREATOR)?;
        let (row_count, column_count) = (size(row_count, "row_count", 1)?, size(column_count, "column_count", 1)?);
        let (rows, columns) = (values(rows, row_count, "rows")?, values(columns, column_count, "columns")?);
        let covariance = view_mut(covariance, "covariance")?;
        let variance = optional_view(variance, "variance")?;
        projector.projector.covariance_block(&mut inference, variance, rows, columns, covariance)
    })
}

/// The derivative of the posterior mean of one slice in a direction. With S lambda = G mu - b:
/// S dlambda = G dmu - db - G (dv G'lambda) and du = dmu - dv G'lambda - Sigma G' dlambda.
///
/// @param projector         the projector
/// @param workspace         from pcml_inference_workspace
/// @param mean              mu, `cells` values
/// @param variance          the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param b                 one value a row
/// @param tangent_mean      dmu, `cells` values; NULL: 0
/// @param tangent_variance  dv, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: 0, and with other priors
/// @param tangent_b         db, one value a row; NULL: 0
/// @param tangent           receives du, `cells` values; may be tangent_mean's own array, else lies apart
/// @return 0, or as pcml_projector_project; PCML_STATUS_INVALID_ARGUMENT for a tangent_variance that the prior has not
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_inference_jvp(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    tangent_mean: *const pcml_const_array,
    tangent_variance: *const pcml_const_array,
    tangent_b: *const pcml_const_array,
    tangent: *const pcml_array,
) -> i32 {
    call("pcml_inference_jvp", || unsafe {
        let (projector, mut inference) = lease::<_, Inference>(projector, "projector", workspace, CREATOR)?;
        let direction = direction(tangent_mean, tangent_variance, tangent_b)?;
        let (mean, variance, b) = (view(mean, "mean")?, optional_view(variance, "variance")?, view(b, "b")?);
        projector.projector.jvp(&mut inference, mean, variance, b, direction, view_mut(tangent, "tangent")?)
    })
}

/// The derivatives of <cotangent, posterior mean> of one slice. With w = S^-1 G Sigma ubar: mubar = ubar - G'w, bbar = w,
/// vbar = -(G'lambda) (ubar - G'w).
///
/// @param projector          the projector
/// @param workspace          from pcml_inference_workspace
/// @param mean               mu, `cells` values
/// @param variance           the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
/// @param b                  one value a row
/// @param cotangent          ubar, `cells` values
/// @param gradient_mean      receives mubar, `cells` values; NULL: not asked for
/// @param gradient_variance  receives vbar, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: not asked
///                           for, and with other priors
/// @param gradient_b         receives bbar, one value a row; NULL: not asked for
/// @return 0, or as pcml_projector_project; PCML_STATUS_INVALID_ARGUMENT for a gradient_variance that the prior has not, or when
///         no gradient is asked for; after a failure the gradients are as before
///
/// The gradients lie apart from each other and from the inputs.
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_inference_vjp(
    projector: *const pcml_projector,
    workspace: *mut pcml_workspace,
    mean: *const pcml_const_array,
    variance: *const pcml_const_array,
    b: *const pcml_const_array,
    cotangent: *const pcml_const_array,
    gradient_mean: *const pcml_array,
    gradient_variance: *const pcml_array,
    gradient_b: *const pcml_array,
) -> i32 {
    call("pcml_inference_vjp", || unsafe {
        let (projector, mut inference) = lease::<_, Inference>(projector, "projector", workspace, CREATOR)?;
        let (mean, variance, b) = (view(mean, "mean")?, optional_view(variance, "variance")?, view(b, "b")?);
        let cotangent = view(cotangent, "cotangent")?;
        let gradient = gradient([gradient_mean, gradient_variance, gradient_b], GRADIENTS)?;
        projector.projector.vjp(&mut inference, mean, variance, b, cotangent, gradient)
    })
}
