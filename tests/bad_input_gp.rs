//! Gaussian processes: every bad input has its status, a message that names the culprit, and leaves outputs alone; models of stored points.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/gp.rs"]
mod gp;

use std::collections::HashMap;
use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, message, ok, output};
use common::{File, Tensors};
use gp::{Array, numbers, query, uniform};
use pcml::capi::*;
use pcml::error::Status;
use pcml::field::Dtype;
use pcml::model::gp::Kernel;
use pcml::model::{Model, Options, Plan};
use serde_json::json;

/// A process of two inputs and one output with a plan for 2 functions of at most 10 points, 8 targets and 6 of covariances.
struct Fixture {
    model: *mut pcml_model,
    options: *mut pcml_options,
    plan: *mut pcml_plan,
    workspace: *mut pcml_workspace,
}

impl Fixture {
    fn new(noise: f64) -> Fixture {
        let mut f = Fixture { model: null_mut(), options: null_mut(), plan: null_mut(), workspace: null_mut() };
        unsafe {
            ok(pcml_options_create(&mut f.options));
            ok(pcml_options_set_batch(f.options, 2));
            ok(pcml_options_set_context(f.options, 10));
            ok(pcml_options_set_targets(f.options, 8));
            ok(pcml_options_set_covariance(f.options, 6));
            ok(pcml_options_set_length_scales(f.options, 1, &0.5));
            ok(pcml_options_set_noise_variance(f.options, noise));
            ok(pcml_model_gaussian_process(4, 2, 1, f.options, &mut f.model));
            ok(pcml_plan_create(f.model, 2, f.options, &mut f.plan));
            ok(pcml_plan_workspace(f.plan, &mut f.workspace));
        }
        f
    }

    fn condition(&self, x: &pcml_const_array, y: &pcml_const_array) -> i32 {
        unsafe { pcml_plan_condition(self.plan, self.workspace, x, y) }
    }

    fn conditioned() -> Fixture {
        let f = Fixture::new(0.1);
        ok(f.condition(&input(&uniform(1, 0, 40), &[2, 10, 2]), &input(&uniform(1, 1, 20), &[2, 10])));
        f
    }

    /// A covariance with good arrays but for what `change` does to them; it must fail and leave the results alone.
    #[track_caller]
    fn refuses(
        &self,
        status: Status,
        parts: &[&str],
        change: impl FnOnce(&mut pcml_const_array, &mut pcml_array, &mut pcml_array),
    ) {
        let t = [0.3; 12];
        let (mut mean, mut covariance) = ([SENTINEL; 12], [SENTINEL; 72]);
        let mut arrays = (input(&t, &[6, 2]), output(&mut mean, &[2, 6, 1]), output(&mut covariance, &[2, 1, 6, 6]));
        change(&mut arrays.0, &mut arrays.1, &mut arrays.2);
        let found = unsafe { pcml_plan_covariance(self.plan, self.workspace, &arrays.0, &arrays.1, &arrays.2) };
        failed(found, status, parts);
        assert!(mean.iter().chain(&covariance).all(|v| *v == SENTINEL));
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        unsafe {
            pcml_workspace_free(self.workspace);
            pcml_plan_free(self.plan);
            pcml_options_free(self.options);
            pcml_model_free(self.model);
        }
    }
}

