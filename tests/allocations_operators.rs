//! Predicting with neural operators, setting boundaries and the chain to a lawful field call the allocator not once, through C, in both
//! arithmetics; a workspace takes no more than three times the largest activation.
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
use common::File;
use counting::{allocations, held};
use operators::{channels, conditioned, pair, plain, random, waves, with_selftest};
use pcml::capi::*;
use pcml::field::Element;
use plans::{Operator, Sizes};
use serde_json::{Value, json};

/// A model of a description made shorter, so that a test without optimisation stays short.
fn model(mut description: Value) -> File {
    description["fno"]["blocks"] = json!(2);
    description["fno"]["projection"] = json!([16]);
    with_selftest(random(&description, 7))
}

fn normalised(kind: &str, width: usize, modes: &[usize]) -> Value {
    let mut description = plain(width, modes, &vec![0; modes.len()]);
    description["fno"]["norm"] = json!({"kind": kind, "groups": 2, "eps": 1e-5});
    description["fno"]["mlp"] = json!({"hidden": 6, "skip": "soft-gating"});
    description
}

/// Predicts twice with arrays of this type; counts the second time.
fn counted<T: Element + From<f32>>(o: &Operator, sizes: &Sizes, faces: &[usize], channels: usize) -> u64 {
    let grid: Vec<usize> = sizes.shape.iter().map(|n| *n as usize).collect();
    let (batch, steps) = (sizes.batch as usize, sizes.steps as usize);
    let smooth = |len: usize| -> Vec<T> { waves(len, 0.3).into_iter().map(|v| T::from(v as f32)).collect() };
    let nodes: usize = grid.iter().product();
    let (x, mut y) = (smooth(batch * nodes * channels), smooth(batch * steps * nodes));
    let shapes: Vec<Vec<usize>> = faces
        .iter()
        .map(|axis| {
            let mut rest = [&[batch, steps][..], &grid, &[1]].concat();
            rest.remove(2 + axis);
            rest
        })
        .collect();
    let given: Vec<Vec<T>> = shapes.iter().map(|shape| smooth(shape.iter().product())).collect();
    let values: Vec<_> = given.iter().zip(&shapes).map(|(v, shape)| input(v, shape)).collect();
    let x = input(&x, &[&[batch][..], &grid, &[channels]].concat());
    let y = output(&mut y, &[&[batch, steps][..], &grid, &[1]].concat());
    ok(o.predict(&x, &values, &y));
    allocations(|| ok(o.predict(&x, &values, &y)))
}

