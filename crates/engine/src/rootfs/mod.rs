//! Root directories of containers: layers of an image, a directory, or a directory that the container changes only for
//! itself.
//!
//! All of it is mounted by the container's monitor in its own mount namespace, so nothing is left when everybody is
//! killed. A container's changes are in its directory, in `upper`, and stay until it is removed.

mod copy;
mod host_tree;
mod overlay;
pub(crate) mod place;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use crate::layout::make_directory;
use crate::runtime::tree::{self, Depth};
use crate::{Error, Result};
use overlay::Overlay;

/// What a container's root directory is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The layers of an image as directories, the lowest first. The container's changes are its own.
    Layers(Vec<PathBuf>),
    /// A directory, which the container changes.
    Directory(PathBuf),
    /// A directory, with what is mounted below it. The container's changes are its own, and what is mounted below is
    /// read-only.
    Overlay(PathBuf),
}

impl Source {
    /// Reads `--rootfs`: an absolute path, with `:O` for changes that are the container's own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) unless it is a directory, and for the
    /// machine's own root directory without `:O`.
    pub fn parse(text: &str) -> Result<Source> {
        let (path, overlay) = match text.strip_suffix(":O") {
            Some(path) => (path, true),
            None => (text, false),
        };
        if !path.starts_with('/') || path.contains('\0') {
            return Err(Error::invalid(format!(
                "rootfs {path:?} is not an absolute path"
            )));
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            // The system's words would have clients take it for the container's program.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::invalid(format!("rootfs {path} does not exist")));
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Error::invalid(format!(
                    "rootfs {path} cannot be reached by this user"
                )));
            }
            Err(error) => {
                return Err(Error::invalid(format!("rootfs {path}: {error}")));
            }
        };
        if !metadata.is_dir() {
            return Err(Error::invalid(format!("rootfs {path} is no directory")));
        }
        if overlay {
            return Ok(Source::Overlay(path.into()));
        }
        let own = fs::metadata("/").map_err(|error| Error::io("stat /", error))?;
        if (own.dev(), own.ino()) == (metadata.dev(), metadata.ino()) {
            return Err(Error::invalid(format!(
                "--rootfs {path} without :O would give the container this machine's own files: use --rootfs {path}:O"
            )));
        }
        Ok(Source::Directory(path.into()))
    }
}

/// How a root directory came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One overlay.
    Overlay,
    /// Several of them, below a directory in memory.
    Overlays,
    /// A directory itself.
    Directory,
    /// A copy, where there can be no overlay.
    Copy,
}

/// A root directory that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// How it came about.
    pub kind: Kind,
    /// What the user should know, in whole sentences.
    pub warnings: Vec<String>,
}

impl Mounted {
    fn new(kind: Kind) -> Mounted {
        Mounted {
            kind,
            warnings: Vec::new(),
        }
    }
}

/// Mounts a container's root directory at `target`, which is made where it is missing. What the container changes goes to
/// `directory`, the container's own.
///
/// An image is copied where there can be no overlay: once, and the copy is the container's.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses, and
/// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for a directory that can have no overlay over it: that
/// is not copied, as it may be of any size.
pub fn mount(source: &Source, directory: &Path, target: &Path) -> Result<Mounted> {
    make_directory(target)?;
    match source {
        Source::Layers(layers) => mount_layers(layers, directory, target),
        Source::Directory(path) => {
            let tree = tree::clone_of(path, Depth::All)?;
            attach(&tree, target)?;
            Ok(Mounted::new(Kind::Directory))
        }
        Source::Overlay(path) => host_tree::mount(path, directory, target),
    }
}

/// Takes a root directory away again, however many mounts it is.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
pub fn unmount_all(target: &Path) -> Result<()> {
    loop {
        match unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            // Nothing is mounted there, or not any more.
            Err(Errno::INVAL | Errno::NOENT) => return Ok(()),
            Err(error) => {
                return Err(Error::io(
                    format_args!("unmount {}", target.display()),
                    error,
                ));
            }
        }
    }
}

fn mount_layers(layers: &[PathBuf], directory: &Path, target: &Path) -> Result<Mounted> {
    let copy = directory.join("copy");
    if !copy.exists() {
        let overlay = Overlay::new(layers, &directory.join("upper"), &directory.join("work"))?;
        match overlay.mount(target) {
            Ok(()) => return Ok(Mounted::new(Kind::Overlay)),
            Err(error) if overlay::is_refusal(&error) => copy::layers(layers, &copy)?,
            Err(error) => {
                return Err(Error::io(
                    format_args!("mount an overlay at {}", target.display()),
                    error,
                ));
            }
        }
    }
    attach(&tree::clone_of(&copy, Depth::One)?, target)?;
    let mut mounted = Mounted::new(Kind::Copy);
    mounted.warnings.push(
        "There can be no overlay in this file system, so the container has a copy of its image."
            .to_owned(),
    );
    Ok(mounted)
}

fn attach(tree: &std::os::fd::OwnedFd, target: &Path) -> Result<()> {
    crate::runtime::attach(tree, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rootfs_is_a_directory_and_not_the_machine_s() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().to_str().expect("text");
        assert_eq!(
            Source::parse(path).expect("a source"),
            Source::Directory(path.into())
        );
        assert_eq!(
            Source::parse(&format!("{path}:O")).expect("a source"),
            Source::Overlay(path.into())
        );
        assert_eq!(
            Source::parse("/:O").expect("a source"),
            Source::Overlay("/".into())
        );
        for (text, message) in [
            ("/nope/nope", "rootfs /nope/nope does not exist"),
            ("/etc/passwd", "rootfs /etc/passwd is no directory"),
            ("etc", "rootfs \"etc\" is not an absolute path"),
            (
                "/",
                "--rootfs / without :O would give the container this machine's own files: use --rootfs /:O",
            ),
            (
                "/proc/self/root/",
                "--rootfs /proc/self/root/ without :O would give the container this machine's own files: use --rootfs /proc/self/root/:O",
            ),
        ] {
            let error = Source::parse(text).expect_err("no rootfs");
            assert_eq!((error.to_string().as_str(), error.status()), (message, 400));
        }
    }
}
