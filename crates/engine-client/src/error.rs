//! The crate's error: its kind, its text, and its source.
//!
//! Callers decide by [`ErrorKind`], never by searching the text, so the text may be as clear as it can be made.

use std::{error, fmt, io};

/// What went wrong between the caller and the engine.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection could be opened: the socket is missing, refuses or denies, the host is unknown, TLS can not be
    /// agreed on, `ssh` fails, or what names the way (certificates, keys, a proxy) is wrong.
    Connect,
    /// The engine did not accept the connection, or did not answer a ping, in time.
    Timeout,
    /// The engine answered with this HTTP status, which is not a success.
    Status(u16),
    /// The engine reported a failure inside a stream that had begun well: a pull, or an attached container's output.
    Stream,
    /// The answer breaks HTTP, or is not JSON of the expected shape, or is larger than is accepted.
    Protocol,
    /// The connection was lost before the answer was complete.
    Closed,
    /// The engine's API version, or the one asked for, is not supported.
    Version,
    /// What the caller passed can not be sent: a name that is no name, an address that is no address.
    Input,
    /// The credentials for a registry could not be had: a credential helper is missing or failed.
    Credentials,
    /// A credential helper was ended by this signal, SIGINT or SIGHUP. These come from the terminal, which sends them to
    /// its caller as well, who may hear of it later.
    Interrupted(u8),
    /// The caller cancelled the request from another thread.
    Cancelled,
}

/// An error of a call to the engine.
///
/// The text is complete and has no period at its end, except where Docker's own wording, which scripts match on, has one.
pub struct Error {
    kind: ErrorKind,
    message: String,
    from_engine: bool,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            from_engine: false,
            source: None,
        }
    }

    /// The engine's own message that came with a status.
    pub(crate) fn engine(status: u16, message: impl Into<String>) -> Error {
        Error {
            kind: ErrorKind::Status(status),
            message: message.into(),
            from_engine: true,
            source: None,
        }
    }

    /// The engine's own message that came in a stream.
    pub(crate) fn stream(message: impl Into<String>) -> Error {
        Error {
            kind: ErrorKind::Stream,
            message: message.into(),
            from_engine: true,
            source: None,
        }
    }

    /// An answer to `request` (such as `POST /containers/create`) that can not be understood.
    pub(crate) fn protocol(request: &str, what: impl fmt::Display) -> Error {
        Error::new(
            ErrorKind::Protocol,
            format!("{request}: malformed answer: {what}"),
        )
    }

    /// The connection of `request` ended too early.
    pub(crate) fn closed(request: &str, what: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Closed, format!("{request}: {what}"))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> Error {
        self.source = Some(source.into());
        self
    }

    /// Turns the error of reading an answer's body into this crate's: a body's own error travels inside the
    /// [`io::Error`], everything else is a lost connection.
    pub(crate) fn from_read(error: io::Error, request: &str) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => Error::closed(
                request,
                format_args!("connection lost: {}", os_text(&error)),
            )
            .with_source(error),
        }
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The HTTP status that the engine answered with, if that is what failed.
    pub fn status(&self) -> Option<u16> {
        match self.kind {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// The engine's own words, trimmed and without any prefix; `None` if the text is this crate's.
    pub fn engine_message(&self) -> Option<&str> {
        self.from_engine.then_some(self.message.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from_engine && matches!(self.kind, ErrorKind::Status(_)) {
            f.write_str("Error response from daemon: ")?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// The operating system's text of an error as Docker prints it: `no such file or directory`, without the number.
pub fn os_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn errors_of_the_system_are_words_without_numbers() {
        let missing = std::fs::read("/nonexistent").unwrap_err();
        assert_eq!(os_text(&missing), "no such file or directory");
        assert_eq!(os_text(&io::Error::other("Strange")), "strange");
    }

    #[test]
    fn an_engine_message_is_prefixed_when_printed_only() {
        let error = Error::engine(404, "No such container: x");
        assert_eq!(
            error.to_string(),
            "Error response from daemon: No such container: x"
        );
        assert_eq!(error.engine_message(), Some("No such container: x"));
        assert_eq!(error.status(), Some(404));
    }

    #[test]
    fn a_stream_message_has_no_prefix() {
        let error = Error::stream("manifest unknown");
        assert_eq!(error.to_string(), "manifest unknown");
        assert_eq!(error.kind(), ErrorKind::Stream);
        assert_eq!(error.status(), None);
    }

    #[test]
    fn the_text_of_the_system_has_no_number() {
        assert_eq!(
            os_text(&io::Error::from_raw_os_error(2)),
            "no such file or directory"
        );
    }

    #[test]
    fn a_body_error_keeps_its_kind_through_io() {
        let error = Error::from_read(io::Error::other(Error::protocol("GET /x", "no")), "GET /y");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let error = Error::from_read(io::Error::from_raw_os_error(104), "GET /y");
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert_eq!(
            error.to_string(),
            "GET /y: connection lost: connection reset by peer"
        );
        assert!(error.source().is_some());
    }
}
