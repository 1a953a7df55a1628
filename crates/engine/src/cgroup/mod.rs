//! Control groups: what a container may use, and how much of it.
//!
//! The engine makes a container's cgroups before the container, writes limits and device rules into them, has the
//! container's launcher join them and removes them in the end. libcontainer is shown none: looking for controllers is
//! most of its time. One code path serves version 1, hybrid machines (where version 1 has the controllers) and version
//! 2, as root and in a subtree that was delegated to an ordinary user; what a version cannot do is said when limits
//! are read, not when they are written.

mod device_program;
mod device_rule;
mod freezer;
mod group;
mod host;
mod join;
mod limits;
mod list;
mod stats;
mod v1;
mod v2;

pub use device_rule::{Access, DeviceKind, DeviceRule};
pub use group::Cgroup;
pub(crate) use host::place_of;
pub use host::{Host, Version};
pub use join::Join;
pub use limits::{DeviceLimit, Limits};
pub(crate) use list::ids;
pub use stats::{BlockIo, Stats};

/// The parent of containers' cgroups where a request names no other.
pub const DEFAULT_PARENT: &str = "tool";
