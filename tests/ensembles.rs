//! What ensembles promise: the moments of the members' mixture, its covariance in factors that a projector takes, values that all members agree on
//! kept exactly, draws of dropout as members, and DeepONets by the textbook.

mod common;
#[path = "common/networks.rs"]
mod networks;
#[path = "common/operators.rs"]
mod operators;

use std::sync::Arc;

use common::File;
use networks::{channels, deeponet, ensemble, mixture, perceptron, random, textbook, textbook_operator, uniform};
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions};
use pcml::error::Status;
use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use serde_json::{Value, json};

fn load(file: &File) -> Model {
    Model::from_bytes(&file.bytes()).unwrap()
}

fn close(here: &[f64], there: &[f64], tolerance: f64) {
    let size = there.iter().fold(1e-3f64, |a, v| a.max(v.abs()));
    for (h, t) in here.iter().zip(there) {
        assert!((h - t).abs() <= tolerance * size, "{h} {t}");
    }
}

fn moments(plan: &Plan, x: &View, values: &[View], shape: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let len = shape.iter().product();
    let (mut mean, mut variance) = (vec![0.0; len], vec![0.0; len]);
    plan.predict_moments(
        &mut plan.workspace().unwrap(),
        x,
        values,
        &mut ViewMut::new("mean", &mut mean, shape).unwrap(),
        &mut ViewMut::new("variance", &mut variance, shape).unwrap(),
    )
    .unwrap();
    (mean, variance)
}

fn predict(plan: &Plan, x: &View, values: &[View], shape: &[usize]) -> Vec<f64> {
    let mut y = vec![0.0; shape.iter().product()];
    let mut view = ViewMut::new("y", &mut y, shape).unwrap();
    plan.predict(&mut plan.workspace().unwrap(), x, values, &mut view).unwrap();
    y
}

