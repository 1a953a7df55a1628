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

/// The program, started with these signals ignored, as by `nohup` or in the background of a script.
fn ignoring(engine: &harness::Engine, signals: &str) -> harness::Program {
    let program = harness::Program::new("/bin/sh").with_env("DOCKER_HOST", engine.host());
    let script = format!(
        "trap '' {signals}; exec {} \"$@\"",
        env!("CARGO_BIN_EXE_tool")
    );
    program.file("ignoring", script);
    program
}

#[test]
fn what_is_ignored_at_the_start_stays_ignored() {
    let engine = engine!();
    let running = ignoring(engine, "HUP INT QUIT")
        .start(["ignoring", "run", "--rm", "busybox", "sh", "-c", NAMING]);
    running.wait_for_out("ready");
    for signal in [
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::INT,
        Signal::INT,
    ] {
        running.signal(signal);
    }
    running.signal(Signal::USR1);
    running.wait_for_out("USR1\n");
    running.signal(Signal::USR2);
    running.finish().assert(9, "ready\nUSR1\n", "");
}

#[test]
fn a_container_ignores_nothing_that_its_client_does() {
    let engine = engine!();
    let outcome = ignoring(engine, "HUP INT QUIT USR1").run([
        "ignoring",
        "run",
        "--rm",
        "busybox",
        "grep",
        "SigIgn",
        "/proc/self/status",
    ]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    let mask = outcome.out();
    let mask = mask
        .trim()
        .strip_prefix("SigIgn:\t")
        .and_then(|mask| u64::from_str_radix(mask, 16).ok())
        .unwrap_or_else(|| panic!("no mask: {mask}"));
    // Those above 31 are the C library's own, and come from whatever started the tests' dockerd.
    assert_eq!(mask & 0x7fff_ffff, 0, "{mask:016x}");
}
