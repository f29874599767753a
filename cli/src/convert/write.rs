//! Writes a model file tensor by tensor, a chunk at a time: beside its place, and moved there once it is whole.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::state::Tensor;
use crate::error::{Error, Result, refuse};

/// Elements that pass at a time where a tensor is copied.
const CHUNK: usize = 1 << 16;

/// How a tensor's numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// Whole numbers 0 to 255: a file.
    #[cfg(feature = "onnx")]
    Byte,
    /// f32.
    Single,
    /// f64.
    Double,
}

impl Element {
    /// f64 or f32.
    pub fn float(double: bool) -> Element {
        if double { Element::Double } else { Element::Single }
    }

    fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "onnx")]
            Element::Byte => "U8",
            Element::Single => "F32",
            Element::Double => "F64",
        }
    }

    fn bytes(self) -> usize {
        match self {
            #[cfg(feature = "onnx")]
            Element::Byte => 1,
            Element::Single => 4,
            Element::Double => 8,
        }
    }
}

/// Gives a chunk, by its number.
pub type Fill<'a> = Box<dyn Fn(usize, &mut [f64]) + 'a>;

/// A tensor of the model file.
pub struct Output<'a> {
    /// Its name.
    pub name: String,
    /// Extents, C order.
    pub shape: Vec<usize>,
    /// How its numbers are written.
    pub element: Element,
    /// Elements that `fill` gives at a time.
    pub chunk: usize,
    /// Elements number * chunk on.
    pub fill: Fill<'a>,
}

impl<'a> Output<'a> {
    /// A tensor under another name.
    pub fn copy(name: impl Into<String>, tensor: Tensor<'a>) -> Output<'a> {
        Output {
            name: name.into(),
            shape: tensor.shape.clone(),
            element: Element::float(tensor.is_double()),
            chunk: CHUNK,
            fill: Box::new(move |number, out| tensor.read(number * CHUNK, out)),
        }
    }

    /// Values at hand, as f64.
    pub fn values(name: impl Into<String>, shape: Vec<usize>, values: Vec<f64>) -> Output<'a> {
        Output {
            name: name.into(),
            shape,
            element: Element::Double,
            chunk: CHUNK,
            fill: Box::new(move |number, out| out.copy_from_slice(&values[number * CHUNK..][..out.len()])),
        }
    }

    /// The bytes of a file.
    #[cfg(feature = "onnx")]
    pub fn file(name: impl Into<String>, bytes: &'a [u8]) -> Output<'a> {
        Output {
            name: name.into(),
            shape: vec![bytes.len()],
            element: Element::Byte,
            chunk: CHUNK,
            fill: Box::new(move |number, out| {
                out.iter_mut().zip(&bytes[number * CHUNK..]).for_each(|(v, b)| *v = f64::from(*b));
            }),
        }
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes of the data.
    pub fn bytes(&self) -> usize {
        self.elements() * self.element.bytes()
    }
}

/// A whole model file beside its place. It goes again unless it is kept.
pub struct Written {
    here: PathBuf,
    place: PathBuf,
    bytes: u64,
}

impl Written {
    /// Where it lies now.
    pub fn path(&self) -> &Path {
        &self.here
    }

    /// Bytes of its data section.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Moves it to its place.
    pub fn keep(self) -> Result<()> {
        std::fs::rename(&self.here, &self.place).map_err(|e| Error::new(format!("{}: {e}", self.place.display())))
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.here);
    }
}

/// Writes a model file beside `path`.
pub fn write(path: &Path, description: &Value, mut outputs: Vec<Output>) -> Result<Written> {
    let failed = |e: std::io::Error| Error::new(format!("{}: {e}", path.display()));
    // The widest first, so that every tensor is aligned.
    outputs.sort_by(|a, b| b.element.cmp(&a.element).then(a.name.cmp(&b.name)));
    let text = description.to_string();
    let (header, digest_at) = header(&text, &outputs);

    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let mut written = Written { here: path.with_file_name(name), place: path.to_path_buf(), bytes: 0 };
    let mut file = BufWriter::with_capacity(1 << 18, File::create(&written.here).map_err(failed)?);
    file.write_all(&(header.len() as u64).to_le_bytes()).map_err(failed)?;
    file.write_all(&header).map_err(failed)?;
    let mut hash = Sha256::new();
    hash.update(text.as_bytes());
    let (mut values, mut bytes) = (Vec::new(), Vec::new());
    for output in &outputs {
        let len = output.elements();
        for number in 0..len.div_ceil(output.chunk) {
            let first = number * output.chunk;
            values.resize(output.chunk.min(len - first), 0.0);
            (output.fill)(number, &mut values);
            bytes.clear();
            match output.element {
                #[cfg(feature = "onnx")]
                Element::Byte => bytes.extend(values.iter().map(|v| *v as u8)),
                Element::Single => bytes.extend(values.iter().flat_map(|v| (*v as f32).to_le_bytes())),
                Element::Double => bytes.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            }
            let double = output.element == Element::Double;
            if let Some(i) = values.iter().position(|v| !v.is_finite() || !double && !(*v as f32).is_finite()) {
                return refuse!("{} is not finite at element {}", output.name, first + i);
            }
            hash.update(&bytes);
            file.write_all(&bytes).map_err(failed)?;
            written.bytes += bytes.len() as u64;
        }
    }
    let digest: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    file.seek(SeekFrom::Start(8 + digest_at as u64)).map_err(failed)?;
    file.write_all(digest.as_bytes()).map_err(failed)?;
    file.into_inner().map_err(|e| failed(e.into_error()))?.sync_all().map_err(failed)?;
    Ok(written)
}

/// The header with room for the digest, and where that is.
fn header(text: &str, outputs: &[Output]) -> (Vec<u8>, usize) {
    const START: &str = "{\"__metadata__\":{\"pcml.sha256\":\"";
    let mut tensors = Map::new();
    let mut at = 0;
    for output in outputs {
        let dtype = output.element.name();
        let end = at + output.bytes();
        tensors.insert(output.name.clone(), json!({"dtype": dtype, "shape": output.shape, "data_offsets": [at, end]}));
        at = end;
    }
    let mut header = format!("{START}{}\",\"pcml\":{}}}", "0".repeat(64), Value::from(text));
    for (name, value) in tensors {
        header.push_str(&format!(",{}:{value}", Value::from(name)));
    }
    header.push('}');
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    (header.into_bytes(), START.len())
}
