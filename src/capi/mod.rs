//! The border: the only home of `extern "C"`, one file per C object, no numerics.
//!
//! Every function runs its body through `call`: a panic becomes [`Status::Panic`], a failure becomes its number, and the
//! text goes to the thread's last error. Handles begin with a tag, so a handle of another kind or a freed one is refused
//! where the memory still tells.

// The first of the two rooms with unsafe code: pointers from C.
#![allow(unsafe_code)]
// The names are those that C sees.
#![allow(non_camel_case_types)]
// The contract of every function stands in its comment, which is the header's text: shapes in brackets are no links.
#![allow(clippy::missing_safety_doc, rustdoc::broken_intra_doc_links)]

mod array;
mod boundary;
mod bounded;
mod constraints;
mod density;
mod error;
mod flux;
mod inference;
mod model;
mod nonlinear;
mod operator_part;
mod options;
mod part;
mod plan;
mod projector;
mod reduction;
mod report;
mod reserve;
mod sum;
mod version;
mod workspace;

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::contain::contain;
use crate::error::{Error, Result, Status, fail, spent};

pub use array::{pcml_array, pcml_const_array};
pub use boundary::{
    pcml_boundary, pcml_boundary_add_face, pcml_boundary_create, pcml_boundary_enforce, pcml_boundary_free,
};
pub use bounded::{
    pcml_bounded_check, pcml_bounded_jvp, pcml_bounded_project, pcml_bounded_vjp, pcml_bounded_workspace,
};
pub use constraints::{
    pcml_constraints, pcml_constraints_add_absent_row, pcml_constraints_add_boundary, pcml_constraints_add_energy,
    pcml_constraints_add_grid_quadrature, pcml_constraints_add_monotone, pcml_constraints_add_periodic,
    pcml_constraints_add_quadratic, pcml_constraints_add_quadrature, pcml_constraints_add_row,
    pcml_constraints_add_simplex, pcml_constraints_add_sparse_rows, pcml_constraints_add_stencils,
    pcml_constraints_create, pcml_constraints_free, pcml_constraints_rows, pcml_constraints_set_bounds,
};
pub use density::pcml_log_density;
pub use error::{pcml_error_message, pcml_status_name};
pub use flux::{
    pcml_flux, pcml_flux_correct, pcml_flux_create, pcml_flux_free, pcml_flux_jvp, pcml_flux_limits, pcml_flux_report,
    pcml_flux_residual, pcml_flux_update, pcml_flux_update_bounded, pcml_flux_vjp, pcml_flux_workspace,
};
pub use inference::{
    pcml_inference_covariance, pcml_inference_jvp, pcml_inference_log_likelihood, pcml_inference_sample,
    pcml_inference_vjp, pcml_inference_workspace,
};
pub use model::{
    pcml_fit_report, pcml_model, pcml_model_description, pcml_model_ensemble, pcml_model_fit, pcml_model_free,
    pcml_model_gaussian_process, pcml_model_hyperparameters, pcml_model_load, pcml_model_load_bytes,
};
pub use nonlinear::{
    pcml_nonlinear_check, pcml_nonlinear_jvp, pcml_nonlinear_project, pcml_nonlinear_vjp, pcml_nonlinear_workspace,
};
pub use operator_part::{
    pcml_operator_part, pcml_operator_part_begin, pcml_operator_part_continue, pcml_operator_part_create,
    pcml_operator_part_finish, pcml_operator_part_free, pcml_operator_part_predict, pcml_operator_part_workspace,
};
pub use options::{
    Fitted, pcml_options, pcml_options_create, pcml_options_free, pcml_options_set_batch, pcml_options_set_boundary,
    pcml_options_set_context, pcml_options_set_covariance, pcml_options_set_direct_cells, pcml_options_set_dropout,
    pcml_options_set_fit_range, pcml_options_set_fitted, pcml_options_set_held_cells, pcml_options_set_held_faces,
    pcml_options_set_latents, pcml_options_set_length_scales, pcml_options_set_means, pcml_options_set_noise_variance,
    pcml_options_set_prior_size, pcml_options_set_restarts, pcml_options_set_seed, pcml_options_set_shape,
    pcml_options_set_signal_variance, pcml_options_set_smoothing, pcml_options_set_steps, pcml_options_set_targets,
    pcml_options_set_threads, pcml_options_set_transforms,
};
pub use part::{pcml_part_begin, pcml_part_continue, pcml_part_project, pcml_part_workspace};
pub use plan::{
    pcml_plan, pcml_plan_condition, pcml_plan_condition_noisy, pcml_plan_covariance, pcml_plan_create,
    pcml_plan_derivative_workspace, pcml_plan_free, pcml_plan_jitter, pcml_plan_jvp, pcml_plan_latent,
    pcml_plan_members, pcml_plan_predict, pcml_plan_predict_factors, pcml_plan_predict_fields,
    pcml_plan_predict_lawful, pcml_plan_predict_moments, pcml_plan_query, pcml_plan_query_factors,
    pcml_plan_regularised, pcml_plan_vjp, pcml_plan_workspace,
};
pub use projector::{
    pcml_projector, pcml_projector_budget, pcml_projector_check, pcml_projector_covariance, pcml_projector_create,
    pcml_projector_free, pcml_projector_project, pcml_projector_project_f32, pcml_projector_project_f64,
    pcml_projector_report, pcml_projector_residual, pcml_projector_workspace,
};
pub use reduction::{pcml_reduction, pcml_reduction_create, pcml_reduction_free};
pub use report::{ReportItem, pcml_report, pcml_report_free, pcml_report_slices, pcml_report_value};
pub use reserve::Reserve;
pub use sum::{SUM_BINS, pcml_sum, pcml_sum_bins, pcml_sum_round};
pub use version::{pcml_version, pcml_version_string};
pub use workspace::{pcml_workspace, pcml_workspace_free};

