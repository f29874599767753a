//! The header: generated and unchanged, good alone, twice, as pedantic C99 and as C++17, and of the same layout as the library.

#[path = "common/tools.rs"]
mod tools;

use std::mem::offset_of;

use pcml::capi::{pcml_array, pcml_const_array, pcml_fit_report, pcml_flux_limits, pcml_flux_report};
use tools::{have, root, scratch, succeed, xtask};

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-pedantic", "-Werror"];

#[test]
fn the_committed_header_is_the_generated_one() {
    xtask(&["header", "--check"]);
}

#[test]
fn every_macro_carries_the_librarys_name() {
    let header = std::fs::read_to_string(root().join("include/pcml.h")).expect("the header");
    let foreign: Vec<&str> =
        header.lines().filter_map(|l| l.strip_prefix("#define ")).filter(|l| !l.starts_with("PCML_")).collect();
    assert!(header.contains("#define PCML_MAX_RANK") && foreign.is_empty(), "{foreign:?}");
}

#[test]
fn the_header_compiles_alone_and_twice_in_c_and_cpp() {
    if !have(&["cc", "c++"]) {
        return;
    }
    let dir = scratch("header");
    let twice = "#include <pcml.h>\n#include <pcml.h>\nint main(void) { return PCML_STATUS_OK; }\n";
    for (compiler, standard, extension) in
        [("cc", "-std=c99", "c"), ("cc", "-std=c11", "c"), ("c++", "-std=c++17", "cpp")]
    {
        for (name, text) in [("alone", "#include <pcml.h>\n"), ("twice", twice)] {
            let source = dir.join(format!("{name}.{extension}"));
            std::fs::write(&source, text).unwrap();
            let include = format!("-I{}", root().join("include").display());
            let args = [&[standard, "-fsyntax-only", &include, source.to_str().unwrap()], &STRICT[..]].concat();
            succeed(compiler, args);
        }
    }
}

#[test]
fn structs_have_the_layout_that_c_sees() {
    if !have(&["cc"]) {
        return;
    }
    let dir = scratch("layout");
    let program = dir.join("layout");
    let include = format!("-I{}", root().join("include").display());
    let source = root().join("tests/c/layout.c");
    succeed(
        "cc",
        [&["-std=c99", &include, source.to_str().unwrap(), "-o", program.to_str().unwrap()], &STRICT[..]].concat(),
    );
    let mut expected = String::new();
    macro_rules! describe {
        ($t:ident) => {
            expected += &format!(
                "{} {} {} {} {} {} {} {}\n",
                stringify!($t),
                size_of::<$t>(),
                offset_of!($t, struct_size),
                offset_of!($t, data),
                offset_of!($t, dtype),
                offset_of!($t, rank),
                offset_of!($t, shape),
                offset_of!($t, strides)
            );
        };
    }
    describe!(pcml_array);
    describe!(pcml_const_array);
    macro_rules! list {
        ($t:ident: $($field:ident),+) => {
            expected += &format!("{} {}", stringify!($t), size_of::<$t>());
            $(expected += &format!(" {}", offset_of!($t, $field));)+
            expected += "\n";
        };
    }
    list!(pcml_flux_report: struct_size, residual_before, residual_before_cell, residual_after, residual_after_cell, closeness,
        correction_norm, largest_correction, largest_correction_face, iterations, rounds, method, repaired, unchanged);
    list!(pcml_flux_limits: struct_size, limited_faces, least_limiter, least_limiter_face);
    list!(pcml_fit_report: struct_size, log_likelihood, log_likelihood_before, jitter, iterations, evaluations, search, converged);
    let in_c = succeed(&program, [""; 0]);
    assert_eq!(in_c, expected);
    assert_eq!(in_c, layouts(), "against bindings/tests/abi/interface.txt");
}

/// All structs and fields that the header has, as the snapshot of the binary interface has laid them out.
fn layouts() -> String {
    let snapshot = std::fs::read_to_string(root().join("bindings/tests/abi/interface.txt")).expect("the snapshot");
    let mut lines = String::new();
    for line in snapshot.lines() {
        if let Some((name, size)) =
            line.strip_prefix("struct ").and_then(|l| l.strip_suffix(" bytes")?.split_once(" = "))
        {
            lines += &format!("\n{name} {size}");
        } else if let Some((_, at)) = line.strip_prefix("field ").and_then(|l| l.rsplit_once(" at ")) {
            lines += &format!(" {at}");
        }
    }
    lines.trim_start().to_string() + "\n"
}
