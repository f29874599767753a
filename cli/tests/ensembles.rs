//! Model files joined to one: it predicts the mixture of what its members predict, whatever their architecture.

#[path = "../../tests/common/mod.rs"]
mod common;
mod converting;
#[path = "../../tests/common/networks.rs"]
mod networks;

use std::path::PathBuf;

use common::{File, stefan_path};
use converting::{place, refused, request};
use pcml::model::Model;
use pcml_cli::convert::{Kind, convert};
use serde_json::{Value, json};

fn stored(file: &File) -> PathBuf {
    let path = place("member.safetensors");
    std::fs::write(&path, file.bytes()).expect("a file");
    path
}

/// The file of an ensemble, which was loaded and so did what its self-test says.
#[track_caller]
fn joined(members: &[PathBuf]) -> File {
    let mut request = request(Kind::Ensemble, &members[0], "", &[]);
    request.states = members.to_vec();
    let report = convert(&request).unwrap_or_else(|e| panic!("{e}"));
    assert!(report.verified);
    let model = Model::load(&request.output).expect("the ensemble");
    assert_eq!(model.members().len(), members.len());
    File::parse(&std::fs::read(&request.output).expect("the ensemble"))
}

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    let size = expected.iter().fold(0f64, |a, b| a.max(b.abs()));
    let apart = found.iter().zip(expected).fold(0f64, |a, (x, y)| a.max((x - y).abs()));
    assert!(found.len() == expected.len() && apart < 1e-11 * size, "{apart} of {size}");
}

fn perceptron(head: Value) -> Value {
    networks::perceptron(networks::channels("x", 3), &[8], networks::channels("y", 2), "tanh".into(), head)
}

#[test]
fn perceptrons_and_deeponets() {
    let head = json!({"function": "exp", "of": "variance"});
    for d in [perceptron(Value::Null), perceptron(head)] {
        let members: Vec<File> = (0..3).map(|seed| networks::random(&d, seed)).collect();
        let file = joined(&members.iter().map(stored).collect::<Vec<_>>());
        let x = &file.tensors["selftest.input"].1;
        let each: Vec<_> = members.iter().map(|member| networks::textbook(member, x)).collect();
        let (mean, variance) = networks::mixture(&each);
        close(&file.tensors["selftest.output"].1, &mean);
        close(&file.tensors["selftest.variance"].1, &variance);
        let of = &file.description()["provenance"]["converted"]["members"];
        assert_eq!(of[2]["sha256"].as_str().map(str::len), Some(64));
    }
    let d = networks::deeponet(networks::channels("x", 2), networks::channels("y", 2), 6, 5, true);
    let members: Vec<File> = (0..2).map(|seed| networks::random(&d, seed)).collect();
    let file = joined(&members.iter().map(stored).collect::<Vec<_>>());
    let (u, x) = (&file.tensors["selftest.context_y"].1, &file.tensors["selftest.target_x"].1);
    let each: Vec<_> = members.iter().map(|member| networks::textbook_operator(member, u, x, 2)).collect();
    close(&file.tensors["selftest.variance"].1, &networks::mixture(&each).1);
}

#[test]
fn processes_and_operators() {
    // Twins differ by what one weight does.
    let twin = |mut file: File, weight: &str, outputs: &[&str]| {
        file.tensors.get_mut(weight).expect("a weight").1[0] += 0.5;
        let path = stored(&file);
        // The self-test of the twin is what it predicts.
        let model = Model::from_bytes_untested(&std::fs::read(&path).expect("the twin")).expect("a model");
        let arrays = predicted(&model, &file);
        for name in outputs {
            file.tensors.get_mut(&format!("selftest.{name}")).expect("an output").1 = arrays[*name].clone();
        }
        stored(&file)
    };
    let anp = [stefan_path(), twin(File::stefan(), "decoder.final_projection.bias", &["mean", "variance"])];
    let file = joined(&anp);
    let within = File::stefan().tensors["selftest.variance"].1[0];
    assert!(file.tensors["selftest.variance"].1[0] > within, "the members' spread is missing");

    let path = place("fno.safetensors");
    let fixture = common::tree().join("cli/tests/fixtures/fno_1d.safetensors");
    let mut of_fno = request(Kind::Fno, &fixture, "weights.", &[]);
    of_fno.output = path.clone();
    convert(&of_fno).expect("a model");
    let one = File::parse(&std::fs::read(&path).expect("the model"));
    let file = joined(&[path, twin(one.clone(), "projection.1.bias", &["output"])]);
    let expected: Vec<f64> = one.tensors["selftest.output"].1.iter().map(|v| v + 0.25).collect();
    close(&file.tensors["selftest.output"].1, &expected);
    assert!(!file.tensors.contains_key("selftest.variance"));
}

