//! A first try of a conservation law on a prediction: one integral along one axis, exactly, in the metric of the predicted variance.

use std::path::PathBuf;

use pcml::constraint::{Bounds, Constraints, Posterior, Prior, Projector, ProjectorOptions, Report, Rule};
use pcml::{View, ViewMut};
use serde_json::{Value, json};

use crate::arrays::{Array, Arrays, read, write};
use crate::error::{Result, refuse};
use crate::inspect::Header;
use crate::outcome::Outcome;

/// A quadrature rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Quadrature {
    /// Half of both neighbouring spacings.
    Trapezoid,
    /// The spacing to the right.
    Left,
    /// The spacing to the left.
    Right,
    /// Parabolas over pairs of intervals.
    Simpson,
}

/// What a projection is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The model file whose law and grid it is; None: both come from the options.
    pub model: Option<PathBuf>,
    /// The arrays: `mean` or `output`, and `variance`, `points`, `total`, `lower`, `upper` where there are some.
    pub arrays: PathBuf,
    /// Where the results go.
    pub output: PathBuf,
    /// The integral; array `total` holds it otherwise, one a line.
    pub integral: Option<f64>,
    /// The rule.
    pub quadrature: Option<Quadrature>,
    /// The axis of the mean along which the integral runs, from the last one if negative.
    pub axis: Option<isize>,
    /// Distance of neighbouring points.
    pub spacing: Option<f64>,
    /// Least value of every cell.
    pub lower: Option<f64>,
    /// Largest value of every cell.
    pub upper: Option<f64>,
}

/// Projects.
pub fn project(request: &Request) -> Result<Outcome> {
    let mut given = read(&request.arrays, "mean")?;
    let shown = request.arrays.display();
    let name = if given.contains_key("mean") { "mean" } else { "output" };
    let Some(mean) = given.remove(name) else { return refuse!("{shown} has no array mean or output") };
    let variance = given.remove("variance");
    if let Some(v) = &variance
        && v.shape != mean.shape
    {
        return refuse!("variance has shape {:?}, expected that of {name}, {:?}", v.shape, mean.shape);
    }
    let law = match &request.model {
        Some(path) => law(&Header::read(path)?.description)?,
        None => Law::default(),
    };
    let axis = match request.axis {
        Some(axis) => axis,
        // Fields have their channel last; a single one leaves the points before it.
        None if mean.shape.len() > 1 && mean.shape.last() == Some(&1) => -2,
        None => -1,
    };
    let rank = mean.shape.len() as isize;
    let at = if axis < 0 { axis + rank } else { axis };
    if !(0..rank).contains(&at) {
        return refuse!("--axis is {axis}, expected one of the {rank} axes of {name}");
    }
    let at = at as usize;
    let n = mean.shape[at];
    let slices = mean.values.len() / n.max(1);
    if n < 2 || slices == 0 {
        return refuse!("{name} has shape {:?}, expected at least 2 points on axis {axis}", mean.shape);
    }
    let points: Vec<f64> = match (given.remove("points"), request.spacing, law.bounds) {
        (Some(points), None, _) if points.values.len() == n => points.values,
        (Some(points), None, _) => return refuse!("points has shape {:?}, expected {n} coordinates", points.shape),
        (Some(_), Some(_), _) => return refuse!("--spacing and array points are given, expected one of them"),
        (None, Some(h), _) if h > 0.0 && h.is_finite() => (0..n).map(|i| h * i as f64).collect(),
        (None, Some(h), _) => return refuse!("--spacing is {h}, expected a positive number"),
        (None, None, Some([low, high])) => (0..n).map(|i| low + (high - low) * i as f64 / (n - 1) as f64).collect(),
        (None, None, None) => return refuse!("the points' distance is not known: --spacing, or an array points"),
    };
    let rule = match (request.quadrature, law.rule) {
        (Some(rule), _) | (None, Some(rule)) => rule,
        (None, None) => return refuse!("the rule is not known: --quadrature trapezoid, left, right or simpson"),
    };
    let totals = match (request.integral, given.remove("total")) {
        (Some(total), None) => vec![total; slices],
        (None, Some(total)) if total.values.len() == 1 => vec![total.values[0]; slices],
        (None, Some(total)) if total.values.len() == slices => total.values,
        (None, Some(total)) => return refuse!("total has shape {:?}, expected 1 or {slices} values", total.shape),
        (Some(_), Some(_)) => return refuse!("--integral and array total are given, expected one of them"),
        (None, None) => return refuse!("the integral is not known: --integral, or an array total"),
    };
    let bound = |given: Option<Array>, name: &str, all: Option<f64>| -> Result<Option<Vec<f64>>> {
        match (given, all) {
            (Some(_), Some(_)) => refuse!("--{name} and array {name} are given, expected one of them"),
            (Some(array), None) if array.shape == mean.shape => Ok(Some(lines(&array, at))),
            (Some(array), None) => refuse!("{name} has shape {:?}, expected {:?}", array.shape, mean.shape),
            (None, all) => Ok(all.map(|v| vec![v; mean.values.len()])),
        }
    };
    let lower = bound(given.remove("lower"), "lower", request.lower)?;
    let upper = bound(given.remove("upper"), "upper", request.upper)?;
    if let Some(name) = given.keys().next() {
        return refuse!("array {name} of {shown} is not one that a projection takes");
    }

    let mut laws = Constraints::new(n)?;
    let rule_of = match rule {
        Quadrature::Trapezoid => Rule::Trapezoid,
        Quadrature::Left => Rule::Left,
        Quadrature::Right => Rule::Right,
        Quadrature::Simpson => Rule::Simpson,
    };
    laws.add_quadrature(rule_of, View::new("points", &points, &[n])?, 0.0)?;
    let prior = if variance.is_some() { Prior::Diagonal } else { Prior::Identity };
    let projector = Projector::new(&laws, prior, &ProjectorOptions::default())?;
    let shape = [slices, n];
    let (mu, v) = (lines(&mean, at), variance.as_ref().map(|v| lines(v, at)));
    let mut report = projector.report(slices)?;
    let mut u = vec![0.0; mu.len()];
    let mut posterior_variance = None;
    let mean_view = View::new("mean", &mu, &shape)?;
    let variance_view = match &v {
        Some(v) => Some(View::new("variance", v, &shape)?),
        None => None,
    };
    let b = View::new("total", &totals, &[slices])?;
    let bounded = lower.is_some() || upper.is_some();
    if bounded {
        let lower_view = match &lower {
            Some(values) => Some(View::new("lower", values, &shape)?),
            None => None,
        };
        let upper_view = match &upper {
            Some(values) => Some(View::new("upper", values, &shape)?),
            None => None,
        };
        projector.project_bounded(
            &mut projector.bounded(slices)?,
            mean_view,
            variance_view,
            b,
            Bounds { lower: lower_view, upper: upper_view },
            ViewMut::new("mean", &mut u, &shape)?,
            Some(&mut report),
        )?;
    } else {
        let mut w = v.as_ref().map(|v| vec![0.0; v.len()]);
        let out = match &mut w {
            Some(w) => Some(ViewMut::new("variance", w, &shape)?),
            None => None,
        };
        let posterior = Posterior { mean: ViewMut::new("mean", &mut u, &shape)?, variance: out };
        projector.project(
            &mut projector.scratch(slices)?,
            mean_view,
            variance_view,
            b,
            posterior,
            Some(&mut report),
        )?;
        posterior_variance = w;
    }
    let field =
        |values: Vec<f64>| Array { shape: mean.shape.clone(), values: fields(&values, &mean.shape, at), double: true };
    let mut results = Arrays::from([("mean".to_string(), field(u))]);
    if let Some(w) = posterior_variance {
        results.insert("variance".to_string(), field(w));
    }
    write(&request.output, &results, None)?;
    Ok(told(request, rule, &report, bounded))
}

