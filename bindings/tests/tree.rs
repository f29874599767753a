//! The installed tree that the other tests use.

mod common;

#[test]
fn the_tree_has_what_the_languages_need() {
    if !common::tools::have(&["cmake"]) {
        return;
    }
    let prefix = common::prefix();
    for file in ["include/pcml.h", "include/pcml_mpi.h", "lib/libpcml.so.0", "lib/libpcml.a", "lib/pkgconfig/pcml.pc"] {
        assert!(prefix.join(file).exists(), "{file} is not installed");
    }
}
