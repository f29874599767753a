use super::{Object, borrow, borrow_mut, call, create, free, pcml_boundary, size, values};
use crate::error::{Result, fail};
use crate::field::MAX_RANK;
use crate::model::boundary::Boundary;
use crate::model::gp::MOST_RESTARTS;
use crate::model::{MOST_THREADS, Transforms};

/// Settings for create functions: sizes of a plan, sampling, what a projector admits. Every setting starts unset; a create
/// function reads those that concern it, names the one it lacks, and keeps no reference to the object.
pub struct pcml_options {
    pub(crate) settings: Settings,
}

/// What was set.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub batch: Option<usize>,
    pub context: Option<usize>,
    pub targets: Option<usize>,
    pub covariance: Option<usize>,
    pub latents: Option<usize>,
    pub seed: Option<u64>,
    pub dropout: Option<f64>,
    pub shape: Option<Vec<usize>>,
    pub steps: Option<usize>,
    pub boundary: Option<Boundary>,
    pub threads: Option<usize>,
    pub transforms: Option<Transforms>,
    pub held_cells: Option<bool>,
    pub prior_size: Option<usize>,
    pub smoothing: Option<f64>,
    pub held_faces: Option<bool>,
    pub direct_cells: Option<usize>,
    pub length_scales: Option<Vec<f64>>,
    pub signal_variance: Option<f64>,
    pub noise_variance: Option<f64>,
    pub means: Option<Vec<f64>>,
    pub fitted: Option<i32>,
    pub fit_range: Option<f64>,
    pub restarts: Option<usize>,
}

impl Object for pcml_options {
    const TAG: u64 = 0x7063_6d6c_6f70_7401;
    const NAME: &'static str = "pcml_options";
}

/// Creates settings, all unset.
///
/// @param options  receives the object, NULL on failure; to be freed with pcml_options_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT
///
/// Threads: any. Allocation: the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_create(options: *mut *mut pcml_options) -> i32 {
    unsafe { create("pcml_options_create", options, "options", || Ok(pcml_options { settings: Settings::default() })) }
}

/// Frees settings. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_free(options: *mut pcml_options) {
    unsafe { free("pcml_options_free", options) }
}

unsafe fn set(name: &str, options: *mut pcml_options, change: impl FnOnce(&mut Settings) -> Result<()>) -> i32 {
    call(name, || change(&mut unsafe { borrow_mut(options, "options") }?.settings))
}

/// Plans: most functions (independent samples) in one call, of perceptrons most rows. Unset: 1.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when batch < 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_batch(options: *mut pcml_options, batch: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.batch = Some(size(batch, "batch", 1)?);
        Ok(())
    };
    unsafe { set("pcml_options_set_batch", options, change) }
}

/// Plans of neural processes, and of Gaussian ones whose model stores no points: most context points of a function. Required there.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when context < 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_context(options: *mut pcml_options, context: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.context = Some(size(context, "context", 1)?);
        Ok(())
    };
    unsafe { set("pcml_options_set_context", options, change) }
}

/// Plans of neural and Gaussian processes and of DeepONets: most target points of a function. Required there.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when targets < 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_targets(options: *mut pcml_options, targets: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.targets = Some(size(targets, "targets", 1)?);
        Ok(())
    };
    unsafe { set("pcml_options_set_targets", options, change) }
}

/// Plans of Gaussian processes: most target points of pcml_plan_covariance, at most those of pcml_options_set_targets. The workspace gets
/// one row of as many values as context points for each. Unset: 0, no covariances.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when targets < 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_covariance(options: *mut pcml_options, targets: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.covariance = Some(size(targets, "targets", 0)?);
        Ok(())
    };
    unsafe { set("pcml_options_set_covariance", options, change) }
}

/// Plans of neural processes: latent draws in the predictive mixture; 0 predicts at the mean latent. Plans of perceptrons and DeepONets: draws of
/// dropout, members of a mixture as those of an ensemble are, each with packed weights of its own; only beside option dropout. Unset: 0.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when latents < 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_latents(options: *mut pcml_options, latents: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.latents = Some(size(latents, "latents", 0)?);
        Ok(())
    };
    unsafe { set("pcml_options_set_latents", options, change) }
}

