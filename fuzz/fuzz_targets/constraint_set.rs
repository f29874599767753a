//! Any bytes as a set of constraints, a prior and states.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pcml_fuzz::constraint_set::constraint_set;

fuzz_target!(|data: &[u8]| {
    constraint_set(data);
});
