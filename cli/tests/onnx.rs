//! ONNX files as model files; without cargo feature `onnx` the command says what it lacks.

#[path = "../../tests/common/mod.rs"]
mod common;
mod converting;
#[path = "../../tests/common/onnx.rs"]
mod fixtures;
#[cfg(feature = "onnx")]
#[path = "../../tests/common/tools.rs"]
mod tools;

#[cfg(not(feature = "onnx"))]
#[test]
fn without_the_feature_it_is_named() {
    let file = common::tree().join("tests/onnx/conv_2d.onnx");
    let message = converting::refused(&converting::request(pcml_cli::convert::Kind::Onnx, &file, "", &[])).to_string();
    assert!(message.contains("cargo feature onnx"), "{message}");
}

#[cfg(feature = "onnx")]
mod conversion {
    use std::path::{Path, PathBuf};

    use pcml::model::Model;
    use pcml_cli::arrays::{Array, Arrays, read, write};
    use pcml_cli::convert::{Kind, convert};
    use serde_json::{Value, json};

    use crate::common::{read_tensors, tree};
    use crate::converting::{place, refused, request};
    use crate::fixtures::{Fixture, Graph, node, port};
    use crate::tools;

    fn path(name: &str) -> PathBuf {
        tree().join(format!("tests/onnx/{name}.onnx"))
    }

    fn array((shape, values): (Vec<usize>, Vec<f64>)) -> Array {
        Array { shape, values, double: true }
    }

    /// What onnxruntime gives, as setting `selftest`.
    fn reference(fixture: &Fixture, factor: f64) -> String {
        let at = place("selftest.safetensors");
        let mut output = array(fixture.output.clone());
        output.values[0] *= factor;
        let arrays = [("input".to_string(), array(fixture.input.clone())), ("output".to_string(), output)];
        write(&at, &Arrays::from(arrays), None).expect("a file");
        format!("selftest={}", at.display())
    }

    fn layout(fixture: &Fixture) -> Option<String> {
        fixture.numbers["layout"].as_str().map(|layout| format!("layout={layout}"))
    }

    #[test]
    fn files_give_what_onnxruntime_gives() {
        for fixture in Fixture::all() {
            let settings: Vec<String> = layout(&fixture).into_iter().chain([reference(&fixture, 1.0)]).collect();
            let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
            let request = request(Kind::Onnx, &path(&fixture.name), "", &settings);
            let report = convert(&request).unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
            assert!(report.verified && report.independent && report.architecture == "onnx", "{}", fixture.name);
        }
    }

    #[test]
    fn without_arrays_the_evaluation_is_its_own() {
        for fixture in Fixture::all() {
            let settings: Vec<String> = layout(&fixture).into_iter().collect();
            let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
            let request = request(Kind::Onnx, &path(&fixture.name), "", &settings);
            let report = convert(&request).unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
            assert!(report.verified && !report.independent, "{}", fixture.name);
        }
    }

    #[test]
    fn members_of_an_ensemble() {
        let members = ["dense_relu", "dense_tanh"].map(|name| {
            let request = request(Kind::Onnx, &path(name), "", &[]);
            convert(&request).unwrap_or_else(|e| panic!("{name}: {e}"));
            request.output
        });
        let mut request = request(Kind::Ensemble, &members[0], "", &[]);
        request.states = members.to_vec();
        let report = convert(&request).unwrap_or_else(|e| panic!("{e}"));
        assert!(report.verified && report.weights == 2);
        assert_eq!(Model::load(&request.output).expect("the ensemble").members().len(), 2);
    }

    #[track_caller]
    fn says(onnx: &Path, set: &[&str], words: &[&str]) {
        let message = refused(&request(Kind::Onnx, onnx, "", set)).to_string();
        for word in words {
            assert!(message.contains(word), "{message}: {word}");
        }
    }

    fn written(file: &[u8]) -> PathBuf {
        let at = place("network.onnx");
        std::fs::write(&at, file).expect("a file");
        at
    }

