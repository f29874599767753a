//! Generated files: `cargo xtask header` writes include/pcml.h, `cargo xtask header --check` fails when it differs.

use std::path::Path;
use std::process::ExitCode;

const HEAD: &str = "\
/* pcml: physics-constrained machine learning that simulation codes can link.

   Generated from the Rust sources by `cargo xtask header`; do not edit.

   Status    Functions return 0 or a pinned number of enum pcml_status; pcml_error_message has the text.
   Outputs   Arrays are written only on success. Create functions leave NULL behind on failure.
   Handles   Opaque; created by *_create or *_load, freed by *_free; freeing NULL is fine.
   Threads   A `const T *` argument may be used by many threads at once; a `T *` argument by one at a time.
   Sizes     int64_t, strides in elements. */";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn header() -> Result<String, String> {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml"))?;
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).map_err(|e| e.to_string())?;
    let version = manifest
        .lines()
        .find_map(|l| l.strip_prefix("version = \"")?.strip_suffix('"'))
        .ok_or("Cargo.toml has no version")?;
    let parts: Vec<&str> = version.split('.').collect();
    let [major, minor, patch] = parts[..] else { return Err(format!("version {version} has no three parts")) };
    config.header = Some(HEAD.into());
    config.after_includes = Some(format!(
        "\n#define PCML_VERSION_MAJOR {major}\n#define PCML_VERSION_MINOR {minor}\n#define PCML_VERSION_PATCH {patch}"
    ));
    let bindings =
        cbindgen::Builder::new().with_crate(root()).with_config(config).generate().map_err(|e| e.to_string())?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).map_err(|e| e.to_string())
}

fn run() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let check = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["header"] => false,
        ["header", "--check"] => true,
        _ => return Err("usage: cargo xtask header [--check]".into()),
    };
    let path = root().join("include/pcml.h");
    let text = header()?;
    if !check {
        return std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()));
    }
    match std::fs::read_to_string(&path) {
        Ok(committed) if committed == text => Ok(()),
        _ => Err("include/pcml.h is out of date; run `cargo xtask header`".into()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e}");
            ExitCode::FAILURE
        }
    }
}
