//! The descriptor of a command: const data and function pointers, so that it can be registered before `main`.

use std::fmt;

use crate::context::Context;
use crate::parameter::{Need, Parameter, WordParser};
use crate::status::ExitStatus;
use crate::words::{self, Name};

/// What a command does: it gets the context of this dispatch and says how it ended.
pub type Handler = fn(&mut Context) -> anyhow::Result<ExitStatus>;

/// Where a command was declared. [`origin!`](crate::origin) makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Origin {
    /// The package that declares the command.
    pub crate_name: &'static str,
    /// That package's version.
    pub version: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line of the declaration.
    pub line: u32,
}

impl Origin {
    /// An origin from its parts; [`origin!`](crate::origin) fills them in.
    pub const fn new(
        crate_name: &'static str,
        version: &'static str,
        file: &'static str,
        line: u32,
    ) -> Origin {
        Origin {
            crate_name,
            version,
            file,
            line,
        }
    }
}

/// `groups 0.1.0 at src/create.rs:12`
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} at {}:{}",
            self.crate_name, self.version, self.file, self.line
        )
    }
}

/// The [`Origin`] of the place where it is written: package, version, file and line.
#[macro_export]
macro_rules! origin {
    () => {
        $crate::Origin::new(
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
            ::core::file!(),
            ::core::line!(),
        )
    };
}

/// One more name of a command, of one or more words.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    pub(crate) name: Name,
    hidden: bool,
}

impl Alias {
    /// An alias that help and lists show.
    ///
    /// # Panics
    /// At compile time, in a `const`, if the name is not one that a command may have: see [`Command::new`].
    #[track_caller]
    pub const fn visible(name: &'static str) -> Alias {
        Alias {
            name: Name::declare(name),
            hidden: false,
        }
    }

    /// An alias that works and is not shown.
    ///
    /// # Panics
    /// As [`Alias::visible`].
    #[track_caller]
    pub const fn hidden(name: &'static str) -> Alias {
        Alias {
            name: Name::declare(name),
            hidden: true,
        }
    }

    /// The alias as it was declared: `container run`.
    pub const fn name(&self) -> &'static str {
        self.name.text
    }

    /// Whether help and lists leave it out.
    pub const fn is_hidden(&self) -> bool {
        self.hidden
    }
}

/// A command: its name, what help says of it, its handler and where it comes from.
///
/// [`#[command]`](macro@crate::command) writes one from a function. By hand it is a const expression too:
///
/// ```
/// use byname::{Alias, Command, Context, ExitStatus};
///
/// fn create(cx: &mut Context) -> anyhow::Result<ExitStatus> {
///     Ok(ExitStatus::Success)
/// }
///
/// byname::register! {
///     Command::new("groups create", "Create a group", create, byname::origin!())
///         .raw_words()
///         .aliases(&[Alias::visible("group create"), Alias::hidden("mkgroup")])
///         .category("Management Commands")
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Command {
    pub(crate) name: Name,
    summary: &'static str,
    long_help: Option<&'static str>,
    category: Option<&'static str>,
    usage: Option<&'static str>,
    aliases: &'static [Alias],
    hidden: bool,
    handler: Handler,
    origin: Origin,
    parser: Option<WordParser>,
    parameters: &'static [Parameter],
}

impl Command {
    /// A command with its name, the one line that help shows, its handler and its origin.
    ///
    /// The name is one or more words of `a-z` and `0-9`, with single hyphens inside a word and one space between two:
    /// `run`, `dry-run`, `groups create`.
    ///
    /// # Panics
    /// At compile time, in a `const`, if the name is not such a name, or if the summary is empty or longer than a line.
    #[track_caller]
    pub const fn new(
        name: &'static str,
        summary: &'static str,
        handler: Handler,
        origin: Origin,
    ) -> Command {
        check_summary(summary.as_bytes());
        Command {
            name: Name::declare(name),
            summary,
            long_help: None,
            category: None,
            usage: None,
            aliases: &[],
            hidden: false,
            handler,
            origin,
            parser: None,
            parameters: &[],
        }
    }

    /// What `help NAME` says below the summary: one or more paragraphs, with an empty line between two.
    pub const fn long_help(mut self, text: &'static str) -> Command {
        self.long_help = Some(text);
        self
    }

    /// The heading under which help lists the command; `Commands` without one.
    pub const fn category(mut self, heading: &'static str) -> Command {
        self.category = Some(heading);
        self
    }

    /// What stands behind the program's and the command's name on the usage line of its help, where the parser's own line
    /// would not do: `[OPTIONS] IMAGE [COMMAND] [ARG...]`.
    pub const fn usage(mut self, operands: &'static str) -> Command {
        self.usage = Some(operands);
        self
    }

    /// The command's other names.
    pub const fn aliases(mut self, aliases: &'static [Alias]) -> Command {
        self.aliases = aliases;
        self
    }

