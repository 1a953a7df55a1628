//! clap's part: a command's own options, the host's global ones, and how clap's errors are shown.

use std::ffi::OsString;
use std::io::Write;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Args};

use crate::color::Styles;
use crate::command::Command;
use crate::context::Context;
use crate::globals::Request;
use crate::help;
use crate::status::ExitStatus;

/// The argument that collects the command's name and everything behind it; no option of a host is called so.
const WORDS: &str = "byname words";

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
/// byname::submit! {
///     Command::new("groups create", "Create a group", |cx| create(cx, byname::parse(cx)?), byname::origin!())
///         .parser(byname::parser::<Create>)
/// }
/// ```
pub fn parser<T: Args>() -> clap::Command {
    T::augment_args(clap::Command::new(""))
}

/// Parses the context's arguments with the parser of the command that runs.
///
/// # Errors
/// What the parser says, as the command's `parse_error` maps it. `--help` is such an error too: return it with `?`, and
/// the dispatcher prints the help and ends with success.
pub fn parse<T: Args>(cx: &Context) -> anyhow::Result<T> {
    let command = cx.command();
    let build = || match command {
        Some(command) => configured(cx.program(), command, cx.typed_name(), parser::<T>(), cx),
        None => parser::<T>().no_binary_name(true),
    };
    // A parser of many options takes long to copy; it is built once more only where something is to be printed.
    let mut parser = build();
    let matches = parser.try_get_matches_from_mut(cx.args());
    let matches = matches.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp => asked_for_help(&build()).unwrap_or(error),
        _ => error,
    });
    let parsed = matches.and_then(|mut matches| {
        T::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut parser))
    });
    parsed.map_err(|error| match command.and_then(Command::get_parse_error) {
        Some(map) if error.exit_code() != 0 => map(error, cx),
        _ => error.into(),
    })
}

/// Parses as [`parse`] does, for a command with many options, most of which are rarely used: building a parser of a hundred takes
/// longer than most commands do to start. `U` has the usual ones, declared as `T` declares them, and is tried first; whatever
/// it does not take as it is, is parsed as `T`, by which every error and all help is worded.
///
/// ```
/// use byname::{Command, Context, ExitStatus};
/// use clap::Args;
///
/// #[derive(Args)]
/// struct Usual {
///     /// What to show
///     name: String,
/// }
///
/// #[derive(Args)]
/// struct Show {
///     #[command(flatten)]
///     usual: Usual,
///     /// How many columns to use
///     #[arg(long, default_value_t = 80)]
///     width: usize,
/// }
///
/// impl From<Usual> for Show {
///     fn from(usual: Usual) -> Show {
///         Show { usual, width: 80 }
///     }
/// }
///
/// fn show(cx: &mut Context, args: Show) -> anyhow::Result<ExitStatus> {
///     Ok(ExitStatus::Success)
/// }
///
/// byname::submit! {
///     Command::new("show", "Show something", |cx| show(cx, byname::parse_usual::<Usual, Show>(cx)?), byname::origin!())
///         .parser(byname::parser::<Show>)
/// }
/// ```
///
/// # Errors
/// As [`parse`].
pub fn parse_usual<U: Args, T: Args + From<U>>(cx: &Context) -> anyhow::Result<T> {
    let mut usual = parser::<U>().no_binary_name(true);
    let matches = usual.try_get_matches_from_mut(cx.args());
    match matches.and_then(|mut matches| U::from_arg_matches_mut(&mut matches)) {
        Ok(parsed) => Ok(parsed.into()),
        Err(_) => parse(cx),
    }
}

