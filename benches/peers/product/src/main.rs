//! GFLOP/s of faer's products on one thread: f32 and f64, 1,024 x 1,024 x 1,024, and f64, 2,000 x 2,000 x 50. Medians, and in brackets the best.
//! Where PCML_RECORDS names a file, a line of JSON a product is appended to it, as the benches do.
//!
//! `cargo run --release --manifest-path benches/peers/product/Cargo.toml`, beside `cargo bench --bench fno`, `mlp` or `joint`.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::traits::ComplexField;
use faer::{Accum, Mat, Par};

/// A multiple of 4 and one more, so that quartiles are runs.
const RUNS: usize = 21;

fn rate<T: ComplexField>(name: &str, [m, k, n]: [usize; 3], value: fn(usize) -> T) {
    let a = Mat::<T>::from_fn(m, k, |i, j| value((i * 7 + j) % 13));
    let b = Mat::<T>::from_fn(k, n, |i, j| value((i * 5 + j) % 11));
    let mut c = Mat::<T>::zeros(m, n);
    let mut multiply = || {
        let start = Instant::now();
        matmul(&mut c, Accum::Replace, &a, &b, value(1), Par::Seq);
        black_box(&c);
        start.elapsed().as_secs_f64()
    };
    multiply();
    let mut seconds: Vec<f64> = (0..RUNS).map(|_| multiply()).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let (low, middle, high) = (seconds[RUNS / 4], seconds[RUNS / 2], seconds[3 * RUNS / 4]);
    let (case, flops) = (format!("{name}, {m} x {k} x {n}"), 2 * m * k * n);
    println!("{case}: {:.0} GFLOP/s ({:.0})", 1e-9 * flops as f64 / middle, 1e-9 * flops as f64 / seconds[0]);
    let Some(path) = std::env::var_os("PCML_RECORDS") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("the file of records");
    let line = format!(
        r#"{{"case": "{case}", "who": "faer", "median": {middle}, "quartiles": [{low}, {high}], "runs": {RUNS}, "flops": {flops}}}"#
    );
    writeln!(file, "{line}").expect("a record");
}

fn main() {
    rate("f32", [1024; 3], |i| i as f32);
    rate("f64", [1024; 3], |i| i as f64);
    rate("f64", [2000, 2000, 50], |i| i as f64);
}
