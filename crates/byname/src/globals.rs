//! The host's global options, which come before the command's name.

use std::any::TypeId;
use std::ffi::OsString;

use crate::color::Styles;
use crate::context::Context;
use crate::environment::Environment;
use crate::error::UsageError;
use crate::words;

/// What the words before the command's name ask for.
pub(crate) enum Request {
    /// The command that the context's arguments now begin with.
    Command,
    Help,
    Version,
}

/// Takes the global options off the words and says how many words they are.
pub(crate) type ParseRaw = dyn Fn(&mut Context, &[OsString]) -> anyhow::Result<usize> + Send + Sync;

/// How global options are parsed.
#[derive(Default)]
pub(crate) enum GlobalOptions {
    /// There are only `--help` and `--version`.
    #[default]
    None,
    /// A function of the host's, which says how many words it took.
    Raw(Box<ParseRaw>),
    /// A clap `Args` of the host's.
    #[cfg(feature = "clap")]
    Clap(Box<dyn ParseGlobals>),
}

#[cfg(feature = "clap")]
/// Global options of a type that the dispatcher does not know any more.
#[cfg(feature = "clap")]
pub(crate) trait ParseGlobals: Send + Sync {
    /// The type that handlers find them by.
    fn globals_type(&self) -> TypeId;
    fn parse(
        &self,
        args: Vec<OsString>,
        version: bool,
        cx: &mut Context,
    ) -> anyhow::Result<Request>;
    fn help(
        &self,
        version: bool,
        styles: Styles,
        width: usize,
        environment: &Environment,
    ) -> String;
}

/// How a host words the errors of its global options.
#[cfg(feature = "clap")]
pub(crate) type ParseError = dyn Fn(clap::Error, &Context) -> anyhow::Error + Send + Sync;

impl GlobalOptions {
    /// Parses what comes before the name; the context's arguments are what is left.
    pub(crate) fn parse(
        &self,
        args: Vec<OsString>,
        version: bool,
        cx: &mut Context,
    ) -> anyhow::Result<Request> {
        match self {
            GlobalOptions::None => builtin(args, 0, version, cx),
            GlobalOptions::Raw(parse) => {
                let taken = parse(cx, &args)?;
                let most = args.len();
                builtin(args, taken.min(most), version, cx)
            }
            #[cfg(feature = "clap")]
            GlobalOptions::Clap(parser) => parser.parse(args, version, cx),
        }
    }

    /// The type that handlers find them by, where it is known.
    pub(crate) fn globals_type(&self) -> Option<TypeId> {
        match self {
            #[cfg(feature = "clap")]
            GlobalOptions::Clap(parser) => Some(parser.globals_type()),
            _ => None,
        }
    }

    /// The lines that help shows for the options.
    #[cfg_attr(not(feature = "clap"), allow(unused_variables))]
    pub(crate) fn help(
        &self,
        version: bool,
        styles: Styles,
        width: usize,
        environment: &Environment,
    ) -> String {
        #[cfg(feature = "clap")]
        if let GlobalOptions::Clap(parser) = self {
            return parser.help(version, styles, width, environment);
        }
        let options = [
            ("-h, --help", "Print help"),
            ("-v, --version", "Print version"),
        ];
        let shown = &options[..if version { 2 } else { 1 }];
        let lines = shown.iter().map(|(option, text)| {
            let gap = 15 - option.len();
            format!("  {}{:gap$}{text}\n", styles.literal(option), "")
        });
        lines.collect()
    }
}

/// Without a parser of the host's, or behind its words: `-h`, `-v`, and `--` before the name.
fn builtin(
    mut args: Vec<OsString>,
    taken: usize,
    version: bool,
    cx: &mut Context,
) -> anyhow::Result<Request> {
    let first = args.get(taken).and_then(|word| word.to_str());
    let (skip, request) = match first {
        Some("-h" | "--help") => (1, Request::Help),
        Some("-v" | "--version") if version => (1, Request::Version),
        Some("--") => (1, Request::Command),
        Some(option) if option.len() > 1 && option.starts_with('-') => {
            let option = words::shown(option.as_ref());
            return Err(UsageError::new(format!("unknown option: {option}")).into());
        }
        _ => (0, Request::Command),
    };
    args.drain(..taken + skip);
    cx.set_args(args);
    Ok(request)
}
