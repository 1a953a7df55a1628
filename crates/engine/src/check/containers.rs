//! Containers: their files, their names, and whether somebody looks after those that need it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Audit, Thing};
use crate::monitor;
use crate::state::life::{self, Loss};
use crate::state::{Lock, Store};
use crate::{Error, ErrorKind, Layout, Result, network};

/// How old a directory is that nobody is still filling or emptying.
const GRACE: Duration = Duration::from_secs(10);

/// The same for [`sweep`]: by then everything else that was made for that container is old enough to be told from what is in
/// the making.
const LONG_GRACE: Duration = Duration::from_secs(20);

pub(super) fn audit(audit: &mut Audit<'_>) -> Result<()> {
    let layout = audit.layout().clone();
    names(audit)?;
    for path in unfinished(&layout, GRACE)? {
        remove_unfinished(audit, &path);
    }
    for id in Store::new(&layout).ids()? {
        match container(audit, &id) {
            // Removed meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

fn container(audit: &mut Audit<'_>, id: &str) -> Result<()> {
    let layout = audit.layout().clone();
    let store = Store::new(&layout);
    if !layout.container(id).is_dir() {
        return Ok(());
    }
    let readable = match store.record(id) {
        Ok(record) => network::settings_of_stopped(&record.body)
            .map(drop)
            .map_err(|error| format!("what it was made from makes no sense: {error}")),
        Err(error) => Err(match store.has_record(id) {
            true => error.to_string(),
            false => "what it was made from is missing".to_owned(),
        }),
    };
    if let Err(problem) = readable {
        // What it has written is a user's, so it is not thrown away here.
        audit.found(Thing::Container, id, problem, || {
            Err(Error::system(
                "what it was made from is lost; remove it with tool rm --force",
            ))
        });
        return Ok(());
    }
    let state = match store.state(id) {
        Ok(state) => state,
        // It went since.
        Err(_) if !layout.container(id).is_dir() => return Ok(()),
        Err(error) => {
            audit.found(Thing::Container, id, error.to_string(), || {
                let Some(lock) = Lock::try_acquire(&layout, id)? else {
                    // Whoever has it writes the file again.
                    return Ok(());
                };
                lock.write_final_state(&life::lost(&Default::default(), Loss::Monitor))
            });
            return Ok(());
        }
    };
    if state.status.needs_monitor() && !Lock::is_held(&layout, id)? {
        let problem = format!("it is {}, and nobody looks after it", state.status);
        audit.found(Thing::Container, id, problem, || {
            let state = monitor::observe(&layout, id)?;
            match state.status.needs_monitor() && !Lock::is_held(&layout, id)? {
                true => Err(Error::system("its new monitor did not stay")),
                false => Ok(()),
            }
        });
    }
    Ok(())
}

/// Removes what is left of containers whose makers and removers were killed a while ago. It costs one look at the directory
/// of containers where nobody was.
pub(super) fn sweep(audit: &mut Audit<'_>) -> Result<()> {
    let unfinished = unfinished(audit.layout(), LONG_GRACE)?;
    if unfinished.is_empty() {
        return Ok(());
    }
    names(audit)?;
    crate::volume::audit(audit)?;
    // Last: while one is there, the rest is looked for again.
    for path in unfinished {
        remove_unfinished(audit, &path);
    }
    Ok(())
}

/// Names whose containers do not exist.
fn names(audit: &mut Audit<'_>) -> Result<()> {
    let directory = audit.layout().names();
    let failed = |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let Ok(id) = fs::read_link(&path) else {
            continue;
        };
        // A name is taken right before the container is there.
        if is_old(&path, GRACE) && !audit.layout().containers().join(&id).is_dir() {
            let problem = format!("there is no container {}", id.display());
            audit.found(Thing::Name, path.display(), problem, || {
                fs::remove_file(&path)
                    .map_err(|error| Error::io(format_args!("unlink {}", path.display()), error))
            });
        }
    }
    Ok(())
}

/// Directories of containers that were never finished, or whose removal was not.
fn unfinished(layout: &Layout, grace: Duration) -> Result<Vec<PathBuf>> {
    let directory = layout.containers();
    let failed = |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut list = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") && is_old(&path, grace) {
            list.push(path);
        }
    }
    Ok(list)
}

fn remove_unfinished(audit: &mut Audit<'_>, path: &Path) {
    let problem = "a container was being made or removed, and nobody goes on";
    audit.found(
        Thing::Directory,
        path.display(),
        problem,
        || match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(format_args!("remove {}", path.display()), error))
            }
            _ => Ok(()),
        },
    );
}

/// Whether it changed so long ago that nobody is at it any more. A clock that was set back makes nothing old.
fn is_old(path: &Path, grace: Duration) -> bool {
    fs::symlink_metadata(path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| {
            SystemTime::now()
                .duration_since(modified)
                .is_ok_and(|age| age > grace)
        })
}