thread_local! {
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs the body of the C function `name`.
pub(crate) fn call(name: &str, body: impl FnOnce() -> Result<()>) -> i32 {
    // What an earlier call had to spend is over.
    spent();
    let error = match contain(body) {
        Ok(Ok(())) => return Status::Ok as i32,
        Ok(Err(error)) => error,
        Err(text) => Error::new(Status::Panic, format!("defect in pcml: {text}")),
    };
    // A thread that ends may call once its text is gone: the status has to do then.
    let _ = MESSAGE.try_with(|m| {
        let mut m = m.borrow_mut();
        m.clear();
        m.push_str(name);
        m.push_str(": ");
        m.push_str(error.message());
    });
    error.status() as i32
}

/// A kind of opaque object. What a C pointer to it names is a [`Tagged`] one.
pub(crate) trait Object: Sized {
    /// Marks a live object of this kind and no other.
    const TAG: u64;
    /// The C name.
    const NAME: &'static str;
}

#[repr(C)]
struct Tagged<T> {
    tag: u64,
    /// Never given twice.
    id: u64,
    value: T,
}

/// Finds the object behind a handle; `what` names the argument in messages, as in the header.
fn locate<T: Object>(handle: *const T, what: &str) -> Result<*mut Tagged<T>> {
    let tagged = handle.cast::<Tagged<T>>().cast_mut();
    if tagged.is_null() {
        return fail!(NullArgument, "{what} is NULL, expected a {}", T::NAME);
    }
    if !tagged.is_aligned() {
        return fail!(Handle, "{what} is not a {}", T::NAME);
    }
    // SAFETY: not NULL and aligned; the header demands a live object of the library, and all of them begin with a tag.
    let tag = unsafe { tagged.cast::<u64>().read() };
    if tag != T::TAG {
        return fail!(Handle, "{what} is not a live {}", T::NAME);
    }
    Ok(tagged)
}

/// # Safety
/// The handle is NULL or points to an object of this library that nobody frees or writes during `'a`.
pub(crate) unsafe fn borrow<'a, T: Object>(handle: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: a live T; the caller promises the rest.
    Ok(unsafe { &(*locate(handle, what)?).value })
}

/// # Safety
/// The handle is NULL or points to an object of this library that nobody else uses during `'a`.
pub(crate) unsafe fn borrow_mut<'a, T: Object>(handle: *mut T, what: &str) -> Result<&'a mut T> {
    // SAFETY: a live T; the caller promises the rest.
    Ok(unsafe { &mut (*locate(handle, what)?).value })
}

/// Runs a create function: the result goes behind `out`, which holds NULL after a failure.
///
/// # Safety
/// `out` is NULL or a writable pointer.
pub(crate) unsafe fn create<T: Object>(
    name: &str,
    out: *mut *mut T,
    what: &str,
    make: impl FnOnce() -> Result<T>,
) -> i32 {
    call(name, || {
        let out = unsafe { output(out, what) }?;
        *out = std::ptr::null_mut();
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let made = Box::new(Tagged { tag: T::TAG, id, value: make()? });
        if spent() {
            return fail!(OutOfMemory, "no memory for the {}", T::NAME);
        }
        *out = Box::into_raw(made).cast();
        Ok(())
    })
}

