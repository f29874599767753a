//! The projection against memory: time over the time that the unavoidable traffic takes at the bandwidth of the same run:
//! mean, variance and weights read twice, mean and variance written, the faster of plain stores and stores past the caches.

#![allow(unsafe_code)]

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use criterion::{BenchmarkId, Throughput};
use pcml::constraint::{Bounds, Constraints, Part, PartInput, Posterior, Prior, Projector, ProjectorOptions, Rule};
use pcml::{View, ViewMut};
use pulp::{Simd, WithSimd};
use serde_json::json;

#[path = "common/turns.rs"]
mod turns;

struct Case {
    slices: usize,
    projector: Projector,
    mean: Vec<f64>,
    variance: Vec<f64>,
    b: Vec<f64>,
    posterior_mean: Vec<f64>,
    posterior_variance: Vec<f64>,
}

impl Case {
    fn new(cells: usize, slices: usize) -> Case {
        let points: Vec<f64> = (0..cells).map(|i| i as f64 / cells as f64).collect();
        let mut constraints = Constraints::new(cells).unwrap();
        constraints.add_quadrature(Rule::Trapezoid, View::new("points", &points, &[cells]).unwrap(), 0.0).unwrap();
        let total = cells * slices;
        let wave = |i: usize| (i % 977) as f64 / 977.0;
        Case {
            slices,
            projector: Projector::new(&constraints, Prior::Diagonal, &ProjectorOptions::default()).unwrap(),
            mean: (0..total).map(wave).collect(),
            variance: (0..total).map(|i| 0.01 + wave(i + 300)).collect(),
            b: (0..slices).map(|s| 0.4 + 0.001 * s as f64).collect(),
            posterior_mean: vec![0.0; total],
            posterior_variance: vec![0.0; total],
        }
    }

    fn run(&mut self, scratch: &mut pcml::constraint::Scratch) {
        let shape = [self.slices, self.projector.cells()];
        let posterior = Posterior {
            mean: ViewMut::new("posterior_mean", &mut self.posterior_mean, &shape).unwrap(),
            variance: Some(ViewMut::new("posterior_variance", &mut self.posterior_variance, &shape).unwrap()),
        };
        let mean = View::new("mean", &self.mean, &shape).unwrap();
        let variance = View::new("variance", &self.variance, &shape).unwrap();
        let b = View::new("b", &self.b, &shape[..1]).unwrap();
        self.projector.project(scratch, mean, Some(variance), b, posterior, None).unwrap();
    }
}

/// The same traffic with next to no arithmetic: three arrays read, then read again while two are written.
struct Stream<'a> {
    read: [&'a [f64]; 3],
    write: [&'a mut [f64]; 2],
    /// Write past the caches, which spares reading the lines first.
    past_caches: bool,
}

impl WithSimd for Stream<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Stream { read: [a, b, c], write: [x, y], past_caches } = self;
        let mut sums = [0.0; 32];
        let (a32, b32, c32) = (a.as_chunks::<32>().0, b.as_chunks::<32>().0, c.as_chunks::<32>().0);
        for ((a, b), c) in a32.iter().zip(b32).zip(c32) {
            for l in 0..32 {
                sums[l] += a[l] + b[l] + c[l];
            }
        }
        let s = sums.iter().sum::<f64>() * 1e-30;
        #[cfg(target_arch = "x86_64")]
        if past_caches && [&*x, &*y].iter().all(|w| (w.as_ptr() as usize).is_multiple_of(16)) {
            use std::arch::x86_64::{_mm_set_pd, _mm_sfence, _mm_stream_pd};
            let pairs = x.as_chunks_mut::<2>().0.iter_mut().zip(y.as_chunks_mut::<2>().0);
            let inputs = a.as_chunks::<2>().0.iter().zip(b.as_chunks::<2>().0).zip(c.as_chunks::<2>().0);
            for ((x, y), ((a, b), c)) in pairs.zip(inputs) {
                // SAFETY: aligned as checked, two doubles each.
                unsafe {
                    _mm_stream_pd(x.as_mut_ptr(), _mm_set_pd(a[1] + b[1] + s, a[0] + b[0] + s));
                    _mm_stream_pd(y.as_mut_ptr(), _mm_set_pd(b[1] + c[1] + s, b[0] + c[0] + s));
                }
            }
            // SAFETY: part of the base instruction set.
            unsafe { _mm_sfence() };
            return;
        }
        for ((((x, y), a), b), c) in x.iter_mut().zip(y.iter_mut()).zip(a).zip(b).zip(c) {
            *x = a + b + s;
            *y = b + c + s;
        }
    }
}

/// One thread for each case, the calling one among them, all at once.
fn side_by_side<C: Send>(cases: &mut [C], run: impl Fn(&mut C) + Sync) {
    let Some((first, others)) = cases.split_first_mut() else { return };
    std::thread::scope(|scope| {
        others.iter_mut().for_each(|case| drop(scope.spawn(|| run(case))));
        run(first);
    });
}

