//! Copies of directories with all that is in them: owners, modes, times, extended attributes, links, devices and holes.
//!
//! What is copied comes from an image, and where it goes to a container may write meanwhile. So nothing is looked up by
//! path: each level is a pair of open directories, and no link is ever followed.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, Uid,
    XattrFlags, chmodat, chownat, copy_file_range, fchmod, fchown, fgetxattr, flistxattr,
    fsetxattr, fstat, ftruncate, futimens, linkat, mkdirat, mknodat, openat, openat2, readlinkat,
    seek, statat, symlinkat, utimensat,
};
use rustix::io::Errno;

/// How deep directories are copied; each level takes two descriptors.
const DEPTH: usize = 256;

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Copies all that is in a directory into one that is empty, and what is told about the directory itself.
pub(super) fn copy(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    let mut copier = Copier {
        root: target.try_clone_to_owned()?,
        path: Vec::new(),
        linked: HashMap::new(),
    };
    copier.directory(source, target)?;
    describe(source, target)
}

/// Gives a directory the owner, mode, attributes and times of another.
pub(super) fn describe(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    let stat = fstat(source)?;
    fchown(target, Some(owner(&stat)), Some(group(&stat)))?;
    // Changing the owner takes set-user-id away, so the mode comes after it.
    fchmod(target, mode(&stat))?;
    copy_attributes(source, target)?;
    futimens(target, &times(&stat))?;
    Ok(())
}

struct Copier {
    /// Where the copy begins.
    root: OwnedFd,
    /// The names from there to where it is now.
    path: Vec<CString>,
    /// The first copies of files that have several names.
    linked: HashMap<(u64, u64), Vec<CString>>,
}

impl Copier {
    fn directory(&mut self, source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
        if self.path.len() >= DEPTH {
            return Err(io::Error::other(format!(
                "directories are nested more than {DEPTH} deep"
            )));
        }
        for entry in Dir::read_from(source)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.path.push(name.to_owned());
            self.entry(source, target, name)?;
            self.path.pop();
        }
        Ok(())
    }

    fn entry(
        &mut self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        name: &CStr,
    ) -> io::Result<()> {
        let stat = statat(source, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind != FileType::Directory && stat.st_nlink > 1 {
            let identity = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.linked.get(&identity) {
                return self.link(first, target, name);
            }
            self.linked.insert(identity, self.path.clone());
        }
        match kind {
            FileType::Directory => {
                let from = openat(source, name, DIRECTORY, Mode::empty())?;
                mkdirat(target, name, Mode::RWXU)?;
                let to = openat(target, name, DIRECTORY, Mode::empty())?;
                self.directory(from.as_fd(), to.as_fd())?;
                // Last, for each entry changes its time.
                describe(from.as_fd(), to.as_fd())
            }
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
                let from = openat(source, name, flags, Mode::empty())?;
                let flags = OFlags::WRONLY
                    | OFlags::CREATE
                    | OFlags::EXCL
                    | OFlags::NOFOLLOW
                    | OFlags::CLOEXEC;
                let to = openat(target, name, flags, Mode::RUSR | Mode::WUSR)?;
                copy_content(&from, &to, stat.st_size)?;
                describe(from.as_fd(), to.as_fd())
            }
            FileType::Symlink => {
                let to = readlinkat(source, name, Vec::new())?;
                symlinkat(to, target, name)?;
                self.describe_name(target, name, &stat)
            }
            kind => {
                mknodat(target, name, kind, mode(&stat), stat.st_rdev)?;
                self.describe_name(target, name, &stat)?;
                chmod_node(target, name, kind, mode(&stat))
            }
        }
    }

    /// Gives one more name to a file that was copied under another.
    fn link(&self, first: &[CString], target: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        let Some((last, directories)) = first.split_last() else {
            return Err(Errno::NOENT.into());
        };
        let mut path = b".".to_vec();
        for directory in directories {
            path.push(b'/');
            path.extend(directory.to_bytes());
        }
        let directory = openat2(
            &self.root,
            path.as_slice(),
            DIRECTORY,
            Mode::empty(),
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
        )?;
        linkat(&directory, last.as_c_str(), target, name, AtFlags::empty())?;
        Ok(())
    }

    fn describe_name(&self, target: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> io::Result<()> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        chownat(target, name, Some(owner(stat)), Some(group(stat)), flags)?;
        utimensat(target, name, &times(stat), flags)?;
        Ok(())
    }
}

