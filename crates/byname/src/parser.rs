//! A command's parser: how it is built, and the help that it prints.

use std::ffi::OsString;
use std::hint::black_box;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Args};

use crate::clap_error::styled;
use crate::color::Styles;
use crate::command::Command;
use crate::context::Context;
use crate::help;
use crate::parameter::WordParser;
use crate::variables;

/// The parser of `T`'s options: what [`Command::parser`] takes.
///
/// An option with an optional value whose `value_name` is empty looks like a flag in the help: `--rm` where clap would
/// print `--rm[=<BOOL>]`.
///
/// ```
/// use byname::{Command, Context, ExitStatus};
///
/// #[derive(clap::Args)]
/// struct Create {
///     /// The group's name
///     name: String,
/// }
///
/// fn create(cx: &mut Context, args: Create) -> anyhow::Result<ExitStatus> {
///     Ok(ExitStatus::Success)
/// }
///
/// byname::register! {
///     Command::new("groups create", "Create a group", |cx| create(cx, byname::parse(cx)?), byname::origin!())
///         .parser(byname::parser::<Create>)
/// }
/// ```
pub fn parser<T: Args>() -> clap::Command {
    augmented(black_box(T::augment_args))
}

/// Not generic, and the function that it calls is hidden from the optimizer: alone it is compiled to half of the code that it
/// becomes where it is inlined.
#[inline(never)]
fn augmented(augment: fn(clap::Command) -> clap::Command) -> clap::Command {
    augment(clap::Command::new(""))
}

/// The parser with the command's name and help, and wrapped to the width of the output.
pub(crate) fn configured(
    program: &str,
    command: &Command,
    name: &str,
    parser: clap::Command,
    cx: &Context,
) -> clap::Command {
    let mut parser = parser
        .name(command.name())
        .bin_name(format!("{program} {name}"))
        .no_binary_name(true)
        .about(command.summary())
        .term_width(help::width(&cx.streams().out, cx.environment()));
    // Not as clap's long text, which would ask for a layout of three lines an option.
    if let Some(text) = command.get_long_help() {
        parser = parser.about(format!("{}\n\n{text}", command.summary()));
    }
    parser = parser.long_about(None::<&str>);
    if let Some(operands) = command.get_usage() {
        parser = parser.override_usage(format!("{program} {name} {operands}"));
    }
    if let Some(aliases) = help::aliases(command) {
        let text = match parser.get_after_help() {
            Some(text) => format!("{}\n\n{aliases}", text.ansi()),
            None => aliases,
        };
        parser = parser.after_help(text);
    }
    with_help_flag(parser)
}

/// Puts a `--help` in place of clap's, whose `-h` is refused where an option of the command's own uses that letter. Nested
/// subcommands get theirs too: to turn clap's off in a command turns it off in all below it.
pub(crate) fn with_help_flag(parser: clap::Command) -> clap::Command {
    let parser = parser.mut_subcommands(with_help_flag);
    if parser.is_disable_help_flag_set() {
        return parser;
    }
    let flag = flag(&parser, "help", 'h', "Print help", ArgAction::Help);
    parser.disable_help_flag(true).args(flag)
}

/// `--name` and its letter, without what the parser's own arguments use already.
pub(crate) fn flag(
    parser: &clap::Command,
    name: &'static str,
    short: char,
    help: &'static str,
    action: ArgAction,
) -> Option<Arg> {
    let arguments = || parser.get_arguments();
    if arguments().any(|arg| {
        arg.get_id() == name
            || arg
                .get_long_and_visible_aliases()
                .is_some_and(|all| all.contains(&name))
    }) {
        return None;
    }
    let flag = Arg::new(name).long(name).help(help).action(action);
    let taken = arguments().any(|arg| {
        arg.get_short_and_visible_aliases()
            .is_some_and(|all| all.contains(&short))
    });
    Some(if taken { flag } else { flag.short(short) })
}

/// The help of a command with a parser; with words behind it, that of the nested subcommand that they name.
pub(crate) fn help(
    program: &str,
    command: &Command,
    nested: &[OsString],
    cx: &Context,
) -> Option<String> {
    let parser = build(command)?;
    let parser = configured(program, command, command.name(), parser, cx);
    let help = nested_help(&parser, nested, cx).or_else(|| asked_for_help(&parser, cx));
    let text = match help {
        Some(error) => error.render(),
        None => shown(parser, cx).render_help(),
    };
    Some(styled(
        &text,
        Styles::of(&cx.streams().out, cx.environment()),
    ))
}

