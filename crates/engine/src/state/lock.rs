//! The right to say how a container is.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::file::{self, Durability};
use super::{Exec, State};
use crate::{Error, Layout, Result};

/// The lock of one container, held.
///
/// It belongs to the open file description (flock(2)): whoever inherits the descriptor holds it too, and it is free when
/// the last of them is closed, however its holder ended.
#[derive(Debug)]
pub struct Lock {
    file: OwnedFd,
    directory: PathBuf,
    exec: PathBuf,
}

impl Lock {
    /// Takes the lock; nothing if somebody has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such container, or none any more.
    pub fn try_acquire(layout: &Layout, id: &str) -> Result<Option<Lock>> {
        Lock::try_with(layout, id, FlockOperation::NonBlockingLockExclusive)
    }

    /// Whether somebody has the lock. Asking takes it for a moment, shared with others who ask.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Lock::try_acquire).
    pub fn is_held(layout: &Layout, id: &str) -> Result<bool> {
        let lock = Lock::try_with(layout, id, FlockOperation::NonBlockingLockShared)?;
        Ok(lock.is_none())
    }

    fn try_with(layout: &Layout, id: &str, operation: FlockOperation) -> Result<Option<Lock>> {
        let directory = layout.container(id);
        let path = directory.join("lock");
        let gone = || Error::not_found(format!("No such container: {id}"));
        let opened = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(gone()),
            Err(error) => return Err(Error::io(format_args!("open {}", path.display()), error)),
        };
        match flock(&file, operation) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(Error::io(format_args!("lock {}", path.display()), error)),
        }
        // Who waited for a removal holds the lock of a file that has no name.
        let links = file
            .metadata()
            .map_err(|error| Error::io(format_args!("stat {}", path.display()), error))?
            .nlink();
        if links == 0 {
            return Err(gone());
        }
        Ok(Some(Lock {
            file: file.into(),
            directory,
            exec: layout.exec(id),
        }))
    }

    /// The lock that another process took and handed down.
    pub fn inherited(file: OwnedFd, layout: &Layout, id: &str) -> Lock {
        Lock {
            file,
            directory: layout.container(id),
            exec: layout.exec(id),
        }
    }

    /// The lock, to be handed down.
    pub fn into_descriptor(self) -> OwnedFd {
        self.file
    }

    /// Says how the container is. A version that is lost with the power is judged by its boot.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the file cannot be written.
    pub fn write_state(&self, state: &State) -> Result<()> {
        file::write_or_exchange(&self.directory.join("state.json"), state)
    }

    /// Keeps room for saying how the container is and how it ended, in so many bytes: the disk may be full then.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if there is none.
    pub fn reserve(&self, bytes: u64) -> Result<()> {
        file::reserve(&self.directory.join("state.json"), bytes)
    }

    /// Says how the container is, for good: at its end. That takes the room that was kept for it.
    ///
    /// # Errors
    ///
    /// As [`write_state`](Lock::write_state).
    pub fn write_final_state(&self, state: &State) -> Result<()> {
        let path = self.directory.join("state.json");
        file::write_into_reserve(&path, state, Durability::Durable)
    }

    /// Says how a joining process is.
    ///
    /// # Errors
    ///
    /// As [`write_state`](Lock::write_state).
    pub fn write_exec(&self, exec: &Exec) -> Result<()> {
        let path = self.exec.join(format!("{}.json", exec.id));
        file::write(&path, exec, Durability::Lazy)
    }
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
