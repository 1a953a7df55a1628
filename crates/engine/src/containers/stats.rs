//! What a container uses, as `GET /containers/{id}/stats` tells it: its cgroup's figures beside the machine's, and those
//! of its network.

use std::fs;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Container;
use crate::cgroup::{Host, Stats};
use crate::state::{Moment, Recorded};
use crate::{Engine, Error, Result};

/// How long one figure is from the next: a client computes shares of processors from two of them.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long the end of a container or of its reader may be overlooked.
const BREATH: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatsOptions {
    /// Again and again, until the client leaves.
    pub(crate) stream: bool,
    /// One figure at once, without the one before it.
    pub(crate) one_shot: bool,
}

/// What is asked of which container.
#[derive(Debug)]
pub(crate) struct Watching {
    engine: Engine,
    id: String,
    options: StatsOptions,
}

/// Begins to watch a container.
///
/// # Errors
///
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such container, and
/// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) where nobody counts, for want of cgroups.
pub(crate) fn stats(engine: &Engine, reference: &str, options: StatsOptions) -> Result<Watching> {
    let container = Container::find(engine, reference)?;
    if let Some(refusal) = Host::detect()?.refusal() {
        return Err(Error::not_implemented(format!(
            "the embedded engine does not do stats here: {refusal}"
        )));
    }
    Ok(Watching {
        engine: engine.clone(),
        id: container.record.id,
        options,
    })
}

impl Watching {
    /// Writes a line of JSON for each figure, until there shall be none or `is_gone` says that nobody reads any more.
    ///
    /// # Errors
    ///
    /// Those of `output`, and of a container that is gone.
    pub(crate) fn write(
        &self,
        mut output: impl Write,
        is_gone: impl Fn() -> bool,
    ) -> io::Result<()> {
        let mut before = None;
        // The first figure of a stream has none before it; a single one is worth waiting for, unless it is hurried.
        let mut is_told = self.options.stream || self.options.one_shot;
        loop {
            let figure = self.figure(before.as_ref()).map_err(io::Error::other)?;
            if is_told {
                let mut line = serde_json::to_vec(&figure)?;
                line.push(b'\n');
                output.write_all(&line)?;
                if !self.options.stream {
                    return Ok(());
                }
            }
            is_told = true;
            before = Some(figure);
            let steps = INTERVAL.as_millis() / BREATH.as_millis();
            for _ in 0..steps {
                if is_gone() {
                    return Ok(());
                }
                thread::sleep(BREATH);
            }
        }
    }

    fn figure(&self, before: Option<&Value>) -> Result<Value> {
        let container = Container::of_id(&self.engine, &self.id)?;
        let stats = match container.state.is_running() {
            true => container
                .cgroup()?
                .map(|cgroup| cgroup.stats())
                .transpose()?,
            false => None,
        };
        let of = |name: &str| before.map(|figure| figure[name].clone());
        let cpu = stats.as_ref().map_or_else(no_cpu, cpu);
        let mut figure = json!({
            "id": container.id(),
            "name": format!("/{}", container.record.name),
            "os_type": "linux",
            "read": Moment::now(),
            "preread": of("read").unwrap_or_else(|| json!(Moment::NEVER)),
            "num_procs": 0,
            "storage_stats": {},
            "precpu_stats": of("cpu_stats").unwrap_or_else(no_cpu),
            "cpu_stats": cpu,
            "pids_stats": {},
            "memory_stats": {},
            "blkio_stats": block_devices(&Stats::default(), &Value::Null),
        });
        if let Some(stats) = &stats {
            // What version 1 has no number for is left out, or an empty list; on version 2 it is the largest, or null.
            let is_unified = Host::detect()?.is_unified();
            let none = match is_unified {
                true => Value::Null,
                false => json!([]),
            };
            figure["pids_stats"] = pids(stats, is_unified);
            figure["memory_stats"] = memory(stats);
            figure["blkio_stats"] = block_devices(stats, &none);
            figure["networks"] = networks(&container.state.process);
        }
        Ok(figure)
    }
}

