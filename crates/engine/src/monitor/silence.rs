//! Monitors that do not answer: stopped by a signal, or held up by the kernel.
//!
//! Some requests take long in good order, so a deadline says nothing. Who waits for an answer asks the monitor from time to
//! time whether it is there, on another connection; one that is stopped is known at once, and any other has a minute.

use std::error;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Pid;

use super::connection::{Connection, is_answered};
use super::protocol::Request;
use super::spawn;
use crate::state::{Proven, Recorded};
use crate::{Error, Layout, Result};

/// How long an answer may take before it is asked whether anybody is there.
const QUIET: Duration = Duration::from_secs(2);

/// How long a monitor may take to say that it is there: starting a container holds it up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether a monitor that says nothing is stopped.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// How long a monitor that was killed may take to end.
const END: Duration = Duration::from_secs(5);

/// Why a request failed whose monitor does not answer.
#[derive(Debug)]
struct Silent;

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the monitor does not answer")
    }
}

impl error::Error for Silent {}

/// Whether a request failed because the container's monitor does not answer.
pub(crate) fn is_silence(error: &Error) -> bool {
    let source = error::Error::source(error);
    source.is_some_and(|source| source.is::<Silent>())
}

/// Waits until the monitor has answered on that connection, or ended it.
///
/// # Errors
///
/// One of which [`is_silence`] is true if it does not answer at all.
pub(super) fn wait_for_answer(layout: &Layout, id: &str, connection: &Connection) -> Result<()> {
    while !is_readable(connection, QUIET)? {
        check(layout, id)?;
    }
    Ok(())
}

/// Asks the container's monitor, if it has one, whether it is there.
///
/// # Errors
///
/// As [`wait_for_answer`].
pub(crate) fn check(layout: &Layout, id: &str) -> Result<()> {
    check_within(layout, id, PATIENCE)
}

fn check_within(layout: &Layout, id: &str, patience: Duration) -> Result<()> {
    let start = Instant::now();
    let Some(mut connection) = spawn::connect(layout, id)? else {
        return Ok(());
    };
    if connection.send(&Request::Ping, None).is_err() {
        // It went.
        return Ok(());
    }
    let mut was_stopped = false;
    while !is_readable(&connection, BETWEEN_LOOKS.min(patience))? {
        let monitor = find(layout, id);
        let is_stopped = monitor.as_ref().is_some_and(Monitor::is_stopped);
        if (is_stopped && was_stopped) || start.elapsed() > patience {
            return Err(silence(id, monitor.as_ref()));
        }
        was_stopped = is_stopped;
    }
    Ok(())
}

fn is_readable(connection: &Connection, patience: Duration) -> Result<bool> {
    // What was read with the line before is an answer, too.
    if is_answered(connection) {
        return Ok(true);
    }
    let failed = |error: io::Error| Error::io("wait for the container's monitor", error);
    let timeout = Timespec::try_from(patience).map_err(|error| failed(io::Error::other(error)))?;
    let mut polled = [PollFd::from_borrowed_fd(connection.as_fd(), PollFlags::IN)];
    match poll(&mut polled, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(failed(error.into())),
    }
}

/// The failure of a request whose monitor takes no connection or answers none.
pub(super) fn of_container(layout: &Layout, id: &str) -> Error {
    silence(id, find(layout, id).as_ref())
}

fn silence(id: &str, monitor: Option<&Monitor>) -> Error {
    let advice = "or end the container with kill or rm --force, which do without it";
    let text = match monitor {
        Some(monitor) if monitor.is_stopped() => format!(
            "the monitor of container {id} does not answer: process {0} (tool-monitor) is stopped; let it go on with \
             kill -CONT {0}, {advice}",
            monitor.number
        ),
        Some(monitor) => format!(
            "the monitor of container {id} does not answer: process {} (tool-monitor) hangs; wait for it, {advice}",
            monitor.number
        ),
        None => {
            format!("the monitor of container {id} does not answer, and its process is not found")
        }
    };
    Error::system(text).with_source(Silent)
}

