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

/// Judges a state whose lock is free, `boot` being the machine's present one and `started` when the process of that number
/// did, if there is one.
pub fn judge(state: &State, boot: &str, started: Option<u64>) -> Verdict {
    match state.status {
        Status::Created | Status::Exited | Status::Dead => Verdict::Sound,
        Status::Removing => Verdict::HalfRemoved,
        Status::Running | Status::Paused | Status::Restarting if state.boot != boot => {
            Verdict::Lost(Loss::Reboot)
        }
        Status::Restarting => Verdict::Waiting,
        Status::Running | Status::Paused => match started {
            Some(started) if started == state.pid_started => Verdict::Orphaned,
            _ => Verdict::Lost(Loss::Monitor),
        },
    }
}

/// The state of a container that ended unseen.
pub fn lost(state: &State, loss: Loss) -> State {
    State {
        status: Status::Exited,
        pid: 0,
        pid_started: 0,
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

/// When the process of that number started, in clock ticks since the machine did; nothing if there is none, or if it is
/// dead and waits for its parent.
pub fn process_started(pid: i32) -> Option<u64> {
    if pid <= 0 {
        return None;
    }
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    started_of_stat(&String::from_utf8_lossy(&stat))
}

/// The second field is the program's name in parentheses, and a program may have any name: what counts is behind the last
/// of them.
fn started_of_stat(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(status: Status) -> State {
        State {
            status,
            pid: 7,
            pid_started: 100,
            boot: "now".to_owned(),
            ..State::default()
        }
    }

    #[test]
    fn a_container_is_judged_by_boot_and_process() {
        use Verdict::{HalfRemoved, Lost, Orphaned, Sound, Waiting};
        let reboot = Lost(Loss::Reboot);
        let monitor = Lost(Loss::Monitor);
        for (status, now, then) in [
            // (as it is, process there / another of its number / none), after a reboot
            (Status::Created, [Sound, Sound, Sound], Sound),
            (Status::Exited, [Sound, Sound, Sound], Sound),
            (Status::Dead, [Sound, Sound, Sound], Sound),
            (Status::Running, [Orphaned, monitor, monitor], reboot),
            (Status::Paused, [Orphaned, monitor, monitor], reboot),
            (Status::Restarting, [Waiting, Waiting, Waiting], reboot),
            (Status::Removing, [HalfRemoved; 3], HalfRemoved),
        ] {
            let state = state(status);
            let judged = [Some(100), Some(101), None].map(|started| judge(&state, "now", started));
            assert_eq!(judged, now, "{status}");
            assert_eq!(judge(&state, "another", Some(100)), then, "{status}");
        }
    }

    #[test]
    fn who_ended_unseen_says_so() {
        let lost = lost(&state(Status::Running), Loss::Reboot);
        assert_eq!(
            (lost.status, lost.pid, lost.exit_code),
            (Status::Exited, 0, 255)
        );
        assert!(
            lost.error.contains("exit code is unknown"),
            "{}",
            lost.error
        );
        assert!(lost.finished_at.is_some());
    }

    #[test]
    fn a_programs_name_does_not_confuse() {
        let rest = "S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
        assert_eq!(started_of_stat(&format!("1 (init) {rest}")), Some(4711));
        assert_eq!(
            started_of_stat(&format!("1 (a) Z 1 (b) {rest}")),
            Some(4711)
        );
        assert_eq!(
            started_of_stat(&format!("1 (a) {}", rest.replace('S', "Z"))),
            None
        );
        assert_eq!(started_of_stat("1 (a) S 1"), None);
        assert_eq!(started_of_stat(""), None);
    }

    #[test]
    fn this_process_started() {
        let pid = i32::try_from(std::process::id()).expect("a number");
        assert!(process_started(pid).is_some());
        assert_eq!(process_started(0), None);
        assert!(!boot().expect("a boot").is_empty());
    }
}
