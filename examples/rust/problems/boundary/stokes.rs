//! Stokes' second problem: fluid above a plate that swings in its own plane. Viscosity 0.1 is the paper's, the frequencies are ours.

use super::{Axis, Draw, Grid, Problem, Sample, dirichlet};

pub const PROBLEM: Problem = Problem {
    name: "stokes",
    title: "Stokes' second problem",
    equation: "u_t = 0.1 u_yy",
    parameter: ("w", Some(RANGE)),
    axes: &[Axis { name: "y", lower: 0.0, upper: 1.0 }, Axis { name: "t", lower: 0.0, upper: 2.0 }],
    input: "u0",
    output: "u",
    points: &[100, 25],
    full: &[500, 25],
    faces: || dirichlet(1),
    solve,
};

const VISCOSITY: f64 = 0.1;
const SPEED: f64 = 2.0;
const RANGE: [f64; 2] = [3.0, 4.0];

/// The exact solution far above the plate.
fn solve(grid: &Grid, draw: Draw) -> Sample {
    let w = draw.within(0, RANGE);
    let k = (w / (2.0 * VISCOSITY)).sqrt();
    grid.closed(&dirichlet(1), |at| SPEED * f64::exp(-k * at[0]) * (k * at[0] - w * at[1]).cos())
}
