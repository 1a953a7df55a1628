//! A directory of the machine, most of all `/`, under overlays.
//!
//! One overlay over `/` will not do: in a user namespace the kernel refuses to show what lies below mounts, and elsewhere
//! what is mounted at the top would not show. So each directory at the top has an overlay of its own, below a root in
//! memory; one that can have none is taken apart in the same way. What is mounted further down is bound read-only.
//!
//! Changes to `/` itself are in memory, and so are all changes where the file system of the container's own directory
//! cannot hold an overlay's: they last until the container ends.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, chmodat, chownat, fstat,
    mkdirat, openat, openat2, readlinkat, statat, symlinkat,
};
use rustix::io::Errno;
use rustix::mount::{MountFlags, OpenTreeFlags, mount as mount_device, open_tree};

use super::overlay::{self, Overlay, open_directory};
use super::{Kind, Mounted};
use crate::layout::make_directory;
use crate::runtime::tree;
use crate::sys::{self, MountTable};
use crate::{Error, Result};

/// Directories of the machine's root that are empty in a container: three are its own, and what lies in `/run` are sockets
/// that speak for the machine.
const OWN: [&str; 4] = ["proc", "sys", "dev", "run"];

/// How deep a directory is taken apart before it is given up.
const DEEPEST: usize = 8;

pub(super) fn mount(source: &Path, directory: &Path, target: &Path) -> Result<Mounted> {
    let source = fs::canonicalize(source)
        .map_err(|error| Error::io(format_args!("open {}", source.display()), error))?;
    let is_machine = source == Path::new("/");
    let mounts = below(MountTable::read()?, &source, target);
    let lower = open_directory(&source)?;
    if !is_machine {
        let overlay = Overlay::over(
            vec![again(&lower)?],
            &directory.join("upper"),
            &directory.join("work"),
        )?;
        match overlay.mount(target) {
            Ok(()) => {
                bind_all(&mounts, &source, &open_directory(target)?)?;
                return Ok(Mounted::new(Kind::Overlay));
            }
            Err(error) if overlay::is_refusal(&error) => {}
            Err(error) => return Err(Error::io("mount an overlay", error)),
        }
    }
    let tree = Tree::new(directory, target)?;
    let root = open_directory(&tree.root)?;
    let skipped: &[&str] = if is_machine { &OWN } else { &[] };
    let mut warnings = BTreeSet::new();
    tree.take_apart(&lower, &root, Path::new(""), skipped, &mut warnings)?;
    let mounts: Vec<PathBuf> = mounts
        .into_iter()
        .filter(|mount| {
            !is_machine
                || !OWN
                    .iter()
                    .any(|own| mount.starts_with(Path::new("/").join(own)))
        })
        .collect();
    bind_all(&mounts, &source, &root)?;
    tree.show(target)?;
    Ok(Mounted {
        kind: Kind::Overlays,
        warnings: warnings.into_iter().collect(),
    })
}

/// The root in memory, on its way.
struct Tree {
    root: PathBuf,
    /// Where changes go: the container's own directory, or memory.
    places: [PathBuf; 2],
}

impl Tree {
    fn new(directory: &Path, target: &Path) -> Result<Tree> {
        let flags = MountFlags::NODEV;
        mount_device("tmpfs", target, "tmpfs", flags, Some(c"mode=700"))
            .map_err(|error| Error::io(format_args!("mount {}", target.display()), error))?;
        let root = target.join("root");
        for path in [&root, &target.join("memory")] {
            make_directory(path)?;
        }
        Ok(Tree {
            root,
            places: [directory.to_owned(), target.join("memory")],
        })
    }

