//! Files that are whole or not there: written beside their place and renamed into it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

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

fn replace(path: &Path, temporary: &Path, text: &[u8], durability: Durability) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(temporary)?;
    file.write_all(text)?;
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
