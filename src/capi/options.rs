use super::{Object, borrow, borrow_mut, call, create, free, pcml_boundary, size, values};
use crate::error::{Result, fail};
use crate::field::MAX_RANK;
use crate::model::boundary::Boundary;
use crate::model::plan::MOST_THREADS;

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
    pub latents: Option<usize>,
    pub seed: Option<u64>,
    pub dropout: Option<f64>,
    pub shape: Option<Vec<usize>>,
    pub steps: Option<usize>,
    pub boundary: Option<Boundary>,
    pub threads: Option<usize>,
    pub held_cells: Option<bool>,
    pub prior_size: Option<usize>,
    pub smoothing: Option<f64>,
    pub held_faces: Option<bool>,
    pub direct_cells: Option<usize>,
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

/// Plans: most functions (independent samples) in one call. Unset: 1.
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

/// Plans of neural processes: most context points of a function. Required there.
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

/// Plans of neural processes: most target points of a function. Required there.
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

/// Plans of neural processes: latent draws in the predictive mixture; 0 predicts at the mean latent. Unset: 0.
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

/// Seed of the counter-based generator behind latent draws and dropout. Any value; unset: 0. The draws depend on the seed
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

/// Plans of neural operators: extents of the grid, first axis first. Required there. They are copied.
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
/// them when it is freed; calls that find them at work for another thread wait for their turn. Results do not depend on it. Unset: 1,
/// no thread is started.
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
