//! Entering a user namespace: the one that others of this user are in, or a new one.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{FlockOperation, flock};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::request::{Channel, Reply, Request};
use super::subordinate::Kind;
use super::{Anchor, anchor, is_own};
use crate::{Error, Layout, Result, machine, sys};

/// Enters the namespace, and a mount namespace of its own, in which it may mount. This process must have one thread.
///
/// With `stays` others are told, so that they come here too; without, nothing is made in the engine's directories.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if this user can make no namespace, with what to do about it.
pub(super) fn enter(layout: &Layout, stays: bool, outside: &Channel) -> Result<Option<Anchor>> {
    // Two that come at once shall not make two.
    let _lock = match stays {
        true => {
            layout.create()?;
            Some(lock(layout)?)
        }
        false => None,
    };
    if !join(layout) {
        make(outside)?;
    }
    let failed = |error: io::Error| Error::io("make a mount namespace", error);
    sys::unshare_mounts().map_err(failed)?;
    // What the machine mounts later shows here, and not the other way round.
    let downstream = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change("/", downstream).map_err(|error| failed(error.into()))?;
    match stays {
        true => Anchor::drop_at(layout).map(Some),
        false => Ok(None),
    }
}

/// The lock is free when this is dropped.
fn lock(layout: &Layout) -> Result<File> {
    let path = layout.run().join("namespace.lock");
    let failed = |error: io::Error| Error::io(format_args!("lock {}", path.display()), error);
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
    Ok(file)
}

/// Joins the namespace of somebody who is in one.
fn join(layout: &Layout) -> bool {
    anchor::namespaces(layout)
        .filter(|namespace| !is_own(namespace).unwrap_or(true))
        .any(|namespace| {
            // One that is another user's, or of a process that took over a dead one's number, cannot be joined.
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::User)).is_ok()
        })
}

/// Makes a namespace. Further ids are mapped from outside, where the programs for that have their rights; without them
/// there is this user's own id.
fn make(outside: &Channel) -> Result<()> {
    // Asked before: inside they are others.
    let own = Kind::BOTH.map(Kind::own);
    sys::unshare_user().map_err(refused)?;
    let failed = |error: io::Error| Error::io("map the ids of a user namespace", error);
    outside.send(&Reply::Unshared, None).map_err(failed)?;
    let (users, groups) = match outside.receive::<Request>().map_err(failed)? {
        Some((Request::Mapped { users, groups }, _)) => (users, groups),
        _ => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
    };
    for (kind, own, is_mapped) in [(Kind::Users, own[0], users), (Kind::Groups, own[1], groups)] {
        if is_mapped {
            continue;
        }
        if kind == Kind::Groups {
            // Whoever could leave a group by this would get at what that group is kept from (user_namespaces(7)).
            fs::write("/proc/self/setgroups", "deny").map_err(refused)?;
        }
        fs::write(kind.map(), format!("0 {own} 1\n")).map_err(refused)?;
    }
    Ok(())
}

/// Why there is no namespace, with the setting that forbids it if one is known.
fn refused(error: io::Error) -> Error {
    let because = match machine::forbids_user_namespaces() {
        Some(setting) => setting,
        None => crate::error::os_text(&error),
    };
    Error::system(format!(
        "containers of an ordinary user need a user namespace, and this machine does not let this user make one: {because}; \
         have that changed, or run this as root"
    ))
    .with_source(error)
}
