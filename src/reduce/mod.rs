//! Sums whose bits depend on no order: [`Exact`] splits doubles into integer digits, which add without rounding.

/// cbindgen:ignore
mod exact;

pub use exact::Exact;
