//! Sums whose bits depend on no order: [`Exact`] splits doubles into integer digits, which add without rounding. And what parts of a
//! field tell each other first.

pub(crate) mod agree;
/// cbindgen:ignore
mod exact;

pub use agree::{abstain, together};
pub use exact::Exact;
