//! The exec endpoints: processes in running containers.

mod create;
mod inspect;
mod resize;
pub(crate) mod start;
