//! A bar, insulated on the left, heated on the right; as in the published code.

use std::f64::consts::PI;

use super::{Axis, Draw, Face, Grid, Problem, Sample, THIRD_ORDER, neumann};

pub const PROBLEM: Problem = Problem {
    name: "heat_wall",
    title: "Heat equation between an insulated and a heated wall",
    equation: "u_t = 0.01 u_xx, u_x(0, t) = 0, u_x(1, t) = 5 sin(pi t)",
    parameter: ("w", Some(RANGE)),
    axes: &[Axis { name: "x", lower: 0.0, upper: 1.0 }, Axis { name: "t", lower: 0.0, upper: LAST }],
    input: "u0",
    output: "u",
    points: &[100, 25],
    full: &[1024, 25],
    faces,
    solve,
};

pub const DIFFUSIVITY: f64 = 0.01;
pub const FLUX: f64 = 5.0;
const LAST: f64 = 2.0;
const RANGE: [f64; 2] = [2.01, 3.99];
/// Cells of the solver to one of the grid, and its steps between two times.
const REFINEMENT: usize = 8;
const STEPS: usize = 20;

fn faces() -> Vec<Face> {
    vec![neumann(0, -1, &[-1.0, 1.0]), neumann(0, 1, &THIRD_ORDER)]
}

fn solve(grid: &Grid, draw: Draw) -> Sample {
    let w = draw.within(0, RANGE);
    let cells = REFINEMENT * (grid.axes[0].len() - 1);
    let initial: Vec<f64> = (0..=cells).map(|i| (w * PI * i as f64 / cells as f64).cos()).collect();
    let coarse = |u: &[f64]| -> Vec<f64> { u.iter().step_by(REFINEMENT).copied().collect() };
    let times = grid.times();
    let states: Vec<_> = Bar::new(cells, LAST / (times.len() * STEPS) as f64)
        .solve(&initial, times.len(), STEPS)
        .iter()
        .map(|u| coarse(u))
        .collect();
    // What was there, and what came through the right wall since.
    let heat = |t: &f64| (w * PI).sin() / (w * PI) + DIFFUSIVITY * FLUX * (1.0 - (PI * t).cos()) / PI;
    Sample {
        input: grid.repeat(&coarse(&initial)),
        output: grid.stack(&states),
        faces: vec![vec![0.0; times.len()], times.iter().map(|t| flux(*t)).collect()],
        integral: Some(times.iter().map(heat).collect()),
    }
}

/// u_x at the right wall.
fn flux(t: f64) -> f64 {
    FLUX * (PI * t).sin()
}

/// Crank-Nicolson on equal cells between nodes: second order in x and t. u_x at the ends gives the value of a ghost node beyond. The first
/// step is four quarter steps of implicit Euler, which damp what a u(., 0) without the flux 0 on the right excites.
pub struct Bar {
    cells: usize,
    step: f64,
}

impl Bar {
    pub fn new(cells: usize, step: f64) -> Bar {
        Bar { cells, step }
    }

    /// The states after `steps` steps, twice as many, ..
    pub fn solve(&self, initial: &[f64], times: usize, steps: usize) -> Vec<Vec<f64>> {
        let (n, step) = (self.cells, self.step);
        let source = |t: f64| 2.0 * n as f64 * DIFFUSIVITY * flux(t);
        let ratio = DIFFUSIVITY * step * (n * n) as f64;
        let (euler, half) = (Implicit::new(n, 0.25 * ratio), Implicit::new(n, 0.5 * ratio));
        let mut u = initial.to_vec();
        for i in 1..=4 {
            u[n] += 0.25 * step * source(0.25 * i as f64 * step);
            euler.solve(&mut u);
        }
        let mut states = Vec::new();
        for i in 1..=times * steps {
            if i > 1 {
                let mut right: Vec<f64> = (0..=n)
                    .map(|k| {
                        let (before, after) = (u[k.checked_sub(1).unwrap_or(1)], u[if k == n { n - 1 } else { k + 1 }]);
                        u[k] + 0.5 * ratio * (before - 2.0 * u[k] + after)
                    })
                    .collect();
                right[n] += 0.5 * step * (source((i - 1) as f64 * step) + source(i as f64 * step));
                half.solve(&mut right);
                u = right;
            }
            if i % steps == 0 {
                states.push(u.clone());
            }
        }
        states
    }
}

/// (I - r L) u = right, L the second differences of nodes 0 to n, by elimination.
struct Implicit {
    r: f64,
    upper: Vec<f64>,
    pivot: Vec<f64>,
}

impl Implicit {
    fn new(n: usize, r: f64) -> Implicit {
        let (mut upper, mut pivot) = (vec![-2.0 * r / (1.0 + 2.0 * r)], vec![1.0 + 2.0 * r]);
        for i in 1..=n {
            pivot.push(1.0 + 2.0 * r - Self::lower(n, r, i) * upper[i - 1]);
            upper.push(-r / pivot[i]);
        }
        Implicit { r, upper, pivot }
    }

    fn lower(n: usize, r: f64, i: usize) -> f64 {
        if i == n { -2.0 * r } else { -r }
    }

    fn solve(&self, u: &mut [f64]) {
        let n = u.len() - 1;
        u[0] /= self.pivot[0];
        for i in 1..=n {
            u[i] = (u[i] - Self::lower(n, self.r, i) * u[i - 1]) / self.pivot[i];
        }
        for i in (0..n).rev() {
            u[i] -= self.upper[i] * u[i + 1];
        }
    }
}
