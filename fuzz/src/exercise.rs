//! Loads any bytes as a model and uses what loads; panics where a promise is broken.

use std::time::{Duration, Instant};

use pcml::error::{Error, Result, Status};
use pcml::field::Dtype;
use pcml::model::description::Architecture;
use pcml::model::{Model, OperatorPart, Options, Plan};
use pcml::{View, ViewMut};

use super::Random;
use super::memory::peak;

/// What docs/model-file.md promises of loading: bytes of memory for each byte of the file, and besides.
pub const MEMORY: (usize, usize) = (64, 256 << 20);

/// Longest time of loading a file of at most 1 MiB. The work that a file may ask for is bounded by far less; sanitizers, a debug build and
/// a busy machine are allowed for.
const TIME: Duration = Duration::from_secs(120);

/// Most points, values inside the network included, of the plans that are made here: their size is the caller's choice.
const MOST: usize = 1 << 16;

const SENTINEL: f64 = -7.777e77;

/// How far the bytes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Refused before the self-test.
    Refused,
    /// All is well but for the self-test's numbers.
    SelfTest,
    /// A model.
    Loaded,
}

/// What loading took.
pub struct Loading {
    pub reached: Reached,
    pub error: Option<Error>,
    pub memory: usize,
    pub time: Duration,
}

/// Loads bytes within the promised memory and time, and makes plans, predictions and derivatives with what loads.
pub fn model_file(bytes: &[u8]) -> Loading {
    let start = Instant::now();
    let (memory, model) = peak(|| Model::from_bytes(bytes));
    let time = start.elapsed();
    let most = MEMORY.0 * bytes.len() + MEMORY.1;
    assert!(memory <= most, "{} bytes took {memory} bytes of memory to load, promised at most {most}", bytes.len());
    assert!(time < TIME || bytes.len() > 1 << 20, "{} bytes took {time:?} to load", bytes.len());
    let (reached, error, model) = match model {
        Ok(model) => (Reached::Loaded, None, Some(model)),
        // Other numbers than the stored ones are no reason not to go on: a mutation rarely hits them.
        Err(e) if e.status() == Status::SelfTest => {
            (Reached::SelfTest, Some(e), Some(Model::from_bytes_untested(bytes).expect("as before")))
        }
        Err(e) => {
            assert!(e.status() != Status::Ok && e.status() != Status::Panic && !e.message().is_empty());
            (Reached::Refused, Some(e), None)
        }
    };
    if let Some(model) = model {
        let seed = bytes.iter().fold(bytes.len() as u64, |h, b| h.rotate_left(5) ^ *b as u64);
        let mut random = Random(seed);
        for dtype in [Dtype::F64, Dtype::F32] {
            // A status is an answer; what must not happen panics.
            let _ = match model.description().architecture {
                Architecture::Fno => operator(&model, dtype, &mut random),
                Architecture::Mlp => rows(&model, dtype, &mut random),
                Architecture::DeepOnet => functions(&model, dtype, &mut random),
                _ => process(&model, dtype, &mut random),
            };
        }
    }
    Loading { reached, error, memory, time }
}

/// Results with a sentinel, which must still be there after an error and must all be gone and finite after success.
struct Written(Vec<f64>);

impl Written {
    fn new(len: usize) -> Written {
        Written(vec![SENTINEL; len])
    }

    fn check<T>(&self, outcome: &Result<T>) {
        match outcome {
            Ok(_) => {
                assert!(self.0.iter().all(|v| v.is_finite() && *v != SENTINEL), "a result is not finite or missing")
            }
            Err(_) => assert!(self.0.iter().all(|v| v.to_bits() == SENTINEL.to_bits()), "written in spite of an error"),
        }
    }
}

fn values(random: &mut Random, len: usize) -> Vec<f64> {
    let huge = random.once_in(16);
    let mut values: Vec<f64> = (0..len).map(|_| random.signed() * if huge { 1e300 } else { 1.0 }).collect();
    if random.once_in(16) {
        let at = random.below(len);
        values[at] = *random.pick(&[f64::NAN, f64::INFINITY, 1e-310, f64::MAX]);
    }
    values
}

