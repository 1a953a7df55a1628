//! The crate's error type.

use std::error::Error;
use std::fmt;

/// A text that names no image or no platform. The message is Docker's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName(String);

impl InvalidName {
    pub(crate) fn new(text: impl Into<String>) -> InvalidName {
        InvalidName(text.into())
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for InvalidName {}
