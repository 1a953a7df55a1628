//! Which containers have cgroups.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use super::Host;
use crate::{Error, Result};

/// The ids of all containers that have a cgroup in one hierarchy or another, right below `parent`.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if a hierarchy cannot be read.
pub(crate) fn ids(host: &Host, parent: &str) -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for hierarchy in host.hierarchies() {
        let directory = hierarchy.base.join(parent.trim_start_matches('/'));
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(Error::io(
                    format_args!("read {}", directory.display()),
                    error,
                ));
            }
        };
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        ids.extend(names.filter(|name| is_id(name)));
    }
    Ok(ids)
}

fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
