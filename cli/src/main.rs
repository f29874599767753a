//! The command `pcml`.
fn main() {}
