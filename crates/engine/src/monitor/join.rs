//! Starting processes in a container that runs.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use bollard_stubs::models::ExecConfig;

use super::ends::{Ends, Theirs, null, pipe};
use super::place::{Place, directory};
use super::protocol::Size;
use super::size::{of_console, winsize};
use crate::Result;
use crate::cgroup::Cgroup;
use crate::runtime::{self, Process, Stdio};
use crate::spec::{self, Capabilities};
use crate::user_namespace::Ids;

/// Starts a process in the container whose first one has that number.
pub(super) fn exec(
    place: &Place<'_>,
    pid: i32,
    cgroup: Option<&Cgroup>,
    config: &ExecConfig,
    size: Option<Size>,
) -> Result<(Process, Ends)> {
    if config.tty.unwrap_or(false) {
        let size = size
            .and_then(winsize)
            .or_else(|| of_console(config.console_size.as_deref()));
        let mut process = join(place, pid, cgroup, config, Stdio::Terminal(size))?;
        let ends = Ends {
            terminal: process.terminal.take(),
            ..Ends::default()
        };
        return Ok((process, ends));
    }
    let output = |is_wanted: Option<bool>| match is_wanted.unwrap_or(false) {
        true => pipe().map(|(ours, theirs)| (Some(ours), theirs)),
        false => Ok((None, null()?)),
    };
    let (stdout, their_stdout) = output(config.attach_stdout)?;
    let (stderr, their_stderr) = output(config.attach_stderr)?;
    let (their_stdin, stdin) = match config.attach_stdin.unwrap_or(false) {
        true => pipe().map(|(theirs, ours)| (theirs, Some(ours)))?,
        false => (null()?, None),
    };
    let theirs = Theirs {
        stdin: their_stdin,
        stdout: their_stdout,
        stderr: their_stderr,
    };
    let process = join(place, pid, cgroup, config, theirs.stdio())?;
    let ends = Ends {
        stdin,
        stdout,
        stderr,
        terminal: None,
    };
    Ok((process, ends))
}

/// Starts a process in the container, and returns what it writes.
pub(super) fn probe(
    place: &Place<'_>,
    pid: i32,
    cgroup: Option<&Cgroup>,
    config: &ExecConfig,
) -> Result<(Process, OwnedFd)> {
    let (ours, theirs) = pipe()?;
    let null = null()?;
    let stdio = Stdio::Streams(runtime::Streams {
        stdin: null.as_fd(),
        stdout: theirs.as_fd(),
        stderr: theirs.as_fd(),
    });
    let process = join(place, pid, cgroup, config, stdio)?;
    Ok((process, ours))
}

fn join(
    place: &Place<'_>,
    pid: i32,
    cgroup: Option<&Cgroup>,
    config: &ExecConfig,
    stdio: Stdio<'_>,
) -> Result<Process> {
    let root = directory(Path::new(&format!("/proc/{pid}/root")))?;
    let available = Capabilities::available()?;
    let ids = Ids::of_this_process()?;
    let built = spec::process(&spec::ExecInput {
        config,
        container: &place.record.body,
        root: root.as_fd(),
        ids,
        available,
        may_raise_limits: spec::may_raise_limits(available, ids),
    })?;
    runtime::exec(&runtime::ExecInput {
        bundle: &place.bundle(),
        state: &place.runtime_state(),
        built: &built,
        cgroup,
        stdio,
    })
}
