//! A trained neural process made lawful: the Stefan problem of ProbConserv (Hansen et al., ICML 2023).
//!
//!     cargo run --release --example stefan -- [--json] [--f32] [--model FILE] [--out DIR]
//!
//! Draws 50 new context sets for u* = 0.6 (inside the training range) and 0.5 (outside it), predicts u(0.05, x) at 201
//! points as a mixture over 100 latents, and projects on the known mass, in the identity metric (HardC) and in the predicted
//! variance (ProbConserv). Prints a table, or one JSON object, and draws the profiles and the mass over time.

mod figures;
#[path = "../problems/mod.rs"]
mod problems;
mod surrogate;

use std::path::PathBuf;
use std::time::Instant;

use pcml::constraint::{Posterior, Prior, Projector, ProjectorOptions, Report, Scratch, log_density};
use pcml::field::Element;
use pcml::model::Model;
use pcml::{View, ViewMut};

use figures::Band;
use problems::conservation::{self, Function, Stefan};
use surrogate::{CELLS, Field, LATENTS, Outcome, Surrogate};

const PROBLEM: &conservation::Problem = &conservation::STEFAN;
const TIME: f64 = PROBLEM.time;

const FUNCTIONS: usize = 50;

/// One line of the table: averages over the functions of one u*.
struct Row {
    u_star: f64,
    method: &'static str,
    conservation_error: f64,
    log_density: f64,
    mse: f64,
    front_error: f64,
    us_per_slice: f64,
}

/// The surrogate and the two projectors, with their scratch.
struct Tools {
    surrogate: Surrogate,
    projectors: [(Projector, Scratch); 2],
    report: Report,
}

impl Tools {
    fn new<T: Element>(model: &Model) -> Outcome<Tools> {
        let surrogate = Surrogate::new(PROBLEM, model, T::DTYPE, FUNCTIONS)?;
        let constraints = conservation::law(&surrogate.x)?;
        let projector = |prior| -> Outcome<(Projector, Scratch)> {
            let projector = Projector::new(&constraints, prior, &ProjectorOptions::default())?;
            let scratch = projector.scratch(FUNCTIONS)?;
            Ok((projector, scratch))
        };
        let projectors = [projector(Prior::Identity)?, projector(Prior::Diagonal)?];
        let report = projectors[0].0.report(FUNCTIONS)?;
        Ok(Tools { surrogate, projectors, report })
    }

    /// HardC moves the mean in the identity metric and keeps the surrogate's variance; ProbConserv takes both from the
    /// posterior. The report says how far each slice was from the law, and is.
    fn project<T: Element>(&mut self, prior: Prior, field: &Field<T>, mass: f64, sets: usize) -> Outcome<Field<T>> {
        let mut out = field.clone();
        let shape = [sets, CELLS];
        let b = vec![mass; sets];
        let mean = View::new("mean", &field.mean, &shape)?;
        let b = View::new("b", &b, &[sets])?;
        let (projector, scratch) = &mut self.projectors[(prior == Prior::Diagonal) as usize];
        let (variance, posterior_variance) = match prior {
            Prior::Identity => (None, None),
            _ => (
                Some(View::new("variance", &field.variance, &shape)?),
                Some(ViewMut::new("posterior variance", &mut out.variance, &shape)?),
            ),
        };
        let posterior =
            Posterior { mean: ViewMut::new("posterior mean", &mut out.mean, &shape)?, variance: posterior_variance };
        projector.project(scratch, mean, variance, b, posterior, Some(&mut self.report))?;
        Ok(out)
    }

    fn score<T: Element + Into<f64>>(
        &mut self,
        function: &Stefan,
        method: &'static str,
        field: &Field<T>,
        us_per_slice: f64,
    ) -> Outcome<Row> {
        let truth: Vec<f64> = self.surrogate.x.iter().map(|x| function.solution(TIME, *x)).collect();
        let mass = [function.mass(TIME)];
        let mut row = Row {
            u_star: function.u_star,
            method,
            conservation_error: 0.0,
            log_density: 0.0,
            mse: 0.0,
            front_error: 0.0,
            us_per_slice,
        };
        let share = 1.0 / FUNCTIONS as f64;
        for (mean, variance) in field.mean.chunks_exact(CELLS).zip(field.variance.chunks_exact(CELLS)) {
            let view = View::new("mean", mean, &[CELLS])?;
            let mut residual = [0f64];
            let (projector, scratch) = &mut self.projectors[0];
            let out = ViewMut::new("residual", &mut residual, &[1])?;
            projector.residual(scratch, view, View::new("b", &mass, &[1])?, out)?;
            row.conservation_error += share * residual[0].abs();
            row.log_density += share
                * log_density(View::new("truth", &truth, &[CELLS])?, view, View::new("variance", variance, &[CELLS])?)?;
            let mean: Vec<f64> = mean.iter().map(|v| (*v).into()).collect();
            let squares = mean.iter().zip(&truth).map(|(u, t)| (u - t).powi(2)).sum::<f64>();
            row.mse += share * squares / CELLS as f64;
            let front = function.front(TIME).ok_or("a front")?;
            row.front_error += share * (front.found(&self.surrogate.x, &mean) - front.position).abs();
        }
        Ok(row)
    }
}

