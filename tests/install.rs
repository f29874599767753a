//! A stranger's first hour: build with CMake, install, find the package, link it shared and static, by CMake and by pkg-config.

#[path = "common/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use tools::{WITH_COMMAND, have, printed, root, run, scratch, succeed};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Configures, builds and installs; cargo's own folder is used again so that nothing is compiled twice.
fn install(dir: &Path) -> PathBuf {
    let (build, prefix) = (dir.join("build"), dir.join("prefix"));
    let cargo_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    succeed(
        "cmake",
        [
            "-S",
            text(root()),
            "-B",
            text(&build),
            &format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display()),
            &format!("-DPCML_TARGET_DIR={}", cargo_dir.display()),
            "-DCMAKE_INSTALL_LIBDIR=lib",
            WITH_COMMAND,
        ],
    );
    succeed("cmake", ["--build", text(&build)]);
    succeed("cmake", ["--install", text(&build)]);
    prefix
}

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
    let columns = root().join("examples/models/columns.safetensors");
    assert!(succeed(build.join("emulator"), [text(&columns)]).contains("every column keeps its heat"));
    let heat = root().join("examples/models/heat.safetensors");
    assert!(succeed(build.join("insulated"), [text(&heat)]).contains("all held"));
    let porous = root().join("examples/models/porous.safetensors");
    assert!(succeed(build.join("porous"), [text(&porous)]).contains("bits "));
    assert!(succeed(build.join("domain"), [text(&heat)]).contains("bits of 1, 3 and 4 parts: the same"));
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
    let table = succeed(program, [text(&root().join("examples/models/stefan.safetensors"))]);
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
    if !have(&["cmake", "pkg-config", "cc", "nm", "readelf"]) {
        return;
    }
    let dir = scratch("install");
    let first = install(&dir);
    // Moved: nothing in the tree may remember where it was.
    let prefix = dir.join("moved");
    std::fs::rename(&first, &prefix).expect("a tree that moves");

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
    assert_eq!(pkg_config(&prefix, &["--modversion"]), [env!("CARGO_PKG_VERSION")]);
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
    assert!(project(env!("CARGO_PKG_VERSION")).status.success());
    for version in ["9.9", "0.2", "0.0.1"] {
        let output = project(version);
        assert!(!output.status.success(), "version {version} was accepted");
        assert!(printed(&output).contains(env!("CARGO_PKG_VERSION")), "{}", printed(&output));
    }

    let library = prefix.join("lib/libpcml.so");
    let symbols = succeed("nm", ["-D", "--defined-only", text(&library)]);
    let foreign: Vec<&str> =
        symbols.lines().filter(|l| !l.split_whitespace().last().is_some_and(|s| s.starts_with("pcml_"))).collect();
    assert!(foreign.is_empty() && symbols.contains("pcml_version"), "{foreign:?}");
    let header = std::fs::read_to_string(prefix.join("include/pcml.h")).unwrap();
    for symbol in symbols.lines().filter_map(|l| l.split_whitespace().last()) {
        assert!(header.contains(&format!("{symbol}(")), "{symbol} is exported, but not in the header");
    }
    let dynamic = succeed("readelf", ["-d", text(&library)]);
    assert!(dynamic.contains("[libpcml.so.0]"), "{dynamic}");
    assert!(!dynamic.contains("stdc++") && !dynamic.contains("python"), "{dynamic}");
}

#[test]
fn the_source_tree_serves_add_subdirectory() {
    if !have(&["cmake", "cc"]) {
        return;
    }
    let dir = scratch("subdirectory");
    let cargo_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    std::fs::write(
        dir.join("CMakeLists.txt"),
        format!(
            "cmake_minimum_required(VERSION 3.18)\nproject(host C)\nadd_subdirectory({} pcml)\n\
             add_executable(border {})\ntarget_link_libraries(border PRIVATE pcml::pcml)\n\
             add_executable(border_static {1})\ntarget_link_libraries(border_static PRIVATE pcml::static)\n",
            root().display(),
            root().join("tests/c/border.c").display()
        ),
    )
    .unwrap();
    let target = format!("-DPCML_TARGET_DIR={}", cargo_dir.display());
    let output = configure(&dir, &dir.join("build"), &[target, WITH_COMMAND.into()]);
    assert!(output.status.success(), "{}", printed(&output));
    succeed("cmake", ["--build", text(&dir.join("build"))]);
    for program in ["border", "border_static"] {
        assert_eq!(succeed(dir.join("build").join(program), [""; 0]), "");
    }
}
