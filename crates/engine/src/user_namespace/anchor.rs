//! Who is in the namespace that the containers of a user share: a file for each, in the runtime directory.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::{iter, process};

use crate::layout::make_directory;
use crate::state::{Store, life};
use crate::{Error, Layout, Result};

/// The directory of these files, in the runtime directory.
const DIRECTORY: &str = "namespace";

/// Word of a process that is in the namespace, as long as this lives. What a killed process leaves, the next one to look
/// removes.
#[derive(Debug)]
pub(crate) struct Anchor {
    path: PathBuf,
}

impl Anchor {
    /// Says that this process is in it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the file cannot be written.
    pub(crate) fn drop_at(layout: &Layout) -> Result<Anchor> {
        let directory = layout.run().join(DIRECTORY);
        make_directory(&directory)?;
        let own = process::id();
        let path = directory.join(own.to_string());
        let started = i32::try_from(own)
            .ok()
            .and_then(life::process_started)
            .ok_or_else(|| Error::system("/proc does not show this process"))?;
        fs::write(&path, started.to_string())
            .map_err(|error| Error::io(format_args!("write {}", path.display()), error))?;
        Ok(Anchor { path })
    }
}

impl Drop for Anchor {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The user namespaces of all processes that say that they are in one, and of containers that nobody looks after.
pub(super) fn namespaces(layout: &Layout) -> impl Iterator<Item = OwnedFd> {
    let entries = fs::read_dir(layout.run().join(DIRECTORY))
        .into_iter()
        .flatten()
        .flatten();
    let said = entries.filter_map(|entry| living(&entry.path()));
    // These are read only if nobody said anything.
    let containers = iter::once_with(|| orphans(layout)).flatten();
    said.chain(containers).filter_map(namespace)
}

/// The first processes of containers that run.
fn orphans(layout: &Layout) -> impl Iterator<Item = i32> {
    let store = Store::new(layout);
    let ids = store.ids().unwrap_or_default();
    ids.into_iter()
        .filter_map(move |id| store.state(&id).ok())
        .filter(|state| life::process_started(state.pid) == Some(state.pid_started))
        .map(|state| state.pid)
}

fn namespace(pid: i32) -> Option<OwnedFd> {
    let file = File::open(format!("/proc/{pid}/ns/user")).ok()?;
    // A number may become another process's at any time; that one's namespace is not ours to enter, or as good.
    Some(file.into())
}

/// The process that a file speaks of, if it lives. The file of one that does not is removed.
fn living(path: &Path) -> Option<i32> {
    let pid: i32 = path.file_name()?.to_str()?.parse().ok()?;
    let started: Option<u64> = match fs::read_to_string(path) {
        Ok(text) => text.trim().parse().ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(_) => None,
    };
    match life::process_started(pid) {
        Some(now) if Some(now) == started => Some(pid),
        // It is being written.
        Some(_) if started.is_none() => None,
        _ => {
            let _ = fs::remove_file(path);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_dead_is_forgotten() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout =
            Layout::from_parts(directory.path().join("root"), directory.path().join("run"));
        assert_eq!(namespaces(&layout).count(), 0);
        let anchor = Anchor::drop_at(&layout).expect("a file");
        let stale = layout.run().join(DIRECTORY).join("1");
        fs::write(&stale, "1").expect("a file");
        fs::write(layout.run().join(DIRECTORY).join("x"), "1").expect("a file");
        assert_eq!(namespaces(&layout).count(), 1);
        assert!(!stale.exists());
        drop(anchor);
        assert_eq!(namespaces(&layout).count(), 0);
    }
}
