//! Waiting for a container's end.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bollard_stubs::models::ContainerWaitResponse;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Container;
use crate::monitor::protocol::{Condition, Reply, Request};
use crate::monitor::{self, Connection};
use crate::state::Status;
use crate::{Engine, Error, Result};

/// A wait that has begun, or is over already.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// It is over.
    Over(ContainerWaitResponse),
    /// The monitor will tell.
    Monitor(Connection),
}

/// Begins to wait: what happens after this returned is not missed.
///
/// # Errors
///
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such container.
pub(crate) fn wait(engine: &Engine, reference: &str, condition: Condition) -> Result<Waiting> {
    let container = Container::find(engine, reference)?;
    let state = &container.state;
    let is_over = condition == Condition::NotRunning
        && !state.is_running()
        && state.status != Status::Restarting;
    if is_over {
        return Ok(Waiting::Over(ContainerWaitResponse {
            status_code: state.exit_code,
            error: None,
        }));
    }
    let request = Request::Wait { condition };
    let (connection, reply) = monitor::request(engine.layout(), container.id(), &request)?;
    Ok(match reply {
        Reply::Exited { .. } => Waiting::Over(response(reply)?),
        _ => Waiting::Monitor(connection),
    })
}

impl Waiting {
    /// The end. It is on a tokio run-time with I/O, so that whoever waits can stop to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the monitor goes away.
    pub(crate) async fn end(self) -> Result<ContainerWaitResponse> {
        let mut connection = match self {
            Waiting::Over(response) => return Ok(response),
            Waiting::Monitor(connection) => connection,
        };
        readable(&connection)
            .await
            .map_err(|error| Error::io("wait for the container's monitor", error))?;
        response(connection.receive()?)
    }
}

impl Waiting {
    /// Blocks until the end, but no longer than that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be waited for.
    pub(crate) fn end_within(self, patience: Duration) -> Result<()> {
        let Waiting::Monitor(connection) = self else {
            return Ok(());
        };
        let failed = |error: io::Error| Error::io("wait for the container's end", error);
        let timeout =
            Timespec::try_from(patience).map_err(|error| failed(io::Error::other(error)))?;
        let mut polled = [PollFd::new(&connection, PollFlags::IN)];
        // What the monitor says does not matter: that it ended, or that the monitor went after it.
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(failed(error.into())),
        }
    }
}

/// Waits until the monitor has said something, or is gone.
async fn readable(connection: &Connection) -> io::Result<()> {
    let stream = UnixStream::from(connection.as_fd().try_clone_to_owned()?);
    stream.set_nonblocking(true)?;
    let stream = tokio::net::UnixStream::from_std(stream)?;
    stream.readable().await?;
    // Whether it blocks belongs to the stream and not to the descriptor.
    stream.into_std()?.set_nonblocking(false)
}

fn response(reply: Reply) -> Result<ContainerWaitResponse> {
    match reply {
        // Why a start failed is told to whoever asked for it. dockerd does not tell those who wait, and clients would
        // print it twice.
        Reply::Exited { status_code, .. } => Ok(ContainerWaitResponse {
            status_code,
            error: None,
        }),
        other => Err(Error::system(format!(
            "the container's monitor answered a wait with {other:?}"
        ))),
    }
}
