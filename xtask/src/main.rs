//! Chores of the repository:
//!
//!     cargo xtask header [--check]     writes include/pcml.h, or fails when it differs
//!     cargo xtask bindings [--check]   writes what other languages generate from it, or fails when it differs
//!     cargo xtask book                 renders the pages of docs/ with mdBook, which it installs where there is none
//!     cargo xtask abi [--check]        writes what linked programs rely on, or fails when it differs; --break writes what breaks them
//!     cargo xtask dependencies         licences of all dependencies are those of deny.toml, and none needs a newer compiler
//!     cargo xtask notices [--check]    writes THIRD-PARTY-NOTICES, or fails when it differs
//!     cargo xtask oldest               the packages compile with the Rust of rust-version, which rustup installs
//!     cargo xtask test                 every test there is; installs the programs that they call

mod abi;
mod bindings;
mod book;
mod dependencies;
mod generated;
mod header;
mod notices;
mod test;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask header [--check] | bindings [--check] | abi [--check | --break] | book | dependencies | notices [--check] | oldest | test";

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["header"] => header::write(),
        ["header", "--check"] => header::check(),
        ["bindings"] => bindings::write(),
        ["bindings", "--check"] => bindings::check(),
        ["book"] => book::build(),
        ["abi"] => abi::write(false),
        ["abi", "--break"] => abi::write(true),
        ["abi", "--check"] => abi::check(),
        ["dependencies"] => dependencies::check(),
        ["notices"] => notices::write(),
        ["notices", "--check"] => notices::check(),
        ["oldest"] => dependencies::compile_with_oldest(),
        ["test"] => test::run(),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e}");
            ExitCode::FAILURE
        }
    }
}
