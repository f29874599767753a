//! Any bytes as a model file, from mutations that know the format and keep the digest right.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use pcml_fuzz::{Random, exercise, mutate};

fuzz_target!(|data: &[u8]| {
    exercise::model_file(data);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random(seed as u64);
    let new = if random.once_in(5) {
        let size = fuzzer_mutate(data, size, max_size);
        let new = data[..size].to_vec();
        if random.once_in(4) { new } else { mutate::with_digest(&new).unwrap_or(new) }
    } else {
        mutate::mutate(&data[..size], random.word())
    };
    if new.len() > max_size {
        return size.min(max_size);
    }
    data[..new.len()].copy_from_slice(&new);
    new.len()
});
