//! What a container has mounted where: `Binds`, `Mounts` and the image's volumes, read into one form.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard_stubs::models::{
    ContainerCreateBody, Mount, MountBindOptionsPropagationEnum, MountType,
};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountKind {
    /// A file or a directory of the machine.
    Bind,
    /// A volume of the engine.
    Volume,
    /// An empty directory in memory.
    Tmpfs,
}

/// How mounts made later on one side show on the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// They do not, and neither do those below.
    #[default]
    Rprivate,
    /// They do not.
    Private,
    /// The container sees the machine's, below too.
    Rslave,
    /// The container sees the machine's.
    Slave,
    /// Each sees the other's, below too.
    Rshared,
    /// Each sees the other's.
    Shared,
    /// They do not, and it cannot be bound anywhere, nor can those below. Only a tmpfs is so.
    Runbindable,
    /// They do not, and it cannot be bound anywhere. Only a tmpfs is so.
    Unbindable,
}

impl Propagation {
    /// The name in mount options and in the Engine API.
    pub fn as_str(self) -> &'static str {
        match self {
            Propagation::Rprivate => "rprivate",
            Propagation::Private => "private",
            Propagation::Rslave => "rslave",
            Propagation::Slave => "slave",
            Propagation::Rshared => "rshared",
            Propagation::Shared => "shared",
            Propagation::Runbindable => "runbindable",
            Propagation::Unbindable => "unbindable",
        }
    }

    /// The propagation of that name that a tmpfs can have.
    pub(super) fn of_tmpfs(name: &str) -> Option<Propagation> {
        [Propagation::Runbindable, Propagation::Unbindable]
            .into_iter()
            .find(|propagation| propagation.as_str() == name)
            .or_else(|| Propagation::parse(name))
    }

    fn parse(name: &str) -> Option<Propagation> {
        [
            Propagation::Rprivate,
            Propagation::Private,
            Propagation::Rslave,
            Propagation::Slave,
            Propagation::Rshared,
            Propagation::Shared,
        ]
        .into_iter()
        .find(|propagation| propagation.as_str() == name)
    }
}

/// One mount of a container, resolved as far as the request alone tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPoint {
    /// What is mounted.
    pub kind: MountKind,
    /// Where it lies on the machine. Empty for a tmpfs, and for a volume until the engine has found or made it.
    pub source: PathBuf,
    /// The volume's name; empty for an anonymous one, which the engine names.
    pub name: String,
    /// Where it lies in the container: absolute and clean.
    pub destination: String,
    /// The options as the request has them, for `inspect`.
    pub mode: String,
    /// Whether nothing can be written to it.
    pub read_only: bool,
    /// Whether a read-only mount leaves the mounts below it writable.
    pub read_only_non_recursive: bool,
    /// Whether the mounts below the source are left out.
    pub non_recursive: bool,
    /// How later mounts show.
    pub propagation: Propagation,
    /// Whether a missing source becomes a directory.
    pub create_source: bool,
    /// Whether a new volume stays empty instead of taking what the image has there.
    pub no_copy: bool,
    /// A path within the volume, or empty.
    pub subpath: String,
    /// Labels of a volume that has to be made.
    pub labels: HashMap<String, String>,
    /// The volume driver that is asked for; empty for the engine's own.
    pub driver: String,
    /// Options for the volume driver.
    pub driver_options: HashMap<String, String>,
    /// Mount options of a tmpfs, checked.
    pub tmpfs_options: Vec<String>,
}

impl MountPoint {
    fn new(kind: MountKind, destination: &str) -> MountPoint {
        MountPoint {
            kind,
            source: PathBuf::new(),
            name: String::new(),
            destination: clean(destination),
            mode: String::new(),
            read_only: false,
            read_only_non_recursive: false,
            non_recursive: false,
            propagation: Propagation::default(),
            create_source: false,
            no_copy: false,
            subpath: String::new(),
            labels: HashMap::new(),
            driver: String::new(),
            driver_options: HashMap::new(),
            tmpfs_options: Vec::new(),
        }
    }

    /// An anonymous volume, such as an image declares.
    pub fn anonymous_volume(destination: &str) -> MountPoint {
        MountPoint::new(MountKind::Volume, destination)
    }
}

