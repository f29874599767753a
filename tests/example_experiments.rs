//! The papers' experiments, run as a user runs them with the models that are shipped: laws and boundaries hold, missing models are told.

#[path = "common/tools.rs"]
mod tools;

use std::path::Path;

use serde_json::Value;
use tools::{example, printed, run, scratch, succeed};

fn rows<'a>(json: &'a Value, table: &str) -> &'a Vec<Value> {
    let tables = json["tables"].as_array().expect("tables");
    tables.iter().find(|t| t["name"] == table).and_then(|t| t["rows"].as_array()).expect("a table")
}

fn value(rows: &[Value], method: &str, key: &str) -> f64 {
    let row = rows.iter().find(|row| row["method"] == method).unwrap_or_else(|| panic!("no {method}"));
    row[key].as_f64().unwrap_or_else(|| panic!("{method}: no {key}"))
}

#[test]
fn laws_and_boundaries_hold() {
    let out = scratch("experiments");
    let arguments = ["stefan", "inflow", "heat_wall", "--json", "--out", out.to_str().unwrap()];
    let output = run(example("experiments"), arguments);
    assert!(output.status.success(), "{}", printed(&output));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");

    let stefan = rows(&json, "stefan");
    for row in stefan {
        let (method, error) = (row["method"].as_str().unwrap(), row["conservation_error"].as_f64().unwrap());
        let lawful = method.contains("HardC") || method.contains("ProbConserv");
        assert_eq!(lawful, error <= 1e-15, "{method}: {error}");
    }
    let before = value(stefan, "Gaussian process", "MSE");
    assert!(before < 0.1, "a fitted process: {before}");
    assert_ne!(before, value(stefan, "Gaussian process, ProbConserv", "MSE"));
    assert_ne!(value(stefan, "ANP, ProbConserv", "MSE"), value(stefan, "ANP, ProbConserv, falling", "MSE"));

    // The page's claims, with room for another processor's last bits.
    let times = |rows, worse, better, key| value(rows, worse, key) / value(rows, better, key);
    let [raw, lawful] = ["ANP, t as it is", "ANP, t as it is, ProbConserv"];
    assert!(times(stefan, raw, lawful, "MSE") >= 3.0);
    assert!(times(stefan, raw, lawful, "front_error") >= 4.0);
    assert!(times(stefan, "ANP", "ANP, ProbConserv", "MSE") >= 1.5);
    let inflow = rows(&json, "inflow");
    assert!(times(inflow, "FNO", "BOON", "relative_L2") >= 6.0);
    for rule in ["BOON", "BOON, rule seed"] {
        assert_eq!(value(inflow, rule, "boundary_error"), 0.0, "{rule}");
    }
    assert!(times(inflow, "FNO", "BOON, rule seed", "relative_L2") >= 8.0);

    let bar = rows(&json, "heat_wall");
    for rule in ["BOON", "BOON, rule seed"] {
        assert!(value(bar, rule, "boundary_error") <= 1e-12, "{rule}");
    }
    assert!(value(bar, "BOON", "relative_L2") <= 0.01);
    assert!(value(bar, "BOON", "balance_error") > 1e-6, "there is something to correct");
    let joint = "BOON, faces and balance";
    assert!(value(bar, joint, "boundary_error") <= 1e-12 && value(bar, joint, "balance_error") <= 1e-15);
    // h u_xx / 2 at the insulated wall.
    assert!(value(bar, "solver", "boundary_error") > 1e-3);

    for figure in ["stefan_profile_0.6", "stefan_mass_0.6", "stefan_shock_0.6", "heat_wall_flux"] {
        let text = std::fs::read_to_string(out.join(format!("{figure}.svg"))).expect(figure);
        assert!(text.starts_with("<svg") && text.len() > 5_000, "{figure}");
    }
}

#[test]
fn missing_models_are_told_and_pages_keep_their_words() {
    let out = scratch("experiments_missing");
    let page = out.join("page.md");
    std::fs::write(&page, "before\n<!-- wave -->\nold\n<!-- end wave -->\nafter\n").unwrap();
    let arguments = ["wave", "--models", "nowhere", "--page", page.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let text = succeed(example("experiments"), arguments);
    assert!(text.contains("2 models missing: wave_boon wave_fno"), "{text}");
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.starts_with("before\n<!-- wave -->\n") && page.ends_with("<!-- end wave -->\nafter\n"), "{page}");
    assert!(page.contains("| solver |") && !page.contains("old"), "{page}");
    let unknown = run(example("experiments"), ["nothing"]);
    assert!(!unknown.status.success() && printed(&unknown).contains("unknown argument nothing"));
    assert!(Path::new(&out).exists());
}

#[test]
fn figures_may_be_written_beside_the_page() {
    let out = scratch("experiments_figures");
    let (page, figures) = (out.join("page.md"), out.join("results"));
    std::fs::create_dir_all(&figures).unwrap();
    std::fs::write(&page, "<!-- stokes -->\n<!-- end stokes -->\n").unwrap();
    let arguments = ["stokes", "--page", page.to_str().unwrap(), "--out", figures.to_str().unwrap()];
    succeed(example("experiments"), arguments);
    assert!(std::fs::read_to_string(figures.join("stokes_layer.svg")).unwrap().ends_with("</svg>\n"));
}

#[test]
fn the_page_has_no_empty_figure() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results");
    for file in std::fs::read_dir(results).unwrap() {
        let file = file.unwrap();
        assert!(file.metadata().unwrap().len() > 0, "{}", file.path().display());
    }
}
