use std::ffi::{CStr, c_char, c_void};
use std::path::Path;
use std::sync::Arc;

use super::array::{optional_view, pcml_const_array, view};
use super::options::{Fitted, pcml_options};
use super::{Object, borrow, call, copy_text, create, free, output, size, values};
use crate::error::{Result, fail};
use crate::model::gp::{FitOptions, Kernel, Numbers};
use crate::model::{Channel, Model};

/// A trained surrogate from a model file: immutable, to be shared by any number of plans and threads.
pub struct pcml_model {
    pub(crate) model: Arc<Model>,
}

impl Object for pcml_model {
    const TAG: u64 = 0x7063_6d6c_6d6f_6401;
    const NAME: &'static str = "pcml_model";
}

/// Loads a model file and runs its self-test.
///
/// @param path   the file's path, closed by a NUL, UTF-8 or the system's own bytes
/// @param model  receives the object, NULL on failure; to be freed with pcml_model_free
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_IO when the file cannot be read; PCML_STATUS_FILE_FORMAT when it is no
///         model file, truncated or damaged; PCML_STATUS_FILE_VERSION; PCML_STATUS_FILE_DESCRIPTION; PCML_STATUS_WEIGHTS when
///         one is missing, unread, misshapen or not finite; PCML_STATUS_SELF_TEST; PCML_STATUS_TOO_LARGE when the self-test would
///         cost far more than a file of this size may ask for; PCML_STATUS_OUT_OF_MEMORY; PCML_STATUS_STATE for a network in ONNX
///         where the library was built without cargo feature onnx; for stored points of a Gaussian process
///         PCML_STATUS_CONTRADICTION or PCML_STATUS_SINGULAR, as pcml_plan_condition
///
/// Threads: any. Allocation: while it is checked at most 64 bytes for each of the file and 256 MiB besides; networks in ONNX: whatever is
///          inside.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_load(path: *const c_char, model: *mut *mut pcml_model) -> i32 {
    unsafe {
        create("pcml_model_load", model, "model", || {
            if path.is_null() {
                return fail!(NullArgument, "path is NULL, expected a file's path");
            }
            // SAFETY: not NULL; the header demands a NUL-terminated text.
            let path = CStr::from_ptr(path);
            Ok(pcml_model { model: Arc::new(Model::load(native(path)?)?) })
        })
    }
}

#[cfg(unix)]
fn native(path: &CStr) -> Result<&Path> {
    use std::os::unix::ffi::OsStrExt;
    Ok(Path::new(std::ffi::OsStr::from_bytes(path.to_bytes())))
}

#[cfg(not(unix))]
fn native(path: &CStr) -> Result<&Path> {
    path.to_str().map(Path::new).or_else(|_| fail!(InvalidArgument, "path is not UTF-8"))
}

/// Loads a model from the bytes of a model file, so that one rank may read and broadcast. The bytes are not kept.
///
/// @param bytes  `size` bytes
/// @param size   at least 1
/// @param model  receives the object, NULL on failure; to be freed with pcml_model_free
/// @return as pcml_model_load, and PCML_STATUS_INVALID_ARGUMENT when size < 1
///
/// Threads: any. Allocation: as pcml_model_load.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_load_bytes(bytes: *const c_void, size: i64, model: *mut *mut pcml_model) -> i32 {
    unsafe {
        create("pcml_model_load_bytes", model, "model", || {
            if bytes.is_null() {
                return fail!(NullArgument, "bytes is NULL, expected the bytes of a model file");
            }
            let len = self::size(size, "size", 1)?;
            if isize::try_from(len).is_err() {
                return fail!(TooLarge, "size is {size}, beyond the address space");
            }
            // SAFETY: not NULL; the header demands that many bytes.
            let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), len);
            Ok(pcml_model { model: Arc::new(Model::from_bytes(bytes)?) })
        })
    }
}

