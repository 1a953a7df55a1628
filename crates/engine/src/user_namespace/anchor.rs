//! Who is in the namespace that the containers of a user share: a file for each, in the runtime directory.

use std::fs;
use std::io;
use std::iter;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::layout::make_directory;
use crate::state::{Proven, Recorded, Store};
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
        let own = Recorded::this()?;
        let path = directory.join(own.number().to_string());
        fs::write(&path, own.to_string())
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
    said.chain(containers)
        .filter_map(|process| process.namespace("user").ok())
}

/// The first processes of containers that run.
fn orphans(layout: &Layout) -> impl Iterator<Item = Proven> {
    let store = Store::new(layout);
    let ids = store.ids().unwrap_or_default();
    ids.into_iter()
        .filter_map(move |id| store.state(&id).ok())
        .filter_map(|state| state.process.open().ok())
}

/// The process that a file speaks of, if it lives. The file of one that does not is removed.
fn living(path: &Path) -> Option<Proven> {
    // Only what is named by a number is ours.
    path.file_name()?.to_str()?.parse::<i32>().ok()?;
    let text = match fs::read_to_string(path) {
        // It is being written.
        Ok(text) if text.is_empty() => return None,
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(_) => String::new(),
    };
    let process = text.parse().and_then(|recorded: Recorded| recorded.open());
    if process.is_err() {
        let _ = fs::remove_file(path);
    }
    process.ok()
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
