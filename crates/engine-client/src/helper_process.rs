//! Runs a credential helper: found on `PATH`, waited for, and cancelable from another thread.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::os_text;

/// No helper says more: a list of all registries of a user has some 10 KiB.
const LARGEST_OUTPUT: u64 = 1 << 20;
/// A pipe takes at least this without a reader, so that writing it never waits. No registry's name is that long.
const LARGEST_INPUT: usize = 4096;
/// Anyone may put a program there.
const WRITABLE_BY_ALL: u32 = 0o002;
const EXECUTABLE: u32 = 0o111;

/// How a helper ended.
pub(crate) struct HelperOutput {
    /// `None` for success, else words such as `exit status 1`.
    pub(crate) failure: Option<String>,
    pub(crate) stdout: Vec<u8>,
}

/// Why a helper did not run to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HelperError {
    Cancelled,
    /// By this signal, which the terminal sends to all that run on it.
    Interrupted(u8),
    Failed(String),
}

/// The helpers that run at the moment.
#[derive(Default)]
pub(crate) struct HelperProcesses {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_cancelled: bool,
    running: BTreeMap<u32, Child>,
}

impl HelperProcesses {
    /// Runs a program of these variables' `PATH` with one argument and this on its standard input, until it has ended
    /// and nobody holds its standard output any more. It shares our standard error and our terminal, for it may ask
    /// its user something; hence there is no limit to its time.
    pub(crate) fn run(
        &self,
        program: &str,
        argument: &str,
        input: &str,
        environment: &[(OsString, OsString)],
    ) -> Result<HelperOutput, HelperError> {
        if input.len() > LARGEST_INPUT {
            let text = format!("no registry has a name of {} bytes", input.len());
            return Err(HelperError::Failed(text));
        }
        let path = find(program, variable(environment, "PATH")).map_err(HelperError::Failed)?;
        let mut command = Command::new(&path);
        command
            .arg0(program)
            .arg(argument)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let (id, stdout) = self.start(&mut command, input).map_err(|error| {
            error.unwrap_or_else(|error| {
                HelperError::Failed(format!("{}: {}", path.display(), os_text(&error)))
            })
        })?;
        let mut output = Vec::new();
        let read = stdout.take(LARGEST_OUTPUT + 1).read_to_end(&mut output);
        if output.len() as u64 > LARGEST_OUTPUT {
            self.kill(id);
        }
        let status = self.wait(id)?;
        if let Some(signal) = interruption(status) {
            return Err(HelperError::Interrupted(signal));
        }
        if let Err(error) = read {
            return Err(HelperError::Failed(os_text(&error)));
        }
        if output.len() as u64 > LARGEST_OUTPUT {
            let text = format!("{program} writes more than {LARGEST_OUTPUT} bytes");
            return Err(HelperError::Failed(text));
        }
        Ok(HelperOutput {
            failure: (!status.success()).then(|| words(status)),
            stdout: output,
        })
    }

    /// Asks all helpers to end, and lets no other begin.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        state.is_cancelled = true;
        for id in state.running.keys() {
            // The number is still theirs, for nobody has waited for them; what is left is one that has just ended.
            if let Some(pid) = i32::try_from(*id).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
    }

    /// Starts the program, unless none shall begin any more.
    fn start(
        &self,
        command: &mut Command,
        input: &str,
    ) -> Result<(u32, ChildStdout), Result<HelperError, std::io::Error>> {
        let mut state = self.lock();
        if state.is_cancelled {
            return Err(Ok(HelperError::Cancelled));
        }
        let mut child = command.spawn().map_err(Err)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let id = child.id();
        state.running.insert(id, child);
        drop(state);
        if let Some(mut stdin) = stdin {
            // A helper that does not read has its reasons, and its status tells them.
            let _ = stdin.write_all(input.as_bytes());
        }
        match stdout {
            Some(stdout) => Ok((id, stdout)),
            None => Err(Ok(HelperError::Failed(
                "it has no standard output".to_owned(),
            ))),
        }
    }