/// Seed of the counter-based generator behind latent draws, dropout and the restarts of fits. Any value; unset: 0. The draws depend on the seed
/// alone: every function of a batch sees the same ones, whatever its position and the number of threads.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_seed(options: *mut pcml_options, seed: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.seed = Some(seed as u64);
        Ok(())
    };
    unsafe { set("pcml_options_set_seed", options, change) }
}

/// Plans of models with dropout: the rate kept on while predicting (Monte Carlo dropout), in [0, 1). Needs latents >= 1.
/// Unset: 0, none.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when outside [0, 1)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_dropout(options: *mut pcml_options, rate: f64) -> i32 {
    let change = |s: &mut Settings| {
        if !(0.0..1.0).contains(&rate) {
            return fail!(InvalidArgument, "rate is {rate}, expected 0 <= rate < 1");
        }
        s.dropout = Some(rate);
        Ok(())
    };
    unsafe { set("pcml_options_set_dropout", options, change) }
}

/// Plans of neural operators and of networks in ONNX with a grid: extents of the grid, first axis first. Required there. They are copied.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_STRIDE for alignment, PCML_STATUS_INVALID_ARGUMENT when an extent is < 1,
///         PCML_STATUS_SHAPE when rank is not 1 to PCML_MAX_RANK
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_shape(options: *mut pcml_options, rank: i64, shape: *const i64) -> i32 {
    let change = |s: &mut Settings| {
        if !(1..=MAX_RANK as i64).contains(&rank) {
            return fail!(Shape, "rank is {rank}, expected 1 to {MAX_RANK}");
        }
        let extents = unsafe { values(shape, rank as usize, "shape") }?.iter().enumerate();
        let extents: Result<_> = extents.map(|(axis, n)| size(*n, &format!("shape[{axis}]"), 1)).collect();
        s.shape = Some(extents?);
        Ok(())
    };
    unsafe { set("pcml_options_set_shape", options, change) }
}

/// Plans of neural operators: steps of a roll-out in one call, each fed with the outputs before it as its newest input channels.
/// Unset: 1.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when steps < 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_steps(options: *mut pcml_options, steps: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.steps = Some(size(steps, "steps", 1)?);
        Ok(())
    };
    unsafe { set("pcml_options_set_steps", options, change) }
}

/// Plans of neural operators: threads of a call, the calling one among them. The plan starts the others when it is created and ends
/// them when it is freed; calls that find them at work for another thread do without. They are awake during a call and some 100 us
/// longer, and not waited for when the system does not let them run. Results do not depend on it. Unset: 1, no thread is started.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when outside 1 to 1024
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_threads(options: *mut pcml_options, threads: i64) -> i32 {
    let change = |s: &mut Settings| {
        let threads = size(threads, "threads", 1)?;
        if threads > MOST_THREADS {
            return fail!(InvalidArgument, "threads is {threads}, expected at most {MOST_THREADS}");
        }
        s.threads = Some(threads);
        Ok(())
    };
    unsafe { set("pcml_options_set_threads", options, change) }
}

/// Plans of neural operators: how fields go from points to kept modes and back. Both ways give the same but for rounding. Fast Fourier
/// transforms, by two factors of the number of points, pay on axes that keep many modes of a thousand points and more; a number that is prime
/// gains nothing. Models that obey boundary conditions themselves, parts and derivatives do without. Unset: PCML_TRANSFORMS_AUTO, on each
/// axis whichever has less to do; what is chosen depends on its points and its modes alone.
///
/// @param options     the settings
/// @param transforms  a number of enum pcml_transforms; PCML_TRANSFORMS_FFT is refused for models that obey boundary conditions
///                    themselves, and for parts
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for another number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_transforms(options: *mut pcml_options, transforms: i32) -> i32 {
    let change = |s: &mut Settings| {
        let known = [Transforms::Auto, Transforms::Matrix, Transforms::Fft];
        let Some(transforms) = known.into_iter().find(|known| *known as i32 == transforms) else {
            return fail!(
                InvalidArgument,
                "transforms is {transforms}, expected PCML_TRANSFORMS_AUTO (1) to PCML_TRANSFORMS_FFT (3)"
            );
        };
        s.transforms = Some(transforms);
        Ok(())
    };
    unsafe { set("pcml_options_set_transforms", options, change) }
}