/// The figures of processors that nothing ran on.
fn no_cpu() -> Value {
    json!({
        "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    })
}

fn cpu(stats: &Stats) -> Value {
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut shown = json!({
        "cpu_usage": {
            "total_usage": stats.cpu_total,
            "usage_in_kernelmode": stats.cpu_kernel,
            "usage_in_usermode": stats.cpu_user,
        },
        "system_cpu_usage": machine_time(),
        "online_cpus": processors,
        "throttling_data": {
            "periods": stats.cpu_periods,
            "throttled_periods": stats.cpu_throttled_periods,
            "throttled_time": stats.cpu_throttled_time,
        },
    });
    if !stats.cpu_each.is_empty() {
        shown["cpu_usage"]["percpu_usage"] = json!(stats.cpu_each);
    }
    shown
}

/// The time of all processors since the machine started, idle time included, in nanoseconds (proc_stat(5)).
fn machine_time() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: u64 = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .skip(1)
        // What guests use is part of what users do.
        .take(8)
        .filter_map(|number| number.parse::<u64>().ok())
        .sum();
    let second = rustix::param::clock_ticks_per_second().max(1);
    ticks.saturating_mul(1_000_000_000 / second)
}

fn pids(stats: &Stats, is_unified: bool) -> Value {
    let mut shown = json!({"current": stats.pids});
    if let Some(limit) = stats.pids_limit.or(is_unified.then_some(u64::MAX)) {
        shown["limit"] = json!(limit);
    }
    shown
}

fn memory(stats: &Stats) -> Value {
    let machine = rustix::system::sysinfo();
    let all = machine.totalram * u64::from(machine.mem_unit);
    let mut shown = json!({
        "usage": stats.memory,
        "limit": stats.memory_limit.unwrap_or(all),
        "stats": stats.memory_details,
    });
    if stats.memory_peak > 0 {
        shown["max_usage"] = json!(stats.memory_peak);
    }
    if stats.memory_failures > 0 {
        shown["failcnt"] = json!(stats.memory_failures);
    }
    shown
}

/// `none` is what stands for figures that nobody counts.
fn block_devices(stats: &Stats, none: &Value) -> Value {
    let entries = |value: &dyn Fn(&crate::cgroup::BlockIo) -> u64| -> Value {
        if stats.block_io.is_empty() {
            return none.clone();
        }
        stats
            .block_io
            .iter()
            .map(|device| {
                json!({
                    "major": device.major,
                    "minor": device.minor,
                    "op": device.operation,
                    "value": value(device),
                })
            })
            .collect()
    };
    json!({
        "io_service_bytes_recursive": entries(&|device| device.bytes),
        "io_serviced_recursive": entries(&|device| device.operations),
        "io_queue_recursive": none,
        "io_service_time_recursive": none,
        "io_wait_time_recursive": none,
        "io_merged_recursive": none,
        "io_time_recursive": none,
        "sectors_recursive": none,
    })
}

/// What went over the links of the process's network, the loopback one aside.
fn networks(process: &Recorded) -> Value {
    // One that has just ended has none any more.
    let process = process.open().ok();
    let read = process.and_then(|process| process.read("net/dev").ok());
    let read = read.unwrap_or_default();
    Value::Object(links(&String::from_utf8_lossy(&read)))
}

fn links(text: &str) -> Map<String, Value> {
    const NAMES: [(&str, usize); 8] = [
        ("rx_bytes", 0),
        ("rx_packets", 1),
        ("rx_errors", 2),
        ("rx_dropped", 3),
        ("tx_bytes", 8),
        ("tx_packets", 9),
        ("tx_errors", 10),
        ("tx_dropped", 11),
    ];
    text.lines()
        .skip(2)
        .filter_map(|line| line.trim().split_once(':'))
        .filter(|(name, _)| *name != "lo")
        .map(|(name, numbers)| {
            let numbers: Vec<u64> = numbers
                .split_ascii_whitespace()
                .map(|number| number.parse().unwrap_or(0))
                .collect();
            let counts = NAMES.map(|(name, index)| {
                let number = numbers.get(index).copied().unwrap_or(0);
                (name.to_owned(), json!(number))
            });
            (name.to_owned(), Value::Object(counts.into_iter().collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_counted_but_for_the_loopback_one() {
        let text = "Inter-|   Receive        |  Transmit\n face |bytes packets errs\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 10 2 3 4 0 0 0 0 50 6 7 8 0 0 0 0\n";
        let links = links(text);
        assert_eq!(links.len(), 1);
        assert_eq!(
            links["eth0"],
            json!({
                "rx_bytes": 10, "rx_packets": 2, "rx_errors": 3, "rx_dropped": 4,
                "tx_bytes": 50, "tx_packets": 6, "tx_errors": 7, "tx_dropped": 8,
            })
        );
    }

    #[test]
    fn the_machines_time_goes_on() {
        assert!(machine_time() > 1_000_000_000);
    }
}
