//! Networks in ONNX files predict what onnxruntime predicts, each function on its own; without cargo feature `onnx` their files are
//! refused by a status that names it.

mod common;
#[path = "common/onnx.rs"]
mod fixtures;

use fixtures::{Fixture, model_file};
use pcml::model::Model;

/// Every fixture is a model file whose description is good, feature or not.
#[test]
fn descriptions_are_read() {
    for fixture in Fixture::all() {
        let model = Model::from_bytes_untested(&fixture.bytes()).unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
        let numbers = model.description().onnx.as_ref().expect("numbers");
        assert_eq!((numbers.axes, numbers.bytes), (fixture.axes(), fixture.file.len()));
    }
}

/// What stands for a network's costs and type is not read beside another architecture.
#[test]
fn numbers_of_another_architecture() {
    let fixture = Fixture::new("dense_relu");
    let mut description = fixture.description();
    description["architecture"] = "mlp".into();
    description["mlp"] = serde_json::json!({"hidden": [], "activation": "relu"});
    let e = Model::from_bytes_untested(&model_file(description, &fixture.file, &fixture.selftest()))
        .err()
        .expect("a refusal");
    assert_eq!(e.status(), pcml::error::Status::FileDescription);
    assert!(e.message().contains("field onnx belongs to"), "{e}");
}

#[cfg(not(feature = "onnx"))]
#[test]
fn without_the_feature_it_is_named() {
    let e = Model::from_bytes(&Fixture::new("dense_relu").bytes()).err().expect("a refusal");
    assert_eq!(e.status(), pcml::error::Status::State);
    assert!(e.message().contains("cargo feature onnx"), "{e}");
}

#[cfg(feature = "onnx")]
mod evaluation {
    use std::sync::Arc;

    use pcml::field::{Dtype, Layout};
    use pcml::model::{Model, Options, Plan};
    use pcml::{View, ViewMut};

    use crate::fixtures::Fixture;

    fn model(fixture: &Fixture) -> Model {
        Model::from_bytes(&fixture.bytes()).unwrap_or_else(|e| panic!("{}: {e}", fixture.name))
    }

    fn dtype(fixture: &Fixture) -> Dtype {
        if fixture.double() { Dtype::F64 } else { Dtype::F32 }
    }

    fn plan(fixture: &Fixture, batch: usize) -> Plan {
        let shape = (fixture.axes() > 0).then(|| fixture.grid());
        Plan::new(&model(fixture), dtype(fixture), &Options { batch, shape, ..Options::default() })
            .unwrap_or_else(|e| panic!("{}: {e}", fixture.name))
    }

    /// What a plan predicts for functions with their channels last.
    fn predict(plan: &Plan, input: &(Vec<usize>, Vec<f64>), channels: usize) -> Vec<f64> {
        let mut shape = input.0.clone();
        *shape.last_mut().unwrap() = channels;
        let mut out = vec![0.0; shape.iter().product()];
        plan.predict(
            &mut plan.workspace().unwrap(),
            &View::new("input", &input.1, &input.0).unwrap(),
            &[],
            &mut ViewMut::new("output", &mut out, &shape).unwrap(),
        )
        .unwrap();
        out
    }

    #[track_caller]
    fn close(name: &str, found: &[f64], expected: &[f64], tolerance: f64) -> f64 {
        let size = expected.iter().fold(0f64, |a, v| a.max(v.abs()));
        let apart = found.iter().zip(expected).fold(0f64, |a, (x, y)| a.max((x - y).abs()));
        assert!(found.len() == expected.len() && apart <= tolerance * size, "{name}: {:e} apart", apart / size);
        apart / size
    }