/// What a description says of its law.
#[derive(Default)]
struct Law {
    rule: Option<Quadrature>,
    bounds: Option<[f64; 2]>,
}

/// The first law of a description, with the bounds of its axis.
fn law(description: &Value) -> Result<Law> {
    let Some(first) = description["conservation"].as_array().and_then(|laws| laws.first()) else {
        return refuse!("the model states no conservation law: write none for MODEL, with --quadrature and --spacing");
    };
    let rule = match first["quadrature"].as_str() {
        Some("trapezoid") => Some(Quadrature::Trapezoid),
        Some("left") => Some(Quadrature::Left),
        Some("right") => Some(Quadrature::Right),
        Some("simpson") => Some(Quadrature::Simpson),
        _ => None,
    };
    let axis = description["grid"].as_array().into_iter().flatten().find(|axis| axis["name"] == first["axis"]);
    let bounds = axis.and_then(|axis| Some([axis["lower"].as_f64()?, axis["upper"].as_f64()?]));
    Ok(Law { rule, bounds })
}

fn told(request: &Request, rule: Quadrature, report: &Report, bounded: bool) -> Outcome {
    let mut out = Outcome::new();
    let rows = || (0..report.slices().len()).map(|i| report.rows(i)[0]);
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0f64, |a, v| a.max(v.abs()));
    out.fact("quadrature", format!("{rule:?}").to_lowercase());
    out.fact("lines", report.slices().len());
    for (name, value) in [
        ("residual before", most(&mut rows().map(|r| r.residual_before))),
        ("residual after", most(&mut rows().map(|r| r.residual_after))),
        ("largest correction", most(&mut report.slices().iter().map(|s| s.largest_correction))),
        ("correction norm", most(&mut report.slices().iter().map(|s| s.correction_norm))),
    ] {
        out.tell(name, value, format!("{value:.3e}"));
    }
    if bounded {
        let at_bounds: usize = report.slices().iter().map(|s| s.active_lower + s.active_upper).sum();
        out.fact("cells at bounds", at_bounds);
    }
    out.data("rows", rows().map(|r| json!([r.residual_before, r.residual_after, r.multiplier])).collect::<Vec<_>>());
    out.fact("written", request.output.display().to_string());
    out
}

/// The values line by line along an axis.
fn lines(array: &Array, axis: usize) -> Vec<f64> {
    order(&array.shape, axis).map(|at| array.values[at]).collect()
}

/// The inverse of [`lines`].
fn fields(lines: &[f64], shape: &[usize], axis: usize) -> Vec<f64> {
    let mut values = vec![0.0; lines.len()];
    order(shape, axis).zip(lines).for_each(|(at, v)| values[at] = *v);
    values
}

/// Where the elements of the lines along an axis lie.
fn order(shape: &[usize], axis: usize) -> impl Iterator<Item = usize> + use<> {
    let n = shape[axis];
    let inner: usize = shape[axis + 1..].iter().product();
    let total: usize = shape.iter().product();
    (0..total).map(move |i| {
        let (line, at) = (i / n, i % n);
        (line / inner * n + at) * inner + line % inner
    })
}
