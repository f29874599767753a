//! A deep ensemble of perceptrons, a row a target: the times, the places and the values of a context, then the target.

use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};

use crate::problems::conservation::{Function, Problem, SIDE};
use crate::surrogate::{self, CELLS, Field, Outcome, POINTS};

/// From the function's first context sets, at cells x of time t.
pub fn predict(model: &Model, problem: &Problem, function: &dyn Function, t: f64, sets: usize) -> Outcome<Field<f64>> {
    let rows = sets * CELLS;
    let plan = Plan::new(model, Dtype::F64, &Options { batch: rows, ..Options::default() })?;
    let target = surrogate::targets(&problem.cells(CELLS), t);
    let (points, values) = surrogate::contexts(problem, function, 0..sets as u64);
    let mut input: Vec<f64> = Vec::new();
    for (points, values) in points.chunks_exact(2 * POINTS).zip(values.chunks_exact(POINTS)) {
        let times = points.iter().step_by(2 * SIDE);
        let places = points[1..].iter().step_by(2).take(SIDE);
        let seen: Vec<f64> = times.chain(places).chain(values).copied().collect();
        target.chunks_exact(2).for_each(|target| input.extend(seen.iter().chain(target)));
    }
    let mut field = Field::new(sets);
    let shape = [rows, 1];
    plan.predict_moments(
        &mut plan.workspace()?,
        &View::new("input", &input, &[rows, input.len() / rows])?,
        &[],
        &mut ViewMut::new("mean", &mut field.mean, &shape)?,
        &mut ViewMut::new("variance", &mut field.variance, &shape)?,
    )?;
    Ok(field)
}
