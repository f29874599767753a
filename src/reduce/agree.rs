//! The first message of parts that do something together: how each part fares, how many there are, and what all must agree on.

use super::Exact;
use crate::error::{Error, Result, Status, fail};

/// Most parts of a field.
pub(crate) const MOST_PARTS: i64 = 1 << 20;

// For each status the number of parts that have it, the number of parts, and words on which all must agree, each with its square.
const PARTS: usize = Status::all().len();
const WORDS: usize = PARTS + 1;
/// 16 bits each, so that the sum of their squares over 2^20 parts stays far within an integer.
const WORD_COUNT: usize = 12;
/// Integers of the first message.
pub(crate) const HELLO: usize = WORDS + 2 * WORD_COUNT;

/// FNV-1a over words.
pub(crate) fn digest(words: impl Iterator<Item = u64>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in words.flat_map(u64::to_le_bytes) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// Writes a part's first message: its error, and digests of what must be the same on all parts.
pub(crate) fn hello(message: &mut [i64], own: Option<&Error>, words: [u64; 3]) {
    message[..HELLO].fill(0);
    message[PARTS] = 1;
    if let Some(error) = own {
        message[error.status() as usize] = 1;
    }
    for word in 0..WORD_COUNT {
        let value = (words[word / 4] >> (16 * (word % 4)) & 0xffff) as i64;
        message[WORDS + 2 * word] = value;
        message[WORDS + 2 * word + 1] = value * value;
    }
}

/// What all parts have to say of themselves: an error of any part is an error of all. `names`: what the digests are of.
pub(crate) fn heed(message: &[i64], own: Option<Error>, names: [&str; 3]) -> Result<()> {
    let parts = message[PARTS];
    if !(1..=MOST_PARTS).contains(&parts) {
        return fail!(Reduction, "reduction: 1 from every part sums to {parts}, expected 1 to {MOST_PARTS}");
    }
    let told = &message[..PARTS];
    if told[Status::Ok as usize] != 0 || told.iter().any(|count| !(0..=parts).contains(count)) {
        return fail!(
            Reduction,
            "reduction: numbers of parts by status sum to {told:?}, expected 0 to {parts} and none by the first"
        );
    }
    if let Some(&status) = Status::all().iter().find(|&&status| message[status as usize] != 0) {
        return Err(match own {
            Some(error) if error.status() == status => error,
            _ => Error::new(status, format!("another part of the field was refused with {status:?}")),
        });
    }
    if let Some(error) = own {
        return fail!(Reduction, "reduction: lost the error of this part: {}", error.message());
    }
    // n sum w^2 = (sum w)^2 where all n words are equal, and nowhere else (Cauchy and Schwarz).
    let differs = |word: usize| {
        let (sum, squares) = (message[WORDS + 2 * word], message[WORDS + 2 * word + 1]);
        i128::from(parts) * i128::from(squares) != i128::from(sum) * i128::from(sum)
    };
    match (0..WORD_COUNT).find(|&word| differs(word)) {
        None => Ok(()),
        Some(word) => fail!(Mismatch, "{} differs between the parts, expected the same on all", names[word / 4]),
    }
}

/// Takes part in a conversation with nothing but an error: the other parts get its status instead of waiting for a part that never
/// comes. Returns the error of this part, which may be another part's.
pub fn abstain(error: Error, reduction: &mut dyn FnMut(&mut [i64]) -> Result<()>) -> Error {
    let mut message = [0; HELLO];
    hello(&mut message, Some(&error), [0; 3]);
    if let Err(failed) = reduction(&mut message) {
        return Error::new(Status::Reduction, failed.message());
    }
    match heed(&message, Some(error), [""; 3]) {
        Err(error) => error,
        Ok(()) => Error::new(Status::Reduction, "reduction: lost the error of this part"),
    }
}

/// The exact sum over all parts of what each has, in one message: an error of any part is an error of all, and so are `words` that differ;
/// the first is whether a second array is there.
pub fn together(
    exact: Exact,
    own: Option<Error>,
    words: [u64; 3],
    reduction: impl FnOnce(&mut [i64]) -> Result<()>,
) -> Result<Exact> {
    let mut message = [0; HELLO + Exact::BINS];
    hello(&mut message, own.as_ref(), words);
    message[HELLO..].copy_from_slice(&exact.bins());
    reduction(&mut message)?;
    heed(&message, own, ["second: NULL or not", "", ""])?;
    let mut bins = [0; Exact::BINS];
    bins.copy_from_slice(&message[HELLO..]);
    Ok(Exact::from_bins(&bins))
}
