//! From a request of the Engine API to a specification of the Open Container Initiative, with Docker's defaults.
//!
//! The specification leaves out what libcontainer shall not do. There are no `resources` and no cgroup mount: cgroups
//! are the engine's own, and whoever starts the container mounts them. There are no
//! capabilities and no seccomp profile: a filter is loaded just before the program starts, for which all capabilities
//! are needed still, and then [`Capabilities::apply`] drops them. And processes start in `/`: the directory that is
//! meant may lie in a mount and may not exist yet, so [`enter_working_dir`] goes there from inside the container.

mod capability;
mod config;
mod device;
mod environment;
mod init_path;
mod mount;
mod mount_point;
mod namespace;
mod process;
mod rlimit;
mod rootfs_file;
mod security;
mod sysctl;
mod tmpfs;
mod user;
mod working_dir;

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use bollard_stubs::models::{ContainerCreateBody, HostConfig};
use libcontainer::oci_spec::runtime::{LinuxBuilder, RootBuilder, Spec};

pub use capability::Capabilities;
pub use config::{ImageDefaults, command, merge};
pub use environment::DEFAULT_PATH;
pub use init_path::{INIT_PATH, INIT_PATH_IN_DEV};
pub use mount_point::{MountKind, MountPoint, Propagation, mount_points, volumes_from};
pub use namespace::Existing;
pub use process::{BuiltProcess, ExecInput, process};
pub use security::{Seccomp, Security};
pub use user::User;
pub use working_dir::{enter_working_dir, go_to_working_dir};

use crate::cgroup::DeviceRule;
use crate::user_namespace::Ids;
use crate::{Error, Result};
use namespace::{Namespaces, Source};

/// Files that the engine writes for each container; none where the container sees the image's.
#[derive(Clone, Debug, Default)]
pub struct NetworkFiles {
    /// `/etc/hosts`.
    pub hosts: Option<PathBuf>,
    /// `/etc/hostname`.
    pub hostname: Option<PathBuf>,
    /// `/etc/resolv.conf`.
    pub resolv_conf: Option<PathBuf>,
}

/// What a specification is made from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The request, completed by [`merge`], its host name set.
    pub body: &'a ContainerCreateBody,
    /// The root directory as libcontainer shall see it.
    pub rootfs: &'a Path,
    /// The same directory, for looking up users and groups.
    pub root: BorrowedFd<'a>,
    /// What [`mount_points`] found, each volume with the directory that it is.
    pub mounts: &'a [MountPoint],
    /// The engine's files for this container.
    pub files: &'a NetworkFiles,
    /// Namespaces to join.
    pub existing: &'a Existing,
    /// Whether the container sees cgroups of its own in `/sys/fs/cgroup`.
    pub cgroup: bool,
    /// Whether the machine has cgroup v2 alone.
    pub unified: bool,
    /// The directory that shows as `/dev/shm` where another container's IPC namespace is joined.
    pub shm: Option<&'a Path>,
    /// Our own program, where the container is to have an init process.
    pub init: Option<&'a Path>,
    /// The ids that there are, unless there are all of them.
    pub ids: Option<&'a Ids>,
    /// Whether the engine may change the network that it is in itself.
    pub owns_network: bool,
    /// Which capabilities there are.
    pub available: Capabilities,
    /// Whether limits may be raised above the engine's own.
    pub may_raise_limits: bool,
}

/// How later mounts show at one place of a container, for whoever starts it: libcontainer sets the same for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPropagation {
    /// The place in the container.
    pub destination: PathBuf,
    /// What is asked for there.
    pub propagation: Propagation,
}

/// How a container sees its cgroups, which whoever starts it mounts in `/sys/fs/cgroup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CgroupView {
    /// Whether it cannot write to them.
    pub read_only: bool,
}

