//! An open connection to an engine over any transport.
//!
//! It is always a socket of this process, with a file descriptor that can be polled, read and written by two threads,
//! and shut down from a third. What is no socket by itself ends in one: a child (ssh) has the other end of a socket pair
//! for its standard input and output, and TLS is pumped through one.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::Error;
use crate::interrupt;

/// An open connection to an engine.
#[derive(Debug)]
pub(crate) struct Connection {
    // Before its carrier, so that this sees its input end before it is told to go.
    socket: Socket,
    carrier: Option<Box<dyn Carrier>>,
    /// Whether both directions were ended here, so that nobody is to be asked why.
    is_shut_down: AtomicBool,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// What moves the bytes between our socket and the engine, where the kernel alone does not, and knows why they stopped.
pub(crate) trait Carrier: Debug + Send + Sync {
    /// Why the stream ended, unless all is well.
    fn failure(&self) -> Option<Error>;
}

impl Connection {
    fn new(socket: Socket, carrier: Option<Box<dyn Carrier>>) -> Connection {
        Connection {
            socket,
            carrier,
            is_shut_down: AtomicBool::new(false),
        }
    }

    pub(crate) fn unix(stream: UnixStream) -> Connection {
        Connection::new(Socket::Unix(stream), None)
    }

    pub(crate) fn tcp(stream: TcpStream) -> Connection {
        Connection::new(Socket::Tcp(stream), None)
    }

    /// Our end of a socket pair whose other end is the carrier's.
    pub(crate) fn carried(stream: UnixStream, carrier: impl Carrier + 'static) -> Connection {
        Connection::new(Socket::Unix(stream), Some(Box::new(carrier)))
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how == Shutdown::Both {
            self.is_shut_down.store(true, Ordering::SeqCst);
        }
        match &self.socket {
            Socket::Unix(stream) => stream.shutdown(how),
            Socket::Tcp(stream) => stream.shutdown(how),
        }
    }

    /// How long one read may block; `None` is for ever.
    pub(crate) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match &self.socket {
            Socket::Unix(stream) => stream.set_read_timeout(timeout),
            Socket::Tcp(stream) => stream.set_read_timeout(timeout),
        }
    }

    /// How long one write may block; `None` is for ever.
    pub(crate) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match &self.socket {
            Socket::Unix(stream) => stream.set_write_timeout(timeout),
            Socket::Tcp(stream) => stream.set_write_timeout(timeout),
        }
    }

    /// Whether reads and writes fail instead of waiting.
    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match &self.socket {
            Socket::Unix(stream) => stream.set_nonblocking(nonblocking),
            Socket::Tcp(stream) => stream.set_nonblocking(nonblocking),
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

    /// Whether the peer has closed and everything was read. Of a connection that passes through somebody else's hands that
    /// is not known: there the end may have a reason, which has to be asked for.
    pub(crate) fn is_at_end(&self) -> bool {
        use rustix::net::RecvFlags;
        let mut byte = [0_u8; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        self.carrier.is_none()
            && matches!(rustix::net::recv(self, &mut byte[..], flags), Ok((_, 0)))
    }

    /// Why the bytes stopped, if somebody between us and the engine knows.
    fn failure(&self) -> Option<Error> {
        if self.is_shut_down.load(Ordering::SeqCst) {
            return None;
        }
        self.carrier.as_ref()?.failure()
    }

    fn explain(&self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                error
            }
            _ => self.failure().map_or(error, io::Error::other),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Unix(stream) => stream.as_fd(),
            Socket::Tcp(stream) => stream.as_fd(),
        }
    }
}

/// What made the bytes stop is told once, as an [`Error`] inside the [`io::Error`].
impl Read for &Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        interrupt::wait(self.as_fd())?;
        let read = match &self.socket {
            Socket::Unix(stream) => (&mut &*stream).read(buffer),
            Socket::Tcp(stream) => (&mut &*stream).read(buffer),
        };
        match read {
            Ok(0) if !buffer.is_empty() => match self.failure() {
                Some(error) => Err(io::Error::other(error)),
                None => Ok(0),
            },
            Ok(read) => Ok(read),
            Err(error) => Err(self.explain(error)),
        }
    }
}

impl Write for &Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &self.socket {
            Socket::Unix(stream) => (&mut &*stream).write(bytes),
            Socket::Tcp(stream) => (&mut &*stream).write(bytes),
        };
        written.map_err(|error| self.explain(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
