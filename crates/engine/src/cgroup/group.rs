//! The cgroups of one container.

use std::collections::HashSet;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::host::Hierarchy;
use super::{
    DeviceRule, Host, Join, Limits, Stats, Version, device_program, freezer, stats, v1, v2,
};
use crate::{Error, Result};

/// How often a cgroup is asked to go, 2 ms apart: the last process leaves it a little after it was reaped.
const REMOVALS: u32 = 500;

/// The cgroups of one container, kept open: they are removed even where they can be named no more.
#[derive(Debug)]
pub struct Cgroup {
    version: Version,
    parts: Vec<Part>,
    /// Whether device rules are the kernel's to refuse: in a user namespace nothing can be made that they are about.
    rules_devices: bool,
}

#[derive(Debug)]
struct Part {
    hierarchy: Hierarchy,
    parent: OwnedFd,
    name: String,
    directory: Directory,
}

impl Cgroup {
    /// Makes the cgroups of a container, `parent` being what `--cgroup-parent` says, and writes limits, but for that of
    /// processes, and device rules into them. What was made is removed again when something fails.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) where this user can make none,
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a parent that is no path below the tree,
    /// and [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses a limit.
    pub fn create(
        host: &Host,
        parent: Option<&str>,
        id: &str,
        limits: &Limits,
        rules: &[DeviceRule],
    ) -> Result<Cgroup> {
        let mut group = Cgroup::prepared(host)?;
        let parent = parent_path(parent)?;
        let made = group
            .make(host, &parent, id)
            .and_then(|()| group.update(limits))
            .and_then(|()| group.rule_devices(rules));
        match made {
            Ok(()) => Ok(group),
            Err(error) => {
                // The first failure is the one to tell.
                let _ = group.remove();
                Err(error)
            }
        }
    }

    /// Opens the cgroups of a container that are there already, as far as they are; nothing where none is.
    ///
    /// # Errors
    ///
    /// As [`create`](Cgroup::create).
    pub fn open(host: &Host, parent: Option<&str>, id: &str) -> Result<Option<Cgroup>> {
        let mut group = Cgroup::prepared(host)?;
        let parent = parent_path(parent)?;
        for hierarchy in host.hierarchies() {
            let path = hierarchy.base.join(&parent);
            match open_directory(CWD, &path) {
                Ok(above) => group.take(hierarchy, above, &path, id, false)?,
                Err(Errno::NOENT) => {}
                Err(error) => {
                    return Err(Error::io(format_args!("open {}", path.display()), error));
                }
            }
        }
        Ok((!group.parts.is_empty()).then_some(group))
    }

    fn prepared(host: &Host) -> Result<Cgroup> {
        match (host.refusal(), host.version()) {
            (None, Some(version)) => Ok(Cgroup {
                version,
                parts: Vec::new(),
                rules_devices: !host.is_delegated(),
            }),
            (refusal, _) => Err(Error::not_implemented(format!(
                "no cgroup can be made: {}",
                refusal.unwrap_or("there is none")
            ))),
        }
    }

    fn make(&mut self, host: &Host, parent: &Path, id: &str) -> Result<()> {
        for hierarchy in host.hierarchies() {
            let mut path = hierarchy.base.clone();
            let failed = |path: &Path, error: Errno| {
                Error::io(format_args!("open {}", path.display()), error)
            };
            let mut above = Directory::new(
                open_directory(CWD, &path).map_err(|error| failed(&path, error))?,
                &path,
            );
            self.hand_down(&above, hierarchy)?;
            let has_cpuset = hierarchy.has("cpuset") && self.version == Version::V1;
            let mut cpuset = None;
            for part in parent {
                path.push(part);
                make_directory(above.descriptor.as_fd(), Path::new(part), &path)?;
                let opened = open_directory(above.descriptor.as_fd(), Path::new(part));
                let below = Directory::new(opened.map_err(|error| failed(&path, error))?, &path);
                if has_cpuset {
                    cpuset = Some(v1::Cpuset::inherited(&below, &above)?);
                }
                self.hand_down(&below, hierarchy)?;
                above = below;
            }
            make_directory(above.descriptor.as_fd(), Path::new(id), &path.join(id))?;
            let keep = above
                .descriptor
                .try_clone()
                .map_err(|error| Error::io("keep a cgroup", error))?;
            self.take(hierarchy, keep, &path, id, true)?;
            if let (Some(part), Some(cpuset)) = (self.parts.last(), cpuset) {
                cpuset.hand_down(&part.directory)?;
            }
        }
        Ok(())
    }

