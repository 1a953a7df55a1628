//! What is wrong with a container's mounts and kernel parameters, asked when it could not be made: libcontainer tells the
//! step and not the reason, and the step in the form of its own structures.

use std::fs;
use std::path::Path;

use libcontainer::oci_spec::runtime::{Mount, Spec};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, open_tree,
};

use crate::error::os_text;
use crate::rootfs::place::{self, Kind};

/// What a user should hear about a specification that cannot work, in Docker's words. `message` is what libcontainer says.
pub(super) fn find(spec: &Spec, message: &str) -> Option<String> {
    bind(spec)
        .or_else(|| sysctl(spec))
        .or_else(|| mount(spec, message))
}

/// The mount that failed is the one that libcontainer names. Why, is found by trying it once more.
fn mount(spec: &Spec, message: &str) -> Option<String> {
    let named = |mount: &&Mount| {
        let destination = mount.destination();
        message.contains(&format!("Mount {{ destination: {destination:?},"))
            || message.contains(&format!("failed to mount {}: ", destination.display()))
    };
    let mount = spec.mounts().iter().flatten().find(named)?;
    let root = spec.root().as_ref()?.path();
    let reason = match make_place(root, mount).and_then(|()| try_mount(mount)) {
        Err(reason) => reason,
        Ok(()) => format!("libcontainer says {:?}", last_words(message)),
    };
    Some(format!(
        "error mounting {:?} to rootfs at {:?}: {reason}",
        mount.source().clone().unwrap_or_default(),
        mount.destination(),
    ))
}

/// What stands behind the structure.
fn last_words(message: &str) -> &str {
    let (_, behind) = message.rsplit_once('}').unwrap_or(("", message));
    behind.trim_start_matches([':', ' '])
}

fn because(what: &str, error: Errno) -> String {
    format!("{what}: {}", os_text(&error.into()))
}

/// Makes what is to be mounted on, as far as it is not there.
fn make_place(root: &Path, mount: &Mount) -> Result<(), String> {
    let kind = match (mount.typ().as_deref(), mount.source()) {
        (Some("bind"), Some(source)) if !source.is_dir() => Kind::File,
        _ => Kind::Directory,
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(root, flags, Mode::empty())
        .map_err(|error| because("open the root directory", error))?;
    place::make(root.as_fd(), mount.destination(), kind)
        .map(drop)
        .map_err(|error| because(&error.path.to_string_lossy(), error.reason))
}

/// Makes a mount that is nowhere, and goes with this call. Those that belong to namespaces of the container are not tried.
fn try_mount(mount: &Mount) -> Result<(), String> {
    match (mount.typ().as_deref(), mount.source()) {
        (Some("bind"), Some(source)) => {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            open_tree(CWD, source, flags)
                .map(drop)
                .map_err(|error| os_text(&error.into()))
        }
        (Some("tmpfs"), _) => {
            let tree = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)
                .map_err(|error| os_text(&error.into()))?;
            for option in mount.options().iter().flatten() {
                set(tree.as_fd(), option).map_err(|error| because(option, error))?;
            }
            fsconfig_create(tree.as_fd())
                .and_then(|()| {
                    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
                    fsmount(tree.as_fd(), flags, MountAttrFlags::empty())
                })
                .map(drop)
                .map_err(|error| os_text(&error.into()))
        }
        _ => Ok(()),
    }
}

/// What is a flag of the mount and not of the file system cannot be wrong.
fn set(tree: BorrowedFd<'_>, option: &str) -> Result<(), Errno> {
    match option.split_once('=') {
        Some((name, value)) => fsconfig_set_string(tree, name, value),
        None => match fsconfig_set_flag(tree, option) {
            Err(Errno::INVAL) | Ok(()) => Ok(()),
            failed => failed,
        },
    }
}

fn sysctl(spec: &Spec) -> Option<String> {
    let parameters = spec.linux().as_ref()?.sysctl().as_ref()?;
    let mut paths: Vec<String> = parameters
        .keys()
        .map(|name| format!("/proc/sys/{}", name.replace('.', "/")))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .find(|path| !Path::new(path).exists())
        .map(|path| format!("open {path}: no such file or directory"))
}

fn bind(spec: &Spec) -> Option<String> {
    let root = spec.root().as_ref()?.path();
    spec.mounts()
        .iter()
        .flatten()
        .filter(|mount| mount.typ().as_deref() == Some("bind"))
        .find_map(|mount| {
            let source = mount.source().as_ref()?;
            let destination = mount.destination();
            let Ok(metadata) = fs::metadata(source) else {
                return Some(format!("bind source path does not exist: {}", source.display()));
            };
            let is_directory = is_directory(root, destination)?;
            (is_directory != metadata.is_dir()).then(|| {
                format!(
                    "error mounting \"{}\" to rootfs at \"{}\": not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type",
                    source.display(),
                    destination.display()
                )
            })
        })
}

/// Whether a place of a container is a directory; nothing if it is not there.
fn is_directory(root: &Path, place: &Path) -> Option<bool> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let root = open(root, flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let found = openat2(&root, place, flags, Mode::empty(), resolve).ok()?;
    let found = fstat(found).ok()?;
    Some(FileType::from_raw_mode(found.st_mode) == FileType::Directory)
}
