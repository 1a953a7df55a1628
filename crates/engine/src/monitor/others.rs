//! Namespaces of other containers.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use super::observe;
use super::place::{Place, directory};
use crate::spec::Existing;
use crate::state::Store;
use crate::{Error, Layout, Result};

/// The processes of other containers whose namespaces this one joins.
#[derive(Debug, Default)]
pub(super) struct Others {
    pid: Option<PathBuf>,
    ipc: Option<PathBuf>,
    network: Option<PathBuf>,
    shm: Option<OwnedFd>,
}

impl Others {
    pub(super) fn of(place: &Place<'_>) -> Result<Others> {
        let config = place.host_config();
        let namespace = |mode: &Option<String>, what: &str, file: &str| {
            let Some(other) = mode
                .as_deref()
                .and_then(|mode| mode.strip_prefix("container:"))
            else {
                return Ok(None);
            };
            let pid = process_of(place.layout, other, what)?;
            Ok(Some((pid, PathBuf::from(format!("/proc/{pid}/ns/{file}")))))
        };
        let ipc = namespace(&config.ipc_mode, "IPC", "ipc")?;
        let path = |found: Option<(i32, PathBuf)>| found.map(|(_, path)| path);
        Ok(Others {
            shm: match &ipc {
                Some((pid, _)) => Some(shm_of(*pid)?),
                None => None,
            },
            ipc: path(ipc),
            pid: path(namespace(&config.pid_mode, "PID", "pid")?),
            network: path(namespace(&config.network_mode, "network", "net")?),
        })
    }

    /// For the specification.
    pub(super) fn existing(&self) -> Existing {
        Existing {
            pid: self.pid.clone(),
            ipc: self.ipc.clone(),
            network: self.network.clone(),
        }
    }

    /// The other container's `/dev/shm`, by a path that leads nowhere else.
    pub(super) fn shm(&self) -> Option<PathBuf> {
        let shm = self.shm.as_ref()?;
        Some(PathBuf::from(format!("/proc/self/fd/{}", shm.as_raw_fd())))
    }
}

fn process_of(layout: &Layout, reference: &str, what: &str) -> Result<i32> {
    let store = Store::new(layout);
    let id = store.find(reference)?;
    let state = observe(layout, &id)?;
    if state.pid == 0 || !state.is_running() {
        return Err(Error::conflict(format!(
            "cannot join {what} of a non running container: {id}"
        )));
    }
    Ok(state.pid)
}

/// The other container's `/dev/shm`: what lies on the way is its own to choose.
fn shm_of(pid: i32) -> Result<OwnedFd> {
    let root = directory(Path::new(&format!("/proc/{pid}/root")))?;
    openat2(
        root,
        "dev/shm",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    )
    .map_err(|error| Error::io("open the other container's /dev/shm", error))
}
