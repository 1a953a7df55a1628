//! Names of containers: links `ROOT/names/NAME` to ids.
//!
//! A link is made or it exists, whoever else tries, and a name is found without opening each container. The directory's
//! lock is held by who changes names, so that a link whose container was never finished can be told from one in the
//! making.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};

use crate::layout::make_directory;
use crate::{Error, Layout, Result};

/// All names, which nobody else changes meanwhile.
#[derive(Debug)]
pub(super) struct Names<'a> {
    layout: &'a Layout,
    directory: PathBuf,
    _lock: File,
}

impl<'a> Names<'a> {
    /// Waits for whoever changes names.
    pub(super) fn lock(layout: &'a Layout) -> Result<Names<'a>> {
        let directory = layout.names();
        make_directory(&directory)?;
        let failed =
            |error: io::Error| Error::io(format_args!("lock {}", directory.display()), error);
        let file = File::open(&directory).map_err(failed)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        Ok(Names {
            layout,
            directory: directory.clone(),
            _lock: file,
        })
    }

    /// Gives the container a name. A link to a container that does not exist was left by a crash and is taken over.
    pub(super) fn take(&self, name: &str, id: &str) -> Result<()> {
        let path = self.directory.join(name);
        let failed = |error: io::Error| Error::io(format_args!("link {}", path.display()), error);
        loop {
            match symlink(id, &path) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
            match find(self.layout, name)? {
                Some(owner) if self.layout.container(&owner).exists() => {
                    return Err(Error::conflict(format!(
                        "Conflict. The container name \"/{name}\" is already in use by container \"{owner}\". \
                         You have to remove (or rename) that container to be able to reuse that name."
                    )));
                }
                Some(_) => fs::remove_file(&path).map_err(failed)?,
                None => {}
            }
        }
    }

    /// Takes the name away from the container; one that another has meanwhile is left alone.
    pub(super) fn release(&self, name: &str, id: &str) -> Result<()> {
        if find(self.layout, name)?.as_deref() == Some(id) {
            let path = self.directory.join(name);
            fs::remove_file(&path)
                .map_err(|error| Error::io(format_args!("unlink {}", path.display()), error))?;
        }
        Ok(())
    }
}

/// The id behind a name, which may be one of a container that does not exist any more.
pub(super) fn find(layout: &Layout, name: &str) -> Result<Option<String>> {
    if !is_name(name) {
        return Ok(None);
    }
    let path = layout.names().join(name);
    match fs::read_link(&path) {
        Ok(id) => Ok(id.into_os_string().into_string().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format_args!("read {}", path.display()), error)),
    }
}

/// Checks a name that a container shall have, and returns it without a leading slash.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter), in dockerd's words.
pub fn check_name(name: &str) -> Result<&str> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    if is_name(bare) {
        return Ok(bare);
    }
    Err(Error::invalid(format!(
        "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
    )))
}

/// Two characters at least, as dockerd has it. A name is a file's: it cannot be longer than 255 bytes.
fn is_name(name: &str) -> bool {
    let rest = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    (2..=255).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_dockerd_allows() {
        for name in ["ab", "/ab", "0.a", "a_b-c.d"] {
            assert_eq!(
                check_name(name).expect(name),
                name.trim_start_matches('/'),
                "{name}"
            );
        }
        for name in [
            "", "/", "a", "-a", ".a", "_a", "..", "a/b", "//ab", "a b", "äb", "a\nb",
        ] {
            let error = check_name(name).expect_err(name);
            assert!(
                error
                    .to_string()
                    .contains("only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
                "{error}"
            );
        }
    }
}