    fn kill(&self, id: u32) {
        if let Some(child) = self.lock().running.get_mut(&id) {
            // One that has ended already is as good.
            let _ = child.kill();
        }
    }

    /// Waits for the end of a program whose output has ended. The lock is not held meanwhile, so that it can be
    /// cancelled; nearly always it has ended already.
    fn wait(&self, id: u32) -> Result<ExitStatus, HelperError> {
        let mut pause = Duration::from_micros(100);
        loop {
            let mut state = self.lock();
            let ended = match state.running.get_mut(&id) {
                Some(child) => child.try_wait(),
                None => return Err(HelperError::Cancelled),
            };
            match ended {
                Ok(None) => {}
                Ok(Some(status)) => {
                    state.running.remove(&id);
                    return match state.is_cancelled {
                        true => Err(HelperError::Cancelled),
                        false => Ok(status),
                    };
                }
                Err(error) => {
                    state.running.remove(&id);
                    return Err(HelperError::Failed(os_text(&error)));
                }
            }
            drop(state);
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value of a variable; empty if it is not set.
pub(crate) fn variable<'a>(environment: &'a [(OsString, OsString)], name: &str) -> &'a OsStr {
    let found = environment.iter().find(|(known, _)| known == name);
    found.map_or(OsStr::new(""), |(_, value)| value)
}

/// Finds a program in the directories of a `PATH`. What asks for passwords is looked for only where not everyone can
/// put a program, nor in a directory that depends on where one happens to be.
pub(crate) fn find(program: &str, path: &OsStr) -> Result<PathBuf, String> {
    if program.contains('/') {
        return Err(format!("{program:?} is no name of a program"));
    }
    let mut unsafe_directory = None;
    for directory in env::split_paths(path) {
        let candidate = directory.join(program);
        if !is_executable(&candidate) {
            continue;
        }
        if directory.is_absolute() && !is_writable_by_all(&directory) {
            return Ok(candidate);
        }
        unsafe_directory.get_or_insert(directory);
    }
    Err(match unsafe_directory {
        None => format!("exec: {program:?}: executable file not found in $PATH"),
        Some(directory) if directory.is_absolute() => format!(
            "exec: {program:?}: found only in {}, where everyone may put programs",
            directory.display()
        ),
        Some(directory) => format!(
            "exec: {program:?}: found only in the relative directory {:?} of $PATH",
            directory
        ),
    })
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & EXECUTABLE != 0)
}

fn is_writable_by_all(directory: &Path) -> bool {
    let mode = fs::metadata(directory).map(|found| found.permissions().mode());
    mode.is_ok_and(|mode| mode & WRITABLE_BY_ALL != 0)
}

/// The terminal's signal that ended a program. A shell that outlived its child says so with a status of its own.
fn interruption(status: ExitStatus) -> Option<u8> {
    let number = status
        .signal()
        .or_else(|| status.code().map(|code| code - 128))?;
    [Signal::INT, Signal::HUP]
        .into_iter()
        .find(|signal| signal.as_raw() == number)
        .and_then(|signal| u8::try_from(signal.as_raw()).ok())
}

