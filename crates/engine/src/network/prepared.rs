//! A network that is ready for its container, and is connected when the container's namespace is there.

use std::os::fd::BorrowedFd;

use bollard_stubs::models::NetworkSettings;

use super::cable::Cable;
use super::mac::MacAddress;
use super::netlink::{self, Netlink};
use super::proxy::Proxies;
use super::record::Locked;
use super::{LOOPBACK, userspace};
use crate::layout::make_directory;
use crate::spec::NetworkFiles;
use crate::user_namespace::owns_network;
use crate::{Error, Layout, Result};

/// A network that is ready for its container. Dropping it closes what it holds open; what is recorded stays until
/// [`release`](super::release).
#[derive(Debug)]
pub struct Prepared {
    pub(super) files: NetworkFiles,
    pub(super) settings: NetworkSettings,
    pub(super) warnings: Vec<String>,
    pub(super) connection: Connection,
    pub(super) proxies: Proxies,
}

/// What is left to be done when the namespace is there.
#[derive(Debug)]
pub(super) enum Connection {
    /// Nothing: it is somebody else's.
    Shared,
    /// Nothing leads out of it.
    Loopback,
    /// A cable leads to the engine's bridge.
    Bridge(Cable),
    /// A program carries packets, where one can; and there is a door, where ports are published.
    Userspace(Carried),
}

/// What a container of an ordinary user has in place of a cable.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) layout: Layout,
    pub(super) id: String,
    pub(super) program: Option<userspace::Program>,
    pub(super) mac: MacAddress,
}

impl Carried {
    /// Connects the container's network, and records who carries its packets before anything can happen to this process.
    fn connect(&self, namespace: BorrowedFd<'_>) -> Result<userspace::Door> {
        let door = userspace::Door::open(namespace)?;
        if let Some(program) = &self.program {
            let mut locked = Locked::open(&self.layout)?;
            let directory = self.layout.container_run(&self.id);
            make_directory(&directory)?;
            let helper = program.start(namespace, self.mac, &directory)?;
            let recorded = match locked.record.leases.get_mut(&self.id) {
                Some(lease) => {
                    lease.helper = Some(helper.clone());
                    locked.save()
                }
                None => Err(Error::conflict("the container's network was released")),
            };
            if recorded.is_err() {
                helper.end();
            }
            recorded?;
        }
        Ok(door)
    }
}

impl Prepared {
    /// The container's files.
    pub fn files(&self) -> &NetworkFiles {
        &self.files
    }

    /// What `inspect` shows while the container runs.
    pub fn settings(&self) -> &NetworkSettings {
        &self.settings
    }

    /// What the user should know, in whole sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What carries connections to the published ports, taken once.
    pub fn proxies(&mut self) -> Proxies {
        std::mem::take(&mut self.proxies)
    }

    /// Connects the container's network namespace. Nothing of the container may run in it yet. This thread is in that
    /// namespace for a moment.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
    pub fn connect(&mut self, namespace: BorrowedFd<'_>) -> Result<()> {
        match &self.connection {
            Connection::Shared => Ok(()),
            Connection::Loopback if owns_network() => netlink::within(namespace, Netlink::open)
                .and_then(|mut inside| inside.set_up(LOOPBACK))
                .map_err(|error| Error::io("set up the container's loopback interface", error)),
            Connection::Loopback => userspace::Door::open(namespace).map(drop),
            Connection::Userspace(carried) => {
                let door = carried.connect(namespace)?;
                if !self.proxies.is_empty() {
                    self.proxies.set_door(door);
                }
                Ok(())
            }
            Connection::Bridge(cable) => cable.lay(namespace).map_err(|error| {
                Error::io(
                    format_args!("connect the container to {}", cable.bridge.name),
                    error,
                )
            }),
        }
    }
}
