//! A state dict in a mapped safetensors file. Every tensor must be taken; what is left is refused by name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, Result, refuse};

/// How a tensor's numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// IEEE half precision.
    Half,
    /// The upper half of an f32.
    Brain,
    /// f32.
    Single,
    /// f64.
    Double,
    /// No weights.
    Integer,
}

impl Storage {
    fn bytes(self) -> usize {
        match self {
            Storage::Half | Storage::Brain => 2,
            Storage::Single => 4,
            Storage::Double => 8,
            Storage::Integer => 1,
        }
    }
}

/// A tensor where it lies. Complex numbers are a last axis (re, im).
#[derive(Clone, Debug)]
pub struct Tensor<'a> {
    /// Its name in the file.
    pub name: String,
    /// Extents, C order.
    pub shape: Vec<usize>,
    storage: Storage,
    data: &'a [u8],
}

impl Tensor<'_> {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether elements are f64.
    pub fn is_double(&self) -> bool {
        self.storage == Storage::Double
    }

    /// Whether both tensors hold the same bytes in the same shape.
    pub fn same(&self, other: &Tensor) -> bool {
        self.storage == other.storage && self.shape == other.shape && self.data == other.data
    }

    /// Element i.
    pub fn at(&self, i: usize) -> f64 {
        let bytes = &self.data[i * self.storage.bytes()..][..self.storage.bytes()];
        match *bytes {
            [a, b] if self.storage == Storage::Half => half(u16::from_le_bytes([a, b])),
            [a, b] => f32::from_bits(u32::from(u16::from_le_bytes([a, b])) << 16) as f64,
            [a, b, c, d] => f32::from_le_bytes([a, b, c, d]) as f64,
            _ => f64::from_le_bytes(bytes.try_into().expect("8 bytes")),
        }
    }

    /// Elements first .. first + out.len().
    pub fn read(&self, first: usize, out: &mut [f64]) {
        out.iter_mut().enumerate().for_each(|(i, v)| *v = self.at(first + i));
    }

    /// All elements.
    pub fn values(&self) -> Vec<f64> {
        (0..self.elements()).map(|i| self.at(i)).collect()
    }

    /// The same elements; axes of extent 1 after the first `rank` dropped.
    pub fn squeezed(mut self, rank: usize) -> Result<Self> {
        if self.shape.len() < rank || self.shape[rank..].iter().any(|n| *n != 1) {
            return refuse!(
                "tensor {} has shape {:?}, expected {rank} axes (and some of extent 1)",
                self.name,
                self.shape
            );
        }
        self.shape.truncate(rank);
        Ok(self)
    }

    /// The tensor if it has this shape.
    pub fn expect(self, shape: &[usize]) -> Result<Self> {
        if self.shape != shape {
            return refuse!("tensor {} has shape {:?}, expected {shape:?}", self.name, self.shape);
        }
        Ok(self)
    }
}

/// An IEEE half-precision number.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

struct Entry {
    shape: Vec<usize>,
    storage: Storage,
    start: usize,
    end: usize,
}

/// The tensors of a file by name, and which of them were taken.
pub struct State {
    map: Mmap,
    prefix: String,
    entries: BTreeMap<String, Entry>,
    metadata: HashMap<String, String>,
    taken: RefCell<BTreeSet<String>>,
}

