//! A container with a terminal whose monitor, and so the terminal's other end, is killed.

use std::fs;

use harness::Pty;
use nix::sys::signal::{Signal, kill};

use crate::state::{State, until};
use crate::stepper;

/// Kills the monitor of that container.
fn kill_monitor(state: &State, name: &str) {
    let id = state.ok(&["inspect", "--format", "{{.Id}}", name]);
    kill(stepper::monitor_of(id.trim()), Signal::SIGKILL).expect("it runs");
}

fn how(state: &State, name: &str) -> String {
    let format = "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}";
    state.ok(&["inspect", "--format", format, name])
}

const ENDED: &str = "exited 137 the container's monitor was killed and its terminal was lost with it, so the container was ended\n";

/// The first process of a container is not ended by the hangup, if it does not ask to be.
const STAYS: &str = "trap '' HUP; while :; do echo ready; sleep 0.05; done";

/// The words that run a container of that name.
fn run<'a>(state: &'a State, name: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["run", "--name", name, "--network", "none"];
    words.extend(options);
    words.extend(["--rootfs", &state.rootfs, "sh", "-c", STAYS]);
    words
}

#[test]
fn a_container_ends_with_its_terminal() {
    let Some(state) = State::new("terminal::a_container_ends_with_its_terminal") else {
        return;
    };
    // Who runs it is told its code, and has a terminal that is as before.
    let pty = Pty::open(24, 80);
    let before = pty.modes();
    let words = run(&state, "shown", &["--interactive", "--tty"]);
    let shown = state.tool.start_on(&pty, state.words(&words));
    pty.wait_for("ready");
    kill_monitor(&state, "shown");
    assert_eq!(shown.finish().code, Some(137));
    assert_eq!(pty.modes(), before);
    assert_eq!(how(&state, "shown"), ENDED);

    // The same of who attaches, and of who waits.
    state.ok(&run(&state, "detached", &["--detach", "--tty"]));
    let attached = state
        .tool
        .start(state.words(&["attach", "--no-stdin", "detached"]));
    let waiting = state.tool.start(state.words(&["wait", "detached"]));
    attached.wait_for_out("ready");
    kill_monitor(&state, "detached");
    waiting.finish().assert(0, "137\n", "");
    assert_eq!(attached.finish().code, Some(137));
    assert_eq!(how(&state, "detached"), ENDED);
    assert!(state.ok(&["logs", "detached"]).starts_with("ready\r\n"));

    // Nobody looks, and the next command does.
    state.ok(&run(&state, "alone", &["--detach", "--tty"]));
    kill_monitor(&state, "alone");
    assert!(
        until(|| how(&state, "alone") == ENDED),
        "{}",
        how(&state, "alone")
    );

    // Its policy decides about the rest, and one that removes itself goes.
    state.ok(&run(
        &state,
        "again",
        &["--detach", "--tty", "--restart", "on-failure"],
    ));
    state.ok(&run(&state, "passing", &["--detach", "--tty", "--rm"]));
    for name in ["again", "passing"] {
        kill_monitor(&state, name);
    }
    let format = "{{.State.Status}} {{.RestartCount}}";
    let inspect = ["inspect", "--format", format, "again"];
    assert!(
        until(|| state.ok(&inspect) == "running 1\n"),
        "{}",
        state.ok(&inspect)
    );
    assert!(until(|| !state.ok(&["ps", "--all"]).contains("passing")));
    state.ok(&["rm", "--force", "again", "shown", "detached", "alone"]);
    let ids = state.ids();
    assert!(until(|| state.leftovers(&ids).is_empty()));
    assert_eq!(state.check(&ids, &[]), [""; 0]);
}

#[test]
fn a_container_ends_whose_pipes_were_removed() {
    let Some(state) = State::new("terminal::a_container_ends_whose_pipes_were_removed") else {
        return;
    };
    state.ok(&run(&state, "lost", &["--detach"]));
    let id = state.ok(&["inspect", "--format", "{{.Id}}", "lost"]);
    let monitor = stepper::monitor_of(id.trim());
    // Its monitor lives, and nobody can tell it anything.
    let directory = state.run.join("containers").join(id.trim());
    fs::remove_dir_all(&directory).expect("a runtime directory");
    let outcome = state.tool(&["stop", "lost"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let told = format!("does not listen in {}", directory.display());
    assert!(outcome.err().contains(&told), "{outcome:?}");

    kill(monitor, Signal::SIGKILL).expect("it runs");
    let ended = "exited 137 the container's monitor was killed and the way to its output was removed, so the container was \
                 ended\n";
    assert!(
        until(|| how(&state, "lost") == ended),
        "{}",
        how(&state, "lost")
    );
    state.ok(&["rm", "lost"]);
    let ids = state.ids();
    assert!(until(|| state.leftovers(&ids).is_empty()));
    assert_eq!(state.check(&ids, &[]), [""; 0]);
}