    #[test]
    fn what_is_refused_is_named() {
        let conv = path("conv_2d");
        says(&conv, &[], &["layout is not given"]);
        says(&conv, &["layout=middle"], &["layout", "middle"]);
        says(&conv, &["layout=first", "depth=3"], &["depth"]);
        says(&conv, &["layout=first", "inputs=3"], &["inputs is 3", "has 2"]);
        says(&conv, &["layout=first", "batch=0"], &["batch is 0"]);
        says(&conv, &["layout=first", "output=z"], &["output", "one of y"]);
        says(&conv, &["layout=first", "shape=[3]"], &["shape"]);
        says(&conv, &["layout=first", "tolerance=1"], &["tolerance", "1e-3"]);
        says(&conv, &["layout=last"], &["inputs"]);
        says(&path("fixed_batch"), &["batch=2"], &["batch is 2", "has 4"]);
        let fixture = Fixture::new("conv_2d");
        says(&conv, &["layout=first", &reference(&fixture, 1.1)], &["was not kept", "another output"]);
        let other = reference(&Fixture::new("dense_relu"), 1.0);
        says(&conv, &["layout=first", &other], &["array input has shape [37, 3]", "4 axes"]);
        says(&conv, &["layout=first", "selftest=/nowhere"], &["/nowhere"]);
        says(&path("nowhere"), &[], &["nowhere"]);
        says(&state(), &[], &["no ONNX file"]);
        let prefixed = request(Kind::Onnx, &conv, "weights.", &["layout=first"]);
        assert!(refused(&prefixed).to_string().contains("--prefix"));
        let inputs = vec![port("x", 1, &[-1, 2]), port("t", 1, &[-1, 1])];
        let neg = Graph::new(&[node("Neg", &["x"], &["y"], &[])]);
        says(&written(&Graph { inputs, ..neg.clone() }.file()), &[], &["2 inputs (x, t)"]);
        says(&written(&Graph::new(&[node("Winograd", &["x"], &["y"], &[])]).file()), &[], &["no operator Winograd"]);
        says(&written(&Graph { inputs: vec![port("x", 1, &[-1])], ..neg.clone() }.file()), &[], &["rank 1"]);
        says(&written(&Graph { inputs: vec![port("x", 1, &[-1, -1])], ..neg }.file()), &[], &["inputs is not given"]);
        let chain =
            [("Abs", "x", "a"), ("Neg", "a", "b"), ("Sqrt", "b", "y")].map(|(op, x, y)| node(op, &[x], &[y], &[]));
        says(&written(&Graph::new(&chain).file()), &[], &["NaN", "selftest"]);
        let two = Graph {
            outputs: vec![port("y", 1, &[-1, 2]), port("z", 1, &[-1, 2])],
            ..Graph::new(&[node("Neg", &["x"], &["y"], &[]), node("Abs", &["x"], &["z"], &[])])
        };
        says(&written(&two.file()), &[], &["output is not given", "y, z"]);
        convert(&request(Kind::Onnx, &written(&two.file()), "", &["output=z"])).expect("one of two outputs");
    }

    fn state() -> PathBuf {
        tree().join("tests/onnx/arrays.safetensors")
    }

