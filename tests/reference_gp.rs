//! Parity with scikit-learn: predictions, covariances, likelihoods and their gradients at given hyperparameters; fits that are at least as
//! good. Needs a Python with scikit-learn: PCML_PYTHON, else python3.

#[path = "common/gp.rs"]
mod gp;
#[path = "common/tools.rs"]
mod tools;

use std::sync::OnceLock;

use gp::{Array, covariance, model, numbers, plan, query};
use pcml::model::gp::FitOptions;
use serde_json::Value;
use tools::{python, root, run};

fn reference() -> Option<&'static Value> {
    static REFERENCE: OnceLock<Option<Value>> = OnceLock::new();
    REFERENCE.get_or_init(compute).as_ref()
}

fn compute() -> Option<Value> {
    let output = run(python("sklearn")?, [root().join("tests/reference_gp.py")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn list(v: &Value) -> Vec<f64> {
    match v {
        Value::Array(all) => all.iter().flat_map(list).collect(),
        v => vec![v.as_f64().expect("a number")],
    }
}

/// The largest difference, over the largest expected value.
fn apart(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(0f64, |a, v| a.max(v.abs()));
    found.iter().zip(expected).fold(0f64, |a, (x, y)| a.max((x - y).abs())) / size
}

#[test]
fn predictions_likelihoods_and_gradients_are_those_of_scikit_learn() {
    let Some(reference) = reference() else { return };
    let mut worst = [0f64; 5];
    for case in reference["cases"].as_array().unwrap() {
        let kernel = serde_json::from_value(case["kernel"].clone()).unwrap();
        let outputs = case["outputs"].as_u64().unwrap() as usize;
        let (x, y, t) = (list(&case["x"]), list(&case["y"]), list(&case["t"]));
        let n = y.len() / outputs;
        let (inputs, m) = (x.len() / n, t.len() * n / x.len());
        let noise = case["noise"].as_f64().unwrap();
        let numbers = numbers(kernel, case["variance"].as_f64().unwrap(), &list(&case["lengths"]), noise);
        let model = model(&numbers, inputs, outputs);
        let (plan, mut workspace) = plan(&model, 1, n, m);
        let (x, y, t) = (Array(x, vec![1, n, inputs]), Array(y, vec![1, n, outputs]), Array(t, vec![1, m, inputs]));
        let own = case["point_noise"].as_array().map(|_| Array(list(&case["point_noise"]), vec![n]));
        match &own {
            None => plan.condition(&mut workspace, &x.view(), &y.view()).unwrap(),
            Some(own) => plan.condition_noisy(&mut workspace, &x.view(), &y.view(), &own.view()).unwrap(),
        }
        assert_eq!(plan.jitter(&workspace).unwrap(), 0.0);
        let (mean, variance) = query(&plan, &mut workspace, &t, &[1, m, outputs]);
        let deviation: Vec<f64> = variance.iter().map(|v| v.sqrt()).collect();
        let covariance = covariance(&plan, &mut workspace, &t, &[1, outputs, m, m]);
        let mut gradient = vec![0.0; numbers.length_scales.len() + 2];
        let own = own.as_ref().map(Array::view);
        let likelihood =
            model.log_marginal_likelihood(&x.view(), &y.view(), own.as_ref(), Some(&mut gradient)).unwrap();
        let found = [mean, deviation, covariance, vec![likelihood], gradient];
        for (k, name) in ["mean", "deviation", "covariance", "likelihood", "gradient"].iter().enumerate() {
            let difference = apart(&found[k], &list(&case[*name]));
            worst[k] = worst[k].max(difference);
            assert!(difference <= 1e-10, "{name} of {} is {difference:e} apart", case["kernel"]);
        }
    }
    println!("mean, deviation, covariance, likelihood and gradient are at most {worst:?} apart");
}

#[test]
fn fits_are_at_least_as_good_as_those_of_scikit_learn() {
    let Some(reference) = reference() else { return };
    for fit in reference["fits"].as_array().unwrap() {
        let kernel = serde_json::from_value(fit["kernel"].clone()).unwrap();
        let (x, y) = (list(&fit["x"]), list(&fit["y"]));
        let (n, inputs) = (y.len(), x.len() / y.len());
        let model = model(&numbers(kernel, 1.0, &list(&fit["lengths"]), 0.1), inputs, 1);
        let (x, y) = (Array(x, vec![n, inputs]), Array(y, vec![n]));
        // Bounds that contain theirs: lengths of inputs that do not matter end at a bound.
        let options = FitOptions { range: 1e6, ..FitOptions::default() };
        let (fitted, told) = model.fit(&x.view(), &y.view(), None, &options).unwrap();
        let theirs = fit["likelihood"].as_f64().unwrap();
        println!(
            "{} {inputs}: {:.9} in {} iterations, theirs {theirs:.9}",
            fit["kernel"], told.log_likelihood, told.iterations
        );
        assert!(told.log_likelihood >= theirs - 1e-6 && told.converged, "{told:?}, theirs {theirs}");
        let again = fitted.log_marginal_likelihood(&x.view(), &y.view(), None, None).unwrap();
        assert!((again - told.log_likelihood).abs() <= 1e-10 * again.abs());
    }
}
