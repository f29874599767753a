//! What the fuzzer of fuzz/ does with model files, in small: its corpus and a fixed number of mutations of it, the same on each run.

mod common;
#[path = "../fuzz/src/lib.rs"]
#[allow(dead_code)]
mod fuzz;
#[path = "common/networks.rs"]
mod networks;
#[path = "common/operators.rs"]
mod operators;

use std::path::PathBuf;

use common::File;
use fuzz::exercise::{Reached, model_file};
use fuzz::{Random, mutate};
use operators::{conditioned, pair, plain, random, with_selftest};
use pcml::error::Status;
use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use serde_json::{Value, json};

/// Mutations that are tried.
const MUTATIONS: u64 = 3_000;

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
    let mut random = Random(common::setting("PCML_FUZZ_SEED", 1));
    let count = common::setting("PCML_FUZZ_MUTATIONS", MUTATIONS);
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
    let head = json!({"function": "softplus", "of": "deviation", "minimum": 1e-3});
    let mut mlp = networks::perceptron(
        networks::channels("a", 2),
        &[5, 3],
        networks::channels("u", 2),
        json!(["relu", "elu"]),
        head,
    );
    mlp["mlp"]["dropout"] = json!(0.1);
    mlp["inputs"][1]["log"] = json!(true);
    mlp["inputs"][1]["shift"] = json!(2.0);
    let net = networks::deeponet(networks::channels("x", 1), networks::channels("u", 2), 3, 2, false);
    seeds.push(("seed-mlp".into(), networks::random(&mlp, 3)));
    seeds.push(("seed-mlp-ensemble".into(), networks::random(&networks::ensemble(mlp, 2), 4)));
    seeds.push(("seed-deeponet".into(), networks::random(&net, 5)));
    seeds.push(("seed-deeponet-ensemble".into(), networks::random(&networks::ensemble(net, 2), 6)));
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

/// A tensor's extents, all values alike.
fn flat(file: &mut File, name: &str, shape: &[usize]) {
    let len = shape.iter().product();
    file.tensors.insert(name.into(), (shape.to_vec(), vec![0.5; len]));
}

fn seed(name: &str) -> File {
    seeds().into_iter().find(|(n, _)| n == name).expect("a seed").1
}

fn described(file: &mut File, change: impl FnOnce(&mut Value)) {
    let mut description = file.description();
    change(&mut description);
    file.describe(description);
}

/// Small files that describe large computations: refused before memory or time is spent.
#[test]
fn what_is_out_of_proportion_is_refused() {
    let mut files = Vec::new();
    // The kernel matrix of stored points: 0.8 GB and 10^12 multiply-adds.
    let mut gp = seed("seed-gp-points");
    described(&mut gp, |d| d["gp"]["points"] = json!(14_000));
    for name in ["points.x", "points.y"] {
        flat(&mut gp, name, &[14_000, 1]);
    }
    flat(&mut gp, "points.noise", &[14_000]);
    files.push(("points", gp));
    // The same of points to condition on.
    let mut gp = seed("seed-gp");
    for name in ["context_x", "context_y"] {
        flat(&mut gp, &format!("selftest.{name}"), &[2, 8000, 2]);
    }
    files.push(("context", gp));
    // Attention of every point to every other.
    let mut anp = seed("seed-anp");
    flat(&mut anp, "selftest.context_x", &[1, 20_000, 2]);
    flat(&mut anp, "selftest.context_y", &[1, 20_000, 1]);
    for name in ["mean", "variance"] {
        flat(&mut anp, &format!("selftest.{name}"), &[1, 3, 1]);
    }
    flat(&mut anp, "selftest.target_x", &[1, 3, 2]);
    files.push(("attention", anp));
    // A few points in a sea of padding; a transform for each.
    for (name, cells) in [
        ("seed-fno2", json!([0, 1 << 20])),
        ("seed-fno2", json!([3000, 3000])),
        ("seed-fno3", json!([1 << 20, 1 << 20, 1 << 20])),
    ] {
        let mut fno = seed(name);
        described(&mut fno, |d| d["fno"]["padding"]["cells"] = cells);
        files.push(("padding", fno));
    }
    // Half as many frequencies as points, in matrices.
    let mut fno = seed("seed-fno1");
    described(&mut fno, |d| {
        d["fno"]["modes"] = json!([10_000]);
        d["fno"]["width"] = json!(1);
        d["fno"]["blocks"] = json!(1);
    });
    fno.tensors.retain(|name, _| name.starts_with("selftest."));
    for (name, shape) in [
        ("lifting.0.weight", &[1, 2][..]),
        ("lifting.0.bias", &[1]),
        ("projection.0.weight", &[5, 1]),
        ("projection.0.bias", &[5]),
        ("projection.1.weight", &[1, 5]),
        ("projection.1.bias", &[1]),
        ("blocks.0.skip.weight", &[1, 1]),
        ("blocks.0.skip.bias", &[1]),
        ("blocks.0.spectral.weight", &[1, 1, 10_000, 2]),
        ("selftest.input", &[1, 20_000, 1]),
        ("selftest.output", &[1, 20_000, 1]),
    ] {
        flat(&mut fno, name, shape);
    }
    files.push(("frequencies", fno));
    for (what, file) in files {
        let bytes = file.bytes();
        Model::from_bytes_untested(&bytes).expect("all but the self-test is well");
        let loading = model_file(&bytes);
        let error = loading.error.unwrap_or_else(|| panic!("{what} loads"));
        assert!(error.status() == Status::TooLarge && error.message().contains("self-test"), "{what}: {error}");
        // Values are stored in double precision here.
        assert!(loading.memory < 16 * bytes.len(), "{what}: {} bytes took {}", bytes.len(), loading.memory);
    }
}

/// Headers and descriptions that are many times larger in memory than on disk.
#[test]
fn large_headers_are_refused() {
    let free = |count: usize| {
        let mut file = seed("seed-gp");
        described(&mut file, |d| d["provenance"] = json!(vec![json!({"": 0}); count]));
        file.bytes()
    };
    assert_eq!(model_file(&free(140_000)).reached, Reached::Loaded);
    let error = model_file(&free(160_000)).error.expect("refused");
    assert!(error.status() == Status::TooLarge && error.message().contains("\"pcml\""), "{error}");
    let with = |entry: &dyn Fn(usize) -> String, count: usize| {
        let entries: Vec<String> = (0..count).map(entry).collect();
        let text = format!("{{{}}}", entries.join(","));
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    };
    let empty = |i: usize| format!("\"{i:x}\":{{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,0]}}");
    let wide =
        |i: usize| format!("\"{i:x}\":{{\"dtype\":\"F32\",\"shape\":[{}0],\"data_offsets\":[0,0]}}", "0,".repeat(1000));
    let noted = |_| {
        format!(
            "\"__metadata__\":{{{}\"a\":\"\"}}",
            (0..700_000).map(|i| format!("\"{i:x}\":\"\",")).collect::<String>()
        )
    };
    for (what, bytes) in
        [("tensors", with(&empty, 140_000)), ("axes", with(&wide, 3_900)), ("metadata", with(&noted, 1))]
    {
        assert!(bytes.len() < 8 << 20, "{what}: {} bytes", bytes.len());
        let loading = model_file(&bytes);
        assert_eq!(loading.reached, Reached::Refused, "{what}");
        println!("{what}: {} bytes took {}", bytes.len(), loading.memory);
    }
    let error = model_file(&with(&empty, 200_000)).error.expect("refused");
    assert!(error.status() == Status::TooLarge && error.message().contains("header"), "{error}");
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
