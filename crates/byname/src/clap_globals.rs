//! The host's global options as a clap `Args`.

use std::any::TypeId;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Args};

use crate::clap_error::styled;
use crate::color::Styles;
use crate::context::Context;
use crate::environment::Environment;
use crate::globals::{ParseGlobals, Request};
use crate::help;
use crate::parser::{flag, parser, without_optional_values};
use crate::variables;

/// The argument that collects the command's name and everything behind it; no option of a host is called so.
const WORDS: &str = "byname words";

/// Global options of type `G`.
pub(crate) struct ClapGlobals<G> {
    apply: Box<Apply<G>>,
}

/// What a host does with its global options.
type Apply<G> = dyn Fn(&G, &mut Context) -> anyhow::Result<()> + Send + Sync;

impl<G: Args> ClapGlobals<G> {
    pub(crate) fn new(
        apply: impl Fn(&G, &mut Context) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> ClapGlobals<G> {
        ClapGlobals {
            apply: Box::new(apply),
        }
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
    fn globals_type(&self) -> TypeId {
        TypeId::of::<G>()
    }

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
        let parser = Self::options(version)
            .bin_name(program.clone())
            .override_usage(format!("{program} [OPTIONS] COMMAND [ARG...]"))
            .term_width(help::width(&cx.streams().err, cx.environment()))
            .arg(words);
        let (mut parser, with_variables) = variables::given(parser, &args, cx.environment());
        let words = with_variables.as_ref().unwrap_or(&args);
        let mut matches = match parser.try_get_matches_from_mut(words) {
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

    fn help(
        &self,
        version: bool,
        styles: Styles,
        width: usize,
        environment: &Environment,
    ) -> String {
        let options = without_optional_values(Self::options(version));
        let mut options = variables::described(options, environment)
            .help_template("{options}")
            .term_width(width);
        styled(&options.render_help(), styles)
    }
}
