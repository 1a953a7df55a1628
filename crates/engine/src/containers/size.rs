//! How much room a container's files take.

use crate::Engine;
use crate::disk_usage::content_size;
use crate::state::{Record, Rootfs};

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// What the container wrote.
    pub(super) written: u64,
    /// That, and its image.
    pub(super) whole: u64,
}

/// How much room a container's files take. A directory in place of an image is not counted: it is not the container's.
pub(super) fn of(engine: &Engine, record: &Record) -> Size {
    let upper = engine.layout().container(&record.id).join("upper");
    let written = content_size(&upper).unwrap_or_else(|error| {
        log::warn!("container {}: {error}", record.id);
        0
    });
    let image = match &record.rootfs {
        Rootfs::Layers(_) => engine
            .images()
            .resolve(&record.image, None)
            .map(|image| image.size())
            .unwrap_or(0),
        Rootfs::Directory(_) | Rootfs::Overlay(_) => 0,
    };
    Size {
        written,
        whole: written.saturating_add(image),
    }
}