fn factors(plan: &Plan, x: &View, values: &[View], shape: &[usize], rows: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let (mut mean, mut low_rank) = (vec![0.0; shape.iter().product()], vec![0.0; rows.iter().product()]);
    plan.predict_factors(
        &mut plan.workspace().unwrap(),
        x,
        values,
        &mut ViewMut::new("mean", &mut mean, shape).unwrap(),
        &mut ViewMut::new("low_rank", &mut low_rank, rows).unwrap(),
    )
    .unwrap();
    (mean, low_rank)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn moments_and_factors_are_the_mixtures(
        members in 1usize..7, inputs in 1usize..9, outputs in 2usize..9, rows in 1usize..40, with_head: bool, seed: u64,
    ) {
        let head = if with_head { json!({"function": "softplus", "of": "variance", "minimum": 1e-6}) } else { Value::Null };
        let d = ensemble(perceptron(channels("a", inputs), &[13], channels("u", outputs), json!("tanh"), head), members);
        let file = random(&d, seed);
        let model = load(&file);
        let x = uniform(seed, 5, rows * inputs);
        let view = View::new("x", &x, &[rows, inputs]).unwrap();
        let plan = Plan::new(&model, Dtype::F64, &Options { batch: rows, ..Options::default() }).unwrap();
        prop_assert_eq!(plan.members(), members);
        let expected = textbook(&file, &x);
        let (mean, variance) = moments(&plan, &view, &[], &[rows, outputs]);
        close(&mean, &expected.0, 1e-12);
        close(&variance, &expected.1, 1e-11);
        prop_assert_eq!(&predict(&plan, &view, &[], &[rows, outputs]), &mean);
        let (of_factors, low_rank) = factors(&plan, &view, &[], &[rows, outputs], &[rows, members + 1, outputs]);
        prop_assert_eq!(&of_factors, &mean);
        // The diagonal of diag(d) + F'F is the variance.
        for row in 0..rows {
            for o in 0..outputs {
                let at = |k: usize| low_rank[(row * (members + 1) + k) * outputs + o];
                let sum = at(0) + (1..=members).map(|k| at(k) * at(k)).sum::<f64>();
                let v = variance[row * outputs + o];
                prop_assert!((sum - v).abs() <= 1e-14 * (1.0 + v), "{} {}", sum, v);
            }
        }
    }

    #[test]
    fn deeponets_are_the_textbooks(
        inputs in 1usize..4, outputs in 1usize..4, sensors in 1usize..30, latent in 1usize..40, shared: bool, members in 0usize..4,
        functions in 1usize..4, targets in 1usize..300, seed: u64,
    ) {
        let d = deeponet(channels("x", inputs), channels("u", outputs), sensors, latent, shared);
        let d = if members > 0 { ensemble(d, members) } else { d };
        let file = random(&d, seed);
        let model = load(&file);
        let options = Options { batch: functions, targets: Some(targets), ..Options::default() };
        let (u, x) = (uniform(seed, 6, functions * sensors * 2), uniform(seed, 7, targets * inputs));
        let (mean, variance) = textbook_operator(&file, &u, &x, functions);
        for dtype in [Dtype::F64, Dtype::F32] {
            let plan = Plan::new(&model, dtype, &options).unwrap();
            let mut workspace = plan.workspace().unwrap();
            plan.condition_on_sensors(&mut workspace, &View::new("u", &u, &[functions, sensors, 2]).unwrap()).unwrap();
            let mut query = |first: usize, count: usize, repeated: bool| {
                let part = &x[first * inputs..][..count * inputs];
                let copies = if repeated { functions } else { 1 };
                let part = part.repeat(copies);
                let len = functions * count * outputs;
                let (mut mean, mut variance) = (vec![0.0; len], vec![0.0; len]);
                let shape = [functions, count, outputs];
                plan.query(
                    &mut workspace,
                    &View::new("x", &part, &[copies, count, inputs][if repeated { 0 } else { 1 }..]).unwrap(),
                    None,
                    &mut ViewMut::new("mean", &mut mean, &shape).unwrap(),
                    plan.has_variance().then_some(&mut ViewMut::new("variance", &mut variance, &shape).unwrap()),
                ).unwrap();
                (mean, variance)
            };
            let tolerance = if dtype == Dtype::F64 { 1e-12 } else { 2e-5 };
            let (here, spread) = query(0, targets, false);
            close(&here, &mean, tolerance);
            if members > 0 {
                close(&spread, &variance, 10.0 * tolerance);
            }
            // The same bits for every function's own copy of the points, and for a part of them.
            prop_assert_eq!(&query(0, targets, true).0, &here);
            let first = targets / 2;
            let (part, _) = query(first, targets - first, false);
            for f in 0..functions {
                let whole = &here[(f * targets + first) * outputs..][..(targets - first) * outputs];
                prop_assert_eq!(&part[f * (targets - first) * outputs..][..whole.len()], whole);
            }
        }
    }
}

/// The covariance of a mixture makes a projection that the dense formula makes too.
#[test]
fn a_projector_takes_the_factors() {
    let (rows, cells, members) = (3, 12, 4);
    let head = json!({"function": "softplus", "of": "variance", "minimum": 1e-4});
    let d = ensemble(perceptron(channels("a", 5), &[16], channels("u", cells), json!("tanh"), head), members);
    let model = load(&random(&d, 8));
    let x = uniform(8, 5, rows * 5);
    let plan = Plan::new(&model, Dtype::F64, &Options { batch: rows, ..Options::default() }).unwrap();
    let view = View::new("x", &x, &[rows, 5]).unwrap();
    let (mean, low_rank) = factors(&plan, &view, &[], &[rows, cells], &[rows, members + 1, cells]);
    let weights: Vec<f64> = (0..cells).map(|i| 0.5 + 0.1 * i as f64).collect();
    let mut laws = Constraints::new(cells).unwrap();
    laws.add_row(View::new("g", &weights, &[cells]).unwrap(), 0.0).unwrap();
    let options = ProjectorOptions { prior_size: members, ..ProjectorOptions::default() };
    let projector = Projector::new(&laws, Prior::LowRank, &options).unwrap();
    let mut u = vec![0.0; rows * cells];
    projector
        .project(
            &mut projector.scratch(rows).unwrap(),
            View::new("mean", &mean, &[rows, cells]).unwrap(),
            Some(View::new("low_rank", &low_rank, &[rows, members + 1, cells]).unwrap()),
            View::new("b", &[1.0, 2.0, 3.0], &[rows, 1]).unwrap(),
            Posterior { mean: ViewMut::new("u", &mut u, &[rows, cells]).unwrap(), variance: None },
            None,
        )
        .unwrap();
    for row in 0..rows {
        let part = |k: usize| &low_rank[(row * (members + 1) + k) * cells..][..cells];
        let covariance = |i: usize, j: usize| {
            let shared: f64 = (1..=members).map(|k| part(k)[i] * part(k)[j]).sum();
            shared + if i == j { part(0)[i] } else { 0.0 }
        };
        let sg: Vec<f64> = (0..cells).map(|i| (0..cells).map(|j| covariance(i, j) * weights[j]).sum()).collect();
        let s: f64 = sg.iter().zip(&weights).map(|(a, b)| a * b).sum();
        let m = &mean[row * cells..][..cells];
        let lambda = (m.iter().zip(&weights).map(|(a, b)| a * b).sum::<f64>() - (row + 1) as f64) / s;
        let expected: Vec<f64> = m.iter().zip(&sg).map(|(m, sg)| m - lambda * sg).collect();
        close(&u[row * cells..][..cells], &expected, 1e-12);
    }
}

