//! What a container uses and used.

use std::collections::BTreeMap;

use super::group::Directory;
use crate::Result;

/// Bytes and operations on one block device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockIo {
    /// The device's major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// What is counted: `read` or `write`.
    pub operation: &'static str,
    /// How many bytes.
    pub bytes: u64,
    /// How many operations.
    pub operations: u64,
}

/// What a container uses and used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Time on processors, in nanoseconds.
    pub cpu_total: u64,
    /// Of that on each processor; empty where nobody counts it, as on version 2.
    pub cpu_each: Vec<u64>,
    /// Of that in programs.
    pub cpu_user: u64,
    /// Of that in the kernel.
    pub cpu_kernel: u64,
    /// Periods of a limit of processors.
    pub cpu_periods: u64,
    /// Of those, how many were throttled.
    pub cpu_throttled_periods: u64,
    /// How long, in nanoseconds.
    pub cpu_throttled_time: u64,
    /// Memory now, in bytes.
    pub memory: u64,
    /// The most that it was; 0 where nobody counts it.
    pub memory_peak: u64,
    /// The limit; none where there is none.
    pub memory_limit: Option<u64>,
    /// How often the limit was reached.
    pub memory_failures: u64,
    /// The kernel's own figures by its own names.
    pub memory_details: BTreeMap<String, u64>,
    /// Processes and threads.
    pub pids: u64,
    /// Their limit; none where there is none.
    pub pids_limit: Option<u64>,
    /// Block devices.
    pub block_io: Vec<BlockIo>,
}

/// How many nanoseconds a tick has, as `cpuacct.stat` counts them: the kernel shows 100 a second to everybody.
const TICK: u64 = 10_000_000;

/// Limits of version 1 from here on are none.
const NO_LIMIT: u64 = 0x7000_0000_0000_0000;

pub(super) fn of_v1<'a>(with: &dyn Fn(&str) -> Option<&'a Directory>) -> Result<Stats> {
    let mut stats = Stats::default();
    if let Some(directory) = with("cpuacct") {
        stats.cpu_total = number(directory, "cpuacct.usage")?.unwrap_or(0);
        stats.cpu_each = optional(directory, "cpuacct.usage_percpu")?
            .split_ascii_whitespace()
            .map_while(|number| number.parse().ok())
            .collect();
        let times = optional(directory, "cpuacct.stat")?;
        stats.cpu_user = field(&times, "user").unwrap_or(0).saturating_mul(TICK);
        stats.cpu_kernel = field(&times, "system").unwrap_or(0).saturating_mul(TICK);
    }
    if let Some(directory) = with("cpu") {
        let times = optional(directory, "cpu.stat")?;
        stats.cpu_periods = field(&times, "nr_periods").unwrap_or(0);
        stats.cpu_throttled_periods = field(&times, "nr_throttled").unwrap_or(0);
        stats.cpu_throttled_time = field(&times, "throttled_time").unwrap_or(0);
    }
    if let Some(directory) = with("memory") {
        stats.memory = number(directory, "memory.usage_in_bytes")?.unwrap_or(0);
        stats.memory_peak = number(directory, "memory.max_usage_in_bytes")?.unwrap_or(0);
        stats.memory_limit =
            number(directory, "memory.limit_in_bytes")?.filter(|&limit| limit < NO_LIMIT);
        stats.memory_failures = number(directory, "memory.failcnt")?.unwrap_or(0);
        stats.memory_details = fields(&optional(directory, "memory.stat")?);
    }
    if let Some(directory) = with("pids") {
        stats.pids = number(directory, "pids.current")?.unwrap_or(0);
        stats.pids_limit = number(directory, "pids.max")?;
    }
    if let Some(directory) = with("blkio") {
        let bytes = optional(directory, "blkio.throttle.io_service_bytes")?;
        let operations = optional(directory, "blkio.throttle.io_serviced")?;
        stats.block_io = block_io_v1(&bytes, &operations);
    }
    Ok(stats)
}

