//! The C border under hostile calls, long runs, traps of floating-point exceptions and missing memory, and the bits of good calls: short
//! versions of the programs in bindings/tests/c.

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::tools::{have, printed, run, scratch, succeed};
use common::{code, functions, header, model, prefix, root, text};

/// Compiles C sources against the installed tree.
fn compile(dir: &Path, name: &str, sources: &[PathBuf], flags: &[&str]) -> PathBuf {
    let (program, lib) = (dir.join(name), prefix().join("lib"));
    let (include, search) = (format!("-I{}", root().join("include").display()), format!("-L{}", lib.display()));
    let run_path = format!("-Wl,-rpath,{}", lib.display());
    let strict = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-pedantic", "-Werror", "-pthread", &include];
    let sources = sources.iter().map(|source| text(source));
    let linked = [&search, "-lpcml", &run_path, "-lm", "-o", text(&program)];
    succeed("cc", strict.into_iter().chain(flags.iter().copied()).chain(sources).chain(linked));
    program
}

/// A program of bindings/tests/c, in a folder of its own.
fn program(folder: &str, name: &str, flags: &[&str]) -> PathBuf {
    let dir = scratch(&format!("hostile_{folder}"));
    compile(&dir, name, &[root().join(format!("bindings/tests/c/{name}.c"))], flags)
}

fn there(programs: &[&str]) -> bool {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        println!("skipped: needs glibc");
        return false;
    }
    have(programs)
}

fn on_x86_64() -> bool {
    if !cfg!(target_arch = "x86_64") {
        println!("skipped: needs x86-64");
    }
    cfg!(target_arch = "x86_64")
}

#[test]
fn bad_calls_are_refused_and_leave_everything_as_it_was() {
    if !there(&["cmake", "cc"]) {
        return;
    }
    let told = succeed(program("campaign", "campaign", &["-O1"]), [text(root()), "--seed", "1", "--calls", "40000"]);
    let calls: HashMap<&str, u64> = told
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?.parse().ok()?))
        })
        .collect();
    let code = code(&header("pcml.h"));
    let declared = functions(&code);
    assert!(declared.len() > 100, "{declared:?}");
    let never: Vec<&&str> = declared.iter().filter(|name| calls.get(*name).is_none_or(|&n| n == 0)).collect();
    assert!(never.is_empty(), "not called: {never:?}\n{told}");
}

#[test]
fn bad_calls_touch_no_memory_but_their_own() {
    if !there(&["cmake", "cc", "valgrind"]) {
        return;
    }
    let sanitized = program(
        "sanitized",
        "campaign",
        &["-O1", "-g", "-DWITHOUT_HEAP", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    );
    let options = "ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=2048";
    succeed("env", [options, text(&sanitized), text(root()), "--seed", "2", "--calls", "10000"]);
    let plain = program("valgrind", "campaign", &["-O1", "-g", "-DWITHOUT_HEAP"]);
    // Absurd sizes are refused by the limit, not by the machine.
    let line = format!(
        "ulimit -v 8000000; exec valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite '{}' '{}' --seed 3 --calls 2000",
        plain.display(),
        root().display()
    );
    succeed("bash", ["-c", &line]);
}

/// One line a function of what good calls gave: name, good calls, slices called alone, a number made of all results.
fn bits(program: &Path, runner: &[&str], args: &[&str]) -> Vec<String> {
    let all = [runner, &[text(program), text(root()), "--bits"], args].concat();
    let told = succeed(all[0], &all[1..]);
    told.lines().filter_map(|line| line.strip_prefix("bits ")).map(str::to_string).collect()
}

/// Functions of a table in docs/determinism.md, by the head of its first column, with the other cells of their row.
fn rows(first: &str) -> HashMap<String, Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/determinism.md")).expect("the page");
    let start = page.find(&format!("| {first} |")).expect("the table");
    let lines = page[start..].lines().take_while(|line| line.starts_with('|')).skip(2);
    let cells =
        lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>());
    cells
        .flat_map(|row| {
            let names = row[0].split(", ").map(|name| format!("pcml_{}", name.trim_matches('`'))).collect::<Vec<_>>();
            names.into_iter().map(move |name| (name, row[1..].to_vec()))
        })
        .collect()
}

#[test]
fn the_page_on_determinism_has_every_function() {
    let (numeric, others) = (rows("computes"), rows("computes nothing"));
    let mut told: Vec<&String> = numeric.keys().chain(others.keys()).collect();
    told.sort();
    let code = code(&header("pcml.h"));
    assert_eq!(told, functions(&code), "docs/determinism.md against pcml.h");
}

/// `file::test`, in the root's tests, those of the languages, or beside a kernel.
#[test]
fn the_page_on_determinism_names_tests_that_are_there() {
    let page = std::fs::read_to_string(root().join("docs/determinism.md")).expect("the page");
    let names: Vec<(&str, &str)> =
        page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    assert!(names.len() > 20, "{names:?}");
    for (file, test) in names {
        let sources =
            ["tests", "bindings/tests", "src/kernels", "src/reduce"].map(|d| root().join(d).join(format!("{file}.rs")));
        let defined = |path: &PathBuf| std::fs::read_to_string(path).is_ok_and(|s| s.contains(&format!("fn {test}(")));
        assert!(sources.iter().any(defined), "docs/determinism.md names {file}::{test}");
    }
}