impl State {
    /// Maps a safetensors file. With a prefix only names that begin with it belong to the state dict, and are known without it.
    pub fn open(path: &Path, prefix: &str) -> Result<State> {
        let map = crate::map::map(path)?;
        let shown = path.display();
        let damaged = |e: safetensors::SafeTensorError| Error::new(format!("{shown}: not a safetensors file: {e}"));
        if map.starts_with(b"PK\x03\x04") || map.starts_with(b"\x80\x02") {
            return refuse!(
                "{shown} is a PyTorch checkpoint or a .keras file, expected a safetensors file: pcml.convert (Python) reads both, or save a state \
                 dict with safetensors.torch.save_file"
            );
        }
        if map.starts_with(b"\x89HDF") {
            return refuse!(
                "{shown} is an HDF5 file, expected a safetensors file: pcml.convert (Python) reads Keras models and .keras files"
            );
        }
        let (header, metadata) = SafeTensors::read_metadata(&map).map_err(damaged)?;
        let data = 8 + header;
        let mut entries = BTreeMap::new();
        for (name, info) in metadata.tensors() {
            let (mut shape, storage) = (info.shape.clone(), info.dtype);
            let storage = match storage {
                Dtype::F16 => Storage::Half,
                Dtype::BF16 => Storage::Brain,
                Dtype::F32 => Storage::Single,
                Dtype::F64 => Storage::Double,
                Dtype::C64 => {
                    shape.push(2);
                    Storage::Single
                }
                // Counters are no weights: they are known by name alone.
                _ => Storage::Integer,
            };
            let (start, end) = (data + info.data_offsets.0, data + info.data_offsets.1);
            let size = shape.iter().try_fold(storage.bytes(), |n, extent| n.checked_mul(*extent));
            let fits = storage == Storage::Integer || size == end.checked_sub(start);
            if !fits || start > end || end > map.len() {
                return refuse!("{shown}: tensor {name} reaches beyond the file");
            }
            entries.insert(name.clone(), Entry { shape, storage, start, end });
        }
        if !prefix.is_empty() && !entries.keys().any(|name| name.starts_with(prefix)) {
            let first = entries.keys().next().map_or("no tensor", String::as_str);
            return refuse!("no tensor of {shown} begins with the prefix {prefix}; the first one is {first}");
        }
        let metadata = metadata.metadata().clone().unwrap_or_default();
        Ok(State { map, prefix: prefix.to_string(), entries, metadata, taken: RefCell::default() })
    }

    /// Metadata of the file.
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.metadata
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Names without the prefix.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().filter_map(|name| name.strip_prefix(self.prefix.as_str()))
    }

    /// Whether there is such a tensor.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(&format!("{}{name}", self.prefix))
    }

    /// How many consecutive numbers from 0 on make `name(number)` a tensor.
    pub fn count(&self, name: impl Fn(usize) -> String) -> usize {
        (0..).take_while(|i| self.has(&name(*i))).count()
    }

    /// A tensor of the state dict, which is then known.
    pub fn take(&self, name: &str) -> Result<Tensor<'_>> {
        let full = format!("{}{name}", self.prefix);
        match self.find(&full) {
            Some(Tensor { storage: Storage::Integer, .. }) => {
                refuse!("tensor {full} has integers, expected floating-point or complex numbers")
            }
            Some(tensor) if tensor.shape.contains(&0) => {
                refuse!("tensor {full} has shape {:?}, expected no extent of 0", tensor.shape)
            }
            Some(tensor) => {
                self.taken.borrow_mut().insert(full);
                Ok(tensor)
            }
            None => refuse!("tensor {full} is missing"),
        }
    }

    /// A tensor beside the state dict, by its name in the file.
    pub fn beside(&self, name: &str) -> Option<Tensor<'_>> {
        let tensor = self.find(name).filter(|tensor| tensor.storage != Storage::Integer)?;
        self.taken.borrow_mut().insert(name.to_string());
        Some(tensor)
    }

    fn find(&self, full: &str) -> Option<Tensor<'_>> {
        let entry = self.entries.get(full)?;
        Some(Tensor {
            name: full.to_string(),
            shape: entry.shape.clone(),
            storage: entry.storage,
            data: &self.map[entry.start..entry.end],
        })
    }

    /// Counts tensors whose names begin so as known: the network does not read them.
    pub fn drop_prefix(&self, prefix: &str) -> Result<()> {
        let full = format!("{}{prefix}", self.prefix);
        let found: Vec<&String> = self.entries.keys().filter(|name| name.starts_with(&full)).collect();
        if found.is_empty() {
            return refuse!("no tensor's name begins with {full}, so none can be dropped");
        }
        self.taken.borrow_mut().extend(found.into_iter().cloned());
        Ok(())
    }

    /// Refuses tensors that nothing took.
    pub fn finish(&self, kind: &str) -> Result<()> {
        let taken = self.taken.borrow();
        let left = self.entries.keys().find(|name| name.starts_with(&self.prefix) && !taken.contains(*name));
        match left {
            Some(name) => refuse!(
                "tensor {name} is not one that kind {kind} reads; --drop {name} says that the network does not use it"
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333251953125), (0x0001, 5.960464477539063e-8), (0x7bff, 65504.0)]
        {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan() && half(0xfc00) == f64::NEG_INFINITY);
    }
}
