//! Signals that this test process was started to ignore, as by `nohup` or in the background of a script.

use std::fs;
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{FORBIDDEN, SIGPIPE};
use signal_hook::flag;

/// Lets the programs that this process starts have each signal's default action, whatever this process was started with.
///
/// A signal that is ignored is ignored by every program that is started, too; one that is handled is not. So each ignored
/// signal gets a handler that does nothing more than to note it, and this process still lives through a hangup.
///
/// # Panics
/// If `/proc` cannot be read, or a signal not be handled.
pub fn default_signals() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let status = fs::read_to_string("/proc/self/status").expect("/proc is there");
        for signal in ignored(&status) {
            flag::register(signal, Arc::new(AtomicBool::new(false)))
                .unwrap_or_else(|error| panic!("signal {signal}: {error}"));
        }
    });
}

/// The ignored signals of a process with this `/proc/PID/status` that may be handled. SIGPIPE is not among them: Rust's
/// runtime ignores it, and its standard library restores it in each program that it starts.
fn ignored(status: &str) -> Vec<i32> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .expect("a mask of ignored signals");
    (1..=31)
        .filter(|signal| mask & (1 << (signal - 1)) != 0)
        .filter(|signal| *signal != SIGPIPE && !FORBIDDEN.contains(signal))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_names_signals() {
        let status = "Name:\tx\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001007\n";
        assert_eq!(ignored(status), [1, 2, 3]);
        assert!(ignored("SigIgn:\t0000000000000000\n").is_empty());
    }
}
