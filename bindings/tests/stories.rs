//! The stories in Rust, beside those in C.

mod common;

use common::{STORIES, c_story, model, tools};

fn rust_story(story: &str) -> String {
    tools::succeed(tools::example(story), [model(story)])
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