/// The mounts of a request that was completed with its image, without those of `Tmpfs`. `inherited` are those that
/// `--volumes-from` names; what the request says about a place counts more.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a mount that makes no sense, two at one
/// place, or one of a source that does not exist and is not to be made;
/// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for a type that this engine does not have.
pub fn mount_points(
    body: &ContainerCreateBody,
    inherited: Vec<MountPoint>,
) -> Result<Vec<MountPoint>> {
    let host_config = body.host_config.clone().unwrap_or_default();
    let mut points: Vec<MountPoint> = Vec::new();
    for bind in host_config.binds.iter().flatten() {
        add(&mut points, parse_bind(bind)?)?;
    }
    for mount in host_config.mounts.iter().flatten() {
        add(&mut points, of_mount(mount)?)?;
    }
    let mut tmpfs: Vec<String> = Vec::new();
    for (destination, options) in host_config.tmpfs.iter().flatten() {
        if !destination.starts_with('/') {
            return Err(Error::invalid(format!(
                "invalid mount path: '{destination}' mount path must be absolute"
            )));
        }
        let destination = clean(destination);
        check_destination("tmpfs", &destination)?;
        super::tmpfs::options(options)?;
        if tmpfs.contains(&destination)
            || points.iter().any(|point| point.destination == destination)
        {
            return Err(duplicate(&destination));
        }
        tmpfs.push(destination);
    }
    let taken = |points: &[MountPoint], destination: &str| {
        points.iter().any(|point| point.destination == destination)
            || tmpfs.iter().any(|place| place == destination)
    };
    for point in inherited {
        if !taken(&points, &point.destination) {
            points.push(point);
        }
    }
    for volume in body.volumes.iter().flatten() {
        let point = MountPoint::anonymous_volume(volume);
        check_destination("volume", &point.destination)?;
        if !taken(&points, &point.destination) {
            points.push(point);
        }
    }
    Ok(points)
}

fn add(points: &mut Vec<MountPoint>, point: MountPoint) -> Result<()> {
    if points
        .iter()
        .any(|other| other.destination == point.destination)
    {
        return Err(duplicate(&point.destination));
    }
    points.push(point);
    Ok(())
}

fn duplicate(destination: &str) -> Error {
    Error::invalid(format!("Duplicate mount point: {destination}"))
}

/// Reads `SOURCE:DESTINATION[:OPTIONS]`, or a destination alone for an anonymous volume.
fn parse_bind(spec: &str) -> Result<MountPoint> {
    let invalid = |why: &str| {
        Error::invalid(if why.is_empty() {
            format!("invalid volume specification: '{spec}'")
        } else {
            format!("invalid volume specification: '{spec}': {why}")
        })
    };
    if spec.contains('\0') {
        return Err(Error::invalid(format!(
            "invalid volume specification: {spec:?} contains a NUL character"
        )));
    }
    let parts: Vec<&str> = spec.split(':').collect();
    let (source, destination, mode) = match parts[..] {
        [destination] => ("", destination, ""),
        [source, destination] => (source, destination, ""),
        [source, destination, mode] => (source, destination, mode),
        _ => return Err(invalid("")),
    };
    if destination.is_empty() || (parts.len() > 1 && source.is_empty()) {
        return Err(invalid(""));
    }
    if parts.len() == 2 && Mode::parse(destination).is_some() {
        // A mode without a destination: a volume of its own cannot have one.
        return Err(invalid(""));
    }
    let asked = Mode::parse(mode).ok_or_else(|| invalid_mode(mode))?;
    let kind = if source.starts_with('/') {
        MountKind::Bind
    } else {
        MountKind::Volume
    };
    let kind_name = if kind == MountKind::Bind {
        "bind"
    } else {
        "volume"
    };
    check_destination(kind_name, &clean_if_absolute(destination))
        .map_err(|error| invalid(&error.to_string()))?;
    let mut point = MountPoint::new(kind, destination);
    point.mode = mode.to_owned();
    match kind {
        MountKind::Bind => {
            point.source = PathBuf::from(clean(source));
            point.create_source = true;
        }
        _ => point.name = source.to_owned(),
    }
    let extra = match kind {
        MountKind::Bind if asked.no_copy => "VolumeOptions",
        MountKind::Volume if asked.propagation.is_some() => "BindOptions",
        _ => "",
    };
    if !extra.is_empty() {
        return Err(invalid(&format!(
            "invalid mount config for type \"{kind_name}\": field {extra} must not be specified"
        )));
    }
    point.read_only = asked.read_only;
    point.no_copy = asked.no_copy;
    point.propagation = asked.propagation.unwrap_or_default();
    Ok(point)
}

