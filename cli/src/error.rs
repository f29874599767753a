//! A failed command: one line of text that names the culprit and what was expected.

use std::fmt;

/// The text after `pcml: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Error {
        Error(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<pcml::error::Error> for Error {
    fn from(e: pcml::error::Error) -> Error {
        Error(e.message().to_string())
    }
}

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// `Err(Error)` from format arguments.
macro_rules! refuse {
    ($($text:tt)+) => {
        Err($crate::error::Error::new(format!($($text)+)))
    };
}
pub(crate) use refuse;
