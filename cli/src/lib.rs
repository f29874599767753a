//! What the command `pcml` does, for its own use and that of its tests: models are shown, checked, tried and made from others' state dicts.
//!
//! - [`convert`]: state dicts of others' code as model files.

pub mod convert;
pub mod error;
mod map;