/// Plans of models that obey boundary conditions themselves: conditions instead of the model's own, on the same faces and of the same
/// kinds, with other stencils, spacings or order. Unset: the model's own.
///
/// @param options   the settings
/// @param boundary  is copied, and may be freed or changed afterwards; NULL: unset again
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_boundary(options: *mut pcml_options, boundary: *const pcml_boundary) -> i32 {
    let change = |s: &mut Settings| {
        s.boundary = match boundary.is_null() {
            true => None,
            false => Some(unsafe { borrow(boundary, "boundary") }?.boundary.clone()),
        };
        Ok(())
    };
    unsafe { set("pcml_options_set_boundary", options, change) }
}

/// Projectors: 1 admits a prior variance of zero, which holds that cell where it is; 0 refuses it as
/// PCML_STATUS_VARIANCE. Unset: 0.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when neither 0 nor 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_held_cells(options: *mut pcml_options, admit: i32) -> i32 {
    let change = |s: &mut Settings| {
        if admit != 0 && admit != 1 {
            return fail!(InvalidArgument, "admit is {admit}, expected 0 or 1");
        }
        s.held_cells = Some(admit == 1);
        Ok(())
    };
    unsafe { set("pcml_options_set_held_cells", options, change) }
}

/// Projectors: off-diagonals of a banded prior, rank of a low-rank one, samples of an ensemble. Unset: 0.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when size < 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_prior_size(options: *mut pcml_options, prior_size: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.prior_size = Some(size(prior_size, "size", 0)?);
        Ok(())
    };
    unsafe { set("pcml_options_set_prior_size", options, change) }
}

/// Projectors with PCML_PRIOR_SMOOTHED: a, the correlation of neighbouring cells, 0 <= a < 1; the published experiments take 0.9.
/// Unset: 0.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for a value out of range
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_smoothing(options: *mut pcml_options, smoothing: f64) -> i32 {
    let change = |s: &mut Settings| {
        if !(0.0..1.0).contains(&smoothing) {
            return fail!(InvalidArgument, "smoothing is {smoothing}, expected 0 <= smoothing < 1");
        }
        s.smoothing = Some(smoothing);
        Ok(())
    };
    unsafe { set("pcml_options_set_smoothing", options, change) }
}

/// Flux balances: 1 admits a variance of zero, which prescribes that face's flux; 0 refuses it as PCML_STATUS_VARIANCE.
/// Unset: 0.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when neither 0 nor 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_held_faces(options: *mut pcml_options, admit: i32) -> i32 {
    let change = |s: &mut Settings| {
        if admit != 0 && admit != 1 {
            return fail!(InvalidArgument, "admit is {admit}, expected 0 or 1");
        }
        s.held_faces = Some(admit == 1);
        Ok(())
    };
    unsafe { set("pcml_options_set_held_faces", options, change) }
}

/// Flux balances: meshes of at most so many cells are solved by elimination, larger ones by conjugate gradients; 0: all by
/// conjugate gradients. Unset: whichever is faster on the mesh.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when cells < 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_direct_cells(options: *mut pcml_options, cells: i64) -> i32 {
    let change = |s: &mut Settings| {
        s.direct_cells = Some(size(cells, "cells", 0)?);
        Ok(())
    };
    unsafe { set("pcml_options_set_direct_cells", options, change) }
}

/// A positive number in the range of hyperparameters.
fn positive(value: f64, what: &str) -> Result<f64> {
    if !(1e-100..=1e100).contains(&value) {
        return fail!(InvalidArgument, "{what} is {value}, expected 1e-100 to 1e100");
    }
    Ok(value)
}

/// Gaussian processes: length scales of the inputs, in their raw units. Required there.
///
/// @param count          1 for one length for all inputs, or the number of inputs
/// @param length_scales  so many positive values; they are copied
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_STRIDE for alignment, PCML_STATUS_INVALID_ARGUMENT when count is not 1 to 64 or a value
///         not in 1e-100 to 1e100
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_length_scales(
    options: *mut pcml_options,
    count: i64,
    length_scales: *const f64,
) -> i32 {
    let change = |s: &mut Settings| {
        if !(1..=64).contains(&count) {
            return fail!(InvalidArgument, "count is {count}, expected 1 to 64");
        }
        let given = unsafe { values(length_scales, count as usize, "length_scales") }?.iter().enumerate();
        let lengths: Result<_> = given.map(|(k, l)| positive(*l, &format!("length_scales[{k}]"))).collect();
        s.length_scales = Some(lengths?);
        Ok(())
    };
    unsafe { set("pcml_options_set_length_scales", options, change) }
}

