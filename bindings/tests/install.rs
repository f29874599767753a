//! A stranger's first hour: find the installed package, link it shared and static, by CMake and by pkg-config.

mod common;

use std::path::Path;
use std::process::Command;

use common::tools::{have, printed, run, scratch, succeed};
use common::{model, moved, root, text, version};

fn configure(source: &Path, build: &Path, extra: &[String]) -> std::process::Output {
    let mut args = vec!["-S".to_string(), text(source).into(), "-B".into(), text(build).into()];
    args.extend_from_slice(extra);
    run("cmake", args)
}

/// Builds the C example against a prefix with CMake and runs it.
fn example_by_cmake(dir: &Path, prefix: &Path, shared: &str) -> String {
    let build = dir.join(format!("example_{shared}"));
    let output = configure(
        &root().join("examples/c"),
        &build,
        &[
            format!("-DCMAKE_PREFIX_PATH={}", prefix.display()),
            format!("-DBUILD_SHARED_LIBS={shared}"),
            "-DCMAKE_C_FLAGS=-Wall -Wextra -pedantic -Werror".into(),
        ],
    );
    assert!(output.status.success(), "{}", printed(&output));
    succeed("cmake", ["--build", text(&build)]);
    corrected_flow(&build.join("flux"));
    assert!(succeed(build.join("energy"), [""; 0]).contains("momentum"));
    assert!(succeed(build.join("columns"), [""; 0]).contains("8 of 8 columns hold within their bounds"));
    assert_eq!(succeed(build.join("parts"), [""; 0]).matches("bits of 1, 4 and 7 parts: the same").count(), 3);
    assert!(succeed(build.join("gradient"), [""; 0]).contains("bounds kept"));
    assert!(succeed(build.join("ensemble"), [""; 0]).contains("was corrected together"));
    assert!(succeed(build.join("calibrate"), [""; 0]).contains("mass and bound hold"));
    assert!(succeed(build.join("emulator"), [model("columns")]).contains("every column keeps its heat"));
    assert!(succeed(build.join("insulated"), [model("insulated")]).contains("all held"));
    assert!(succeed(build.join("porous"), [model("porous")]).contains("bits "));
    assert!(succeed(build.join("domain"), [model("insulated")]).contains("bits of 1, 3 and 4 parts: the same"));
    story(&build.join("stefan"))
}

/// The program itself fails where a balance, a bound or the mass does not hold.
fn corrected_flow(program: &Path) {
    let told = succeed(program, [""; 0]);
    for line in ["largest residual", "correction", "tracer inside", "tracer that entered", "range"] {
        assert!(told.lines().any(|l| l.starts_with(line)), "{told}");
    }
}

fn story(program: &Path) -> String {
    let table = succeed(program, [model("stefan")]);
    for method in ["ANP", "HardC", "ProbConserv"] {
        assert_eq!(table.matches(method).count(), 2, "{table}");
    }
    table
}

/// The columns that do not tell time.
fn numbers(table: &str) -> Vec<String> {
    table.lines().map(|l| l.rsplit_once(' ').map_or(l, |(head, _)| head.trim_end()).to_string()).collect()
}

fn ask_pkg_config(prefix: &Path, args: &[&str]) -> std::process::Output {
    let path = prefix.join("lib/pkgconfig");
    Command::new("pkg-config").args(args).arg("pcml").env("PKG_CONFIG_PATH", path).output().expect("pkg-config")
}

fn pkg_config(prefix: &Path, args: &[&str]) -> Vec<String> {
    let output = ask_pkg_config(prefix, args);
    assert!(output.status.success(), "{}", printed(&output));
    String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_string).collect()
}

fn compile(source: &Path, program: &Path, flags: &[String]) {
    let mut args = vec!["-std=c99".to_string(), text(source).into(), "-o".into(), text(program).into()];
    args.extend_from_slice(flags);
    args.push("-lm".into());
    succeed("cc", args);
}

#[test]
fn the_installed_tree_serves_strangers() {
    if !have(&["cmake", "pkg-config", "cc"]) {
        return;
    }
    let dir = scratch("install");
    let prefix = moved(dir.join("moved"));

    let by_cmake = example_by_cmake(&dir, &prefix, "ON");
    assert_eq!(numbers(&example_by_cmake(&dir, &prefix, "OFF")), numbers(&by_cmake));

    let (stefan, border) = (root().join("examples/c/stefan.c"), root().join("tests/c/border.c"));
    let flux = root().join("examples/c/flux.c");
    let rpath = format!("-Wl,-rpath,{}", prefix.join("lib").display());
    let shared = [pkg_config(&prefix, &["--cflags", "--libs"]), vec![rpath]].concat();
    let archive = prefix.join("lib/libpcml.a");
    let fixed: Vec<String> = pkg_config(&prefix, &["--cflags", "--libs", "--static"])
        .into_iter()
        .map(|flag| if flag == "-lpcml" { text(&archive).into() } else { flag })
        .collect();
    for (name, flags) in [("shared", shared), ("static", fixed)] {
        let program = dir.join(format!("stefan_{name}"));
        compile(&stefan, &program, &flags);
        assert_eq!(numbers(&story(&program)), numbers(&by_cmake));
        let program = dir.join(format!("flux_{name}"));
        compile(&flux, &program, &flags);
        corrected_flow(&program);
        let program = dir.join(format!("border_{name}"));
        compile(&border, &program, &flags);
        assert_eq!(succeed(&program, [""; 0]), "", "the library prints nothing");
    }
    assert_eq!(pkg_config(&prefix, &["--modversion"]), [version()]);
    assert!(!ask_pkg_config(&prefix, &["--atleast-version=9.9"]).status.success());

    let consumer = dir.join("consumer");
    std::fs::create_dir_all(&consumer).unwrap();
    let project = |version: &str| {
        let text =
            format!("cmake_minimum_required(VERSION 3.18)\nproject(x C)\nfind_package(pcml {version} REQUIRED)\n");
        std::fs::write(consumer.join("CMakeLists.txt"), text).unwrap();
        configure(
            &consumer,
            &dir.join(format!("consumer_{version}")),
            &[format!("-DCMAKE_PREFIX_PATH={}", prefix.display())],
        )
    };
    assert!(project(&version()).status.success());
    for other in ["9.9", "0.2", "0.0.1"] {
        let output = project(other);
        assert!(!output.status.success(), "version {other} was accepted");
        assert!(printed(&output).contains(&version()), "{}", printed(&output));
    }
}
