//! Contestants measured in turns, so that all of them see the same neighbours on the machine, and what each took told by median and
//! quartiles. Where PCML_RECORDS names a file, a line of JSON a contestant is appended to it: what `benches/performance` reads.
#![allow(dead_code)]

use std::io::Write;
use std::time::{Duration, Instant};

use criterion::Criterion;
use serde_json::{Value, json};

/// A run is repeated until it takes as long, in seconds: clocks are coarse.
const SHORTEST: f64 = 1e-3;
/// Rounds of a quick bench.
const QUICK: usize = 3;

fn asked(option: &str) -> bool {
    std::env::args().any(|argument| argument == option)
}

/// `cargo test --benches` asks whether the bench runs, not how fast.
pub fn is_bench() -> bool {
    asked("--bench")
}

/// Few samples of so many seconds in all: what is compared is measured in turns.
pub fn criterion(seconds: u64) -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(seconds))
        .configure_from_args()
}

/// So many rounds; few where `--quick` is asked for, one where time does not count.
pub fn rounds(full: usize) -> usize {
    match (is_bench(), asked("--quick")) {
        (false, _) => 1,
        (true, true) => QUICK.min(full),
        (true, false) => full,
    }
}

/// Seconds of each contestant in each round; `run` gets the contestant's number. What is timed comes after a run that is not, which brings
/// its data back into the caches.
pub fn turns<const N: usize>(rounds: usize, mut run: impl FnMut(usize)) -> [Vec<f64>; N] {
    let mut seconds = |who: usize, calls: usize| {
        let start = Instant::now();
        (0..calls).for_each(|_| run(who));
        start.elapsed().as_secs_f64() / calls as f64
    };
    let calls: [usize; N] = std::array::from_fn(|who| {
        let first = seconds(who, 1);
        if is_bench() { (SHORTEST / first) as usize + 1 } else { 1 }
    });
    let mut found: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for (who, found) in found.iter_mut().enumerate() {
            if is_bench() {
                seconds(who, 1);
            }
            found.push(seconds(who, calls[who]));
        }
    }
    found
}

/// Lower quartile, median and upper quartile.
pub fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| {
        let at = quarter as f64 / 4.0 * (sorted.len() - 1) as f64;
        let (low, part) = (at as usize, at.fract());
        sorted[low] + part * (sorted[(low + 1).min(sorted.len() - 1)] - sorted[low])
    })
}

pub fn median(values: &[f64]) -> f64 {
    quartiles(values)[1]
}

/// Of each round, how many times as long as `ours` the other took.
pub fn ratios(other: &[f64], ours: &[f64]) -> Vec<f64> {
    other.iter().zip(ours).map(|(other, ours)| other / ours).collect()
}

/// What `ours` took; `more` has what it needs at least, `flops` and `bytes`, or a `note`.
pub fn record(case: &str, who: &str, ours: &[f64], more: Value) {
    write(case, who, ours, None, more);
}

/// What another took in the same rounds: a floor, a peer or another way.
pub fn record_beside(case: &str, who: &str, other: &[f64], ours: &[f64]) {
    write(case, who, other, Some(ours), Value::Null);
}

fn write(case: &str, who: &str, seconds: &[f64], ours: Option<&[f64]>, more: Value) {
    let Some(path) = std::env::var_os("PCML_RECORDS") else { return };
    let [low, middle, high] = quartiles(seconds);
    let mut line = json!({"case": case, "who": who, "median": middle, "quartiles": [low, high], "runs": seconds.len()});
    if let Some(ours) = ours {
        let [low, middle, high] = quartiles(&ratios(seconds, ours));
        line["ratio"] = json!(middle);
        line["ratio_quartiles"] = json!([low, high]);
    }
    if let Value::Object(more) = more {
        line.as_object_mut().expect("an object").extend(more);
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{line}")).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
