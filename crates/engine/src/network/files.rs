//! The files that tell a container about its network: written anew at each start, into the container's directory.

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::host_name::HostName;
use super::hosts::{self, Own};
use super::mode::Mode;
use super::request::Request;
use super::resolv_conf;
use crate::spec::NetworkFiles;
use crate::{Error, Result};

const HOSTS: &str = "hosts";
const HOSTNAME: &str = "hostname";
const RESOLV_CONF: &str = "resolv.conf";

/// The files of the container with that directory, whose network another container uses.
pub(super) fn of_other(directory: &Path) -> NetworkFiles {
    NetworkFiles {
        hosts: Some(directory.join(HOSTS)),
        hostname: Some(directory.join(HOSTNAME)),
        resolv_conf: Some(directory.join(RESOLV_CONF)),
    }
}

/// What a container's files tell of its place in its network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Its address.
    pub(super) own: Option<Ipv4Addr>,
    /// The machine's, as the container sees it.
    pub(super) machine: Option<Ipv4Addr>,
    /// Whom it may ask for names where the machine names nobody whom it reaches.
    pub(super) name_server: Option<Ipv4Addr>,
}

/// Writes the files of a container.
pub(super) fn write(directory: &Path, request: &Request, place: Place) -> Result<NetworkFiles> {
    let is_host = request.mode == Mode::Host;
    // They were checked when the container was made, unless an older version made it.
    let hostname = HostName::parse("hostname", &request.hostname)?;
    let domainname = HostName::parse("domainname", &request.domainname)?;
    let resolv_conf = if is_host {
        resolv_conf::machines_network(&resolv_conf::machine_verbatim(), &request.dns)
    } else {
        resolv_conf::own_network(&resolv_conf::machine(), &request.dns, place.name_server)
    };
    let hosts = if is_host && request.extra_hosts.is_empty() {
        fs::read_to_string("/etc/hosts").unwrap_or_default()
    } else {
        // With names of its own the file is made anew, as Docker does.
        let gateway = match is_host {
            true => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            false => place.machine.map(IpAddr::V4),
        };
        let own = place.own.map(|address| Own {
            address: IpAddr::V4(address),
            hostname: &hostname,
            domainname: &domainname,
        });
        hosts::text(&request.extra_hosts, gateway, own)?
    };
    let hostname = format!("{hostname}\n");
    Ok(NetworkFiles {
        hosts: Some(replace(directory, HOSTS, &hosts)?),
        hostname: Some(replace(directory, HOSTNAME, &hostname)?),
        resolv_conf: Some(replace(directory, RESOLV_CONF, &resolv_conf)?),
    })
}

/// Replaces a file of a container, which every user of the container may read. The old one may still be mounted there,
/// and be written to: that one is left alone.
fn replace(directory: &Path, name: &str, text: &str) -> Result<PathBuf> {
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
    written.map_err(|error| {
        // Half a file is of no use, and on a full disk it is in the way.
        let _ = fs::remove_file(&temporary);
        Error::io(format_args!("write {}", path.display()), error)
    })?;
    Ok(path)
}
