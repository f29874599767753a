//! Predictions from arrays in a file.

use std::path::{Path, PathBuf};

use pcml::field::Dtype;
use pcml::model::description::Architecture;
use pcml::model::onnx::Precision;
use pcml::model::{Description, Model, Options, Plan};
use pcml::{View, ViewMut};

use crate::arrays::{Array, Arrays, moved, read, write};
use crate::error::{Result, refuse};
use crate::outcome::{Outcome, shown};

/// Arithmetic of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Arithmetic {
    /// Single precision.
    F32,
    /// Double precision.
    #[default]
    F64,
}

impl Arithmetic {
    /// The library's name for it.
    pub fn dtype(self) -> Dtype {
        match self {
            Arithmetic::F32 => Dtype::F32,
            Arithmetic::F64 => Dtype::F64,
        }
    }
}

/// What a prediction is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The model file.
    pub model: PathBuf,
    /// The arrays.
    pub arrays: PathBuf,
    /// Where the results go.
    pub output: PathBuf,
    /// How.
    pub how: How,
}

/// How a model predicts.
#[derive(Clone, Debug)]
pub struct How {
    /// Arithmetic of the network; f64 where it is not given and the model has it.
    pub arithmetic: Option<Arithmetic>,
    /// Draws of a neural process, 0 for the mean latent; of dropout.
    pub latents: usize,
    /// Their seed.
    pub seed: u64,
    /// Dropout rate that is kept on.
    pub dropout: f64,
    /// Steps of a roll-out.
    pub steps: usize,
    /// Threads of a plan.
    pub threads: usize,
    /// Fields lie with their channels after the function, before the grid.
    pub channels_first: bool,
}

impl Default for How {
    fn default() -> How {
        How { arithmetic: None, latents: 0, seed: 0, dropout: 0.0, steps: 1, threads: 1, channels_first: false }
    }
}

/// The names of faces, by axis and side, beside `face.{number}`.
const FACES: [(&str, usize, i32); 6] =
    [("left", 0, -1), ("right", 0, 1), ("top", 1, -1), ("down", 1, 1), ("front", 2, -1), ("back", 2, 1)];

/// Predicts.
pub fn predict(request: &Request) -> Result<Outcome> {
    let model = Model::load(&request.model)?;
    let mut given = read(&request.arrays, "input")?;
    let results = evaluate(&model, &request.how, &mut given, &request.arrays)?;
    if let Some(name) = given.keys().next() {
        return refuse!("array {name} of {} is not one that the model takes", request.arrays.display());
    }
    write(&request.output, &results, None)?;
    let mut out = Outcome::new();
    for (name, array) in &results {
        let (low, high) =
            array.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        let shape = serde_json::json!(array.shape);
        out.tell(
            name,
            serde_json::json!({"shape": array.shape, "least": low, "largest": high}),
            format!("{}, from {low:.6e} to {high:.6e}", shown(&shape)),
        );
    }
    out.fact("written", request.output.display().to_string());
    Ok(out)
}

/// What a model makes of the arrays of a file, which are taken: `mean` and `variance` of one that has variances, `output` of others.
pub(crate) fn evaluate(model: &Model, how: &How, given: &mut Arrays, path: &Path) -> Result<Arrays> {
    let architecture = model.description().architecture;
    let fields = matches!(architecture, Architecture::Fno | Architecture::Onnx);
    if !fields && (how.channels_first || how.steps != 1) {
        return refuse!("--channels-first and --steps belong to neural operators and networks in ONNX");
    }
    match architecture {
        Architecture::Anp | Architecture::Gp => process(model, how, given, path),
        Architecture::Fno | Architecture::Onnx => operator(model, how, given, path),
        Architecture::Mlp => rows(model, how, given, path),
        Architecture::DeepOnet => functions(model, how, given, path),
    }
}

