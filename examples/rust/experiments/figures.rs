//! What the boundary problems are drawn by: the flux at the insulated wall, Stokes' layer, the cavity's vorticity.

use std::path::Path;

use plotters::style::BLACK;

use crate::boundary::Found;
use crate::charts::{self, COLORS, Line, Panel};
use crate::maps;
use crate::problems::boundary::{Grid, Problem, Sample};
use crate::surrogate::Outcome;

/// Figures of the problems that have some, with their captions; of the first function, and of all in the mean where the title says error.
pub fn draw(
    problem: &Problem,
    grid: &Grid,
    sample: &Sample,
    all: &[Found],
    out: &Path,
) -> Outcome<Vec<(String, String)>> {
    let mut figures = Vec::new();
    let drawn: Vec<&Found> = all.iter().filter(|found| ["FNO", "BOON"].contains(&found.method)).collect();
    if drawn.is_empty() {
        return Ok(figures);
    }
    let mut path = |kind: &str, caption: String| {
        let name = format!("{}_{kind}.svg", problem.name);
        figures.push((caption, name.clone()));
        out.join(name)
    };
    let over_time = |title: &str, value: fn(&Found) -> &[f64]| Panel {
        title: title.into(),
        labels: ["t", ""],
        lines: drawn.iter().zip(COLORS).map(|(f, c)| Line::new(f.method, grid.times(), value(f), c)).collect(),
        ..Panel::default()
    };
    match problem.name {
        "heat_wall" => {
            let slope = |u: &[f64]| -> Vec<f64> {
                let (h, [own, next]) = (grid.axes[0][1] - grid.axes[0][0], [0, 1].map(|i| line(grid, u, i)));
                own.iter().zip(next).map(|(a, b)| (b - a) / h).collect()
            };
            let of = |name: &str, u: &[f64], color| Line::new(name, grid.times(), &slope(u), color);
            let mut lines = vec![of("solver", &sample.output, BLACK)];
            lines.extend(drawn.iter().zip(COLORS).map(|(f, c)| of(f.method, &f.first, c)));
            let title = "u_x at the insulated wall, first order".to_string();
            let path = path("flux", "The difference quotient at the insulated wall".into());
            charts::row(&path, &[Panel { title, labels: ["t", "u_x"], lines, ..Panel::default() }])?;
        }
        "stokes" => {
            let t = grid.times().len() / 2;
            let profile = |u: &[f64]| -> Vec<f64> { u.iter().skip(t).step_by(grid.times().len()).copied().collect() };
            let of = |name: &str, u: &[f64], color| Line::new(name, &grid.axes[0], &profile(u), color);
            let mut lines = vec![of("exact", &sample.output, BLACK)];
            lines.extend(drawn.iter().zip(COLORS).map(|(f, c)| of(f.method, &f.first, c)));
            let title = format!("u at t = {:.2}", grid.times()[t]);
            let profiles = Panel { title, labels: ["y", "u"], lines, ..Panel::default() };
            let path = path("layer", "The layer at one time, and the error over time".into());
            charts::row(&path, &[profiles, over_time("Absolute error, mean over y", |f| &f.absolute)])?;
        }
        "cavity" => {
            let times = grid.times().len();
            let state = |u: &[f64], t: usize| -> Vec<f64> { u.iter().skip(t).step_by(times).copied().collect() };
            let steps = [0, times / 4, times / 2, times - 1];
            let mut fields = vec![("w at t = 0".to_string(), state(&sample.input, 0))];
            let at = |name: &str, u: &[f64], t: usize| (format!("{name}, t = {:.2}", grid.times()[t]), state(u, t));
            fields.extend(steps.map(|t| at("solver", &sample.output, t)));
            maps::maps(&path("solver", "Vorticity of the solver".into()), &fields, grid.axes[0].len(), 6.0)?;
            for found in &drawn {
                let name = path(&found.method.to_lowercase(), format!("Vorticity of {}", found.method));
                maps::maps(&name, &steps.map(|t| at(found.method, &found.first, t)), grid.axes[0].len(), 6.0)?;
            }
            let path = path("error", "Relative error over time".into());
            charts::row(&path, &[over_time("Relative L2 error", |f| &f.over_time)])?;
        }
        _ => (),
    }
    Ok(figures)
}

/// A node of the first axis at all times.
fn line(grid: &Grid, u: &[f64], node: usize) -> Vec<f64> {
    let times = grid.times().len();
    u[node * times..(node + 1) * times].to_vec()
}
