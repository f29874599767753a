//! Surrogates with their constraints beside solvers that are as wrong as they are.

use std::time::Instant;

use pcml::field::Dtype;

use crate::boundary::{self, Operator, extents};
use crate::correction::{Correction, Corrector, Judge};
use crate::models::Models;
use crate::problems::boundary::{Cavity, LID_SPEEDS, VISCOSITY, problem};
use crate::problems::conservation::BURGERS;
use crate::surrogate::{CELLS, Field, Outcome, Surrogate};
use crate::table::{Cell, Table};

const REPEATS: usize = 5;

/// Seconds of one call, the least of some.
fn seconds(mut call: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..REPEATS {
        let start = Instant::now();
        call()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

fn row(what: String, errors: &[f64], seconds: f64) -> Vec<Cell> {
    let errors = errors.iter().map(|e| Cell::Small(*e));
    std::iter::once(Cell::Text(what)).chain(errors).chain([Cell::Small(1e3 * seconds)]).collect()
}

pub fn run(models: &mut Models) -> Outcome<Vec<Table>> {
    Ok(vec![cavity(models)?, burgers(models)?])
}

/// Errors are against the data's own solution, on twice as many cells as the grid.
fn cavity(models: &mut Models) -> Outcome<Table> {
    let problem = problem("cavity").expect("a problem");
    let grid = problem.grid(problem.points);
    let side = grid.axes[0].len();
    let title = format!("Lid-driven cavity, {} values, one function, one thread", extents(&grid.shape()));
    let mut table = Table::new("speed_cavity", title, &["what", "relative L2", "away from walls", "ms"]);
    let sample = problem.sample(&grid, 0, 200);
    let speed = crate::problems::Draw::new(0, 200).within(0, LID_SPEEDS);
    let interval = grid.times()[0];
    // Away: an eighth of the side, so that the vorticity does not hang on how cells resolve the lid's corners.
    let margin = side.div_ceil(8);
    let inside = |at: usize| (margin..side - margin).contains(&at);
    let away = |u: &[f64]| -> Vec<f64> {
        let times = grid.times().len();
        let kept = u.iter().enumerate().filter(|(i, _)| inside(i / times % side) && inside(i / times / side));
        kept.map(|(_, u)| *u).collect()
    };
    let errors =
        |u: &[f64]| [boundary::relative(u, &sample.output), boundary::relative(&away(u), &away(&sample.output))];
    let coarse = |cells: usize| -> Vec<f64> {
        let skip = cells / (side - 1);
        let mut cavity = Cavity::new(cells, VISCOSITY, |_| speed);
        let mut states = Vec::new();
        for _ in grid.times() {
            cavity.advance(interval);
            let lines = cavity.vorticity().chunks_exact(cells + 1).step_by(skip);
            states.push(lines.flat_map(|line| line.iter().step_by(skip).copied()).collect::<Vec<f64>>());
        }
        grid.stack(&states)
    };
    for cells in [side - 1, 2 * (side - 1)] {
        let mut u = Vec::new();
        let spent = seconds(|| {
            u = coarse(cells);
            Ok(())
        })?;
        let what = if cells == side - 1 { "solver" } else { "solver of the data" };
        table.rows.push(row(format!("{what}, {cells} x {cells} cells"), &errors(&u), spent));
    }
    let faces = problem.faces();
    let [fno, boon] = boundary::operators(problem);
    for (name, label) in [(fno, "FNO and its faces"), (boon, "BOON")] {
        let Some(model) = models.need(&name)? else { continue };
        for (dtype, kind) in [(Dtype::F64, "f64"), (Dtype::F32, "f32")] {
            let mut operator = Operator::new(&model, &grid, dtype)?;
            let mut u = Vec::new();
            let spent = seconds(|| {
                u = operator.predict(&grid, &faces, &sample)?;
                boundary::enforce(&grid, &faces, &mut u, &sample.faces)
            })?;
            table.rows.push(row(format!("{label}, {kind}"), &errors(&u), spent));
        }
    }
    Ok(table)
}

/// Godunov's method for a shock: from the whole initial state, which the process has never seen.
fn burgers(models: &mut Models) -> Outcome<Table> {
    let (problem, a) = (&BURGERS, 3.0);
    let t = problem.time;
    let title = format!(
        "{}, {} = {a}, u({t}, x) at {CELLS} points, one function, one thread",
        problem.title, problem.parameter
    );
    let mut table = Table::new("speed_burgers", title, &["what", "MSE", "ms"]);
    let (function, x) = (problem.function(a), problem.cells(CELLS));
    let mut judge = Judge::new(function.as_ref(), t, &x)?;
    let Some(model) = models.need(problem.name)? else { return Ok(table) };
    let mut least = f64::INFINITY;
    for (dtype, kind) in [(Dtype::F64, "f64"), (Dtype::F32, "f32")] {
        let mut surrogate = Surrogate::new(problem, &model, dtype, 1)?;
        let mut corrector = Corrector::new(Correction::ProbConserv, &x, 1)?;
        let mut field = Field::new(1);
        let spent = seconds(|| {
            surrogate.condition(function.as_ref(), 0..1)?;
            field = corrector.apply(&surrogate.predict::<f64>(t, 1)?, function.mass(t))?;
            Ok(())
        })?;
        let mse = judge.score(&field)?.mse;
        least = least.min(mse);
        table.rows.push(row(format!("ANP, ProbConserv, 100 latents, {kind}"), &[mse], spent));
    }
    for cells in (4..14).map(|k| 1 << k) {
        let mut field: Field<f64> = Field::new(1);
        field.variance.fill(1.0);
        let spent = seconds(|| {
            let u = godunov(a, cells, t);
            let width = 2.0 / cells as f64;
            for (out, x) in field.mean.iter_mut().zip(&x) {
                *out = u[(((x + 1.0) / width) as usize).min(cells - 1)];
            }
            Ok(())
        })?;
        let mse = judge.score(&field)?.mse;
        if mse <= least || cells == 16 {
            table.rows.push(row(format!("Godunov, {cells} cells"), &[mse], spent));
        }
        if mse <= least {
            break;
        }
    }
    Ok(table)
}

/// Cell averages on [-1, 1], first order, Courant number 0.9; u >= 0, so that all flows to the right.
fn godunov(a: f64, cells: usize, t: f64) -> Vec<f64> {
    let width = 2.0 / cells as f64;
    let start = BURGERS.function(a);
    let mut u: Vec<f64> = (0..cells).map(|i| start.solution(0.0, -1.0 + (i as f64 + 0.5) * width)).collect();
    let steps = (t * a / (0.9 * width)).ceil();
    let ratio = t / steps / width;
    for _ in 0..steps as usize {
        let mut inflow = 0.5 * a * a;
        for u in &mut u {
            let outflow = 0.5 * *u * *u;
            *u += ratio * (inflow - outflow);
            inflow = outflow;
        }
    }
    u
}
