//! Containers on disk: what was asked for, how it is, what it is called, and who may say so.
//!
//! Everything is a plain file below `ROOT/containers/ID`, written as a temporary file that is renamed over the old one, so
//! that a reader sees one version or the other and needs no lock. `config.json` changes when somebody renames the
//! container, `state.json` has a single writer: whoever holds the [`Lock`], which is the container's monitor while it
//! lives. A monitor cannot leave a lock behind, for it is the kernel's; so a state that says "running" beside a free lock
//! is how a killed monitor is noticed ([`life`]).

mod exec;
pub(crate) mod file;
pub mod life;
mod lock;
mod moment;
mod names;
mod record;
mod status;
mod store;

pub use exec::Exec;
pub use lock::Lock;
pub use moment::Moment;
pub use names::check_name;
pub use record::{Record, Rootfs};
pub use status::{Health, HealthStatus, Probe, State, Status};
pub use store::{Removed, Store};
