//! Runs the program under test in a fresh directory and environment.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use crate::outcome::Outcome;
use crate::pty::Pty;
use crate::running::Running;

/// A program in a fresh directory, which is also its home, with no variables but `PATH` and those that a test sets:
/// what the developer's own environment or configuration says changes no test.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    directory: Arc<TempDir>,
    variables: Vec<(String, OsString)>,
}

impl Program {
    /// The program in this file.
    ///
    /// # Panics
    /// If there is no room for a directory.
    pub fn new(path: impl Into<PathBuf>) -> Program {
        let directory = tempfile::Builder::new()
            .prefix("program")
            .tempdir()
            .expect("a temporary directory");
        Program {
            path: path.into(),
            directory: Arc::new(directory),
            variables: Vec::new(),
        }
    }

    /// The same with one more environment variable.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: impl Into<OsString>) -> Program {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Where it runs.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Makes a file in its directory, and the directories above.
    ///
    /// # Panics
    /// If that fails.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory().join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("directories");
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// The program with these arguments, to be started as a test likes.
    pub fn command<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Command {
        self.in_place(Command::new(&self.path), words)
    }

    fn in_place<W: AsRef<OsStr>>(
        &self,
        mut command: Command,
        words: impl IntoIterator<Item = W>,
    ) -> Command {
        command
            .args(words)
            .current_dir(self.directory())
            .env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.directory());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end with nothing on standard input.
    #[track_caller]
    pub fn run<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Outcome {
        self.run_with(words, "")
    }

    /// Runs it to its end with these bytes on standard input.
    #[track_caller]
    pub fn run_with<W: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = W>,
        input: impl Into<Vec<u8>>,
    ) -> Outcome {
        self.start(words).feed(input).finish()
    }

    /// Starts it with pipes for its streams.
    #[track_caller]
    pub fn start<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Running {
        let mut command = self.command(words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running::start_in(&mut command, Some(Arc::clone(&self.directory)))
    }

    /// Starts it on a terminal, which is all its streams and its controlling terminal.
    #[track_caller]
    pub fn start_on<W: AsRef<OsStr>>(
        &self,
        pty: &Pty,
        words: impl IntoIterator<Item = W>,
    ) -> Running {
        let mut command = self.in_place(pty.command(&self.path), words);
        Running::start_in(&mut command, Some(Arc::clone(&self.directory)))
    }
}
