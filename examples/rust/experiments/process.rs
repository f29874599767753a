//! A Gaussian process in the place of the network, fitted when the experiment runs, and its posterior made lawful in its own covariance:
//! that is the process conditioned on the integral.

use pcml::constraint::{Posterior, Prior, Projector, ProjectorOptions, Scratch};
use pcml::field::Dtype;
use pcml::model::gp::{FitOptions, Kernel, Numbers};
use pcml::model::{Channel, Model, Options, Plan, Workspace};
use pcml::{View, ViewMut};

use crate::problems::conservation::{self, Function, Problem};
use crate::surrogate::{self, CELLS, Field, Outcome, POINTS};

/// Functions of the training range whose contexts the hyperparameters fit, and the first of their context sets.
const FITTED: usize = 8;
const FIRST: u64 = 1 << 32;

pub struct Process {
    problem: &'static Problem,
    plan: Plan,
    workspace: Workspace,
    projector: Projector,
    scratch: Scratch,
    x: Vec<f64>,
}

impl Process {
    pub fn fit(problem: &'static Problem, batch: usize) -> Outcome<Process> {
        let [low, high] = problem.range;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for i in 0..FITTED {
            let function = problem.function(low + (high - low) * (i as f64 + 0.5) / FITTED as f64);
            let set = FIRST + i as u64;
            let (points, values) = surrogate::contexts(problem, function.as_ref(), set..set + 1);
            x.extend(points);
            y.extend(values);
        }
        let guess = Numbers {
            kernel: Kernel::Matern32,
            variance: 0.5,
            length_scales: vec![0.5 * problem.t_max, 0.3 * (problem.x[1] - problem.x[0])],
            noise: 1e-4,
            means: vec![],
            points: 0,
            point_noise: false,
        };
        let channels =
            |names: &[&str]| -> Vec<Channel> { names.iter().map(|n| Channel::plain(n.to_string())).collect() };
        let guess = Model::gaussian_process(&guess, &channels(&["t", "x"]), &channels(&["u"]))?;
        let points = View::new("x", &x, &[FITTED, POINTS, 2])?;
        let options = FitOptions { restarts: 1, iterations: 60, ..FitOptions::default() };
        let (model, _) = guess.fit(&points, &View::new("y", &y, &[FITTED, POINTS, 1])?, None, &options)?;
        let options =
            Options { batch, context: Some(POINTS), targets: Some(CELLS), covariance: CELLS, ..Options::default() };
        let plan = Plan::new(&model, Dtype::F64, &options)?;
        let x = problem.cells(CELLS);
        let projector = Projector::new(&conservation::law(&x)?, Prior::Dense, &ProjectorOptions::default())?;
        let (workspace, scratch) = (plan.workspace()?, projector.scratch(batch)?);
        Ok(Process { problem, plan, workspace, projector, scratch, x })
    }

    /// From the function's first context sets: as it comes, and lawful.
    pub fn predict(&mut self, function: &dyn Function, t: f64, sets: usize) -> Outcome<[Field<f64>; 2]> {
        let (x, y) = surrogate::contexts(self.problem, function, 0..sets as u64);
        let x = View::new("context_x", &x, &[sets, POINTS, 2])?;
        self.plan.condition(&mut self.workspace, &x, &View::new("context_y", &y, &[sets, POINTS, 1])?)?;
        let target = surrogate::targets(&self.x, t);
        let mut field = Field::new(sets);
        let (shape, square) = ([sets, CELLS], [sets, CELLS, CELLS]);
        let mut covariance = vec![0.0; sets * CELLS * CELLS];
        self.plan.covariance(
            &mut self.workspace,
            &View::new("target_x", &target, &[CELLS, 2])?,
            Some(&mut ViewMut::new("mean", &mut field.mean, &shape)?),
            &mut ViewMut::new("covariance", &mut covariance, &square)?,
        )?;
        for (v, c) in field.variance.chunks_exact_mut(CELLS).zip(covariance.chunks_exact(CELLS * CELLS)) {
            v.iter_mut().zip(c.iter().step_by(CELLS + 1)).for_each(|(v, c)| *v = *c);
        }
        let mut lawful = field.clone();
        let b = vec![function.mass(t); sets];
        let posterior = Posterior {
            mean: ViewMut::new("posterior mean", &mut lawful.mean, &shape)?,
            variance: Some(ViewMut::new("posterior variance", &mut lawful.variance, &shape)?),
        };
        self.projector.project(
            &mut self.scratch,
            View::new("mean", &field.mean, &shape)?,
            Some(View::new("covariance", &covariance, &square)?),
            View::new("b", &b, &[sets])?,
            posterior,
            None,
        )?;
        Ok([field, lawful])
    }
}
