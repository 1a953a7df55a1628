//! Parses a command's words as a clap `Args`.

use clap::Args;
use clap::error::ErrorKind;

use crate::command::Command;
use crate::context::Context;
use crate::parser::{asked_for_help, configured, parser};

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
