//! Whether a container is what its file says.
//!
//! A file that says "running" is true as long as its writer lives. If it does not, three things may have happened: the
//! machine went down and came up again, the monitor died and the container with it or since, or the monitor died and the
//! container runs on.

use std::fs;
use std::path::Path;

use super::{Moment, State, Status};
use crate::{Error, Result};

/// What to make of a container whose lock was free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as its file says.
    Sound,
    /// It runs, and a new monitor has to take it over.
    Orphaned,
    /// It is to be started again: nobody counts down any more.
    Waiting,
    /// It was being removed.
    HalfRemoved,
    /// It ended unseen.
    Lost(Loss),
}

/// Why a container ended unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The machine went down.
    Reboot,
    /// Its monitor was killed, and the container ended too.
    Monitor,
}

impl Loss {
    /// The sentence that goes into the state.
    pub fn as_str(self) -> &'static str {
        match self {
            Loss::Reboot => {
                "the machine went down while the container ran, so its exit code is unknown"
            }
            Loss::Monitor => {
                "the container's monitor was killed and the container ended unseen, so its exit code is unknown"
            }
        }
    }
}

/// The exit code of a container that ended unseen.
pub const UNKNOWN_EXIT_CODE: i64 = 255;

/// Judges a state whose lock is free.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if `/proc` is not there.
pub fn judge(state: &State) -> Result<Verdict> {
    Ok(verdict(state, &boot()?, state.process.is_alive()))
}

/// The same, `boot` being the machine's present one and `is_alive` whether the first process is there.
fn verdict(state: &State, boot: &str, is_alive: bool) -> Verdict {
    match state.status {
        Status::Created | Status::Exited | Status::Dead => Verdict::Sound,
        Status::Removing => Verdict::HalfRemoved,
        Status::Running | Status::Paused | Status::Restarting if state.process.boot() != boot => {
            Verdict::Lost(Loss::Reboot)
        }
        Status::Restarting => Verdict::Waiting,
        Status::Running | Status::Paused => match is_alive {
            true => Verdict::Orphaned,
            false => Verdict::Lost(Loss::Monitor),
        },
    }
}

/// The state of a container that ended unseen.
pub fn lost(state: &State, loss: Loss) -> State {
    State {
        status: Status::Exited,
        process: state.process.gone(),
        finished_at: Some(Moment::now()),
        exit_code: UNKNOWN_EXIT_CODE,
        error: loss.as_str().to_owned(),
        network: None,
        ..state.clone()
    }
}

/// The present boot of the machine.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if `/proc` is not there.
pub fn boot() -> Result<String> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    let text = fs::read_to_string(path)
        .map_err(|error| Error::io(format_args!("read {}", path.display()), error))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Recorded;

    fn state(status: Status) -> State {
        State {
            status,
            process: Recorded::made_up(7, 100, "now"),
            ..State::default()
        }
    }

    #[test]
    fn a_container_is_judged_by_boot_and_process() {
        use Verdict::{HalfRemoved, Lost, Orphaned, Sound, Waiting};
        let reboot = Lost(Loss::Reboot);
        let monitor = Lost(Loss::Monitor);
        for (status, now, then) in [
            // (as it is, process there / not), after a reboot
            (Status::Created, [Sound, Sound], Sound),
            (Status::Exited, [Sound, Sound], Sound),
            (Status::Dead, [Sound, Sound], Sound),
            (Status::Running, [Orphaned, monitor], reboot),
            (Status::Paused, [Orphaned, monitor], reboot),
            (Status::Restarting, [Waiting, Waiting], reboot),
            (Status::Removing, [HalfRemoved; 2], HalfRemoved),
        ] {
            let state = state(status);
            let judged = [true, false].map(|is_alive| verdict(&state, "now", is_alive));
            assert_eq!(judged, now, "{status}");
            assert_eq!(verdict(&state, "another", true), then, "{status}");
        }
    }

    #[test]
    fn who_ended_unseen_says_so() {
        let lost = lost(&state(Status::Running), Loss::Reboot);
        assert_eq!(
            (lost.status, lost.process.is_none(), lost.exit_code),
            (Status::Exited, true, 255)
        );
        assert!(
            lost.error.contains("exit code is unknown"),
            "{}",
            lost.error
        );
        assert!(lost.finished_at.is_some());
    }

    #[test]
    fn the_machine_has_a_boot() {
        assert!(!boot().expect("a boot").is_empty());
    }
}
