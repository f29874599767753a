//! Conditioning and querying call the allocator not once, through C, in both arithmetics, with every kind of sampling.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/counting.rs"]
mod counting;

use std::ffi::CString;
use std::hint::black_box;
use std::ptr::{null, null_mut};

use border::{input, ok, output};
use counting::allocations;
use pcml::capi::*;

#[test]
fn prediction_after_planning_allocates_nothing() {
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    let path = CString::new(common::stefan_path().to_str().unwrap()).unwrap();
    let (context_x, context_y, target_x) = ([0.05; 400], [0.5; 200], [0.05; 600]);
    let (mut mean, mut variance) = ([0.0; 600], [0.0; 600]);
    let eps = [0.1; 4 * 64];
    unsafe {
        let (mut model, mut options) = (null_mut(), null_mut());
        ok(pcml_model_load(path.as_ptr(), &mut model));
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_batch(options, 2));
        ok(pcml_options_set_context(options, 100));
        ok(pcml_options_set_targets(options, 300));
        for (dtype, latents, dropout) in [(1, 0, 0.0), (2, 0, 0.0), (1, 4, 0.0), (2, 4, 0.0), (2, 4, 0.1)] {
            let (mut plan, mut workspace) = (null_mut(), null_mut());
            ok(pcml_options_set_latents(options, latents));
            ok(pcml_options_set_dropout(options, dropout));
            ok(pcml_plan_create(model, dtype, options, &mut plan));
            ok(pcml_plan_workspace(plan, &mut workspace));
            let (x, y, t) =
                (input(&context_x, &[2, 100, 2]), input(&context_y, &[2, 100, 1]), input(&target_x, &[300, 2]));
            let draws = input(&eps, &[4, 64]);
            let (m, v) = (output(&mut mean, &[2, 300, 1]), output(&mut variance, &[2, 300]));
            let count = allocations(|| {
                ok(pcml_plan_condition(plan, workspace, &x, &y));
                ok(pcml_plan_query(plan, workspace, &t, null(), &m, &v));
                if latents > 0 {
                    ok(pcml_plan_query(plan, workspace, &t, &draws, &m, null()));
                }
            });
            assert_eq!(count, 0, "dtype {dtype}, {latents} latents, dropout {dropout}");
            pcml_workspace_free(workspace);
            pcml_plan_free(plan);
        }
        pcml_options_free(options);
        pcml_model_free(model);
    }
    black_box((mean, variance));
}
