//! Turns a connection into a bidirectional stream, for attach and exec.
//!
//! ureq drops the connection on `101`, and its transports can not be split, so the request is written by hand on a
//! fresh connection and the head of the answer is read with httparse. What was read behind the head is the beginning
//! of the stream.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::answer::engine_message;
use crate::connection::Connection;
use crate::dial::Dialer;
use crate::error::{Error, ErrorKind};
use crate::head::{Framing, fill, lost, read_head};
use crate::headers::CustomHeaders;
use crate::request::Request;
use crate::version::ApiVersion;

const LARGEST_ERROR: usize = 1 << 20;
/// How long the rest of an error may take: the engine has said no, so nothing is gained by waiting for why.
const ERROR_TIMEOUT: Duration = Duration::from_secs(2);

/// A stream in both directions, which was an HTTP connection before.
///
/// Dropping it, or both of its halves, closes it.
#[derive(Debug)]
pub struct Hijacked {
    connection: Arc<Connection>,
    early: Vec<u8>,
    media_type: Option<String>,
}

/// The half of a [`Hijacked`] that reads what the container writes.
///
/// Bytes that came along with the head of the answer are read first, and polling the descriptor does not tell of
/// them: read before the first poll, or ask [`HijackedReader::has_early_bytes`].
#[derive(Debug)]
pub struct HijackedReader {
    connection: Arc<Connection>,
    early: io::Cursor<Vec<u8>>,
}

/// The half of a [`Hijacked`] that writes what the container reads.
#[derive(Debug)]
pub struct HijackedWriter {
    connection: Arc<Connection>,
}

/// Ends both halves of a [`Hijacked`] from any thread, and keeps neither open.
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    connection: Weak<Connection>,
}

impl Hijacked {
    /// The halves, to be used by two threads.
    pub fn split(self) -> (HijackedReader, HijackedWriter) {
        let writer = HijackedWriter {
            connection: Arc::clone(&self.connection),
        };
        (
            HijackedReader {
                connection: self.connection,
                early: io::Cursor::new(self.early),
            },
            writer,
        )
    }

    /// A handle that ends the stream while other threads read and write it.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle {
            connection: Arc::downgrade(&self.connection),
        }
    }

    /// The media type of what is read, if the engine told: from API 1.42 on
    /// `application/vnd.docker.multiplexed-stream` (see [`Demultiplexer`](crate::Demultiplexer)) or
    /// `application/vnd.docker.raw-stream`. Older engines send the latter for both.
    pub fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }
}

impl HijackedReader {
    /// Whether there are bytes to read that polling does not tell of.
    pub fn has_early_bytes(&self) -> bool {
        self.early.position() < self.early.get_ref().len() as u64
    }

    /// Whether nothing more comes, as far as that is known without waiting.
    pub fn is_at_end(&self) -> bool {
        !self.has_early_bytes() && self.connection.is_at_end()
    }
}

impl HijackedWriter {
    /// Ends the container's standard input; what it writes can still be read.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the engine closed the stream already.
    pub fn close_write(&self) -> io::Result<()> {
        self.connection.shutdown(Shutdown::Write)
    }
}

impl ShutdownHandle {
    /// Ends the stream: reads find its end, writes fail. Nothing happens if it is closed already.
    pub fn shutdown(&self) {
        if let Some(connection) = self.connection.upgrade() {
            // It fails when the engine has closed its end, and then there is nothing left to do.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Read for HijackedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_early_bytes() {
            return self.early.read(buffer);
        }
        (&*self.connection).read(buffer)
    }
}

impl Write for HijackedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.connection).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for HijackedReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl AsFd for HijackedWriter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

/// Sends `request` on a fresh connection, which becomes the stream if the engine agrees. Something else is done while it
/// thinks about that.
pub(crate) fn upgrade<T>(
    dialer: &Dialer,
    request: &Request,
    version: ApiVersion,
    headers: &CustomHeaders,
    meanwhile: impl FnOnce() -> T,
) -> Result<(Hijacked, T), Error> {
    let endpoint = &dialer.endpoint;
    let label = request.label();
    let target = request.target(endpoint.base_path(), Some(version));
    let connection = dialer.dial()?;
    log::debug!(target: "engine_client", "{} {target}", request.method);
    (&connection)
        .write_all(&head_and_body(dialer, request, &target, headers))
        .map_err(|error| lost(&label, error))?;
    let done = meanwhile();

    let (head, rest) = read_head(&connection, &label, endpoint.tls_hint())?;
    if head.status == 101 {
        let hijacked = Hijacked {
            connection: Arc::new(connection),
            early: rest,
            media_type: head.media_type,
        };
        return Ok((hijacked, done));
    }
    let refused = || {
        let message = format!("unable to upgrade to tcp, received {}", head.status);
        Error::new(ErrorKind::Status(head.status), message)
    };
    if head.status < 400 {
        return Err(refused());
    }
    // The status is what counts: a body that does not come is not waited for.
    let timeout = connection.set_read_timeout(Some(ERROR_TIMEOUT));
    let body = timeout
        .map(|()| read_error(&connection, rest, &head.framing))
        .unwrap_or_default();
    Err(match engine_message(&body) {
        Some(message) => Error::engine(head.status, message),
        None => refused(),
    })
}

/// The request as it is sent.
fn head_and_body(
    dialer: &Dialer,
    request: &Request,
    target: &str,
    headers: &CustomHeaders,
) -> Vec<u8> {
    let body = request.body.as_deref().unwrap_or_default();
    let media_type = match request.body {
        Some(_) => "application/json",
        None => "text/plain",
    };
    let mut head = format!(
        "{} {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nContent-Length: {}\r\n\
         Connection: Upgrade\r\nUpgrade: tcp\r\n",
        request.method,
        dialer.endpoint.authority(),
        dialer.user_agent,
        body.len()
    );
    let own = [("Content-Type", media_type.to_owned())];
    let own_ones = own.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in own_ones.chain(headers.beside(&own)) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Reads what there is of the body of an error.
fn read_error(mut reader: impl Read, mut bytes: Vec<u8>, framing: &Framing) -> Vec<u8> {
    loop {
        let body = match framing {
            Framing::Length(length) if bytes.len() >= *length => Some(bytes[..*length].to_vec()),
            Framing::Chunked => unchunk(&bytes),
            _ => None,
        };
        if let Some(body) = body {
            return body;
        }
        let read = fill(&mut reader, &mut bytes);
        if bytes.len() > LARGEST_ERROR || matches!(read, Ok(0) | Err(_)) {
            return if *framing == Framing::Chunked {
                Vec::new()
            } else {
                bytes
            };
        }
    }
}

/// The body that chunks make up, or `None` if they are not all there.
fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(bytes)
        else {
            return None;
        };
        if size == 0 {
            return Some(body);
        }
        let chunk = bytes[start..].get(..usize::try_from(size).ok()?)?;
        body.extend_from_slice(chunk);
        bytes = bytes[start + chunk.len()..].strip_prefix(b"\r\n")?;
    }
}
