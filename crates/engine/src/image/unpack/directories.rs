//! Directories of a layer: opened without leaving it, and finished when nothing more comes into them.

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid, XattrFlags, chownat,
    fchmod, fsetxattr, fstat, futimens, mkdirat, openat, openat2,
};
use rustix::io::Errno;

use super::invalid;
use crate::{Error, Result};

/// How many descriptors are kept: archives go through a tree in order, so few are in use at a time.
const KEPT: usize = 64;
/// How many bytes the paths of all directories may have together, for they are kept until the end.
const LONGEST_LIST: usize = 64 << 20;

/// The directories of a layer that is being unpacked.
pub(super) struct Directories {
    root: Rc<OwnedFd>,
    open: HashMap<Vec<u8>, Rc<OwnedFd>>,
    listed: Vec<Listed>,
    implied: Vec<(Vec<u8>, u64)>,
    bytes: usize,
}

/// A directory whose mode and time are set at the end: files come into it until then.
struct Listed {
    path: Vec<u8>,
    /// What was made under that path: meanwhile it may lead elsewhere.
    inode: u64,
    mode: u32,
    modified: (i64, u32),
}

impl Directories {
    pub(super) fn new(root: BorrowedFd<'_>) -> Result<Directories> {
        let root = root
            .try_clone_to_owned()
            .map_err(|error| Error::io("keep a directory open", error))?;
        Ok(Directories {
            root: Rc::new(root),
            open: HashMap::new(),
            listed: Vec::new(),
            implied: Vec::new(),
            bytes: 0,
        })
    }

    /// Opens a directory, which is made as far as it does not exist.
    pub(super) fn open(&mut self, path: &[&[u8]]) -> Result<Rc<OwnedFd>> {
        match self.look_up(path) {
            Err((_, Errno::NOENT)) => {
                let directory = self.make(path)?;
                self.keep(path.join(&b'/'), &directory);
                Ok(directory)
            }
            found => found.map_err(|(path, error)| failed("open", &path, error)),
        }
    }

    /// Opens a directory that is there.
    pub(super) fn find(&mut self, path: &[&[u8]]) -> Result<Rc<OwnedFd>> {
        self.look_up(path)
            .map_err(|(path, error)| failed("open", &path, error))
    }

    fn look_up(&mut self, path: &[&[u8]]) -> std::result::Result<Rc<OwnedFd>, (Vec<u8>, Errno)> {
        if path.is_empty() {
            return Ok(Rc::clone(&self.root));
        }
        let joined = path.join(&b'/');
        if let Some(directory) = self.open.get(&joined) {
            return Ok(Rc::clone(directory));
        }
        match open_in(self.root.as_fd(), &joined) {
            Ok(directory) => {
                let directory = Rc::new(directory);
                self.keep(joined, &directory);
                Ok(directory)
            }
            Err(error) => Err((joined, error)),
        }
    }

    /// Makes a directory that is needed and that nothing was said of, which may yet come.
    fn make(&mut self, path: &[&[u8]]) -> Result<Rc<OwnedFd>> {
        let (Some(name), above) = (path.last(), &path[..path.len() - 1]) else {
            return Ok(Rc::clone(&self.root));
        };
        let parent = self.open(above)?;
        let joined = path.join(&b'/');
        mkdirat(&parent, *name, Mode::RWXU)
            .map_err(|error| failed("make the directory of", &joined, error))?;
        let directory =
            open_name(parent.as_fd(), name).map_err(|error| failed("open", &joined, error))?;
        fchmod(&directory, Mode::from_raw_mode(0o755))
            .map_err(|error| failed("chmod", &joined, error))?;
        let inode = inode(directory.as_fd()).map_err(|error| failed("stat", &joined, error))?;
        self.count(joined.len())?;
        self.implied.push((joined, inode));
        Ok(Rc::new(directory))
    }

    /// Notes a directory that an entry describes.
    pub(super) fn list(
        &mut self,
        path: &[&[u8]],
        directory: OwnedFd,
        mode: u32,
        modified: (i64, u32),
    ) -> Result<()> {
        let path = path.join(&b'/');
        let inode = inode(directory.as_fd()).map_err(|error| failed("stat", &path, error))?;
        self.count(path.len())?;
        self.keep(path.clone(), &Rc::new(directory));
        self.listed.push(Listed {
            path,
            inode,
            mode,
            modified,
        });
        Ok(())
    }