/// Gives a device or a fifo its mode, of which the umask may have taken something. By name that would follow a link, so it
/// goes by descriptor.
fn chmod_node(
    directory: BorrowedFd<'_>,
    name: &CStr,
    kind: FileType,
    mode: Mode,
) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let node = openat(directory, name, flags, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&node)?.st_mode) != kind {
        return Err(Errno::AGAIN.into());
    }
    let path = format!("/proc/self/fd/{}", node.as_raw_fd());
    chmodat(CWD, path, mode, AtFlags::empty())?;
    Ok(())
}

/// Copies what a file holds; where it holds nothing, neither does the copy.
fn copy_content(from: &OwnedFd, to: &OwnedFd, length: i64) -> io::Result<()> {
    let length = u64::try_from(length).unwrap_or(0);
    let mut at = 0;
    while at < length {
        let begin = match seek(from, rustix::fs::SeekFrom::Data(at)) {
            Ok(begin) => begin,
            // There is nothing more.
            Err(Errno::NXIO) => break,
            // The file system does not tell.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => at,
            Err(error) => return Err(error.into()),
        };
        let end = match seek(from, rustix::fs::SeekFrom::Hole(begin)) {
            Ok(end) => end.min(length),
            Err(_) => length,
        };
        copy_part(from, to, begin, end)?;
        if end <= at {
            break;
        }
        at = end;
    }
    ftruncate(to, length)?;
    Ok(())
}

fn copy_part(from: &OwnedFd, to: &OwnedFd, begin: u64, end: u64) -> io::Result<()> {
    let (mut read, mut write) = (begin, begin);
    while read < end {
        let rest = usize::try_from(end - read)
            .unwrap_or(usize::MAX)
            .min(1 << 30);
        match copy_file_range(from, Some(&mut read), to, Some(&mut write), rest) {
            // It became shorter.
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            // Between these file systems the kernel does not copy by itself.
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {
                return pour(from, to, read, end);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn pour(from: &OwnedFd, to: &OwnedFd, begin: u64, end: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let from = File::from(from.try_clone()?);
    let to = File::from(to.try_clone()?);
    let mut buffer = vec![0; 64 << 10];
    let mut at = begin;
    while at < end {
        let most = buffer
            .len()
            .min(usize::try_from(end - at).unwrap_or(usize::MAX));
        let length = from.read_at(&mut buffer[..most], at)?;
        if length == 0 {
            break;
        }
        to.write_all_at(&buffer[..length], at)?;
        at += length as u64;
    }
    Ok(())
}

/// Copies extended attributes, file capabilities among them. One that the file system or the user may not have is left
/// out, as cp(1) does.
fn copy_attributes(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    let mut names = vec![0u8; 64 << 10];
    let length = match flistxattr(source, &mut names) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut value = vec![0u8; 64 << 10];
    for name in names[..length]
        .split_inclusive(|&byte| byte == 0)
        .filter_map(|name| CStr::from_bytes_with_nul(name).ok())
    {
        let copied = fgetxattr(source, name, &mut value)
            .and_then(|length| fsetxattr(target, name, &value[..length], XattrFlags::empty()));
        match copied {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM | Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn owner(stat: &Stat) -> Uid {
    Uid::from_raw(stat.st_uid)
}

fn group(stat: &Stat) -> Gid {
    Gid::from_raw(stat.st_gid)
}

fn mode(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode)
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime as _,
            tv_nsec: stat.st_atime_nsec as _,
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime as _,
            tv_nsec: stat.st_mtime_nsec as _,
        },
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
