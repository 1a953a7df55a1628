//! The last steps of a process on its way to becoming a container's program.
//!
//! libcontainer calls them inside the container: as the user already, with all capabilities still. What can fail for
//! reasons of the container's is done before the process reports that it is ready; what would take something away that
//! an earlier step needs comes in the order in which that works: the filter of system calls while the process may load
//! it, then its capabilities, then the program.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use libcontainer::oci_spec::runtime::{Mount, Process, Spec};
use libcontainer::workload::{
    Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError,
};
use rustix::fs::{FileType, Uid, fchown, fstat};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::stdio::{stderr, stdin, stdout};
use rustix::termios::Winsize;

use super::cgroup_view::View;
use super::program::Program;
use super::report::{Report, Reporter};
use super::{Failure, own_mounts, terminal, tree};
use crate::error::os_text;
use crate::seccomp::Filter;
use crate::spec::{
    Capabilities, MountPropagation, Propagation, enter_working_dir, go_to_working_dir,
};
use crate::sys;

/// What is left to do inside the container.
#[derive(Debug)]
pub(super) struct LastSteps {
    pub(super) reporter: Reporter,
    /// Mounts that need the container's namespaces.
    pub(super) mounts: Vec<Mount>,
    pub(super) propagation: Vec<MountPropagation>,
    pub(super) cgroup: Option<View>,
    pub(super) over_dev: Option<OwnedFd>,
    /// The process gets a terminal, of that size if one is given.
    pub(super) terminal: Option<Option<Winsize>>,
    /// Whether the terminal is the container's console.
    pub(super) console: bool,
    pub(super) working_dir: PathBuf,
    /// Whether that is made where it is missing.
    pub(super) makes_working_dir: bool,
    pub(super) filter: Filter,
    pub(super) capabilities: Capabilities,
}

impl LastSteps {
    fn prepare(&self) -> Result<(), Failure> {
        // A process that waits for its start must not wait for a monitor that is gone.
        set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|error| failed("watch the monitor", error))?;
        for mount in &self.mounts {
            own_mounts::attach(mount).map_err(|error| {
                Failure::container(own_mounts::failed(mount, error).to_string())
            })?;
        }
        let over_dev = Path::new("/dev");
        self.propagate(|destination| destination != over_dev)?;
        if let Some(cgroup) = &self.cgroup {
            cgroup
                .attach()
                .map_err(|error| failed("mount /sys/fs/cgroup", error))?;
        }
        if let Some(over_dev) = &self.over_dev {
            tree::place(Path::new("/dev"))
                .and_then(|place| tree::attach(over_dev, &place))
                .map_err(|error| failed("mount /dev", error))?;
        }
        self.propagate(|destination| destination == over_dev)?;
        let terminal = match self.terminal {
            Some(size) => Some(terminal::open_terminal(size, self.console)?),
            None => None,
        };
        self.enter_working_dir()?;
        let told = match &terminal {
            Some(master) => self.reporter.send_with(&Report::Ready, master.as_fd()),
            None => self.reporter.send(&Report::Ready),
        };
        told.map_err(|error| failed("tell the monitor", error))
    }

    /// Sets the propagation of those mounts.
    fn propagate(&self, of: impl Fn(&Path) -> bool) -> Result<(), Failure> {
        for change in &self.propagation {
            if of(&change.destination) {
                mount_change(&change.destination, flags(change.propagation)).map_err(|error| {
                    let place = change.destination.display();
                    failed(&format!("set the propagation of {place}"), error)
                })?;
            }
        }
        Ok(())
    }

    fn enter_working_dir(&self) -> Result<(), Failure> {
        if self.makes_working_dir {
            return enter_working_dir(&self.working_dir)
                .map_err(|error| Failure::container(error.to_string()));
        }
        go_to_working_dir(&self.working_dir)
            .map_err(|error| Failure::of_working_dir(&self.working_dir, &error.into()))
    }

    /// Returns why the process did not become the program.
    fn execute(&self, process: &Process) -> Failure {
        match self.try_execute(process) {
            Ok(program) => program.execute(),
            Err(failure) => failure,
        }
    }

    fn try_execute(&self, process: &Process) -> Result<Program, Failure> {
        give_streams(Uid::from_raw(process.user().uid()))
            .map_err(|error| failed("hand over the standard streams", error))?;
        match sys::join_new_keyring() {
            // A kernel without keys has none to keep from the container.
            Err(error) if error.raw_os_error() != Some(Errno::NOSYS.raw_os_error()) => {
                return Err(failed("make a session keyring", error));
            }
            _ => {}
        }
        // From here on the container lives without its monitor.
        set_parent_process_death_signal(None)
            .map_err(|error| failed("let go of the monitor", error))?;
        sys::close_all_at_exec().map_err(|error| failed("close descriptors", error))?;
        sys::reset_signals().map_err(|error| failed("reset signals", error))?;

        let load = || {
            self.filter
                .load()
                .map_err(|error| failed("load the filter of system calls", error))
        };
        let drop = || {
            self.capabilities
                .apply()
                .map_err(|error| Failure::container(error.to_string()))
        };
        // Who may gain no privileges may load a filter without any, and then the filter need not allow the rest.
        if process.no_new_privileges().unwrap_or(false) {
            drop()?;
            let program = Program::find(process)?;
            load()?;
            Ok(program)
        } else {
            load()?;
            drop()?;
            // What can be run is the user's to say, who has no capabilities.
            Program::find(process)
        }
    }
}

