//! Every test there is. Tests that lack a program or data print a line `skipped: ...`, and the lines are counted at the end; where
//! CI is set, those that lack what is installed here fail instead.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::root;

/// Programs that the tests call, and the Debian packages that have them.
const PROGRAMS: [(&str, &str); 13] = [
    ("cc", "gcc"),
    ("c++", "g++"),
    ("cmake", "cmake"),
    ("pkg-config", "pkg-config"),
    ("readelf", "binutils"),
    ("make", "make"),
    ("clang++", "clang"),
    ("valgrind", "valgrind"),
    ("yamllint", "yamllint"),
    ("gfortran", "gfortran"),
    ("mpicc.openmpi", "libopenmpi-dev"),
    ("mpicc.mpich", "libmpich-dev"),
    ("flang-new-19", "flang-19"),
];

/// The profile of everything that is not measured: one set of dependencies checked for lints, pages and networks in ONNX.
const QUICK: [&str; 2] = ["--profile", "quick"];

pub fn run() -> Result<(), String> {
    install_programs();
    // The optimised build takes longest and little of it runs side by side, so the rest goes along.
    let build = std::thread::spawn(|| -> Result<(), String> {
        let all = ["test", "--release", "--workspace", "--locked", "--no-run", "--quiet"];
        cargo("build of the tests", &all, None, &print)?;
        cargo("build of the benches", &[&all[..], &["--benches"]].concat(), None, &print)?;
        Ok(())
    });
    install_julia();
    let python = python();
    match &python {
        Some(path) => println!("== training recipe and peers with {}", path.display()),
        None => println!("== no Python with torch, safetensors or scikit-learn"),
    }
    let all = ["--workspace", "--locked"];
    let beside: [(&str, &[&str]); 5] = [
        ("format", &["fmt", "--all", "--check"]),
        ("lints", &[&["clippy", "--all-targets"], &QUICK[..], &all, &["--", "-D", "warnings"]].concat()),
        ("documentation", &[&["doc", "--no-deps"], &QUICK[..], &all].concat()),
        ("lints with networks in ONNX", &with_onnx("clippy", &["--lib", "--bin", "pcml"], &["-D", "warnings"])),
        ("networks in ONNX", &with_onnx("test", &["--no-fail-fast"], &["--show-output"])),
    ];
    let step = |name: &str, args: &[&str], out: &dyn Fn(&str)| cargo(name, args, python.as_deref(), out);
    let first: Result<usize, String> =
        beside.iter().try_fold(0, |skipped, (name, args)| Ok(skipped + step(name, args, &print)?));
    build.join().map_err(|_| "the build panicked")??;
    let mut skipped = first?;

    // Those of other languages wait for compilers and interpreters, the others compute: they run side by side, with the whole workspace named
    // for both, so that nothing is compiled again.
    let tests = ["test", "--release", "--workspace", "--locked", "--no-fail-fast"];
    let names = names_of_tests("bindings/tests")?;
    let of_bindings = names.iter().flat_map(|name| ["--test", name]).collect::<Vec<_>>();
    let (others, bindings, told) = std::thread::scope(|scope| {
        let bindings = scope.spawn(|| {
            let told = RefCell::new(String::new());
            let args = [&tests[..], &of_bindings, &["--", "--show-output"]].concat();
            let result = step("tests of bindings", &args, &|line| *told.borrow_mut() += &format!("{line}\n"));
            (result, told.into_inner())
        });
        let args = [&tests[..], &["--exclude", "pcml-bindings", "--", "--show-output"]].concat();
        let others = step("tests", &args, &print);
        let (bindings, told) = bindings.join().unwrap_or((Err("the tests of bindings panicked".into()), String::new()));
        (others, bindings, told)
    });
    print!("{told}");
    skipped += others? + bindings?;
    skipped += step("benches, once each", &["test", "--release", "--workspace", "--benches", "--locked"], &print)?;
    println!("== all passed, {skipped} skipped");
    Ok(())
}

fn print(line: &str) {
    println!("{line}");
}

/// The tests of a folder.
fn names_of_tests(folder: &str) -> Result<Vec<String>, String> {
    let files = std::fs::read_dir(root().join(folder)).map_err(|e| format!("{folder}: {e}"))?;
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let sources = paths.filter(|path| path.extension().is_some_and(|e| e == "rs"));
    Ok(sources.filter_map(|path| Some(path.file_stem()?.to_str()?.to_string())).collect())
}

