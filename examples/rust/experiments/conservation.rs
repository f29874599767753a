//! Predictions of the conservation problems: processes and ensembles, as they come and made lawful.

use std::path::Path;

use pcml::field::Dtype;

use crate::charts::{self, Band, Line, Panel};
use crate::correction::{self, Correction, Corrector, Judge, Score};
use crate::ensemble;
use crate::models::Models;
use crate::posterior::{SAMPLES, Sampler, Shock};
use crate::problems::conservation::Problem;
use crate::process::Process;
use crate::surrogate::{CELLS, Field, Outcome, Surrogate};
use crate::table::{Cell, Table};

/// Context sets of a function.
const SETS: usize = 50;
const BINS: usize = 24;
/// Problems for which the recipes train a deep ensemble.
const ENSEMBLES: [&str; 2] = ["stefan", "pme"];
/// Problems for which they train a process that is given t as it is, as in the paper.
const RAW: [&str; 1] = ["stefan"];

pub fn run(problem: &'static Problem, models: &mut Models, out: &Path) -> Outcome<Table> {
    let title = format!(
        "{}, {}: u({}, x) at {CELLS} points, {SETS} context sets",
        problem.title, problem.equation, problem.time
    );
    let columns = ["parameter", "method", "conservation error", "log-density", "MSE", "front error"];
    let mut table = Table::new(problem.name, title, &columns);
    let (name, t) = (problem.name, problem.time);
    let mut load = |name: String| -> Outcome<Option<Surrogate>> {
        models.need(&name)?.map(|model| Surrogate::new(problem, &model, Dtype::F64, SETS)).transpose()
    };
    let mut anp = load(name.to_string())?;
    let mut raw = if RAW.contains(&name) { load(format!("{name}_raw"))? } else { None };
    let mut soft = if problem.soft { load(format!("{name}_soft"))? } else { None };
    let members = if ENSEMBLES.contains(&name) { models.need(&format!("{name}_ensemble"))? } else { None };
    let mut process = Process::fit(problem, SETS)?;

    let x = problem.cells(CELLS);
    let mut corrections = vec![
        ("HardC", Correction::HardC),
        ("ProbConserv", Correction::ProbConserv),
        ("ProbConserv, diffusion", Correction::Diffusion),
    ];
    if problem.nonnegative {
        corrections.push(("ProbConserv, u >= 0", Correction::NonNegative));
    }
    if problem.falling {
        corrections.push(("ProbConserv, falling", Correction::Falling));
    }
    let mut correctors = corrections
        .into_iter()
        .map(|(name, correction)| Ok((name, Corrector::new(correction, &x, SETS)?)))
        .collect::<Outcome<Vec<_>>>()?;
    const PROBABLE: usize = 1;

    for &parameter in problem.test {
        eprintln!("{}: {} = {parameter}", problem.name, problem.parameter);
        let function = problem.function(parameter);
        let function = function.as_ref();
        let mass = function.mass(t);
        let mut judge = Judge::new(function, t, &x)?;
        let rows = &mut table.rows;
        let mut put = |method: String, field: &Field<f64>| -> Outcome<()> {
            rows.push(row(parameter, method, judge.score(field)?));
            Ok(())
        };
        if let Some(anp) = &mut anp {
            anp.condition(function, 0..SETS as u64)?;
            let predicted = anp.predict::<f64>(t, SETS)?;
            put("ANP".into(), &predicted)?;
            let band = |name: &str, field: &Field<f64>| Band::new(name, &field.mean[..CELLS], &field.variance[..CELLS]);
            let mut bands = vec![band("ANP", &predicted)];
            for (at, (name, corrector)) in correctors.iter_mut().enumerate() {
                let lawful = corrector.apply(&predicted, mass)?;
                put(format!("ANP, {name}"), &lawful)?;
                if at <= PROBABLE {
                    bands.push(band(name, &lawful));
                }
            }
            let label = format!("{} = {parameter}", problem.parameter);
            let truth: Vec<f64> = x.iter().map(|x| function.solution(t, *x)).collect();
            let mut file = |kind: &str, caption: &str| {
                let name = format!("{}_{kind}_{parameter}.svg", problem.name);
                let path = out.join(&name);
                if parameter == problem.test[0] {
                    table.figures.push((caption.into(), name));
                }
                path
            };
            let path =
                file("profile", "Mean and three standard deviations of one prediction, before and after projections");
            charts::profiles(&path, &label, &x, &truth, &bands)?;
            let [(_, hard), (_, probable), ..] = &mut correctors[..] else { unreachable!("at least two corrections") };
            let masses = correction::masses::<f64>(problem, function, anp, [hard, probable])?;
            charts::masses(&file("mass", "Mass of one prediction over time"), &label, &masses)?;
            if let Some(front) = function.front(t) {
                let mut sampler = Sampler::new(&x, front.level)?;
                let mut positions = |lawful| -> Outcome<Vec<f64>> {
                    let (mean, variance) = (&predicted.mean[..CELLS], &predicted.variance[..CELLS]);
                    Ok(sampler.draw(lawful, &x, mean, variance, mass, 0)?.positions[Shock::Last as usize].clone())
                };
                let path = file("shock", "Shock positions of samples, before the law and after it");
                histogram(&path, &label, x[1] - x[0], front.position, [positions(false)?, positions(true)?])?;
            }
        }
        if let Some(raw) = &mut raw {
            raw.condition(function, 0..SETS as u64)?;
            let predicted = raw.predict::<f64>(t, SETS)?;
            put("ANP, t as it is".into(), &predicted)?;
            for (name, corrector) in &mut correctors {
                put(format!("ANP, t as it is, {name}"), &corrector.apply(&predicted, mass)?)?;
            }
        }
        if let Some(soft) = &mut soft {
            soft.condition(function, 0..SETS as u64)?;
            put("SoftC-ANP".into(), &soft.predict::<f64>(t, SETS)?)?;
        }
        if let Some(members) = &members {
            let predicted = ensemble::predict(members, problem, function, t, SETS)?;
            put("deep ensemble".into(), &predicted)?;
            put("deep ensemble, ProbConserv".into(), &correctors[PROBABLE].1.apply(&predicted, mass)?)?;
        }
        let [predicted, lawful] = process.predict(function, t, SETS)?;
        put("Gaussian process".into(), &predicted)?;
        put("Gaussian process, ProbConserv".into(), &lawful)?;
    }
    Ok(table)
}