#[test]
fn settings_out_of_range() {
    let f = Fixture::new(0.1);
    let o = f.options;
    unsafe {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            failed(pcml_options_set_length_scales(o, 1, &bad), Status::InvalidArgument, &["length_scales[0]"]);
            failed(pcml_options_set_signal_variance(o, bad), Status::InvalidArgument, &["variance"]);
        }
        failed(pcml_options_set_length_scales(o, 0, &1.0), Status::InvalidArgument, &["count is 0"]);
        failed(pcml_options_set_length_scales(o, i64::MAX, &1.0), Status::InvalidArgument, &["1 to 64"]);
        failed(pcml_options_set_length_scales(o, 1, null()), Status::NullArgument, &["length_scales"]);
        failed(pcml_options_set_noise_variance(o, -0.1), Status::Noise, &["-0.1"]);
        failed(pcml_options_set_noise_variance(o, f64::NAN), Status::InvalidArgument, &["NaN"]);
        failed(pcml_options_set_means(o, 1, &f64::NAN), Status::NonFinite, &["means[0]"]);
        failed(pcml_options_set_means(o, -1, &0.0), Status::InvalidArgument, &["count is -1"]);
        failed(pcml_options_set_fitted(o, 16), Status::InvalidArgument, &["fitted is 16"]);
        failed(pcml_options_set_fit_range(o, 0.5), Status::InvalidArgument, &["factor is 0.5"]);
        failed(pcml_options_set_fit_range(o, f64::NAN), Status::InvalidArgument, &["NaN"]);
        failed(pcml_options_set_restarts(o, -1), Status::InvalidArgument, &["restarts is -1"]);
        failed(pcml_options_set_restarts(o, 10_001), Status::InvalidArgument, &["10000"]);
        failed(pcml_options_set_covariance(o, -1), Status::InvalidArgument, &["targets is -1"]);
        failed(pcml_options_set_covariance(null_mut(), 1), Status::NullArgument, &["options"]);

        let mut model = null_mut();
        failed(pcml_model_gaussian_process(0, 1, 1, o, &mut model), Status::InvalidArgument, &["kernel is 0"]);
        failed(pcml_model_gaussian_process(5, 1, 1, o, &mut model), Status::InvalidArgument, &["kernel is 5"]);
        failed(pcml_model_gaussian_process(1, 0, 1, o, &mut model), Status::InvalidArgument, &["inputs is 0"]);
        failed(pcml_model_gaussian_process(1, 65, 1, o, &mut model), Status::InvalidArgument, &["inputs is 65"]);
        failed(pcml_model_gaussian_process(1, 1, i64::MAX, o, &mut model), Status::InvalidArgument, &["1 to 1024"]);
        failed(pcml_model_gaussian_process(1, 1, 1, null(), &mut model), Status::NullArgument, &["options"]);
        failed(pcml_model_gaussian_process(1, 1, 1, o, null_mut()), Status::NullArgument, &["model"]);
        ok(pcml_options_set_length_scales(o, 2, [0.5, 0.5].as_ptr()));
        failed(
            pcml_model_gaussian_process(1, 3, 1, o, &mut model),
            Status::FileDescription,
            &["length_scales has 2", "3"],
        );
        ok(pcml_options_set_means(o, 2, [0.5, 0.5].as_ptr()));
        failed(pcml_model_gaussian_process(1, 2, 1, o, &mut model), Status::FileDescription, &["means has 2"]);
        assert!(model.is_null());
        let mut fresh = null_mut();
        ok(pcml_options_create(&mut fresh));
        failed(
            pcml_model_gaussian_process(1, 1, 1, fresh, &mut model),
            Status::InvalidArgument,
            &["length_scales is not set"],
        );
        pcml_options_free(fresh);
        let mut plan = null_mut();
        failed(pcml_plan_create(f.model, 1, o, &mut plan), Status::Dtype, &["f64"]);
        ok(pcml_options_set_latents(o, 2));
        failed(pcml_plan_create(f.model, 2, o, &mut plan), Status::InvalidArgument, &["latents is 2"]);
        ok(pcml_options_set_latents(o, 0));
        ok(pcml_options_set_covariance(o, 9));
        failed(pcml_plan_create(f.model, 2, o, &mut plan), Status::InvalidArgument, &["covariance is 9", "8"]);
        ok(pcml_options_set_covariance(o, 0));
        ok(pcml_options_set_context(o, 1 << 40));
        ok(pcml_plan_create(f.model, 2, o, &mut plan));
        let mut workspace = null_mut();
        failed(pcml_plan_workspace(plan, &mut workspace), Status::OutOfMemory, &["kernel matrix"]);
        pcml_plan_free(plan);
    }
}

