//! Why a program did not start, in Docker's words.

use std::io;
use std::path::Path;
use std::{error, fmt};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::error::os_text;
use crate::{Error, ErrorKind};

/// What a start failed at; clients make an exit status of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The container, or the way into it, could not be made.
    Container,
    /// There is no such program.
    NotFound,
    /// There is one, and it cannot be run by this user, or at all.
    NotExecutable,
}

/// Why a container or a process in one did not start.
///
/// It is the [`source`](error::Error::source) of the errors of this module's functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What it failed at.
    pub stage: Stage,
    /// The whole message.
    pub message: String,
}

impl Failure {
    pub(super) fn container(message: impl Into<String>) -> Failure {
        Failure {
            stage: Stage::Container,
            message: message.into(),
        }
    }

    /// A program that the search path does not have.
    pub(super) fn not_in_path(program: &str) -> Failure {
        Failure {
            stage: Stage::NotFound,
            message: format!("exec: {program:?}: executable file not found in $PATH"),
        }
    }

    /// A program, named by its path, that the kernel does not run.
    pub(super) fn of_program(program: &str, error: &io::Error) -> Failure {
        let stage = match Errno::from_io_error(error) {
            Some(Errno::NOENT | Errno::NOTDIR) => Stage::NotFound,
            Some(Errno::ACCESS | Errno::PERM | Errno::ISDIR | Errno::NOEXEC | Errno::LOOP) => {
                Stage::NotExecutable
            }
            _ => Stage::Container,
        };
        Failure {
            stage,
            message: format!("exec: {program:?}: {}", os_text(error)),
        }
    }

    /// A directory in which a joining process cannot start.
    pub(super) fn of_working_dir(directory: &Path, error: &io::Error) -> Failure {
        Failure {
            stage: Stage::NotExecutable,
            message: format!("chdir to cwd ({directory:?}): {}", os_text(error)),
        }
    }

    /// A program, named by its path, that is not there.
    pub(super) fn missing(program: &str, error: &io::Error) -> Failure {
        Failure {
            message: format!("exec: {program:?}: stat {program}: {}", os_text(error)),
            ..Failure::of_program(program, error)
        }
    }

    pub(super) fn into_error(self) -> Error {
        let kind = match self.stage {
            Stage::Container => ErrorKind::System,
            Stage::NotFound | Stage::NotExecutable => ErrorKind::InvalidParameter,
        };
        let message = format!("unable to start container process: {}", self.message);
        Error::new(kind, message).with_source(self)
    }

    /// The exit code that the container, or the process, is given.
    pub fn exit_code(&self) -> i64 {
        match self.stage {
            Stage::Container => 128,
            Stage::NotFound => 127,
            Stage::NotExecutable => 126,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Failure {}

/// The exit code of what did not start because of that error, as Docker's `State.ExitCode` has it: 127 if there is no
/// such program, 126 if it cannot be run, 128 for everything else.
pub fn exit_code(error: &Error) -> i64 {
    error::Error::source(error)
        .and_then(|source| source.downcast_ref::<Failure>())
        .map_or(128, Failure::exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_find_the_words_that_they_look_for() {
        let of = |errno: Errno| Failure::of_program("/x", &errno.into());
        for (failure, words, code) in [
            (
                Failure::not_in_path("foo"),
                "exec: \"foo\": executable file not found in $PATH",
                127,
            ),
            (
                Failure::missing("/x", &Errno::NOENT.into()),
                "exec: \"/x\": stat /x: no such file or directory",
                127,
            ),
            (
                of(Errno::NOENT),
                "exec: \"/x\": no such file or directory",
                127,
            ),
            (of(Errno::ACCESS), "exec: \"/x\": permission denied", 126),
            (of(Errno::ISDIR), "exec: \"/x\": is a directory", 126),
            (of(Errno::NOEXEC), "exec: \"/x\": exec format error", 126),
            (
                of(Errno::NOMEM),
                "exec: \"/x\": cannot allocate memory",
                128,
            ),
        ] {
            let error = failure.into_error();
            assert_eq!(
                error.to_string(),
                format!("unable to start container process: {words}")
            );
            assert_eq!(exit_code(&error), code, "{words}");
        }
        assert_eq!(exit_code(&Error::system("x")), 128);
    }
}
