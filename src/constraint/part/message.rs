//! What parts tell each other.

pub(super) use crate::reduce::agree::{HELLO, digest, hello};

use crate::error::{Error, Result};
use crate::reduce::{Exact, agree};

pub(super) const BINS: usize = Exact::BINS;

pub(super) fn read(message: &[i64], at: usize) -> Exact {
    let mut bins = [0; BINS];
    bins.copy_from_slice(&message[at * BINS..(at + 1) * BINS]);
    Exact::from_bins(&bins)
}

/// What all parts have to say of themselves.
pub(super) fn heed(message: &[i64], own: Option<Error>) -> Result<()> {
    agree::heed(message, own, ["b", "the rows' number or noise", "prior, dtype or the presence of bounds"])
}
