//! Operators for the boundary problems: without conditions, with them at the output, with them inside, and jointly with a balance.

use std::path::Path;

use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Scratch};
use pcml::field::Dtype;
use pcml::model::boundary::{Boundary, Face, Kind};
use pcml::model::{Model, Options, Plan, Workspace};
use pcml::{View, ViewMut};

use crate::figures;
use crate::models::Models;
use crate::problems::boundary::{Grid, Problem, Sample};
use crate::surrogate::Outcome;
use crate::table::{Cell, Table};

/// The functions that training leaves out: seed 0 is that of the data, of which the first 200 train.
const SEED: u64 = 0;
const FIRST: u64 = 200;
const FUNCTIONS: u64 = 100;

/// An operator on the problem's grid.
pub struct Operator {
    plan: Plan,
    workspace: Workspace,
    /// Whether it is given the values of faces.
    valued: bool,
}

impl Operator {
    pub fn new(model: &Model, grid: &Grid, dtype: Dtype) -> Outcome<Operator> {
        let plan = Plan::new(model, dtype, &Options { shape: Some(grid.shape()), ..Options::default() })?;
        let valued = model.description().boon.is_some();
        Ok(Operator { workspace: plan.workspace()?, plan, valued })
    }

    pub fn predict(&mut self, grid: &Grid, faces: &[Face], sample: &Sample) -> Outcome<Vec<f64>> {
        let mut u = vec![0.0; sample.output.len()];
        let values = if self.valued { views(grid, faces, &sample.faces)? } else { Vec::new() };
        let shape = grid.shape();
        let input = View::new("input", &sample.input, &shape)?;
        self.plan.predict(&mut self.workspace, &input, &values, &mut ViewMut::new("output", &mut u, &shape)?)?;
        Ok(u)
    }
}

/// Views of the values of faces, one function and one channel.
fn views<'a>(grid: &Grid, faces: &[Face], values: &'a [Vec<f64>]) -> Outcome<Vec<View<'a>>> {
    let valued = faces.iter().filter(|face| face.has_value());
    valued
        .zip(values)
        .map(|(face, values)| {
            let mut shape = grid.shape();
            shape.remove(face.axis);
            Ok(View::new("face", values, &[&[1], &shape[..], &[1]].concat())?)
        })
        .collect()
}

/// Conditions at the output alone.
pub fn enforce(grid: &Grid, faces: &[Face], u: &mut [f64], values: &[Vec<f64>]) -> Outcome<()> {
    let mut boundary = Boundary::new();
    for face in faces {
        let spacing = grid.axes[face.axis][1] - grid.axes[face.axis][0];
        let spacing = (face.kind == Kind::Neumann).then_some(spacing);
        boundary.add_face(Face { spacing, ..face.clone() })?;
    }
    let shape = grid.shape();
    let field = &mut ViewMut::new("field", u, &[&[1], &shape[..], &[1]].concat())?;
    Ok(boundary.enforce(field, shape.len(), &views(grid, faces, values)?)?)
}

/// The balance at every time and the conditions, of fields over one axis of space.
struct Joint {
    projector: Projector,
    scratch: Scratch,
}

