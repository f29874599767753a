//! Every model under examples/models loads, which runs its self-test, says where it comes from, and has a training log.

#[path = "common/tools.rs"]
mod tools;

use pcml::model::Model;
use tools::root;

#[test]
fn shipped_models_load_and_say_where_they_come_from() {
    let mut found = 0;
    for entry in std::fs::read_dir(root().join("examples/models")).expect("the models") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|n| n.to_str()).expect("a name").to_string();
        let size = std::fs::metadata(&path).expect("a file").len();
        assert!(size <= 5_000_000, "{name}: {size} bytes");
        let model = Model::load(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        for key in ["title", "training_data", "recipe", "licence", "settings"] {
            assert!(!model.description().provenance[key].is_null(), "{name}: provenance has no {key}");
        }
        assert!(root().join(format!("examples/training/logs/{name}.csv")).is_file(), "{name} has no training log");
        found += 1;
    }
    assert!(found > 0);
}
