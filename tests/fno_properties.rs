//! What Fourier neural operators promise whatever their weights: linearity, independence of resolution, batch, strides and threads, and
//! boundary conditions that hold; BOON's one evaluation against the textbook's many.

mod common;
#[path = "common/operators.rs"]
mod operators;

use operators::{plain, random};
use pcml::field::{Dtype, Layout};
use pcml::kernels::real::Real;
use pcml::model::{Model, Options, Plan, Transforms};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use serde_json::{Value, json};

fn model(description: &Value, seed: u64) -> Model {
    Model::from_bytes_untested(&random(description, seed).bytes()).expect("a model")
}

fn wave(len: usize, seed: u64) -> Vec<f64> {
    (0..len).map(|i| ((i as f64 + 1.0) * 0.7 + seed as f64).sin() + 0.3 * ((i * i) as f64 * 0.11).cos()).collect()
}

/// Boundary values of all faces of a description on a grid, as (shape, values).
fn faces(description: &Value, batch: usize, grid: &[usize], seed: u64) -> Vec<(Vec<usize>, Vec<f64>)> {
    let list = description["boon"]["faces"].as_array().cloned().unwrap_or_default();
    let with_value = list.iter().filter(|face| face["kind"] != "periodic").enumerate();
    with_value
        .map(|(f, face)| {
            let axis = face["axis"].as_u64().unwrap() as usize;
            let shape = [&[batch][..], &grid[..axis], &grid[axis + 1..], &[1]].concat();
            let len = shape.iter().product();
            (shape, wave(len, seed + f as u64))
        })
        .collect()
}

fn predict<T: Real>(
    model: &Model,
    options: &Options,
    batch: usize,
    input: &[f64],
    values: &[(Vec<usize>, Vec<f64>)],
) -> Vec<T> {
    let grid = options.shape.clone().unwrap();
    let plan = Plan::new(model, T::DTYPE, &Options { batch, ..options.clone() }).expect("a plan");
    let nodes: usize = grid.iter().product();
    let outputs = model.description().outputs.len();
    let mut output = vec![T::ZERO; batch * options.steps * nodes * outputs];
    let shape = [&[batch][..], &grid, &[input.len() / batch / nodes]].concat();
    let out = [&[batch, options.steps][..], &grid, &[outputs]].concat();
    let values: Vec<View> = values.iter().map(|(shape, v)| View::new("values", v, shape).unwrap()).collect();
    plan.predict(
        &mut plan.workspace().unwrap(),
        &View::new("input", input, &shape).unwrap(),
        &values,
        &mut ViewMut::new("output", &mut output, &out).unwrap(),
    )
    .expect("a prediction");
    output
}

fn apart<T: Real>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    let size = b.iter().fold(0f64, |m, v| m.max(v.to_f64().abs()));
    a.iter().zip(b).fold(0f64, |m, (x, y)| m.max((x.to_f64() - y.to_f64()).abs())) / size
}

/// A grid and modes that it carries, with padding on the last axis.
fn grids() -> impl Strategy<Value = (Vec<usize>, Vec<usize>, Vec<usize>)> {
    prop::collection::vec((5usize..24, 1usize..6, 0usize..4), 1..=3).prop_map(|axes| {
        let last = axes.len() - 1;
        let grid: Vec<usize> = axes.iter().map(|(n, ..)| *n).collect();
        let modes =
            axes.iter().enumerate().map(|(a, (n, m, _))| if a == last { *m.min(&(n / 2 + 1)) } else { *m }).collect();
        let padding = axes.iter().enumerate().map(|(a, (.., p))| if a == last { *p } else { 0 }).collect();
        (grid, modes, padding)
    })
}