#[test]
fn conditioning_on_bad_arrays() {
    let f = Fixture::new(0.0);
    let (x, y) = (uniform(1, 0, 40), uniform(1, 1, 20));
    let (good_x, good_y) = (input(&x, &[2, 10, 2]), input(&y, &[2, 10]));
    f.refuses(Status::State, &["not conditioned"], |_, _, _| {});
    failed(f.condition(&input(&x, &[40]), &good_y), Status::Shape, &["context_x"]);
    failed(f.condition(&input(&x, &[4, 5, 2]), &good_y), Status::Shape, &["context_y", "[4, 5, 1]"]);
    failed(f.condition(&input(&x, &[20, 2]), &input(&y, &[20])), Status::Shape, &["20 points", "context, 10"]);
    failed(f.condition(&input(&x[..24], &[3, 4, 2]), &input(&y[..12], &[3, 4])), Status::Shape, &["3 functions"]);
    for bad in [f64::NAN, f64::NEG_INFINITY] {
        let (mut x, mut y) = (x.clone(), y.clone());
        y[13] = bad;
        failed(f.condition(&good_x, &input(&y, &[2, 10])), Status::NonFinite, &["context_y[1, 3, 0]"]);
        x[39] = bad;
        failed(f.condition(&input(&x, &[2, 10, 2]), &good_y), Status::NonFinite, &["context_x[1, 9, 1]"]);
    }
    let noisy =
        |noise: &pcml_const_array| unsafe { pcml_plan_condition_noisy(f.plan, f.workspace, &good_x, &good_y, noise) };
    let mut noise = vec![0.1; 20];
    failed(noisy(&input(&noise, &[20])), Status::Shape, &["noise", "[10] or [2, 10]"]);
    noise[17] = -1e-3;
    failed(noisy(&input(&noise, &[2, 10])), Status::Noise, &["noise[1, 7] is -0.001"]);
    noise[17] = f64::NAN;
    failed(noisy(&input(&noise, &[2, 10])), Status::NonFinite, &["noise[1, 7"]);
    unsafe {
        failed(
            pcml_plan_condition_noisy(f.plan, f.workspace, &good_x, &good_y, null()),
            Status::NullArgument,
            &["noise"],
        );
        let other = Fixture::new(0.1);
        failed(pcml_plan_condition(f.plan, other.workspace, &good_x, &good_y), Status::Mismatch, &["workspace"]);
        failed(pcml_plan_jitter(f.plan, f.workspace, null_mut()), Status::NullArgument, &["jitter"]);
        let mut jitter = SENTINEL;
        failed(pcml_plan_jitter(f.plan, f.workspace, &mut jitter), Status::State, &["not conditioned"]);
        assert_eq!(jitter, SENTINEL);
    }
    // A point twice with two values and no noise leaves the workspace unconditioned, even where it was not.
    ok(f.condition(&good_x, &good_y));
    let twice = [0.1, 0.2, 0.7, 0.8, 0.1, 0.2];
    let status = f.condition(&input(&twice, &[3, 2]), &input(&[1.0, 2.0, 3.0], &[3]));
    failed(status, Status::Contradiction, &["0 and 2", "noise"]);
    f.refuses(Status::State, &["not conditioned"], |_, _, _| {});
    ok(f.condition(&input(&twice, &[3, 2]), &input(&[1.0, 2.0, 1.0], &[3])));
    // Values whose squares overflow.
    let huge = f.condition(&good_x, &input(&[1e300; 20], &[2, 10]));
    failed(huge, Status::NonFinite, &["overflow"]);
}

