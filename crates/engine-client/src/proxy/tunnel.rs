//! A tunnel through an HTTP proxy by `CONNECT` (RFC 9110, section 9.3.6).

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::Proxy;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, os_text};
use crate::head::read_head;

/// Asks the proxy at the other end of `connection` for a connection to `target`, a host with its port.
pub(crate) fn open(
    connection: &Connection,
    proxy: &Proxy,
    target: &str,
    user_agent: &str,
    deadline: Instant,
) -> Result<(), Error> {
    let label = format!("CONNECT {target} through proxy {proxy}");
    let lost = |error: std::io::Error| {
        let message = format!("{label}: {}", os_text(&error));
        Error::new(ErrorKind::Connect, message).with_source(error)
    };
    let left = deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1));
    connection.set_read_timeout(Some(left)).map_err(lost)?;
    connection.set_write_timeout(Some(left)).map_err(lost)?;
    let authorization = match &proxy.authorization {
        Some(value) => format!("Proxy-Authorization: {value}\r\n"),
        None => String::new(),
    };
    let head = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {user_agent}\r\n{authorization}\r\n"
    );
    let mut stream = connection;
    stream.write_all(head.as_bytes()).map_err(lost)?;
    let (head, rest) = read_head(stream, &label, "")?;
    if !(200..300).contains(&head.status) {
        let message = format!("{label}: the proxy refuses with status {}", head.status);
        return Err(Error::new(ErrorKind::Connect, message));
    }
    // The engine speaks second, so there can be nothing of it yet.
    if !rest.is_empty() {
        return Err(Error::protocol(
            &label,
            "it is followed by bytes that nobody asked for",
        ));
    }
    connection.set_read_timeout(None).map_err(lost)?;
    connection.set_write_timeout(None).map_err(lost)
}
