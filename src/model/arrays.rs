//! The caller's arrays as a network meets them: shapes, finite values, network units.

use std::fmt::Display;

use super::Channel;
use crate::error::{Result, fail};
use crate::field::{Dtype, Layout, Sharing, sharing};
use crate::kernels::real::Real;
use crate::kernels::strided::{View, ViewMut};

pub(super) fn all_finite<T: Real>(x: &[T]) -> bool {
    x.iter().all(|v| v.to_f64().is_finite())
}

/// Hands over points first .. first + count in network units, one channel value at a time.
pub(super) fn scaled<T: Real>(
    view: &View,
    first: usize,
    count: usize,
    width: usize,
    channels: &[Channel],
    mut put: impl FnMut(usize, usize, T),
) {
    let mut buffer = [0.0; 64];
    let each = buffer.len().min(count * width);
    let total = count * width;
    let mut done = 0;
    while done < total {
        let part = &mut buffer[..each.min(total - done)];
        view.gather(first * width + done, part);
        for (i, v) in part.iter().enumerate() {
            let (point, channel) = ((done + i) / width, (done + i) % width);
            let c = &channels[channel];
            put(point, channel, T::from_f64((v - c.offset) / c.scale));
        }
        done += part.len();
    }
}

/// Accepts [outer, middle, inner], and without axes of extent 1: [middle, inner] and, where inner is 1, [.., middle].
pub(super) fn expect_shape(name: &str, shape: &[usize], outer: usize, middle: usize, inner: usize) -> Result<()> {
    let fits = match *shape {
        [a, b, c] => (a, b, c) == (outer, middle, inner),
        [b, c] => (outer == 1 && (b, c) == (middle, inner)) || (inner == 1 && (b, c) == (outer, middle)),
        [b] => outer == 1 && inner == 1 && b == middle,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    fail!(Shape, "{name} has shape {shape:?}, expected [{outer}, {middle}, {inner}] (axes of extent 1 may be left out)")
}

/// Accepts the extents of `shape`, with or without axes of extent 1.
pub(super) fn expect_extents(
    name: impl Display,
    array: &Layout,
    shape: impl Iterator<Item = usize> + Clone,
) -> Result<()> {
    let found = array.shape();
    // Nearly always, and sooner seen.
    if found.iter().copied().eq(shape.clone()) {
        return Ok(());
    }
    if found.iter().copied().filter(|n| *n != 1).eq(shape.clone().filter(|n| *n != 1)) {
        return Ok(());
    }
    let shape: Vec<usize> = shape.collect();
    fail!(Shape, "{name} has shape {found:?}, expected {shape:?} (axes of extent 1 may be left out)")
}

pub(super) fn shape_error(name: &str, view: &View, expected: &str) -> Result<()> {
    fail!(Shape, "{name} has shape {:?}, expected {expected}", view.layout().shape())
}

/// Accepts target points [m, inputs] for all functions or [functions, m, inputs], at most as many as the plan's option admits; axes of
/// extent 1 may be left out. Whether they serve all functions, and m. Processes; the points of a DeepONet, whose self-test has them so, may be
/// [1, m, inputs] too.
pub(super) fn check_targets(
    x: &View,
    functions: usize,
    inputs: usize,
    (most, option): (usize, &str),
) -> Result<(bool, usize)> {
    let shape = x.layout().shape();
    let (shared, targets) = match *shape {
        [targets] if inputs == 1 => (true, targets),
        [copies, targets] if inputs == 1 && targets > 1 => (copies == 1 && functions == 1, targets),
        [targets, _] => (true, targets),
        [copies, targets, _] => (copies == 1 && functions == 1, targets),
        _ => {
            return fail!(
                Shape,
                "target_x has shape {shape:?}, expected [targets, {inputs}] or [{functions}, targets, {inputs}]"
            );
        }
    };
    expect_shape("target_x", shape, if shared { 1 } else { functions }, targets, inputs)?;
    at_most("target_x", "targets", targets, most, option)?;
    finite("target_x", x, targets, inputs)?;
    Ok((shared, targets))
}

pub(super) fn at_most(name: &str, what: &str, value: usize, most: usize, option: &str) -> Result<()> {
    if value > most {
        return fail!(Shape, "{name} has {value} {what}, expected at most the plan's option {option}, {most}");
    }
    Ok(())
}

/// NaN and infinity are refused by name and place.
pub(super) fn finite(name: &str, view: &View, middle: usize, inner: usize) -> Result<()> {
    match view.first_non_finite() {
        None => Ok(()),
        Some((i, value)) => {
            let (outer, middle_at, inner_at) = (i / (middle * inner), i / inner % middle, i % inner);
            fail!(NonFinite, "{name}[{outer}, {middle_at}, {inner_at}] is {value}, expected finite values")
        }
    }
}

/// Results that share memory are refused.
pub(super) fn apart(name: &str, array: &ViewMut, mean: &ViewMut) -> Result<()> {
    if sharing(&array.place(), &mean.place()) != Sharing::Disjoint {
        return fail!(Stride, "mean and {name} overlap in memory, expected arrays apart");
    }
    Ok(())
}

/// Refuses results that an array of this dtype cannot hold.
pub(super) fn in_range(dtype: Dtype, values: &[f64]) -> Result<()> {
    if !all_finite(values) {
        return fail!(NonFinite, "the prediction overflows");
    }
    if values.iter().any(|v| v.abs() > dtype.max()) {
        return fail!(NonFinite, "the prediction is beyond the range of f32");
    }
    Ok(())
}