    /// 1e-5 of the largest output in f32, 1e-10 in f64.
    #[test]
    fn predictions_are_those_of_onnxruntime() {
        let fixtures = Fixture::all();
        assert!(fixtures.len() >= 10);
        for fixture in fixtures {
            let stored = fixture.selftest();
            let (input, output) = (&stored["selftest.input"], &stored["selftest.output"]);
            let tolerance = if fixture.double() { 1e-10 } else { 1e-5 };
            let found = predict(&plan(&fixture, input.0[0]), input, *output.0.last().unwrap());
            let apart = close(&fixture.name, &found, &output.1, tolerance);
            println!("{}: {apart:.1e}", fixture.name);
        }
    }

    /// The same bits in any batch and at any place in it, where the network is given one function at a time.
    #[test]
    fn a_function_does_not_see_the_others() {
        for fixture in Fixture::all().iter().filter(|f| f.numbers["batch"].is_null()) {
            let stored = fixture.selftest();
            let (input, output) = (&stored["selftest.input"], &stored["selftest.output"]);
            let (functions, channels) = (input.0[0], *output.0.last().unwrap());
            let together = predict(&plan(fixture, functions), input, channels);
            let alone = plan(fixture, 1);
            let (taken, given) = (input.1.len() / functions, together.len() / functions);
            for f in (0..functions).rev() {
                let shape = [&[1], &input.0[1..]].concat();
                let one = predict(&alone, &(shape, input.1[f * taken..][..taken].to_vec()), channels);
                assert_eq!(one, together[f * given..][..given], "{} function {f}", fixture.name);
            }
        }
    }

    /// A network of four functions at a time serves any number; those of places that nobody asked for change nothing.
    #[test]
    fn a_fixed_batch_is_filled_up() {
        let fixture = Fixture::new("fixed_batch");
        let stored = fixture.selftest();
        let (input, output) = (&stored["selftest.input"], &stored["selftest.output"]);
        let plan = plan(&fixture, 11);
        for functions in [1, 3, 4, 5, 11] {
            let some = |values: &[f64], width: usize| -> Vec<f64> {
                values.iter().copied().cycle().take(functions * width).collect()
            };
            let found = predict(&plan, &(vec![functions, 3], some(&input.1, 3)), 2);
            close("fixed_batch", &found, &some(&output.1, 2), 1e-5);
        }
    }

    /// Arrays of either dtype and any strides, and in place.
    #[test]
    fn arrays_of_any_strides() {
        let fixture = Fixture::new("conv_2d");
        let stored = fixture.selftest();
        let (input, output) = (&stored["selftest.input"], &stored["selftest.output"]);
        let plan = plan(&fixture, 2);
        let mut workspace = plan.workspace().unwrap();
        let [n, h, w, c] = input.0[..] else { panic!("rank 4") };
        let o = *output.0.last().unwrap();
        // Channels first and the second axis backwards, f32.
        let (mut x, mut y) = (vec![0f32; n * c * h * w], vec![0f32; n * o * h * w]);
        let layout = |channels: usize| {
            let strides = [(channels * h * w) as isize, w as isize, -1, (h * w) as isize];
            Layout::new("array", &[n, h, w, channels], &strides).unwrap()
        };
        let at = |channels: usize, i: usize| {
            let (f, node, ch) = (i / (h * w * channels), i / channels % (h * w), i % channels);
            (f * channels + ch) * h * w + node / w * w + (w - 1 - node % w)
        };
        input.1.iter().enumerate().for_each(|(i, v)| x[at(c, i)] = *v as f32);
        plan.predict(
            &mut workspace,
            &View::strided("input", &x, w - 1, layout(c)).unwrap(),
            &[],
            &mut ViewMut::strided("output", &mut y, w - 1, layout(o)).unwrap(),
        )
        .unwrap();
        let found: Vec<f64> = (0..y.len()).map(|i| f64::from(y[at(o, i)])).collect();
        close("conv_2d", &found, &output.1, 1e-5);
    }

