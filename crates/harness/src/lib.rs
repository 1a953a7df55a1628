//! What the tests of a container tool stand on: real engines, a real registry, images made without a network, real
//! pseudo-terminals, and servers that break the protocol on purpose.
//!
//! The decision behind it: a fake stands at the wire or not at all. An engine's behaviour is tested on a private
//! `dockerd` ([`Engine`]), which shares nothing with the machine's own: data, sockets, processes, mounts, control
//! groups and bridge are its own and go when it goes, even if the test is killed. What no engine would do is spoken
//! by a [`BrokenEngine`], byte for byte.
//!
//! A machine without `dockerd` still runs `cargo test`: a test that needs one asks [`engine_or_skip`], which prints the
//! test's name and what it misses. With `CI` set, it fails instead, so nothing is left out unseen.
//!
//! ```no_run
//! # fn demo() -> Option<()> {
//! let engine = harness::engine_or_skip("lists_the_images")?;
//! let images = engine.api().get("/images/json").json();
//! assert_eq!(images[0]["RepoTags"][0], harness::BUSYBOX);
//! # Some(()) }
//! ```

#![forbid(unsafe_code)]

mod api;
mod bridge;
mod broken;
mod certificates;
mod corpus;
mod engine;
mod forward;
mod guard;
mod gzip;
mod image;
mod outcome;
mod program;
mod pty;
mod registry;
mod running;
mod shared;
mod signals;
mod sshd;
mod tls;
mod transcript;
mod upload;

pub use api::{Answer, Api};
pub use broken::{BrokenEngine, Reply, Request};
pub use certificates::{Authority, Certificate};
pub use corpus::corpus;
pub use engine::{Engine, Kind, StartError};
pub use forward::Forward;
pub use image::{BUSYBOX, Image};
pub use outcome::{Outcome, TIMEOUT};
pub use program::Program;
pub use pty::{Modes, Pty};
pub use registry::Registry;
pub use running::{Running, Signal};
pub use shared::{
    engine_or_skip, left_out, login_registry_or_skip, registry_or_skip, sshd_or_skip,
};
pub use signals::default_signals;
pub use sshd::Sshd;
pub use tls::TlsDockerd;

use std::path::PathBuf;

/// Finds a program on `PATH` and where Debian keeps those of the administrator.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