pub(super) fn of_v2(directory: &Directory) -> Result<Stats> {
    let cpu = optional(directory, "cpu.stat")?;
    let nanoseconds = |name: &str| field(&cpu, name).unwrap_or(0).saturating_mul(1000);
    Ok(Stats {
        cpu_total: nanoseconds("usage_usec"),
        cpu_each: Vec::new(),
        cpu_user: nanoseconds("user_usec"),
        cpu_kernel: nanoseconds("system_usec"),
        cpu_periods: field(&cpu, "nr_periods").unwrap_or(0),
        cpu_throttled_periods: field(&cpu, "nr_throttled").unwrap_or(0),
        cpu_throttled_time: nanoseconds("throttled_usec"),
        memory: number(directory, "memory.current")?.unwrap_or(0),
        memory_peak: number(directory, "memory.peak")?.unwrap_or(0),
        memory_limit: number(directory, "memory.max")?,
        memory_failures: field(&optional(directory, "memory.events")?, "max").unwrap_or(0),
        memory_details: fields(&optional(directory, "memory.stat")?),
        pids: number(directory, "pids.current")?.unwrap_or(0),
        pids_limit: number(directory, "pids.max")?,
        block_io: block_io_v2(&optional(directory, "io.stat")?),
    })
}

/// A file that a kernel may not have.
fn optional(directory: &Directory, file: &str) -> Result<String> {
    if directory.has(file) {
        directory.read(file)
    } else {
        Ok(String::new())
    }
}

/// A file with one number; none for `max`.
fn number(directory: &Directory, file: &str) -> Result<Option<u64>> {
    Ok(optional(directory, file)?.trim().parse().ok())
}

/// The number behind that name, in a file of `NAME NUMBER` lines.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.trim().parse().ok())
}

fn fields(text: &str) -> BTreeMap<String, u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(key, value)| Some((key.to_owned(), value.trim().parse().ok()?)))
        .collect()
}

fn device(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Lines such as `8:0 Read 4096`, once for bytes and once for operations.
fn block_io_v1(bytes: &str, operations: &str) -> Vec<BlockIo> {
    let parse = |text: &str| -> BTreeMap<(u32, u32, &'static str), u64> {
        text.lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                let (major, minor) = device(words.next()?)?;
                let operation = match words.next()? {
                    "Read" => "read",
                    "Write" => "write",
                    _ => return None,
                };
                Some(((major, minor, operation), words.next()?.parse().ok()?))
            })
            .collect()
    };
    let operations = parse(operations);
    parse(bytes)
        .into_iter()
        .map(|((major, minor, operation), bytes)| BlockIo {
            major,
            minor,
            operation,
            bytes,
            operations: operations
                .get(&(major, minor, operation))
                .copied()
                .unwrap_or(0),
        })
        .collect()
}

/// Lines such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
fn block_io_v2(text: &str) -> Vec<BlockIo> {
    let mut list = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let Some((major, minor)) = words.next().and_then(device) else {
            continue;
        };
        let values: BTreeMap<&str, u64> = words
            .filter_map(|word| word.split_once('='))
            .filter_map(|(key, value)| Some((key, value.parse().ok()?)))
            .collect();
        let value = |key: &str| values.get(key).copied().unwrap_or(0);
        for (operation, bytes, operations) in
            [("read", "rbytes", "rios"), ("write", "wbytes", "wios")]
        {
            list.push(BlockIo {
                major,
                minor,
                operation,
                bytes: value(bytes),
                operations: value(operations),
            });
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_devices_are_read() {
        let v1 = block_io_v1(
            "8:0 Read 4096\n8:0 Write 8\n8:0 Total 4104\nTotal 4104\n",
            "8:0 Read 2\n",
        );
        let v2 = block_io_v2("8:0 rbytes=4096 wbytes=8 rios=2 wios=0 dbytes=0\nnonsense\n");
        assert_eq!(v1, v2);
        assert_eq!((v1[0].bytes, v1[0].operations), (4096, 2));
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "oom 1\noom_kill 3\noom_group_kill 9\n";
        assert_eq!(field(text, "oom_kill"), Some(3));
        assert_eq!(field(text, "kill"), None);
        assert_eq!(fields(text).len(), 3);
    }
}
