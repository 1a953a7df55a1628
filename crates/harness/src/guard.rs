//! A child process that ends, and whose files are removed, when its owner drops it or dies.
//!
//! libtest has no hook at its end and a killed test runs no destructor, so the end is made visible to another process:
//! the guard's script reads a pipe that only the test process writes to, and the kernel closes that pipe in every case.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::signals::default_signals;

/// A shell script in a session of its own, which reads its standard input until the test process is gone.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    directory: PathBuf,
}

impl Guard {
    /// Starts `script` with `arguments`. Both its outputs go to the file `log` in `directory`, which the script removes
    /// in the end.
    pub(crate) fn start(script: &str, directory: &Path, arguments: &[&str]) -> io::Result<Guard> {
        default_signals();
        let log = File::create(directory.join("log"))?;
        // A session of its own: the Ctrl-C that ends a test must not end the clean-up too.
        let child = Command::new("setsid")
            .args(["sh", "-c", script, "guard"])
            .arg(directory)
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Guard {
            child,
            directory: directory.to_owned(),
        })
    }

    /// Everything that the process wrote so far.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.directory.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Asks `ready` again and again until it has an answer; `None` once the process says that it ended, or too late.
    pub(crate) fn until<T>(
        &self,
        limit: Duration,
        mut ready: impl FnMut(&Guard) -> Option<T>,
    ) -> Option<T> {
        let start = Instant::now();
        loop {
            if let Some(answer) = ready(self) {
                return Some(answer);
            }
            if start.elapsed() > limit || self.directory.join("ended").exists() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Nothing can be done about a failure here, and the script has said what it had to say.
        let _ = self.child.wait();
    }
}
