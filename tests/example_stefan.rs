//! The main job, run as a user runs it: what the README promises of the shipped model holds, in both storage types.

#[path = "common/tools.rs"]
mod tools;

use serde_json::Value;
use tools::{example, scratch, succeed};

fn cases(extra: &[&str], out: &std::path::Path) -> Vec<Value> {
    let arguments = ["--json", "--out", out.to_str().unwrap()];
    let json: Value =
        serde_json::from_str(&succeed(example("stefan"), [&arguments[..], extra].concat())).expect("JSON");
    json["cases"].as_array().expect("cases").clone()
}

fn value(cases: &[Value], u_star: f64, method: &str, key: &str) -> f64 {
    let case = cases.iter().find(|c| c["u_star"] == u_star && c["method"] == method).expect("a case");
    case[key].as_f64().unwrap_or_else(|| panic!("{method}: no {key}"))
}

#[test]
fn the_shipped_model_is_made_lawful_and_better() {
    let out = scratch("stefan");
    let double = cases(&[], &out);
    let single = cases(&["--f32"], &out);
    assert_eq!((double.len(), single.len()), (6, 6));
    for u_star in [0.6, 0.5] {
        for method in ["HardC", "ProbConserv"] {
            assert!(value(&double, u_star, method, "conservation_error") <= 1e-15);
            assert!(value(&single, u_star, method, "conservation_error") <= 1e-7);
        }
        for key in ["log_density", "mse", "front_error"] {
            let apart = value(&double, u_star, "ProbConserv", key) - value(&single, u_star, "ProbConserv", key);
            assert!(apart.abs() <= 1e-3 * value(&double, u_star, "ProbConserv", key).abs(), "{key}: {apart}");
        }
    }
    assert!(value(&double, 0.6, "ANP", "conservation_error") > 1e-4, "there is something to correct");
    // The README: a third of the error goes, and the front is seven times better placed; in the identity metric 1% goes.
    let part = |method, key| value(&double, 0.6, method, key) / value(&double, 0.6, "ANP", key);
    assert!(part("ProbConserv", "mse") <= 2.0 / 3.0, "{}", part("ProbConserv", "mse"));
    assert!(part("ProbConserv", "front_error") <= 1.0 / 7.0, "{}", part("ProbConserv", "front_error"));
    assert!((0.98..1.0).contains(&part("HardC", "mse")), "{}", part("HardC", "mse"));
    for figure in ["profile_0.6.svg", "profile_0.5.svg", "mass_0.6.svg", "mass_0.5.svg"] {
        let text = std::fs::read_to_string(out.join(figure)).expect(figure);
        assert!(text.starts_with("<svg") && text.len() > 10_000, "{figure}");
    }
}
