//! How much room a directory takes.

use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat, statat};

use crate::{Error, Result};

/// How deep directories are gone into. Containers can make deeper ones, and each level takes a descriptor.
const DEPTH: usize = 512;

/// The bytes that the files below a directory take on the disk, each file counted once and other file systems left out.
///
/// No link is followed: the files of containers are among them. What goes away meanwhile, or cannot be looked into, is not
/// counted. A directory that does not exist takes nothing.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the directory itself cannot be read.
pub(crate) fn disk_usage(directory: &Path) -> Result<u64> {
    // The kernel's unit, whatever the file system's is.
    count(directory, |stat| {
        u64::try_from(stat.st_blocks).unwrap_or(0) * 512
    })
}

/// The bytes that the files below a directory hold, as [`disk_usage`] counts them.
///
/// # Errors
///
/// Those of [`disk_usage`].
pub(crate) fn content_size(directory: &Path) -> Result<u64> {
    count(directory, |stat| {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => u64::try_from(stat.st_size).unwrap_or(0),
            _ => 0,
        }
    })
}

fn count(directory: &Path, measure: fn(&Stat) -> u64) -> Result<u64> {
    let failed = |errno| Error::io(format_args!("read {}", directory.display()), errno);
    let opened = match open(CWD, directory) {
        Ok(opened) => opened,
        Err(rustix::io::Errno::NOENT) => return Ok(0),
        Err(errno) => return Err(failed(errno)),
    };
    let stat = rustix::fs::fstat(&opened).map_err(failed)?;
    let mut count = Count {
        device: stat.st_dev,
        linked: HashSet::new(),
        measure,
        bytes: 0,
    };
    count.add(&stat);
    count.walk(&opened, DEPTH);
    Ok(count.bytes)
}

struct Count {
    device: u64,
    /// Files of several names that were counted under one of them.
    linked: HashSet<u64>,
    measure: fn(&Stat) -> u64,
    bytes: u64,
}

impl Count {
    fn add(&mut self, stat: &Stat) {
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if is_directory || stat.st_nlink == 1 || self.linked.insert(stat.st_ino) {
            self.bytes += (self.measure)(stat);
        }
    }

    fn walk(&mut self, directory: &OwnedFd, depth: usize) {
        let Ok(entries) = Dir::read_from(directory) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if stat.st_dev != self.device {
                continue;
            }
            self.add(&stat);
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory
                && depth > 0
                && let Ok(inner) = open(directory.as_fd(), name)
            {
                self.walk(&inner, depth - 1);
            }
        }
    }
}

fn open(at: impl AsFd, path: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_counted_once_and_links_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let empty = disk_usage(directory.path()).expect("a size");
        fs::create_dir_all(path("a/b")).expect("directories");
        let directories = disk_usage(directory.path()).expect("a size") - empty;
        fs::write(path("a/b/file"), vec![1; 1 << 20]).expect("a file");
        fs::hard_link(path("a/b/file"), path("again")).expect("a link");
        std::os::unix::fs::symlink("/usr", path("elsewhere")).expect("a link");
        let bytes = disk_usage(directory.path()).expect("a size");
        let file = bytes - empty - directories;
        assert!((1 << 20..(1 << 20) + 65536).contains(&file), "{file}");
        assert_eq!(disk_usage(&path("none")).expect("nothing"), 0);
        assert_eq!(content_size(directory.path()).expect("a size"), 1 << 20);
    }

    #[test]
    fn a_tree_of_any_depth_is_counted_without_an_end_of_the_stack() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut at = open(CWD, directory.path()).expect("a directory");
        for _ in 0..DEPTH + 200 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).expect("a directory");
            at = open(&at, "d").expect("a directory");
        }
        disk_usage(directory.path()).expect("a size");
    }
}
