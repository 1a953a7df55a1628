//! Dispatches commands by name: handlers register themselves, argv finds them.
//!
//! The leading words of a command line are camel-cased into a method name, as Docker 1.4 did: `groups create` is
//! `CmdGroupsCreate`. Under that name the registry finds the command, and there is no list of commands anywhere: a crate
//! that declares one and is linked into the program is all it takes. Nothing is built for the commands that do not run.
//!
//! # A command crate
//!
//! One command is one function. Its doc comment is its help, and its parameters say what it needs: the words that clap
//! parses, and what the host provides.
//!
//! ```
//! # #[cfg(feature = "clap")] mod groups {
//! use std::io::Write;
//!
//! use byname::{Context, ExitStatus, ResultExt, State, StatusError, command};
//!
//! /// What the host provides.
//! struct Directory(std::path::PathBuf);
//!
//! #[derive(clap::Args)]
//! struct Create {
//!     /// Number of members at most
//!     #[arg(short, long, default_value_t = 10)]
//!     limit: u32,
//!     /// The group's name
//!     name: String,
//! }
//!
//! /// Create a group
//! ///
//! /// A group that exists already is left as it is.
//! #[command("groups create", alias = "mkgroup", category = "Groups")]
//! fn create(cx: &mut Context, args: Create, directory: State<Directory>) -> anyhow::Result<ExitStatus> {
//!     if args.name.is_empty() {
//!         return Err(StatusError::new(ExitStatus::Code(3), "a group needs a name"))
//!             .hint("Run 'tool groups create NAME'.");
//!     }
//!     std::fs::write(directory.0.join(&args.name), args.limit.to_string())?;
//!     writeln!(cx.out(), "{} for {}", args.name, args.limit)?;
//!     Ok(ExitStatus::Success)
//! }
//! # }
//! ```
//!
//! A handler writes to [`Context::out`] and [`Context::err`] and not to the process's streams, so that it works in a test,
//! in a thread, and in a program that is not its own. A parameter behind the context is any type that is [`FromContext`]:
//!
//! - a struct that derives `clap::Args`: the words behind the command's name. It stands directly behind the context;
//!   [`RawWords`] in its place has them as they were typed. A function with neither takes no words: `--help` prints its
//!   help, and any other word is a usage error,
//! - [`State<T>`], what the host provides by its type, and [`MaybeState<T>`], if it does,
//! - [`Globals<T>`], the host's global options,
//! - and types of a crate's own, such as words in another syntax.
//!
//! It ends with an [`ExitStatus`] or an error: [`StatusError`] chooses a status, [`UsageError`] points at the help, any other
//! error is status 1. Nothing leaves the process but `main`.
//!
//! [`#[command]`](macro@command) writes a const [`Command`] and [registers](register!) it; both can be written by hand.
//!
//! # A host
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use byname::Dispatcher;
//! // This line links the command crate: one that is only listed in Cargo.toml is not linked, and its commands are lost
//! // without a word.
//! # #[cfg(any())]
//! use groups as _;
//!
//! /// What this program's commands share.
//! struct Directory(std::path::PathBuf);
//!
//! fn main() -> ExitCode {
//!     Dispatcher::builder("tool")
//!         .version(concat!("tool version ", env!("CARGO_PKG_VERSION")))
//!         .about("Keeps groups.")
//!         .state(|cx| {
//!             let home = cx.environment().get("HOME").unwrap_or_default();
//!             Ok(Directory(home.into()))
//!         })
//!         .build()
//!         .main()
//! }
//! ```
//!
//! Global options of its own are [`Builder::globals`]; words that name no command are [`Builder::fallback`]'s. A program that
//! has a `main` and a parser already calls [`Dispatcher::dispatch`] with a [`Context`], any number of times and from any
//! thread, and shows [`Dispatcher::command_list`] in its own help.
//!
//! # A test
//!
//! ```standalone_crate
//! # #[cfg(feature = "clap")] mod groups {
//! #     /// Create a group
//! #     #[byname::command("groups create")]
//! #     fn create(cx: &mut byname::Context, _: byname::RawWords) -> anyhow::Result<()> {
//! #         use std::io::Write;
//! #         Ok(writeln!(cx.out(), "staff for 10")?)
//! #     }
//! # }
//! # #[cfg(feature = "clap")] {
//! use byname::{Dispatcher, ExitStatus, testing};
//!
//! let dispatcher = Dispatcher::builder("tool").build();
//!
//! let outcome = testing::run(&dispatcher, ["groups", "create", "staff"]);
//! assert_eq!((outcome.status, outcome.stdout.as_str()), (ExitStatus::Success, "staff for 10\n"));
//!
//! let outcome = testing::run(&dispatcher, ["groups", "craete"]);
//! assert_eq!(outcome.status, ExitStatus::Usage);
//! assert!(outcome.stderr.starts_with("Error: Command not found: groups craete\n\nDid you mean:\n  groups create\n"));
//!
//! // No name twice, every alias within reach, every parser one that clap accepts.
//! testing::assert_registry();
//! // All that the commands take as state or global options is provided.
//! testing::assert_host(&dispatcher);
//! # }
//! ```
//!
//! # Which words reach which command
//!
//! - Global options come first; the first operand starts the name. A word of a name is letters and digits with single
//!   hyphens between them. Any other word ends the name and is an argument, so `tool run -- create` is `run`'s.
//! - Case does not matter.
//! - Commands come before aliases, and among each the longest name wins.
//! - A name of two words is reached by two words, or by one with a hyphen; a name of one word only by one: `tool stop all`
//!   does not reach `stop-all`.
//! - Two commands with one method name, however they are spelled, are refused, and the error names where both come from.
//!   An alias that a command's name shadows is [listed](Registry::shadowed).
//! - No words: help, status 0. Only a group's words: the group's commands. `help NAME...`: the help of a command. Any other
//!   words: `Error: Command not found`, the nearest names and help on standard error, status 2.
//!
//! # Features
//!
//! `clap`, on by default: typed arguments and typed global options. Without it handlers take [`RawWords`] and hosts use
//! [`Builder::raw_globals`].
#![forbid(unsafe_code)]

