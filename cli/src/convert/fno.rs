//! The original code of Fourier neural operators (Li et al., ICLR 2021): `fourier_1d.py`, `fourier_2d.py`, `fourier_3d.py` and
//! `fourier_2d_time.py` in their second generation, with `fc0`, `conv{b}`, `w{b}`, `fc1`, `fc2`.

use serde_json::json;

use super::published::{Published, closed};
use super::settings::Settings;
use super::state::State;
use super::textbook::{ACTIVATIONS, Field, activation, fourier};
use super::{Draft, Stored, test_grid};
use crate::draws::Draws;
use crate::error::{Result, refuse};

pub fn draft<'a>(state: &'a State, settings: &Settings) -> Result<Draft<'a>> {
    let coordinates = settings.flag("coordinates", true)?;
    let bounds = [settings.number("lb", 0.0)?, settings.number("ub", 1.0)?];
    let act = settings.word("activation", "gelu", &ACTIVATIONS)?;
    let network = Published::take(state, "", coordinates)?;
    let axes = network.axes;
    let Some(padding) = settings.counts("padding", axes)? else {
        return refuse!(
            "setting padding is not given, and the state dict does not hold it: cells after the last point of each of {axes} axes, 0 for \
             none; the published scripts have 0 or 2 for one axis, 9 for two, [0, 0, 6] for three"
        );
    };
    settings.agree("width", network.width)?;

    let f = activation(act).expect("a known activation");
    let grid = test_grid(&network.blocks[0].0.kept());
    let input = Field {
        values: Draws::new(1).take(grid.iter().product::<usize>() * network.inputs),
        channels: network.inputs,
        grid,
    };
    let [lift, hidden, last] = &network.dense;
    let x = if coordinates { input.with_coordinates(closed(bounds)) } else { input.clone() };
    let none = vec![0; axes];
    let mut x = x.linear(&lift.0, Some(&lift.1)).padded(&none, &padding);
    for (b, (conv, weight, bias)) in network.blocks.iter().enumerate() {
        let y = fourier::convolution(&x, network.width, &conv.textbook()).plus(&x.linear(weight, Some(bias)));
        x = if b + 1 < network.blocks.len() { y.map(f) } else { y };
    }
    let x = x.cropped(&none, &input.grid);
    let output = x.linear(&hidden.0, Some(&hidden.1)).map(f).linear(&last.0, Some(&last.1));

    let numbers = network.numbers(act, coordinates.then_some(bounds), &padding);
    Ok(Draft {
        fields: json!({"architecture": "fno", "fno": numbers}),
        inputs: network.inputs,
        outputs: network.outputs,
        scaling: vec![],
        selftest: vec![Stored::field("input", &input), Stored::field("output", &output)],
        tolerance: 1e-9,
        weights: network.weights(),
    })
}
