//! Endpoints below `/images`.

pub(crate) mod create;
