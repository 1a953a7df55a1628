//! The Engine API as a client sees it on the wire.

mod containers;
mod monitor;
mod networks;
mod shapes;
mod streams;
mod system;
mod versions;
mod volumes;
mod wire;
