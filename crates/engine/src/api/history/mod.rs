//! What changed from version to version of the Engine API, as far as this engine serves it.
//!
//! Handlers make answers that have everything, and read every parameter and every field of a body. What a client's version
//! does not have is taken away in one place each, which reads a table: [`answers`], [`parameters`], [`bodies`]. A line of a
//! table is a line of the API's own version history (moby's `api/docs/CHANGELOG.md`) or, below 1.42, what dockerd 20.10
//! answers. A new version is new lines.

mod answers;
mod bodies;
mod parameters;

pub(super) use answers::{Shape, answer, shape};
pub(super) use bodies::{CONSOLE_SIZE, RECURSIVE_READ_ONLY, create, mac_address};
pub(super) use parameters::{NAMED_VOLUMES_STAY, has_parameter};
