//! An open connection to an engine over any transport.
//!
//! It is always a socket of this process, with a file descriptor that can be polled, read and written by two threads,
//! and shut down from a third. What is no socket by itself ends in one: a child (ssh) has the other end of a socket pair
//! for its standard input and output, and TLS is pumped through one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::Error;
use crate::interrupt;
use crate::ssh::SshProcess;
use crate::tls::TlsFailure;

/// An open connection to an engine.
#[derive(Debug)]
pub(crate) struct Connection {
    // Before what stands behind it, so that this sees its input end before it is told to go.
    socket: Socket,
    behind: Behind,
    /// Whether both directions were ended here, so that nobody is to be asked why.
    is_shut_down: AtomicBool,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// Who moves the bytes between our socket and the engine, and knows why they stopped.
#[derive(Debug)]
enum Behind {
    Kernel,
    Tls(TlsFailure),
    Ssh(SshProcess),
}

impl Connection {
    fn new(socket: Socket, behind: Behind) -> Connection {
        Connection {
            socket,
            behind,
            is_shut_down: AtomicBool::new(false),
        }
    }

    pub(crate) fn unix(stream: UnixStream) -> Connection {
        Connection::new(Socket::Unix(stream), Behind::Kernel)
    }

    pub(crate) fn tcp(stream: TcpStream) -> Connection {
        Connection::new(Socket::Tcp(stream), Behind::Kernel)
    }

    /// Our end of the pair that a session of TLS is pumped through.
    pub(crate) fn tls(stream: UnixStream, failure: TlsFailure) -> Connection {
        Connection::new(Socket::Unix(stream), Behind::Tls(failure))
    }

    /// Our end of the pair whose other end is this process's standard input and output.
    pub(crate) fn ssh(stream: UnixStream, process: SshProcess) -> Connection {
        Connection::new(Socket::Unix(stream), Behind::Ssh(process))
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
        matches!(self.behind, Behind::Kernel)
            && matches!(rustix::net::recv(self, &mut byte[..], flags), Ok((_, 0)))
    }

    /// Why the bytes stopped, if somebody between us and the engine knows.
    fn failure(&self) -> Option<Error> {
        if self.is_shut_down.load(Ordering::SeqCst) {
            return None;
        }
        match &self.behind {
            Behind::Kernel => None,
            Behind::Tls(failure) => failure.take(),
            Behind::Ssh(process) => process.failure(),
        }
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
