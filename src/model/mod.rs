//! What predicts: the model file, the architectures (one room each), and a plan that binds a model to sizes and arithmetic.

pub mod anp;
mod arrays;
pub mod boundary;
mod dense;
pub mod file;
pub mod fno;
pub mod gp;
pub mod onnx;
pub mod plan;

use std::path::Path;

use crate::error::{Error, Result, Status, fail};
use crate::field::Dtype;
use crate::kernels::strided::{View, ViewMut};

pub use file::{Channel, Description};
pub use fno::{OperatorPart, OperatorScratch};
pub use plan::{DerivativeWorkspace, Options, Plan, Workspace};

use file::{Contents, Tensor};

/// A checked model: its description and weights, immutable. Loading it ran its self-test.
pub struct Model {
    description: Description,
    text: String,
    tensors: file::Tensors,
}

impl Model {
    /// Reads a model file.
    pub fn load(path: &Path) -> Result<Model> {
        Self::from_bytes(&file::read(path)?)
    }

    /// Reads a model from the bytes of a file; they are not kept. Sizes are checked against the bytes before anything is
    /// allocated, every number is checked, and the outputs stored with the model must be reproduced.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        let Contents { description, text, tensors, selftest } = file::parse(bytes)?;
        let model = Model { description, text, tensors };
        model.selftest(&selftest)?;
        Ok(model)
    }

    /// As [`Model::from_bytes`], but without the self-test: for tools that write model files and have its outputs still to find.
    pub fn from_bytes_untested(bytes: &[u8]) -> Result<Model> {
        let Contents { description, text, tensors, .. } = file::parse(bytes)?;
        Ok(Model { description, text, tensors })
    }

    /// A model without weights, from its description alone.
    fn from_description(value: serde_json::Value) -> Result<Model> {
        let text = value.to_string();
        let description: Description =
            serde_json::from_value(value).map_err(|e| Error::new(Status::FileDescription, e.to_string()))?;
        file::check_description(&description)?;
        Ok(Model { description, text, tensors: file::Tensors::new() })
    }

    /// What the file says of the model.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The description as it stands in the file: JSON.
    pub fn description_text(&self) -> &str {
        &self.text
    }

    pub(crate) fn tensor(&self, name: &str) -> &Tensor {
        &self.tensors[name]
    }

    /// Predicts the stored inputs in f64, or the type of a network in ONNX, and compares with the stored outputs, relative to the largest of them.
    fn selftest(&self, tensors: &file::Tensors) -> Result<()> {
        let get = |name: &str| match tensors.get(&format!("selftest.{name}")) {
            Some(t) if t.shape.iter().all(|n| *n > 0) => Ok((t.to_f64(), t.shape.clone())),
            Some(t) => {
                fail!(FileDescription, "tensor selftest.{name} has shape {:?}, expected no extent of 0", t.shape)
            }
            None => fail!(FileDescription, "tensor selftest.{name} is missing: a model file carries its self-test"),
        };
        match self.description.architecture {
            file::Architecture::Anp | file::Architecture::Gp => self.selftest_process(get),
            file::Architecture::Fno | file::Architecture::Onnx => self.selftest_operator(get),
        }
    }

    fn selftest_process(&self, get: impl Fn(&str) -> Result<Stored>) -> Result<()> {
        let get = |name: &str| match get(name)? {
            (_, shape) if shape.len() != 3 => {
                fail!(FileDescription, "tensor selftest.{name} has shape {shape:?}, expected rank 3")
            }
            stored => Ok(stored),
        };
        // A process with points of its own is queried as it is.
        let stored = self.description.gp.as_ref().is_some_and(|numbers| numbers.points > 0);
        let context = if stored { None } else { Some((get("context_x")?, get("context_y")?)) };
        let (target_x, tx) = get("target_x")?;
        let (mean, m) = get("mean")?;
        let (variance, v) = get("variance")?;
        let (batch, points) = context.as_ref().map_or((1, None), |((_, shape), _)| (shape[0], Some(shape[1])));
        let options = Options { batch, context: points, targets: Some(tx[1]), ..Options::default() };
        let plan = Plan::new(self, Dtype::F64, &options)?;
        let mut workspace = plan.workspace()?;
        let (mut mean_here, mut variance_here) = (vec![0.0; mean.len()], vec![0.0; variance.len()]);
        if let Some(((context_x, cx), (context_y, cy))) = &context {
            plan.condition(
                &mut workspace,
                &View::new("selftest.context_x", context_x, cx)?,
                &View::new("selftest.context_y", context_y, cy)?,
            )?;
        }
        plan.query(
            &mut workspace,
            &View::new("selftest.target_x", &target_x, &tx)?,
            None,
            &mut ViewMut::new("selftest.mean", &mut mean_here, &m)?,
            Some(&mut ViewMut::new("selftest.variance", &mut variance_here, &v)?),
        )?;
        self.compare("mean", &mean_here, &mean)?;
        self.compare("variance", &variance_here, &variance)
    }

    fn selftest_operator(&self, get: impl Fn(&str) -> Result<Stored>) -> Result<()> {
        let (axes, arithmetic) = match &self.description.onnx {
            Some(numbers) => (numbers.axes, numbers.dtype.into()),
            None => (self.description.fno.as_ref().map_or(0, |numbers| numbers.axes()), Dtype::F64),
        };
        let (input, shape) = get("input")?;
        if shape.len() != axes + 2 {
            return fail!(FileDescription, "tensor selftest.input has shape {shape:?}, expected rank {}", axes + 2);
        }
        let (output, out) = get("output")?;
        let faces = self.description.boon.iter().flat_map(|boon| &boon.faces).enumerate();
        let stored: Result<Vec<Stored>> =
            faces.filter(|(_, face)| face.has_value()).map(|(f, _)| get(&format!("face.{f}"))).collect();
        let stored = stored?;
        let options = Options { batch: shape[0], shape: Some(shape[1..=axes].to_vec()), ..Options::default() };
        let plan = Plan::new(self, arithmetic, &options)?;
        let values: Result<Vec<View>> =
            stored.iter().map(|(values, shape)| View::new("selftest.face", values, shape)).collect();
        let mut here = vec![0.0; output.len()];
        plan.predict(
            &mut plan.workspace()?,
            &View::new("selftest.input", &input, &shape)?,
            &values?,
            &mut ViewMut::new("selftest.output", &mut here, &out)?,
        )?;
        self.compare("output", &here, &output)
    }

    fn compare(&self, name: &str, here: &[f64], stored: &[f64]) -> Result<()> {
        let tolerance = self.description.selftest.tolerance;
        let size = stored.iter().fold(0f64, |a, b| a.max(b.abs()));
        let apart = here.iter().zip(stored).fold(0f64, |a, (x, y)| a.max((x - y).abs()));
        if apart > tolerance * size {
            return fail!(
                SelfTest,
                "the model gives another {name} than its self-test: {apart:e} apart, expected at most {tolerance:e} of {size:e}"
            );
        }
        Ok(())
    }
}

/// Values and shape of a stored array.
type Stored = (Vec<f64>, Vec<usize>);
