//! Who may own what is shared by all engines of a machine.
//!
//! Cgroups of containers lie side by side whichever engine they are of, so whether one has an owner is a question to all
//! engines of this user. Each leaves a link to its root in its runtime directory, by which the others find it.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use super::processes;
use crate::state::{Lock, Store};
use crate::{Layout, Result};

/// The containers of all engines of this user.
#[derive(Debug)]
pub(crate) struct Owners {
    all: HashSet<String>,
    /// Those that have a monitor, or somebody who is about to be one.
    alive: HashSet<String>,
}

impl Owners {
    /// Lists them. What is to be judged by them has to be listed before.
    pub(crate) fn list(layout: &Layout) -> Result<Owners> {
        let mut owners = Owners {
            all: HashSet::new(),
            alive: HashSet::new(),
        };
        owners.add(layout)?;
        for root in layout.roots_in_use() {
            // One that cannot be looked at keeps what is its own: a root below a directory that is not mounted now.
            if let Ok(other) = Layout::at(&root)
                && other.root() != layout.root()
            {
                owners.add(&other)?;
            }
        }
        // An engine whose root is out of sight has monitors still, and what they look after is not to be touched.
        owners.alive.extend(processes::monitored()?);
        Ok(owners)
    }

    fn add(&mut self, layout: &Layout) -> Result<()> {
        for id in Store::new(layout).ids()? {
            // One that is gone meanwhile is nobody's any more.
            if Lock::is_held(layout, &id).unwrap_or(false) {
                self.alive.insert(id.clone());
            }
            self.all.insert(id);
        }
        Ok(())
    }

    /// Whether there is a container of that full id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.all.contains(id)
    }

    /// Whether somebody looks after the container of that full id.
    pub(crate) fn is_alive(&self, id: &str) -> bool {
        self.alive.contains(id)
    }
}

impl Layout {
    /// The roots of all engines that this user has used since the machine came up.
    fn roots_in_use(&self) -> Vec<PathBuf> {
        let base = self.runtime_directory();
        let others = fs::read_dir(base.join("at"))
            .into_iter()
            .flatten()
            .flatten();
        others
            .map(|entry| entry.path())
            .chain([base.to_owned()])
            .filter_map(|run| fs::read_link(run.join(crate::layout::ROOT_LINK)).ok())
            .collect()
    }
}
