//! Endpoints below `/containers`.

pub(crate) mod attach;
pub(crate) mod create;
mod inspect;
mod kill;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod new_container;
mod put_archive;
pub(crate) mod remove;
mod rename;
mod resize;
pub(crate) mod restart;
mod start;
pub(crate) mod stop;
pub(crate) mod wait;
