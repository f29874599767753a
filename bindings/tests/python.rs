//! The Python package: its tests against the installed library, its examples, the blocks of pages, its types, and what pip makes of it.

mod common;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::tools::{FEATURES_OF_TESTS, have, printed, python, run, scratch, skip, succeed};
use common::{STORIES, TRIED, blocks, c_story, model, prefix, root, soname, text};

fn sources() -> PathBuf {
    root().join("bindings/python/src")
}

/// Runs Python with the package from its sources and the installed library.
#[track_caller]
fn run_with_package(python: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(python);
    command.args(arguments).env("PYTHONPATH", sources()).env("PCML_LIBRARY", prefix().join("lib").join(soname()));
    // Threads of others' libraries wait for each other on busy machines.
    command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("OMP_NUM_THREADS", "1")]);
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, printed(&output));
    output
}

/// The same, and what it printed.
#[track_caller]
fn with_package(python: &Path, arguments: &[&str]) -> String {
    String::from_utf8(run_with_package(python, arguments).stdout).expect("UTF-8")
}

/// Arguments of Python that run the tests of a folder and name each.
const UNITTEST: [&str; 4] = ["-m", "unittest", "discover", "-v"];

/// Says what the tests of [`UNITTEST`] left out.
#[track_caller]
fn count_skipped(told: &str) {
    assert!(told.contains("\nRan "), "{told}");
    for line in told.lines().filter(|line| line.contains(" ... skipped ")) {
        skip(line);
    }
}

#[test]
fn the_package_passes_its_tests() {
    let Some(python) = python("numpy") else { return };
    let tests = root().join("bindings/python/tests/library");
    count_skipped(&printed(&run_with_package(&python, &[&UNITTEST[..], &[text(&tests)]].concat())));
}

/// What makes docs/performance.md of results.
#[test]
fn the_performance_page_is_made() {
    let Some(python) = python("unittest") else { return };
    let tests = root().join("benches/performance");
    count_skipped(&printed(&run_with_package(&python, &[&UNITTEST[..], &[text(&tests)]].concat())));
}

#[test]
fn stories_print_what_the_c_programs_print() {
    let Some(python) = python("numpy") else { return };
    if !have(&["cc"]) {
        return;
    }
    for story in STORIES {
        let program = root().join(format!("examples/python/{story}.py"));
        assert_eq!(with_package(&python, &[text(&program), text(&model(story))]), c_story(story), "{story}");
    }
}

#[test]
fn structs_are_laid_out_as_in_c() {
    let Some(python) = python("numpy") else { return };
    if !have(&["cc"]) {
        return;
    }
    let dir = scratch("python_layout");
    let (source, program) = (dir.join("layout.c"), dir.join("layout"));
    let script = text(&root().join("bindings/python/tests/layout.py")).to_string();
    std::fs::write(&source, with_package(&python, &[&script, "c"])).expect("a source file");
    let include = format!("-I{}", prefix().join("include").display());
    succeed("cc", ["-std=c99", &include, text(&source), "-o", text(&program)]);
    assert_eq!(succeed(&program, [""; 0]), with_package(&python, &[&script, "python"]));
}

/// Each page's blocks in Python, one after the other as one program, in the folder of the examples' models.
#[test]
fn the_pages_run() {
    let Some(python) = python("numpy, torch") else { return };
    let models = root().join("examples/models");
    for (page, _) in TRIED.iter().filter(|(_, languages)| languages.contains(&"python")) {
        let blocks = blocks(page, "python");
        assert!(!blocks.is_empty(), "{page}");
        let program = scratch("python_pages").join(format!("{page}.py"));
        std::fs::write(&program, blocks.join("\n")).expect("a program");
        with_package(&python, &["-c", &format!("import os, runpy; os.chdir({models:?}); runpy.run_path({program:?})")]);
    }
}

#[test]
fn types_are_consistent() {
    let Some(python) = python("mypy, numpy, torch") else { return };
    let config = root().join("bindings/python/pyproject.toml");
    let cache = scratch("python_types");
    let arguments = ["-m", "mypy", "--config-file", text(&config), "--cache-dir", text(&cache)];
    succeed(&python, arguments.iter().copied().chain([text(&sources().join("pcml"))]));
}

#[test]
fn pip_makes_a_wheel_of_the_library_and_the_command() {
    let Some(python) = python("venv, ensurepip") else { return };
    let venv = scratch("python_package");
    succeed(&python, ["-m", "venv", text(&venv)]);
    let here = venv.join("bin/python");
    let (package, wheels) = (root().join("bindings/python"), venv.join("wheels"));
    // What this build has compiled already is not compiled once more.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let mut pip = Command::new(&here);
    pip.args(["-m", "pip", "wheel", "--no-input", "-q", "--no-deps", "-w", text(&wheels), text(&package)]);
    pip.env("CARGO_TARGET_DIR", target).env("PCML_CARGO_FLAGS", FEATURES_OF_TESTS);
    let built = pip.output().expect("pip");
    if !built.status.success() {
        let offline = printed(&built).contains("No matching distribution found for setuptools");
        assert!(offline, "{}", printed(&built));
        return skip("the wheel, pip finds no setuptools");
    }
    let made: Vec<OsString> =
        std::fs::read_dir(&wheels).expect("wheels").map(|e| e.expect("a wheel").file_name()).collect();
    let [wheel] = &made[..] else { panic!("{made:?}") };
    assert!(text(Path::new(wheel)).contains("-py3-none-linux"), "{wheel:?} is for one Python alone");
    succeed(&here, ["-m", "pip", "install", "--no-input", "-q", text(&wheels.join(wheel))]);
    assert!(succeed(venv.join("bin/pcml"), ["--version"]).contains("0.1"));
    let loaded = succeed(&here, ["-c", "import pcml; print(pcml.library.lib._name, pcml.sum([0.5, 1.5]))"]);
    assert!(loaded.contains("site-packages/pcml/libpcml") && loaded.contains(" 2.0"), "{loaded}");
    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES"] {
        let there =
            format!("import pathlib, pcml; assert pathlib.Path(pcml.__file__).with_name('{licence}').is_file()");
        succeed(&here, ["-c", &there]);
    }
    // A PyTorch that is there already need not be installed once more.
    let torch = run(&python, ["-c", "import torch, pathlib; print(pathlib.Path(torch.__file__).parents[1])"]);
    if torch.status.success() {
        let own = succeed(&here, ["-c", "import sysconfig; print(sysconfig.get_path('purelib'), end='')"]);
        std::fs::write(Path::new(&own).join("torch.pth"), torch.stdout).expect("a path file");
        println!("{}", succeed(&here, [root().join("examples/python/train.py")]));
    } else {
        skip(&format!("training, {} has no PyTorch", python.display()));
    }
    let tests = root().join("bindings/python/tests/convert");
    count_skipped(&succeed(&here, [&UNITTEST[..], &[text(&tests)]].concat()));
}
