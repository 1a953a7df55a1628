//! Builds `HostConfig` in the body of `POST /containers/create`.

use std::path::PathBuf;

use docker_cli::env_file;
use engine_client::models::{
    HostConfig, HostConfigIsolationEnum, HostConfigLogConfig, Mount, PortMap, RestartPolicy,
};

use crate::create::{Circumstances, list, map, text};
use crate::options::{LoggingOptions, Options, SecurityOptions};
use crate::values::device::{self, Devices};
use crate::values::mount::NewMount;
use crate::values::restart::Restart;
use crate::values::security::{self, Security};
use crate::values::{
    InvalidValue, capability, label, log_driver, namespace, storage_option, tmpfs, ulimit,
};

/// Makes the host's part of the body; network, binds and ports come from options that are about the container too.
pub(crate) fn host_config(
    options: &Options,
    network_mode: String,
    restart: &Restart,
    binds: Vec<String>,
    port_bindings: PortMap,
    circumstances: &Circumstances<'_>,
) -> Result<HostConfig, InvalidValue> {
    let Options {
        lifecycle,
        process,
        storage,
        network,
        devices,
        security,
        logging,
        windows,
        ..
    } = options;
    let Security {
        options: security_options,
        unconfined_paths,
    } = security::parse(&security.security_opt, read_profile)?;
    let unmasked = || unconfined_paths.then(Vec::new);
    check_namespaces(security)?;
    let Devices { mappings, request } = device::parse_all(&devices.devices, circumstances.os_type)?;
    let requests = options.resources.gpus.iter().cloned().chain(request);
    Ok(HostConfig {
        binds: list(binds),
        container_id_file: text(&lifecycle.cidfile),
        log_config: log_config(logging)?,
        network_mode: Some(network_mode),
        links: list(network.links.clone()),
        port_bindings: map(port_bindings),
        restart_policy: Some(restart_policy(restart, lifecycle.rm)?),
        auto_remove: Some(lifecycle.rm),
        volume_driver: text(&storage.volume_driver),
        volumes_from: list(storage.volumes_from.clone()),
        console_size: circumstances
            .console
            .map(|size| vec![size.rows.into(), size.columns.into()]),
        cap_add: list(capability::normalize(&security.cap_add)),
        cap_drop: list(capability::normalize(&security.cap_drop)),
        cgroupns_mode: text(&security.cgroupns).and_then(|mode| mode.parse().ok()),
        dns: list(network.dns.clone()),
        dns_options: list(network.dns_options.clone()),
        dns_search: list(network.dns_search.clone()),
        extra_hosts: list(network.extra_hosts.clone()),
        group_add: list(process.groups.clone()),
        ipc_mode: text(&security.ipc),
        oom_score_adj: options.resources.oom_score_adj,
        pid_mode: text(&security.pid),
        privileged: Some(security.privileged),
        publish_all_ports: Some(network.publish_all),
        readonly_rootfs: Some(storage.read_only),
        security_opt: list(security_options),
        storage_opt: map(storage_option::map(&storage.storage_options)?),
        mounts: list(mounts(&storage.mounts, circumstances)?),
        annotations: map(label::map(lifecycle.annotations.iter().cloned())),
        devices: list(mappings),
        device_requests: list(requests.collect()),
        tmpfs: map(tmpfs::map(&storage.tmpfs)),
        uts_mode: text(&security.uts),
        userns_mode: text(&security.userns),
        shm_size: storage.shm_size,
        sysctls: map(security.sysctls.iter().cloned().collect()),
        runtime: text(&lifecycle.runtime),
        init: process.init,
        isolation: windows.isolation.as_deref().and_then(isolation),
        masked_paths: unmasked(),
        readonly_paths: unmasked(),
        ..limits(options)?
    })
}

