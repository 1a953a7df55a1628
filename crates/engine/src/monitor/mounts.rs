//! What a container has mounted, on its way there.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, fstat};

use super::others::Others;
use super::place::Place;
use super::volumes;
use crate::layout::make_directory;
use crate::spec::{MountKind, MountPoint, Propagation};
use crate::sys::MountTable;
use crate::{Error, Result, runtime};

/// The mounts of a container in the mount namespace of its monitor.
#[derive(Debug)]
pub(super) struct Mounts {
    points: Vec<MountPoint>,
    /// Those that are taken along from outside, by their number.
    taken: Vec<(usize, OwnedFd)>,
}

impl Mounts {
    /// Enters a mount namespace of its own for a run of the container.
    ///
    /// The machine's mounts show there and what is mounted there does not show outside, so sharing goes one way. What is
    /// shared both ways is taken along, and so is what the machine's cgroups show in, which are hidden there.
    pub(super) fn enter(place: &Place<'_>) -> Result<Mounts> {
        let points = place.record.mounts.clone();
        points.iter().try_for_each(make_source)?;
        place.go_home()?;
        check_propagation(&points)?;
        let numbers: Vec<usize> = (0..points.len())
            .filter(|&number| is_taken_along(&points[number]))
            .collect();
        let sources: Vec<&Path> = numbers
            .iter()
            .map(|&number| points[number].source.as_path())
            .collect();
        let trees = runtime::enter_mount_namespace(&sources)?;
        Ok(Mounts {
            taken: numbers.into_iter().zip(trees).collect(),
            points,
        })
    }

    /// Puts what is not to be mounted by its path where the specification can name it. `root` is the container's root with
    /// nothing mounted in it, from which volumes are filled.
    pub(super) fn stage(
        self,
        place: &Place<'_>,
        others: &Others,
        root: BorrowedFd<'_>,
    ) -> Result<Vec<MountPoint>> {
        let mut points = self.points;
        for (number, tree) in self.taken {
            let point = &mut points[number];
            if !is_shared(point) {
                runtime::follow(&tree)?;
            }
            make_directory(&place.mounts())?;
            point.source = place.mounts().join(format!("taken-{number}"));
            attach(&tree, &point.source)?;
        }
        if let Some(shm) = &others.shm {
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

/// A mount shows on the machine, or the machine's in the container, only where the machine has it so.
fn check_propagation(points: &[MountPoint]) -> Result<()> {
    use Propagation::{Private, Rprivate, Rshared, Rslave, Shared, Slave};
    let is_private = |point: &&MountPoint| matches!(point.propagation, Rprivate | Private);
    let mut points = points
        .iter()
        .filter(|point| point.kind == MountKind::Bind && !is_private(point))
        .peekable();
    if points.peek().is_none() {
        return Ok(());
    }
    let table = MountTable::read()?;
    for point in points {
        let source = fs::canonicalize(&point.source).unwrap_or_else(|_| point.source.clone());
        let Some(mounted) = table.of(&source) else {
            continue;
        };
        let refused = |what: &str| {
            Err(Error::invalid(format!(
                "path {} is mounted on {} but it is not a {what} mount",
                point.source.display(),
                mounted.place.display()
            )))
        };
        match point.propagation {
            Shared | Rshared if !mounted.is_shared => return refused("shared"),
            Slave | Rslave if !mounted.is_shared && !mounted.is_slave => {
                return refused("shared or slave");
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_taken_along(point: &MountPoint) -> bool {
    is_shared(point) || point.kind == MountKind::Bind && shows_cgroups(point)
}

/// Whether the machine's cgroups are to be seen in a bind: all of them, or one.
fn shows_cgroups(point: &MountPoint) -> bool {
    let source = fs::canonicalize(&point.source).unwrap_or_else(|_| point.source.clone());
    source.starts_with(runtime::CGROUPS)
        || !point.non_recursive && Path::new(runtime::CGROUPS).starts_with(&source)
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
