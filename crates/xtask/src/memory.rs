//! How much memory a program takes at most.

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

/// `VmHWM` of a process's status, in bytes.
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
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
