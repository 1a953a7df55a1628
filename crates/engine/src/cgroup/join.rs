//! How a process gets into a container's cgroups.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a process does to join, for one that is told so in JSON: a container's launcher, or one of `exec`.
///
/// Writing the number of another process to `cgroup.procs` waits for all processors, 8 to 20 ms on an idle machine. A
/// single-threaded process that writes `0` to the `tasks` of version 1 joins without that. On version 2 a process is
/// best started in the cgroup, by clone3(2) with `CLONE_INTO_CGROUP` and
/// [`Cgroup::descriptor`](super::Cgroup::descriptor); this is what is left to one that runs already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// Files to write `0` to.
    pub(super) files: Vec<PathBuf>,
}

impl Join {
    /// Joins, with this thread on version 1 and with this process on version 2.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses, as it does where a limit is reached.
    pub fn join(&self) -> Result<()> {
        for file in &self.files {
            OpenOptions::new()
                .write(true)
                .open(file)
                .and_then(|mut opened| opened.write_all(b"0"))
                .map_err(|error| Error::io(format_args!("join {}", file.display()), error))?;
        }
        Ok(())
    }
}
