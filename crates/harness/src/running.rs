//! A running program, watched and always cleaned up.

use std::io::Write;
use std::process::{Child, ChildStdin, Command};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;
pub use rustix::process::Signal;
use tempfile::TempDir;

use crate::outcome::{Outcome, TIMEOUT};
use crate::signals::default_signals;
use crate::transcript::Transcript;

/// A started program. It is killed when this is dropped before it ends, as a failed test does.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    out: Option<Transcript>,
    err: Option<Transcript>,
    // What it runs in is not taken from under it.
    _directory: Option<Arc<TempDir>>,
}

impl Running {
    /// Starts a command with its three streams as they are set; what is a pipe is read at once.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn start(command: &mut Command) -> Running {
        Running::start_in(command, None)
    }

    #[track_caller]
    pub(crate) fn start_in(command: &mut Command, directory: Option<Arc<TempDir>>) -> Running {
        default_signals();
        let name = format!("{command:?}");
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Running {
            name,
            input: child.stdin.take(),
            out: child.stdout.take().map(Transcript::of),
            err: child.stderr.take().map(Transcript::of),
            child,
            _directory: directory,
        }
    }

    /// Writes to standard input, in the background: a program may take its time, or never read it.
    pub fn feed(mut self, bytes: impl Into<Vec<u8>>) -> Running {
        let (input, bytes) = (self.input.take(), bytes.into());
        thread::spawn(move || {
            if let Some(mut input) = input {
                // The program may leave without reading all of it, which is its own business.
                let _ = input.write_all(&bytes);
            }
        });
        self
    }

    /// Writes to standard input and leaves it open.
    ///
    /// # Panics
    /// If it is no pipe, or nobody reads it any more.
    #[track_caller]
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let input = self.input.as_mut().expect("standard input is an open pipe");
        input.write_all(bytes.as_ref()).expect("the program reads");
    }

    /// Ends standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits until standard output holds `text`, and returns all of it.
    ///
    /// # Panics
    /// If it ends without, or takes longer than [`TIMEOUT`].
    #[track_caller]
    pub fn wait_for_out(&self, text: &str) -> String {
        self.out
            .as_ref()
            .expect("standard output is a pipe")
            .wait_for(text)
    }

    /// The same of standard error.
    #[track_caller]
    pub fn wait_for_err(&self, text: &str) -> String {
        self.err
            .as_ref()
            .expect("standard error is a pipe")
            .wait_for(text)
    }

    /// Sends a signal to the program.
    ///
    /// # Panics
    /// If it has ended already.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// If it does not end within [`TIMEOUT`]; the message shows what it wrote.
    #[track_caller]
    pub fn finish(mut self) -> Outcome {
        let start = Instant::now();
        let status = loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                break status;
            }
            let text = |stream: &Option<Transcript>| stream.as_ref().map(Transcript::text);
            assert!(
                start.elapsed() < TIMEOUT,
                "{} does not end; it wrote {:?} and {:?}",
                self.name,
                text(&self.out),
                text(&self.err)
            );
            thread::sleep(Duration::from_millis(2));
        };
        let all = |stream: &Option<Transcript>| {
            stream
                .as_ref()
                .map(Transcript::wait_for_end)
                .unwrap_or_default()
        };
        Outcome {
            code: status.code(),
            stdout: all(&self.out),
            stderr: all(&self.err),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is not harmed by this.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
