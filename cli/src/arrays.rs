//! Arrays in files: safetensors, and single `.npy` arrays (format 1 to 3, little endian, C or Fortran order).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, Result, refuse};

/// An array with its values as f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extents, C order.
    pub shape: Vec<usize>,
    /// Its elements.
    pub values: Vec<f64>,
    /// Whether the file has f64; else f32.
    pub double: bool,
}

/// Arrays by name.
pub type Arrays = BTreeMap<String, Array>;

/// Whether a path names a `.npy` file.
fn is_npy(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"))
}

/// Reads a safetensors file, or a `.npy` file as the array `name`.
pub fn read(path: &Path, name: &str) -> Result<Arrays> {
    let bytes = std::fs::read(path).map_err(|e| Error::new(format!("{}: {e}", path.display())))?;
    let within = |e: Error| Error::new(format!("{}: {e}", path.display()));
    if is_npy(path) {
        return Ok(Arrays::from([(name.to_string(), from_npy(&bytes).map_err(within)?)]));
    }
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|e| Error::new(format!("{}: not a safetensors file: {e}; .npy files end so", path.display())))?;
    file.iter().map(|(name, view)| Ok((name.to_string(), from_tensor(name, &view).map_err(within)?))).collect()
}

/// Writes a safetensors file, or a single array as a `.npy` file.
pub fn write(path: &Path, arrays: &Arrays, metadata: Option<HashMap<String, String>>) -> Result<()> {
    let bytes = if is_npy(path) {
        match arrays.values().collect::<Vec<_>>()[..] {
            [array] => to_npy(array),
            _ => {
                let names: Vec<&str> = arrays.keys().map(String::as_str).collect();
                return refuse!(
                    "{}: a .npy file holds one array, expected a .safetensors file for {}",
                    path.display(),
                    names.join(", ")
                );
            }
        }
    } else {
        let raw: Vec<(&String, &Array, Vec<u8>)> = arrays.iter().map(|(name, a)| (name, a, a.bytes())).collect();
        let views: std::result::Result<Vec<_>, _> = raw
            .iter()
            .map(|(name, a, data)| {
                let dtype = if a.double { Dtype::F64 } else { Dtype::F32 };
                TensorView::new(dtype, a.shape.clone(), data).map(|view| (*name, view))
            })
            .collect();
        let failed = |e: safetensors::SafeTensorError| Error::new(format!("{}: {e}", path.display()));
        safetensors::serialize(views.map_err(failed)?, metadata).map_err(failed)?
    };
    std::fs::write(path, bytes).map_err(|e| Error::new(format!("{}: {e}", path.display())))
}

impl Array {
    fn bytes(&self) -> Vec<u8> {
        if self.double {
            self.values.iter().flat_map(|v| v.to_le_bytes()).collect()
        } else {
            self.values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect()
        }
    }

    fn parse(shape: Vec<usize>, double: bool, data: &[u8]) -> Array {
        let values = if double {
            data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
        } else {
            data.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
        };
        Array { shape, values, double }
    }
}

/// The array with one axis at another place.
pub fn moved(array: Array, from: usize, to: usize) -> Array {
    let mut order: Vec<usize> = (0..array.shape.len()).collect();
    let axis = order.remove(from);
    order.insert(to, axis);
    let mut strides = vec![1; array.shape.len()];
    for axis in (0..strides.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * array.shape[axis + 1];
    }
    let shape: Vec<usize> = order.iter().map(|a| array.shape[*a]).collect();
    let mut place = vec![0; shape.len()];
    let mut values = Vec::with_capacity(array.values.len());
    for _ in 0..array.values.len() {
        values.push(array.values[place.iter().zip(&order).map(|(i, a)| i * strides[*a]).sum::<usize>()]);
        for (i, n) in place.iter_mut().zip(&shape).rev() {
            *i += 1;
            if *i < *n {
                break;
            }
            *i = 0;
        }
    }
    Array { shape, values, double: array.double }
}

fn from_tensor(name: &str, view: &TensorView) -> Result<Array> {
    let double = match view.dtype() {
        Dtype::F32 => false,
        Dtype::F64 => true,
        other => return refuse!("array {name} has dtype {other:?}, expected F32 or F64"),
    };
    Ok(Array::parse(view.shape().to_vec(), double, view.data()))
}

fn from_npy(bytes: &[u8]) -> Result<Array> {
    let header = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => return refuse!("not a .npy file of format 1 to 3"),
    };
    let text =
        bytes.get(header.0..).and_then(|rest| rest.get(..header.1)).and_then(|text| std::str::from_utf8(text).ok());
    let Some(text) = text else { return refuse!("the header reaches beyond the file") };
    // {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
    let after = |key: &str| text.split_once(key).map(|(_, rest)| rest.trim_start_matches(['\'', '"', ':', ' ']));
    let double = match after("descr") {
        Some(rest) if rest.starts_with("<f8") => true,
        Some(rest) if rest.starts_with("<f4") => false,
        _ => return refuse!("the dtype is not <f4 or <f8: {}", text.trim()),
    };
    let fortran = after("fortran_order").is_some_and(|rest| rest.starts_with("True"));
    let shape: Option<Vec<usize>> =
        after("shape").and_then(|rest| rest.strip_prefix('(')?.split_once(')')).and_then(|(list, _)| {
            list.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| n.parse().ok()).collect()
        });
    let Some(shape) = shape else { return refuse!("no shape in the header: {}", text.trim()) };
    let data = &bytes[header.0 + header.1..];
    let size = shape.iter().try_fold(if double { 8 } else { 4usize }, |n, extent| n.checked_mul(*extent));
    if size != Some(data.len()) {
        return refuse!("{} bytes of data do not fit shape {shape:?}", data.len());
    }
    let mut array = Array::parse(shape, double, data);
    if fortran {
        let from = array.values.clone();
        let mut place = vec![0; array.shape.len()];
        for to in &mut array.values {
            let at = place.iter().zip(&array.shape).rev().fold(0, |at, (i, n)| at * n + i);
            *to = from[at];
            for (i, n) in place.iter_mut().zip(&array.shape).rev() {
                *i += 1;
                if *i < *n {
                    break;
                }
                *i = 0;
            }
        }
    }
    Ok(array)
}

fn to_npy(array: &Array) -> Vec<u8> {
    let extents: String = array.shape.iter().map(|n| format!("{n}, ")).collect();
    let dtype = if array.double { "<f8" } else { "<f4" };
    let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({}), }}", extents.trim_end());
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.into_bytes());
    bytes.extend(array.bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npy_files_keep_their_arrays() {
        for (shape, double) in [(vec![], true), (vec![3], false), (vec![2, 3, 4], true)] {
            let values = (0..shape.iter().product()).map(|i| i as f64).collect();
            let array = Array { shape, values, double };
            assert_eq!(from_npy(&to_npy(&array)).unwrap(), array);
        }
    }

    #[test]
    fn fortran_order_is_turned_round() {
        let bytes = to_npy(&Array { shape: vec![2, 3], values: vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0], double: true });
        let at = bytes.windows(5).position(|w| w == b"False").unwrap();
        let fortran = [&bytes[..at], b"True ", &bytes[at + 5..]].concat();
        assert_eq!(from_npy(&fortran).unwrap().values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn damaged_npy_files_are_refused() {
        let bytes = to_npy(&Array { shape: vec![2], values: vec![1.0, 2.0], double: true });
        for bad in [&bytes[..5], &bytes[..40], &bytes[..bytes.len() - 1], b"PK\x03\x04"] {
            assert!(from_npy(bad).is_err());
        }
    }
}
