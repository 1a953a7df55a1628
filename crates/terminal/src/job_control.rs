//! Terminals that are somebody else's for the moment: a shell lends its terminal to one process group at a time, and
//! stops the others when they read it or change its mode.
//!
//! A process that catches the two signals for that is not stopped; the kernel lets it try again instead, for ever. So
//! whoever catches them has to look first, and to block them where the terminal is touched.

use std::io;
use std::marker::PhantomData;
use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;

/// Whether the terminal behind `fd` is this process's own and lent to another process group. What is no terminal, or
/// not the one that controls this process, is never.
pub fn is_background(fd: impl AsFd) -> bool {
    tcgetpgrp(fd).is_ok_and(|foreground| foreground != getpgrp())
}

/// While this lives, the calling thread is not stopped for the terminal it touches: SIGTTIN and SIGTTOU are blocked.
///
/// Then, in the background, a read fails with `EIO`, while output and a change of mode just happen, see "Terminal
/// access control" in chapter 11 of POSIX's Base Definitions.
///
/// ```
/// let _blocked = terminal::StopsBlocked::new()?;
/// // Restore the terminal's mode.
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct StopsBlocked {
    before: SigSet,
    /// It is about one thread, and must end there.
    _thread: PhantomData<*const ()>,
}

impl StopsBlocked {
    /// Blocks both signals for this thread.
    ///
    /// # Errors
    ///
    /// What `pthread_sigmask` reports, which it has no cause for.
    pub fn new() -> io::Result<StopsBlocked> {
        let stops: SigSet = [Signal::SIGTTIN, Signal::SIGTTOU].into_iter().collect();
        Ok(StopsBlocked {
            before: stops.thread_swap_mask(SigmaskHow::SIG_BLOCK)?,
            _thread: PhantomData,
        })
    }
}

impl Drop for StopsBlocked {
    fn drop(&mut self) {
        // The mask was this thread's before, so the kernel takes it.
        let _ = self.before.thread_set_mask();
    }
}

#[cfg(test)]
mod tests {
    use rustix_openpty::openpty;

    use super::*;

    fn blocked() -> Vec<Signal> {
        let mask = SigSet::thread_get_mask().expect("a mask");
        [Signal::SIGTTIN, Signal::SIGTTOU]
            .into_iter()
            .filter(|signal| mask.contains(*signal))
            .collect()
    }

    #[test]
    fn both_are_blocked_until_the_last_guard_is_dropped() {
        assert_eq!(blocked(), []);
        let outer = StopsBlocked::new().expect("block");
        let inner = StopsBlocked::new().expect("block again");
        assert_eq!(blocked(), [Signal::SIGTTIN, Signal::SIGTTOU]);
        drop(inner);
        assert_eq!(blocked().len(), 2);
        drop(outer);
        assert_eq!(blocked(), []);
    }

    #[test]
    fn what_does_not_control_this_process_is_never_in_the_background() {
        let pty = openpty(None, None).expect("open a pty");
        assert!(!is_background(&pty.user));
        let (reader, _writer) = io::pipe().expect("open a pipe");
        assert!(!is_background(&reader));
    }
}
