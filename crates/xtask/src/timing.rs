//! Times programs as whole processes, interleaved, so that noise falls on all of them.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::stats::Series;

/// One program with its arguments, under the name that the table gives it.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: Option<PathBuf>,
}

impl Subject {
    /// A program to time, without arguments yet.
    pub(crate) fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: None,
        }
    }

    /// Adds arguments.
    pub(crate) fn args<A: Into<OsString>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable of the program.
    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Gives it a file as its standard input.
    pub(crate) fn input(mut self, file: impl Into<PathBuf>) -> Self {
        self.input = Some(file.into());
        self
    }

    /// The command that runs it once, its output discarded, and nothing as its input if no file is.
    pub(crate) fn command(&self) -> anyhow::Result<Command> {
        let input = match &self.input {
            Some(path) => File::open(path)
                .with_context(|| format!("cannot open {}", path.display()))?
                .into(),
            None => Stdio::null(),
        };
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(command)
    }
}

/// Runs every subject `rounds` times, one after the other within a round, after two rounds that are not counted.
///
/// A run that fails ends the benchmark: a program that stops early is fast for the wrong reason.
pub(crate) fn in_turn(subjects: &[Subject], rounds: usize) -> anyhow::Result<Vec<Series>> {
    in_turn_after(subjects, rounds, || Ok(()))
}

/// As [`in_turn`], with something to be done before each run, which is not timed.
pub(crate) fn in_turn_after(
    subjects: &[Subject],
    rounds: usize,
    mut before: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Series>> {
    let mut all = vec![Series::default(); subjects.len()];
    for round in 0..rounds + 2 {
        for (subject, series) in subjects.iter().zip(&mut all) {
            before()?;
            let mut command = subject.command()?;
            let start = Instant::now();
            let status = command
                .status()
                .with_context(|| format!("cannot start {}", subject.name))?;
            let time = start.elapsed();
            if !status.success() {
                bail!("{} ended with {status}", subject.name);
            }
            if round >= 2 {
                series.push(time);
            }
        }
    }
    Ok(all)
}
