//! Runs a program on a real pseudo-terminal.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::termios::{self, ControlModes, InputModes, LocalModes, OutputModes, Winsize};

use crate::outcome::TIMEOUT;
use crate::transcript::Transcript;

/// A pseudo-terminal, its window, and everything that was ever written to it.
#[derive(Debug)]
pub struct Pty {
    controller: File,
    // Held open so that the terminal lives, and can be asked for its modes, after the last program on it has ended.
    user: OwnedFd,
    screen: Transcript,
}

/// A terminal's settings, comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// `c_iflag`.
    pub input: InputModes,
    /// `c_oflag`.
    pub output: OutputModes,
    /// `c_cflag`.
    pub control: ControlModes,
    /// `c_lflag`.
    pub local: LocalModes,
}

impl Modes {
    /// Whether keys arrive one by one, unechoed, and make no signals.
    pub fn is_raw(&self) -> bool {
        !self
            .local
            .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }
}

impl Pty {
    /// Opens a terminal with a window of this size.
    ///
    /// # Panics
    /// If the machine has no pseudo-terminals.
    pub fn open(rows: u16, columns: u16) -> Pty {
        let pair =
            rustix_openpty::openpty(None, Some(&window(rows, columns))).expect("a pseudo-terminal");
        let controller = File::from(pair.controller);
        // Reading ends by itself, with EIO, when the last handle of the terminal's other side is closed.
        let screen = Transcript::of(controller.try_clone().expect("a second handle"));
        Pty {
            controller,
            user: pair.user,
            screen,
        }
    }

    /// A command whose three streams are this terminal, which is also its controlling terminal, so that a resize and
    /// the keys for signals reach it.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        // setsid(1) does in its own process what would take unsafe code between our fork and exec; it replaces itself
        // by the program, so the child's id is the program's.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program.as_ref());
        command
            .stdin(self.stream())
            .stdout(self.stream())
            .stderr(self.stream());
        command
    }

    /// One more handle of the terminal's side that programs have, for a command with only some streams on it.
    pub fn stream(&self) -> Stdio {
        Stdio::from(self.user.try_clone().expect("a handle"))
    }

    /// Types these bytes.
    ///
    /// # Panics
    /// If the terminal is gone.
    #[track_caller]
    pub fn write(&self, bytes: impl AsRef<[u8]>) {
        let written: io::Result<()> = (&self.controller).write_all(bytes.as_ref());
        written.expect("the terminal takes keys");
    }

    /// Changes the window's size; programs in the foreground get SIGWINCH.
    ///
    /// # Panics
    /// If the terminal is gone.
    pub fn resize(&self, rows: u16, columns: u16) {
        termios::tcsetwinsize(&self.controller, window(rows, columns))
            .expect("the terminal takes a size");
    }

    /// Everything written to the terminal so far.
    pub fn text(&self) -> String {
        self.screen.text()
    }

    /// Waits until `text` has been written, and returns all that was.
    ///
    /// # Panics
    /// If it does not come within [`TIMEOUT`]; the message shows what came.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.screen.wait_for(text)
    }

    /// The terminal's settings at this moment.
    ///
    /// # Panics
    /// If the terminal is gone.
    pub fn modes(&self) -> Modes {
        let all = termios::tcgetattr(&self.user).expect("the terminal has settings");
        Modes {
            input: all.input_modes,
            output: all.output_modes,
            control: all.control_modes,
            local: all.local_modes,
        }
    }

    /// Waits until the settings satisfy `wanted`.
    ///
    /// # Panics
    /// If they do not within [`TIMEOUT`].
    #[track_caller]
    pub fn wait_for_modes(&self, wanted: impl Fn(&Modes) -> bool) {
        let start = Instant::now();
        while !wanted(&self.modes()) {
            assert!(
                start.elapsed() < TIMEOUT,
                "the terminal stays at {:?} with {:?}",
                self.modes(),
                self.text()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn window(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
