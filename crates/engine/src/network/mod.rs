//! The network of a container: its files, its addresses, its way out and the ports that it publishes.
//!
//! The container's monitor calls [`prepare`] before it makes the container, [`Prepared::connect`] once the container's
//! network namespace is there, and runs [`Prepared::proxies`] for as long as the container runs. Whoever sees the
//! container's end calls [`release`]: the monitor, or whoever finds that it died.

#[allow(dead_code, reason = "the bridge, which lands next, uses the rest")]
mod hosts;
#[allow(dead_code, reason = "the bridge, which lands next, uses the rest")]
mod mac;
mod mode;
#[allow(dead_code, reason = "the bridge, which lands next, uses the rest")]
mod netlink;
mod port;
#[allow(dead_code, reason = "the bridge, which lands next, uses the rest")]
mod random;
#[allow(dead_code, reason = "the bridge, which lands next, uses the rest")]
mod request;
#[allow(dead_code, reason = "the bridge, which lands next, uses the rest")]
mod resolv_conf;
mod settings;

use std::fs;
use std::io::Write;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bollard_stubs::models::{ContainerCreateBody, NetworkSettings};

pub use settings::inspect;

use crate::spec::NetworkFiles;
use crate::{Error, Layout, Result};
use mode::Mode;
use netlink::Netlink;
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
    Ok(Request::of(body)?.warnings)
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
}

/// What is left to be done when the namespace is there.
#[derive(Debug)]
enum Connection {
    /// Nothing: it is somebody else's.
    Shared,
    /// Nothing leads out of it.
    Loopback,
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
        Proxies::default()
    }

    /// Connects the container's network namespace. Nothing of the container may run in it yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
    pub fn connect(&mut self, namespace: BorrowedFd<'_>) -> Result<()> {
        match self.connection {
            Connection::Shared => Ok(()),
            Connection::Loopback => netlink::within(namespace, Netlink::open)
                .and_then(|mut inside| inside.set_up(LOOPBACK))
                .map_err(|error| Error::io("set up the container's loopback interface", error)),
        }
    }
}

/// What carries connections to 127.0.0.1 and to the machine's other addresses on to a container's published ports.
#[derive(Debug, Default)]
pub struct Proxies {}

impl Proxies {
    /// Carries them until it is dropped. It runs on a current-thread tokio run-time with time and I/O.
    pub async fn run(self) {
        std::future::pending().await
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
/// full id.
///
/// # Errors
///
/// Those of [`check_request`], [`ErrorKind::System`](crate::ErrorKind::System) if a file cannot be written or a port is
/// taken.
pub fn prepare(layout: &Layout, id: &str, body: &ContainerCreateBody) -> Result<Prepared> {
    let request = Request::of(body)?;
    let directory = layout.container(id);
    let connection = match &request.mode {
        Mode::Container(other) => {
            let other = layout.container(other);
            return Ok(Prepared {
                files: NetworkFiles {
                    hosts: Some(other.join(HOSTS)),
                    hostname: Some(other.join(HOSTNAME)),
                    resolv_conf: Some(other.join(RESOLV_CONF)),
                },
                settings: settings::running(layout, &request, &[]),
                warnings: Vec::new(),
                connection: Connection::Shared,
            });
        }
        Mode::Host => Connection::Shared,
        Mode::None => Connection::Loopback,
        Mode::Bridge => {
            return Err(Error::not_implemented(
                "the embedded engine has no --network bridge yet: use none or host",
            ));
        }
    };
    let resolv_conf = match request.mode {
        Mode::Host => resolv_conf::machines_network(&resolv_conf::machine_verbatim(), &request.dns),
        _ => resolv_conf::own_network(&resolv_conf::machine(), &request.dns, false),
    };
    let hosts = match request.mode {
        // With names of its own the file is made anew, as Docker does.
        Mode::Host if request.extra_hosts.is_empty() => {
            fs::read_to_string("/etc/hosts").unwrap_or_default()
        }
        _ => hosts::text(&request.extra_hosts, None, None)?,
    };
    Ok(Prepared {
        files: NetworkFiles {
            hosts: Some(write(&directory, HOSTS, &hosts)?),
            hostname: Some(write(
                &directory,
                HOSTNAME,
                &format!("{}\n", request.hostname),
            )?),
            resolv_conf: Some(write(&directory, RESOLV_CONF, &resolv_conf)?),
        },
        settings: settings::running(layout, &request, &[]),
        warnings: Vec::new(),
        connection,
    })
}

const HOSTS: &str = "hosts";
const HOSTNAME: &str = "hostname";
const RESOLV_CONF: &str = "resolv.conf";

/// Replaces a file of a container, which every user of the container may read. The old one may still be mounted there,
/// and be written to: that one is left alone.
fn write(directory: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = directory.join(name);
    let temporary = directory.join(format!(".{name}.new"));
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .open(&temporary)?;
        // Whatever the umask is.
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
        file.write_all(text.as_bytes())?;
        fs::rename(&temporary, &path)
    })();
    written.map_err(|error| Error::io(format_args!("write {}", path.display()), error))?;
    Ok(path)
}

/// Gives back what the container of that id has of the network; it may have nothing.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if something of it cannot be removed.
pub fn release(layout: &Layout, id: &str) -> Result<()> {
    log::debug!(
        "container {id} of {} holds no address",
        layout.root().display()
    );
    Ok(())
}

#[cfg(test)]
mod tests;
