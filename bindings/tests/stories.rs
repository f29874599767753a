//! The stories in Rust, beside those in C.

mod common;

use common::{c_story, story_model, text, tools};

fn rust_story(story: &str) -> String {
    let model = story_model(story);
    let args = ["run", "--quiet", "--release", "-p", "pcml", "--example", story, "--", text(&model)];
    tools::succeed(env!("CARGO"), args)
}

#[test]
fn porous_in_rust_prints_what_it_prints_in_c() {
    if tools::have(&["cmake", "cc"]) {
        assert_eq!(rust_story("porous"), c_story("porous"));
    }
}

/// Its bits are not compared: cargo builds examples with the features that dev-dependencies ask of faer, the installed library is built without
/// them, and the factors of boundary corrections then differ in their last bits.
#[test]
fn insulated_in_rust_holds_what_it_claims() {
    assert!(rust_story("insulated").contains("all held"));
}
