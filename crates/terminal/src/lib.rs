//! The terminal: raw mode, window size, detach keys, pull progress.
//!
//! Whatever can be decided without a terminal is pure and takes what it needs as arguments: [`DetachKeys`] works on
//! bytes, [`Progress`] returns the text to write. Only [`RawMode`], [`size`] and [`is_background`] touch a file descriptor,
//! and the descriptor is always the caller's choice: nothing here reads the environment or knows of standard input.

mod detach;
mod duration;
mod job_control;
mod progress;
mod quantity;
mod raw;
mod size;

pub use detach::{DetachKeys, DetachKeysError, DetachMatcher};
pub use job_control::{StopsBlocked, is_background};
pub use printable::{line as printable, lines as printable_lines};
pub use progress::{Progress, ProgressDetail, ProgressLine};
pub use raw::RawMode;
pub use size::{Size, size};