fn row(parameter: f64, method: String, score: Score) -> Vec<Cell> {
    vec![
        Cell::text(parameter.to_string()),
        Cell::Text(method),
        Cell::Small(score.conservation_error),
        Cell::Plain(score.log_density),
        Cell::Small(score.mse),
        Cell::small(score.front_error),
    ]
}

/// Shock positions of samples before the law and after it, and where the shock is.
fn histogram(path: &Path, title: &str, cell: f64, truth: f64, sides: [Vec<f64>; 2]) -> Outcome<()> {
    // A bin has whole cells, which positions are.
    let first = sides[0][0].min(sides[1][0]) - 0.5 * cell;
    let last = sides[0][SAMPLES - 1].max(sides[1][SAMPLES - 1]) + 0.5 * cell;
    let width = cell * ((last - first) / (cell * BINS as f64)).ceil();
    let (low, high) = (first.min(truth - cell), (first + width * ((last - first) / width).ceil()).max(truth + cell));
    let heights = sides.map(|positions| {
        let mut counts = [0.0; BINS];
        positions.iter().for_each(|p| counts[(((p - first) / width) as usize).min(BINS - 1)] += 1.0 / SAMPLES as f64);
        counts
    });
    let most = heights.iter().flatten().fold(0.0, |most: f64, h| most.max(*h));
    let panels = ["before the law", "after it"].into_iter().zip(heights).enumerate().map(|(i, (side, heights))| {
        let bar = |(bin, h): (usize, &f64)| {
            let (a, b) = (first + bin as f64 * width, first + (bin + 1) as f64 * width);
            (vec![(a, 0.0), (a, *h), (b, *h), (b, 0.0)], charts::COLORS[i])
        };
        Panel {
            title: format!("Shock {side}, {title}"),
            labels: ["x", "share of samples"],
            range: Some(0.0..1.1 * most),
            areas: heights.iter().enumerate().filter(|(_, h)| **h > 0.0).map(bar).collect(),
            lines: vec![
                Line::new("truth", &[truth, truth], &[0.0, 1.1 * most], plotters::style::BLACK),
                Line::new("", &[low, high], &[0.0, 0.0], charts::COLORS[i]),
            ],
        }
    });
    charts::row(path, &panels.collect::<Vec<_>>())
}
