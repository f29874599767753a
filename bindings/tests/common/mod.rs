//! What the tests of all languages share: an installed tree and the examples' models.
#![allow(dead_code)]

#[path = "../../../tests/common/tools.rs"]
pub mod tools;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tools::succeed;

/// The root of the source tree.
pub fn root() -> &'static Path {
    tools::root().parent().expect("the source tree")
}

/// A path as an argument of a command.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A model that the examples use.
pub fn model(name: &str) -> PathBuf {
    root().join("examples/models").join(format!("{name}.safetensors"))
}

/// The installed tree: that of PCML_PREFIX, else one that is built with CMake, in cargo's own folder so that nothing is compiled twice. Tests
/// of one program wait for the first of them to build it.
pub fn prefix() -> PathBuf {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| std::env::var_os("PCML_PREFIX").map_or_else(install, PathBuf::from)).clone()
}

/// The version of the source tree.
pub fn version() -> String {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let line = manifest.lines().find(|l| l.starts_with("version = ")).expect("a version");
    line.split('"').nth(1).expect("a version in quotes").to_string()
}

/// The name that linked programs look for.
pub fn soname() -> String {
    let version = version();
    let numbers: Vec<&str> = version.split('.').collect();
    if numbers[0] == "0" { format!("libpcml.so.0.{}", numbers[1]) } else { format!("libpcml.so.{}", numbers[0]) }
}

/// A copy of the installed tree, so that it has moved.
pub fn moved(copy: PathBuf) -> PathBuf {
    succeed("cp", ["-a", text(&prefix()), text(&copy)]);
    copy
}

fn install() -> PathBuf {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (build, prefix) = (here.join("bindings/build"), here.join("bindings/prefix"));
    let target = here.parent().expect("the target folder");
    succeed(
        "cmake",
        [
            "-S",
            text(root()),
            "-B",
            text(&build),
            &format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display()),
            &format!("-DPCML_TARGET_DIR={}", target.display()),
            "-DCMAKE_INSTALL_LIBDIR=lib",
            tools::WITH_COMMAND,
        ],
    );
    succeed("cmake", ["--build", text(&build)]);
    succeed("cmake", ["--install", text(&build)]);
    prefix
}

/// A header of the source tree.
pub fn header(name: &str) -> String {
    std::fs::read_to_string(root().join("include").join(name)).expect("a header")
}

/// A header without its comments.
pub fn code(header: &str) -> String {
    let mut code = String::new();
    for (i, piece) in header.split("/*").enumerate() {
        code += if i == 0 { piece } else { piece.split_once("*/").expect("a closed comment").1 };
    }
    code
}

/// The words that begin with a prefix and are followed by what `next` takes.
pub fn words<'a>(code: &'a str, start: &'a str, next: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'a str> {
    code.match_indices(start).filter_map(move |(at, _)| {
        let word = code[at..].split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        let begins = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        (begins && next(&code[at + word.len()..])).then_some(word)
    })
}

/// The functions that a header without comments declares, sorted.
pub fn functions(code: &str) -> Vec<&str> {
    let names: BTreeSet<&str> = words(code, "pcml_", |rest| rest.starts_with('(')).collect();
    names.into_iter().collect()
}

/// An object that counts requests for memory, to be linked with a program; for glibc.
pub fn allocation_counter(dir: &Path) -> PathBuf {
    let (source, object) = (root().join("bindings/tests/c/allocations.c"), dir.join("allocations.o"));
    succeed("cc", ["-std=c11", "-D_GNU_SOURCE", "-O2", "-c", text(&source), "-o", text(&object)]);
    object
}

/// Pages of docs/ that have fenced blocks, and the languages whose blocks a test of that language takes; blocks of `text` are none.
pub const TRIED: [(&str, &[&str]); 13] = [
    ("abi.md", &["c", "python"]),
    ("c.md", &["c", "cmake", "sh"]),
    ("constraints.md", &["python"]),
    ("convert.md", &["c"]),
    ("cpp.md", &["cpp", "cmake", "sh"]),
    ("errors.md", &["c", "python"]),
    ("extending.md", &["rust"]),
    ("fortran.md", &["fortran", "cmake"]),
    ("julia.md", &["julia"]),
    ("mathematics.md", &["python"]),
    ("mpi.md", &["c", "fortran", "cmake"]),
    ("python.md", &["python"]),
    ("when-not.md", &["python"]),
];

/// The fenced blocks in one language of a page in docs/.
#[track_caller]
pub fn blocks(page: &str, language: &str) -> Vec<String> {
    let tried = TRIED.iter().any(|(name, languages)| *name == page && languages.contains(&language));
    assert!(tried, "{page} has no blocks in {language} according to TRIED");
    let text = std::fs::read_to_string(root().join("docs").join(page)).expect("a page");
    let opened = format!("\n```{language}\n");
    text.split(&opened).skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default().to_string() + "\n").collect()
}

/// The examples that every language has: each prints the same table and bits. A story takes the path of the model of its name.
pub const STORIES: [&str; 2] = ["porous", "insulated"];

/// What the C program of a story prints, built against the installed tree.
pub fn c_story(story: &str) -> String {
    let (prefix, source) = (prefix(), root().join("examples/c").join(format!("{story}.c")));
    let program = tools::scratch(&format!("{}_{story}_in_c", env!("CARGO_CRATE_NAME"))).join(story);
    let (include, lib) = (prefix.join("include"), prefix.join("lib"));
    let rpath = format!("-Wl,-rpath,{}", text(&lib));
    let flags = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O2", "-ffp-contract=off"];
    let paths = ["-I", text(&include), text(&source), "-L", text(&lib), &rpath, "-lpcml", "-lm", "-o", text(&program)];
    succeed("cc", flags.iter().chain(&paths));
    succeed(&program, [model(story)])
}
