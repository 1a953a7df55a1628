//! Stops the input thread of a session from another thread.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine_client::ShutdownHandle;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Ends the input and the connection, at whatever point the thread is that reads the one and writes the other.
#[derive(Debug)]
pub(crate) struct Stop {
    stopped: AtomicBool,
    /// Dropped to wake the thread out of its poll.
    wake: Mutex<Option<PipeWriter>>,
    connection: ShutdownHandle,
}

/// The input thread's side of a [`Stop`].
#[derive(Debug)]
pub(crate) struct Wake {
    pipe: PipeReader,
}

impl Stop {
    pub(crate) fn new(connection: ShutdownHandle) -> io::Result<(Stop, Wake)> {
        let (reader, writer) = io::pipe()?;
        let stop = Stop {
            stopped: AtomicBool::new(false),
            wake: Mutex::new(Some(writer)),
            connection,
        };
        Ok((stop, Wake { pipe: reader }))
    }

    /// Stops; again has no effect.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(
            self.wake
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.connection.shutdown();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

impl Wake {
    /// Waits for that long; false if stopped first.
    pub(crate) fn wait(&self, time: Duration) -> io::Result<bool> {
        let time = Timespec::try_from(time).ok();
        let mut fds = [PollFd::new(&self.pipe, PollFlags::IN)];
        match poll(&mut fds, time.as_ref()) {
            Ok(_) => Ok(fds[0].revents().is_empty()),
            // It is a little less long then.
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until there is something to read from `input`, or it is at its end; false if stopped first.
    ///
    /// Only a read of what is there is made, so that input typed after the session is left to whoever reads next.
    pub(crate) fn wait_for(&self, input: BorrowedFd<'_>) -> io::Result<bool> {
        loop {
            let mut fds = [
                PollFd::new(&self.pipe, PollFlags::IN),
                PollFd::from_borrowed_fd(input, PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) if !fds[0].revents().is_empty() => return Ok(false),
                Ok(_) if !fds[1].revents().is_empty() => return Ok(true),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
