//! What several test programs share: the reference data, and model files taken apart and put together again.
#![allow(dead_code)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use sha2::{Digest, Sha256};

/// Tensors by name, as (shape, values).
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// The root of the source tree, from any package of the workspace.
pub fn tree() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().find(|dir| dir.join("include/pcml.h").is_file()).unwrap_or(here)
}

/// A number from the environment, for longer runs.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().expect("a number"))
}

/// The reference data: PCML_REFERENCE_DIR, else beside the checkout. None where it is not, which in CI is a failure.
pub fn reference_dir(cases: usize) -> Option<PathBuf> {
    let dir = match std::env::var_os("PCML_REFERENCE_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => tree().join("../shared/reference"),
    };
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(std::env::var_os("CI").is_none(), "no reference data at {}: set PCML_REFERENCE_DIR", dir.display());
    println!("skipped: {cases} cases, no reference data at {}", dir.display());
    None
}

/// All tensors of a safetensors file.
pub fn read_tensors(path: &Path) -> Tensors {
    File::parse(&std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).tensors
}

/// The shipped model.
pub fn stefan_path() -> PathBuf {
    tree().join("examples/models/stefan.safetensors")
}

/// A model file taken apart.
#[derive(Clone)]
pub struct File {
    pub metadata: HashMap<String, String>,
    pub tensors: Tensors,
}

impl File {
    pub fn parse(bytes: &[u8]) -> File {
        let (_, metadata) = SafeTensors::read_metadata(bytes).expect("safetensors header");
        let file = SafeTensors::deserialize(bytes).expect("safetensors file");
        let tensors = file.iter().map(|(name, view)| (name.to_string(), decode(&view))).collect();
        File { metadata: metadata.metadata().clone().unwrap_or_default(), tensors }
    }

    pub fn stefan() -> File {
        File::parse(&std::fs::read(stefan_path()).expect("the shipped model"))
    }

    pub fn description(&self) -> serde_json::Value {
        serde_json::from_str(&self.metadata["pcml"]).expect("description")
    }

    pub fn describe(&mut self, description: serde_json::Value) {
        self.metadata.insert("pcml".into(), description.to_string());
    }

    /// The file's bytes, all values f64, with a fitting digest.
    pub fn bytes(&self) -> Vec<u8> {
        let draft = self.serialize(None);
        let header = u64::from_le_bytes(draft[..8].try_into().expect("8 bytes")) as usize;
        let mut hash = Sha256::new();
        hash.update(self.metadata.get("pcml").map_or("", String::as_str).as_bytes());
        hash.update(&draft[8 + header..]);
        let digest: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        let mut metadata = self.metadata.clone();
        metadata.insert("pcml.sha256".into(), digest);
        self.serialize(Some(metadata))
    }

    fn serialize(&self, metadata: Option<HashMap<String, String>>) -> Vec<u8> {
        let raw: BTreeMap<&String, Vec<u8>> =
            self.tensors.iter().map(|(n, (_, v))| (n, v.iter().flat_map(|x| x.to_le_bytes()).collect())).collect();
        let views = self
            .tensors
            .iter()
            .map(|(n, (shape, _))| (n, TensorView::new(Dtype::F64, shape.clone(), &raw[n]).expect("a tensor")));
        safetensors::serialize(views, metadata).expect("serializable")
    }
}

fn decode(view: &TensorView) -> (Vec<usize>, Vec<f64>) {
    let data = view.data();
    let values = match view.dtype() {
        Dtype::F32 => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b) as f64).collect(),
        Dtype::F64 => data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        Dtype::U8 => data.iter().map(|b| f64::from(*b)).collect(),
        // Counters in state dicts.
        Dtype::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
        other => panic!("dtype {other:?}"),
    };
    (view.shape().to_vec(), values)
}
