//! What a container's root directory has beside what it was made from: what Docker puts there, and places for mounts.

use std::os::fd::BorrowedFd;
use std::path::Path;

use libcontainer::oci_spec::runtime::{Mount, Spec};
use rustix::fs::{Mode, OFlags, ResolveFlags, fstat, openat2, statfs, symlinkat};
use rustix::io::Errno;

use crate::rootfs::Source;
use crate::rootfs::place::{self, Kind, Unreachable};
use crate::state::Record;
use crate::{Error, Result};

/// By this file programs know that they run in a container of Docker's.
const MARK: &str = "/.dockerenv";

/// What of an image is not to be a link, or lie behind one: what the container itself has there is mounted there.
const OWN: [&str; 7] = [
    "/dev/pts",
    "/dev/shm",
    "/proc",
    "/sys",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
];

/// Where programs look for what is mounted, and where that is.
const MOUNT_TABLE: (&str, &str) = ("/etc/mtab", "/proc/mounts");

/// Prepares a root directory that nobody sees yet: in the container's own changes, or its own copy. A directory that the
/// container changes itself stays as it is.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a directory whose `/dev` is a link: what is made
/// there would be made elsewhere.
pub(super) fn prepare(source: &Source, record: &Record, root: BorrowedFd<'_>) -> Result<()> {
    let directory = match source {
        Source::Directory(directory) => Some(directory),
        Source::Layers(_) | Source::Overlay(_) => None,
    };
    if let Some(directory) = directory {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        return match openat2(root, "dev", flags, Mode::empty(), resolve) {
            Err(Errno::LOOP) => Err(Error::invalid(format!(
                "{}/dev is a symbolic link, and a container needs a directory there",
                directory.display()
            ))),
            _ => Ok(()),
        };
    }
    for place in OWN {
        place::unlink_links(root, Path::new(place)).map_err(failed)?;
    }
    place::make(root, Path::new(MARK), Kind::File).map_err(failed)?;
    if matches!(source, Source::Layers(_)) {
        link_mount_table(root).map_err(failed)?;
    }
    make_working_dir(record, root)
}

/// Where the root is to be read-only, the directory that the program starts in is made before. One in a mount is made there.
fn make_working_dir(record: &Record, root: BorrowedFd<'_>) -> Result<()> {
    let config = record.body.host_config.as_ref();
    let is_read_only = config
        .and_then(|config| config.readonly_rootfs)
        .unwrap_or(false);
    let directory = Path::new(record.body.working_dir.as_deref().unwrap_or_default());
    let tmpfs = config.and_then(|config| config.tmpfs.as_ref());
    let mut mounted = record
        .mounts
        .iter()
        .map(|point| point.destination.as_str())
        .chain(tmpfs.into_iter().flatten().map(|(place, _)| place.as_str()));
    if !is_read_only
        || !directory.is_absolute()
        || is_own(directory)
        || mounted.any(|place| directory.starts_with(place))
    {
        return Ok(());
    }
    // What is in its way is told by who goes there.
    let _ = place::make(root, directory, Kind::Directory);
    Ok(())
}

fn failed(error: Unreachable) -> Error {
    Error::io(
        format_args!("make {} of the container", error.path.display()),
        error.reason,
    )
}

fn link_mount_table(root: BorrowedFd<'_>) -> std::result::Result<(), Unreachable> {
    let (link, target) = MOUNT_TABLE;
    let linked = symlinkat(target, root, link.trim_start_matches('/'));
    match linked {
        // An image without /etc gets it for the files that are mounted there.
        Ok(()) | Err(Errno::EXIST | Errno::NOENT) => Ok(()),
        Err(reason) => Err(Unreachable {
            path: link.into(),
            reason,
        }),
    }
}

/// Whether the container has something of its own there.
fn is_own(path: &Path) -> bool {
    ["/dev", "/proc", "/sys"]
        .iter()
        .any(|own| path.starts_with(own))
}

fn refused(mount: &Mount, reason: &str) -> Error {
    Error::invalid(format!(
        "unable to start container process: error mounting {:?} to rootfs at {:?}: {reason}",
        mount.source().clone().unwrap_or_default(),
        mount.destination()
    ))
}

/// What is mounted over `/proc`, or in it, would lie to the engine and to the container: a few files may, which others show
/// with a container's own figures.
fn check_processes(mount: &Mount) -> Result<()> {
    const FILES: [&str; 11] = [
        "cpuinfo",
        "diskstats",
        "meminfo",
        "stat",
        "swaps",
        "uptime",
        "loadavg",
        "slabinfo",
        "net/dev",
        "sys/kernel/ns_last_pid",
        "sys/crypto/fips_enabled",
    ];
    let Ok(below) = mount.destination().strip_prefix("/proc") else {
        return Ok(());
    };
    let is_proc = match mount.typ().as_deref() {
        Some("proc") => true,
        Some("bind") => mount.source().as_deref().is_some_and(is_proc),
        _ => false,
    };
    match below.to_str() {
        Some("") if is_proc => Ok(()),
        Some("") => Err(refused(
            mount,
            "it cannot be mounted because it is not of type proc",
        )),
        Some(file) if FILES.contains(&file) => Ok(()),
        _ => Err(refused(
            mount,
            "it cannot be mounted because it is inside /proc",
        )),
    }
}

fn is_proc(source: &Path) -> bool {
    const PROC: i64 = 0x9fa0;
    statfs(source).is_ok_and(|found| found.f_type == PROC)
}

/// Makes the places of mounts that links lead to and that are not there, as Docker does.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a link that leads to the root directory, which
/// whatever is mounted there would take the place of, and for one to `/dev`, `/proc` or `/sys`.
pub(super) fn make(spec: &Spec, root: BorrowedFd<'_>) -> Result<()> {
    let mounts = spec.mounts().as_deref().unwrap_or_default();
    let own = fstat(root).map_err(|error| Error::io("look at the container's root", error))?;
    for (number, mount) in mounts.iter().enumerate() {
        let destination = mount.destination();
        check_processes(mount)?;
        let is_below = |above: &Path| destination.starts_with(above);
        // That is made in what is mounted there.
        if is_own(destination)
            || mounts[..number]
                .iter()
                .any(|other| is_below(other.destination()))
        {
            continue;
        }
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let found = match openat2(root, destination, flags, Mode::empty(), resolve) {
            Ok(found) => found,
            Err(Errno::NOENT) => {
                let source = mount.source().as_deref().unwrap_or(Path::new(""));
                let kind = match mount.typ().as_deref() {
                    Some("bind") if !source.is_dir() => Kind::File,
                    _ => Kind::Directory,
                };
                match place::make(root, destination, kind) {
                    // What was made is hidden by what the container has there.
                    Ok(place) if is_own(&place.path) => {
                        let place = place.path.display();
                        return Err(refused(mount, &format!("a link there leads to {place}")));
                    }
                    Ok(place) => place.descriptor,
                    // That is told when it cannot be mounted.
                    Err(_) => continue,
                }
            }
            // So is that.
            Err(_) => continue,
        };
        let status = fstat(&found).map_err(|error| Error::io("look at a mount point", error))?;
        if (status.st_dev, status.st_ino) == (own.st_dev, own.st_ino) {
            return Err(refused(mount, "a link there leads to the root directory"));
        }
    }
    Ok(())
}
