//! Files that are whole or not there: written beside their place and renamed into it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FallocateFlags, RenameFlags, fallocate, renameat_with};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Whether a file has to be there after a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The old version may come back: what it says is judged by the boot that it names.
    Lazy,
    /// It and its name are on the disk when the call returns.
    Durable,
}

/// Reads a file; nothing if there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(format_args!("read {}", path.display()), error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| Error::system(format!("{} is damaged: {error}", path.display())))
}

/// Writes a file of mode 0600 over whatever was there. Two at a time need a lock: they share the temporary file.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T, durability: Durability) -> Result<()> {
    let text = serde_json::to_vec(value)
        .map_err(|error| Error::system(format!("write {}: {error}", path.display())))?;
    let temporary = path.with_extension("tmp");
    replace(path, &temporary, &text, durability).map_err(|error| {
        // Half a file is of no use, and on a full disk it is in the way.
        let _ = fs::remove_file(&temporary);
        Error::io(format_args!("write {}", path.display()), error)
    })
}

/// Keeps room for one more version of a file, of up to so many bytes, so that it can be written on a full disk by
/// [`write_into_reserve`]. What is kept already is kept.
pub(crate) fn reserve(path: &Path, bytes: u64) -> Result<()> {
    let spare = spare(path);
    let kept = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&spare)
        .and_then(
            |mut file| match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
                // Not every file system can; on most of them a page that was written stays.
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                    io::copy(&mut io::repeat(0).take(bytes), &mut file).map(drop)
                }
                kept => Ok(kept?),
            },
        );
    match kept {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            let _ = fs::remove_file(&spare);
            Err(Error::io(format_args!("write {}", spare.display()), error))
        }
        _ => Ok(()),
    }
}

/// The same as [`write`] with [`Durability::Lazy`], and on a full disk the room that was kept changes places with what was
/// there before, which is kept from then on.
pub(crate) fn write_or_exchange<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let failed = match write(path, value, Durability::Lazy) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let spare = spare(path);
    let exchanged = fill(&spare, value).and_then(|_| {
        renameat_with(CWD, &spare, CWD, path, RenameFlags::EXCHANGE)?;
        Ok(())
    });
    // There is none, or too little: the first failure is the one to tell.
    exchanged.map_err(|_| failed)
}

/// The same as [`write`], into the room that was kept, if there is any: it needs no other then.
pub(crate) fn write_into_reserve<T: Serialize>(
    path: &Path,
    value: &T,
    durability: Durability,
) -> Result<()> {
    let spare = spare(path);
    match fill(&spare, value).and_then(|file| settle(&file, &spare, path, durability)) {
        Ok(()) => Ok(()),
        // There is none, or too little.
        Err(_) => {
            let _ = fs::remove_file(&spare);
            write(path, value, durability)
        }
    }
}

/// Writes what fits to where room was kept.
fn fill<T: Serialize>(spare: &Path, value: &T) -> io::Result<File> {
    let text = serde_json::to_vec(value)?;
    let mut file = File::options().write(true).open(spare)?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    Ok(file)
}

fn spare(path: &Path) -> PathBuf {
    path.with_extension("spare")
}

fn replace(path: &Path, temporary: &Path, text: &[u8], durability: Durability) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(temporary)?;
    file.write_all(text)?;
    settle(&file, temporary, path, durability)
}

/// Gives a file that was written its name.
fn settle(file: &File, temporary: &Path, path: &Path, durability: Durability) -> io::Result<()> {
    if durability == Durability::Durable {
        file.sync_all()?;
    }
    fs::rename(temporary, path)?;
    match (durability, path.parent()) {
        (Durability::Durable, Some(parent)) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state.json");
        assert_eq!(read::<Vec<u8>>(&path).expect("no file"), None);
        write(&path, &vec![1, 2], Durability::Durable).expect("written");
        write(&path, &vec![3], Durability::Lazy).expect("written");
        assert_eq!(read(&path).expect("a file"), Some(vec![3]));
        assert_eq!(fs::read_dir(directory.path()).expect("a list").count(), 1);
    }

    #[test]
    fn room_is_kept_once_and_used_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state.json");
        let count = || fs::read_dir(directory.path()).expect("a list").count();
        for value in ["short", &"long".repeat(2000), ""] {
            reserve(&path, 4096).expect("room");
            reserve(&path, 4096).expect("room");
            write_into_reserve(&path, &value, Durability::Durable).expect("written");
            assert_eq!(
                read::<String>(&path).expect("a file").as_deref(),
                Some(value)
            );
            assert_eq!(count(), 1);
            // Without room it is written as everything else.
            write_into_reserve(&path, &"again", Durability::Lazy).expect("written");
            assert_eq!(
                read::<String>(&path).expect("a file").as_deref(),
                Some("again")
            );
            assert_eq!(count(), 1);
        }
    }

    #[test]
    fn a_torn_file_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state.json");
        fs::write(&path, "[1,").expect("written");
        let error = read::<Vec<u8>>(&path).expect_err("a torn file");
        assert!(
            error.to_string().contains("state.json is damaged"),
            "{error}"
        );
    }
}
