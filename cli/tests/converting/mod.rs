//! Conversions as tests ask for them.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use pcml::model::Model;
use pcml_cli::convert::{Kind, Report, Request, convert};
use pcml_cli::error::Error;

/// A path for one file of one test.
pub fn place(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("convert");
    std::fs::create_dir_all(&dir).expect("a folder");
    dir.join(format!("{}-{}-{name}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// A request without options.
pub fn request(kind: Kind, state: &Path, prefix: &str, set: &[&str]) -> Request {
    Request {
        kind,
        states: vec![state.to_path_buf()],
        output: place("model.safetensors"),
        prefix: prefix.to_string(),
        set: set.iter().map(|s| s.to_string()).collect(),
        drop: vec![],
        description: None,
    }
}

/// The model of a state dict that converts.
#[track_caller]
pub fn converted(kind: Kind, state: &Path, prefix: &str, set: &[&str]) -> Model {
    let request = request(kind, state, prefix, set);
    let report = convert(&request).unwrap_or_else(|e| panic!("{}: {e}", state.display()));
    assert!(report.verified, "{}", state.display());
    let model = Model::load(&request.output).expect("the written model");
    std::fs::remove_file(&request.output).expect("the written model");
    model
}

/// What a conversion says that must fail, and that leaves nothing behind.
#[track_caller]
pub fn refused(request: &Request) -> Error {
    let outcome: Result<Report, Error> = convert(request);
    let error = outcome.expect_err("a refusal");
    let folder = request.output.parent().expect("a folder");
    let name = request.output.file_name().expect("a name").to_string_lossy().into_owned();
    let left = std::fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
    let left: Vec<_> = left.filter(|e| e.file_name().to_string_lossy().starts_with(&name)).collect();
    assert!(left.is_empty(), "{left:?}");
    error
}
