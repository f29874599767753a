//! The published code of BOON (Saad et al., ICLR 2023): `BOON_FNO1d`, `BOON_FNO2d`, `BOON_FNO3d`, and their base operators.

use serde_json::{Value, json};

use super::published::{Published, closed};
use super::settings::Settings;
use super::state::State;
use super::textbook::boon::{Condition, Faces, boon};
use super::textbook::{Field, activation, fourier};
use super::{Draft, Stored, test_grid};
use crate::draws::Draws;
use crate::error::{Result, refuse};

/// Sides in the order of the published code: axis and side.
const SIDES: [(&str, usize, i32); 4] = [("left", 0, -1), ("right", 0, 1), ("top", 1, -1), ("down", 1, 1)];

pub fn draft<'a>(state: &'a State, settings: &Settings) -> Result<Draft<'a>> {
    let corrected = state.has("base_no.conv0.weights1");
    let base = if corrected { "base_no." } else { "" };
    let mut network = Published::take(state, base, true)?;
    let axes = network.axes;
    settings.ignore(&["name", "shape", "s"]);
    settings.agree("dim", axes)?;
    settings.agree("width", network.width)?;
    if let Some(modes) = settings.counts("modes", axes)?
        && modes != network.blocks[0].0.modes()
    {
        return refuse!("setting modes is {modes:?}, but the tensors have {:?}", network.blocks[0].0.modes());
    }
    let bounds = [settings.number("lb", 0.0)?, settings.number("ub", 1.0)?];
    let kind = settings.word("bc", "none", &["none", "dirichlet", "neumann", "periodic"])?;
    if corrected && kind == "none" {
        return refuse!("setting bc is not given, and the state dict does not hold it: dirichlet, neumann or periodic");
    }
    if !corrected && kind != "none" {
        return refuse!(
            "setting bc is {kind}, but the tensors are those of a base operator: base_no.conv0.weights1 is missing"
        );
    }
    if axes == 3 && kind != "none" && kind != "dirichlet" {
        return refuse!("setting bc is {kind}, but the published code has dirichlet alone on three axes");
    }
    if network.outputs != 1 && kind != "none" {
        return refuse!(
            "fc2.weight has {} outputs, expected 1: the published code sets the first one alone",
            network.outputs
        );
    }
    drop_unread(state, corrected, axes)?;
    let stencils = if kind == "neumann" {
        Some([stencil(state, settings, "left")?, stencil(state, settings, "right")?])
    } else {
        None
    };

    // The published code pads the base operators so, and under BOON the last axis alone.
    let padding = match (axes, kind) {
        (1, _) | (_, "periodic") => vec![0; axes],
        (2, "none") => vec![9, 9],
        (2, _) => vec![0, 9],
        _ => vec![0, 0, 6],
    };
    let padding = settings.counts("padding", axes)?.unwrap_or(padding);
    if kind != "none" && padding[..axes - 1].iter().any(|cells| *cells > 0) {
        return refuse!("setting padding is {padding:?}, expected none on axes with conditions");
    }

    let grid = test_grid(&network.blocks[0].0.kept());
    let mut draws = Draws::new(2);
    let input =
        Field { values: draws.take(grid.iter().product::<usize>() * network.inputs), channels: network.inputs, grid };
    let mut selftest = vec![Stored::field("input", &input)];
    let mut fields = json!({"architecture": "fno"});
    let output = if kind == "none" {
        plain(&network, &input, bounds, &padding)
    } else {
        let condition = match kind {
            "dirichlet" => Condition::Dirichlet,
            "periodic" => Condition::Periodic,
            _ => Condition::Neumann(stencils.clone().expect("stencils")),
        };
        let mut list = Vec::new();
        let mut values = Vec::new();
        for (number, (_, axis, side)) in SIDES.into_iter().take(if axes == 3 { 4 } else { 2 }).enumerate() {
            if kind == "periodic" {
                if side < 0 {
                    list.push(json!({"axis": axis, "side": side, "kind": kind}));
                }
                continue;
            }
            let mut face = json!({"axis": axis, "side": side, "kind": kind});
            if let Some(stencils) = &stencils {
                face["stencil"] = json!(coefficients(&stencils[number], side));
                face["spacing"] = json!(1.0);
            }
            list.push(face);
            let mut shape = input.grid.clone();
            shape.remove(axis);
            let face = Field { values: draws.take(shape.iter().product()), channels: 1, grid: shape };
            selftest.push(Stored::field(&format!("face.{number}"), &face));
            values.push(face);
        }
        fields["boon"] = json!({"rule": "seed", "faces": list});
        boon(&network, &input, bounds, &padding, &Faces { condition, values })
    };
    selftest.push(Stored::field("output", &output));

    if !corrected && axes == 1 {
        // The published FNO1d computes its last layer and throws the result away.
        network.blocks.pop();
    }
    fields["fno"] = network.numbers("gelu", Some(bounds), &padding);
    if !corrected && axes == 1 {
        fields["fno"]["last_activation"] = Value::Bool(true);
    }
    Ok(Draft {
        fields,
        inputs: network.inputs,
        outputs: network.outputs,
        scaling: vec![],
        selftest,
        tolerance: 1e-9,
        weights: network.weights(),
    })
}

