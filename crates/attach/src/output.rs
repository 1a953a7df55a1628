//! Copies the container's output to our standard output and standard error.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::{fmt, thread};

use byname::{Output, Streams};
use engine_client::{Demultiplexer, HijackedReader, Stream};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::activity::Activity;
use crate::event::Event;
use crate::{Error, EventSender};

/// Passes everything that a container has written on to our own standard output and error, until the end of `reader`:
/// raw, if it had a terminal, else taken apart.
///
/// # Errors
///
/// [`Error::Output`] if our output could not be written, [`Error::Connection`] and [`Error::Stream`] if reading failed.
pub fn pass_output(reader: impl Read, tty: bool, streams: &Streams) -> Result<(), Error> {
    let outputs = Outputs {
        out: Some(streams.out.clone()),
        err: Some(streams.err.clone()),
    };
    outputs.pass(reader, tty, &Activity::default())
}

/// Output that has not begun yet. A thread passes it on, since whoever reads ours may take its time; it begins with the
/// output, so a container that prints nothing has none.
pub(crate) struct Beginning {
    reader: HijackedReader,
    pass: Box<Pass>,
}

/// Passes the output on and returns what became of it.
type Pass = dyn FnOnce(HijackedReader) -> Result<(), Error> + Send;

impl Beginning {
    pub(crate) fn new(
        reader: HijackedReader,
        pass: impl FnOnce(HijackedReader) -> Result<(), Error> + Send + 'static,
    ) -> Beginning {
        Beginning {
            reader,
            pass: Box::new(pass),
        }
    }

    /// Whether there are bytes that polling the descriptor does not tell of.
    pub(crate) fn has_begun(&self) -> bool {
        self.reader.has_early_bytes()
    }

    /// To be called when there is something to read.
    pub(crate) fn begin(self, events: &EventSender) {
        let Beginning { reader, pass } = self;
        if reader.is_at_end() {
            events.send(Event::Output(pass(reader)));
            return;
        }
        let sender = events.clone();
        let work = move || sender.send(Event::Output(pass(reader)));
        let thread = thread::Builder::new().name("attach-output".to_owned());
        if let Err(error) = thread.spawn(work) {
            events.send(Event::Output(Err(Error::Resources(error))));
        }
    }
}

impl AsFd for Beginning {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl fmt::Debug for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beginning")
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

/// Where the container's output goes; what is not attached is dropped.
#[derive(Debug)]
pub(crate) struct Outputs {
    pub(crate) out: Option<Output>,
    pub(crate) err: Option<Output>,
}

impl Outputs {
    /// Passes on everything that `reader` yields, until its end.
    pub(crate) fn pass(
        mut self,
        reader: impl Read,
        tty: bool,
        activity: &Activity,
    ) -> Result<(), Error> {
        if tty {
            self.pass_raw(reader, activity)
        } else {
            self.pass_frames(reader, activity)
        }
    }

    /// A terminal has one stream, and it is the standard output.
    fn pass_raw(&mut self, mut reader: impl Read, activity: &Activity) -> Result<(), Error> {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let length = match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::Connection(error)),
            };
            activity.writing(|| write(self.out.as_mut(), &buffer[..length]))?;
        }
    }

    fn pass_frames(&mut self, reader: impl Read, activity: &Activity) -> Result<(), Error> {
        let mut frames = Demultiplexer::new(reader);
        let mut payload = Vec::new();
        while let Some(stream) = frames.next_frame(&mut payload).map_err(Error::Stream)? {
            let output = match stream {
                Stream::Stdout => self.out.as_mut(),
                Stream::Stderr => self.err.as_mut(),
            };
            activity.writing(|| write(output, &payload))?;
        }
        Ok(())
    }
}

fn write(output: Option<&mut Output>, mut bytes: &[u8]) -> Result<(), Error> {
    let Some(output) = output else {
        return Ok(());
    };
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(Error::Output(io::ErrorKind::WriteZero.into())),
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Whoever shares our terminal or pipe may have made it non-blocking; that is no reason to lose output.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait_for_room(output, error)?;
            }
            Err(error) => return Err(Error::Output(error)),
        }
    }
    output.flush().map_err(Error::Output)
}

/// Waits until there is room to write; without a descriptor to wait for, the `error` is what it is.
fn wait_for_room(output: &Output, error: io::Error) -> Result<(), Error> {
    let Some(fd) = output.as_fd() else {
        return Err(Error::Output(error));
    };
    match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(Error::Output(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pipe_that_does_not_block_loses_nothing() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        rustix::io::ioctl_fionbio(&writer, true).expect("make it non-blocking");
        let sent: Vec<u8> = (0..1_000_000u32).map(|n| n.to_le_bytes()[0]).collect();
        let expected = sent.clone();
        let writing = std::thread::spawn(move || {
            let outputs = Outputs {
                out: Some(Output::from_fd(writer)),
                err: None,
            };
            outputs.pass(&*sent, true, &Activity::default())
        });
        let mut got = Vec::new();
        reader.read_to_end(&mut got).expect("read");
        writing.join().expect("no panic").expect("no error");
        assert!(got == expected);
    }

    #[test]
    fn frames_go_where_they_belong_and_the_unattached_are_dropped() {
        let wire = b"\x01\0\0\0\0\0\0\x02hi\x02\0\0\0\0\0\0\x02no\x01\0\0\0\0\0\0\x01!";
        let (out, printed) = Output::buffer();
        let outputs = Outputs {
            out: Some(out),
            err: None,
        };
        outputs
            .pass(&wire[..], false, &Activity::default())
            .expect("no error");
        assert_eq!(printed.bytes(), b"hi!");
    }
}
