//! Taking ports of the machine: each published port is a socket that the monitor holds, whoever translates addresses. So
//! nobody else can take it, and the kernel says who is first.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, getsockname, listen, socket_with, sockopt,
};

use super::port::{Protocol, Published, Wanted};
use crate::error::os_text;
use crate::{Error, Result};

/// A port that is taken.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

/// A port that is taken, for a container's.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) published: Published,
    pub(crate) socket: Socket,
}

/// How many connections may wait to be accepted; the kernel has a limit of its own.
const BACKLOG: i32 = 4096;

/// How often a port is drawn that has to be free for two families.
const DRAWS: u32 = 64;

/// Takes the ports that a request names. `is_leased` tells whether another container has a port, `address` is the
/// container's own, for messages.
pub(crate) fn take(
    wanted: &[Wanted],
    address: Ipv4Addr,
    is_leased: impl Fn(&Published) -> bool,
) -> Result<Vec<Taken>> {
    let mut taken: Vec<Taken> = Vec::new();
    for wanted in wanted {
        let more = take_one(wanted, address, |published| {
            is_leased(published)
                || taken
                    .iter()
                    .any(|other| collide(&other.published, published))
        })?;
        taken.extend(more);
    }
    // In the container's order, however they were taken.
    taken.sort_by_key(|taken| taken.published.container);
    Ok(taken)
}

/// Takes ports again that a container has, after the death of whoever held them for it. One that somebody else took
/// meanwhile stays theirs.
pub(crate) fn take_again(published: &[Published]) -> Vec<Taken> {
    let mut taken = Vec::new();
    for published in published {
        let address = SocketAddr::new(published.address, published.port);
        match open(published.container.protocol, address) {
            Ok((socket, _)) => taken.push(Taken {
                published: *published,
                socket,
            }),
            Err(error) => log::warn!("port {address} of the container: {error}"),
        }
    }
    taken
}

/// Whether nobody can have both.
pub(crate) fn collide(one: &Published, other: &Published) -> bool {
    let meet = one.address == other.address
        || (one.address.is_ipv4() == other.address.is_ipv4()
            && (one.address.is_unspecified() || other.address.is_unspecified()));
    one.port == other.port && one.container.protocol == other.container.protocol && meet
}

/// Takes a socket of each address for one wanted port: they all have the same number.
fn take_one(
    wanted: &Wanted,
    container: Ipv4Addr,
    is_leased: impl Fn(&Published) -> bool,
) -> Result<Vec<Taken>> {
    let addresses = match wanted.address {
        Some(address) => vec![address],
        None => vec![
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ],
    };
    match &wanted.ports {
        Some(ports) if ports.start() == ports.end() => {
            let port = *ports.start();
            take_number(wanted, &addresses, port, &is_leased)
                .map_err(|refusal| refusal.into_error(wanted, container))
        }
        Some(ports) => take_any_of(wanted, &addresses, ports.clone(), &is_leased, container),
        None => {
            let mut last = None;
            for _ in 0..DRAWS {
                match take_number(wanted, &addresses, 0, &is_leased) {
                    Ok(taken) => return Ok(taken),
                    Err(refusal) if refusal.is_taken() => last = Some(refusal),
                    Err(refusal) => return Err(refusal.into_error(wanted, container)),
                }
            }
            Err(last.map_or_else(
                || Error::system("all ports are allocated"),
                |refusal| refusal.into_error(wanted, container),
            ))
        }
    }
}

fn take_any_of(
    wanted: &Wanted,
    addresses: &[IpAddr],
    ports: RangeInclusive<u16>,
    is_leased: &impl Fn(&Published) -> bool,
    container: Ipv4Addr,
) -> Result<Vec<Taken>> {
    for port in ports {
        match take_number(wanted, addresses, port, is_leased) {
            Ok(taken) => return Ok(taken),
            Err(refusal) if refusal.is_taken() => {}
            Err(refusal) => return Err(refusal.into_error(wanted, container)),
        }
    }
    Err(Error::system("all ports are allocated"))
}

/// Why a port was not taken.
struct Refusal {
    address: IpAddr,
    port: u16,
    /// Nothing if another container has it.
    error: Option<io::Error>,
}

impl Refusal {
    fn is_taken(&self) -> bool {
        match &self.error {
            None => true,
            Some(error) => error.kind() == io::ErrorKind::AddrInUse,
        }
    }

    /// The error in Docker's words.
    fn into_error(self, wanted: &Wanted, container: Ipv4Addr) -> Error {
        let machine = SocketAddr::new(self.address, self.port);
        match self.error {
            None => Error::system(format!(
                "Bind for {machine} failed: port is already allocated"
            )),
            Some(error) => Error::system(format!(
                "failed to bind host port for {}:{}:{container}:{}: {}",
                self.address,
                self.port,
                wanted.container,
                os_text(&error)
            ))
            .with_source(error),
        }
    }
}

fn take_number(
    wanted: &Wanted,
    addresses: &[IpAddr],
    port: u16,
    is_leased: &impl Fn(&Published) -> bool,
) -> std::result::Result<Vec<Taken>, Refusal> {
    let mut port = port;
    let mut taken = Vec::new();
    for &address in addresses {
        let published = |port| Published {
            container: wanted.container,
            address,
            port,
        };
        let refused = |port, error| Refusal {
            address,
            port,
            error,
        };
        if port != 0 && is_leased(&published(port)) {
            return Err(refused(port, None));
        }
        match open(wanted.container.protocol, SocketAddr::new(address, port)) {
            Ok((socket, number)) => {
                port = number;
                // One that the kernel chose may be another container's, whose monitor is not there to hold it.
                if is_leased(&published(port)) {
                    return Err(refused(port, None));
                }
                taken.push(Taken {
                    published: published(port),
                    socket,
                });
            }
            // Where IPv6 is switched off nobody can come that way.
            Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL)
                if wanted.address.is_none() && address.is_ipv6() => {}
            Err(error) => return Err(refused(port, Some(error.into()))),
        }
    }
    Ok(taken)
}

