//! The texts of errors.

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};

/// What is said of an argument that can not be sent to an engine, whose language is JSON.
pub fn not_utf8(word: &std::ffi::OsStr) -> String {
    format!("argument {word:?} is not valid UTF-8")
}

/// The first line of Docker's errors for the first mistake in `words`, from what clap says about it.
pub fn flag_message(error: &clap::Error, parser: &clap::Command, words: &[OsString]) -> String {
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
                flag_name(parser, &argument)
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
fn flag_name(parser: &clap::Command, argument: &str) -> String {
    let name = argument.split([' ', '[', '=']).next().unwrap_or(argument);
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
    use std::os::unix::ffi::OsStringExt;

    use clap::{Arg, ArgAction};

    use super::*;
    use crate::InvalidValue;

    /// A command with a boolean, a text, a number and a list.
    fn parser() -> clap::Command {
        let number = |text: &str| {
            let invalid = || InvalidValue::new(format!("invalid size: '{text}'"));
            text.parse::<u32>().map_err(|_| invalid())
        };
        let flag = |name: &'static str| {
            let value = clap::value_parser!(bool);
            Arg::new(name)
                .long(name)
                .action(ArgAction::SetTrue)
                .value_parser(value)
        };
        let words = Arg::new("words").num_args(0..).trailing_var_arg(true);
        clap::Command::new("")
            .no_binary_name(true)
            .disable_help_flag(true)
            .args([
                flag("rm"),
                flag("interactive").short('i'),
                flag("tty").short('t'),
                flag("sig-proxy"),
                Arg::new("name").long("name"),
                Arg::new("hostname").long("hostname").short('h'),
                Arg::new("memory")
                    .long("memory")
                    .short('m')
                    .value_parser(number),
                words,
            ])
            .mut_args(crate::docker)
    }

    fn message(words: &[OsString]) -> String {
        let error = parser().try_get_matches_from(words).expect_err("an error");
        flag_message(&error, &parser(), words)
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
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(message(&words), expected, "{line}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_named() {
        let word = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let words = [word(b"--name"), word(b"a\xff"), word(b"img")];
        assert_eq!(message(&words), "argument \"a\\xFF\" is not valid UTF-8");
        let words = [word(b"--name=a\xff"), word(b"img")];
        assert_eq!(
            message(&words),
            "argument \"--name=a\\xFF\" is not valid UTF-8"
        );
    }
}
