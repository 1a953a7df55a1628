//! The volumes of a container that starts.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::mount::{OpenTreeFlags, open_tree};

use crate::layout::make_directory;
use crate::spec::{MountKind, MountPoint};
use crate::volume::Store;
use crate::{Error, Layout, Result, runtime};

/// Fills the volumes of a container from its root, and has each mount point name what is to be mounted. `staging` is where
/// mounts may be put, in a mount namespace of this container's.
///
/// What a subpath leads to is mounted there first, by descriptor: whoever writes to the volume can change what a path
/// means.
pub(super) fn set_up(
    layout: &Layout,
    container: &str,
    mounts: &mut [MountPoint],
    root: BorrowedFd<'_>,
    staging: &Path,
) -> Result<()> {
    let store = Store::new(layout);
    let volumes = mounts
        .iter_mut()
        .filter(|point| point.kind == MountKind::Volume);
    for (number, point) in volumes.enumerate() {
        let opened = store.open(point)?;
        store.fill(container, point, root)?;
        if point.subpath.is_empty() {
            point.source = store.source(&point.name)?;
            continue;
        }
        let staged = staging.join(format!("volume{number}"));
        make_directory(staging)?;
        let is_directory = fs::metadata(format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&opened)
        ))
        .is_ok_and(|metadata| metadata.is_dir());
        super::mounts::make_mount_point(&staged, is_directory)?;
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_RECURSIVE
            | OpenTreeFlags::AT_EMPTY_PATH;
        let tree = open_tree(opened.as_fd(), "", flags).map_err(|error| {
            Error::io(
                format_args!("take {} of volume {}", point.subpath, point.name),
                error,
            )
        })?;
        runtime::attach(&tree, &staged)?;
        point.source = staged;
    }
    Ok(())
}