/// An ensemble of loaded models is one of a file with the same members.
#[test]
fn loaded_models_make_an_ensemble() {
    let d = perceptron(channels("a", 4), &[7, 7], channels("u", 3), json!("gelu"), Value::Null);
    let all = random(&ensemble(d.clone(), 3), 21);
    let member = |m: usize| {
        let mut file = random(&d, 1);
        for (name, tensor) in &mut file.tensors {
            if let Some(own) = all.tensors.get(&format!("members.{m}.{name}")) {
                *tensor = own.clone();
            }
        }
        Arc::new(Model::from_bytes_untested(&file.bytes()).unwrap())
    };
    let members: Vec<_> = (0..3).map(member).collect();
    let (of_file, of_models) = (load(&all), Model::ensemble(members.clone()).unwrap());
    let x = uniform(3, 5, 40);
    let view = View::new("x", &x, &[10, 4]).unwrap();
    let plan = |model: &Model| Plan::new(model, Dtype::F32, &Options { batch: 10, ..Options::default() }).unwrap();
    let (a, b) = (moments(&plan(&of_file), &view, &[], &[10, 3]), moments(&plan(&of_models), &view, &[], &[10, 3]));
    assert_eq!(a, b);
    let text: Value = serde_json::from_str(of_models.description_text()).unwrap();
    assert_eq!(text["ensemble"]["members"], 3);

    let other = perceptron(channels("b", 4), &[7], channels("u", 3), json!("gelu"), Value::Null);
    let other = Arc::new(load(&random(&other, 2)));
    let refused = |members: Vec<Arc<Model>>| Model::ensemble(members).err().unwrap();
    let error = refused(vec![members[0].clone(), other]);
    assert!(error.status() == Status::Mismatch && error.message().contains("member 1 has other inputs"), "{error}");
    assert_eq!(refused(vec![]).status(), Status::InvalidArgument);
    assert_eq!(refused(vec![Arc::new(of_models)]).status(), Status::InvalidArgument);
}

