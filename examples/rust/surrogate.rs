//! A trained model of a conservation problem, conditioned on context sets that training never saw and queried at one time.
#![allow(dead_code)]

use std::error::Error;
use std::ops::Range;

use pcml::field::{Dtype, Element};
use pcml::model::{Model, Options, Plan, Workspace};
use pcml::{View, ViewMut};

use crate::problems::conservation::{Function, Problem, SIDE};

pub const CELLS: usize = 201;
pub const LATENTS: usize = 100;
pub const SEED: u64 = 2023;
/// Context points of a function.
pub const POINTS: usize = SIDE * SIDE;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// A mean and a variance for each cell of each slice, in the storage type.
#[derive(Clone)]
pub struct Field<T> {
    pub mean: Vec<T>,
    pub variance: Vec<T>,
}

impl<T: Element> Field<T> {
    pub fn new(slices: usize) -> Field<T> {
        Field { mean: vec![T::default(); slices * CELLS], variance: vec![T::default(); slices * CELLS] }
    }

    pub fn slices(&self) -> usize {
        self.mean.len() / CELLS
    }
}

/// A plan with its workspace, for a problem on cells at points x.
pub struct Surrogate {
    problem: &'static Problem,
    plan: Plan,
    workspace: Workspace,
    pub x: Vec<f64>,
}

impl Surrogate {
    /// For at most `batch` functions at a time.
    pub fn new(problem: &'static Problem, model: &Model, dtype: Dtype, batch: usize) -> Outcome<Surrogate> {
        let options = Options {
            batch,
            context: Some(POINTS),
            targets: Some(CELLS),
            latents: LATENTS,
            seed: SEED,
            ..Options::default()
        };
        let plan = Plan::new(model, dtype, &options)?;
        Ok(Surrogate { problem, workspace: plan.workspace()?, plan, x: problem.cells(CELLS) })
    }

    /// Takes the function's context sets of these numbers.
    pub fn condition(&mut self, function: &dyn Function, sets: Range<u64>) -> Outcome<()> {
        let (x, y) = contexts(self.problem, function, sets);
        let count = y.len() / POINTS;
        let x = View::new("context_x", &x, &[count, POINTS, 2])?;
        Ok(self.plan.condition(&mut self.workspace, &x, &View::new("context_y", &y, &[count, POINTS, 1])?)?)
    }

    pub fn predict<T: Element>(&mut self, t: f64, sets: usize) -> Outcome<Field<T>> {
        let target = targets(&self.x, t);
        let mut field = Field::new(sets);
        self.plan.query(
            &mut self.workspace,
            &View::new("target_x", &target, &[CELLS, 2])?,
            None,
            &mut ViewMut::new("mean", &mut field.mean, &[sets, CELLS])?,
            Some(&mut ViewMut::new("variance", &mut field.variance, &[sets, CELLS])?),
        )?;
        Ok(field)
    }
}

/// Points (t, x) and values of context sets, one after the other.
pub fn contexts(problem: &Problem, function: &dyn Function, sets: Range<u64>) -> (Vec<f64>, Vec<f64>) {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for index in sets {
        let (points, values) = problem.context(function, SEED, index);
        x.extend(points);
        y.extend(values);
    }
    (x, y)
}

/// Points (t, x) of one time.
pub fn targets(x: &[f64], t: f64) -> Vec<f64> {
    x.iter().flat_map(|x| [t, *x]).collect()
}
