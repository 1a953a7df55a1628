//! The mounts of a container in the specification's form and order.

use std::path::{Path, PathBuf};

use libcontainer::oci_spec::runtime::{Mount, MountBuilder};

use super::mount_point::{MountKind, MountPoint, Propagation, clean};
use super::{CgroupView, Input, MountPropagation, init_path, rootfs_file, tmpfs};
use crate::runtime::CGROUPS;
use crate::{Error, Result};

/// How large `/dev/shm` is unless the request says otherwise.
const DEFAULT_SHM_SIZE: i64 = 64 << 20;

/// All mounts of a container.
#[derive(Debug)]
pub(super) struct Mounts {
    pub(super) list: Vec<Mount>,
    /// What differs from the propagation that libcontainer gives to all of them.
    pub(super) propagation: Vec<MountPropagation>,
    /// What the whole tree has to be for the mounts to be what they are asked to be.
    pub(super) root_propagation: Propagation,
    /// How cgroups show.
    pub(super) cgroup_view: Option<CgroupView>,
    /// The mount over `/dev`, which libcontainer cannot make.
    pub(super) over_dev: Option<MountPoint>,
}

/// What decides about mounts beside the request.
pub(super) struct Facts<'a> {
    pub(super) bound_devices: &'a [(PathBuf, String)],
    pub(super) without_shm: bool,
    pub(super) host_ipc: bool,
    pub(super) host_pid: bool,
    pub(super) host_network: bool,
    pub(super) writable_cgroups: bool,
}

pub(super) fn of_container(input: &Input<'_>, facts: &Facts<'_>) -> Result<Mounts> {
    let host_config = input.body.host_config.as_ref();
    let privileged = host_config
        .and_then(|config| config.privileged)
        .unwrap_or(false);
    let read_only_root = host_config
        .and_then(|config| config.readonly_rootfs)
        .unwrap_or(false);

    let mut user: Vec<MountPoint> = input.mounts.to_vec();
    let mut propagation = Vec::new();
    for (destination, options) in host_config
        .and_then(|config| config.tmpfs.as_ref())
        .into_iter()
        .flatten()
    {
        let point = MountPoint {
            kind: MountKind::Tmpfs,
            tmpfs_options: tmpfs::options(options)?,
            ..MountPoint::anonymous_volume(destination)
        };
        // It is the container's own, so it takes nothing of the tree around it.
        propagation.extend(
            tmpfs::propagation(options).map(|propagation| MountPropagation {
                destination: PathBuf::from(&point.destination),
                propagation,
            }),
        );
        user.push(point);
    }
    let is_taken = |destination: &str| user.iter().any(|point| point.destination == destination);
    let dev_is_taken = is_taken("/dev");
    let cgroup_view = (input.cgroup && !is_taken(CGROUPS)).then_some(CgroupView {
        read_only: !(privileged || facts.writable_cgroups),
    });

    let mut list = Vec::new();
    for mount in defaults(input, facts, privileged)? {
        let destination = mount.destination().to_string_lossy().into_owned();
        // Whatever is mounted over /dev has its own terminals and shared memory. The mount itself comes last, so that
        // libcontainer makes its nodes in a /dev of its own and leaves the machine's alone.
        let hidden = dev_is_taken && destination.starts_with("/dev/");
        if destination == "/dev" || !(hidden || is_taken(&destination)) {
            list.push(mount);
        }
    }
    let over_dev = user
        .iter()
        .position(|point| point.destination == "/dev")
        .map(|place| user.remove(place));

    let root_propagation = common_propagation(&user);
    let mut ordered: Vec<(String, Mount)> = own_files(input, read_only_root)?;
    ordered.retain(|(destination, _)| !user.iter().any(|point| point.destination == *destination));
    for point in &user {
        let mount = match point.kind {
            MountKind::Tmpfs => of_tmpfs(point, tmpfs::mode_of_place(input.root, &user, point))?,
            _ => of_bind(point)?,
        };
        ordered.push((point.destination.clone(), mount));
        if root_propagation != Propagation::Rprivate && point.kind != MountKind::Tmpfs {
            propagation.push(MountPropagation {
                destination: PathBuf::from(&point.destination),
                propagation: point.propagation,
            });
        }
    }
    for (source, destination) in facts.bound_devices {
        let options = ["bind", "nosuid", "noexec"];
        ordered.push((
            destination.clone(),
            mount(destination, "bind", text(source)?, &options)?,
        ));
    }
    if let Some(init) = input.init {
        let place = init_path::of(input.root);
        ordered.push((
            place.to_owned(),
            mount(place, "bind", text(init)?, &["bind", "ro"])?,
        ));
    }
    // A mount below another one comes after it.
    ordered.sort_by_key(|(destination, _)| destination.matches('/').count());
    list.extend(ordered.into_iter().map(|(_, mount)| mount));
    Ok(Mounts {
        list,
        propagation,
        root_propagation,
        cgroup_view,
        over_dev,
    })
}

