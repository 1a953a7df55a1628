//! An output stream of a dispatch.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where a command writes to. Clones write to the same place; each can be owned by a thread of its own.
///
/// Nothing is held back: every write goes out at once, and `write!` and `writeln!` make one write of their whole text,
/// so that lines of several threads do not mix.
///
/// When nobody reads the other end any more, a write fails with [`io::ErrorKind::BrokenPipe`]. A handler passes that
/// error on with `?`; the dispatcher recognises it as the command's own output and ends quietly, as other programs do.
#[derive(Clone)]
pub struct Output {
    target: Arc<Target>,
}

enum Target {
    ProcessOut,
    ProcessErr,
    #[cfg_attr(not(unix), allow(dead_code))]
    File(File),
    Writer(Mutex<Box<dyn Write + Send>>),
    Buffer(Captured),
}

impl Output {
    fn new(target: Target) -> Output {
        Output {
            target: Arc::new(target),
        }
    }

    /// The process's standard output, unbuffered.
    pub fn process_out() -> Output {
        Output::new(Target::ProcessOut)
    }

    /// The process's standard error.
    pub fn process_err() -> Output {
        Output::new(Target::ProcessErr)
    }

    /// Writes to any writer. It is flushed when a dispatch ends.
    pub fn from_writer(writer: impl Write + Send + 'static) -> Output {
        Output::new(Target::Writer(Mutex::new(Box::new(writer))))
    }

    /// Writes to a file descriptor, such as one side of a pseudo-terminal.
    #[cfg(unix)]
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Output {
        Output::new(Target::File(File::from(fd.into())))
    }

    /// Writes to memory, and what shows it.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let (mut out, captured) = byname::Output::buffer();
    /// writeln!(out, "hello")?;
    /// assert_eq!(captured.bytes(), b"hello\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn buffer() -> (Output, Captured) {
        let captured = Captured::default();
        (Output::new(Target::Buffer(captured.clone())), captured)
    }

    /// Whether a person may be reading this.
    pub fn is_terminal(&self) -> bool {
        match &*self.target {
            Target::ProcessOut => io::stdout().is_terminal(),
            Target::ProcessErr => io::stderr().is_terminal(),
            Target::File(file) => file.is_terminal(),
            Target::Writer(_) | Target::Buffer(_) => false,
        }
    }

    /// The file descriptor below; `None` if there is none.
    #[cfg(unix)]
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match &*self.target {
            Target::ProcessOut => Some(rustix::stdio::stdout()),
            Target::ProcessErr => Some(rustix::stdio::stderr()),
            Target::File(file) => Some(file.as_fd()),
            Target::Writer(_) | Target::Buffer(_) => None,
        }
    }

    /// Writes a text that others have a say in, such as names that a server tells: as it is, but to a terminal without
    /// the characters that would steer it. Programs that read it get every byte; newlines and tabs always stay.
    ///
    /// ```
    /// let (mut out, captured) = byname::Output::buffer();
    /// out.write_text("\x1b[2J\n")?;
    /// assert_eq!(captured.bytes(), b"\x1b[2J\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of a write.
    pub fn write_text(&mut self, text: &str) -> io::Result<()> {
        if self.is_terminal() {
            self.write_all(printable::lines(text).as_bytes())
        } else {
            self.write_all(text.as_bytes())
        }
    }

    /// The terminal's width; `None` if this is no terminal or it does not say.
    pub(crate) fn width(&self) -> Option<usize> {
        #[cfg(unix)]
        let size = self.as_fd().and_then(terminal_size::terminal_size_of);
        #[cfg(not(unix))]
        let size = self
            .is_terminal()
            .then(terminal_size::terminal_size)
            .flatten();
        size.map(|(width, _)| usize::from(width.0))
            .filter(|&width| width > 0)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &*self.target {
            Target::ProcessOut => write_process_out(bytes),
            Target::ProcessErr => write_process_err(bytes),
            Target::File(file) => (&mut &*file).write(bytes),
            Target::Writer(writer) => writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write(bytes),
            Target::Buffer(captured) => captured.lock().write(bytes),
        };
        written.map_err(mark_closed)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &*self.target {
            Target::ProcessOut | Target::ProcessErr | Target::File(_) | Target::Buffer(_) => Ok(()),
            Target::Writer(writer) => writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .flush()
                .map_err(mark_closed),
        }
    }

    /// Gathers the whole text first: the standard library would write each of its pieces on its own.
    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        match text.as_str() {
            Some(text) => self.write_all(text.as_bytes()),
            None => self.write_all(text.to_string().as_bytes()),
        }
    }
}

#[cfg(unix)]
fn write_process_out(bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(rustix::stdio::stdout(), bytes)?)
}

#[cfg(unix)]
fn write_process_err(bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(rustix::stdio::stderr(), bytes)?)
}

#[cfg(not(unix))]
fn write_process_out(bytes: &[u8]) -> io::Result<usize> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(bytes.len())
}

#[cfg(not(unix))]
fn write_process_err(bytes: &[u8]) -> io::Result<usize> {
    io::stderr().lock().write(bytes)
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.target {
            Target::ProcessOut => "Output(process out)",
            Target::ProcessErr => "Output(process err)",
            Target::File(_) => "Output(file)",
            Target::Writer(_) => "Output(writer)",
            Target::Buffer(_) => "Output(buffer)",
        })
    }
}

/// What was written to an [`Output::buffer`], so far.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().clone()
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock()).into_owned()
    }
}

/// Inside an [`io::Error`], marks it as that of our own output: an engine's socket breaks with the same kind, and that
/// is worth a message.
#[derive(Debug)]
struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the output any more")
    }
}

impl Error for Closed {}

fn mark_closed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => io::Error::new(io::ErrorKind::BrokenPipe, Closed),
        _ => error,
    }
}

/// Whether this error, or one that it wraps, is that of an [`Output`] nobody reads any more.
pub(crate) fn is_closed_output(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Closed>() {
            return true;
        }
        // An I/O error's `source` skips what it wraps, so its inside is looked at first.
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refusing(io::ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    struct Counting(Captured);

    impl Write for Counting {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().push(b'.');
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_formatted_text_is_one_write() {
        let writes = Captured::default();
        let mut out = Output::from_writer(Counting(writes.clone()));
        writeln!(out, "{} and {}", 1, 2).unwrap();
        assert_eq!(writes.text(), ".");
    }

    #[test]
    fn only_our_own_broken_pipe_is_marked() {
        let mut out = Output::from_writer(Refusing(io::ErrorKind::BrokenPipe));
        let ours = out.write_all(b"x").unwrap_err();
        assert_eq!(ours.kind(), io::ErrorKind::BrokenPipe);
        assert!(is_closed_output(&ours));
        assert!(is_closed_output(&out.flush().unwrap_err()));
        assert!(is_closed_output(&io::Error::other(ours)));

        assert!(!is_closed_output(&io::Error::from(
            io::ErrorKind::BrokenPipe
        )));
        let mut full = Output::from_writer(Refusing(io::ErrorKind::StorageFull));
        assert!(!is_closed_output(&full.write_all(b"x").unwrap_err()));
    }
}
