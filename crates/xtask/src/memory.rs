//! Measures the memory of programs.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// Between two looks. What a client takes, it takes in the beginning and keeps.
const PAUSE: Duration = Duration::from_millis(1);

/// Waits for a program's end, and returns the largest resident set that the kernel has noted of it, in bytes.
pub(crate) fn peak(child: &mut Child, name: &str) -> anyhow::Result<u64> {
    let file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // Of one that has just ended there is nothing to read.
        if let Some(now) = std::fs::read_to_string(&file)
            .ok()
            .and_then(|status| high_water_mark(&status))
        {
            peak = peak.max(now);
        }
        if let Some(status) = child
            .try_wait()
            .with_context(|| format!("wait for {name}"))?
        {
            if !status.success() {
                bail!("{name} ended with {status}");
            }
            return Ok(peak);
        }
        thread::sleep(PAUSE);
    }
}

/// The largest resident set that the kernel has noted of a process, in bytes.
pub(crate) fn high_water_mark_of(process: u32) -> anyhow::Result<u64> {
    let file = format!("/proc/{process}/status");
    let status = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
    high_water_mark(&status).with_context(|| format!("{file} has no VmHWM"))
}

/// The proportional set size of a process, in bytes: what others have mapped too counts in part.
pub(crate) fn proportional(process: u32) -> anyhow::Result<u64> {
    let file = format!("/proc/{process}/smaps_rollup");
    let rollup = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
    field(&rollup, "Pss:").with_context(|| format!("{file} has no Pss"))
}

/// The processes of that name whose words name something below `place`.
pub(crate) fn processes(name: &str, place: &Path) -> anyhow::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("read /proc")? {
        let entry = entry.context("read /proc")?;
        let Some(process) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // One that has just ended is none.
        let comm = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        if comm.trim_end().starts_with(name) && words.contains(&*place.to_string_lossy()) {
            found.push(process);
        }
    }
    Ok(found)
}

/// `VmHWM` of a process's status, in bytes.
fn high_water_mark(status: &str) -> Option<u64> {
    field(status, "VmHWM:")
}

/// A line such as `Pss:  9 kB`, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::high_water_mark;

    #[test]
    fn the_mark_is_in_kibibytes() {
        let status = "Name:\ttool\nVmPeak:\t    9000 kB\nVmHWM:\t    3700 kB\nThreads:\t1\n";
        assert_eq!(high_water_mark(status), Some(3700 * 1024));
        assert_eq!(high_water_mark("Name:\tzombie\n"), None);
    }
}
