//! A directory in place of an image: `--rootfs`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::error::os_text;
use crate::state::Rootfs;
use crate::{Error, Result};

/// What stands behind a directory that is to be left as it is.
const OVERLAY: &str = ":O";

/// The files that `--rootfs` names: an absolute directory, with `:O` behind it for one that is left as it is.
///
/// The messages have none of the words by which clients take an error for one of the container's program.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is no directory, and for the machine's
/// own root without `:O`.
pub(super) fn of_directory(text: &str) -> Result<Rootfs> {
    let (path, overlay) = match text.strip_suffix(OVERLAY) {
        Some(path) => (path, true),
        None => (text, false),
    };
    if !path.starts_with('/') || path.contains('\0') {
        return Err(Error::invalid(format!(
            "rootfs {path:?} is not an absolute path"
        )));
    }
    let directory = directory(path)?;
    if !overlay && directory == Path::new("/") {
        return Err(Error::invalid(
            "--rootfs / without :O would give the container this machine's own files: use --rootfs /:O",
        ));
    }
    Ok(match overlay {
        true => Rootfs::Overlay(directory),
        false => Rootfs::Directory(directory),
    })
}

fn directory(path: &str) -> Result<PathBuf> {
    let unusable = |error: io::Error| {
        Error::invalid(match error.kind() {
            io::ErrorKind::NotFound => format!("rootfs {path} does not exist"),
            io::ErrorKind::PermissionDenied => format!("rootfs {path} may not be looked at"),
            _ => format!("rootfs {path}: {}", os_text(&error)),
        })
    };
    let directory = fs::canonicalize(path).map_err(unusable)?;
    if !fs::metadata(&directory).map_err(unusable)?.is_dir() {
        return Err(Error::invalid(format!("rootfs {path} is no directory")));
    }
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_settled_and_may_be_left_as_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let real = fs::canonicalize(directory.path()).expect("a path");
        let text = format!(
            "{}/../{}/.",
            real.display(),
            real.file_name().expect("a name").display()
        );
        assert_eq!(
            of_directory(&text).expect("a directory"),
            Rootfs::Directory(real.clone())
        );
        assert_eq!(
            of_directory(&format!("{text}:O")).expect("a directory"),
            Rootfs::Overlay(real)
        );
        assert_eq!(
            of_directory("/:O").expect("a directory"),
            Rootfs::Overlay("/".into())
        );
    }

    #[test]
    fn what_cannot_be_one_is_named() {
        for (text, part) in [
            ("/nope/nope", "rootfs /nope/nope does not exist"),
            ("/etc/passwd:O", "rootfs /etc/passwd is no directory"),
            ("here", "is not an absolute path"),
            ("", "is not an absolute path"),
            ("/", "use --rootfs /:O"),
            ("/..", "use --rootfs /:O"),
        ] {
            let error = of_directory(text).expect_err(text);
            assert_eq!(error.status(), 400);
            assert!(error.to_string().contains(part), "{error}");
            for word in ["no such file", "permission denied", "is a directory"] {
                assert!(!error.to_string().contains(word), "{error}");
            }
        }
    }
}
