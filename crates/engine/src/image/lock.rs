//! Locks of files, which go with whoever holds them, however it ends.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::layout::make_directory;
use crate::{Error, Result};

/// A lock that is held, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the lock, to hold it with others who ask like this.
    pub(crate) fn shared(path: &Path) -> Result<Lock> {
        Lock::take(path, FlockOperation::LockShared)?.ok_or_else(|| unreachable_lock(path))
    }

    /// Waits for the lock, to hold it alone.
    pub(crate) fn exclusive(path: &Path) -> Result<Lock> {
        Lock::take(path, FlockOperation::LockExclusive)?.ok_or_else(|| unreachable_lock(path))
    }

    /// Holds the lock alone, if nobody has it.
    pub(crate) fn try_exclusive(path: &Path) -> Result<Option<Lock>> {
        Lock::take(path, FlockOperation::NonBlockingLockExclusive)
    }

    /// Removes the file of a lock that is held alone, and lets go of it: there would be one for every layer ever seen.
    pub(crate) fn remove(self) {
        // A file that stays is taken again next time.
        let _ = std::fs::remove_file(&self.path);
    }

    fn take(path: &Path, operation: FlockOperation) -> Result<Option<Lock>> {
        let failed =
            |error: std::io::Error| Error::io(format_args!("lock {}", path.display()), error);
        loop {
            let file = match open(path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if let Some(directory) = path.parent() {
                        make_directory(directory)?;
                    }
                    open(path)
                }
                opened => opened,
            }
            .map_err(failed)?;
            match flock(&file, operation) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(failed(error.into())),
            }
            // Its last holder may have removed the file meanwhile: then this is a lock on nothing.
            let held = file.metadata().map_err(failed)?;
            let is_same = std::fs::symlink_metadata(path)
                .is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino()));
            if is_same {
                return Ok(Some(Lock {
                    file,
                    path: path.to_owned(),
                }));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do it too, unless a process was just started and has a copy still.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn unreachable_lock(path: &Path) -> Error {
    Error::system(format!("lock {}: somebody else has it", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_alone_or_several_together() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("locks/one");
        let first = Lock::shared(&path).expect("a lock");
        let second = Lock::shared(&path).expect("a lock");
        assert!(Lock::try_exclusive(&path).expect("an answer").is_none());
        drop((first, second));
        let alone = Lock::try_exclusive(&path)
            .expect("an answer")
            .expect("a lock");
        assert!(Lock::try_exclusive(&path).expect("an answer").is_none());
        alone.remove();
        assert!(!path.exists());
        Lock::exclusive(&path).expect("a lock on a new file");
    }

    #[test]
    fn who_waited_for_a_removed_lock_takes_the_new_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lock");
        let first = Lock::exclusive(&path).expect("a lock");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::exclusive(&path).expect("a lock"));
            first.remove();
            let second = waiting.join().expect("no panic");
            assert!(path.exists(), "the lock that is held has a file");
            assert!(Lock::try_exclusive(&path).expect("an answer").is_none());
            drop(second);
        });
    }
}
