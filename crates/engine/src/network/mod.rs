//! The network of a container: its files, its addresses, its way out and the ports that it publishes.
//!
//! The container's monitor calls [`prepare`] before it makes the container, [`Prepared::connect`] once the container's
//! network namespace is there, and runs [`Prepared::proxies`] for as long as the container runs. Whoever sees the
//! container's end calls [`release`]: the monitor, or whoever finds that it died.

mod bridge;
mod cable;
mod check;
mod files;
mod firewall;
mod frame;
mod hosts;
mod list;
mod mac;
mod mode;
mod netlink;
mod port;
mod program;
mod proxy;
mod publish;
pub(crate) mod random;
mod record;
mod request;
mod resolv_conf;
mod settings;
mod subnet;

use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use bollard_stubs::models::{ContainerCreateBody, NetworkSettings};
use rustix::process::geteuid;

pub use check::{Leftover, check, tear_down};
pub(crate) use list::{Network, networks};
pub use proxy::Proxies;
pub use settings::inspect;

use crate::spec::NetworkFiles;
use crate::state::life::{self, Verdict};
use crate::state::{Lock, Store};
use crate::{Error, Layout, Result};
use cable::Cable;
use mac::MacAddress;
use mode::Mode;
use netlink::Netlink;
use port::Published;
use record::{Lease, Locked};
use request::Request;

/// Checks what a request to create a container says about the network; the warnings are for the answer.
///
/// The body is the client's own: neither completed with what the image says nor with a host name.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what makes no sense, a network that there is
/// not among it, and [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for what this engine does not do.
pub fn check_request(body: &ContainerCreateBody) -> Result<Vec<String>> {
    request::check_conflicts(body)?;
    let request = Request::of(body)?;
    let mut warnings = request.warnings;
    if request.mode == Mode::Bridge && !firewall::is_available() {
        warnings.push(bridge::NO_TRANSLATION.to_owned());
    }
    Ok(warnings)
}

/// The settings that `inspect` shows of a container that does not run.
///
/// # Errors
///
/// Those of [`check_request`].
pub fn settings_of_stopped(body: &ContainerCreateBody) -> Result<NetworkSettings> {
    Ok(settings::stopped(&Request::of(body)?))
}

/// A network that is ready for its container. Dropping it closes what it holds open; what is recorded stays until
/// [`release`].
#[derive(Debug)]
pub struct Prepared {
    files: NetworkFiles,
    settings: NetworkSettings,
    warnings: Vec<String>,
    connection: Connection,
    proxies: Proxies,
}

/// What is left to be done when the namespace is there.
#[derive(Debug)]
enum Connection {
    /// Nothing: it is somebody else's.
    Shared,
    /// Nothing leads out of it.
    Loopback,
    /// A cable leads to the engine's bridge.
    Bridge(Cable),
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
            Connection::Loopback => netlink::within(namespace, Netlink::open)
                .and_then(|mut inside| inside.set_up(LOOPBACK))
                .map_err(|error| Error::io("set up the container's loopback interface", error)),
            Connection::Bridge(cable) => cable.lay(namespace).map_err(|error| {
                Error::io(
                    format_args!("connect the container to {}", cable.bridge.name),
                    error,
                )
            }),
        }
    }
}

/// The index of `lo`, the first link of every namespace.
const LOOPBACK: u32 = 1;

/// Switches the loopback interface of this thread's own network on.
///
/// It is for processes that are in the container's namespaces already: where the engine is not root, nobody else may.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
pub fn set_loopback_up() -> Result<()> {
    Netlink::open()
        .and_then(|mut own| own.set_up(LOOPBACK))
        .map_err(|error| Error::io("set up the container's loopback interface", error))
}