/// A specification, and what the engine does itself.
#[derive(Clone, Debug)]
pub struct Built {
    /// For libcontainer.
    pub spec: Spec,
    /// What the process is left with, just before its program starts.
    pub capabilities: Capabilities,
    /// The filter of system calls to load just before that.
    pub seccomp: Seccomp,
    /// Where the program starts, for [`enter_working_dir`].
    pub working_dir: PathBuf,
    /// What the container may do with which devices.
    pub device_rules: Vec<DeviceRule>,
    /// Propagations to set from inside the container, before its program starts, where the mounts are.
    pub propagation: Vec<MountPropagation>,
    /// How the container's cgroups show, if they do. On version 1 they go into a tmpfs that the specification has.
    pub cgroup_view: Option<CgroupView>,
    /// A mount over `/dev`, to be made last: libcontainer makes its nodes in a `/dev` of its own before.
    pub over_dev: Option<MountPoint>,
    /// Kernel parameters of single interfaces, to be set when the container's network is connected.
    pub interface_sysctls: Vec<(String, String)>,
    /// What the user should know, in whole sentences.
    pub warnings: Vec<String>,
}

/// Paths of `/proc` and `/sys` that no container sees.
const MASKED_PATHS: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Paths of `/proc` that no container writes to.
const READ_ONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Makes the specification of a container.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what makes no sense,
/// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for what this engine does not do, both naming it;
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for a namespace of a container that does not run.
pub fn build(input: &Input<'_>) -> Result<Built> {
    let body = input.body;
    let host_config = body.host_config.clone().unwrap_or_default();
    refuse_what_is_missing(&host_config)?;

    let security = Security::of(&host_config)?;
    let namespaces = Namespaces::of(&host_config, input.existing, input.unified)?;
    let capabilities = Capabilities::of_container(
        host_config.cap_add.as_deref().unwrap_or_default(),
        host_config.cap_drop.as_deref().unwrap_or_default(),
        host_config.privileged.unwrap_or(false),
        input.available,
    )?;
    let dev_is_mounted = input.mounts.iter().any(|point| point.destination == "/dev");
    let devices = device::of_container(
        &host_config,
        device::Surroundings {
            dev_is_mounted,
            is_mapped: input.ids.is_some(),
        },
    )?;
    let facts = mount::Facts {
        bound_devices: &devices.bound,
        without_shm: namespaces.without_shm,
        host_ipc: namespaces.ipc == Source::Host,
        host_pid: namespaces.pid == Source::Host,
        host_network: namespaces.network == Source::Host,
        writable_cgroups: security.writable_cgroups,
    };
    let mounts = mount::of_container(input, &facts)?;
    let mut warnings = Vec::new();
    let process = first_process(input, &host_config, &security, &mut warnings)?;

    let (masked, read_only) = hidden_paths(&host_config);
    let mut sysctls = sysctls(input, &host_config, &namespaces)?;
    let interface_sysctls = sysctl::of_interfaces(&mut sysctls);
    let linux = LinuxBuilder::default()
        .namespaces(namespaces.to_linux()?)
        .sysctl(sysctls)
        .devices(devices.nodes)
        .masked_paths(masked)
        .readonly_paths(read_only)
        .rootfs_propagation(match mounts.root_propagation {
            Propagation::Shared | Propagation::Rshared => "shared",
            Propagation::Slave | Propagation::Rslave => "slave",
            Propagation::Private
            | Propagation::Rprivate
            | Propagation::Unbindable
            | Propagation::Runbindable => "private",
        });
    let mut linux = linux.build().map_err(malformed)?;
    // The type's own defaults ask for cgroups and limits, which are ours to make.
    linux
        .set_resources(None)
        .set_cgroups_path(None)
        .set_seccomp(None);

    let root = RootBuilder::default()
        .path(input.rootfs)
        .readonly(host_config.readonly_rootfs.unwrap_or(false))
        .build()
        .map_err(malformed)?;
    let mut spec = Spec::default();
    spec.set_root(Some(root))
        .set_mounts(Some(mounts.list))
        .set_process(Some(process))
        .set_linux(Some(linux))
        .set_annotations(host_config.annotations.clone())
        .set_hooks(None)
        .set_hostname(None)
        .set_domainname(None);
    // A name in the machine's namespace would be the machine's.
    if namespaces.uts == Source::New {
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        spec.set_hostname(named(&body.hostname))
            .set_domainname(named(&body.domainname));
    }

    Ok(Built {
        spec,
        capabilities,
        seccomp: security.seccomp,
        working_dir: PathBuf::from(config::working_dir(body.working_dir.as_deref())?),
        device_rules: devices.rules,
        propagation: mounts.propagation,
        cgroup_view: mounts.cgroup_view,
        over_dev: mounts.over_dev,
        interface_sysctls,
        warnings,
    })
}

