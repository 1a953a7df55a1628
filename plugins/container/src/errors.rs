//! How failures are worded.

use byname::{Command, Context, ExitStatus, StatusError};
use flags::{Called, Mistake};

/// A failure whose text is printed as it is: the engine's words say who failed.
pub(crate) fn bare(text: impl std::fmt::Display) -> anyhow::Error {
    StatusError::whole(ExitStatus::Failure, text.to_string()).into()
}

/// Words an error of the parser as Docker's client does.
pub(crate) fn from_parser(error: clap::Error, cx: &Context) -> anyhow::Error {
    let (command, path) = (cx.command(), cx.command_path());
    let called = Called {
        program: cx.program(),
        path: &path,
        usage: command.and_then(Command::get_usage).unwrap_or_default(),
    };
    let parser = command.and_then(Command::get_parser);
    let parser = parser.map_or_else(clap::Command::default, |parser| parser());
    let mistake = Mistake::of(&error, &parser, cx.args(), called);
    let status = match mistake.is_of_options {
        true => ExitStatus::Code(125),
        false => ExitStatus::Failure,
    };
    StatusError::whole(status, mistake.text).into()
}

/// An option's value cannot be used.
pub(crate) fn usage(error: impl std::fmt::Display) -> anyhow::Error {
    byname::UsageError::new(error.to_string()).into()
}

/// A session failed. Our own output that nobody reads is byname's to judge.
pub(crate) fn session(error: attach::Error) -> anyhow::Error {
    match error {
        attach::Error::Stream(error) => bare(error),
        error => error.into(),
    }
}
