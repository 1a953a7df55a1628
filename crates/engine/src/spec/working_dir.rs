//! The directory in which a container's program starts.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::fchdir;

use crate::rootfs::place;
use crate::runtime::tree;
use crate::{Error, Result};

/// Makes the directory of a container's first process, as root's, where it is missing, and goes there.
///
/// To be called inside the container, whose links then lead nowhere else, by a process that has all its capabilities
/// still: the user may have no way into the directory.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is no directory or cannot be made, worded
/// for whoever named it.
pub fn enter_working_dir(directory: &Path) -> Result<()> {
    let failed = |path: &Path, error: Errno| {
        let path = path.display();
        Error::invalid(match error {
            Errno::NOTDIR => format!("Cannot mkdir: {path} is not a directory"),
            error => format!(
                "Cannot mkdir: {path}: {}",
                crate::error::os_text(&error.into())
            ),
        })
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, "/", flags, Mode::empty()).map_err(|error| failed(directory, error))?;
    let place = place::make(root.as_fd(), directory, place::Kind::Directory)
        .map_err(|error| failed(&error.path, error.reason))?;
    fchdir(&place.descriptor).map_err(|error| failed(directory, error))
}

/// Goes to the directory of a process that joins a container, which has to be there.
///
/// To be called as [`enter_working_dir`] is.
///
/// # Errors
///
/// The kernel's.
pub fn go_to_working_dir(directory: &Path) -> rustix::io::Result<()> {
    fchdir(tree::place(directory)?)
}
