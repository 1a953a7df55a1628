//! Files that are whole or not there, whenever the engine or the machine is stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::layout::make_directory;
use crate::{Error, Result};

/// How the name of a file begins that was not finished. Nothing else here begins with a dot.
const TEMPORARY: &str = ".tmp-";

/// What the file holds; nothing if there is none.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be read, or is longer than `limit`, which nothing is
/// that was written here.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let failed = |error: io::Error| Error::io(format_args!("read {}", path.display()), error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut content = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    if content.len() as u64 > limit {
        return Err(Error::system(format!(
            "{} is longer than {limit} bytes",
            path.display()
        )));
    }
    Ok(Some(content))
}

/// What of a file that was written survives a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// Perhaps nothing: whoever writes it sees to that later, or can do without it.
    Lazy,
    /// It and its name.
    Durable,
}

/// Puts a file with this content into place, and makes the directories above it.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System); what was there before is then still there.
pub(super) fn write(path: &Path, content: &[u8], durability: Durability) -> Result<()> {
    let failed = |error: io::Error| Error::io(format_args!("write {}", path.display()), error);
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    };
    loop {
        let temporary = directory.join(temporary_name(&name.to_string_lossy()));
        let written =
            write_new(&temporary, content, durability).and_then(|()| fs::rename(&temporary, path));
        match written {
            Ok(()) => break,
            // Whoever removes the last name of a directory removes that too, perhaps just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => make_directory(directory)?,
            Err(error) => {
                // What is left of it is in nobody's way, and the error that matters is this one.
                let _ = fs::remove_file(&temporary);
                return Err(failed(error));
            }
        }
    }
    match durability {
        Durability::Lazy => Ok(()),
        Durability::Durable => sync_directory(directory),
    }
}

/// Removes a file durably; says whether there was one.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if it is there still.
pub(super) fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => {
            if let Some(directory) = path.parent() {
                sync_directory(directory)?;
            }
            Ok(true)
        }
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(Error::io(format_args!("remove {}", path.display()), error)),
    }
}

/// The names in a directory, less those of unfinished files; none if there is no directory.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be read.
pub(super) fn names(directory: &Path) -> Result<Vec<String>> {
    let failed = |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        // What is no text is none of ours.
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Waits until the entries of a directory are on the disk.
fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| Error::io(format_args!("sync {}", directory.display()), error))
}

pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn temporary_name(name: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // Names may be as long as a file's may; the beginning is for people who look.
    let name: String = name.chars().take(32).collect();
    PathBuf::from(format!("{TEMPORARY}{}-{count}-{name}", std::process::id()))
}

fn write_new(path: &Path, content: &[u8], durability: Durability) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    match durability {
        Durability::Lazy => Ok(()),
        Durability::Durable => file.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a/b/name");
        assert_eq!(read(&path, 10).expect("no file"), None);
        write(&path, b"one", Durability::Durable).expect("a file");
        write(&path, b"two", Durability::Lazy).expect("a file");
        assert_eq!(read(&path, 10).expect("a file"), Some(b"two".to_vec()));
        assert_eq!(
            names(&directory.path().join("a/b")).expect("names"),
            ["name"]
        );
        assert!(read(&path, 2).is_err(), "it is longer than that");
        assert!(remove(&path).expect("a file"));
        assert!(!remove(&path).expect("no file"));
    }

    #[test]
    fn unfinished_files_are_not_listed() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join(temporary_name("x")), "half").expect("a file");
        assert!(names(directory.path()).expect("names").is_empty());
        assert!(
            names(&directory.path().join("none"))
                .expect("names")
                .is_empty()
        );
    }
}
