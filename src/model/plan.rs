//! A model bound to sizes, arithmetic and sampling: it owns packed weights, tables and the size of the scratch.

use super::anp::{self, Anp};
use super::boundary::Boundary;
use super::fno::{self, Fno};
use super::gp::{self, Gp};
#[cfg(feature = "onnx")]
use super::onnx::{self, Onnx};
use super::{Model, file::Architecture};
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::strided::{View, ViewMut};

/// What a plan is made for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most functions in one call.
    pub batch: usize,
    /// Most context points of a function; needed by neural processes, and by Gaussian ones that store no points.
    pub context: Option<usize>,
    /// Most target points of a function; needed by neural and Gaussian processes.
    pub targets: Option<usize>,
    /// Most target points of a full covariance; 0: none is asked for.
    pub covariance: usize,
    /// Draws in the mixture; 0 predicts at the mean latent.
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
}

/// Most threads of a plan.
pub const MOST_THREADS: usize = 1024;

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
        }
    }
}

/// An immutable plan. The model it was made from may go.
pub struct Plan(Kind);

enum Kind {
    AnpF32(Box<Anp<f32>>),
    AnpF64(Box<Anp<f64>>),
    FnoF32(Box<Fno<f32>>),
    FnoF64(Box<Fno<f64>>),
    Gp(Box<Gp>),
    #[cfg(feature = "onnx")]
    Onnx(Box<Onnx>),
}

/// The scratch of one plan, for one thread at a time.
pub struct Workspace(Scratch);

enum Scratch {
    AnpF32(Box<anp::Scratch<f32>>),
    AnpF64(Box<anp::Scratch<f64>>),
    FnoF32(Box<fno::Scratch<f32>>),
    FnoF64(Box<fno::Scratch<f64>>),
    Gp(Box<gp::Scratch>),
    #[cfg(feature = "onnx")]
    Onnx(Box<onnx::Scratch>),
}

/// The scratch of one plan's derivatives, for one thread at a time.
pub struct DerivativeWorkspace(DerivativeScratch);

enum DerivativeScratch {
    F32(Box<fno::DerivativeScratch<f32>>),
    F64(Box<fno::DerivativeScratch<f64>>),
}

impl Plan {
    /// Binds a model to sizes; `arithmetic` is the type in which the network is evaluated, whatever the arrays' dtypes.
    pub fn new(model: &Model, arithmetic: Dtype, options: &Options) -> Result<Plan> {
        for (name, value) in [
            ("batch", Some(options.batch)),
            ("context", options.context),
            ("targets", options.targets),
            ("steps", Some(options.steps)),
            ("threads", Some(options.threads)),
        ] {
            if value == Some(0) {
                return fail!(InvalidArgument, "option {name} is 0, expected at least 1");
            }
        }
        if !(0.0..1.0).contains(&options.dropout) {
            return fail!(InvalidArgument, "option dropout is {}, expected in [0, 1)", options.dropout);
        }
        if options.threads > MOST_THREADS {
            return fail!(InvalidArgument, "option threads is {}, expected at most {MOST_THREADS}", options.threads);
        }
        match (model.description().architecture, arithmetic) {
            (Architecture::Fno, Dtype::F32) => Ok(Plan(Kind::FnoF32(Box::new(Fno::new(model, options)?)))),
            (Architecture::Fno, Dtype::F64) => Ok(Plan(Kind::FnoF64(Box::new(Fno::new(model, options)?)))),
            (Architecture::Anp, Dtype::F32) => Ok(Plan(Kind::AnpF32(Box::new(Anp::new(model, options)?)))),
            (Architecture::Anp, Dtype::F64) => Ok(Plan(Kind::AnpF64(Box::new(Anp::new(model, options)?)))),
            (Architecture::Gp, Dtype::F64) => Ok(Plan(Kind::Gp(Box::new(Gp::new(model, options)?)))),
            (Architecture::Gp, Dtype::F32) => {
                fail!(Dtype, "a Gaussian process is evaluated in f64, expected a plan of that dtype; arrays may be f32")
            }
            #[cfg(feature = "onnx")]
            (Architecture::Onnx, _) => Ok(Plan(Kind::Onnx(Box::new(Onnx::new(model, arithmetic, options)?)))),
            #[cfg(not(feature = "onnx"))]
            (Architecture::Onnx, _) => fail!(
                State,
                "the model is a network in ONNX, but this library was built without cargo feature onnx, which evaluates it"
            ),
        }
    }

