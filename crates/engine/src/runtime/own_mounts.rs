//! The mounts of a container that libcontainer need not make.
//!
//! It makes sure of a mount's destination so carefully that each takes it some sixty system calls, more than all else that
//! is done for a container together. So those that every container has are made here: most before libcontainer is called, in
//! the mount namespace that the container's is made from, and by the container's process what needs its namespaces. The
//! user's own stay with libcontainer, and so does what lies over one of them.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libcontainer::oci_spec::runtime::{Mount, Spec};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::{cgroup_view, tree};
use crate::error::os_text;
use crate::rootfs::place::{self, Kind};
use crate::{Error, Result};

/// What is mounted before.
const EARLY: [&str; 7] = [
    "/dev",
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
    "/etc/resolv.conf",
    "/etc/hostname",
    "/etc/hosts",
];

/// Makes mounts and takes them out of the specification. What is returned is for the container's process to make, with
/// [`attach`].
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) naming the mount that cannot be made.
pub(super) fn make(spec: &mut Spec) -> Result<Vec<Mount>> {
    let Some(root) = spec.root().as_ref().map(|root| root.path().clone()) else {
        return Ok(Vec::new());
    };
    let is_private = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.rootfs_propagation().as_deref())
        .is_none_or(|propagation| propagation == "private");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = openat(CWD, &root, flags, Mode::empty())
        .map_err(|error| Error::io(format_args!("open {}", root.display()), error))?;

    let all = spec.mounts().clone().unwrap_or_default();
    let (mut left, mut late): (Vec<Mount>, Vec<Mount>) = (Vec::new(), Vec::new());
    for mount in &all {
        let destination = mount.destination();
        let is_below = |other: &Mount| destination.starts_with(other.destination());
        let is_above =
            |other: &Mount| other != mount && other.destination().starts_with(destination);
        let is_covered = left.iter().any(is_below);
        if is_view_of_cgroups(mount) && !all.iter().any(is_above) {
            late.push(mount.clone());
        } else if kind(mount) == "mqueue" && !is_covered {
            place::make(opened.as_fd(), destination, Kind::Directory)
                .map_err(|error| failed(mount, error.reason))?;
            late.push(mount.clone());
        } else if is_private && is_early(mount) && !is_covered {
            make_early(opened.as_fd(), mount).map_err(|error| failed(mount, error))?;
        } else {
            left.push(mount.clone());
        }
    }
    spec.set_mounts(Some(left));
    Ok(late)
}

/// Makes a mount from inside the container.
pub(super) fn attach(mount: &Mount) -> rustix::io::Result<()> {
    let place = match tree::place(mount.destination()) {
        // In what the user has put there instead.
        Err(Errno::NOENT) => make_place(mount)?,
        place => place?,
    };
    tree::attach(&detached(mount)?, &place)
}

fn make_place(mount: &Mount) -> rustix::io::Result<OwnedFd> {
    let root = tree::place(Path::new("/"))?;
    place::make(root.as_fd(), mount.destination(), Kind::Directory)
        .map(|place| place.descriptor)
        .map_err(|error| error.reason)
}

pub(super) fn failed(mount: &Mount, error: Errno) -> Error {
    let destination = mount.destination().display();
    Error::system(format!("mount {destination}: {}", os_text(&error.into())))
}

fn kind(mount: &Mount) -> &str {
    mount.typ().as_deref().unwrap_or_default()
}

/// Where its cgroups are put; sysfs has a directory for that.
fn is_view_of_cgroups(mount: &Mount) -> bool {
    kind(mount) == "tmpfs" && mount.destination() == Path::new(cgroup_view::PLACE)
}

fn is_early(mount: &Mount) -> bool {
    let is_known = |option: &String| {
        matches!(
            option.as_str(),
            "bind"
                | "rbind"
                | "ro"
                | "rro"
                | "nosuid"
                | "nodev"
                | "noexec"
                | "private"
                | "rprivate"
        )
    };
    EARLY
        .iter()
        .any(|place| mount.destination() == Path::new(place))
        && match kind(mount) {
            "tmpfs" | "devpts" => true,
            "bind" => mount.options().iter().flatten().all(is_known),
            _ => false,
        }
}

fn make_early(root: BorrowedFd<'_>, mount: &Mount) -> rustix::io::Result<()> {
    let source = mount.source().as_deref().unwrap_or(Path::new(""));
    let kind =
        match kind(mount) == "bind" && !fs::metadata(source).is_ok_and(|found| found.is_dir()) {
            true => Kind::File,
            false => Kind::Directory,
        };
    let place = place::make(root, mount.destination(), kind).map_err(|error| error.reason)?;
    tree::attach(&detached(mount)?, &place.descriptor)
}

fn detached(mount: &Mount) -> rustix::io::Result<OwnedFd> {
    let options = mount.options().clone().unwrap_or_default();
    let source = mount.source().as_deref().unwrap_or(Path::new(""));
    match kind(mount) {
        "bind" => tree::bound(source, &options),
        kind => tree::file_system(kind, source, &options),
    }
}
