//! The shipped model, conditioned on context sets that training never saw and queried at one time.

use std::error::Error;
use std::ops::Range;

use pcml::field::{Dtype, Element};
use pcml::model::{Model, Options, Plan, Workspace};
use pcml::{View, ViewMut};

use crate::problems::conservation::{Function, Problem, SIDE};

pub const CELLS: usize = 201;
pub const LATENTS: usize = 100;
const SEED: u64 = 2023;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// A mean and a variance for each cell of each slice, in the storage type.
#[derive(Clone)]
pub struct Field<T> {
    pub mean: Vec<T>,
    pub variance: Vec<T>,
}

/// A plan with its workspace, for a problem on cells at points x.
pub struct Surrogate {
    problem: &'static Problem,
    plan: Plan,
    workspace: Workspace,
    pub x: Vec<f64>,
}

impl Surrogate {
    pub fn new(problem: &'static Problem, model: &Model, dtype: Dtype, batch: usize) -> Outcome<Surrogate> {
        let options = Options {
            batch,
            context: Some(SIDE * SIDE),
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
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let count = sets.clone().count();
        for index in sets {
            let (points, values) = self.problem.context(function, SEED, index);
            x.extend(points);
            y.extend(values);
        }
        let points = SIDE * SIDE;
        let x = View::new("context_x", &x, &[count, points, 2])?;
        Ok(self.plan.condition(&mut self.workspace, &x, &View::new("context_y", &y, &[count, points, 1])?)?)
    }

    pub fn predict<T: Element>(&mut self, t: f64, sets: usize) -> Outcome<Field<T>> {
        let target: Vec<f64> = self.x.iter().flat_map(|x| [t, *x]).collect();
        let mut field = Field { mean: vec![T::default(); sets * CELLS], variance: vec![T::default(); sets * CELLS] };
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
