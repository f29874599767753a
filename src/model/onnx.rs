//! Networks in ONNX files, for architectures that this library has no room of its own for. With cargo feature `onnx` tract evaluates them;
//! without it their descriptions are read and checked, and that is all.
//!
//! The network takes one array and gives one, with functions first and channels last or second. It sees `batch` functions at a time
//! whatever the call has, so that with `batch` 1 a function's result depends on nothing but the function.

#[cfg(feature = "onnx")]
mod network;
#[cfg(feature = "onnx")]
mod plan;
#[cfg(feature = "onnx")]
mod rewritten;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::cost::Cost;
use crate::error::{Result, fail};
use crate::field::{Dtype, MAX_RANK};

#[cfg(feature = "onnx")]
pub use network::{Network, Port};
#[cfg(feature = "onnx")]
pub use plan::{Onnx, Scratch};

/// The tensor that holds the ONNX file.
pub const TENSOR: &str = "onnx.model";

/// Most axes of a grid: predictions have functions, steps and channels beside it.
pub const MOST_AXES: usize = MAX_RANK - 3;

/// Numbers of a network in an ONNX file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Axes of the grid between functions and channels; 0: a function is a point.
    pub axes: usize,
    /// Where the channels lie.
    #[serde(default)]
    pub layout: Layout,
    /// The network's arithmetic.
    pub dtype: Precision,
    /// Functions that the network is given at a time; more than 1 where it was exported for so many, or for speed.
    #[serde(default = "one")]
    pub batch: usize,
    /// The network's name for its input.
    pub input: String,
    /// The network's name for the output that is predicted.
    pub output: String,
    /// Bytes of the ONNX file.
    pub bytes: usize,
}

fn one() -> usize {
    1
}

/// Where a network has its channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// [functions, channels, grid].
    First,
    /// [functions, grid, channels].
    #[default]
    Last,
}

/// The type of a network's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl From<Precision> for Dtype {
    fn from(precision: Precision) -> Dtype {
        match precision {
            Precision::F32 => Dtype::F32,
            Precision::F64 => Dtype::F64,
        }
    }
}

impl Numbers {
    pub(super) fn check(&self, inputs: usize, outputs: usize) -> Result<()> {
        if self.axes > MOST_AXES {
            return fail!(FileDescription, "onnx.axes is {}, expected at most {MOST_AXES}", self.axes);
        }
        if self.batch == 0 || self.batch > 1 << 20 {
            return fail!(FileDescription, "onnx.batch is {}, expected 1 to 2^20", self.batch);
        }
        for (name, count) in [("inputs", inputs), ("outputs", outputs)] {
            if count == 0 {
                return fail!(FileDescription, "field {name} is empty, expected at least one channel");
            }
        }
        Ok(())
    }

    pub(super) fn weights(&self) -> BTreeMap<String, Vec<usize>> {
        BTreeMap::from([(TENSOR.to_string(), vec![self.bytes])])
    }

    /// The cost of the arrays around the network, for so many functions on a grid. What the network itself costs its file's size does not tell.
    pub(super) fn cost(&self, inputs: usize, outputs: usize, functions: usize, grid: &[usize]) -> Cost {
        let nodes: f64 = grid.iter().map(|n| *n as f64).product();
        let given = (self.batch as f64 + functions as f64) * nodes;
        Cost::values(3.0 * given * (inputs + outputs) as f64)
    }

    /// Extents of an array of `batch` functions as the network has it.
    #[cfg(feature = "onnx")]
    fn shape(&self, grid: &[usize], channels: usize) -> Vec<usize> {
        match self.layout {
            Layout::First => [&[self.batch, channels], grid].concat(),
            Layout::Last => [&[self.batch], grid, &[channels]].concat(),
        }
    }
}
