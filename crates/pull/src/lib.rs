//! Pulling an image, as every command does it that does: with the user's credentials, and with bars on a terminal.

#![forbid(unsafe_code)]

mod bars;
mod request;

pub use bars::Bars;
pub use request::request;
