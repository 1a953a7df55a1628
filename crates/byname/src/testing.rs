//! A kit for tests: run words in process and look at what came of it.
//!
//! ```
//! use byname::{Command, Dispatcher, ExitStatus, Registry, testing};
//! use std::io::Write;
//!
//! static HELLO: Command = Command::new("hello", "Say hello", |cx| {
//!     writeln!(cx.out(), "hello")?;
//!     Ok(ExitStatus::Success)
//! }, byname::origin!());
//!
//! let dispatcher = Dispatcher::builder("tool").registry(Registry::from_commands([&HELLO])?).build();
//! let outcome = testing::run(&dispatcher, ["hello"]);
//! assert_eq!(outcome.status, ExitStatus::Success);
//! assert_eq!(outcome.stdout, "hello\n");
//! # Ok::<(), byname::RegistryError>(())
//! ```

use std::ffi::OsString;
use std::io::Cursor;

use crate::command::Command;
use crate::context::Context;
use crate::dispatch::Dispatcher;
use crate::environment::Environment;
use crate::input::Input;
use crate::output::Output;
#[cfg(feature = "clap")]
use crate::parameter::WordParser;
#[cfg(feature = "clap")]
use crate::parser;
use crate::registry::Registry;
use crate::status::ExitStatus;
use crate::streams::Streams;

/// What came of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The status.
    pub status: ExitStatus,
    /// What was written to the output; what is not UTF-8 becomes U+FFFD.
    pub stdout: String,
    /// What was written to the error output, in the same way.
    pub stderr: String,
    /// The bytes of the output.
    pub stdout_bytes: Vec<u8>,
    /// The bytes of the error output.
    pub stderr_bytes: Vec<u8>,
}

/// Dispatches words with an empty input and an empty environment.
pub fn run<I>(dispatcher: &Dispatcher, words: I) -> Outcome
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    run_with(
        dispatcher,
        words,
        b"",
        Environment::from_iter::<[(OsString, OsString); 0]>([]),
    )
}

/// Dispatches words with this input and environment.
pub fn run_with<I>(
    dispatcher: &Dispatcher,
    words: I,
    stdin: &[u8],
    environment: Environment,
) -> Outcome
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let (out, stdout) = Output::buffer();
    let (err, stderr) = Output::buffer();
    let input = Input::from_reader(Cursor::new(stdin.to_vec()));
    let mut cx = Context::new(Streams::new(input, out, err), environment);
    let status = dispatcher.dispatch(words, &mut cx);
    Outcome {
        status,
        stdout: stdout.text(),
        stderr: stderr.text(),
        stdout_bytes: stdout.bytes(),
        stderr_bytes: stderr.bytes(),
    }
}

/// Checks the commands that are linked into the test: no name is claimed twice, every alias can be reached, words are read by
/// the first parameter alone, and every parser is one that clap accepts.
///
/// # Panics
/// With a list of all problems.
pub fn assert_registry() {
    let problems = match Registry::linked() {
        Ok(registry) => problems(&registry),
        Err(error) => vec![error.to_string()],
    };
    assert!(
        problems.is_empty(),
        "the registry has problems:\n  {}",
        problems.join("\n  ")
    );
}

/// Checks that the host provides all that its commands need: the state and the global options that their functions take as
/// [`State<T>`](crate::State) and [`Globals<T>`](crate::Globals). Nothing is built for it.
///
/// What the caller sets on the context is declared with [`Builder::given`](crate::Builder::given).
///
/// ```should_panic
/// use byname::{Command, Dispatcher, ExitStatus, Parameter, Registry, State, testing};
///
/// struct Client;
///
/// static KILL: Command = Command::new("kill", "Kill it", |_| Ok(ExitStatus::Success), byname::origin!())
///     .parameters(&[Parameter::of::<State<Client>>()]);
///
/// let registry = Registry::from_commands([&KILL]).unwrap();
/// let dispatcher = Dispatcher::builder("tool").registry(registry).build();
/// // 'kill' needs State<Client>, which this host does not provide: add .state(...)
/// testing::assert_host(&dispatcher);
/// ```
///
/// # Panics
/// With a line for each command and what it needs and the host does not provide.
pub fn assert_host(dispatcher: &Dispatcher) {
    let missing = match dispatcher.missing() {
        Ok(missing) => missing,
        Err(error) => vec![error.to_string()],
    };
    assert!(
        missing.is_empty(),
        "the host '{}' lacks what its commands need:\n  {}",
        dispatcher.program(),
        missing.join("\n  ")
    );
}

/// What is wrong with a registry's commands: aliases that cannot be reached, parameters that read words behind the first,
/// and parsers that clap refuses.
pub fn problems(registry: &Registry) -> Vec<String> {
    let shadowed = registry.shadowed();
    let shadowed = shadowed.iter().map(ToString::to_string);
    let commands = registry.commands().iter();
    let misplaced = commands.filter_map(|command| {
        let behind = command.parameters_behind_the_first();
        let reads = behind.iter().any(|parameter| parameter.parser.is_some());
        reads.then(|| {
            format!(
                "a parameter of '{}' ({}) reads words and is not the first",
                command.name(),
                command.origin()
            )
        })
    });
    shadowed
        .chain(misplaced)
        .chain(
            registry
                .commands()
                .iter()
                .filter_map(|command| refused(command)),
        )
        .collect()
}

#[cfg(feature = "clap")]
fn refused(command: &Command) -> Option<String> {
    let WordParser::Clap(build) = command.get_parser()? else {
        return None;
    };
    // clap says what is wrong with a parser by panicking.
    let checked = std::panic::catch_unwind(|| parser::with_help_flag(build()).debug_assert());
    checked.is_err().then(|| {
        format!(
            "clap refuses the parser of '{}' ({})",
            command.name(),
            command.origin()
        )
    })
}

#[cfg(not(feature = "clap"))]
fn refused(_: &Command) -> Option<String> {
    None
}
