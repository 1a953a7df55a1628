//! The files of a layer that is being unpacked.

use std::io::{self, BufRead};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, SeekFrom, Uid, XattrFlags, chmodat, chownat, fchmod,
    fchown, fsetxattr, ftruncate, futimens, linkat, lsetxattr, makedev, mkdirat, mknodat, openat,
    seek, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::{Errno, write};

use super::archive::{Archive, Entry, Kind};
use super::directories::{Directories, failed, open_name, set_opaque, timestamps};
use super::{Options, Rights, Unpacked, invalid};
use crate::{Error, Result};

/// How the name of an entry begins that hides a file of the layers below.
const WHITEOUT: &[u8] = b".wh.";
/// How those begin that AUFS had for itself.
const META: &[u8] = b".wh..wh.";
/// The entry that hides all that a directory has in the layers below.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// A layer's directory, and what has come into it.
pub(super) struct Tree {
    directories: Directories,
    options: Options,
    opaque_attribute: &'static str,
    size: u64,
    count: u64,
    is_foreign: bool,
}

/// What was under a name before.
enum Before {
    /// A directory, which a directory goes on with.
    Directory,
    /// The mark that hides the name in the layers below.
    Whiteout,
    /// Something else, or nothing.
    Other,
}

impl Tree {
    pub(super) fn new(root: BorrowedFd<'_>, options: Options) -> Result<Tree> {
        Ok(Tree {
            directories: Directories::new(root)?,
            options,
            opaque_attribute: match options.rights {
                Rights::All => "trusted.overlay.opaque",
                // Who is not root of the machine mounts with `userxattr`.
                Rights::Mapped | Rights::Own => "user.overlay.opaque",
            },
            size: 0,
            count: 0,
            is_foreign: false,
        })
    }

    /// Adds one entry, whose data come from the archive.
    pub(super) fn add(&mut self, entry: &Entry, archive: &mut Archive<impl BufRead>) -> Result<()> {
        self.count += 1;
        if self.count > self.options.most {
            return Err(invalid(format_args!(
                "it has more than {} files",
                self.options.most
            )));
        }
        let path = components(&entry.path)?;
        let Some((name, above)) = path.split_last() else {
            // As Docker has it, the root directory is as the engine makes it.
            return match entry.kind {
                Kind::Directory => Ok(()),
                _ => Err(invalid(format_args!(
                    "{:?} is no directory",
                    String::from_utf8_lossy(&entry.path)
                ))),
            };
        };
        // What AUFS had for itself is of no use to anybody.
        if path
            .iter()
            .any(|name| name.starts_with(META) && *name != OPAQUE)
        {
            return Ok(());
        }
        if above.iter().any(|name| name.starts_with(WHITEOUT)) {
            return Err(wrong(entry, "is below a file that hides another"));
        }
        let parent = self.directories.open(above)?;
        if *name == OPAQUE {
            return set_opaque(parent.as_fd(), self.opaque_attribute)
                .map_err(|error| failed("hide what is below", &entry.path, error));
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.hide(parent.as_fd(), hidden, entry);
        }
        match &entry.kind {
            Kind::Directory => self.add_directory(parent.as_fd(), &path, name, entry),
            Kind::File | Kind::Sparse(_) => self.add_file(parent.as_fd(), name, entry, archive),
            Kind::Symlink(target) => {
                if target.is_empty() {
                    return Err(wrong(entry, "is a link to nothing"));
                }
                let made = self.retried(parent.as_fd(), name, || {
                    symlinkat(target.as_slice(), &parent, *name)
                })?;
                made.map_err(|error| failed("link", &entry.path, error))?;
                self.grow(target.len() as u64)?;
                self.describe(parent.as_fd(), name, entry)
            }
            Kind::HardLink(target) => self.add_hard_link(parent.as_fd(), name, target, entry),
            Kind::Fifo => self.add_node(parent.as_fd(), name, FileType::Fifo, 0, entry),
            Kind::Character(major, minor) => {
                let number = makedev(*major, *minor);
                self.add_node(
                    parent.as_fd(),
                    name,
                    FileType::CharacterDevice,
                    number,
                    entry,
                )
            }
            Kind::Block(major, minor) => {
                let number = makedev(*major, *minor);
                self.add_node(parent.as_fd(), name, FileType::BlockDevice, number, entry)
            }
        }
    }

    /// Finishes what had to wait for the last entry.
    pub(super) fn finish(self) -> Result<Unpacked> {
        Ok(Unpacked {
            size: self.size,
            implied: self.directories.finish()?,
            is_foreign: self.is_foreign,
        })
    }

