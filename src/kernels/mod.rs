//! What makes it fast: strided access, packed products, elementary functions, counter-based random numbers.
//!
//! The results of every kernel depend on its inputs alone: sums run in a fixed order that neither the vector width nor the
//! position in a batch changes, and fused multiply-adds stand only where they are written.

// The second of the two rooms with unsafe code: raw strided access to the caller's memory.
#![allow(unsafe_code)]

pub mod activation;
pub mod channels;
pub mod clip;
pub mod double;
pub mod exact;
pub mod fft;
pub mod fold;
pub mod fourier;
pub mod linear;
pub mod modes;
pub mod moments;
pub mod pages;
pub mod prefetch;
pub mod product;
pub mod random;
pub mod real;
pub mod rows;
pub mod shared;
pub mod spectral;
pub mod strided;
pub mod team;

/// The instruction sets of this machine beside the best one.
#[cfg(test)]
pub(crate) fn other_archs() -> Vec<pulp::Arch> {
    let mut all = vec![pulp::Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    all.extend(pulp::x86::V3::try_new().map(pulp::Arch::V3));
    all
}
