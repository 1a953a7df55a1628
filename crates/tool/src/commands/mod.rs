//! The program's own commands: `tool engine ...`, for the embedded engine.
//!
//! They are here and not in a plugin because they are about this engine and not about any that speaks its API.

mod check;
mod info;
mod layout;
mod restore;
mod serve;

pub(crate) use layout::layout_of;
