//! The launcher: a fork of the monitor that calls libcontainer and ends.
//!
//! libcontainer allocates after a raw clone3(2), changes the working directory and makes its caller undumpable. None of
//! that is for a monitor, so a short-lived fork of it does the calling; the monitor has one thread, so the fork may do
//! whatever it could. The container's first process is a sibling of the launcher: the monitor's own child.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use libcontainer::container::ContainerStatus;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use rustix::fs::{Mode, OFlags, open, statfs};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, unmount,
};
use rustix::process::setpgid;
use rustix::stdio::{dup2_stdin, dup2_stdout};

use super::executor::{LastSteps, Steps};
use super::{Failure, NAME, Streams, cgroup_view, details};
use crate::cgroup::{Cgroup, place_of};
use crate::layout::make_directory;
use crate::user_namespace::Ids;
use crate::{Error, Result, sys};

/// What libcontainer is asked for.
#[derive(Debug)]
pub(super) enum Task<'a> {
    /// A container.
    Create,
    /// A process in it, described by this file.
    Exec(&'a Path),
}

/// What a launcher does.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) task: Task<'a>,
    pub(super) bundle: &'a Path,
    pub(super) state: &'a Path,
    /// The file that the number of the container's process is written to as soon as there is one.
    pub(super) pid_file: &'a Path,
    pub(super) cgroup: Option<&'a Cgroup>,
    pub(super) streams: Option<&'a Streams<'a>>,
}

impl Launch<'_> {
    /// What the forked process does; it ends here.
    pub(super) fn run(&self, steps: LastSteps) -> ! {
        let steps = Rc::new(steps);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.try_run(&steps)));
        let failure = match outcome {
            Ok(Ok(())) => sys::exit_now(0),
            Ok(Err(error)) => Failure::container(error.to_string()),
            Err(_) => Failure::container("the launcher panicked"),
        };
        steps.reporter.fail(failure);
        sys::exit_now(1)
    }

    fn try_run(&self, steps: &Rc<LastSteps>) -> Result<()> {
        // So that whoever forked it can wait for it and for what it forks, and for nobody else: the container's process
        // leaves the group when it makes its session.
        setpgid(None, None).map_err(|error| Error::io("make a process group", error))?;
        self.close_the_rest(steps)?;
        details::send_errors(steps);
        // On version 2 it is there already.
        if let Some(cgroup) = self.cgroup
            && cgroup.descriptor().is_none()
        {
            cgroup.join().join()?;
        }
        show_version_2(Ids::of_this_process()?.is_some())
            .map_err(|error| Error::io("mount over /sys/fs/cgroup", error))?;
        self.call(steps)
            .map_err(|error| Error::system(chain(&*error)))
    }

    /// Lets go of what is the monitor's: a lock or a socket that lives on in a container's process would be held by it.
    fn close_the_rest(&self, steps: &LastSteps) -> Result<()> {
        let failed = |error: io::Error| Error::io("close descriptors", error);
        let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .and_then(|null| dup2_stdin(&null).and_then(|()| dup2_stdout(&null)));
        null.map_err(|error| failed(error.into()))?;
        let mut keep: Vec<RawFd> = steps.descriptors();
        if let Some(streams) = self.streams {
            keep.extend(streams.each().iter().map(|stream| stream.as_raw_fd()));
        }
        sys::close_all_but(&mut keep).map_err(failed)
    }

    fn call(&self, steps: &Rc<LastSteps>) -> std::result::Result<(), Box<dyn std::error::Error>> {
        let mut builder = ContainerBuilder::new(NAME.to_owned(), SyscallType::default())
            .with_root_path(self.state)?
            .with_pid_file(Some(self.pid_file))?
            .with_executor(Steps(Rc::clone(steps)));
        if let Some(streams) = self.streams {
            // It closes what it is given, one by one: each has to be a descriptor of its own, and none of the first.
            let own = |stream: BorrowedFd<'_>| fcntl_dupfd_cloexec(stream, 3);
            let [stdin, stdout, stderr] = streams.each();
            builder = builder
                .with_stdin(own(stdin)?)
                .with_stdout(own(stdout)?)
                .with_stderr(own(stderr)?);
        }
        match &self.task {
            Task::Create => {
                let mut container = builder
                    .as_init(self.bundle)
                    .with_systemd(false)
                    .as_sibling(true)
                    .build()?;
                // What joins later is let in if that is said.
                container.set_status(ContainerStatus::Running).save()?;
            }
            Task::Exec(process) => {
                builder
                    .as_tenant()
                    .with_process(Some(*process))
                    .as_sibling(true)
                    .build()?;
            }
        }
        Ok(())
    }
}

