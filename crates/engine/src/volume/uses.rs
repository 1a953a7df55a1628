//! Which containers use a volume: a file each, in the volume's directory.
//!
//! A container names its volumes before it exists itself, so that nobody takes them away meanwhile. The file then says
//! who is making it: as long as that process lives, or the container is there, the volume is in use.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::Recorded;
use crate::state::file::{self, Durability};
use crate::{Error, Layout, Result};

/// The directory of these files in a volume's.
const DIRECTORY: &str = "containers";

/// Who made a use, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Use {
    /// The process that makes the container.
    #[serde(flatten)]
    maker: Recorded,
    /// Whether the volume has what the container's image has there, as far as it is to have it.
    filled: bool,
}

/// The uses of one volume. Changes need the lock of the volumes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uses<'a> {
    layout: &'a Layout,
    volume: &'a Path,
}

impl<'a> Uses<'a> {
    /// The uses of the volume with that directory.
    pub(super) fn of(layout: &'a Layout, volume: &'a Path) -> Uses<'a> {
        Uses { layout, volume }
    }

    fn path(&self, container: &str) -> PathBuf {
        self.volume.join(DIRECTORY).join(container)
    }

    /// Adds the container of that id, which this process makes.
    pub(super) fn add(&self, container: &str) -> Result<()> {
        let path = self.path(container);
        if path.exists() {
            return Ok(());
        }
        crate::layout::make_directory(&self.volume.join(DIRECTORY))?;
        let new = Use {
            maker: Recorded::this()?,
            filled: false,
        };
        file::write(&path, &new, Durability::Lazy)
    }

    /// Takes a container out.
    pub(super) fn remove(&self, container: &str) -> Result<()> {
        let path = self.path(container);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(format_args!("remove {}", path.display()), error))
            }
            _ => Ok(()),
        }
    }

    /// Whether the container's use is one whose volume need not be filled any more.
    pub(super) fn is_filled(&self, container: &str) -> Result<bool> {
        Ok(file::read::<Use>(&self.path(container))?.is_none_or(|used| used.filled))
    }

    /// Remembers that the volume need not be filled for that container any more.
    pub(super) fn set_filled(&self, container: &str) -> Result<()> {
        let path = self.path(container);
        match file::read::<Use>(&path)? {
            Some(used) => file::write(
                &path,
                &Use {
                    filled: true,
                    ..used
                },
                Durability::Lazy,
            ),
            None => Ok(()),
        }
    }

    /// The ids of the containers that use it, in order.
    pub(super) fn list(&self) -> Result<Vec<String>> {
        let mut ids = self.all()?;
        ids.retain(|id| self.is_alive(id, &self.path(id)));
        Ok(ids)
    }

    /// Whether all who were to use it are gone, without having ended their use.
    pub(super) fn is_abandoned(&self) -> Result<bool> {
        Ok(!self.all()?.is_empty() && self.list()?.is_empty())
    }

    fn all(&self) -> Result<Vec<String>> {
        let directory = self.volume.join(DIRECTORY);
        let failed =
            |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if let Ok(id) = entry.file_name().into_string()
                && !id.contains('.')
            {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }

    fn is_alive(&self, id: &str, path: &Path) -> bool {
        if self.layout.container(id).exists() {
            return true;
        }
        match file::read::<Use>(path) {
            Ok(Some(used)) => used.maker.is_alive(),
            // It went while we looked, or was cut off with the power: then its container never was.
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_one_of_a_container_or_of_its_maker() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path()).expect("a layout");
        let volume = layout.volumes().join("data");
        let uses = Uses::of(&layout, &volume);
        assert!(uses.list().expect("a list").is_empty());
        uses.add("one").expect("a use");
        uses.add("two").expect("a use");
        // This process makes both.
        assert_eq!(uses.list().expect("a list"), ["one", "two"]);
        assert!(!uses.is_abandoned().expect("an answer"));

        // It was killed before it did.
        for id in ["one", "two"] {
            let path = uses.path(id);
            let used: Use = file::read(&path).expect("a file").expect("a file");
            let dead = Use {
                maker: Recorded::made_up(used.maker.number(), 1, used.maker.boot()),
                ..used
            };
            file::write(&path, &dead, Durability::Lazy).expect("a file");
        }
        assert!(uses.is_abandoned().expect("an answer"));
        fs::create_dir_all(layout.container("two")).expect("a directory");
        assert!(!uses.is_abandoned().expect("an answer"));
        assert_eq!(uses.list().expect("a list"), ["two"]);
        uses.remove("two").expect("removed");
        uses.remove("two").expect("removed already");
        assert!(uses.list().expect("a list").is_empty());
        assert!(uses.is_abandoned().expect("an answer"));
        uses.remove("one").expect("removed");
        // Who is not there any more has ended it.
        assert!(!uses.is_abandoned().expect("an answer"));
    }

    #[test]
    fn a_volume_is_filled_once_a_container() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path()).expect("a layout");
        let volume = layout.volumes().join("data");
        let uses = Uses::of(&layout, &volume);
        uses.add("one").expect("a use");
        assert!(!uses.is_filled("one").expect("an answer"));
        uses.set_filled("one").expect("written");
        uses.add("one").expect("the same use");
        assert!(uses.is_filled("one").expect("an answer"));
        // Who has no use has nothing to fill.
        assert!(uses.is_filled("two").expect("an answer"));
    }
}
