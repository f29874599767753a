//! Model files: those that are there, and the names of those that are not.

use std::path::PathBuf;

use pcml::model::Model;

use crate::surrogate::Outcome;

pub struct Models {
    folder: PathBuf,
    pub missing: Vec<String>,
}

impl Models {
    pub fn new(folder: PathBuf) -> Models {
        Models { folder, missing: Vec::new() }
    }

    /// The model of this name, `NAME.safetensors`; noted where it is missing.
    pub fn need(&mut self, name: &str) -> Outcome<Option<Model>> {
        let path = self.folder.join(format!("{name}.safetensors"));
        if !path.exists() {
            eprintln!("missing: {}", path.display());
            self.missing.push(name.into());
            return Ok(None);
        }
        Ok(Some(Model::load(&path).map_err(|e| format!("{}: {e}", path.display()))?))
    }
}
