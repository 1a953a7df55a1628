//! The engine of an ordinary user, which works in a user namespace.
//!
//! In there the user is root: images are unpacked, file systems mounted and containers started as root does it, as far as
//! the kernel lets it be. A process cannot enter a user namespace once it has threads, and what enters cannot leave. So
//! the engine of an ordinary user is a process of its own, [`Inside`], started by the command that needs it, over a socket
//! by which it gets connections to serve; it ends with that command. Monitors are started from there and stay.
//!
//! All containers of a user share one namespace: they could not join one another's networks or processes otherwise, nor
//! a new monitor a container whose own was killed. A namespace lives as long as a process in it, so whoever is in it says
//! so in the runtime directory, and whoever comes joins; where nobody is left, a new one is made like it.

mod anchor;
mod enter;
mod ids;
mod inside;
mod process;
mod request;
mod rights;
mod subordinate;

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use rustix::process::geteuid;

pub(crate) use anchor::Anchor;
pub use ids::{IdRange, Ids};
pub(crate) use inside::{Inside, Purpose, unexpected};
pub(crate) use request::{Reply, Request};
pub(crate) use rights::Rights;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use subordinate::fuzz;
use subordinate::{Further, Kind};

use crate::sys;

/// Whether this user has to enter a user namespace first.
pub(crate) fn is_needed() -> bool {
    !geteuid().is_root()
}

/// Which ids the containers of this user have, or why they can be no more than one; a whole sentence.
pub(crate) fn further_ids() -> Result<(), String> {
    Kind::BOTH
        .into_iter()
        .try_for_each(|kind| Further::find(kind).map(drop))
}

/// Whether this process may change the network that it is in: make links, addresses and rules.
///
/// Root may, in a container of its own kind too; root of a user namespace that has the machine's network may not.
pub(crate) fn owns_network() -> bool {
    let owner = || -> io::Result<bool> {
        let network = File::open("/proc/self/ns/net")?;
        is_own(sys::owner_of_namespace(network.as_fd())?.as_fd())
    };
    geteuid().is_root() && owner().unwrap_or(false)
}

/// Whether that user namespace is the one of this process.
pub(crate) fn is_own(namespace: impl AsFd) -> io::Result<bool> {
    let own = rustix::fs::stat("/proc/self/ns/user")?;
    let other = rustix::fs::fstat(namespace)?;
    Ok((own.st_dev, own.st_ino) == (other.st_dev, other.st_ino))
}
