//! The crate's error type.

use std::ffi::OsString;
use std::fmt;
use std::panic::Location;

/// Why an initializer cannot be started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// [`init`](crate::init) did not run in this process, so the program would not find the initializer either.
    NotInitialized {
        /// The name that was asked for.
        name: OsString,
    },
    /// No initializer has the name.
    Unknown {
        /// The name that was asked for.
        name: OsString,
    },
    /// More than one initializer has the name.
    Duplicate {
        /// The name.
        name: &'static str,
        /// Where two of them were described.
        locations: [&'static Location<'static>; 2],
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotInitialized { name } => write!(
                f,
                "cannot start initializer \"{}\": reexec::init was not called in this process",
                name.display()
            ),
            Error::Unknown { name } => {
                write!(f, "no initializer is named \"{}\"", name.display())
            }
            Error::Duplicate {
                name,
                locations: [first, second],
            } => write!(
                f,
                "two initializers are named \"{name}\": at {first} and at {second}"
            ),
        }
    }
}

impl std::error::Error for Error {}
