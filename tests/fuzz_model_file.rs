//! What the fuzzer of fuzz/ does with model files, in small: its corpus and a fixed number of mutations of it, the same on each run.

mod common;
#[path = "../fuzz/src/lib.rs"]
#[allow(dead_code)]
mod fuzz;
#[path = "common/operators.rs"]
mod operators;

use std::path::PathBuf;

use common::File;
use fuzz::exercise::{Reached, model_file};
use fuzz::{Random, mutate};
use operators::{conditioned, pair, plain, random, with_selftest};
use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use serde_json::{Value, json};

/// Mutations that are tried.
const MUTATIONS: u64 = 10_000;

/// A number from the environment, for longer runs.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().expect("a number"))
}

fn corpus() -> PathBuf {
    common::tree().join("fuzz/corpus/model_file")
}

fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(corpus())
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn the_corpus_keeps_the_promises() {
    let files = files();
    let mut loaded = 0;
    for (name, bytes) in &files {
        println!("{name}");
        let loading = model_file(bytes);
        loaded += usize::from(loading.reached == Reached::Loaded);
        assert!(
            !name.starts_with("seed-") || loading.reached == Reached::Loaded,
            "{name} no longer loads: {:?}",
            loading.error
        );
    }
    assert!(loaded >= seeds().len(), "{loaded} of {} files load", files.len());
}

#[test]
fn mutations_keep_the_promises() {
    let files = files();
    let mut random = Random(setting("PCML_FUZZ_SEED", 1));
    let count = setting("PCML_FUZZ_MUTATIONS", MUTATIONS);
    let (mut reached, mut most_memory, mut longest) = ([0; 3], (0, 0), Default::default());
    let mut last = Vec::new();
    for _ in 0..count {
        // Half of the mutants that came far are mutated on.
        let (name, bytes) = random.pick(&files);
        let (name, bytes) =
            if last.is_empty() || random.once_in(2) { (&name[..], bytes) } else { ("the one before", &last) };
        let mutant = mutate::mutate(bytes, random.word());
        let kept = corpus().join("mutant");
        let outcome = std::panic::catch_unwind(|| model_file(&mutant));
        let loading = outcome.unwrap_or_else(|_| {
            std::fs::write(&kept, &mutant).unwrap();
            panic!("a mutant of {name} breaks a promise: {}", kept.display())
        });
        reached[loading.reached as usize] += 1;
        most_memory = most_memory.max((loading.memory, mutant.len()));
        longest = loading.time.max(longest);
        last = if loading.reached > Reached::Refused { mutant } else { vec![] };
    }
    println!(
        "refused, to the self-test, loaded: {reached:?}; most memory and its file: {most_memory:?}; longest {longest:?}"
    );
    // Else the mutations test the parser alone.
    assert!((reached[1] + reached[2]) * 10 > count, "refused, to the self-test, loaded: {reached:?}");
}

/// A valid file of each architecture, as small as it can be without losing a part.
fn seeds() -> Vec<(String, File)> {
    let base = plain(3, &[3], &[2]);
    let fno = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut description = base.clone();
        description["fno"]["blocks"] = json!(2);
        description["fno"]["projection"] = json!([5]);
        change(&mut description);
        (format!("seed-{name}"), with_selftest(random(&description, 7)))
    };
    let grid = |d: &mut Value, modes: Value, padding: Value| {
        d["fno"]["coordinates"]["bounds"] = json!(vec![[0.0, 1.0]; modes.as_array().unwrap().len()]);
        d["fno"]["modes"] = modes;
        d["fno"]["padding"]["cells"] = padding;
    };
    let mut seeds = vec![
        fno("fno1", &|_| {}),
        fno("fno2", &|d| grid(d, json!([4, 3]), json!([0, 2]))),
        fno("fno3", &|d| grid(d, json!([2, 3, 2]), json!([1, 0, 0]))),
        fno("fno1-all", &|d| {
            d["fno"]["mlp"] = json!({"hidden": 4, "skip": "soft-gating"});
            d["fno"]["norm"] = json!({"kind": "group", "groups": 3, "eps": 1e-5});
            for key in ["spectral_bias", "final_activation", "last_activation", "odd_shift"] {
                d["fno"][key] = json!(true);
            }
            d["fno"]["lifting"] = json!([4]);
            d["fno"]["skip"] = json!("identity");
            d["fno"]["skip_bias"] = json!(false);
            d["fno"]["padding"] = json!({"sides": "both", "fraction": [0.25]});
            d["conservation"] = json!([{"output": "u0", "axis": "x", "quadrature": "simpson"}]);
            d["grid"] = json!([{"name": "x", "lower": 0.0, "upper": 1.0}]);
        }),
    ];
    for (name, rule, modes, faces) in [
        ("boon1-seed", "seed", json!([3]), json!(pair(0, "dirichlet", 0.1))),
        ("boon1-exact", "exact", json!([3]), json!(pair(0, "neumann", 0.1))),
        ("boon2-exact", "exact", json!([3, 3]), json!([pair(0, "dirichlet", 0.1), pair(1, "neumann", 0.1)].concat())),
        ("boon2-seed", "seed", json!([3, 3]), json!(pair(0, "periodic", 0.1))),
        (
            "boon3-seed",
            "seed",
            json!([3, 2, 2]),
            json!([pair(0, "dirichlet", 0.1), pair(1, "dirichlet", 0.1)].concat()),
        ),
    ] {
        seeds.push(fno(name, &|d| {
            let none = json!(vec![0; modes.as_array().unwrap().len()]);
            grid(d, modes.clone(), none);
            *d = conditioned(d.clone(), rule, faces.clone());
        }));
    }
    let channels = operators::channels;
    seeds.push(("seed-gp".into(), process(json!({
        "format": 1, "architecture": "gp", "inputs": channels("x", 2), "outputs": channels("u", 2), "selftest": {"tolerance": 1e-6},
        "gp": {"kernel": "matern32", "variance": 1.5, "length_scales": [0.5, 0.25], "noise": 1e-3, "means": [0.5, 0.0]},
    }))));
    seeds.push(("seed-gp-points".into(), process(json!({
        "format": 1, "architecture": "gp", "inputs": channels("x", 1), "outputs": channels("u", 1), "selftest": {"tolerance": 1e-6},
        "gp": {"kernel": "rbf", "variance": 1.0, "length_scales": [0.3], "noise": 1e-4, "points": 5, "point_noise": true},
    }))));
    seeds.push(("seed-anp".into(), process(json!({
        "format": 1, "architecture": "anp", "inputs": channels("x", 2), "outputs": channels("u", 1), "selftest": {"tolerance": 1e-6},
        "anp": {"hidden": 4, "heads": 2, "dim_x": 2, "dim_y": 1, "self_attentions": 1, "cross_attentions": 1, "decoder_layers": 2,
            "min_sigma": 1e-3, "layer_norm_eps": 1e-5, "dropout": 0.1},
    }))));
    seeds
}