/// The parser with the command's name and help, and wrapped to the width of the output.
fn configured(
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

/// Puts a `--help` in place of clap's, whose `-h` is refused where an option of the command's own uses that letter.
pub(crate) fn with_help_flag(parser: clap::Command) -> clap::Command {
    if parser.is_disable_help_flag_set() {
        return parser;
    }
    let flag = flag(&parser, "help", 'h', "Print help", ArgAction::Help);
    parser.disable_help_flag(true).args(flag)
}

/// `--name` and its letter, without what the parser's own arguments use already.
fn flag(
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

/// The help of a command with a parser.
pub(crate) fn help(program: &str, command: &Command, cx: &Context) -> Option<String> {
    let parser = command.get_parser()?;
    let parser = configured(program, command, command.name(), parser(), cx);
    let text = match asked_for_help(&parser) {
        Some(error) => error.render(),
        None => shown(parser.clone()).render_help(),
    };
    Some(styled(
        &text,
        Styles::of(&cx.streams().out, cx.environment()),
    ))
}

/// What a parser says to its `--help`; none if it has no such flag.
fn asked_for_help(parser: &clap::Command) -> Option<clap::Error> {
    let mut flags = parser.get_arguments().filter(|arg| {
        matches!(
            arg.get_action(),
            ArgAction::Help | ArgAction::HelpLong | ArgAction::HelpShort
        )
    });
    let flag = flags.find_map(Arg::get_long)?;
    shown(parser.clone())
        .try_get_matches_from([format!("--{flag}")])
        .err()
        .filter(|error| error.kind() == ErrorKind::DisplayHelp)
}

/// The parser as its help shows it: an option whose value may be left out and has an empty name looks like a flag. clap
/// would always show that there can be a value, as in `--rm[=<BOOL>]`.
fn shown(parser: clap::Command) -> clap::Command {
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

fn styled(text: &clap::builder::StyledStr, styles: Styles) -> String {
    if styles.is_colored() {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}

/// Prints an error as clap words it. Help that was asked for goes to the output and is success.
pub(crate) fn report(error: &clap::Error, cx: &mut Context) -> ExitStatus {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let output = if asked {
        &cx.streams().out
    } else {
        &cx.streams().err
    };
    let text = styled(&error.render(), Styles::of(output, cx.environment()));
    if !asked {
        // There is no stream left to say it on if this fails.
        let _ = cx.err().write_all(text.as_bytes());
        return ExitStatus::Usage;
    }
    match cx.out().write_all(text.as_bytes()) {
        Ok(()) => ExitStatus::Success,
        Err(error) => crate::report::report(&error.into(), cx),
    }
}

/// Global options of a type that the dispatcher does not know any more.
pub(crate) trait ParseGlobals: Send + Sync {
    fn parse(
        &self,
        args: Vec<OsString>,
        version: bool,
        cx: &mut Context,
    ) -> anyhow::Result<Request>;
    fn help(&self, version: bool, styles: Styles, width: usize) -> String;
}

/// Global options of type `G`.
pub(crate) struct ClapGlobals<G> {
    apply: fn(&G, &mut Context) -> anyhow::Result<()>,
}

impl<G: Args> ClapGlobals<G> {
    pub(crate) fn new(apply: fn(&G, &mut Context) -> anyhow::Result<()>) -> ClapGlobals<G> {
        ClapGlobals { apply }
    }

    /// The options alone, with `--help` and `--version` where the host has none of its own.
    fn options(version: bool) -> clap::Command {
        let options = parser::<G>()
            .disable_help_flag(true)
            .disable_version_flag(true)
            .no_binary_name(true);
        let help = flag(&options, "help", 'h', "Print help", ArgAction::Help);
        let options = options.args(help);
        if !version {
            return options;
        }
        let flag = flag(
            &options,
            "version",
            'v',
            "Print version",
            ArgAction::Version,
        );
        // clap asks for a version beside the flag; the dispatcher prints its own.
        options.version("").args(flag)
    }
}

impl<G: Args + Send + Sync + 'static> ParseGlobals for ClapGlobals<G> {
    fn parse(
        &self,
        args: Vec<OsString>,
        version: bool,
        cx: &mut Context,
    ) -> anyhow::Result<Request> {
        let words = Arg::new(WORDS)
            .num_args(0..)
            .trailing_var_arg(true)
            .value_parser(clap::value_parser!(OsString))
            .hide(true);
        let program = cx.program().to_owned();
        let mut parser = Self::options(version)
            .bin_name(program.clone())
            .override_usage(format!("{program} [OPTIONS] COMMAND [ARG...]"))
            .term_width(help::width(&cx.streams().err, cx.environment()))
            .arg(words);
        let mut matches = match parser.try_get_matches_from_mut(&args) {
            Ok(matches) => matches,
            Err(error) if error.kind() == ErrorKind::DisplayHelp => return Ok(Request::Help),
            Err(error) if error.kind() == ErrorKind::DisplayVersion => return Ok(Request::Version),
            Err(error) => {
                // Who words the error may want to see what was typed.
                cx.set_args(args);
                return Err(error.into());
            }
        };
        let words = matches.remove_many::<OsString>(WORDS).into_iter().flatten();
        cx.set_args(words);
        let globals =
            G::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut parser))?;
        (self.apply)(&globals, cx)?;
        cx.set_globals(globals);
        Ok(Request::Command)
    }

    fn help(&self, version: bool, styles: Styles, width: usize) -> String {
        let mut options = shown(Self::options(version))
            .help_template("{options}")
            .term_width(width);
        styled(&options.render_help(), styles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let text = asked_for_help(&parser).expect("help").to_string();
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
        let text = asked_for_help(&parser([needed, boolean("rm", "")]))
            .expect("help")
            .to_string();
        assert!(text.contains("--name <>"), "{text}");
    }

    #[test]
    fn a_parser_without_a_help_flag_is_not_asked() {
        assert!(asked_for_help(&clap::Command::new("x").disable_help_flag(true)).is_none());
    }
}