/// Results of this shape, filled by the model.
fn results(
    plan: &Plan,
    shape: Vec<usize>,
    double: bool,
    fill: impl FnOnce(&mut ViewMut, Option<&mut ViewMut>) -> pcml::error::Result<()>,
) -> Result<Arrays> {
    let len = shape.iter().product();
    let mut mean = vec![0.0; len];
    let mut view = ViewMut::new("mean", &mut mean, &shape)?;
    let mut variance = plan.has_variance().then(|| vec![0.0; len]);
    match &mut variance {
        Some(variance) => fill(&mut view, Some(&mut ViewMut::new("variance", variance, &shape)?))?,
        None => fill(&mut view, None)?,
    }
    let named = |name: &str, values| (name.to_string(), Array { shape: shape.clone(), values, double });
    Ok(match variance {
        Some(variance) => Arrays::from([named("mean", mean), named("variance", variance)]),
        None => Arrays::from([named("output", mean)]),
    })
}

fn take(given: &mut Arrays, name: &str, path: &Path) -> Result<Array> {
    match given.remove(name) {
        Some(array) => Ok(array),
        None => refuse!("{} has no array {name}, which the model needs", path.display()),
    }
}

/// Rows of inputs to rows of outputs, whatever the axes before the channels.
fn rows(model: &Model, how: &How, given: &mut Arrays, path: &Path) -> Result<Arrays> {
    let description = model.description();
    let (inputs, outputs) = (description.inputs.len(), description.outputs.len());
    let mut input = take(given, "input", path)?;
    if inputs == 1 && input.shape.last() != Some(&1) {
        input.shape.push(1);
    }
    let before = match &input.shape[..] {
        [before @ .., last] if *last == inputs => before,
        shape => return refuse!("input has shape {shape:?}, expected [rows, {inputs}], the channels last"),
    };
    let shape = [before, &[outputs]].concat();
    let options = Options {
        batch: before.iter().product(),
        latents: how.latents,
        seed: how.seed,
        dropout: how.dropout,
        threads: how.threads,
        ..Options::default()
    };
    let plan = Plan::new(model, arithmetic(model, how.arithmetic, Arithmetic::F64).dtype(), &options)?;
    let mut workspace = plan.workspace()?;
    let view = View::new("input", &input.values, &input.shape)?;
    results(&plan, shape, input.double, |mean, variance| match variance {
        Some(variance) => plan.predict_moments(&mut workspace, &view, &[], mean, variance),
        None => plan.predict(&mut workspace, &view, &[], mean),
    })
}

/// [functions, points, channels]; one function may come without its axis.
fn whole(name: &str, mut array: Array, channels: usize) -> Result<Array> {
    if array.shape.len() == 1 && channels == 1 {
        array.shape.push(1);
    }
    if array.shape.len() == 2 {
        array.shape.insert(0, 1);
    }
    match array.shape[..] {
        [_, _, c] if c == channels => Ok(array),
        _ => refuse!("{name} has shape {:?}, expected [functions, points, {channels}]", array.shape),
    }
}

/// Target points for all functions alike, or for each.
fn targets(t: &Array) -> pcml::error::Result<View<'_>> {
    View::new("target_x", &t.values, if t.shape[0] == 1 { &t.shape[1..] } else { &t.shape[..] })
}

/// Values of functions at sensors to outputs at points.
fn functions(model: &Model, how: &How, given: &mut Arrays, path: &Path) -> Result<Arrays> {
    let description = model.description();
    let numbers = description.deeponet.as_ref().expect("numbers of the architecture");
    let (sensors, channels) = (numbers.sensors, numbers.functions.len());
    let mut u = take(given, "context_y", path)?;
    // [functions, sensors] of a single channel, and one function without its axis.
    if channels == 1 && u.shape.last() != Some(&1) {
        u.shape.push(1);
    }
    if u.shape.len() == 2 {
        u.shape.insert(0, 1);
    }
    if !matches!(u.shape[..], [_, s, c] if s == sensors && c == channels) {
        return refuse!("context_y has shape {:?}, expected [functions, {sensors}, {channels}]", u.shape);
    }
    let t = whole("target_x", take(given, "target_x", path)?, description.inputs.len())?;
    let options = Options {
        batch: u.shape[0],
        targets: Some(t.shape[1]),
        latents: how.latents,
        seed: how.seed,
        dropout: how.dropout,
        threads: how.threads,
        ..Options::default()
    };
    let plan = Plan::new(model, arithmetic(model, how.arithmetic, Arithmetic::F64).dtype(), &options)?;
    let mut workspace = plan.workspace()?;
    plan.condition_on_sensors(&mut workspace, &View::new("context_y", &u.values, &u.shape)?)?;
    let shape = vec![u.shape[0], t.shape[1], description.outputs.len()];
    let target_x = targets(&t)?;
    results(&plan, shape, t.double, |mean, variance| plan.query(&mut workspace, &target_x, None, mean, variance))
}

