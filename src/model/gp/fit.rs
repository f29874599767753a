//! Hyperparameters of the greatest marginal likelihood.

use super::likelihood::{Evaluation, Evidence};
use super::posterior::{Points, Process};
use super::search::{Found, minimise};
use super::{Numbers, check_points, gather};
use crate::error::{Result, fail, zeros};
use crate::kernels::random::Philox;
use crate::kernels::strided::View;
use crate::model::{Channel, Model};

/// What a fit moves, and how long it looks.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// The signal variance.
    pub variance: bool,
    /// The length scales.
    pub lengths: bool,
    /// The noise variance; where it is 0 it stays 0.
    pub noise: bool,
    /// The means, each by the greatest likelihood at every step: 1' K^-1 y / 1' K^-1 1. One function only.
    pub means: bool,
    /// Every hyperparameter stays within this factor of where it was, both ways.
    pub range: f64,
    /// Searches after the first, from places drawn within the root of the range.
    pub restarts: usize,
    /// Seed of those draws.
    pub seed: u64,
    /// Most iterations of a search.
    pub iterations: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        FitOptions {
            variance: true,
            lengths: true,
            noise: true,
            means: false,
            range: 1e5,
            restarts: 4,
            seed: 0,
            iterations: 200,
        }
    }
}

/// Most searches after the first.
pub const MOST_RESTARTS: usize = 10_000;

/// What a fit tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// log N(y; m, K + noise) of the raw values, at the end.
    pub log_likelihood: f64,
    /// The same at the model's own hyperparameters; NaN where their kernel matrix is singular.
    pub log_likelihood_before: f64,
    /// Iterations of the search that won.
    pub iterations: usize,
    /// Evaluations of likelihood and gradient, all searches together.
    pub evaluations: usize,
    /// Which search won: 0 is that from the model's own hyperparameters.
    pub search: usize,
    /// Whether its gradient vanished (but against bounds), or no step beyond rounding raised the likelihood, before the iterations ran out.
    pub converged: bool,
    /// What was added to the kernel matrix's diagonal at the end, as a part of the signal variance.
    pub jitter: f64,
}

/// The caller's points in network units.
struct Gathered {
    points: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    noise: Option<Vec<f64>>,
}

impl Model {
    /// A Gaussian process from its numbers, without a file. No points are stored: plans are conditioned by the caller.
    ///
    /// Errors: FileDescription for numbers out of range, which are named as in the model file.
    pub fn gaussian_process(numbers: &Numbers, inputs: &[Channel], outputs: &[Channel]) -> Result<Model> {
        if numbers.points > 0 {
            return fail!(
                InvalidArgument,
                "gp.points is {}, expected 0: a model from numbers stores none",
                numbers.points
            );
        }
        Model::from_description(serde_json::json!({
            "format": 1,
            "architecture": "gp",
            "gp": numbers,
            "inputs": inputs,
            "outputs": outputs,
            "selftest": {"tolerance": 1e-9},
        }))
    }

    /// The numbers of a Gaussian process.
    pub fn process_numbers(&self) -> Result<&Numbers> {
        match &self.description().gp {
            Some(_) if !self.members().is_empty() => {
                fail!(State, "the model is an ensemble, expected a single Gaussian process")
            }
            Some(numbers) => Ok(numbers),
            None => fail!(State, "the model is no Gaussian process"),
        }
    }

    /// Gaussian processes: log N(y; m, K + noise), the marginal likelihood of raw values, summed over functions and outputs; and its
    /// gradient by the logarithms of signal variance, length scales (as many as the model has) and noise variance, in this order.
    ///
    /// Shapes: `x` [functions, points, inputs], `y` [functions, points, outputs], `noise` `[points]` or [functions, points], variances
    /// beside the model's own, network units. `gradient` is written only on success.
    ///
    /// Errors: as [`Model::fit`]. Allocates a few matrices of points by points.
    pub fn log_marginal_likelihood(
        &self,
        x: &View,
        y: &View,
        noise: Option<&View>,
        gradient: Option<&mut [f64]>,
    ) -> Result<f64> {
        let numbers = self.process_numbers()?;
        if let Some(gradient) = &gradient
            && gradient.len() != numbers.length_scales.len() + 2
        {
            let expected = numbers.length_scales.len() + 2;
            return fail!(Shape, "gradient has {} values, expected {expected}", gradient.len());
        }
        let data = self.gather(x, y, noise)?;
        let found = self.evidence(&data)?.evaluate(&self.process()?, numbers.length_scales.len() == 1, false)?;
        if let Some(gradient) = gradient {
            if found.gradient.iter().any(|slope| !slope.is_finite()) {
                return fail!(NonFinite, "context_x: the likelihood's gradient overflows");
            }
            gradient.copy_from_slice(&found.gradient);
        }
        Ok(self.raw(found.value, &data))
    }

