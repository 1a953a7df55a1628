//! Words errors and chooses their statuses: Docker's texts and numbers, with our program's name.

use byname::{Context, ExitStatus};
use docker_cli::errors;
use engine_client::ErrorKind as EngineErrorKind;

/// The command could not be carried out for a reason of its own, not the container's.
const FAILED: ExitStatus = ExitStatus::Code(125);
/// The container's program cannot be executed.
const NOT_EXECUTABLE: ExitStatus = ExitStatus::Code(126);
/// The container's program is not there.
const NOT_FOUND: ExitStatus = ExitStatus::Code(127);

/// Words failures of one call of the command.
#[derive(Debug, Clone)]
pub(crate) struct Wording {
    /// `tool`
    program: String,
    /// `tool run`, or the alias that was typed.
    path: String,
}

impl Wording {
    pub(crate) fn of(cx: &Context) -> Wording {
        Wording {
            program: cx.program().to_owned(),
            path: cx.command_path(),
        }
    }

    /// The command was understood but is refused, before the engine was asked.
    pub(crate) fn refused(&self, text: impl std::fmt::Display) -> anyhow::Error {
        self.failed(FAILED, &text.to_string())
    }

    /// Making or starting the container failed. Docker tells from the text alone whether it was for the container's
    /// program: the engine's answer has the same status and form for all causes.
    pub(crate) fn unstarted(&self, text: impl std::fmt::Display) -> anyhow::Error {
        let text = text.to_string();
        self.failed(status_of(&text), &text)
    }

    /// A request to the engine failed. Without an engine the command has not begun: that is no failure of a container.
    pub(crate) fn engine(&self, error: &engine_client::Error) -> anyhow::Error {
        match error.kind() {
            EngineErrorKind::Connect | EngineErrorKind::Timeout | EngineErrorKind::Version => {
                errors::bare(error)
            }
            EngineErrorKind::Interrupted(signal) => errors::interrupted(signal),
            _ => self.unstarted(error),
        }
    }

    fn failed(&self, status: ExitStatus, text: &str) -> anyhow::Error {
        let Wording { program, path } = self;
        errors::with_status(
            status,
            format!("{program}: {text}\n\nRun '{path} --help' for more information"),
        )
    }
}

/// The text of an error and its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

/// The status that a failed start means.
fn status_of(text: &str) -> ExitStatus {
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if has(&[
        "executable file not found",
        "no such file or directory",
        "system cannot find the file specified",
    ]) {
        NOT_FOUND
    } else if has(&["permission denied", "is a directory"]) {
        NOT_EXECUTABLE
    } else {
        FAILED
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::options::Options;

    fn message(words: &[OsString]) -> String {
        let parser = docker_cli::parser::<Options>().no_binary_name(true);
        let error = parser.try_get_matches_from(words).expect_err("an error");
        docker_cli::flag_message(&error, &docker_cli::parser::<Options>(), words)
    }

    #[test]
    fn flag_errors_are_dockers() {
        for (line, expected) in [
            ("-itZq img", "unknown shorthand flag: 'Z' in -Zq"),
            (
                "-m abc x",
                "invalid argument \"abc\" for \"-m, --memory\" flag: invalid size: 'abc'",
            ),
            (
                "-m -1 x",
                "invalid argument \"-1\" for \"-m, --memory\" flag: invalid size: '-1'",
            ),
            (
                "--memory-swap=-2 x",
                "invalid argument \"-2\" for \"--memory-swap\" flag: invalid size: '-2'",
            ),
            (
                "--sig-proxy=maybe x",
                "invalid argument \"maybe\" for \"--sig-proxy\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
            ),
            (
                "--rm= x",
                "invalid argument \"\" for \"--rm\" flag: strconv.ParseBool: parsing \"\": invalid syntax",
            ),
            (
                "-it=2 x",
                "invalid argument \"2\" for \"-t, --tty\" flag: strconv.ParseBool: parsing \"2\": invalid syntax",
            ),
            (
                "-e =x img",
                "invalid argument \"=x\" for \"-e, --env\" flag: invalid environment variable: =x",
            ),
            (
                "-l =a x",
                "invalid argument \"=a\" for \"-l, --label\" flag: invalid label '=a': empty name",
            ),
            (
                "-a foo x",
                "invalid argument \"foo\" for \"-a, --attach\" flag: valid streams are STDIN, STDOUT and STDERR",
            ),
            (
                "--health-interval 1 x",
                "invalid argument \"1\" for \"--health-interval\" flag: time: missing unit in duration \"1\"",
            ),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(message(&words), expected, "{line}");
        }
    }

    #[test]
    fn the_text_of_a_failed_start_tells_the_status() {
        for (text, status) in [
            (
                "exec: \"nosuchcmd\": executable file not found in $PATH: unknown",
                127,
            ),
            (
                "exec: \"/x\": stat /x: no such file or directory: unknown",
                127,
            ),
            (
                "CreateFile x: The system cannot find the file specified.",
                127,
            ),
            ("exec: \"/etc/passwd\": permission denied: unknown", 126),
            ("exec: \"/etc\": is a directory: unknown", 126),
            ("No such image: x:latest", 125),
            ("Conflict. The container name \"/x\" is already in use", 125),
        ] {
            assert_eq!(status_of(text).code(), status, "{text}");
        }
    }

    #[test]
    fn a_chain_says_nothing_twice() {
        let inner = std::io::Error::other("inner");
        assert_eq!(chain(&inner), "inner");
        let outer = attach::Error::Signals(std::io::Error::other("no"));
        assert_eq!(chain(&outer), "cannot catch signals: no");
    }
}
