//! The one error of this crate: a kind, which is a status of the Engine API, and the message that a client prints.
//!
//! Scripts search the messages of dockerd, so where it has a wording that they know, the message has the same.

use std::{error, fmt, io};

use serde::{Deserialize, Serialize};

/// What kind of failure this is, named after the status that the Engine API answers with.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400: what was asked for makes no sense, or not on this machine.
    InvalidParameter,
    /// 401: a registry wants credentials, or other ones.
    Unauthorized,
    /// 403: it is understood and refused.
    Forbidden,
    /// 404: there is no such container, image, volume, network or file.
    NotFound,
    /// 409: the state of the container, or another owner of the name, is in the way.
    Conflict,
    /// 304: it is as was asked for already.
    NotModified,
    /// 500: the system, or a file of the engine, failed.
    System,
    /// 501: this engine does not do that.
    NotImplemented,
    /// 503: something else that is needed does not answer.
    Unavailable,
}

impl ErrorKind {
    /// The status of the Engine API.
    pub fn status(self) -> u16 {
        match self {
            ErrorKind::InvalidParameter => 400,
            ErrorKind::Unauthorized => 401,
            ErrorKind::Forbidden => 403,
            ErrorKind::NotFound => 404,
            ErrorKind::Conflict => 409,
            ErrorKind::NotModified => 304,
            ErrorKind::System => 500,
            ErrorKind::NotImplemented => 501,
            ErrorKind::Unavailable => 503,
        }
    }

    /// The kind of that status; [`ErrorKind::System`] for one that no kind has.
    pub fn from_status(status: u16) -> ErrorKind {
        match status {
            400 => ErrorKind::InvalidParameter,
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            304 => ErrorKind::NotModified,
            501 => ErrorKind::NotImplemented,
            503 => ErrorKind::Unavailable,
            _ => ErrorKind::System,
        }
    }
}

/// An error of the engine.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    /// An error of that kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// A parameter that makes no sense, or not on this machine.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidParameter, message)
    }

    /// Something that is not there.
    pub fn not_found(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::NotFound, message)
    }

    /// A state, or another owner, that is in the way.
    pub fn conflict(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Conflict, message)
    }

    /// What this engine does not do.
    pub fn not_implemented(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::NotImplemented, message)
    }

    /// A failure of the system.
    pub fn system(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::System, message)
    }

    /// A failure of the system in the middle of `doing`, such as `open /etc/passwd`.
    pub fn io(doing: impl fmt::Display, error: impl Into<io::Error>) -> Error {
        let error = error.into();
        Error::system(format!("{doing}: {}", os_text(&error))).with_source(error)
    }

    /// Keeps what lies behind the error.
    pub fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Error {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The status that the Engine API answers with.
    pub fn status(&self) -> u16 {
        self.kind.status()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error on its way to another process of the engine. What lies behind it stays where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// As [`ErrorKind::status`].
    pub status: u16,
    /// The message.
    pub message: String,
}

impl ErrorMessage {
    /// What is told of an error.
    pub fn of(error: &Error) -> ErrorMessage {
        ErrorMessage {
            status: error.status(),
            message: error.to_string(),
        }
    }

    /// The error again.
    pub fn into_error(self) -> Error {
        Error::new(ErrorKind::from_status(self.status), self.message)
    }
}

/// The system's words for an error as C and Docker write them: in lower case, without the number.
pub(crate) fn os_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = match text.rfind(" (os error ") {
        Some(end) => &text[..end],
        None => &text,
    };
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_from_its_status() {
        for kind in [
            ErrorKind::InvalidParameter,
            ErrorKind::Unauthorized,
            ErrorKind::Forbidden,
            ErrorKind::NotFound,
            ErrorKind::Conflict,
            ErrorKind::NotModified,
            ErrorKind::System,
            ErrorKind::NotImplemented,
            ErrorKind::Unavailable,
        ] {
            assert_eq!(ErrorKind::from_status(kind.status()), kind);
        }
    }

    #[test]
    fn a_failure_of_the_system_names_what_was_done() {
        let error = Error::io("open /etc/passwd", io::Error::from_raw_os_error(2));
        assert_eq!(
            error.to_string(),
            "open /etc/passwd: no such file or directory"
        );
    }
}
