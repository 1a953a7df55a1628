//! Limits of a request, checked as dockerd checks them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use bollard_stubs::models::{HostConfig, ThrottleDevice};
use rustix::fs::{major, minor};

use super::{Host, Version};
use crate::{Error, Result};

/// The least memory that a container gets by.
const LEAST_MEMORY: i64 = 6 << 20;

/// A limit on one block device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceLimit {
    /// Its major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// A weight, bytes a second or operations a second.
    pub value: u64,
}

/// How much a container may use. What is not set is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory, in bytes.
    pub memory: Option<i64>,
    /// Memory and swap together, in bytes; -1 for swap without a limit.
    pub memory_and_swap: Option<i64>,
    /// Memory to be left alone when others need some, in bytes.
    pub memory_reservation: Option<i64>,
    /// How willingly memory is swapped, 0 to 100; version 1 alone.
    pub swappiness: Option<i64>,
    /// Whether processes wait for memory instead of being killed; version 1 alone.
    pub oom_kill_disable: bool,
    /// The share of processors against others, 1024 being the usual one.
    pub cpu_shares: Option<u64>,
    /// How long processors are used in a period, in microseconds; -1 for no limit.
    pub cpu_quota: Option<i64>,
    /// The period, in microseconds.
    pub cpu_period: Option<u64>,
    /// The period of real-time processes, in microseconds; version 1 alone.
    pub cpu_realtime_period: Option<u64>,
    /// How long real-time processes run in it, in microseconds; version 1 alone.
    pub cpu_realtime_runtime: Option<i64>,
    /// Which processors, as a list of ranges.
    pub cpuset_cpus: Option<String>,
    /// Which memory nodes, as a list of ranges.
    pub cpuset_mems: Option<String>,
    /// The share of block devices against others, 10 to 1000.
    pub blkio_weight: Option<u16>,
    /// The same for single devices.
    pub blkio_weight_device: Vec<DeviceLimit>,
    /// Bytes read a second.
    pub read_bps: Vec<DeviceLimit>,
    /// Bytes written a second.
    pub write_bps: Vec<DeviceLimit>,
    /// Reads a second.
    pub read_iops: Vec<DeviceLimit>,
    /// Writes a second.
    pub write_iops: Vec<DeviceLimit>,
    /// Processes and threads; it is set when the container's first process exists, for its launcher counts too.
    pub pids: Option<i64>,
}

impl Limits {
    /// The limits of a request. What this machine cannot limit is left out with a warning, worded as dockerd's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for limits that make no sense, and
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for any limit where this user can make no cgroup.
    pub fn of(host_config: &HostConfig, host: &Host, warnings: &mut Vec<String>) -> Result<Limits> {
        let mut limits = Limits::asked(host_config)?;
        let parent = host_config.cgroup_parent.as_deref();
        let has_parent = parent.is_some_and(|parent| !parent.is_empty());
        super::group::parent_path(parent)?;
        if limits == Limits::default() && !has_parent {
            return Ok(limits);
        }
        if let Some(refusal) = host.refusal() {
            return Err(Error::not_implemented(match has_parent {
                true => format!("the embedded engine cannot do --cgroup-parent here: {refusal}"),
                false => format!(
                    "resources cannot be limited by the embedded engine here (--memory, --cpus, --pids-limit and the \
                     like): {refusal}"
                ),
            }));
        }
        limits.leave_out(host, warnings);
        limits.check_sets(host)?;
        Ok(limits)
    }

    fn asked(host_config: &HostConfig) -> Result<Limits> {
        let mut limits = Limits {
            oom_kill_disable: host_config.oom_kill_disable.unwrap_or(false),
            pids: positive(host_config.pids_limit),
            cpuset_cpus: text(&host_config.cpuset_cpus),
            cpuset_mems: text(&host_config.cpuset_mems),
            ..Limits::default()
        };
        limits.take_memory(host_config)?;
        limits.take_cpu(host_config)?;
        limits.take_block_devices(host_config)?;
        Ok(limits)
    }

    fn take_memory(&mut self, host_config: &HostConfig) -> Result<()> {
        let memory = host_config.memory.unwrap_or(0);
        let swap = host_config.memory_swap.unwrap_or(0);
        let reservation = host_config.memory_reservation.unwrap_or(0);
        if memory != 0 && memory < LEAST_MEMORY {
            return Err(Error::invalid("Minimum memory limit allowed is 6MB"));
        }
        if memory > 0 && swap > 0 && swap < memory {
            return Err(Error::invalid(
                "Minimum memoryswap limit should be larger than memory limit, see usage",
            ));
        }
        if memory == 0 && swap > 0 {
            return Err(Error::invalid(
                "You should always set the Memory limit when using Memoryswap limit, see usage",
            ));
        }
        if let Some(swappiness) = host_config
            .memory_swappiness
            .filter(|&swappiness| swappiness != -1)
        {
            if !(0..=100).contains(&swappiness) {
                return Err(Error::invalid(format!(
                    "Invalid value: {swappiness}, valid memory swappiness range is 0-100"
                )));
            }
            self.swappiness = Some(swappiness);
        }
        if reservation != 0 && reservation < LEAST_MEMORY {
            return Err(Error::invalid("Minimum memory reservation allowed is 6MB"));
        }
        if memory > 0 && reservation > memory {
            return Err(Error::invalid(
                "Minimum memory limit can not be less than memory reservation limit, see usage",
            ));
        }
        self.memory = positive(Some(memory));
        self.memory_reservation = positive(Some(reservation));
        self.memory_and_swap = match swap {
            // As much swap as memory is what a limit of memory alone means.
            0 => self.memory.map(|memory| memory.saturating_mul(2)),
            swap if swap < 0 => Some(-1),
            swap => Some(swap),
        };
        Ok(())
    }