#[test]
fn covariances_and_queries_with_bad_arrays() {
    let f = Fixture::conditioned();
    f.refuses(Status::Shape, &["target_x"], |x, _, _| x.rank = 1);
    f.refuses(Status::Shape, &["7 targets", "covariance, 6"], |x, _, _| x.shape[0] = 7);
    f.refuses(Status::Shape, &["mean", "[2, 6, 1]"], |_, mean, _| mean.shape[1] = 5);
    f.refuses(Status::Shape, &["covariance", "[2, 1, 6, 6]"], |_, _, covariance| covariance.shape[3] = 5);
    f.refuses(Status::Stride, &["covariance"], |_, _, covariance| covariance.strides[0] = 0);
    f.refuses(Status::Stride, &["overlap"], |_, mean, covariance| mean.data = covariance.data);
    f.refuses(Status::Dtype, &["dtype is 7"], |_, _, covariance| covariance.dtype = 7);
    let bad = [f64::NAN; 12];
    f.refuses(Status::NonFinite, &["target_x[0, 0, 0]"], |x, _, _| x.data = bad.as_ptr().cast());
    f.refuses(Status::Shape, &["target_x", "[2, 6, 2]"], |x, _, _| {
        *x = input(&bad, &[1, 6, 2]);
    });
    unsafe {
        let (t, mut mean) = (input(&[0.3; 12], &[6, 2]), [SENTINEL; 12]);
        let m = output(&mut mean, &[2, 6]);
        failed(pcml_plan_covariance(f.plan, f.workspace, &t, &m, null()), Status::NullArgument, &["covariance"]);
        let query = pcml_plan_query(f.plan, f.workspace, &t, &t, &m, null());
        failed(query, Status::InvalidArgument, &["eps"]);
        failed(pcml_plan_latent(f.plan, f.workspace, &m, &m), Status::Mismatch, &["neural process"]);
        assert!(mean.iter().all(|v| *v == SENTINEL));
        let mut workspace = null_mut();
        failed(pcml_plan_derivative_workspace(f.plan, &mut workspace), Status::State, &["derivatives"]);
    }
}

/// Results in the targets' own memory: what is written for one function is not read for the next.
#[test]
fn covariances_may_take_the_place_of_their_targets() {
    let f = Fixture::conditioned();
    let t = uniform(1, 2, 24);
    let (mut mean, mut expected) = ([SENTINEL; 12], [SENTINEL; 72]);
    let query = |x: &pcml_const_array, m: &pcml_array, c: &pcml_array| unsafe {
        ok(pcml_plan_covariance(f.plan, f.workspace, x, m, c))
    };
    query(&input(&t, &[2, 6, 2]), &output(&mut mean, &[2, 6, 1]), &output(&mut expected, &[2, 1, 6, 6]));
    let (mut means, mut covariance) = ([SENTINEL; 12], [SENTINEL; 72]);
    covariance[..24].copy_from_slice(&t);
    let out = output(&mut covariance, &[2, 1, 6, 6]);
    let targets = pcml_const_array { data: out.data, ..input(&t, &[2, 6, 2]) };
    query(&targets, &output(&mut means, &[2, 6, 1]), &out);
    assert_eq!((means, covariance), (mean, expected));
    let mut both = t.clone();
    let out = output(&mut both, &[24]);
    let targets = pcml_const_array { data: out.data, ..input(&t, &[2, 6, 2]) };
    query(
        &targets,
        &pcml_array { data: out.data, ..output(&mut means, &[2, 6, 1]) },
        &output(&mut covariance, &[2, 1, 6, 6]),
    );
    assert_eq!((&both[..12], covariance), (&mean[..], expected));
}