/// For libcontainer, which copies it at will.
#[derive(Clone, Debug)]
pub(super) struct Steps(pub(super) Rc<LastSteps>);

impl Executor for Steps {
    fn validate(&self, _: &Spec) -> Result<(), ExecutorValidationError> {
        self.0.prepare().map_err(|failure| {
            let message = failure.message.clone();
            self.0.reporter.fail(failure);
            ExecutorValidationError::ArgValidationError(message)
        })
    }

    /// The program gets its environment as the specification has it; the one of this process is nobody's.
    fn setup_envs(&self, _: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let failure = match spec.process() {
            Some(process) => self.0.execute(process),
            None => Failure::container("there is no process to start"),
        };
        let status = i32::try_from(failure.exit_code()).unwrap_or(128);
        self.0.reporter.fail(failure);
        // Returning would run what was registered for the end of the monitor, inside the container.
        sys::exit_now(status)
    }
}

fn failed(doing: &str, error: impl Into<io::Error>) -> Failure {
    Failure::container(format!("{doing}: {}", os_text(&error.into())))
}

fn flags(propagation: Propagation) -> MountPropagationFlags {
    let recursive = MountPropagationFlags::REC;
    match propagation {
        Propagation::Rprivate => MountPropagationFlags::PRIVATE | recursive,
        Propagation::Private => MountPropagationFlags::PRIVATE,
        Propagation::Rslave => MountPropagationFlags::DOWNSTREAM | recursive,
        Propagation::Slave => MountPropagationFlags::DOWNSTREAM,
        Propagation::Rshared => MountPropagationFlags::SHARED | recursive,
        Propagation::Shared => MountPropagationFlags::SHARED,
        Propagation::Runbindable => MountPropagationFlags::UNBINDABLE | recursive,
        Propagation::Unbindable => MountPropagationFlags::UNBINDABLE,
    }
}

/// Makes the pipes of a process its user's: a program that opens `/dev/stdout` opens them by name, which takes the
/// permission to.
fn give_streams(user: Uid) -> rustix::io::Result<()> {
    for stream in [stdin(), stdout(), stderr()] {
        if let Err(error) = give_stream(stream, user) {
            match error {
                // In a user namespace the pipe's owner may be a stranger to it. The program has it open in any case.
                Errno::PERM | Errno::INVAL | Errno::ROFS => {}
                error => return Err(error),
            }
        }
    }
    Ok(())
}

fn give_stream(stream: BorrowedFd<'_>, user: Uid) -> rustix::io::Result<()> {
    let found = fstat(stream)?;
    let is_fifo = FileType::from_raw_mode(found.st_mode) == FileType::Fifo;
    if is_fifo && found.st_uid != user.as_raw() {
        fchown(stream, Some(user), None)?;
    }
    Ok(())
}
