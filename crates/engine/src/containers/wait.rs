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
use crate::state::life::UNKNOWN_EXIT_CODE;
use crate::state::{Moment, Status, Store};
use crate::{Engine, Error, ErrorKind, Layout, Result};

/// How often it is looked whether a monitor says nothing because it cannot.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// A wait that has begun, or is over already.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// It is over.
    Over(ContainerWaitResponse),
    /// The monitor will tell.
    Monitor(Asked),
}

/// A monitor that was asked to tell.
#[derive(Debug)]
pub(crate) struct Asked {
    connection: Connection,
    layout: Layout,
    id: String,
    condition: Condition,
    /// When the container had ended last.
    ended_before: Option<Moment>,
}

/// Begins to wait: what happens after this returned is not missed.
///
/// # Errors
///
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such container.
pub(crate) fn wait(engine: &Engine, reference: &str, condition: Condition) -> Result<Waiting> {
    let container = Container::find(engine, reference)?;
    let state = &container.state;
    if condition == Condition::NotRunning && !state.is_running() {
        return Ok(Waiting::over(state.exit_code));
    }
    ask(
        engine.layout(),
        container.id(),
        condition,
        container.state.finished_at,
    )
}

fn ask(
    layout: &Layout,
    id: &str,
    condition: Condition,
    ended_before: Option<Moment>,
) -> Result<Waiting> {
    let (connection, reply) = monitor::request(layout, id, &Request::Wait { condition })?;
    Ok(match reply {
        Reply::Exited { .. } => Waiting::Over(response(reply)?),
        _ => Waiting::Monitor(Asked {
            connection,
            layout: layout.clone(),
            id: id.to_owned(),
            condition,
            ended_before,
        }),
    })
}

impl Asked {
    /// Fails if the container has ended, or should go on by itself, and its monitor does not see to that. One that has
    /// nothing to do is left asleep.
    fn check_monitor(&self) -> Result<()> {
        match Store::new(&self.layout).state(&self.id) {
            Ok(state) if state.process.is_alive() || !state.status.needs_monitor() => Ok(()),
            // It is gone, or its file will be looked at when the monitor is.
            Err(_) => Ok(()),
            Ok(_) => monitor::check_answers(&self.layout, &self.id),
        }
    }

    /// The monitor was killed before it told: the one that takes its place is asked, unless there is nothing to wait for any
    /// more.
    fn again(&self) -> Result<Waiting> {
        // Somebody else may go on with its removal at this moment, and then nothing says any more how it ended.
        let recorded = monitor::recorded(&self.layout, &self.id);
        // First, so that what happens while its state is looked at is told.
        let waiting = match ask(&self.layout, &self.id, self.condition, self.ended_before) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Waiting::over(recorded.unwrap_or(UNKNOWN_EXIT_CODE)));
            }
            waiting => waiting?,
        };
        let state = match monitor::observe(&self.layout, &self.id) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(waiting),
            state => state?,
        };
        let has_ended = state.finished_at != self.ended_before;
        let is_over = match self.condition {
            Condition::NotRunning => has_ended || !state.is_running(),
            Condition::NextExit => has_ended,
            Condition::Removed => false,
        };
        Ok(match (is_over, state.status) {
            // It runs again, and its state says nothing of the run before.
            (true, Status::Running | Status::Paused) => Waiting::over(UNKNOWN_EXIT_CODE),
            (true, _) => Waiting::over(state.exit_code),
            (false, _) => waiting,
        })
    }
}

impl Waiting {
    fn over(status_code: i64) -> Waiting {
        Waiting::Over(ContainerWaitResponse {
            status_code,
            error: None,
        })
    }

    /// The end. It is on a tokio run-time with I/O, so that whoever waits can stop to. That a monitor is killed and another
    /// one takes its place is not noticed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if there is no monitor, and none can be started.
    pub(crate) async fn end(self) -> Result<ContainerWaitResponse> {
        let mut waiting = self;
        loop {
            let mut asked = match waiting {
                Waiting::Over(response) => return Ok(response),
                Waiting::Monitor(asked) => asked,
            };
            loop {
                let readable = readable(&asked.connection);
                match tokio::time::timeout(BETWEEN_LOOKS, readable).await {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => {
                        return Err(Error::io("wait for the container's monitor", error));
                    }
                    Err(_) => asked.check_monitor()?,
                }
            }
            waiting = match asked.connection.receive() {
                Ok(reply) => return response(reply),
                Err(_) => asked.again()?,
            };
        }
    }
}

impl Waiting {
    /// Blocks until the end, but no longer than that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be waited for.
    pub(crate) fn end_within(self, patience: Duration) -> Result<()> {
        let Waiting::Monitor(Asked { connection, .. }) = self else {
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
