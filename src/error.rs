//! One error type. The numbers are part of the ABI: pinned, never reused.

use std::cell::Cell;
use std::fmt;

/// What a call returns. 0 is success; every other number keeps its meaning for ever.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Success.
    Ok = 0,
    /// An argument that must not be NULL is NULL (also the handle of a create call that failed).
    NullArgument = 1,
    /// A value lies outside its stated range.
    InvalidArgument = 2,
    /// An array has the wrong rank or extent.
    Shape = 3,
    /// Strides, alignment or overlap of arrays make the access impossible or ambiguous.
    Stride = 4,
    /// An array's dtype is not one that the call takes.
    Dtype = 5,
    /// An input holds NaN or infinity, or finite inputs lead to a result that does.
    NonFinite = 6,
    /// Quadrature points are not strictly increasing.
    NotSorted = 7,
    /// A variance is negative, or zero where that was not allowed.
    Variance = 8,
    /// The noise variance of a row is negative.
    Noise = 9,
    /// No cell can move a row: all its weights times variances are zero, or too small to divide by.
    Singular = 10,
    /// A row could not be made to hold within the tolerance of the storage type.
    NotConverged = 11,
    /// A file could not be read.
    Io = 12,
    /// The bytes are not a model file, or the file is truncated or damaged.
    FileFormat = 13,
    /// The file's format version is not one that this library reads.
    FileVersion = 14,
    /// The file's description is incomplete, contradictory or has an unknown field.
    FileDescription = 15,
    /// A weight is missing, unread, of the wrong shape or type, or not finite.
    Weights = 16,
    /// The model does not reproduce the outputs stored with it.
    SelfTest = 17,
    /// A size is beyond what this library or the address space allows.
    TooLarge = 18,
    /// Memory could not be allocated.
    OutOfMemory = 19,
    /// Objects that do not belong together, or a struct from another version of the header.
    Mismatch = 20,
    /// A handle is not of the expected kind, was freed, or is in use by another thread.
    Handle = 21,
    /// The model has no such ability, or the call comes before the one that prepares it.
    State = 22,
    /// A defect in the library: a panic was caught. The objects of the call should be freed, not used.
    Panic = 23,
    /// The host's reduction failed, or gave sums that no set of parts has.
    Reduction = 24,
    /// No state within the bounds or sets obeys the rows, and the policy is to refuse.
    Infeasible = 25,
    /// A row contradicts other rows: it depends on them and its right-hand side does not.
    Contradiction = 26,
}

impl Status {
    /// Every status, in order of its number.
    pub const fn all() -> &'static [Status] {
        &[
            Status::Ok,
            Status::NullArgument,
            Status::InvalidArgument,
            Status::Shape,
            Status::Stride,
            Status::Dtype,
            Status::NonFinite,
            Status::NotSorted,
            Status::Variance,
            Status::Noise,
            Status::Singular,
            Status::NotConverged,
            Status::Io,
            Status::FileFormat,
            Status::FileVersion,
            Status::FileDescription,
            Status::Weights,
            Status::SelfTest,
            Status::TooLarge,
            Status::OutOfMemory,
            Status::Mismatch,
            Status::Handle,
            Status::State,
            Status::Panic,
            Status::Reduction,
            Status::Infeasible,
            Status::Contradiction,
        ]
    }
}

/// A failed call: its status and a text that names the culprit and the expected value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: Status,
    message: String,
}

impl Error {
    /// An error with a status other than [`Status::Ok`] and its text.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        debug_assert_ne!(status, Status::Ok);
        Error { status, message: message.into() }
    }

    /// The pinned number of the failure.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The text, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same failure, with more said after its text.
    pub(crate) fn with(mut self, more: &str) -> Self {
        self.message.push_str(more);
        self
    }

    /// The same failure, with the name of what it happened in before its text.
    pub(crate) fn within(self, place: impl fmt::Display) -> Self {
        Error { message: format!("{place}: {}", self.message), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// `Err(Error)` from a status variant and format arguments.
macro_rules! fail {
    ($status:ident, $($text:tt)+) => {
        Err($crate::error::Error::new($crate::error::Status::$status, format!($($text)+)))
    };
}
pub(crate) use fail;

thread_local! {
    static SPENT: Cell<bool> = const { Cell::new(false) };
}

/// What an allocator says that met a request of this thread from a reserve: the call that made it is to end soon, without a result.
pub(crate) fn spend() {
    SPENT.set(true);
}

/// Whether this thread has spent from a reserve since it was last asked.
pub(crate) fn spent() -> bool {
    SPENT.take()
}

/// A zeroed vector whose size depends on a caller or a file: no memory is a status, not an abort.
pub(crate) fn zeros<T: Clone + Default>(len: usize, what: &str) -> Result<Vec<T>> {
    let mut v = reserved(len, what)?;
    v.resize(len, T::default());
    Ok(v)
}

/// An empty vector with room for `len` values, whose pages the system gives when they are first used.
pub(crate) fn reserved<T>(len: usize, what: &str) -> Result<Vec<T>> {
    let mut v = Vec::new();
    if v.try_reserve_exact(len).is_err() || SPENT.get() {
        return fail!(OutOfMemory, "no memory for {what}: {len} values of {} bytes", size_of::<T>());
    }
    Ok(v)
}

/// A vector of what an iterator gives.
pub(crate) fn collected<T>(items: impl Iterator<Item = T>, what: &str) -> Result<Vec<T>> {
    let mut v = reserved(items.size_hint().0, what)?;
    for item in items {
        push(&mut v, item, what)?;
    }
    Ok(v)
}

/// [`Vec::push`] for vectors whose size depends on a caller or a file.
pub(crate) fn push<T>(v: &mut Vec<T>, item: T, what: &str) -> Result<()> {
    if v.len() == v.capacity() && v.try_reserve(1).is_err() {
        return fail!(OutOfMemory, "no memory for {what}: more than {} values of {} bytes", v.len(), size_of::<T>());
    }
    v.push(item);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_pinned() {
        for (number, status) in Status::all().iter().enumerate() {
            assert_eq!(*status as usize, number);
        }
        assert_eq!(Status::Panic as i32, 23);
        assert_eq!(Status::Contradiction as i32, 26);
    }

    #[test]
    fn absurd_size_is_a_status() {
        let e = zeros::<f64>(usize::MAX / 16, "workspace").unwrap_err();
        assert_eq!(e.status(), Status::OutOfMemory);
        assert!(e.message().contains("workspace"));
        let e = collected((0..usize::MAX / 16).map(|i| i as f64), "workspace").unwrap_err();
        assert!(e.status() == Status::OutOfMemory && e.message().contains("workspace"));
    }

    #[test]
    fn what_is_collected_is_what_came() {
        assert_eq!(collected((0..100).filter(|i| i % 3 == 0), "test").unwrap().len(), 34);
        assert_eq!(collected([1.5, 2.5].into_iter(), "test").unwrap(), [1.5, 2.5]);
    }
}
