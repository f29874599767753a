//! What the stories share that are told in several languages: claims, the error, and the bits by which they are compared.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// The model file that was named, else the shipped one.
pub fn model(name: &str) -> PathBuf {
    let shipped = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("examples/models/{name}.safetensors"));
    std::env::args_os().nth(1).map_or_else(shipped, PathBuf::from)
}

#[derive(Default)]
pub struct Claims {
    failures: usize,
}

impl Claims {
    pub fn claim(&mut self, holds: bool, what: &str) {
        if !holds {
            eprintln!("does not hold: {what}");
            self.failures += 1;
        }
    }

    pub fn all_held(&self) -> bool {
        self.failures == 0
    }

    pub fn exit(&self) -> ExitCode {
        if self.all_held() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The relative L2 error, in percent.
pub fn error(u: &[f64], truth: &[f64]) -> f64 {
    let (mut apart, mut size) = (0.0, 0.0);
    for (u, t) in u.iter().zip(truth) {
        apart += (u - t) * (u - t);
        size += t * t;
    }
    100.0 * f64::sqrt(apart / size)
}

/// Adds a field to the bits: for each value rotate left by one, then exclusive or.
pub fn mix(bits: u64, u: &[f64]) -> u64 {
    u.iter().fold(bits, |bits, value| bits.rotate_left(1) ^ value.to_bits())
}
