//! Viscous Burgers equation on a circle, from random fields N(0, 625 (25 - Laplacian)^-2) without waves that 128 points do not carry.
//! The field is the paper's; viscosity and duration are ours.

use std::f64::consts::PI;
use std::sync::Arc;

use faer::c64;
use pcml::model::boundary::Kind;
use rustfft::{Fft, FftPlanner};

use super::{Axis, Draw, Face, Grid, Problem, Sample};

pub const PROBLEM: Problem = Problem {
    name: "burgers_periodic",
    title: "Viscous Burgers equation, periodic",
    equation: "u_t + u u_x = 0.02 u_xx",
    parameter: ("u0", None),
    // The last point is the first.
    axes: &[Axis { name: "x", lower: 0.0, upper: 1.0 }, Axis { name: "t", lower: 0.0, upper: LAST }],
    input: "u0",
    output: "u",
    points: &[128, 25],
    full: &[128, 25],
    faces: || vec![Face { axis: 0, side: -1, kind: Kind::Periodic, stencil: vec![], spacing: None }],
    solve,
};

const VISCOSITY: f64 = 0.02;
const LAST: f64 = 1.0;
const WAVES: usize = 63;
const POINTS: usize = 512;
const STEPS: usize = 2000;

fn solve(grid: &Grid, draw: Draw) -> Sample {
    let mut circle = Circle::new(POINTS, VISCOSITY);
    let mut u = circle.rest();
    let normal = draw.normals(2 * WAVES + 1);
    let deviation = |k: usize| 25.0 / ((2.0 * PI * k as f64).powi(2) + 25.0);
    u[0].re = normal[0];
    for k in 1..=WAVES {
        u[k] = c64::new(normal[2 * k - 1], -normal[2 * k]) * (deviation(k) / f64::sqrt(2.0));
    }
    let (points, times) = (grid.axes[0].len(), grid.times().len());
    let (mean, initial) = (u[0].re, values(&u, points));
    let steps = STEPS.div_ceil(times);
    let states: Vec<_> = (0..times)
        .map(|_| {
            circle.advance(&mut u, LAST / (times * steps) as f64, steps);
            values(&u, points)
        })
        .collect();
    Sample {
        input: grid.repeat(&initial),
        output: grid.stack(&states),
        faces: vec![],
        integral: Some(vec![mean; times]),
    }
}

/// u at points from 0 to 1, both ends included.
pub fn values(u: &[c64], points: usize) -> Vec<f64> {
    let n = points - 1;
    let turn = |i: usize| 2.0 * PI * i as f64 / n as f64;
    let turns: Vec<c64> = (0..n).map(|i| c64::new(turn(i).cos(), turn(i).sin())).collect();
    let at = |i: usize| u[0].re + 2.0 * (1..u.len()).map(|k| (u[k] * turns[k * i % n]).re).sum::<f64>();
    (0..points).map(|i| at(i % n)).collect()
}

/// c64s exp(2 pi i k x) of a real field on a circle of length 1, products on `points` points without aliases (a third of the waves stays
/// empty): spectral in x. Fourth order in t: Runge-Kutta, diffusion as an integrating factor.
pub struct Circle {
    viscosity: f64,
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
    field: Vec<c64>,
    scratch: Vec<c64>,
}

impl Circle {
    pub fn new(points: usize, viscosity: f64) -> Circle {
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(points), planner.plan_fft_inverse(points));
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let (field, scratch) = (vec![c64::default(); points], vec![c64::default(); scratch]);
        Circle { viscosity, forward, inverse, field, scratch }
    }

    fn count(&self) -> usize {
        self.field.len().div_ceil(3)
    }

    /// The waves of u = 0.
    pub fn rest(&self) -> Vec<c64> {
        vec![c64::default(); self.count()]
    }

    /// The waves of u at the points from 0 on.
    pub fn waves(&mut self, u: &[f64]) -> Vec<c64> {
        self.field.iter_mut().zip(u).for_each(|(to, u)| *to = c64::new(*u, 0.0));
        self.waves_of_field()
    }

    fn waves_of_field(&mut self) -> Vec<c64> {
        self.forward.process_with_scratch(&mut self.field, &mut self.scratch);
        let share = 1.0 / self.field.len() as f64;
        self.field[..self.count()].iter().map(|u| u * share).collect()
    }

    /// - (u^2 / 2)_x.
    fn advection(&mut self, u: &[c64]) -> Vec<c64> {
        let n = self.field.len();
        self.field.fill(c64::default());
        self.field[0].re = u[0].re;
        for (k, u) in u.iter().enumerate().skip(1) {
            (self.field[k], self.field[n - k]) = (*u, u.conj());
        }
        self.inverse.process_with_scratch(&mut self.field, &mut self.scratch);
        self.field.iter_mut().for_each(|u| *u = c64::new(0.5 * u.re * u.re, 0.0));
        let waves = self.waves_of_field();
        waves.into_iter().enumerate().map(|(k, u)| u * c64::new(0.0, -2.0 * PI * k as f64)).collect()
    }

    pub fn advance(&mut self, u: &mut [c64], step: f64, steps: usize) {
        let half: Vec<f64> =
            (0..u.len()).map(|k| f64::exp(-0.5 * step * self.viscosity * (2.0 * PI * k as f64).powi(2))).collect();
        let sum = |f: &dyn Fn(usize) -> c64| -> Vec<c64> { (0..half.len()).map(f).collect() };
        for _ in 0..steps {
            let a = self.advection(u);
            let b = self.advection(&sum(&|k| half[k] * (u[k] + 0.5 * step * a[k])));
            let c = self.advection(&sum(&|k| half[k] * u[k] + 0.5 * step * b[k]));
            let d = self.advection(&sum(&|k| half[k] * (half[k] * u[k] + step * c[k])));
            for (k, h) in half.iter().enumerate() {
                u[k] = h * h * u[k] + step / 6.0 * (h * h * a[k] + 2.0 * h * (b[k] + c[k]) + d[k]);
            }
        }
    }
}