    fn take_cpu(&mut self, host_config: &HostConfig) -> Result<()> {
        let nano = host_config.nano_cpus.unwrap_or(0);
        let period = host_config.cpu_period.unwrap_or(0);
        let quota = host_config.cpu_quota.unwrap_or(0);
        for (other, name) in [(period, "CPU Period"), (quota, "CPU Quota")] {
            if nano > 0 && other != 0 {
                return Err(Error::invalid(format!(
                    "Conflicting options: Nano CPUs and {name} cannot both be set"
                )));
            }
        }
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let most = i64::try_from(processors)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000_000);
        if nano < 0 || nano > most {
            return Err(Error::invalid(format!(
                "range of CPUs is from 0.01 to {processors}.00, as there are only {processors} CPUs available"
            )));
        }
        if period != 0 && !(1_000..=1_000_000).contains(&period) {
            return Err(Error::invalid(
                "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
            ));
        }
        if quota > 0 && quota < 1_000 {
            return Err(Error::invalid(
                "CPU cfs quota can not be less than 1ms (i.e. 1000)",
            ));
        }
        let realtime_period = host_config.cpu_realtime_period.unwrap_or(0);
        let realtime_runtime = host_config.cpu_realtime_runtime.unwrap_or(0);
        if realtime_period != 0 && realtime_runtime > realtime_period {
            return Err(Error::invalid(
                "cpu real-time runtime cannot be higher than cpu real-time period",
            ));
        }
        let unsigned = |value: i64| u64::try_from(value).ok().filter(|&value| value > 0);
        if host_config.cpu_shares.unwrap_or(0) < 0 {
            return Err(Error::invalid(format!(
                "invalid CPU shares ({}): value must be a positive integer",
                host_config.cpu_shares.unwrap_or(0)
            )));
        }
        self.cpu_shares = unsigned(host_config.cpu_shares.unwrap_or(0));
        self.cpu_period = unsigned(period);
        self.cpu_quota = Some(quota)
            .filter(|&quota| quota != 0)
            .map(|quota| quota.max(-1));
        if nano > 0 {
            self.cpu_period = Some(100_000);
            self.cpu_quota = Some((nano / 10_000).max(1_000));
        }
        self.cpu_realtime_period = unsigned(realtime_period);
        self.cpu_realtime_runtime = Some(realtime_runtime).filter(|&runtime| runtime != 0);
        Ok(())
    }

    fn take_block_devices(&mut self, host_config: &HostConfig) -> Result<()> {
        let in_range = |weight: u64| (10..=1000).contains(&weight);
        if let Some(weight) = host_config.blkio_weight.filter(|&weight| weight != 0) {
            if !in_range(weight.into()) {
                return Err(Error::invalid("Range of blkio weight is from 10 to 1000"));
            }
            self.blkio_weight = Some(weight);
        }
        for device in host_config.blkio_weight_device.iter().flatten() {
            let path = device.path.as_deref().unwrap_or_default();
            let weight = device.weight.unwrap_or(0) as u64;
            if !in_range(weight) {
                return Err(Error::invalid("Range of blkio weight is from 10 to 1000"));
            }
            self.blkio_weight_device.push(block_device(path, weight)?);
        }
        for (asked, list) in [
            (&host_config.blkio_device_read_bps, &mut self.read_bps),
            (&host_config.blkio_device_write_bps, &mut self.write_bps),
            (&host_config.blkio_device_read_iops, &mut self.read_iops),
            (&host_config.blkio_device_write_iops, &mut self.write_iops),
        ] {
            *list = throttles(asked)?;
        }
        Ok(())
    }

    /// Leaves out what this machine does not have, in dockerd's words.
    fn leave_out(&mut self, host: &Host, warnings: &mut Vec<String>) {
        let v2 = host.version() == Some(Version::V2);
        let memory = host.has("memory");
        if discards(
            warnings,
            !memory,
            self.memory.is_some(),
            "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
        ) {
            self.memory = None;
            self.memory_and_swap = None;
        }
        if discards(
            warnings,
            !memory,
            self.memory_reservation.is_some(),
            "Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.",
        ) {
            self.memory_reservation = None;
        }
        if discards(
            warnings,
            !host.limits_swap(),
            self.memory_and_swap.is_some_and(|swap| swap != -1),
            "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",
        ) {
            self.memory_and_swap = None;
        }
        if discards(
            warnings,
            v2 || !memory,
            self.swappiness.is_some(),
            "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
        ) {
            self.swappiness = None;
        }
        if discards(
            warnings,
            v2 || !memory,
            self.oom_kill_disable,
            "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
        ) {
            self.oom_kill_disable = false;
        }
        if self.oom_kill_disable && self.memory.is_none() {
            warnings.push(
                "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources."
                    .to_owned(),
            );
        }
        if discards(
            warnings,
            !host.has("pids"),
            self.pids.is_some(),
            "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
        ) {
            self.pids = None;
        }
        let cpu = host.has("cpu");
        if discards(
            warnings,
            !cpu,
            self.cpu_shares.is_some(),
            "Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.",
        ) {
            self.cpu_shares = None;
        }
        if discards(
            warnings,
            !cpu,
            self.cpu_quota.is_some() || self.cpu_period.is_some(),
            "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.",
        ) {
            self.cpu_quota = None;
            self.cpu_period = None;
        }
        if discards(
            warnings,
            !host.has("cpuset"),
            self.cpuset_cpus.is_some() || self.cpuset_mems.is_some(),
            "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.",
        ) {
            self.cpuset_cpus = None;
            self.cpuset_mems = None;
        }
        let block = host.has(if v2 { "io" } else { "blkio" });
        if discards(
            warnings,
            !block || !host.weighs_block_devices(),
            self.blkio_weight.is_some() || !self.blkio_weight_device.is_empty(),
            "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
        ) {
            self.blkio_weight = None;
            self.blkio_weight_device.clear();
        }
        for (list, name) in [
            (&mut self.read_bps, "BPS Block I/O read"),
            (&mut self.write_bps, "BPS Block I/O write"),
            (&mut self.read_iops, "IOPS Block I/O read"),
            (&mut self.write_iops, "IOPS Block I/O write"),
        ] {
            let warning = format!(
                "Your kernel does not support {name} limit or the cgroup is not mounted. Block I/O limit discarded."
            );
            if discards(warnings, !block, !list.is_empty(), &warning) {
                list.clear();
            }
        }
    }

    /// Processors and memory nodes have to be there.
    fn check_sets(&self, host: &Host) -> Result<()> {
        if (self.cpu_realtime_period.is_some() || self.cpu_realtime_runtime.is_some())
            && !host.schedules_realtime()
        {
            return Err(Error::invalid(
                "kernel does not support CPU real-time scheduler",
            ));
        }
        for (asked, what, missing) in [
            (&self.cpuset_cpus, "cpus", "CPUs"),
            (&self.cpuset_mems, "mems", "memory nodes"),
        ] {
            let Some(asked) = asked else { continue };
            let wanted = ranges(asked).ok_or_else(|| {
                Error::invalid(format!(
                    "Invalid value {asked} for cpuset {what}: invalid format: {asked}"
                ))
            })?;
            let available = host.available(what);
            let there = ranges(&available).unwrap_or_default();
            let is_there = |number: &u32| {
                there
                    .iter()
                    .any(|(first, last)| (first..=last).contains(&number))
            };
            if !wanted
                .iter()
                .all(|&(first, last)| (first..=last).all(|number| is_there(&number)))
            {
                return Err(Error::invalid(format!(
                    "Requested {missing} are not available - requested {asked}, available: {available}"
                )));
            }
        }
        Ok(())
    }
}

