//! Attentive neural process: condition on 100 points, then predict 201 targets at the mean latent and with 100 latents.
//!
//! The network of the published size (hidden 128) is read from the reference data where that is present; the shipped one
//! always. `benches/peers/anp.py` times the published PyTorch formula, in turns with ours.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};

#[path = "../tests/common/mod.rs"]
mod common;

fn models() -> Vec<(&'static str, Model)> {
    let mut models = vec![("shipped, hidden 64", Model::load(&common::stefan_path()).expect("the shipped model"))];
    let reference =
        std::env::var_os("PCML_REFERENCE_DIR").map_or("../shared/reference".into(), std::path::PathBuf::from);
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join(reference);
    if reference.is_dir() {
        models.push(("published, hidden 128", published(&reference)));
    }
    models
}

/// A network of the published size: names of the published weights less `.linear_layer`, as `pcml convert anp` has them.
fn published(reference: &Path) -> Model {
    let weights = common::read_tensors(&reference.join("probconserv_stefan/weights.safetensors"));
    let tensors = weights.into_iter().map(|(name, t)| (name.replace(".linear_layer", ""), t)).collect();
    let mut file = common::File { metadata: Default::default(), tensors };
    file.describe(serde_json::json!({
        "format": 1,
        "architecture": "anp",
        "anp": {"hidden": 128, "heads": 4, "dim_x": 2, "dim_y": 1, "min_sigma": 1e-3, "layer_norm_eps": 1e-5, "dropout": 0.1},
        "inputs": [{"name": "t", "unit": "1"}, {"name": "x", "unit": "1"}],
        "outputs": [{"name": "u", "unit": "1"}],
        "selftest": {"tolerance": 1e-9},
    }));
    Model::from_bytes_untested(&file.bytes()).expect("the published weights")
}

fn anp(c: &mut Criterion) {
    let context_x: Vec<f64> =
        (0..100).flat_map(|i| [0.01 * (i / 10) as f64 + 0.005, 0.1 * (i % 10) as f64 + 0.05]).collect();
    let context_y: Vec<f64> = (0..100).map(|i| if i % 10 < 4 { 1.0 - 0.1 * (i % 10) as f64 } else { 0.0 }).collect();
    let target_x: Vec<f64> = (0..201).flat_map(|i| [0.05, i as f64 / 200.0]).collect();
    for (name, model) in models() {
        let mut group = c.benchmark_group(name);
        group.sample_size(20);
        for (arithmetic, tag) in [(Dtype::F32, "f32"), (Dtype::F64, "f64")] {
            for latents in [0, 100] {
                let options = Options { context: Some(100), targets: Some(201), latents, ..Options::default() };
                let plan = Plan::new(&model, arithmetic, &options).expect("a plan");
                let mut workspace = plan.workspace().expect("a workspace");
                let (mut mean, mut variance) = ([0f64; 201], [0f64; 201]);
                group.bench_function(format!("{tag}, {latents} latents"), |b| {
                    b.iter(|| {
                        let x = View::new("context_x", &context_x, &[100, 2]).unwrap();
                        let y = View::new("context_y", &context_y, &[100, 1]).unwrap();
                        plan.condition(&mut workspace, &x, &y).unwrap();
                        plan.query(
                            &mut workspace,
                            &View::new("target_x", &target_x, &[201, 2]).unwrap(),
                            None,
                            &mut ViewMut::new("mean", &mut mean, &[201, 1]).unwrap(),
                            Some(&mut ViewMut::new("variance", &mut variance, &[201, 1]).unwrap()),
                        )
                        .unwrap();
                        black_box(mean[100])
                    })
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, anp);
criterion_main!(benches);
