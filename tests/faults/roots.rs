//! Two engines on one machine: what `engine check --repair` of one does to the other.

use nix::sys::signal::{Signal, kill};

use crate::state::{State, entries, until};
use crate::stepper;

/// Cgroups and links of all engines lie side by side.
#[test]
fn an_engine_repairs_only_what_is_its_own() {
    const TEST: &str = "roots::an_engine_repairs_only_what_is_its_own";
    let (Some(ours), Some(other)) = (State::new(TEST), State::new(TEST)) else {
        return;
    };
    let id = other.ok(&["run", "-d", "--rootfs", &other.rootfs, "sleep", "1000"]);
    let id = id.trim().to_owned();
    kill(stepper::monitor_of(&id), Signal::SIGKILL).expect("it runs");

    let ids = [id.clone()];
    assert_eq!(ours.check(&ids, &["--repair"]), [""; 0]);
    assert!(!other.groups(&ids).is_empty(), "its cgroups are there");
    // Its own engine knows that it runs, and what it lacks.
    let expected = format!("container {id}: it is running, and nobody looks after it");
    assert_eq!(other.check(&[], &[]), std::slice::from_ref(&expected));
    let repaired = other.check(&[], &["--repair"]);
    assert_eq!(repaired, [format!("{expected} (repaired)")]);
    let running = other.ok(&["ps", "-q", "--no-trunc"]);
    assert_eq!(running.trim(), id);
    assert_eq!(other.ok(&["exec", &id, "echo", "here"]), "here\n");

    // Whatever is left when its engine cannot say so is left.
    let hidden = other.root.with_extension("hidden");
    std::fs::rename(&other.root, &hidden).expect("a rename");
    assert_eq!(ours.check(&ids, &["--repair"]), [""; 0]);
    std::fs::rename(&hidden, &other.root).expect("a rename");
    assert_eq!(other.ok(&["exec", &id, "echo", "here"]), "here\n");
    other.ok(&["rm", "-f", &id]);
    assert!(until(|| other.groups(&ids).is_empty()));
    assert!(until(
        || entries(&other.root.join("containers")).count() == 0
    ));
}