/// Reads `CONTAINER[:MODE]` of `--volumes-from`: the container, and whether its volumes are read-only here.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) without a container, and for a mode that is none or
/// that only the container itself can give its volumes.
pub fn volumes_from(word: &str) -> Result<(&str, bool)> {
    if word.is_empty() {
        return Err(Error::invalid(
            "volumes-from specification cannot be an empty string",
        ));
    }
    let (container, mode) = word.split_once(':').unwrap_or((word, ""));
    if container.is_empty() {
        return Err(Error::invalid("invalid name or ID supplied: \"\""));
    }
    match Mode::parse(mode) {
        Some(asked) if asked.propagation.is_none() && !asked.no_copy => {
            Ok((container, asked.read_only))
        }
        _ => Err(invalid_mode(mode)),
    }
}

fn invalid_mode(mode: &str) -> Error {
    Error::invalid(format!("invalid mode: {mode}"))
}

/// What a mount says behind its last colon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mode {
    read_only: bool,
    no_copy: bool,
    propagation: Option<Propagation>,
}

impl Mode {
    /// Each of `ro` and `rw`, `z` and `Z`, `nocopy`, the propagations and the words for consistency may come once.
    fn parse(mode: &str) -> Option<Mode> {
        let mut parsed = Mode::default();
        let (mut access, mut label, mut copy, mut propagation, mut consistency) = (0, 0, 0, 0, 0);
        for option in mode.split(',').filter(|_| !mode.is_empty()) {
            match option {
                "ro" | "rw" => {
                    access += 1;
                    parsed.read_only = option == "ro";
                }
                // Nothing is labelled without SELinux, which is how Docker takes them there.
                "z" | "Z" => label += 1,
                "nocopy" => {
                    copy += 1;
                    parsed.no_copy = true;
                }
                "consistent" | "cached" | "delegated" => consistency += 1,
                _ => {
                    propagation += 1;
                    parsed.propagation = Some(Propagation::parse(option)?);
                }
            }
        }
        [access, label, copy, propagation, consistency]
            .iter()
            .all(|&count| count <= 1)
            .then_some(parsed)
    }
}