/// How a program failed; a status is worded as by Docker's client.
fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Instant;

    /// A program in a directory of its own, and variables with that directory first in `PATH`.
    fn program(script: &str) -> (tempfile::TempDir, Vec<(OsString, OsString)>) {
        harness::default_signals();
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("helper");
        // Written by a child: a file that this process holds open for writing, even in a fork of another test, can not
        // be executed.
        let made = Command::new("sh")
            .args([
                "-c",
                r#"printf '#!/bin/sh\n%s\n' "$2" >"$1"; chmod 755 "$1""#,
                "sh",
            ])
            .args([path.as_os_str(), OsStr::new(script)])
            .status();
        assert!(made.expect("a shell").success());
        let path = format!("{}:/usr/bin:/bin", directory.path().display());
        (directory, vec![("PATH".into(), path.into())])
    }

    fn run(script: &str) -> Result<(Option<String>, String), HelperError> {
        let (_directory, environment) = program(script);
        let output = HelperProcesses::default().run("helper", "get", "r:5000", &environment)?;
        Ok((
            output.failure,
            String::from_utf8_lossy(&output.stdout).into_owned(),
        ))
    }

    #[test]
    fn a_program_gets_input_and_argument_and_gives_output() {
        assert_eq!(
            run("echo $1; cat; exit 0"),
            Ok((None, "get\nr:5000".into()))
        );
        let failed = Some("exit status 3".to_owned());
        assert_eq!(run("echo why; exit 3"), Ok((failed, "why\n".into())));
        let killed = Some("ended by signal 9".to_owned());
        assert_eq!(run("kill -9 $$"), Ok((killed, String::new())));
        assert_eq!(run("kill -2 $$"), Err(HelperError::Interrupted(2)));
        assert_eq!(run("exit 129"), Err(HelperError::Interrupted(1)));
    }

    #[test]
    fn only_the_given_variables_are_passed_on() {
        let (_directory, mut environment) = program("env");
        environment.push(("SEEN".into(), "1".into()));
        let output = HelperProcesses::default()
            .run("helper", "get", "", &environment)
            .unwrap_or_else(|error| panic!("{error:?}"));
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.contains("SEEN=1") && !output.contains("CARGO"),
            "{output}"
        );
    }

    #[test]
    fn endless_output_is_cut() {
        let HelperError::Failed(text) = run("yes").expect_err("too much") else {
            panic!("not cancelled");
        };
        assert_eq!(text, "helper writes more than 1048576 bytes");
    }

    #[test]
    fn a_running_program_is_ended() {
        let (directory, environment) = program("touch \"$0.started\"; exec sleep 600");
        let processes = Arc::new(HelperProcesses::default());
        let of_thread = Arc::clone(&processes);
        let start = Instant::now();
        let running = thread::spawn(move || {
            of_thread
                .run("helper", "get", "r", &environment)
                .map(|_| ())
        });
        while !directory.path().join("helper.started").exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "it starts");
            thread::sleep(Duration::from_millis(5));
        }
        processes.cancel();
        let outcome = running.join().expect("no panic");
        assert_eq!(outcome, Err(HelperError::Cancelled));
        assert!(start.elapsed() < Duration::from_secs(60));
        let (_directory, environment) = program("true");
        let later = processes.run("helper", "get", "r", &environment).map(drop);
        assert_eq!(later, Err(HelperError::Cancelled));
    }

    #[test]
    fn programs_are_found_where_not_everyone_can_put_them() {
        let (directory, _) = program("true");
        let (open, _) = program("true");
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o1777)).expect("a mode");
        let (safe, open) = (
            directory.path().display().to_string(),
            open.path().display().to_string(),
        );
        let look = |path: &str| find("helper", OsStr::new(path));
        let expected = Ok(directory.path().join("helper"));
        assert_eq!(look(&format!("/nonexistent:{open}:{safe}")), expected);
        assert_eq!(
            look(&open),
            Err(format!(
                "exec: \"helper\": found only in {open}, where everyone may put programs"
            ))
        );
        let missing = Err("exec: \"helper\": executable file not found in $PATH".to_owned());
        assert_eq!(look(""), missing);
        assert_eq!(look("/nonexistent"), missing);
        assert_eq!(
            find("a/../helper", OsStr::new(&safe)),
            Err("\"a/../helper\" is no name of a program".to_owned())
        );
        fs::set_permissions(
            directory.path().join("helper"),
            fs::Permissions::from_mode(0o644),
        )
        .expect("a mode");
        assert_eq!(look(&safe), missing);
    }
}
