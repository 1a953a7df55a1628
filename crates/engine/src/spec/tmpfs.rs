//! Mount options of a tmpfs: what `--tmpfs` says behind the colon.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use super::mount_point::{MountKind, MountPoint, Propagation};
use crate::runtime::tree;
use crate::{Error, Result};

/// Options that are a flag of the mount, with the ones that they take the place of.
const FLAGS: [(&str, &str); 18] = [
    ("ro", "access"),
    ("rw", "access"),
    ("suid", "suid"),
    ("nosuid", "suid"),
    ("dev", "dev"),
    ("nodev", "dev"),
    ("exec", "exec"),
    ("noexec", "exec"),
    ("sync", "sync"),
    ("async", "sync"),
    ("dirsync", "dirsync"),
    ("atime", "atime"),
    ("noatime", "atime"),
    ("relatime", "atime"),
    ("strictatime", "atime"),
    ("diratime", "diratime"),
    ("nodiratime", "diratime"),
    ("defaults", "defaults"),
];

/// Options with a value.
const VALUES: [&str; 7] = [
    "size",
    "mode",
    "uid",
    "gid",
    "nr_inodes",
    "nr_blocks",
    "mpol",
];

/// The mode of the directory that a tmpfs lies over: unless told otherwise it has that too, so that it opens nothing that was
/// closed. Nothing where there is no directory.
pub(super) fn mode_of_place(
    root: BorrowedFd<'_>,
    mounts: &[MountPoint],
    tmpfs: &MountPoint,
) -> Option<u32> {
    let destination = Path::new(&tmpfs.destination);
    let above = mounts
        .iter()
        .filter(|mount| mount.destination != tmpfs.destination)
        .filter(|mount| destination.starts_with(&mount.destination))
        .max_by_key(|mount| mount.destination.len());
    let place = match above {
        Some(mount) if mount.kind == MountKind::Tmpfs => return None,
        Some(mount) => {
            let below = destination.strip_prefix(&mount.destination).ok()?;
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let source = open(&mount.source, flags, Mode::empty()).ok()?;
            tree::place_in(source.as_fd(), below).ok()?
        }
        None => tree::place_in(root, destination).ok()?,
    };
    let found = fstat(&place).ok()?;
    let is_directory = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
    is_directory.then_some(found.st_mode & 0o7777)
}

/// How mounts made in a tmpfs later show where it is bound to, if that is asked for; of several words the last counts. It is
/// not an option of the mount itself.
pub(super) fn propagation(asked: &str) -> Option<Propagation> {
    asked
        .split(',')
        .filter_map(Propagation::of_tmpfs)
        .next_back()
}

/// The options of a tmpfs that is asked for with `asked`, comma-separated: Docker's own, and these, of which a later one
/// takes the place of an earlier one of its kind.
pub(super) fn options(asked: &str) -> Result<Vec<String>> {
    let mut set: Vec<(&str, &str)> = vec![("exec", "noexec"), ("suid", "nosuid"), ("dev", "nodev")];
    for option in asked.split(',').filter(|option| !option.is_empty()) {
        let invalid = || Error::invalid(format!("invalid tmpfs option [\"{option}\"]"));
        if Propagation::of_tmpfs(option).is_some() {
            continue;
        }
        let kind = match option.split_once('=') {
            Some((name, value)) => {
                let known = VALUES
                    .iter()
                    .find(|known| **known == name)
                    .ok_or_else(invalid)?;
                if value.is_empty() || value.contains('\0') {
                    return Err(invalid());
                }
                known
            }
            None => {
                FLAGS
                    .iter()
                    .find(|(flag, _)| *flag == option)
                    .ok_or_else(invalid)?
                    .1
            }
        };
        set.retain(|(other, _)| *other != kind);
        set.push((kind, option));
    }
    Ok(set
        .into_iter()
        .map(|(_, option)| option.to_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_replace_their_kind() {
        for (asked, expected) in [
            ("", "noexec,nosuid,nodev"),
            ("exec,size=64m", "nosuid,nodev,exec,size=64m"),
            (
                "rw,ro,mode=1777,mode=700",
                "noexec,nosuid,nodev,ro,mode=700",
            ),
            ("rslave,uid=1000", "noexec,nosuid,nodev,uid=1000"),
        ] {
            assert_eq!(options(asked).expect(asked).join(","), expected);
        }
    }

    #[test]
    fn a_propagation_stands_beside_the_options() {
        for (asked, expected) in [
            ("", None),
            ("exec,size=64m", None),
            ("shared", Some(Propagation::Shared)),
            ("private,exec,rshared", Some(Propagation::Rshared)),
            ("unbindable", Some(Propagation::Unbindable)),
        ] {
            assert_eq!(propagation(asked), expected, "{asked}");
        }
    }

    #[test]
    fn unknown_options_are_named() {
        for asked in ["bind", "size", "size=", "lowerdir=/", "source=x", "remount"] {
            let error = options(asked).expect_err(asked);
            assert_eq!(
                error.to_string(),
                format!("invalid tmpfs option [\"{asked}\"]")
            );
        }
    }
}
