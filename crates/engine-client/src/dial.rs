//! Opens the connection to an endpoint: the bottom layer, below HTTP and hijacked streams.

use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use rustls::ClientConfig;

use crate::connection::Connection;
use crate::embedded::EmbeddedEngine;
use crate::endpoint::{Address, Endpoint, host_and_port};
use crate::error::{Error, ErrorKind, os_text};
use crate::interrupt;
use crate::proxy::{Proxy, open_tunnel};
use crate::{ssh, tls};

/// A silent peer is asked whether it still lives after this long, as Docker's client does on attached streams: nobody
/// else would notice the loss of a machine while a container says nothing for an hour.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Opens connections to one endpoint.
#[derive(Debug)]
pub(crate) struct Dialer {
    pub(crate) endpoint: Endpoint,
    /// For all that opening one takes: looking the name up, trying each of its addresses, a proxy, and agreeing on TLS.
    pub(crate) timeout: Duration,
    pub(crate) user_agent: String,
    /// Variables: `PATH` for ssh, and the proxies.
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) embedded: Option<EmbeddedEngine>,
    /// Made by the first connection that needs it; later ones take up its session.
    pub(crate) tls: OnceCell<Arc<ClientConfig>>,
}

/// A connection for requests, and the proxy that passes them on if there is one which reads them.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) connection: Connection,
    pub(crate) forwarder: Option<Proxy>,
}

impl Dialer {
    /// Opens a connection to the engine itself.
    pub(crate) fn dial(&self) -> Result<Connection, Error> {
        let endpoint = &self.endpoint;
        let deadline = Instant::now() + self.timeout;
        match endpoint.address() {
            Address::Unix(path) => {
                let address = format!("dial unix {}", path.display());
                unix(path, self.timeout)
                    .map(Connection::unix)
                    .map_err(|error| self.refused(&address, error))
            }
            Address::Tcp { host, port, .. } => {
                let stream = tcp(host, *port, deadline)
                    .map_err(|(address, error)| self.refused(&address, error))?;
                self.secure(Connection::tcp(stream), host, deadline)
            }
            Address::Ssh(address) => {
                let (stream, process) = ssh::start(address, &self.environment)?;
                Ok(Connection::carried(stream, process))
            }
            Address::Embedded(state) => {
                let Some(engine) = &self.embedded else {
                    let message = format!(
                        "{endpoint}: this program has no embedded engine; name one that runs, such as \
                         unix:///var/run/docker.sock"
                    );
                    return Err(Error::new(ErrorKind::Connect, message));
                };
                engine
                    .connect(state.as_deref())
                    .map(Connection::unix)
                    .map_err(|error| {
                        let what = os_text(&error);
                        let message = format!("failed to connect to the embedded engine: {what}");
                        Error::new(ErrorKind::Connect, message).with_source(error)
                    })
            }
        }
    }

    /// Opens a connection for requests, through the proxy that the variables name.
    pub(crate) fn dial_for_requests(&self) -> Result<Route, Error> {
        if let Address::Tcp { host, port, .. } = self.endpoint.address() {
            let is_tls = self.endpoint.tls().is_some();
            if let Some(proxy) = Proxy::of(&self.environment, is_tls, host, *port)? {
                return self.dial_through(proxy, host, *port);
            }
        }
        Ok(Route {
            connection: self.dial()?,
            forwarder: None,
        })
    }

    fn dial_through(&self, proxy: Proxy, host: &str, port: u16) -> Result<Route, Error> {
        let deadline = Instant::now() + self.timeout;
        log::debug!(target: "engine_client", "proxy {proxy}");
        let stream = tcp(&proxy.host, proxy.port, deadline).map_err(|(address, error)| {
            let error = match error.downcast::<Error>() {
                Ok(left) => return left,
                Err(error) => error,
            };
            let (endpoint, what) = (&self.endpoint, os_text(&error));
            let message = format!(
                "failed to connect to the docker API at {endpoint}: proxyconnect tcp: {address}: {what}; set NO_PROXY \
                 for an engine that no proxy is needed for"
            );
            Error::new(ErrorKind::Connect, message).with_source(error)
        })?;
        let mut connection = Connection::tcp(stream);
        if proxy.tls {
            let peer = proxy.to_string();
            let config = tls::client_config(None)?;
            connection = tls::secure(connection, config, &proxy.host, &peer, deadline)?;
        }
        if self.endpoint.tls().is_none() {
            return Ok(Route {
                connection,
                forwarder: Some(proxy),
            });
        }
        let target = host_and_port(host, port);
        open_tunnel(&connection, &proxy, &target, &self.user_agent, deadline)?;
        Ok(Route {
            connection: self.secure(connection, host, deadline)?,
            forwarder: None,
        })
    }

    /// Puts TLS over the connection, if the endpoint has it.
    fn secure(
        &self,
        connection: Connection,
        host: &str,
        deadline: Instant,
    ) -> Result<Connection, Error> {
        let Some(options) = self.endpoint.tls() else {
            return Ok(connection);
        };
        let config = self
            .tls
            .get_or_try_init(|| tls::client_config(Some(options)))?;
        let peer = self.endpoint.to_string();
        tls::secure(connection, Arc::clone(config), host, &peer, deadline)
    }