/// Runs cargo, gives each line that it prints to `out`, and counts the tests that were skipped.
fn cargo(name: &str, args: &[&str], python: Option<&Path>, out: &dyn Fn(&str)) -> Result<usize, String> {
    out(&format!("== {name}: cargo {}", args.join(" ")));
    let mut command = Command::new(std::env::var("CARGO").unwrap_or("cargo".into()));
    command.args(args).current_dir(root()).env("RUSTDOCFLAGS", "-D warnings").stdout(Stdio::piped());
    if let Some(python) = python {
        command.env("PCML_PYTHON", python);
    }
    let mut child = command.spawn().map_err(|e| format!("cargo: {e}"))?;
    let mut skipped = 0;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            skipped += line.starts_with("skipped:") as usize;
            out(&line);
        }
    }
    let status = child.wait().map_err(|e| format!("cargo: {e}"))?;
    if status.success() { Ok(skipped) } else { Err(format!("{name} failed")) }
}

/// A command of cargo for what has to do with cargo feature onnx.
fn with_onnx(command: &'static str, more: &[&'static str], last: &[&'static str]) -> Vec<&'static str> {
    let packages = ["-p", "pcml", "-p", "pcml-cli", "--features", "pcml/onnx,pcml-cli/onnx"];
    let tests = ["--locked", "--test", "onnx", "--test", "bad_input_onnx"];
    [&[command][..], &QUICK, &packages, &tests, more, &["--"], last].concat()
}

fn answers(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// As root on Debian, what is missing is installed; elsewhere the tests say what they miss.
fn install_programs() {
    let mut missing: Vec<&str> = PROGRAMS.iter().filter(|(p, _)| !answers(p)).map(|(_, package)| *package).collect();
    // Debian's Python makes no virtual environments without it.
    let venv = Command::new("python3").args(["-c", "import ensurepip"]).stderr(Stdio::null()).status();
    if !venv.is_ok_and(|s| s.success()) {
        missing.push("python3-venv");
    }
    if !Path::new("/usr/include/eigen3").exists() {
        missing.push("libeigen3-dev");
    }
    if missing.is_empty() {
        return;
    }
    println!("== apt-get install {}", missing.join(" "));
    let apt = |args: &[&str]| {
        Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status()
    };
    let done = apt(&["update", "-q"])
        .and_then(|_| apt(&[&["install", "-y", "-q", "--no-install-recommends"], &missing[..]].concat()));
    if !done.is_ok_and(|s| s.success()) {
        println!("== not installed: {}", missing.join(" "));
    }
}

/// Debian's own suites of today have no Julia: in CI it comes from an older one.
fn install_julia() {
    if std::env::var_os("CI").is_some() {
        println!("== bindings/julia/install-julia");
        let done = Command::new(root().join("bindings/julia/install-julia")).status();
        if !done.is_ok_and(|s| s.success()) {
            println!("== not installed: julia");
        }
    }
}

/// A Python that can train and has the peers: PCML_PYTHON, the system's, or in CI one with all of their requirements in target/python;
/// else one that has a part of them.
fn python() -> Option<PathBuf> {
    let imports = |path: &PathBuf, modules: &str| {
        let status = Command::new(path).args(["-c", &format!("import {modules}")]).stderr(Stdio::null()).status();
        status.is_ok_and(|s| s.success())
    };
    let has_all = |path: &PathBuf| imports(path, "torch, safetensors, sklearn, h5py, jax, onnxruntime, mypy");
    let own = root().join("target/python");
    let of_own = own.join("bin/python");
    let places: Vec<PathBuf> = std::env::var_os("PCML_PYTHON")
        .map(PathBuf::from)
        .into_iter()
        .chain(["python3".into(), of_own.clone()])
        .collect();
    if let Some(path) = places.iter().find(|path| has_all(path)) {
        return Some(path.clone());
    }
    let part = || ["torch, safetensors", "sklearn"].iter().find_map(|m| places.iter().find(|path| imports(path, m)));
    if std::env::var_os("CI").is_none() {
        return part().cloned();
    }
    let files = ["-r", "examples/training/requirements.txt", "-r", "tests/requirements.txt"];
    println!("== python3 -m venv target/python; pip install {}", files.join(" "));
    let run = |program: PathBuf, args: &[&str]| {
        Command::new(program).args(args).current_dir(root()).status().is_ok_and(|s| s.success())
    };
    let made = run("python3".into(), &["-m", "venv", own.to_str()?])
        && run(of_own.clone(), &[&["-m", "pip", "install", "-q"], &files[..]].concat());
    if made && has_all(&of_own) { Some(of_own) } else { part().cloned() }
}