/// Each function is called well, with as many slices alone as the page promises, and nothing of its results changes.
#[test]
fn bits_depend_neither_on_strides_nor_threads_nor_the_place_in_a_batch() {
    if !there(&["cmake", "cc"]) {
        return;
    }
    let program = program("bits", "campaign", &["-O1"]);
    let of = |more: &[&str]| bits(&program, &[], &[&["--seed", "17", "--calls", "20000"], more].concat());
    let first = of(&[]);
    let counts: HashMap<&str, Vec<&str>> = first
        .iter()
        .filter_map(|line| line.split_once(' ').map(|(name, rest)| (name, rest.split(' ').collect())))
        .collect();
    for (name, row) in rows("computes") {
        let [good, alone, _] = counts[name.as_str()][..] else { panic!("{first:?}") };
        assert!(good != "0", "{name} is never good");
        assert!((row[1] == "same") == (alone != "0"), "{name}: {alone} slices alone, the page says: {}", row[1]);
    }
    assert_eq!(of(&[]), first, "in another process");
    for layout in ["1", "2"] {
        assert_eq!(of(&["--layout", layout]), first, "layout {layout}");
    }
    for threads in ["2", "3", "4", "5", "6", "7", "8"] {
        assert_eq!(of(&["--threads", threads]), first, "{threads} threads");
    }
}

/// valgrind's processor has AVX2 and FMA, and no AVX-512.
#[test]
fn bits_do_not_depend_on_avx_512() {
    if !there(&["cmake", "cc", "valgrind"]) || !on_x86_64() {
        return;
    }
    let program = program("bits_avx2", "campaign", &["-O1", "-DWITHOUT_HEAP"]);
    // A seed whose calls come to every function that computes.
    let args = ["--seed", "31", "--calls", "3200"];
    let here = bits(&program, &[], &args);
    for name in rows("computes").keys() {
        let called =
            here.iter().any(|line| line.starts_with(&format!("{name} ")) && !line.starts_with(&format!("{name} 0 ")));
        assert!(called, "{name} is never good");
    }
    assert_eq!(bits(&program, &["valgrind", "-q"], &args), here);
}

#[test]
fn a_long_run_needs_no_more_than_its_start() {
    if there(&["cmake", "cc"]) {
        succeed(program("soak", "soak", &["-O1"]), [text(root()), "--calls", "200000"]);
    }
}

/// What an example takes as its argument.
fn argument(example: &str) -> Option<PathBuf> {
    match example {
        "stefan" | "porous" => Some(model(example)),
        "insulated" | "domain" => Some(model("insulated")),
        "emulator" => Some(model("columns")),
        _ => None,
    }
}

#[test]
fn examples_raise_no_floating_point_exception() {
    if !there(&["cmake", "cc", "c++"]) || !on_x86_64() {
        return;
    }
    let dir = scratch("hostile_traps");
    let traps = root().join("bindings/tests/c/traps.c");
    let examples = std::fs::read_dir(root().join("examples/c")).expect("the examples");
    let mut caught = Vec::new();
    let mut run_one = |program: &Path, example: &str| {
        let output = run(program, argument(example));
        if !output.status.success() {
            caught.push((example.to_string(), format!("{}: {}", output.status, printed(&output))));
        }
    };
    for file in
        examples.map(|entry| entry.expect("an entry").path()).filter(|path| path.extension().is_some_and(|e| e == "c"))
    {
        let example = file.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_string();
        let program = compile(&dir, &example, &[file, traps.clone()], &["-O2", "-ffp-contract=off"]);
        run_one(&program, &example);
    }
    let object = dir.join("traps.o");
    succeed("cc", ["-std=c11", "-D_GNU_SOURCE", "-c", text(&traps), "-o", text(&object)]);
    for example in common::STORIES {
        let (program, lib) = (dir.join(format!("{example}_in_cpp")), prefix().join("lib"));
        let (include, run_path) = (root().join("include"), format!("-Wl,-rpath,{}", lib.display()));
        let source = root().join(format!("examples/cpp/{example}.cpp"));
        let flags = [
            "-std=c++17",
            "-O2",
            "-ffp-contract=off",
            "-I",
            text(&include),
            text(&source),
            text(&object),
            "-L",
            text(&lib),
        ];
        succeed("c++", flags.into_iter().chain(["-lpcml", &run_path, "-o", text(&program)]));
        run_one(&program, example);
    }
    assert!(caught.is_empty(), "{caught:?}");
}

#[test]
fn without_memory_a_call_is_refused() {
    if there(&["cmake", "cc"]) {
        let failures = program("failures", "failures", &["-O1"]);
        for lasting in [&[][..], &["--stays"]] {
            let told = succeed(&failures, [&[text(root()), "--short"], lasting].concat());
            println!("{}", told.lines().last().unwrap_or_default());
        }
    }
}
