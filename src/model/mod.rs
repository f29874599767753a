//! What predicts: the model file, the architectures (one room each), and a plan that binds a model to sizes and arithmetic.

pub mod anp;
mod arrays;
pub mod file;
pub mod plan;

use std::path::Path;

use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::strided::{View, ViewMut};

pub use file::{Channel, Description};
pub use plan::{Options, Plan, Workspace};

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

    /// Predicts the stored inputs in f64 and compares with the stored outputs, relative to the largest of them.
    fn selftest(&self, tensors: &file::Tensors) -> Result<()> {
        let get = |name: &str, rank: usize| match tensors.get(name) {
            Some(t) if t.shape.len() == rank && t.shape.iter().all(|n| *n > 0) => Ok((t.to_f64(), t.shape.clone())),
            Some(t) => fail!(FileDescription, "tensor {name} has shape {:?}, expected rank {rank}", t.shape),
            None => fail!(FileDescription, "tensor {name} is missing: a model file carries its self-test"),
        };
        let (context_x, cx) = get("selftest.context_x", 3)?;
        let (context_y, cy) = get("selftest.context_y", 3)?;
        let (target_x, tx) = get("selftest.target_x", 3)?;
        let (mean, m) = get("selftest.mean", 3)?;
        let (variance, v) = get("selftest.variance", 3)?;
        let options = Options { batch: cx[0], context: Some(cx[1]), targets: Some(tx[1]), ..Options::default() };
        let plan = Plan::new(self, Dtype::F64, &options)?;
        let mut workspace = plan.workspace()?;
        let (mut mean_here, mut variance_here) = (vec![0.0; mean.len()], vec![0.0; variance.len()]);
        plan.condition(
            &mut workspace,
            &View::new("selftest.context_x", &context_x, &cx)?,
            &View::new("selftest.context_y", &context_y, &cy)?,
        )?;
        plan.query(
            &mut workspace,
            &View::new("selftest.target_x", &target_x, &tx)?,
            None,
            &mut ViewMut::new("selftest.mean", &mut mean_here, &m)?,
            Some(&mut ViewMut::new("selftest.variance", &mut variance_here, &v)?),
        )?;
        let tolerance = self.description.selftest.tolerance;
        for (name, here, stored) in [("mean", mean_here, mean), ("variance", variance_here, variance)] {
            let size = stored.iter().fold(0f64, |a, b| a.max(b.abs()));
            let apart = here.iter().zip(&stored).fold(0f64, |a, (x, y)| a.max((x - y).abs()));
            if apart > tolerance * size {
                return fail!(
                    SelfTest,
                    "the model gives another {name} than its self-test: {apart:e} apart, expected at most {tolerance:e} of {size:e}"
                );
            }
        }
        Ok(())
    }
}