/// Makes the network of a container ready: its files are written into the container's directory, its address is leased
/// and its ports are taken.
///
/// The body is complete: merged with what the image says, its host name set, and a network mode `container:` has the
/// full id. Programs may be run: SIGCHLD must not be ignored.
///
/// # Errors
///
/// Those of [`check_request`], and [`ErrorKind::System`](crate::ErrorKind::System) if a file cannot be written, a port is
/// taken or the kernel refuses something. [`release`] is to be called then, too.
pub fn prepare(layout: &Layout, id: &str, body: &ContainerCreateBody) -> Result<Prepared> {
    let request = Request::of(body)?;
    let directory = layout.container(id);
    let plain = |connection, files| Prepared {
        files,
        settings: settings::running(layout, &request, None),
        warnings: Vec::new(),
        connection,
        proxies: Proxies::default(),
    };
    match &request.mode {
        Mode::Bridge if !geteuid().is_root() => Err(Error::not_implemented(
            "the embedded engine has no --network bridge for ordinary users yet: use none or host",
        )),
        Mode::Bridge => prepare_bridge(layout, id, &request),
        Mode::None => Ok(plain(
            Connection::Loopback,
            files::write(&directory, &request, None, None)?,
        )),
        Mode::Host => Ok(plain(
            Connection::Shared,
            files::write(&directory, &request, None, None)?,
        )),
        Mode::Container(other) => {
            let mut locked = Locked::open(layout)?;
            if let Some(lease) = locked.record.leases.get_mut(other)
                && !lease.sharers.iter().any(|sharer| sharer == id)
            {
                lease.sharers.push(id.to_owned());
                locked.save()?;
            }
            Ok(plain(
                Connection::Shared,
                files::of_other(&layout.container(other)),
            ))
        }
    }
}

fn prepare_bridge(layout: &Layout, id: &str, request: &Request) -> Result<Prepared> {
    let mut warnings = Vec::new();
    let mut netlink = Netlink::open().map_err(|error| Error::io("open a netlink socket", error))?;
    let mut locked = Locked::open(layout)?;
    let (bridge, bridge_index) = bridge::ensure(&mut netlink, &mut locked, layout, &mut warnings)?;
    // A lease that it has is of an earlier run, which nobody saw end.
    locked.record.leases.remove(id);
    let leases = &locked.record.leases;
    let subnet = bridge.subnet;
    let address = subnet
        .free_address(locked.record.next.unwrap_or(subnet.gateway()), |address| {
            leases.values().any(|lease| lease.address == address)
        })
        .ok_or_else(|| {
            Error::system("no available IPv4 addresses on this network's address pools: bridge")
        })?;
    drop_dead_leases(layout, &mut locked, &request.wanted);
    let leases = &locked.record.leases;
    let taken = publish::take(&request.wanted, address, |wanted| {
        leases
            .values()
            .flat_map(|lease| &lease.published)
            .any(|published| publish::collide(published, wanted))
    })
    .map_err(|error| of_endpoint(layout, id, error))?;
    let published: Vec<Published> = taken.iter().map(|taken| taken.published).collect();

    let cable = Cable {
        id: id.to_owned(),
        bridge,
        bridge_index,
        link: cable::name()?,
        address,
        mac: match request.mac {
            Some(mac) => mac,
            None => MacAddress::random()?,
        },
    };
    let lease = Lease {
        address,
        mac: cable.mac.to_string(),
        link: cable.link.clone(),
        published: published.clone(),
        sharers: Vec::new(),
    };
    locked.record.next = Some(std::net::Ipv4Addr::from_bits(address.to_bits() + 1));
    locked.record.leases.insert(id.to_owned(), lease);
    // What is recorded is found and taken back, whatever happens next.
    locked.save()?;
    if !published.is_empty() {
        bridge::refresh(&mut locked.record, &mut warnings);
        locked.save()?;
    }
    drop(locked);

    let gateway = IpAddr::V4(subnet.gateway());
    Ok(Prepared {
        files: files::write(
            &layout.container(id),
            request,
            Some(IpAddr::V4(address)),
            Some(gateway),
        )?,
        settings: settings::running(
            layout,
            request,
            Some(&settings::Endpoint {
                id,
                address,
                subnet,
                mac: cable.mac,
                published: &published,
            }),
        ),
        warnings,
        proxies: Proxies::new(taken, address),
        connection: Connection::Bridge(cable),
    })
}

/// Takes ports back from containers whose end nobody saw, if they are in the way.
fn drop_dead_leases(layout: &Layout, locked: &mut Locked, wanted: &[port::Wanted]) {
    if wanted.is_empty() {
        return;
    }
    locked
        .record
        .leases
        .retain(|id, lease| lease.published.is_empty() || is_alive(layout, id));
}

