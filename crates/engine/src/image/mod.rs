//! Images: their names, configurations and unpacked layers on disk, and the registries that they come from.
//!
//! What a layer's archive says is hostile until it is unpacked: it is written below one directory by descriptors that
//! cannot leave it, and counts as the layer only when the digests of archive and files are those that the image names.

mod config;
mod digest;
#[allow(dead_code, reason = "what adds images uses it, which lands next")]
mod file;
mod layer;
#[allow(dead_code, reason = "what adds images uses it, which lands next")]
pub(crate) mod lock;
#[allow(dead_code, reason = "what adds images uses it, which lands next")]
mod names;
mod platform;
mod store;

pub use config::{Config, Rootfs, Step};
pub use digest::Digest;
pub use platform::Platform;
pub use store::{Image, Layer, Store};
