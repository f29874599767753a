//! What a plan is made for.

use super::Model;
use super::boundary::Boundary;
use crate::error::{Result, fail};

/// Sizes, sampling and conditions of a plan.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most functions in one call; of a multilayer perceptron most rows.
    pub batch: usize,
    /// Most context points of a function; needed by neural processes, and by Gaussian ones that store no points.
    pub context: Option<usize>,
    /// Most target points of a function; needed by neural and Gaussian processes and DeepONets.
    pub targets: Option<usize>,
    /// Most target points of a full covariance; 0: none is asked for.
    pub covariance: usize,
    /// Draws in the mixture: of a neural process' latent, where 0 predicts at its mean; of dropout.
    pub latents: usize,
    /// Seed of latent draws and dropout.
    pub seed: u64,
    /// Dropout rate kept on while predicting, in [0, 1); 0 is off.
    pub dropout: f64,
    /// Extents of the grid; needed by neural operators, and networks in ONNX that have one.
    pub shape: Option<Vec<usize>>,
    /// Steps of a roll-out in one call.
    pub steps: usize,
    /// Boundary conditions instead of the model's own: the same faces and kinds, other stencils or spacings.
    pub boundary: Option<Boundary>,
    /// Threads of a call, the calling one among them. More than one need a pool, which the plan owns.
    pub threads: usize,
    /// How neural operators transform fields along their axes.
    pub transforms: Transforms,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            batch: 1,
            context: None,
            targets: None,
            covariance: 0,
            latents: 0,
            seed: 0,
            dropout: 0.0,
            shape: None,
            steps: 1,
            boundary: None,
            threads: 1,
            transforms: Transforms::Auto,
        }
    }
}

/// How neural operators go from points to kept modes and back, axis by axis. Both ways give the same but for rounding.
#[repr(i32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transforms {
    /// Whichever is faster: matrices, or fast Fourier transforms on axes that keep many modes of many points.
    #[default]
    Auto = 1,
    /// Matrices on all axes.
    Matrix = 2,
    /// Fast Fourier transforms on all axes; not for models with boundary conditions inside, nor for parts.
    Fft = 3,
}

/// Most threads of a plan.
pub const MOST_THREADS: usize = 1024;

/// Whether the options ask for draws of dropout, which the model must have.
pub(super) fn check_draws(model: &Model, options: &Options) -> Result<bool> {
    let (rate, draws) = (options.dropout, options.latents);
    let description = model.description();
    let trained = description.mlp.as_ref().map(|n| n.dropout).or(description.deeponet.as_ref().map(|n| n.dropout));
    match (rate > 0.0, draws) {
        (false, 0) => Ok(false),
        (false, _) => {
            fail!(InvalidArgument, "option latents is {draws} and dropout 0, expected a rate: draws are of dropout")
        }
        (true, 0) => fail!(InvalidArgument, "option dropout is {rate} and latents 0, expected at least 1 draw"),
        (true, _) if trained.is_none_or(|trained| trained == 0.0) => {
            fail!(InvalidArgument, "option dropout is {rate}, but the model was trained without dropout")
        }
        (true, _) if draws > u32::MAX as usize => fail!(TooLarge, "option latents is {draws}, expected less than 2^32"),
        _ => Ok(true),
    }
}
