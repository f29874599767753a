//! A heat equation with an insulated wall, by an operator that knows its walls.
//!
//!     cargo run --release --example insulated -- [insulated.safetensors]
//!
//! u_t = 0.01 u_xx on [0, 1], from u0 = cos(3.1 pi x): the left wall is insulated, through the right one comes the flux u_x = 5 sin(pi t).
//! A Fourier neural operator with boundary corrections (BOON) predicts 25 times in one call, the wall conditions exact. A solver of the
//! same equation says how good that is. The prediction still gains or loses heat: a chain of prediction, walls and balance
//! mends both together, and the same walls are put on a field that comes from elsewhere. Exits with 1 unless all that holds. Prints what
//! examples/c/insulated.c prints; to the bit where both use one build of the library.

#[path = "../common.rs"]
mod common;

use std::f64::consts::PI;
use std::process::ExitCode;

use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions};
use pcml::field::Dtype;
use pcml::model::boundary::{Boundary, Face, Kind};
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};

use common::{Claims, Outcome, error, mix};

const POINTS: usize = 100;
const TIMES: usize = 25;
const CELLS: usize = POINTS * TIMES;
const LAWS: usize = 3 * TIMES;
const FINER: usize = 4;
const FINE: usize = FINER * (POINTS - 1) + 1;
const STEPS: usize = 80;
const HALF: usize = 500;
const CONDUCTIVITY: f64 = 0.01;
const H: f64 = 1.0 / (POINTS - 1) as f64;
const STEP: f64 = 2.0 / (TIMES * STEPS) as f64;
const LEFT: [f64; 2] = [-1.0, 1.0];
const RIGHT: [f64; 4] = [-1.0 / 3.0, 1.5, -3.0, 11.0 / 6.0];

/// cos(i a) for all i < count, from cos(a).
fn cosines(first: f64, count: usize) -> Vec<f64> {
    let mut c = vec![1.0, first];
    for i in 2..count {
        c.push(2.0 * first * c[i - 1] - c[i - 2]);
    }
    c
}

/// 5 sin(pi t) at the solver's time k, as the cosine half a unit of time away.
fn flux(beat: &[f64], k: usize) -> f64 {
    5.0 * beat[k.abs_diff(HALF)]
}

fn weight(i: usize) -> f64 {
    if i == 0 || i == POINTS - 1 { 0.5 * H } else { H }
}

/// Crank-Nicolson on a finer grid, half cells at the walls; [point, time].
fn solve(wave: &[f64], beat: &[f64]) -> Vec<f64> {
    let fine = H / FINER as f64;
    let r = 0.5 * CONDUCTIVITY * STEP / (fine * fine);
    let (mut state, mut right, mut upper) = (wave.to_vec(), vec![0.0; FINE], vec![0.0; FINE]);
    let mut u = vec![0.0; CELLS];
    for k in 0..TIMES * STEPS {
        let through = 0.5 * (flux(beat, k) + flux(beat, k + 1));
        for i in 0..FINE {
            let before = state[if i == 0 { 1 } else { i - 1 }];
            let after = state[if i == FINE - 1 { FINE - 2 } else { i + 1 }];
            right[i] = state[i] + r * (before - 2.0 * state[i] + after);
        }
        right[FINE - 1] += 2.0 * CONDUCTIVITY * STEP * through / fine;
        let mut pivot = 1.0 + 2.0 * r;
        upper[0] = -2.0 * r / pivot;
        state[0] = right[0] / pivot;
        for i in 1..FINE {
            let lower = if i == FINE - 1 { -2.0 * r } else { -r };
            pivot = 1.0 + 2.0 * r - lower * upper[i - 1];
            upper[i] = -r / pivot;
            state[i] = (right[i] - lower * state[i - 1]) / pivot;
        }
        for i in (0..FINE - 1).rev() {
            state[i] -= upper[i] * state[i + 1];
        }
        if (k + 1) % STEPS == 0 {
            for i in 0..POINTS {
                u[i * TIMES + k / STEPS] = state[FINER * i];
            }
        }
    }
    u
}

/// The largest residual of a wall's condition, in eps of the largest term.
fn wall(u: &[f64], values: &[f64], stencil: &[f64], first: usize) -> f64 {
    let mut most = 0.0f64;
    for (t, value) in values.iter().enumerate() {
        let (mut sum, mut scale) = (-value, value.abs());
        for (k, c) in stencil.iter().enumerate() {
            let term = c * u[(first + k) * TIMES + t] / H;
            sum += term;
            scale = scale.max(term.abs());
        }
        most = most.max(sum.abs() / scale);
    }
    most / f64::EPSILON
}

/// The largest difference between the heat in the slab and what it should be, by the trapezoid rule, in eps of the sum of magnitudes.
fn heat(u: &[f64], expected: &[f64]) -> f64 {
    let mut most = 0.0f64;
    for (t, expected) in expected.iter().enumerate() {
        let (mut sum, mut scale) = (-expected, 0.0);
        for i in 0..POINTS {
            let term = weight(i) * u[i * TIMES + t];
            sum += term;
            scale += term.abs();
        }
        most = most.max(sum.abs() / scale);
    }
    most / f64::EPSILON
}

/// What fields are held against: the solver's, the walls' values, and right-hand sides of heat, left and right wall at all times.
struct Judge {
    truth: Vec<f64>,
    b: Vec<f64>,
}

impl Judge {
    fn heat(&self, u: &[f64]) -> f64 {
        heat(u, &self.b[..TIMES])
    }

