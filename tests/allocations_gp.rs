//! Gaussian processes: conditioning, queries and covariances call the allocator not once, through C, jitter and noise included.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
#[path = "common/counting.rs"]
mod counting;

use std::hint::black_box;
use std::ptr::{null, null_mut};

use border::{input, ok, output};
use counting::allocations;
use pcml::capi::*;

#[test]
fn prediction_after_planning_allocates_nothing() {
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    let spread: Vec<f64> = (0..600).map(|i| ((i * 7919) % 601) as f64 / 300.0).collect();
    // All points nearly one: the smooth process needs jitter.
    let dense: Vec<f64> = (0..600).map(|i| i as f64 * 1e-4).collect();
    let y: Vec<f64> = spread.iter().take(300).map(|x| 0.3 * x).collect();
    let (noise, t) = ([0.01; 150], vec![0.4; 400]);
    let (mut mean, mut variance, mut covariance) = (vec![0.0; 400], vec![0.0; 400], vec![0f32; 80_000]);
    unsafe {
        for kernel in [pcml::model::gp::Kernel::Rbf as i32, 4] {
            let (mut model, mut options) = (null_mut(), null_mut());
            ok(pcml_options_create(&mut options));
            ok(pcml_options_set_batch(options, 2));
            ok(pcml_options_set_context(options, 160));
            ok(pcml_options_set_targets(options, 200));
            ok(pcml_options_set_covariance(options, 200));
            ok(pcml_options_set_length_scales(options, 2, [0.5, 0.7].as_ptr()));
            ok(pcml_model_gaussian_process(kernel, 2, 1, options, &mut model));
            let (mut plan, mut workspace) = (null_mut(), null_mut());
            ok(pcml_plan_create(model, 2, options, &mut plan));
            ok(pcml_plan_workspace(plan, &mut workspace));
            let (x, close, y) = (input(&spread, &[2, 150, 2]), input(&dense, &[2, 150, 2]), input(&y, &[2, 150]));
            let (own, t) = (input(&noise, &[150]), input(&t, &[200, 2]));
            let (m, v) = (output(&mut mean, &[2, 200, 1]), output(&mut variance, &[2, 200]));
            let c = output(&mut covariance, &[2, 200, 200]);
            let mut jitter = -1.0;
            let count = allocations(|| {
                ok(pcml_plan_condition_noisy(plan, workspace, &x, &y, &own));
                ok(pcml_plan_query(plan, workspace, &t, null(), &m, &v));
                ok(pcml_plan_covariance(plan, workspace, &t, &m, &c));
                ok(pcml_plan_condition(plan, workspace, &close, &y));
                ok(pcml_plan_jitter(plan, workspace, &mut jitter));
                ok(pcml_plan_query(plan, workspace, &t, null(), &m, null()));
            });
            assert_eq!(count, 0, "kernel {kernel}");
            assert!(kernel != 1 || jitter > 0.0, "{jitter}");
            pcml_workspace_free(workspace);
            pcml_plan_free(plan);
            pcml_options_free(options);
            pcml_model_free(model);
        }
    }
    black_box((mean, variance, covariance));
}
