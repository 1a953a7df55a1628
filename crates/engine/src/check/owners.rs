//! Lists an engine's containers, by which what was made for one is judged.
//!
//! Cgroups of containers lie side by side whichever engine they are of. What another engine has is none of this one's
//! business, whether or not that engine can be seen from here: only what is provably this engine's is judged at all.

use std::collections::HashSet;

use crate::state::{self, Store};
use crate::{Layout, Result};

/// The containers of one engine.
#[derive(Debug)]
pub(crate) struct Owners {
    all: HashSet<String>,
    /// Those that run, or are about to.
    alive: HashSet<String>,
}

impl Owners {
    /// Lists them. What is to be judged by them has to be listed before.
    pub(crate) fn list(layout: &Layout) -> Result<Owners> {
        let all: HashSet<String> = Store::new(layout).ids()?.into_iter().collect();
        let alive = all
            .iter()
            .filter(|id| state::is_alive(layout, id))
            .cloned()
            .collect();
        Ok(Owners { all, alive })
    }

    /// Whether there is a container of that full id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.all.contains(id)
    }

    /// Whether the container of that full id runs, with or without its monitor, or is about to.
    pub(crate) fn is_alive(&self, id: &str) -> bool {
        self.alive.contains(id)
    }
}
