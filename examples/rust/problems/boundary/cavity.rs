//! The lid-driven cavity: fluid at rest in a box, whose lid starts to move at t = 0. Vorticity, with its values at the walls given, as in
//! the published code. Viscosity 0.01 (Reynolds number 100 at lid speed 1) and times are the paper's, the lid speeds are ours.

use std::f64::consts::PI;

use super::{Axis, Draw, Grid, Problem, Sample, dirichlet};

pub const PROBLEM: Problem = Problem {
    name: "cavity",
    title: "Lid-driven cavity, vorticity",
    equation: "w_t + u w_x + v w_y = 0.01 (w_xx + w_yy), w = v_x - u_y",
    parameter: ("lid speed", Some(RANGE)),
    axes: &[
        Axis { name: "x", lower: 0.0, upper: 1.0 },
        Axis { name: "y", lower: 0.0, upper: 1.0 },
        Axis { name: "t", lower: 0.0, upper: LAST },
    ],
    input: "w0",
    output: "w",
    points: &[24, 24, 13],
    full: &[50, 50, 25],
    faces: || dirichlet(2),
    solve,
};

pub const VISCOSITY: f64 = 0.01;
const LAST: f64 = 2.0;
pub const RANGE: [f64; 2] = [0.5, 1.5];
/// Cells of the solver to one of the grid.
const REFINEMENT: usize = 2;

fn solve(grid: &Grid, draw: Draw) -> Sample {
    let points = grid.axes[0].len();
    assert_eq!(points, grid.axes[1].len(), "a square of equal cells");
    let cells = REFINEMENT * (points - 1);
    let mut cavity = Cavity::new(cells, VISCOSITY, |_| draw.within(0, RANGE));
    let coarse = |w: &[f64]| -> Vec<f64> {
        let kept = |line: &[f64]| line.iter().step_by(REFINEMENT).copied().collect::<Vec<_>>();
        w.chunks_exact(cells + 1).step_by(REFINEMENT).flat_map(kept).collect()
    };
    let initial = coarse(cavity.vorticity());
    let interval = LAST / grid.times().len() as f64;
    let states: Vec<_> = grid
        .times()
        .iter()
        .map(|_| {
            cavity.advance(interval);
            coarse(cavity.vorticity())
        })
        .collect();
    let output = grid.stack(&states);
    let faces = dirichlet(2).iter().map(|face| grid.face(&output, face.axis, face.side)).collect();
    Sample { input: grid.repeat(&initial), output, faces, integral: None }
}

/// Vorticity and stream function on equal cells, [x, y]: central differences, second order in space, vorticity at the walls by Thom's
/// formula; Heun's method, second order in time. The stream function comes from sine transforms, exact for the five-point Laplacian.
pub struct Cavity {
    cells: usize,
    viscosity: f64,
    /// The lid's speed at its nodes.
    lid: Vec<f64>,
    vorticity: Vec<f64>,
    stream: Vec<f64>,
    /// sin(pi j k / n) sqrt(2 / n), symmetric and its own inverse.
    sines: Vec<f64>,
    eigenvalues: Vec<f64>,
}

impl Cavity {
    pub fn new(cells: usize, viscosity: f64, lid: impl Fn(f64) -> f64) -> Cavity {
        let (n, m) = (cells, cells - 1);
        let sine = |jk: usize| (2.0 / n as f64).sqrt() * (PI * (jk % (2 * n)) as f64 / n as f64).sin();
        let mut cavity = Cavity {
            cells,
            viscosity,
            lid: (0..=n).map(|i| lid(i as f64 / n as f64)).collect(),
            vorticity: vec![0.0; (n + 1) * (n + 1)],
            stream: vec![0.0; (n + 1) * (n + 1)],
            sines: (0..m * m).map(|at| sine((at / m + 1) * (at % m + 1))).collect(),
            eigenvalues: (1..n).map(|k| (2.0 * n as f64 * (0.5 * PI * k as f64 / n as f64).sin()).powi(2)).collect(),
        };
        cavity.close();
        cavity
    }

    /// At nodes [x, y]; 0 at the corners, which no difference touches.
    pub fn vorticity(&self) -> &[f64] {
        &self.vorticity
    }

    pub fn stream(&self) -> &[f64] {
        &self.stream
    }

    /// Stream function, and vorticity at the walls, from the vorticity inside.
    fn close(&mut self) {
        let (n, m, line) = (self.cells, self.cells - 1, self.cells + 1);
        let inside: Vec<f64> = (1..n).flat_map(|i| &self.vorticity[i * line + 1..i * line + n]).copied().collect();
        let mut waves = product(&product(&self.sines, &inside, m), &self.sines, m);
        for (at, w) in waves.iter_mut().enumerate() {
            *w /= self.eigenvalues[at / m] + self.eigenvalues[at % m];
        }
        let stream = product(&product(&self.sines, &waves, m), &self.sines, m);
        for (i, stream) in (1..n).zip(stream.chunks_exact(m)) {
            self.stream[i * line + 1..i * line + n].copy_from_slice(stream);
        }
        let scale = -2.0 * (n * n) as f64;
        for i in 1..n {
            self.vorticity[i * line] = scale * self.stream[i * line + 1];
            self.vorticity[i * line + n] = scale * (self.stream[i * line + n - 1] + self.lid[i] / n as f64);
            self.vorticity[i] = scale * self.stream[line + i];
            self.vorticity[n * line + i] = scale * self.stream[(n - 1) * line + i];
        }
    }

    /// w_t at the nodes inside.
    fn rate(&self, rate: &mut [f64]) {
        let (n, line) = (self.cells, self.cells + 1);
        let (half, square) = (0.5 * n as f64, (n * n) as f64 * self.viscosity);
        let (w, s) = (&self.vorticity, &self.stream);
        for i in 1..n {
            for at in i * line + 1..i * line + n {
                let (left, right, below, above) = (at - line, at + line, at - 1, at + 1);
                let (u, v) = (half * (s[above] - s[below]), half * (s[left] - s[right]));
                rate[at] = square * (w[left] + w[right] + w[below] + w[above] - 4.0 * w[at])
                    - half * (u * (w[right] - w[left]) + v * (w[above] - w[below]));
            }
        }
    }

    /// In equal steps within the limits of stability.
    pub fn advance(&mut self, time: f64) {
        let h = 1.0 / self.cells as f64;
        let speed = self.lid.iter().fold(0.0f64, |most, u| most.max(u.abs()));
        let limit = (0.15 * h * h / self.viscosity).min(0.25 * h / speed.max(f64::MIN_POSITIVE));
        let steps = (time / limit).ceil();
        let step = time / steps;
        let (mut first, mut second) = (vec![0.0; self.vorticity.len()], vec![0.0; self.vorticity.len()]);
        for _ in 0..steps as usize {
            self.rate(&mut first);
            self.vorticity.iter_mut().zip(&first).for_each(|(w, r)| *w += step * r);
            self.close();
            self.rate(&mut second);
            let changes = first.iter().zip(&second).map(|(a, b)| 0.5 * step * (b - a));
            self.vorticity.iter_mut().zip(changes).for_each(|(w, change)| *w += change);
            self.close();
        }
    }
}

/// Of square matrices.
fn product(a: &[f64], b: &[f64], m: usize) -> Vec<f64> {
    let mut out = vec![0.0; m * m];
    for (out, a) in out.chunks_exact_mut(m).zip(a.chunks_exact(m)) {
        for (a, b) in a.iter().zip(b.chunks_exact(m)) {
            out.iter_mut().zip(b).for_each(|(o, b)| *o += a * b);
        }
    }
    out
}