impl Joint {
    fn new(grid: &Grid, faces: &[Face]) -> Outcome<Joint> {
        let (x, times) = (&grid.axes[0], grid.times().len());
        let (n, h) = (x.len(), x[1] - x[0]);
        let mut constraints = Constraints::new(n * times)?;
        let mut row = |nodes: &[(usize, f64)]| -> Outcome<()> {
            for t in 0..times {
                let cells: Vec<i64> = nodes.iter().map(|(i, _)| (i * times + t) as i64).collect();
                let weights: Vec<f64> = nodes.iter().map(|(_, w)| *w).collect();
                constraints.add_sparse_rows(&[0, cells.len() as i64], &cells, &weights, None)?;
            }
            Ok(())
        };
        row(&(0..n).map(|i| (i, if i == 0 || i + 1 == n { 0.5 * h } else { h })).collect::<Vec<_>>())?;
        for face in faces {
            let own = if face.side < 0 { 0 } else { n - 1 };
            match face.kind {
                Kind::Dirichlet => row(&[(own, 1.0)])?,
                Kind::Periodic => row(&[(0, 1.0), (n - 1, -1.0)])?,
                Kind::Neumann => {
                    let first = if face.side < 0 { 0 } else { n - face.stencil.len() };
                    let weights = face.stencil.iter().enumerate().map(|(k, c)| (first + k, c / h));
                    row(&weights.collect::<Vec<_>>())?;
                }
            }
        }
        let projector = Projector::new(&constraints, Prior::Identity, &ProjectorOptions::default())?;
        Ok(Joint { scratch: projector.scratch(1)?, projector })
    }

    fn apply(&mut self, u: &[f64], faces: &[Face], sample: &Sample, integral: &[f64]) -> Outcome<Vec<f64>> {
        let mut b = integral.to_vec();
        let mut values = sample.faces.iter();
        for face in faces {
            let zero = vec![0.0; integral.len()];
            b.extend(if face.has_value() { values.next().expect("a value for each face") } else { &zero });
        }
        let mut out = u.to_vec();
        let mean = ViewMut::new("posterior", &mut out, &[1, u.len()])?;
        let (u, b) = (View::new("mean", u, &[1, u.len()])?, View::new("b", &b, &[1, b.len()])?);
        self.projector.project(&mut self.scratch, u, None, b, Posterior { mean, variance: None }, None)?;
        Ok(out)
    }
}

/// What one method makes of all functions.
pub struct Found {
    pub method: &'static str,
    relative: Vec<f64>,
    misses: f64,
    unbalanced: Option<f64>,
    /// At each time, in the mean over functions: absolute, and relative in L2.
    pub absolute: Vec<f64>,
    pub over_time: Vec<f64>,
    /// Of the first function.
    pub first: Vec<f64>,
}

impl Found {
    fn new(method: &'static str, times: usize) -> Found {
        let zero = vec![0.0; times];
        let (absolute, over_time) = (zero.clone(), zero);
        Found { method, relative: vec![], misses: 0.0, unbalanced: None, absolute, over_time, first: vec![] }
    }

    fn add(&mut self, problem: &Problem, grid: &Grid, sample: &Sample, u: Vec<f64>) {
        let (times, share) = (grid.times().len(), 1.0 / FUNCTIONS as f64);
        self.relative.push(relative(&u, &sample.output));
        let misses = problem.misses(grid, &u, &sample.faces);
        self.misses += share * misses.iter().sum::<f64>() / misses.len() as f64;
        for t in 0..times {
            let at = |u: &[f64]| -> Vec<f64> { u.iter().skip(t).step_by(times).copied().collect() };
            let (found, truth) = (at(&u), at(&sample.output));
            let apart: f64 = found.iter().zip(&truth).map(|(a, b)| (a - b).abs()).sum();
            self.absolute[t] += share * apart / truth.len() as f64;
            self.over_time[t] += share * relative(&found, &truth);
            if let Some(integral) = &sample.integral {
                let off = (grid.integral(&found) - integral[t]).abs();
                *self.unbalanced.get_or_insert(0.0) += share * off / times as f64;
            }
        }
        if self.first.is_empty() {
            self.first = u;
        }
    }

    fn row(&self) -> Vec<Cell> {
        let worst = self.relative.iter().fold(0.0, |most: f64, e| most.max(*e));
        vec![
            Cell::text(self.method),
            Cell::Small(self.relative.iter().sum::<f64>() / self.relative.len() as f64),
            Cell::Small(worst),
            Cell::Small(self.misses),
            Cell::small(self.unbalanced),
        ]
    }
}