/// Checks what of a completed request can be told without the container's files: what [`build`] would refuse later.
/// `unified` is whether the machine has cgroup v2 alone. The result are warnings, in whole sentences.
///
/// # Errors
///
/// Those of [`build`].
pub fn check(body: &ContainerCreateBody, unified: bool) -> Result<Vec<String>> {
    let host_config = body.host_config.clone().unwrap_or_default();
    refuse_what_is_missing(&host_config)?;
    let ids = Ids::of_this_process()?;
    device::check(&host_config, ids.is_some())?;
    Security::of(&host_config)?;
    let available = Capabilities::available()?;
    Capabilities::of_container(
        host_config.cap_add.as_deref().unwrap_or_default(),
        host_config.cap_drop.as_deref().unwrap_or_default(),
        host_config.privileged.unwrap_or(false),
        available,
    )?;
    // Which namespaces are joined is told when it is started; any do for now.
    let some = || Some(PathBuf::from("/proc/self/ns"));
    let existing = Existing {
        pid: some(),
        ipc: some(),
        network: some(),
    };
    Namespaces::of(&host_config, &existing, unified)?;
    let mut warnings = Vec::new();
    rlimit::limits(
        host_config.ulimits.as_deref().unwrap_or_default(),
        may_raise_limits(available, ids),
        &mut warnings,
    )?;
    if let Some(score) = host_config.oom_score_adj {
        process::oom_score_adj(score, ids)?;
    }
    if let (Some(_), Some(sysctls)) = (ids, &host_config.sysctls) {
        sysctl::check_interfaces(sysctls)?;
    }
    Ok(warnings)
}

/// Whether processes may be given higher limits than the engine's own: the kernel asks for a capability in the machine's own
/// user namespace.
pub(crate) fn may_raise_limits(available: Capabilities, ids: Option<&Ids>) -> bool {
    ids.is_none() && available.contains("CAP_SYS_RESOURCE")
}

/// The host name that a container gets unless one is asked for: the machine's where it shares its network, else the
/// beginning of its id.
pub fn default_hostname(id: &str, host_config: Option<&HostConfig>) -> String {
    if host_config.and_then(|config| config.network_mode.as_deref()) == Some("host") {
        return rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
    }
    id.chars().take(12).collect()
}

fn first_process(
    input: &Input<'_>,
    host_config: &HostConfig,
    security: &Security,
    warnings: &mut Vec<String>,
) -> Result<libcontainer::oci_spec::runtime::Process> {
    let body = input.body;
    let user = User::look_up(
        input.root,
        body.user.as_deref().unwrap_or_default(),
        host_config.group_add.as_deref().unwrap_or_default(),
    )?;
    let tty = body.tty.unwrap_or(false);
    let mut words = command(body)?;
    if input.init.is_some() {
        words.splice(..0, [init_path::of(input.root).to_owned(), "--".to_owned()]);
    }
    let env = environment::of_container(
        body.hostname.as_deref().unwrap_or_default(),
        tty,
        body.env.as_deref().unwrap_or_default(),
        &user.home,
    )?;
    let rlimits = rlimit::limits(
        host_config.ulimits.as_deref().unwrap_or_default(),
        input.may_raise_limits,
        warnings,
    )?;
    process::of_parts(process::Parts {
        words,
        env,
        tty,
        user: &user,
        ids: input.ids,
        no_new_privileges: security.no_new_privileges,
        apparmor: security.apparmor.clone(),
        rlimits,
        oom_score_adj: host_config.oom_score_adj,
    })
}