    fn add_directory(
        &mut self,
        parent: BorrowedFd<'_>,
        path: &[&[u8]],
        name: &[u8],
        entry: &Entry,
    ) -> Result<()> {
        let mut is_opaque = false;
        // It is opened to its owner alone until the end, and then as it shall be.
        while let Err(error) = mkdirat(parent, name, Mode::RWXU) {
            if error != Errno::EXIST {
                return Err(failed("make", &entry.path, error));
            }
            match self.clear(parent, name, true)? {
                Before::Directory => break,
                // It is in the way of what the layers below have there, which must stay hidden.
                Before::Whiteout => is_opaque = true,
                Before::Other => {}
            }
        }
        let directory =
            open_name(parent, name).map_err(|error| failed("open", &entry.path, error))?;
        if is_opaque {
            set_opaque(directory.as_fd(), self.opaque_attribute)
                .map_err(|error| failed("hide what is below", &entry.path, error))?;
        }
        self.own(&directory, entry)?;
        self.set_attributes(Target::Open(directory.as_fd()), entry)?;
        self.directories
            .list(path, directory, entry.mode, entry.modified)
    }

    fn add_file(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        entry: &Entry,
        archive: &mut Archive<impl BufRead>,
    ) -> Result<()> {
        self.grow(entry.size)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = self
            .retried(parent, name, || {
                openat(parent, name, flags, Mode::RUSR | Mode::WUSR)
            })?
            .map_err(|error| failed("make", &entry.path, error))?;
        let copied = match &entry.kind {
            Kind::Sparse(pieces) => pieces
                .iter()
                .try_for_each(|piece| {
                    seek(&file, SeekFrom::Start(piece.offset)).map_err(Copy::File)?;
                    copy(&file, Some(piece.length), archive)
                })
                .and_then(|()| ftruncate(&file, entry.size).map_err(Copy::File)),
            _ => copy(&file, None, archive),
        };
        copied.map_err(|error| match error {
            Copy::Archive(error) => error,
            Copy::File(error) => failed("write", &entry.path, error),
        })?;
        self.own(&file, entry)?;
        self.set_attributes(Target::Open(file.as_fd()), entry)?;
        fchmod(&file, Mode::from_raw_mode(entry.mode))
            .map_err(|error| failed("chmod", &entry.path, error))?;
        futimens(&file, &timestamps(entry.modified))
            .map_err(|error| failed("set the times of", &entry.path, error))
    }

    /// Counts bytes, those of links too, as Docker does.
    fn grow(&mut self, bytes: u64) -> Result<()> {
        self.size = self
            .size
            .checked_add(bytes)
            .filter(|size| *size <= self.options.largest)
            .ok_or_else(|| {
                invalid(format_args!(
                    "its files have more than {} bytes",
                    self.options.largest
                ))
            })?;
        Ok(())
    }

    /// A second name has no owner and mode of its own: they are the first one's.
    fn add_hard_link(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        target: &[u8],
        entry: &Entry,
    ) -> Result<()> {
        let target = components(target)?;
        let Some((target_name, above)) = target.split_last() else {
            return Err(wrong(entry, "is a hard link to the root directory"));
        };
        let target_parent = self.directories.find(above)?;
        // What the target's name is a link to stays out of it: the link gets the second name.
        let made = self.retried(parent, name, || {
            linkat(&target_parent, *target_name, parent, name, AtFlags::empty())
        })?;
        made.map_err(|error| failed("link", &entry.path, error))
    }

    fn add_node(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        kind: FileType,
        device: u64,
        entry: &Entry,
    ) -> Result<()> {
        let made = self.retried(parent, name, || {
            mknodat(parent, name, kind, Mode::RUSR | Mode::WUSR, device)
        })?;
        match made {
            Ok(()) => self.describe(parent, name, entry),
            // Only root makes devices. Without them most images work, as they do in Docker's rootless engine.
            Err(Errno::PERM) if self.options.rights != Rights::All => Ok(()),
            Err(error) => Err(failed("make", &entry.path, error)),
        }
    }

