//! Errors that carry a status, a text or a hint out of a handler.

use std::error::Error;
use std::fmt;

use crate::status::ExitStatus;

/// An error with an exit status: the command ends with it and not with 1.
///
/// ```
/// use byname::{ExitStatus, StatusError};
///
/// fn pull(name: &str) -> anyhow::Result<()> {
///     Err(StatusError::new(ExitStatus::Code(125), format!("no such image: {name}")).into())
/// }
/// assert_eq!(pull("x").unwrap_err().to_string(), "no such image: x");
/// ```
#[derive(Debug, Clone)]
pub struct StatusError {
    status: ExitStatus,
    text: Text,
}

#[derive(Debug, Clone)]
pub(crate) enum Text {
    /// Printed behind `Error: `, with its context.
    Message(String),
    /// Printed as it is.
    Whole(String),
    Silent,
}

impl StatusError {
    /// Ends with `status` after `Error: message` (and whatever context the error has got on its way).
    pub fn new(status: ExitStatus, message: impl Into<String>) -> StatusError {
        StatusError {
            status,
            text: Text::Message(message.into()),
        }
    }

    /// Ends with `status` and prints nothing: what there was to say has been said.
    pub fn silent(status: ExitStatus) -> StatusError {
        StatusError {
            status,
            text: Text::Silent,
        }
    }

    /// Ends with `status` after this text and nothing else, as [`with_text`](StatusError::with_text).
    pub fn whole(status: ExitStatus, text: impl Into<String>) -> StatusError {
        StatusError {
            status,
            text: Text::Whole(text.into()),
        }
    }

    /// Prints `text` and nothing else: no `Error: `, no context, no hints. A missing line end is added.
    pub fn with_text(mut self, text: impl Into<String>) -> StatusError {
        self.text = Text::Whole(text.into());
        self
    }

    /// The status to end with.
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    pub(crate) fn text(&self) -> &Text {
        &self.text
    }
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Text::Message(text) | Text::Whole(text) => f.write_str(text.trim_end()),
            Text::Silent => self.status.fmt(f),
        }
    }
}

impl Error for StatusError {}

/// A command was called wrongly: status 2, and below the message how to get help on the command.
///
/// ```
/// use byname::UsageError;
///
/// let error = UsageError::new("conflicting options: --attach and --detach");
/// assert_eq!(error.to_string(), "conflicting options: --attach and --detach");
/// ```
#[derive(Debug, Clone)]
pub struct UsageError {
    message: String,
}

impl UsageError {
    /// Ends with status 2 after `Error: message` and `Run 'tool help NAME' for more information.`
    pub fn new(message: impl Into<String>) -> UsageError {
        UsageError {
            message: message.into(),
        }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for UsageError {}

/// Hints: what a person could type next, printed below the error.
pub trait ResultExt<T> {
    /// Adds a hint, a whole sentence that says what to type. Hints are printed in the order in which they were added.
    ///
    /// ```
    /// use byname::ResultExt;
    ///
    /// let read = std::fs::read("/no/such/file").hint("Run 'tool login' to make one.");
    /// assert!(read.is_err());
    /// ```
    ///
    /// # Errors
    /// The error that it was called on; its type can still be found with `downcast_ref`.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> ResultExt<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| add_hint(error.into(), hint.into()))
    }
}

/// The hints of an error.
///
/// They travel as context, which keeps every type below them within reach of `downcast_ref`. Context has a text of its
/// own, so this one repeats the text below it, and the report prints a text once.
#[derive(Debug)]
pub(crate) struct Hints {
    shown: String,
    pub(crate) hints: Vec<String>,
}

impl fmt::Display for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

pub(crate) fn add_hint(mut error: anyhow::Error, hint: String) -> anyhow::Error {
    if let Some(known) = error.downcast_mut::<Hints>() {
        known.hints.push(hint);
        return error;
    }
    let shown = error.to_string();
    error.context(Hints {
        shown,
        hints: vec![hint],
    })
}
