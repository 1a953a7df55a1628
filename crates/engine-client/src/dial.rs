//! Opening the connection to an endpoint: the bottom of the crate, below HTTP and below hijacked streams.
//!
//! A connection is always a socket of this process, with a file descriptor that can be polled, read and written by two
//! threads, and shut down from a third. What comes later keeps to that: a child's pipes (ssh) and an engine in this
//! process are one end of a socket pair, TLS is pumped through one where a plain descriptor is wanted.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};

use crate::endpoint::{Address, Endpoint};
use crate::error::{Error, ErrorKind, os_text};

/// A silent peer is asked whether it still lives after this long, as Docker's client does on attached streams: nobody
/// else would notice the loss of a machine while a container says nothing for an hour.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// An open connection to an engine.
#[derive(Debug)]
pub(crate) enum Connection {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Connection {
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Connection::Unix(stream) => stream.shutdown(how),
            Connection::Tcp(stream) => stream.shutdown(how),
        }
    }

    /// How long one read may block; `None` is for ever.
    pub(crate) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Connection::Unix(stream) => stream.set_read_timeout(timeout),
            Connection::Tcp(stream) => stream.set_read_timeout(timeout),
        }
    }

    /// How long one write may block; `None` is for ever.
    pub(crate) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Connection::Unix(stream) => stream.set_write_timeout(timeout),
            Connection::Tcp(stream) => stream.set_write_timeout(timeout),
        }
    }

    /// Whether the peer has neither closed nor sent anything: the state in which a connection may serve once more.
    pub(crate) fn is_idle(&self) -> bool {
        use rustix::net::RecvFlags;
        let mut byte = [0_u8; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        matches!(
            rustix::net::recv(self, &mut byte[..], flags),
            Err(rustix::io::Errno::AGAIN)
        )
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Connection::Unix(stream) => stream.as_fd(),
            Connection::Tcp(stream) => stream.as_fd(),
        }
    }
}

impl Read for &Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Connection::Unix(stream) => (&mut &*stream).read(buffer),
            Connection::Tcp(stream) => (&mut &*stream).read(buffer),
        }
    }
}

impl Write for &Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Connection::Unix(stream) => (&mut &*stream).write(bytes),
            Connection::Tcp(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a connection, within `timeout` for all that it takes: looking the name up, and trying each of its addresses.
pub(crate) fn dial(endpoint: &Endpoint, timeout: Duration) -> Result<Connection, Error> {
    match endpoint.address() {
        Address::Unix(path) => {
            let address = format!("dial unix {}", path.display());
            unix(path, timeout)
                .map(Connection::Unix)
                .map_err(|error| refused(endpoint, &address, timeout, error))
        }
        Address::Tcp { host, port, .. } => tcp(endpoint, host, *port, timeout).map(Connection::Tcp),
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
    // connect(2) waits for room in the backlog for as long as a send may take, and then fails with EAGAIN.
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(timeout))?;
    let address = SocketAddrUnix::new(path)?;
    rustix::io::retry_on_intr(|| rustix::net::connect(&socket, &address))?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, None)?;
    Ok(UnixStream::from(socket))
}

fn tcp(endpoint: &Endpoint, host: &str, port: u16, timeout: Duration) -> Result<TcpStream, Error> {
    let deadline = Instant::now() + timeout;
    let lookup = format!("lookup {host}");
    let addresses =
        resolve(host, port, timeout).map_err(|error| refused(endpoint, &lookup, timeout, error))?;
    let mut last = (lookup, io::Error::from(io::ErrorKind::NotFound));
    for (tried, address) in addresses.iter().enumerate() {
        // What is left is shared evenly, so that an address that swallows everything does not use up the next one's time.
        let left =
            deadline.saturating_duration_since(Instant::now()) / (addresses.len() - tried) as u32;
        match TcpStream::connect_timeout(address, left.max(Duration::from_millis(1)))
            .and_then(configure)
        {
            Ok(stream) => return Ok(stream),
            Err(error) => last = (format!("dial tcp {address}"), error),
        }
    }
    let (address, error) = last;
    Err(refused(endpoint, &address, timeout, error))
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
    receiver
        .recv_timeout(timeout)
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut)))
}

/// The error of a connection that did not come about, in Docker's words.
fn refused(endpoint: &Endpoint, address: &str, timeout: Duration, error: io::Error) -> Error {
    let no_daemon =
        format!("Cannot connect to the Docker daemon at {endpoint}. Is the docker daemon running?");
    let (kind, message) = match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => (
            ErrorKind::Timeout,
            format!("{no_daemon} (no connection within {timeout:?})"),
        ),
        io::ErrorKind::PermissionDenied => (
            ErrorKind::Connect,
            format!("permission denied while trying to connect to the docker API at {endpoint}"),
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
            (
                ErrorKind::Connect,
                format!("failed to connect to the docker API at {endpoint}: {address}: {cause}"),
            )
        }
    };
    Error::new(kind, message).with_source(error)
}
