//! The crate's error type.

use engine_client::ErrorKind;
use std::{error, fmt, io};

/// What ended a session that should have gone on, or kept it from starting.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Our own standard output or error could not be written. When nobody reads it any more, what is inside is
    /// byname's mark of that.
    Output(io::Error),
    /// The engine's stream broke.
    Connection(io::Error),
    /// The engine's stream carried an error, or was no stream of frames.
    Stream(engine_client::Error),
    /// The terminal could not be put in raw mode.
    RawMode(io::Error),
    /// Signals could not be caught.
    Signals(io::Error),
    /// A thread or a pipe could not be made.
    Resources(io::Error),
}

impl Error {
    /// Whether the connection broke, rather than what came over it or what was to be done with it.
    pub(crate) fn is_lost_connection(&self) -> bool {
        match self {
            Error::Connection(_) => true,
            Error::Stream(error) => error.kind() == ErrorKind::Closed,
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Output(_) => f.write_str("cannot write the container's output"),
            Error::Connection(_) => f.write_str("lost the connection to the container's streams"),
            // The engine's words are complete.
            Error::Stream(error) => error.fmt(f),
            Error::RawMode(_) => f.write_str("cannot put the terminal in raw mode"),
            Error::Signals(_) => f.write_str("cannot catch signals"),
            Error::Resources(_) => f.write_str("cannot start a session with the container"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Output(error)
            | Error::Connection(error)
            | Error::RawMode(error)
            | Error::Signals(error)
            | Error::Resources(error) => Some(error),
            Error::Stream(error) => error.source(),
        }
    }
}
