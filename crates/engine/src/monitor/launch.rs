//! From what was asked for to a process that runs: the other modules in their order.

use std::os::fd::AsFd;
use std::path::PathBuf;

use bollard_stubs::models::NetworkSettings;
use rustix::process::Pid;

use super::clean_up;
use super::ends::{self, Ends};
use super::mounts::Mounts;
use super::others::Others;
use super::place::{Place, directory, has_leftovers};
use super::places;
use super::size::console_size;
use crate::cgroup::{Cgroup, Host, Limits};
use crate::layout::make_directory;
use crate::runtime::{self, CreateInput, Stdio};
use crate::spec::{self, Capabilities, Input, MountPoint, NetworkFiles};
use crate::state::{Proven, Record, Rootfs, State};
use crate::user_namespace::{self, Ids};
use crate::{Error, Result, image, network, rootfs};

/// A container that runs.
#[derive(Debug)]
pub(super) struct Launched {
    /// The number of the first process, a child.
    pub(super) pid: Pid,
    pub(super) first: Proven,
    /// Nothing where none can be made, and no limit asks for one.
    pub(super) cgroup: Option<Cgroup>,
    pub(super) ends: Ends,
    /// What `inspect` shows of its networks.
    pub(super) network: NetworkSettings,
    pub(super) proxies: network::Proxies,
}

/// Starts the container. Nothing is left of it if that fails.
pub(super) fn start(place: &Place<'_>) -> Result<Launched> {
    // What a killed monitor left would be in the way.
    if has_leftovers(place.layout, &place.record.id) {
        clean_up::all(place)?;
    }
    let launched = try_start(place);
    if launched.is_err() {
        // The first failure is the one to tell.
        let _ = clean_up::all(place);
    }
    launched
}

fn try_start(place: &Place<'_>) -> Result<Launched> {
    let record = place.record;
    make_directory(&place.run())?;
    // From here on there is something to clean up.
    make_directory(&place.rootfs())?;

    let others = Others::of(place)?;
    let mounts = Mounts::enter(place)?;
    let source = match record.rootfs.clone() {
        Rootfs::Layers(layers) => {
            check_layers(record, &layers)?;
            rootfs::Source::Layers(layers)
        }
        Rootfs::Directory(directory) => rootfs::Source::Directory(directory),
        Rootfs::Overlay(directory) => rootfs::Source::Overlay(directory),
    };
    let mounted = rootfs::mount(&source, &place.own(), &place.rootfs())?;
    let root = directory(&place.rootfs())?;
    places::prepare(&source, record, root.as_fd())?;
    let mounts = mounts.stage(place, &others, root.as_fd())?;
    let mut network = network::prepare(place.layout, &record.id, &record.body)?;
    let host = Host::detect()?;
    let built = build(place, &host, &others, &mounts, network.files())?;
    places::make(&built.spec, root.as_fd())?;
    let (cgroup, pids_limit) = make_cgroup(place, &host, &built)?;

    let (theirs, mut ends) = match record.tty() {
        true => (None, Ends::default()),
        false => {
            let (theirs, ends) = ends::fifos(&place.run(), record.open_stdin())?;
            (Some(theirs), ends)
        }
    };
    let created = runtime::create(&CreateInput {
        bundle: &place.bundle(),
        state: &place.runtime_state(),
        built: &built,
        cgroup: cgroup.as_ref(),
        pids_limit,
        stdio: match &theirs {
            Some(theirs) => theirs.stdio(),
            None => Stdio::Terminal(console_size(&place.host_config())),
        },
    })?;
    let namespace = created.network_namespace()?;
    network.connect(namespace.as_fd())?;
    network::set_parameters(namespace.as_fd(), &built.interface_sysctls)?;
    let mut process = created.start()?;
    ends.terminal = process.terminal.take();
    let warnings = mounted.warnings.iter().chain(&built.warnings);
    for warning in warnings.chain(network.warnings()) {
        log::warn!("{warning}");
    }
    let first = Proven::child(process.pid, process.pidfd)
        .map_err(|error| Error::io("look at the container's first process", error))?;
    Ok(Launched {
        pid: process.pid,
        first,
        cgroup,
        ends,
        network: network.settings().clone(),
        proxies: network.proxies(),
    })
}

