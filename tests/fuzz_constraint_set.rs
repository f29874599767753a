//! What the fuzzer of fuzz/ does with sets of constraints, in small: its corpus and a fixed number of random ones, the same on each run.

mod common;
#[path = "../fuzz/src/constraint_set.rs"]
mod constraint_set;
#[path = "../fuzz/src/random.rs"]
#[allow(dead_code)]
mod random;

use std::path::PathBuf;

use constraint_set::{Reached, constraint_set};
use random::Random;

fn corpus() -> PathBuf {
    common::tree().join("fuzz/corpus/constraint_set")
}

#[test]
fn the_corpus_keeps_the_promises() {
    let mut count = 0;
    for entry in std::fs::read_dir(corpus()).expect("the corpus") {
        let path = entry.expect("an entry").path();
        println!("{}", path.display());
        constraint_set(&std::fs::read(path).expect("a file"));
        count += 1;
    }
    assert!(count > 0, "the corpus is empty");
}

#[test]
fn random_sets_keep_the_promises() {
    let mut random = Random(common::setting("PCML_FUZZ_SEED", 1));
    let mut reached = [0; 3];
    let count = common::setting("PCML_FUZZ_SETS", 20_000);
    let mut bytes = Vec::new();
    for _ in 0..count {
        // Half of them are the one before with some bytes changed.
        if bytes.is_empty() || random.once_in(2) {
            bytes = (0..64 + random.below(1500)).map(|_| random.word() as u8).collect();
        } else {
            for _ in 0..1 + random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = random.word() as u8;
            }
        }
        let outcome = std::panic::catch_unwind(|| constraint_set(&bytes));
        let kept = corpus().join("found");
        let came = outcome.unwrap_or_else(|_| {
            std::fs::write(&kept, &bytes).expect("a file");
            panic!("a set breaks a promise: {}", kept.display())
        });
        reached[came as usize] += 1;
    }
    println!("{count} sets: {} refused, {} without a lawful state, {} lawful", reached[0], reached[1], reached[2]);
    assert!(reached[2] as u64 > count / 5, "too few come far: {reached:?}");
    assert_eq!(Reached::Lawful as usize, 2);
}
