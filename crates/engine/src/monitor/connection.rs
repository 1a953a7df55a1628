//! Talking to a monitor.

use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use super::protocol::{LONGEST_LINE, Reply, Request};
use super::{silence, spawn};
use crate::{Error, Layout, Result, lines};

/// How long somebody may hold the lock without answering: a monitor that is about to go, or one who asks about the lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a container's monitor. It blocks.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<UnixStream>,
}

/// Asks a container's monitor, which is started if there is none, and returns its first answer.
///
/// # Errors
///
/// The monitor's, [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such container and
/// [`ErrorKind::System`](crate::ErrorKind::System) if no monitor can be started or the one there is does not answer.
pub fn request(layout: &Layout, id: &str, request: &Request) -> Result<(Connection, Reply)> {
    let start = Instant::now();
    loop {
        if let Some(connection) = spawn::connect_or_spawn(layout, id)?
            && let Some((connection, reply)) = ask(layout, id, connection, request)?
        {
            return reply.into_result().map(|reply| (connection, reply));
        }
        if start.elapsed() > PATIENCE {
            return Err(silent(layout, id));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Why a monitor that holds its container's lock does not answer.
fn silent(layout: &Layout, id: &str) -> Error {
    let directory = layout.container_run(id);
    if directory.join(spawn::SOCKET).exists() {
        return silence::of_container(layout, id);
    }
    Error::system(format!(
        "the monitor of container {id} does not listen in {}: the container was started with another runtime directory, \
         or that was removed; set XDG_RUNTIME_DIR as it was then, or kill the process tool-monitor of it and try again",
        directory.display()
    ))
}

/// Asks; nothing if the monitor was about to go when we came, and has read nothing.
pub(super) fn ask(
    layout: &Layout,
    id: &str,
    mut connection: Connection,
    request: &Request,
) -> Result<Option<(Connection, Reply)>> {
    let sent = connection.begin(request);
    if sent.is_ok() {
        silence::wait_for_answer(layout, id, &connection)?;
    }
    match sent.and_then(|()| connection.read()) {
        Ok(reply) => Ok(Some((connection, reply))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> Connection {
        Connection {
            stream: BufReader::with_capacity(512, stream),
        }
    }

    fn begin(&mut self, request: &Request) -> io::Result<()> {
        match self.write(request, None) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                ) =>
            {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            result => result,
        }
    }

    /// Sends a further request, with the descriptor that belongs to it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the monitor is gone.
    pub fn send(&mut self, request: &Request, descriptor: Option<BorrowedFd<'_>>) -> Result<()> {
        self.write(request, descriptor).map_err(failed)
    }

    /// Waits for a further answer.
    ///
    /// # Errors
    ///
    /// The monitor's, and [`ErrorKind::System`](crate::ErrorKind::System) if it goes without one.
    pub fn receive(&mut self) -> Result<Reply> {
        self.read().map_err(failed)?.into_result()
    }

    fn write(&mut self, request: &Request, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        lines::send(self.stream.get_ref(), request, descriptor)
    }

    fn read(&mut self) -> io::Result<Reply> {
        let mut line = Vec::new();
        let longest = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
        let read = (&mut self.stream)
            .take(longest)
            .read_until(b'\n', &mut line);
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => line.clear(),
            Err(error) => return Err(error),
        }
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_slice(&line)?)
    }
}

/// Whether something was read that was not asked for yet.
pub(super) fn is_answered(connection: &Connection) -> bool {
    !connection.stream.buffer().is_empty()
}

/// To wait for an answer and for something else: nothing of it is read ahead of the answer that follows.
impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.get_ref().as_fd()
    }
}

fn failed(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Error::system("the container's monitor went away").with_source(error);
    }
    Error::io("talk to the container's monitor", error)
}
