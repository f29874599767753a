//! BOON as its authors published it (`corrections.py`, `operator.py`): every corrected layer is evaluated on ones at either face, on the
//! input, and on the input corrected once and twice.

use super::fourier;
use super::{Field, activation};
use crate::convert::published::{Published, closed};

/// A kind of condition, with the normalised stencils of the lower and the upper face where it has some.
pub enum Condition {
    /// Values.
    Dirichlet,
    /// Slopes.
    Neumann([Vec<f64>; 2]),
    /// Equal ends.
    Periodic,
}

/// The conditions of a call.
pub struct Faces {
    /// On all faces.
    pub condition: Condition,
    /// left, right, and with three axes top, down: the grid without the face's axis, one channel.
    pub values: Vec<Field>,
}

/// Nodes that the published code smooths over on each side with two axes.
const SMOOTH: usize = 5;

/// The forward pass.
pub fn boon(network: &Published, input: &Field, bounds: [f64; 2], padding: &[usize], faces: &Faces) -> Field {
    let gelu = activation("gelu").expect("known");
    let axes = network.axes;
    let [lift, hidden, last] = &network.dense;
    let none = vec![0; axes];
    let mut padded = Vec::new();
    for (number, values) in faces.values.iter().enumerate() {
        let mut after = padding.to_vec();
        after.remove(number / 2);
        padded.push(if axes == 1 { values.clone() } else { values.padded(&none[1..], &after) });
    }
    let inside = Faces { condition: copy(&faces.condition), values: padded };
    // The one-dimensional code looks for a tensor where a dict is, and finds no face to spare; periodic fields have none.
    let spare = axes > 1 && !matches!(faces.condition, Condition::Periodic);
    let activate = |mut x: Field| {
        for point in 0..x.points() {
            let place = x.place(point);
            let pairs = if axes == 3 { 2 } else { 1 };
            if !spare || !(0..pairs).any(|axis| place[axis] == 0 || place[axis] + 1 == x.grid[axis]) {
                x.point_mut(&place).iter_mut().for_each(|v| *v = gelu(*v));
            }
        }
        x
    };
    let mut x = input.with_coordinates(closed(bounds)).linear(&lift.0, Some(&lift.1)).padded(&none, padding);
    for (b, (conv, weight, bias)) in network.blocks.iter().enumerate() {
        let corners = conv.textbook();
        let spectral = |x: &Field| fourier::convolution(x, network.width, &corners);
        let pointwise = |x: &Field| x.linear(weight, Some(bias));
        let y = corrected(&x, &spectral, &inside).plus(&corrected(&x, &pointwise, &inside));
        x = if b + 1 < network.blocks.len() { activate(y) } else { y };
    }
    let x = activate(x.cropped(&none, &input.grid).linear(&hidden.0, Some(&hidden.1)));
    let mut x = x.linear(&last.0, Some(&last.1));
    enforce(&mut x, faces, true);
    x
}

fn copy(condition: &Condition) -> Condition {
    match condition {
        Condition::Dirichlet => Condition::Dirichlet,
        Condition::Neumann(stencils) => Condition::Neumann(stencils.clone()),
        Condition::Periodic => Condition::Periodic,
    }
}

/// A layer with its correction.
fn corrected(x: &Field, layer: &dyn Fn(&Field) -> Field, faces: &Faces) -> Field {
    let axes = x.grid.len();
    let mut y = match &faces.condition {
        Condition::Periodic => layer(x),
        // The one-dimensional Neumann code leaves the left face out.
        Condition::Neumann(_) => eliminated(x, layer, axes > 1),
        Condition::Dirichlet => eliminated(x, layer, true),
    };
    enforce(&mut y, faces, false);
    if matches!(faces.condition, Condition::Neumann(_)) {
        y.values.iter_mut().for_each(|v| *v *= 0.5);
    }
    y
}

