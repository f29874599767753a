//! Viscous Burgers equation with Riemann data: a shock of fixed shape that travels from u_L into fluid at rest. Viscosity 0.1 is the
//! paper's, the states, the place and the duration are ours: fast shocks leave through the right end.

use super::{Axis, Draw, Grid, Problem, Sample, dirichlet};

pub const PROBLEM: Problem = Problem {
    name: "riemann",
    title: "Viscous Burgers equation, Riemann data",
    equation: "u_t + u u_x = 0.1 u_xx",
    parameter: ("u_L", Some(RANGE)),
    axes: &[Axis { name: "x", lower: 0.0, upper: 1.0 }, Axis { name: "t", lower: 0.0, upper: 1.0 }],
    input: "u0",
    output: "u",
    points: &[100, 25],
    full: &[500, 25],
    faces: || dirichlet(1),
    solve,
};

const VISCOSITY: f64 = 0.1;
const START: f64 = 0.25;
const RANGE: [f64; 2] = [1.0, 2.0];

/// The travelling wave u_L / 2 (1 - tanh z), z = u_L (x - x_0 - u_L t / 2) / (4 nu): exact.
fn solve(grid: &Grid, draw: Draw) -> Sample {
    let left = draw.within(0, RANGE);
    let z = |x: f64, t: f64| left * (x - START - 0.5 * left * t) / (4.0 * VISCOSITY);
    let rise = |t: f64| log_cosh(z(1.0, t)) - log_cosh(z(0.0, t));
    let integral = grid.times().iter().map(|t| 0.5 * left - 2.0 * VISCOSITY * rise(*t)).collect();
    let sample = grid.closed(&dirichlet(1), |at| 0.5 * left * (1.0 - z(at[0], at[1]).tanh()));
    Sample { integral: Some(integral), ..sample }
}

fn log_cosh(z: f64) -> f64 {
    z.abs() + f64::ln_1p(f64::exp(-2.0 * z.abs())) - f64::ln(2.0)
}
