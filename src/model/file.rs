//! The model file: untrusted bytes -> checked description and weights.
//!
//! One safetensors file. Metadata key `pcml` holds the description (JSON, [`Description`]); `pcml.sha256` the hexadecimal
//! SHA-256 of that text followed by the data section, so that a damaged file is told from a wrong model. Tensors `selftest.*`
//! hold inputs and expected outputs; all others are weights, and each must be read.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use super::description::{Description, FORMAT, check_description};
use super::onnx;
use crate::error::{Error, Result, Status, fail, zeros};

/// Most bytes of the container's header. It is read into maps, which take many times its size and have no answer to a lack of memory.
const MOST_HEADER: u64 = 8 << 20;

/// Most bytes of the description, for the same reason: `{"":0},` of its free part becomes a map of 600 bytes.
const MOST_DESCRIPTION: usize = 1 << 20;

/// A weight or a stored array, C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Extents.
    pub shape: Vec<usize>,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Bytes(Vec<u8>),
}

impl Tensor {
    /// All values; f32 to f64 is exact.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.values {
            Values::F32(v) => v.iter().map(|x| *x as f64).collect(),
            Values::F64(v) => v.clone(),
            Values::Bytes(v) => v.iter().map(|x| f64::from(*x)).collect(),
        }
    }

    /// The bytes of a tensor that holds no numbers but a file.
    #[cfg(feature = "onnx")]
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.values {
            Values::Bytes(v) => Some(v),
            _ => None,
        }
    }
}

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// A parsed file.
pub(super) struct Contents {
    pub description: Description,
    pub text: String,
    pub tensors: Tensors,
    pub selftest: Tensors,
}

/// The bytes of a file; no more is read than the file had when it was opened.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let failed = |e: std::io::Error| Error::new(Status::Io, format!("{}: {e}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let info = file.metadata().map_err(failed)?;
    if !info.is_file() {
        return fail!(Io, "{}: not a file", path.display());
    }
    let Ok(len) = usize::try_from(info.len()) else {
        return fail!(TooLarge, "{}: {} bytes, beyond the address space", path.display(), info.len());
    };
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(len).is_err() {
        return fail!(OutOfMemory, "no memory for the {len} bytes of {}", path.display());
    }
    file.take(len as u64).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Checks everything but the self-test.
pub(super) fn parse(bytes: &[u8]) -> Result<Contents> {
    let damaged = |e: safetensors::SafeTensorError| {
        Error::new(Status::FileFormat, format!("not a complete safetensors file, which a pcml model is: {e}"))
    };
    if let Some(len) = bytes.first_chunk().map(|len| u64::from_le_bytes(*len))
        && (MOST_HEADER + 1..=bytes.len() as u64).contains(&len)
    {
        return fail!(TooLarge, "the header has {len} bytes, expected at most {MOST_HEADER}");
    }
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let entries = metadata.metadata().as_ref();
    let entry = |key: &str| match entries.and_then(|m| m.get(key)) {
        Some(text) => Ok(text.clone()),
        None => fail!(
            FileFormat,
            "a safetensors file without metadata key \"{key}\", so not a pcml model: \
             `pcml convert` makes one of the weights of a known architecture"
        ),
    };
    let text = entry("pcml")?;
    let digest = entry("pcml.sha256")?;
    if text.len() > MOST_DESCRIPTION {
        let len = text.len();
        return fail!(TooLarge, "metadata key \"pcml\" has {len} bytes, expected at most {MOST_DESCRIPTION}");
    }
    let Some(data) = bytes.get(8 + header..) else {
        return fail!(FileFormat, "the header reaches beyond the file");
    };
    check_version(&text)?;
    let mut hash = Sha256::new();
    hash.update(text.as_bytes());
    hash.update(data);
    let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    if found != digest {
        return fail!(FileFormat, "the file is damaged: its SHA-256 is {found}, expected {digest}");
    }

    let description: Description = serde_json::from_str(&text)
        .map_err(|e| Error::new(Status::FileDescription, format!("metadata key \"pcml\": {e}")))?;
    let expected = check_description(&description)?;

    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let (mut tensors, mut selftest) = (Tensors::new(), Tensors::new());
    for (name, view) in file.iter() {
        let tensor = decode(name, &view)?;
        let home = if name.starts_with("selftest.") { &mut selftest } else { &mut tensors };
        home.insert(name.to_string(), tensor);
    }
    for (name, shape) in &expected {
        match tensors.get(name) {
            None => return fail!(Weights, "weight {name} is missing, expected shape {shape:?}"),
            Some(t) if t.shape != *shape => {
                return fail!(Weights, "weight {name} has shape {:?}, expected {shape:?}", t.shape);
            }
            Some(_) => {}
        }
    }
    if let Some(name) = tensors.keys().find(|name| !expected.contains_key(*name)) {
        return fail!(Weights, "weight {name} is not read by this architecture");
    }
    Ok(Contents { description, text, tensors, selftest })
}

/// The version is read on its own first: a later format may have fields of any kind.
fn check_version(text: &str) -> Result<()> {
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|e| Error::new(Status::FileDescription, format!("metadata key \"pcml\": {e}")))?;
    match value.get("format") {
        Some(v) if v.as_u64() == Some(FORMAT) => Ok(()),
        Some(v) => fail!(FileVersion, "format is {v}, expected {FORMAT}"),
        None => fail!(FileDescription, "metadata key \"pcml\" has no field format"),
    }
}

/// Whether a tensor holds an ONNX file, a member's perhaps.
fn is_file(name: &str) -> bool {
    let own = match name.strip_prefix("members.").and_then(|rest| rest.split_once('.')) {
        Some((_, own)) => own,
        None => name,
    };
    own == onnx::TENSOR
}

/// f32 or f64, little endian, finite; for an ONNX file bytes. The crate has checked that the data's size is that of the shape.
fn decode(name: &str, view: &safetensors::tensor::TensorView) -> Result<Tensor> {
    let data = view.data();
    let values = match view.dtype() {
        safetensors::Dtype::F32 => {
            let mut out = zeros::<f32>(data.len() / 4, name)?;
            for (v, b) in out.iter_mut().zip(data.as_chunks::<4>().0) {
                *v = f32::from_le_bytes(*b);
            }
            Values::F32(out)
        }
        safetensors::Dtype::F64 => {
            let mut out = zeros::<f64>(data.len() / 8, name)?;
            for (v, b) in out.iter_mut().zip(data.as_chunks::<8>().0) {
                *v = f64::from_le_bytes(*b);
            }
            Values::F64(out)
        }
        safetensors::Dtype::U8 if is_file(name) => {
            let mut out = zeros::<u8>(data.len(), name)?;
            out.copy_from_slice(data);
            Values::Bytes(out)
        }
        other => return fail!(Weights, "tensor {name} has dtype {other:?}, expected F32 or F64"),
    };
    let bad = match &values {
        Values::F32(v) => v.iter().position(|x| !x.is_finite()),
        Values::F64(v) => v.iter().position(|x| !x.is_finite()),
        Values::Bytes(_) => None,
    };
    if let Some(i) = bad {
        return fail!(Weights, "tensor {name} is not finite at element {i}");
    }
    Ok(Tensor { shape: view.shape().to_vec(), values })
}
