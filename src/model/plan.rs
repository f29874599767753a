//! A model bound to sizes, arithmetic and sampling: it owns packed weights, tables and the size of the scratch.

mod derivative;

pub use derivative::DerivativeWorkspace;

use super::Model;
use super::anp::{self, Anp};
use super::deeponet::{self, DeepOnet};
use super::description::Architecture;
use super::dropout::Draw;
use super::ensemble::{self, Ensemble};
use super::fields::{self, Fields, Source};
use super::fno::{self, Fno};
use super::gp::{self, Gp};
use super::mlp::{self, Mlp};
#[cfg(feature = "onnx")]
use super::onnx::{self, Onnx};
use super::options::{MOST_THREADS, Options, check_draws};
use crate::error::{Result, fail};
use crate::field::{Dtype, Layout};
use crate::kernels::strided::{View, ViewMut};

/// An immutable plan. The model it was made from may go.
pub struct Plan(Kind);

enum Kind {
    AnpF32(Box<Anp<f32>>),
    AnpF64(Box<Anp<f64>>),
    FnoF32(Box<Fno<f32>>),
    FnoF64(Box<Fno<f64>>),
    Gp(Box<Gp>),
    MlpF32(Box<Mlp<f32>>),
    MlpF64(Box<Mlp<f64>>),
    DeepOnetF32(Box<DeepOnet<f32>>),
    DeepOnetF64(Box<DeepOnet<f64>>),
    Ensemble(Box<Ensemble>),
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
    MlpF32(Box<mlp::Scratch<f32>>),
    MlpF64(Box<mlp::Scratch<f64>>),
    DeepOnetF32(Box<deeponet::Scratch<f32>>),
    DeepOnetF64(Box<deeponet::Scratch<f64>>),
    Ensemble(Box<ensemble::Scratch>),
    #[cfg(feature = "onnx")]
    Onnx(Box<onnx::Scratch>),
}

/// A match of a plan and a scratch: an arm for kinds that do alike, whose evaluator and scratch get names, and then others.
macro_rules! matched {
    ($plan:expr, $scratch:expr; $($($kind:ident)|+ as $p:ident, $s:ident => $body:expr;)+ { $($other:tt)* }) => {
        match ($plan, $scratch) {
            $($((Kind::$kind($p), Scratch::$kind($s)) => $body,)+)+
            $($other)*
        }
    };
}

