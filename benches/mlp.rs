//! A perceptron 60-128-128-60 with ReLU through the C interface, f32, one thread, at batches of 1 to 65,536 rows; and what a call costs beside
//! the arithmetic: a network of one weight. Beside it the rate of faer's product in the same run.
//!
//! `cargo bench --bench mlp -- --json` prints one line of JSON with seconds for each batch: what `benches/peers/mlp.py` compares with.

#![allow(unsafe_code)]

#[path = "../tests/common/border.rs"]
mod border;
#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/networks.rs"]
mod networks;
#[path = "../tests/common/plans.rs"]
mod plans;

use std::time::Instant;

use border::{input, ok, output};
use networks::{perceptron, plain_channels, random, uniform};
use pcml::capi::pcml_options_set_batch;
use serde_json::{Value, json};

const BATCHES: [usize; 5] = [1, 16, 256, 4096, 65_536];
const ROWS: usize = 60;

/// Seconds of one call, the median of runs of several calls.
fn seconds(mut call: impl FnMut(), rows: usize) -> f64 {
    let calls = (200_000 / (rows + 20)).max(1);
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed().as_secs_f64() / calls as f64
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Seconds of a prediction with so many rows.
fn predict(file: &common::File, width: usize, rows: usize) -> f64 {
    let o = plans::Operator::with(file, 1, |options| ok(unsafe { pcml_options_set_batch(options, rows as i64) }));
    let x: Vec<f32> = uniform(1, 1, rows * width).iter().map(|v| *v as f32).collect();
    let mut y = vec![0f32; rows * width];
    let (x, y) = (input(&x, &[rows, width]), output(&mut y, &[rows, width]));
    seconds(|| ok(o.predict(&x, &[], &y)), rows)
}

/// Multiply-adds a second of faer's product of matrices in a first-level cache's multiple.
fn rate() -> f64 {
    use faer::linalg::matmul::matmul;
    use faer::{Accum, Mat, Par};
    let n = 512;
    let (a, b) = (Mat::from_fn(n, n, |i, j| (i + j) as f32), Mat::from_fn(n, n, |i, j| (i * j % 7) as f32));
    let mut c = Mat::<f32>::zeros(n, n);
    let time = seconds(|| matmul(&mut c, Accum::Replace, &a, &b, 1.0, Par::Seq), 10_000);
    (n * n * n) as f64 / time
}

fn main() {
    let network =
        perceptron(plain_channels("a", ROWS), &[128, 128], plain_channels("u", ROWS), json!("relu"), Value::Null);
    let file = random(&network, 1);
    let empty = random(&perceptron(plain_channels("a", 1), &[], plain_channels("u", 1), json!("relu"), Value::Null), 1);
    let overhead = predict(&empty, 1, 1);
    let times: Vec<f64> = BATCHES.iter().map(|rows| predict(&file, ROWS, *rows)).collect();
    let rate = rate();
    if std::env::args().any(|argument| argument == "--json") {
        let batches: Value = BATCHES.iter().zip(&times).map(|(rows, time)| (rows.to_string(), json!(time))).collect();
        println!("{}", json!({"batches": batches, "overhead": overhead, "rate": rate}));
        return;
    }
    let work = (ROWS * 128 + 128 * 128 + 128 * ROWS) as f64;
    println!("a call without arithmetic {:>8.0} ns", overhead * 1e9);
    for (rows, time) in BATCHES.iter().zip(&times) {
        let share = *rows as f64 * work / time / rate;
        println!(
            "{rows:>6} rows {:>11.2} us  {:>6.1} GFLOP/s, {share:.2} of faer's product",
            time * 1e6,
            2e-9 * *rows as f64 * work / time
        );
    }
}
