//! Fourier neural operators, FNO and BOON, batch 1, f32, one thread and two; beside them the arithmetic that they need. The
//! rate of faer's product on the machine: `benches/peers/product`; peers in other languages: `benches/peers/fno.py`.
//!
//! `--only CASE` and `--runs N` serve a profiler; `--only CASE --save PATH` writes the case's model file and measures nothing. `--axes` prints
//! instead what both transforms of single axes take.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/operators.rs"]
mod operators;
#[path = "common/turns.rs"]
mod turns;

use std::time::Instant;

use pcml::field::Dtype;
use pcml::kernels::fft::{Fast, is_faster};
use pcml::kernels::fold::{Fold, Places, Unfold};
use pcml::kernels::fourier::Axis;
use pcml::kernels::product::Start;
use pcml::kernels::real::Real;
use pcml::model::{Model, Options, Plan, Transforms, Workspace};
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

const CASES: [Case; 11] = [
    fno("fno_1d_500", &[500], 64, &[16], &[0]),
    fno("fno_2d_64x64", &[64, 64], 32, &[24, 12], &[9, 9]),
    fno("fno_2d_500x25", &[500, 25], 32, &[24, 12], &[9, 9]),
    fno("fno_2d_256x256", &[256, 256], 32, &[24, 12], &[9, 9]),
    fno("fno_3d_50x50x25", &[50, 50, 25], 20, &[16, 16, 8], &[0, 0, 6]),
    fno("fno_1d_4096_of_1024", &[4096], 64, &[1024], &[0]),
    fno("fno_1d_16384_of_512", &[16384], 64, &[512], &[0]),
    fno("fno_2d_4096x32", &[4096, 32], 32, &[512, 12], &[0, 0]),
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

/// A model file of the case's size with random weights; `boon` false leaves the conditions out.
fn file(case: &Case, boon: bool) -> common::File {
    let mut description = operators::plain(case.width, case.modes, case.padding);
    if boon {
        let faces: Vec<Value> = (0..case.faces)
            .flat_map(|axis| [-1, 1].map(|side| json!({"axis": axis, "side": side, "kind": "dirichlet"})))
            .collect();
        description["boon"] = json!({"rule": "exact", "faces": faces});
    }
    operators::random(&description, 1)
}

fn model(case: &Case, boon: bool) -> Model {
    Model::from_bytes_untested(&file(case, boon).bytes()).expect("a model")
}

/// Weights as f32, which the file keeps as f64.
fn weight_bytes(file: &common::File) -> usize {
    4 * file.tensors.values().map(|(_, values)| values.len()).sum::<usize>()
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

/// A plan, its workspace and arrays, ready to be run again and again.
struct Ready {
    plan: Plan,
    workspace: Workspace,
    shape: Vec<usize>,
    input: Vec<f32>,
    output: Vec<f32>,
    values: Vec<(Vec<f32>, Vec<usize>)>,
}

impl Ready {
    fn new(case: &Case, model: &Model, boon: bool, threads: usize, transforms: Transforms) -> Ready {
        let options = Options { shape: Some(case.grid.to_vec()), threads, transforms, ..Options::default() };
        let plan = Plan::new(model, Dtype::F32, &options).expect("a plan");
        let workspace = plan.workspace().expect("a workspace");
        let nodes: usize = case.grid.iter().product();
        let faces = if boon { 2 * case.faces } else { 0 };
        let values = (0..faces)
            .map(|f| {
                let axis = f / 2;
                let shape = [&[1][..], &case.grid[..axis], &case.grid[axis + 1..], &[1]].concat();
                (vec![0.25; shape.iter().product()], shape)
            })
            .collect();
        let shape = [&[1][..], case.grid, &[1]].concat();
        let input = (0..nodes).map(|i| (i as f32 * 0.37).sin()).collect();
        Ready { plan, workspace, shape, input, output: vec![0f32; nodes], values }
    }

    fn run(&mut self) {
        let values: Vec<View> =
            self.values.iter().map(|(v, shape)| View::new("face", v, shape).expect("a view")).collect();
        let input = View::new("input", &self.input, &self.shape).expect("a view");
        let mut output = ViewMut::new("output", &mut self.output, &self.shape).expect("a view");
        self.plan.predict(&mut self.workspace, &input, &values, &mut output).expect("a prediction");
    }
}

/// Seconds of each of some calls, ascending.
fn times(repeats: usize, mut work: impl FnMut()) -> Vec<f64> {
    let mut times: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

/// What there and back take along one axis, ns a column by fast transforms and by matrices, and which of them a plan takes.
fn axes<T: Real>(name: &str, repeats: usize) {
    const WIDTH: usize = 64;
    println!("{name:6} {:>6} {:>6} {:>9} {:>10} {:>8}", "points", "modes", "fast", "matrix", "taken");
    for points in [128, 256, 500, 1000, 1024, 2187, 4096, 6000, 16_384] {
        for modes in [8, 16, 32, 64, 128, 256, 512].into_iter().filter(|modes| 4 * modes <= points) {
            let axis = Axis::<T>::new("axis", points, modes, true, 0).expect("an axis");
            axis.make_matrices().expect("matrices");
            let fast = Fast::new(&axis).expect("transforms");
            let (fold, unfold) =
                (Fold::new(&axis).expect("a fold"), Unfold::new(&axis, axis.inverse(), 1).expect("a fold"));
            let mut x = vec![T::ONE; points * WIDTH + T::PANEL];
            let mut z = vec![T::ZERO; axis.rows() * WIDTH + T::PANEL];
            let mut buffer = vec![T::ZERO; fast.buffer_len()];
            let of_fast = times(repeats, || {
                fast.forward((&x, WIDTH), WIDTH, (&mut z, WIDTH), &mut buffer);
                fast.inverse((&z, WIDTH), WIDTH, (&mut x, WIDTH), &mut buffer);
            })[0];
            let (arch, pairs, places) = (pulp::Arch::new(), fold.pairing.pairs(), Places::line(points, WIDTH));
            let of_matrices = times(repeats, || {
                fold.apply(arch, 0..fold.rows(), 0..pairs, (&x, places), WIDTH, Start::Zero, &mut z, WIDTH);
                unfold.apply(arch, 0..pairs, (&z, WIDTH), WIDTH, Start::Zero, None, (&mut x, places));
            })[0];
            let [fast, matrix] = [of_fast, of_matrices].map(|time| 1e9 * time / WIDTH as f64);
            let taken = if is_faster(&axis).expect("a choice") { "fast" } else { "matrix" };
            println!("{:6} {points:6} {modes:6} {fast:9.0} {matrix:10.0} {taken:>8}", "");
        }
    }
}

fn main() {
    if std::env::args().any(|a| a == "--axes") {
        let repeats = turns::rounds(21);
        axes::<f32>("f32", repeats);
        return axes::<f64>("f64", repeats);
    }
    let option = |name: &str| std::env::args().skip_while(|a| a != name).nth(1);
    let (only, fixed) = (option("--only"), option("--runs").map(|runs| runs.parse().expect("a number of runs")));
    // `cargo test --benches` asks whether the bench runs: the largest cases, whose plans take seconds, differ in size alone.
    let most = if turns::is_bench() { f64::INFINITY } else { 3e9 };
    let mut cases =
        CASES.iter().filter(|case| only.as_ref().is_none_or(|name| name == case.name) && flops(case, false) < most);
    if let Some(path) = option("--save") {
        let case = cases.next_back().expect("a case");
        let file = operators::with_selftest(file(case, case.faces > 0));
        return std::fs::write(&path, file.bytes()).expect("a model file");
    }
    println!(
        "{:20} {:>9} {:>9} {:>8} {:>9} {:>8} {:>12} {:>10}",
        "case", "ms", "GFLOP", "GFLOP/s", "2 threads", "ratio", "over its FNO", "by matrix"
    );
    for case in cases {
        let boon = case.faces > 0;
        let model_here = model(case, boon);
        let runs = fixed.unwrap_or(turns::rounds(if case.grid.len() == 1 { 201 } else { 21 }));
        let ready = |threads, transforms| Ready::new(case, &model_here, boon, threads, transforms);
        // Without conditions the last is the first again.
        let mut ready = [
            ready(1, Transforms::Auto),
            ready(2, Transforms::Auto),
            ready(1, Transforms::Matrix),
            Ready::new(case, &model(case, false), false, 1, Transforms::Auto),
        ];
        let [one, two, by_matrix, plain] = turns::turns(runs, |who| ready[who].run());
        let seconds = turns::median(&one);
        let ratio = |other: &[f64]| turns::median(&turns::ratios(other, &one));
        let over = if boon { format!("{:.2}", 1.0 / ratio(&plain)) } else { String::new() };
        let work = flops(case, boon);
        println!(
            "{:20} {:9.3} {:9.3} {:8.1} {:9.3} {:8.2} {:>12} {:10.3}",
            case.name,
            seconds * 1e3,
            work / 1e9,
            work / seconds / 1e9,
            turns::median(&two) * 1e3,
            1.0 / ratio(&two),
            over,
            turns::median(&by_matrix) * 1e3
        );
        // Each block reads and writes its field once.
        let points: usize = case.grid.iter().zip(case.padding).map(|(n, p)| n + p).product();
        let bytes = weight_bytes(&file(case, boon)) + 4 * 2 * 4 * points * case.width;
        turns::record(case.name, "pcml", &one, json!({"flops": work, "bytes": bytes}));
        turns::record_beside(case.name, "pcml, 2 threads", &two, &one);
        turns::record_beside(case.name, "pcml, by matrices", &by_matrix, &one);
        if boon {
            turns::record_beside(case.name, "pcml, without conditions", &plain, &one);
        }
    }
}
