//! What the fuzz targets and their replays in `tests/fuzz_*.rs` share: mutations of model files that keep their digest right, and the promises
//! that loading and using any bytes must keep.

pub mod constraint_set;
pub mod exercise;
pub mod memory;
pub mod mutate;
pub mod random;

pub use random::Random;
