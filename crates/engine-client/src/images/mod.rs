//! Endpoints below `/images`.

pub(crate) mod create;
mod inspect;
pub(crate) mod list;
mod load;
pub(crate) mod remove;
mod tag;
