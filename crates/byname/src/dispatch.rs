//! From argv to a status: global options, the command's name, its handler, and the report of what went wrong.

use std::any::{Any, TypeId};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use once_cell::sync::OnceCell;

use crate::answer;
use crate::color::Styles;
use crate::command::Command;
use crate::contain::{self, QuietHook};
use crate::context::{Context, Host};
use crate::error::UsageError;
use crate::globals::{GlobalOptions, Request};
use crate::help::{self, Program};
use crate::registry::{Registry, RegistryError};
use crate::report;
use crate::resolution::{Resolution, Resolved, Unresolved};
use crate::state::Providers;
use crate::status::ExitStatus;
use crate::words;

/// Finds commands by name and runs them.
///
/// Clones share everything, state too. Dispatches may run in any number of threads at once.
///
/// ```
/// use byname::{Command, Dispatcher, ExitStatus, Registry};
///
/// static HELLO: Command = Command::new("hello", "Say hello", |_| Ok(ExitStatus::Success), byname::origin!());
///
/// let dispatcher = Dispatcher::builder("tool").registry(Registry::from_commands([&HELLO])?).build();
/// assert_eq!(byname::testing::run(&dispatcher, ["hello"]).status, ExitStatus::Success);
/// assert_eq!(byname::testing::run(&dispatcher, ["helo"]).status, ExitStatus::Usage);
/// # Ok::<(), byname::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct Dispatcher {
    inner: Arc<Inner>,
}

/// What a [`Builder`](crate::Builder) gathers.
pub(crate) struct Inner {
    pub(crate) program: String,
    pub(crate) version: Option<String>,
    pub(crate) about: String,
    /// Filled on first use if the host gave none.
    pub(crate) registry: OnceCell<Registry>,
    pub(crate) globals: GlobalOptions,
    #[cfg(feature = "clap")]
    pub(crate) globals_error: Option<Box<crate::globals::ParseError>>,
    pub(crate) providers: Providers,
    /// What the caller sets on the context.
    pub(crate) given: Vec<TypeId>,
    pub(crate) fallback: Option<Box<Fallback>>,
}

/// The host's own answer to words that name no command.
pub(crate) type Fallback =
    dyn Fn(&mut Context, &Unresolved) -> anyhow::Result<ExitStatus> + Send + Sync;

impl Dispatcher {
    pub(crate) fn new(inner: Inner) -> Dispatcher {
        Dispatcher {
            inner: Arc::new(inner),
        }
    }

    /// The body of `fn main() -> ExitCode`: dispatches the process's arguments with its streams and environment.
    ///
    /// A panic in a handler is reported as that command's error, so while this runs the panic hook keeps its text back.
    pub fn main(&self) -> ExitCode {
        let hook = QuietHook::install();
        let mut cx = Context::process();
        let mut status = self.dispatch(std::env::args_os().skip(1), &mut cx);
        // A handler may have used `println!`, whose buffer is emptied at exit without a word about a full disk.
        if let Err(error) = io::stdout().flush() {
            status = unflushed(error, status, &mut cx);
        }
        drop(hook);
        status.into()
    }

    /// Runs the command that `args` name; they begin after the program's name.
    ///
    /// Nothing leaves the process: errors and panics are reported on the context's error stream, and the status says
    /// how it ended. Handlers may call it again with their context.
    pub fn dispatch<I>(&self, args: I, cx: &mut Context) -> ExitStatus
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        let args = args.into_iter().map(Into::into).collect();
        let outer = cx.enter(self.inner.clone());
        let result = contain::contain(cx, |cx| self.run(args, cx));
        let mut status = match result {
            Ok(status) => status,
            Err(error) => report::report(&error, cx),
        };
        if let Err(error) = cx.out().flush() {
            status = unflushed(error, status, cx);
        }
        // Errors have been shown or cannot be.
        let _ = cx.err().flush();
        cx.leave(outer);
        status
    }

    fn request(&self, args: Vec<OsString>, cx: &mut Context) -> anyhow::Result<Request> {
        let request = self
            .inner
            .globals
            .parse(args, self.inner.version.is_some(), cx);
        #[cfg(feature = "clap")]
        let request = request.map_err(|error| match &self.inner.globals_error {
            Some(map) => match error.downcast::<clap::Error>() {
                Ok(error) => map(error, cx),
                Err(error) => error,
            },
            None => error,
        });
        request
    }

    fn run(&self, args: Vec<OsString>, cx: &mut Context) -> anyhow::Result<ExitStatus> {
        match self.request(args, cx)? {
            Request::Command => {}
            Request::Help => return Unresolved::NoWords.answer(cx),
            Request::Version => {
                writeln!(
                    cx.out(),
                    "{}",
                    self.inner.version.as_deref().unwrap_or_default()
                )?;
                return Ok(ExitStatus::Success);
            }
        }
        match self.registry()?.resolve(cx.args()) {
            Resolution::Command(found) => call(&found, cx),
            Resolution::Unresolved(unresolved) => {
                if cx
                    .args()
                    .first()
                    .is_some_and(|word| word.eq_ignore_ascii_case("help"))
                {
                    return self.help(cx);
                }
                match &self.inner.fallback {
                    Some(fallback) => fallback(cx, &unresolved),
                    None => unresolved.answer(cx),
                }
            }
        }
    }

    /// The command that is always there, unless the registry has one of its name: `help` and `help NAME...`.
    fn help(&self, cx: &mut Context) -> anyhow::Result<ExitStatus> {
        let mut name = cx.args()[1..].to_vec();
        if name
            .first()
            .is_some_and(|word| word == "--help" || word == "-h")
        {
            name.clear();
        }
        match self.registry()?.resolve(&name) {
            Resolution::Command(found) => {
                let text = command_help(self.program(), found.command, &name[found.words..], cx);
                cx.out().write_all(text.as_bytes())?;
                Ok(ExitStatus::Success)
            }
            Resolution::Unresolved(unresolved) => {
                let is_help = name
                    .first()
                    .is_some_and(|word| word.eq_ignore_ascii_case("help"));
                let unresolved = if is_help {
                    Unresolved::NoWords
                } else {
                    unresolved
                };
                cx.set_args(name);
                unresolved.answer(cx)
            }
        }
    }

    /// The program's name.
    pub fn program(&self) -> &str {
        &self.inner.program
    }

    /// The registry; the linked one is built when this is first called.
    ///
    /// # Errors
    /// Two linked commands claim one name.
    pub fn registry(&self) -> Result<&Registry, RegistryError> {
        self.inner.registry()
    }

    /// What the host's commands need and it does not provide, in the order of the commands: a line for each.
    pub(crate) fn missing(&self) -> Result<Vec<String>, RegistryError> {
        let commands = self.registry()?.commands().iter();
        let needs = commands.flat_map(|command| command.needs().map(move |need| (command, need)));
        let missing = needs.filter(|(_, need)| !self.inner.provides(need.id()));
        Ok(missing
            .map(|(command, need)| need.missing(command.name()))
            .collect())
    }

    /// The sections of help that list the commands, wrapped to `width`: for another parser's `after_help`.
    ///
    /// A registry with duplicates gives the error's text in their place.
    pub fn command_list(&self, width: usize) -> String {
        match self.registry() {
            Ok(registry) => help::list(registry, width),
            Err(error) => format!("{error}\n"),
        }
    }
}

