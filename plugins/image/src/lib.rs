//! Commands for images, one a file: `pull`, `images`, `rmi`, `tag`, `load`, `image inspect`; each also as `image NAME`.
//!
//! Linking this crate registers the commands (`use image as _;`); it exports nothing else. A host has to provide an
//! [`engine_client::Client`] as state; with a
//! [`engine_client::CredentialStore`], pulls use the user's credentials.

#![forbid(unsafe_code)]

mod inspect;
mod load;
mod ls;
mod pull;
mod rm;
mod tag;