/// The parser of a command that has its words parsed by clap, by the first of its parameters.
pub(crate) fn build(command: &Command) -> Option<clap::Command> {
    match command.get_parser()? {
        WordParser::Clap(build) => Some(build()),
        WordParser::Raw => None,
    }
}

/// The help of the nested subcommand that these words name.
fn nested_help(parser: &clap::Command, nested: &[OsString], cx: &Context) -> Option<clap::Error> {
    if nested.is_empty() || !parser.has_subcommands() {
        return None;
    }
    let words = nested.iter().cloned().chain(["--help".into()]);
    let error = shown(parser.clone(), cx)
        .try_get_matches_from(words)
        .err()?;
    (error.kind() == ErrorKind::DisplayHelp).then_some(error)
}

/// What is printed to somebody whose words ask for help: that of the command, or of a nested subcommand. `None` if a parser
/// as help shows it does not understand the words.
pub(crate) fn help_for(parser: clap::Command, cx: &Context) -> Option<clap::Error> {
    if !parser.has_subcommands() {
        return asked_for_help(&parser, cx);
    }
    let error = shown(parser, cx).try_get_matches_from(cx.args()).err()?;
    (error.kind() == ErrorKind::DisplayHelp).then_some(error)
}

/// What a parser says to its `--help`; none if it has no such flag.
fn asked_for_help(parser: &clap::Command, cx: &Context) -> Option<clap::Error> {
    let mut flags = parser.get_arguments().filter(|arg| {
        matches!(
            arg.get_action(),
            ArgAction::Help | ArgAction::HelpLong | ArgAction::HelpShort
        )
    });
    let flag = flags.find_map(Arg::get_long)?;
    shown(parser.clone(), cx)
        .try_get_matches_from([format!("--{flag}")])
        .err()
        .filter(|error| error.kind() == ErrorKind::DisplayHelp)
}

/// The parser as its help shows it.
fn shown(parser: clap::Command, cx: &Context) -> clap::Command {
    variables::described(without_optional_values(parser), cx.environment())
}

/// An option whose value may be left out and has an empty name looks like a flag in help. clap would always show that
/// there can be a value, as in `--rm[=<BOOL>]`.
pub(crate) fn without_optional_values(parser: clap::Command) -> clap::Command {
    let parser = parser.mut_subcommands(without_optional_values);
    parser.mut_args(|arg| {
        let is_unnamed = matches!(arg.get_value_names(), Some([name]) if name.is_empty());
        let is_optional = arg
            .get_num_args()
            .is_some_and(|range| range.min_values() == 0);
        if !(is_unnamed && is_optional) {
            return arg;
        }
        arg.value_names(None::<&'static str>)
            .num_args(0)
            .require_equals(false)
            .default_missing_value(None::<&'static str>)
            .default_value(None::<&'static str>)
            .hide_default_value(false)
            .value_parser(None::<clap::builder::ValueParser>)
            .action(ArgAction::SetTrue)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cx() -> Context {
        Context::process()
    }

    /// `--rm[=BOOL]`, as clap has to be told of it.
    fn boolean(name: &'static str, value: &'static str) -> Arg {
        Arg::new(name)
            .long(name)
            .short(name.chars().next())
            .help("What it does")
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .hide_default_value(true)
            .default_missing_value("true")
            .value_parser(clap::value_parser!(bool))
            .value_name(value)
    }

    fn parser(arguments: [Arg; 2]) -> clap::Command {
        with_help_flag(clap::Command::new("x").no_binary_name(true).args(arguments))
    }

    #[test]
    fn an_optional_value_without_a_name_is_not_shown() {
        let parser = parser([boolean("rm", ""), boolean("color", "WHEN")]);
        let text = asked_for_help(&parser, &cx()).expect("help").to_string();
        assert!(
            text.contains("  -r, --rm              What it does\n"),
            "{text}"
        );
        assert!(
            text.contains("  -c, --color[=<WHEN>]  What it does"),
            "{text}"
        );
        // The parser itself still takes one.
        let matches = parser
            .try_get_matches_from(["--rm=false"])
            .expect("a match");
        assert!(!matches.get_flag("rm"));
    }

    #[test]
    fn a_value_that_is_needed_is_shown_even_without_a_name() {
        let needed = Arg::new("name").long("name").value_name("");
        let text = asked_for_help(&parser([needed, boolean("rm", "")]), &cx())
            .expect("help")
            .to_string();
        assert!(text.contains("--name <>"), "{text}");
    }

    #[test]
    fn a_parser_without_a_help_flag_is_not_asked() {
        assert!(asked_for_help(&clap::Command::new("x").disable_help_flag(true), &cx()).is_none());
    }
}
