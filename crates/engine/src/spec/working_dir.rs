//! The directory in which a container's program starts.

use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, Uid, chownat, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::fchdir;

use crate::{Error, Result};

/// Makes the directory, as root's, where it is missing, and goes there.
///
/// To be called inside the container, whose links then lead nowhere else, by a process that has all its capabilities
/// still: the user may have no way into the directory.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is no directory or cannot be made, worded
/// for whoever named it.
pub fn enter_working_dir(directory: &Path) -> Result<()> {
    let failed = |error: Errno| {
        Error::invalid(format!(
            "Cannot mkdir: {}: {}",
            directory.display(),
            crate::error::os_text(&error.into())
        ))
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut current = openat(CWD, "/", flags, Mode::empty()).map_err(failed)?;
    for part in directory.components() {
        let name = match part {
            Component::Normal(name) => Path::new(name),
            Component::ParentDir => Path::new(".."),
            _ => continue,
        };
        current = match openat(&current, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                match mkdirat(&current, name, Mode::from_raw_mode(0o755)) {
                    // Who starts runs as the container's user already, but what the engine makes is root's.
                    Ok(()) => chownat(
                        &current,
                        name,
                        Some(Uid::ROOT),
                        Some(Gid::ROOT),
                        AtFlags::SYMLINK_NOFOLLOW,
                    )
                    .map_err(failed)?,
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(failed(error)),
                }
                openat(&current, name, flags, Mode::empty())
            }
            opened => opened,
        }
        .map_err(failed)?;
    }
    fchdir(&current).map_err(failed)
}