fn process(model: &Model, dtype: Dtype, random: &mut Random) -> Result<()> {
    let d = model.description();
    let (inputs, outputs) = (d.inputs.len(), d.outputs.len());
    let stored = d.gp.as_ref().map_or(0, |gp| gp.points);
    let width = d.anp.as_ref().map_or(1, |anp| anp.hidden * anp.cross_attentions.max(anp.self_attentions));
    if (stored + 8).saturating_mul(width) > MOST {
        return Ok(());
    }
    let (batch, points, targets) = (1 + random.below(2), 1 + random.below(5), 1 + random.below(5));
    let gp = d.architecture == Architecture::Gp;
    let latents = if gp { 0 } else { random.below(3) };
    let options = Options {
        batch,
        context: Some(points),
        targets: Some(targets),
        covariance: if gp { targets } else { 0 },
        latents,
        dropout: if latents > 0 && random.once_in(2) { 0.1 } else { 0.0 },
        ..Options::default()
    };
    let plan = Plan::new(model, dtype, &options)?;
    let mut workspace = plan.workspace()?;
    let x = values(random, batch * points * inputs);
    let y = values(random, batch * points * outputs);
    let (xs, ys) = ([batch, points, inputs], [batch, points, outputs]);
    let conditioned = plan.condition(&mut workspace, &View::new("x", &x, &xs)?, &View::new("y", &y, &ys)?);
    if gp {
        let _ = plan.jitter(&workspace);
    } else {
        let hidden = d.anp.as_ref().map_or(1, |anp| anp.hidden);
        let (mut mu, mut log_variance) = (vec![0.0; batch * hidden], vec![0.0; batch * hidden]);
        let _ = plan.latent(
            &workspace,
            &mut ViewMut::new("mu", &mut mu, &[batch, hidden])?,
            &mut ViewMut::new("log_variance", &mut log_variance, &[batch, hidden])?,
        );
    }
    // Without context a process with points of its own still answers.
    let functions = if conditioned.is_ok() { batch } else { 1 };
    let targets_at = values(random, targets * inputs);
    let t = View::new("target_x", &targets_at, &[targets, inputs])?;
    let (mut mean, mut variance) =
        (Written::new(functions * targets * outputs), Written::new(functions * targets * outputs));
    let shape = [functions, targets, outputs];
    let outcome = plan.query(
        &mut workspace,
        &t,
        None,
        &mut ViewMut::new("mean", &mut mean.0, &shape)?,
        Some(&mut ViewMut::new("variance", &mut variance.0, &shape)?),
    );
    mean.check(&outcome);
    variance.check(&outcome);
    if gp {
        let mut covariance = Written::new(functions * outputs * targets * targets);
        let outcome = plan.covariance(
            &mut workspace,
            &t,
            None,
            &mut ViewMut::new("covariance", &mut covariance.0, &[functions, outputs, targets, targets])?,
        );
        covariance.check(&outcome);
    }
    Ok(())
}

/// Draws of dropout that a model is asked for, where it has dropout or not.
fn draws(random: &mut Random) -> (usize, f64) {
    if random.once_in(4) { (1 + random.below(3), 0.1) } else { (0, 0.0) }
}

fn rows(model: &Model, dtype: Dtype, random: &mut Random) -> Result<()> {
    let d = model.description();
    let (inputs, outputs) = (d.inputs.len(), d.outputs.len());
    let widest = d.mlp.iter().flat_map(|mlp| &mlp.hidden).copied().fold(inputs.max(outputs), usize::max);
    if widest.saturating_mul(model.members().len().max(1)) > MOST {
        return Ok(());
    }
    let (batch, (latents, dropout)) = (1 + random.below(40), draws(random));
    let plan = Plan::new(model, dtype, &Options { batch, latents, dropout, ..Options::default() })?;
    let mut workspace = plan.workspace()?;
    let given = values(random, batch * inputs);
    let x = View::new("input", &given, &[batch, inputs])?;
    let shape = [batch, outputs];
    let (mut mean, mut variance) = (Written::new(batch * outputs), Written::new(batch * outputs));
    let outcome = plan.predict(&mut workspace, &x, &[], &mut ViewMut::new("output", &mut mean.0, &shape)?);
    mean.check(&outcome);
    mean = Written::new(batch * outputs);
    let outcome = plan.predict_moments(
        &mut workspace,
        &x,
        &[],
        &mut ViewMut::new("mean", &mut mean.0, &shape)?,
        &mut ViewMut::new("variance", &mut variance.0, &shape)?,
    );
    mean.check(&outcome);
    variance.check(&outcome);
    let members = plan.members();
    let (mut mean, mut low_rank) = (Written::new(batch * outputs), Written::new(batch * outputs * (members + 1)));
    let outcome = plan.predict_factors(
        &mut workspace,
        &x,
        &[],
        &mut ViewMut::new("mean", &mut mean.0, &shape)?,
        &mut ViewMut::new("low_rank", &mut low_rank.0, &[batch, members + 1, outputs])?,
    );
    mean.check(&outcome);
    low_rank.check(&outcome);
    Ok(())
}

