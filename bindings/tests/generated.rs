//! What is generated from the header is as committed.

mod common;

use common::tools::succeed;

#[test]
fn the_committed_files_are_the_generated_ones() {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".into());
    let manifest = common::root().join("Cargo.toml");
    let xtask = ["run", "--quiet", "--release", "--manifest-path", common::text(&manifest), "-p", "xtask", "--"];
    succeed(cargo, [&xtask[..], &["bindings", "--check"]].concat());
}
