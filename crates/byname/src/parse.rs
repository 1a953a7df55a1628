//! A command's words, parsed by clap.
//!
//! What is generic here is a thin layer: it is compiled once for each command, and a program may have hundreds.

use std::ffi::OsString;
use std::hint::black_box;
use std::marker::PhantomData;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args};

use crate::context::Context;
use crate::from_context::FromContext;
use crate::parameter::{Need, WordParser};
use crate::parser::{self, parser};
use crate::variables;

/// Parses the context's arguments with the parser of `T`.
///
/// A function under `#[command]` takes `T` as its parameter instead; this is for a handler that is written by hand.
///
/// # Errors
/// What the parser says. `--help` is such an error too: return it with `?`, and the dispatcher prints the help and ends
/// with success.
pub fn parse<T: ParseWords>(cx: &Context) -> anyhow::Result<T> {
    T::parse_words(cx, |parser| parser)
}

/// Words that clap parses: every `T: clap::Args`, and [`Usual`].
///
/// A parameter type that has a syntax of its own is generic over it:
///
/// ```
/// use byname::{Context, FromContext, Need, ParseWords, WordParser};
///
/// /// Words whose options are all in capitals.
/// struct Capitals<T>(T);
///
/// fn capitals(parser: clap::Command) -> clap::Command {
///     parser.mut_args(|arg| match arg.get_short() {
///         Some(letter) => arg.short(letter.to_ascii_uppercase()),
///         None => arg,
///     })
/// }
///
/// impl<T: ParseWords> FromContext for Capitals<T> {
///     const PARSER: Option<WordParser> = Some(WordParser::Clap(|| capitals(T::parser())));
///     const NEEDS: &'static [Need] = &[];
///
///     fn from_context(cx: &mut Context) -> anyhow::Result<Capitals<T>> {
///         T::parse_words(cx, capitals).map(Capitals)
///     }
/// }
/// ```
pub trait ParseWords: Sized {
    /// The parser, by which help is printed.
    fn parser() -> clap::Command;

    /// Parses the context's arguments; `adapt` may change the parser's arguments before.
    ///
    /// # Errors
    /// What the parser says, as a [`clap::Error`]. `--help` is such an error too.
    fn parse_words(cx: &Context, adapt: fn(clap::Command) -> clap::Command)
    -> anyhow::Result<Self>;
}

impl<T: Args> ParseWords for T {
    fn parser() -> clap::Command {
        parser::<T>()
    }

    fn parse_words(cx: &Context, adapt: fn(clap::Command) -> clap::Command) -> anyhow::Result<T> {
        let mut parsed = None;
        read(cx, black_box(parser::<T>), adapt, &mut |matches| {
            parsed = Some(T::from_arg_matches_mut(matches)?);
            Ok(())
        })?;
        parsed.context("a parser's words are neither taken nor refused")
    }
}

/// The words behind the command's name, parsed by clap.
impl<T: Args> FromContext for T {
    const PARSER: Option<WordParser> = Some(WordParser::Clap(parser::<T>));
    const NEEDS: &'static [Need] = &[];

    fn from_context(cx: &mut Context) -> anyhow::Result<T> {
        parse(cx)
    }
}

/// The words of a command with many options, most of which are rarely used: building a parser of a hundred takes longer
/// than most commands do to start. `U` has the usual ones, declared as `T` declares them, and is tried first; what it does
/// not take as it is, is parsed as `T`, by which every error and all help is worded.
///
/// ```
/// use byname::{Context, Usual};
/// use clap::Args;
///
/// #[derive(Args)]
/// struct UsualShow {
///     /// What to show
///     name: String,
/// }
///
/// #[derive(Args)]
/// struct Show {
///     #[command(flatten)]
///     usual: UsualShow,
///     /// How many columns to use
///     #[arg(long, default_value_t = 80)]
///     width: usize,
/// }
///
/// impl From<UsualShow> for Show {
///     fn from(usual: UsualShow) -> Show {
///         Show { usual, width: 80 }
///     }
/// }
///
/// /// Show something
/// #[byname::command("show")]
/// fn show(cx: &mut Context, Usual(show, _): Usual<UsualShow, Show>) -> anyhow::Result<()> {
///     anyhow::ensure!(show.width > show.usual.name.len(), "too narrow");
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Usual<U, T>(pub T, pub PhantomData<U>);

impl<U: Args, T: Args + From<U>> ParseWords for Usual<U, T> {
    fn parser() -> clap::Command {
        parser::<T>()
    }

    fn parse_words(
        cx: &Context,
        adapt: fn(clap::Command) -> clap::Command,
    ) -> anyhow::Result<Usual<U, T>> {
        let mut usual = None;
        read_usual(cx, black_box(parser::<U>), adapt, &mut |matches| {
            usual = U::from_arg_matches_mut(matches).ok();
            Ok(())
        });
        let parsed = match usual {
            Some(usual) => usual.into(),
            None => T::parse_words(cx, adapt)?,
        };
        Ok(Usual(parsed, PhantomData))
    }
}

impl<U: Args, T: Args + From<U>> FromContext for Usual<U, T> {
    const PARSER: Option<WordParser> = Some(WordParser::Clap(parser::<T>));
    const NEEDS: &'static [Need] = &[];

    fn from_context(cx: &mut Context) -> anyhow::Result<Usual<U, T>> {
        parse(cx)
    }
}

/// Makes a command's struct of what was matched.
type Take<'t> = &'t mut dyn FnMut(&mut ArgMatches) -> Result<(), clap::Error>;

/// Parses the words and hands on what was matched.
///
/// Nothing of it is generic, and its callers hide from the optimizer which parser they name: it would copy the whole of this,
/// clap's `Command` and all, for each command (measured: from 14 KB to 23).
#[inline(never)]
fn read(
    cx: &Context,
    build: fn() -> clap::Command,
    adapt: fn(clap::Command) -> clap::Command,
    take: Take<'_>,
) -> anyhow::Result<()> {
    let command = cx.command();
    let build = || {
        let parser = adapt(build());
        match command {
            Some(command) => parser::configured(cx.program(), command, cx.typed_name(), parser, cx),
            None => parser.no_binary_name(true),
        }
    };
    let (mut parser, matches) = matches(build(), cx);
    match matches.and_then(|mut matches| take(&mut matches)) {
        Ok(()) => Ok(()),
        // A parser of many options takes long to copy; it is built once more only where something is to be printed.
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            Err(parser::help_for(build(), cx).unwrap_or(error).into())
        }
        Err(error) => Err(error.format(&mut parser).into()),
    }
}

/// Parses the words by the usual options; nothing is handed on where these do not do.
#[inline(never)]
fn read_usual(
    cx: &Context,
    build: fn() -> clap::Command,
    adapt: fn(clap::Command) -> clap::Command,
    take: Take<'_>,
) {
    let parser = adapt(build()).no_binary_name(true);
    if let (_, Ok(mut matches)) = matches(parser, cx) {
        // What is refused here is worded by the parser of all options.
        let _ = take(&mut matches);
    }
}

/// Parses the context's arguments, with its variables.
fn matches(
    mut parser: clap::Command,
    cx: &Context,
) -> (clap::Command, Result<ArgMatches, clap::Error>) {
    let words: Vec<OsString>;
    let words = match variables::given(parser, cx.args(), cx.environment()) {
        (unchanged, None) => {
            parser = unchanged;
            cx.args()
        }
        (changed, Some(more)) => {
            parser = changed;
            words = more;
            &words
        }
    };
    let matches = parser.try_get_matches_from_mut(words);
    (parser, matches)
}