impl LastSteps {
    fn descriptors(&self) -> Vec<RawFd> {
        let mut list = vec![self.reporter.as_raw_fd()];
        list.extend(self.over_dev.iter().map(AsRawFd::as_raw_fd));
        list.extend(self.cgroup.iter().flat_map(|view| view.descriptors()));
        list
    }
}

/// Has libcontainer find version 2, whatever the machine has: with version 1 it would look each controller up in the list of
/// mounts, which takes longer than what it makes of a container. It does nothing there, see [`no_cgroup`].
fn show_version_2(in_user_namespace: bool) -> io::Result<()> {
    let place = Path::new(cgroup_view::PLACE);
    if is_version_2(place) {
        return Ok(());
    }
    sys::unshare_mounts()?;
    // Nothing of what follows is to be seen elsewhere. Where `/sys` is no mount, the whole tree is taken.
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    match mount_change("/sys", private) {
        Err(Errno::INVAL | Errno::NOENT) => mount_change("/", private)?,
        changed => changed?,
    }
    // Where it usually is beside version 1.
    let unified = place.join("unified");
    let there = match is_version_2(&unified) {
        true => Some(unified),
        false => place_of("cgroup2").map_err(io::Error::other)?,
    };
    if let Some(there) = there {
        return Ok(mount_bind(there, place)?);
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if in_user_namespace {
        // One that nobody mounted yet can be, by who has a cgroup namespace.
        sys::unshare_cgroups()?;
        return Ok(mount("cgroup2", place, "cgroup2", flags, None)?);
    }
    match unmount(place, UnmountFlags::DETACH) {
        // It is no mount.
        Ok(()) | Err(Errno::INVAL) => {}
        Err(error) => return Err(error.into()),
    }
    // To mount the first one takes the kernel 8 ms and more. With none, and without those of version 1, libcontainer looks
    // for each and finds nothing.
    // Trees of version 1 are still there where the container is to have them in a bind.
    if place_of("cgroup").map_err(io::Error::other)?.is_some() {
        return Ok(mount("cgroup2", place, "cgroup2", flags, None)?);
    }
    let size = Some(c"size=4k,mode=755");
    Ok(mount("tmpfs", place, "tmpfs", flags, size)?)
}

fn is_version_2(place: &Path) -> bool {
    const CGROUP2: i64 = 0x6367_7270;
    statfs(place).is_ok_and(|found| found.f_type == CGROUP2)
}

/// Makes the directory that libcontainer takes for the container's cgroup, in `state`, where the process is put by writing
/// its number to nowhere; returns its name from the root of the tree of cgroups. The container's real cgroups are joined
/// by then.
pub(super) fn no_cgroup(state: &Path) -> Result<PathBuf> {
    let directory = state.join("cgroup");
    make_directory(&directory)?;
    let processes = directory.join("cgroup.procs");
    match symlink("/dev/null", &processes) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::io(
                format_args!("make {}", processes.display()),
                error,
            ));
        }
        _ => {}
    }
    let up = Path::new(cgroup_view::PLACE).components().skip(1);
    let mut name: PathBuf = up.map(|_| "..").collect();
    name.extend(directory.components().skip(1));
    Ok(name)
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let own = error.to_string();
        if !text.ends_with(&own) {
            text.push_str(": ");
            text.push_str(&own);
        }
        source = error.source();
    }
    text
}
