//! Mounts that are nowhere yet: taken where the machine's paths mean something, attached inside the container.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use crate::spec::{MountKind, MountPoint};
use crate::{Error, Result, sys};

/// Where a path is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The mount alone.
    One,
    /// The mount and those below it.
    All,
}

/// A copy of what is mounted at `path`.
pub(crate) fn clone_of(path: &Path, depth: Depth) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if depth == Depth::All {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, path, flags)
        .map_err(|error| Error::io(format_args!("take the mount at {}", path.display()), error))
}

/// A copy of what is mounted at a place below this process's root, with links followed as it sees them.
pub(crate) fn take(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    open_tree(&place(path)?, "", flags)
}

/// What is mounted over `/dev` in place of the container's own.
pub(super) fn of_point(point: &MountPoint) -> Result<OwnedFd> {
    let failed = |error| Error::io(format_args!("mount {}", point.destination), error);
    if point.kind == MountKind::Tmpfs {
        return file_system("tmpfs", Path::new("tmpfs"), &point.tmpfs_options).map_err(failed);
    }
    let depth = if point.non_recursive {
        Depth::One
    } else {
        Depth::All
    };
    let tree = clone_of(&point.source, depth)?;
    if point.read_only {
        let recursive = depth == Depth::All && !point.read_only_non_recursive;
        sys::set_mount_attributes(tree.as_fd(), recursive, libc::MOUNT_ATTR_RDONLY, 0)
            .map_err(|error| Error::io(format_args!("mount {}", point.destination), error))?;
    }
    Ok(tree)
}

/// A file system of that type with these mount options, which were checked.
pub(super) fn file_system(
    kind: &str,
    source: &Path,
    options: &[String],
) -> rustix::io::Result<OwnedFd> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(context.as_fd(), "source", source)?;
    let mut attributes = MountAttrFlags::empty();
    for option in options {
        match (option.split_once('='), option.as_str()) {
            (Some((key, value)), _) => {
                fsconfig_set_string(context.as_fd(), key, value)?;
            }
            (None, "noatime") => attributes |= MountAttrFlags::MOUNT_ATTR_NOATIME,
            (None, "nodiratime") => attributes |= MountAttrFlags::MOUNT_ATTR_NODIRATIME,
            (None, "strictatime") => attributes |= MountAttrFlags::MOUNT_ATTR_STRICTATIME,
            // The others say what is so in any case.
            (None, option) => attributes |= attribute(option),
        }
    }
    fsconfig_create(context.as_fd())?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// A directory or a file of the machine with the options of a bind mount, of which propagation is not one: it is private.
pub(super) fn bound(source: &Path, options: &[String]) -> rustix::io::Result<OwnedFd> {
    let has = |name: &str| options.iter().any(|option| option == name);
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if has("rbind") {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    let tree = open_tree(CWD, source, flags)?;
    let attributes = options
        .iter()
        .map(|option| attribute(option))
        .fold(MountAttrFlags::empty(), |all, one| all | one);
    let set = |recursive, attributes: MountAttrFlags| {
        sys::set_mount_attributes(tree.as_fd(), recursive, attributes.bits().into(), 0)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    };
    if !attributes.is_empty() {
        set(false, attributes)?;
    }
    if has("rro") {
        set(true, MountAttrFlags::MOUNT_ATTR_RDONLY)?;
    }
    Ok(tree)
}

fn attribute(option: &str) -> MountAttrFlags {
    match option {
        "ro" => MountAttrFlags::MOUNT_ATTR_RDONLY,
        "nosuid" => MountAttrFlags::MOUNT_ATTR_NOSUID,
        "nodev" => MountAttrFlags::MOUNT_ATTR_NODEV,
        "noexec" => MountAttrFlags::MOUNT_ATTR_NOEXEC,
        _ => MountAttrFlags::empty(),
    }
}

/// A place below this process's root, with links followed as it sees them.
pub(crate) fn place(path: &Path) -> rustix::io::Result<OwnedFd> {
    let root = rustix::fs::openat(
        CWD,
        "/",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    place_in(root.as_fd(), path)
}

/// A place below that root, with links followed as who has it for a root sees them.
pub(crate) fn place_in(root: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| Errno::INVAL)?;
    loop {
        match openat2(
            root,
            &path,
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        ) {
            // The kernel gives up when a rename elsewhere makes the way uncertain.
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened,
        }
    }
}

/// Mounts a detached tree at an open place.
pub(crate) fn attach(tree: &OwnedFd, place: &OwnedFd) -> rustix::io::Result<()> {
    move_mount(
        tree,
        "",
        place,
        "",
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH,
    )
}
