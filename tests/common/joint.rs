//! Calls of projectors with many rows and any prior, and of inference: what tests of bad ones share.
#![allow(dead_code)]

use std::ptr::{null, null_mut};

use pcml::capi::*;
use pcml::error::Status;

use crate::border::{SENTINEL, failed, input, message, ok, output};

pub const N: usize = 6;
pub const NAN: f64 = f64::NAN;
pub const INF: f64 = f64::INFINITY;
pub const SAMPLES: usize = 2;

/// A projector with all that its calls need.
pub struct Handles {
    pub projector: *mut pcml_projector,
    pub workspace: *mut pcml_workspace,
    pub inference: *mut pcml_workspace,
    pub report: *mut pcml_report,
}

impl Drop for Handles {
    fn drop(&mut self) {
        unsafe {
            pcml_report_free(self.report);
            pcml_workspace_free(self.workspace);
            pcml_workspace_free(self.inference);
            pcml_projector_free(self.projector);
        }
    }
}

pub fn constraints(build: impl Fn(*mut pcml_constraints)) -> *mut pcml_constraints {
    let mut c = null_mut();
    ok(unsafe { pcml_constraints_create(N as i64, &mut c) });
    build(c);
    c
}

pub fn create(
    prior: i32,
    size: Option<i64>,
    smoothing: Option<f64>,
    build: impl Fn(*mut pcml_constraints),
) -> (i32, *mut pcml_projector) {
    let (mut o, mut p) = (null_mut(), null_mut());
    unsafe {
        let c = constraints(build);
        ok(pcml_options_create(&mut o));
        if let Some(size) = size {
            ok(pcml_options_set_prior_size(o, size));
        }
        if let Some(smoothing) = smoothing {
            ok(pcml_options_set_smoothing(o, smoothing));
        }
        let status = pcml_projector_create(c, prior, o, &mut p);
        pcml_options_free(o);
        pcml_constraints_free(c);
        (status, p)
    }
}

pub fn handles(prior: i32, size: i64, build: impl Fn(*mut pcml_constraints)) -> Handles {
    let (status, projector) = create(prior, Some(size), Some(0.9), build);
    ok(status);
    let (mut workspace, mut inference, mut report) = (null_mut(), null_mut(), null_mut());
    unsafe {
        ok(pcml_projector_workspace(projector, 1, &mut workspace));
        ok(pcml_inference_workspace(projector, SAMPLES as i64, &mut inference));
        ok(pcml_projector_report(projector, 1, &mut report));
    }
    Handles { projector, workspace, inference, report }
}

pub unsafe fn add(c: *mut pcml_constraints, cells: &[i64], weights: &[f64], noise: f64) {
    let starts = [0, cells.len() as i64];
    ok(unsafe { pcml_constraints_add_sparse_rows(c, 1, starts.as_ptr(), cells.as_ptr(), weights.as_ptr(), &noise) });
}

/// Two exact rows and a noisy one.
pub fn three_rows(c: *mut pcml_constraints) {
    unsafe {
        ok(pcml_constraints_add_row(c, &input(&[1.0; N], &[N]), 0.0));
        add(c, &[4, 1], &[-1.0, 1.0], 0.0);
        add(c, &[5, 0], &[1.0, 2.0], 0.1);
    }
}

/// Size, data and their shape.
pub fn data_of(prior: i32) -> (i64, Vec<f64>, Vec<usize>) {
    let lines =
        |first: f64, rest: f64, count: usize| (0..count * N).map(|k| if k < N { first } else { rest }).collect();
    match prior {
        1 => (0, vec![], vec![]),
        2 | 9 => (0, vec![1.0, 0.5, 2.0, 1.0, 0.25, 1.0], vec![N]),
        3 => (0, vec![0.5], vec![1]),
        4 | 5 => (1, lines(2.0, 0.3, 2), vec![2, N]),
        6 => (2, lines(1.0, 0.4, 3), vec![3, N]),
        7 => (4, (0..4 * N).map(|k| ((k * k * 7 + 3) % 11) as f64).collect(), vec![4, N]),
        _ => (0, (0..N * N).map(|k| if k / N == k % N { 2.0 } else { 0.1 }).collect(), vec![N, N]),
    }
}

