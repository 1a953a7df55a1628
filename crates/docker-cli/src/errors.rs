//! Errors with the statuses of Docker's client, printed as they are: its own words and the engine's say who failed.

use std::fmt::Display;

use attach::FORCED_EXIT;
use byname::{ExitStatus, StatusError};

/// Docker's client ends with this where an option's value is refused.
const REFUSED: ExitStatus = ExitStatus::Code(125);
/// And with this where the template of a description cannot be read.
const TEMPLATE: ExitStatus = ExitStatus::Code(64);

/// A failure whose text is printed as it is, with status 1.
pub fn bare(text: impl Display) -> anyhow::Error {
    with_status(ExitStatus::Failure, text)
}

/// A failure whose text is printed as it is, with this status.
pub fn with_status(status: ExitStatus, text: impl Display) -> anyhow::Error {
    StatusError::whole(status, text.to_string()).into()
}

/// A description's template cannot be read.
pub fn template(error: impl Display) -> anyhow::Error {
    with_status(TEMPLATE, error)
}

/// A filter cannot be read.
pub fn filter(error: impl Display) -> anyhow::Error {
    with_status(REFUSED, error)
}

/// A session failed. Our own output that nobody reads is byname's to judge.
pub fn session(error: attach::Error) -> anyhow::Error {
    match error {
        attach::Error::Stream(error) => bare(error),
        error => error.into(),
    }
}

/// The user has asked for the third time to leave.
pub fn forced() -> anyhow::Error {
    bare(FORCED_EXIT)
}

/// A signal ended the command, which is all there is to say.
pub fn interrupted(signal: u8) -> anyhow::Error {
    StatusError::silent(ExitStatus::Signal(signal)).into()
}
