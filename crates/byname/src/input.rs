//! The input stream of a dispatch.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a command reads from. Clones share one position; each can be owned by a thread of its own.
///
/// Nothing is read ahead: a byte that this handle has not returned is still there for whoever reads next, such as a
/// child process.
#[derive(Clone)]
pub struct Input {
    source: Arc<Source>,
}

enum Source {
    Process,
    #[cfg_attr(not(unix), allow(dead_code))]
    File(File),
    Reader(Mutex<Box<dyn Read + Send>>),
    Empty,
}

impl Input {
    fn new(source: Source) -> Input {
        Input {
            source: Arc::new(source),
        }
    }

    /// The process's standard input, unbuffered.
    pub fn process() -> Input {
        Input::new(Source::Process)
    }

    /// Reads from any reader.
    pub fn from_reader(reader: impl Read + Send + 'static) -> Input {
        Input::new(Source::Reader(Mutex::new(Box::new(reader))))
    }

    /// Reads from a file descriptor, such as one side of a pseudo-terminal.
    #[cfg(unix)]
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Input {
        Input::new(Source::File(File::from(fd.into())))
    }

    /// At its end from the start.
    pub fn empty() -> Input {
        Input::new(Source::Empty)
    }

    /// Whether a person may be typing here.
    pub fn is_terminal(&self) -> bool {
        match &*self.source {
            Source::Process => io::stdin().is_terminal(),
            Source::File(file) => file.is_terminal(),
            Source::Reader(_) | Source::Empty => false,
        }
    }

    /// The file descriptor below; `None` if there is none.
    #[cfg(unix)]
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match &*self.source {
            Source::Process => Some(rustix::stdio::stdin()),
            Source::File(file) => Some(file.as_fd()),
            Source::Reader(_) | Source::Empty => None,
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &*self.source {
            Source::Process => read_process(buffer),
            Source::File(file) => (&mut &*file).read(buffer),
            // A reader that panicked in another thread is no reason to panic here.
            Source::Reader(reader) => reader
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .read(buffer),
            Source::Empty => Ok(0),
        }
    }
}

/// Reads below the buffer of [`io::stdin`], which would hold back what a child process should get.
#[cfg(unix)]
fn read_process(buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
}

#[cfg(not(unix))]
fn read_process(buffer: &mut [u8]) -> io::Result<usize> {
    io::stdin().lock().read(buffer)
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.source {
            Source::Process => "Input(process)",
            Source::File(_) => "Input(file)",
            Source::Reader(_) => "Input(reader)",
            Source::Empty => "Input(empty)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_position() {
        let mut first = Input::from_reader(&b"abcd"[..]);
        let mut second = first.clone();
        let mut two = [0; 2];
        first.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"ab");
        second.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"cd");
    }

    #[test]
    fn what_has_no_descriptor_is_no_terminal() {
        assert!(!Input::empty().is_terminal());
        assert!(!Input::from_reader(&b""[..]).is_terminal());
    }
}
