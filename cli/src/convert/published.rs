//! The layout of the first published Fourier neural operators (Li et al., ICLR 2021), which BOON's code shares: `fc0`, then `conv{b}`
//! beside `w{b}` for each block, then `fc1` and `fc2`.

use serde_json::{Value, json};

use super::corners::Corners;
use super::state::{State, Tensor};
use super::write::Output;
use crate::error::{Result, refuse};

/// A state dict of that layout.
pub struct Published<'a> {
    /// Channels inside.
    pub width: usize,
    /// Input channels without coordinates.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Width of the hidden layer of the projection.
    pub hidden: usize,
    /// Axes of the grid.
    pub axes: usize,
    /// fc0, fc1, fc2: weight and bias.
    pub dense: [(Tensor<'a>, Tensor<'a>); 3],
    /// conv and w, weight and bias, of each block.
    pub blocks: Vec<(Corners<'a>, Tensor<'a>, Tensor<'a>)>,
}

impl<'a> Published<'a> {
    /// Takes the tensors; those of blocks lie under `base`. `coordinates`: whether the grid's coordinates enter `fc0` after the inputs.
    pub fn take(state: &'a State, base: &str, coordinates: bool) -> Result<Published<'a>> {
        let layer = |name: &str| -> Result<(Tensor<'a>, Tensor<'a>)> {
            let weight = state.take(&format!("{name}.weight"))?.squeezed(2)?;
            let bias = state.take(&format!("{name}.bias"))?.expect(&weight.shape[..1])?;
            Ok((weight, bias))
        };
        let dense = [layer("fc0")?, layer("fc1")?, layer("fc2")?];
        let width = dense[0].0.shape[0];
        let count = state.count(|b| format!("{base}conv{b}.weights1"));
        if count == 0 {
            return refuse!("tensor {base}conv0.weights1 is missing: no state dict of the published layout");
        }
        let mut blocks = Vec::new();
        for b in 0..count {
            let corners = Corners::take(state, &format!("{base}conv{b}.weights"), width)?;
            let weight = state.take(&format!("{base}w{b}.weight"))?.squeezed(2)?.expect(&[width, width])?;
            let bias = state.take(&format!("{base}w{b}.bias"))?.expect(&[width])?;
            blocks.push((corners, weight, bias));
        }
        let axes = blocks[0].0.axes();
        if let Some(b) = blocks.iter().position(|block| block.0.modes() != blocks[0].0.modes()) {
            return refuse!(
                "{base}conv{b} keeps {:?} modes, expected {:?} as in {base}conv0",
                blocks[b].0.modes(),
                blocks[0].0.modes()
            );
        }
        let lifted = dense[0].0.shape[1];
        let inputs = if coordinates { lifted.saturating_sub(axes) } else { lifted };
        if inputs == 0 {
            return refuse!("fc0.weight takes {lifted} channels, expected more than the {axes} coordinates");
        }
        let hidden = dense[1].0.shape[0];
        if dense[1].0.shape[1] != width || dense[2].0.shape[1] != hidden {
            return refuse!("fc1.weight has shape {:?}, which does not fit fc0 and fc2", dense[1].0.shape);
        }
        let outputs = dense[2].0.shape[0];
        Ok(Published { width, inputs, outputs, hidden, axes, dense, blocks })
    }

    /// Numbers of the model file.
    pub fn numbers(&self, activation: &str, bounds: Option<[f64; 2]>, padding: &[usize]) -> Value {
        let mut numbers = json!({
            "width": self.width, "blocks": self.blocks.len(), "modes": self.blocks[0].0.kept(), "projection": [self.hidden],
            "activation": activation, "skip": "linear", "skip_bias": true,
        });
        if let Some(bounds) = bounds {
            numbers["coordinates"] = json!({"span": "closed", "bounds": vec![bounds; self.axes]});
        }
        if padding.iter().any(|cells| *cells > 0) {
            numbers["padding"] = json!({"sides": "after", "cells": padding});
        }
        numbers
    }

    /// Weights of the model file.
    pub fn weights(self) -> Vec<Output<'a>> {
        let mut out = Vec::new();
        for (name, (weight, bias)) in ["lifting.0", "projection.0", "projection.1"].into_iter().zip(self.dense) {
            out.push(Output::copy(format!("{name}.weight"), weight));
            out.push(Output::copy(format!("{name}.bias"), bias));
        }
        for (b, (corners, weight, bias)) in self.blocks.into_iter().enumerate() {
            out.push(corners.output(format!("blocks.{b}.spectral.weight")));
            out.push(Output::copy(format!("blocks.{b}.skip.weight"), weight));
            out.push(Output::copy(format!("blocks.{b}.skip.bias"), bias));
        }
        out
    }
}

/// linspace(low, high, n) with both ends.
pub fn closed([low, high]: [f64; 2]) -> impl Fn(usize, usize, usize) -> f64 {
    move |_, i, n| low + (high - low) * i as f64 / (n.max(2) - 1) as f64
}