fn of_mount(mount: &Mount) -> Result<MountPoint> {
    let kind = mount.typ.unwrap_or(MountType::VOLUME);
    let kind_name = kind.to_string();
    let invalid = |why: String| {
        Error::invalid(format!(
            "invalid mount config for type \"{kind_name}\": {why}"
        ))
    };
    let target = mount.target.as_deref().unwrap_or_default();
    if target.is_empty() {
        return Err(invalid("field Target must not be empty".to_owned()));
    }
    check_destination(&kind_name, &clean_if_absolute(target))?;
    let options = [
        ("BindOptions", mount.bind_options.is_some(), MountType::BIND),
        (
            "VolumeOptions",
            mount.volume_options.is_some(),
            MountType::VOLUME,
        ),
        (
            "TmpfsOptions",
            mount.tmpfs_options.is_some(),
            MountType::TMPFS,
        ),
        (
            "ImageOptions",
            mount.image_options.is_some(),
            MountType::IMAGE,
        ),
    ];
    if let Some((name, ..)) = options.iter().find(|(_, set, of)| *set && *of != kind) {
        return Err(invalid(format!("field {name} must not be specified")));
    }
    let source = mount.source.as_deref().unwrap_or_default();
    if [source, target].iter().any(|path| path.contains('\0')) {
        return Err(invalid("a path contains a NUL character".to_owned()));
    }
    let mut point = match kind {
        MountType::BIND => {
            let mut point = MountPoint::new(MountKind::Bind, target);
            if source.is_empty() {
                return Err(invalid("field Source must not be empty".to_owned()));
            }
            if !source.starts_with('/') {
                return Err(invalid(format!(
                    "invalid mount path: '{source}' mount path must be absolute"
                )));
            }
            point.source = PathBuf::from(clean(source));
            if let Some(options) = &mount.bind_options {
                point.non_recursive = options.non_recursive.unwrap_or(false);
                point.create_source = options.create_mountpoint.unwrap_or(false);
                point.read_only_non_recursive = options.read_only_non_recursive.unwrap_or(false);
                let forced = options.read_only_force_recursive.unwrap_or(false);
                if forced && point.read_only_non_recursive {
                    return Err(invalid(
                        "mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive"
                            .to_owned(),
                    ));
                }
                if forced && point.non_recursive {
                    return Err(invalid(
                        "mount options conflict: NonRecursive && ReadOnlyForceRecursive".to_owned(),
                    ));
                }
                point.propagation = match options.propagation {
                    None | Some(MountBindOptionsPropagationEnum::EMPTY) => Propagation::default(),
                    Some(propagation) => {
                        Propagation::parse(propagation.as_ref()).unwrap_or_default()
                    }
                };
            }
            if !point.create_source && !exists(&point.source) {
                return Err(invalid(format!(
                    "bind source path does not exist: {}",
                    point.source.display()
                )));
            }
            point
        }
        MountType::VOLUME => {
            let mut point = MountPoint::new(MountKind::Volume, target);
            point.name = source.to_owned();
            if let Some(options) = &mount.volume_options {
                point.no_copy = options.no_copy.unwrap_or(false);
                point.labels = options.labels.clone().unwrap_or_default();
                point.subpath = options.subpath.clone().unwrap_or_default();
                if let Some(driver) = &options.driver_config {
                    point.driver = driver.name.clone().unwrap_or_default();
                    point.driver_options = driver.options.clone().unwrap_or_default();
                }
                if !point.subpath.is_empty() && point.name.is_empty() {
                    return Err(invalid(
                        "must not set Subpath when using anonymous volumes".to_owned(),
                    ));
                }
                let climbs = Path::new(&point.subpath).components().any(|part| {
                    !matches!(
                        part,
                        std::path::Component::Normal(_) | std::path::Component::CurDir
                    )
                });
                if climbs || point.subpath.contains('\0') {
                    return Err(invalid(format!(
                        "subpath '{}' must be a relative path within the volume",
                        point.subpath
                    )));
                }
            }
            point
        }
        MountType::TMPFS => {
            let mut point = MountPoint::new(MountKind::Tmpfs, target);
            if !source.is_empty() {
                return Err(invalid("field Source must not be specified".to_owned()));
            }
            if let Some(options) = &mount.tmpfs_options {
                let mut given = Vec::new();
                match options.size_bytes {
                    Some(size) if size < 0 => {
                        return Err(invalid("size must not be negative".to_owned()));
                    }
                    Some(size) if size > 0 => given.push(format!("size={size}")),
                    _ => {}
                }
                match options.mode {
                    Some(mode) if !(0..=0o7777).contains(&mode) => {
                        return Err(invalid(format!("invalid mode: {mode:o}")));
                    }
                    Some(mode) if mode > 0 => given.push(format!("mode={mode:o}")),
                    _ => {}
                }
                given.extend(
                    options
                        .options
                        .iter()
                        .flatten()
                        .map(|option| option.join("=")),
                );
                point.tmpfs_options = super::tmpfs::options(&given.join(","))
                    .map_err(|error| invalid(error.to_string()))?;
            } else {
                point.tmpfs_options = super::tmpfs::options("")?;
            }
            point
        }
        MountType::IMAGE | MountType::CLUSTER | MountType::NPIPE => {
            return Err(Error::not_implemented(format!(
                "the embedded engine does not do --mount type={kind_name}: use bind, volume or tmpfs"
            )));
        }
    };
    point.read_only = mount.read_only.unwrap_or(false);
    Ok(point)
}

fn check_destination(kind: &str, destination: &str) -> Result<()> {
    let invalid =
        |why: String| Error::invalid(format!("invalid mount config for type \"{kind}\": {why}"));
    if !destination.starts_with('/') {
        return Err(invalid(format!(
            "invalid mount path: '{destination}' mount path must be absolute"
        )));
    }
    if destination == "/" {
        return Err(invalid(
            "invalid specification: destination can't be '/'".to_owned(),
        ));
    }
    Ok(())
}

/// Whether there is something, links not followed: what hangs in the air is found when it is mounted.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn clean_if_absolute(path: &str) -> String {
    if path.starts_with('/') {
        clean(path)
    } else {
        path.to_owned()
    }
}

/// An absolute path without empty parts, `.` and `..`, as text: links are not looked at.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The body of the fuzz target: whatever a request has for a bind, it goes below the root.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let text = str::from_utf8(data).unwrap_or_default();
    if let Ok(point) = parse_bind(text) {
        assert!(point.destination.starts_with('/') && point.destination != "/");
        assert!(
            !point
                .destination
                .split('/')
                .any(|part| part == ".." || part == ".")
        );
        assert!(point.kind == MountKind::Volume || point.source.is_absolute());
    }
    let cleaned = clean(text);
    assert_eq!(clean(&cleaned), cleaned);
}

#[cfg(test)]
#[path = "mount_point_tests.rs"]
mod tests;
