//! How a command line that cannot be parsed is reported, and with which status.

use std::ffi::OsString;

use byname::{Command, Context, ExitStatus, StatusError};
use clap::error::{ContextKind, ErrorKind};

use crate::flag_message;

/// Docker's client ends with this where it does not understand an option.
const OPTIONS: ExitStatus = ExitStatus::Code(125);
/// And with this where there are too many operands, or too few.
const OPERANDS: ExitStatus = ExitStatus::Failure;

/// Words an error of a command's parser as Docker's client does: the first mistake, how the command is used, and where to read
/// more.
pub(crate) fn worded(error: &clap::Error, parser: &clap::Command, cx: &Context) -> anyhow::Error {
    let path = cx.command_path();
    let usage = match cx.command().and_then(Command::get_usage) {
        Some(usage) => usage.to_owned(),
        None => usage(parser),
    };
    let (status, message) = mistake(error, parser, cx.args(), cx.program(), &path);
    // As Docker has it.
    let verb = match message.contains("requires at least ") {
        true => "See",
        false => "Run",
    };
    let text = format!(
        "{message}\n\nUsage:  {path} {usage}\n\n{verb} '{path} --help' for more information"
    );
    StatusError::whole(status, text).into()
}

/// The first mistake in `words`.
fn mistake(
    error: &clap::Error,
    parser: &clap::Command,
    words: &[OsString],
    program: &str,
    path: &str,
) -> (ExitStatus, String) {
    let has_bad_number = match error.kind() {
        ErrorKind::MissingRequiredArgument
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues => true,
        // One operand more than there can be.
        ErrorKind::UnknownArgument => error
            .get(ContextKind::InvalidArg)
            .is_some_and(|word| !word.to_string().starts_with('-')),
        _ => false,
    };
    match has_bad_number {
        true => (
            OPERANDS,
            format!("{program}: '{path}' {}", required(parser)),
        ),
        false => (OPTIONS, flag_message(error, parser, words)),
    }
}

/// How many operands a command requires, in words.
fn required(parser: &clap::Command) -> String {
    let (mut least, mut most) = (0, 0_usize);
    for operand in parser.get_positionals() {
        let range = operand.get_num_args().unwrap_or_else(|| 1.into());
        if operand.is_required_set() {
            least += range.min_values();
        }
        most = most.saturating_add(range.max_values());
    }
    let arguments = |count: usize| match count {
        1 => "1 argument".to_owned(),
        count => format!("{count} arguments"),
    };
    match (least, most) {
        (_, 0) => "accepts no arguments".to_owned(),
        (0, most) => format!("requires at most {}", arguments(most)),
        (least, most) if least == most => format!("requires {}", arguments(least)),
        (least, _) => format!("requires at least {}", arguments(least)),
    }
}

/// The usage of a command that has none in words of its own: `[OPTIONS] CONTAINER [CONTAINER...]`.
fn usage(parser: &clap::Command) -> String {
    let operands = parser.get_positionals().map(|operand| {
        let names = operand.get_value_names().unwrap_or_default();
        let name = names.first().map_or_else(
            || operand.get_id().as_str().to_uppercase(),
            ToString::to_string,
        );
        let many = operand
            .get_num_args()
            .is_some_and(|range| range.max_values() > 1);
        match (operand.is_required_set(), many) {
            (true, true) => format!("{name} [{name}...]"),
            (true, false) => name,
            (false, true) => format!("[{name}...]"),
            (false, false) => format!("[{name}]"),
        }
    });
    let has_options = parser.get_arguments().any(|arg| !arg.is_positional());
    let options = has_options.then(|| "[OPTIONS]".to_owned());
    let words: Vec<String> = options.into_iter().chain(operands).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn parser(operands: impl IntoIterator<Item = Arg>) -> clap::Command {
        clap::Command::new("")
            .no_binary_name(true)
            .arg(Arg::new("user").long("user"))
            .args(operands)
            .mut_args(crate::docker)
    }

    fn operand(name: &'static str) -> Arg {
        Arg::new(name).value_name(name).required(true)
    }

    fn said(parser: &clap::Command, words: &[&str]) -> (ExitStatus, String) {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let error = parser.clone().try_get_matches_from(&words);
        let error = error.expect_err("an error");
        mistake(&error, parser, &words, "tool", "tool it")
    }

    #[test]
    fn operands_are_counted() {
        let words = operand("WORDS").num_args(2..).trailing_var_arg(true);
        for (operands, lines, expected, in_usage) in [
            (
                vec![],
                &[&["x"][..], &["x", "y"]][..],
                "accepts no arguments",
                "[OPTIONS]",
            ),
            (
                vec![operand("A")],
                &[&[], &["x", "y"], &["--user", "x"]],
                "requires 1 argument",
                "[OPTIONS] A",
            ),
            (
                vec![operand("A"), operand("B")],
                &[&[], &["x"], &["x", "y", "z"]],
                "requires 2 arguments",
                "[OPTIONS] A B",
            ),
            (
                vec![operand("A").required(false)],
                &[&["x", "y"]],
                "requires at most 1 argument",
                "[OPTIONS] [A]",
            ),
            (
                vec![operand("A").num_args(1..)],
                &[&[], &["--"]],
                "requires at least 1 argument",
                "[OPTIONS] A [A...]",
            ),
            (
                vec![words],
                &[&[], &["box"], &["--user", "me", "box"], &["--", "box"]],
                "requires at least 2 arguments",
                "[OPTIONS] WORDS [WORDS...]",
            ),
        ] {
            let parser = parser(operands);
            for line in lines {
                let expected = format!("tool: 'tool it' {expected}");
                assert_eq!(said(&parser, line), (OPERANDS, expected), "{line:?}");
            }
            assert_eq!(usage(&parser), in_usage);
        }
    }

    #[test]
    fn options_are_named() {
        let parser = parser([operand("A")]);
        for (words, line) in [
            (&["--nope"][..], "unknown flag: --nope"),
            (&["--nope", "box", "sh"], "unknown flag: --nope"),
            (&["--user"], "flag needs an argument: --user"),
        ] {
            assert_eq!(
                said(&parser, words),
                (OPTIONS, line.to_owned()),
                "{words:?}"
            );
        }
    }
}
