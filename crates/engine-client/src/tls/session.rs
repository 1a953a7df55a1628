//! The TLS handshake, on the caller's thread and within its time limit.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::failure::{self, TlsFailure};
use super::pump::Pump;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind};

/// Puts TLS over `connection`. The result is one end of a socket pair, and a thread moves the bytes between the other
/// end and the session: rustls has one state for both directions, which can not be read and written by two threads, and
/// two blocking halves of it would wait for each other.
///
/// `host` is whom the certificate must be for, and `peer` the endpoint's text for messages.
pub(crate) fn secure(
    connection: Connection,
    config: Arc<ClientConfig>,
    host: &str,
    peer: &str,
    deadline: Instant,
) -> Result<Connection, Error> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| {
        let message = format!("{peer}: {host:?} can be the name of no certificate: {error}");
        Error::new(ErrorKind::Connect, message).with_source(error)
    })?;
    let mut session =
        ClientConnection::new(config, name).map_err(|error| failure::broken(peer, error))?;
    shake_hands(&mut session, &connection, peer, deadline)?;

    let system = |error| failure::lost(peer, error);
    connection.set_nonblocking(true).map_err(system)?;
    let (ours, pumped) = UnixStream::pair().map_err(system)?;
    pumped.set_nonblocking(true).map_err(system)?;
    let told = TlsFailure::default();
    let pump = Pump::new(session, connection, pumped, told.clone(), peer.to_owned());
    thread::Builder::new()
        .name("tls".to_owned())
        .spawn(move || pump.run())
        .map_err(system)?;
    Ok(Connection::carried(ours, told))
}

fn shake_hands(
    session: &mut ClientConnection,
    connection: &Connection,
    peer: &str,
    deadline: Instant,
) -> Result<(), Error> {
    let system = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            let message = format!("{peer} took the connection but does not answer in TLS");
            Error::new(ErrorKind::Timeout, message).with_source(error)
        }
        io::ErrorKind::UnexpectedEof => {
            let message =
                format!("the connection to {peer} was closed before TLS could be agreed on");
            Error::new(ErrorKind::Closed, message).with_source(error)
        }
        _ => failure::lost(peer, error),
    };
    while session.is_handshaking() || session.wants_write() {
        let left = deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1));
        connection.set_read_timeout(Some(left)).map_err(system)?;
        connection.set_write_timeout(Some(left)).map_err(system)?;
        let mut stream = connection;
        if session.wants_write() {
            retry(|| session.write_tls(&mut stream)).map_err(system)?;
            continue;
        }
        if retry(|| session.read_tls(&mut stream)).map_err(system)? == 0 {
            return Err(system(io::ErrorKind::UnexpectedEof.into()));
        }
        if let Err(error) = session.process_new_packets() {
            // The alert that says why, for the engine's log.
            let _ = session.write_tls(&mut stream);
            return Err(failure::broken(peer, error));
        }
    }
    connection.set_read_timeout(None).map_err(system)?;
    connection.set_write_timeout(None).map_err(system)
}

fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
