//! What a container has mounted, on its way there.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, fstat};

use super::others::Others;
use super::place::Place;
use super::volumes;
use crate::layout::make_directory;
use crate::spec::{MountKind, MountPoint, Propagation};
use crate::{Error, Result, runtime};

/// The mounts of a container in the mount namespace of its monitor.
#[derive(Debug)]
pub(super) struct Mounts {
    points: Vec<MountPoint>,
    /// Those that are shared in both directions, in their order.
    shared: Vec<OwnedFd>,
    /// Another container's `/dev/shm`.
    shm: Option<OwnedFd>,
}

impl Mounts {
    /// Enters a mount namespace of its own for a run of the container.
    ///
    /// The machine's mounts show there and what is mounted there does not show outside, so sharing goes one way. What is
    /// shared both ways is taken along.
    pub(super) fn enter(place: &Place<'_>, others: &Others) -> Result<Mounts> {
        let points = place.record.mounts.clone();
        points.iter().try_for_each(make_source)?;
        place.go_home()?;
        let sources: Vec<PathBuf> = points
            .iter()
            .filter(|point| is_shared(point))
            .map(|point| point.source.clone())
            .chain(others.shm())
            .collect();
        let paths: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
        let mut shared = runtime::enter_mount_namespace(&paths)?;
        let shm = others.shm().and_then(|_| shared.pop());
        Ok(Mounts {
            points,
            shared,
            shm,
        })
    }

    /// Puts what is not to be mounted by its path where the specification can name it. `root` is the container's root with
    /// nothing mounted in it, from which volumes are filled.
    pub(super) fn stage(self, place: &Place<'_>, root: BorrowedFd<'_>) -> Result<Vec<MountPoint>> {
        let mut points = self.points;
        let shared = points.iter_mut().filter(|point| is_shared(point));
        for (number, (point, tree)) in shared.zip(&self.shared).enumerate() {
            make_directory(&place.mounts())?;
            point.source = place.mounts().join(format!("shared-{number}"));
            attach(tree, &point.source)?;
        }
        if let Some(shm) = &self.shm {
            attach(shm, &place.shm())?;
        }
        volumes::set_up(
            place.layout,
            &place.record.id,
            &mut points,
            root,
            &place.mounts(),
        )?;
        Ok(points)
    }
}

fn is_shared(point: &MountPoint) -> bool {
    point.kind == MountKind::Bind
        && matches!(
            point.propagation,
            Propagation::Shared | Propagation::Rshared
        )
}

/// Mounts a tree at a place that is made for it.
fn attach(tree: &OwnedFd, place: &Path) -> Result<()> {
    let status = fstat(tree.as_fd()).map_err(|error| Error::io("look at a mount", error))?;
    make_mount_point(
        place,
        FileType::from_raw_mode(status.st_mode) == FileType::Directory,
    )?;
    runtime::attach(tree, place)
}

pub(super) fn make_mount_point(path: &Path, is_directory: bool) -> Result<()> {
    let made = match is_directory {
        true => fs::create_dir(path),
        false => fs::File::create_new(path).map(drop),
    };
    made.map_err(|error| Error::io(format_args!("make {}", path.display()), error))
}

/// Docker makes the missing source of a bind when the container starts.
fn make_source(point: &MountPoint) -> Result<()> {
    if point.kind != MountKind::Bind || !point.create_source {
        return Ok(());
    }
    fs::create_dir_all(&point.source).or_else(|error| match point.source.exists() {
        // It is a file.
        true => Ok(()),
        false => Err(Error::io(
            format_args!("make the bind source {}", point.source.display()),
            error,
        )),
    })
}
