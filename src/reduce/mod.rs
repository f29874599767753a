//! Sums whose bits depend on no order, and the host's sum over its parts.
//!
//! - [`exact`](Exact): doubles split into integer digits, which add without rounding.
//! - [`Reduction`]: what the host lends so that parts of a field in several processes act as one. The library calls it with
//!   integers, so it needs no message passing of its own.

mod exact;

pub use exact::Exact;

use crate::error::Result;

/// The host's sum over all parts: replaces every integer by its sum over the parts, in place, and gives all parts the same. All
/// parts call it equally often with equally many integers; the order in which it adds does not matter.
pub type Reduction<'a> = dyn FnMut(&mut [i64]) -> Result<()> + 'a;
