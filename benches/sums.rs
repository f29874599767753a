//! Exact sums and dot products against plain ones of 16 lanes, in interleaved runs of the same program, as ratios.

use std::hint::black_box;

use criterion::{BenchmarkId, Throughput};
use pcml::reduce::Exact;
use pulp::{Arch, Simd, WithSimd};
use serde_json::json;

#[path = "common/turns.rs"]
mod turns;

struct Sum<'a>(&'a [f64]);

impl WithSimd for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut lanes = [0.0; 16];
        let (groups, rest) = self.0.as_chunks::<16>();
        for group in groups {
            for l in 0..16 {
                lanes[l] += group[l];
            }
        }
        lanes.iter().chain(rest).sum()
    }
}

struct Dot<'a>(&'a [f64], &'a [f64]);

impl WithSimd for Dot<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut lanes = [0.0f64; 16];
        for (a, b) in self.0.as_chunks::<16>().0.iter().zip(self.1.as_chunks::<16>().0) {
            for l in 0..16 {
                lanes[l] = a[l].mul_add(b[l], lanes[l]);
            }
        }
        lanes.iter().sum()
    }
}

fn exact_sum(x: &[f64]) -> f64 {
    let mut sum = Exact::default();
    sum.add_slice(x);
    sum.round()
}

fn exact_dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sum = Exact::default();
    sum.add_products(x, y);
    sum.round()
}

/// Values of one magnitude, over 12 decades with both signs, and over 600 decades, where every value goes by itself.
fn fields(n: usize) -> [(&'static str, Vec<f64>); 3] {
    let wave = |i: usize| (i % 977) as f64 / 977.0 + 0.1;
    let swing = |i: usize, decades: i32| {
        let x = wave(i) * 10f64.powi((i * 7919 % 1009) as i32 * decades / 1009 - decades / 2);
        if i.is_multiple_of(3) { -x } else { x }
    };
    [
        ("even", (0..n).map(wave).collect()),
        ("12 decades", (0..n).map(|i| swing(i, 12)).collect()),
        ("600 decades", (0..n).map(|i| swing(i, 600)).collect()),
    ]
}

fn main() {
    let mut criterion = turns::criterion(2);
    let mut group = criterion.benchmark_group("sums");
    let arch = Arch::new();
    for n in [10_000, 10_000_000] {
        group.throughput(Throughput::Elements(n as u64));
        let other: Vec<f64> = (0..n).map(|i| 1.0 + (i % 31) as f64 * 0.03).collect();
        for (name, x) in fields(n) {
            group.bench_function(BenchmarkId::new(format!("exact sum, {name}"), n), |b| b.iter(|| exact_sum(&x)));
            group.bench_function(BenchmarkId::new(format!("exact dot, {name}"), n), |b| {
                b.iter(|| exact_dot(&x, &other))
            });
            let times = turns::turns(turns::rounds((300_000_000 / n).clamp(4, 101)), |who| {
                black_box(match who {
                    0 => arch.dispatch(Sum(&x)),
                    1 => exact_sum(&x),
                    2 => arch.dispatch(Dot(&x, &other)),
                    _ => exact_dot(&x, &other),
                });
            });
            let [sum, exact, dot, product] = &times;
            for (kind, ours, plain, bytes) in [("sum", exact, sum, 8 * n), ("dot product", product, dot, 16 * n)] {
                let case = format!("{kind} of {n} values, {name}");
                turns::record(&case, "pcml", ours, json!({"bytes": bytes}));
                turns::record_beside(&case, "plain", plain, ours);
            }
            let each = times.map(|t| turns::median(&t) * 1e9 / n as f64);
            println!(
                "{n} values, {name}: sum {:.2} ns, exact {:.2} ns, ratio {:.2}; dot {:.2} ns, exact {:.2} ns, ratio {:.2}",
                each[0],
                each[1],
                each[1] / each[0],
                each[2],
                each[3],
                each[3] / each[2]
            );
        }
    }
    group.finish();
    criterion.final_summary();
}