fn open(protocol: Protocol, address: SocketAddr) -> rustix::io::Result<(Socket, u16)> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let kind = match protocol {
        Protocol::Tcp => SocketType::STREAM,
        Protocol::Udp => SocketType::DGRAM,
    };
    let socket: OwnedFd = socket_with(
        family,
        kind,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    if address.is_ipv6() {
        // The other family has a socket of its own.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if protocol == Protocol::Tcp {
        // Connections that the container before had, and that the kernel still remembers, are no obstacle.
        sockopt::set_socket_reuseaddr(&socket, true)?;
    }
    bind(&socket, &address)?;
    let number = SocketAddr::try_from(getsockname(&socket)?)?.port();
    let socket = match protocol {
        Protocol::Tcp => {
            listen(&socket, BACKLOG)?;
            Socket::Tcp(TcpListener::from(socket))
        }
        Protocol::Udp => Socket::Udp(UdpSocket::from(socket)),
    };
    Ok((socket, number))
}

#[cfg(test)]
mod tests {
    use super::super::port::ContainerPort;
    use super::*;

    const CONTAINER: Ipv4Addr = Ipv4Addr::new(172, 29, 0, 2);

    fn wanted(protocol: Protocol, address: &str, ports: Option<RangeInclusive<u16>>) -> Wanted {
        Wanted {
            container: ContainerPort {
                number: 80,
                protocol,
            },
            address: address.parse().ok(),
            ports,
        }
    }

    /// Some port that nobody has at the moment.
    fn free() -> u16 {
        let taken = take(&[wanted(Protocol::Tcp, "", None)], CONTAINER, |_| false).expect("a port");
        taken[0].published.port
    }

    #[test]
    fn a_port_of_all_addresses_is_one_of_both_families() {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let taken = take(&[wanted(protocol, "", None)], CONTAINER, |_| false).expect("a port");
            assert!(taken[0].published.port > 0);
            assert!(
                taken
                    .iter()
                    .all(|other| other.published.port == taken[0].published.port)
            );
        }
    }

    #[test]
    fn a_port_that_another_container_has_is_refused_in_dockers_words() {
        let port = free();
        let error = take(
            &[wanted(Protocol::Tcp, "", Some(port..=port))],
            CONTAINER,
            |_| true,
        )
        .expect_err("taken");
        assert_eq!(
            error.to_string(),
            format!("Bind for 0.0.0.0:{port} failed: port is already allocated")
        );
    }

    #[test]
    fn a_port_that_somebody_else_has_is_refused_in_dockers_words() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let error = take(
            &[wanted(Protocol::Tcp, "", Some(port..=port))],
            CONTAINER,
            |_| false,
        )
        .expect_err("taken");
        assert_eq!(
            error.to_string(),
            format!(
                "failed to bind host port for 0.0.0.0:{port}:172.29.0.2:80/tcp: address already in use"
            )
        );
        let error = take(
            &[wanted(Protocol::Tcp, "192.0.2.77", Some(port..=port))],
            CONTAINER,
            |_| false,
        )
        .expect_err("not the machine's");
        assert!(
            error
                .to_string()
                .ends_with("cannot assign requested address"),
            "{error}"
        );
    }

    #[test]
    fn one_container_cannot_have_a_port_twice() {
        let port = free();
        let one = wanted(Protocol::Tcp, "127.0.0.1", Some(port..=port));
        let error = take(&[one.clone(), one], CONTAINER, |_| false).expect_err("taken");
        assert_eq!(
            error.to_string(),
            format!("Bind for 127.0.0.1:{port} failed: port is already allocated")
        );
    }

    #[test]
    fn the_first_free_port_of_a_range_is_taken() {
        let first = (20000..30000u16)
            .find(|port| {
                (*port..port + 3).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())
            })
            .expect("free ports");
        let _listener = TcpListener::bind(("127.0.0.1", first)).expect("a port");
        let range = Some(first..=first + 2);
        let taken = take(
            &[wanted(Protocol::Tcp, "127.0.0.1", range.clone())],
            CONTAINER,
            |published| published.port == first + 1,
        )
        .expect("a port");
        assert_eq!(taken[0].published.port, first + 2);
        let error = take(
            &[wanted(Protocol::Tcp, "127.0.0.1", range)],
            CONTAINER,
            |_| false,
        );
        drop(taken);
        // The second one is free for whom no lease concerns.
        assert_eq!(error.expect("a port")[0].published.port, first + 1);
    }

    #[test]
    fn ports_of_different_protocols_and_addresses_do_not_collide() {
        let of = |protocol, address: &str| Published {
            container: ContainerPort {
                number: 80,
                protocol,
            },
            address: address.parse().expect("an address"),
            port: 80,
        };
        let all = of(Protocol::Tcp, "0.0.0.0");
        assert!(collide(&all, &of(Protocol::Tcp, "127.0.0.1")));
        assert!(collide(&of(Protocol::Tcp, "127.0.0.1"), &all));
        assert!(!collide(&all, &of(Protocol::Tcp, "::")));
        assert!(!collide(&all, &of(Protocol::Udp, "0.0.0.0")));
        assert!(!collide(
            &of(Protocol::Tcp, "127.0.0.2"),
            &of(Protocol::Tcp, "127.0.0.1")
        ));
    }
}
