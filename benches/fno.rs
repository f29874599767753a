//! Fourier neural operators, FNO and BOON, batch 1, f32, one thread and two; beside them the arithmetic that they need and the rate of
//! faer's product in the same run.
//!
//! `cargo bench --bench fno -- --json` prints one line of JSON with seconds for each case: what `benches/peers/fno.py` compares with.
//! `--only CASE` and `--runs N` serve a profiler.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/operators.rs"]
mod operators;

use std::time::Instant;

use pcml::field::Dtype;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use serde_json::{Value, json};

struct Case {
    name: &'static str,
    grid: &'static [usize],
    width: usize,
    modes: &'static [usize],
    padding: &'static [usize],
    faces: usize,
}

const fn fno(
    name: &'static str,
    grid: &'static [usize],
    width: usize,
    modes: &'static [usize],
    padding: &'static [usize],
) -> Case {
    Case { name, grid, width, modes, padding, faces: 0 }
}

const CASES: [Case; 8] = [
    fno("fno_1d_500", &[500], 64, &[16], &[0]),
    fno("fno_2d_64x64", &[64, 64], 32, &[24, 12], &[9, 9]),
    fno("fno_2d_500x25", &[500, 25], 32, &[24, 12], &[9, 9]),
    fno("fno_2d_256x256", &[256, 256], 32, &[24, 12], &[9, 9]),
    fno("fno_3d_50x50x25", &[50, 50, 25], 20, &[16, 16, 8], &[0, 0, 6]),
    Case { name: "boon_1d_500", grid: &[500], width: 64, modes: &[16], padding: &[0], faces: 1 },
    Case { name: "boon_2d_500x25", grid: &[500, 25], width: 32, modes: &[24, 12], padding: &[0, 9], faces: 1 },
    Case {
        name: "boon_3d_50x50x25",
        grid: &[50, 50, 25],
        width: 20,
        modes: &[16, 16, 8],
        padding: &[0, 0, 6],
        faces: 2,
    },
];

/// A model of the case's size with random weights; `boon` false leaves the conditions out.
fn model(case: &Case, boon: bool) -> Model {
    let mut description = operators::plain(case.width, case.modes, case.padding);
    if boon {
        let faces: Vec<Value> = (0..case.faces)
            .flat_map(|axis| [-1, 1].map(|side| json!({"axis": axis, "side": side, "kind": "dirichlet"})))
            .collect();
        description["boon"] = json!({"rule": "exact", "faces": faces});
    }
    Model::from_bytes_untested(&operators::random(&description, 1).bytes()).expect("a model")
}

/// Multiply-adds of an evaluation, in flops: what the truncated transforms, the mixing and the pointwise layers do.
fn flops(case: &Case, boon: bool) -> f64 {
    let padded: Vec<f64> = case.grid.iter().zip(case.padding).map(|(n, p)| (n + p) as f64).collect();
    let (w, d) = (case.width as f64, case.grid.len());
    let rows = |axis: usize| {
        let m = case.modes[axis] as f64;
        if axis + 1 == d { 2.0 * m - 1.0 } else { m + 1.0 }
    };
    let points: f64 = padded.iter().product();
    let mut transform = 0.0;
    for axis in (0..d).rev() {
        // All axes after this one are components already.
        let others: f64 = (0..d).filter(|a| *a != axis).map(|a| if a > axis { rows(a) } else { padded[a] }).product();
        transform += 2.0 * rows(axis) * padded[axis] * others * w;
    }
    let mix = 8.0 * w * w * case.modes.iter().map(|m| *m as f64).product::<f64>() * if boon { 2.0 } else { 1.0 };
    let nodes: f64 = case.grid.iter().map(|n| *n as f64).product();
    let ends = nodes * 2.0 * ((1 + d) as f64 * w + 128.0 * w + 128.0);
    4.0 * (2.0 * transform + mix + points * 2.0 * w * w) + ends
}

