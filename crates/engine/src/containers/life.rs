//! What a container's monitor does when it is asked: starting and ending, and everything in between.

use std::time::Duration;

use rustix::process::Signal;

use super::{Container, wait};
use crate::monitor::protocol::{Condition, Request, Size};
use crate::state::{Status, Store};
use crate::{Engine, Error, ErrorKind, Result, monitor, signal};

/// How long a process that was killed is waited for: one that waits for a device may take longer.
const PATIENCE: Duration = Duration::from_secs(10);

fn ask(engine: &Engine, container: &Container, request: &Request) -> Result<()> {
    monitor::request(engine.layout(), container.id(), request).map(drop)
}

fn not_modified(container: &Container, how: &str) -> Error {
    Error::new(
        ErrorKind::NotModified,
        format!("container {} is {how} already", container.id()),
    )
}

/// Starts a container, and returns when its program runs.
///
/// # Errors
///
/// [`ErrorKind::NotModified`] if it runs already, and whatever keeps it from starting.
pub(crate) fn start(engine: &Engine, reference: &str) -> Result<()> {
    let container = Container::find(engine, reference)?;
    match container.state.status {
        Status::Running => Err(not_modified(&container, "running")),
        Status::Paused => Err(Error::conflict(
            "cannot start a paused container, try unpause instead",
        )),
        Status::Removing | Status::Dead => Err(Error::conflict(
            "container is marked for removal and cannot be started",
        )),
        Status::Created | Status::Restarting | Status::Exited => {
            ask(engine, &container, &Request::Start)
        }
    }
}

/// Ends a container by its stop signal, and by SIGKILL if it does not end in time; returns when it has ended.
///
/// # Errors
///
/// [`ErrorKind::NotModified`] if it does not run.
pub(crate) fn stop(
    engine: &Engine,
    reference: &str,
    signal: Option<&str>,
    timeout: Option<i64>,
) -> Result<()> {
    let signal = signal.map(signal::parse).transpose()?;
    let container = Container::find(engine, reference)?;
    if !container.state.is_running() {
        return Err(not_modified(&container, "stopped"));
    }
    ask(engine, &container, &Request::Stop { signal, timeout })
}

/// Ends a container if it runs, and starts it.
///
/// # Errors
///
/// Those of [`start`], less that it runs.
pub(crate) fn restart(
    engine: &Engine,
    reference: &str,
    signal: Option<&str>,
    timeout: Option<i64>,
) -> Result<()> {
    let signal = signal.map(signal::parse).transpose()?;
    let container = Container::find(engine, reference)?;
    ask(engine, &container, &Request::Restart { signal, timeout })
}

/// Sends a signal to a container's first process; SIGKILL if none is named, whose effect is waited for.
///
/// # Errors
///
/// [`ErrorKind::Conflict`] if it does not run.
pub(crate) fn kill(engine: &Engine, reference: &str, signal: Option<&str>) -> Result<()> {
    let signal = signal::parse(signal.unwrap_or("KILL"))?;
    let container = Container::find(engine, reference)?;
    if !container.state.is_running() {
        return Err(Error::conflict(format!(
            "cannot kill container: {reference}: container {} is not running",
            container.id()
        )));
    }
    match (kill_by_monitor(engine, &container, signal), signal) {
        (Err(error), libc::SIGKILL) if monitor::is_silence(&error) => {
            // The next monitor sees to it that the container's end is recorded, and that it does not start again.
            monitor::end_silent(engine.layout(), container.id())?;
            kill_by_monitor(engine, &container, signal)
        }
        // Who is attached would be cut off with the monitor, so that is left alone.
        (Err(error), _) if monitor::is_silence(&error) => match container.state.process.open() {
            Ok(process) => process
                .signal(signal)
                .map_err(|error| Error::io(format_args!("send signal {signal}"), error)),
            Err(_) => Err(error),
        },
        (result, _) => result,
    }
}

fn kill_by_monitor(engine: &Engine, container: &Container, signal: i32) -> Result<()> {
    // Nothing outlives this one, so that it is waited for, as dockerd does: who asks next shall not see it run.
    let end = match signal == Signal::KILL.as_raw() {
        true => Some(wait(engine, container.id(), Condition::NotRunning)?),
        false => None,
    };
    ask(engine, container, &Request::Kill { signal })?;
    if let Some(end) = end {
        end.end_within(PATIENCE)?;
    }
    Ok(())
}

/// Freezes a container's processes.
///
/// # Errors
///
/// [`ErrorKind::Conflict`] if they do not run, or are frozen.
pub(crate) fn pause(engine: &Engine, reference: &str) -> Result<()> {
    let container = Container::find(engine, reference)?;
    container.check_running()?;
    if container.state.status == Status::Paused {
        return Err(Error::conflict(format!(
            "container {} is already paused",
            container.id()
        )));
    }
    ask(engine, &container, &Request::Pause)
}

/// Lets a container's processes go on.
///
/// # Errors
///
/// [`ErrorKind::Conflict`] if they are not frozen.
pub(crate) fn unpause(engine: &Engine, reference: &str) -> Result<()> {
    let container = Container::find(engine, reference)?;
    if container.state.status != Status::Paused {
        return Err(Error::conflict(format!(
            "container {} is not paused",
            container.id()
        )));
    }
    ask(engine, &container, &Request::Unpause)
}

/// Sets the size of a container's terminal.
///
/// # Errors
///
/// [`ErrorKind::Conflict`] if it does not run.
pub(crate) fn resize(engine: &Engine, reference: &str, size: Size) -> Result<()> {
    let container = Container::find(engine, reference)?;
    container.check_running()?;
    ask(engine, &container, &Request::Resize(size))
}

/// Gives a container another name.
///
/// # Errors
///
/// [`ErrorKind::Conflict`] if the name is taken.
pub(crate) fn rename(engine: &Engine, reference: &str, name: &str) -> Result<()> {
    let container = Container::find(engine, reference)?;
    let renamed = Store::new(engine.layout()).rename(container.id(), name);
    renamed.map_err(|error| match error.kind() {
        ErrorKind::Conflict => {
            let text = format!("Error when allocating new name: {error}");
            Error::conflict(text).with_source(error)
        }
        _ => error,
    })
}
