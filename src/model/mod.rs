//! What predicts: the model file, the architectures (one room each), and a plan that binds a model to sizes and arithmetic.

pub mod anp;
mod arrays;
pub mod boundary;
mod cost;
pub mod deeponet;
mod dense;
pub mod description;
mod dropout;
mod ensemble;
mod fields;
mod file;
pub mod fno;
pub mod gp;
pub mod mlp;
mod network;
pub mod onnx;
mod options;
pub mod plan;
mod scaling;
mod selftest;

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result, Status};

pub use description::{Channel, Description};
pub use fno::{OperatorPart, OperatorScratch};
pub use options::{MOST_THREADS, Options, Transforms};
pub use plan::{DerivativeWorkspace, Plan, Workspace};

use file::{Contents, Tensor};

/// A checked model: its description and weights, immutable. Loading it ran its self-test.
pub struct Model {
    description: Description,
    text: String,
    tensors: file::Tensors,
    /// Of an ensemble, which has no tensors of its own.
    members: Vec<Arc<Model>>,
}

impl Model {
    /// Reads a model file.
    pub fn load(path: &Path) -> Result<Model> {
        Self::from_bytes(&file::read(path)?).map_err(|e| e.within(path.display()))
    }

    /// Reads a model from the bytes of a file; they are not kept. Sizes are checked against the bytes before anything is
    /// allocated, every number is checked, and the outputs stored with the model must be reproduced.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        let Contents { description, text, tensors, selftest } = file::parse(bytes)?;
        let model = Self::assemble(description, text, tensors);
        model.selftest(&selftest, bytes.len())?;
        Ok(model)
    }

    /// As [`Model::from_bytes`], but without the self-test: for tools that write model files and have its outputs still to find.
    pub fn from_bytes_untested(bytes: &[u8]) -> Result<Model> {
        let Contents { description, text, tensors, .. } = file::parse(bytes)?;
        Ok(Self::assemble(description, text, tensors))
    }

    /// A model of checked tensors: its members take theirs.
    fn assemble(description: Description, text: String, mut tensors: file::Tensors) -> Model {
        let count = description.ensemble.as_ref().map_or(0, |ensemble| ensemble.members);
        let member = |m: usize| {
            let prefix = description::member_prefix(m);
            // Every name has a prefix, and they are sorted: a member's are next to each other.
            let names: Vec<String> = tensors
                .range(prefix.clone()..)
                .map(|(name, _)| name.clone())
                .take_while(|name| name.starts_with(&prefix))
                .collect();
            let own = names.into_iter().filter_map(|name| {
                let tensor = tensors.remove(&name)?;
                Some((name[prefix.len()..].to_string(), tensor))
            });
            let own = own.collect();
            let description = Description { ensemble: None, ..description.clone() };
            Arc::new(Model { description, text: String::new(), tensors: own, members: vec![] })
        };
        let members = (0..count).map(member).collect();
        Model { description, text, tensors, members }
    }

    /// An ensemble of loaded models, 1 to 1024 of one architecture whose channels have the same names and units; their sizes and scalings may differ.
    /// Its predictions are the mean, and the variance, of the members' mixture.
    pub fn ensemble(members: Vec<Arc<Model>>) -> Result<Model> {
        ensemble::check_members(&members.iter().map(|m| &**m).collect::<Vec<_>>())?;
        let ensemble = description::Members { members: members.len() };
        let mut text = serde_json::from_str::<serde_json::Value>(&members[0].text).unwrap_or_default();
        text["ensemble"] = serde_json::json!({"members": ensemble.members});
        let description = Description { ensemble: Some(ensemble), ..members[0].description.clone() };
        Ok(Model { description, text: text.to_string(), tensors: file::Tensors::new(), members })
    }

    /// A model without weights, from its description alone.
    fn from_description(value: serde_json::Value) -> Result<Model> {
        let text = value.to_string();
        let description: Description =
            serde_json::from_value(value).map_err(|e| Error::new(Status::FileDescription, e.to_string()))?;
        description::check_description(&description)?;
        Ok(Model { description, text, tensors: file::Tensors::new(), members: vec![] })
    }

    /// The members of an ensemble; none of a single model.
    pub fn members(&self) -> &[Arc<Model>] {
        &self.members
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
}
