//! The Engine API over any stream: one endpoint family a file.
//!
//! A connection has a thread and a single-threaded run-time of its own, so handlers may block. What is sent while it is
//! made comes from a second thread, and a hijacked stream is handed on as a descriptor when HTTP is done with it.
//!
//! A family is a function from a `Call` to an `Answer`, with a line in the router.

mod accept;
mod answer;
mod body;
mod call;
mod connection;
mod containers;
mod exec;
mod filters;
mod head;
mod hijack;
mod history;
mod images;
mod networks;
mod query;
mod registries;
mod router;
mod system;
mod version;
mod volumes;
mod wire;

pub use accept::listen;
pub use connection::serve;
pub(crate) use connection::serve_apart;
pub(crate) use filters::Filters;

/// The header by which this engine is known from others; its value is the engine's version.
pub const EMBEDDED_ENGINE_HEADER: &str = "Embedded-Engine";

/// The bodies of this module's fuzz targets.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz {
    pub(crate) use super::filters::fuzz as filters;
    pub(crate) use super::query::fuzz as query;
}
