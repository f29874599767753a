//! Whether a model file does on this machine what it says, and how fast.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pcml::model::description::Architecture;
use pcml::model::{Channel, Model, Options, Plan};
use pcml::{View, ViewMut};
use serde_json::json;

use crate::draws::Draws;
use crate::error::{Result, refuse};
use crate::inspect::Header;
use crate::outcome::{Outcome, shown};
use crate::predict::{Arithmetic, arithmetic};

/// What a check is asked for. Sizes that are not given are those of the self-test.
#[derive(Clone, Debug)]
pub struct Request {
    /// The model file.
    pub model: PathBuf,
    /// Functions a call.
    pub batch: Option<usize>,
    /// Points of the grid.
    pub shape: Option<Vec<usize>>,
    /// Context points.
    pub context: Option<usize>,
    /// Target points.
    pub targets: Option<usize>,
    /// Draws of a neural process.
    pub latents: usize,
    /// Threads of a plan.
    pub threads: usize,
    /// Arithmetic of the network; f32 where it is not given and the model has it.
    pub arithmetic: Option<Arithmetic>,
    /// Calls that are timed.
    pub repeats: usize,
}

/// Loads a model file, which checks its digest and runs its self-test, and times calls.
pub fn verify(request: &Request) -> Result<Outcome> {
    if request.repeats == 0 {
        return refuse!("--repeats is 0, expected at least 1");
    }
    let header = Header::read(&request.model)?;
    let start = Instant::now();
    let model = Model::load(&request.model)?;
    let loaded = start.elapsed();
    let mut out = Outcome::new();
    out.tell("digest", header.digest.clone(), format!("{} as stored", header.digest));
    let tolerance = model.description().selftest.tolerance;
    out.tell(
        "selftest",
        json!({"passed": true, "tolerance": tolerance}),
        format!("passed: within {tolerance:e} of the largest stored output"),
    );
    out.tell("loaded seconds", loaded.as_secs_f64(), format!("{:.3}", loaded.as_secs_f64()));
    let arithmetic = arithmetic(&model, request.arithmetic, Arithmetic::F32);
    let extents = |name: &str| header.shape(&format!("selftest.{name}")).unwrap_or(&[]).to_vec();
    let (sizes, times) = match model.description().architecture {
        Architecture::Anp | Architecture::Gp => {
            process(&model, request, arithmetic, extents("context_x"), extents("target_x"))?
        }
        Architecture::Fno | Architecture::Onnx => operator(&model, request, arithmetic, extents("input"))?,
        Architecture::Mlp => rows(&model, request, arithmetic, extents("input"))?,
        Architecture::DeepOnet => functions(&model, request, arithmetic, [extents("context_y"), extents("target_x")])?,
    };
    out.data("sizes", sizes.clone());
    for (name, value) in sizes.as_object().into_iter().flatten() {
        out.line(&format!("  {name}"), shown(value));
    }
    let median = times[times.len() / 2].as_secs_f64();
    let arithmetic = if arithmetic == Arithmetic::F32 { "f32" } else { "f64" };
    out.data("arithmetic", arithmetic);
    out.data("repeats", request.repeats);
    out.tell("seconds", median, format!("{median:.3e} a call in {arithmetic}, the median of {}", request.repeats));
    out.tell("calls per second", 1.0 / median, format!("{:.1}", 1.0 / median));
    Ok(out)
}