    /// Hides a name of the layers below.
    fn hide(&mut self, parent: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<()> {
        if matches!(name, b"" | b"." | b"..") {
            return Err(wrong(entry, "hides no file"));
        }
        match mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), 0) {
            Ok(()) => Ok(()),
            // It hides what is below, not what this layer has there itself.
            Err(Errno::EXIST) => match open_name(parent, name) {
                Ok(directory) => set_opaque(directory.as_fd(), self.opaque_attribute)
                    .map_err(|error| failed("hide what is below", &entry.path, error)),
                Err(_) => Ok(()),
            },
            Err(error) => Err(failed("hide", &entry.path, error)),
        }
    }

    /// Makes something, and if the name is taken, makes it again with the name free.
    fn retried<T>(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> Result<rustix::io::Result<T>> {
        match make() {
            Err(Errno::EXIST) => {
                self.clear(parent, name, false)?;
                Ok(make())
            }
            made => Ok(made),
        }
    }

    /// Frees a name for what comes later in the archive.
    fn clear(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        for_directory: bool,
    ) -> Result<Before> {
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| failed("stat", name, error))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory && for_directory {
            return Ok(Before::Directory);
        }
        self.directories.forget();
        if kind == FileType::Directory {
            remove_all(parent, name).map_err(|error| {
                Error::io(
                    format_args!("remove /{} of the layer", String::from_utf8_lossy(name)),
                    error,
                )
            })?;
            return Ok(Before::Other);
        }
        unlinkat(parent, name, AtFlags::empty()).map_err(|error| failed("remove", name, error))?;
        Ok(match kind {
            FileType::CharacterDevice if stat.st_rdev == 0 => Before::Whiteout,
            _ => Before::Other,
        })
    }

    /// Gives what was just made its owner, attributes, mode and time.
    fn describe(&mut self, parent: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<()> {
        if self.must_own(entry) {
            let owner = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
            chownat(
                parent,
                name,
                Some(owner.0),
                Some(owner.1),
                AtFlags::SYMLINK_NOFOLLOW,
            )
            .map_err(|error| unowned(entry, error))?;
        }
        self.set_attributes(Target::Named(parent, name), entry)?;
        if !matches!(entry.kind, Kind::Symlink(_)) {
            chmodat(
                parent,
                name,
                Mode::from_raw_mode(entry.mode),
                AtFlags::empty(),
            )
            .map_err(|error| failed("chmod", &entry.path, error))?;
        }
        utimensat(
            parent,
            name,
            &timestamps(entry.modified),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .map_err(|error| failed("set the times of", &entry.path, error))
    }

    /// Gives a file its owner. This comes before the mode: it takes set-user-id bits away.
    fn own(&mut self, file: &OwnedFd, entry: &Entry) -> Result<()> {
        if !self.must_own(entry) {
            return Ok(());
        }
        let owner = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
        fchown(file, Some(owner.0), Some(owner.1)).map_err(|error| unowned(entry, error))
    }

    fn must_own(&mut self, entry: &Entry) -> bool {
        let may = self.options.rights != Rights::Own;
        if !may && (entry.uid, entry.gid) != (0, 0) {
            self.is_foreign = true;
        }
        may
    }

    fn set_attributes(&self, target: Target<'_>, entry: &Entry) -> Result<()> {
        for (name, value) in &entry.attributes {
            // These tell overlayfs where to look for a file's content: an image has no say in that.
            if name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.") {
                continue;
            }
            let set = match target {
                Target::Open(file) => fsetxattr(file, name.as_slice(), value, XattrFlags::empty()),
                Target::Named(parent, file) => {
                    let mut path = format!("/proc/self/fd/{}/", parent.as_raw_fd()).into_bytes();
                    path.extend_from_slice(file);
                    lsetxattr(path, name.as_slice(), value, XattrFlags::empty())
                }
            };
            match set {
                Ok(()) => {}
                // The file system has none, or none on such a file; Docker goes on too.
                Err(Errno::NOTSUP) => {}
                Err(Errno::PERM)
                    if self.options.rights != Rights::All || name.starts_with(b"user.") => {}
                Err(error) => {
                    let doing = format!("set the attribute {} of", String::from_utf8_lossy(name));
                    return Err(failed(&doing, &entry.path, error));
                }
            }
        }
        Ok(())
    }
}

/// What attributes are set on.
#[derive(Clone, Copy)]
enum Target<'a> {
    Open(BorrowedFd<'a>),
    Named(BorrowedFd<'a>, &'a [u8]),
}

/// Why a file could not be copied.
enum Copy {
    Archive(Error),
    File(Errno),
}

/// Copies so many of the entry's bytes, or all.
fn copy(
    file: &OwnedFd,
    length: Option<u64>,
    archive: &mut Archive<impl BufRead>,
) -> std::result::Result<(), Copy> {
    let mut left = length.unwrap_or(u64::MAX);
    while left > 0 {
        let data = archive.data().map_err(Copy::Archive)?;
        if data.is_empty() {
            break;
        }
        let most = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = match write(file, &data[..most]) {
            Err(Errno::INTR) => continue,
            written => written.map_err(Copy::File)?,
        };
        archive.consume(count);
        left -= count as u64;
    }
    Ok(())
}

/// Removes a directory that an entry replaces. Its last component is not followed, and neither is anything below it.
fn remove_all(parent: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let parent = format!("/proc/self/fd/{}", parent.as_raw_fd());
    std::fs::remove_dir_all(std::path::Path::new(&parent).join(OsStr::from_bytes(name)))
}

/// The names of a path, as in the layer's root. One that leads above it is refused.
fn components(path: &[u8]) -> Result<Vec<&[u8]>> {
    let mut components: Vec<&[u8]> = Vec::new();
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                if components.pop().is_none() {
                    return Err(invalid(format_args!(
                        "{:?} is outside of it",
                        String::from_utf8_lossy(path)
                    )));
                }
            }
            name => components.push(name),
        }
    }
    Ok(components)
}

/// The error of a file that cannot be given to whom it should belong.
fn unowned(entry: &Entry, error: Errno) -> Error {
    match error {
        Errno::INVAL => Error::invalid(format!(
            "{:?} belongs to user {} and group {}, of which one is not among the ids that you have (/etc/subuid, \
             /etc/subgid)",
            String::from_utf8_lossy(&entry.path),
            entry.uid,
            entry.gid
        )),
        error => failed("chown", &entry.path, error),
    }
}

fn wrong(entry: &Entry, what: &str) -> Error {
    invalid(format_args!(
        "{:?} {what}",
        String::from_utf8_lossy(&entry.path)
    ))
}
