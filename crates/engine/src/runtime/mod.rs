//! Containers' processes: from a specification to a program that runs.
//!
//! libcontainer makes the namespaces, mounts and ids; this module decides who calls it and what comes before and after.
//! The caller, a container's monitor, has one thread and forks a *launcher*, which joins the container's cgroups, keeps
//! them from libcontainer and calls it. The container's process becomes the caller's child. It takes its last steps by
//! itself (terminal, working directory, filters, capabilities) and reports over a socket, whose end is the news that the
//! program runs: so a program that cannot be run is an error with a reason, and not a container that ends at once.
//!
//! Whoever calls these functions is in a mount namespace of its own ([`enter_mount_namespace`]) and a subreaper.

mod cgroup_view;
mod details;
mod executor;
mod failure;
mod launcher;
mod mismatch;
mod own_mounts;
mod own_program;
mod process;
mod program;
mod report;
mod terminal;
pub(crate) mod tree;

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use libcontainer::oci_spec::runtime::Mount;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::termios::Winsize;

pub use cgroup_view::PLACE as CGROUPS;
pub use failure::{Failure, Stage, exit_code};
pub use own_program::{SealedCommand, stage_init};
pub use process::{Created, Process};

use crate::cgroup::Cgroup;
use crate::layout::make_directory;
use crate::seccomp::Filter;
use crate::spec::{Built, BuiltProcess};
use crate::{Error, Result, sys};
use cgroup_view::View;
use executor::LastSteps;
use launcher::{Launch, Task};

/// What libcontainer calls the one container of a state directory.
const NAME: &str = "container";

/// What a process has for standard input, output and error.
#[derive(Clone, Copy, Debug)]
pub enum Stdio<'a> {
    /// Three descriptors. Pipes become the property of the process's user.
    Streams(Streams<'a>),
    /// A terminal, made inside the container, whose master [`Process::terminal`] is; of that size if one is given.
    Terminal(Option<Winsize>),
}

/// Three descriptors for a process.
#[derive(Clone, Copy, Debug)]
pub struct Streams<'a> {
    /// Standard input.
    pub stdin: BorrowedFd<'a>,
    /// Standard output.
    pub stdout: BorrowedFd<'a>,
    /// Standard error.
    pub stderr: BorrowedFd<'a>,
}

impl<'a> Streams<'a> {
    fn each(&self) -> [BorrowedFd<'a>; 3] {
        [self.stdin, self.stdout, self.stderr]
    }
}

impl<'a> Stdio<'a> {
    fn streams(&self) -> Option<&Streams<'a>> {
        match self {
            Stdio::Streams(streams) => Some(streams),
            Stdio::Terminal(_) => None,
        }
    }

    fn terminal(&self) -> Option<Option<Winsize>> {
        match self {
            Stdio::Streams(_) => None,
            Stdio::Terminal(size) => Some(*size),
        }
    }
}

/// What a container is created from.
#[derive(Clone, Copy, Debug)]
pub struct CreateInput<'a> {
    /// A directory for the specification, which outlives the container: joining processes need it.
    pub bundle: &'a Path,
    /// A directory for libcontainer's files, which is made where it is missing and is this container's alone.
    pub state: &'a Path,
    /// The specification, whose root is mounted already, and what else there is to do.
    pub built: &'a Built,
    /// The cgroups to start in.
    pub cgroup: Option<&'a Cgroup>,
    /// How many processes there may be; it is set when the launcher, which counts, is on its way out.
    pub pids_limit: Option<i64>,
    /// Standard input, output and error.
    pub stdio: Stdio<'a>,
}

/// Makes a container as far as its process, which waits for [`Created::start`]: its namespaces are there, its network can
/// be set up.
///
/// # Errors
///
/// Those that [`exit_code`] has codes for. Nothing is left of the container then, its cgroups excepted.
pub fn create(input: &CreateInput<'_>) -> Result<Created> {
    clean_up(input.state)?;
    make_directory(input.state)?;
    make_directory(input.bundle)?;
    let mounts = write_bundle(input)?;
    let steps = |reporter| -> Result<LastSteps> {
        let built = input.built;
        Ok(LastSteps {
            reporter,
            mounts,
            propagation: built.propagation.clone(),
            cgroup: match (input.cgroup, built.cgroup_view) {
                (Some(cgroup), Some(view)) => Some(View::of(cgroup, view)?),
                _ => None,
            },
            over_dev: built.over_dev.as_ref().map(tree::of_point).transpose()?,
            terminal: input.stdio.terminal(),
            console: true,
            working_dir: built.working_dir.clone(),
            makes_working_dir: true,
            filter: Filter::new(&built.seccomp, built.capabilities)?,
            capabilities: built.capabilities,
        })
    };
    let launch = Launch {
        task: Task::Create,
        bundle: input.bundle,
        state: input.state,
        pid_file: &input.state.join("pid"),
        cgroup: input.cgroup,
        streams: input.stdio.streams(),
    };
    let created = process::launch(&launch, steps).map_err(|error| {
        match mismatch::find(&input.built.spec, &error.to_string()) {
            Some(message) if exit_code(&error) == 128 => Failure::container(message).into_error(),
            _ => error,
        }
    })?;
    if let Some(cgroup) = input.cgroup {
        cgroup.set_pids_max(input.pids_limit)?;
    }
    Ok(created)
}

