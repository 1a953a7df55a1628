//! One overlay.
//!
//! Directories are named by descriptors: their paths may hold what mount options cannot, hundreds of them are too long,
//! and what a container sees of its mounts says nothing about the machine.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

use crate::layout::make_directory;
use crate::user_namespace::Ids;
use crate::{Error, Result};

/// An overlay that is not mounted yet.
#[derive(Debug)]
pub(super) struct Overlay {
    /// The highest first, as the kernel wants them.
    layers: Vec<OwnedFd>,
    upper: OwnedFd,
    work: OwnedFd,
}

impl Overlay {
    /// An overlay over these directories, the lowest first, whose changes go to `upper`. Both `upper` and `work` are made
    /// where they are missing; what `work` has is thrown away.
    pub(super) fn new(layers: &[PathBuf], upper: &Path, work: &Path) -> Result<Overlay> {
        let layers = layers
            .iter()
            .rev()
            .map(|path| open_directory(path))
            .collect::<Result<_>>()?;
        Overlay::over(layers, upper, work)
    }

    /// The same, over open directories, the highest first.
    pub(super) fn over(layers: Vec<OwnedFd>, upper: &Path, work: &Path) -> Result<Overlay> {
        if !upper.exists() {
            make_upper(layers.first(), upper)?;
        }
        // What the last mount left there would keep a volatile one from being mounted: the kernel cannot know that the
        // machine did not crash in between. The boot id knows, so the engine decides.
        match fs::remove_dir_all(work) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(format_args!("remove {}", work.display()), error));
            }
            _ => make_directory(work)?,
        }
        Ok(Overlay {
            layers,
            upper: open_directory(upper)?,
            work: open_directory(work)?,
        })
    }

    /// Mounts it. An image without layers needs no overlay.
    pub(super) fn mount(&self, target: &Path) -> io::Result<()> {
        if self.layers.is_empty() {
            return Ok(mount_bind(&self.upper, target)?);
        }
        let mut options = String::from("lowerdir=");
        for (position, layer) in self.layers.iter().enumerate() {
            if position > 0 {
                options.push(':');
            }
            options.push_str(&name(layer));
        }
        options.push_str(&format!(
            ",upperdir={},workdir={}",
            name(&self.upper),
            name(&self.work)
        ));
        if Ids::of_this_process().map_err(io::Error::other)?.is_some() {
            options.push_str(",userxattr");
        }
        // A container's changes need not survive a crash of the machine, and syncing a whole file system when it ends can
        // take long.
        match mount_overlay(target, &format!("{options},volatile")) {
            // Kernels before 5.10 do not know the option.
            Err(Errno::INVAL) => Ok(mount_overlay(target, &options)?),
            mounted => Ok(mounted?),
        }
    }
}

/// Whether an error of [`Overlay::mount`] says that there can be no overlay here.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NODEV | Errno::PERM | Errno::INVAL | Errno::OPNOTSUPP | Errno::LOOP)
    )
}

fn mount_overlay(target: &Path, options: &str) -> rustix::io::Result<()> {
    let options = std::ffi::CString::new(options).map_err(|_| Errno::INVAL)?;
    mount(
        "overlay",
        target,
        "overlay",
        MountFlags::empty(),
        options.as_c_str(),
    )
}

fn mount_bind(directory: &OwnedFd, target: &Path) -> rustix::io::Result<()> {
    rustix::mount::mount_bind(name(directory), target)
}

fn name(directory: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", directory.as_raw_fd())
}

pub(super) fn open_directory(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open(path, flags, Mode::empty())
        .map_err(|error| Error::io(format_args!("open {}", path.display()), error))
}

/// The container sees the mode and the owner of its changes' directory, so they are those of what it lies over.
fn make_upper(highest: Option<&OwnedFd>, upper: &Path) -> Result<()> {
    make_directory(upper)?;
    let failed = |error| Error::io(format_args!("make {}", upper.display()), error);
    let (mode, uid, gid) = match highest {
        Some(layer) => {
            let found = rustix::fs::fstat(layer).map_err(|error| failed(error.into()))?;
            (found.st_mode & 0o7777, found.st_uid, found.st_gid)
        }
        None => (0o755, 0, 0),
    };
    let own = fs::metadata(upper).map_err(failed)?;
    if (own.uid(), own.gid()) != (uid, gid) {
        match chown(upper, Some(uid), Some(gid)) {
            // An owner that this user namespace does not have shows as nobody, and stays the user.
            Err(error)
                if matches!(
                    Errno::from_io_error(&error),
                    Some(Errno::INVAL | Errno::PERM | Errno::OVERFLOW)
                ) => {}
            changed => changed.map_err(failed)?,
        }
    }
    File::open(upper)
        .and_then(|opened| opened.set_permissions(fs::Permissions::from_mode(mode)))
        .map_err(failed)
}
