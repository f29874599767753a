//! Gas that spreads through a porous medium: a surrogate in the place of a solver, kept lawful at every step.
//!
//!     cargo run --release --example porous -- [porous.safetensors]
//!
//! u_t = (u u_x)_x on [0, 1] between closed walls: the integral of u never changes, and u >= 0. The solver takes 64 explicit steps of
//! finite volumes where the surrogate takes one: a perceptron that sees each cell among its neighbours and gives its change
//! (examples/training/porous.py). It knows of no law: what it makes or loses adds up. In the lawful run each step ends in a projection
//! onto the mass and u >= 0. What that does to the error is printed, and promised by nobody. Exits with 1 unless the lawful run keeps
//! mass and sign at every step. Prints what examples/c/porous.c prints, to the bit.

#[path = "../common.rs"]
mod common;

use std::process::ExitCode;

use pcml::constraint::{Bounds, Constraints, Prior, Projector, ProjectorOptions};
use pcml::field::{Dtype, Layout};
use pcml::model::{Model, Options, Plan, Workspace};
use pcml::reduce::Exact;
use pcml::{View, ViewMut};

use common::{Claims, Outcome, error, mix};

const CELLS: usize = 64;
const SIDE: usize = 4;
const WINDOW: usize = 2 * SIDE + 1;
const STEPS: usize = 40;
const PARTS: usize = 64;
const TOLD: usize = 8;
const DX: f64 = 1.0 / CELLS as f64;
/// Of a small step to dx^2.
const RATIO: f64 = 1.0 / 32.0;
/// A state in its place between the mirror images beyond the walls.
const INSIDE: std::ops::Range<usize> = SIDE..SIDE + CELLS;

type Padded = [f64; SIDE + CELLS + SIDE];

/// Two parabolas over empty ground.
fn fill() -> [f64; CELLS] {
    std::array::from_fn(|i| {
        let x = (i as f64 + 0.5) * DX;
        f64::max(0.0, 0.9 - 40.0 * (x - 0.35) * (x - 0.35)) + f64::max(0.0, 0.5 - 50.0 * (x - 0.75) * (x - 0.75))
    })
}

fn solve(u: &mut [f64; CELLS]) {
    for _ in 0..PARTS {
        let mut left = 0.0;
        for i in 0..CELLS {
            let right = if i + 1 < CELLS { -0.5 * (u[i] + u[i + 1]) * (u[i + 1] - u[i]) } else { 0.0 };
            u[i] += RATIO * (left - right);
            left = right;
        }
    }
}

/// A step of the surrogate. Row i of the input is the padded state from i on: the rows overlap, and nothing is copied.
fn predict(plan: &Plan, workspace: &mut Workspace, padded: &mut Padded) -> Outcome<()> {
    for k in 0..SIDE {
        padded[SIDE - 1 - k] = padded[SIDE + k];
        padded[SIDE + CELLS + k] = padded[SIDE + CELLS - 1 - k];
    }
    let mut change = [0.0; CELLS];
    let windows = View::strided("windows", &padded[..], 0, Layout::new("windows", &[CELLS, WINDOW], &[1, 1])?)?;
    plan.predict(workspace, &windows, &[], &mut ViewMut::new("change", &mut change, &[CELLS, 1])?)?;
    for (u, change) in padded[INSIDE].iter_mut().zip(change) {
        *u += change;
    }
    Ok(())
}

fn mass(u: &[f64]) -> f64 {
    let mut sum = Exact::default();
    sum.add_products(u, &[DX; CELLS]);
    sum.round()
}

fn least(u: &[f64]) -> f64 {
    u.iter().copied().fold(f64::INFINITY, f64::min)
}

fn main() -> Outcome<ExitCode> {
    let mut truth = fill();
    let mut alone: Padded = [0.0; SIDE + CELLS + SIDE];
    alone[INSIDE].copy_from_slice(&truth);
    let mut lawful = alone;
    let held = mass(&truth);

    let model = Model::load(&common::model("porous"))?;
    let plan = Plan::new(&model, Dtype::F64, &Options { batch: CELLS, ..Options::default() })?;
    let mut scratch = plan.workspace()?;

    let mut constraints = Constraints::new(CELLS)?;
    constraints.add_row(View::new("volumes", &[DX; CELLS], &[CELLS])?, 0.0)?;
    let projector = Projector::new(&constraints, Prior::Identity, &ProjectorOptions::default())?;
    let mut bounded = projector.bounded(1)?;
    let (b, zeros) = ([held], [0.0; CELLS]);
    let (b, lower) = (View::new("b", &b, &[1])?, View::new("lower", &zeros, &[CELLS])?);

    let mut claims = Claims::default();
    println!("      surrogate alone                 lawful");
    println!("step  error %   mass %      least    error %  mass eps     least");
    for step in 1..=STEPS {
        solve(&mut truth);
        predict(&plan, &mut scratch, &mut alone)?;
        predict(&plan, &mut scratch, &mut lawful)?;
        let predicted = lawful;
        let mean = View::new("mean", &predicted[INSIDE], &[CELLS])?;
        let posterior = ViewMut::new("posterior", &mut lawful[INSIDE], &[CELLS])?;
        projector.project_bounded(
            &mut bounded,
            mean,
            None,
            b,
            Bounds { lower: Some(lower), upper: None },
            posterior,
            None,
        )?;
        let (alone, lawful) = (&alone[INSIDE], &lawful[INSIDE]);
        let off = (mass(lawful) - held).abs() / (f64::EPSILON * held);
        claims.claim(off <= 4.0, "the mass");
        claims.claim(least(lawful) >= 0.0, "no negative value");
        if step % TOLD == 0 {
            println!(
                "{step:4} {:8.3} {:8.4} {:10.6}   {:8.3} {:9} {:10.6}",
                error(alone, &truth),
                100.0 * (mass(alone) - held) / held,
                least(alone),
                error(lawful, &truth),
                (off + 0.5) as i64,
                least(lawful)
            );
        }
    }
    let bits = [&truth[..], &alone[INSIDE], &lawful[INSIDE]].into_iter().fold(0, mix);
    println!("bits {bits:016X}");
    Ok(claims.exit())
}
