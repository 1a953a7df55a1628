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
pub(crate) use layer::is_whole as is_whole_layer;
pub(crate) use list::ListOptions;
pub use message::{Message, Progress};
pub(crate) use pipe::{Output, pipe};
pub use platform::Platform;
pub use pull::{Pull, PullRequest};
pub use registry::{Canceller, Credentials};
pub use store::{Image, Layer, Store};

/// The bodies of this module's fuzz targets.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz {
    use std::io::Read;

    pub(crate) use super::changes::fuzz as changes;
    use super::config::Config;
    use super::decompress::Decompressed;
    pub(crate) use super::load::fuzz as archive;
    pub(crate) use super::pattern::fuzz as pattern;
    pub(crate) use super::registry::challenge::fuzz as challenge;
    pub(crate) use super::registry::manifest::fuzz as manifest;
    pub(crate) use super::unpack::fuzz as layer;

    /// What is compressed comes out, or is refused.
    pub(crate) fn compressed(data: &[u8]) {
        if let Ok(decompressed) = Decompressed::new(data) {
            // A bomb is not what is looked for here.
            let _ = decompressed.take(1 << 20).read_to_end(&mut Vec::new());
        }
    }

    /// What is read as a configuration is written as one that is read as the same.
    pub(crate) fn config(data: &[u8]) {
        if let Ok(config) = Config::parse(data) {
            let text = serde_json::to_vec(&config).expect("it is made of text and numbers");
            assert_eq!(Config::parse(&text).expect("it was one"), config);
            let _ = (config.defaults(), config.platform().to_string());
        }
    }
}