/// The least private propagation that is asked for: what is more private is made so later, the other way there is none.
fn common_propagation(points: &[MountPoint]) -> Propagation {
    let mut common = Propagation::Rprivate;
    for point in points {
        match point.propagation {
            Propagation::Rshared | Propagation::Shared => return Propagation::Rshared,
            Propagation::Rslave | Propagation::Slave => common = Propagation::Rslave,
            Propagation::Rprivate
            | Propagation::Private
            | Propagation::Runbindable
            | Propagation::Unbindable => {}
        }
    }
    common
}

/// What every container has.
fn defaults(input: &Input<'_>, facts: &Facts<'_>, privileged: bool) -> Result<Vec<Mount>> {
    // It belongs to the process namespace, and only who owns that may mount it.
    let proc = match input.ids.is_some() && facts.host_pid {
        true => mount(
            "/proc",
            "bind",
            "/proc",
            &["rbind", "nosuid", "noexec", "nodev"],
        )?,
        false => mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"])?,
    };
    let mut list = vec![
        proc,
        mount(
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        )?,
    ];
    let mut pts = vec![
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
    ];
    // The group of terminals, which a user namespace may not have.
    if input.ids.is_none_or(|ids| ids.has_group(5)) {
        pts.push("gid=5");
    }
    list.push(mount("/dev/pts", "devpts", "devpts", &pts)?);

    if facts.host_network && !input.owns_network {
        // sysfs belongs to the network namespace, and only who owns that may mount it.
        let options = ["rbind", "nosuid", "noexec", "nodev", "ro", "rro"];
        list.push(mount("/sys", "bind", "/sys", &options)?);
    } else if privileged {
        list.push(mount(
            "/sys",
            "sysfs",
            "sysfs",
            &["nosuid", "noexec", "nodev"],
        )?);
    } else {
        list.push(mount(
            "/sys",
            "sysfs",
            "sysfs",
            &["nosuid", "noexec", "nodev", "ro"],
        )?);
    }
    // Each tree of version 1 has a directory of its own in here; version 2 is one tree, mounted at the place itself.
    if input.cgroup && !input.unified {
        let options = ["nosuid", "nodev", "noexec", "mode=755"];
        list.push(mount(CGROUPS, "tmpfs", "tmpfs", &options)?);
    }
    list.extend(message_queues(input, facts)?);
    list.extend(shared_memory(input, facts)?);
    Ok(list)
}

/// The file system of message queues belongs to the IPC namespace, and only who owns that may mount it.
fn message_queues(input: &Input<'_>, facts: &Facts<'_>) -> Result<Option<Mount>> {
    let place = "/dev/mqueue";
    let options = ["nosuid", "noexec", "nodev"];
    if input.ids.is_none() || !facts.host_ipc {
        return mount(place, "mqueue", "mqueue", &options).map(Some);
    }
    match Path::new(place).is_dir() {
        true => mount(place, "bind", place, &[&["rbind"][..], &options].concat()).map(Some),
        false => Ok(None),
    }
}