/// Operators with boundary values: the members' mean keeps them to the bit, and its moments are those of the members' own plans.
#[test]
fn ensembles_of_operators_keep_their_walls() {
    let plain = operators::plain(6, &[5, 4], &[0, 0]);
    let faces = Value::from(operators::pair(0, "dirichlet", 0.1));
    let d = operators::conditioned(plain, "exact", faces);
    let members: Vec<Arc<Model>> =
        (0..3).map(|seed| Arc::new(load(&operators::with_selftest(operators::random(&d, 30 + seed))))).collect();
    let model = Model::ensemble(members.clone()).unwrap();
    let options = Options { batch: 2, shape: Some(vec![12, 9]), ..Options::default() };
    let shape = [2, 12, 9, 1];
    let x = uniform(4, 5, 2 * 12 * 9);
    let view = View::new("x", &x, &shape).unwrap();
    let walls: Vec<Vec<f64>> = (0..2).map(|k| uniform(4, 8 + k, 2 * 9)).collect();
    let values: Vec<View> = walls.iter().map(|v| View::new("wall", v, &[2, 9, 1]).unwrap()).collect();
    let plan = Plan::new(&model, Dtype::F32, &options).unwrap();
    let (mean, variance) = moments(&plan, &view, &values, &shape);
    let own: Vec<(Vec<f64>, Vec<f64>)> = members
        .iter()
        .map(|member| {
            let plan = Plan::new(member, Dtype::F32, &options).unwrap();
            let y = predict(&plan, &view, &values, &shape);
            let none = vec![0.0; y.len()];
            (y, none)
        })
        .collect();
    let expected = mixture(&own);
    close(&mean, &expected.0, 1e-14);
    close(&variance, &expected.1, 1e-12);
    for b in 0..2 {
        for (side, wall) in [(0, &walls[0]), (11, &walls[1])] {
            assert_eq!(mean[(b * 12 + side) * 9..][..9], wall[b * 9..][..9]);
            assert!(variance[(b * 12 + side) * 9..][..9].iter().all(|v| *v == 0.0));
        }
    }
    let (_, low_rank) = factors(&plan, &view, &values, &shape, &[2, 4, 12, 9, 1]);
    assert_eq!(low_rank.len(), 2 * 4 * 108);
}

/// A draw leaves out channels at the rate, keeps the mean of their sum, and is a function: the same for all rows.
#[test]
fn draws_of_dropout_are_members() {
    let mut d = perceptron(channels("a", 3), &[64], channels("u", 2), json!("tanh"), Value::Null);
    d["mlp"]["dropout"] = json!(0.25);
    let file = random(&d, 41);
    let model = load(&file);
    let draws = 400;
    let options = Options { batch: 50, latents: draws, dropout: 0.25, seed: 9, ..Options::default() };
    let plan = Plan::new(&model, Dtype::F64, &options).unwrap();
    assert_eq!(plan.members(), draws);
    let x = uniform(5, 5, 150);
    let view = View::new("x", &x, &[50, 3]).unwrap();
    let (mean, variance) = moments(&plan, &view, &[], &[50, 2]);
    let (point, _) = textbook(&file, &x);
    // The last layer is linear in the masked channels, so the draws' mean tends to the network without dropout.
    for ((m, v), p) in mean.iter().zip(&variance).zip(&point) {
        assert!(*v > 0.0 && (m - p).abs() < 5.0 * (v / draws as f64).sqrt(), "{m} {p} {v}");
    }
    // Exact variance: rate / (1 - rate) sum of (weight x activation)^2, scaled.
    let weight = &file.tensors["layers.1.weight"].1;
    let scale = |o: usize| 0.5 + 0.25 * o as f64;
    let mut hidden = file.clone();
    hidden
        .tensors
        .insert("layers.1.weight".into(), (vec![64, 64], (0..64 * 64).map(|i| f64::from(i % 65 == 0)).collect()));
    hidden.tensors.insert("layers.1.bias".into(), (vec![64], vec![0.0; 64]));
    let mut plain = d.clone();
    plain["outputs"] = networks::plain_channels("h", 64);
    hidden.describe(plain);
    let (h, _) = textbook(&hidden, &x);
    for (i, v) in variance.iter().enumerate() {
        let (row, o) = (i / 2, i % 2);
        let sum: f64 = (0..64).map(|k| (weight[o * 64 + k] * h[row * 64 + k]).powi(2)).sum();
        let exact = scale(o).powi(2) * sum / 3.0;
        assert!((v / exact - 1.0).abs() < 0.4, "{v} {exact}");
    }
    // One row alone sees the same draws.
    let one = Plan::new(&model, Dtype::F64, &Options { batch: 1, ..options.clone() }).unwrap();
    let (first, _) = moments(&one, &View::new("x", &x[..3], &[1, 3]).unwrap(), &[], &[1, 2]);
    assert_eq!(first[..], mean[..2]);

    let refused = |options: Options| Plan::new(&model, Dtype::F64, &options).err().unwrap();
    assert_eq!(refused(Options { latents: 0, ..options.clone() }).status(), Status::InvalidArgument);
    assert_eq!(refused(Options { dropout: 0.0, ..options.clone() }).status(), Status::InvalidArgument);
    d["mlp"]["dropout"] = json!(0.0);
    let without = load(&random(&d, 41));
    assert_eq!(Plan::new(&without, Dtype::F64, &options).err().unwrap().status(), Status::InvalidArgument);
}