/// Tensors of the published modules that no forward pass reads, or that are there twice.
fn drop_unread(state: &State, corrected: bool, axes: usize) -> Result<()> {
    let names: Vec<String> = state.names().map(String::from).collect();
    for name in names {
        // The corrections wrap the layers, whose tensors a state dict lists once more.
        if let Some((number, rest)) = ["conv_correction", "w_correction"].iter().find_map(|wrapper| {
            let rest = name.strip_prefix(wrapper)?;
            let (number, rest) = rest.split_once(".layer.")?;
            Some((format!("{}{number}", wrapper.trim_end_matches("_correction")), rest))
        }) {
            let original = format!("base_no.{number}.{rest}");
            if !corrected || !state.take(&name)?.same(&state.take(&original)?) {
                return refuse!("tensor {name} differs from {original}, expected the same layer");
            }
        }
        let inner = name.strip_prefix("base_no.");
        let unread = (corrected && inner.is_some_and(|n| ["fc0.", "fc1.", "fc2."].iter().any(|fc| n.starts_with(fc))))
            || (axes == 3 && inner.unwrap_or(&name).starts_with("bn"));
        if unread {
            state.drop_prefix(&name)?;
        }
    }
    Ok(())
}

/// The normalised stencil of a side: 1/c_0 at the face, c_k/c_0 elsewhere, in the order of coordinates.
fn stencil(state: &State, settings: &Settings, side: &str) -> Result<Vec<f64>> {
    let name = format!("stencil_{side}");
    let given = match settings.list(&name)? {
        Some(list) => list,
        None => match state.beside(&name) {
            Some(tensor) => tensor.values(),
            None => {
                return refuse!(
                    "setting {name} is not given, and the file has no such tensor: the coefficients of the published code, 1/c_0 at the \
                     face and c_k/c_0 elsewhere"
                );
            }
        },
    };
    if given.len() < 2 || given.iter().any(|c| !c.is_finite()) {
        return refuse!("{name} is {given:?}, expected at least 2 finite coefficients");
    }
    Ok(given)
}

/// Plain coefficients of a normalised stencil.
fn coefficients(stencil: &[f64], side: i32) -> Vec<f64> {
    let at = if side < 0 { 0 } else { stencil.len() - 1 };
    stencil.iter().enumerate().map(|(k, v)| if k == at { 1.0 / v } else { v / stencil[at] }).collect()
}

/// The base operators.
fn plain(network: &Published, input: &Field, bounds: [f64; 2], padding: &[usize]) -> Field {
    let gelu = activation("gelu").expect("known");
    let [lift, hidden, last] = &network.dense;
    let none = vec![0; network.axes];
    let mut x = input.with_coordinates(closed(bounds)).linear(&lift.0, Some(&lift.1)).padded(&none, padding);
    for (b, (conv, weight, bias)) in network.blocks.iter().enumerate() {
        let y = fourier::convolution(&x, network.width, &conv.textbook()).plus(&x.linear(weight, Some(bias)));
        if b + 1 < network.blocks.len() {
            x = y.map(gelu);
        } else if network.axes > 1 {
            x = y;
        }
    }
    x.cropped(&none, &input.grid).linear(&hidden.0, Some(&hidden.1)).map(gelu).linear(&last.0, Some(&last.1))
}