mod answer;
mod builder;
#[cfg(feature = "clap")]
mod clap_error;
#[cfg(feature = "clap")]
mod clap_globals;
mod color;
mod command;
mod contain;
mod context;
mod dispatch;
mod environment;
mod error;
mod from_context;
mod globals;
mod help;
mod index;
mod input;
mod operands;
mod outcome;
mod output;
mod parameter;
#[cfg(feature = "clap")]
mod parse;
#[cfg(feature = "clap")]
mod parser;
mod registry;
mod report;
mod resolution;
mod state;
mod status;
mod streams;
mod suggest;
pub mod testing;
#[cfg(feature = "clap")]
mod variables;
mod words;

pub use builder::Builder;
pub use byname_macros::command;
pub use command::{Alias, Command, Handler, Origin};
pub use context::Context;
pub use dispatch::Dispatcher;
pub use environment::Environment;
pub use error::{ResultExt, StatusError, UsageError};
pub use from_context::{FromContext, Globals, MaybeState, RawWords, State};
pub use input::Input;
#[doc(hidden)]
pub use inventory;
pub use operands::for_each_operand;
#[doc(hidden)]
pub use outcome::IntoOutcome;
pub use output::{Captured, Output};
pub use parameter::{Need, Parameter, WordParser};
#[cfg(feature = "clap")]
pub use parse::{ParseWords, Usual, parse};
#[cfg(feature = "clap")]
pub use parser::parser;
pub use registry::{Registry, RegistryError, Shadowed};
pub use resolution::{Resolution, Resolved, Unresolved};
pub use status::ExitStatus;
pub use streams::Streams;