    /// On version 2 a cgroup has the controllers that the one above it hands down.
    fn hand_down(&self, directory: &Directory, hierarchy: &Hierarchy) -> Result<()> {
        if self.version != Version::V2 {
            return Ok(());
        }
        let enabled = directory.read("cgroup.subtree_control")?;
        for controller in &hierarchy.controllers {
            let is_enabled = enabled.split_whitespace().any(|other| other == controller);
            if !is_enabled
                && ["cpu", "cpuset", "io", "memory", "pids"].contains(&controller.as_str())
            {
                directory.write("cgroup.subtree_control", &format!("+{controller}"))?;
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        hierarchy: &Hierarchy,
        parent: OwnedFd,
        path: &Path,
        id: &str,
        must: bool,
    ) -> Result<()> {
        let path = path.join(id);
        match open_directory(parent.as_fd(), Path::new(id)) {
            Ok(directory) => {
                self.parts.push(Part {
                    hierarchy: hierarchy.clone(),
                    parent,
                    name: id.to_owned(),
                    directory: Directory::new(directory, &path),
                });
                Ok(())
            }
            Err(Errno::NOENT) if !must => Ok(()),
            Err(error) => Err(Error::io(format_args!("open {}", path.display()), error)),
        }
    }

    fn rule_devices(&self, rules: &[DeviceRule]) -> Result<()> {
        match self.version {
            Version::V1 => match self.with("devices") {
                Some(directory) => v1::allow_devices(directory, rules),
                None => Err(Error::system(
                    "the devices controller of cgroup v1 is not mounted, so a container could use every device",
                )),
            },
            Version::V2 if !self.rules_devices => Ok(()),
            Version::V2 => match self.parts.first() {
                Some(part) => device_program::attach(part.directory.descriptor.as_fd(), rules),
                None => Ok(()),
            },
        }
    }

    /// Writes limits, but for that of processes: a new container's launcher would count in it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses one.
    pub fn update(&self, limits: &Limits) -> Result<()> {
        for part in &self.parts {
            match self.version {
                Version::V1 => {
                    for controller in &part.hierarchy.controllers {
                        v1::limit(&part.directory, controller, limits)?;
                    }
                }
                Version::V2 => v2::limit(&part.directory, limits)?,
            }
        }
        Ok(())
    }

    /// Limits processes and threads; nothing and less than one is no limit.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
    pub fn set_pids_max(&self, limit: Option<i64>) -> Result<()> {
        let text = match limit.filter(|&limit| limit > 0) {
            Some(limit) => limit.to_string(),
            None => "max".to_owned(),
        };
        match self.with("pids") {
            Some(directory) => directory.write("pids.max", &text),
            None => Ok(()),
        }
    }

    /// How a process joins.
    pub fn join(&self) -> Join {
        let file = match self.version {
            Version::V1 => "tasks",
            Version::V2 => "cgroup.procs",
        };
        Join {
            files: self
                .parts
                .iter()
                .map(|part| part.directory.path.join(file))
                .collect(),
        }
    }

    /// The directory to start a process in by clone3(2) with `CLONE_INTO_CGROUP`, on version 2.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self.version {
            Version::V1 => None,
            Version::V2 => self
                .parts
                .first()
                .map(|part| part.directory.descriptor.as_fd()),
        }
    }

    /// What the container sees below `/sys/fs/cgroup`: names there and directories here. On version 2 the one directory
    /// is the whole of it and has no name.
    pub fn binds(&self) -> Vec<(String, PathBuf)> {
        self.parts
            .iter()
            .map(|part| (part.hierarchy.name.clone(), part.directory.path.clone()))
            .collect()
    }

    /// Stops all processes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they do not all stop within 10 seconds; they go on then.
    pub fn freeze(&self) -> Result<()> {
        self.set_frozen(true)
    }

