//! Monitors of containers that are not there any more.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, geteuid, pidfd_open, pidfd_send_signal};

use super::{Audit, Thing};
use crate::monitor;
use crate::state::Lock;
use crate::{Error, Result};

/// How long a monitor may take to end that has nothing to do any more.
const PATIENCE: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

pub(super) fn audit(audit: &mut Audit<'_>) -> Result<()> {
    let layout = audit.layout().clone();
    let mut found = monitors()?;
    found.retain(|monitor| monitor.is_of(layout.root()));
    for monitor in found {
        let Monitor { pid, id, .. } = &monitor;
        let problem = if !layout.container(id).is_dir() {
            format!("it is the monitor of container {id}, which does not exist")
        } else if !Lock::is_held(&layout, id).unwrap_or(true) {
            format!("it is the monitor of container {id} and has lost its lock")
        } else {
            continue;
        };
        // It may have much to delete.
        let deletes = layout.containers().join(format!(".{id}")).is_dir();
        if deletes || monitor.leaves() {
            continue;
        }
        audit.found(Thing::Process, pid.as_raw_nonzero(), problem, || {
            monitor.kill()
        });
    }
    Ok(())
}

/// A process that is the monitor of a container.
#[derive(Debug, PartialEq, Eq)]
struct Monitor {
    pid: Pid,
    root: PathBuf,
    id: String,
}

fn monitors() -> Result<Vec<Monitor>> {
    let entries = fs::read_dir("/proc").map_err(|error| Error::io("read /proc", error))?;
    Ok(entries
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter_map(Monitor::of)
        .collect())
}

impl Monitor {
    /// What the process is the monitor of, if it is one of this user's.
    fn of(pid: Pid) -> Option<Monitor> {
        let directory = format!("/proc/{}", pid.as_raw_nonzero());
        let line = fs::read(format!("{directory}/cmdline")).ok()?;
        let (root, id) = root_and_id(&line)?;
        let owner = fs::metadata(&directory).ok()?.uid();
        (owner == geteuid().as_raw()).then_some(Monitor { pid, root, id })
    }

    /// Whether it is of the engine with that root. In a container of a container, or behind chroot(2), another directory may
    /// have the same path, so the process is asked for the directory that it finds there.
    fn is_of(&self, root: &Path) -> bool {
        if self.root != root {
            return false;
        }
        let seen = format!("/proc/{}/root", self.pid.as_raw_nonzero());
        let seen = PathBuf::from(seen).join(root.strip_prefix("/").unwrap_or(root));
        match (fs::metadata(seen), fs::metadata(root)) {
            (Ok(seen), Ok(ours)) => (seen.dev(), seen.ino()) == (ours.dev(), ours.ino()),
            _ => false,
        }
    }

    /// Whether it is on its way out, as it is right after it removed its container.
    fn leaves(&self) -> bool {
        let Ok(descriptor) = pidfd_open(self.pid, PidfdFlags::empty()) else {
            return true;
        };
        let mut ends = [PollFd::new(&descriptor, PollFlags::IN)];
        poll(&mut ends, Some(&PATIENCE)).is_ok_and(|ready| ready > 0)
    }

    /// Kills the process if it still is what it was.
    fn kill(&self) -> Result<()> {
        let failed = |errno| Error::io(format_args!("kill {}", self.pid.as_raw_nonzero()), errno);
        let descriptor = match pidfd_open(self.pid, PidfdFlags::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::SRCH) => return Ok(()),
            Err(errno) => return Err(failed(errno)),
        };
        // The number may be another process's by now; the descriptor will not be.
        let is_same = |now: &Monitor| now == self && now.is_of(&self.root);
        if !Monitor::of(self.pid).as_ref().is_some_and(is_same) {
            return Ok(());
        }
        match pidfd_send_signal(&descriptor, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(failed(errno)),
        }
    }
}

/// The root and the container in a monitor's arguments.
fn root_and_id(line: &[u8]) -> Option<(PathBuf, String)> {
    let mut words = line.split(|byte| *byte == 0);
    if words.next()? != monitor::NAME.as_bytes() {
        return None;
    }
    let root = PathBuf::from(OsStr::from_bytes(words.next()?));
    let id = str::from_utf8(words.nth(1)?).ok()?;
    Some((root, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitor_is_of_the_root_that_it_sees() {
        let directory = tempfile::tempdir().expect("a directory");
        let monitor = |pid| Monitor {
            pid,
            root: directory.path().to_owned(),
            id: "a".repeat(64),
        };
        let own = monitor(rustix::process::getpid());
        assert!(own.is_of(directory.path()));
        assert!(!own.is_of(Path::new("/")));
        if !geteuid().is_root() {
            return;
        }
        // The same path leads another process to another directory.
        let mut other = std::process::Command::new("unshare")
            .args([
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs tmpfs \"$0\" && echo && exec sleep 1000",
            ])
            .arg(directory.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("unshare");
        let stdout = other.stdout.as_mut().expect("a pipe");
        std::io::Read::read_exact(stdout, &mut [0]).expect("it is mounted");
        let pid = i32::try_from(other.id()).ok().and_then(Pid::from_raw);
        let is_of = monitor(pid.expect("a process")).is_of(directory.path());
        other.kill().expect("killed");
        other.wait().expect("it ended");
        assert!(!is_of);
    }

    #[test]
    fn a_monitor_is_known_by_its_arguments() {
        let found = |line: &str| root_and_id(line.as_bytes());
        assert_eq!(
            found("tool-monitor\0/var/lib/tool\0/run/tool\0abc\0"),
            Some((PathBuf::from("/var/lib/tool"), "abc".to_owned()))
        );
        for line in [
            "tool\0/var/lib/tool\0/run/tool\0abc\0",
            "tool-monitor\0/var/lib/tool\0/run/tool",
            "",
        ] {
            assert_eq!(found(line), None, "{line:?}");
        }
    }
}
