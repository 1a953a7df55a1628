//! Limits and device rules as version 1 has them.

use rustix::io::Errno;

use super::group::Directory;
use super::{DeviceKind, DeviceLimit, DeviceRule, Limits};
use crate::Result;

/// Writes the limits of that controller.
pub(super) fn limit(directory: &Directory, controller: &str, limits: &Limits) -> Result<()> {
    match controller {
        "memory" => memory(directory, limits),
        "cpu" => cpu(directory, limits),
        "cpuset" => cpuset(directory, limits),
        "blkio" => block_devices(directory, limits),
        _ => Ok(()),
    }
}

fn memory(directory: &Directory, limits: &Limits) -> Result<()> {
    const MEMORY: &str = "memory.limit_in_bytes";
    const BOTH: &str = "memory.memsw.limit_in_bytes";
    match (limits.memory, limits.memory_and_swap) {
        (Some(memory), Some(both)) => {
            // Neither may pass the other on the way: which one goes first depends on which way it goes.
            if directory.try_write(MEMORY, &memory.to_string())? == Err(Errno::INVAL) {
                directory.write(BOTH, &both.to_string())?;
                directory.write(MEMORY, &memory.to_string())?;
            } else {
                directory.write(BOTH, &both.to_string())?;
            }
        }
        (Some(memory), None) => directory.write(MEMORY, &memory.to_string())?,
        (None, Some(both)) => directory.write(BOTH, &both.to_string())?,
        (None, None) => {}
    }
    if let Some(reservation) = limits.memory_reservation {
        directory.write("memory.soft_limit_in_bytes", &reservation.to_string())?;
    }
    if let Some(swappiness) = limits.swappiness {
        directory.write("memory.swappiness", &swappiness.to_string())?;
    }
    if limits.oom_kill_disable {
        directory.write("memory.oom_control", "1")?;
    }
    Ok(())
}

fn cpu(directory: &Directory, limits: &Limits) -> Result<()> {
    if let Some(shares) = limits.cpu_shares {
        directory.write("cpu.shares", &shares.to_string())?;
    }
    if let Some(period) = limits.cpu_period {
        directory.write("cpu.cfs_period_us", &period.to_string())?;
    }
    if let Some(quota) = limits.cpu_quota {
        directory.write("cpu.cfs_quota_us", &quota.to_string())?;
    }
    if let Some(period) = limits.cpu_realtime_period {
        directory.write("cpu.rt_period_us", &period.to_string())?;
    }
    if let Some(runtime) = limits.cpu_realtime_runtime {
        directory.write("cpu.rt_runtime_us", &runtime.to_string())?;
    }
    Ok(())
}

fn cpuset(directory: &Directory, limits: &Limits) -> Result<()> {
    if let Some(cpus) = &limits.cpuset_cpus {
        directory.write("cpuset.cpus", cpus)?;
    }
    if let Some(mems) = &limits.cpuset_mems {
        directory.write("cpuset.mems", mems)?;
    }
    Ok(())
}

/// The processors and the memory nodes of a cgroup. A new one has none, and with none of them nothing can join.
pub(super) struct Cpuset {
    cpus: String,
    mems: String,
}

impl Cpuset {
    /// What a cgroup has, from the one above it if it has none.
    pub(super) fn inherited(directory: &Directory, above: &Directory) -> Result<Cpuset> {
        let inherited = |file| -> Result<String> {
            let own = directory.read(file)?;
            if !own.trim().is_empty() {
                return Ok(own.trim().to_owned());
            }
            let text = above.read(file)?.trim().to_owned();
            directory.write(file, &text)?;
            Ok(text)
        };
        Ok(Cpuset {
            cpus: inherited("cpuset.cpus")?,
            mems: inherited("cpuset.mems")?,
        })
    }

    pub(super) fn hand_down(&self, directory: &Directory) -> Result<()> {
        directory.write("cpuset.cpus", &self.cpus)?;
        directory.write("cpuset.mems", &self.mems)
    }
}

fn block_devices(directory: &Directory, limits: &Limits) -> Result<()> {
    if let Some(weight) = limits.blkio_weight {
        let file = if directory.has("blkio.weight") {
            "blkio.weight"
        } else {
            "blkio.bfq.weight"
        };
        directory.write(file, &weight.to_string())?;
    }
    for limit in &limits.blkio_weight_device {
        let file = if directory.has("blkio.weight_device") {
            "blkio.weight_device"
        } else {
            "blkio.bfq.weight_device"
        };
        directory.write(file, &line(limit))?;
    }
    for (list, file) in [
        (&limits.read_bps, "blkio.throttle.read_bps_device"),
        (&limits.write_bps, "blkio.throttle.write_bps_device"),
        (&limits.read_iops, "blkio.throttle.read_iops_device"),
        (&limits.write_iops, "blkio.throttle.write_iops_device"),
    ] {
        for limit in list {
            directory.write(file, &line(limit))?;
        }
    }
    Ok(())
}

fn line(limit: &DeviceLimit) -> String {
    format!("{}:{} {}", limit.major, limit.minor, limit.value)
}

/// Writes device rules, one after the other: the kernel keeps what they come to.
pub(super) fn allow_devices(directory: &Directory, rules: &[DeviceRule]) -> Result<()> {
    for rules in rules.chunk_by(|one, other| one.allow == other.allow) {
        let file = match rules {
            [rule, ..] if rule.allow => "devices.allow",
            _ => "devices.deny",
        };
        let lines = rules.iter().flat_map(|rule| {
            // To the kernel `a` is everything, whatever stands behind it.
            let kinds: &[DeviceKind] = match rule.kind {
                DeviceKind::All if !rule.is_about_everything() => {
                    &[DeviceKind::Block, DeviceKind::Character]
                }
                _ => std::slice::from_ref(&rule.kind),
            };
            kinds
                .iter()
                .map(|&kind| DeviceRule { kind, ..*rule }.to_string())
        });
        directory.write_each(file, lines)?;
    }
    Ok(())
}
