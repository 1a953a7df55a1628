//! Our own program, kept from containers.
//!
//! A process on its way into a container still runs it, and what the container holds may have that process run it once
//! more: `#!/proc/self/exe` in a script does. A container's root could then open the file and write to it, as soon as
//! nobody runs it (CVE-2019-5736). So monitors, and with them all that they fork, are started from a mount that is
//! read-only and that exists for them alone.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};

use crate::{Error, Result, sys};

/// The variable that tells a monitor where its program lies: in a mount of its own it has no path.
const VARIABLE: &str = "TOOL_PROGRAM";

const SELF: &str = "/proc/self/exe";

/// A command that starts this program under an initializer's name from where nobody can write to it.
#[derive(Debug)]
pub struct SealedCommand {
    /// The command. Who clears its environment loses nothing but what [`SealedCommand::environment`] is.
    pub command: reexec::Command,
    path: Option<PathBuf>,
    /// It has to stay open until the command is started.
    _mount: Option<OwnedFd>,
}

impl SealedCommand {
    /// The command for the initializer `name`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if there is no such initializer or the kernel refuses.
    pub fn new(name: impl AsRef<OsStr>) -> Result<SealedCommand> {
        let failed = |error: reexec::Error| Error::system(format!("start this program: {error}"));
        let mount = match sealed(SELF) {
            Ok(mount) => Some(mount),
            // It was started from such a mount itself, or before this process had a mount namespace of its own.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => own_path()
                .filter(|path| is_own(path))
                .and_then(|path| sealed(&path).ok()),
            Err(error) => return Err(Error::io("seal this program", error)),
        };
        let command = match &mount {
            Some(mount) => reexec::command_at(format!("/proc/self/fd/{}", mount.as_raw_fd()), name),
            None => reexec::command(name),
        };
        Ok(SealedCommand {
            command: command.map_err(failed)?,
            path: own_path(),
            _mount: mount,
        })
    }

    /// What the program has to find in its environment.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.path.iter().map(|path| (VARIABLE, path.as_path()))
    }
}

/// A copy, read-only, of the mount of a file.
fn sealed(path: impl AsRef<Path>) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let mount = open_tree(CWD, path.as_ref(), flags)?;
    let attributes = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
    sys::set_mount_attributes(mount.as_fd(), false, attributes, libc::MS_PRIVATE)?;
    Ok(mount)
}

fn own_path() -> Option<PathBuf> {
    env::var_os(VARIABLE)
        .map(PathBuf::from)
        .or_else(|| fs::read_link(SELF).ok())
}

/// Puts this program at `place`, a file that is made, for a container's init process.
///
/// It is the file itself, bound read-only, unless that was replaced since this process was started: then it is a copy.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the file system refuses.
pub fn stage_init(place: &Path) -> Result<()> {
    let failed = |error: io::Error| Error::io(format_args!("make {}", place.display()), error);
    let _ = fs::remove_file(place);
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o500)
        .open(place)
        .map_err(failed)?;
    if let Some(path) = own_path().filter(|path| is_own(path)) {
        let mount = sealed(&path).map_err(failed)?;
        return super::attach(&mount, place);
    }
    File::open(SELF)
        .and_then(|mut own| io::copy(&mut own, &mut file))
        .and_then(|_| file.set_permissions(fs::Permissions::from_mode(0o555)))
        .map_err(failed)
}

/// Whether that path is the very file that runs.
fn is_own(path: &Path) -> bool {
    match (fs::metadata(path), fs::metadata(SELF)) {
        (Ok(there), Ok(own)) => (there.dev(), there.ino()) == (own.dev(), own.ino()),
        _ => false,
    }
}