/// The machine may have lost power before the image was on the disk.
fn check_layers(record: &Record, layers: &[PathBuf]) -> Result<()> {
    for layer in layers {
        if !image::is_whole_layer(layer)? {
            let name = record.body.image.as_deref().unwrap_or_default();
            return Err(Error::system(format!(
                "the machine went down before all of image {name} was on the disk, so files of this container may be \
                 lost: pull the image again, and start the container then"
            )));
        }
    }
    Ok(())
}

fn build(
    place: &Place<'_>,
    host: &Host,
    others: &Others,
    mounts: &[MountPoint],
    files: &NetworkFiles,
) -> Result<spec::Built> {
    let rootfs = place.rootfs();
    let root = directory(&rootfs)?;
    let shm = others.shm.as_ref().map(|_| place.shm());
    let init = match place.host_config().init.unwrap_or(false) {
        true => {
            let init = place.init();
            runtime::stage_init(&init)?;
            Some(init)
        }
        false => None,
    };
    let available = Capabilities::available()?;
    let ids = Ids::of_this_process()?;
    spec::build(&Input {
        body: &place.record.body,
        rootfs: &rootfs,
        root: root.as_fd(),
        mounts,
        files,
        existing: &others.existing(),
        cgroup: host.refusal().is_none(),
        unified: host.is_unified(),
        shm: shm.as_deref(),
        init: init.as_deref(),
        ids,
        owns_network: user_namespace::owns_network(),
        available,
        may_raise_limits: spec::may_raise_limits(available, ids),
    })
}

fn make_cgroup(
    place: &Place<'_>,
    host: &Host,
    built: &spec::Built,
) -> Result<(Option<Cgroup>, Option<i64>)> {
    let host_config = place.host_config();
    // The user was warned when the container was made.
    let mut warnings = Vec::new();
    let limits = Limits::of(&host_config, host, &mut warnings)?;
    if host.refusal().is_some() {
        return Ok((None, None));
    }
    let parent = host_config.cgroup_parent.as_deref();
    let cgroup = Cgroup::create(host, parent, &place.record.id, &limits, &built.device_rules)?;
    Ok((Some(cgroup), limits.pids))
}

/// Whether processes of the container may be left when its first one has ended: they are not in a namespace of their own,
/// which would end with that.
pub(super) fn outlives_its_first_process(record: &Record) -> bool {
    record
        .body
        .host_config
        .as_ref()
        .and_then(|config| config.pid_mode.as_deref())
        .is_some_and(|mode| !matches!(mode, "" | "private"))
}

/// A container that ran on without its monitor.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) process: Proven,
    pub(super) cgroup: Option<Cgroup>,
    /// Nothing if they went with the monitor: a terminal, and pipes whose names were removed.
    pub(super) ends: Option<Ends>,
    pub(super) proxies: network::Proxies,
}

/// Takes a container over.
pub(super) fn adopt(place: &Place<'_>, state: &State) -> Result<Adopted> {
    let process = state.process.open()?;
    let host = Host::detect()?;
    let cgroup = match host.refusal() {
        Some(_) => None,
        None => {
            let config = place.host_config();
            Cgroup::open(&host, config.cgroup_parent.as_deref(), &place.record.id)?
        }
    };
    let ends = match place.record.tty() {
        true => None,
        false => ends::reopen(&place.run(), place.record.open_stdin())
            .inspect_err(|error| log::error!("{error}"))
            .ok(),
    };
    Ok(Adopted {
        process,
        cgroup,
        ends,
        proxies: network::adopt(place.layout, &place.record.id)?,
    })
}
