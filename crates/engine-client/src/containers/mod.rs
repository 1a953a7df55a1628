//! Endpoints below `/containers`.

pub(crate) mod attach;
pub(crate) mod create;
mod inspect;
mod kill;
pub(crate) mod remove;
mod resize;
mod start;
pub(crate) mod wait;
