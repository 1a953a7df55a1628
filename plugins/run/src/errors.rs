//! How failures are worded, and with which status they end: Docker's texts and numbers, with our program's name.

use std::ffi::OsString;

use byname::{Context, ExitStatus, StatusError};
use clap::error::{ContextKind, ErrorKind};
use engine_client::ErrorKind as EngineErrorKind;

use crate::options::Options;

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
                bare(ExitStatus::Failure, error)
            }
            EngineErrorKind::Interrupted(signal) => interrupted(signal),
            _ => self.unstarted(error),
        }
    }

    fn failed(&self, status: ExitStatus, text: &str) -> anyhow::Error {
        let Wording { program, path } = self;
        bare(
            status,
            format!("{program}: {text}\n\nRun '{path} --help' for more information"),
        )
    }

    /// The command line is not understood.
    fn flags(&self, text: &str) -> anyhow::Error {
        let (usage, path) = (self.usage(), &self.path);
        bare(
            FAILED,
            format!("{text}\n\n{usage}\n\nRun '{path} --help' for more information"),
        )
    }

    fn no_image(&self) -> anyhow::Error {
        let Wording { program, path } = self;
        let usage = self.usage();
        let text = format!(
            "{program}: '{path}' requires at least 1 argument\n\n{usage}\n\nSee '{path} --help' for more information"
        );
        bare(ExitStatus::Failure, text)
    }

    fn usage(&self) -> String {
        format!("Usage:  {} [OPTIONS] IMAGE [COMMAND] [ARG...]", self.path)
    }
}

/// A failure whose text is printed as it is.
pub(crate) fn bare(status: ExitStatus, text: impl std::fmt::Display) -> anyhow::Error {
    let text = text.to_string();
    StatusError::new(status, text.clone())
        .with_text(text)
        .into()
}

/// A signal ended the command, which is all there is to say.
pub(crate) fn interrupted(signal: u8) -> anyhow::Error {
    StatusError::silent(ExitStatus::Signal(signal)).into()
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

/// Words an error of the parser.
pub(crate) fn from_parser(error: clap::Error, cx: &Context) -> anyhow::Error {
    let wording = Wording::of(cx);
    match error.kind() {
        ErrorKind::MissingRequiredArgument => wording.no_image(),
        _ => wording.flags(&flag_message(&error, cx.args())),
    }
}

/// An argument cannot be sent to the engine, whose language is JSON.
pub(crate) fn not_utf8(word: &std::ffi::OsStr) -> String {
    format!("argument {word:?} is not valid UTF-8")
}

fn flag_message(error: &clap::Error, words: &[OsString]) -> String {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => unknown_flag(&argument, words),
        // The only way for a value to be missing is that there is no further word.
        ErrorKind::InvalidValue if value.is_empty() => {
            match words.last().and_then(|word| word.to_str()) {
                Some(word) if !word.starts_with("--") => {
                    let letter = word.chars().next_back().unwrap_or_default();
                    format!("flag needs an argument: '{letter}' in -{letter}")
                }
                Some(word) => format!("flag needs an argument: {word}"),
                None => format!("flag needs an argument: {argument}"),
            }
        }
        ErrorKind::InvalidUtf8 => match words.iter().find(|word| word.to_str().is_none()) {
            Some(word) => not_utf8(word),
            None => "an argument is not valid UTF-8".to_owned(),
        },
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            format!(
                "invalid argument {value:?} for {:?} flag: {reason}",
                flag_name(&argument)
            )
        }
        // Nothing that the options use leads here; clap's own first line is clear enough.
        _ => error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned(),
    }
}

fn unknown_flag(argument: &str, words: &[OsString]) -> String {
    let Some(letter) = argument
        .strip_prefix('-')
        .filter(|rest| !rest.starts_with('-'))
    else {
        let given = words.iter().filter_map(|word| word.to_str());
        let malformed = given.take_while(|word| *word != "--").find(|word| {
            word.strip_prefix("--")
                .is_some_and(|name| name.starts_with(['-', '=']))
        });
        return match malformed.filter(|word| word.starts_with(argument)) {
            Some(word) => format!("bad flag syntax: {word}"),
            None => format!("unknown flag: {argument}"),
        };
    };
    // clap names the letter alone; Docker also shows what stands behind it in the same word.
    let rest = words
        .iter()
        .filter_map(|word| {
            word.to_str()?
                .strip_prefix('-')
                .filter(|word| !word.starts_with('-'))
        })
        .find_map(|word| word.find(letter).map(|at| &word[at..]))
        .unwrap_or(letter);
    format!("unknown shorthand flag: '{letter}' in -{rest}")
}

/// `-m, --memory` for clap's `--memory <SIZE>`.
fn flag_name(argument: &str) -> String {
    let name = argument.split([' ', '[', '=']).next().unwrap_or(argument);
    let parser = byname::parser::<Options>();
    let short = parser
        .get_arguments()
        .find(|arg| {
            arg.get_long()
                .is_some_and(|long| name.strip_prefix("--") == Some(long))
        })
        .and_then(clap::Arg::get_short);
    match short {
        Some(letter) => format!("-{letter}, {name}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn message(words: &[OsString]) -> String {
        let parser = byname::parser::<Options>().no_binary_name(true);
        let error = parser.try_get_matches_from(words).expect_err("an error");
        flag_message(&error, words)
    }

    #[test]
    fn flag_errors_are_dockers() {
        for (line, expected) in [
            ("--nope", "unknown flag: --nope"),
            ("--nope=x img", "unknown flag: --nope"),
            ("--rm --nam x img", "unknown flag: --nam"),
            ("--=x", "bad flag syntax: --=x"),
            ("---x img", "bad flag syntax: ---x"),
            ("-Z", "unknown shorthand flag: 'Z' in -Z"),
            ("-itZq img", "unknown shorthand flag: 'Z' in -Zq"),
            ("-1", "unknown shorthand flag: '1' in -1"),
            ("--name", "flag needs an argument: --name"),
            ("-h", "flag needs an argument: 'h' in -h"),
            ("-ih", "flag needs an argument: 'h' in -h"),
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
    fn what_is_not_utf8_is_named() {
        let word = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
        let words = [word(b"--name"), word(b"a\xff"), word(b"img")];
        assert_eq!(message(&words), "argument \"a\\xFF\" is not valid UTF-8");
        let words = [word(b"--name=a\xff"), word(b"img")];
        assert_eq!(
            message(&words),
            "argument \"--name=a\\xFF\" is not valid UTF-8"
        );
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
