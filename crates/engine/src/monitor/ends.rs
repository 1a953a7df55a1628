//! The ends of a process's streams: its own and the monitor's.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_setfl, mkfifoat, open};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::runtime::{self, Stdio};
use crate::{Error, Result};

pub(super) const STDIN: &str = "stdin";
pub(super) const STDOUT: &str = "stdout";
pub(super) const STDERR: &str = "stderr";

/// Our ends of a process's streams.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Standard input, to be written to.
    pub(super) stdin: Option<OwnedFd>,
    /// Standard output, to be read.
    pub(super) stdout: Option<OwnedFd>,
    /// Standard error, to be read.
    pub(super) stderr: Option<OwnedFd>,
    /// The terminal, in place of all of them.
    pub(super) terminal: Option<OwnedFd>,
}

/// A process's ends of its streams.
#[derive(Debug)]
pub(super) struct Theirs {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

impl Theirs {
    /// For the runtime.
    pub(super) fn stdio(&self) -> Stdio<'_> {
        Stdio::Streams(runtime::Streams {
            stdin: self.stdin.as_fd(),
            stdout: self.stdout.as_fd(),
            stderr: self.stderr.as_fd(),
        })
    }
}

/// Makes the container's streams: fifos, which have names, so that a new monitor can open them. What the container writes
/// to it also holds open for reading, so that it is not told that nobody reads when its monitor dies.
pub(super) fn fifos(run: &Path, open_stdin: bool) -> Result<(Theirs, Ends)> {
    let make = |name: &str| {
        let path = run.join(name);
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR)
            .map_err(|error| Error::io(format_args!("make {}", path.display()), error))?;
        Ok(path)
    };
    let output = |name: &str| {
        let path = make(name)?;
        Ok((open_fifo(&path, OFlags::RDWR)?, reading_end(&path)?))
    };
    let (stdout, our_stdout) = output(STDOUT)?;
    let (stderr, our_stderr) = output(STDERR)?;
    let (stdin, our_stdin) = match open_stdin {
        true => {
            let path = make(STDIN)?;
            let stdin = open_fifo(&path, OFlags::RDONLY | OFlags::NONBLOCK)?;
            let ours = writing_end(&path)?;
            // That it does not wait was for us; to whom it goes it would be a surprise.
            fcntl_setfl(&stdin, OFlags::empty())
                .map_err(|error| Error::io("set up standard input", error))?;
            (stdin, Some(ours))
        }
        false => (null()?, None),
    };
    let theirs = Theirs {
        stdin,
        stdout,
        stderr,
    };
    let ends = Ends {
        stdin: our_stdin,
        stdout: Some(our_stdout),
        stderr: Some(our_stderr),
        terminal: None,
    };
    Ok((theirs, ends))
}

/// Opens our ends of a container's streams whose monitor died.
pub(super) fn reopen(run: &Path, open_stdin: bool) -> Result<Ends> {
    Ok(Ends {
        stdout: Some(reading_end(&run.join(STDOUT))?),
        stderr: Some(reading_end(&run.join(STDERR))?),
        // The container has read the end of its input when its monitor died, and may have closed it.
        stdin: match open_stdin {
            true => writing_end(&run.join(STDIN)).ok(),
            false => None,
        },
        terminal: None,
    })
}

fn reading_end(path: &Path) -> Result<OwnedFd> {
    open_fifo(path, OFlags::RDONLY | OFlags::NONBLOCK)
}

fn writing_end(path: &Path) -> Result<OwnedFd> {
    open_fifo(path, OFlags::WRONLY | OFlags::NONBLOCK)
}

/// Opens a fifo, and nothing else that may lie there.
fn open_fifo(path: &Path, flags: OFlags) -> Result<OwnedFd> {
    let failed = |error: Errno| Error::io(format_args!("open {}", path.display()), error);
    let opened = open(
        path,
        flags | OFlags::CLOEXEC | OFlags::NOFOLLOW,
        Mode::empty(),
    )
    .map_err(failed)?;
    let status = rustix::fs::fstat(&opened).map_err(failed)?;
    match FileType::from_raw_mode(status.st_mode) {
        FileType::Fifo => Ok(opened),
        _ => Err(Error::system(format!("{} is no fifo", path.display()))),
    }
}

/// Nothing to read, and a place for what nobody wants.
pub(super) fn null() -> Result<OwnedFd> {
    open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Error::io("open /dev/null", error))
}

/// The end to read from and the end to write to.
pub(super) fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::io("make a pipe", error))
}
