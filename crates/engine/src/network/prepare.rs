//! Making the network of a container ready, before the container is made.

use std::net::Ipv4Addr;

use bollard_stubs::models::ContainerCreateBody;

use super::cable::{self, Cable};
use super::files::{self, Place};
use super::mac::MacAddress;
use super::mode::Mode;
use super::netlink::Netlink;
use super::port::{self, Published};
use super::prepared::{Carried, Connection, Prepared};
use super::proxy::{Proxies, Way};
use super::record::{Lease, Locked};
use super::request::Request;
use super::{bridge, publish, settings, userspace};
use crate::state::{Store, is_alive};
use crate::user_namespace::owns_network;
use crate::{Error, Layout, Result};

/// Makes the network of a container ready: its files are written into the container's directory, its address is leased
/// and its ports are taken.
///
/// The body is complete: merged with what the image says, its host name set, and a network mode `container:` has the
/// full id. Programs may be run: SIGCHLD must not be ignored.
///
/// # Errors
///
/// Those of [`check_request`](super::check_request), and [`ErrorKind::System`](crate::ErrorKind::System) if a file cannot be written, a port is
/// taken or the kernel refuses something. [`release`](super::release) is to be called then, too.
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
        Mode::Bridge if !owns_network() => prepare_userspace(layout, id, &request),
        Mode::Bridge => prepare_bridge(layout, id, &request),
        Mode::None => Ok(plain(
            Connection::Loopback,
            files::write(&directory, &request, Place::default())?,
        )),
        Mode::Host => Ok(plain(
            Connection::Shared,
            files::write(&directory, &request, Place::default())?,
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
    let taken = take_ports(layout, id, &locked, &request.wanted, address)?;
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
        helper: None,
    };
    locked.record.next = Some(Ipv4Addr::from_bits(address.to_bits() + 1));
    locked.record.leases.insert(id.to_owned(), lease);
    // What is recorded is found and taken back, whatever happens next.
    locked.save()?;
    if !published.is_empty() {
        bridge::refresh(&mut locked.record, &mut warnings);
        locked.save()?;
    }
    drop(locked);

    Ok(Prepared {
        files: files::write(
            &layout.container(id),
            request,
            Place {
                own: Some(address),
                machine: Some(subnet.gateway()),
                name_server: None,
            },
        )?,
        settings: settings::running(
            layout,
            request,
            Some(&settings::Endpoint {
                id,
                address,
                subnet,
                gateway: subnet.gateway(),
                mac: cable.mac,
                published: &published,
            }),
        ),
        warnings,
        proxies: Proxies::new(
            taken,
            Way {
                container: address,
                door: None,
            },
        ),
        connection: Connection::Bridge(cable),
    })
}

/// The same for an ordinary user: each container is alone in its network, with the same address as every other.
fn prepare_userspace(layout: &Layout, id: &str, request: &Request) -> Result<Prepared> {
    let (program, warnings) = match userspace::find() {
        Ok(program) => (Some(program), Vec::new()),
        Err(why) => (None, vec![why]),
    };
    let address = match program {
        Some(_) => userspace::ADDRESS,
        None => Ipv4Addr::LOCALHOST,
    };
    let mac = match request.mac {
        Some(mac) => mac,
        None => MacAddress::random()?,
    };
    let mut locked = Locked::open(layout)?;
    if let Some(earlier) = locked.record.leases.remove(id) {
        // Of an earlier run, which nobody saw end.
        earlier.end();
    }
    drop_dead_leases(layout, &mut locked, &request.wanted);
    let taken = take_ports(layout, id, &locked, &request.wanted, address)?;
    let published: Vec<Published> = taken.iter().map(|taken| taken.published).collect();
    let lease = Lease {
        address,
        mac: mac.to_string(),
        link: String::new(),
        published: published.clone(),
        sharers: Vec::new(),
        helper: None,
    };
    locked.record.leases.insert(id.to_owned(), lease);
    locked.save()?;
    drop(locked);

    let place = match program {
        Some(_) => Place {
            own: Some(address),
            machine: None,
            name_server: Some(userspace::NAME_SERVER),
        },
        None => Place::default(),
    };
    let mut settings = settings::running(
        layout,
        request,
        Some(&settings::Endpoint {
            id,
            address,
            subnet: userspace::subnet(),
            gateway: userspace::GATEWAY,
            mac,
            published: &published,
        }),
    );
    if program.is_none() {
        settings::forget_place(&mut settings);
    }
    Ok(Prepared {
        files: files::write(&layout.container(id), request, place)?,
        settings,
        warnings,
        proxies: Proxies::new(
            taken,
            Way {
                container: address,
                door: None,
            },
        ),
        connection: Connection::Userspace(Carried {
            layout: layout.clone(),
            id: id.to_owned(),
            program,
            mac,
        }),
    })
}

/// Takes the ports that a request names, unless other containers have them.
fn take_ports(
    layout: &Layout,
    id: &str,
    locked: &Locked,
    wanted: &[port::Wanted],
    address: Ipv4Addr,
) -> Result<Vec<publish::Taken>> {
    let leases = &locked.record.leases;
    publish::take(wanted, address, |wanted| {
        leases
            .values()
            .flat_map(|lease| &lease.published)
            .any(|published| publish::collide(published, wanted))
    })
    .map_err(|error| of_endpoint(layout, id, error))
}

/// Takes ports back from containers whose end nobody saw, if they are in the way.
fn drop_dead_leases(layout: &Layout, locked: &mut Locked, wanted: &[port::Wanted]) {
    if wanted.is_empty() {
        return;
    }
    locked.record.leases.retain(|id, lease| {
        let stays = lease.published.is_empty() || is_alive(layout, id);
        if !stays {
            lease.end();
        }
        stays
    });
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
