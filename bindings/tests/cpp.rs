//! pcml.hpp: compiles strictly with GCC and Clang, names every function of pcml.h, copies and allocates nothing, throws or tells errors.

mod common;

use std::path::{Path, PathBuf};

use common::tools::{have, printed, run, scratch, skip, succeed};
use common::{STORIES, allocation_counter, blocks, c_story, code, functions, header, model, prefix, root, text, words};

const STRICT: [&str; 7] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-pthread"];

/// What links a program with the installed library; pcml.hpp is that of the source tree.
fn with_library() -> Vec<String> {
    let lib = prefix().join("lib");
    let include = root().join("include");
    vec![
        format!("-I{}", include.display()),
        format!("-L{}", lib.display()),
        "-lpcml".into(),
        format!("-Wl,-rpath,{}", lib.display()),
    ]
}

/// Compiles one source file strictly.
#[track_caller]
fn compile(compiler: &str, source: &Path, program: &Path, flags: &[&str]) {
    let library = with_library();
    let mut args = vec![text(source), "-o", text(program)];
    args.extend(STRICT);
    args.extend(flags);
    args.extend(library.iter().map(String::as_str));
    succeed(compiler, args);
}

fn source(name: &str) -> PathBuf {
    root().join("tests/cpp").join(format!("{name}.cpp"))
}

/// Compiles a test of tests/cpp in every way and runs it.
fn passes(name: &str, args: &[&str]) {
    passes_with(name, &[], args);
}

/// The same, linked with these objects.
fn passes_with(name: &str, objects: &[&str], args: &[&str]) {
    if !have(&["cmake", "g++", "clang++"]) {
        return;
    }
    let dir = scratch(&format!("cpp_{name}"));
    for (compiler, standard) in
        [("g++", "-std=c++17"), ("g++", "-std=c++20"), ("clang++", "-std=c++17"), ("clang++", "-std=c++20")]
    {
        let program = dir.join(format!("{compiler}{standard}"));
        compile(compiler, &source(name), &program, &[&[standard, "-O1"], objects].concat());
        assert_eq!(succeed(&program, args), "", "{name}, {compiler} {standard}");
    }
}

#[test]
fn the_header_stands_alone_and_may_come_twice() {
    if !have(&["g++", "clang++"]) {
        return;
    }
    let dir = scratch("cpp_alone");
    let file = dir.join("twice.cpp");
    std::fs::write(&file, "#include <pcml.hpp>\n#include <pcml.hpp>\nint main() { return 0; }\n").unwrap();
    let include = format!("-I{}", root().join("include").display());
    for compiler in ["g++", "clang++"] {
        for mode in ["-std=c++17", "-std=c++20", "-fno-exceptions"] {
            let args = [&["-std=c++17", mode, "-fsyntax-only", &include, text(&file)], &STRICT[..]].concat();
            succeed(compiler, args);
        }
        let older = run(compiler, ["-std=c++14", "-fsyntax-only", &include, text(&file)]);
        let said = String::from_utf8_lossy(&older.stderr);
        assert!(!older.status.success() && said.contains("pcml.hpp needs C++17"), "{compiler}: {said}");
    }
}

#[test]
fn every_function_and_number_has_its_place() {
    let [c, cpp] = ["pcml.h", "pcml.hpp"].map(|name| code(&header(name)));
    let own: Vec<&str> = words(&cpp, "pcml_", |_| true).chain(words(&cpp, "PCML_", |_| true)).collect();
    let functions = functions(&c);
    let numbers: Vec<&str> = words(&c, "PCML_", |rest| rest.starts_with(" =")).collect();
    assert!(functions.len() > 100 && numbers.len() > 60, "{} functions, {} numbers", functions.len(), numbers.len());
    let missing: Vec<&&str> = functions.iter().chain(&numbers).filter(|name| !own.contains(name)).collect();
    assert!(missing.is_empty(), "not in pcml.hpp: {missing:?}");

    let setters: Vec<&str> = cpp.split("options &set_").skip(1).collect();
    for setter in &setters {
        let name = setter.split('(').next().unwrap();
        assert!(setter.contains(&format!("pcml_options_set_{name}(")), "set_{name} calls another function");
    }
    assert_eq!(setters.len(), functions.iter().filter(|name| name.starts_with("pcml_options_set_")).count());
}

#[test]
fn arrays_are_described_where_they_lie() {
    if have(&["g++"]) && !run("g++", ["-E", "-xc++", "-include", "eigen3/Eigen/Core", "/dev/null"]).status.success() {
        skip("matrices of Eigen, not installed: libeigen3-dev");
    }
    passes("arrays", &[]);
}

#[test]
fn arguments_arrive_in_their_places() {
    passes("calls", &[text(&root().join("examples/models"))]);
}

#[test]
fn stories_print_what_c_prints() {
    if !have(&["cmake", "cc", "g++", "clang++"]) {
        return;
    }
    let dir = scratch("cpp_stories");
    for story in STORIES {
        let expected = c_story(story);
        let file = root().join("examples/cpp").join(format!("{story}.cpp"));
        for compiler in ["g++", "clang++"] {
            let program = dir.join(format!("{story}_{compiler}"));
            let library = with_library();
            let flags =
                ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-O2", "-ffp-contract=off"];
            let all =
                flags.into_iter().chain([text(&file), "-o", text(&program)]).chain(library.iter().map(String::as_str));
            succeed(compiler, all);
            assert_eq!(succeed(&program, [model(story)]), expected, "{story}, {compiler}");
        }
    }
}

