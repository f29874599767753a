//! `pcml`: physics-constrained machine learning that simulation codes can link.
//!
//! A host loads a trained surrogate, predicts in-process, and makes the prediction obey conservation laws, exactly, with
//! uncertainty. From C, C++ or Fortran through `include/pcml.h`; from Rust as below.
//!
//! The map of the house; dependencies point one way, `capi -> model, constraint -> reduce -> kernels -> field, error`:
//!
//! - [`model`]: what predicts. The model file, the architectures, a plan that binds a model to sizes and arithmetic;
//!   a part of an operator whose grid lies in several processes.
//! - [`constraint`]: what corrects. Rows that must hold, bounds, invariants, fluxes; the prior that is the metric; projections of
//!   whole fields and of parts, their samples, derivatives and reports.
//! - [`reduce`]: sums whose bits depend on no order, and what parts tell each other first.
//! - `kernels`: what makes it fast. Strided access, packed products, truncated Fourier transforms, compensated sums, counter-based
//!   random numbers, a plan's threads. Open to this package's benches, tests and examples alone, without any promise.
//! - [`field`]: dtype, shape and strides of the caller's arrays. [`error`]: one error type with pinned numbers.
//! - [`capi`]: the only home of `extern "C"`; one file per C object, no numerics. The C library, `clib/`, is this and an allocator.
//!
//! ```
//! use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Rule};
//! use pcml::{View, ViewMut};
//!
//! // A surrogate's prediction on five points, with its variance, that should integrate to 1.
//! let x = [0.0, 0.2, 0.5, 0.7, 1.0];
//! let mean = [0.9, 1.1, 1.2, 1.0, 0.8];
//! let variance = [0.01, 0.01, 0.04, 0.01, 0.01];
//!
//! let mut laws = Constraints::new(5)?;
//! laws.add_quadrature(Rule::Trapezoid, View::new("x", &x, &[5])?, 0.0)?;
//! let projector = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default())?;
//! let mut scratch = projector.scratch(1)?;
//!
//! let (mut u, mut v) = ([0.0; 5], [0.0; 5]);
//! let posterior = Posterior {
//!     mean: ViewMut::new("u", &mut u, &[5])?,
//!     variance: Some(ViewMut::new("v", &mut v, &[5])?),
//! };
//! let (mean, variance) = (View::new("mean", &mean, &[5])?, View::new("variance", &variance, &[5])?);
//! projector.project(&mut scratch, mean, Some(variance), View::new("b", &[1.0], &[1])?, posterior, None)?;
//!
//! let mass: f64 = (1..5).map(|i| 0.5 * (x[i] - x[i - 1]) * (u[i] + u[i - 1])).sum();
//! assert!((mass - 1.0).abs() < 1e-15);
//! # Ok::<(), pcml::error::Error>(())
//! ```

pub mod capi;
pub mod constraint;
mod contain;
pub mod error;
pub mod field;
#[doc(hidden)]
pub mod kernels;
pub mod model;
pub mod reduce;

pub use kernels::strided::{View, ViewMut};
