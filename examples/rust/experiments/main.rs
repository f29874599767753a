//! The experiments of both papers: ProbConserv (Hansen et al., ICML 2023) and BOON (Saad et al., ICLR 2023).
//!
//!     cargo run --release --example experiments -- --all [--json] [--models DIR] [--out DIR] [--page FILE]
//!     cargo run --release --example experiments -- stefan cavity speed
//!
//! Every experiment prints a table, or all of them one JSON object, and draws figures into DIR (target/experiments). Models come from
//! examples/models; rows of those that are not there are left out and their names are told, and a run of all then ends with 1. With a page,
//! its tables are written anew and its figures copied. docs/results.md is such a page and says what is compared with what.

mod boundary;
#[path = "../charts.rs"]
mod charts;
mod conservation;
#[path = "../correction.rs"]
mod correction;
mod ensemble;
mod figures;
mod maps;
mod models;
mod page;
#[path = "../shock/posterior.rs"]
mod posterior;
#[path = "../problems/mod.rs"]
mod problems;
mod process;
mod speed;
#[path = "../surrogate.rs"]
mod surrogate;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use models::Models;
use surrogate::Outcome;
use table::Table;

const SPEED: &str = "speed";

/// All experiments, in the order of the page.
fn names() -> Vec<&'static str> {
    let conservation = problems::conservation::PROBLEMS.map(|p| p.name);
    let boundary = problems::boundary::PROBLEMS.map(|p| p.name);
    conservation.into_iter().chain(boundary).chain([SPEED]).collect()
}

fn experiment(name: &str, models: &mut Models, out: &std::path::Path) -> Outcome<Vec<Table>> {
    if let Some(problem) = problems::conservation::problem(name) {
        return Ok(vec![conservation::run(problem, models, out)?]);
    }
    match problems::boundary::problem(name) {
        Some(problem) => Ok(vec![boundary::run(problem, models, out)?]),
        None => speed::run(models),
    }
}

fn main() -> Outcome<ExitCode> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let usage =
        format!("[--all | NAME..] [--json] [--models DIR] [--out DIR] [--page FILE]; names: {}", names().join(" "));
    let (mut all, mut json, mut page, mut chosen) = (false, false, None, Vec::new());
    let mut models = root.join("examples/models");
    let mut out = root.join("target/experiments");
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--all" => all = true,
            "--json" => json = true,
            "--models" => models = value()?.into(),
            "--out" => out = value()?.into(),
            "--page" => page = Some(PathBuf::from(value()?)),
            name => match names().into_iter().find(|known| *known == name) {
                Some(name) => chosen.push(name),
                None => return Err(format!("unknown argument {arg}: {usage}").into()),
            },
        }
    }
    if all {
        chosen = names();
    } else if chosen.is_empty() {
        return Err(usage.into());
    }
    std::fs::create_dir_all(&out)?;
    let mut models = Models::new(models);
    let (mut tables, start) = (Vec::new(), Instant::now());
    for (number, name) in chosen.iter().enumerate() {
        let spent = start.elapsed().as_secs_f64();
        eprintln!("[{}/{}, {spent:.0} s] {name}", number + 1, chosen.len());
        for table in experiment(name, &mut models, &out)? {
            if !json {
                table.print();
            }
            tables.push(table);
        }
    }
    models.missing.sort();
    models.missing.dedup();
    if json {
        let tables: Vec<_> = tables.iter().map(Table::json).collect();
        println!("{}", serde_json::json!({ "tables": tables, "missing": models.missing }));
    } else {
        println!("Figures: {}", out.display());
        if !models.missing.is_empty() {
            println!("{} models missing: {}", models.missing.len(), models.missing.join(" "));
        }
    }
    if let Some(page) = page {
        page::write(&page, &tables, &out)?;
    }
    Ok(if all && !models.missing.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