impl Inner {
    fn registry(&self) -> Result<&Registry, RegistryError> {
        self.registry.get_or_try_init(Registry::linked)
    }

    /// Whether a dispatch has state or global options of this type.
    fn provides(&self, type_id: TypeId) -> bool {
        self.providers.has(type_id)
            || self.given.contains(&type_id)
            || self.globals.globals_type() == Some(type_id)
    }
}

impl Host for Inner {
    fn program(&self) -> &str {
        &self.program
    }

    fn providers(&self) -> &Providers {
        &self.providers
    }
}

impl Context {
    /// The dispatcher that runs; `None` outside of a dispatch.
    pub fn dispatcher(&self) -> Option<Dispatcher> {
        let host: Arc<dyn Any + Send + Sync> = self.host()?.clone();
        let inner = host.downcast().ok()?;
        Some(Dispatcher { inner })
    }
}

impl Unresolved {
    /// Answers as a dispatcher without a fallback does: help for no words, the group's commands for a group, and for an
    /// unknown name an error with the nearest names, then help, both on standard error.
    ///
    /// # Errors
    /// Writing failed, two linked commands claim one name, or `cx` is not in a dispatch.
    pub fn answer(&self, cx: &mut Context) -> anyhow::Result<ExitStatus> {
        let Dispatcher { inner } = cx
            .dispatcher()
            .context("no dispatch runs in this context")?;
        let environment = cx.environment().clone();
        let options = |styles: Styles, width| {
            let has_version = inner.version.is_some();
            inner.globals.help(has_version, styles, width, &environment)
        };
        let program = Program {
            name: &inner.program,
            about: &inner.about,
            registry: inner.registry()?,
            options: &options,
        };
        answer::answer(self, &program, cx)
    }
}

fn call(found: &Resolved, cx: &mut Context) -> anyhow::Result<ExitStatus> {
    cx.enter_command(found.command, found.name(), found.words);
    log::debug!(target: "byname", "method {}", cx.method_name());
    if found.command.get_parser().is_none()
        && let Some(word) = cx.args().first()
        && word != "--"
    {
        return refuse_words(found.command, cx);
    }
    (found.command.handler())(cx)
}

/// Answers the words of a command that takes none: `--help` prints its help, any other word is an error.
#[cold]
fn refuse_words(command: &'static Command, cx: &mut Context) -> anyhow::Result<ExitStatus> {
    let word = cx.args()[0].clone();
    if word != "--help" && word != "-h" {
        let path = cx.command_path();
        let word = words::shown(&word);
        return Err(UsageError::new(format!("'{path}' takes no arguments: {word}")).into());
    }
    let text = help::command(
        &cx.command_path(),
        command,
        &cx.streams().out,
        cx.environment(),
    );
    cx.out().write_all(text.as_bytes())?;
    Ok(ExitStatus::Success)
}

/// What `help NAME...` prints. `nested` are the words behind the command's name.
#[cfg_attr(not(feature = "clap"), allow(unused_variables))]
fn command_help(program: &str, command: &Command, nested: &[OsString], cx: &Context) -> String {
    #[cfg(feature = "clap")]
    if let Some(text) = crate::parser::help(program, command, nested, cx) {
        return text;
    }
    let path = format!("{program} {}", command.name());
    help::command(&path, command, &cx.streams().out, cx.environment())
}

/// The status after output could not be written out: never success.
fn unflushed(error: io::Error, status: ExitStatus, cx: &mut Context) -> ExitStatus {
    let failed = report::report(
        &anyhow::Error::new(error).context("cannot write the output"),
        cx,
    );
    if status.is_success() { failed } else { status }
}
