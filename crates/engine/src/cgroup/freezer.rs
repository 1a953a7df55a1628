//! Stopping all processes of a container at once, and letting them go on.

use std::thread;
use std::time::{Duration, Instant};

use super::group::Directory;
use crate::{Error, Result};

/// How long a container may take: a process that waits for a disk freezes when the wait is over.
const PATIENCE: Duration = Duration::from_secs(10);

/// Freezes or thaws on version 1, and comes back when it is done.
pub(super) fn set_v1(directory: &Directory, frozen: bool) -> Result<()> {
    let wanted = if frozen { "FROZEN" } else { "THAWED" };
    let start = Instant::now();
    directory.write("freezer.state", wanted)?;
    while directory.read("freezer.state")?.trim() != wanted {
        if start.elapsed() > PATIENCE {
            // Half of a container frozen is worse than none.
            directory.write("freezer.state", "THAWED")?;
            return Err(too_long());
        }
        thread::sleep(Duration::from_millis(2));
        // A process that forks while the others freeze is caught by asking again.
        directory.write("freezer.state", wanted)?;
    }
    Ok(())
}

/// Freezes or thaws on version 2, and comes back when it is done.
pub(super) fn set_v2(directory: &Directory, frozen: bool) -> Result<()> {
    let start = Instant::now();
    directory.write("cgroup.freeze", if frozen { "1" } else { "0" })?;
    let wanted = if frozen { "frozen 1" } else { "frozen 0" };
    while !directory
        .read("cgroup.events")?
        .lines()
        .any(|line| line == wanted)
    {
        if start.elapsed() > PATIENCE {
            directory.write("cgroup.freeze", "0")?;
            return Err(too_long());
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn too_long() -> Error {
    Error::system(format!(
        "freeze: not all processes stopped within {} seconds",
        PATIENCE.as_secs()
    ))
}
