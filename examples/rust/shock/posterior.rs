//! Samples of a prediction, before the law and after it, and where their shocks are.
#![allow(dead_code)]

use pcml::constraint::{Constraints, Inference, Prior, Projector, ProjectorOptions, Report, Rule, Scratch};
use pcml::{View, ViewMut};

use crate::surrogate::{CELLS, Outcome};

pub const SAMPLES: usize = 1000;
const SEED: u64 = 1;
/// So noisy a row says nothing: its samples are those of the prediction.
const NO_LAW: f64 = 1e200;

/// Samples of a prediction, and how far they are from the law.
pub struct Sampler {
    /// With the exact row, which is also the judge of all samples, and with the row that says nothing.
    exact: (Projector, Inference),
    vague: (Projector, Inference),
    scratch: Scratch,
    report: Report,
    samples: Vec<f64>,
    level: f64,
}

/// The shock positions of samples by each rule, in ascending order.
pub struct Posterior {
    pub positions: [Vec<f64>; 2],
    pub largest_residual: f64,
    /// Samples whose residual is beyond the rounding of the stored values.
    pub unlawful: usize,
}

/// What is printed of a posterior.
#[derive(Clone, Copy, Default)]
pub struct Summary {
    pub mean: f64,
    pub deviation: f64,
    pub low: f64,
    pub high: f64,
    pub error: f64,
    pub largest_residual: f64,
    pub unlawful: usize,
}

impl Posterior {
    pub fn summary(&self, rule: Shock, truth: f64) -> Summary {
        let positions = &self.positions[rule as usize];
        let n = positions.len();
        let quantile = |p: f64| positions[(p * (n - 1) as f64).round() as usize];
        let mean = positions.iter().sum::<f64>() / n as f64;
        let squares: f64 = positions.iter().map(|x| (x - mean).powi(2)).sum();
        Summary {
            mean,
            deviation: (squares / (n - 1) as f64).sqrt(),
            low: quantile(0.05),
            high: quantile(0.95),
            error: (mean - truth).abs(),
            largest_residual: self.largest_residual,
            unlawful: self.unlawful,
        }
    }
}

/// How a profile's shock is found.
#[derive(Clone, Copy)]
pub enum Shock {
    /// The position of the last cell above half of u*.
    Last,
    /// The same, had all cells above come first.
    Count,
}

impl Shock {
    /// 0 where no cell is above.
    pub fn position(self, x: &[f64], u: &[f64], level: f64) -> f64 {
        let above = |u: &f64| *u > level;
        let cells = match self {
            Shock::Last => u.iter().rposition(above).map_or(0, |i| i + 1),
            Shock::Count => u.iter().copied().filter(above).count(),
        };
        cells.checked_sub(1).map_or(0.0, |i| x[i])
    }
}

impl Sampler {
    /// Of a law on cells at points x, for shocks through this level.
    pub fn new(x: &[f64], level: f64) -> Outcome<Sampler> {
        let side = |noise: f64| -> Outcome<(Projector, Inference)> {
            let mut constraints = Constraints::new(CELLS)?;
            constraints.add_quadrature(Rule::Trapezoid, View::new("x", x, &[CELLS])?, noise)?;
            let projector = Projector::new(&constraints, Prior::Diagonal, &ProjectorOptions::default())?;
            let inference = projector.inference(SAMPLES)?;
            Ok((projector, inference))
        };
        let (exact, vague) = (side(0.0)?, side(NO_LAW)?);
        let (scratch, report) = (exact.0.scratch(SAMPLES)?, exact.0.report(SAMPLES)?);
        Ok(Sampler { exact, vague, scratch, report, samples: vec![0.0; SAMPLES * CELLS], level })
    }

    pub fn draw(
        &mut self,
        lawful: bool,
        x: &[f64],
        mean: &[f64],
        variance: &[f64],
        mass: f64,
        set: usize,
    ) -> Outcome<Posterior> {
        let (projector, inference) = if lawful { &mut self.exact } else { &mut self.vague };
        projector.sample(
            inference,
            View::new("mean", mean, &[CELLS])?,
            Some(View::new("variance", variance, &[CELLS])?),
            View::new("b", &[mass], &[1])?,
            SEED,
            (set * SAMPLES) as u64,
            ViewMut::new("samples", &mut self.samples, &[SAMPLES, CELLS])?,
        )?;
        self.exact.0.check(
            &mut self.scratch,
            View::new("samples", &self.samples, &[SAMPLES, CELLS])?,
            View::new("b", &[mass; SAMPLES], &[SAMPLES])?,
            &mut self.report,
        )?;
        let rows: Vec<_> = (0..SAMPLES).map(|k| self.report.rows(k)[0]).collect();
        let positions = [Shock::Last, Shock::Count].map(|rule| {
            let mut positions: Vec<f64> =
                self.samples.chunks_exact(CELLS).map(|u| rule.position(x, u, self.level)).collect();
            positions.sort_by(f64::total_cmp);
            positions
        });
        Ok(Posterior {
            positions,
            largest_residual: rows.iter().map(|row| row.residual_after.abs()).fold(0.0, f64::max),
            unlawful: rows.iter().filter(|row| row.residual_after.abs() > row.tolerance).count(),
        })
    }
}
