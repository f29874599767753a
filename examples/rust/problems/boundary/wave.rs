//! A standing wave in a square with reflecting walls. Amplitudes and duration are ours.

use std::f64::consts::{PI, SQRT_2};

use super::{Axis, Draw, Face, Grid, Problem, Sample, THIRD_ORDER, neumann};

pub const PROBLEM: Problem = Problem {
    name: "wave",
    title: "Wave equation in two dimensions",
    equation: "u_tt = u_xx + u_yy",
    parameter: ("A", Some(RANGE)),
    axes: &[
        Axis { name: "x", lower: 0.0, upper: 1.0 },
        Axis { name: "y", lower: 0.0, upper: 1.0 },
        Axis { name: "t", lower: 0.0, upper: 2.0 },
    ],
    input: "u0",
    output: "u",
    points: &[25, 25, 13],
    full: &[50, 50, 25],
    faces,
    solve,
};

const RANGE: [f64; 2] = [3.0, 4.0];

/// No flux through any wall, third order.
fn faces() -> Vec<Face> {
    let lower: Vec<f64> = THIRD_ORDER.iter().rev().map(|c| -c).collect();
    (0..2).flat_map(|axis| [neumann(axis, -1, &lower), neumann(axis, 1, &THIRD_ORDER)]).collect()
}

fn solve(grid: &Grid, draw: Draw) -> Sample {
    let amplitude = draw.within(0, RANGE);
    let u = |at: &[f64]| amplitude * (PI * at[0]).cos() * (PI * at[1]).cos() * (SQRT_2 * PI * at[2]).cos();
    // Reflecting walls keep the integral, here that of u(., 0).
    Sample { integral: Some(vec![0.0; grid.times().len()]), ..grid.closed(&faces(), u) }
}
