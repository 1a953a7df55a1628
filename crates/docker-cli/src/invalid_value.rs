//! The error for an invalid option value.

use std::fmt;

/// A value does not have the syntax of its option.
///
/// The text is what people and scripts know from Docker, the value within it; which option it was is added by who
/// reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidValue(String);

impl InvalidValue {
    /// The error of this text.
    pub fn new(text: impl Into<String>) -> InvalidValue {
        InvalidValue(text.into())
    }

    /// The same error with a prefix, `PREFIX: TEXT`.
    pub fn within(self, prefix: impl fmt::Display) -> InvalidValue {
        InvalidValue(format!("{prefix}: {}", self.0))
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidValue {}
