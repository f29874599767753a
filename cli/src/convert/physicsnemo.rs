//! `FNO` of PhysicsNeMo on grids of one to three axes.

use serde_json::{Value, json};

use super::corners::Corners;
use super::published::closed;
use super::settings::Settings;
use super::state::{State, Tensor};
use super::textbook::{ACTIVATIONS, Field, activation, fourier};
use super::write::Output;
use super::{Draft, Stored, test_grid};
use crate::draws::Draws;
use crate::error::{Result, refuse};

/// Weight and bias.
type Layer<'a> = (Tensor<'a>, Tensor<'a>);

pub fn draft<'a>(state: &'a State, settings: &Settings) -> Result<Draft<'a>> {
    settings.only("padding_type", &[json!("constant")])?;
    let act = settings.word("activation_fn", "gelu", &ACTIVATIONS)?;
    let decoder_act = settings.word("decoder_activation_fn", "silu", &ACTIVATIONS)?;
    let layer = |name: &str| -> Result<Layer<'a>> {
        let weight = state.take(&format!("{name}.weight"))?.squeezed(2)?;
        let bias = state.take(&format!("{name}.bias"))?.expect(&weight.shape[..1])?;
        Ok((weight, bias))
    };
    let lifting = [layer("spec_encoder.lift_network.0.conv")?, layer("spec_encoder.lift_network.2.conv")?];
    let width = lifting[1].0.shape[0];
    let blocks = state.count(|k| format!("spec_encoder.spconv_layers.{k}.weights1"));
    if blocks == 0 {
        return refuse!("tensor spec_encoder.spconv_layers.0.weights1 is missing: no state dict of PhysicsNeMo's FNO");
    }
    let mut convolutions = Vec::new();
    for k in 0..blocks {
        let corners = Corners::take(state, &format!("spec_encoder.spconv_layers.{k}.weights"), width)?;
        let skip = layer(&format!("spec_encoder.conv_layers.{k}"))?;
        convolutions.push((corners, skip.0.expect(&[width, width])?, skip.1));
    }
    let axes = convolutions[0].0.axes();
    let modes = convolutions[0].0.modes().to_vec();
    if let Some(k) = convolutions.iter().position(|c| c.0.modes() != modes) {
        return refuse!(
            "spconv_layers.{k} keeps {:?} modes, expected {modes:?} as in layer 0",
            convolutions[k].0.modes()
        );
    }
    let mut decoder = Vec::new();
    for i in 0..state.count(|i| format!("decoder_net.layers.{i}.linear.weight")) {
        decoder.push(layer(&format!("decoder_net.layers.{i}.linear"))?);
    }
    decoder.push(layer("decoder_net.final_layer.linear")?);
    let mut inner = width;
    for (weight, _) in &decoder {
        if weight.shape[1] != inner {
            return refuse!("tensor {} has shape {:?}, expected {inner} columns", weight.name, weight.shape);
        }
        inner = weight.shape[0];
    }
    let coordinates = settings.flag("coord_features", true)?;
    let lifted = lifting[0].0.shape[1];
    let inputs = lifted.saturating_sub(if coordinates { axes } else { 0 });
    if inputs == 0 || lifting[1].0.shape[1] != lifting[0].0.shape[0] {
        return refuse!("spec_encoder.lift_network takes {lifted} channels, which does not fit {axes} axes");
    }
    // The constructor's default.
    let padding = settings.counts("padding", axes)?.unwrap_or(vec![8; axes]);
    settings.agree("in_channels", inputs)?;
    settings.agree("out_channels", inner)?;
    settings.agree("dimension", axes)?;
    settings.agree("latent_channels", width)?;
    settings.agree("num_fno_layers", blocks)?;
    settings.agree("decoder_layers", decoder.len() - 1)?;
    if decoder.len() > 1 {
        settings.agree("decoder_layer_size", decoder[0].0.shape[0])?;
    } else {
        settings.ignore(&["decoder_layer_size"]);
    }
    if let Some(said) = settings.counts("num_fno_modes", axes)?
        && said != modes
    {
        return refuse!("setting num_fno_modes is {said:?}, but the tensors have {modes:?}");
    }

    let kept = convolutions[0].0.kept();
    let (f, g) = (activation(act).expect("known"), activation(decoder_act).expect("known"));
    let grid = test_grid(&kept);
    let input = Field { values: Draws::new(5).take(grid.iter().product::<usize>() * inputs), channels: inputs, grid };
    let x = if coordinates { input.with_coordinates(closed([0.0, 1.0])) } else { input.clone() };
    let x = x.linear(&lifting[0].0, Some(&lifting[0].1)).map(f).linear(&lifting[1].0, Some(&lifting[1].1));
    let none = vec![0; axes];
    let mut x = x.padded(&none, &padding);
    for (k, (corners, weight, bias)) in convolutions.iter().enumerate() {
        let y = x.linear(weight, Some(bias)).plus(&fourier::convolution(&x, width, &corners.textbook()));
        x = if k + 1 < blocks { y.map(f) } else { y };
    }
    let mut output = x.cropped(&none, &input.grid);
    for (i, (weight, bias)) in decoder.iter().enumerate() {
        output = output.linear(weight, Some(bias));
        output = if i + 1 < decoder.len() { output.map(g) } else { output };
    }

    let hidden: Vec<usize> = decoder[..decoder.len() - 1].iter().map(|l| l.0.shape[0]).collect();
    let mut fno = json!({
        "width": width, "blocks": blocks, "modes": kept, "lifting": [lifting[0].0.shape[0]], "projection": hidden,
        "activation": act, "skip": "linear", "skip_bias": true,
    });
    if coordinates {
        fno["coordinates"] = json!({"span": "closed", "bounds": vec![[0.0, 1.0]; axes]});
    }
    if padding.iter().any(|cells| *cells > 0) {
        fno["padding"] = json!({"sides": "after", "cells": padding});
    }
    if decoder_act != act {
        fno["projection_activation"] = Value::from(decoder_act);
    }
    let mut weights = Vec::new();
    let mut put = |name: String, (weight, bias): Layer<'a>| {
        weights.push(Output::copy(format!("{name}.weight"), weight));
        weights.push(Output::copy(format!("{name}.bias"), bias));
    };
    lifting.into_iter().enumerate().for_each(|(i, l)| put(format!("lifting.{i}"), l));
    decoder.into_iter().enumerate().for_each(|(i, l)| put(format!("projection.{i}"), l));
    let mut spectra = Vec::new();
    for (k, (corners, weight, bias)) in convolutions.into_iter().enumerate() {
        spectra.push(corners.output(format!("blocks.{k}.spectral.weight")));
        put(format!("blocks.{k}.skip"), (weight, bias));
    }
    weights.extend(spectra);
    Ok(Draft {
        fields: json!({"architecture": "fno", "fno": fno}),
        inputs,
        outputs: inner,
        scaling: vec![],
        selftest: vec![Stored::field("input", &input), Stored::field("output", &output)],
        tolerance: 1e-9,
        weights,
    })
}
