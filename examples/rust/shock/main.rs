//! Where is the shock, and how sure is that? The downstream task of ProbConserv (Hansen et al., ICML 2023).
//!
//!     cargo run --release --example shock -- [--json] [--model FILE]
//!
//! The surrogate of the `stefan` example predicts u(0.05, x) for u* = 0.6 as a mean and a variance a cell. From each of 20 context
//! sets come 1000 samples before the law, mu + sqrt(v) z, and 1000 lawful ones with the same z. The shock of a profile, of a sample
//! as of the exact solution, is the position of the last cell whose value is above half of u*. Prints both posteriors of the first
//! set with a histogram, and their averages over all sets; or one JSON object.
//!
//! Cells of a sample vary each on its own, so that the last one above lies to the right of where the mean falls; a second rule, as
//! many cells as are above wherever they lie, errs to the left. The averages have both.

mod posterior;
#[path = "../problems/mod.rs"]
mod problems;
#[path = "../surrogate.rs"]
mod surrogate;

use std::path::PathBuf;

use pcml::field::Dtype;
use pcml::model::Model;

use posterior::{SAMPLES, Sampler, Shock, Summary};
use problems::conservation::{self, Function, Stefan};
use surrogate::{CELLS, Outcome, Surrogate};

const PROBLEM: &conservation::Problem = &conservation::STEFAN;
const TIME: f64 = PROBLEM.time;
const U_STAR: f64 = 0.6;
const SETS: usize = 20;
const BINS: usize = 20;

/// Averages, before the law and after it; the largest residual, and all unlawful samples.
fn average(sets: &[[Summary; 2]]) -> [Summary; 2] {
    let mean =
        |side: usize, value: fn(&Summary) -> f64| sets.iter().map(|s| value(&s[side])).sum::<f64>() / sets.len() as f64;
    [0, 1].map(|side| Summary {
        mean: mean(side, |s| s.mean),
        deviation: mean(side, |s| s.deviation),
        low: mean(side, |s| s.low),
        high: mean(side, |s| s.high),
        error: mean(side, |s| s.error),
        largest_residual: sets.iter().map(|s| s[side].largest_residual).fold(0.0, f64::max),
        unlawful: sets.iter().map(|s| s[side].unlawful).sum(),
    })
}

fn print_rows(title: &str, rows: &[Summary; 2]) {
    println!("{title}\n                  mean  deviation        5%       95%     error  largest residual");
    for (name, r) in ["before", "after"].iter().zip(rows) {
        println!(
            "  {name:<12} {:>7.4} {:>10.4} {:>9.4} {:>9.4} {:>9.4} {:>17.2e}",
            r.mean, r.deviation, r.low, r.high, r.error, r.largest_residual
        );
    }
    println!();
}

/// Both posteriors side by side, one bar a bin of whole cells.
fn print_histogram(sides: [&[f64]; 2], truth: f64) {
    let cell = |x: f64| (x * (CELLS - 1) as f64).round() as usize;
    let first = cell(sides[0][0].min(sides[1][0]));
    let last = cell(sides[0][SAMPLES - 1].max(sides[1][SAMPLES - 1]));
    let width = (last - first + 1).div_ceil(BINS);
    let count = |p: &[f64], bin: usize| p.iter().filter(|x| (cell(**x) - first) / width == bin).count();
    let bins = (last - first) / width + 1;
    let most = (0..bins).flat_map(|bin| sides.map(|p| count(p, bin))).max().unwrap_or(1);
    println!("      x  {:<34}  after", "before");
    for bin in 0..bins {
        let from = first + bin * width;
        let here = cell(truth) >= from && cell(truth) < from + width;
        let bar = |p| "#".repeat((count(p, bin) * 34).div_ceil(most));
        let line = format!("  {:.3}  {:<34}  {:<34}", from as f64 / (CELLS - 1) as f64, bar(sides[0]), bar(sides[1]));
        println!("{}{}", line.trim_end(), if here { "  < truth" } else { "" });
    }
}

fn json(side: &Summary) -> serde_json::Value {
    serde_json::json!({
        "mean": side.mean, "deviation": side.deviation, "low": side.low, "high": side.high, "error": side.error,
        "largest_residual": side.largest_residual, "unlawful": side.unlawful,
    })
}

fn main() -> Outcome<()> {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/models/stefan.safetensors");
    let mut as_json = false;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => as_json = true,
            "--model" => path = args.next().ok_or("--model needs a value")?.into(),
            _ => return Err(format!("unknown argument {arg}: [--json] [--model FILE]").into()),
        }
    }
    let function = Stefan::new(U_STAR);
    let mut surrogate = Surrogate::new(PROBLEM, &Model::load(&path)?, Dtype::F64, SETS)?;
    surrogate.condition(&function, 0..SETS as u64)?;
    let predicted = surrogate.predict::<f64>(TIME, SETS)?;
    let (x, level) = (&surrogate.x, 0.5 * U_STAR);
    let exact: Vec<f64> = x.iter().map(|x| function.solution(TIME, *x)).collect();
    let truth = Shock::Last.position(x, &exact, level);

    let mut sampler = Sampler::new(x, level)?;
    let mut drawn = Vec::new();
    for (set, (mean, variance)) in
        predicted.mean.chunks_exact(CELLS).zip(predicted.variance.chunks_exact(CELLS)).enumerate()
    {
        let mut draw = |lawful| sampler.draw(lawful, x, mean, variance, function.mass(TIME), set);
        drawn.push([draw(false)?, draw(true)?]);
    }
    let summaries = |rule: Shock| -> Vec<[Summary; 2]> {
        drawn.iter().map(|sides| sides.each_ref().map(|side| side.summary(rule, truth))).collect()
    };
    let (last, count) = (summaries(Shock::Last), summaries(Shock::Count));
    if as_json {
        let of = |[before, after]: &[Summary; 2]| serde_json::json!({ "before": json(before), "after": json(after) });
        let all = |sets: &[[Summary; 2]]| sets.iter().map(of).collect::<Vec<_>>();
        println!("{}", serde_json::json!({ "truth": truth, "last": all(&last), "count": all(&count) }));
        return Ok(());
    }
    let u_star = function.u_star;
    println!(
        "Shock position at t = {TIME}, u* = {u_star}, {CELLS} cells, {SAMPLES} samples a context set; truth {truth:.4}\n"
    );
    print_rows("The first context set, the last cell above u* / 2:", &last[0]);
    print_histogram(drawn[0].each_ref().map(|side| &side.positions[Shock::Last as usize][..]), truth);
    println!();
    print_rows(&format!("{SETS} context sets, the last cell above u* / 2:"), &average(&last));
    print_rows(&format!("{SETS} context sets, as many cells as are above u* / 2:"), &average(&count));
    println!(
        "Averages over the sets, of residuals the largest. Error: |mean - truth|. Residual: |integral of u - mass|."
    );
    Ok(())
}