fn run<T: Element + Into<f64>>(model: &Model, out: &std::path::Path) -> Outcome<Vec<Row>> {
    let mut tools = Tools::new::<T>(model)?;
    let mut rows = Vec::new();
    for &u_star in PROBLEM.test {
        let function = Stefan::new(u_star);
        let per_slice = |start: Instant| start.elapsed().as_secs_f64() * 1e6 / FUNCTIONS as f64;
        let start = Instant::now();
        tools.surrogate.condition(&function, 0..FUNCTIONS as u64)?;
        let predicted = tools.surrogate.predict::<T>(TIME, FUNCTIONS)?;
        let row = tools.score(&function, "ANP", &predicted, per_slice(start))?;
        rows.push(row);
        let mut bands = vec![Band::new("ANP", &predicted.mean[..CELLS], &predicted.variance[..CELLS])];
        for (method, prior) in [("HardC", Prior::Identity), ("ProbConserv", Prior::Diagonal)] {
            // Once to warm the caches, so that the figure is that of a solver's loop.
            tools.project(prior, &predicted, function.mass(TIME), FUNCTIONS)?;
            let start = Instant::now();
            let lawful = tools.project(prior, &predicted, function.mass(TIME), FUNCTIONS)?;
            let row = tools.score(&function, method, &lawful, per_slice(start))?;
            rows.push(row);
            bands.push(Band::new(method, &lawful.mean[..CELLS], &lawful.variance[..CELLS]));
        }
        let truth: Vec<f64> = tools.surrogate.x.iter().map(|x| function.solution(TIME, *x)).collect();
        figures::profiles(&out.join(format!("profile_{u_star}.svg")), u_star, &tools.surrogate.x, &truth, &bands)?;

        let mut masses = Vec::new();
        for step in 1..=40 {
            let t = PROBLEM.t_max * step as f64 / 40.0;
            tools.surrogate.condition(&function, 0..1)?;
            let predicted = tools.surrogate.predict::<T>(t, 1)?;
            let mut lawful = Vec::new();
            for prior in [Prior::Identity, Prior::Diagonal] {
                tools.project(prior, &predicted, function.mass(t), 1)?;
                lawful.push(tools.report.rows(0)[0]);
            }
            let b = function.mass(t);
            let parts = [lawful[0].residual_before, lawful[0].residual_after, lawful[1].residual_after];
            masses.push((t, b, parts.map(|r| b + r)));
        }
        figures::masses(&out.join(format!("mass_{u_star}.svg")), u_star, &masses)?;
    }
    Ok(rows)
}

fn print_table(rows: &[Row], storage: &str) {
    println!(
        "Stefan problem, u(t = {TIME}, x) at {CELLS} points, {FUNCTIONS} context sets, {LATENTS} latents, {storage}\n"
    );
    println!("  u*  method       conservation error  log-density       MSE  front error  us a slice");
    for r in rows {
        println!(
            "{:4}  {:<12} {:>18.2e} {:>12.2} {:>9.2e} {:>12.2e} {:>11.1}",
            r.u_star, r.method, r.conservation_error, r.log_density, r.mse, r.front_error, r.us_per_slice
        );
    }
    println!(
        "\nConservation error: mean |integral of u - mass|. Log-density: mean over cells and functions of log N(truth)."
    );
    println!("Time: conditioning and prediction for ANP, the projection alone for the others; one thread.");
}

fn print_json(rows: &[Row]) {
    let cases: Vec<serde_json::Value> = rows
        .iter()
        .map(|r| {
            serde_json::json!({
                "u_star": r.u_star, "method": r.method, "conservation_error": r.conservation_error,
                "log_density": r.log_density, "mse": r.mse, "front_error": r.front_error,
                "us_per_slice": r.us_per_slice,
            })
        })
        .collect();
    println!("{}", serde_json::json!({ "cases": cases }));
}

fn main() -> Outcome<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (mut json, mut single) = (false, false);
    let mut path = root.join("examples/models/stefan.safetensors");
    let mut out = root.join("target/stefan");
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--json" => json = true,
            "--f32" => single = true,
            "--model" => path = value()?.into(),
            "--out" => out = value()?.into(),
            _ => return Err(format!("unknown argument {arg}: [--json] [--f32] [--model FILE] [--out DIR]").into()),
        }
    }
    std::fs::create_dir_all(&out)?;
    let model = Model::load(&path)?;
    let rows = if single { run::<f32>(&model, &out)? } else { run::<f64>(&model, &out)? };
    if json {
        print_json(&rows);
    } else {
        print_table(&rows, if single { "f32" } else { "f64" });
        println!("Figures: {}/{{profile,mass}}_{{0.6,0.5}}.svg", out.display());
    }
    Ok(())
}