impl Plan {
    /// Binds a model to sizes; `arithmetic` is the type in which the network is evaluated, whatever the arrays' dtypes.
    ///
    /// Errors: InvalidArgument (an option that the model needs is not set, or one does not fit it), Dtype (a Gaussian process in f32), Shape
    /// (a grid with too few points for the modes or a stencil), State (boundary conditions of a model without any, fast transforms of one
    /// with; a network in ONNX without cargo feature onnx), Mismatch (other faces or kinds than the model's), Singular (a stencil, or the
    /// kernel matrix of the points that a Gaussian process stores), Contradiction (two values at one of these without noise), NonFinite
    /// (they overflow), Weights (an ONNX file that is damaged or can't be evaluated), FileDescription (one that is not as described),
    /// TooLarge, OutOfMemory.
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
        if !model.members().is_empty() {
            return Ok(Plan(Kind::Ensemble(Box::new(Ensemble::new(model, arithmetic, options)?))));
        }
        if ensemble::draws_weights(model.description().architecture) && check_draws(model, options)? {
            return Ok(Plan(Kind::Ensemble(Box::new(Ensemble::draws(model, arithmetic, options)?))));
        }
        Self::single(model, arithmetic, options, None)
    }

    /// The plan of a single model, or of a draw of its weights; the options have been checked.
    pub(super) fn single(model: &Model, arithmetic: Dtype, options: &Options, draw: Option<Draw>) -> Result<Plan> {
        Ok(Plan(match (model.description().architecture, arithmetic) {
            (Architecture::Fno, Dtype::F32) => Kind::FnoF32(Box::new(Fno::new(model, options)?)),
            (Architecture::Fno, Dtype::F64) => Kind::FnoF64(Box::new(Fno::new(model, options)?)),
            (Architecture::Anp, Dtype::F32) => Kind::AnpF32(Box::new(Anp::new(model, options)?)),
            (Architecture::Anp, Dtype::F64) => Kind::AnpF64(Box::new(Anp::new(model, options)?)),
            (Architecture::Mlp, Dtype::F32) => Kind::MlpF32(Box::new(Mlp::new(model, options, draw)?)),
            (Architecture::Mlp, Dtype::F64) => Kind::MlpF64(Box::new(Mlp::new(model, options, draw)?)),
            (Architecture::DeepOnet, Dtype::F32) => Kind::DeepOnetF32(Box::new(DeepOnet::new(model, options, draw)?)),
            (Architecture::DeepOnet, Dtype::F64) => Kind::DeepOnetF64(Box::new(DeepOnet::new(model, options, draw)?)),
            (Architecture::Gp, Dtype::F64) => Kind::Gp(Box::new(Gp::new(model, options)?)),
            (Architecture::Gp, Dtype::F32) => {
                return fail!(
                    Dtype,
                    "a Gaussian process is evaluated in f64, expected a plan of that dtype; arrays may be f32"
                );
            }
            #[cfg(feature = "onnx")]
            (Architecture::Onnx, _) => Kind::Onnx(Box::new(Onnx::new(model, arithmetic, options)?)),
            #[cfg(not(feature = "onnx"))]
            (Architecture::Onnx, _) => {
                return fail!(
                    State,
                    "the model is a network in ONNX, but this library was built without cargo feature onnx, which evaluates it"
                );
            }
        }))
    }

    /// Allocates all that a call needs.
    ///
    /// Errors: OutOfMemory.
    pub fn workspace(&self) -> Result<Workspace> {
        Ok(Workspace(match &self.0 {
            Kind::AnpF32(p) => Scratch::AnpF32(Box::new(p.scratch()?)),
            Kind::AnpF64(p) => Scratch::AnpF64(Box::new(p.scratch()?)),
            Kind::FnoF32(p) => Scratch::FnoF32(Box::new(p.scratch()?)),
            Kind::FnoF64(p) => Scratch::FnoF64(Box::new(p.scratch()?)),
            Kind::Gp(p) => Scratch::Gp(Box::new(p.scratch()?)),
            Kind::MlpF32(p) => Scratch::MlpF32(Box::new(p.scratch()?)),
            Kind::MlpF64(p) => Scratch::MlpF64(Box::new(p.scratch()?)),
            Kind::DeepOnetF32(p) => Scratch::DeepOnetF32(Box::new(p.scratch()?)),
            Kind::DeepOnetF64(p) => Scratch::DeepOnetF64(Box::new(p.scratch()?)),
            Kind::Ensemble(p) => Scratch::Ensemble(Box::new(p.scratch()?)),
            #[cfg(feature = "onnx")]
            Kind::Onnx(p) => Scratch::Onnx(Box::new(p.scratch()?)),
        }))
    }

    /// Whether predictions come with a variance: those of processes, of networks with a variance head, and of ensembles.
    pub fn has_variance(&self) -> bool {
        match &self.0 {
            Kind::AnpF32(_) | Kind::AnpF64(_) | Kind::Gp(_) | Kind::Ensemble(_) => true,
            Kind::MlpF32(p) => p.has_variance(),
            Kind::MlpF64(p) => p.has_variance(),
            Kind::FnoF32(_) | Kind::FnoF64(_) | Kind::DeepOnetF32(_) | Kind::DeepOnetF64(_) => false,
            #[cfg(feature = "onnx")]
            Kind::Onnx(_) => false,
        }
    }

    /// Whether the plan is of DeepONets: conditioned on values at sensors that the model knows.
    pub fn has_sensors(&self) -> bool {
        match &self.0 {
            Kind::DeepOnetF32(_) | Kind::DeepOnetF64(_) => true,
            Kind::Ensemble(p) => p.members()[0].has_sensors(),
            _ => false,
        }
    }

    /// Members of an ensemble, or draws of dropout, one of which is a row of [`Plan::predict_factors`]; 0 of a single model.
    pub fn members(&self) -> usize {
        if let Kind::Ensemble(p) = &self.0 { p.members().len() } else { 0 }
    }

    /// Most values of a prediction.
    pub(super) fn room(&self) -> usize {
        match &self.0 {
            Kind::AnpF32(p) => p.room(),
            Kind::AnpF64(p) => p.room(),
            Kind::FnoF32(p) => p.room(),
            Kind::FnoF64(p) => p.room(),
            Kind::Gp(p) => p.room(),
            Kind::MlpF32(p) => p.room(),
            Kind::MlpF64(p) => p.room(),
            Kind::DeepOnetF32(p) => p.room(),
            Kind::DeepOnetF64(p) => p.room(),
            #[cfg(feature = "onnx")]
            Kind::Onnx(p) => p.room(),
            Kind::Ensemble(p) => p.room(),
        }
    }

    /// Values of one function in a prediction by [`Plan::predict`].
    fn cells(&self) -> Result<usize> {
        match &self.0 {
            Kind::FnoF32(p) => Ok(p.cells()),
            Kind::FnoF64(p) => Ok(p.cells()),
            Kind::MlpF32(p) => Ok(p.cells()),
            Kind::MlpF64(p) => Ok(p.cells()),
            #[cfg(feature = "onnx")]
            Kind::Onnx(p) => Ok(p.cells()),
            Kind::Ensemble(p) => p.members()[0].cells(),
            _ => foreign("neural operator or perceptron"),
        }
    }

    /// Neural and Gaussian processes: encodes the context points of one or more functions into the workspace, which later queries use.
    ///
    /// Shapes: `x` [functions, points, dim_x], `y` [functions, points, dim_y]; axes of extent 1 may be left out. Raw units.
    /// After an error the workspace is conditioned as before, except after an overflow in the network (`NonFinite`) or a
    /// kernel matrix that can't be factored (`Singular`, `Contradiction`), which leaves it unconditioned.
    pub fn condition(&self, workspace: &mut Workspace, x: &View, y: &View) -> Result<()> {
        matched! { &self.0, &mut workspace.0;
            AnpF32 | AnpF64 as p, s => p.condition(s, x, y);
            Gp as p, s => p.condition(s, x, y, None);
            Ensemble as p, s => p.condition(s, |plan, w| plan.condition(w, x, y));
            { _ => foreign("neural process, Gaussian process or DeepONet") }
        }
    }

    /// DeepONets: encodes one or more input functions into the workspace, which later queries use: their values at the model's sensors, `values`
    /// [functions, sensors, channels], axes of extent 1 may be left out. Raw units. After an error as with [`Plan::condition`].
    pub fn condition_on_sensors(&self, workspace: &mut Workspace, values: &View) -> Result<()> {
        matched! { &self.0, &mut workspace.0;
            DeepOnetF32 | DeepOnetF64 as p, s => p.condition(s, values);
            Ensemble as p, s => p.condition(s, |plan, workspace| plan.condition_on_sensors(workspace, values));
            { _ => foreign("DeepONet") }
        }
    }

    /// Gaussian processes: [`Plan::condition`] with noise variances of the points, `[points]` for all functions or [functions, points],
    /// beside the model's own; network units, which are raw ones where a channel has scale 1. Errors: also Noise for a value < 0.
    pub fn condition_noisy(&self, workspace: &mut Workspace, x: &View, y: &View, noise: &View) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::Gp(p), Scratch::Gp(s)) => p.condition(s, x, y, Some(noise)),
            (Kind::Ensemble(p), Scratch::Ensemble(s)) => {
                p.condition(s, |plan, workspace| plan.condition_noisy(workspace, x, y, noise))
            }
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
        matched! { &self.0, &workspace.0;
            AnpF32 | AnpF64 as p, s => p.latent(s, mu, log_variance);
            { _ => foreign("neural process") }
        }
    }

    /// Neural and Gaussian processes and DeepONets: mean and variance at target points of the functions conditioned on; of a Gaussian process
    /// that is not conditioned and stores points, of those.
    ///
    /// Shapes: `x` [targets, dim_x] for all functions or [functions, targets, dim_x]; `eps`, of neural processes, standard normal draws
    /// [latents, functions, hidden] or [latents, hidden] instead of the seeded ones; results [functions, targets, dim_y].
    /// Raw units; variance in their square, and none of a single DeepONet. Results are written only on success.
    ///
    /// Errors: State (not conditioned), Shape, Stride (mean and variance overlap), NonFinite (arrays, an overflow of the network or of the
    /// results' storage), InvalidArgument (`eps` where no latent is drawn, a value whose logarithm is read and does not exist), Mismatch
    /// (a plan of another kind, the workspace of another plan, the variance of a single DeepONet).
    pub fn query(
        &self,
        workspace: &mut Workspace,
        x: &View,
        eps: Option<&View>,
        mean: &mut ViewMut,
        variance: Option<&mut ViewMut>,
    ) -> Result<()> {
        matched! { &self.0, &mut workspace.0;
            AnpF32 | AnpF64 | Gp as p, s => p.query(s, x, eps, mean, variance);
            DeepOnetF32 | DeepOnetF64 as p, s => refuse_variance(eps, variance).and_then(|()| p.query(s, x, mean));
            Ensemble as p, s => {
                p.moments(s, |plan, workspace, mean, v| plan.query(workspace, x, eps, mean, v), mean, variance)
            };
            { _ => foreign("neural process, Gaussian process or DeepONet") }
        }
    }

    /// Ensembles of processes or DeepONets: mean of the members' mixture and its covariance in factors, as [`Plan::predict_factors`] has them, at
    /// target points as in [`Plan::query`]: `low_rank` [functions, 1 + members, targets, outputs].
    pub fn query_factors(
        &self,
        workspace: &mut Workspace,
        x: &View,
        eps: Option<&View>,
        mean: &mut ViewMut,
        low_rank: &mut ViewMut,
    ) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::Ensemble(p), Scratch::Ensemble(s)) => {
                let functions = p.members()[0].functions(&s.workspaces[0])?;
                let cells = mean.layout().len() / functions;
                if cells == 0 {
                    let shape = mean.layout().shape();
                    return fail!(Shape, "mean has shape {shape:?}, expected values of {functions} functions");
                }
                p.factors(s, |plan, w, mean, v| plan.query(w, x, eps, mean, v), mean, low_rank, cells)
            }
            _ => foreign("ensemble"),
        }
    }

    /// Functions that a workspace is conditioned on.
    fn functions(&self, workspace: &Workspace) -> Result<usize> {
        let functions = matched! { &self.0, &workspace.0;
            AnpF32 | AnpF64 | Gp | DeepOnetF32 | DeepOnetF64 as _p, s => s.functions;
            Ensemble as p, s => return p.members()[0].functions(&s.workspaces[0]);
            { _ => return foreign("neural process, Gaussian process or DeepONet") }
        };
        // The functions that a model stores, where it is not conditioned, are one.
        Ok(functions.max(1))
    }

    /// Neural operators and networks in ONNX: predicts fields from fields; where such a network has no grid, values at points, each point a
    /// function. Multilayer perceptrons: predicts rows of outputs from rows of inputs. Ensembles of any of these: the mean of their members.
    ///
    /// Shapes of a perceptron: `input` [.., inputs] and `output` [.., outputs], any axes before the channels, together at most option batch rows; no
    /// `values`. Of an operator: `input` [functions, grid, inputs]; `output` [functions, grid, outputs], with option steps K > 1 [functions, K, grid,
    /// outputs]; axes of extent 1 may be left out. `values`: with boundary conditions for each face that has one an array
    /// [functions, (K,) grid without the face's axis, outputs], in the order of the faces. Raw units. In a roll-out the outputs become the
    /// newest input channels of the next step. Results are written only on success.
    ///
    /// Errors: Shape, NonFinite (arrays, an overflow of the network or of the output's storage), InvalidArgument (a value whose logarithm is
    /// read and does not exist), Mismatch (number of `values`, a plan of another kind, the workspace of another plan), Panic (the
    /// evaluation of a network in ONNX fails).
    pub fn predict(
        &self,
        workspace: &mut Workspace,
        input: &View,
        values: &[View],
        output: &mut ViewMut,
    ) -> Result<()> {
        self.predict_from(workspace, &Source::one(input), values, output)
    }

    fn predict_from(
        &self,
        workspace: &mut Workspace,
        input: &Source,
        values: &[View],
        output: &mut ViewMut,
    ) -> Result<()> {
        matched! { &self.0, &mut workspace.0;
            FnoF32 | FnoF64 as p, s => p.predict(s, input, values, output);
            MlpF32 | MlpF64 as p, s => refuse_values(values).and_then(|()| p.predict(s, input, output, None));
            Ensemble as p, s => {
                p.moments(s, |plan, workspace, mean, _| plan.predict_from(workspace, input, values, mean), output, None)
            };
            {
                #[cfg(feature = "onnx")]
                (Kind::Onnx(p), Scratch::Onnx(s)) => p.predict(s, input, values, output),
                _ => foreign("neural operator or perceptron"),
            }
        }
    }

    /// [`Plan::predict`] from and to several fields whose channels follow one another, such as a host's temperature, humidity and winds: each [.., channels]
    /// of its own, or [..] for a single channel; the axes before the channels are the same in all, and those of [`Plan::predict`]. Any
    /// dtypes and strides of the inputs, one dtype of the outputs, which lie apart from each other and may share memory with the inputs.
    ///
    /// Errors: as [`Plan::predict`]; Shape where the fields have not the model's channels together; Dtype; Stride.
    pub fn predict_fields(
        &self,
        workspace: &mut Workspace,
        inputs: &[View],
        values: &[View],
        outputs: &mut [ViewMut],
    ) -> Result<()> {
        let (taken, given) = self.channels()?;
        let input = Source::Several(Fields::new(inputs, taken)?);
        let (layout, dtype) = fields::joined_outputs(outputs, given)?;
        let prediction = self.evaluate_as(workspace, &input, values, &layout, dtype)?.merged();
        let rows = prediction.as_slice(0, layout.len()).expect("a prediction without gaps");
        fields::write(rows, given, outputs);
        Ok(())
    }

    /// Channels that [`Plan::predict`] reads and writes.
    fn channels(&self) -> Result<(usize, usize)> {
        match &self.0 {
            Kind::FnoF32(p) => Ok(p.channels()),
            Kind::FnoF64(p) => Ok(p.channels()),
            Kind::MlpF32(p) => Ok(p.channels()),
            Kind::MlpF64(p) => Ok(p.channels()),
            #[cfg(feature = "onnx")]
            Kind::Onnx(p) => Ok(p.channels()),
            Kind::Ensemble(p) => p.members()[0].channels(),
            _ => foreign("neural operator or perceptron"),
        }
    }

    /// Networks with a variance head and ensembles: mean and variance of what [`Plan::predict`] predicts; of an ensemble those of its members'
    /// mixture (the law of total variance). `variance` has the shape of `mean`; raw units squared. Others: Mismatch.
    pub fn predict_moments(
        &self,
        workspace: &mut Workspace,
        input: &View,
        values: &[View],
        mean: &mut ViewMut,
        variance: &mut ViewMut,
    ) -> Result<()> {
        self.moments(workspace, &Source::one(input), values, mean, Some(variance))
    }

    fn moments(
        &self,
        workspace: &mut Workspace,
        input: &Source,
        values: &[View],
        mean: &mut ViewMut,
        variance: Option<&mut ViewMut>,
    ) -> Result<()> {
        matched! { &self.0, &mut workspace.0;
            MlpF32 | MlpF64 as p, s => refuse_values(values).and_then(|()| p.predict(s, input, mean, variance));
            Ensemble as p, s => p.moments(s, |plan, w, mean, v| plan.moments(w, input, values, mean, v), mean, variance);
            {
                _ if variance.is_none() => self.predict_from(workspace, input, values, mean),
                _ => {
                    fail!(Mismatch, "the model gives no variances, expected a network with a variance head or an ensemble")
                }
            }
        }
    }

    /// Ensembles: mean of the members' mixture, and its covariance diag(d) + F'F in factors: `low_rank` [functions, 1 + members, cells], d first,
    /// the mean of the members' variances (0 where they have none), then their scaled departures from the mean. It is what
    /// [`crate::constraint::Prior::LowRank`] of size [`Plan::members`] takes; cells are the values of a function (of a perceptron: of a row)
    /// in the order of `mean`, as one axis or as many as that has. Results lie apart, and are written only on success.
    pub fn predict_factors(
        &self,
        workspace: &mut Workspace,
        input: &View,
        values: &[View],
        mean: &mut ViewMut,
        low_rank: &mut ViewMut,
    ) -> Result<()> {
        match (&self.0, &mut workspace.0) {
            (Kind::Ensemble(p), Scratch::Ensemble(s)) => {
                let (input, cells) = (&Source::one(input), self.cells()?);
                p.factors(s, |plan, w, mean, v| plan.moments(w, input, values, mean, v), mean, low_rank, cells)
            }
            _ => foreign("ensemble"),
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
        self.evaluate_as(workspace, &Source::one(input), values, output.layout(), output.dtype())
    }

    fn evaluate_as<'w>(
        &self,
        workspace: &'w mut Workspace,
        input: &Source,
        values: &[View],
        output: &Layout,
        dtype: Dtype,
    ) -> Result<View<'w>> {
        matched! { &self.0, &mut workspace.0;
            FnoF32 | FnoF64 as p, s => p.evaluate(s, input, values, output, dtype);
            MlpF32 | MlpF64 as p, s => refuse_values(values).and_then(|()| p.evaluate(s, input, output, dtype));
            Ensemble as p, s => {
                let cells = self.cells()?;
                let evaluate = |plan: &Plan, w: &mut Workspace, mean: &mut ViewMut, _: Option<&mut ViewMut>| {
                    plan.predict_from(w, input, values, mean)
                };
                p.mean(s, evaluate, output, dtype, cells)
            };
            {
                #[cfg(feature = "onnx")]
                (Kind::Onnx(p), Scratch::Onnx(s)) => p.evaluate(s, input, values, output, dtype),
                _ => foreign("neural operator or perceptron"),
            }
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

/// Boundary values are those of operators.
fn refuse_values(values: &[View]) -> Result<()> {
    match values.len() {
        0 => Ok(()),
        count => fail!(Mismatch, "{count} arrays of boundary values, expected none of a perceptron"),
    }
}

/// What a DeepONet does not have.
fn refuse_variance(eps: Option<&View>, variance: Option<&mut ViewMut>) -> Result<()> {
    if eps.is_some() {
        return fail!(InvalidArgument, "eps is given, but a DeepONet has no latents");
    }
    if variance.is_some() {
        return fail!(Mismatch, "variance is given, but a DeepONet has none, expected NULL or an ensemble");
    }
    Ok(())
}

fn foreign<T>(kind: &str) -> Result<T> {
    fail!(Mismatch, "the plan is of no {kind}, or the workspace belongs to another plan")
}
