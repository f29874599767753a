//! Training and test data for operators with boundary conditions: the problems of BOON, solved.
//!
//!     cargo run --release --example problems -- NAME --functions N --seed S [--points 100,25 | --full] -o FILE
//!
//! Without a name it lists the problems. Function i of a seed is the same whatever N is. FILE is a safetensors file with f64 tensors in C order:
//!
//! | tensor | shape | |
//! |---|---|---|
//! | `input` | [N, grid.., inputs] | u(., 0), the same at all times |
//! | `output` | [N, grid.., outputs] | u |
//! | `face.0`, `face.1`, .. | [N, the grid without the face's axis.., outputs] | values of the Dirichlet and Neumann faces, in the order of `faces` |
//!
//! The grid is space, then time; both ends of an axis are points, `lower` and `upper`: of time the first and the last output, without the
//! initial state. The metadata entry `problem` is JSON:
//!
//! | field | |
//! |---|---|
//! | `name`, `title`, `equation` | text |
//! | `axes` | `name`, `lower`, `upper`, `points` of each |
//! | `faces` | as `boon.faces` of a model file: `axis`, `side`, `kind`, of Neumann faces `stencil`. Those of kind periodic have no value |
//! | `parameter` | `name`, and `lower`, `upper`, both null for a random field |
//! | `functions`, `seed` | as asked for |
//! | `inputs`, `outputs` | names of the channels |
//!
//! The conservation problems need no file: their solutions are in closed form, and training takes new functions in every batch.

#[path = "mod.rs"]
mod problems;

use std::collections::HashMap;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;

use pcml::model::boundary::{Face, Kind};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use problems::boundary::{self, Grid, Problem};

type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "[NAME --functions N --seed S [--points N,N.. | --full] -o FILE]";

struct Arguments {
    problem: &'static Problem,
    functions: usize,
    seed: u64,
    points: Vec<usize>,
    out: PathBuf,
}

fn arguments() -> Outcome<Option<Arguments>> {
    let mut args = std::env::args().skip(1);
    let Some(name) = args.next() else { return Ok(None) };
    let problem = boundary::problem(&name).ok_or(format!("unknown problem {name}: {USAGE}"))?;
    let (mut functions, mut seed, mut points, mut out) = (None, None, problem.points.to_vec(), None);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--functions" => functions = Some(value()?.parse()?),
            "--seed" => seed = Some(value()?.parse()?),
            "--points" => points = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?,
            "--full" => points = problem.full.to_vec(),
            "-o" => out = Some(value()?.into()),
            _ => return Err(format!("unknown argument {arg}: {USAGE}").into()),
        }
    }
    if points.len() != problem.axes.len() || points.iter().any(|n| *n < 2) {
        return Err(format!("--points {points:?}: expected {} extents of at least 2", problem.axes.len()).into());
    }
    let needed = |what| format!("{what} is needed: {USAGE}");
    Ok(Some(Arguments {
        problem,
        functions: functions.ok_or(needed("--functions"))?,
        seed: seed.ok_or(needed("--seed"))?,
        points,
        out: out.ok_or(needed("-o"))?,
    }))
}

fn face(face: &Face) -> Value {
    let kind = match face.kind {
        Kind::Dirichlet => "dirichlet",
        Kind::Neumann => "neumann",
        Kind::Periodic => "periodic",
    };
    let mut json = json!({ "axis": face.axis, "side": face.side, "kind": kind });
    if face.kind == Kind::Neumann {
        json["stencil"] = json!(face.stencil);
    }
    json
}

fn description(arguments: &Arguments, grid: &Grid) -> Value {
    let p = arguments.problem;
    let axis = |(axis, ([lower, upper], points)): (&boundary::Axis, ([f64; 2], usize))| json!({ "name": axis.name, "lower": lower, "upper": upper, "points": points });
    let (name, range) = p.parameter;
    json!({
        "name": p.name, "title": p.title, "equation": p.equation,
        "axes": p.axes.iter().zip(grid.bounds().into_iter().zip(grid.shape())).map(axis).collect::<Vec<_>>(),
        "faces": p.faces().iter().map(face).collect::<Vec<_>>(),
        "parameter": { "name": name, "lower": range.map(|r| r[0]), "upper": range.map(|r| r[1]) },
        "functions": arguments.functions, "seed": arguments.seed,
        "inputs": [p.input], "outputs": [p.output],
    })
}

/// Little-endian values with their name and shape.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    fn new(name: &str, functions: usize, grid: &[usize]) -> Tensor {
        Tensor { name: name.into(), shape: [&[functions], grid, &[1]].concat(), bytes: Vec::new() }
    }

    fn push(&mut self, values: &[f64]) {
        self.bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
}

fn write(arguments: &Arguments) -> Outcome<()> {
    let (problem, functions) = (arguments.problem, arguments.functions);
    let grid = problem.grid(&arguments.points);
    let shape = grid.shape();
    let mut tensors = vec![Tensor::new("input", functions, &shape), Tensor::new("output", functions, &shape)];
    let valued = problem.faces().into_iter().filter(|face| face.kind != Kind::Periodic);
    tensors.extend(valued.enumerate().map(|(f, face)| {
        let mut along = shape.clone();
        along.remove(face.axis);
        Tensor::new(&format!("face.{f}"), functions, &along)
    }));
    let (start, bar) = (Instant::now(), std::io::stderr().is_terminal());
    for index in 0..functions {
        let sample = problem.sample(&grid, arguments.seed, index as u64);
        let fields = [&sample.input, &sample.output].into_iter().chain(&sample.faces);
        tensors.iter_mut().zip(fields).for_each(|(tensor, field)| tensor.push(field));
        let done = index + 1;
        if bar || done == functions {
            let (spent, end) = (start.elapsed().as_secs_f64(), if done == functions { "\n" } else { "" });
            let left = spent / done as f64 * (functions - done) as f64;
            eprint!("\r{}: {done}/{functions} functions, {spent:.0} s, {left:.0} s left{end}", problem.name);
            std::io::stderr().flush()?;
        }
    }
    let views: Vec<_> = tensors
        .iter()
        .map(|t| Ok((t.name.as_str(), TensorView::new(Dtype::F64, t.shape.clone(), &t.bytes)?)))
        .collect::<Outcome<_>>()?;
    let metadata = HashMap::from([("problem".to_string(), description(arguments, &grid).to_string())]);
    safetensors::serialize_to_file(views, Some(metadata), &arguments.out)?;
    Ok(())
}

fn main() -> Outcome<()> {
    match arguments()? {
        Some(arguments) => write(&arguments),
        None => {
            println!("{USAGE}\n");
            for p in boundary::PROBLEMS {
                let extents = |n: &[usize]| n.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
                println!("{:<18} {:<54} {}, or {} in full", p.name, p.title, extents(p.points), extents(p.full));
            }
            Ok(())
        }
    }
}