pub fn relative(u: &[f64], truth: &[f64]) -> f64 {
    let apart: f64 = u.iter().zip(truth).map(|(a, b)| (a - b).powi(2)).sum();
    (apart / truth.iter().map(|t| t * t).sum::<f64>()).sqrt()
}

/// Problems with an operator of rule seed: between periodic ends both rules are one, and the published code has no wave.
const PUBLISHED: [&str; 5] = ["stokes", "riemann", "inflow", "heat_wall", "cavity"];

/// The names of a problem's operators: without conditions, and with them inside.
pub fn operators(problem: &Problem) -> [String; 2] {
    ["fno", "boon"].map(|kind| format!("{}_{kind}", problem.name))
}

pub fn run(problem: &'static Problem, models: &mut Models, out: &Path) -> Outcome<Table> {
    let grid = problem.grid(problem.points);
    let (faces, times) = (problem.faces(), grid.times().len());
    let title =
        format!("{}, {}: {FUNCTIONS} functions, {} points", problem.title, problem.equation, extents(&grid.shape()));
    let columns = ["method", "relative L2", "worst", "boundary error", "balance error"];
    let mut table = Table::new(problem.name, title, &columns);
    let [fno, boon] = operators(problem);
    let operator = |model: Option<Model>| model.map(|m| Operator::new(&m, &grid, Dtype::F64)).transpose();
    let mut fno = operator(models.need(&fno)?)?;
    let mut boon = operator(models.need(&boon)?)?;
    let mut published = match PUBLISHED.contains(&problem.name) {
        true => operator(models.need(&format!("{}_seed", problem.name))?)?,
        false => None,
    };

    let mut all: Vec<Found> = Vec::new();
    let mut solver = Found::new("solver", times);
    let mut joint = None;
    let mut first = None;
    for index in FIRST..FIRST + FUNCTIONS {
        if (index - FIRST).is_multiple_of(25) {
            eprintln!("{}: function {} of {FUNCTIONS}", problem.name, index - FIRST);
        }
        let sample = problem.sample(&grid, SEED, index);
        solver.add(problem, &grid, &sample, sample.output.clone());
        let mut put = |method: &'static str, u: Vec<f64>| {
            let at = all.iter().position(|found| found.method == method).unwrap_or_else(|| {
                all.push(Found::new(method, times));
                all.len() - 1
            });
            all[at].add(problem, &grid, &sample, u);
        };
        let balance = sample.integral.as_ref().filter(|_| grid.axes.len() == 2);
        if let (Some(_), None) = (balance, &joint) {
            joint = Some(Joint::new(&grid, &faces)?);
        }
        if let Some(fno) = &mut fno {
            let u = fno.predict(&grid, &faces, &sample)?;
            let mut set = u.clone();
            enforce(&grid, &faces, &mut set, &sample.faces)?;
            put("FNO, faces set at the output", set);
            if let (Some(integral), Some(joint)) = (balance, &mut joint) {
                put("FNO, faces and balance", joint.apply(&u, &faces, &sample, integral)?);
            }
            put("FNO", u);
        }
        if let Some(boon) = &mut boon {
            let u = boon.predict(&grid, &faces, &sample)?;
            if let (Some(integral), Some(joint)) = (balance, &mut joint) {
                put("BOON, faces and balance", joint.apply(&u, &faces, &sample, integral)?);
            }
            put("BOON", u);
        }
        if let Some(published) = &mut published {
            put("BOON, rule seed", published.predict(&grid, &faces, &sample)?);
        }
        first.get_or_insert(sample);
    }
    let order = ["FNO", "FNO, faces set at the output", "FNO, faces and balance", "BOON, rule seed", "BOON"];
    all.sort_by_key(|found| order.iter().position(|method| *method == found.method).unwrap_or(order.len()));
    table.rows.extend(all.iter().chain([&solver]).map(Found::row));
    table.figures = figures::draw(problem, &grid, &first.expect("a function"), &all, out)?;
    Ok(table)
}

pub fn extents(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}
