//! What is wrong with a container's mounts and kernel parameters, asked when it could not be made: libcontainer tells the
//! step and not the reason.

use std::fs;
use std::path::Path;

use libcontainer::oci_spec::runtime::Spec;
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};

/// What a user should hear about a specification that cannot work, in Docker's words.
pub(super) fn find(spec: &Spec) -> Option<String> {
    bind(spec).or_else(|| sysctl(spec))
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
