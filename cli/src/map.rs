//! Files mapped into memory: tensors are read where they lie.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::error::{Error, Result};

/// A file's bytes.
#[allow(unsafe_code)]
pub fn map(path: &Path) -> Result<Mmap> {
    let failed = |e: std::io::Error| Error::new(format!("{}: {e}", path.display()));
    let file = File::open(path).map_err(failed)?;
    // SAFETY: the map is read alone. Whoever shortens the file under a running command ends that command with a signal, and no
    // other process.
    unsafe { Mmap::map(&file) }.map_err(failed)
}