fn seconds(case: &Case, model: &Model, boon: bool, threads: usize, repeats: usize) -> f64 {
    let options = Options { shape: Some(case.grid.to_vec()), threads, ..Options::default() };
    let plan = Plan::new(model, Dtype::F32, &options).expect("a plan");
    let mut workspace = plan.workspace().expect("a workspace");
    let nodes: usize = case.grid.iter().product();
    let input: Vec<f32> = (0..nodes).map(|i| (i as f32 * 0.37).sin()).collect();
    let mut output = vec![0f32; nodes];
    let faces = if boon { 2 * case.faces } else { 0 };
    let values: Vec<(Vec<f32>, Vec<usize>)> = (0..faces)
        .map(|f| {
            let axis = f / 2;
            let shape = [&[1][..], &case.grid[..axis], &case.grid[axis + 1..], &[1]].concat();
            (vec![0.25; shape.iter().product()], shape)
        })
        .collect();
    let values: Vec<View> = values.iter().map(|(v, shape)| View::new("face", v, shape).expect("a view")).collect();
    let shape = [&[1][..], case.grid, &[1]].concat();
    let mut times = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        plan.predict(
            &mut workspace,
            &View::new("input", &input, &shape).expect("a view"),
            &values,
            &mut ViewMut::new("output", &mut output, &shape).expect("a view"),
        )
        .expect("a prediction");
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Flops a second of faer's f32 product, one thread, 1,024 x 1,024 x 1,024.
fn peak(repeats: usize) -> f64 {
    let n = 1024;
    let a = faer::Mat::<f32>::from_fn(n, n, |i, j| ((i * 7 + j) % 13) as f32);
    let mut c = faer::Mat::<f32>::zeros(n, n);
    let mut best = f64::MAX;
    for _ in 0..repeats {
        let start = Instant::now();
        faer::linalg::matmul::matmul(c.as_mut(), faer::Accum::Replace, a.as_ref(), a.as_ref(), 1.0, faer::Par::Seq);
        best = best.min(start.elapsed().as_secs_f64());
    }
    2.0 * (n as f64).powi(3) / best
}

fn main() {
    let bench = std::env::args().any(|a| a == "--bench");
    let as_json = std::env::args().any(|a| a == "--json");
    let repeats = |base: usize| if bench { base } else { 1 };
    let mut found = serde_json::Map::new();
    let rate = peak(repeats(5));
    if !as_json {
        println!("faer's f32 product: {:.0} GFLOP/s", rate / 1e9);
        println!(
            "{:18} {:>9} {:>9} {:>8} {:>9} {:>8} {:>12}",
            "case", "ms", "GFLOP", "of faer", "2 threads", "ratio", "over its FNO"
        );
    }
    let option = |name: &str| std::env::args().skip_while(|a| a != name).nth(1);
    let (only, fixed) = (option("--only"), option("--runs").map(|runs| runs.parse().expect("a number of runs")));
    for case in CASES.iter().filter(|case| only.as_ref().is_none_or(|name| name == case.name)) {
        let boon = case.faces > 0;
        let model_here = model(case, boon);
        let runs = fixed.unwrap_or(repeats(if case.grid.len() == 1 { 201 } else { 21 }));
        let one = seconds(case, &model_here, boon, 1, runs);
        found.insert(case.name.into(), json!(one));
        if as_json {
            continue;
        }
        let two = seconds(case, &model_here, boon, 2, runs);
        let over = if boon {
            format!("{:.2}", one / seconds(case, &model(case, false), false, 1, runs))
        } else {
            String::new()
        };
        let work = flops(case, boon);
        println!(
            "{:18} {:9.3} {:9.3} {:8.2} {:9.3} {:8.2} {:>12}",
            case.name,
            one * 1e3,
            work / 1e9,
            work / one / rate,
            two * 1e3,
            one / two,
            over
        );
    }
    if as_json {
        println!("{}", Value::Object(found));
    }
}