#[test]
fn fits_of_bad_arrays() {
    let f = Fixture::new(0.1);
    let (x, y) = (uniform(1, 0, 40), uniform(1, 1, 20));
    let (good_x, good_y) = (input(&x, &[20, 2]), input(&y, &[20]));
    let mut fitted = null_mut();
    let mut report = pcml_fit_report {
        struct_size: size_of::<pcml_fit_report>() as i64,
        log_likelihood: SENTINEL,
        log_likelihood_before: SENTINEL,
        jitter: SENTINEL,
        iterations: 0,
        evaluations: 0,
        search: 0,
        converged: 0,
    };
    unsafe {
        let mut fit = |model, x, y, noise, options, report: *mut pcml_fit_report| {
            let status = pcml_model_fit(model, x, y, noise, options, &mut fitted, report);
            assert!(fitted.is_null());
            status
        };
        let none = null::<pcml_const_array>();
        failed(fit(null(), &good_x, &good_y, none, null(), &mut report), Status::NullArgument, &["model"]);
        failed(fit(f.model, none, &good_y, none, null(), &mut report), Status::NullArgument, &["context_x"]);
        failed(fit(f.model, &good_y, &good_y, none, null(), &mut report), Status::Shape, &["context_x"]);
        let few = input(&y[..19], &[19]);
        failed(fit(f.model, &good_x, &few, none, null(), &mut report), Status::Shape, &["context_y"]);
        let bad = [f64::NAN; 20];
        failed(
            fit(f.model, &good_x, &input(&bad, &[20]), none, null(), &mut report),
            Status::NonFinite,
            &["context_y[0"],
        );
        failed(
            fit(f.model, &good_x, &good_y, &input(&[-1.0; 20], &[20]), null(), &mut report),
            Status::Noise,
            &["noise"],
        );
        ok(pcml_options_set_fitted(f.options, Fitted::Means as i32));
        let (two_x, two_y) = (input(&x, &[2, 10, 2]), input(&y, &[2, 10]));
        failed(fit(f.model, &two_x, &two_y, none, f.options, &mut report), Status::InvalidArgument, &["means"]);
        let exact = Fixture::new(0.0);
        let twice = input(&[0.1, 0.2, 0.7, 0.8, 0.1, 0.2], &[3, 2]);
        let three = input(&[1.0, 2.0, 3.0], &[3]);
        failed(fit(exact.model, &twice, &three, none, null(), &mut report), Status::Contradiction, &["0 and 2"]);
        let process = common::stefan_path();
        let path = std::ffi::CString::new(process.to_str().unwrap()).unwrap();
        let mut stefan = null_mut();
        ok(pcml_model_load(path.as_ptr(), &mut stefan));
        failed(fit(stefan, &good_x, &good_y, none, null(), &mut report), Status::State, &["no Gaussian process"]);
        failed(pcml_model_hyperparameters(stefan, 0, null_mut(), null_mut()), Status::State, &["no Gaussian process"]);
        pcml_model_free(stefan);
        assert_eq!(report.log_likelihood, SENTINEL);
        report.struct_size = 8;
        failed(
            fit(f.model, &good_x, &good_y, none, null(), &mut report),
            Status::Mismatch,
            &["report.struct_size is 8"],
        );

        report.struct_size = size_of::<pcml_fit_report>() as i64;
        ok(pcml_model_fit(f.model, &good_x, &good_y, null(), null(), &mut fitted, &mut report));
        assert!(report.converged == 1 && report.log_likelihood >= report.log_likelihood_before);
        let (mut values, mut count) = ([SENTINEL; 5], 0);
        failed(pcml_model_hyperparameters(fitted, -1, null_mut(), &mut count), Status::InvalidArgument, &["capacity"]);
        failed(pcml_model_hyperparameters(fitted, 4, null_mut(), &mut count), Status::NullArgument, &["values"]);
        ok(pcml_model_hyperparameters(fitted, 5, values.as_mut_ptr(), &mut count));
        assert!(count == 4 && values[..3].iter().all(|v| *v > 0.0) && values[3..] == [0.0, SENTINEL], "{values:?}");
        pcml_model_free(fitted);
    }
}

/// A model file that stores 30 points; its self-test from the process conditioned on them by a call.
fn stored() -> File {
    let (x, y, noise) = (uniform(5, 0, 60), uniform(5, 1, 60), uniform(5, 2, 30));
    let mut numbers = numbers(Kernel::Matern32, 1.5, &[0.4, 0.6], 0.01);
    let channels: Vec<_> = (0..2)
        .map(|i| {
            serde_json::from_value(json!({"name": format!("c{i}"), "unit": "K", "offset": 2.0, "scale": 3.0})).unwrap()
        })
        .collect();
    let model = Model::gaussian_process(&numbers, &channels, &channels).unwrap();
    let (plan, mut workspace) = gp::plan(&model, 1, 30, 7);
    let arrays = [Array(x.clone(), vec![30, 2]), Array(y.clone(), vec![30, 2]), Array(noise.clone(), vec![30])];
    plan.condition_noisy(&mut workspace, &arrays[0].view(), &arrays[1].view(), &arrays[2].view()).unwrap();
    let t = Array(uniform(5, 3, 14), vec![1, 7, 2]);
    let (mean, variance) = query(&plan, &mut workspace, &t, &[1, 7, 2]);
    (numbers.points, numbers.point_noise) = (30, true);
    let tensors: Tensors = [
        ("points.x", vec![30, 2], x),
        ("points.y", vec![30, 2], y),
        ("points.noise", vec![30], noise),
        ("selftest.target_x", t.1, t.0),
        ("selftest.mean", vec![1, 7, 2], mean),
        ("selftest.variance", vec![1, 7, 2], variance),
    ]
    .into_iter()
    .map(|(name, shape, values)| (name.to_string(), (shape, values)))
    .collect();
    let mut file = File { metadata: HashMap::new(), tensors };
    file.describe(json!({
        "format": 1, "architecture": "gp", "gp": numbers, "inputs": channels, "outputs": channels,
        "selftest": {"tolerance": 1e-12},
    }));
    file
}