/// Whether what is asked for has to go, which is said if something was.
fn discards(warnings: &mut Vec<String>, is_missing: bool, was_asked: bool, warning: &str) -> bool {
    if is_missing && was_asked {
        warnings.push(warning.to_owned());
    }
    is_missing
}

/// The largest number that a list of ranges may have: no machine has as many processors, and a loop has to end.
const LARGEST_NUMBER: u32 = 8191;

/// A list such as `0-2,7`.
fn ranges(list: &str) -> Option<Vec<(u32, u32)>> {
    list.trim()
        .split(',')
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                digits
                    .then(|| text.parse().ok())
                    .flatten()
                    .filter(|&number| number <= LARGEST_NUMBER)
            };
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last))
        })
        .collect()
}

fn positive(value: Option<i64>) -> Option<i64> {
    value.filter(|&value| value > 0)
}

fn text(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

fn throttles(devices: &Option<Vec<ThrottleDevice>>) -> Result<Vec<DeviceLimit>> {
    devices
        .iter()
        .flatten()
        .map(|device| {
            let rate = device.rate.unwrap_or(0);
            let path = device.path.as_deref().unwrap_or_default();
            let rate = u64::try_from(rate).map_err(|_| {
                Error::invalid(format!(
                    "invalid rate for device: {path}:{rate}. It must not be negative"
                ))
            })?;
            block_device(path, rate)
        })
        .collect()
}

fn block_device(path: &str, value: u64) -> Result<DeviceLimit> {
    let metadata = fs::metadata(path).map_err(|error| {
        Error::invalid(format!("device {path}: {}", crate::error::os_text(&error)))
    })?;
    if !metadata.file_type().is_block_device() {
        return Err(Error::invalid(format!("device {path}: not a block device")));
    }
    Ok(DeviceLimit {
        major: major(metadata.rdev()),
        minor: minor(metadata.rdev()),
        value,
    })
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
