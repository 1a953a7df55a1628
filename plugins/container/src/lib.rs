//! Commands for containers, one a file: `ps`, `logs`, `attach`, `exec`, `start`, `stop`, `kill`, `restart`, `rm`, `wait`,
//! `inspect`, `rename`; each also as `container NAME`.
//!
//! Linking this crate registers the commands (`use container as _;`); it exports nothing else. A host has to provide an
//! [`engine_client::Client`] as state. A handler checks its options, asks the engine once for each operand, and prints;
//! an operand that fails is reported and the rest is still done.

#![forbid(unsafe_code)]

mod attach;
mod exec;
mod inspect;
mod kill;
mod logs;
mod ports;
mod ps;
mod rename;
mod restart;
mod rm;
mod session;
mod start;
mod stop;
mod wait;
