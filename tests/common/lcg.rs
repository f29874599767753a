//! Numbers of no pattern, the same in every run.

/// The next state of a linear congruential generator (Knuth's MMIX), whose high bits are the good ones.
pub fn step(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *state
}
