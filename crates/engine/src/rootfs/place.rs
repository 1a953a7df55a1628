//! Places in a root directory that nobody trusts: found as a container would that has it for its root, and made where
//! something is missing.
//!
//! Symbolic links are followed by reading them, so that none leads out, and one of `/proc` is a text like every other and
//! never a way to what this process has open (CVE-2024-21626). One that leads nowhere leads to what is made there, as with
//! Docker.

use std::collections::VecDeque;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, chownat, fstat, mkdirat, openat,
    openat2, readlinkat, unlinkat,
};
use rustix::io::Errno;

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// What a place has to be if it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A directory of mode 0755.
    Directory,
    /// An empty file of mode 0644.
    File,
}

/// A place that is there.
#[derive(Debug)]
pub(crate) struct Place {
    /// Opened as a path only.
    pub(crate) descriptor: OwnedFd,
    /// Below the root, without links.
    pub(crate) path: PathBuf,
}

/// Why a place cannot be reached, and how far that went.
#[derive(Debug)]
pub(crate) struct Unreachable {
    /// What could not be opened or made.
    pub(crate) path: PathBuf,
    /// The kernel's reason.
    pub(crate) reason: Errno,
}

/// Finds `path` below `root`, and makes it, as root's, where it is missing.
pub(crate) fn make(root: BorrowedFd<'_>, path: &Path, kind: Kind) -> Result<Place, Unreachable> {
    let unreachable = |path: &Path, reason| Unreachable {
        path: path.to_owned(),
        reason,
    };
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open_root = || openat(root, ".", flags, Mode::empty());
    let mut found = open_root().map_err(|error| unreachable(path, error))?;
    let mut so_far = PathBuf::from("/");
    // Where `..` leads: a descriptor's own `..` is where somebody may have moved it.
    let mut above: Vec<OwnedFd> = Vec::new();
    let mut names: VecDeque<OsString> = names_of(path);
    let mut links = 0;
    while let Some(name) = names.pop_front() {
        if name == ".." {
            if let Some(parent) = above.pop() {
                found = parent;
                so_far.pop();
            }
            continue;
        }
        let here = so_far.join(&name);
        let failed = |reason| unreachable(&here, reason);
        let open = || openat(&found, &*name, flags, Mode::empty());
        let next = match open() {
            Err(Errno::NOENT) => {
                let is_last = names.is_empty();
                make_one(
                    found.as_fd(),
                    &name,
                    if is_last { kind } else { Kind::Directory },
                )
                .and_then(|()| open())
            }
            opened => opened,
        }
        .map_err(failed)?;
        let status = fstat(&next).map_err(failed)?;
        if FileType::from_raw_mode(status.st_mode) == FileType::Symlink {
            links += 1;
            if links > MOST_LINKS {
                return Err(failed(Errno::LOOP));
            }
            let target: CString = readlinkat(&next, "", Vec::new()).map_err(failed)?;
            let target = Path::new(OsStr::from_bytes(target.as_bytes()));
            if target.is_absolute() {
                found = open_root().map_err(failed)?;
                so_far = PathBuf::from("/");
                above.clear();
            }
            let mut target = names_of(target);
            target.append(&mut names);
            names = target;
            continue;
        }
        above.push(std::mem::replace(&mut found, next));
        so_far = here;
    }
    Ok(Place {
        descriptor: found,
        path: so_far,
    })
}

fn names_of(path: &Path) -> VecDeque<OsString> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    });
    names.collect()
}

