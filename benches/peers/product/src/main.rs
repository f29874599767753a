//! GFLOP/s of faer's products on one thread: f32 and f64, 1,024 x 1,024 x 1,024, and f64, 2,000 x 2,000 x 50.
//!
//! `cargo run --release --manifest-path benches/peers/product/Cargo.toml`, beside `cargo bench --bench fno`, `mlp` or `joint`.

use std::hint::black_box;
use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::traits::ComplexField;
use faer::{Accum, Mat, Par};

fn rate<T: ComplexField>([m, k, n]: [usize; 3], value: fn(usize) -> T) -> f64 {
    let a = Mat::<T>::from_fn(m, k, |i, j| value((i * 7 + j) % 13));
    let b = Mat::<T>::from_fn(k, n, |i, j| value((i * 5 + j) % 11));
    let mut c = Mat::<T>::zeros(m, n);
    let mut best = f64::MAX;
    for _ in 0..9 {
        let start = Instant::now();
        matmul(&mut c, Accum::Replace, &a, &b, value(1), Par::Seq);
        black_box(&c);
        best = best.min(start.elapsed().as_secs_f64());
    }
    2e-9 * (m * k * n) as f64 / best
}

fn main() {
    println!("f32, 1024 x 1024 x 1024: {:.0} GFLOP/s", rate([1024; 3], |i| i as f32));
    println!("f64, 1024 x 1024 x 1024: {:.0} GFLOP/s", rate([1024; 3], |i| i as f64));
    println!("f64, 2000 x 2000 x 50:   {:.0} GFLOP/s", rate([2000, 2000, 50], |i| i as f64));
}