/// Kills a monitor that does not answer, so that another one takes its place.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if it is not found or does not end.
pub(crate) fn end(layout: &Layout, id: &str) -> Result<()> {
    let Some(monitor) = find(layout, id) else {
        return Err(silence(id, None));
    };
    log::warn!("the monitor of container {id} does not answer and is killed");
    match monitor.process.signal(libc::SIGKILL) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
            return Err(Error::io(format_args!("kill {}", monitor.number), error));
        }
        _ => {}
    }
    let start = Instant::now();
    while monitor.process.is_alive() {
        if start.elapsed() > END {
            return Err(silence(id, Some(&monitor)));
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// The process of a container's monitor.
struct Monitor {
    number: i32,
    process: Proven,
}

impl Monitor {
    /// Whether a signal has stopped it.
    fn is_stopped(&self) -> bool {
        let stat = self.process.read("stat").unwrap_or_default();
        let stat = String::from_utf8_lossy(&stat);
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
    }
}

/// Looks for it among all processes: that is done only when something is wrong.
fn find(layout: &Layout, id: &str) -> Option<Monitor> {
    let lock = fs::metadata(layout.container(id).join("lock")).ok()?;
    let entries = fs::read_dir("/proc").ok()?;
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find_map(|number: i32| {
            // Whatever has the number is held before it is asked who it is.
            let process = Recorded::of(Pid::from_raw(number)?).ok()?.open().ok()?;
            let line = process.read("cmdline").ok()?;
            // A container's process may call itself anything, and does not have the lock.
            let is_it = is_of(&line, layout.root(), id) && has_open(number, &lock);
            (is_it && process.is_alive()).then_some(Monitor { number, process })
        })
}

/// Whether these are the arguments of that container's monitor.
fn is_of(line: &[u8], root: &Path, id: &str) -> bool {
    let mut words = line.split(|&byte| byte == 0);
    words.next() == Some(spawn::NAME.as_bytes())
        && words.next().map(OsStr::from_bytes) == Some(root.as_os_str())
        && words.nth(1) == Some(id.as_bytes())
}

fn has_open(number: i32, file: &fs::Metadata) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{number}/fd"));
    descriptors
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .any(|open| (open.dev(), open.ino()) == (file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn who_takes_connections_and_says_nothing_is_silent() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::from_parts(directory.path().join("r"), directory.path().join("u"));
        let id = "a".repeat(64);
        // Nobody is there: whoever waits will read that.
        check_within(&layout, &id, Duration::ZERO).expect("no monitor");
        fs::create_dir_all(layout.container_run(&id)).expect("a directory");
        let place = directory.path().join("s");
        let _listener = UnixListener::bind(&place).expect("a socket");
        fs::rename(&place, layout.container_run(&id).join(spawn::SOCKET)).expect("a socket");
        let error = check_within(&layout, &id, Duration::from_millis(10)).expect_err("silence");
        assert!(is_silence(&error), "{error}");
        assert!(error.to_string().contains(&id), "{error}");
        assert!(!is_silence(&Error::system("the monitor does not answer")));
    }

    #[test]
    fn a_monitor_is_known_by_its_arguments_and_its_lock() {
        let of = |line: &str| is_of(line.as_bytes(), Path::new("/r"), "abc");
        assert!(of("tool-monitor\0/r\0/run\0abc\0"));
        for line in [
            "tool-monitor\0/r\0/run\0abd\0",
            "tool-monitor\0/other\0/run\0abc\0",
            "tool\0/r\0/run\0abc\0",
            "tool-monitor\0/r\0abc",
            "",
        ] {
            assert!(!of(line), "{line:?}");
        }
        let file = tempfile::tempfile().expect("a file");
        let own = i32::try_from(std::process::id()).expect("a number");
        assert!(has_open(own, &file.metadata().expect("a file")));
        let directory = tempfile::NamedTempFile::new()
            .expect("a file")
            .into_temp_path();
        assert!(!has_open(own, &fs::metadata(&directory).expect("a file")));
    }
}
