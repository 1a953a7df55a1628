//! Keeps the size of the container's terminal equal to ours.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use byname::Output;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::SIGWINCH;
use terminal::Size;

use crate::Error;
use crate::catch::Caught;

/// Gives the container's terminal the size of ours, at first and whenever it changes, for as long as it lives.
#[derive(Debug)]
pub struct Resizer {
    changes: Arc<Caught>,
    stopped: Arc<AtomicBool>,
}

impl Resizer {
    /// Calls `resize` on a thread of its own: once now and then after each SIGWINCH. `None` if `out` is no terminal.
    ///
    /// The container has to be started. Its terminal may take a moment longer, so the first call is tried again, up
    /// to ten times within about half a second, before `err` is told that the size stays what it is. Later errors are
    /// only logged. A terminal that says it is 0x0 does not know.
    ///
    /// # Errors
    ///
    /// [`Error::Signals`] and [`Error::Resources`].
    pub fn start(
        out: &Output,
        err: &Output,
        mut resize: impl FnMut(Size) -> Result<(), engine_client::Error> + Send + 'static,
    ) -> Result<Option<Resizer>, Error> {
        if !out.is_terminal() {
            return Ok(None);
        }
        let changes = Arc::new(Caught::new([SIGWINCH]).map_err(Error::Signals)?);
        let caught = Arc::clone(&changes);
        let stopped = Arc::new(AtomicBool::new(false));
        let (out, mut err, is_stopped) = (out.clone(), err.clone(), Arc::clone(&stopped));
        let work = move || {
            let mut resize_now = || match out.as_fd().and_then(terminal::size) {
                Some(size) if size.rows > 0 || size.columns > 0 => resize(size).map_err(|error| {
                    log::debug!("cannot resize the container's terminal: {error}");
                }),
                _ => Ok(()),
            };
            let first = first_resize(&mut resize_now, |delay| {
                thread::sleep(delay);
                !is_stopped.load(Ordering::SeqCst)
            });
            if first == First::Failed {
                // If nobody reads it, there is nobody to tell that either.
                let _ = writeln!(err, "failed to resize tty, using default size");
            }
            while wait_for(&caught) && !is_stopped.load(Ordering::SeqCst) {
                let _ = resize_now();
            }
        };
        thread::Builder::new()
            .name("attach-resize".to_owned())
            .spawn(work)
            .map_err(Error::Resources)?;
        Ok(Some(Resizer { changes, stopped }))
    }
}

impl Drop for Resizer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.changes.wake();
    }
}

/// Waits for a signal; false if that cannot be done.
fn wait_for(changes: &Caught) -> bool {
    loop {
        match poll(&mut [PollFd::new(changes, PollFlags::IN)], None) {
            // However many they were, the size is what it is now.
            Ok(_) => return changes.take().is_ok(),
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// What became of the first resize.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Done,
    Failed,
    /// The session was over before.
    Stopped,
}

/// How long is waited before each further try.
fn delays() -> impl Iterator<Item = Duration> {
    (1..=10).map(|tenths| Duration::from_millis(tenths * 10))
}

/// Tries until it works, with `wait` in between, which says whether to go on.
fn first_resize(
    mut resize: impl FnMut() -> Result<(), ()>,
    mut wait: impl FnMut(Duration) -> bool,
) -> First {
    if resize().is_ok() {
        return First::Done;
    }
    for delay in delays() {
        if !wait(delay) {
            return First::Stopped;
        }
        if resize().is_ok() {
            return First::Done;
        }
    }
    First::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the first resize with so many failures; returns its outcome, the calls, and the milliseconds waited.
    fn try_with(failures: usize, stop_after: usize) -> (First, usize, Vec<u128>) {
        let mut calls = 0;
        let mut waits = Vec::new();
        let outcome = first_resize(
            || {
                calls += 1;
                if calls > failures { Ok(()) } else { Err(()) }
            },
            |delay| {
                waits.push(delay.as_millis());
                waits.len() <= stop_after
            },
        );
        (outcome, calls, waits)
    }

    #[test]
    fn a_resize_that_works_is_made_once() {
        assert_eq!(try_with(0, 99), (First::Done, 1, vec![]));
        assert_eq!(try_with(2, 99), (First::Done, 3, vec![10, 20]));
    }

    #[test]
    fn it_is_given_up_after_ten_more_tries() {
        let (outcome, calls, waits) = try_with(99, 99);
        assert_eq!((outcome, calls), (First::Failed, 11));
        assert_eq!(waits, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    }

    #[test]
    fn it_stops_with_the_session() {
        assert_eq!(try_with(99, 3).0, First::Stopped);
        assert_eq!(try_with(10, 99).0, First::Done);
    }
}
