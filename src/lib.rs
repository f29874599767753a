//! x
pub mod capi;
pub mod constraint;
pub mod error;
pub mod field;
pub mod kernels;
pub mod model;
