//! Paths on the client's file system.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Makes a path absolute against a directory and removes `.`, `..` and doubled slashes by their letters alone, as
/// Docker's client does: a symbolic link is not followed, since the path is one of the engine's host.
pub(crate) fn absolute(path: &str, directory: &Path) -> PathBuf {
    let mut absolute = PathBuf::new();
    for component in directory.join(path).components() {
        match component {
            Component::ParentDir => {
                absolute.pop();
            }
            Component::CurDir => {}
            component => absolute.push(component),
        }
    }
    absolute
}

/// The current directory: `PWD` where that names it, else the one that the kernel knows.
///
/// They differ when the way here led through a symbolic link, and then the name that the user sees is the right one.
///
/// # Errors
///
/// The current directory was removed, or cannot be read.
pub(crate) fn current_directory(pwd: Option<&OsStr>) -> io::Result<PathBuf> {
    if let Some(pwd) = pwd.map(Path::new).filter(|pwd| pwd.is_absolute())
        && let (Ok(named), Ok(here)) = (rustix::fs::stat(pwd), rustix::fs::stat("."))
        && (named.st_dev, named.st_ino) == (here.st_dev, here.st_ino)
    {
        return Ok(pwd.to_owned());
    }
    std::env::current_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_become_absolute() {
        for (path, expected) in [
            (".", "/home/dir"),
            ("./a", "/home/dir/a"),
            ("..", "/home"),
            ("../a/../b//c", "/home/b/c"),
            ("../../../..", "/"),
            (".a", "/home/dir/.a"),
            ("./a/", "/home/dir/a"),
            ("/x/./y", "/x/y"),
        ] {
            assert_eq!(
                absolute(path, Path::new("/home/dir")),
                Path::new(expected),
                "{path}"
            );
        }
    }

    #[test]
    fn pwd_counts_only_where_it_is_here() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(current_directory(None).unwrap(), here);
        assert_eq!(
            current_directory(Some(OsStr::new("/nonexistent"))).unwrap(),
            here
        );
        assert_eq!(current_directory(Some(OsStr::new("."))).unwrap(), here);
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&here, &link).unwrap();
        assert_eq!(current_directory(Some(link.as_os_str())).unwrap(), link);
    }

    proptest::proptest! {
        #[test]
        fn always_absolute_and_clean(path: String) {
            let clean = absolute(&path, Path::new("/a/b"));
            assert!(clean.is_absolute());
            assert!(clean.components().all(|c| matches!(c, Component::RootDir | Component::Normal(_))));
        }
    }
}
