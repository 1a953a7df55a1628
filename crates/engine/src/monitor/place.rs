//! Where a container's files are.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use bollard_stubs::models::HostConfig;
use rustix::fs::{Mode, OFlags, open};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::ends::{STDERR, STDIN, STDOUT};
use crate::state::Record;
use crate::{Error, Layout, Result};

/// Where a container's root is mounted, below its runtime directory.
const ROOTFS: &str = "rootfs";

/// Where mounts are put that cannot be named by a path, or not by one that stays what it is.
const MOUNTS: &str = "mounts";

/// Where another container's `/dev/shm` is put.
const SHM: &str = "shm";
const INIT: &str = "init";

/// Where a container's files are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) layout: &'a Layout,
    pub(super) record: &'a Record,
    /// The mount namespace that the monitor came from.
    pub(super) home: BorrowedFd<'a>,
}

impl Place<'_> {
    /// What libcontainer keeps of the container.
    pub(super) fn runtime_state(&self) -> PathBuf {
        self.run().join("oci")
    }

    /// What the container has while it runs.
    pub(super) fn run(&self) -> PathBuf {
        self.layout.container_run(&self.record.id)
    }

    /// Its root directory, while it runs.
    pub(super) fn rootfs(&self) -> PathBuf {
        self.run().join(ROOTFS)
    }

    /// Its mounts, while it starts.
    pub(super) fn mounts(&self) -> PathBuf {
        self.run().join(MOUNTS)
    }

    /// The other container's `/dev/shm`, while it runs.
    pub(super) fn shm(&self) -> PathBuf {
        self.run().join(SHM)
    }

    /// Our own program, for the container's init process.
    pub(super) fn init(&self) -> PathBuf {
        self.run().join(INIT)
    }

    /// What a run leaves in the runtime directory, the root last: while that is there, there is something to clean up.
    pub(super) fn leftovers(&self) -> [PathBuf; 7] {
        [STDIN, STDOUT, STDERR, MOUNTS, SHM, INIT, ROOTFS].map(|name| self.run().join(name))
    }

    /// What the container has until it is removed.
    pub(super) fn own(&self) -> PathBuf {
        self.layout.container(&self.record.id)
    }

    /// The specification of the container, and what belongs to it.
    pub(super) fn bundle(&self) -> PathBuf {
        self.own().join("oci")
    }

    /// What was asked of the machine.
    pub(super) fn host_config(&self) -> HostConfig {
        self.record.body.host_config.clone().unwrap_or_default()
    }

    /// Leaves the mount namespace of a run, which ends then unless the container is in it still.
    pub(super) fn go_home(&self) -> Result<()> {
        move_into_link_name_space(self.home, Some(LinkNameSpaceType::Mount))
            .map_err(|error| Error::io("leave the container's mount namespace", error))
    }
}

/// Whether a run of the container was not cleaned up after: its monitor was killed.
pub(super) fn has_leftovers(layout: &Layout, id: &str) -> bool {
    layout.container_run(id).join(ROOTFS).exists()
}

/// Opens a directory, to find others in it.
pub(super) fn directory(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open(path, flags, Mode::empty())
        .map_err(|error| Error::io(format_args!("open {}", path.display()), error))
}
