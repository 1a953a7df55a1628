//! Copies our standard input to the container.

use std::io::{self, Read, Write};
use std::time::Duration;

use byname::Input;
use engine_client::HijackedWriter;
use terminal::{DetachMatcher, StopsBlocked, is_background};

use crate::stop::{Stop, Wake};

/// How often it is looked whether a process in the background may read the terminal. There is no event for that.
const BACKGROUND: Duration = Duration::from_millis(100);

/// Why no more input is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputEnd {
    /// It was at its end, or could not be read or written any more.
    Ended,
    /// The detach keys were typed.
    Detached,
    /// The session was over.
    Stopped,
}

/// The container's standard input. It is closed when this is dropped, and the output can still be read.
#[derive(Debug)]
pub(crate) struct ContainerInput {
    writer: HijackedWriter,
}

impl ContainerInput {
    pub(crate) fn new(writer: HijackedWriter) -> ContainerInput {
        ContainerInput { writer }
    }

    /// Passes on everything from `input`, until its end, the detach keys or the session's end.
    ///
    /// Errors end the input as its end does, as in Docker's client: if the connection is lost, the thread that reads
    /// the output finds out and reports it, and a container may close its input whenever it likes.
    pub(crate) fn pass(
        mut self,
        mut input: Input,
        mut matcher: Option<DetachMatcher>,
        stop: &Stop,
        wake: &Wake,
    ) -> InputEnd {
        match self.try_pass(&mut input, matcher.as_mut(), stop, wake) {
            Ok(end) => end,
            Err(error) => {
                log::debug!("attached input: {error}");
                InputEnd::Ended
            }
        }
    }

    fn try_pass(
        &mut self,
        input: &mut Input,
        mut matcher: Option<&mut DetachMatcher>,
        stop: &Stop,
        wake: &Wake,
    ) -> io::Result<InputEnd> {
        // From the background a terminal is not read, and the kernel says so once instead of for ever.
        let _running = StopsBlocked::new()?;
        let mut buffer = vec![0; 32 * 1024];
        let mut passed = Vec::new();
        loop {
            let readable = match input.as_fd() {
                Some(fd) => wake.wait_for(fd)?,
                // A reader without a descriptor cannot be waited for; it is read, and what comes late is dropped.
                None => true,
            };
            if !readable {
                return Ok(InputEnd::Stopped);
            }
            let read = input.read(&mut buffer);
            if stop.is_stopped() {
                return Ok(InputEnd::Stopped);
            }
            let length = match read {
                Ok(length) => length,
                Err(error) => match error.kind() {
                    // Somebody else may have read it first, if it is shared and non-blocking.
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => continue,
                    // What is typed is for somebody else until this process gets the terminal back.
                    _ if input.as_fd().is_some_and(is_background) => {
                        if !wake.wait(BACKGROUND)? {
                            return Ok(InputEnd::Stopped);
                        }
                        continue;
                    }
                    _ => return Err(error),
                },
            };
            let read = &buffer[..length];
            let Some(matcher) = matcher.as_deref_mut() else {
                if length == 0 {
                    return Ok(InputEnd::Ended);
                }
                self.writer.write_all(read)?;
                continue;
            };
            passed.clear();
            let detached = matcher.feed(read, &mut passed);
            if length == 0 {
                matcher.flush(&mut passed);
            }
            self.writer.write_all(&passed)?;
            if detached {
                return Ok(InputEnd::Detached);
            }
            if length == 0 {
                return Ok(InputEnd::Ended);
            }
        }
    }
}

impl Drop for ContainerInput {
    fn drop(&mut self) {
        if let Err(error) = self.writer.close_write() {
            log::debug!("closing attached input: {error}");
        }
    }
}
