//! Other people's programs: compilers, CMake, pkg-config, Python. Where one is missing the test says so and is counted as skipped; in CI
//! that is a failure.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the source tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder for one test.
pub fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).expect("a folder that can be emptied");
    }
    std::fs::create_dir_all(&dir).expect("a new folder");
    dir
}

/// Says what a test leaves out, for want of something that CI installs: there it fails.
#[track_caller]
pub fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "skipped in CI: {what}");
    println!("skipped: {what}");
}

/// Whether all programs are there.
#[track_caller]
pub fn have(programs: &[&str]) -> bool {
    let missing: Vec<&&str> = programs.iter().filter(|p| Command::new(p).arg("--version").output().is_err()).collect();
    if !missing.is_empty() {
        skip(&format!("not installed: {missing:?}"));
    }
    missing.is_empty()
}

/// A Python that has these modules: PCML_PYTHON, else python3.
#[track_caller]
pub fn python(modules: &str) -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os("PCML_PYTHON").unwrap_or("python3".into()));
    let found = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if found.is_ok_and(|o| o.status.success()) {
        return Some(python);
    }
    skip(&format!("{} has no {modules}", python.display()));
    None
}

/// Runs a program; its output whatever the exit.
pub fn run<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, args: impl IntoIterator<Item = S>) -> Output {
    let mut command = Command::new(program);
    command.args(args);
    let described = format!("{command:?}");
    command.output().unwrap_or_else(|e| panic!("{described}: {e}"))
}

/// Everything a program printed.
pub fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a program that must succeed; what it printed.
#[track_caller]
pub fn succeed<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, args: impl IntoIterator<Item = S>) -> String {
    let name = program.as_ref().to_owned();
    let output = run(program, args);
    assert!(output.status.success(), "{}: {}\n{}", name.display(), output.status, printed(&output));
    printed(&output)
}

/// The argument of cargo build that turns on what the tests' dependencies turn on in the library's, so that the tests compile it once.
pub const FEATURES_OF_TESTS: &str = "--package=pcml-bindings";

/// The same for CMake, and the command as the Python package has it.
pub const WITH_COMMAND: &str = "-DPCML_CARGO_FLAGS=--package=pcml-cli;--bin=pcml;--package=pcml-bindings";

/// Runs a chore of the repository, which must succeed.
#[track_caller]
pub fn xtask(chore: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let manifest = root().join("Cargo.toml");
    let manifest = manifest.to_str().expect("a path in UTF-8");
    let run = ["run", "--quiet", "--release", "--manifest-path", manifest, "-p", "xtask", "--"];
    succeed(cargo, [&run[..], chore].concat());
}

/// An example of the library, built with all members of the workspace, as tests are: nothing is compiled twice then.
pub fn example(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let manifest = root().join("Cargo.toml");
    let manifest = manifest.to_str().expect("a path in UTF-8");
    succeed(cargo, ["build", "--quiet", "--release", "--workspace", "--examples", "--manifest-path", manifest]);
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release").join("examples").join(name)
}
