//! From argv to a status: global options, the command's name, its handler, and the report of what went wrong.

use std::any::Any;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use once_cell::sync::OnceCell;

use crate::answer;
use crate::color::Styles;
use crate::contain::{self, QuietHook};
use crate::context::{Context, Host};
use crate::globals::{GlobalOptions, Request};
use crate::help::{self, Program};
use crate::registry::{Registry, RegistryError};
use crate::report;
use crate::resolution::{Resolution, Resolved, Unresolved};
use crate::state::Providers;
use crate::status::ExitStatus;

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
    pub(crate) globals_error: Option<crate::globals::ParseError>,
    pub(crate) providers: Providers,
    pub(crate) fallback: Option<Fallback>,
}

/// The host's own answer to words that name no command.
pub(crate) type Fallback = fn(&mut Context, &Unresolved) -> anyhow::Result<ExitStatus>;

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
        let request = request.map_err(|error| match self.inner.globals_error {
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
                match self.inner.fallback {
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
                let text = self.command_help(&found, cx);
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

    fn command_help(&self, found: &Resolved, cx: &Context) -> String {
        #[cfg(feature = "clap")]
        if let Some(text) = crate::parser::help(self.program(), found.command, cx) {
            return text;
        }
        help::command(
            self.program(),
            found.command,
            &cx.streams().out,
            cx.environment(),
        )
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
        let options = |styles: Styles, width| {
            let has_version = inner.version.is_some();
            inner.globals.help(has_version, styles, width)
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
    (found.command.handler())(cx)
}

/// The status after output could not be written out: never success.
fn unflushed(error: io::Error, status: ExitStatus, cx: &mut Context) -> ExitStatus {
    let failed = report::report(
        &anyhow::Error::new(error).context("cannot write the output"),
        cx,
    );
    if status.is_success() { failed } else { status }
}