    /// Allocates all that a call needs.
    pub fn workspace(&self) -> Result<Workspace> {
        Ok(Workspace(match &self.0 {
            Kind::AnpF32(p) => Scratch::AnpF32(Box::new(p.scratch()?)),
            Kind::AnpF64(p) => Scratch::AnpF64(Box::new(p.scratch()?)),
            Kind::FnoF32(p) => Scratch::FnoF32(Box::new(p.scratch()?)),
            Kind::FnoF64(p) => Scratch::FnoF64(Box::new(p.scratch()?)),
            Kind::Gp(p) => Scratch::Gp(Box::new(p.scratch()?)),
            #[cfg(feature = "onnx")]
            Kind::Onnx(p) => Scratch::Onnx(Box::new(p.scratch()?)),
        }))
    }

    /// Neural and Gaussian processes: encodes the context points of one or more functions into the workspace, which later queries use.
    ///
    /// Shapes: `x` [functions, points, dim_x], `y` [functions, points, dim_y]; axes of extent 1 may be left out. Raw units.
    /// After an error the workspace is conditioned as before, except after an overflow in the network (`NonFinite`) or a
    /// kernel matrix that can't be factored (`Singular`, `Contradiction`), which leaves it unconditioned.
    pub fn condition(&self, workspace: &mut Workspace, x: &View, y: &View) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::AnpF32(p), Scratch::AnpF32(s)) => p.condition(s, x, y),
            (Kind::AnpF64(p), Scratch::AnpF64(s)) => p.condition(s, x, y),
            (Kind::Gp(p), Scratch::Gp(s)) => p.condition(s, x, y, None),
            _ => foreign("neural process"),
        }
    }

    /// Gaussian processes: [`Plan::condition`] with noise variances of the points, `[points]` for all functions or [functions, points],
    /// beside the model's own; network units, which are raw ones where a channel has scale 1. Errors: also Noise for a value < 0.
    pub fn condition_noisy(&self, workspace: &mut Workspace, x: &View, y: &View, noise: &View) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::Gp(p), Scratch::Gp(s)) => p.condition(s, x, y, Some(noise)),
            _ => foreign("Gaussian process"),
        }
    }

    /// Gaussian processes: the posterior covariance at target points of the functions conditioned on (else of the stored points), and the
    /// means. Noise is not in it: it is that of the process, not of another measurement.
    ///
    /// Shapes: `x` as in [`Plan::query`], at most option covariance targets; `mean` as there; `covariance` [functions, outputs, targets,
    /// targets], symmetric bit for bit, its diagonal the variances of [`Plan::query`]; axes of extent 1 may be left out. Raw units
    /// squared. Results are written only on success. Allocates nothing.
    pub fn covariance(
        &self,
        workspace: &mut Workspace,
        x: &View,
        mean: Option<&mut ViewMut>,
        covariance: &mut ViewMut,
    ) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::Gp(p), Scratch::Gp(s)) => p.covariance(s, x, mean, covariance),
            _ => foreign("Gaussian process"),
        }
    }

    /// Gaussian processes: the largest variance that conditioning had to add to the diagonal of a kernel matrix so that it could be
    /// factored, as a part of the signal variance; 0: none.
    pub fn jitter(&self, workspace: &Workspace) -> Result<f64> {
        match (&self.0, &workspace.0) {
            (Kind::Gp(p), Scratch::Gp(s)) => p.jitter(s),
            _ => foreign("Gaussian process"),
        }
    }

    /// Neural processes: mean and log variance of each function's latent density, [functions, hidden], network units.
    pub fn latent(&self, workspace: &Workspace, mu: &mut ViewMut, log_variance: &mut ViewMut) -> Result<()> {
        match (&self.0, &workspace.0) {
            (Kind::AnpF32(p), Scratch::AnpF32(s)) => p.latent(s, mu, log_variance),
            (Kind::AnpF64(p), Scratch::AnpF64(s)) => p.latent(s, mu, log_variance),
            _ => foreign("neural process"),
        }
    }

    /// Neural and Gaussian processes: mean and variance at target points of the functions conditioned on; of a Gaussian process that is
    /// not conditioned and stores points, of those.
    ///
    /// Shapes: `x` [targets, dim_x] for all functions or [functions, targets, dim_x]; `eps` standard normal draws
    /// [latents, functions, hidden] or [latents, hidden] instead of the seeded ones; results [functions, targets, dim_y].
    /// Raw units; variance in their square. Results are written only on success.
    pub fn query(
        &self,
        workspace: &mut Workspace,
        x: &View,
        eps: Option<&View>,
        mean: &mut ViewMut,
        variance: Option<&mut ViewMut>,
    ) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::AnpF32(p), Scratch::AnpF32(s)) => p.query(s, x, eps, mean, variance),
            (Kind::AnpF64(p), Scratch::AnpF64(s)) => p.query(s, x, eps, mean, variance),
            (Kind::Gp(p), Scratch::Gp(s)) => p.query(s, x, eps, mean, variance),
            _ => foreign("neural process"),
        }
    }

    /// Neural operators and networks in ONNX: predicts fields from fields; without a grid values at points, each point a function.
    ///
    /// Shapes: `input` [functions, grid, inputs]; `output` [functions, grid, outputs], with option steps K > 1 [functions, K, grid,
    /// outputs]; axes of extent 1 may be left out. `values`: with boundary conditions for each face that has one an array
    /// [functions, (K,) grid without the face's axis, outputs], in the order of the faces. Raw units. In a roll-out the outputs become the
    /// newest input channels of the next step. Results are written only on success.
    pub fn predict(
        &self,
        workspace: &mut Workspace,
        input: &View,
        values: &[View],
        output: &mut ViewMut,
    ) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::FnoF32(p), Scratch::FnoF32(s)) => p.predict(s, input, values, output),
            (Kind::FnoF64(p), Scratch::FnoF64(s)) => p.predict(s, input, values, output),
            #[cfg(feature = "onnx")]
            (Kind::Onnx(p), Scratch::Onnx(s)) => p.predict(s, input, values, output),
            _ => foreign("neural operator"),
        }
    }

    /// [`Plan::predict`] as far as the scratch: the prediction for an array like `output`, rounded to its dtype, [functions, steps, grid,
    /// outputs]. `output` itself is not written.
    pub fn evaluate<'w>(
        &self,
        workspace: &'w mut Workspace,
        input: &View,
        values: &[View],
        output: &ViewMut,
    ) -> Result<View<'w>> {
        match (&self.0, &mut workspace.0) {
            (Kind::FnoF32(p), Scratch::FnoF32(s)) => p.evaluate(s, input, values, output),
            (Kind::FnoF64(p), Scratch::FnoF64(s)) => p.evaluate(s, input, values, output),
            #[cfg(feature = "onnx")]
            (Kind::Onnx(p), Scratch::Onnx(s)) => p.evaluate(s, input, values, output),
            _ => foreign("neural operator"),
        }
    }

    /// Neural operators: allocates all that derivatives need, and on the first call the plan's transposed weights. It takes a field for
    /// each block beside what [`Plan::workspace`] takes, so it is apart from that.
    ///
    /// Errors: State (a neural process; option steps > 1: roll-outs have no derivatives yet),
    /// OutOfMemory.
    pub fn derivative_workspace(&self) -> Result<DerivativeWorkspace> {
        Ok(DerivativeWorkspace(match &self.0 {
            Kind::FnoF32(p) => DerivativeScratch::F32(Box::new(p.derivative_scratch()?)),
            Kind::FnoF64(p) => DerivativeScratch::F64(Box::new(p.derivative_scratch()?)),
            #[cfg(feature = "onnx")]
            Kind::Onnx(_) => return fail!(State, "a network in ONNX has no derivatives, expected a neural operator"),
            _ => return fail!(State, "neural processes have no derivatives, expected a neural operator"),
        }))
    }

    /// Neural operators: the derivative of [`Plan::predict`] in a direction (jvp), at `input` and `values`.
    ///
    /// Shapes: `input` and `values` as there; `input_tangent` as `input` and `value_tangents` as `values`, absent ones count as 0;
    /// `output_tangent` [functions, grid, outputs]. Raw units, so the channels' scales enter and their offsets do not. Where an activation
    /// has a kink it is one of the one-sided derivatives. All that is evaluated is linearised: corrections and conditions of
    /// boundaries too, so that tangents of Dirichlet values arrive at their faces as they are.
    ///
    /// Errors: as [`Plan::predict`]; NonFinite also for tangents, and where the derivative overflows; Mismatch for a workspace of another
    /// plan. `output_tangent` is written only on success. Allocates nothing.
    pub fn jvp(
        &self,
        workspace: &mut DerivativeWorkspace,
        input: &View,
        values: &[View],
        input_tangent: Option<&View>,
        value_tangents: Option<&[View]>,
        output_tangent: &mut ViewMut,
    ) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::FnoF32(p), DerivativeScratch::F32(s)) => {
                p.jvp(s, input, values, input_tangent, value_tangents, output_tangent)
            }
            (Kind::FnoF64(p), DerivativeScratch::F64(s)) => {
                p.jvp(s, input, values, input_tangent, value_tangents, output_tangent)
            }
            _ => foreign("neural operator"),
        }
    }

    /// Neural operators: from cotangents of the output to those of the input and of the boundary values (vjp), at `input` and `values`:
    /// the transpose of [`Plan::jvp`], the gradient of whatever depends on the prediction.
    ///
    /// Shapes: `output_cotangent` [functions, grid, outputs]; `input_cotangent` as `input` and `value_cotangents` as `values`; absent ones
    /// are not asked for. Raw units. Cotangents that are written lie apart from each other.
    ///
    /// Errors: as [`Plan::jvp`]; Stride for overlapping results. Results are written only on success. Allocates nothing.
    pub fn vjp(
        &self,
        workspace: &mut DerivativeWorkspace,
        input: &View,
        values: &[View],
        output_cotangent: &View,
        input_cotangent: Option<&mut ViewMut>,
        value_cotangents: Option<&mut [ViewMut]>,
    ) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::FnoF32(p), DerivativeScratch::F32(s)) => {
                p.vjp(s, input, values, output_cotangent, input_cotangent, value_cotangents)
            }
            (Kind::FnoF64(p), DerivativeScratch::F64(s)) => {
                p.vjp(s, input, values, output_cotangent, input_cotangent, value_cotangents)
            }
            _ => foreign("neural operator"),
        }
    }

    /// Kernel matrices of boundary corrections that were singular or nearly so and had to be regularised; 0 without any.
    pub fn regularised(&self) -> usize {
        match &self.0 {
            Kind::FnoF32(p) => p.regularised(),
            Kind::FnoF64(p) => p.regularised(),
            _ => 0,
        }
    }
}

fn foreign<T>(kind: &str) -> Result<T> {
    fail!(Mismatch, "the plan is of no {kind}, or the workspace belongs to another plan")
}
