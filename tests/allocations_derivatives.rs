//! Derivatives of neural operators call the allocator not once, through C, in both arithmetics.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/operators.rs"]
mod operators;
#[path = "common/plans.rs"]
mod plans;

use std::hint::black_box;
use std::ptr::{null, null_mut};

use border::{input, ok, output};
use counting::allocations;
use operators::{conditioned, pair, plain, random, waves, with_selftest};
use pcml::capi::*;
use plans::{Operator, Sizes};
use serde_json::{Value, json};

#[test]
fn derivatives_after_planning_allocate_nothing() {
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    let mut mixed = plain(5, &[6, 4], &[0, 2]);
    mixed["fno"]["mlp"] = json!({"hidden": 6, "skip": "soft-gating"});
    mixed["fno"]["final_activation"] = json!(true);
    let mut normalised = mixed.clone();
    normalised["fno"]["norm"] = json!({"kind": "group", "groups": 5, "eps": 1e-5});
    let corners = json!([pair(0, "dirichlet", 0.1), pair(1, "neumann", 0.1)].concat());
    let both = |kind: &str| json!(pair(0, kind, 0.1));
    /// Name, description, grid, steps, axes of faces with values.
    type Case = (&'static str, Value, &'static [i64], usize, &'static [usize]);
    let cases: Vec<Case> = vec![
        ("1-D, lines of several tiles", plain(6, &[5], &[3]), &[700], 1, &[]),
        ("channel MLP", mixed, &[14, 10], 1, &[]),
        ("group norm", normalised, &[14, 10], 1, &[]),
        ("3-D", plain(4, &[4, 4, 3], &[0, 0, 2]), &[8, 9, 10], 1, &[]),
        ("a roll-out", plain(5, &[6, 4], &[0, 2]), &[14, 10], 3, &[]),
        ("BOON, a roll-out", conditioned(plain(6, &[5], &[0]), "exact", both("dirichlet")), &[40], 2, &[0, 0]),
        ("BOON, corners", conditioned(plain(5, &[6, 4], &[0, 0]), "exact", corners), &[14, 12], 1, &[0, 0, 1, 1]),
        ("BOON, periodic", conditioned(plain(6, &[5], &[0]), "exact", both("periodic")), &[40], 1, &[]),
        ("BOON, seed", conditioned(plain(5, &[6, 4], &[0, 2]), "seed", both("dirichlet")), &[14, 12], 1, &[0, 0]),
    ];
    for (name, mut description, shape, steps, faces) in cases {
        description["fno"]["blocks"] = json!(2);
        description["fno"]["projection"] = json!([16]);
        let file = with_selftest(random(&description, 7));
        let grid: Vec<usize> = shape.iter().map(|n| *n as usize).collect();
        let field = [&[2][..], &grid, &[1]].concat();
        let results = [&[2, steps][..], &grid, &[1]].concat();
        let (len, of_results) = (field.iter().product(), results.iter().product());
        let shapes = faces.iter().map(|axis| {
            let mut rest = results.clone();
            rest.remove(2 + axis);
            rest
        });
        let shapes: Vec<Vec<usize>> = shapes.collect();
        let mut given: Vec<Vec<f64>> = shapes.iter().map(|shape| waves(shape.iter().product(), 1.0)).collect();
        for dtype in [1, 2] {
            let o = Operator::new(&file, Sizes { batch: 2, steps: steps as i64, ..Sizes::new(dtype, shape) });
            let mut workspace = null_mut();
            ok(unsafe { pcml_plan_derivative_workspace(o.plan, &mut workspace) });
            let (x, dx, w) = (waves(len, 0.0), waves(len, 0.5), waves(of_results, 0.5));
            let (mut dy, mut of_x) = (vec![0.0; of_results], vec![0.0; len]);
            let mut of_values = given.clone();
            let values: Vec<_> = given.iter().zip(&shapes).map(|(v, shape)| input(v, shape)).collect();
            let tangents: Vec<_> = given.iter().zip(&shapes).map(|(v, shape)| input(v, shape)).collect();
            let cotangents: Vec<_> = of_values.iter_mut().zip(&shapes).map(|(v, shape)| output(v, shape)).collect();
            let (x, t, w) = (input(&x, &field), input(&dx, &field), input(&w, &results));
            let (y, of_x) = (output(&mut dy, &results), output(&mut of_x, &field));
            let (list, count) = (values.as_ptr(), values.len() as i64);
            let (tangents, cotangents) = (tangents.as_ptr(), cotangents.as_ptr());
            let counted = allocations(|| unsafe {
                ok(pcml_plan_jvp(o.plan, workspace, &x, list, count, &t, tangents, &y));
                ok(pcml_plan_jvp(o.plan, workspace, &x, list, count, &t, null(), &y));
                ok(pcml_plan_vjp(o.plan, workspace, &x, list, count, &w, &of_x, cotangents));
                ok(pcml_plan_vjp(o.plan, workspace, &x, list, count, &w, null(), null()));
            });
            assert_eq!(counted, 0, "{name}, dtype {dtype}");
            unsafe { pcml_workspace_free(workspace) };
        }
        black_box(&mut given);
    }
}