    /// Forgets what is open: something was removed, and perhaps one of these was below it.
    pub(super) fn forget(&mut self) {
        self.open.clear();
    }

    /// Sets modes and times, and returns the directories that nothing was said of.
    pub(super) fn finish(mut self) -> Result<Vec<Vec<u8>>> {
        self.open.clear();
        let mut done = HashSet::new();
        // The last word on a directory counts, and what is below one is done before it may be closed to its owner.
        for listed in self.listed.iter().rev() {
            if done.contains(&listed.inode) {
                continue;
            }
            let directory = match open_in(self.root.as_fd(), &listed.path) {
                Ok(directory) => directory,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                Err(error) => return Err(failed("open", &listed.path, error)),
            };
            let found =
                inode(directory.as_fd()).map_err(|error| failed("stat", &listed.path, error))?;
            if found != listed.inode {
                continue;
            }
            fchmod(&directory, Mode::from_raw_mode(listed.mode))
                .map_err(|error| failed("chmod", &listed.path, error))?;
            futimens(&directory, &timestamps(listed.modified))
                .map_err(|error| failed("set the times of", &listed.path, error))?;
            done.insert(listed.inode);
        }
        let implied = self.implied.into_iter();
        Ok(implied
            .filter(|(_, inode)| !done.contains(inode))
            .map(|(path, _)| path)
            .collect())
    }

    fn keep(&mut self, path: Vec<u8>, directory: &Rc<OwnedFd>) {
        if self.open.len() >= KEPT {
            self.open.clear();
        }
        self.open.insert(path, Rc::clone(directory));
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        self.bytes += bytes + size_of::<Listed>();
        if self.bytes > LONGEST_LIST {
            return Err(invalid("it has too many directories"));
        }
        Ok(())
    }
}

/// Gives directories that a layer did not describe owner, mode, time and attributes of those below it: without this, a
/// layer with nothing but `tmp/file` would take everybody's `/tmp` away.
///
/// `below` are the directories of the layers below, the uppermost first.
pub(in crate::image) fn adopt(
    layer: BorrowedFd<'_>,
    implied: &[Vec<u8>],
    below: &[OwnedFd],
) -> Result<()> {
    for path in implied {
        let found = below
            .iter()
            .find_map(|layer| open_in(layer.as_fd(), path).ok());
        let (Some(like), Ok(directory)) = (found, open_in(layer, path)) else {
            continue;
        };
        let like = fstat(&like).map_err(|error| failed("stat", path, error))?;
        chownat(
            &directory,
            "",
            Some(Uid::from_raw(like.st_uid)),
            Some(Gid::from_raw(like.st_gid)),
            AtFlags::EMPTY_PATH,
        )
        .map_err(|error| failed("chown", path, error))?;
        fchmod(&directory, Mode::from_raw_mode(like.st_mode))
            .map_err(|error| failed("chmod", path, error))?;
        let nanoseconds = u32::try_from(like.st_mtime_nsec).unwrap_or(0);
        futimens(&directory, &timestamps((like.st_mtime, nanoseconds)))
            .map_err(|error| failed("set the times of", path, error))?;
    }
    Ok(())
}

/// Opens a directory whose path is followed as if `root` were the root of everything.
fn open_in(root: BorrowedFd<'_>, path: &[u8]) -> rustix::io::Result<OwnedFd> {
    loop {
        match openat2(
            root,
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        ) {
            // The kernel gives up when a rename elsewhere makes the way uncertain.
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened,
        }
    }
}

/// Opens a directory by its name in another.
pub(super) fn open_name(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    openat(
        parent,
        name,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// Has a directory hide what is below it in other layers.
pub(super) fn set_opaque(directory: BorrowedFd<'_>, attribute: &str) -> rustix::io::Result<()> {
    fsetxattr(directory, attribute, b"y", XattrFlags::empty())
}

pub(super) fn timestamps((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.into(),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

fn inode(directory: BorrowedFd<'_>) -> rustix::io::Result<u64> {
    Ok(fstat(directory)?.st_ino)
}

pub(super) fn failed(doing: &str, path: &[u8], error: Errno) -> Error {
    Error::io(
        format_args!("{doing} /{} of the layer", String::from_utf8_lossy(path)),
        error,
    )
}