/// Whether there may be a container that uses its network: one that runs, whether or not its monitor does, or one that is
/// about to.
fn is_alive(layout: &Layout, id: &str) -> bool {
    match Lock::is_held(layout, id) {
        Ok(true) => true,
        Ok(false) => {
            let (Ok(state), Ok(boot)) = (Store::new(layout).state(id), life::boot()) else {
                return false;
            };
            let started = life::process_started(state.pid);
            matches!(life::judge(&state, &boot, started), Verdict::Orphaned)
        }
        Err(error) => error.kind() != crate::ErrorKind::NotFound,
    }
}

/// A refusal of a port, in Docker's words.
fn of_endpoint(layout: &Layout, id: &str, error: Error) -> Error {
    let name = Store::new(layout)
        .record(id)
        .map(|record| record.name)
        .unwrap_or_default();
    let endpoint = settings::endpoint_id(id);
    Error::new(
        error.kind(),
        format!(
            "failed to set up container networking: driver failed programming external connectivity on endpoint \
             {name} ({endpoint}): {error}"
        ),
    )
    .with_source(error)
}

/// Takes the published ports of a container again that runs on without its monitor.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if what is recorded cannot be read.
pub fn adopt(layout: &Layout, id: &str) -> Result<Proxies> {
    if !record::is_there(layout.root()) {
        return Ok(Proxies::default());
    }
    let locked = Locked::open(layout)?;
    Ok(match locked.record.leases.get(id) {
        Some(lease) => Proxies::new(publish::take_again(&lease.published), lease.address),
        None => Proxies::default(),
    })
}

/// Gives back what the container of that id has of the network; it may have nothing.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if something of it cannot be removed.
pub fn release(layout: &Layout, id: &str) -> Result<Released> {
    if !record::is_there(layout.root()) {
        return Ok(Released::default());
    }
    let mut locked = Locked::open(layout)?;
    for lease in locked.record.leases.values_mut() {
        lease.sharers.retain(|sharer| sharer != id);
    }
    let Some(lease) = locked.record.leases.remove(id) else {
        locked.save()?;
        return Ok(Released::default());
    };
    if !lease.sharers.is_empty() {
        // Its network stays with those who have it too, but not its address: that may be somebody else's next.
        cut(&lease.link)?;
    }
    if !lease.published.is_empty() {
        let mut warnings = Vec::new();
        bridge::refresh(&mut locked.record, &mut warnings);
        for warning in warnings {
            log::warn!("{warning}");
        }
    }
    locked.save()?;
    Ok(Released {
        link: Some(lease.link),
    })
}

/// The network of a container that has ended, on its way out of the kernel.
///
/// The kernel takes it away when its last process is gone, in a millisecond, unless connections are open still: then it
/// may keep it for minutes. Whoever has time sees to it with [`settle`](Released::settle).
#[derive(Debug, Default)]
pub struct Released {
    link: Option<String>,
}

impl Released {
    /// Waits until the container's cable is gone, and cuts it if it is not after a while. It is for the end of a monitor,
    /// when everybody has been told: cutting takes 20 ms.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
    pub async fn settle(self) -> Result<()> {
        let Some(link) = self.link else {
            return Ok(());
        };
        for _ in 0..10 {
            let found = Netlink::open().and_then(|mut netlink| netlink.link(&link));
            if matches!(found, Ok(None)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cut(&link)
    }

    /// Cuts the container's cable, if it is there still.
    ///
    /// # Errors
    ///
    /// As [`settle`](Released::settle).
    pub fn cut(self) -> Result<()> {
        self.link.as_deref().map_or(Ok(()), cut)
    }
}

/// Removes a cable, if it is there still.
fn cut(link: &str) -> Result<()> {
    let removed = Netlink::open().and_then(|mut netlink| match netlink.link(link)? {
        Some(found) => netlink.delete_link(found.header.index),
        None => Ok(()),
    });
    match removed {
        // It went while we looked.
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
        removed => removed.map_err(|error| Error::io(format_args!("remove {link}"), error)),
    }
}

#[cfg(test)]
mod tests;
