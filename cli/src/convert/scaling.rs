//! Scalings of channels that a state dict's owner applied before the network and after it: by mean and standard deviation, or by least and
//! largest value.

use serde_json::{Value, json};

use super::settings::Settings;
use super::state::State;
use crate::error::{Result, refuse};

/// scale x + shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Factor.
    pub scale: f64,
    /// Added after it.
    pub shift: f64,
}

impl Line {
    /// x.
    pub const NONE: Line = Line { scale: 1.0, shift: 0.0 };

    /// This line, then another one.
    pub fn then(self, next: Line) -> Line {
        Line { scale: next.scale * self.scale, shift: next.scale * self.shift + next.shift }
    }

    /// Sets a channel's offset and scale.
    pub fn describe(self, channel: &mut Value) {
        channel["offset"] = json!(self.shift);
        channel["scale"] = json!(self.scale);
    }

    /// What undoes it.
    pub fn inverse(self) -> Line {
        Line { scale: 1.0 / self.scale, shift: -self.shift / self.scale }
    }
}

/// Channel by channel one map after another.
pub fn composed(first: Option<Vec<Line>>, next: &[Line]) -> Vec<Line> {
    match first {
        Some(first) => first.into_iter().zip(next).map(|(a, b)| a.then(*b)).collect(),
        None => next.to_vec(),
    }
}

/// From a network's values to raw ones, by the settings, or tensors of these names: `{kind}_mean` and `{kind}_std`; or `{kind}_min` and
/// `{kind}_max`, which lie at the ends of `{kind}_range`, [0, 1].
pub fn read(kind: &str, channels: usize, state: &State, settings: &Settings) -> Result<Option<Vec<Line>>> {
    let vector = |name: &str| vector(&format!("{kind}_{name}"), channels, state, settings);
    let [mean, std, low, high] = [vector("mean")?, vector("std")?, vector("min")?, vector("max")?];
    let range = settings.numbers(&format!("{kind}_range"), 2)?;
    let by_moments = mean.is_some() || std.is_some();
    match (low, high) {
        (None, None) if range.is_some() => {
            refuse!("setting {kind}_range is given without {kind}_min and {kind}_max")
        }
        (None, None) if !by_moments => Ok(None),
        (None, None) => {
            let (mean, std) = (mean.unwrap_or(vec![0.0; channels]), std.unwrap_or(vec![1.0; channels]));
            if let Some(i) = std.iter().position(|v| *v <= 0.0) {
                return refuse!("{kind}_std is {} for channel {i}, expected a positive number", std[i]);
            }
            Ok(Some(mean.into_iter().zip(std).map(|(shift, scale)| Line { scale, shift }).collect()))
        }
        (Some(_), Some(_)) if by_moments => {
            refuse!("{kind}_mean or {kind}_std is given beside {kind}_min, expected one way of scaling")
        }
        (Some(low), Some(high)) => {
            let [a, b] = range.map_or([0.0, 1.0], |range| [range[0], range[1]]);
            if a >= b {
                return refuse!("setting {kind}_range is [{a}, {b}], expected the lower end first");
            }
            if let Some(i) = low.iter().zip(&high).position(|(low, high)| low >= high) {
                return refuse!(
                    "{kind}_min is {} and {kind}_max {} for channel {i}, expected a larger one",
                    low[i],
                    high[i]
                );
            }
            let line = |(low, high): (f64, f64)| {
                let scale = (high - low) / (b - a);
                Line { scale, shift: low - a * scale }
            };
            Ok(Some(low.into_iter().zip(high).map(line).collect()))
        }
        (Some(_), None) => refuse!("{kind}_min is given, expected {kind}_max too"),
        (None, Some(_)) => refuse!("{kind}_max is given, expected {kind}_min too"),
    }
}

/// One number a channel, or one for all: from a setting, or a tensor of that name.
fn vector(name: &str, channels: usize, state: &State, settings: &Settings) -> Result<Option<Vec<f64>>> {
    let said = settings.numbers(name, channels)?;
    let tensor = if state.has(name) { Some(state.take(name)?) } else { state.beside(name) };
    let Some(tensor) = tensor else { return Ok(said) };
    let values = match tensor.elements() {
        1 => vec![tensor.at(0); channels],
        n if n == channels => tensor.values(),
        _ => return refuse!("tensor {name} has shape {:?}, expected {channels} values", tensor.shape),
    };
    if let Some(i) = values.iter().position(|v| !v.is_finite()) {
        return refuse!("tensor {name} is {} for channel {i}, expected a finite number", values[i]);
    }
    match said {
        Some(said) if said != values => refuse!("setting {name} is {said:?}, but the tensor {name} has {values:?}"),
        _ => Ok(Some(values)),
    }
}
