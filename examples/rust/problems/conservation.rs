//! The conservation problems of ProbConserv (Hansen et al., ICML 2023): a family of functions u(t, x) each, whose integral over x is
//! known at all times. Settings are those of the published code.

mod advection;
mod burgers;
mod heat;
mod pme;
mod stefan;

use pcml::View;
use pcml::constraint::{Constraints, Rule};
use pcml::error::Result;

use super::Draw;

pub use burgers::PROBLEM as BURGERS;
pub use stefan::{PROBLEM as STEFAN, Stefan};

/// Context points of a function along each axis.
pub const SIDE: usize = 10;

/// A family of functions.
pub struct Problem {
    pub name: &'static str,
    pub title: &'static str,
    pub equation: &'static str,
    pub parameter: &'static str,
    /// Of the parameter in training.
    pub range: [f64; 2],
    pub test: &'static [f64],
    pub x: [f64; 2],
    /// Duration of the training data.
    pub t_max: f64,
    /// When predictions are judged.
    pub time: f64,
    pub nonnegative: bool,
    /// Whether u never grows with x.
    pub falling: bool,
    /// Whether the recipes train a process with the residual of its equation too.
    pub soft: bool,
    build: fn(f64) -> Box<dyn Function>,
}

/// One function of a family.
pub trait Function {
    fn solution(&self, t: f64, x: f64) -> f64;

    /// b(t), the integral of u over x.
    fn mass(&self, t: f64) -> f64;

    /// Where u falls through half of what lies behind a front, if it has one.
    fn front(&self, _t: f64) -> Option<Front> {
        None
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Front {
    pub position: f64,
    pub level: f64,
}

impl Front {
    /// Where a profile on points x last falls through the level, linearly between points; its first point where it never does.
    pub fn found(&self, x: &[f64], u: &[f64]) -> f64 {
        match (1..u.len()).rev().find(|&i| u[i - 1] >= self.level && u[i] < self.level) {
            Some(i) => x[i - 1] + (x[i] - x[i - 1]) * (u[i - 1] - self.level) / (u[i - 1] - u[i]),
            None => x[0],
        }
    }
}

pub const PROBLEMS: [&Problem; 5] =
    [&heat::PROBLEM, &pme::PROBLEM, &stefan::PROBLEM, &advection::PROBLEM, &burgers::PROBLEM];

pub fn problem(name: &str) -> Option<&'static Problem> {
    PROBLEMS.into_iter().find(|p| p.name == name)
}

impl Problem {
    pub fn function(&self, parameter: f64) -> Box<dyn Function> {
        (self.build)(parameter)
    }

    /// Points from end to end.
    pub fn cells(&self, count: usize) -> Vec<f64> {
        let [low, high] = self.x;
        (0..count).map(|i| low + (high - low) * (i as f64 / (count - 1) as f64)).collect()
    }

    /// Context set `index` of a seed: a grid of SIDE x SIDE points (t, x), one t in each interval of the duration, x uniform
    /// and sorted, and u there.
    pub fn context(&self, function: &dyn Function, seed: u64, index: u64) -> (Vec<f64>, Vec<f64>) {
        let draw = Draw::new(seed, index);
        let mut x: Vec<f64> = (0..SIDE).map(|i| draw.within(SIDE + i, self.x)).collect();
        x.sort_by(f64::total_cmp);
        let points: Vec<(f64, f64)> = (0..SIDE)
            .map(|i| self.t_max * (i as f64 + draw.uniform(i)) / SIDE as f64)
            .flat_map(|t| x.iter().map(move |x| (t, *x)))
            .collect();
        (
            points.iter().flat_map(|(t, x)| [*t, *x]).collect(),
            points.iter().map(|(t, x)| function.solution(*t, *x)).collect(),
        )
    }
}

/// The integral of u over points x by the trapezoid rule.
pub fn law(x: &[f64]) -> Result<Constraints> {
    let mut constraints = Constraints::new(x.len())?;
    constraints.add_quadrature(Rule::Trapezoid, View::new("x", x, &[x.len()])?, 0.0)?;
    Ok(constraints)
}
