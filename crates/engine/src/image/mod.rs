//! Images: their names, configurations and unpacked layers on disk, and the registries that they come from.
//!
//! What a layer's archive says is hostile until it is unpacked: it is written below one directory by descriptors that
//! cannot leave it, and counts as the layer only when the digests of archive and files are those that the image names.

mod changes;
mod collect;
mod config;
mod decompress;
mod digest;
mod file;
mod import;
mod inspect;
mod layer;
mod list;
mod load;
pub(crate) mod lock;
mod message;
mod names;
mod pattern;
mod pipe;
mod platform;
mod pull;
mod receive;
mod registry;
mod remove;
mod store;
mod sync;
mod tag;
mod unpack;
mod users;

pub(crate) use collect::Garbage;
pub use config::{Config, Rootfs, Step};
pub use digest::Digest;
pub(crate) use import::Import;
pub use message::{Message, Progress};
pub(crate) use pipe::{Output, pipe};
pub use platform::Platform;
pub use pull::{Pull, PullRequest};
pub use registry::{Canceller, Credentials};
pub use store::{Image, Layer, Store};