    fn walls(&self, u: &[f64]) -> (f64, f64) {
        let (left, right) = self.b[TIMES..].split_at(TIMES);
        (wall(u, left, &LEFT, 0), wall(u, right, &RIGHT, POINTS - RIGHT.len()))
    }

    fn row(&self, name: &str, u: &[f64]) {
        let whole = |eps: f64| (eps + 0.5) as i64;
        let (left, right) = self.walls(u);
        let (error, heat) = (error(u, &self.truth), self.heat(u));
        println!("{name:<28} {error:8.3} {:18} {:18} {:18}", whole(left), whole(right), whole(heat));
    }

    fn walls_within(&self, u: &[f64], eps: f64) -> bool {
        let (left, right) = self.walls(u);
        left <= eps && right <= eps
    }
}

/// Rows of the laws: heat at each time, then the left wall, then the right one.
fn laws() -> Outcome<Projector> {
    let mut constraints = Constraints::new(CELLS)?;
    for t in 0..TIMES {
        let weights: Vec<f64> = (0..CELLS).map(|i| if i % TIMES == t { weight(i / TIMES) } else { 0.0 }).collect();
        constraints.add_row(View::new("weights", &weights, &[CELLS])?, 0.0)?;
    }
    for (stencil, first) in [(&LEFT[..], 0), (&RIGHT[..], POINTS - RIGHT.len())] {
        let width = stencil.len();
        let coefficients: Vec<f64> = stencil.iter().map(|c| c / H).collect();
        let cells: Vec<i64> = (0..TIMES * width).map(|at| ((first + at % width) * TIMES + at / width) as i64).collect();
        constraints.add_stencils(&cells, &coefficients, width, 0.0)?;
    }
    Ok(Projector::new(&constraints, Prior::Identity, &ProjectorOptions::default())?)
}

fn main() -> Outcome<ExitCode> {
    let (wave, beat) = (cosines(0.9996976006342584, FINE), cosines(0.9999950652018582, TIMES * STEPS + 1));
    let initial = (0..POINTS).fold(0.0, |sum, i| sum + weight(i) * wave[FINER * i]);
    let u0: Vec<f64> = (0..CELLS).map(|at| wave[FINER * (at / TIMES)]).collect();
    let mut b = vec![0.0; LAWS];
    for t in 0..TIMES {
        let k = (t + 1) * STEPS;
        b[2 * TIMES + t] = flux(&beat, k);
        // What was there, and what came through the right wall since.
        b[t] = initial + CONDUCTIVITY * 5.0 * (1.0 - beat[k]) / PI;
    }
    let judge = Judge { truth: solve(&wave, &beat), b };
    let (truth, mut claims) = (&judge.truth, Claims::default());

    let model = Model::load(&common::model("insulated"))?;
    let options = Options { shape: Some(vec![POINTS, TIMES]), ..Options::default() };
    let plan = Plan::new(&model, Dtype::F64, &options)?;
    let mut scratch = plan.workspace()?;

    let (left, right) = judge.b[TIMES..].split_at(TIMES);
    let values = [View::new("left wall", left, &[TIMES])?, View::new("right wall", right, &[TIMES])?];
    let (grid, mut u, mut lawful) = ([POINTS, TIMES], vec![0.0; CELLS], vec![0.0; CELLS]);
    let input = View::new("u0", &u0, &grid)?;
    println!(
        "{:<28} {:>8} {:>18} {:>18} {:>18}",
        "100 points, 25 times", "error, %", "left wall, eps", "right wall, eps", "heat, eps"
    );
    judge.row("Crank-Nicolson", truth);
    let mut bits = mix(0, truth);
    plan.predict(&mut scratch, &input, &values, &mut ViewMut::new("u", &mut u, &grid)?)?;
    judge.row("operator", &u);
    bits = mix(bits, &u);
    claims.claim(error(&u, truth) < 2.0, "the operator's error is below 2%");
    claims.claim(judge.walls_within(&u, 4.0), "the operator's walls");

    let projector = laws()?;
    let mut projection = projector.scratch(1)?;
    let mean = ViewMut::new("mean", &mut lawful, &[1, POINTS, TIMES])?;
    let right_sides = View::new("b", &judge.b, &[1, LAWS])?;
    let prediction = plan.evaluate(&mut scratch, &input, &values, &mean)?;
    projector.project(&mut projection, prediction, None, right_sides, Posterior { mean, variance: None }, None)?;
    judge.row("operator, walls and balance", &lawful);
    bits = mix(bits, &lawful);
    claims.claim(judge.walls_within(&lawful, 8.0), "the lawful walls");
    claims.claim(judge.heat(&lawful) <= 16.0, "the heat");

    // The same walls for a field of any origin: here the solver's, disturbed.
    for (i, (u, t)) in u.iter_mut().zip(truth).enumerate() {
        *u = t + 0.01 * ((i * 37 % 101) as f64 - 50.0) / 50.0;
    }
    judge.row("a field from elsewhere", &u);
    let mut boundary = Boundary::new();
    for (side, stencil) in [(-1, &LEFT[..]), (1, &RIGHT[..])] {
        let (kind, spacing) = (Kind::Neumann, Some(H));
        boundary.add_face(Face { axis: 0, side, kind, stencil: stencil.to_vec(), spacing })?;
    }
    boundary.enforce(&mut ViewMut::new("field", &mut u, &[1, POINTS, TIMES, 1])?, 2, &values)?;
    judge.row("its walls set", &u);
    bits = mix(bits, &u);
    claims.claim(judge.walls_within(&u, 4.0), "the walls that were set");

    if claims.all_held() {
        println!("all held");
    }
    println!("bits {bits:016X}");
    Ok(claims.exit())
}
