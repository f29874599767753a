//! Predictions of a conservation problem made lawful, and how good they are.
#![allow(dead_code)]

use pcml::constraint::{
    Bounded, Bounds, Direction, Posterior, Prior, Projector, ProjectorOptions, Report, Scratch, log_density,
};
use pcml::field::Element;
use pcml::{View, ViewMut};

use crate::charts::Mass;
use crate::problems::conservation::{self, Function};
use crate::surrogate::{CELLS, Field, Outcome, Surrogate};

/// What a projection knows besides the law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Correction {
    /// Every cell yields alike, and the variance stays the surrogate's.
    HardC,
    /// The metric is the surrogate's variance.
    ProbConserv,
    /// The same after soft second differences, cells correlated by 0.9.
    Diffusion,
    /// ProbConserv, no value below 0.
    NonNegative,
    /// ProbConserv, no value above its left neighbour's.
    Falling,
}

/// A projection with its working memory.
pub struct Corrector {
    correction: Correction,
    projector: Projector,
    scratch: Scratch,
    bounded: Option<Bounded>,
    lower: Vec<f64>,
    pub report: Report,
}

impl Corrector {
    /// For at most `slices` of cells at points x.
    pub fn new(correction: Correction, x: &[f64], slices: usize) -> Outcome<Corrector> {
        let mut constraints = conservation::law(x)?;
        let mut options = ProjectorOptions::default();
        let prior = match correction {
            Correction::HardC => Prior::Identity,
            Correction::Diffusion => Prior::Smoothed,
            _ => Prior::Diagonal,
        };
        if correction == Correction::Diffusion {
            options.smoothing = 0.9;
        }
        if correction == Correction::Falling {
            constraints.add_monotone(0, x.len(), Direction::Decreasing)?;
        }
        let projector = Projector::new(&constraints, prior, &options)?;
        let bounds = matches!(correction, Correction::NonNegative | Correction::Falling);
        Ok(Corrector {
            correction,
            scratch: projector.scratch(slices)?,
            bounded: bounds.then(|| projector.bounded(slices)).transpose()?,
            lower: vec![0.0; x.len()],
            report: projector.report(slices)?,
            projector,
        })
    }

    /// The report says how far each slice was from the law, and is. Bounds take ProbConserv's variance as it is.
    pub fn apply<T: Element>(&mut self, field: &Field<T>, mass: f64) -> Outcome<Field<T>> {
        let mut out = field.clone();
        let slices = field.slices();
        let (shape, b) = ([slices, CELLS], vec![mass; slices]);
        let (mean, b) = (View::new("mean", &field.mean, &shape)?, View::new("b", &b, &[slices])?);
        let variance = View::new("variance", &field.variance, &shape)?;
        let posterior = ViewMut::new("posterior mean", &mut out.mean, &shape)?;
        let report = Some(&mut self.report);
        if let Some(bounded) = &mut self.bounded {
            let bounds = Bounds { lower: Some(View::new("lower", &self.lower, &[CELLS])?), upper: None };
            self.projector.project_bounded(bounded, mean, Some(variance), b, bounds, posterior, report)?;
            return Ok(out);
        }
        let moves = self.correction != Correction::HardC;
        let spread = ViewMut::new("posterior variance", &mut out.variance, &shape)?;
        let posterior = Posterior { mean: posterior, variance: moves.then_some(spread) };
        self.projector.project(&mut self.scratch, mean, moves.then_some(variance), b, posterior, report)?;
        Ok(out)
    }
}

/// Averages over the slices of a field.
#[derive(Clone, Copy, Default)]
pub struct Score {
    pub conservation_error: f64,
    /// Mean over the cells of log N(truth).
    pub log_density: f64,
    pub mse: f64,
    /// Distance of the front from where it is, if there is one.
    pub front_error: Option<f64>,
}

/// Scores fields against the solution at one time.
pub struct Judge<'a> {
    function: &'a dyn Function,
    t: f64,
    x: &'a [f64],
    pub truth: Vec<f64>,
    law: (Projector, Scratch),
}

impl Judge<'_> {
    pub fn new<'a>(function: &'a dyn Function, t: f64, x: &'a [f64]) -> Outcome<Judge<'a>> {
        let projector = Projector::new(&conservation::law(x)?, Prior::Identity, &ProjectorOptions::default())?;
        let scratch = projector.scratch(1)?;
        let truth = x.iter().map(|x| function.solution(t, *x)).collect();
        Ok(Judge { function, t, x, truth, law: (projector, scratch) })
    }

    pub fn score<T: Element + Into<f64>>(&mut self, field: &Field<T>) -> Outcome<Score> {
        let (mass, front) = ([self.function.mass(self.t)], self.function.front(self.t));
        let mut score = Score { front_error: front.map(|_| 0.0), ..Score::default() };
        let share = 1.0 / field.slices() as f64;
        for (mean, variance) in field.mean.chunks_exact(CELLS).zip(field.variance.chunks_exact(CELLS)) {
            let view = View::new("mean", mean, &[CELLS])?;
            let mut residual = [0f64];
            let (projector, scratch) = &mut self.law;
            let out = ViewMut::new("residual", &mut residual, &[1])?;
            projector.residual(scratch, view, View::new("b", &mass, &[1])?, out)?;
            score.conservation_error += share * residual[0].abs();
            let truth = View::new("truth", &self.truth, &[CELLS])?;
            score.log_density += share * log_density(truth, view, View::new("variance", variance, &[CELLS])?)?;
            let mean: Vec<f64> = mean.iter().map(|v| (*v).into()).collect();
            let squares = mean.iter().zip(&self.truth).map(|(u, t)| (u - t).powi(2)).sum::<f64>();
            score.mse += share * squares / CELLS as f64;
            if let (Some(front), Some(error)) = (front, &mut score.front_error) {
                *error += share * (front.found(self.x, &mean) - front.position).abs();
            }
        }
        Ok(score)
    }
}

/// The mass of one context set's prediction at 40 times up to the problem's last, as it comes and after HardC and ProbConserv.
pub fn masses<T: Element>(
    problem: &conservation::Problem,
    function: &dyn Function,
    surrogate: &mut Surrogate,
    correctors: [&mut Corrector; 2],
) -> Outcome<Vec<Mass>> {
    let [hard, probable] = correctors;
    surrogate.condition(function, 0..1)?;
    (1..=40)
        .map(|step| {
            let t = problem.t_max * step as f64 / 40.0;
            let (predicted, exact) = (surrogate.predict::<T>(t, 1)?, function.mass(t));
            hard.apply(&predicted, exact)?;
            probable.apply(&predicted, exact)?;
            let [hard, probable] = [&hard.report, &probable.report].map(|report| report.rows(0)[0]);
            let found = [hard.residual_before, hard.residual_after, probable.residual_after].map(|r| exact + r);
            Ok(Mass { t, exact, found })
        })
        .collect()
}
