//! Signals to `tool`: forwarded to the container or not.

use harness::Signal;

use crate::{engine, tool, until_running};

/// A container that tells when it is ready and names the signals that it gets.
const NAMING: &str = "for s in HUP INT TERM USR1 WINCH; do trap \"echo $s\" $s; done; trap 'exit 9' USR2; echo ready; while :; do sleep 0.05; done";
/// A container that ignores what could end it.
const STUBBORN: &str = "trap '' INT TERM; echo ready; while :; do sleep 0.05; done";

#[test]
fn signals_are_passed_on() {
    let engine = engine!();
    let running = tool(engine).start(["run", "--rm", "busybox", "sh", "-c", NAMING]);
    running.wait_for_out("ready");
    for (signal, name) in [
        (Signal::HUP, "HUP"),
        (Signal::USR1, "USR1"),
        (Signal::TERM, "TERM"),
        (Signal::INT, "INT"),
    ] {
        running.signal(signal);
        running.wait_for_out(&format!("{name}\n"));
    }
    running.signal(Signal::USR2);
    running
        .finish()
        .assert(9, "ready\nHUP\nUSR1\nTERM\nINT\n", "");
}

#[test]
fn the_third_signal_to_end_leaves_a_stubborn_container_behind() {
    let engine = engine!();
    let label = "the_third_signal_to_end";
    for proxy in ["--sig-proxy=true", "--sig-proxy=false"] {
        let mut running = tool(engine).start([
            "run", "--rm", proxy, "-l", label, "busybox", "sh", "-c", STUBBORN,
        ]);
        running.wait_for_out("ready");
        for signal in [Signal::INT, Signal::TERM] {
            running.signal(signal);
            // Two of the same that wait at the same time are one.
            std::thread::sleep(std::time::Duration::from_millis(200));
            assert!(running.is_running());
        }
        running.signal(Signal::INT);
        let outcome = running.finish();
        outcome.assert_err_contains(1, "ready\n", "got 3 SIGTERM/SIGINTs, forcefully exiting\n");
        let left = engine.containers(label);
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0]["State"], "running");
        engine.remove(left[0]["Id"].as_str().expect("an id"));
    }
}

#[test]
fn signals_are_kept_from_a_container_that_shall_not_get_them() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "--sig-proxy=false",
        "--name",
        "kept-from",
        "busybox",
        "sh",
        "-c",
        NAMING,
    ];
    let mut running = tool(engine).start(words);
    running.wait_for_out("ready");
    until_running(engine, "kept-from");
    running.signal(Signal::INT);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(running.is_running());
    engine
        .api()
        .post("/containers/kept-from/kill?signal=USR2")
        .expect_success();
    running.finish().assert(9, "ready\n", "");
}