    /// Leaves the command out of help, lists and suggestions; it still runs, and `help NAME` still describes it.
    pub const fn hidden(mut self) -> Command {
        self.hidden = true;
        self
    }

    /// The parser of the command's own options, usually [`parser::<T>`](crate::parser).
    ///
    /// It is called only to describe this command or to run it: names, summaries and lists need none.
    #[cfg(feature = "clap")]
    pub const fn parser(mut self, parser: fn() -> clap::Command) -> Command {
        self.parser = Some(WordParser::Clap(parser));
        self
    }

    /// Hands the words behind the name to the handler as they were typed, `--help` among them; it finds them in
    /// [`Context::args`].
    ///
    /// A command with neither this nor a parser takes no words: `--help` prints its help, and any other word is a usage
    /// error.
    pub const fn raw_words(mut self) -> Command {
        self.parser = Some(WordParser::Raw);
        self
    }

    /// The parameters of the command's function behind its context, in their order: how the words are read, and what the
    /// host has to provide.
    ///
    /// ```
    /// use byname::{Command, Context, ExitStatus, FromContext, Parameter, RawWords, State};
    ///
    /// struct Directory(std::path::PathBuf);
    ///
    /// fn create(cx: &mut Context, words: RawWords, directory: State<Directory>) -> anyhow::Result<ExitStatus> {
    ///     Ok(ExitStatus::Success)
    /// }
    ///
    /// byname::register! {
    ///     Command::new("groups create", "Create a group", |cx| {
    ///         let words = FromContext::from_context(cx)?;
    ///         let directory = FromContext::from_context(cx)?;
    ///         create(cx, words, directory)
    ///     }, byname::origin!())
    ///     .parameters(&[Parameter::of::<RawWords>(), Parameter::of::<State<Directory>>()])
    /// }
    /// ```
    pub const fn parameters(mut self, parameters: &'static [Parameter]) -> Command {
        if let [first, ..] = parameters
            && first.parser.is_some()
        {
            self.parser = first.parser;
        }
        self.parameters = parameters;
        self
    }

    /// The name as it was declared: `groups create`.
    pub const fn name(&self) -> &'static str {
        self.name.text
    }

    /// The words of the name.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.name.text.split(' ')
    }

    /// The one line that help shows.
    pub const fn summary(&self) -> &'static str {
        self.summary
    }

    /// What [`long_help`](Command::long_help) set.
    pub const fn get_long_help(&self) -> Option<&'static str> {
        self.long_help
    }

    /// What [`category`](Command::category) set.
    pub const fn get_category(&self) -> Option<&'static str> {
        self.category
    }

    /// What [`usage`](Command::usage) set.
    pub const fn get_usage(&self) -> Option<&'static str> {
        self.usage
    }

    /// What [`aliases`](Command::aliases) set, the hidden ones too.
    pub const fn get_aliases(&self) -> &'static [Alias] {
        self.aliases
    }

    /// How the command reads its words; `None` if it takes none.
    pub const fn get_parser(&self) -> Option<WordParser> {
        self.parser
    }

    /// What the command's parameters need of the host.
    pub fn needs(&self) -> impl Iterator<Item = &'static Need> + use<> {
        self.parameters.iter().flat_map(|parameter| parameter.needs)
    }

    /// Whether help, lists and suggestions leave it out.
    pub const fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// What the command does.
    pub const fn handler(&self) -> Handler {
        self.handler
    }

    /// Where the command was declared.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The name under which dispatch looks the command up: `CmdGroupsCreate` for `groups create`.
    pub fn method_name(&self) -> String {
        words::method_name(&[self.name.text])
    }

    /// The parameters that must not read words.
    pub(crate) fn parameters_behind_the_first(&self) -> &'static [Parameter] {
        self.parameters.get(1..).unwrap_or_default()
    }

    /// The aliases that help shows.
    pub(crate) fn visible_aliases(&self) -> impl Iterator<Item = &'static Alias> + use<> {
        self.aliases.iter().filter(|alias| !alias.hidden)
    }
}

/// The command's name and origin: functions have nothing to show.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("name", &self.name.text)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

inventory::collect!(Command);

/// Registers a command: its argument is a const expression of type [`Command`].
///
/// It stands outside of functions. [`#[command]`](macro@crate::command) writes one.
#[macro_export]
macro_rules! register {
    ($($command:tt)*) => {
        $crate::inventory::submit! { $($command)* }
    };
}

#[track_caller]
const fn check_summary(summary: &[u8]) {
    if summary.is_empty() {
        panic!(
            "a command's summary is empty: help lists it, so say in one line what the command does"
        );
    }
    let mut at = 0;
    while at < summary.len() {
        if summary[at].is_ascii_control() {
            panic!(
                "a command's summary is one line without control characters; more goes into `long_help`"
            );
        }
        at += 1;
    }
}