/// What a model makes of its self-test's inputs, by the command.
fn predicted(model: &Model, file: &File) -> std::collections::BTreeMap<String, Vec<f64>> {
    use pcml::field::Dtype;
    use pcml::model::{Options, Plan};
    use pcml::{View, ViewMut};
    let get = |name: &str| &file.tensors[&format!("selftest.{name}")];
    let view = |name: &'static str| View::new(name, &get(name).1, &get(name).0).unwrap();
    if let Some((shape, x)) = file.tensors.get("selftest.input") {
        let options = Options { shape: Some(vec![shape[1]]), ..Options::default() };
        let plan = Plan::new(model, Dtype::F64, &options).unwrap();
        let out = [1, shape[1], 1];
        let mut y = vec![0.0; shape[1]];
        let x = View::new("input", x, shape).unwrap();
        plan.predict(&mut plan.workspace().unwrap(), &x, &[], &mut ViewMut::new("output", &mut y, &out).unwrap())
            .unwrap();
        return [("output".to_string(), y)].into();
    }
    let (context, targets) = (&get("context_x").0, &get("target_x").0);
    let options =
        Options { batch: context[0], context: Some(context[1]), targets: Some(targets[1]), ..Options::default() };
    let plan = Plan::new(model, Dtype::F64, &options).unwrap();
    let mut workspace = plan.workspace().unwrap();
    plan.condition(&mut workspace, &view("context_x"), &view("context_y")).unwrap();
    let shape = &get("mean").0;
    let [mut mean, mut variance] = [vec![0.0; get("mean").1.len()], vec![0.0; get("mean").1.len()]];
    plan.query(
        &mut workspace,
        &view("target_x"),
        None,
        &mut ViewMut::new("mean", &mut mean, shape).unwrap(),
        Some(&mut ViewMut::new("variance", &mut variance, shape).unwrap()),
    )
    .unwrap();
    [("mean".to_string(), mean), ("variance".to_string(), variance)].into()
}

#[test]
fn members_that_do_not_fit_are_refused() {
    let d = perceptron(Value::Null);
    let one = stored(&networks::random(&d, 1));
    let refused = |members: &[&PathBuf], words: &[&str]| {
        let mut request = request(Kind::Ensemble, &one, "", &[]);
        request.states = members.iter().map(|path| path.to_path_buf()).collect();
        let message = refused(&request).to_string();
        for word in words {
            assert!(message.contains(word), "{message}: {word}");
        }
    };
    let mut wider = d.clone();
    wider["mlp"]["hidden"] = json!([9]);
    let wider = stored(&networks::random(&wider, 2));
    refused(&[&one, &wider], &[&wider.display().to_string(), "mlp", "[9]", "[8]"]);
    let mut scaled = d.clone();
    scaled["outputs"][0]["scale"] = json!(3.0);
    let scaled = stored(&networks::random(&scaled, 2));
    refused(&[&one, &one, &scaled], &[&scaled.display().to_string(), "outputs", "3.0"]);
    let several = stored(&networks::random(&networks::ensemble(d.clone(), 2), 3));
    refused(&[&several, &one], &[&several.display().to_string(), "ensemble itself"]);
    refused(&[&one, &several], &[&several.display().to_string(), "ensemble"]);
    refused(&[&stefan_path(), &one], &["architecture", "mlp", "anp"]);
    refused(&[&"/nowhere".into()], &["/nowhere"]);
    let mut wrong = networks::random(&d, 4);
    wrong.tensors.get_mut("selftest.output").expect("an output").1[0] += 1.0;
    let wrong = stored(&wrong);
    refused(&[&one, &wrong], &[&wrong.display().to_string(), "self-test"]);
    let mut request = request(Kind::Ensemble, &one, "", &["activation=relu"]);
    assert!(converting::refused(&request).to_string().contains("--set"));
    request.kind = Kind::Sequential;
    request.states.push(one.clone());
    assert!(converting::refused(&request).to_string().contains("2 files"));
}
