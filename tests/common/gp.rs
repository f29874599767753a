//! Gaussian processes as tests call them from Rust.
#![allow(dead_code)]

use pcml::field::Dtype;
use pcml::kernels::random::Philox;
use pcml::model::gp::{Kernel, Numbers};
use pcml::model::{Channel, Model, Options, Plan, Workspace};
use pcml::{View, ViewMut};

/// `count` channels of raw = offset + scale x network value.
pub fn channels(count: usize, offset: f64, scale: f64) -> Vec<Channel> {
    (0..count).map(|i| Channel { offset, scale, ..Channel::plain(format!("c{i}")) }).collect()
}

pub fn numbers(kernel: Kernel, variance: f64, length_scales: &[f64], noise: f64) -> Numbers {
    let length_scales = length_scales.to_vec();
    Numbers { kernel, variance, length_scales, noise, means: vec![], points: 0, point_noise: false }
}

/// A process whose raw values are its own.
pub fn model(numbers: &Numbers, inputs: usize, outputs: usize) -> Model {
    Model::gaussian_process(numbers, &channels(inputs, 0.0, 1.0), &channels(outputs, 0.0, 1.0)).unwrap()
}

pub fn uniform(seed: u64, stream: u64, count: usize) -> Vec<f64> {
    (0..count).map(|i| Philox::new(seed).word(stream, i as u64) as f64 / u32::MAX as f64).collect()
}

/// A plan for so many functions, points and targets (of covariances too), and its workspace.
pub fn plan(model: &Model, batch: usize, context: usize, targets: usize) -> (Plan, Workspace) {
    let options =
        Options { batch, context: Some(context), targets: Some(targets), covariance: targets, ..Options::default() };
    let plan = Plan::new(model, Dtype::F64, &options).unwrap();
    let workspace = plan.workspace().unwrap();
    (plan, workspace)
}

/// Points or targets with their extents.
#[derive(Clone)]
pub struct Array(pub Vec<f64>, pub Vec<usize>);

impl Array {
    pub fn view(&self) -> View<'_> {
        View::new("array", &self.0, &self.1).unwrap()
    }
}

/// Means and variances at targets.
pub fn query(plan: &Plan, workspace: &mut Workspace, t: &Array, shape: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let len = shape.iter().product();
    let (mut mean, mut variance) = (vec![0.0; len], vec![0.0; len]);
    plan.query(
        workspace,
        &t.view(),
        None,
        &mut ViewMut::new("mean", &mut mean, shape).unwrap(),
        Some(&mut ViewMut::new("variance", &mut variance, shape).unwrap()),
    )
    .unwrap();
    (mean, variance)
}

/// The covariance of every function and output.
pub fn covariance(plan: &Plan, workspace: &mut Workspace, t: &Array, shape: &[usize; 4]) -> Vec<f64> {
    let mut covariance = vec![0.0; shape.iter().product()];
    plan.covariance(workspace, &t.view(), None, &mut ViewMut::new("covariance", &mut covariance, shape).unwrap())
        .unwrap();
    covariance
}