#[test]
fn a_file_of_stored_points_is_queried_without_conditioning() {
    let file = stored();
    let model = Model::from_bytes(&file.bytes()).expect("the self-test is what conditioning gives");
    let options = Options { targets: Some(7), ..Options::default() };
    let plan = Plan::new(&model, Dtype::F64, &options).unwrap();
    let mut workspace = plan.workspace().unwrap();
    let t = Array(file.tensors["selftest.target_x"].1.clone(), vec![1, 7, 2]);
    let (mean, variance) = query(&plan, &mut workspace, &t, &[1, 7, 2]);
    assert_eq!((&mean, &variance), (&file.tensors["selftest.mean"].1, &file.tensors["selftest.variance"].1));
    // No room for other points was asked for.
    let x = Array(vec![0.5, 0.5], vec![1, 2]);
    assert_eq!(plan.condition(&mut workspace, &x.view(), &x.view()).unwrap_err().status(), Status::State);
    // With room the caller's points take the place of the stored ones.
    let plan = Plan::new(&model, Dtype::F64, &Options { context: Some(1), ..options }).unwrap();
    let mut workspace = plan.workspace().unwrap();
    assert_eq!(query(&plan, &mut workspace, &t, &[1, 7, 2]).0, mean);
    plan.condition(&mut workspace, &x.view(), &x.view()).unwrap();
    assert_ne!(query(&plan, &mut workspace, &t, &[1, 7, 2]).0, mean);
}

#[test]
fn descriptions_of_stored_points() {
    let refused = |change: &dyn Fn(&mut File, &mut serde_json::Value), status: Status, part: &str| {
        let mut file = stored();
        let mut description = file.description();
        change(&mut file, &mut description);
        file.describe(description);
        let (bytes, mut model) = (file.bytes(), null_mut());
        let found = unsafe { pcml_model_load_bytes(bytes.as_ptr().cast(), bytes.len() as i64, &mut model) };
        assert_eq!(found, status as i32, "{}", message());
        assert!(message().contains(part), "{}", message());
    };
    use Status::{FileDescription, Weights};
    refused(&|_, d| drop(d.as_object_mut().unwrap().remove("gp")), FileDescription, "no field gp");
    refused(&|_, d| d["gp"]["kernel"] = "cosine".into(), FileDescription, "cosine");
    refused(&|_, d| d["gp"]["variance"] = 0.0.into(), FileDescription, "gp.variance is 0");
    refused(&|_, d| d["gp"]["length_scales"] = json!([1.0, -1.0]), FileDescription, "gp.length_scales[1] is -1");
    refused(&|_, d| d["gp"]["length_scales"] = json!([1.0, 1.0, 1.0]), FileDescription, "expected 1 or 2");
    refused(&|_, d| d["gp"]["noise"] = (-1.0).into(), FileDescription, "gp.noise is -1");
    refused(&|_, d| d["gp"]["means"] = json!([1.0]), FileDescription, "gp.means has 1");
    refused(&|_, d| d["gp"]["points"] = u64::MAX.into(), FileDescription, "gp.points");
    refused(&|_, d| d["gp"]["points"] = 31.into(), Weights, "points.");
    refused(&|_, d| d["gp"]["nugget"] = 1.0.into(), FileDescription, "nugget");
    refused(&|f, _| f.tensors.get_mut("points.noise").unwrap().1[4] = -1.0, Weights, "points.noise[4] is -1");
    refused(&|f, _| f.tensors.get_mut("points.y").unwrap().1[4] += 1.0, Status::SelfTest, "mean");
    refused(&|f, _| drop(f.tensors.remove("points.x")), Weights, "points.x is missing");
}
