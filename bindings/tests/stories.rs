//! The stories in Rust, beside those in C.

mod common;

use common::{STORIES, c_story, story_model, text, tools};

fn rust_story(story: &str) -> String {
    let model = story_model(story);
    let args = ["run", "--quiet", "--release", "-p", "pcml", "--example", story, "--", text(&model)];
    tools::succeed(env!("CARGO"), args)
}

/// Cargo builds examples with what dev-dependencies ask of their dependencies, the installed library without: the digits would differ if those
/// features changed any arithmetic.
#[test]
fn rust_prints_what_c_prints() {
    if tools::have(&["cmake", "cc"]) {
        for story in STORIES {
            assert_eq!(rust_story(story), c_story(story), "{story}");
        }
    }
}
