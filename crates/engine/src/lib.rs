//! The embedded container engine: what answers the Engine API where no daemon does.
//!
//! Nothing of it is resident. State is plain files under a [`Layout`], and whoever opens it next sees it; each running
//! container has one monitor, a process of its own that outlives whoever asked for the container.

mod access;
pub mod api;
pub mod cgroup;
mod check;
mod configuration;
mod containers;
mod disk_usage;
mod engine;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod image;
mod init;
mod json;
mod layout;
mod lines;
mod listener;
pub mod machine;
pub mod monitor;
pub mod network;
mod program;
mod restore;
pub mod rootfs;
pub mod runtime;
pub mod seccomp;
pub mod signal;
mod socket;
pub mod spec;
pub mod state;
mod sys;
mod user_namespace;
pub mod volume;

pub use access::Access;
pub use check::{Finding, Outcome, Thing};
use disk_usage::disk_usage;
pub use engine::Engine;
pub use error::{Error, ErrorKind, ErrorMessage};
pub use layout::Layout;
pub use listener::Listener;
pub use restore::{Action, Restored};
pub use user_namespace::{IdRange, Ids};

/// The result of an operation of the engine.
pub type Result<T> = std::result::Result<T, Error>;
