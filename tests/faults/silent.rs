//! A container whose monitor is stopped: what needs it says so in time, and what must not need it does not.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::state::{State, until};
use crate::stepper;

/// How long a command may take that gets no answer, on a machine that is busy.
const BOUND: Duration = Duration::from_secs(30);

const SCRIPT: &str =
    "trap 'echo got >/data/got' USR1; touch /data/ready; while :; do sleep 0.05; done";

/// Runs a container and stops its monitor, whose number is returned.
fn silent(state: &State, name: &str, options: &[&str]) -> Pid {
    let data = format!("{}/data:/data", state.rootfs);
    let ready = format!("{}/data/ready", state.rootfs);
    let _ = fs::remove_file(&ready);
    let mut words = vec![
        "run",
        "-d",
        "--name",
        name,
        "--network",
        "none",
        "-v",
        &data,
    ];
    words.extend(options);
    words.extend(["--rootfs", &state.rootfs, "sh", "-c", SCRIPT]);
    let id = state.ok(&words);
    assert!(until(|| fs::exists(&ready).is_ok_and(|is_there| is_there)));
    let monitor = stepper::monitor_of(id.trim());
    kill(monitor, Signal::SIGSTOP).expect("it runs");
    monitor
}

fn status(state: &State, name: &str) -> String {
    let format = "{{.State.Status}} {{.State.ExitCode}}";
    state.ok(&["inspect", "--format", format, name])
}

#[test]
fn who_needs_a_monitor_that_is_stopped_is_told() {
    let Some(state) = State::new("silent::who_needs_a_monitor_that_is_stopped_is_told") else {
        return;
    };
    let monitor = silent(&state, "one", &[]);
    // What only looks does without it.
    assert_eq!(status(&state, "one"), "running 0\n");
    assert!(state.ok(&["ps"]).contains("one"));
    state.ok(&["logs", "one"]);
    let expected = format!("process {monitor} (tool-monitor) is stopped");
    thread::scope(|scope| {
        for words in [
            &["exec", "one", "true"][..],
            &["stop", "-t", "1", "one"],
            &["restart", "-t", "1", "one"],
            &["wait", "one"],
            &["attach", "one"],
            &["rm", "one"],
        ] {
            let (state, expected) = (&state, &expected);
            scope.spawn(move || {
                let start = Instant::now();
                let outcome = state.tool(words);
                assert!(start.elapsed() < BOUND, "{words:?}: {:?}", start.elapsed());
                assert_ne!(outcome.code, Some(0), "{words:?}");
                let said = outcome.err();
                assert!(said.contains(expected), "{words:?}: {said}");
            });
        }
    });
    // It goes on as if nothing had been, but for those who gave up.
    kill(monitor, Signal::SIGCONT).expect("it is there");
    assert!(until(
        || state.tool(&["exec", "one", "true"]).code != Some(1)
    ));
    state.ok(&["rm", "-f", "one"]);
    assert_eq!(state.check(&[], &[]), Vec::<String>::new());
}

#[test]
fn kill_and_forced_removal_need_no_monitor() {
    let Some(state) = State::new("silent::kill_and_forced_removal_need_no_monitor") else {
        return;
    };
    // Any signal reaches the container, and the monitor is left to those who are attached.
    let monitor = silent(&state, "one", &[]);
    let got = format!("{}/data/got", state.rootfs);
    state.ok(&["kill", "-s", "USR1", "one"]);
    assert!(until(|| fs::exists(&got).is_ok_and(|is_there| is_there)));
    kill(monitor, Signal::SIGCONT).expect("it is there");
    state.ok(&["rm", "-f", "one"]);

    let start = Instant::now();
    silent(&state, "two", &["--restart", "always"]);
    state.ok(&["kill", "two"]);
    assert_eq!(status(&state, "two"), "exited 137\n");
    // It was killed by a user, so that it does not start again.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(status(&state, "two"), "exited 137\n");
    state.ok(&["rm", "two"]);

    for options in [&[][..], &["--rm"], &["--restart", "always"]] {
        silent(&state, "three", options);
        state.ok(&["rm", "-f", "three"]);
        assert_eq!(state.ok(&["ps", "-aq"]), "");
    }
    assert!(start.elapsed() < 4 * BOUND, "{:?}", start.elapsed());
    assert_eq!(state.check(&[], &[]), Vec::<String>::new());
    assert!(stepper::monitors(&state.root).is_empty());
}

/// Somebody waits already when the monitor is stopped, and the container ends behind its back.
#[test]
fn who_waits_is_told_when_nobody_sees_the_end() {
    let Some(state) = State::new("silent::who_waits_is_told_when_nobody_sees_the_end") else {
        return;
    };
    let monitor = silent(&state, "one", &[]);
    kill(monitor, Signal::SIGCONT).expect("it is there");
    let waiting = state.tool.start(state.words(&["wait", "one"]));
    thread::sleep(Duration::from_millis(500));
    kill(monitor, Signal::SIGSTOP).expect("it is there");
    let pid = state.ok(&["inspect", "--format", "{{.State.Pid}}", "one"]);
    let pid = pid.trim().parse().expect("a number");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it runs");
    let said = waiting.finish();
    assert_ne!(said.code, Some(0));
    let expected = format!("process {monitor} (tool-monitor) is stopped");
    assert!(said.err().contains(&expected), "{}", said.err());
    state.ok(&["rm", "-f", "one"]);
}