/// In turns with the floor; a thread for each case.
fn ratio(cases: &mut [Case]) {
    let (cells, slices, threads) = (cases[0].projector.cells(), cases[0].slices, cases.len());
    let total = cells * slices;
    let weights = vec![0.5; total];
    let mut scratches: Vec<_> = cases.iter().map(|case| case.projector.scratch(slices).unwrap()).collect();
    let rounds = turns::rounds((200_000_000 / total).clamp(5, 101));
    let [ours, plain, streamed] = turns::turns(rounds, |who| {
        if who == 0 {
            let mut pairs: Vec<_> = cases.iter_mut().zip(&mut scratches).collect();
            return side_by_side(&mut pairs, |(case, scratch)| case.run(scratch));
        }
        side_by_side(cases, |case| {
            let read = [&case.mean[..], &case.variance, &weights];
            let write = [&mut case.posterior_mean[..], &mut case.posterior_variance];
            pulp::Arch::new().dispatch(Stream { read, write, past_caches: who == 2 });
            black_box(case.posterior_mean.as_ptr());
        });
    });
    let floor: Vec<f64> = plain.iter().zip(&streamed).map(|(a, b)| a.min(*b)).collect();
    let bytes = (total * 8 * 8 * threads) as f64;
    let [low, share, high] = turns::quartiles(&turns::ratios(&floor, &ours));
    println!(
        "{threads} thread(s), {cells} cells x {slices} slices each: {:.3e} s, floor {:.3e} s ({:.1} GB/s), {share:.2} ({low:.2} to {high:.2}) of the bandwidth",
        turns::median(&ours),
        turns::median(&floor),
        bytes / turns::median(&floor) / 1e9,
    );
    let mut name = format!("{} cells", cells * threads);
    if slices > 1 {
        name += &format!(", {slices} slices");
    }
    if threads > 1 {
        name += &format!(", {threads} threads");
    }
    turns::record(&name, "pcml", &ours, json!({"bytes": bytes}));
    turns::record_beside(&name, "memory", &floor, &ours);
}

/// An all-reduce of two threads that wait for each other awake: a reduction takes no longer than it must.
#[derive(Default)]
struct Board {
    sums: Mutex<Vec<i64>>,
    arrived: AtomicUsize,
}

impl Board {
    fn sum(&self, values: &mut [i64]) {
        self.sums.lock().unwrap().resize(values.len(), 0);
        self.sums.lock().unwrap().iter_mut().zip(&*values).for_each(|(sum, value)| *sum += value);
        self.wait();
        values.copy_from_slice(&self.sums.lock().unwrap());
        self.wait();
        self.sums.lock().unwrap().clear();
        self.wait();
    }

    fn wait(&self) {
        let turn = self.arrived.fetch_add(1, Ordering::AcqRel) / 2;
        while self.arrived.load(Ordering::Acquire) / 2 == turn {
            std::hint::spin_loop();
        }
    }
}

/// So many parts of one field.
fn parted(cells: usize, count: usize) -> Vec<(Case, Part)> {
    (0..count)
        .map(|_| {
            let case = Case::new(cells / count, 1);
            let part = case.projector.part().unwrap();
            (case, part)
        })
        .collect()
}

/// One field in one part and in two, with the same bits, and as a whole.
fn parts(cells: usize) {
    let mut whole = Case::new(cells, 1);
    let mut scratch = whole.projector.scratch(1).unwrap();
    let mut parts = [parted(cells, 1), parted(cells, 2)];
    let rounds = turns::rounds((100_000_000 / cells).clamp(3, 101));
    let [whole, one, two] = turns::turns(rounds, |who| {
        if who == 0 {
            return whole.run(&mut scratch);
        }
        let board = Board::default();
        side_by_side(&mut parts[who - 1], |(case, part)| {
            let n = case.projector.cells();
            let posterior = Posterior {
                mean: ViewMut::new("posterior_mean", &mut case.posterior_mean, &[n]).unwrap(),
                variance: Some(ViewMut::new("posterior_variance", &mut case.posterior_variance, &[n]).unwrap()),
            };
            let input = PartInput {
                mean: View::new("mean", &case.mean, &[n]).unwrap(),
                variance: Some(View::new("variance", &case.variance, &[n]).unwrap()),
                b: View::new("b", &case.b, &[1]).unwrap(),
                bounds: Bounds { lower: None, upper: None },
            };
            let mut reduction = |values: &mut [i64]| {
                if who > 1 {
                    board.sum(values);
                }
                Ok(())
            };
            case.projector.project_part(part, &input, posterior, None, &mut reduction).unwrap();
        });
    });
    println!(
        "{cells} cells: one part {:.3e} s, two parts on two threads {:.3e} s, {:.2} times as fast",
        turns::median(&one),
        turns::median(&two),
        turns::median(&turns::ratios(&one, &two))
    );
    let name = format!("{cells} cells in parts");
    turns::record(&name, "pcml", &one, json!({"bytes": 64 * cells}));
    turns::record_beside(&name, "pcml, two parts on two threads", &two, &one);
    turns::record_beside(&name, "pcml, the whole", &whole, &one);
}

fn main() {
    let mut criterion = turns::criterion(2);
    let mut group = criterion.benchmark_group("projection");
    // `cargo test --benches` asks whether the bench runs, not how fast.
    let most = if turns::is_bench() { usize::MAX } else { 100_000 };
    let cases =
        [(201, 50), (1001, 1), (4001, 1), (10_000, 1), (100_000, 1), (1_000_000, 1), (10_000_000, 1), (100_000_000, 1)];
    for (cells, slices) in cases.into_iter().filter(|case| case.0 <= most) {
        let mut case = Case::new(cells, slices);
        let mut scratch = case.projector.scratch(slices).unwrap();
        group.throughput(Throughput::Bytes((cells * slices * 8 * 8) as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{cells}x{slices}")), |bencher| {
            bencher.iter(|| case.run(&mut scratch));
        });
        ratio(std::slice::from_mut(&mut case));
        drop(case);
        // Starting a thread takes as long as small fields.
        if cells >= 1_000_000 {
            ratio(&mut [Case::new(cells / 2, slices), Case::new(cells / 2, slices)]);
        }
    }
    group.finish();
    [100_000, 1_000_000, 10_000_000].into_iter().filter(|&cells| cells <= most).for_each(parts);
    criterion.final_summary();
}
