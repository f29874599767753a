//! What corrects: makes a state obey its laws, with its uncertainty.
//!
//! State `u` in R^n, prior N(mu, Sigma), rows `G u = b + noise` with a noise variance `s^2 >= 0` each (`s^2 = 0`: exactly):
//!
//! ```text
//! r = G mu - b      S = G Sigma G' + diag(s^2)      S lambda = r
//! mean = mu - Sigma G' lambda                       cov = Sigma - Sigma G' S^-1 G Sigma
//! ```
//!
//! (Hansen et al., ProbConserv, eq. 9; Sigma = I is their HardC.) A projection makes a prediction lawful; whether it also lowers
//! the error is another matter.
//!
//! - `constraints` ([`Constraints`]): what must hold. Balances over cells, grids, times and fields; rows of the caller's own.
//! - `rows`: what a row is and how all are kept; `quadrature` ([`Rule`]): the weights of an integral.
//! - `boundary` ([`Condition`]): boundary conditions as rows, solved together with the rest.
//! - `prior` ([`Prior`]): the metric, that is, which cells yield how much; `metric` is its numbers, never an n x n matrix.
//! - `system`: S, its factor along the elimination tree of the rows, and which rows depend on others.
//! - `project` ([`Projector`]): the correction and the posterior variance. One row over all cells in an identity or diagonal prior goes
//!   through `stream`; everything else one slice at a time through `joint`, in `batch`.
//! - `sets` and `bounds` ([`Bounds`], [`Bounded`]): cells within bounds, on simplices, along monotone runs, jointly with the rows.
//! - `inference` ([`Inference`]): samples, likelihoods, covariances of chosen cells, derivatives.
//! - `nonlinear` ([`Projector::project_nonlinear`]): quadratic invariants and products jointly with the rows, in the same metric.
//! - `flux` ([`FluxBalance`]): face fluxes on a mesh, so that every cell's balance closes, and the update that telescopes.
//! - `density` ([`log_density`]): the score of a truth under marginals.
//! - `part` ([`Part`]): a field in parts, one in each process, with the same bits for every partition.
//! - `check`: how a state stands to its laws, told by a report; nothing changes.
//! - `tangent` ([`Tangent`]): directions of derivatives and gradients; each kind of projection has its own in `derivative`.
//! - `dense`: the factor of a small dense system, such as that of all rows and invariants.
//! - `arrays`: what all of these ask of an array, and its values copied.
//! - `report` ([`Report`]): what a projection did, slice by slice and row by row.

mod arrays;
mod batch;
mod boundary;
mod bounds;
mod check;
mod constraints;
mod dense;
mod density;
mod flux;
mod inference;
mod joint;
mod metric;
mod nonlinear;
mod part;
mod prior;
mod project;
mod quadrature;
mod report;
mod rows;
mod sets;
mod stream;
mod system;
mod tangent;

pub use boundary::{Condition, MAX_ORDER};
pub use bounds::{Bounded, Bounds};
pub use constraints::Constraints;
pub use density::log_density;
pub use flux::{FluxBalance, FluxMethod, FluxOptions, FluxReport, FluxScratch, LimitReport, UpdateBounds};
pub use inference::Inference;
pub use nonlinear::{MAX_NONLINEAR, NonlinearScratch};
pub use part::{MOST_PART_ROWS, Part, PartInput};
pub use prior::Prior;
pub use project::{MAX_STEPS, Posterior, Projector, ProjectorOptions, Scratch};
pub use quadrature::Rule;
pub use report::{Report, RowReport, SliceReport};
pub use sets::{Direction, Method, Policy};
pub use tangent::Tangent;
pub(crate) use tangent::{FLUX_GRADIENTS, GRADIENTS};