fn limits(options: &Options) -> Result<HostConfig, InvalidValue> {
    let Options {
        resources,
        devices,
        windows,
        ..
    } = options;
    Ok(HostConfig {
        nano_cpus: resources.cpus,
        cpu_shares: resources.cpu_shares,
        cpu_period: resources.cpu_period,
        cpu_quota: resources.cpu_quota,
        cpu_realtime_period: resources.cpu_rt_period,
        cpu_realtime_runtime: resources.cpu_rt_runtime,
        cpuset_cpus: text(&resources.cpuset_cpus),
        cpuset_mems: text(&resources.cpuset_mems),
        memory: resources.memory,
        memory_reservation: resources.memory_reservation,
        memory_swap: resources.memory_swap,
        memory_swappiness: Some(swappiness(resources.memory_swappiness)?),
        oom_kill_disable: Some(resources.oom_kill_disable),
        pids_limit: Some(resources.pids_limit.unwrap_or(0)),
        ulimits: list(ulimit::unique(&resources.ulimits)),
        cgroup_parent: text(&resources.cgroup_parent),
        device_cgroup_rules: list(devices.device_rules.clone()),
        blkio_weight: devices.blkio_weight,
        blkio_weight_device: list(devices.blkio_weight_device.clone()),
        blkio_device_read_bps: list(devices.device_read_bps.clone()),
        blkio_device_read_iops: list(devices.device_read_iops.clone()),
        blkio_device_write_bps: list(devices.device_write_bps.clone()),
        blkio_device_write_iops: list(devices.device_write_iops.clone()),
        cpu_count: windows.cpu_count,
        cpu_percent: windows.cpu_percent,
        io_maximum_bandwidth: windows.io_maxbandwidth,
        io_maximum_iops: windows.io_maxiops,
        ..HostConfig::default()
    })
}

/// The mode, if it is one that the API's description lists; any other stands beside the body.
pub(crate) fn isolation(mode: &str) -> Option<HostConfigIsolationEnum> {
    mode.parse().ok()
}

fn mounts(
    mounts: &[NewMount],
    circumstances: &Circumstances<'_>,
) -> Result<Vec<Mount>, InvalidValue> {
    let directory = if mounts.iter().any(NewMount::is_relative) {
        circumstances.directory()?
    } else {
        PathBuf::new()
    };
    mounts
        .iter()
        .map(|mount| mount.within(&directory))
        .collect()
}

fn swappiness(value: Option<i64>) -> Result<i64, InvalidValue> {
    match value.unwrap_or(-1) {
        value @ -1..=100 => Ok(value),
        value => Err(InvalidValue::new(format!(
            "invalid value: {value}. Valid memory swappiness range is 0-100"
        ))),
    }
}

/// A name that is not listed stands beside the body.
fn restart_policy(restart: &Restart, is_removed: bool) -> Result<RestartPolicy, InvalidValue> {
    if is_removed && !restart.is_none() {
        return Err(InvalidValue::new(
            "conflicting options: cannot specify both --restart and --rm",
        ));
    }
    Ok(RestartPolicy {
        name: restart.name.parse().ok(),
        maximum_retry_count: Some(restart.retries),
    })
}

fn log_config(logging: &LoggingOptions) -> Result<Option<HostConfigLogConfig>, InvalidValue> {
    let driver = logging.log_driver.as_deref().unwrap_or_default();
    let config = map(log_driver::options(driver, &logging.log_options)?);
    let is_given = !driver.is_empty() || config.is_some();
    Ok(is_given.then(|| HostConfigLogConfig {
        typ: text(&logging.log_driver),
        config,
    }))
}

fn check_namespaces(security: &SecurityOptions) -> Result<(), InvalidValue> {
    let mode = |mode: &Option<String>| mode.clone().unwrap_or_default();
    namespace::pid(&mode(&security.pid))?;
    namespace::uts(&mode(&security.uts))?;
    namespace::user(&mode(&security.userns))?;
    namespace::cgroup(&mode(&security.cgroupns))
}

fn read_profile(file: &str) -> Result<String, InvalidValue> {
    String::from_utf8(env_file::read(file)?)
        .map_err(|_| InvalidValue::new(format!("read {file}: not valid UTF-8")))
}
