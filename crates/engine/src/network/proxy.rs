//! What carries connections from a port of the machine on to a container: those that come from the machine itself, by
//! IPv6, from the container's own network, and all of them where nobody translates addresses.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::port::Protocol;
use super::publish::{Socket, Taken};
use super::userspace::Door;

/// How long the way of a client's datagrams is remembered after the last one, as Docker's.
const UDP_IDLE: Duration = Duration::from_secs(90);

/// How many clients of one port of UDP have a way at a time: each costs a descriptor.
const UDP_CLIENTS: usize = 1024;

/// The longest datagram that there is.
const DATAGRAM: usize = 65_535;

/// How long to wait when the system has no descriptor or no memory left: asking again at once would do nothing else.
const PAUSE: Duration = Duration::from_millis(100);

/// What carries connections to 127.0.0.1 and to the machine's other addresses on to a container's published ports.
#[derive(Debug, Default)]
pub struct Proxies {
    taken: Vec<Taken>,
    way: Option<Way>,
}

/// How connections get into a container's network.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The container's address in it.
    pub(super) container: Ipv4Addr,
    /// Where sockets come from that are in that network; nothing where it can be reached from here.
    pub(super) door: Option<Arc<Door>>,
}

impl Way {
    async fn connect(&self, port: u16) -> io::Result<TcpStream> {
        let to = SocketAddr::new(IpAddr::V4(self.container), port);
        match &self.door {
            None => TcpStream::connect(to).await,
            Some(door) => {
                let socket = std::net::TcpStream::from(door.socket(Protocol::Tcp)?);
                TcpSocket::from_std_stream(socket).connect(to).await
            }
        }
    }

    async fn connect_datagrams(&self, port: u16) -> io::Result<UdpSocket> {
        let to = SocketAddr::new(IpAddr::V4(self.container), port);
        let socket = match &self.door {
            None => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?,
            Some(door) => {
                UdpSocket::from_std(std::net::UdpSocket::from(door.socket(Protocol::Udp)?))?
            }
        };
        socket.connect(to).await?;
        Ok(socket)
    }
}

impl Proxies {
    /// From these ports to the container at the end of that way.
    pub(super) fn new(taken: Vec<Taken>, way: Way) -> Proxies {
        Proxies {
            taken,
            way: Some(way),
        }
    }

    /// Has the way lead through a door.
    pub(super) fn set_door(&mut self, door: Door) {
        if let Some(way) = &mut self.way {
            way.door = Some(Arc::new(door));
        }
    }

    /// Whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// Carries connections until it is dropped; it never ends by itself. It runs on a current-thread tokio run-time with
    /// time and I/O, as one task and those that it starts.
    pub async fn run(self) {
        let Some(way) = self.way else {
            return std::future::pending().await;
        };
        // They end with the set, hence with this future.
        let mut tasks = JoinSet::new();
        for taken in self.taken {
            let published = taken.published;
            let to = published.container.number;
            let way = way.clone();
            match taken.socket {
                Socket::Tcp(listener) => {
                    tasks.spawn(async move {
                        match TcpListener::from_std(listener) {
                            Ok(listener) => accept(listener, way, to).await,
                            Err(error) => log::error!("port {}: {error}", published.port),
                        }
                    });
                }
                Socket::Udp(socket) => {
                    tasks.spawn(async move {
                        match UdpSocket::from_std(socket) {
                            Ok(socket) => carry_datagrams(socket, way, to, UDP_IDLE).await,
                            Err(error) => log::error!("port {}: {error}", published.port),
                        }
                    });
                }
            }
        }
        while tasks.join_next().await.is_some() {}
        std::future::pending().await
    }
}

async fn accept(listener: TcpListener, way: Way, to: u16) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(carry(client, way.clone(), to));
                }
                Err(error) => {
                    // A client that went before it was accepted is no reason to wait.
                    if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) {
                        log::warn!("accept a connection to port {to}: {error}");
                        sleep(PAUSE).await;
                    }
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection, each direction until its own end.
async fn carry(mut client: TcpStream, way: Way, to: u16) {
    match way.connect(to).await {
        Ok(mut container) => {
            // Whoever wants small packets at once shall have them.
            let _ = client.set_nodelay(true);
            let _ = container.set_nodelay(true);
            if let Err(error) = copy_bidirectional(&mut client, &mut container).await {
                log::debug!("connection to port {to}: {error}");
            }
        }
        // The client sees its connection end.
        Err(error) => log::debug!("connect to port {to}: {error}"),
    }
}

/// The ways of clients' datagrams: each client has a socket of its own, by whose address the container knows it.
type Ways = Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>>;

async fn carry_datagrams(socket: UdpSocket, way: Way, to: u16, idle: Duration) {
    let socket = Arc::new(socket);
    let ways = Ways::default();
    let mut answers = JoinSet::new();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let (length, client) = match received {
                    Ok(received) => received,
                    Err(error) => {
                        log::debug!("receive datagrams for port {to}: {error}");
                        sleep(PAUSE).await;
                        continue;
                    }
                };
                let known = locked(&ways).get(&client).cloned();
                let its = match known {
                    Some(its) => its,
                    None => {
                        if locked(&ways).len() >= UDP_CLIENTS {
                            continue;
                        }
                        let its = match way.connect_datagrams(to).await {
                            Ok(its) => Arc::new(its),
                            Err(error) => {
                                log::debug!("datagrams to port {to}: {error}");
                                continue;
                            }
                        };
                        locked(&ways).insert(client, Arc::clone(&its));
                        answers.spawn(carry_answers(
                            Arc::clone(&socket),
                            Arc::clone(&its),
                            client,
                            Arc::clone(&ways),
                            idle,
                        ));
                        its
                    }
                };
                // Datagrams may be lost; that a port is closed is told with the answer.
                let _ = its.send(&buffer[..length]).await;
            }
            Some(_) = answers.join_next() => {}
        }
    }
}

/// Carries a container's answers to one client until there were none for a while.
async fn carry_answers(
    socket: Arc<UdpSocket>,
    way: Arc<UdpSocket>,
    client: SocketAddr,
    ways: Ways,
    idle: Duration,
) {
    let mut buffer = vec![0; DATAGRAM];
    while let Ok(received) = timeout(idle, way.recv(&mut buffer)).await {
        match received {
            Ok(length) => {
                let _ = socket.send_to(&buffer[..length], client).await;
            }
            // Nobody listens in the container yet; the client may ask again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => break,
        }
    }
    locked(&ways).remove(&client);
}

fn locked(ways: &Ways) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, Arc<UdpSocket>>> {
    ways.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