#[test]
fn errors_are_thrown_or_told() {
    passes("errors", &[text(&model("insulated"))]);
}

#[test]
fn nothing_is_allocated() {
    if !cfg!(target_env = "gnu") {
        println!("skipped: counts the allocations of glibc");
    } else if have(&["cc"]) {
        let counter = allocation_counter(&scratch("cpp_counting"));
        passes_with("allocations", &[text(&counter)], &[text(&model("columns"))]);
    }
}

#[test]
fn threads_share_plans() {
    let columns = model("columns");
    passes("threads", &[text(&columns), "10000"]);
    if !have(&["cmake", "g++", "valgrind"]) {
        return;
    }
    let dir = scratch("cpp_threads_checked");
    for (name, flags, calls) in
        [("openmp", &["-fopenmp", "-O1"][..], "10000"), ("sanitized", &["-fsanitize=thread", "-O1", "-g"], "1000")]
    {
        let program = dir.join(name);
        compile("g++", &source("threads"), &program, &[&["-std=c++17"], flags].concat());
        assert_eq!(succeed(&program, [text(&columns), calls]), "", "{name}");
    }
    let plain = dir.join("plain");
    compile("g++", &source("threads"), &plain, &["-std=c++17", "-O1"]);
    let checked = run("valgrind", ["--tool=helgrind", "-q", "--error-exitcode=9", text(&plain), text(&columns), "10"]);
    assert!(checked.status.success(), "{}", printed(&checked));
}

/// Every program of a page compiles strictly and succeeds; the first one also by the commands and the project of the page.
fn page_holds(page: &str, language: &str, compiler: &str, standard: &str) {
    if !have(&["cmake", "pkg-config", "sh", compiler]) {
        return;
    }
    let dir = scratch(&format!("page_{language}"));
    let (include, library) = (root().join("include"), prefix().join("lib"));
    let (rpath, lib) = (format!("-Wl,-rpath,{}", text(&library)), format!("-L{}", text(&library)));
    let programs = blocks(page, language);
    assert!(programs.len() >= 4, "{page}");
    for (k, content) in programs.iter().enumerate() {
        let file = dir.join(format!("{k}.{language}"));
        std::fs::write(&file, content).unwrap();
        let program = dir.join(format!("program_{k}"));
        let flags = [
            standard,
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-I",
            text(&include),
            text(&file),
            "-o",
            text(&program),
        ];
        succeed(compiler, flags.iter().chain(&[lib.as_str(), "-lpcml", &rpath]));
        let told = succeed(&program, [""; 0]);
        assert!(k > 0 || told.trim_end().ends_with('2'), "{told}");
    }

    std::fs::write(dir.join(format!("host.{language}")), &programs[0]).unwrap();
    std::fs::write(dir.join("CMakeLists.txt"), &blocks(page, "cmake")[0]).unwrap();
    let found = format!("-DCMAKE_PREFIX_PATH={}", prefix().display());
    let build = dir.join("build");
    succeed("cmake", ["-S", text(&dir), "-B", text(&build), &found]);
    succeed("cmake", ["--build", text(&build)]);
    assert!(succeed(build.join("host"), [""; 0]).trim_end().ends_with('2'));
    for command in blocks(page, "sh") {
        let line =
            format!("cd '{0}' && export PKG_CONFIG_PATH='{1}/pkgconfig' && {command}", text(&dir), text(&library));
        succeed("sh", ["-ec", &line]);
    }
    let told = succeed("sh", ["-ec", &format!("LD_LIBRARY_PATH='{}' '{}'", text(&library), text(&dir.join("host")))]);
    assert!(told.trim_end().ends_with('2'), "{told}");
}

#[test]
fn the_page_on_c_holds() {
    page_holds("c.md", "c", "cc", "-std=c99");
}

/// The only program in C of a page, strictly compiled.
fn program_of(page: &str) -> PathBuf {
    let [program] = &blocks(page, "c")[..] else { panic!("{page}: one program in C") };
    let dir = scratch(&format!("page_{page}"));
    let (file, built, include) = (dir.join("program.c"), dir.join("program"), root().join("include"));
    let library = prefix().join("lib");
    let (rpath, lib) = (format!("-Wl,-rpath,{}", text(&library)), format!("-L{}", text(&library)));
    std::fs::write(&file, program).unwrap();
    let strict = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", text(&include), text(&file)];
    succeed("cc", strict.iter().chain(&["-o", text(&built), &lib, "-lpcml", &rpath]));
    built
}

#[test]
fn the_page_on_conversion_predicts() {
    if !have(&["cmake", "cc"]) {
        return;
    }
    let predict = program_of("convert.md");
    let told = succeed(&predict, [model("porous")]);
    assert_eq!(told.split_whitespace().filter(|word| word.parse::<f64>().is_ok()).count(), 2, "{told}");
    let failed = run(&predict, ["nowhere"]);
    assert!(!failed.status.success() && printed(&failed).contains("nowhere: No such file"), "{}", printed(&failed));
}

#[test]
fn the_pages_on_the_contract_and_on_errors_hold() {
    if !have(&["cmake", "cc"]) {
        return;
    }
    assert_eq!(succeed(program_of("abi.md"), [""; 0]), "");
    let page = std::fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let told: String = succeed(program_of("errors.md"), [""; 0]).lines().map(|line| format!("    {line}\n")).collect();
    assert!(page.contains(&format!("prints\n\n{told}\n")), "{told}");
}

#[test]
fn the_page_on_cpp_holds() {
    page_holds("cpp.md", "cpp", "c++", "-std=c++17");
}