    /// The error of a connection that did not come about, in Docker's words.
    fn refused(&self, address: &str, error: io::Error) -> Error {
        // It was left, which is for whoever left it to tell.
        let error = match error.downcast::<Error>() {
            Ok(left) => return left,
            Err(error) => error,
        };
        let (endpoint, timeout) = (&self.endpoint, self.timeout);
        let no_daemon = format!(
            "Cannot connect to the Docker daemon at {endpoint}. Is the docker daemon running?"
        );
        let (kind, message) = match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => (
                ErrorKind::Timeout,
                format!("{no_daemon} (no connection within {timeout:?})"),
            ),
            io::ErrorKind::PermissionDenied => (
                ErrorKind::Connect,
                format!(
                    "permission denied while trying to connect to the docker API at {endpoint}"
                ),
            ),
            io::ErrorKind::ConnectionRefused => (ErrorKind::Connect, no_daemon),
            io::ErrorKind::NotFound if endpoint.socket_path().is_some() => {
                let advice = "check if the path is correct and if the daemon is running";
                let cause = os_text(&error);
                let message = format!(
                    "failed to connect to the docker API at {endpoint}; {advice}: {address}: connect: {cause}"
                );
                (ErrorKind::Connect, message)
            }
            _ => {
                let cause = os_text(&error);
                let message = format!(
                    "failed to connect to the docker API at {endpoint}: {address}: {cause}"
                );
                (ErrorKind::Connect, message)
            }
        };
        // Another engine is never taken in silence for the one that was meant.
        let advice = match &self.embedded {
            Some(_) if *endpoint == Endpoint::default() => {
                "; with '-H embedded://' the engine inside of this program is used"
            }
            _ => "",
        };
        Error::new(kind, message + advice).with_source(error)
    }
}

/// std's connect has no time-out on unix sockets, and a daemon that hangs leaves its backlog full.
fn unix(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    let address = SocketAddrUnix::new(path)?;
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // connect(2) waits for room in the backlog for as long as a send may take, and then fails with EAGAIN. A time of
        // zero would be none.
        let portion = interrupt::portion(left).max(Duration::from_millis(1));
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(portion))?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => break,
            // With a limit to its time, a signal ends it.
            Err(Errno::AGAIN | Errno::INTR) if !left.is_zero() => interrupt::check()?,
            Err(error) => return Err(error.into()),
        }
    }
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, None)?;
    Ok(UnixStream::from(socket))
}

/// Connects to the first address of the name that answers; the error comes with what was tried.
fn tcp(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, (String, io::Error)> {
    let left = || deadline.saturating_duration_since(Instant::now());
    let lookup = format!("lookup {host}");
    let addresses = match resolve(host, port, left()) {
        Ok(addresses) => addresses,
        Err(error) => return Err((lookup, error)),
    };
    let mut last = (lookup, io::Error::from(io::ErrorKind::NotFound));
    for (tried, address) in addresses.iter().enumerate() {
        // What is left is shared evenly, so that an address that swallows everything does not use up the next one's time.
        let share = left() / (addresses.len() - tried) as u32;
        match connect(address, share).and_then(configure) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = (format!("dial tcp {address}"), error),
        }
    }
    Err(last)
}

/// std's connect cannot be left before its time is up.
fn connect(address: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + timeout.max(Duration::from_millis(1));
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, address) {
        Ok(()) | Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let portion = Timespec::try_from(interrupt::portion(left)).ok();
        let mut polled = [PollFd::new(&socket, PollFlags::OUT)];
        match poll(&mut polled, portion.as_ref()) {
            Ok(0) if left.is_zero() => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::INTR) => interrupt::check()?,
            Ok(_) => break,
            Err(error) => return Err(error.into()),
        }
    }
    sockopt::socket_error(&socket)??;
    ioctl_fionbio(&socket, false)?;
    Ok(TcpStream::from(socket))
}

fn configure(stream: TcpStream) -> io::Result<TcpStream> {
    // Keys typed at a terminal must not wait for each other.
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, KEEPALIVE)?;
    sockopt::set_tcp_keepintvl(&stream, KEEPALIVE)?;
    Ok(stream)
}

fn resolve(host: &str, port: u16, timeout: Duration) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    // The resolver can not be interrupted, so it is left behind when it takes too long.
    let (sender, receiver) = mpsc::sync_channel(1);
    let name = (host.to_owned(), port);
    thread::Builder::new()
        .name("lookup".to_owned())
        .spawn(move || {
            let addresses = (name.0.as_str(), name.1)
                .to_socket_addrs()
                .map(|addresses| addresses.collect());
            // Nobody listens any more when the time was up.
            let _ = sender.send(addresses);
        })?;
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(interrupt::portion(left)) {
            Ok(addresses) => return addresses,
            Err(_) if left.is_zero() => return Err(io::ErrorKind::TimedOut.into()),
            Err(mpsc::RecvTimeoutError::Timeout) => interrupt::check()?,
            // The resolver's thread has panicked.
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("the name could not be looked up"));
            }
        }
    }
}
