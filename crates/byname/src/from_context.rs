//! The parameters of a command's function: what it needs, taken from the context.

use std::ffi::OsString;
use std::ops::Deref;
use std::sync::Arc;

use anyhow::Context as _;

use crate::context::Context;
use crate::parameter::{Need, Parameter, WordParser};

/// A parameter that a function under [`#[command]`](macro@crate::command) may have behind its context.
///
/// byname has [`State<T>`], [`MaybeState<T>`], [`Globals<T>`] and [`RawWords`], and with the feature `clap` every
/// `T: clap::Args`, whose fields are parsed from the command's words. A crate adds its own: a type that reads the words in
/// another syntax, or one that is made of state and options.
///
/// At most one parameter has a parser, and it stands directly behind the context: so a mistake in the words is reported
/// before any state is built, and no word is read twice.
///
/// ```
/// use byname::{Context, FromContext, Need, WordParser};
///
/// /// The user's directory of groups.
/// struct Directory(std::path::PathBuf);
///
/// /// Whether there is a terminal to ask on.
/// struct Interactive(bool);
///
/// impl FromContext for Interactive {
///     const PARSER: Option<WordParser> = None;
///     const NEEDS: &'static [Need] = &[];
///
///     fn from_context(cx: &mut Context) -> anyhow::Result<Interactive> {
///         Ok(Interactive(cx.streams().input.is_terminal()))
///     }
/// }
///
/// /// Remove all groups
/// #[byname::command("groups prune")]
/// fn prune(cx: &mut Context, interactive: Interactive, directory: byname::State<Directory>) -> anyhow::Result<()> {
///     anyhow::ensure!(interactive.0, "groups are removed only from a terminal");
///     Ok(std::fs::remove_dir_all(&directory.0)?)
/// }
/// ```
#[cfg_attr(
    feature = "clap",
    diagnostic::on_unimplemented(
        message = "`{Self}` cannot be a parameter of a command",
        label = "not a type that a command can be given",
        note = "behind `cx: &mut Context`, take the words of the command line as a struct that derives `clap::Args`, or as `RawWords`",
        note = "take what the host provides as `State<T>`, `MaybeState<T>` or `Globals<T>`, of a `T` that is `Send + Sync + 'static`",
        note = "any other type can be a parameter once it implements `byname::FromContext`"
    )
)]
#[cfg_attr(
    not(feature = "clap"),
    diagnostic::on_unimplemented(
        message = "`{Self}` cannot be a parameter of a command",
        label = "not a type that a command can be given",
        note = "behind `cx: &mut Context`, take the words of the command line as `RawWords`; with byname's feature `clap`, also as a struct that derives `clap::Args`",
        note = "take what the host provides as `State<T>`, `MaybeState<T>` or `Globals<T>`, of a `T` that is `Send + Sync + 'static`",
        note = "any other type can be a parameter once it implements `byname::FromContext`"
    )
)]
pub trait FromContext: Sized {
    /// How it reads the command's words; `None` if it does not.
    const PARSER: Option<WordParser>;

    /// What it takes from the host and fails without. [`testing::assert_host`](crate::testing::assert_host) checks it.
    const NEEDS: &'static [Need];

    /// Takes it from the context of the dispatch.
    ///
    /// # Errors
    /// The words are not understood, the host does not provide what is needed, or building it failed.
    fn from_context(cx: &mut Context) -> anyhow::Result<Self>;
}

impl Parameter {
    /// The parameter of this type.
    pub const fn of<P: FromContext>() -> Parameter {
        Parameter {
            parser: P::PARSER,
            needs: P::NEEDS,
        }
    }

    /// Checks the order of two parameters where they are declared; `#[command]` calls it.
    ///
    /// # Panics
    /// At compile time, in a `const`, if the one behind reads words.
    #[doc(hidden)]
    #[track_caller]
    pub const fn is_behind(self, first: Parameter) {
        match (first.parser, self.parser) {
            (_, None) => {}
            (Some(_), Some(_)) => panic!(
                "two parameters of this command read its words: keep one of them; a struct can hold all options and operands"
            ),
            (None, Some(_)) => panic!(
                "the parameter that reads the command's words stands directly behind `cx`: move it there"
            ),
        }
    }
}

