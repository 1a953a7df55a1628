//! Processes that are started in a running container: endpoints below `/exec`, and the one that makes them.

mod create;
mod inspect;
mod resize;
pub(crate) mod start;