fn shared_memory(input: &Input<'_>, facts: &Facts<'_>) -> Result<Option<Mount>> {
    if facts.without_shm {
        return Ok(None);
    }
    let joined = ["bind", "nosuid", "noexec", "nodev"];
    let shm = match input.shm {
        Some(shm) => mount("/dev/shm", "bind", text(shm)?, &joined)?,
        None if facts.host_ipc => mount("/dev/shm", "bind", "/dev/shm", &joined)?,
        None => {
            let asked = input
                .body
                .host_config
                .as_ref()
                .and_then(|config| config.shm_size);
            let size = match asked.unwrap_or(0) {
                0 => DEFAULT_SHM_SIZE,
                size if size < 0 => return Err(Error::invalid("SHM size can not be less than 0")),
                size => size,
            };
            let size = format!("size={size}");
            mount(
                "/dev/shm",
                "tmpfs",
                "shm",
                &["nosuid", "noexec", "nodev", "mode=1777", &size],
            )?
        }
    };
    Ok(Some(shm))
}

/// The three files that the engine writes for each container; not those that a directory of the machine has not, and that an
/// ordinary user can not make in it.
fn own_files(input: &Input<'_>, read_only: bool) -> Result<Vec<(String, Mount)>> {
    let files = input.files;
    let options: &[&str] = if read_only {
        &["bind", "ro"]
    } else {
        &["bind"]
    };
    let mut list = Vec::new();
    for (destination, source) in [
        ("/etc/resolv.conf", &files.resolv_conf),
        ("/etc/hostname", &files.hostname),
        ("/etc/hosts", &files.hosts),
    ] {
        if let Some(source) = source
            && (input.ids.is_none() || rootfs_file::can_be_there(input.root, destination))
        {
            list.push((
                destination.to_owned(),
                mount(destination, "bind", text(source)?, options)?,
            ));
        }
    }
    Ok(list)
}

fn of_tmpfs(point: &MountPoint, mode: Option<u32>) -> Result<Mount> {
    let mut options: Vec<&str> = point.tmpfs_options.iter().map(String::as_str).collect();
    if point.read_only {
        options.push("ro");
    }
    let mode = mode.map(|mode| format!("mode={mode:o}"));
    if !options.iter().any(|option| option.starts_with("mode=")) {
        options.extend(mode.as_deref());
    }
    mount(&point.destination, "tmpfs", "tmpfs", &options)
}

fn of_bind(point: &MountPoint) -> Result<Mount> {
    if point.source.as_os_str().is_empty() {
        return Err(Error::system(format!(
            "the volume for {} was not found",
            point.destination
        )));
    }
    mount(
        &point.destination,
        "bind",
        text(&point.source)?,
        &bind_options(point),
    )
}

fn bind_options(point: &MountPoint) -> Vec<&'static str> {
    let mut options = vec![if point.non_recursive { "bind" } else { "rbind" }];
    if point.read_only {
        options.push("ro");
        if !point.non_recursive && !point.read_only_non_recursive {
            options.push("rro");
        }
    }
    options.push(point.propagation.as_str());
    options
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        Error::invalid(format!(
            "the path {} is not text in UTF-8, so it cannot be mounted",
            path.display()
        ))
    })
}

fn mount(destination: &str, kind: &str, source: &str, options: &[&str]) -> Result<Mount> {
    MountBuilder::default()
        .destination(clean(destination))
        .typ(kind)
        .source(source)
        .options(
            options
                .iter()
                .map(|&option| option.to_owned())
                .collect::<Vec<_>>(),
        )
        .build()
        .map_err(|error| Error::system(error.to_string()))
}
