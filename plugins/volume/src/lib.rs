//! Commands for volumes, one a file: `volume create`, `volume ls`, `volume inspect`, `volume rm`.
//!
//! Linking this crate registers the commands (`use volume as _;`); it exports nothing else. A host has to provide an
//! [`engine_client::Client`] as state.

#![forbid(unsafe_code)]

mod create;
mod inspect;
mod ls;
mod rm;
