//! The installed tree and the source tree as other people's builds use them; what the shared library needs, exports and weighs.

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;

use common::tools::{WITH_COMMAND, have, printed, run, scratch, succeed};
use common::{STORIES, c_story, code, functions, model, moved, prefix, root, soname, text, version};

/// The name of a moved tree: spaces in it do no harm.
const TREE: &str = "a tree elsewhere";

/// A file that CMake, a host or a test wants.
fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Configures a project of these lines, which may name the languages' compilers.
fn configure(dir: &Path, lines: &str, definitions: &[String]) -> Output {
    write(&dir.join("CMakeLists.txt"), &format!("cmake_minimum_required(VERSION 3.18)\n{lines}\n"));
    let (source, build) = (text(dir).to_string(), text(&dir.join("build")).to_string());
    run("cmake", ["-S".into(), source, "-B".into(), build].into_iter().chain(definitions.iter().cloned()))
}

fn at(prefix: &Path) -> [String; 1] {
    [format!("-DCMAKE_PREFIX_PATH={}", prefix.display())]
}

/// A program of C and C++, and of Fortran where FORTRAN is defined: each language does its part.
fn sources(dir: &Path) {
    write(
        &dir.join("sum.c"),
        "#include <pcml.h>
double sum_in_c(void) {
  double x[2] = {0.25, 0.5}, sum = 0.0;
  pcml_const_array a = {sizeof a, x, PCML_DTYPE_F64, 1, {2}, {1}};
  return pcml_sum(&a, 0, 0, &sum) ? -1.0 : sum;
}
",
    );
    write(
        &dir.join("main.cpp"),
        "#include <cstdio>
#include <pcml.hpp>
extern \"C\" double sum_in_c(void);
extern \"C\" int three_in_fortran(void);
int main() {
  double x[] = {0.5, 1.0};
  std::printf(\"%g %g\\n\", sum_in_c(), pcml::sum(x));
#ifdef FORTRAN
  return three_in_fortran() == 3 ? 0 : 1;
#endif
}
",
    );
    write(
        &dir.join("three.f90"),
        "integer(c_int) function three_in_fortran() bind(c, name='three_in_fortran')
  use, intrinsic :: iso_c_binding, only: c_int
  use pcml
  three_in_fortran = 3
end function
",
    );
}

const PROGRAMS: &str = "set(CMAKE_CXX_STANDARD 17)
foreach(kind shared static pcml)
  add_executable(host_${kind} main.cpp sum.c)
  target_link_libraries(host_${kind} PRIVATE pcml::${kind})
endforeach()";

const PROGRAM_WITH_FORTRAN: &str = "add_executable(host_fortran main.cpp sum.c three.f90)
target_compile_definitions(host_fortran PRIVATE FORTRAN)
target_link_libraries(host_fortran PRIVATE pcml::fortran)";

#[test]
fn one_project_takes_both_libraries_and_all_languages() {
    if !have(&["cmake", "cc", "c++", "readelf"]) {
        return;
    }
    let dir = scratch("packaging consumer");
    let prefix = moved(dir.join(TREE));
    sources(&dir);
    let fortran = prefix.join("lib/cmake/pcml/pcmlFortran.cmake").exists() && have(&["gfortran"]);
    let (language, component, program) =
        if fortran { (" Fortran", " fortran", PROGRAM_WITH_FORTRAN) } else { ("", "", "") };
    let lines = format!(
        "project(host C CXX{language})
find_package(pcml 0.1 CONFIG REQUIRED COMPONENTS shared static{component})
{PROGRAMS}
{program}"
    );
    let output = configure(&dir, &lines, &at(&prefix));
    assert!(output.status.success(), "{}", printed(&output));
    succeed("cmake", ["--build", text(&dir.join("build"))]);
    let host = |kind: &str| dir.join("build").join(format!("host_{kind}"));
    for kind in ["shared", "static", "pcml", "fortran"].into_iter().filter(|kind| fortran || *kind != "fortran") {
        assert_eq!(succeed(host(kind), [""; 0]), "0.75 1.5\n", "{kind}");
    }
    let dynamic = |kind| succeed("readelf", ["-d", text(&host(kind))]);
    let needed = format!("[{}]", soname());
    assert!(dynamic("shared").contains(&needed) && dynamic("pcml").contains(&needed));
    assert!(!dynamic("static").contains("libpcml"));
}

#[test]
fn what_is_not_installed_is_not_found() {
    if !have(&["cmake", "cc"]) {
        return;
    }
    let dir = scratch("packaging_components");
    let prefix = moved(dir.join(TREE));
    let found = |name: &str, asked: &str| {
        let lines = format!(
            "project(host C)
find_package(pcml 0.1 CONFIG REQUIRED {asked})
get_target_property(kind pcml::pcml TYPE)
message(STATUS \"is ${{kind}}\")"
        );
        let output = configure(&dir.join(name), &lines, &at(&prefix));
        // CMake breaks lines.
        (output.status.success(), printed(&output).split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (ok, told) = found("unknown", "COMPONENTS ada");
    assert!(!ok && told.contains("component ada: there is no such component"), "{told}");
    assert!(found("optional", "OPTIONAL_COMPONENTS ada").0);
    let (ok, told) = found("fortran", "COMPONENTS shared fortran");
    assert!(!ok && told.contains("component fortran: it needs the language Fortran"), "{told}");

    let (shared, fixed) = (prefix.join("lib").join(soname()), prefix.join("lib/libpcml.a"));
    let aside = dir.join("aside");
    std::fs::rename(&fixed, &aside).unwrap();
    let (ok, told) = found("no_static", "COMPONENTS static");
    assert!(!ok && told.contains("component static:") && told.contains("libpcml.a is not installed"), "{told}");
    let (ok, told) = found("shared", "COMPONENTS shared");
    assert!(ok && told.contains("is SHARED_LIBRARY"), "{told}");
    std::fs::rename(&aside, &fixed).unwrap();
    std::fs::remove_file(&shared).unwrap();
    let (ok, told) = found("no_shared", "COMPONENTS shared static");
    let missing = format!("{} is not installed", soname());
    assert!(!ok && told.contains("component shared:") && told.contains(&missing), "{told}");
    let (ok, told) = found("static", "COMPONENTS static");
    assert!(ok && told.contains("is STATIC_LIBRARY"), "{told}");
    std::fs::remove_file(&fixed).unwrap();
    let (ok, told) = found("nothing", "");
    assert!(!ok && told.contains("libpcml.a is not installed"), "{told}");
}

#[test]
fn the_examples_in_cpp_build_against_the_tree() {
    if !have(&["cmake", "cc", "c++"]) {
        return;
    }
    let build = scratch("packaging_examples");
    let (source, prefix) = (root().join("examples/cpp"), at(&prefix()));
    succeed("cmake", ["-S", text(&source), "-B", text(&build), "-DCMAKE_BUILD_TYPE=Release", &prefix[0]]);
    succeed("cmake", ["--build", text(&build)]);
    for story in STORIES {
        assert_eq!(succeed(build.join(story), [model(story)]), c_story(story), "{story}");
    }
}

/// Where the libraries for the source tree come from: cargo's own folder, so that nothing is compiled twice; with PCML_PREFIX the
/// libraries of that tree, in the place of what cargo would build.
fn built(dir: &Path) -> Vec<String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    if std::env::var_os("PCML_PREFIX").is_none() {
        return vec![format!("-DPCML_TARGET_DIR={}", target.display()), WITH_COMMAND.into()];
    }
    let (lib, release) = (prefix().join("lib"), dir.join("target/release"));
    std::fs::create_dir_all(&release).unwrap();
    for library in ["libpcml.so", "libpcml.a"] {
        std::fs::copy(lib.join(library), release.join(library)).unwrap();
    }
    vec![format!("-DPCML_TARGET_DIR={}", dir.join("target").display()), "-DPCML_CARGO=/usr/bin/true".into()]
}

#[test]
fn the_source_tree_is_a_part_of_other_builds() {
    if !have(&["cmake", "cc", "c++"]) {
        return;
    }
    let ways = [
        ("subdirectory", format!("add_subdirectory(\"{}\" pcml)", root().display())),
        (
            "fetched",
            format!(
                "include(FetchContent)\nFetchContent_Declare(pcml SOURCE_DIR \"{}\")\nFetchContent_MakeAvailable(pcml)",
                root().display()
            ),
        ),
    ];
    for (name, brought) in ways {
        let dir = scratch(&format!("packaging {name}"));
        sources(&dir);
        let lines = format!("project(host C CXX)\n{brought}\n{PROGRAMS}");
        let output = configure(&dir, &lines, &built(&dir));
        assert!(output.status.success(), "{}", printed(&output));
        succeed("cmake", ["--build", text(&dir.join("build"))]);
        for kind in ["shared", "static", "pcml"] {
            assert_eq!(
                succeed(dir.join("build").join(format!("host_{kind}")), [""; 0]),
                "0.75 1.5\n",
                "{name}, {kind}"
            );
        }
    }
}

#[test]
fn the_library_exports_what_the_header_declares_and_needs_the_system_alone() {
    if !have(&["nm", "readelf"]) {
        return;
    }
    let library = prefix().join("lib/libpcml.so");
    let told = succeed("nm", ["-D", "--defined-only", text(&library)]);
    let exported: Vec<&str> = told.lines().filter_map(|l| l.split_whitespace().last()).collect();
    let code = code(&std::fs::read_to_string(prefix().join("include/pcml.h")).unwrap());
    let declared = functions(&code);
    let only =
        |a: &[&str], b: &[&str]| a.iter().filter(|name| !b.contains(name)).map(|n| n.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (only(&exported, &declared), only(&declared, &exported)),
        (vec![], vec![]),
        "exported only, declared only"
    );

    let dynamic = succeed("readelf", ["-d", text(&library)]);
    assert!(dynamic.contains(&format!("soname: [{}]", soname())), "{dynamic}");
    let needed = dynamic.lines().filter(|l| l.contains("(NEEDED)")).filter_map(|l| l.split(['[', ']']).nth(1));
    for name in needed {
        let allowed = ["libc.so", "libm.so", "libgcc_s.so", "ld-linux"];
        assert!(allowed.iter().any(|start| name.starts_with(start)), "needs {name}");
    }
}

/// A program compiled against the header of a release runs with today's library, and finds all functions that the header declares.
#[test]
fn programs_of_released_headers_run() {
    if !have(&["cc"]) {
        return;
    }
    let folder = root().join("bindings/tests/abi");
    let host = folder.join("host.c");
    let headers: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "h"))
        .collect();
    assert!(!headers.is_empty(), "{} has the header of no release", folder.display());
    for header in headers {
        let content = std::fs::read_to_string(&header).unwrap();
        let release = header.file_stem().and_then(|name| name.to_str()).expect("a name");
        let dir = scratch(&format!("packaging_{release}"));
        write(&dir.join("pcml.h"), &content);
        let table: Vec<String> = functions(&code(&content)).iter().map(|name| format!("(any){name}")).collect();
        let (functions, program) = (dir.join("functions.c"), dir.join("host"));
        let list = table.join(",\n");
        write(&functions, &format!("#include <pcml.h>\ntypedef void (*any)(void);\nany functions[] = {{\n{list}}};\n"));
        let lib = prefix().join("lib");
        let (include, search) = (format!("-I{}", dir.display()), format!("-L{}", lib.display()));
        let run_path = format!("-Wl,-rpath,{}", lib.display());
        let strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", &include, text(&host), text(&functions)];
        succeed("cc", strict.iter().chain(&[&search, "-lpcml", "-lm", &run_path, "-o", text(&program)]));
        let told = run(&program, [""; 0]);
        assert!(told.status.success(), "{release}: check {:?} of host.c fails {}", told.status.code(), printed(&told));
    }
}

/// Removal as docs/c.md has it: what the manifest lists is all there is.
#[test]
fn what_is_installed_is_listed() {
    if !have(&["cmake", "cc"]) {
        return;
    }
    let dir = scratch("packaging_manifest");
    let (build, prefix) = (dir.join("build"), dir.join("prefix"));
    let there = format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display());
    let arguments = ["-S", text(root()), "-B", text(&build), &there].map(String::from);
    succeed("cmake", arguments.into_iter().chain(built(&dir)));
    succeed("cmake", ["--build", text(&build)]);
    succeed("cmake", ["--install", text(&build)]);
    let files = || succeed("find", [text(&prefix), "-not", "-type", "d"]);
    assert!(files().contains("/libpcml.so\n"), "{}", files());
    for file in std::fs::read_to_string(build.join("install_manifest.txt")).unwrap().lines() {
        std::fs::remove_file(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    }
    assert_eq!(files(), "");
}

/// 5 MB, most of it kernels for three instruction sets and two types.
#[test]
fn the_library_does_not_grow() {
    if !have(&["strip"]) {
        return;
    }
    let stripped = scratch("packaging_size").join("libpcml.so");
    succeed("strip", ["-o", text(&stripped), text(&prefix().join("lib/libpcml.so"))]);
    let bytes = std::fs::metadata(&stripped).unwrap().len();
    println!("stripped: {bytes} bytes");
    assert!(bytes <= 5_000_000, "{bytes} bytes");
}

#[test]
fn archives_are_reproducible_and_complete() {
    if !have(&["sh", "tar", "gzip", "sha256sum", "rustc"]) {
        return;
    }
    let dir = scratch("packaging_archive");
    let prefix = moved(dir.join(TREE));
    let script = root().join("packaging/archive.sh");
    let pack = |folder: &str| {
        let name = succeed("sh", [text(&script), text(&prefix), text(&dir.join(folder))]).trim().to_string();
        let sum = std::fs::read_to_string(dir.join(folder).join(format!("{name}.sha256"))).unwrap();
        (name, sum)
    };
    let first = pack("first");
    succeed("find", [text(&prefix), "-exec", "touch", "{}", "+"]);
    assert_eq!(first, pack("second"));
    let (name, _) = first;
    let tree = name.strip_suffix(".tar.gz").expect("an archive");
    assert!(tree.starts_with(&format!("pcml-{}-", version())), "{tree}");
    succeed("tar", ["-xzf", text(&dir.join("first").join(&name)), "-C", text(&dir)]);
    succeed("diff", ["-r", text(&prefix), text(&dir.join(tree))]);
    assert!(!run("sh", [text(&script), text(&dir.join("nowhere")), text(&dir)]).status.success());
}

#[test]
fn recipes_parse_and_have_the_version() {
    if !have(&["python3", "yamllint"]) {
        return;
    }
    let (spack, conda) = (root().join("packaging/spack/package.py"), root().join("packaging/conda/meta.yaml"));
    let compiled = scratch("packaging_recipes").join("package.pyc");
    let program = "import py_compile, sys; py_compile.compile(sys.argv[1], cfile=sys.argv[2], doraise=True)";
    succeed("python3", ["-c", program, text(&spack), text(&compiled)]);
    succeed("yamllint", ["-d", "{rules: {}}", text(&conda)]);
    for recipe in [spack, conda] {
        assert!(std::fs::read_to_string(&recipe).unwrap().contains(&version()), "{}", recipe.display());
    }
}

#[test]
fn pages_name_the_library_as_it_is() {
    let pages = std::fs::read_dir(root().join("docs")).expect("the pages");
    for page in pages.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(&page).unwrap();
        for (at, start) in text.match_indices("libpcml.so.") {
            let rest = &text[at + start.len()..];
            let number = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
            let named = format!("{start}{}", number.trim_end_matches('.'));
            assert!(
                number.is_empty() || rest.starts_with("0.<minor>") || named == soname(),
                "{}: {named}",
                page.display()
            );
        }
    }
}
