//! Words errors.

use byname::{ExitStatus, StatusError};

/// A failure whose text is printed as it is: the engine's words say who failed.
pub(crate) fn bare(text: impl std::fmt::Display) -> anyhow::Error {
    StatusError::whole(ExitStatus::Failure, text.to_string()).into()
}

/// A description's template cannot be read. Docker's client has this status for that.
pub(crate) fn template(error: listing::TemplateError) -> anyhow::Error {
    StatusError::whole(ExitStatus::Code(64), error.to_string()).into()
}

/// A session failed. Our own output that nobody reads is byname's to judge.
pub(crate) fn session(error: attach::Error) -> anyhow::Error {
    match error {
        attach::Error::Stream(error) => bare(error),
        error => error.into(),
    }
}

/// A filter is none, which is a mistake in the command line.
pub(crate) fn filter(error: listing::InvalidFilter) -> anyhow::Error {
    StatusError::whole(ExitStatus::Code(125), error.to_string()).into()
}
