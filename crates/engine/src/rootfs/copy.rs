//! An image's layers as one directory, where there can be no overlay.
//!
//! Directories are walked by descriptor, one name at a time: nothing that a layer holds is ever followed.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags,
    chmodat, chownat, fgetxattr, flistxattr, fsetxattr, fstat, ioctl_ficlone, linkat, mkdirat,
    mknodat, openat, readlinkat, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::overlay::open_directory;
use crate::layout::make_directory;
use crate::{Error, Result};

/// Copies the layers, the lowest first, into the directory `target`, which there is only when that is done.
pub(super) fn layers(layers: &[PathBuf], target: &Path) -> Result<()> {
    let unfinished = target.with_extension("unfinished");
    let failed =
        |error: io::Error| Error::io(format_args!("copy an image to {}", target.display()), error);
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => make_directory(&unfinished)?,
    }
    let root = open_directory(&unfinished)?;
    for layer in layers {
        let from = open_directory(layer)?;
        // That a layer's root is opaque means nothing to an overlay, whose root is all layers' in any case.
        Layer::default()
            .merge(&from, &root, Below::Stays)
            .map_err(|error| Error::io(format_args!("copy {}", layer.display()), error))?;
    }
    fs::rename(&unfinished, target).map_err(failed)
}

/// What a directory's note that it hides what is below it counts for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    MayBeHidden,
    Stays,
}

/// One layer on its way.
#[derive(Default)]
struct Layer {
    /// Files with several names, by device and number, with the first name that was made of each.
    linked: HashMap<(u64, u64), (OwnedFd, CString)>,
}

impl Layer {
    /// Puts what is in one directory into another one, whose own mode, owner and times become those of the first.
    fn merge(&mut self, from: &OwnedFd, to: &OwnedFd, below: Below) -> io::Result<()> {
        let readable = openat(
            from,
            ".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        if below == Below::MayBeHidden && is_opaque(readable.as_fd())? {
            clear(to.as_fd())?;
        }
        for entry in Dir::read_from(&readable)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            self.put(from, to, name)?;
        }
        finish(to.as_fd(), c".", &fstat(from)?, Some(readable.as_fd()))
    }

    fn put(&mut self, from: &OwnedFd, to: &OwnedFd, name: &CStr) -> io::Result<()> {
        let found = statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(found.st_mode);
        if kind == FileType::Directory {
            match mkdirat(to, name, Mode::from_raw_mode(0o700)) {
                Ok(()) => {}
                Err(Errno::EXIST) => {
                    let there = statat(to, name, AtFlags::SYMLINK_NOFOLLOW)?;
                    if FileType::from_raw_mode(there.st_mode) != FileType::Directory {
                        remove(to.as_fd(), name)?;
                        mkdirat(to, name, Mode::from_raw_mode(0o700))?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
            return self.merge(
                &openat(from, name, FLAGS, Mode::empty())?,
                &openat(to, name, FLAGS, Mode::empty())?,
                Below::MayBeHidden,
            );
        }
        remove(to.as_fd(), name)?;
        if kind == FileType::CharacterDevice && found.st_rdev == 0 {
            // The layer says that there is nothing here.
            return Ok(());
        }
        let identity = (found.st_dev, found.st_ino);
        if found.st_nlink > 1
            && let Some((directory, first)) = self.linked.get(&identity)
        {
            return Ok(linkat(directory, first, to, name, AtFlags::empty())?);
        }
        let mut content = None;
        match kind {
            FileType::RegularFile => {
                content = Some(copy_file(from.as_fd(), to.as_fd(), name)?);
            }
            FileType::Symlink => symlinkat(readlinkat(from, name, Vec::new())?, to, name)?,
            _ => mknodat(to, name, kind, Mode::from_raw_mode(0o600), found.st_rdev)?,
        }
        finish(to.as_fd(), name, &found, content.as_ref().map(AsFd::as_fd))?;
        if found.st_nlink > 1 {
            self.linked
                .insert(identity, (to.try_clone()?, name.to_owned()));
        }
        Ok(())
    }
}

const FLAGS: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Copies what a file holds; returns the original, open.
fn copy_file(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let source = openat(from, name, flags | OFlags::RDONLY, Mode::empty())?;
    let create = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let copy = openat(to, name, create, Mode::from_raw_mode(0o600))?;
    if ioctl_ficlone(&copy, &source).is_err() {
        io::copy(&mut File::from(source.try_clone()?), &mut File::from(copy))?;
    }
    Ok(source)
}

/// Gives what was made the owner, the mode, the times and, of a file or directory, the attributes of `model`. The owner
/// goes first: it takes the set-user-id bit and the capabilities along.
fn finish(
    directory: BorrowedFd<'_>,
    name: &CStr,
    found: &Stat,
    model: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(found.st_uid), Gid::from_raw(found.st_gid));
    chownat(
        directory,
        name,
        Some(user),
        Some(group),
        AtFlags::SYMLINK_NOFOLLOW,
    )?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Symlink {
        chmodat(
            directory,
            name,
            Mode::from_raw_mode(found.st_mode & 0o7777),
            AtFlags::empty(),
        )?;
    }
    if let Some(model) = model {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        copy_attributes(
            model,
            openat(directory, name, flags, Mode::empty())?.as_fd(),
        )?;
    }
    let time = |seconds: i64, nanoseconds: u64| Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    };
    let times = Timestamps {
        last_access: time(found.st_atime, found.st_atime_nsec),
        last_modification: time(found.st_mtime, found.st_mtime_nsec),
    };
    Ok(utimensat(
        directory,
        name,
        &times,
        AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

/// What overlays note about themselves, as root and in user namespaces.
const NOTES: [&str; 2] = ["trusted.overlay.", "user.overlay."];

fn is_opaque(directory: BorrowedFd<'_>) -> io::Result<bool> {
    for prefix in NOTES {
        let mut value = [0; 4];
        match fgetxattr(directory, format!("{prefix}opaque"), &mut value) {
            Ok(1) if value[0] == b'y' => return Ok(true),
            Ok(_) | Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

fn copy_attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
    let mut names = vec![0; 64 * 1024];
    let length = match flistxattr(from, &mut names) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for name in names[..length]
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
    {
        if NOTES.iter().any(|note| name.starts_with(note.as_bytes())) {
            continue;
        }
        let mut value = vec![0; 64 * 1024];
        let length = fgetxattr(from, name, &mut value)?;
        match fsetxattr(to, name, &value[..length], XattrFlags::empty()) {
            // A label of the machine's, or a file system without attributes.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Removes a file or a whole directory, if it is there.
fn remove(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    match unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(error) => return Err(error.into()),
    }
    clear(openat(directory, name, FLAGS, Mode::empty())?.as_fd())?;
    Ok(unlinkat(directory, name, AtFlags::REMOVEDIR)?)
}

fn clear(directory: BorrowedFd<'_>) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = openat(directory, ".", flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&readable)? {
        names.push(entry?.file_name().to_owned());
    }
    for name in names
        .iter()
        .filter(|name| ***name != *c"." && ***name != *c"..")
    {
        remove(directory, name)?;
    }
    Ok(())
}
