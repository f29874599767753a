//! A trained neural process made lawful: the Stefan problem of ProbConserv (Hansen et al., ICML 2023).
//!
//!     cargo run --release --example stefan -- [--json] [--f32] [--model FILE] [--out DIR]
//!
//! Draws 50 new context sets for u* = 0.6 (inside the training range) and 0.5 (outside it), predicts u(0.05, x) at 201
//! points as a mixture over 100 latents, and projects on the known mass, in the identity metric (HardC) and in the predicted
//! variance (ProbConserv). Prints a table, or one JSON object, and draws the profiles and the mass over time.

#[path = "../charts.rs"]
mod charts;
#[path = "../correction.rs"]
mod correction;
#[path = "../problems/mod.rs"]
mod problems;
#[path = "../surrogate.rs"]
mod surrogate;

use std::path::{Path, PathBuf};
use std::time::Instant;

use pcml::field::Element;
use pcml::model::Model;

use charts::Band;
use correction::{Correction, Corrector, Judge, Score};
use problems::conservation::{self, Function, Stefan};
use surrogate::{CELLS, LATENTS, Outcome, Surrogate};

const PROBLEM: &conservation::Problem = &conservation::STEFAN;
const TIME: f64 = PROBLEM.time;
const FUNCTIONS: usize = 50;

/// One line of the table: averages over the functions of one u*.
struct Row {
    u_star: f64,
    method: &'static str,
    score: Score,
    us_per_slice: f64,
}

fn run<T: Element + Into<f64>>(model: &Model, out: &Path) -> Outcome<Vec<Row>> {
    let mut surrogate = Surrogate::new(PROBLEM, model, T::DTYPE, FUNCTIONS)?;
    let x = surrogate.x.clone();
    let mut hard = Corrector::new(Correction::HardC, &x, FUNCTIONS)?;
    let mut probable = Corrector::new(Correction::ProbConserv, &x, FUNCTIONS)?;
    let mut rows = Vec::new();
    for &u_star in PROBLEM.test {
        let function = Stefan::new(u_star);
        let mut judge = Judge::new(&function, TIME, &x)?;
        let per_slice = |start: Instant| start.elapsed().as_secs_f64() * 1e6 / FUNCTIONS as f64;
        let start = Instant::now();
        surrogate.condition(&function, 0..FUNCTIONS as u64)?;
        let predicted = surrogate.predict::<T>(TIME, FUNCTIONS)?;
        let us_per_slice = per_slice(start);
        rows.push(Row { u_star, method: "ANP", score: judge.score(&predicted)?, us_per_slice });
        let mut bands = vec![Band::new("ANP", &predicted.mean[..CELLS], &predicted.variance[..CELLS])];
        for (method, corrector) in [("HardC", &mut hard), ("ProbConserv", &mut probable)] {
            // Once to warm the caches, so that the figure is that of a solver's loop.
            corrector.apply(&predicted, function.mass(TIME))?;
            let start = Instant::now();
            let lawful = corrector.apply(&predicted, function.mass(TIME))?;
            let us_per_slice = per_slice(start);
            rows.push(Row { u_star, method, score: judge.score(&lawful)?, us_per_slice });
            bands.push(Band::new(method, &lawful.mean[..CELLS], &lawful.variance[..CELLS]));
        }
        let title = format!("u* = {u_star}");
        charts::profiles(&out.join(format!("profile_{u_star}.svg")), &title, &x, &judge.truth, &bands)?;
        let masses = correction::masses::<T>(PROBLEM, &function, &mut surrogate, [&mut hard, &mut probable])?;
        charts::masses(&out.join(format!("mass_{u_star}.svg")), &title, &masses)?;
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
            r.u_star,
            r.method,
            r.score.conservation_error,
            r.score.log_density,
            r.score.mse,
            r.score.front_error.unwrap_or(f64::NAN),
            r.us_per_slice
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
                "u_star": r.u_star, "method": r.method, "conservation_error": r.score.conservation_error,
                "log_density": r.score.log_density, "mse": r.score.mse, "front_error": r.score.front_error,
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
