//! Commands for the engine itself, one a file: `version`, `info`, and `inspect`, which finds a thing of any kind.
//!
//! Linking this crate registers the commands (`use system as _;`); it exports nothing else. A host has to provide an
//! [`engine_client::Client`] as state.

#![forbid(unsafe_code)]

mod info;
mod inspect;
mod version;