    /// Puts what is in a directory into another one, with an overlay for each directory.
    fn take_apart(
        &self,
        lower: &OwnedFd,
        place: &OwnedFd,
        path: &Path,
        skipped: &[&str],
        warnings: &mut BTreeSet<String>,
    ) -> Result<()> {
        let failed = |name: &OsStr, error: io::Error| {
            Error::io(
                format_args!("put {} into the container", path.join(name).display()),
                error,
            )
        };
        like(lower, place).map_err(|error| failed(OsStr::new(""), error.into()))?;
        let listed = openat(
            lower,
            ".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        );
        let listed = match listed {
            Ok(listed) => listed,
            // It is closed to this user, and what is in it as out of reach here as it is outside.
            Err(Errno::ACCESS) => return Ok(()),
            Err(error) => return Err(failed(OsStr::new(""), error.into())),
        };
        for entry in Dir::new(listed).map_err(|error| failed(OsStr::new(""), error.into()))? {
            let entry = entry.map_err(|error| failed(OsStr::new(""), error.into()))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
            if name == "." || name == ".." {
                continue;
            }
            let kind = match statat(lower, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => FileType::from_raw_mode(found.st_mode),
                // It went meanwhile, or names are all that this user may see.
                Err(Errno::NOENT | Errno::ACCESS) => continue,
                Err(error) => return Err(failed(&name, error.into())),
            };
            match kind {
                FileType::Directory => {
                    let empty = skipped.iter().any(|skipped| name == *skipped);
                    self.put_directory(lower, place, path, &name, empty, warnings)?;
                }
                FileType::Symlink => readlinkat(lower, &name, Vec::new())
                    .and_then(|link| symlinkat(link, place, &name))
                    .map_err(|error| failed(&name, error.into()))?,
                FileType::RegularFile => {
                    put_file(lower, place, &name).map_err(|error| failed(&name, error))?;
                }
                // Sockets, fifos and devices are the machine's.
                _ => {}
            }
        }
        Ok(())
    }

    fn put_directory(
        &self,
        lower: &OwnedFd,
        place: &OwnedFd,
        path: &Path,
        name: &OsStr,
        empty: bool,
        warnings: &mut BTreeSet<String>,
    ) -> Result<()> {
        let path = path.join(name);
        let failed = |error: Errno| {
            Error::io(
                format_args!("put /{} into the container", path.display()),
                error,
            )
        };
        mkdirat(place, name, Mode::from_raw_mode(0o755)).map_err(failed)?;
        let below = openat(place, name, FLAGS, Mode::empty()).map_err(failed)?;
        if empty {
            return Ok(());
        }
        let lower = openat(lower, name, FLAGS, Mode::empty()).map_err(failed)?;
        for (position, changes) in self.places.iter().enumerate() {
            let overlay = Overlay::over(
                vec![again(&lower)?],
                &changes.join("upper").join(&path),
                &changes.join("work").join(flat(&path)),
            )?;
            match overlay.mount(&self.root.join(&path)) {
                Ok(()) if position == 0 => return Ok(()),
                Ok(()) => {
                    warnings.insert(format!(
                        "What the container changes below /{} is kept in memory and lost when it ends.",
                        path.display()
                    ));
                    return Ok(());
                }
                Err(error) if overlay::is_refusal(&error) => {}
                Err(error) => {
                    return Err(Error::io(
                        format_args!("mount an overlay over /{}", path.display()),
                        error,
                    ));
                }
            }
        }
        if path.components().count() > DEEPEST {
            return Err(Error::not_implemented(format!(
                "/{} can have no overlay over it, and the embedded engine does not copy directories: use a --rootfs without :O",
                path.display()
            )));
        }
        self.take_apart(&lower, &below, &path, &[], warnings)
    }

    /// Has the root show at the target, over what it is made in.
    fn show(&self, target: &Path) -> Result<()> {
        let tree = tree::clone_of(&self.root, tree::Depth::All)?;
        crate::runtime::attach(&tree, target)
    }
}

const FLAGS: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// The same directory, once more.
fn again(directory: &OwnedFd) -> Result<OwnedFd> {
    directory
        .try_clone()
        .map_err(|error| Error::io("keep a directory open", error))
}

/// A path as one name.
fn flat(path: &Path) -> OsString {
    let bytes = path.as_os_str().as_bytes();
    OsString::from_vec(
        bytes
            .iter()
            .map(|&byte| if byte == b'/' { b'.' } else { byte })
            .collect(),
    )
}

/// Gives a directory the mode and the owner of another one.
fn like(model: &OwnedFd, directory: &OwnedFd) -> rustix::io::Result<()> {
    let found = fstat(model)?;
    let (user, group) = (Uid::from_raw(found.st_uid), Gid::from_raw(found.st_gid));
    match chownat(directory, "", Some(user), Some(group), AtFlags::EMPTY_PATH) {
        // An owner that a user namespace does not have.
        Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    chmodat(
        directory,
        ".",
        Mode::from_raw_mode(found.st_mode & 0o7777),
        AtFlags::empty(),
    )
}

/// Binds a file, read-only.
fn put_file(lower: &OwnedFd, place: &OwnedFd, name: &OsStr) -> io::Result<()> {
    let file = openat(
        lower,
        name,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    let copy = open_tree(&file, "", flags)?;
    sys::set_mount_attributes(
        copy.as_fd(),
        false,
        libc::MOUNT_ATTR_RDONLY,
        libc::MS_PRIVATE,
    )?;
    let create = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    openat(place, name, create, Mode::from_raw_mode(0o600))?;
    let below = openat(
        place,
        name,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    Ok(tree::attach(&copy, &below)?)
}

/// The places below `top` where something is mounted, but for those below another one of them, and for what is at or below
/// `not`.
fn below(table: MountTable, top: &Path, not: &Path) -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = table
        .into_places()
        .filter(|place| place != top && place.starts_with(top) && !place.starts_with(not))
        .collect();
    places.sort();
    places.dedup_by(|later, earlier| later.starts_with(&*earlier));
    places
}

/// Binds what is mounted below `source` at the same places of the new root, read-only all the way down. A place that is
/// not there any more, or that shows itself as its own overlay already, is left out.
fn bind_all(mounts: &[PathBuf], source: &Path, root: &OwnedFd) -> Result<()> {
    for place in mounts {
        let Ok(relative) = place.strip_prefix(source) else {
            continue;
        };
        // Right below a root that is taken apart, each mount has an overlay over itself.
        if source == Path::new("/") && relative.components().count() == 1 {
            continue;
        }
        bind(place, relative, root)
            .map_err(|error| Error::io(format_args!("bind {}", place.display()), error))?;
    }
    Ok(())
}

fn bind(place: &Path, relative: &Path, root: &OwnedFd) -> io::Result<()> {
    // Directories on the way may be anybody's, and be a link by now.
    let no_links = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let gone = |error: Errno| {
        matches!(
            error,
            Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::ACCESS
        )
    };
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let from = match openat2(CWD, place, flags, Mode::empty(), no_links) {
        Err(error) if gone(error) => return Ok(()),
        opened => opened?,
    };
    let to = match openat2(
        root,
        relative,
        flags,
        Mode::empty(),
        no_links | ResolveFlags::IN_ROOT,
    ) {
        Err(error) if gone(error) => return Ok(()),
        opened => opened?,
    };
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    let copy = open_tree(&from, "", flags)?;
    sys::set_mount_attributes(
        copy.as_fd(),
        true,
        libc::MOUNT_ATTR_RDONLY,
        libc::MS_PRIVATE,
    )?;
    Ok(tree::attach(&copy, &to)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_below_a_directory_are_found_once() {
        let text = b"1 0 0:1 / / rw - ext4 /dev/vda rw\n\
            2 1 0:2 / /a rw - tmpfs t rw\n\
            3 2 0:2 / /a/b rw - tmpfs t rw\n\
            4 1 0:2 / /a\\040b/c rw - tmpfs t rw\n\
            5 1 0:2 / /ab rw - tmpfs t rw\n\
            6 1 0:2 / /gone//deleted rw - tmpfs t rw\n\
            7 1 0:2 / /run/x/rootfs/y rw - tmpfs t rw\n\
            8 1 0:2 / /a rw - tmpfs t rw\n";
        let found = |top: &str| -> Vec<String> {
            below(
                MountTable::parse(text),
                Path::new(top),
                Path::new("/run/x/rootfs"),
            )
            .into_iter()
            .map(|place| place.to_string_lossy().into_owned())
            .collect()
        };
        assert_eq!(found("/"), ["/a", "/a b/c", "/ab"]);
        assert_eq!(found("/a"), ["/a/b"]);
        assert_eq!(found("/a b"), ["/a b/c"]);
    }
}