/// `gauss_elimination`.
fn eliminated(x: &Field, layer: &dyn Fn(&Field) -> Field, left: bool) -> Field {
    let axes = x.grid.len();
    let n = x.grid[0];
    let ones = |node: usize| {
        let mut e = Field::zeros(&x.grid, x.channels);
        face_points(&x.grid, 0, node).iter().for_each(|place| e.point_mut(place).fill(1.0));
        layer(&e)
    };
    let guard = |v: f64| match axes {
        1 if v.abs() < 1e-7 => 1e-7,
        2 if v < 1e-4 => 1e-4,
        3 if v.abs() < 1e-4 => 1e-4,
        _ => v,
    };
    // First function and channel, along the last axis where there are several.
    let read = |y: &Field, node: usize, place: &[usize]| {
        let mut at = vec![0; axes];
        at[0] = node;
        if axes > 1 {
            at[axes - 1] = place[axes - 1];
        }
        y.point(&at)[0]
    };
    let (from_first, from_last) = (ones(0), ones(n - 1));
    let mut y = x.clone();
    if left {
        let kx = layer(x);
        for place in face_points(&x.grid, 0, 0) {
            let mut other = place.clone();
            other[0] = n - 1;
            let (k00, kn0) = (guard(read(&from_first, 0, &place)), read(&from_first, n - 1, &place));
            let (knn, k0n) = (guard(read(&from_last, n - 1, &place)), read(&from_last, 0, &place));
            let pivot = guard(k00 - kn0 * k0n / knn);
            for c in 0..x.channels {
                let (k0, kn) = (kx.point(&place)[c], kx.point(&other)[c]);
                y.point_mut(&place)[c] =
                    2.0 * x.point(&place)[c] - (k0 - kn * k0n / knn + k0n * x.point(&other)[c]) / pivot;
            }
        }
    }
    let ky = layer(&y);
    let mut z = y.clone();
    for place in face_points(&x.grid, 0, n - 1) {
        let mut other = place.clone();
        other[0] = 0;
        let knn = guard(read(&from_last, n - 1, &place));
        for c in 0..x.channels {
            // Beyond one axis the published code starts from the other face.
            let base = if axes == 1 { y.point(&place)[c] } else { y.point(&other)[c] };
            z.point_mut(&place)[c] = 2.0 * base - ky.point(&place)[c] / knn;
        }
    }
    layer(&z)
}

/// Sets the conditions; `last` is `strict_enforce_bdy`, which differs where the slopes of both faces read common nodes.
fn enforce(x: &mut Field, faces: &Faces, last: bool) {
    match &faces.condition {
        Condition::Dirichlet => {
            for (number, values) in faces.values.iter().enumerate() {
                let (axis, node) = (number / 2, if number % 2 == 0 { 0 } else { x.grid[number / 2] - 1 });
                for place in face_points(&x.grid, axis, node) {
                    let v = values.point(&without(&place, axis))[0];
                    x.point_mut(&place).fill(v);
                }
            }
            if x.grid.len() == 2 {
                let n = x.grid[0];
                smooth(x, 1..SMOOTH);
                smooth(x, n - SMOOTH..n - 1);
            }
        }
        Condition::Neumann(stencils) => {
            let before = x.clone();
            for (number, (values, stencil)) in faces.values.iter().zip(stencils).enumerate() {
                let n = x.grid[0];
                let source = if last { x.clone() } else { before.clone() };
                let node = if number == 0 { 0 } else { n - 1 };
                for place in face_points(&source.grid, 0, node) {
                    let v = values.point(&without(&place, 0))[0];
                    for c in 0..source.channels {
                        let at = |i: usize| {
                            let mut place = place.clone();
                            place[0] = i;
                            source.point(&place)[c]
                        };
                        let m = stencil.len();
                        let (inverse, sum) = if number == 0 {
                            (stencil[0], (1..m).map(|k| stencil[k] * at(k)).sum::<f64>())
                        } else {
                            (stencil[m - 1], (0..m - 1).map(|k| stencil[k] * at(n - m + k)).sum::<f64>())
                        };
                        x.point_mut(&place)[c] = v * inverse - sum;
                    }
                }
            }
        }
        Condition::Periodic => {
            let pairs = if x.grid.len() == 3 { 2 } else { 1 };
            for axis in 0..pairs {
                for place in face_points(&x.grid, axis, 0) {
                    let mut other = place.clone();
                    other[axis] = x.grid[axis] - 1;
                    for c in 0..x.channels {
                        let mean = 0.5 * x.point(&place)[c] + 0.5 * x.point(&other)[c];
                        x.point_mut(&place)[c] = mean;
                        x.point_mut(&other)[c] = mean;
                    }
                }
            }
        }
    }
}

/// Each of these nodes of the first axis becomes the mean of itself and its neighbours.
fn smooth(x: &mut Field, nodes: std::ops::Range<usize>) {
    let before = x.clone();
    for node in nodes {
        for place in face_points(&before.grid, 0, node) {
            let (mut below, mut above) = (place.clone(), place.clone());
            below[0] -= 1;
            above[0] += 1;
            for c in 0..before.channels {
                x.point_mut(&place)[c] =
                    (before.point(&below)[c] + before.point(&place)[c] + before.point(&above)[c]) / 3.0;
            }
        }
    }
}

/// Points with this index on an axis.
fn face_points(grid: &[usize], axis: usize, node: usize) -> Vec<Vec<usize>> {
    let all = Field::zeros(grid, 0);
    (0..all.points()).map(|point| all.place(point)).filter(|place| place[axis] == node).collect()
}

fn without(place: &[usize], axis: usize) -> Vec<usize> {
    let mut rest = place.to_vec();
    rest.remove(axis);
    rest
}