    /// Lets all processes go on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(false)
    }

    fn set_frozen(&self, frozen: bool) -> Result<()> {
        match (self.version, self.with("freezer"), self.parts.first()) {
            (Version::V1, Some(directory), _) => freezer::set_v1(directory, frozen),
            (Version::V2, _, Some(part)) => freezer::set_v2(&part.directory, frozen),
            _ => Err(Error::not_implemented(
                "the freezer controller is not mounted, so containers cannot be paused",
            )),
        }
    }

    /// What the container uses and used. What the machine does not count is 0 or missing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the cgroup is gone.
    pub fn stats(&self) -> Result<Stats> {
        match (self.version, self.parts.first()) {
            (Version::V2, Some(part)) => stats::of_v2(&part.directory),
            _ => stats::of_v1(&|controller| self.with(controller)),
        }
    }

    /// How many processes the kernel killed for want of memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the cgroup is gone.
    pub fn oom_kills(&self) -> Result<u64> {
        let file = match self.version {
            Version::V1 => "memory.oom_control",
            Version::V2 => "memory.events",
        };
        match self.with("memory") {
            Some(directory) if directory.has(file) => {
                Ok(stats::field(&directory.read(file)?, "oom_kill").unwrap_or(0))
            }
            _ => Ok(0),
        }
    }

    /// All processes of the container, those of cgroups that it made included.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the cgroup cannot be read.
    pub fn pids(&self) -> Result<Vec<Pid>> {
        let mut pids = Vec::new();
        if let Some(part) = self
            .parts
            .iter()
            .find(|part| part.hierarchy.has("pids"))
            .or(self.parts.first())
        {
            collect_pids(&part.directory, &mut pids)?;
        }
        Ok(pids)
    }

    /// Kills all processes, with no regard for namespaces, and does not wait for them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the cgroup cannot be read.
    pub fn kill(&self) -> Result<()> {
        if self.version == Version::V2
            && let Some(part) = self.parts.first()
            && part.directory.has("cgroup.kill")
        {
            return part.directory.write("cgroup.kill", "1");
        }
        // What forks in the meantime is seen the next time.
        for _ in 0..REMOVALS {
            let listed = self.pids()?;
            if listed.is_empty() {
                break;
            }
            let opened: Vec<(Pid, OwnedFd)> = listed
                .into_iter()
                .filter_map(|pid| Some((pid, pidfd_open(pid, PidfdFlags::empty()).ok()?)))
                .collect();
            // A number may have become another process's before it was opened. What is listed still is what was opened, or
            // that is gone.
            let still: HashSet<Pid> = self.pids()?.into_iter().collect();
            for (pid, process) in opened {
                if !still.contains(&pid) {
                    continue;
                }
                match pidfd_send_signal(&process, Signal::KILL) {
                    Ok(()) | Err(Errno::SRCH) => {}
                    Err(error) => {
                        return Err(Error::io(
                            format_args!("kill {}", pid.as_raw_nonzero()),
                            error,
                        ));
                    }
                }
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Removes the cgroups and those that the container made below them. All its processes have to be gone; whoever was
    /// just reaped is waited for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if one still has a process after a second.
    pub fn remove(&mut self) -> Result<()> {
        let mut first = Ok(());
        self.parts.retain(|part| {
            match remove_tree(part.parent.as_fd(), &part.name, &part.directory.path) {
                Ok(()) => false,
                Err(error) => {
                    if first.is_ok() {
                        first = Err(error);
                    }
                    true
                }
            }
        });
        first
    }

    fn with(&self, controller: &str) -> Option<&Directory> {
        self.parts
            .iter()
            .find(|part| part.hierarchy.has(controller))
            .map(|part| &part.directory)
    }
}

/// The directory of one cgroup.
#[derive(Debug)]
pub(super) struct Directory {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Directory {
    fn new(descriptor: OwnedFd, path: &Path) -> Directory {
        Directory {
            descriptor,
            path: path.to_owned(),
        }
    }

    pub(super) fn has(&self, file: &str) -> bool {
        rustix::fs::accessat(
            &self.descriptor,
            file,
            rustix::fs::Access::EXISTS,
            AtFlags::empty(),
        )
        .is_ok()
    }

    pub(super) fn read(&self, file: &str) -> Result<String> {
        let opened = openat(
            &self.descriptor,
            file,
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|error| self.failed(file, error))?;
        let mut text = String::new();
        std::fs::File::from(opened)
            .read_to_string(&mut text)
            .map_err(|error| {
                Error::io(
                    format_args!("read {}", self.path.join(file).display()),
                    error,
                )
            })?;
        Ok(text)
    }

    pub(super) fn write(&self, file: &str, text: &str) -> Result<()> {
        self.try_write(file, text)?
            .map_err(|error| self.refused(file, text, error))
    }

    /// Writes texts one after the other to a file that takes one at a time.
    pub(super) fn write_each(
        &self,
        file: &str,
        texts: impl IntoIterator<Item = String>,
    ) -> Result<()> {
        let opened = self
            .open_to_write(file)
            .map_err(|error| self.failed(file, error))?;
        for text in texts {
            self.write_to(&opened, file, &text)?
                .map_err(|error| self.refused(file, &text, error))?;
        }
        Ok(())
    }

    /// Writes what the kernel may refuse; its answer is the inner result.
    pub(super) fn try_write(
        &self,
        file: &str,
        text: &str,
    ) -> Result<std::result::Result<(), Errno>> {
        match self.open_to_write(file) {
            Ok(opened) => self.write_to(&opened, file, text),
            Err(error) => Ok(Err(error)),
        }
    }

    fn open_to_write(&self, file: &str) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        openat(&self.descriptor, file, flags, Mode::empty())
    }

    fn write_to(
        &self,
        opened: &OwnedFd,
        file: &str,
        text: &str,
    ) -> Result<std::result::Result<(), Errno>> {
        loop {
            match rustix::io::write(opened, text.as_bytes()) {
                Ok(written) if written == text.len() => return Ok(Ok(())),
                Ok(_) => {
                    return Err(Error::system(format!(
                        "write {}: only in part",
                        self.path.join(file).display()
                    )));
                }
                Err(Errno::INTR) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    fn refused(&self, file: &str, text: &str, error: Errno) -> Error {
        Error::io(
            format_args!("write \"{text}\" to {}", self.path.join(file).display()),
            error,
        )
    }

    pub(super) fn failed(&self, file: &str, error: Errno) -> Error {
        Error::io(
            format_args!("open {}", self.path.join(file).display()),
            error,
        )
    }
}

/// A parent is below the tree's root, and never the root itself.
pub(super) fn parent_path(parent: Option<&str>) -> Result<PathBuf> {
    let text = parent
        .filter(|parent| !parent.is_empty())
        .unwrap_or(super::DEFAULT_PARENT);
    let invalid = || {
        Error::invalid(format!(
            "invalid cgroup parent: \"{text}\" is not a path of plain names"
        ))
    };
    let mut path = PathBuf::new();
    for part in Path::new(text).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::RootDir | Component::CurDir => {}
            _ => return Err(invalid()),
        }
    }
    if path.as_os_str().is_empty() || text.contains(['\0', '\n']) {
        return Err(invalid());
    }
    Ok(path)
}

fn open_directory(parent: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    openat(parent, path, flags, Mode::empty())
}

fn make_directory(parent: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<()> {
    match mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(Error::io(format_args!("mkdir {}", path.display()), error)),
    }
}

/// Names of the cgroups right below one.
fn children(directory: BorrowedFd<'_>) -> rustix::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        if entry.file_type() == FileType::Directory && name != "." && name != ".." {
            names.push(name.into_owned());
        }
    }
    Ok(names)
}

fn collect_pids(directory: &Directory, pids: &mut Vec<Pid>) -> Result<()> {
    let listed = directory.read("cgroup.procs")?;
    // A process of another namespace is listed as 0.
    pids.extend(
        listed
            .lines()
            .filter_map(|line| line.parse().ok())
            .filter_map(Pid::from_raw),
    );
    let below =
        children(directory.descriptor.as_fd()).map_err(|error| directory.failed("", error))?;
    for name in below {
        if let Ok(descriptor) = open_directory(directory.descriptor.as_fd(), Path::new(&name)) {
            collect_pids(
                &Directory::new(descriptor, &directory.path.join(&name)),
                pids,
            )?;
        }
    }
    Ok(())
}

fn remove_tree(parent: BorrowedFd<'_>, name: &str, path: &Path) -> Result<()> {
    let failed = |error: Errno| Error::io(format_args!("rmdir {}", path.display()), error);
    for _ in 0..REMOVALS {
        match unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT | Errno::NODEV) => return Ok(()),
            Err(Errno::BUSY | Errno::INTR) => {}
            Err(error) => return Err(failed(error)),
        }
        if let Ok(directory) = open_directory(parent, Path::new(name)) {
            let below = children(directory.as_fd()).map_err(failed)?;
            for child in &below {
                remove_tree(directory.as_fd(), child, &path.join(child))?;
            }
            if !below.is_empty() {
                continue;
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
    Err(failed(Errno::BUSY))
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
