//! Signals end the process again once a session is over.
//!
//! A handler, once installed, stays: taking a catcher out of it leaves a signal that does nothing, and a process that
//! Ctrl-C does not end. So the handler also has, for as long as the process lives, an action that does what the
//! default would have done, and does it only while no session catches signals. Signals that were ignored (nohup) or
//! caught by the host before the first session are left as they were.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::flag::register_conditional_default;

static CATCHING: Mutex<Catching> = Mutex::new(Catching {
    sessions: 0,
    known: BTreeSet::new(),
    idle: None,
});

/// Who catches signals in this process.
struct Catching {
    sessions: usize,
    /// The signals that were looked at.
    known: BTreeSet<i32>,
    /// Whether no session catches signals. Made by the first one, read by handlers.
    idle: Option<Arc<AtomicBool>>,
}

/// While this lives, signals do not have their default effect.
#[derive(Debug)]
pub(crate) struct Suspended(());

impl Suspended {
    /// Suspends the default effect of `signals`. To be called before their catcher is installed.
    pub(crate) fn new(signals: impl Iterator<Item = i32>) -> Suspended {
        let mut catching = lock();
        catching.sessions += 1;
        let idle = Arc::clone(catching.idle.get_or_insert_default());
        idle.store(false, Ordering::SeqCst);
        let taken = ignored_or_caught();
        for signal in signals {
            if catching.known.insert(signal)
                && taken & mask(signal) == 0
                && let Err(error) = register_conditional_default(signal, Arc::clone(&idle))
            {
                // The real-time signals have no default that could be played; nobody relies on it.
                log::trace!("signal {signal} has no default action: {error}");
            }
        }
        Suspended(())
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        let mut catching = lock();
        catching.sessions -= 1;
        if catching.sessions == 0
            && let Some(idle) = &catching.idle
        {
            idle.store(true, Ordering::SeqCst);
        }
    }
}

fn lock() -> MutexGuard<'static, Catching> {
    CATCHING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals of this process that do not have their default action now, as the kernel's mask. Without /proc none
/// are known, and all count as default.
fn ignored_or_caught() -> u64 {
    fs::read_to_string("/proc/self/status").map_or(0, |status| masks(&status))
}

fn masks(status: &str) -> u64 {
    let masks = status.lines().filter_map(|line| {
        let mask = line
            .strip_prefix("SigIgn:")
            .or_else(|| line.strip_prefix("SigCgt:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    });
    masks.fold(0, |all, mask| all | mask)
}

fn mask(signal: i32) -> u64 {
    u32::try_from(signal - 1)
        .ok()
        .and_then(|bit| 1u64.checked_shl(bit))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_masks_are_read() {
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\nSigCgt:\t0000000100004002\n";
        let taken = masks(status);
        let signals: Vec<i32> = (0..=65).filter(|&s| taken & mask(s) != 0).collect();
        assert_eq!(signals, [1, 2, 13, 15, 33]);
    }
}
