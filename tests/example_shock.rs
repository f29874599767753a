//! The posterior of a shock's position, run as a user runs it: lawful samples, a narrower posterior, the same output again.

#[path = "common/tools.rs"]
mod tools;

use serde_json::Value;
use tools::{example, succeed};

fn printed(extra: &[&str]) -> String {
    succeed(example("shock"), extra)
}

fn value(set: &Value, side: &str, key: &str) -> f64 {
    set[side][key].as_f64().unwrap_or_else(|| panic!("{side}: no {key}"))
}

fn mean(sets: &[Value], side: &str, key: &str) -> f64 {
    sets.iter().map(|set| value(set, side, key)).sum::<f64>() / sets.len() as f64
}

#[test]
fn a_law_narrows_where_the_shock_may_be() {
    let text = printed(&["--json"]);
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let truth = json["truth"].as_f64().expect("a position");
    for rule in ["last", "count"] {
        let sets = json[rule].as_array().expect("context sets");
        assert_eq!(sets.len(), 20);
        for set in sets {
            assert!(value(set, "before", "largest_residual") > 1e-3, "there is something to correct");
            assert!(value(set, "after", "largest_residual") <= 1e-16);
            assert_eq!(value(set, "after", "unlawful"), 0.0);
            assert!(value(set, "after", "deviation") <= value(set, "before", "deviation"), "{rule}: {set}");
            let inside = value(set, "after", "low") <= truth && truth <= value(set, "after", "high");
            assert!(inside || rule == "count", "{set}");
        }
    }
    // By the rule of the last cell the error grows: see the example's figures.
    let count = json["count"].as_array().unwrap();
    assert!(mean(count, "after", "error") <= mean(count, "before", "error"));
    assert_eq!(printed(&["--json"]), text);
}

#[test]
fn the_table_is_the_same_again() {
    let text = printed(&[]);
    assert_eq!(text.lines().filter(|l| l.trim_start().starts_with("after")).count(), 3, "{text}");
    assert!(text.contains('#') && text.contains("< truth"), "{text}");
    assert_eq!(printed(&[]), text);
}