/// Makes a Gaussian process without a file. Its channels have no units of their own: raw values are the process's. Outputs are
/// independent processes that share the hyperparameters; plans are conditioned by pcml_plan_condition.
///
/// @param kernel   a number of enum pcml_kernel
/// @param inputs   coordinates of a point, 1 to 64
/// @param outputs  values at a point, 1 to 1024
/// @param options  length_scales (required), signal_variance, noise_variance, means
/// @param model    receives the object, NULL on failure; to be freed with pcml_model_free
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_INVALID_ARGUMENT for an unknown kernel, counts out of range or option
///         length_scales not set; PCML_STATUS_FILE_DESCRIPTION when length scales or means do not fit the counts; PCML_STATUS_HANDLE
///
/// Threads: any. Allocation: the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_gaussian_process(
    kernel: i32,
    inputs: i64,
    outputs: i64,
    options: *const pcml_options,
    model: *mut *mut pcml_model,
) -> i32 {
    unsafe {
        create("pcml_model_gaussian_process", model, "model", || {
            let Some(kernel) = Kernel::all().into_iter().find(|k| *k as i32 == kernel) else {
                return fail!(
                    InvalidArgument,
                    "kernel is {kernel}, expected PCML_KERNEL_RBF (1) to PCML_KERNEL_MATERN52 (4)"
                );
            };
            let channels = |name: &str, count: i64, most: i64| -> Result<Vec<Channel>> {
                if !(1..=most).contains(&count) {
                    return fail!(InvalidArgument, "{name}s is {count}, expected 1 to {most}");
                }
                Ok((0..count).map(|i| Channel::plain(format!("{name}{i}"))).collect())
            };
            let (inputs, outputs) = (channels("input", inputs, 64)?, channels("output", outputs, 1024)?);
            let settings = &borrow(options, "options")?.settings;
            let Some(length_scales) = settings.length_scales.clone() else {
                return fail!(
                    InvalidArgument,
                    "option length_scales is not set, expected 1 or {} values",
                    inputs.len()
                );
            };
            let numbers = Numbers {
                kernel,
                variance: settings.signal_variance.unwrap_or(1.0),
                length_scales,
                noise: settings.noise_variance.unwrap_or(0.0),
                means: settings.means.clone().unwrap_or_default(),
                points: 0,
                point_noise: false,
            };
            Ok(pcml_model { model: Arc::new(Model::gaussian_process(&numbers, &inputs, &outputs)?) })
        })
    }
}

/// Makes an ensemble of loaded models: its plans predict the mean, and the variance, of the members' equal-weight mixture. The members are shared,
/// not copied, and may be freed before it.
///
/// @param members  `count` models of one architecture, with the same names and units of channels and the same boundary conditions; their
///                 sizes and scalings may differ
/// @param count    1 to 1024
/// @param model    receives the object, NULL on failure; to be freed with pcml_model_free
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_INVALID_ARGUMENT for a count out of range or a member that is an ensemble;
///         PCML_STATUS_MISMATCH when members differ in architecture, channels or conditions; PCML_STATUS_TOO_LARGE; PCML_STATUS_HANDLE
///
/// Threads: any. Allocation: the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_ensemble(
    members: *const *const pcml_model,
    count: i64,
    model: *mut *mut pcml_model,
) -> i32 {
    unsafe {
        create("pcml_model_ensemble", model, "model", || {
            let count = size(count, "count", 1)?;
            let member = |(number, member): (usize, &*const pcml_model)| {
                Ok(borrow(*member, &format!("members[{number}]"))?.model.clone())
            };
            let all = values(members, count, "members")?.iter().enumerate().map(member);
            Ok(pcml_model { model: Arc::new(Model::ensemble(all.collect::<Result<_>>()?)?) })
        })
    }
}

/// What pcml_model_fit tells. The caller sets `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pcml_fit_report {
    /// sizeof(pcml_fit_report)
    pub struct_size: i64,
    /// log N(y; m, K + noise) of the raw values at the end, summed over functions and outputs
    pub log_likelihood: f64,
    /// the same at the model's own hyperparameters; NaN where their kernel matrix is singular
    pub log_likelihood_before: f64,
    /// added to the kernel matrix's diagonal at the end, as a part of the signal variance; 0: nothing
    pub jitter: f64,
    /// iterations of the search that won
    pub iterations: i64,
    /// evaluations of likelihood and gradient in all searches
    pub evaluations: i64,
    /// which search won: 0 is that from the model's own hyperparameters, the others are restarts
    pub search: i64,
    /// 1: its gradient vanished, but against bounds, or no step beyond rounding raised the likelihood; 0: the iterations ran out
    pub converged: i64,
}

