//! pcml from Fortran: the modules of bindings/fortran with every compiler there is, warnings as errors.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use common::tools::{have, printed, run, scratch, succeed};
use common::{allocation_counter, blocks, model, prefix, root, text};

/// The modules, in the order of their use.
const MODULES: [&str; 4] = ["pcml_c", "pcml_errors", "pcml_objects", "pcml"];

/// A compiler and its strict flags. flang's -std=f2018 calls all optional arguments of C functions not portable.
struct Compiler {
    name: &'static str,
    flags: &'static [&'static str],
}

const GFORTRAN: Compiler =
    Compiler { name: "gfortran", flags: &["-std=f2018", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off"] };
const CHECKED: Compiler = Compiler {
    name: "gfortran",
    flags: &["-std=f2018", "-Wall", "-Wextra", "-Werror", "-O0", "-g", "-fcheck=all", "-ffpe-trap=invalid,zero"],
};
/// Traps overflows too, which the tests of bad calls make themselves.
const TRAPPED: Compiler = Compiler {
    name: "gfortran",
    flags: &["-std=f2018", "-Wall", "-Wextra", "-Werror", "-O0", "-fcheck=all", "-ffpe-trap=invalid,zero,overflow"],
};
const FLANG: Compiler = Compiler { name: "flang-new-19", flags: &["-Werror", "-O2", "-ffp-contract=off"] };

impl Compiler {
    fn there(&self) -> bool {
        have(&[self.name, "cc"])
    }

    /// The modules compiled, once in a run of the tests.
    fn modules(&self) -> PathBuf {
        static COMPILED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
        let mut compiled = COMPILED.lock().expect("compilers that do not panic");
        let dir =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fortran_modules_{}_{}", self.name, self.flags.len()));
        if !compiled.contains(&dir) {
            scratch(text(&dir));
            for module in MODULES {
                let (source, object) =
                    (root().join(format!("bindings/fortran/{module}.f90")), dir.join(format!("{module}.o")));
                let place = [self.module_flag(), text(&dir), "-c", text(&source), "-o", text(&object)];
                succeed(self.name, [self.flags, &place].concat());
            }
            compiled.push(dir.clone());
        }
        dir
    }

    fn module_flag(&self) -> &'static str {
        if self.name == "gfortran" { "-J" } else { "-module-dir" }
    }

    /// Compiles sources and links them with the modules and the library; the program.
    fn build(&self, name: &str, sources: &[PathBuf], more: &[&str]) -> PathBuf {
        let (modules, dir) = (self.modules(), scratch(name));
        let (lib, program) = (prefix().join("lib"), dir.join("program"));
        let objects = MODULES.map(|m| modules.join(format!("{m}.o")));
        let all: Vec<&str> = sources.iter().chain(&objects).map(|s| text(s)).collect();
        let (search, run_path) = (format!("-L{}", lib.display()), format!("-Wl,-rpath,{}", lib.display()));
        let include = format!("-I{}", modules.display());
        let link = [&search, "-lpcml", &run_path, "-o", text(&program)];
        succeed(self.name, [self.flags, more, &[&include, self.module_flag(), text(&dir)], &all, &link].concat());
        program
    }

    fn test_program(&self, name: &str, more: &[&str]) -> PathBuf {
        let file = |f: &str| root().join("bindings/fortran/tests").join(f);
        let sources = [file("testing.f90"), file(&format!("{name}.f90"))];
        self.build(&format!("fortran_{name}_{}{}", self.name, self.flags.len()), &sources, more)
    }
}

fn runs(name: &str) {
    for compiler in [GFORTRAN, CHECKED, FLANG].iter().filter(|c| c.there()) {
        succeed(compiler.test_program(name, &[]), [""; 0]);
    }
}

#[test]
fn descriptors_point_at_sections_and_results_are_written_there() {
    runs("arrays");
}

#[test]
fn bad_calls_have_a_status_and_a_text() {
    runs("errors");
}

#[test]
fn an_error_without_stat_stops_the_program() {
    for compiler in [GFORTRAN, FLANG].iter().filter(|c| c.there()) {
        let output = run(compiler.test_program("stops", &[]), [""; 0]);
        let said = printed(&output);
        assert!(!output.status.success() && said.contains("no such file") && !said.contains("not reached"), "{said}");
    }
}

#[test]
fn threads_share_a_plan_and_get_the_bits_of_one() {
    if GFORTRAN.there() {
        succeed(GFORTRAN.test_program("threads", &["-fopenmp"]), ["10000"]);
    }
}

#[test]
fn structs_have_the_layout_that_c_sees() {
    if !have(&["cc"]) {
        return;
    }
    let c = scratch("fortran_layout").join("layout");
    let include = format!("-I{}", prefix().join("include").display());
    succeed("cc", [&include, text(&root().join("tests/c/layout.c")), "-o", text(&c)]);
    let expected = succeed(&c, [""; 0]);
    for compiler in [GFORTRAN, FLANG].iter().filter(|c| c.there()) {
        assert_eq!(succeed(compiler.test_program("layout", &[]), [""; 0]), expected, "{}", compiler.name);
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn hot_calls_allocate_nothing() {
    // flang's transfer() allocates.
    if GFORTRAN.there() {
        let counter = allocation_counter(&scratch("fortran_counting"));
        succeed(GFORTRAN.test_program("allocations", &[text(&counter)]), [""; 0]);
    }
}

/// A program of examples/c.
fn c_example(name: &str) -> PathBuf {
    let program = scratch(&format!("fortran_c_{name}")).join(name);
    let (include, lib) = (prefix().join("include"), prefix().join("lib"));
    let source = root().join(format!("examples/c/{name}.c"));
    let (run_path, search) = (format!("-Wl,-rpath,{}", lib.display()), format!("-L{}", lib.display()));
    let flags = ["-O2", "-ffp-contract=off", "-I", text(&include), text(&source), "-o", text(&program)];
    succeed("cc", [&flags[..], &[&search, "-lpcml", "-lm", &run_path]].concat());
    program
}

#[test]
fn stories_print_what_they_print_in_c() {
    let there: Vec<&Compiler> = [&GFORTRAN, &TRAPPED, &FLANG].into_iter().filter(|c| c.there()).collect();
    for name in common::STORIES {
        if there.is_empty() {
            return;
        }
        let expected = succeed(c_example(name), [model(name)]);
        for compiler in &there {
            let source = |f: &str| root().join(format!("examples/fortran/{f}.f90"));
            let place = format!("fortran_{name}_{}{}", compiler.name, compiler.flags.len());
            let program = compiler.build(&place, &[source("common"), source(name)], &[]);
            assert_eq!(succeed(program, [model(name)]), expected, "{name} with {}", compiler.name);
        }
    }
}

#[test]
fn a_mass_fixer_needs_no_derived_types() {
    for compiler in [GFORTRAN, TRAPPED, FLANG].iter().filter(|c| c.there()) {
        let source = root().join("examples/fortran/plain.f90");
        let place = format!("fortran_plain_{}{}", compiler.name, compiler.flags.len());
        let program = compiler.build(&place, &[source], &[]);
        assert!(succeed(program, [""; 0]).contains("all columns have their mass"));
    }
}

#[test]
fn cmake_builds_the_modules_with_the_projects_compiler() {
    if !GFORTRAN.there() || !have(&["cmake"]) {
        return;
    }
    let build = scratch("fortran_cmake");
    let tree = format!("-DCMAKE_PREFIX_PATH={}", prefix().display());
    succeed("cmake", ["-S", text(&root().join("examples/fortran")), "-B", text(&build), &tree]);
    succeed("cmake", ["--build", text(&build)]);
    assert!(succeed(build.join("plain"), [""; 0]).contains("all columns have their mass"));
    assert!(succeed(build.join("porous"), [model("porous")]).contains("bits "));
}

#[test]
fn cmake_says_what_a_project_without_fortran_lacks() {
    if !have(&["cmake", "cc"]) {
        return;
    }
    let project = scratch("fortran_cmake_without");
    let lists = "cmake_minimum_required(VERSION 3.18)\nproject(host LANGUAGES C)\n\
        find_package(pcml 0.1 CONFIG REQUIRED COMPONENTS fortran)\n";
    std::fs::write(project.join("CMakeLists.txt"), lists).expect("a file in a new folder");
    let tree = format!("-DCMAKE_PREFIX_PATH={}", prefix().display());
    let output = run("cmake", ["-S", text(&project), "-B", text(&project.join("build")), &tree]);
    assert!(!output.status.success() && printed(&output).contains("enable_language(Fortran)"), "{}", printed(&output));
}

#[test]
fn the_guides_code_compiles_and_runs() {
    if !GFORTRAN.there() || !have(&["cmake"]) {
        return;
    }
    let dir = scratch("fortran_guide");
    let mut modules = Vec::new();
    for (i, block) in blocks("fortran.md", "fortran").iter().enumerate() {
        let source = dir.join(format!("block_{i}.f90"));
        std::fs::write(&source, block).expect("a file in a new folder");
        if block.starts_with("module") {
            modules.push(source);
            continue;
        }
        let sources = [&modules[..], &[source]].concat();
        succeed(GFORTRAN.build(&format!("fortran_guide_{i}"), &sources, &["-fopenmp"]), [""; 0]);
    }
    let project = scratch("fortran_guide_cmake");
    let [lists] = &blocks("fortran.md", "cmake")[..] else { panic!("one block in CMake") };
    std::fs::write(project.join("CMakeLists.txt"), lists).expect("a file in a new folder");
    std::fs::write(project.join("host.f90"), &blocks("fortran.md", "fortran")[0]).expect("a file in a new folder");
    let (build, tree) = (project.join("build"), format!("-DCMAKE_PREFIX_PATH={}", prefix().display()));
    succeed("cmake", ["-S", text(&project), "-B", text(&build), &tree]);
    succeed("cmake", ["--build", text(&build)]);
    assert_eq!(succeed(build.join("host"), [""; 0]), "integral 1.000\n");
}

#[test]
fn lines_fit_every_compiler() {
    for module in MODULES {
        let path = root().join(format!("bindings/fortran/{module}.f90"));
        let source = std::fs::read_to_string(&path).expect("a module");
        let long: Vec<&str> = source.lines().filter(|l| l.len() > 132).collect();
        assert!(long.is_empty(), "{module}: {long:?}");
    }
}