/// One slice's arrays; each test spoils one.
#[derive(Clone)]
pub struct Call {
    pub mean: Vec<f64>,
    pub data: Vec<f64>,
    pub shape: Vec<usize>,
    pub b: Vec<f64>,
}

/// The C functions that read a prior.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    Project,
    Covariance,
    Sample,
    LogLikelihood,
    Block,
    Jvp,
    Vjp,
}

pub const ALL: [What; 7] =
    [What::Project, What::Covariance, What::Sample, What::LogLikelihood, What::Block, What::Jvp, What::Vjp];
/// Those that read the mean and b too.
pub const MEAN: [What; 5] = [What::Project, What::Sample, What::LogLikelihood, What::Jvp, What::Vjp];

impl Call {
    pub fn new(prior: i32) -> Call {
        let (_, data, shape) = data_of(prior);
        Call { mean: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], data, shape, b: vec![20.0, 0.5, 1.0] }
    }

    /// The status, and whether outputs and report changed.
    pub fn run(&self, h: &Handles, what: What) -> (i32, bool) {
        let (mean, b) = (input(&self.mean, &[self.mean.len()]), input(&self.b, &[self.b.len()]));
        let data = (!self.shape.is_empty()).then(|| input(&self.data, &self.shape));
        let data = data.as_ref().map_or(null(), |data| &raw const *data);
        let mut out = [[SENTINEL; N * N]; 2];
        let [first, second] = &mut out;
        let (p, i) = (h.projector, h.inference);
        let ones = [1.0; N];
        let ones = input(&ones, &[N]);
        let status = unsafe {
            match what {
                What::Project => {
                    let (u, v) = (output(first, &[N]), output(second, &[N]));
                    pcml_projector_project(p, h.workspace, &mean, data, &b, &u, &v, h.report)
                }
                What::Covariance => pcml_projector_covariance(p, h.workspace, data, &output(first, &[N, N])),
                What::Sample => pcml_inference_sample(p, i, &mean, data, &b, 3, 0, &output(first, &[SAMPLES, N])),
                What::LogLikelihood => pcml_inference_log_likelihood(p, i, &mean, data, &b, &mut first[0]),
                What::Block => {
                    let (rows, columns) = ([0, 4], [1, 2, 4]);
                    let to = output(first, &[2, 3]);
                    pcml_inference_covariance(p, i, data, rows.as_ptr(), 2, columns.as_ptr(), 3, &to)
                }
                What::Jvp => pcml_inference_jvp(p, i, &mean, data, &b, &ones, null(), null(), &output(first, &[N])),
                What::Vjp => {
                    let (of_mean, of_b) = (output(first, &[N]), output(second, &[3]));
                    pcml_inference_vjp(p, i, &mean, data, &b, &ones, &of_mean, null(), &of_b)
                }
            }
        };
        let mut slices = -1;
        ok(unsafe { pcml_report_slices(h.report, &mut slices) });
        (status, slices != 0 || out.iter().flatten().any(|x| x.to_bits() != SENTINEL.to_bits()))
    }

    #[track_caller]
    pub fn refused(&self, h: &Handles, calls: &[What], status: Status, parts: &[&str]) {
        for &what in calls {
            let (found, changed) = self.run(h, what);
            assert_eq!(found, status as i32, "{what:?}, expected {status:?} {parts:?}: {}", message());
            failed(found, status, parts);
            assert!(!changed, "{what:?} changed an output: {parts:?}");
        }
    }
}

pub fn spoiled(prior: i32, change: impl Fn(&mut Call)) -> Call {
    let mut call = Call::new(prior);
    change(&mut call);
    call
}
