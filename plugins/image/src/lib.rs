//! Commands for images, one a file: `images`, `rmi`, `load`, `image inspect`; each also as `image NAME`.
//!
//! Linking this crate registers the commands (`use image as _;`); it exports nothing else. A host has to provide an
//! [`engine_client::Client`] as state.

#![forbid(unsafe_code)]

mod errors;
mod inspect;
mod load;
mod ls;
mod rm;