/// The times of the calls after the first, in order of size.
fn timed(repeats: usize, mut call: impl FnMut() -> Result<()>) -> Result<Vec<Duration>> {
    call()?;
    let mut times = Vec::with_capacity(repeats);
    for _ in 0..repeats {
        let start = Instant::now();
        call()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Values of the size that the channels have.
fn values(draws: &mut Draws, count: usize, channels: &[Channel]) -> Vec<f64> {
    let raw = draws.take(count * channels.len());
    let told = |(v, c): (&f64, &Channel)| {
        let v = c.offset + c.scale * v;
        if c.log { v.exp() - c.shift } else { v }
    };
    raw.iter().zip(channels.iter().cycle()).map(told).collect()
}

type Timed = (serde_json::Value, Vec<Duration>);

/// Perceptrons.
fn rows(model: &Model, request: &Request, arithmetic: Arithmetic, stored: Vec<usize>) -> Result<Timed> {
    if request.context.is_some() || request.targets.is_some() || request.latents > 0 || request.shape.is_some() {
        return refuse!(
            "--shape, --context, --targets and --latents belong to others; a perceptron has --batch, its rows"
        );
    }
    let (inputs, outputs) = (&model.description().inputs, &model.description().outputs);
    let batch = request.batch.unwrap_or(stored.iter().product::<usize>() / inputs.len());
    let options = Options { batch, threads: request.threads, ..Options::default() };
    let plan = Plan::new(model, arithmetic.dtype(), &options)?;
    let mut workspace = plan.workspace()?;
    let x = values(&mut Draws::new(13), batch, inputs);
    let shape = [batch, outputs.len()];
    let [mut mean, mut variance] = [vec![0.0; batch * outputs.len()], vec![0.0; batch * outputs.len()]];
    let times = timed(request.repeats, || {
        let x = View::new("input", &x, &[batch, inputs.len()])?;
        let mut mean = ViewMut::new("mean", &mut mean, &shape)?;
        if plan.has_variance() {
            let mut variance = ViewMut::new("variance", &mut variance, &shape)?;
            return Ok(plan.predict_moments(&mut workspace, &x, &[], &mut mean, &mut variance)?);
        }
        Ok(plan.predict(&mut workspace, &x, &[], &mut mean)?)
    })?;
    Ok((json!({"rows": batch, "threads": request.threads}), times))
}

/// DeepONets: a call conditions and queries.
fn functions(model: &Model, request: &Request, arithmetic: Arithmetic, stored: [Vec<usize>; 2]) -> Result<Timed> {
    if request.context.is_some() || request.shape.is_some() || request.latents > 0 {
        return refuse!("--shape, --context and --latents belong to others; a DeepONet has --batch and --targets");
    }
    let [[functions, _, _], [_, points, _]] = stored.each_ref().map(|shape| &shape[..]) else {
        return refuse!("the self-test has no functions and target points");
    };
    let (batch, m) = (request.batch.unwrap_or(*functions), request.targets.unwrap_or(*points));
    let options = Options { batch, targets: Some(m), threads: request.threads, ..Options::default() };
    let plan = Plan::new(model, arithmetic.dtype(), &options)?;
    let mut workspace = plan.workspace()?;
    let description = model.description();
    let numbers = description.deeponet.as_ref().expect("numbers of the architecture");
    let (inputs, outputs) = (&description.inputs, &description.outputs);
    let mut draws = Draws::new(14);
    let u = values(&mut draws, batch * numbers.sensors, &numbers.functions);
    let t = values(&mut draws, m, inputs);
    let shape = [batch, m, outputs.len()];
    let len = shape.iter().product();
    let [mut mean, mut variance] = [vec![0.0; len], vec![0.0; len]];
    let times = timed(request.repeats, || {
        let u = View::new("context_y", &u, &[batch, numbers.sensors, numbers.functions.len()])?;
        plan.condition_on_sensors(&mut workspace, &u)?;
        let t = View::new("target_x", &t, &[m, inputs.len()])?;
        let mut mean = ViewMut::new("mean", &mut mean, &shape)?;
        let mut variance = ViewMut::new("variance", &mut variance, &shape)?;
        Ok(plan.query(&mut workspace, &t, None, &mut mean, plan.has_variance().then_some(&mut variance))?)
    })?;
    Ok((json!({"functions": batch, "sensors": numbers.sensors, "targets": m}), times))
}

fn process(
    model: &Model,
    request: &Request,
    arithmetic: Arithmetic,
    context: Vec<usize>,
    targets: Vec<usize>,
) -> Result<Timed> {
    if request.shape.is_some() {
        return refuse!("--shape belongs to neural operators; a neural process has --context and --targets");
    }
    let [_, queries, _] = targets[..] else { return refuse!("the self-test has no target points") };
    // A process with points of its own is timed as it is.
    let (stored, points) = match context[..] {
        [functions, points, _] => (functions, points),
        _ if request.context.is_some() || request.batch.is_some() => {
            return refuse!("--context and --batch are given, but the model has points of its own, for one function");
        }
        _ => (1, 0),
    };
    let batch = request.batch.unwrap_or(stored);
    let (n, m) = (request.context.unwrap_or(points), request.targets.unwrap_or(queries));
    let options = Options {
        batch,
        context: (n > 0).then_some(n),
        targets: Some(m),
        latents: request.latents,
        threads: request.threads,
        ..Options::default()
    };
    let plan = Plan::new(model, arithmetic.dtype(), &options)?;
    let mut workspace = plan.workspace()?;
    let (inputs, outputs) = (&model.description().inputs, &model.description().outputs);
    let mut draws = Draws::new(11);
    let x = values(&mut draws, batch * n, inputs);
    let y = values(&mut draws, batch * n, outputs);
    let t = values(&mut draws, batch * m, inputs);
    let [mut mean, mut variance] = [vec![0.0; batch * m * outputs.len()], vec![0.0; batch * m * outputs.len()]];
    let out = [batch, m, outputs.len()];
    let times = timed(request.repeats, || {
        if n > 0 {
            plan.condition(
                &mut workspace,
                &View::new("context_x", &x, &[batch, n, inputs.len()])?,
                &View::new("context_y", &y, &[batch, n, outputs.len()])?,
            )?;
        }
        plan.query(
            &mut workspace,
            &View::new("target_x", &t, &[batch, m, inputs.len()])?,
            None,
            &mut ViewMut::new("mean", &mut mean, &out)?,
            Some(&mut ViewMut::new("variance", &mut variance, &out)?),
        )?;
        Ok(())
    })?;
    Ok((json!({"functions": batch, "context": n, "targets": m, "latents": request.latents}), times))
}

fn operator(model: &Model, request: &Request, arithmetic: Arithmetic, stored: Vec<usize>) -> Result<Timed> {
    if request.context.is_some() || request.targets.is_some() || request.latents > 0 {
        return refuse!("--context, --targets and --latents belong to neural processes; a neural operator has --shape");
    }
    let Some((batch, rest)) = stored.split_first() else { return refuse!("the self-test has no input") };
    let batch = request.batch.unwrap_or(*batch);
    let grid = request.shape.clone().unwrap_or(rest[..rest.len().saturating_sub(1)].to_vec());
    let options = Options { batch, shape: Some(grid.clone()), threads: request.threads, ..Options::default() };
    let plan = Plan::new(model, arithmetic.dtype(), &options)?;
    let mut workspace = plan.workspace()?;
    let description = model.description();
    let nodes: usize = grid.iter().product();
    let mut draws = Draws::new(12);
    let input = values(&mut draws, batch * nodes, &description.inputs);
    let shape = |channels: usize| [&[batch][..], &grid, &[channels]].concat();
    let (inputs, outputs) = (shape(description.inputs.len()), shape(description.outputs.len()));
    let faces: Vec<(Vec<usize>, Vec<f64>)> = description
        .boon
        .iter()
        .flat_map(|boon| &boon.faces)
        .filter(|face| face.has_value())
        .map(|face| {
            let mut shape = outputs.clone();
            shape.remove(1 + face.axis);
            let count = shape.iter().product::<usize>() / description.outputs.len();
            (shape, values(&mut draws, count, &description.outputs))
        })
        .collect();
    let views: pcml::error::Result<Vec<View>> = faces.iter().map(|(shape, v)| View::new("face", v, shape)).collect();
    let views = views?;
    let len = outputs.iter().product();
    let [mut output, mut variance] = [vec![0.0; len], vec![0.0; len]];
    let times = timed(request.repeats, || {
        let input = View::new("input", &input, &inputs)?;
        let mut output = ViewMut::new("output", &mut output, &outputs)?;
        if plan.has_variance() {
            let mut variance = ViewMut::new("variance", &mut variance, &outputs)?;
            return Ok(plan.predict_moments(&mut workspace, &input, &views, &mut output, &mut variance)?);
        }
        Ok(plan.predict(&mut workspace, &input, &views, &mut output)?)
    })?;
    Ok((json!({"functions": batch, "shape": grid, "threads": request.threads}), times))
}