/// A process of a description with weights like waves, as the loader asks for them, and a self-test.
fn process(description: Value) -> File {
    let mut file = File { metadata: Default::default(), tensors: Default::default() };
    file.describe(description);
    let waves = |shape: &[usize], phase: f64| {
        let len = shape.iter().product();
        (shape.to_vec(), operators::waves(len, phase).iter().map(|v| 0.3 + 0.25 * v).collect::<Vec<f64>>())
    };
    let model = loop {
        let missing = match Model::from_bytes_untested(&file.bytes()) {
            Ok(model) => break model,
            Err(e) => e.message().to_string(),
        };
        let (name, rest) = missing.strip_prefix("weight ").and_then(|m| m.split_once(' ')).expect("a weight");
        let (_, shape) = rest.rsplit_once('[').expect("a shape");
        let shape: Vec<usize> = shape.trim_end_matches(']').split(", ").map(|n| n.parse().unwrap()).collect();
        file.tensors.insert(name.into(), waves(&shape, name.len() as f64));
    };
    let d = model.description();
    let (inputs, outputs) = (d.inputs.len(), d.outputs.len());
    let stored = d.gp.as_ref().is_some_and(|gp| gp.points > 0);
    let (batch, points, targets) = (if stored { 1 } else { 2 }, 4, 3);
    let options = Options { batch, context: (!stored).then_some(points), targets: Some(targets), ..Options::default() };
    let plan = Plan::new(&model, Dtype::F64, &options).unwrap();
    let mut workspace = plan.workspace().unwrap();
    let mut put = |name: &str, array: &(Vec<usize>, Vec<f64>)| {
        drop(file.tensors.insert(format!("selftest.{name}"), array.clone()))
    };
    if !stored {
        let (x, y) = (waves(&[batch, points, inputs], 0.5), waves(&[batch, points, outputs], 2.5));
        plan.condition(&mut workspace, &View::new("x", &x.1, &x.0).unwrap(), &View::new("y", &y.1, &y.0).unwrap())
            .unwrap();
        put("context_x", &x);
        put("context_y", &y);
    }
    let target = waves(&[batch, targets, inputs], 1.25);
    let (mut mean, mut variance) = (waves(&[batch, targets, outputs], 0.0), waves(&[batch, targets, outputs], 0.0));
    let shape = mean.0.clone();
    plan.query(
        &mut workspace,
        &View::new("target_x", &target.1, &target.0).unwrap(),
        None,
        &mut ViewMut::new("mean", &mut mean.1, &shape).unwrap(),
        Some(&mut ViewMut::new("variance", &mut variance.1, &shape).unwrap()),
    )
    .unwrap();
    put("target_x", &target);
    put("mean", &mean);
    put("variance", &variance);
    file
}

/// Writes the seeds of the corpus: `cargo test --test fuzz_model_file -- --ignored`.
#[test]
#[ignore = "writes files"]
fn write_seeds() {
    std::fs::create_dir_all(corpus()).unwrap();
    for (name, file) in seeds() {
        let bytes = file.bytes();
        assert_eq!(model_file(&bytes).reached, Reached::Loaded, "{name}");
        std::fs::write(corpus().join(format!("{name}.safetensors")), bytes).unwrap();
    }
}
