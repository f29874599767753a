//! Files that a chore makes and that are committed.

use crate::root;

/// Writes such a file.
pub fn write(path: &str, text: &str) -> Result<(), String> {
    std::fs::write(root().join(path), text).map_err(|e| format!("{path}: {e}"))
}

/// Fails when the committed one is not what `chore` makes.
pub fn check(path: &str, text: &str, chore: &str) -> Result<(), String> {
    match std::fs::read_to_string(root().join(path)) {
        Ok(committed) if committed == text => Ok(()),
        _ => Err(format!("{path} is out of date; run `cargo xtask {chore}`")),
    }
}
