//! What a container sees below `/sys/fs/cgroup`: its own cgroups.
//!
//! Java, .NET and Go read their limits there. The directories are mounted by the engine and not by libcontainer, whose
//! search for controllers would find them on the way.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, mkdirat, openat, symlinkat};
use rustix::io::Errno;

use super::tree::{self, Depth};
use crate::cgroup::Cgroup;
use crate::spec::CgroupView;
use crate::{Error, Result, sys};

/// Where it is.
pub const PLACE: &str = "/sys/fs/cgroup";

const ATTRIBUTES: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_NOEXEC;

/// The directories, taken from the machine's tree.
#[derive(Debug)]
pub(super) struct View {
    /// Names below the place, and mounts; version 2 has one, without a name.
    trees: Vec<(String, OwnedFd)>,
    read_only: bool,
}

impl View {
    /// Takes the directories of a container's cgroups. To be called where the machine's tree is in its place.
    pub(super) fn of(cgroup: &Cgroup, view: CgroupView) -> Result<View> {
        let mut attributes = ATTRIBUTES;
        if view.read_only {
            attributes |= libc::MOUNT_ATTR_RDONLY;
        }
        let mut trees = Vec::new();
        for (name, path) in cgroup.binds() {
            let tree = tree::clone_of(&path, Depth::One)?;
            sys::set_mount_attributes(tree.as_fd(), false, attributes, libc::MS_PRIVATE)
                .map_err(|error| Error::io(format_args!("mount {}", path.display()), error))?;
            trees.push((name, tree));
        }
        Ok(View {
            trees,
            read_only: view.read_only,
        })
    }

    pub(super) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.trees.iter().map(|(_, tree)| tree.as_raw_fd())
    }

    /// Mounts the directories, from inside the container. Version 1 has them in a tmpfs, which is there by now, and in
    /// which something of the user's may be already.
    pub(super) fn attach(&self) -> io::Result<()> {
        let place = tree::place(Path::new(PLACE))?;
        for (name, mount) in &self.trees {
            if name.is_empty() {
                tree::attach(mount, &place)?;
                continue;
            }
            match mkdirat(&place, name, Mode::from_raw_mode(0o755)) {
                Ok(()) => {}
                Err(Errno::EXIST) => continue,
                Err(error) => return Err(error.into()),
            }
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let below = openat(&place, name, flags, Mode::empty())?;
            tree::attach(mount, &below)?;
            // Controllers that share a mount are found by each of their names.
            for controller in name.split(',').filter(|controller| controller != name) {
                match symlinkat(name, &place, controller) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let has_own_directory = self.trees.iter().any(|(name, _)| !name.is_empty());
        if self.read_only && has_own_directory {
            sys::set_mount_attributes(place.as_fd(), false, libc::MOUNT_ATTR_RDONLY, 0)?;
        }
        Ok(())
    }
}
