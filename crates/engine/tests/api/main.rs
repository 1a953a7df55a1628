//! The Engine API as a client sees it on the wire.

mod containers;
mod monitor;
mod system;
mod wire;