#[test]
fn prediction_after_planning_allocates_nothing() {
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    let mut rolled = plain(6, &[5], &[0]);
    rolled["inputs"] = channels("a", 2);
    let both = |kind: &str| json!(pair(0, kind, 0.1));
    let corners = json!([pair(0, "dirichlet", 0.1), pair(1, "neumann", 0.1)].concat());
    /// Name, description, grid, steps, axes of faces with values, input channels.
    type Case = (&'static str, Value, &'static [i64], i64, &'static [usize], usize);
    let cases: Vec<Case> = vec![
        ("1-D", plain(6, &[5], &[3]), &[40], 1, &[], 1),
        ("2-D", plain(5, &[6, 4], &[0, 2]), &[14, 10], 1, &[], 1),
        ("3-D", plain(4, &[4, 4, 3], &[0, 0, 2]), &[8, 9, 10], 1, &[], 1),
        ("lines of several tiles", plain(6, &[5], &[0]), &[700], 1, &[], 1),
        // Primes have transforms of their own.
        ("a prime", plain(6, &[5], &[0]), &[509], 1, &[], 1),
        ("a roll-out", rolled, &[40], 3, &[], 2),
        ("instance norm", normalised("instance", 6, &[4, 3]), &[12, 12], 1, &[], 1),
        ("group norm", normalised("group", 6, &[5]), &[30], 1, &[], 1),
        ("BOON, 1-D", conditioned(plain(6, &[5], &[0]), "exact", both("dirichlet")), &[40], 1, &[0, 0], 1),
        ("BOON, Neumann", conditioned(plain(6, &[5], &[0]), "exact", both("neumann")), &[40], 2, &[0, 0], 1),
        ("BOON, periodic", conditioned(plain(6, &[5], &[0]), "exact", both("periodic")), &[40], 1, &[], 1),
        ("BOON, corners", conditioned(plain(5, &[6, 4], &[0, 0]), "exact", corners), &[14, 12], 1, &[0, 0, 1, 1], 1),
        ("BOON, seed", conditioned(plain(5, &[6, 4], &[0, 2]), "seed", both("dirichlet")), &[14, 12], 1, &[0, 0], 1),
    ];
    for (name, description, shape, steps, faces, channels) in cases {
        let bound = description["boon"].is_object();
        let file = model(description);
        for (dtype, transforms, threads) in [(1, 2, 1), (2, 2, 3), (1, 3, 3), (2, 3, 1)] {
            if bound && transforms == 3 {
                continue;
            }
            let sizes = Sizes { batch: 2, steps, transforms, threads, ..Sizes::new(dtype, shape) };
            let o = Operator::new(&file, sizes);
            let count = [counted::<f32>(&o, &sizes, faces, channels), counted::<f64>(&o, &sizes, faces, channels)];
            assert_eq!(count, [0, 0], "{name}, dtype {dtype}, transforms {transforms}, {threads} threads");
        }
    }
}

#[test]
fn a_lawful_prediction_allocates_nothing() {
    let file = model(conditioned(plain(6, &[5], &[0]), "exact", json!(pair(0, "dirichlet", 0.1))));
    let o = Operator::new(&file, Sizes { batch: 2, ..Sizes::new(2, &[40]) });
    let (x, values, b, ones) = (waves(80, 0.0), [0.5; 2], [3.0; 2], [1.0; 40]);
    let (mut mean, mut variance) = ([0.0; 80], [0.0; 80]);
    let (mut constraints, mut projector, mut scratch) = (null_mut(), null_mut(), null_mut());
    unsafe {
        ok(pcml_constraints_create(40, &mut constraints));
        ok(pcml_constraints_add_row(constraints, &input(&ones, &[40]), 0.0));
        ok(pcml_projector_create(constraints, 2, null(), &mut projector));
        ok(pcml_projector_workspace(projector, 2, &mut scratch));
        let faces = [input(&values, &[2]), input(&values, &[2])];
        let (x, v, b) = (input(&x, &[2, 40]), input(&ones, &[40]), input(&b, &[2]));
        let (mean, variance) = (output(&mut mean, &[2, 40]), output(&mut variance, &[2, 40]));
        let chain = || {
            ok(pcml_plan_predict_lawful(
                o.plan,
                o.workspace,
                &x,
                faces.as_ptr(),
                2,
                projector,
                scratch,
                &v,
                &b,
                &mean,
                &variance,
                null_mut(),
            ))
        };
        chain();
        assert_eq!(allocations(chain), 0);
        pcml_workspace_free(scratch);
        pcml_projector_free(projector);
        pcml_constraints_free(constraints);
    }
    black_box((mean, variance));
}

#[test]
fn setting_a_boundary_allocates_nothing() {
    let mut boundary = null_mut();
    let (mut field, values) = ([0.25f32; 2 * 6 * 7 * 3], [0.5; 42]);
    unsafe {
        ok(pcml_boundary_create(&mut boundary));
        ok(pcml_boundary_add_face(boundary, 0, -1, 1, null(), 0, 0.0));
        ok(pcml_boundary_add_face(boundary, 0, 1, 2, [0.5, -2.0, 1.5].as_ptr(), 3, 0.1));
        ok(pcml_boundary_add_face(boundary, 1, 1, 3, null(), 0, 0.0));
        let field = output(&mut field, &[2, 6, 7, 3]);
        let faces = [input(&values, &[2, 7, 3]), input(&values, &[2, 7, 3])];
        let enforce = || ok(pcml_boundary_enforce(boundary, &field, 2, faces.as_ptr(), 2));
        enforce();
        assert_eq!(allocations(enforce), 0);
        pcml_boundary_free(boundary);
    }
    black_box(field);
}

#[test]
fn a_workspace_is_within_three_activations() {
    /// Modes, grid, width, padding.
    type Case = (&'static [usize], &'static [i64], usize, &'static [usize]);
    let cases: [Case; 3] = [
        (&[12, 7], &[64, 64], 16, &[0, 9]),
        (&[24, 13], &[96, 96], 32, &[0, 0]),
        (&[6, 6, 4], &[24, 24, 24], 12, &[0, 0, 6]),
    ];
    for (modes, shape, width, padding) in cases {
        let file = model(plain(width, modes, padding));
        for (dtype, size) in [(1, 4), (2, 8)] {
            let o = Operator::new(&file, Sizes::new(dtype, shape));
            let mut workspace = null_mut();
            let bytes = held(|| ok(unsafe { pcml_plan_workspace(o.plan, &mut workspace) }));
            let padded: usize = shape.iter().zip(padding).map(|(n, more)| *n as usize + more).product();
            let activation = (padded * width * size) as f64;
            let times = bytes as f64 / activation;
            println!("{shape:?}, width {width}, dtype {dtype}: {times:.2} activations");
            assert!((1.0..=3.0).contains(&times), "{shape:?}, dtype {dtype}: {times}");
            unsafe { pcml_workspace_free(workspace) };
        }
    }
}
