//! Where a container's init process lies.

use std::os::fd::BorrowedFd;

use super::rootfs_file;

/// Where Docker has it.
pub const INIT_PATH: &str = "/sbin/docker-init";

/// Where it is if `/sbin` is somebody else's, as in a directory of the machine that an ordinary user runs: `/dev` is the
/// container's own.
pub const INIT_PATH_IN_DEV: &str = "/dev/docker-init";

/// The path for a container with that root directory.
pub(super) fn of(root: BorrowedFd<'_>) -> &'static str {
    match rootfs_file::can_be_there(root, INIT_PATH) {
        true => INIT_PATH,
        false => INIT_PATH_IN_DEV,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn it_is_where_it_can_be_made() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = File::open(directory.path()).expect("a directory");
        assert_eq!(of(root.as_fd()), INIT_PATH);
        fs::create_dir_all(directory.path().join("usr/sbin")).expect("a directory");
        std::os::unix::fs::symlink("usr/sbin", directory.path().join("sbin")).expect("a link");
        assert_eq!(of(root.as_fd()), INIT_PATH);
    }
}
