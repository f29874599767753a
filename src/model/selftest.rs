//! The self-test of a model file: what the model gives for stored inputs, against what is stored with them.

use super::cost::Cost;
use super::description::{Architecture, Description};
use super::file::Tensors;
use super::{Model, Options, Plan};
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::strided::{View, ViewMut};

/// Values and shape of a stored array.
type Stored = (Vec<f64>, Vec<usize>);

impl Model {
    /// Predicts the stored inputs in f64, networks in ONNX in their own type, and compares with the stored outputs, relative to the largest
    /// of them. What costs too much for a file of `len` bytes is refused before.
    pub(super) fn selftest(&self, tensors: &Tensors, len: usize) -> Result<()> {
        let get = |name: &str| match tensors.get(&format!("selftest.{name}")) {
            Some(t) if t.shape.iter().all(|n| *n > 0) => Ok((t.to_f64(), t.shape.clone())),
            Some(t) => {
                fail!(FileDescription, "tensor selftest.{name} has shape {:?}, expected no extent of 0", t.shape)
            }
            None => fail!(FileDescription, "tensor selftest.{name} is missing: a model file carries its self-test"),
        };
        match self.description.architecture {
            Architecture::Anp | Architecture::Gp => self.selftest_process(get, len),
            Architecture::Fno | Architecture::Onnx => self.selftest_operator(get, len),
            Architecture::Mlp => self.selftest_rows(get, len),
            Architecture::DeepOnet => self.selftest_functions(get, len),
        }
    }

    fn selftest_rows(&self, get: impl Fn(&str) -> Result<Stored>, len: usize) -> Result<()> {
        let ((input, shape), (output, out)) = (get("input")?, get("output")?);
        let rows = input.len() / self.description.inputs.len();
        self.cost_of(|d| d.mlp.as_ref().map(|mlp| mlp.cost(d.inputs.len(), d.outputs.len(), rows))).check(len)?;
        let plan = Plan::new(self, Dtype::F64, &Options { batch: rows.max(1), ..Options::default() })?;
        let input = View::new("selftest.input", &input, &shape)?;
        let mut here = vec![0.0; output.len()];
        let mut mean = ViewMut::new("selftest.output", &mut here, &out)?;
        let mut workspace = plan.workspace()?;
        if !plan.has_variance() {
            plan.predict(&mut workspace, &input, &[], &mut mean)?;
            return self.compare("output", &here, &output);
        }
        let (variance, shape) = get("variance")?;
        let mut variance_here = vec![0.0; variance.len()];
        let mut view = ViewMut::new("selftest.variance", &mut variance_here, &shape)?;
        plan.predict_moments(&mut workspace, &input, &[], &mut mean, &mut view)?;
        self.compare("output", &here, &output)?;
        self.compare("variance", &variance_here, &variance)
    }

    fn selftest_functions(&self, get: impl Fn(&str) -> Result<Stored>, len: usize) -> Result<()> {
        let ((values, shape), (x, of_x), (mean, out)) = (get("context_y")?, get("target_x")?, get("mean")?);
        let ([functions, _, _], [_, targets, _]) = (&shape[..], &of_x[..]) else {
            return fail!(
                FileDescription,
                "selftest.context_y and .target_x have shapes {shape:?} and {of_x:?}, expected rank 3"
            );
        };
        let (batch, points) = (*functions, *targets);
        let cost =
            |d: &Description| d.deeponet.as_ref().map(|net| net.cost(d.inputs.len(), d.outputs.len(), batch, points));
        self.cost_of(cost).check(len)?;
        let options = Options { batch: *functions, targets: Some(*targets), ..Options::default() };
        let plan = Plan::new(self, Dtype::F64, &options)?;
        let mut workspace = plan.workspace()?;
        plan.condition_on_sensors(&mut workspace, &View::new("selftest.context_y", &values, &shape)?)?;
        let x = View::new("selftest.target_x", &x, &of_x)?;
        let mut here = vec![0.0; mean.len()];
        let mut view = ViewMut::new("selftest.mean", &mut here, &out)?;
        if !plan.has_variance() {
            plan.query(&mut workspace, &x, None, &mut view, None)?;
            return self.compare("mean", &here, &mean);
        }
        let (variance, shape) = get("variance")?;
        let mut variance_here = vec![0.0; variance.len()];
        let mut variances = ViewMut::new("selftest.variance", &mut variance_here, &shape)?;
        plan.query(&mut workspace, &x, None, &mut view, Some(&mut variances))?;
        self.compare("mean", &here, &mean)?;
        self.compare("variance", &variance_here, &variance)
    }

