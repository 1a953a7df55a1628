//! Unpacking a layer: from a hostile archive to the files that overlayfs stacks.
//!
//! Nothing is done by path: each entry's directory is opened by `openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)`, where
//! the layer's directory is the root of all links, absolute ones too, and the entry is made in that descriptor under a
//! name of one component, never through a link. So an archive can at worst spoil its own layer.
//!
//! What a layer hides of those below it, `.wh.NAME` and `.wh..wh..opq` in archives, becomes what overlayfs knows: a
//! character device 0:0, and an attribute of the directory.

mod archive;
mod directories;
mod pax;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::io::{self, BufRead};
use std::os::fd::BorrowedFd;

use archive::Archive;
pub(super) use directories::adopt;
use tree::Tree;

pub(super) use crate::user_namespace::Rights;
use crate::{Error, Result};

/// How to unpack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// What may be done to files.
    pub(super) rights: Rights,
    /// The most bytes that the layer's files may have.
    pub(super) largest: u64,
    /// The most files that it may have.
    pub(super) most: u64,
}

impl Default for Options {
    /// What no image needs, and what this user may.
    fn default() -> Options {
        Options {
            rights: Rights::of_this_process(),
            largest: 128 << 30,
            most: 4_000_000,
        }
    }
}

/// What came out of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unpacked {
    /// How many bytes the files have.
    pub(super) size: u64,
    /// Directories that the archive needed and did not have: they are as those below the layer are.
    pub(super) implied: Vec<Vec<u8>>,
    /// Whether files were to have owners that they could not be given.
    pub(super) is_foreign: bool,
}

/// Unpacks an archive into an empty directory, and reads to the end of the stream.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for an archive that is malformed, reaches out of
/// its directory or exceeds a limit; [`ErrorKind::System`](crate::ErrorKind::System) if the system refuses a file.
pub(super) fn unpack(
    reader: impl BufRead,
    directory: BorrowedFd<'_>,
    options: Options,
) -> Result<Unpacked> {
    let mut archive = Archive::new(reader);
    let mut tree = Tree::new(directory, options)?;
    while let Some(entry) = archive.next()? {
        tree.add(&entry, &mut archive)?;
    }
    archive.drain()?;
    tree.finish()
}

fn invalid(what: impl fmt::Display) -> Error {
    Error::invalid(format!("invalid layer archive: {what}"))
}

/// The error of a reader, which may have one of ours inside.
pub(super) fn failure(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::io("read the layer", error),
    }
}

/// The body of this module's fuzz target: whatever is unpacked, nothing changes beside it.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    use std::fs::{self, File};
    use std::os::fd::AsFd;
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("unpack-{}-{count}", std::process::id()));
    let layer = directory.join("layer");
    fs::create_dir_all(&layer).expect("a directory");
    fs::write(directory.join("beside"), "untouched").expect("a file");
    let opened = File::open(&layer).expect("the directory");
    let options = Options {
        rights: Rights::Own,
        largest: 1 << 20,
        most: 200,
    };
    if let Ok(unpacked) = unpack(data, opened.as_fd(), options) {
        assert!(unpacked.size <= options.largest);
    }
    let beside = fs::read_to_string(directory.join("beside")).expect("it is there");
    assert_eq!(beside, "untouched");
    assert_eq!(fs::read_dir(&directory).expect("a list").count(), 2);
    fs::remove_dir_all(&directory).expect("it goes");
}
