//! Viscous Burgers equation on a circle, from random fields N(0, 625 (25 - Laplacian)^-2) without waves that 128 points do not carry.
//! The field is the paper's; viscosity and duration are ours.

use std::f64::consts::PI;
use std::sync::Arc;

use pcml::model::boundary::Kind;
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

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

type Wave = Complex<f64>;

fn solve(grid: &Grid, draw: Draw) -> Sample {
    let mut circle = Circle::new(POINTS, VISCOSITY);
    let mut u = circle.rest();
    let normal = draw.normals(2 * WAVES + 1);
    let deviation = |k: usize| 25.0 / ((2.0 * PI * k as f64).powi(2) + 25.0);
    u[0].re = normal[0];
    for k in 1..=WAVES {
        u[k] = Complex::new(normal[2 * k - 1], -normal[2 * k]) * (deviation(k) / f64::sqrt(2.0));
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
pub fn values(u: &[Wave], points: usize) -> Vec<f64> {
    let n = points - 1;
    let turns: Vec<Wave> = (0..n).map(|i| Complex::cis(2.0 * PI * i as f64 / n as f64)).collect();
    let at = |i: usize| u[0].re + 2.0 * (1..u.len()).map(|k| (u[k] * turns[k * i % n]).re).sum::<f64>();
    (0..points).map(|i| at(i % n)).collect()
}

/// Waves exp(2 pi i k x) of a real field on a circle of length 1, products on `points` points without aliases (a third of the waves stays
/// empty): spectral in x. Fourth order in t: Runge-Kutta, diffusion as an integrating factor.
pub struct Circle {
    viscosity: f64,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    field: Vec<f64>,
    spectrum: Vec<Wave>,
}

impl Circle {
    pub fn new(points: usize, viscosity: f64) -> Circle {
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(points), planner.plan_fft_inverse(points));
        let (field, spectrum) = (forward.make_input_vec(), forward.make_output_vec());
        Circle { viscosity, forward, inverse, field, spectrum }
    }

    /// The waves of u = 0.
    pub fn rest(&self) -> Vec<Wave> {
        vec![Complex::default(); self.field.len().div_ceil(3)]
    }

    /// The waves of u at the points from 0 on.
    pub fn waves(&mut self, u: &[f64]) -> Vec<Wave> {
        self.field.copy_from_slice(u);
        self.forward.process(&mut self.field, &mut self.spectrum).expect("sizes of the plan");
        let share = 1.0 / u.len() as f64;
        self.rest().iter().zip(&self.spectrum).map(|(_, u)| u * share).collect()
    }

    /// - (u^2 / 2)_x.
    fn advection(&mut self, u: &[Wave]) -> Vec<Wave> {
        self.spectrum.fill(Complex::default());
        self.spectrum[..u.len()].copy_from_slice(u);
        self.inverse.process(&mut self.spectrum, &mut self.field).expect("sizes of the plan");
        self.field.iter_mut().for_each(|u| *u = 0.5 * *u * *u);
        let scale = 2.0 * PI / self.field.len() as f64;
        self.forward.process(&mut self.field, &mut self.spectrum).expect("sizes of the plan");
        (0..u.len()).map(|k| self.spectrum[k] * Complex::new(0.0, -scale * k as f64)).collect()
    }

    pub fn advance(&mut self, u: &mut [Wave], step: f64, steps: usize) {
        let half: Vec<f64> =
            (0..u.len()).map(|k| f64::exp(-0.5 * step * self.viscosity * (2.0 * PI * k as f64).powi(2))).collect();
        let sum = |f: &dyn Fn(usize) -> Wave| -> Vec<Wave> { (0..half.len()).map(f).collect() };
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