fn process(model: &Model, how: &How, given: &mut Arrays, path: &Path) -> Result<Arrays> {
    let description = model.description();
    let (dim_x, dim_y) = (description.inputs.len(), description.outputs.len());
    // A process with points of its own may be asked as it is.
    let stored = description.gp.as_ref().is_some_and(|numbers| numbers.points > 0);
    let conditioned = !stored || given.contains_key("context_x");
    let mut context = None;
    if conditioned {
        let [x, y] = ["context_x", "context_y"].map(|name| take(given, name, path));
        let noise = if description.gp.is_some() { given.remove("noise") } else { None };
        context = Some((whole("context_x", x?, dim_x)?, whole("context_y", y?, dim_y)?, noise));
    }
    let t = whole("target_x", take(given, "target_x", path)?, dim_x)?;
    let eps = given.remove("eps");
    let latents = match &eps {
        Some(eps) if how.latents == 0 => eps.shape.first().copied().unwrap_or(0),
        _ => how.latents,
    };
    let functions = context.as_ref().map_or(1, |(x, ..)| x.shape[0]);
    let options = Options {
        batch: functions,
        context: context.as_ref().map(|(x, ..)| x.shape[1]),
        targets: Some(t.shape[1]),
        latents,
        seed: how.seed,
        dropout: how.dropout,
        threads: how.threads,
        ..Options::default()
    };
    let plan = Plan::new(model, arithmetic(model, how.arithmetic, Arithmetic::F64).dtype(), &options)?;
    let mut workspace = plan.workspace()?;
    if let Some((x, y, noise)) = &context {
        let x = View::new("context_x", &x.values, &x.shape)?;
        let y = View::new("context_y", &y.values, &y.shape)?;
        match noise {
            Some(noise) => {
                let noise = View::new("noise", &noise.values, &noise.shape)?;
                plan.condition_noisy(&mut workspace, &x, &y, &noise)?;
            }
            None => plan.condition(&mut workspace, &x, &y)?,
        }
    }
    let eps = match &eps {
        Some(eps) => Some(View::new("eps", &eps.values, &eps.shape)?),
        None => None,
    };
    let shape = vec![functions, t.shape[1], dim_y];
    let target_x = targets(&t)?;
    results(&plan, shape, t.double, |mean, variance| {
        plan.query(&mut workspace, &target_x, eps.as_ref(), mean, variance)
    })
}

/// The arithmetic that is asked for, else the model's only one, else `usual`.
pub fn arithmetic(model: &Model, asked: Option<Arithmetic>, usual: Arithmetic) -> Arithmetic {
    let description = model.description();
    let only = match &description.onnx {
        Some(numbers) if numbers.dtype == Precision::F32 => Some(Arithmetic::F32),
        Some(_) => Some(Arithmetic::F64),
        None => description.gp.as_ref().map(|_| Arithmetic::F64),
    };
    asked.or(only).unwrap_or(usual)
}

/// Axes of the grid of a model that predicts fields.
pub fn axes(description: &Description) -> usize {
    match &description.onnx {
        Some(numbers) => numbers.axes,
        None => description.fno.as_ref().map_or(0, |numbers| numbers.modes.len()),
    }
}

