//! The monitor: one process a container, from its first start to its end.
//!
//! It starts the container's process, holds its terminal or pipes, writes its log, serves whoever attaches, reaps it,
//! records its end, starts it again where its policy says so and cleans up. Clients reach it through a unix socket,
//! [`request`] being how; it is started by whoever needs it first and goes when there is nothing left to do.
//!
//! It is a process of its own so that the death of a client or of a server touches no container, and it is
//! single-threaded because the container's first process is forked from it.

mod busy;
mod clean_up;
mod connection;
mod container;
mod ended;
mod ends;
mod exec;
mod frame;
mod health;
mod hub;
mod input;
mod join;
mod launch;
pub mod log;
mod mounts;
mod observe;
mod others;
mod place;
mod places;
mod probe;
mod process;
mod progress;
pub mod protocol;
mod reaper;
mod remove;
mod replay;
mod restart;
mod server;
mod session;
mod silence;
mod size;
mod spawn;
mod streams;
mod volumes;

pub use connection::{Connection, request};
pub(crate) use ended::recorded;
pub use observe::observe;
pub use remove::remove;
pub(crate) use silence::{check as check_answers, end as end_silent, is_silence};
pub(crate) use spawn::{NAME, spawn_ahead};