    /// The library that the package loads; what it converts with is the command.
    fn library() -> PathBuf {
        let folder = Path::new(env!("CARGO_BIN_EXE_pcml")).parent().expect("a folder");
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a profile");
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let mut build = std::process::Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--locked",
            "-p",
            "pcml-c",
            "--profile",
            if name == "debug" { "dev" } else { name },
        ]);
        build.arg("--target-dir").arg(folder.parent().expect("the target folder")).current_dir(tree());
        assert!(build.status().is_ok_and(|status| status.success()));
        folder.join("libpcml.so")
    }

    /// From Python the outputs of the self-test are those of onnxruntime, where it is installed.
    #[test]
    fn python_runs_onnxruntime() {
        let Some(python) = tools::python("numpy") else { return };
        let library = library();
        let run = |code: &str| {
            let mut command = std::process::Command::new(&python);
            command.args(["-c", code]).env("PYTHONPATH", tree().join("bindings/python/src"));
            command.env("PCML_COMMAND", env!("CARGO_BIN_EXE_pcml")).env("PCML_LIBRARY", &library).output()
        };
        let there = tools::python("onnxruntime").is_some();
        for (name, settings) in [("conv_2d", "layout='first', shape=[7, 9]"), ("dense_tanh", ""), ("fixed_batch", "")] {
            let (onnx, model) = (path(name), place("model.safetensors"));
            let (onnx, model) = (onnx.display(), model.display());
            let code = format!("import pcml; print(pcml.convert('onnx', '{onnx}', '{model}', {settings})['compared'])");
            let done = run(&code).expect("Python");
            let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success() && told.trim() == if there { "True" } else { "False" }, "{told}");
        }
    }

    /// The commands of a user, one after the other.
    #[test]
    fn commands_work_on_it() {
        let pcml = |args: &[&str]| -> String {
            let done = std::process::Command::new(env!("CARGO_BIN_EXE_pcml")).args(args).output().expect("the command");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(done.status.success() && done.stderr.is_empty(), "{args:?}: {}", text(&done.stderr));
            text(&done.stdout)
        };
        let text = |path: &Path| path.to_str().expect("a path of letters").to_string();
        let fixture = Fixture::new("conv_2d");
        let description = place("description.json");
        let inputs = json!([{"name": "u", "unit": "m/s", "offset": 1.0, "scale": 2.0}, {"name": "v", "unit": "m/s"}]);
        std::fs::write(&description, json!({"inputs": inputs}).to_string()).expect("a file");
        let model = text(&place("model.safetensors"));
        let (onnx, description, selftest) = (text(&path("conv_2d")), text(&description), reference(&fixture, 1.0));
        let set = ["--set", "layout=first", "--set", &selftest];
        let made = pcml(&[&["convert", "onnx", &onnx, "-o", &model, "--description", &description], &set[..]].concat());
        assert!(made.contains("passed"), "{made}");
        let own = pcml(&["convert", "onnx", &onnx, "-o", &model, "--set", "layout=first"]);
        assert!(own.contains("outputs are those of this evaluation itself"), "{own}");
        pcml(&[&["convert", "onnx", &onnx, "-o", &model, "--description", &description], &set[..]].concat());

        let told = pcml(&["inspect", &model]);
        for fact in ["onnx", "layout", "first", "an ONNX file of", "u [m/s]"] {
            assert!(told.contains(fact), "{told}: {fact}");
        }
        let told: Value = serde_json::from_str(&pcml(&["verify", &model, "--repeats", "1", "--json"])).expect("JSON");
        assert_eq!((&told["arithmetic"], &told["selftest"]["passed"]), (&json!("f32"), &json!(true)));
        pcml(&["verify", &model, "--shape", "5,6", "--batch", "3", "--repeats", "1"]);

        // Raw units in, channels first as the network has them.
        let (at, to) = (text(&place("input.npy")), text(&place("output.npy")));
        let mut x = array(fixture.input.clone());
        let nodes: usize = x.shape[2..].iter().product();
        x.values
            .iter_mut()
            .enumerate()
            .filter(|(i, _)| (i / nodes).is_multiple_of(2))
            .for_each(|(_, v)| *v = 1.0 + 2.0 * *v);
        write(Path::new(&at), &Arrays::from([("input".to_string(), x)]), None).expect("a file");
        pcml(&["predict", &model, &at, "-o", &to, "--channels-first"]);
        let found = read(Path::new(&to), "output").expect("an array").remove("output").expect("an array");
        assert_eq!(found.shape, fixture.output.0);
        let size = fixture.output.1.iter().fold(0f64, |a, v| a.max(v.abs()));
        for (a, b) in found.values.iter().zip(&fixture.output.1) {
            assert!((a - b).abs() <= 1e-5 * size, "{a} {b}");
        }
        let stored = read_tensors(Path::new(&model));
        assert_eq!(stored["selftest.output"].0, [2, 9, 12, 3]);
    }
}