/// Gaussian processes: makes a model with the hyperparameters of the greatest marginal likelihood of some points, by a quasi-Newton search on
/// their logarithms within bounds, from the model's own values and from restarts. The same points, options and seed give the same bits.
/// The new model has the channels of the old one, and stores no points.
///
/// @param model      the process to start from; it is not changed
/// @param context_x  [functions, points, inputs]: coordinates, raw units
/// @param context_y  [functions, points, outputs]: values, raw units (an axis of extent 1 may be left out); functions are independent
///                   draws that share the hyperparameters
/// @param noise      NULL, or variances of the points' values beside the model's, as in pcml_plan_condition_noisy
/// @param options    fitted, fit_range, restarts, seed; NULL: none set
/// @param fitted     receives the new model, NULL on failure; to be freed with pcml_model_free
/// @param report     is filled on success; NULL: not asked for
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_STATE for a model that is no Gaussian process; PCML_STATUS_SHAPE;
///         PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE; PCML_STATUS_NOISE; PCML_STATUS_INVALID_ARGUMENT for means of
///         several functions; PCML_STATUS_CONTRADICTION for two values at one point without noise, and PCML_STATUS_SINGULAR, where no search
///         finds a regular kernel matrix; PCML_STATUS_MISMATCH for a wrong struct_size; PCML_STATUS_HANDLE; PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: a few matrices of points by points, freed at the end. One evaluation takes 2 points^3 operations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_fit(
    model: *const pcml_model,
    context_x: *const pcml_const_array,
    context_y: *const pcml_const_array,
    noise: *const pcml_const_array,
    options: *const pcml_options,
    fitted: *mut *mut pcml_model,
    report: *mut pcml_fit_report,
) -> i32 {
    unsafe {
        create("pcml_model_fit", fitted, "fitted", || {
            let model = &borrow(model, "model")?.model;
            let report = match report.is_null() {
                true => None,
                false => Some(output(report, "report")?),
            };
            let expected = size_of::<pcml_fit_report>() as i64;
            if let Some(report) = &report
                && report.struct_size != expected
            {
                return fail!(Mismatch, "report.struct_size is {}, expected {expected}", report.struct_size);
            }
            let mut chosen = FitOptions::default();
            if !options.is_null() {
                let settings = &borrow(options, "options")?.settings;
                if let Some(fitted) = settings.fitted {
                    let has = |part: Fitted| fitted & part as i32 != 0;
                    chosen.variance = has(Fitted::SignalVariance);
                    chosen.lengths = has(Fitted::LengthScales);
                    chosen.noise = has(Fitted::NoiseVariance);
                    chosen.means = has(Fitted::Means);
                }
                chosen.range = settings.fit_range.unwrap_or(chosen.range);
                chosen.restarts = settings.restarts.unwrap_or(chosen.restarts);
                chosen.seed = settings.seed.unwrap_or(chosen.seed);
            }
            let (x, y) = (view(context_x, "context_x")?, view(context_y, "context_y")?);
            let (model, fit) = model.fit(&x, &y, optional_view(noise, "noise")?.as_ref(), &chosen)?;
            if let Some(report) = report {
                *report = pcml_fit_report {
                    struct_size: expected,
                    log_likelihood: fit.log_likelihood,
                    log_likelihood_before: fit.log_likelihood_before,
                    jitter: fit.jitter,
                    iterations: fit.iterations as i64,
                    evaluations: fit.evaluations as i64,
                    search: fit.search as i64,
                    converged: fit.converged as i64,
                };
            }
            Ok(pcml_model { model: Arc::new(model) })
        })
    }
}

/// Gaussian processes: copies the hyperparameters, network units: signal variance, noise variance, the length scales (1 or one an input), the
/// mean of each output.
///
/// @param capacity  values that fit, at least 0; fewer than there are: the first ones are copied
/// @param values    receives them; may be NULL with a capacity of 0
/// @param count     receives how many there are; NULL: not asked for
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_STRIDE for alignment; PCML_STATUS_INVALID_ARGUMENT when capacity < 0; PCML_STATUS_STATE
///         for a model that is no Gaussian process; PCML_STATUS_HANDLE
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_hyperparameters(
    model: *const pcml_model,
    capacity: i64,
    values: *mut f64,
    count: *mut i64,
) -> i32 {
    call("pcml_model_hyperparameters", || unsafe {
        let model = &borrow(model, "model")?.model;
        let numbers = model.process_numbers()?;
        let capacity = size(capacity, "capacity", 0)?;
        if capacity > 0 {
            output(values, "values")?;
        }
        let outputs = model.description().outputs.len();
        let means = (0..outputs).map(|c| numbers.means.get(c).copied().unwrap_or(0.0));
        let all =
            [numbers.variance, numbers.noise].into_iter().chain(numbers.length_scales.iter().copied()).chain(means);
        if !count.is_null() {
            *output(count, "count")? = 2 + numbers.length_scales.len() as i64 + outputs as i64;
        }
        for (i, value) in all.take(capacity).enumerate() {
            // SAFETY: not NULL, aligned; the caller promises room for `capacity` values.
            values.add(i).write(value);
        }
        Ok(())
    })
}

/// Copies the model's description, JSON: channels with units and scaling, architecture, domain, laws, provenance.
///
/// @param buffer    room for `capacity` bytes, or NULL to ask for the length only; always closed by a NUL, cut where too small
/// @param capacity  bytes at `buffer`, at least 1
/// @param length    receives the whole text's length without the NUL; may be NULL when `buffer` is not
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when capacity < 1, PCML_STATUS_HANDLE
///
/// Threads: any. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_description(
    model: *const pcml_model,
    buffer: *mut c_char,
    capacity: i64,
    length: *mut i64,
) -> i32 {
    call("pcml_model_description", || unsafe {
        copy_text(borrow(model, "model")?.model.description_text(), buffer, capacity, length)
    })
}

/// Frees a model; plans made from it live on. NULL is fine; freeing twice is misuse.
///
/// Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_model_free(model: *mut pcml_model) {
    unsafe { free("pcml_model_free", model) }
}