/// Members of neural and Gaussian processes are conditioned together; a member that fails leaves the workspace unconditioned.
#[test]
fn ensembles_of_processes() {
    use pcml::model::Channel;
    use pcml::model::gp::{Kernel, Numbers};
    let process = |length: f64, noise: f64| {
        let numbers = Numbers {
            kernel: Kernel::Rbf,
            variance: 1.0,
            length_scales: vec![length],
            noise,
            means: vec![],
            points: 0,
            point_noise: false,
        };
        let channel = |name: &str| vec![Channel::plain(name)];
        Arc::new(Model::gaussian_process(&numbers, &channel("x"), &channel("u")).unwrap())
    };
    let members = vec![process(0.3, 1e-3), process(0.6, 1e-3), process(0.2, 0.0)];
    let model = Model::ensemble(members.clone()).unwrap();
    let options = Options { context: Some(5), targets: Some(20), ..Options::default() };
    let (x, y, t) = (vec![0.0, 0.2, 0.5, 0.7, 1.0], uniform(6, 1, 5), uniform(6, 2, 20));
    let query = |plan: &Plan, workspace: &mut pcml::model::Workspace| {
        let (mut mean, mut variance) = (vec![0.0; 20], vec![0.0; 20]);
        let mut view = ViewMut::new("mean", &mut mean, &[20]).unwrap();
        let mut spread = ViewMut::new("variance", &mut variance, &[20]).unwrap();
        plan.query(workspace, &View::new("t", &t, &[20, 1]).unwrap(), None, &mut view, Some(&mut spread))
            .map(|()| (mean, variance))
    };
    let of = |model: &Model| {
        let plan = Plan::new(model, Dtype::F64, &options).unwrap();
        let mut workspace = plan.workspace().unwrap();
        let (x, y) = (View::new("x", &x, &[5, 1]).unwrap(), View::new("y", &y, &[5, 1]).unwrap());
        plan.condition(&mut workspace, &x, &y).unwrap();
        (query(&plan, &mut workspace).unwrap(), plan, workspace)
    };
    let ((mean, variance), plan, mut workspace) = of(&model);
    let expected = mixture(&members.iter().map(|member| of(member).0).collect::<Vec<_>>());
    close(&mean, &expected.0, 1e-14);
    close(&variance, &expected.1, 1e-13);

    let (mut again, mut low_rank) = (vec![0.0; 20], vec![0f64; 80]);
    plan.query_factors(
        &mut workspace,
        &View::new("t", &t, &[20, 1]).unwrap(),
        None,
        &mut ViewMut::new("mean", &mut again, &[20]).unwrap(),
        &mut ViewMut::new("low_rank", &mut low_rank, &[4, 20]).unwrap(),
    )
    .unwrap();
    assert_eq!(again, mean);
    for i in 0..20 {
        let sum = low_rank[i] + (1..4).map(|k| low_rank[k * 20 + i].powi(2)).sum::<f64>();
        assert!((sum - variance[i]).abs() < 1e-14);
    }

    // Two values at one point: the members with noise take them, the last one cannot.
    let (twice, values) =
        (View::new("x", &[0.5, 0.5], &[2, 1]).unwrap(), View::new("y", &[0.0, 1.0], &[2, 1]).unwrap());
    let error = plan.condition(&mut workspace, &twice, &values).unwrap_err();
    assert_eq!(error.status(), Status::Contradiction);
    assert_eq!(query(&plan, &mut workspace).unwrap_err().status(), Status::State);
    let (x, y) = (View::new("x", &x, &[5, 1]).unwrap(), View::new("y", &y, &[5, 1]).unwrap());
    plan.condition(&mut workspace, &x, &y).unwrap();
    assert_eq!(query(&plan, &mut workspace).unwrap(), (mean, variance));
}