    fn selftest_process(&self, get: impl Fn(&str) -> Result<Stored>, len: usize) -> Result<()> {
        let get = |name: &str| match get(name)? {
            (_, shape) if shape.len() != 3 => {
                fail!(FileDescription, "tensor selftest.{name} has shape {shape:?}, expected rank 3")
            }
            stored => Ok(stored),
        };
        // A process with points of its own is queried as it is.
        let stored = self.description.gp.as_ref().is_some_and(|numbers| numbers.points > 0);
        let context = if stored { None } else { Some((get("context_x")?, get("context_y")?)) };
        let (target_x, tx) = get("target_x")?;
        let (mean, m) = get("mean")?;
        let (variance, v) = get("variance")?;
        let (batch, points) = context.as_ref().map_or((1, None), |((_, shape), _)| (shape[0], Some(shape[1])));
        self.process_cost(batch, points.unwrap_or(0), tx[1]).check(len)?;
        let options = Options { batch, context: points, targets: Some(tx[1]), ..Options::default() };
        let plan = Plan::new(self, Dtype::F64, &options)?;
        let mut workspace = plan.workspace()?;
        let (mut mean_here, mut variance_here) = (vec![0.0; mean.len()], vec![0.0; variance.len()]);
        if let Some(((context_x, cx), (context_y, cy))) = &context {
            plan.condition(
                &mut workspace,
                &View::new("selftest.context_x", context_x, cx)?,
                &View::new("selftest.context_y", context_y, cy)?,
            )?;
        }
        plan.query(
            &mut workspace,
            &View::new("selftest.target_x", &target_x, &tx)?,
            None,
            &mut ViewMut::new("selftest.mean", &mut mean_here, &m)?,
            Some(&mut ViewMut::new("selftest.variance", &mut variance_here, &v)?),
        )?;
        self.compare("mean", &mean_here, &mean)?;
        self.compare("variance", &variance_here, &variance)
    }

    fn selftest_operator(&self, get: impl Fn(&str) -> Result<Stored>, len: usize) -> Result<()> {
        let (axes, arithmetic) = match &self.description.onnx {
            Some(numbers) => (numbers.axes, numbers.dtype.into()),
            None => (self.description.fno.as_ref().map_or(0, |numbers| numbers.axes()), Dtype::F64),
        };
        let (input, shape) = get("input")?;
        if shape.len() != axes + 2 {
            return fail!(FileDescription, "tensor selftest.input has shape {shape:?}, expected rank {}", axes + 2);
        }
        let (output, out) = get("output")?;
        let faces = self.description.boon.iter().flat_map(|boon| &boon.faces).enumerate();
        let stored: Result<Vec<Stored>> =
            faces.filter(|(_, face)| face.has_value()).map(|(f, _)| get(&format!("face.{f}"))).collect();
        let stored = stored?;
        self.operator_cost(shape[0], &shape[1..=axes]).check(len)?;
        let options = Options { batch: shape[0], shape: Some(shape[1..=axes].to_vec()), ..Options::default() };
        let plan = Plan::new(self, arithmetic, &options)?;
        let values: Result<Vec<View>> =
            stored.iter().map(|(values, shape)| View::new("selftest.face", values, shape)).collect();
        let mut here = vec![0.0; output.len()];
        plan.predict(
            &mut plan.workspace()?,
            &View::new("selftest.input", &input, &shape)?,
            &values?,
            &mut ViewMut::new("selftest.output", &mut here, &out)?,
        )?;
        self.compare("output", &here, &output)
    }

    /// What a plan and a call of all members cost, from what one costs.
    fn cost_of(&self, one: impl Fn(&Description) -> Option<Cost>) -> Cost {
        one(&self.description).unwrap_or_default() * self.members.len().max(1) as f64
    }

    fn process_cost(&self, batch: usize, context: usize, targets: usize) -> Cost {
        let (batch, context, targets) = (batch as f64, context as f64, targets as f64);
        self.cost_of(|d| match d.architecture {
            Architecture::Gp => {
                let (inputs, outputs) = (d.inputs.len() as f64, d.outputs.len() as f64);
                d.gp.as_ref().map(|gp| gp.cost(inputs, outputs, batch, context, targets))
            }
            _ => d.anp.as_ref().map(|anp| anp.cost(batch, context, targets)),
        })
    }

    fn operator_cost(&self, batch: usize, grid: &[usize]) -> Cost {
        self.cost_of(|d| {
            // Faces lie on the leading axes.
            let conditioned = d.boon.iter().flat_map(|boon| &boon.faces).map(|face| face.axis + 1).max().unwrap_or(0);
            match &d.onnx {
                Some(onnx) => Some(onnx.cost(d.inputs.len(), d.outputs.len(), batch, grid)),
                None => d.fno.as_ref().map(|fno| fno.cost(d.inputs.len(), d.outputs.len(), conditioned, batch, grid)),
            }
        })
    }

    fn compare(&self, name: &str, here: &[f64], stored: &[f64]) -> Result<()> {
        let tolerance = self.description.selftest.tolerance;
        let size = stored.iter().fold(0f64, |a, b| a.max(b.abs()));
        let apart = here.iter().zip(stored).fold(0f64, |a, (x, y)| a.max((x - y).abs()));
        if apart > tolerance * size {
            return fail!(
                SelfTest,
                "the model gives another {name} than its self-test: {apart:e} apart, expected at most {tolerance:e} of {size:e}"
            );
        }
        Ok(())
    }
}