/// Frees a live object; NULL and anything that is not one are left alone.
///
/// # Safety
/// The handle is NULL or points to an object of this library that nobody uses any more.
pub(crate) unsafe fn free<T: Object>(name: &str, handle: *mut T) {
    if handle.is_null() {
        return;
    }
    call(name, || {
        let tagged = locate(handle, "handle")?;
        // SAFETY: a live object of this kind, made by `create`; the tag goes first so that a stale handle is told.
        unsafe {
            (&raw mut (*tagged).tag).write_volatile(0);
            drop(Box::from_raw(tagged));
        }
        Ok(())
    });
}

/// A place for a result.
///
/// # Safety
/// `out` is NULL or valid for writes during `'a`.
pub(crate) unsafe fn output<'a, T>(out: *mut T, what: &str) -> Result<&'a mut T> {
    if out.is_null() {
        return fail!(NullArgument, "{what} is NULL, expected a place for the result");
    }
    if !out.is_aligned() {
        return fail!(Stride, "{what} is not aligned to {} bytes", align_of::<T>());
    }
    // SAFETY: not NULL, aligned; the caller promises the rest.
    Ok(unsafe { &mut *out })
}

/// A plain array of `count` values.
///
/// # Safety
/// The pointer is NULL or names so many readable values during `'a`.
pub(crate) unsafe fn values<'a, T>(data: *const T, count: usize, what: &str) -> Result<&'a [T]> {
    if data.is_null() {
        return fail!(NullArgument, "{what} is NULL, expected {count} values");
    }
    if !data.is_aligned() {
        return fail!(Stride, "{what} is not aligned to {} bytes", align_of::<T>());
    }
    if count > isize::MAX as usize / size_of::<T>() {
        return fail!(TooLarge, "{what}: {count} values are beyond the address space");
    }
    // SAFETY: not NULL, aligned, of a possible size; the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(data, count) })
}

/// A size from C.
pub(crate) fn size(value: i64, what: &str, least: i64) -> Result<usize> {
    if value < least {
        return fail!(InvalidArgument, "{what} is {value}, expected at least {least}");
    }
    let beyond = |_| Error::new(Status::TooLarge, format!("{what} is {value}, beyond the address space"));
    usize::try_from(value).map_err(beyond)
}

/// Copies text out, always closed by a NUL, cut at `capacity`; the whole length goes to `length`.
///
/// # Safety
/// `buffer` is NULL or has room for `capacity` bytes; `length` is NULL or writable.
pub(crate) unsafe fn copy_text(
    text: &str,
    buffer: *mut std::ffi::c_char,
    capacity: i64,
    length: *mut i64,
) -> Result<()> {
    if !buffer.is_null() {
        let capacity = size(capacity, "capacity", 1)?;
        let mut n = text.len().min(capacity - 1);
        while !text.is_char_boundary(n) {
            n -= 1;
        }
        // SAFETY: n + 1 <= capacity bytes, which the caller promises.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast::<u8>(), n);
            buffer.add(n).write(0);
        }
    } else if length.is_null() {
        return fail!(NullArgument, "buffer and length are both NULL, expected at least one");
    }
    if !length.is_null() {
        *unsafe { output(length, "length") }? = text.len() as i64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_status() {
        let status = call("pcml_test", || panic!("index {} out of range", 7));
        assert_eq!(status, Status::Panic as i32);
        assert_eq!(MESSAGE.with_borrow(String::clone), "pcml_test: defect in pcml: index 7 out of range");
    }

    /// A value of a thread whose destructor calls: the first of several is destroyed after the message, or the last, as the system has it.
    struct Late(&'static AtomicU64);

    impl Drop for Late {
        fn drop(&mut self) {
            let status = call("pcml_test", || fail!(Shape, "late"));
            let mut length = -1;
            let read = unsafe { pcml_error_message(std::ptr::null_mut(), 0, &mut length) };
            let text = ["", "pcml_test: late"].map(|text| text.len() as i64);
            if status == Status::Shape as i32 && read == 0 && text.contains(&length) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn a_thread_that_ends_may_call() {
        static GOOD: AtomicU64 = AtomicU64::new(0);
        thread_local! {
            static FIRST: Late = const { Late(&GOOD) };
            static LAST: Late = const { Late(&GOOD) };
        }
        let ended = std::thread::spawn(|| {
            FIRST.with(|_| ());
            call("pcml_test", || fail!(Shape, "early"));
            LAST.with(|_| ());
        });
        ended.join().unwrap();
        assert_eq!(GOOD.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_failed_create_leaves_null() {
        let mut handle = std::ptr::dangling_mut::<pcml_options>();
        let status = unsafe { create("pcml_test", &mut handle, "options", || fail!(OutOfMemory, "none")) };
        assert_eq!(status, Status::OutOfMemory as i32);
        assert!(handle.is_null());
    }
}
