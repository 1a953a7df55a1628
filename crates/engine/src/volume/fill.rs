//! Filling a volume with what the image has in its place, for the first container that uses it.
//!
//! The copy is made beside the volume, and moved into it when it is whole: a volume has all of it or none of it, whenever
//! the engine is killed. Each entry moves by itself, and one that is there already stays.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, fstat, openat2, renameat_with,
};
use rustix::io::Errno;

use super::tree;
use crate::layout::make_directory;
use crate::{Error, Result};

/// A copy that is being made, and one that is whole, in a volume's directory.
const PARTIAL: &str = "_partial";
const WHOLE: &str = "_whole";

/// Fills the volume of that directory with what lies at `place` below `root`, if it is empty.
pub(super) fn fill(volume: &Path, data: &Path, root: BorrowedFd<'_>, place: &str) -> Result<()> {
    let failed = |error: io::Error| {
        Error::io(
            format_args!("copy what the image has at {place} into the volume"),
            error,
        )
    };
    let partial = volume.join(PARTIAL);
    let whole = volume.join(WHOLE);
    let target = open_directory(data).map_err(failed)?;
    if !whole.exists() {
        if !is_empty(&target).map_err(failed)? {
            return Ok(());
        }
        let Some(source) = find(root, place).map_err(failed)? else {
            return Ok(());
        };
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(failed)?;
        }
        make_directory(&partial)?;
        let copy = open_directory(&partial).map_err(failed)?;
        if let Err(error) = tree::copy(source.as_fd(), copy.as_fd()) {
            // On a full disk it is in the way.
            let _ = fs::remove_dir_all(&partial);
            return Err(failed(error));
        }
        fs::rename(&partial, &whole).map_err(failed)?;
    }
    let copy = open_directory(&whole).map_err(failed)?;
    take_over(&copy, &target).map_err(failed)?;
    fs::remove_dir_all(&whole).map_err(failed)
}

/// Moves each entry of a copy into the volume, and gives the volume the copy's owner and mode.
fn take_over(copy: &File, target: &File) -> io::Result<()> {
    for entry in Dir::read_from(copy)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        match renameat_with(copy, name, target, name, RenameFlags::NOREPLACE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    tree::describe(copy.as_fd(), target.as_fd())
}

/// The directory at a place of the image, wherever links in the image lead; nothing if there is none.
fn find(root: BorrowedFd<'_>, place: &str) -> io::Result<Option<OwnedFd>> {
    let opened = loop {
        match openat2(
            root,
            place,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        ) {
            // The kernel gives up when a rename elsewhere makes the way uncertain.
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => break opened,
        }
    };
    match opened {
        Ok(directory) if is_directory(&directory)? => Ok(Some(directory)),
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_directory(file: &OwnedFd) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::Directory)
}

fn is_empty(directory: &File) -> io::Result<bool> {
    for entry in Dir::read_from(directory)? {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn open_directory(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A volume and an image with `/srv/data/file`.
    struct World {
        directory: tempfile::TempDir,
    }

    impl World {
        fn new() -> World {
            let directory = tempfile::tempdir().expect("a directory");
            fs::create_dir_all(directory.path().join("volume/_data")).expect("a directory");
            let data = directory.path().join("image/srv/data");
            fs::create_dir_all(&data).expect("a directory");
            fs::write(data.join("file"), "image").expect("a file");
            fs::set_permissions(&data, fs::Permissions::from_mode(0o2770)).expect("a mode");
            fs::write(directory.path().join("secret"), "outside").expect("a file");
            World { directory }
        }

        fn fill(&self, place: &str) -> Result<()> {
            let image = File::open(self.directory.path().join("image")).expect("an image");
            fill(&self.volume(), &self.data(), image.as_fd(), place)
        }

        fn volume(&self) -> std::path::PathBuf {
            self.directory.path().join("volume")
        }

        fn data(&self) -> std::path::PathBuf {
            self.volume().join("_data")
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(self.data())
                .expect("a list")
                .map(|entry| {
                    entry
                        .expect("an entry")
                        .file_name()
                        .into_string()
                        .expect("text")
                })
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn an_empty_volume_gets_what_the_image_has() {
        let world = World::new();
        world.fill("/srv/data").expect("filled");
        assert_eq!(
            fs::read(world.data().join("file")).expect("a file"),
            b"image"
        );
        let mode = fs::metadata(world.data())
            .expect("a directory")
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o2770);
        assert_eq!(fs::read_dir(world.volume()).expect("a list").count(), 1);
    }

    #[test]
    fn a_volume_that_has_something_keeps_it() {
        let world = World::new();
        fs::write(world.data().join("own"), "own").expect("a file");
        world.fill("/srv/data").expect("left alone");
        assert_eq!(world.names(), ["own"]);
    }

    #[test]
    fn links_of_the_image_stay_in_the_image() {
        for (link, names) in [
            ("/srv/data", &["file"][..]),
            ("../../../../srv/data", &["file"]),
            ("/proc/self/root/etc", &[]),
            ("/missing", &[]),
            ("/srv/data/file", &[]),
        ] {
            let world = World::new();
            symlink(link, world.directory.path().join("image/place")).expect("a link");
            world.fill("/place").expect("filled or not");
            assert_eq!(world.names(), names, "{link}");
        }
        let world = World::new();
        let outside = world.directory.path().to_owned();
        symlink(&outside, world.directory.path().join("image/place")).expect("a link");
        world.fill("/place").expect("nothing there");
        assert!(world.names().is_empty());
    }

    #[test]
    fn a_copy_that_was_cut_off_is_made_again_or_finished() {
        let world = World::new();
        fs::create_dir(world.volume().join(PARTIAL)).expect("a directory");
        fs::write(world.volume().join(PARTIAL).join("half"), "").expect("a file");
        world.fill("/srv/data").expect("filled");
        assert_eq!(world.names(), ["file"]);

        let world = World::new();
        let whole = world.volume().join(WHOLE);
        fs::create_dir(&whole).expect("a directory");
        fs::write(whole.join("rest"), "").expect("a file");
        fs::write(whole.join("file"), "image").expect("a file");
        fs::write(world.data().join("file"), "changed").expect("a file");
        world.fill("/srv/data").expect("finished");
        assert_eq!(world.names(), ["file", "rest"]);
        assert_eq!(
            fs::read(world.data().join("file")).expect("a file"),
            b"changed"
        );
    }
}
