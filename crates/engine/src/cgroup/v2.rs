//! Limits as version 2 has them.

use rustix::io::Errno;

use super::group::Directory;
use super::{DeviceLimit, Limits};
use crate::Result;

/// Writes all limits.
pub(super) fn limit(directory: &Directory, limits: &Limits) -> Result<()> {
    memory(directory, limits)?;
    if let Some(shares) = limits.cpu_shares {
        directory.write("cpu.weight", &weight_of_shares(shares).to_string())?;
    }
    if limits.cpu_quota.is_some() || limits.cpu_period.is_some() {
        let quota = match limits.cpu_quota {
            Some(quota) if quota > 0 => quota.to_string(),
            _ => "max".to_owned(),
        };
        let period = limits.cpu_period.unwrap_or(100_000);
        directory.write("cpu.max", &format!("{quota} {period}"))?;
    }
    if let Some(cpus) = &limits.cpuset_cpus {
        directory.write("cpuset.cpus", cpus)?;
    }
    if let Some(mems) = &limits.cpuset_mems {
        directory.write("cpuset.mems", mems)?;
    }
    block_devices(directory, limits)
}

fn memory(directory: &Directory, limits: &Limits) -> Result<()> {
    if let (Some(both), Some(memory)) = (limits.memory_and_swap, limits.memory) {
        let swap = if both < 0 {
            "max".to_owned()
        } else {
            both.saturating_sub(memory).to_string()
        };
        // A kernel without accounting of swap has no such file, and then there is no swap to limit either.
        match directory.try_write("memory.swap.max", &swap)? {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(directory.failed("memory.swap.max", error)),
        }
    }
    if let Some(memory) = limits.memory {
        directory.write("memory.max", &memory.to_string())?;
    }
    if let Some(reservation) = limits.memory_reservation {
        directory.write("memory.low", &reservation.to_string())?;
    }
    Ok(())
}

fn block_devices(directory: &Directory, limits: &Limits) -> Result<()> {
    if let Some(weight) = limits.blkio_weight {
        match directory.try_write("io.bfq.weight", &weight.to_string())? {
            Ok(()) => {}
            Err(Errno::NOENT) => directory.write("io.weight", &io_weight(weight).to_string())?,
            Err(error) => return Err(directory.failed("io.bfq.weight", error)),
        }
    }
    for limit in &limits.blkio_weight_device {
        directory.write(
            "io.bfq.weight",
            &format!("{}:{} {}", limit.major, limit.minor, limit.value),
        )?;
    }
    for (list, key) in [
        (&limits.read_bps, "rbps"),
        (&limits.write_bps, "wbps"),
        (&limits.read_iops, "riops"),
        (&limits.write_iops, "wiops"),
    ] {
        for limit in list {
            directory.write("io.max", &throttle(limit, key))?;
        }
    }
    Ok(())
}

/// No rate is no limit to Docker, and an error to the kernel.
fn throttle(limit: &DeviceLimit, key: &str) -> String {
    let (major, minor) = (limit.major, limit.minor);
    match limit.value {
        0 => format!("{major}:{minor} {key}=max"),
        value => format!("{major}:{minor} {key}={value}"),
    }
}

/// The weight, 1 to 10000, that stands for shares, 2 to 262144: a curve through the ends that takes the usual 1024 to the
/// usual 100, as runc has it since 1.3.
fn weight_of_shares(shares: u64) -> u64 {
    let logarithm = (shares.clamp(2, 262_144) as f64).log2();
    let exponent = (logarithm * logarithm + 125.0 * logarithm) / 612.0 - 7.0 / 34.0;
    10_f64.powf(exponent).ceil().clamp(1.0, 10_000.0) as u64
}

/// Weights of version 1, 10 to 1000, in the range of version 2, 1 to 10000.
fn io_weight(weight: u16) -> u64 {
    1 + (u64::from(weight.clamp(10, 1000)) - 10) * 9999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_weights() {
        for (shares, weight) in [
            (0, 1),
            (2, 1),
            (1024, 100),
            (262_144, 10_000),
            (u64::MAX, 10_000),
        ] {
            assert_eq!(weight_of_shares(shares), weight, "{shares}");
        }
        assert_eq!((io_weight(10), io_weight(1000)), (1, 10_000));
    }

    #[test]
    fn throttles_are_written() {
        let limit = |value| DeviceLimit {
            major: 8,
            minor: 16,
            value,
        };
        assert_eq!(throttle(&limit(0), "rbps"), "8:16 rbps=max");
        assert_eq!(throttle(&limit(9), "wiops"), "8:16 wiops=9");
    }

    proptest::proptest! {
        #[test]
        fn more_shares_never_weigh_less(a in 0_u64..300_000, b in 0_u64..300_000) {
            let (less, more) = (a.min(b), a.max(b));
            proptest::prop_assert!(weight_of_shares(less) <= weight_of_shares(more));
        }
    }
}
