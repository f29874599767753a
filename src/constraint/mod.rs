//! What corrects: makes a field obey linear rows, with its uncertainty.
//!
//! State `u` in R^n, prior N(mu, Sigma), one row `g u = b + noise` with noise variance `s^2 >= 0` (`s^2 = 0`: exactly):
//!
//! ```text
//! r = g mu - b      S = g Sigma g' + s^2      lambda = r / S
//! mean = mu - Sigma g' lambda                 cov = Sigma - Sigma g' g Sigma / S
//! ```
//!
//! (Hansen et al., ProbConserv, eq. 9; Sigma = I is their HardC.) A projection makes a prediction lawful; whether it also lowers
//! the error is another matter.
//!
//! - [`rows`](Constraints): what must hold. Quadrature of a balance over the cells, or weights of the caller's own.
//! - [`prior`](Prior): the metric, that is, which cells yield how much.
//! - [`project`](Projector): the correction, the posterior variance, the residual and the covariance, in O(n).
//! - [`nonlinear`](Projector::project_nonlinear): quadratic invariants jointly with the rows, in the same metric.
//! - [`density`](log_density): the score of a truth under marginals.
//! - [`report`](Report): what a projection did, slice by slice.

mod density;
mod nonlinear;
mod prior;
mod project;
mod report;
mod rows;

pub use density::log_density;
pub use nonlinear::{MAX_NONLINEAR, NonlinearScratch};
pub use prior::Prior;
pub use project::{MAX_STEPS, Posterior, Projector, ProjectorOptions, Scratch};
pub use report::{Report, RowReport, SliceReport};
pub use rows::{Constraints, Rule};
