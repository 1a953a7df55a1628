//! Dispatches commands by name: handlers register themselves, argv finds them.
#![forbid(unsafe_code)]

mod builder;
mod color;
mod command;
mod contain;
mod context;
mod dispatch;
mod environment;
mod error;
mod globals;
mod help;
mod index;
mod input;
mod outcome;
mod output;
#[cfg(feature = "clap")]
mod parse;
mod registry;
mod report;
mod state;
mod status;
mod streams;
mod suggest;
pub mod testing;
mod unresolved;
mod words;

pub use builder::Builder;
pub use byname_macros::command;
pub use command::{Alias, Command, Handler, Origin};
pub use context::Context;
pub use dispatch::Dispatcher;
pub use environment::Environment;
pub use error::{ResultExt, StatusError, UsageError};
pub use input::Input;
#[doc(hidden)]
pub use inventory;
#[doc(hidden)]
pub use outcome::IntoOutcome;
pub use output::{Captured, Output};
#[cfg(feature = "clap")]
pub use parse::{parse, parser};
pub use registry::{Registry, RegistryError, Resolution, Resolved, Shadowed};
pub use status::ExitStatus;
pub use streams::Streams;
pub use unresolved::Unresolved;
