//! `pip install ./bindings/python` in a fresh environment, and the tests of what it installs.

#[path = "../../tests/common/tools.rs"]
mod tools;

use std::path::Path;
use std::process::Command;

use tools::{printed, run, scratch, succeed};

#[test]
fn pip_installs_the_command_and_the_module() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the source tree");
    let python = std::env::var("PCML_PYTHON").unwrap_or("python3".into());
    let venv = scratch("python_package");
    let made = Command::new(&python).args(["-m", "venv"]).arg(&venv).output();
    if !made.as_ref().is_ok_and(|o| o.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "{python} -m venv: {made:?}");
        println!("skipped: the Python package, {python} makes no virtual environment");
        return;
    }
    let here = venv.join("bin/python");
    let built = run(
        &here,
        ["-m", "pip", "install", "--no-input", "-q", root.join("bindings/python").to_str().expect("a path")],
    );
    if !built.status.success() {
        assert!(std::env::var_os("CI").is_none(), "{}", printed(&built));
        println!("skipped: the Python package, pip: {}", printed(&built).lines().last().unwrap_or("failed"));
        return;
    }
    assert!(succeed(venv.join("bin/pcml"), ["--version"]).contains(env!("CARGO_PKG_VERSION")));
    // A PyTorch that is there already need not be installed once more.
    let torch = "import torch, pathlib; print(pathlib.Path(torch.__file__).parents[1])";
    let place = run(&python, ["-c", torch]);
    if place.status.success() {
        let own = succeed(&here, ["-c", "import sysconfig; print(sysconfig.get_path('purelib'), end='')"]);
        std::fs::write(Path::new(&own).join("torch.pth"), place.stdout).expect("a path file");
    } else {
        assert!(std::env::var_os("CI").is_none(), "{python} has no PyTorch");
        println!("skipped: conversion of PyTorch checkpoints, {python} has no PyTorch");
    }
    let tests = root.join("bindings/python/tests");
    println!("{}", succeed(&here, ["-m", "unittest", "discover", "-v", tests.to_str().expect("a path")]));
}