    /// Gaussian processes: the hyperparameters of the greatest marginal likelihood of some points, by projected BFGS from the model's own
    /// and from places drawn around them. The same bits for the same points, options and seed. The fitted model has this one's channels
    /// and stores no points.
    ///
    /// Shapes as for [`Model::log_marginal_likelihood`]; functions share the hyperparameters.
    ///
    /// Errors: State for another kind of model; Shape; NonFinite; Noise; InvalidArgument for options out of range; Contradiction for two
    /// values at one point without noise and Singular where no search finds a regular kernel matrix; OutOfMemory.
    pub fn fit(&self, x: &View, y: &View, noise: Option<&View>, options: &FitOptions) -> Result<(Model, Fit)> {
        let mut numbers = self.process_numbers()?.clone();
        if !(options.range >= 1.0 && options.range <= 1e50) {
            return fail!(InvalidArgument, "option fit range is {}, expected 1 to 1e50", options.range);
        }
        if options.restarts > MOST_RESTARTS {
            return fail!(InvalidArgument, "option restarts is {}, expected at most {MOST_RESTARTS}", options.restarts);
        }
        let data = self.gather(x, y, noise)?;
        let mut evidence = self.evidence(&data)?;
        if options.means && data.x.len() > data.points * self.description().inputs.len() {
            return fail!(InvalidArgument, "means are to be fitted to several functions, expected one");
        }
        let shared = numbers.length_scales.len() == 1;
        let start = hyperparameters(&numbers);
        let lengths = numbers.length_scales.len();
        let moved = |i: usize| match i {
            0 => options.variance,
            i if i <= lengths => options.lengths,
            _ => options.noise && numbers.noise > 0.0,
        };
        let free: Vec<usize> = (0..start.len()).filter(|i| moved(*i)).collect();
        let reach = libm::log(options.range);
        let bound = |x: f64| x.clamp(libm::log(1e-100), libm::log(1e100));
        let bounds: Vec<(f64, f64)> =
            free.iter().map(|i| libm::log(start[*i])).map(|x| (bound(x - reach), bound(x + reach))).collect();
        let mut process = self.process()?;
        let mut last_error = None;
        let mut evaluate = |logs: &[f64]| -> Option<Evaluation> {
            let mut all = start.clone();
            free.iter().zip(logs).for_each(|(i, log)| all[*i] = libm::exp(*log));
            process.covariance.variance = all[0];
            for (k, inverse) in process.covariance.inverse_lengths.iter_mut().enumerate() {
                *inverse = 1.0 / all[1 + if shared { 0 } else { k }];
            }
            process.noise = all[1 + lengths];
            match evidence.evaluate(&process, shared, options.means) {
                Ok(found) => {
                    let finite = found.value.is_finite() && found.gradient.iter().all(|slope| slope.is_finite());
                    finite.then_some(found)
                }
                Err(error) => {
                    last_error.get_or_insert(error);
                    None
                }
            }
        };
        let own: Vec<f64> = free.iter().map(|i| libm::log(start[*i])).collect();
        let before = evaluate(&own).map_or(f64::NAN, |found| found.value);
        let mut evaluations = 1;
        let random = Philox::new(options.seed);
        let mut best: Option<(usize, Found)> = None;
        for search in 0..=options.restarts {
            let from: Vec<f64> = (0..free.len())
                .map(|i| {
                    let draw = random.word(search as u64, i as u64) as f64 / u32::MAX as f64;
                    own[i] + if search == 0 { 0.0 } else { reach * (draw - 0.5) }
                })
                .collect();
            let down = |logs: &[f64]| {
                let found = evaluate(logs)?;
                Some((-found.value, free.iter().map(|i| -found.gradient[*i]).collect()))
            };
            let Some(found) = minimise(&from, &bounds, options.iterations, down) else {
                evaluations += 1;
                continue;
            };
            evaluations += found.evaluations;
            // The first of equals.
            let lower = |best: &Found| found.value < best.value - 1e-9 * (1.0 + best.value.abs());
            if best.as_ref().is_none_or(|(_, best)| lower(best)) {
                best = Some((search, found));
            }
        }
        let Some((search, found)) = best else {
            return match last_error {
                Some(error) => Err(error),
                None => fail!(NonFinite, "the likelihood overflows wherever it was evaluated"),
            };
        };
        let Some(last) = evaluate(&found.at) else {
            return fail!(NonFinite, "the likelihood overflows at its greatest");
        };
        free.iter().zip(&found.at).for_each(|(i, log)| match *i {
            0 => numbers.variance = libm::exp(*log),
            i if i <= lengths => numbers.length_scales[i - 1] = libm::exp(*log),
            _ => numbers.noise = libm::exp(*log),
        });
        if options.means {
            numbers.means = last.means;
        }
        let fit = Fit {
            log_likelihood: self.raw(last.value, &data),
            log_likelihood_before: self.raw(before, &data),
            iterations: found.iterations,
            evaluations: evaluations + 1,
            search,
            converged: found.converged,
            jitter: last.jitter,
        };
        (numbers.points, numbers.point_noise) = (0, false);
        let mut description: serde_json::Value = serde_json::from_str(self.description_text()).unwrap_or_default();
        description["gp"] = serde_json::json!(numbers);
        Ok((Model::from_description(description)?, fit))
    }

