//! The installed tree that the other tests use.

mod common;

#[test]
fn the_tree_has_what_the_languages_need() {
    if !common::tools::have(&["cmake"]) {
        return;
    }
    let prefix = common::prefix();
    let library = format!("lib/{}", common::soname());
    let licences =
        ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES"].map(|name| format!("share/licenses/pcml/{name}"));
    let files = ["include/pcml.h", "include/pcml_mpi.h", &library, "lib/libpcml.a", "lib/pkgconfig/pcml.pc"];
    for file in files.into_iter().chain(licences.iter().map(String::as_str)) {
        assert!(prefix.join(file).exists(), "{file} is not installed");
    }
}
