//! Viscous Burgers equation with Riemann data: a shock of fixed shape that travels from u_L into fluid at rest. Viscosity 0.1 is the
//! paper's, the states, the places and the durations are ours: fast shocks leave through the right end. A shock that starts outside, to
//! come in through the left end, is ours too: the first state hardly tells when it comes, the boundary values do.

use super::{Axis, Draw, Grid, Problem, Sample, dirichlet};

pub const PROBLEM: Problem = Problem {
    name: "riemann",
    title: "Viscous Burgers equation, Riemann data",
    equation: "u_t + u u_x = 0.1 u_xx",
    parameter: ("u_L", Some(SPEEDS)),
    axes: &[Axis { name: "x", lower: 0.0, upper: 1.0 }, Axis { name: "t", lower: 0.0, upper: 1.0 }],
    input: "u0",
    output: "u",
    points: &[100, 25],
    full: &[500, 25],
    faces: || dirichlet(1),
    solve: |grid, draw| Shock { left: draw.within(0, SPEEDS), start: 0.25 }.sample(grid),
};

pub const INFLOW: Problem = Problem {
    name: "inflow",
    title: "Viscous Burgers equation, a shock that comes in",
    parameter: ("x_0", Some(STARTS)),
    solve: |grid, draw| Shock { left: 2.0, start: draw.within(0, STARTS) }.sample(grid),
    ..PROBLEM
};

const VISCOSITY: f64 = 0.1;
const SPEEDS: [f64; 2] = [1.0, 2.0];
const STARTS: [f64; 2] = [-1.0, 0.0];

/// The travelling wave u_L / 2 (1 - tanh z), z = u_L (x - x_0 - u_L t / 2) / (4 nu): exact.
struct Shock {
    left: f64,
    start: f64,
}

impl Shock {
    fn z(&self, x: f64, t: f64) -> f64 {
        self.left * (x - self.start - 0.5 * self.left * t) / (4.0 * VISCOSITY)
    }

    fn sample(&self, grid: &Grid) -> Sample {
        let rise = |t: f64| log_cosh(self.z(1.0, t)) - log_cosh(self.z(0.0, t));
        let integral = grid.times().iter().map(|t| 0.5 * self.left - 2.0 * VISCOSITY * rise(*t)).collect();
        let sample = grid.closed(&dirichlet(1), |at| 0.5 * self.left * (1.0 - self.z(at[0], at[1]).tanh()));
        Sample { integral: Some(integral), ..sample }
    }
}

fn log_cosh(z: f64) -> f64 {
    z.abs() + f64::ln_1p(f64::exp(-2.0 * z.abs())) - f64::ln(2.0)
}
