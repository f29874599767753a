//! What is generated from the header is as committed.

mod common;

#[test]
fn the_committed_files_are_the_generated_ones() {
    common::tools::xtask(&["bindings", "--check"]);
}

#[test]
fn notices_name_what_is_linked() {
    common::tools::xtask(&["notices", "--check"]);
}

#[test]
fn the_binary_interface_has_what_it_had() {
    common::tools::xtask(&["abi", "--check"]);
}