fn operator(model: &Model, how: &How, given: &mut Arrays, path: &Path) -> Result<Arrays> {
    let description = model.description();
    let axes = axes(description);
    let (inputs, outputs) = (description.inputs.len(), description.outputs.len());
    if how.latents != 0 || how.dropout != 0.0 {
        return refuse!("--latents and --dropout belong to neural processes, perceptrons and DeepONets");
    }
    let mut input = take(given, "input", path)?;
    let found = input.shape.clone();
    // Axes of functions and of a single channel may be left out.
    let rank = found.len();
    let channel = if how.channels_first { rank.checked_sub(axes + 1) } else { rank.checked_sub(1) };
    let has_channel = rank == axes + 2 || (rank == axes + 1 && channel.is_some_and(|at| found[at] == inputs));
    if !has_channel && inputs == 1 && (rank == axes || rank == axes + 1) {
        input.shape.insert(if how.channels_first { rank - axes } else { rank }, 1);
    }
    if input.shape.len() == axes + 1 {
        input.shape.insert(0, 1);
    }
    let channel = if how.channels_first { 1 } else { axes + 1 };
    if input.shape.len() != axes + 2 || input.shape[channel] != inputs {
        let grid: String = (1..=axes).map(|axis| format!(", n_{axis}")).collect();
        let channels = format!(", {inputs} channels");
        let (first, last) = if how.channels_first { (channels, String::new()) } else { (String::new(), channels) };
        return refuse!(
            "input has shape {found:?}, expected [functions{first}{grid}{last}]; functions may be left out, and so may an axis \
             of one channel"
        );
    }
    if how.channels_first {
        input = moved(input, 1, axes + 1);
    }
    let (batch, grid) = (input.shape[0], input.shape[1..=axes].to_vec());
    let mut values = Vec::new();
    for (number, face) in description.boon.iter().flat_map(|boon| &boon.faces).enumerate() {
        if !face.has_value() {
            continue;
        }
        let numbered = format!("face.{number}");
        let named =
            FACES.iter().find(|(_, axis, side)| (*axis, *side) == (face.axis, face.side)).map(|(name, ..)| *name);
        let name = named.filter(|name| given.contains_key(*name)).unwrap_or(&numbered).to_string();
        let Some(array) = given.remove(&name) else {
            return refuse!(
                "{} has no array {} or {numbered}: values on the face of axis {}",
                path.display(),
                named.unwrap_or(&numbered),
                face.axis
            );
        };
        let mut shape = vec![batch];
        if how.steps > 1 {
            shape.push(how.steps);
        }
        shape.extend(grid.iter().enumerate().filter(|(axis, _)| *axis != face.axis).map(|(_, n)| *n));
        shape.push(outputs);
        let len: usize = shape.iter().product();
        // One value, or those of one function, for all.
        if array.values.is_empty() || ![len, len / batch, 1].contains(&array.values.len()) {
            return refuse!("{name} has shape {:?}, expected {shape:?} or one value for all", array.shape);
        }
        values.push((shape, array.values.iter().copied().cycle().take(len).collect::<Vec<f64>>()));
    }
    let options =
        Options { batch, shape: Some(grid.clone()), steps: how.steps, threads: how.threads, ..Options::default() };
    let plan = Plan::new(model, arithmetic(model, how.arithmetic, Arithmetic::F64).dtype(), &options)?;
    let mut shape = vec![batch];
    if how.steps > 1 {
        shape.push(how.steps);
    }
    shape.extend(&grid);
    shape.push(outputs);
    let faces: pcml::error::Result<Vec<View>> = values.iter().map(|(shape, v)| View::new("face", v, shape)).collect();
    let (faces, view) = (faces?, View::new("input", &input.values, &input.shape)?);
    let mut workspace = plan.workspace()?;
    let last = shape.len() - 1;
    let found = results(&plan, shape, input.double, |mean, variance| match variance {
        Some(variance) => plan.predict_moments(&mut workspace, &view, &faces, mean, variance),
        None => plan.predict(&mut workspace, &view, &faces, mean),
    })?;
    if !how.channels_first {
        return Ok(found);
    }
    Ok(found.into_iter().map(|(name, array)| (name, moved(array, last, last - axes))).collect())
}
