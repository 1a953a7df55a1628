//! Sockets and fifos of containers that are not there any more.

use std::fs;
use std::io;

use super::{Audit, Owners, Thing};
use crate::{Error, Result};

pub(super) fn audit(audit: &mut Audit<'_>) -> Result<()> {
    let layout = audit.layout().clone();
    let directory = layout.run().join("containers");
    let failed = |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let owners = Owners::list(&layout)?;
    for id in names.into_iter().filter(|id| !owners.has(id)) {
        let path = layout.container_run(&id);
        let problem = "its container does not exist";
        audit.found(
            Thing::Directory,
            path.display(),
            problem,
            || match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(Error::io(format_args!("remove {}", path.display()), error))
                }
                _ => Ok(()),
            },
        );
    }
    Ok(())
}