    fn process(&self) -> Result<Process> {
        let d = self.description();
        Ok(self.process_numbers()?.process(d.inputs.len(), d.outputs.len()))
    }

    fn gather(&self, x: &View, y: &View, noise: Option<&View>) -> Result<Gathered> {
        let d = self.description();
        let (functions, points) = check_points(x, y, noise, d.inputs.len(), d.outputs.len())?;
        let many = |width: usize| zeros(functions.saturating_mul(points).saturating_mul(width), "points");
        let mut out = Gathered { points, x: many(d.inputs.len())?, y: many(d.outputs.len())?, noise: None };
        gather(&x.merged(), 0, d.inputs.len(), &d.inputs, &mut out.x)?;
        gather(&y.merged(), 0, d.outputs.len(), &d.outputs, &mut out.y)?;
        if let Some(view) = noise {
            let mut values = many(1)?;
            for function in values.chunks_exact_mut(points).enumerate() {
                view.merged().gather(function.0 * points % view.layout().len(), function.1);
            }
            out.noise = Some(values);
        }
        Ok(out)
    }

    fn evidence<'a>(&self, data: &'a Gathered) -> Result<Evidence<'a>> {
        let d = self.description();
        let (inputs, outputs) = (d.inputs.len(), d.outputs.len());
        let functions = data.x.chunks_exact(data.points * inputs).zip(data.y.chunks_exact(data.points * outputs));
        let functions = functions.enumerate().map(|(f, (x, y))| {
            let noise = data.noise.as_ref().map(|noise| &noise[f * data.points..(f + 1) * data.points]);
            Points { x, y, noise }
        });
        Evidence::new(inputs, outputs, functions.collect())
    }

    /// From the density of network values to that of raw ones.
    fn raw(&self, value: f64, data: &Gathered) -> f64 {
        let d = self.description();
        let values = (data.x.len() / d.inputs.len()) as f64;
        value - values * d.outputs.iter().map(|c| libm::log(c.scale)).sum::<f64>()
    }
}

/// Signal variance, length scales, noise variance.
fn hyperparameters(numbers: &Numbers) -> Vec<f64> {
    [&[numbers.variance], &numbers.length_scales[..], &[numbers.noise]].concat()
}
