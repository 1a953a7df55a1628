//! Starts this program again under an initializer's name.

use std::ffi::OsStr;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::unix::process::CommandExt;
use std::process;

use rustix::io::Errno;
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

use crate::Error;
use crate::initializer::{find, is_initialized};

/// Returns a command that starts this program as the initializer `name`.
///
/// # Errors
///
/// [`Error::NotInitialized`] unless [`init`](crate::init) ran in this process, [`Error::Unknown`] and
/// [`Error::Duplicate`] if the name does not name exactly one initializer.
pub fn command(name: impl AsRef<OsStr>) -> Result<Command, Error> {
    // In the child this is resolved after the fork, when it still is the program of the parent.
    command_at("/proc/self/exe", name)
}

/// Returns a command that starts this program as the initializer `name` by another path: one at which nobody can write to
/// it, for example.
///
/// # Errors
///
/// As [`command`].
pub fn command_at(program: impl AsRef<OsStr>, name: impl AsRef<OsStr>) -> Result<Command, Error> {
    let name = name.as_ref();
    if !is_initialized() {
        return Err(Error::NotInitialized {
            name: name.to_owned(),
        });
    }
    let initializer = find(name)?;
    let mut inner = process::Command::new(program);
    inner.arg0(initializer.name());
    Ok(Command { inner })
}

/// A [`std::process::Command`] that starts this program as an initializer; arguments, environment and streams are set
/// on it as on that one.
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
}

impl Command {
    /// Has the kernel send `signal` to the child when its parent dies (`PR_SET_PDEATHSIG`).
    ///
    /// The parent is the *thread* that spawns the child: when that ends, the signal is sent, even if the process
    /// lives on. A child that shall outlive its parent, a monitor for example, does not ask for it. If the parent dies
    /// before the child has asked for the signal, the child ends before it becomes the program.
    ///
    /// Spawning fails with `EINVAL` if there is no signal of that number.
    #[expect(
        unsafe_code,
        reason = "only the child itself can ask for the signal, between fork and exec"
    )]
    pub fn parent_death_signal(&mut self, signal: i32) -> &mut Command {
        let parent = getpid();
        let ask = move || {
            let signal = Signal::from_named_raw(signal).ok_or(Errno::INVAL)?;
            set_parent_process_death_signal(Some(signal))?;
            // Had the parent died before that call, no signal would ever come. The reaper is the parent then.
            if getppid() == Some(parent) {
                Ok(())
            } else {
                Err(io::Error::from(Errno::SRCH))
            }
        };
        // SAFETY: The closure runs in the forked child, where only what is async-signal-safe may be called. It makes
        // two system calls, compares integers and returns; errors are plain numbers, so nothing allocates or locks.
        unsafe { self.inner.pre_exec(ask) };
        self
    }

    /// The command of the standard library underneath.
    pub fn as_std(&self) -> &process::Command {
        &self.inner
    }

    /// The command of the standard library underneath, to be changed.
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.inner
    }
}

impl Deref for Command {
    type Target = process::Command;

    fn deref(&self) -> &process::Command {
        &self.inner
    }
}

impl DerefMut for Command {
    fn deref_mut(&mut self) -> &mut process::Command {
        &mut self.inner
    }
}