fn boundary(kind: &str, axes: usize) -> Vec<Value> {
    let stencils = [json!([-1.5, 2.0, -0.5]), json!([1.0 / 3.0, -1.5, 11.0 / 6.0])];
    (0..axes)
        .flat_map(|axis| {
            let face = |side: i32, stencil: &Value| match kind {
                "neumann" => json!({"axis": axis, "side": side, "kind": kind, "stencil": stencil, "spacing": 0.25}),
                _ => json!({"axis": axis, "side": side, "kind": kind}),
            };
            let both = vec![face(-1, &stencils[0]), face(1, &stencils[1])];
            if kind == "periodic" { both[..1].to_vec() } else { both }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// With the identity for every activation, no biases and no skip's bias, the whole operator is linear.
    #[test]
    fn spectral_layers_are_linear((grid, modes, padding) in grids(), seed in 0u64..1000, a in -2.0f64..2.0) {
        let mut description = plain(5, &modes, &padding);
        description["fno"]["activation"] = json!("identity");
        description["fno"]["skip_bias"] = json!(false);
        description["fno"].as_object_mut().unwrap().remove("coordinates");
        let mut file = random(&description, seed);
        for (name, (_, values)) in &mut file.tensors {
            if name.ends_with("bias") {
                values.fill(0.0);
            }
        }
        let model = Model::from_bytes_untested(&file.bytes()).unwrap();
        let options = Options { shape: Some(grid.clone()), ..Options::default() };
        let len = grid.iter().product();
        let (x, y) = (wave(len, seed), wave(len, seed + 7));
        let sum: Vec<f64> = x.iter().zip(&y).map(|(x, y)| a * x + y).collect();
        let [x, y, sum] = [x, y, sum].map(|v| predict::<f64>(&model, &options, 1, &v, &[]));
        let expected: Vec<f64> = x.iter().zip(&y).map(|(x, y)| a * x + y).collect();
        let size = x.iter().chain(&y).fold(0f64, |m, v| m.max(v.abs()));
        prop_assert!(sum.iter().zip(&expected).all(|(s, e)| (s - e).abs() <= 1e-12 * (1.0 + a.abs()) * size));
    }

    /// One function's bits depend neither on its batch, nor on strides, dtype of the arrays or threads.
    #[test]
    fn bits_depend_on_the_function_alone(
        (grid, modes, padding) in grids(), seed in 0u64..1000, kind in prop::sample::select(vec!["none", "dirichlet", "neumann", "periodic"]),
        threads in 1usize..5,
    ) {
        let mut description = plain(6, &modes, &padding);
        let d = grid.len();
        if kind != "none" {
            let axes = if d == 3 { 2 } else { 1 };
            description["boon"] = json!({"rule": "exact", "faces": boundary(kind, axes)});
            if d == 1 {
                description["fno"]["padding"] = json!({"sides": "after", "cells": [0]});
            }
        }
        let model = model(&description, seed);
        let options = Options { shape: Some(grid.clone()), ..Options::default() };
        let each: usize = grid.iter().product();
        let batch = 3;
        let input = wave(batch * each, seed);
        let values = faces(&description, batch, &grid, seed);
        let all = predict::<f32>(&model, &options, batch, &input, &values);
        let threaded = predict::<f32>(&model, &Options { threads, ..options.clone() }, batch, &input, &values);
        prop_assert_eq!(&all, &threaded);
        for b in 0..batch {
            let own: Vec<_> = values.iter().map(|(shape, v)| {
                let mut shape = shape.clone();
                shape[0] = 1;
                (shape, v[b * v.len() / batch..(b + 1) * v.len() / batch].to_vec())
            }).collect();
            let one = predict::<f32>(&model, &options, 1, &input[b * each..(b + 1) * each], &own);
            prop_assert_eq!(&all[b * each..(b + 1) * each], &one[..]);
        }
        // Every second element, backwards, f64 arrays around an f32 plan, output over the input.
        let plan = Plan::new(&model, Dtype::F32, &Options { batch, ..options }).unwrap();
        let mut spread = vec![f64::NAN; 2 * batch * each];
        for (i, v) in input.iter().enumerate() {
            spread[2 * (batch * each - 1 - i)] = *v;
        }
        let shape = [&[batch][..], &grid, &[1]].concat();
        let mut strides = vec![-2isize; shape.len()];
        for axis in (0..shape.len() - 1).rev() {
            strides[axis] = strides[axis + 1] * shape[axis + 1] as isize;
        }
        let layout = Layout::new("array", &shape, &strides).unwrap();
        let first = 2 * (batch * each - 1);
        let copy = spread.clone();
        let views: Vec<View> = values.iter().map(|(shape, v)| View::new("values", v, shape).unwrap()).collect();
        plan.predict(
            &mut plan.workspace().unwrap(),
            &View::strided("input", &copy, first, layout).unwrap(),
            &views,
            &mut ViewMut::strided("output", &mut spread, first, layout).unwrap(),
        ).unwrap();
        if kind == "none" {
            for (i, v) in all.iter().enumerate() {
                prop_assert_eq!(spread[first - 2 * i], *v as f64);
            }
        }
        prop_assert!(spread.iter().skip(1).step_by(2).all(|v| v.is_nan()));
    }

    /// The boundary condition holds at the output: exactly, or to rounding.
    #[test]
    fn conditions_hold(
        (grid, modes, _) in grids(), seed in 0u64..1000, rule in prop::sample::select(vec!["seed", "exact"]),
        kind in prop::sample::select(vec!["dirichlet", "neumann", "periodic"]),
    ) {
        let d = grid.len();
        let axes = if d == 3 { 2 } else { 1 };
        if rule == "seed" && (kind == "neumann" && d == 3 || d == 2 && grid[0] < 12) {
            return Ok(());
        }
        let mut description = plain(6, &modes, &vec![0; d]);
        description["boon"] = json!({"rule": rule, "faces": boundary(kind, axes)});
        let model = model(&description, seed);
        let options = Options { shape: Some(grid.clone()), ..Options::default() };
        let input = wave(grid.iter().product(), seed);
        let values = faces(&description, 1, &grid, seed);
        check::<f64>(&predict(&model, &options, 1, &input, &values), &grid, axes, kind, &values);
        check::<f32>(&predict(&model, &options, 1, &input, &values), &grid, axes, kind, &values);
    }
}

fn check<T: Real>(output: &[T], grid: &[usize], axes: usize, kind: &str, values: &[(Vec<usize>, Vec<f64>)]) {
    for axis in 0..axes {
        let n = grid[axis];
        let inner: usize = grid[axis + 1..].iter().product();
        let outer: usize = grid[..axis].iter().product();
        for node in 0..outer * inner {
            let at = |k: usize| output[(node / inner * n + k) * inner + node % inner].to_f64();
            // A corner belongs to the face that is set last.
            let own = axis + 1 == axes || !corner(grid, axis, axes, node);
            if kind == "periodic" {
                assert_eq!(at(0), at(n - 1));
                continue;
            }
            for side in 0..2 {
                let value = T::from_f64(values[2 * axis + side].1[node]).to_f64();
                if kind == "dirichlet" {
                    assert!(!own || at(side * (n - 1)) == value);
                    continue;
                }
                let stencil = if side == 0 { [-1.5, 2.0, -0.5] } else { [1.0 / 3.0, -1.5, 11.0 / 6.0] };
                let terms: Vec<f64> =
                    (0..3).map(|k| stencil[k] * at(if side == 0 { k } else { n - 3 + k }) / 0.25).collect();
                let given = values[2 * axis + side].1[node];
                let scale = terms.iter().fold(given.abs(), |m, t| m.max(t.abs()));
                let residual = terms.iter().sum::<f64>() - given;
                let eps = if T::PANEL == 32 { f32::EPSILON } else { f64::EPSILON as f32 } as f64;
                assert!(!own || residual.abs() <= 4.0 * eps * scale, "{residual:e} {scale:e}");
            }
        }
    }
}

/// Whether a node of a face of `axis` lies on a face of a later axis.
fn corner(grid: &[usize], axis: usize, axes: usize, node: usize) -> bool {
    let others: Vec<usize> = (0..grid.len()).filter(|a| *a != axis).collect();
    let (mut rest, mut found) = (node, false);
    for a in others.iter().rev() {
        let place = rest % grid[*a];
        rest /= grid[*a];
        found |= *a < axes && *a > axis && (place == 0 || place + 1 == grid[*a]);
    }
    found
}

/// Without padding a band-limited input sampled twice as finely gives the same result at the common points.
#[test]
fn resolution_does_not_matter_for_waves() {
    for modes in [vec![5], vec![6, 4], vec![5, 4, 3]] {
        let d = modes.len();
        let mut description = plain(6, &modes, &vec![0; d]);
        // Products of waves have more frequencies than the coarse grid carries: only linear blocks keep the band.
        description["fno"]["activation"] = json!("identity");
        description["fno"].as_object_mut().unwrap().remove("coordinates");
        let model = model(&description, 3);
        let sample = |n: usize| -> Vec<f64> {
            (0..n.pow(d as u32))
                .map(|i| {
                    (0..d)
                        .map(|a| (2.0 * std::f64::consts::PI * (i / n.pow(a as u32) % n) as f64 / n as f64).sin())
                        .sum()
                })
                .collect()
        };
        let run = |n: usize| {
            let options = Options { shape: Some(vec![n; d]), ..Options::default() };
            predict::<f64>(&model, &options, 1, &sample(n), &[])
        };
        let (coarse, fine) = (run(12), run(24));
        let common: Vec<f64> = (0..12usize.pow(d as u32))
            .map(|i| {
                let at = (0..d).rev().fold(0, |at, a| at * 24 + 2 * (i / 12usize.pow(a as u32) % 12));
                fine[at]
            })
            .collect();
        assert!(apart(&coarse, &common) < 1e-12);
    }
}

/// A spectral layer as the textbook evaluates it: the kernel's matrix, built column by column from the network itself, and the
/// correction x'_B = 2 x_B - K_BB^-1 (K x)_B with a third, corrected evaluation.
#[test]
fn one_evaluation_is_the_textbooks_correction() {
    for (grid, modes, rule) in
        [(vec![14], vec![5], "exact"), (vec![9, 6], vec![4, 3], "exact"), (vec![14], vec![5], "seed")]
    {
        let (d, w) = (grid.len(), 2);
        let n: usize = grid.iter().product();
        let bare = |faces: Option<Value>| {
            let mut description = plain(w, &modes, &vec![0; d]);
            let fno = description["fno"].as_object_mut().unwrap();
            fno.insert("blocks".into(), json!(1));
            fno.insert("activation".into(), json!("identity"));
            fno.insert("projection".into(), json!([]));
            fno.insert("skip".into(), json!("none"));
            fno.insert("skip_bias".into(), json!(false));
            fno.remove("coordinates");
            description["inputs"] = json!([{"name": "a", "unit": "1"}, {"name": "b", "unit": "1"}]);
            description["outputs"] = json!([{"name": "a", "unit": "1"}, {"name": "b", "unit": "1"}]);
            if let Some(faces) = faces {
                description["boon"] = json!({"rule": rule, "regularisation": 1e-9, "faces": faces});
            }
            let mut file = random(&description, 5);
            for name in ["lifting.0", "projection.0"] {
                file.tensors.insert(format!("{name}.weight"), (vec![w, w], vec![1.0, 0.0, 0.0, 1.0]));
                file.tensors.insert(format!("{name}.bias"), (vec![w], vec![0.0; w]));
            }
            Model::from_bytes_untested(&file.bytes()).unwrap()
        };
        let options = Options { shape: Some(grid.clone()), ..Options::default() };
        let layer = bare(None);
        let k = |x: &[f64]| predict::<f64>(&layer, &options, 1, x, &[]);
        let x = wave(n * w, 2);
        let inner = n / grid[0];
        let node = |upper: usize, i: usize, c: usize| (upper * (grid[0] - 1) * inner + i) * w + c;
        let boundary: Vec<usize> = (0..2)
            .flat_map(|u| (0..inner).flat_map(move |i| (0..w).map(move |c| (u, i, c))))
            .map(|(u, i, c)| node(u, i, c))
            .collect();
        let mut changed = x.clone();
        if rule == "exact" {
            // Along the faces only kept frequencies count: least squares with the smallest change.
            let m = boundary.len();
            let columns: Vec<Vec<f64>> = boundary
                .iter()
                .map(|at| {
                    let mut e = vec![0.0; n * w];
                    e[*at] = 1.0;
                    k(&e)
                })
                .collect();
            let kbb = faer::Mat::from_fn(m, m, |r, c| columns[c][boundary[r]]);
            let kx = k(&x);
            let right = faer::Mat::from_fn(m, 1, |r, _| kx[boundary[r]]);
            let svd = kbb.svd().unwrap();
            let (u, s, v) = (svd.U(), svd.S(), svd.V());
            let top = s.column_vector()[0];
            let mut solution = vec![0.0; m];
            for i in (0..m).filter(|i| s.column_vector()[*i] > 1e-8 * top) {
                let share = (0..m).map(|r| u[(r, i)] * right[(r, 0)]).sum::<f64>() / s.column_vector()[i];
                (0..m).for_each(|r| solution[r] += share * v[(r, i)]);
            }
            for (at, solved) in boundary.iter().zip(&solution) {
                changed[*at] = 2.0 * x[*at] - solved;
            }
        } else {
            // The published sequence of evaluations in one dimension.
            let probe = |at: usize| {
                let mut e = vec![0.0; n * w];
                (0..w).for_each(|c| e[at * w + c] = 1.0);
                k(&e)
            };
            let (e0, en) = (probe(0), probe(n - 1));
            let (k00, kn0, k0n, knn) = (e0[0], e0[(n - 1) * w], en[0], en[(n - 1) * w]);
            let kx = k(&x);
            for c in 0..w {
                let (l, r) = (c, (n - 1) * w + c);
                changed[l] = 2.0 * x[l] - (kx[l] - kx[r] * k0n / knn + k0n * x[r]) / (k00 - kn0 * k0n / knn);
            }
            let ky = k(&changed);
            for c in 0..w {
                let r = (n - 1) * w + c;
                changed[r] = 2.0 * x[r] - ky[r] / knn;
            }
        }
        let expected = k(&changed);
        let list = json!([{"axis": 0, "side": -1, "kind": "dirichlet"}, {"axis": 0, "side": 1, "kind": "dirichlet"}]);
        let shape = [&[1][..], &grid[1..], &[w]].concat();
        let values = vec![(shape, vec![0.25; inner * w]); 2];
        let found = predict::<f64>(&bare(Some(list)), &options, 1, &x, &values);
        let size = expected.iter().fold(0f64, |m, v| m.max(v.abs()));
        for (i, (f, e)) in found.iter().zip(&expected).enumerate() {
            let e = if boundary.contains(&i) { 0.25 } else { *e };
            assert!((f - e).abs() <= 1e-9 * size, "{grid:?} {rule} {i}: {f} {e}");
        }
    }
}

/// A roll-out is the host's own loop, bit for bit.
#[test]
fn a_roll_out_is_the_hosts_loop() {
    let mut description = plain(6, &[4, 3], &[0, 2]);
    let channel =
        |name: &str, offset: f64, scale: f64| json!({"name": name, "unit": "1", "offset": offset, "scale": scale});
    description["inputs"] = json!([channel("u(t-1)", 0.5, 2.0), channel("u(t)", 0.5, 2.0)]);
    description["outputs"] = json!([channel("u(t+1)", 0.5, 2.0)]);
    description["boon"] = json!({"rule": "exact", "faces": boundary("dirichlet", 1)});
    let model = model(&description, 9);
    let (grid, steps, batch) = (vec![9, 7], 4, 2);
    let nodes: usize = grid.iter().product();
    let options = Options { shape: Some(grid.clone()), steps, ..Options::default() };
    let input = wave(batch * nodes * 2, 1);
    let values: Vec<(Vec<usize>, Vec<f64>)> =
        (0..2).map(|f| (vec![batch, steps, 7, 1], wave(batch * steps * 7, f))).collect();
    let all = predict::<f32>(&model, &options, batch, &input, &values);
    for b in 0..batch {
        let mut state = input[b * nodes * 2..][..nodes * 2].to_vec();
        for step in 0..steps {
            let own: Vec<_> =
                values.iter().map(|(_, v)| (vec![1, 7, 1], v[(b * steps + step) * 7..][..7].to_vec())).collect();
            let one = Options { steps: 1, ..options.clone() };
            let next = predict::<f32>(&model, &one, 1, &state, &own);
            assert_eq!(next, all[(b * steps + step) * nodes..][..nodes]);
            for (pair, v) in state.chunks_mut(2).zip(&next) {
                (pair[0], pair[1]) = (pair[1], *v as f64);
            }
        }
    }
}

/// Norms by the modes' power equal norms by the points, and every pointwise option runs in both arithmetics.
#[test]
fn norms_and_links_agree_in_both_arithmetics() {
    for norm in
        [json!({"kind": "instance", "eps": 1e-5}), json!({"kind": "group", "groups": 3, "eps": 1e-5}), Value::Null]
    {
        for skip in ["linear", "soft-gating", "identity", "none"] {
            let mut description = plain(6, &[5, 3], &[1, 2]);
            let fno = description["fno"].as_object_mut().unwrap();
            fno.insert("skip".into(), json!(skip));
            fno.insert("skip_bias".into(), json!(skip != "none"));
            fno.insert("spectral_bias".into(), json!(true));
            fno.insert("mlp".into(), json!({"hidden": 4, "skip": skip}));
            fno.insert("final_activation".into(), json!(true));
            fno.insert("norm".into(), norm.clone());
            let model = model(&description, 4);
            let options = Options { shape: Some(vec![11, 10]), ..Options::default() };
            let input = wave(110, 2);
            let double = predict::<f64>(&model, &options, 1, &input, &[]);
            let single: Vec<f64> = predict::<f32>(&model, &options, 1, &input, &[]).iter().map(|v| *v as f64).collect();
            assert!(apart(&single, &double) < 2e-5, "{norm} {skip}: {:e}", apart(&single, &double));
        }
    }
}

/// Fast Fourier transforms and matrices give the same but for rounding.
fn transforms_agree<T: Real>(
    model: &Model,
    grid: &[usize],
    seed: u64,
    threads: usize,
    tolerance: f64,
) -> Result<(), TestCaseError> {
    let options = Options { shape: Some(grid.to_vec()), transforms: Transforms::Matrix, ..Options::default() };
    let each: usize = grid.iter().product();
    let inputs: Vec<f64> = (0..3).flat_map(|b| wave(each, seed + b)).collect();
    let matrices = predict::<T>(model, &options, 3, &inputs, &[]);
    let fft = Options { transforms: Transforms::Fft, ..options };
    let all = predict::<T>(model, &Options { threads, ..fft.clone() }, 3, &inputs, &[]);
    prop_assert!(apart(&all, &matrices) <= tolerance, "{}", apart(&all, &matrices));
    for b in 0..3 {
        let own = predict::<T>(model, &fft, 1, &inputs[b * each..][..each], &[]);
        prop_assert!(own == all[b * each..][..each], "function {b}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fast_transforms_are_those_of_matrices(
        (grid, modes, padding) in grids(), seed in 0u64..1000, width in 1usize..40, threads in 1usize..5,
        extra in prop::sample::select(vec!["plain", "group", "odd_shift", "gate"]),
    ) {
        let mut description = plain(width, &modes, &padding);
        description["fno"]["blocks"] = json!(2);
        match extra {
            "group" => {
                description["fno"]["norm"] = json!({"kind": "group", "groups": 1, "eps": 1e-5});
                description["fno"]["mlp"] = json!({"hidden": 6, "skip": "soft-gating"});
            }
            "odd_shift" => description["fno"]["odd_shift"] = json!(true),
            "gate" => description["fno"]["skip"] = json!("soft-gating"),
            _ => {}
        }
        let model = model(&description, seed);
        transforms_agree::<f64>(&model, &grid, seed, threads, 1e-12)?;
        transforms_agree::<f32>(&model, &grid, seed, threads, 2e-5)?;
    }
}

/// Lines of several tiles, and lengths that are powers of 2, primes and products of both.
#[test]
fn fast_transforms_of_long_axes() {
    for (grid, modes) in [
        (vec![4096], vec![700]),
        (vec![4099], vec![300]),
        (vec![12_007], vec![64]),
        (vec![1024, 6], vec![300, 3]),
        (vec![6, 4096], vec![3, 400]),
        (vec![3, 257, 5], vec![2, 100, 3]),
        (vec![258, 3, 5], vec![100, 2, 3]),
    ] {
        let mut description = plain(20, &modes, &vec![0; modes.len()]);
        description["fno"]["blocks"] = json!(2);
        let model = model(&description, 3);
        transforms_agree::<f64>(&model, &grid, 5, 3, 1e-12).unwrap();
        transforms_agree::<f32>(&model, &grid, 5, 2, 2e-5).unwrap();
    }
}
