//! What Docker's client does whatever the command: the syntax of its flags, the words of its errors and their statuses,
//! values of several commands, a pull and its progress.
//!
//! clap declares options beside their documentation and prints their help, and nothing of that is done here. What scripts
//! rely on is: how a boolean is given, that a value may look like an option, the first line of what is said about a
//! mistake, and the status. It stands once, so that no command differs from another by accident.

#![forbid(unsafe_code)]

pub mod attaching;
pub mod boolean;
pub mod csv;
pub mod env_file;
pub mod environment;
pub mod errors;
mod invalid_value;
mod message;
mod mistake;
mod parameter;
pub mod platform;
pub mod pull;
mod syntax;

pub use invalid_value::InvalidValue;
pub use message::{flag_message, not_utf8};
pub use parameter::{Docker, parser};
pub use syntax::docker;