    /// A grid of other extents than the exporter saw.
    #[test]
    fn free_axes_take_any_extent() {
        let fixture = Fixture::new("residual");
        let model = model(&fixture);
        for shape in [vec![3, 3], vec![17, 31]] {
            let options = Options { shape: Some(shape.clone()), ..Options::default() };
            let plan = Plan::new(&model, Dtype::F32, &options).unwrap();
            let nodes: usize = shape.iter().product();
            let x: Vec<f64> = (0..2 * nodes).map(|i| (i as f64 * 0.3).sin()).collect();
            let out = predict(&plan, &(vec![1, shape[0], shape[1], 2], x), 1);
            assert!(out.iter().all(|v| v.is_finite()) && out.iter().any(|v| *v != out[0]));
        }
    }

    /// Networks as members: mean, variance and factors of the mixture.
    #[test]
    fn ensembles() {
        let fixtures = ["dense_relu", "dense_tanh"].map(Fixture::new);
        let members = fixtures.iter().map(|fixture| Arc::new(model(fixture))).collect();
        let ensemble = Model::ensemble(members).unwrap();
        let stored = fixtures[0].selftest();
        let (input, output) = (&stored["selftest.input"], &stored["selftest.output"]);
        let functions = input.0[0];
        let options = Options { batch: functions, ..Options::default() };
        let plan = Plan::new(&ensemble, Dtype::F32, &options).unwrap();
        let each = [0, 1].map(|m| {
            let plan = Plan::new(&ensemble.members()[m], Dtype::F32, &options).unwrap();
            predict(&plan, input, output.0[1])
        });
        let mut workspace = plan.workspace().unwrap();
        let view = View::new("input", &input.1, &input.0).unwrap();
        let (mut mean, mut variance) = (output.1.clone(), output.1.clone());
        let mut mean_view = ViewMut::new("mean", &mut mean, &output.0).unwrap();
        let mut variance_view = ViewMut::new("variance", &mut variance, &output.0).unwrap();
        plan.predict_moments(&mut workspace, &view, &[], &mut mean_view, &mut variance_view).unwrap();
        let pairs = || each[0].iter().zip(&each[1]);
        close("mean", &mean, &pairs().map(|(a, b)| (a + b) / 2.0).collect::<Vec<_>>(), 1e-14);
        close("variance", &variance, &pairs().map(|(a, b)| (a - b).powi(2) / 4.0).collect::<Vec<_>>(), 1e-13);
        let mut factors = vec![0f64; 3 * output.1.len()];
        let shape = [functions, 3, output.0[1]];
        let mut view_of_factors = ViewMut::new("factors", &mut factors, &shape).unwrap();
        let mut mean_view = ViewMut::new("mean", &mut mean, &output.0).unwrap();
        plan.predict_factors(&mut workspace, &view, &[], &mut mean_view, &mut view_of_factors).unwrap();
        let cells = output.0[1];
        let spread = |i: usize| {
            let at = |row: usize| factors[(i / cells * 3 + row) * cells + i % cells];
            assert_eq!(at(0), 0.0);
            at(1).powi(2) + at(2).powi(2)
        };
        close("factors", &(0..variance.len()).map(spread).collect::<Vec<_>>(), &variance, 1e-13);
        let single = Plan::new(&ensemble.members()[0], Dtype::F32, &options).unwrap();
        assert!(!single.has_variance() && single.members() == 0 && plan.members() == 2);
    }

    /// One plan serves several threads, each with its workspace, with the same bits.
    #[test]
    fn threads_share_a_plan() {
        let fixture = Fixture::new("attention");
        let stored = fixture.selftest();
        let (input, output) = (&stored["selftest.input"], &stored["selftest.output"]);
        let channels = *output.0.last().unwrap();
        let plan = plan(&fixture, 2);
        let first = predict(&plan, input, channels);
        std::thread::scope(|scope| {
            let each = || (0..20).for_each(|_| assert_eq!(predict(&plan, input, channels), first));
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(each)).collect();
            threads.into_iter().for_each(|t| t.join().unwrap());
        });
    }
}
