//! Whether everything that the engine makes has an owner: what `tool engine check` does.
//!
//! What is looked for is what a kill at a bad moment, or a power cut, can leave: directories, names, sockets, cgroups,
//! processes, mounts, links of the network and rules of the packet filter. Each part of the engine knows what it makes,
//! so each has an `audit` of its own. Two things need none: locks are the kernel's and go with their holders, and a
//! namespace lives only as long as a process or a mount in it, which are looked for.
//!
//! Things are listed before their owners are: what is made meanwhile is not on the list, and what had no owner before
//! the list of owners was read will never have one.

mod cgroups;
mod containers;
mod finding;
mod images;
mod mounts;
mod network;
mod owners;
mod processes;
mod runtime_directory;

use std::fmt;

pub use finding::{Finding, Outcome, Thing};
pub(crate) use owners::Owners;

use crate::{Layout, Result};

/// Looks for what has no owner, and removes it if `repair` says so.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if this machine or the engine's state cannot be looked at. What cannot be
/// repaired is an [`Outcome`].
pub(crate) fn check(layout: &Layout, repair: bool) -> Result<Vec<Finding>> {
    let mut audit = Audit {
        layout,
        repair,
        findings: Vec::new(),
    };
    // Containers first: one that lost its monitor is taken over or ended, which may be all that is wrong.
    containers::audit(&mut audit)?;
    processes::audit(&mut audit)?;
    cgroups::audit(&mut audit)?;
    mounts::audit(&mut audit)?;
    network::audit(&mut audit)?;
    images::audit(&mut audit)?;
    runtime_directory::audit(&mut audit)?;
    crate::volume::audit(&mut audit)?;
    Ok(audit.findings)
}

/// Removes what was left of containers by who was killed while it made or removed one, so that nobody has to ask for that.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be looked for.
pub(crate) fn sweep(layout: &Layout) -> Result<()> {
    let mut audit = Audit {
        layout,
        repair: true,
        findings: Vec::new(),
    };
    containers::sweep(&mut audit)?;
    for finding in &audit.findings {
        log::debug!("{finding}");
    }
    Ok(())
}

/// One look at everything.
pub(crate) struct Audit<'a> {
    layout: &'a Layout,
    repair: bool,
    findings: Vec<Finding>,
}

impl Audit<'_> {
    /// The engine that is looked at.
    pub(crate) fn layout(&self) -> &Layout {
        self.layout
    }

    /// Something is wrong with `subject`, and `remedy` makes it right. It is called only if repairs are wanted.
    pub(crate) fn found(
        &mut self,
        thing: Thing,
        subject: impl fmt::Display,
        problem: impl Into<String>,
        remedy: impl FnOnce() -> Result<()>,
    ) {
        let outcome = match self.repair.then(remedy) {
            None => Outcome::Found,
            Some(Ok(())) => Outcome::Repaired,
            Some(Err(error)) => Outcome::Failed(error.to_string()),
        };
        self.findings.push(Finding {
            thing,
            subject: subject.to_string(),
            problem: problem.into(),
            outcome,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::time::SystemTime;

    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

    use super::*;

    /// Makes a file or directory look as if nobody had touched it for an hour.
    fn age(path: &Path) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let seconds = now.expect("a clock").as_secs() - 3600;
        let then = Timespec {
            tv_sec: i64::try_from(seconds).expect("a time"),
            tv_nsec: 0,
        };
        let times = Timestamps {
            last_access: then,
            last_modification: then,
        };
        utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("an older time");
    }

    fn lines(layout: &Layout, repair: bool) -> Vec<String> {
        let mut audit = Audit {
            layout,
            repair,
            findings: Vec::new(),
        };
        containers::audit(&mut audit).expect("containers");
        runtime_directory::audit(&mut audit).expect("sockets");
        mounts::audit(&mut audit).expect("mounts");
        processes::audit(&mut audit).expect("processes");
        audit.findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn what_a_crash_left_is_found_and_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path().join("root")).expect("a layout");
        layout.create().expect("directories");
        assert_eq!(lines(&layout, false), Vec::<String>::new());

        let id = "a".repeat(64);
        let unfinished = layout.containers().join(format!(".{id}"));
        let run = layout.container_run(&id);
        for made in [&unfinished, &run, &layout.names()] {
            fs::create_dir_all(made).expect("a directory");
        }
        let name = layout.names().join("web");
        symlink(&id, &name).expect("a name");
        let torn = layout.container(&"b".repeat(64));
        fs::create_dir(&torn).expect("a directory");
        fs::write(torn.join("config.json"), "{\"id\":").expect("a file");
        age(&unfinished);

        let expected = [
            format!(
                "directory {}: a container was being made or removed, and nobody goes on",
                unfinished.display()
            ),
            format!(
                "container {}: {} is damaged: EOF while parsing a value at line 1 column 6",
                "b".repeat(64),
                torn.join("config.json").display()
            ),
            format!("directory {}: its container does not exist", run.display()),
        ];
        // The name was given just now, so its container may be on its way.
        assert_eq!(lines(&layout, false), expected);
        let repaired = lines(&layout, true);
        assert!(repaired[0].ends_with("(repaired)"), "{repaired:?}");
        assert!(
            repaired[1].ends_with(
                "(not repaired: what it was made from is lost; remove it with tool rm --force)"
            ),
            "{repaired:?}"
        );
        assert!(!unfinished.exists() && !run.exists() && torn.exists());
        age(&name);
        let expected = format!(
            "name {}: there is no container {id} (repaired)",
            name.display()
        );
        assert_eq!(lines(&layout, true)[0], expected);
        assert!(fs::symlink_metadata(&name).is_err());
        fs::remove_dir_all(layout.run()).expect("the runtime directory");
    }
}
