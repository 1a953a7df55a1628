//! Docker's command line on clap: the syntax of its flags, the words of its errors, and the values that more than one
//! command has.
//!
//! clap declares options beside their documentation and prints their help, and nothing of that is done here. What scripts
//! rely on is: how a boolean is given, that a value may look like an option, and the first line of what is said about a
//! mistake.

#![forbid(unsafe_code)]

pub mod boolean;
pub mod csv;
pub mod env_file;
pub mod environment;
mod invalid_value;
mod message;
mod mistake;
mod parameter;
mod syntax;

pub use invalid_value::InvalidValue;
pub use message::{flag_message, not_utf8};
pub use parameter::{Docker, parser};
pub use syntax::docker;
