//! Pulls an image as every command does: with the user's credentials, and with progress bars on a terminal.

mod bars;
mod request;

pub use bars::Bars;
pub use request::request;