/// Writes the specification as libcontainer is to have it, and returns the mounts that it is not to make.
fn write_bundle(input: &CreateInput<'_>) -> Result<Vec<Mount>> {
    let path = input.bundle.join("config.json");
    let mut spec = input.built.spec.clone();
    if let Some(linux) = spec.linux_mut() {
        linux.set_cgroups_path(Some(launcher::no_cgroup(input.state)?));
    }
    let mounts = own_mounts::make(&mut spec)?;
    // The terminal is made here, so libcontainer makes none.
    if let Some(process) = spec.process_mut() {
        process.set_terminal(Some(false));
    }
    let failed = |error: io::Error| Error::io(format_args!("write {}", path.display()), error);
    let text = serde_json::to_vec(&spec).map_err(|error| failed(error.into()))?;
    fs::write(&path, text).map_err(failed)?;
    Ok(mounts)
}

/// What a joining process is created from.
#[derive(Clone, Copy, Debug)]
pub struct ExecInput<'a> {
    /// The container's, as in [`CreateInput`].
    pub bundle: &'a Path,
    /// The container's, as in [`CreateInput`].
    pub state: &'a Path,
    /// The process.
    pub built: &'a BuiltProcess,
    /// The container's cgroups.
    pub cgroup: Option<&'a Cgroup>,
    /// Standard input, output and error.
    pub stdio: Stdio<'a>,
}

/// Starts a process in a running container; it is the caller's child.
///
/// # Errors
///
/// Those that [`exit_code`] has codes for.
pub fn exec(input: &ExecInput<'_>) -> Result<Process> {
    let file = process::ProcessFile::write(input.state, &input.built.process)?;
    let steps = |reporter| -> Result<LastSteps> {
        Ok(LastSteps {
            reporter,
            mounts: Vec::new(),
            propagation: Vec::new(),
            cgroup: None,
            over_dev: None,
            terminal: input.stdio.terminal(),
            console: false,
            working_dir: input.built.working_dir.clone(),
            makes_working_dir: false,
            filter: Filter::new(&input.built.seccomp, input.built.capabilities)?,
            capabilities: input.built.capabilities,
        })
    };
    let launch = Launch {
        task: Task::Exec(file.path()),
        bundle: input.bundle,
        state: input.state,
        pid_file: &input.state.join("pid"),
        cgroup: input.cgroup,
        streams: input.stdio.streams(),
    };
    process::launch(&launch, steps)?.joined()
}

/// Removes what libcontainer keeps of a container that has ended.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be removed.
pub fn clean_up(state: &Path) -> Result<()> {
    match fs::remove_dir_all(state) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format_args!("remove {}", state.display()), error))
        }
        _ => Ok(()),
    }
}

/// Gives this process, which has one thread, a mount namespace of its own: what it mounts is seen by nobody else and gone
/// when it and its containers are, and what the machine mounts later shows.
///
/// Of the directories in `taken` the result has the mounts as they were before, for [`attach`]: they share mounts in both
/// directions, of which there is but one in the new namespace itself.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
pub fn enter_mount_namespace(taken: &[&Path]) -> Result<Vec<OwnedFd>> {
    let trees = taken
        .iter()
        .map(|path| tree::clone_of(path, tree::Depth::All))
        .collect::<Result<_>>()?;
    sys::unshare_mounts().map_err(|error| Error::io("make a mount namespace", error))?;
    mount_change(
        "/",
        MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
    )
    .map_err(|error| Error::io("make a mount namespace", error))?;
    Ok(trees)
}

/// Has such a tree see what is mounted where it was taken, and what is mounted in it be seen nowhere else.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
pub fn follow(tree: &OwnedFd) -> Result<()> {
    sys::set_mount_attributes(tree.as_fd(), true, 0, libc::MS_SLAVE)
        .map_err(|error| Error::io("take a mount along", error))
}

/// Mounts what [`enter_mount_namespace`] returned at a directory or a file.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
pub fn attach(mount: &OwnedFd, place: &Path) -> Result<()> {
    let failed = |error| Error::io(format_args!("mount {}", place.display()), error);
    let open = rustix::fs::open(
        place,
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .map_err(failed)?;
    tree::attach(mount, &open).map_err(failed)
}