fn sysctls(
    input: &Input<'_>,
    host_config: &HostConfig,
    namespaces: &Namespaces,
) -> Result<std::collections::HashMap<String, String>> {
    let mode = host_config.network_mode.as_deref().unwrap_or_default();
    let own = sysctl::Own {
        ipc: namespaces.ipc != Source::Host,
        network: namespaces.network != Source::Host,
        uts: namespaces.uts != Source::Host,
        user: input.ids.is_some(),
        new_network: namespaces.network != Source::Host && !mode.starts_with("container:"),
    };
    sysctl::of_container(&host_config.sysctls.clone().unwrap_or_default(), own)
}

/// What is hidden and what is read-only; a list in the request, an empty one too, takes the place of the default.
pub(crate) fn hidden_paths(host_config: &HostConfig) -> (Vec<String>, Vec<String>) {
    let privileged = host_config.privileged.unwrap_or(false);
    let list = |asked: &Option<Vec<String>>, default: &[&str]| match asked {
        _ if privileged => Vec::new(),
        Some(asked) => asked.clone(),
        None => default.iter().map(|&path| path.to_owned()).collect(),
    };
    let mut masked = list(&host_config.masked_paths, &MASKED_PATHS);
    if host_config.masked_paths.is_none() && !privileged {
        // How hot a processor is tells what others do on it.
        masked.extend(thermal_throttle_paths());
    }
    (masked, list(&host_config.readonly_paths, &READ_ONLY_PATHS))
}

fn thermal_throttle_paths() -> impl Iterator<Item = String> {
    std::fs::read_dir("/sys/devices/system/cpu")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let number = name.as_encoded_bytes().strip_prefix(b"cpu");
            number.is_some_and(|number| number.iter().all(u8::is_ascii_digit))
        })
        .map(|entry| entry.path().join("thermal_throttle"))
        .filter(|path| path.exists())
        .filter_map(|path| path.into_os_string().into_string().ok())
}

fn refuse_what_is_missing(host_config: &HostConfig) -> Result<()> {
    let refused = |option: &str| {
        Err(Error::not_implemented(format!(
            "the embedded engine does not do {option}"
        )))
    };
    match host_config.runtime.as_deref() {
        None | Some("" | "runc" | "io.containerd.runc.v2") => {}
        Some(runtime) => {
            return Err(Error::invalid(format!(
                "unknown or invalid runtime name: {runtime}"
            )));
        }
    }
    if let Some(isolation) = &host_config.isolation {
        let name = isolation.to_string();
        if !matches!(name.as_str(), "" | "default") {
            return Err(Error::invalid(format!(
                "invalid isolation '{name}' on linux"
            )));
        }
    }
    if let Some((name, _)) = host_config.storage_opt.iter().flatten().next() {
        return refused(&format!("--storage-opt {name}"));
    }
    if host_config.links.iter().flatten().next().is_some() {
        return refused("--link");
    }
    if host_config.cpu_count.unwrap_or(0) != 0
        || host_config.cpu_percent.unwrap_or(0) != 0
        || host_config.io_maximum_iops.unwrap_or(0) != 0
        || host_config.io_maximum_bandwidth.unwrap_or(0) != 0
    {
        return refused(
            "--cpu-count, --cpu-percent, --io-maxiops and --io-maxbandwidth, which are Windows'",
        );
    }
    Ok(())
}

fn malformed(error: impl std::fmt::Display) -> Error {
    Error::system(format!("make the specification: {error}"))
}

/// The bodies of this module's fuzz targets.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz {
    pub(crate) use super::mount_point::fuzz as bind;
    pub(crate) use super::user::fuzz as user;
}

#[cfg(test)]
mod tests;