/// The host's state of type `T`, built when a command first needs it. It derefs to `T`.
///
/// ```
/// use byname::{Context, State};
///
/// struct Directory(std::path::PathBuf);
///
/// /// Print where groups are kept
/// #[byname::command("groups path")]
/// fn path(cx: &mut Context, directory: State<Directory>) -> anyhow::Result<()> {
///     use std::io::Write;
///     Ok(writeln!(cx.out(), "{}", directory.0.display())?)
/// }
/// ```
#[derive(Debug)]
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// State of a caller's own, to call a command's function with it.
    pub fn new(state: T) -> State<T> {
        State(Arc::new(state))
    }

    /// The shared value itself, to keep it or to send it to a thread.
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> State<T> {
        State(self.0.clone())
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromContext for State<T> {
    const PARSER: Option<WordParser> = None;
    const NEEDS: &'static [Need] = &[Need::state::<T>()];

    fn from_context(cx: &mut Context) -> anyhow::Result<State<T>> {
        cx.state().map(State)
    }
}

/// The host's state of type `T` if it provides any, for what a command can do without: a configuration, a cache.
///
/// It derefs to an `Option`. `Option<State<T>>` cannot be a parameter: clap may make an `Option` an `Args` of its own.
#[derive(Debug)]
pub struct MaybeState<T>(Option<State<T>>);

impl<T> MaybeState<T> {
    /// State of a caller's own, or none, to call a command's function with it.
    pub fn new(state: Option<T>) -> MaybeState<T> {
        MaybeState(state.map(State::new))
    }

    /// The state, if there is any.
    pub fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }
}

impl<T> Clone for MaybeState<T> {
    fn clone(&self) -> MaybeState<T> {
        MaybeState(self.0.clone())
    }
}

impl<T> Deref for MaybeState<T> {
    type Target = Option<State<T>>;

    fn deref(&self) -> &Option<State<T>> {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromContext for MaybeState<T> {
    const PARSER: Option<WordParser> = None;
    const NEEDS: &'static [Need] = &[];

    fn from_context(cx: &mut Context) -> anyhow::Result<MaybeState<T>> {
        let found = cx.optional_state()?;
        Ok(MaybeState(found.map(State)))
    }
}

/// The host's global options of type `T`. It derefs to `T`.
#[derive(Debug)]
pub struct Globals<T>(Arc<T>);

impl<T> Globals<T> {
    /// Options of a caller's own, to call a command's function with them.
    pub fn new(options: T) -> Globals<T> {
        Globals(Arc::new(options))
    }
}

impl<T> Clone for Globals<T> {
    fn clone(&self) -> Globals<T> {
        Globals(self.0.clone())
    }
}

impl<T> Deref for Globals<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromContext for Globals<T> {
    const PARSER: Option<WordParser> = None;
    const NEEDS: &'static [Need] = &[Need::globals::<T>()];

    fn from_context(cx: &mut Context) -> anyhow::Result<Globals<T>> {
        cx.shared_globals().map(Globals).with_context(|| {
            let command = cx.command().map_or("", |command| command.name());
            Need::globals::<T>().missing(command)
        })
    }
}

/// The words behind the command's name as they were typed, `--help` among them.
///
/// ```
/// use byname::{Context, RawWords};
///
/// /// Print the words
/// #[byname::command("echo")]
/// fn echo(cx: &mut Context, RawWords(words): RawWords) -> anyhow::Result<()> {
///     use std::io::Write;
///     Ok(writeln!(cx.out(), "{}", words.join(" ".as_ref()).display())?)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawWords(pub Vec<OsString>);

impl FromContext for RawWords {
    const PARSER: Option<WordParser> = Some(WordParser::Raw);
    const NEEDS: &'static [Need] = &[];

    fn from_context(cx: &mut Context) -> anyhow::Result<RawWords> {
        Ok(RawWords(cx.args().to_vec()))
    }
}
