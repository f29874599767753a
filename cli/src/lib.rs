//! What the command `pcml` does, for its own use and that of its tests: models are shown, checked, tried and made from others' state dicts.
//!
//! - [`inspect`]: what a model file says of itself. [`verify`]: whether it holds here, and how fast.
//! - [`predict`] and [`project`]: a first try without code, on [`arrays`] in files.
//! - [`convert`]: state dicts of others' code as model files.
//! - [`outcome`]: what a command tells, for people and for programs. [`error`]: what it says when it fails.

pub mod arrays;
pub mod convert;
mod draws;
pub mod error;
pub mod inspect;
mod map;
pub mod outcome;
pub mod predict;
pub mod project;
pub mod verify;
