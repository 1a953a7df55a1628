//! Namespaces of other containers.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::observe;
use super::place::Place;
use crate::spec::Existing;
use crate::state::Store;
use crate::{Error, Layout, Result, runtime};

const IPC: &str = "IPC";

/// The processes of other containers whose namespaces this one joins.
#[derive(Debug, Default)]
pub(super) struct Others {
    pid: Option<PathBuf>,
    ipc: Option<PathBuf>,
    network: Option<PathBuf>,
    /// The other container's `/dev/shm`, mounted nowhere.
    pub(super) shm: Option<OwnedFd>,
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
            let store = Store::new(place.layout);
            let id = store.find(other)?;
            let pid = process_of(place.layout, &id, what)?;
            if what == IPC {
                check_shareable(&store, &id)?;
            }
            Ok(Some((pid, PathBuf::from(format!("/proc/{pid}/ns/{file}")))))
        };
        let ipc = namespace(&config.ipc_mode, IPC, "ipc")?;
        let path = |found: Option<(i32, PathBuf)>| found.map(|(_, path)| path);
        Ok(Others {
            shm: match &ipc {
                Some((pid, _)) => Some(shm_of(*pid, place)?),
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
}

fn process_of(layout: &Layout, id: &str, what: &str) -> Result<i32> {
    let state = observe(layout, id)?;
    if state.pid == 0 || !state.is_running() {
        return Err(Error::conflict(format!(
            "cannot join {what} of a non running container: {id}"
        )));
    }
    Ok(state.pid)
}

/// A container's shared memory is its own unless it was made to be shared.
fn check_shareable(store: &Store<'_>, id: &str) -> Result<()> {
    let record = store.record(id)?;
    let mode = record.body.host_config.and_then(|config| config.ipc_mode);
    match mode.as_deref().unwrap_or_default() {
        "" | "private" | "none" => Err(Error::conflict(format!(
            "can't join IPC of container {id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)"
        ))),
        _ => Ok(()),
    }
}

/// The other container's `/dev/shm`: what lies on the way is its own to choose. A mount is there to be taken only for who is in
/// its namespace.
fn shm_of(pid: i32, place: &Place<'_>) -> Result<OwnedFd> {
    let failed = |error| Error::io("take the other container's /dev/shm", error);
    let path = format!("/proc/{pid}/ns/mnt");
    let namespace = open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount)).map_err(failed)?;
    let taken = runtime::tree::take(Path::new("/dev/shm"));
    place.go_home()?;
    taken.map_err(failed)
}
