//! What volumes left for `tool engine check` to find.

use std::fs;
use std::io;

use super::Store;
use crate::check::{Audit, Thing};
use crate::{Error, Result};

/// Looks for volumes that were half made or half removed, and for anonymous ones whose container was never made.
pub(crate) fn audit(audit: &mut Audit<'_>) -> Result<()> {
    let layout = audit.layout().clone();
    let store = Store::new(&layout);
    let directory = layout.volumes();
    let failed = |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name != ".lock")
        .collect();
    for name in names {
        let path = directory.join(&name);
        let problem = match store.get(&name) {
            Ok(volume) => {
                if store.is_abandoned(&volume)? {
                    let problem = "it was made for a container that was not made after all";
                    audit.found(Thing::Volume, path.display(), problem, || {
                        store.remove_abandoned(&volume)
                    });
                }
                continue;
            }
            Err(error) if error.kind() != crate::ErrorKind::NotFound => error.to_string(),
            Err(_) => "a volume was being made or removed, and nobody goes on".to_owned(),
        };
        // Damaged or not, it has somebody's data: only what has no description at all is nobody's.
        let is_nobodys = store.is_nobodys(&name);
        audit.found(Thing::Directory, path.display(), problem, || {
            match is_nobodys {
                true => store.remove_unfinished(&name),
                false => Err(Error::system(
                    "it is not removed, for it may have somebody's data: look at it, and remove it by hand",
                )),
            }
        });
    }
    Ok(())
}
