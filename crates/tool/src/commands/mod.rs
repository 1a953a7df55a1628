//! The commands of the program itself: those for the engine inside of it, `tool engine ...`.
//!
//! They are here and not in a plugin because they are about this engine and not about any that speaks its API.

mod check;
mod info;
mod layout;
mod restore;
mod serve;

pub(crate) use layout::layout_of;
