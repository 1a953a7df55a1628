//! A process on its way into a container, seen from the monitor.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use libcontainer::oci_spec::runtime;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open,
    pidfd_send_signal, waitid,
};

use super::executor::LastSteps;
use super::launcher::{Launch, Task};
use super::report::{self, Report, Reporter, Reports};
use super::{Failure, NAME};
use crate::cgroup::Cgroup;
use crate::sys::{self, Forked};
use crate::{Error, Result};

/// A process of a container, a child of this one.
#[derive(Debug)]
pub struct Process {
    /// Its number, as this process sees it.
    pub pid: Pid,
    /// The process itself: readable when it has ended.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one.
    pub terminal: Option<OwnedFd>,
}

/// A container that waits for its start. Dropping it kills it.
#[derive(Debug)]
pub struct Created {
    process: Option<Process>,
    launcher: Pid,
    reports: Reports,
    /// The directory of the socket on which the process waits.
    state: PathBuf,
}

impl Created {
    /// The container's first process.
    pub fn pid(&self) -> Pid {
        self.process().pid
    }

    /// The container's network namespace.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the container is gone already.
    pub fn network_namespace(&self) -> Result<OwnedFd> {
        // A child that nobody has waited for keeps its number.
        let path = format!("/proc/{}/ns/net", self.pid().as_raw_nonzero());
        open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| Error::io(format_args!("open {path}"), error))
    }

    /// Lets the process become its program, and returns when it has.
    ///
    /// # Errors
    ///
    /// Those that [`exit_code`](super::exit_code) has codes for. Nothing is left of the container then.
    pub fn start(mut self) -> Result<Process> {
        self.notify()?;
        self.finish()
    }

    /// A process that joined has been let go by its launcher.
    pub(super) fn joined(mut self) -> Result<Process> {
        self.finish()
    }

    fn finish(&mut self) -> Result<Process> {
        let mut details = Details::default();
        while let Some(received) = self.reports.next()? {
            match received.report {
                Report::Failed(failure) => return Err(details.explain(failure).into_error()),
                Report::Detail(text) => details.add(text),
                Report::Ready => {}
            }
        }
        reap_group(self.launcher)?;
        self.process.take().ok_or_else(gone)
    }

    fn notify(&self) -> Result<()> {
        let failed = |error| Error::io("start the container", error);
        // A path of any length is too long for a socket's address; this one is short.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            open(&self.state, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let path = format!("/proc/self/fd/{}/notify.sock", directory.as_raw_fd());
        let mut stream = UnixStream::connect(path).map_err(failed)?;
        stream.write_all(b"start container").map_err(failed)
    }

    fn process(&self) -> &Process {
        self.process
            .as_ref()
            .unwrap_or_else(|| unreachable!("it is taken by what consumes this"))
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        let Some(process) = self.process.take() else {
            return;
        };
        // Whichever of these fails, there is nothing that could be done about it here.
        let _ = pidfd_send_signal(&process.pidfd, Signal::KILL);
        let _ = kill_process_group(self.launcher, Signal::KILL);
        let _ = reap(process.pidfd.as_fd());
        let _ = reap_group(self.launcher);
    }
}

/// Forks a launcher, whose last steps are made with the side of the socket that is theirs, and waits until the process is
/// ready.
pub(super) fn launch(
    launch: &Launch<'_>,
    steps: impl FnOnce(Reporter) -> Result<LastSteps>,
) -> Result<Created> {
    // It would name the process before this one, which is another and is not to be killed if this one fails to come about.
    match fs::remove_file(launch.pid_file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Error::io(
                format_args!("remove {}", launch.pid_file.display()),
                error,
            ));
        }
        _ => {}
    }
    let (reports, reporter) = report::channel()?;
    let steps = steps(reporter)?;
    let forked = sys::fork(launch.cgroup.and_then(Cgroup::descriptor))
        .map_err(|error| Error::io("fork a launcher", error))?;
    let (launcher, pidfd) = match forked {
        Forked::Child => launch.run(steps),
        Forked::Parent { pid, pidfd } => (pid, pidfd),
    };
    drop(steps);
    let ready = wait_until_ready(&reports);
    let (process, failure) = match ready {
        Ok(process) => (Some(process), None),
        Err(error) => (None, Some(error)),
    };
    let created = Created {
        process,
        launcher,
        reports,
        state: launch.state.join(NAME),
    };
    let Some(failure) = failure else {
        return Ok(created);
    };
    // Whichever of these fails, it is the first failure that counts.
    let _ = pidfd_send_signal(&pidfd, Signal::KILL);
    let _ = kill_process_group(launcher, Signal::KILL);
    let _ = reap(pidfd.as_fd());
    let _ = reap_group(launcher);
    let _ = kill_unready(launch.pid_file);
    if let Task::Create = launch.task {
        super::clean_up(launch.state)?;
    }
    Err(failure)
}

