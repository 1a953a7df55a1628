//! The monitor: one process a container, from its first start to its end.
//!
//! It starts the container's process, holds its terminal or pipes, writes its log, serves whoever attaches, reaps it,
//! records its end, starts it again where its policy says so and cleans up. Clients reach it through a unix socket,
//! [`request`] being how; it is started by whoever needs it first and goes when there is nothing left to do.
//!
//! It is a process of its own so that the death of a client or of a server touches no container, and it is
//! single-threaded because the container's first process is forked from it.

mod connection;
#[allow(
    dead_code,
    unused_imports,
    reason = "the monitor, which lands next, writes it"
)]
pub mod log;
mod observe;
pub mod protocol;
mod spawn;

pub use connection::{Connection, request};
pub use observe::observe;
pub(crate) use spawn::NAME;