/// Gaussian processes: the signal variance, in the outputs' raw unit squared. Unset: 1.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when not in 1e-100 to 1e100
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_signal_variance(options: *mut pcml_options, variance: f64) -> i32 {
    let change = |s: &mut Settings| {
        s.signal_variance = Some(positive(variance, "variance")?);
        Ok(())
    };
    unsafe { set("pcml_options_set_signal_variance", options, change) }
}

/// Gaussian processes: the noise variance of every value, in the outputs' raw unit squared. Unset: 0.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_NOISE when negative, PCML_STATUS_INVALID_ARGUMENT when neither 0 nor in 1e-100 to 1e100
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_noise_variance(options: *mut pcml_options, variance: f64) -> i32 {
    let change = |s: &mut Settings| {
        if variance < 0.0 {
            return fail!(Noise, "variance is {variance}, expected at least 0");
        }
        s.noise_variance = Some(if variance == 0.0 { 0.0 } else { positive(variance, "variance")? });
        Ok(())
    };
    unsafe { set("pcml_options_set_noise_variance", options, change) }
}

/// Gaussian processes: the constant mean of each output, raw units. Unset: 0.
///
/// @param count  the number of outputs
/// @param means  so many values; they are copied
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_STRIDE for alignment, PCML_STATUS_INVALID_ARGUMENT when count is not 1 to 1024,
///         PCML_STATUS_NON_FINITE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_means(options: *mut pcml_options, count: i64, means: *const f64) -> i32 {
    let change = |s: &mut Settings| {
        if !(1..=1024).contains(&count) {
            return fail!(InvalidArgument, "count is {count}, expected 1 to 1024");
        }
        let given = unsafe { values(means, count as usize, "means") }?;
        if let Some(c) = given.iter().position(|m| !m.is_finite()) {
            return fail!(NonFinite, "means[{c}] is {}, expected finite values", given[c]);
        }
        s.means = Some(given.to_vec());
        Ok(())
    };
    unsafe { set("pcml_options_set_means", options, change) }
}

/// What a fit of a Gaussian process moves: a sum of these.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitted {
    /// The signal variance.
    SignalVariance = 1,
    /// The length scales.
    LengthScales = 2,
    /// The noise variance; where it is 0 it stays 0.
    NoiseVariance = 4,
    /// The means; one function only.
    Means = 8,
}

/// Fits of Gaussian processes: what they move. Unset: signal variance, length scales and noise variance.
///
/// @param fitted  a sum of numbers of enum pcml_fitted; 0 moves nothing and tells the likelihood
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when outside 0 to 15
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_fitted(options: *mut pcml_options, fitted: i32) -> i32 {
    let change = |s: &mut Settings| {
        if !(0..16).contains(&fitted) {
            return fail!(
                InvalidArgument,
                "fitted is {fitted}, expected a sum of numbers of enum pcml_fitted, 0 to 15"
            );
        }
        s.fitted = Some(fitted);
        Ok(())
    };
    unsafe { set("pcml_options_set_fitted", options, change) }
}

/// Fits of Gaussian processes: every hyperparameter stays within this factor of where the model has it, both ways. Unset: 1e5.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when not in 1 to 1e50
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_fit_range(options: *mut pcml_options, factor: f64) -> i32 {
    let change = |s: &mut Settings| {
        if !(1.0..=1e50).contains(&factor) {
            return fail!(InvalidArgument, "factor is {factor}, expected 1 to 1e50");
        }
        s.fit_range = Some(factor);
        Ok(())
    };
    unsafe { set("pcml_options_set_fit_range", options, change) }
}

/// Fits of Gaussian processes: searches after the first, from places drawn by option seed around the model's hyperparameters. Unset: 4.
///
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when restarts is not 0 to 10000
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_options_set_restarts(options: *mut pcml_options, restarts: i64) -> i32 {
    let change = |s: &mut Settings| {
        let restarts = size(restarts, "restarts", 0)?;
        if restarts > MOST_RESTARTS {
            return fail!(InvalidArgument, "restarts is {restarts}, expected at most {MOST_RESTARTS}");
        }
        s.restarts = Some(restarts);
        Ok(())
    };
    unsafe { set("pcml_options_set_restarts", options, change) }
}
