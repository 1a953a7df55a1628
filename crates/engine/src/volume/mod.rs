//! Volumes: directories that outlive containers.
//!
//! A volume is a directory `volumes/NAME` with the volume itself in `_data`, what is known about it in `volume.json`, and
//! a file in `containers/` for each container that uses it. Changes are made under one lock; what a container has in its
//! volumes is its own, and is never looked up by path.

mod audit;
mod fill;
mod name;
mod options;
mod store;
mod tree;
mod uses;

pub(crate) use audit::audit;
pub use store::{NewVolume, Store, Volume, Wanted};
