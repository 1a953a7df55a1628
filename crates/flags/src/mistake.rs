//! What is said, all of it, of a command line that is not understood.

use std::ffi::OsString;

use clap::error::ErrorKind;

use crate::flag_message;

/// How a command was called.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// The program: `tool`.
    pub program: &'a str,
    /// The program and the command's name as it was typed: `tool container run`.
    pub path: &'a str,
    /// What stands behind that on the usage line: `[OPTIONS] IMAGE [COMMAND] [ARG...]`.
    pub usage: &'a str,
}

/// An error about a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Whether it is about an option, for which Docker's client ends with status 125; it ends with 1 for missing operands.
    pub is_of_options: bool,
    /// What to print, without a newline at its end.
    pub text: String,
}

impl Mistake {
    /// The first mistake in `words`, from what clap says about it. `parser` is the command's, which need not be built.
    pub fn of(
        error: &clap::Error,
        parser: &clap::Command,
        words: &[OsString],
        called: Called<'_>,
    ) -> Mistake {
        let Called {
            program,
            path,
            usage,
        } = called;
        if matches!(
            error.kind(),
            ErrorKind::MissingRequiredArgument
                | ErrorKind::TooFewValues
                | ErrorKind::WrongNumberOfValues
        ) {
            let least = least_operands(parser);
            let noun = if least == 1 { "argument" } else { "arguments" };
            return Mistake {
                is_of_options: false,
                text: format!(
                    "{program}: '{path}' requires at least {least} {noun}\n\nUsage:  {path} {usage}\n\nSee '{path} --help' for more information"
                ),
            };
        }
        let message = flag_message(error, parser, words);
        Mistake {
            is_of_options: true,
            text: format!(
                "{message}\n\nUsage:  {path} {usage}\n\nRun '{path} --help' for more information"
            ),
        }
    }
}

/// How many operands a command takes at least.
fn least_operands(parser: &clap::Command) -> usize {
    let required = parser.get_positionals().filter(|arg| arg.is_required_set());
    required
        .map(|arg| arg.get_num_args().map_or(1, |range| range.min_values()))
        .sum()
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    const CALLED: Called<'_> = Called {
        program: "tool",
        path: "tool exec",
        usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
    };

    fn mistake(words: &[&str]) -> Mistake {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let operands = Arg::new("words").required(true).num_args(2..);
        let parser = clap::Command::new("")
            .no_binary_name(true)
            .arg(Arg::new("user").long("user"))
            .arg(operands.trailing_var_arg(true))
            .mut_args(crate::docker);
        let error = parser.clone().try_get_matches_from(&words);
        Mistake::of(&error.expect_err("an error"), &parser, &words, CALLED)
    }

    #[test]
    fn missing_operands_are_counted() {
        let text = "tool: 'tool exec' requires at least 2 arguments\n\nUsage:  tool exec [OPTIONS] CONTAINER COMMAND [ARG...]\n\nSee 'tool exec --help' for more information";
        for words in [&[][..], &["box"], &["--user", "me", "box"], &["--", "box"]] {
            let expected = Mistake {
                is_of_options: false,
                text: text.to_owned(),
            };
            assert_eq!(mistake(words), expected, "{words:?}");
        }
    }

    #[test]
    fn options_come_first() {
        for (words, line) in [
            (&["--nope"][..], "unknown flag: --nope"),
            (&["--nope", "box", "sh"], "unknown flag: --nope"),
            (&["--user"], "flag needs an argument: --user"),
        ] {
            let Mistake {
                is_of_options,
                text,
            } = mistake(words);
            assert_eq!(
                (is_of_options, text.lines().next()),
                (true, Some(line)),
                "{words:?}"
            );
        }
    }
}
