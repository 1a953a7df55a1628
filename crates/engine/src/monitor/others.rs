//! Namespaces of other containers.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::observe;
use super::place::Place;
use crate::spec::Existing;
use crate::state::{Proven, Status, Store};
use crate::{Error, Layout, Result, runtime};

const IPC: &str = "IPC";

/// The namespaces of other containers that this one joins, held open: they are those of a process that was proven to be the
/// other container's, which a path with its number in it would not be for long.
#[derive(Debug, Default)]
pub(super) struct Others {
    pid: Option<OwnedFd>,
    ipc: Option<OwnedFd>,
    network: Option<OwnedFd>,
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
            let process = process_of(place.layout, &id, what)?;
            if what == IPC {
                check_shareable(&store, &id)?;
            }
            let opened = process.namespace(file).map_err(|error| {
                Error::io(format_args!("join the {what} namespace of {id}"), error)
            })?;
            Ok(Some((process, opened)))
        };
        let ipc = namespace(&config.ipc_mode, IPC, "ipc")?;
        let opened = |found: Option<(Proven, OwnedFd)>| found.map(|(_, opened)| opened);
        Ok(Others {
            shm: match &ipc {
                Some((process, _)) => Some(shm_of(process, place)?),
                None => None,
            },
            ipc: opened(ipc),
            pid: opened(namespace(&config.pid_mode, "PID", "pid")?),
            network: opened(namespace(&config.network_mode, "network", "net")?),
        })
    }

    /// For the specification: by the descriptors of this process, which stay open until the container runs. The launcher has
    /// closed its own by then.
    pub(super) fn existing(&self) -> Existing {
        let path = |opened: &Option<OwnedFd>| {
            let number = opened.as_ref()?.as_raw_fd();
            let own = std::process::id();
            Some(PathBuf::from(format!("/proc/{own}/fd/{number}")))
        };
        Existing {
            pid: path(&self.pid),
            ipc: path(&self.ipc),
            network: path(&self.network),
        }
    }
}

fn process_of(layout: &Layout, id: &str, what: &str) -> Result<Proven> {
    let state = observe(layout, id)?;
    if state.status == Status::Restarting {
        return Err(Error::conflict(format!(
            "Container {id} is restarting, wait until the container is running"
        )));
    }
    state.process.open().map_err(|_| {
        Error::conflict(format!(
            "cannot join {what} of a non running container: {id}"
        ))
    })
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
fn shm_of(process: &Proven, place: &Place<'_>) -> Result<OwnedFd> {
    let failed = |error| Error::io("take the other container's /dev/shm", error);
    let namespace = process.namespace("mnt").map_err(|error| {
        let label = "take the other container's /dev/shm";
        Error::io(label, error)
    })?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount)).map_err(failed)?;
    let taken = runtime::tree::take(Path::new("/dev/shm"));
    place.go_home()?;
    taken.map_err(failed)
}
