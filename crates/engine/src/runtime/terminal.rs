//! The terminal of a container's process, made inside the container.
//!
//! A terminal of the container's own `/dev/pts` is one that its programs can name; one of the machine's would be a
//! stranger there. The master goes to the monitor as a descriptor.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, major, minor, open, openat};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::process::ioctl_tiocsctty;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{Failure, tree};
use crate::error::os_text;

/// Makes a terminal that is standard input, output and error of this process and controls its session; `console` has it
/// show as `/dev/console` too. Returns the master.
pub(super) fn open_terminal(size: Option<Winsize>, console: bool) -> Result<OwnedFd, Failure> {
    let master = open_master()?;
    let failed = |doing: &str, error: Errno| {
        Failure::container(format!("{doing}: {}", os_text(&error.into())))
    };
    unlockpt(&master).map_err(|error| failed("unlock the terminal", error))?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let terminal =
        ioctl_tiocgptpeer(&master, flags).map_err(|error| failed("open the terminal", error))?;
    if let Some(size) = size {
        tcsetwinsize(&terminal, size).map_err(|error| failed("size the terminal", error))?;
    }
    if console {
        mount_console(&terminal).map_err(|error| failed("mount /dev/console", error))?;
    }
    ioctl_tiocsctty(&terminal).map_err(|error| failed("control the terminal", error))?;
    dup2_stdin(&terminal)
        .and_then(|()| dup2_stdout(&terminal))
        .and_then(|()| dup2_stderr(&terminal))
        .map_err(|error| failed("use the terminal", error))?;
    Ok(master)
}

/// What is opened may be the user's own `/dev`, or one that an image tampered with, so it is looked at before it is used
/// (CVE-2025-52565).
fn open_master() -> Result<OwnedFd, Failure> {
    let failed = |why: &str| Failure::container(format!("open /dev/ptmx: {why}"));
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master =
        open("/dev/ptmx", flags, Mode::empty()).map_err(|error| failed(&os_text(&error.into())))?;
    let found = fstat(&master).map_err(|error| failed(&os_text(&error.into())))?;
    let is_ptmx = FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice
        && (major(found.st_rdev), minor(found.st_rdev)) == (5, 2);
    if is_ptmx {
        Ok(master)
    } else {
        Err(failed("it makes no terminals"))
    }
}

fn mount_console(terminal: &OwnedFd) -> rustix::io::Result<()> {
    const CONSOLE: &str = "/dev/console";
    // Not for writing: a `/dev` of the user's may have the machine's console there.
    let path = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let place = match openat(CWD, CONSOLE, path, Mode::empty()) {
        Err(Errno::NOENT) => {
            let create = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            openat(CWD, CONSOLE, create, Mode::from_raw_mode(0o620))?;
            openat(CWD, CONSOLE, path, Mode::empty())?
        }
        opened => opened?,
    };
    let copy = open_tree(
        terminal.as_fd(),
        "",
        OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH,
    )?;
    tree::attach(&copy, &place)
}