fn functions(model: &Model, dtype: Dtype, random: &mut Random) -> Result<()> {
    let d = model.description();
    let Some(net) = &d.deeponet else { return Ok(()) };
    let (inputs, outputs) = (d.inputs.len(), d.outputs.len());
    let widest = net.branch.iter().chain(&net.trunk).copied().fold(net.latent * outputs, usize::max);
    if widest.saturating_mul(model.members().len().max(1)) > MOST {
        return Ok(());
    }
    let (batch, targets, (latents, dropout)) = (1 + random.below(3), 1 + random.below(40), draws(random));
    let options = Options { batch, targets: Some(targets), latents, dropout, ..Options::default() };
    let plan = Plan::new(model, dtype, &options)?;
    let mut workspace = plan.workspace()?;
    let sensors = [batch, net.sensors, net.functions.len()];
    let u = values(random, sensors.iter().product());
    let conditioned = plan.condition_on_sensors(&mut workspace, &View::new("u", &u, &sensors)?);
    let at = values(random, targets * inputs);
    let (mut mean, mut variance) = (Written::new(batch * targets * outputs), Written::new(batch * targets * outputs));
    let shape = [batch, targets, outputs];
    let outcome = plan.query(
        &mut workspace,
        &View::new("target_x", &at, &[targets, inputs])?,
        None,
        &mut ViewMut::new("mean", &mut mean.0, &shape)?,
        plan.has_variance().then_some(&mut ViewMut::new("variance", &mut variance.0, &shape)?),
    );
    assert!(conditioned.is_ok() || outcome.is_err(), "an answer without a condition");
    mean.check(&outcome);
    if plan.has_variance() {
        variance.check(&outcome);
    }
    Ok(())
}

fn operator(model: &Model, dtype: Dtype, random: &mut Random) -> Result<()> {
    let d = model.description();
    let Some(fno) = &d.fno else { return Ok(()) };
    let (inputs, outputs) = (d.inputs.len(), d.outputs.len());
    let grid: Vec<usize> = fno
        .modes
        .iter()
        .map(|modes| match random.below(4) {
            0 => 1 + random.below(8),
            1 => *modes,
            _ => 2 * modes + random.below(3),
        })
        .collect();
    // The caller's choice, but for the padding; what that may be, loading has bounded.
    let padded = grid.iter().enumerate().map(|(axis, n)| {
        let more = match &fno.padding {
            Some(p) => match (&p.cells, &p.fraction) {
                (Some(cells), _) => cells[axis],
                (_, Some(fraction)) => (fraction[axis] * *n as f64).ceil() as usize,
                _ => 0,
            },
            None => 0,
        };
        n.saturating_add(2 * more)
    });
    let widest = fno.lifting.iter().chain(&fno.projection).copied().max().unwrap_or(0);
    let each = fno.width.max(widest).max(fno.mlp.as_ref().map_or(0, |mlp| mlp.hidden)).max(inputs).max(outputs);
    if padded.fold(each, usize::saturating_mul) > MOST {
        return Ok(());
    }
    let (batch, steps) = (1 + random.below(2), if random.once_in(4) { 2 } else { 1 });
    let options = Options { batch, steps, shape: Some(grid.clone()), ..Options::default() };
    let plan = Plan::new(model, dtype, &options)?;
    let mut workspace = plan.workspace()?;
    let in_shape = [&[batch][..], &grid, &[inputs]].concat();
    let lead: &[usize] = if steps > 1 { &[batch, steps] } else { &[batch] };
    let out_shape = [lead, &grid, &[outputs]].concat();
    let len = |shape: &[usize]| shape.iter().product::<usize>();
    let input = values(random, len(&in_shape));
    let mut faces = Vec::new();
    for face in d.boon.iter().flat_map(|boon| &boon.faces).filter(|face| face.has_value()) {
        let mut shape = out_shape.clone();
        shape.remove(lead.len() + face.axis);
        faces.push((values(random, len(&shape)), shape));
    }
    let given: Vec<View> = faces.iter().map(|(v, shape)| View::new("values", v, shape)).collect::<Result<_>>()?;
    let x = View::new("input", &input, &in_shape)?;
    let mut output = Written::new(len(&out_shape));
    let outcome = plan.predict(&mut workspace, &x, &given, &mut ViewMut::new("output", &mut output.0, &out_shape)?);
    output.check(&outcome);
    if steps == 1 && random.once_in(4) {
        let mut derivatives = plan.derivative_workspace()?;
        let mut tangent = Written::new(len(&out_shape));
        let outcome = plan.jvp(
            &mut derivatives,
            &x,
            &given,
            Some(&x),
            None,
            &mut ViewMut::new("tangent", &mut tangent.0, &out_shape)?,
        );
        tangent.check(&outcome);
        let (cotangent, mut gradient) = (values(random, len(&out_shape)), Written::new(input.len()));
        let outcome = plan.vjp(
            &mut derivatives,
            &x,
            &given,
            &View::new("cotangent", &cotangent, &out_shape)?,
            Some(&mut ViewMut::new("gradient", &mut gradient.0, &in_shape)?),
            None,
        );
        gradient.check(&outcome);
    }
    if steps == 1 && batch == 1 && random.once_in(4) {
        let points = len(&grid);
        let block = 1 + random.below(points);
        let owned: Vec<usize> = (0..points.div_ceil(block)).collect();
        let part = OperatorPart::new(model, dtype, &options, block, &owned)?;
        let mut scratch = part.scratch()?;
        let mut output = Written::new(points * outputs);
        let outcome = part.predict(
            &mut scratch,
            &View::new("input", &input, &[points, inputs])?,
            &given,
            &mut ViewMut::new("output", &mut output.0, &[points, outputs])?,
            &mut |_| Ok(()),
        );
        output.check(&outcome);
    }
    Ok(())
}
