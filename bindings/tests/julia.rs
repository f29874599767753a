//! The Julia package: its own tests, the stories, and the programs of docs/julia.md.

mod common;

use std::path::Path;
use std::process::Command;

use common::{blocks, root, text, tools};

/// What a Julia program prints on standard output; its compiled packages stay in cargo's folder.
fn julia(program: &Path, arguments: &[&str]) -> String {
    let project = root().join("bindings/julia/PCML.jl");
    let depot = Path::new(env!("CARGO_TARGET_TMPDIR")).join("julia_depot");
    let output = Command::new("julia")
        .arg("--startup-file=no")
        .arg(format!("--project={}", text(&project)))
        .arg(program)
        .args(arguments)
        .env("PCML_LIBRARY", common::prefix().join("lib").join(common::soname()))
        // The empty entry stands for the folders of Julia itself.
        .env("JULIA_DEPOT_PATH", format!("{}:", text(&depot)))
        .env("JULIA_NUM_THREADS", "4")
        .output()
        .expect("julia");
    assert!(output.status.success(), "{}: {}\n{}", program.display(), output.status, tools::printed(&output));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_package_passes_its_tests() {
    if tools::have(&["julia", "cmake"]) {
        println!("{}", julia(&root().join("bindings/julia/PCML.jl/test/runtests.jl"), &[]));
    }
}

#[test]
fn the_stories_are_those_of_c_to_the_bit() {
    if !tools::have(&["julia", "cmake", "cc"]) {
        return;
    }
    for story in common::STORIES {
        let program = root().join("examples/julia").join(format!("{story}.jl"));
        assert_eq!(julia(&program, &[text(&common::model(story))]), common::c_story(story), "{story}");
    }
}

#[test]
fn the_programs_of_the_page_run() {
    if !tools::have(&["julia", "cmake"]) {
        return;
    }
    let dir = tools::scratch("julia_page");
    let programs = blocks("julia.md", "julia");
    assert!(programs.len() >= 5, "{} programs", programs.len());
    for (i, program) in programs.iter().enumerate() {
        let file = dir.join(format!("block_{}.jl", i + 1));
        std::fs::write(&file, program).expect("a program");
        julia(&file, &[]);
    }
}