fn make_one(parent: BorrowedFd<'_>, name: &OsStr, kind: Kind) -> Result<(), Errno> {
    let made = match kind {
        Kind::Directory => mkdirat(parent, name, Mode::from_raw_mode(0o755)),
        Kind::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(parent, name, flags, Mode::from_raw_mode(0o644)).map(drop)
        }
    };
    match made {
        // Who makes it may run as the container's user already, but what the engine makes is root's.
        Ok(()) => chownat(
            parent,
            name,
            Some(Uid::ROOT),
            Some(Gid::ROOT),
            AtFlags::SYMLINK_NOFOLLOW,
        ),
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes links away that are in the way of a place of which each part is to be a directory, or the last a file.
pub(crate) fn unlink_links(root: BorrowedFd<'_>, path: &Path) -> Result<(), Unreachable> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    let mut so_far = PathBuf::new();
    // Mostly there is none.
    if !matches!(
        openat2(root, path, flags, Mode::empty(), resolve),
        Err(Errno::LOOP | Errno::NOTDIR)
    ) {
        return Ok(());
    }
    for name in names_of(path) {
        so_far.push(name);
        let is_link = matches!(
            openat2(root, &so_far, flags, Mode::empty(), resolve),
            Err(Errno::LOOP)
        );
        if is_link {
            unlinkat(root, &so_far, AtFlags::empty()).map_err(|reason| Unreachable {
                path: Path::new("/").join(&so_far),
                reason,
            })?;
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;

    struct Root {
        _all: tempfile::TempDir,
        root: PathBuf,
        outside: PathBuf,
    }

    impl Root {
        fn new() -> Root {
            let all = tempfile::tempdir().expect("a directory");
            let (root, outside) = (all.path().join("root"), all.path().join("outside"));
            fs::create_dir_all(root.join("dir")).expect("a directory");
            fs::create_dir(&outside).expect("a directory");
            Root {
                _all: all,
                root,
                outside,
            }
        }

        fn make(&self, path: &str, kind: Kind) -> Result<PathBuf, (PathBuf, Errno)> {
            let root = File::open(&self.root).expect("a directory");
            match make(root.as_fd(), Path::new(path), kind) {
                Ok(place) => {
                    let is_directory = fstat(&place.descriptor)
                        .map(|status| FileType::from_raw_mode(status.st_mode))
                        .expect("a place")
                        == FileType::Directory;
                    assert_eq!(is_directory, kind == Kind::Directory);
                    Ok(place.path)
                }
                Err(error) => Err((error.path, error.reason)),
            }
        }
    }

    #[test]
    fn links_lead_to_what_is_made_below_the_root() {
        let root = Root::new();
        let outside = root.outside.to_str().expect("text").to_owned();
        symlink(&outside, root.root.join("absolute")).expect("a link");
        symlink(format!("../../../..{outside}"), root.root.join("dotted")).expect("a link");
        symlink("/proc/self/fd/1", root.root.join("magic")).expect("a link");
        symlink("../dir", root.root.join("dir/back")).expect("a link");
        symlink("loop", root.root.join("loop")).expect("a link");
        symlink("..", root.root.join("up")).expect("a link");
        symlink("nowhere/file", root.root.join("dangling")).expect("a link");
        File::create(root.root.join("file")).expect("a file");
        for (path, kind, expected) in [
            ("/dir", Kind::Directory, "/dir"),
            ("/new/below", Kind::Directory, "/new/below"),
            ("/absolute", Kind::Directory, &*outside),
            ("/dotted/x", Kind::Directory, &*format!("{outside}/x")),
            ("/magic/y", Kind::Directory, "/proc/self/fd/1/y"),
            ("/dir/back/back/z", Kind::File, "/dir/z"),
            ("/dangling", Kind::File, "/nowhere/file"),
            ("/up/../..", Kind::Directory, "/"),
            ("/file", Kind::File, "/file"),
        ] {
            assert_eq!(root.make(path, kind), Ok(PathBuf::from(expected)), "{path}");
        }
        for (path, expected) in [
            ("/loop/x", ("/loop", Errno::LOOP)),
            ("/file/x", ("/file/x", Errno::NOTDIR)),
        ] {
            let expected = (PathBuf::from(expected.0), expected.1);
            assert_eq!(root.make(path, Kind::Directory), Err(expected), "{path}");
        }
        let left = fs::read_dir(&root.outside).expect("a directory").count();
        assert_eq!(left, 0, "nothing is made outside");
    }

    #[test]
    fn links_in_the_way_are_taken_away_and_nothing_else() {
        let root = Root::new();
        let content = root.outside.join("hosts");
        fs::write(&content, "outside").expect("a file");
        let descriptor = File::open(&root.root).expect("a directory");
        symlink(&root.outside, root.root.join("etc")).expect("a link");
        fs::write(root.root.join("dir/file"), "inside").expect("a file");
        symlink("/dir/file", root.root.join("dir/link")).expect("a link");
        for path in ["/etc/hosts", "/dir/file", "/dir/link", "/none/there"] {
            unlink_links(descriptor.as_fd(), Path::new(path)).expect(path);
        }
        assert!(fs::symlink_metadata(root.root.join("etc")).is_err());
        assert!(fs::symlink_metadata(root.root.join("dir/link")).is_err());
        assert!(root.root.join("dir/file").exists() && content.exists());
    }
}
