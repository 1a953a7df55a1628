//! Control groups: what a container may use, and how much of it.

mod device_rule;

pub use device_rule::{Access, DeviceKind, DeviceRule};
