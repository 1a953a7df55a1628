//! What carries connections from a port of the machine on to a container: those that come from the machine itself, by
//! IPv6, from the container's own network, and all of them where nobody translates addresses.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::publish::{Socket, Taken};

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
    container: Option<Ipv4Addr>,
}

impl Proxies {
    /// From these ports to the container of that address.
    pub(super) fn new(taken: Vec<Taken>, container: Ipv4Addr) -> Proxies {
        Proxies {
            taken,
            container: Some(container),
        }
    }

    /// Whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// Carries connections until it is dropped; it never ends by itself. It runs on a current-thread tokio run-time with
    /// time and I/O, as one task and those that it starts.
    pub async fn run(self) {
        let Some(container) = self.container else {
            return std::future::pending().await;
        };
        // They end with the set, hence with this future.
        let mut tasks = JoinSet::new();
        for taken in self.taken {
            let published = taken.published;
            let to = SocketAddr::new(IpAddr::V4(container), published.container.number);
            match taken.socket {
                Socket::Tcp(listener) => {
                    tasks.spawn(async move {
                        match TcpListener::from_std(listener) {
                            Ok(listener) => accept(listener, to).await,
                            Err(error) => log::error!("port {}: {error}", published.port),
                        }
                    });
                }
                Socket::Udp(socket) => {
                    tasks.spawn(async move {
                        match UdpSocket::from_std(socket) {
                            Ok(socket) => carry_datagrams(socket, to, UDP_IDLE).await,
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

async fn accept(listener: TcpListener, to: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(carry(client, to));
                }
                Err(error) => {
                    // A client that went before it was accepted is no reason to wait.
                    if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) {
                        log::warn!("accept a connection to {to}: {error}");
                        sleep(PAUSE).await;
                    }
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection, each direction until its own end.
async fn carry(mut client: TcpStream, to: SocketAddr) {
    match TcpStream::connect(to).await {
        Ok(mut container) => {
            // Whoever wants small packets at once shall have them.
            let _ = client.set_nodelay(true);
            let _ = container.set_nodelay(true);
            if let Err(error) = copy_bidirectional(&mut client, &mut container).await {
                log::debug!("connection to {to}: {error}");
            }
        }
        // The client sees its connection end.
        Err(error) => log::debug!("connect to {to}: {error}"),
    }
}

/// The ways of clients' datagrams: each client has a socket of its own, by whose address the container knows it.
type Ways = Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>>;

async fn carry_datagrams(socket: UdpSocket, to: SocketAddr, idle: Duration) {
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
                        log::debug!("receive datagrams for {to}: {error}");
                        sleep(PAUSE).await;
                        continue;
                    }
                };
                let known = locked(&ways).get(&client).cloned();
                let way = match known {
                    Some(way) => way,
                    None => {
                        if locked(&ways).len() >= UDP_CLIENTS {
                            continue;
                        }
                        let way = match connected(to).await {
                            Ok(way) => Arc::new(way),
                            Err(error) => {
                                log::debug!("datagrams to {to}: {error}");
                                continue;
                            }
                        };
                        locked(&ways).insert(client, Arc::clone(&way));
                        answers.spawn(carry_answers(
                            Arc::clone(&socket),
                            Arc::clone(&way),
                            client,
                            Arc::clone(&ways),
                            idle,
                        ));
                        way
                    }
                };
                // Datagrams may be lost; that a port is closed is told with the answer.
                let _ = way.send(&buffer[..length]).await;
            }
            Some(_) = answers.join_next() => {}
        }
    }
}

async fn connected(to: SocketAddr) -> io::Result<UdpSocket> {
    let own = match to {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let way = UdpSocket::bind((own, 0)).await?;
    way.connect(to).await?;
    Ok(way)
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
