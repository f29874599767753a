//! Reference data of the papers' published code: where it is, how to read it, what to do without it.

use std::path::PathBuf;

use safetensors::{Dtype, SafeTensors};

/// The directory of reference data: PCML_REFERENCE_DIR, else ../shared/reference beside the project. Without it a test says how
/// many cases it skips; where CI is set it fails instead.
pub fn reference_dir(cases: usize) -> Option<PathBuf> {
    let dir = match std::env::var_os("PCML_REFERENCE_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference"),
    };
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(std::env::var_os("CI").is_none(), "no reference data at {}", dir.display());
    println!("skipped: {cases} cases");
    None
}

/// One file of tensors.
pub struct Tensors(Vec<u8>);

impl Tensors {
    pub fn open(path: PathBuf) -> Tensors {
        Tensors(std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    }

    /// Shape and values of an f64 tensor.
    pub fn f64(&self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(tensor.dtype(), Dtype::F64, "{name}");
        let values = tensor.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        (tensor.shape().to_vec(), values)
    }
}
