//! Raw mode with a guard that restores the terminal.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::termios::{
    self, ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex,
    Termios,
};

use crate::job_control::StopsBlocked;

/// A terminal in raw mode: every byte typed is read as it is, none is echoed and none raises a signal.
///
/// The mode that was there before comes back with [`restore`](RawMode::restore), or when the value is dropped, which
/// a panic does too as long as it unwinds. A process that is about to leave by `exit` restores first, for nothing is
/// dropped there.
///
/// ```no_run
/// let raw = terminal::RawMode::enable(std::io::stdin())?;
/// // Read keys.
/// raw.restore()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct RawMode {
    /// A descriptor of our own: the caller may close the one it gave before the mode is restored.
    fd: OwnedFd,
    /// `None` once restored.
    before: Option<Termios>,
}

impl RawMode {
    /// Puts the terminal behind `fd` in raw mode.
    ///
    /// # Errors
    ///
    /// `ENOTTY` if `fd` is no terminal, and whatever else `tcgetattr` and `tcsetattr` report. The terminal is then as
    /// it was.
    pub fn enable(fd: impl AsFd) -> io::Result<RawMode> {
        let fd = fd.as_fd().try_clone_to_owned()?;
        let before = termios::tcgetattr(&fd)?;
        let mut raw = before.clone();
        make_raw(&mut raw);
        termios::tcsetattr(&fd, OptionalActions::Now, &raw)?;
        Ok(RawMode {
            fd,
            before: Some(before),
        })
    }

    /// Brings the mode back that was there before. In the background, too: it neither stops the process nor, if that
    /// catches SIGTTOU, makes it try for ever.
    ///
    /// # Errors
    ///
    /// What `tcsetattr` reports: `EIO` when the terminal has hung up, for example. It is not tried again.
    pub fn restore(mut self) -> io::Result<()> {
        self.restore_once()
    }

    fn restore_once(&mut self) -> io::Result<()> {
        match self.before.take() {
            Some(before) => {
                let _running = StopsBlocked::new()?;
                Ok(termios::tcsetattr(&self.fd, OptionalActions::Now, &before)?)
            }
            None => Ok(()),
        }
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring, and there is nobody left to tell.
        let _ = self.restore_once();
    }
}

/// Sets the flags that Docker's client sets. This is `cfmakeraw` of termios(3) with IGNBRK cleared and the time-outs
/// of a read spelt out, so it is written flag by flag.
fn make_raw(termios: &mut Termios) {
    termios.input_modes -= InputModes::IGNBRK
        | InputModes::BRKINT
        | InputModes::PARMRK
        | InputModes::ISTRIP
        | InputModes::INLCR
        | InputModes::IGNCR
        | InputModes::ICRNL
        | InputModes::IXON;
    termios.output_modes -= OutputModes::OPOST;
    termios.local_modes -= LocalModes::ECHO
        | LocalModes::ECHONL
        | LocalModes::ICANON
        | LocalModes::ISIG
        | LocalModes::IEXTEN;
    termios.control_modes -= ControlModes::CSIZE | ControlModes::PARENB;
    termios.control_modes |= ControlModes::CS8;
    // A read returns as soon as there is one byte, and waits for it without end.
    termios.special_codes[SpecialCodeIndex::VMIN] = 1;
    termios.special_codes[SpecialCodeIndex::VTIME] = 0;
}

#[cfg(test)]
mod tests {
    use std::os::fd::BorrowedFd;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rustix_openpty::{Pty, openpty};

    use super::*;

    fn pty() -> Pty {
        openpty(None, None).expect("open a pty")
    }

    /// What a test compares: `Termios` has no `PartialEq`, and its debug form names every flag and code.
    fn modes(fd: BorrowedFd<'_>) -> String {
        format!("{:?}", termios::tcgetattr(fd).expect("read the modes"))
    }

    #[test]
    fn raw_mode_sets_the_flags_and_restores_them() {
        let pty = pty();
        let mut start = termios::tcgetattr(&pty.user).expect("read the modes");
        // Everything that raw mode shall clear is set, so that each line of it is seen at work.
        start.input_modes |= InputModes::IGNBRK
            | InputModes::BRKINT
            | InputModes::PARMRK
            | InputModes::ISTRIP
            | InputModes::INLCR
            | InputModes::IGNCR
            | InputModes::ICRNL
            | InputModes::IXON
            | InputModes::IXOFF;
        start.local_modes |= LocalModes::ECHONL;
        start.special_codes[SpecialCodeIndex::VMIN] = 7;
        start.special_codes[SpecialCodeIndex::VTIME] = 9;
        termios::tcsetattr(&pty.user, OptionalActions::Now, &start).expect("set the modes");
        let before = modes(pty.user.as_fd());

        let raw = RawMode::enable(&pty.user).expect("enable raw mode");
        let now = termios::tcgetattr(&pty.user).expect("read the modes");
        assert_eq!(
            now.input_modes,
            InputModes::IXOFF | (start.input_modes & InputModes::IUTF8)
        );
        assert!(!now.output_modes.contains(OutputModes::OPOST));
        assert!(!now.local_modes.intersects(
            LocalModes::ECHO
                | LocalModes::ECHONL
                | LocalModes::ICANON
                | LocalModes::ISIG
                | LocalModes::IEXTEN
        ));
        assert_eq!(now.control_modes & ControlModes::CSIZE, ControlModes::CS8);
        assert!(!now.control_modes.contains(ControlModes::PARENB));
        assert_eq!(now.special_codes[SpecialCodeIndex::VMIN], 1);
        assert_eq!(now.special_codes[SpecialCodeIndex::VTIME], 0);

        raw.restore().expect("restore");
        assert_eq!(modes(pty.user.as_fd()), before);
    }

    #[test]
    fn dropping_restores() {
        let pty = pty();
        let before = modes(pty.user.as_fd());
        let raw = RawMode::enable(&pty.user).expect("enable raw mode");
        assert_ne!(modes(pty.user.as_fd()), before);
        drop(raw);
        assert_eq!(modes(pty.user.as_fd()), before);
    }

    #[test]
    fn a_panic_restores() {
        let pty = pty();
        let before = modes(pty.user.as_fd());
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let _raw = RawMode::enable(&pty.user).expect("enable raw mode");
            assert_ne!(modes(pty.user.as_fd()), before);
            panic!("a handler's panic");
        }));
        assert!(outcome.is_err());
        assert_eq!(modes(pty.user.as_fd()), before);
    }

    #[test]
    fn the_callers_descriptor_may_be_closed_first() {
        let pty = pty();
        let before = modes(pty.user.as_fd());
        let short_lived = pty.user.try_clone().expect("duplicate");
        let raw = RawMode::enable(&short_lived).expect("enable raw mode");
        drop(short_lived);
        drop(raw);
        assert_eq!(modes(pty.user.as_fd()), before);
    }

    #[test]
    fn what_is_no_terminal_is_an_error() {
        let (reader, _writer) = io::pipe().expect("open a pipe");
        let error = RawMode::enable(&reader).expect_err("a pipe has no modes");
        assert_eq!(
            error.raw_os_error(),
            Some(rustix::io::Errno::NOTTY.raw_os_error())
        );
    }

    #[test]
    fn a_terminal_that_hung_up_is_no_panic() {
        let Pty { controller, user } = pty();
        let raw = RawMode::enable(&user).expect("enable raw mode");
        drop(controller);
        assert!(raw.restore().is_err());
    }
}
