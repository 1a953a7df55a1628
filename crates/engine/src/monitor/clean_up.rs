//! Taking away what a container had.
//!
//! Each step is done whatever became of the others, so that one that fails leaves no more behind than it must; the first
//! failure is the one to tell.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::place::Place;
use crate::cgroup::{Cgroup, Host};
use crate::network::Released;
use crate::state::{Record, Removed, Status, Store};
use crate::{Error, Layout, Result, network, runtime, volume};

/// Takes away everything that belongs to a run.
pub(super) fn all(place: &Place<'_>) -> Result<()> {
    let (network, result) = after_run(place, None);
    result.and(network.cut())
}

/// Takes away what belongs to a run: cgroups, which are looked for if none are given, with all that is in them; its
/// addresses and ports; its mounts, pipes and files of the runtime. What is left of its network is seen to when there is
/// time.
pub(super) fn after_run(place: &Place<'_>, cgroup: Option<&mut Cgroup>) -> (Released, Result<()>) {
    let id = &place.record.id;
    let mut first = Ok(());
    let mut step = |result: Result<()>| {
        if let Err(error) = result {
            log::warn!("clean up: {error}");
            if first.is_ok() {
                first = Err(error);
            }
        }
    };
    step(match cgroup {
        Some(cgroup) => cgroup.remove(),
        None => remove_cgroup(place.record),
    });
    let released = network::release(place.layout, id).unwrap_or_else(|error| {
        step(Err(error));
        Released::default()
    });
    step(place.go_home());
    step(runtime::clean_up(&place.runtime_state()));
    // It is written anew at each start, and on a full disk what follows needs the room.
    step(runtime::clean_up(&place.bundle()));
    for path in entries(&place.mounts()) {
        step(remove_file(&path));
    }
    for path in place.leftovers() {
        step(remove_file(&path));
    }
    (released, first)
}

/// Takes away what a run left of a container that has no monitor and cannot be given one: its processes, and its network.
pub(super) fn unattended(layout: &Layout, record: &Record) -> Result<()> {
    let cgroup = remove_cgroup(record);
    let network = network::release(layout, &record.id).and_then(Released::cut);
    cgroup.and(network)
}

fn remove_cgroup(record: &Record) -> Result<()> {
    let host = Host::detect()?;
    if host.refusal().is_some() {
        return Ok(());
    }
    let parent = record
        .body
        .host_config
        .as_ref()
        .and_then(|config| config.cgroup_parent.as_deref());
    match Cgroup::open(&host, parent, &record.id)? {
        Some(mut cgroup) => cgroup.kill().and_then(|()| cgroup.remove()),
        None => Ok(()),
    }
}

/// What lies in a directory, if there is one.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

/// Removes a file, or a directory that is empty: were something mounted there still, it would not be lost.
fn remove_file(path: &Path) -> Result<()> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => fs::remove_dir(path),
        result => result,
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format_args!("remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Removes a container that does not run, with its anonymous volumes if that is asked for. The caller has its lock. What the
/// container wrote is left to be deleted when whoever waits for the removal has been told.
pub(super) fn remove(layout: &Layout, record: &Record, volumes: bool) -> Result<Removed> {
    // Before the container, which says which they are.
    let anonymous = match volumes {
        true => &record.anonymous_volumes[..],
        false => &[],
    };
    volume::Store::new(layout).release(&record.id, &record.mounts, anonymous)?;
    // Before the container as well: when that is gone, nobody knows whose sockets these were.
    match fs::remove_dir_all(layout.container_run(&record.id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("remove the container's runtime directory: {error}");
        }
        _ => {}
    }
    Store::new(layout).remove(&record.id)
}

/// Why a container that runs is not removed, in dockerd's words.
pub(super) fn still_runs(layout: &Layout, record: &Record, status: Status) -> Error {
    // It may have been renamed since this process read its record.
    let name = Store::new(layout)
        .record(&record.id)
        .map_or_else(|_| record.name.clone(), |record| record.name);
    let advice = match status {
        Status::Paused => "unpause and then stop the container before removing or force remove",
        _ => "stop the container before removing or force remove",
    };
    Error::conflict(format!(
        "cannot remove container \"/{name}\": container is {status}: {advice}"
    ))
}
