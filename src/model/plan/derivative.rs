//! Derivatives of plans, which neural operators have.

use super::{Kind, Plan, foreign};
use crate::error::{Result, fail};
use crate::kernels::strided::{View, ViewMut};
use crate::model::fno;

/// The scratch of one plan's derivatives, for one thread at a time.
pub struct DerivativeWorkspace(DerivativeScratch);

enum DerivativeScratch {
    F32(Box<fno::DerivativeScratch<f32>>),
    F64(Box<fno::DerivativeScratch<f64>>),
}

impl Plan {
    /// Neural operators: allocates all that derivatives need, and on the first call the plan's transposed weights. It takes a field for
    /// each block beside what [`Plan::workspace`] takes, so it is apart from that; of a roll-out also the input of each step, and no more:
    /// what a step needs beside is found again. Derivatives go through matrices on all axes, whatever option transforms; a plan of
    /// fast Fourier transforms gets them here, six times as many values as points times twice the modes.
    ///
    /// Errors: State (another model than a single neural operator), OutOfMemory.
    pub fn derivative_workspace(&self) -> Result<DerivativeWorkspace> {
        Ok(DerivativeWorkspace(match &self.0 {
            Kind::FnoF32(p) => DerivativeScratch::F32(Box::new(p.derivative_scratch()?)),
            Kind::FnoF64(p) => DerivativeScratch::F64(Box::new(p.derivative_scratch()?)),
            #[cfg(feature = "onnx")]
            Kind::Onnx(_) => return fail!(State, "a network in ONNX has no derivatives, expected a neural operator"),
            other => {
                let kind = match other {
                    Kind::AnpF32(_) | Kind::AnpF64(_) => "a neural process",
                    Kind::Gp(_) => "a Gaussian process",
                    Kind::MlpF32(_) | Kind::MlpF64(_) => "a perceptron",
                    Kind::DeepOnetF32(_) | Kind::DeepOnetF64(_) => "a DeepONet",
                    _ => "an ensemble",
                };
                return fail!(State, "{kind} has no derivatives, expected a single neural operator");
            }
        }))
    }

    /// Neural operators: the derivative of [`Plan::predict`] in a direction (jvp), at `input` and `values`.
    ///
    /// Shapes: `input` and `values` as there; `input_tangent` as `input` and `value_tangents` as `values`, absent ones count as 0;
    /// `output_tangent` [functions, grid, outputs], with option steps K > 1 [functions, K, grid, outputs]. Raw units, so the channels' scales enter and their offsets do not. Where an activation
    /// has a kink it is one of the one-sided derivatives. All that is evaluated is linearised: corrections and conditions of
    /// boundaries too, so that tangents of Dirichlet values arrive at their faces as they are. A roll-out is linearised at the states that
    /// it takes into f64 arrays; it costs an evaluation for each step more.
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
    /// Shapes: `output_cotangent` [functions, (steps,) grid, outputs]; `input_cotangent` as `input` and `value_cotangents` as `values`; absent ones
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
}
