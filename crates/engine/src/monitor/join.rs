//! Starting processes in a container that runs.

use std::os::fd::{AsFd, OwnedFd};

use bollard_stubs::models::ExecConfig;

use super::ends::{Ends, Theirs, null, pipe};
use super::place::Place;
use super::protocol::Size;
use super::size::{of_console, winsize};
use crate::cgroup::Cgroup;
use crate::runtime::{self, Process, Stdio};
use crate::spec::{self, Capabilities};
use crate::state::Proven;
use crate::user_namespace::Ids;
use crate::{Error, Result, sys};

/// Starts a process in the container whose first one that is.
pub(super) fn exec(
    place: &Place<'_>,
    first: &Proven,
    cgroup: Option<&Cgroup>,
    config: &ExecConfig,
    size: Option<Size>,
) -> Result<(Process, Ends)> {
    if config.tty.unwrap_or(false) {
        let size = size
            .and_then(winsize)
            .or_else(|| of_console(config.console_size.as_deref()));
        let mut process = join(place, first, cgroup, config, Stdio::Terminal(size))?;
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
    let process = join(place, first, cgroup, config, theirs.stdio())?;
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
    first: &Proven,
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
    let process = join(place, first, cgroup, config, stdio)?;
    Ok((process, ours))
}

fn join(
    place: &Place<'_>,
    first: &Proven,
    cgroup: Option<&Cgroup>,
    config: &ExecConfig,
    stdio: Stdio<'_>,
) -> Result<Process> {
    let gone = || {
        let id = &place.record.id;
        Error::conflict(format!("container {id} is not running"))
    };
    let root = first.root().map_err(|_| gone())?;
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
    let process = runtime::exec(&runtime::ExecInput {
        bundle: &place.bundle(),
        state: &place.runtime_state(),
        built: &built,
        cgroup,
        stdio,
    })?;
    // libcontainer finds the namespaces by the first process's number. A child of this monitor keeps that until it is waited
    // for, which does not happen meanwhile; one that was adopted may have lost it.
    if !first.is_alive() {
        let _ = sys::send_signal(process.pidfd.as_fd(), libc::SIGKILL);
        return Err(gone());
    }
    Ok(process)
}