/// Kills the container's process that was on its way, if there was one: it is in no group of ours any more.
fn kill_unready(pid_file: &Path) -> rustix::io::Result<()> {
    let pid = fs::read_to_string(pid_file)
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .and_then(Pid::from_raw);
    let Some(pid) = pid else { return Ok(()) };
    // Unless it is a child of this process, the number may be anybody's.
    look_at_child(pid)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    pidfd_send_signal(&pidfd, Signal::KILL)?;
    reap(pidfd.as_fd())
}

/// Fails unless the process is a child of this one that was not waited for, which has its number for that long.
fn look_at_child(pid: Pid) -> rustix::io::Result<()> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid), look).map(drop)
}

fn wait_until_ready(reports: &Reports) -> Result<Process> {
    let mut details = Details::default();
    while let Some(received) = reports.next()? {
        match received.report {
            Report::Detail(text) => details.add(text),
            Report::Failed(failure) => return Err(details.explain(failure).into_error()),
            Report::Ready => {
                let pid = received.sender.ok_or_else(gone)?;
                // Unless it is a child of this process, the number may be anybody's.
                look_at_child(pid).map_err(|_| gone())?;
                return Ok(Process {
                    pid,
                    pidfd: pidfd_open(pid, PidfdFlags::empty())
                        .map_err(|error| Error::io("open the container's process", error))?,
                    terminal: received.descriptor,
                });
            }
        }
    }
    Err(details
        .explain(Failure::container("the container's launcher was killed"))
        .into_error())
}

fn gone() -> Error {
    Error::system("the container's process is gone")
}

/// Waits for one child.
fn reap(pidfd: BorrowedFd<'_>) -> rustix::io::Result<()> {
    wait_for(WaitId::PidFd(pidfd)).map(drop)
}

/// Waits for all children of that process group; those that somebody else waited for are no error.
fn reap_group(group: Pid) -> Result<()> {
    loop {
        match wait_for(WaitId::Pgid(Some(group))) {
            Ok(()) => {}
            Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(Error::io("wait for a launcher", error)),
        }
    }
}

fn wait_for(whom: WaitId<'_>) -> rustix::io::Result<()> {
    loop {
        match waitid(whom.clone(), WaitIdOptions::EXITED) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What was logged on the way to a failure.
#[derive(Debug, Default)]
struct Details(Vec<String>);

impl Details {
    fn add(&mut self, text: String) {
        // The first ones are closest to the reason.
        if self.0.len() < 4 {
            self.0.push(text);
        }
    }

    fn explain(&self, mut failure: Failure) -> Failure {
        if failure.stage == super::Stage::Container
            && let Some(detail) = self.0.first()
        {
            // What failed stands at the end of a chain of where it failed.
            let step = failure.message.rsplit(": ").next().unwrap_or_default();
            failure.message = format!("{step}: {detail}");
        }
        failure
    }
}

/// The description of a joining process, a file for as long as this lives: until the process is started.
#[derive(Debug)]
pub(super) struct ProcessFile(PathBuf);

impl ProcessFile {
    pub(super) fn write(state: &Path, process: &runtime::Process) -> Result<ProcessFile> {
        let mut process = process.clone();
        // The terminal is made here, so libcontainer makes none.
        process.set_terminal(Some(false));
        let path = state.join("process.json");
        let failed = |error| Error::io(format_args!("write {}", path.display()), error);
        let text = serde_json::to_vec(&process).map_err(|error| failed(error.into()))?;
        // Its environment may hold secrets.
        let mut file: File = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        Ok(ProcessFile(path.clone()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// libcontainer leaves a socket behind for each process, on which nobody listens any more.
    fn remove_sockets(&self) -> std::io::Result<()> {
        let directory = self.0.with_file_name(NAME);
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with("tenant-notify-")
            {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for ProcessFile {
    fn drop(&mut self) {
        // The end of the container removes what is left here.
        let _ = fs::remove_file(&self.0);
        let _ = self.remove_sockets();
    }
}
