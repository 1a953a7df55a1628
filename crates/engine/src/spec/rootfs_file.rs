//! Files of a container's root, opened so that nothing in it leads out of it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::FileType;
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, ResolveFlags, accessat, fstat, openat2};
use rustix::io::Errno;

use crate::{Error, Result};

/// The most that is read of one file: a list of users is never as long, and an image could hold one without end.
const LIMIT: u64 = 16 << 20;

/// What the regular file `path` below `root` holds, or nothing if there is none.
///
/// Links are followed as the container would follow them. A fifo or a device would block whoever opens it, so what is
/// no regular file counts as missing.
pub(super) fn read(root: BorrowedFd<'_>, path: &str) -> Result<Vec<u8>> {
    let failed = |error: io::Error| Error::io(format_args!("read {path} of the container"), error);
    let opened = loop {
        match openat2(
            root,
            path,
            OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        ) {
            // The kernel gives up when a rename elsewhere makes the way uncertain.
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => break opened,
        }
    };
    let file = match opened {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO | Errno::NODEV) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error.into())),
    };
    let stat = fstat(&file).map_err(|error| failed(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(Vec::new());
    }
    let mut content = Vec::new();
    file.take(LIMIT + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    if content.len() as u64 > LIMIT {
        return Err(Error::invalid(format!(
            "{path} of the container is longer than {} MiB",
            LIMIT >> 20
        )));
    }
    Ok(content)
}

/// Whether the file is there, or whoever mounts something on it can make it: in a user namespace a directory may belong to
/// somebody who is not in it.
pub(super) fn can_be_there(root: BorrowedFd<'_>, path: &str) -> bool {
    let open = |path: &str| {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        openat2(root, path, flags, Mode::empty(), resolve)
    };
    if open(path).is_ok() {
        return true;
    }
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    match open(parent) {
        Ok(directory) => {
            let path = format!("/proc/self/fd/{}", directory.as_raw_fd());
            accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
        }
        // It is made, too.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_leads_out_of_the_root() {
        let outside = tempfile::tempdir().expect("a directory");
        fs::write(outside.path().join("secret"), "outside").expect("a file");
        let inside = tempfile::tempdir().expect("a directory");
        fs::create_dir(inside.path().join("etc")).expect("a directory");
        fs::write(inside.path().join("etc/real"), "inside").expect("a file");
        symlink("/etc/real", inside.path().join("etc/absolute")).expect("a link");
        symlink("../../../etc/real", inside.path().join("etc/dotted")).expect("a link");
        symlink(outside.path().join("secret"), inside.path().join("etc/out")).expect("a link");
        symlink("loop", inside.path().join("etc/loop")).expect("a link");
        symlink(
            "/proc/self/root/etc/passwd",
            inside.path().join("etc/magic"),
        )
        .expect("a link");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            inside.path().join("etc/fifo"),
            FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .expect("a fifo");

        let root = fs::File::open(inside.path()).expect("the root");
        for (name, content) in [
            ("/etc/real", "inside"),
            ("/etc/absolute", "inside"),
            ("/etc/dotted", "inside"),
            ("/etc/out", ""),
            ("/etc/loop", ""),
            ("/etc/magic", ""),
            ("/etc/fifo", ""),
            ("/etc", ""),
            ("/etc/missing", ""),
            ("/etc/real/below", ""),
        ] {
            assert_eq!(
                read(root.as_fd(), name).expect("an answer"),
                content.as_bytes(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let inside = tempfile::tempdir().expect("a directory");
        let file = fs::File::create(inside.path().join("passwd")).expect("a file");
        file.set_len(LIMIT + 1).expect("a sparse file");
        let root = fs::File::open(inside.path()).expect("the root");
        let error = read(root.as_fd(), "passwd").expect_err("too long");
        assert!(error.to_string().contains("16 MiB"), "{error}");
    }
}
