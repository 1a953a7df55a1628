//! The directories and files that a container's mounts go over.
//!
//! libcontainer makes those that are missing, too, and so carefully that each takes it some sixty system calls: more than
//! everything else that a mount takes. What is left out here, because it cannot be made or goes over another mount, it makes
//! or refuses.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libcontainer::oci_spec::runtime::{Mount, Spec};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use super::tree;

/// Where the container's devices are.
const DEV: &str = "/dev";

/// Makes what is missing, and mounts `/dev`, as most of what is missing is in there: its mount is taken out of the
/// specification then. To be called in the mount namespace that the container's is made from.
pub(super) fn make(spec: &mut Spec) {
    let Some(root) = spec.root().as_ref().map(|root| root.path().clone()) else {
        return;
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(root) = openat(CWD, &root, flags, Mode::empty()) else {
        return;
    };
    let mut mounts = spec.mounts().clone().unwrap_or_default();
    let dev = mounts.iter().position(is_dev);
    if let Some(place) = dev
        && mount_dev(root.as_fd(), &mounts[place]).is_ok()
    {
        mounts.remove(place);
    }
    for (place, mount) in mounts.iter().enumerate() {
        let is_below = |other: &Mount| mount.destination().starts_with(other.destination());
        if mounts[..place].iter().any(is_below) {
            continue;
        }
        let is_file = mount.typ().as_deref() == Some("bind")
            && mount
                .source()
                .as_ref()
                .is_some_and(|source| fs::metadata(source).is_ok_and(|found| !found.is_dir()));
        let kind = match is_file {
            true => Kind::File,
            false => Kind::Directory,
        };
        // Whatever it is, libcontainer meets it again and says what.
        let _ = place_of(root.as_fd(), mount.destination(), kind);
    }
    spec.set_mounts(Some(mounts));
}

fn is_dev(mount: &Mount) -> bool {
    mount.destination() == Path::new(DEV) && mount.typ().as_deref() == Some("tmpfs")
}

fn mount_dev(root: BorrowedFd<'_>, mount: &Mount) -> rustix::io::Result<()> {
    let place = place_of(root, Path::new(DEV), Kind::Directory)?;
    let options = mount.options().clone().unwrap_or_default();
    tree::attach(&tree::tmpfs(&options)?, &place)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
}

/// Opens the place, made where it is missing together with the directories above it. Links are followed as the container
/// would follow them, so none leads out of its root.
fn place_of(root: BorrowedFd<'_>, path: &Path, kind: Kind) -> rustix::io::Result<OwnedFd> {
    match tree::place_in(root, path) {
        Err(Errno::NOENT) => {}
        opened => return opened,
    }
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::NOENT);
    };
    let above = place_of(root, above, Kind::Directory)?;
    match kind {
        Kind::Directory => mkdirat(&above, name, Mode::from_raw_mode(0o755))?,
        Kind::File => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            drop(openat(&above, name, flags, Mode::from_raw_mode(0o644))?);
        }
    }
    tree::place_in(root, path)
}
