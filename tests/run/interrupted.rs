//! Signals to `tool` at each stage: nothing half-made stays behind.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use harness::{BrokenEngine, Modes, Pty, Reply, Signal};

use crate::{engine, program, tool, until};

const SIGNALS: [Signal; 3] = [Signal::HUP, Signal::INT, Signal::TERM];

/// The status of a command that a signal ends.
fn status_of(signal: Signal) -> Option<i32> {
    Some(128 + signal.as_raw())
}

#[test]
fn a_pull_ends_and_leaves_neither_container_nor_file() {
    let engine = engine!();
    // A registry that takes connections and says nothing.
    let registry = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = registry.local_addr().expect("an address");
    let label = "interrupted_pull";
    for signal in SIGNALS {
        let tool = tool(engine);
        let image = format!("{address}/silent");
        let running = tool.start(["run", "--rm", "-l", label, "--cidfile", "id", &image]);
        running.wait_for_err("Unable to find image");
        assert!(tool.directory().join("id").exists());
        // The request goes out after the message.
        thread::sleep(Duration::from_millis(200));
        running.signal(signal);
        let outcome = running.finish();
        let seen = (outcome.code, outcome.out(), outcome.err().lines().count());
        assert_eq!(seen, (status_of(signal), String::new(), 1), "{outcome:?}");
        assert!(!tool.directory().join("id").exists());
    }
    assert!(engine.containers(label).is_empty());
}

#[test]
fn a_container_that_is_not_started_any_more_goes_if_it_was_to_go() {
    const ID: &str = "4fa6e0f0c6786287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2";
    for signal in SIGNALS {
        for (option, is_removed) in [("--rm", true), ("--rm=false", false)] {
            // It creates the container and does not answer what follows.
            let engine = BrokenEngine::start(|request| {
                let target = request.target.split('?').next().unwrap_or_default();
                match target.rsplit('/').next().unwrap_or_default() {
                    "create" => Reply::json(201, &format!("{{\"Id\":\"{ID}\"}}")),
                    "attach" | "wait" => Reply::hold(""),
                    _ => Reply::empty(204),
                }
            });
            let tool = program().with_env("DOCKER_HOST", engine.host());
            let running = tool.start(["run", option, "--cidfile", "id", "x"]);
            let asked = |method: &str, part: &str| {
                let requests = engine.requests();
                requests
                    .iter()
                    .any(|request| request.method == method && request.target.contains(part))
            };
            until(|| asked("POST", "/attach").then_some(()));
            running.signal(signal);
            assert_eq!(running.finish().code, status_of(signal));
            assert_eq!(asked("DELETE", ID), is_removed, "{:#?}", engine.requests());
            assert!(!asked("POST", "/start"));
            let file = std::fs::read_to_string(tool.directory().join("id"));
            assert_eq!(file.expect("it was created"), ID);
        }
    }
}

#[test]
fn an_engine_that_does_not_remove_either_is_left_after_a_while() {
    let engine = BrokenEngine::start(|request| match request.method.as_str() {
        "HEAD" => Reply::empty(200),
        _ if request.target.contains("/create") => Reply::json(201, "{\"Id\":\"0123abcd\"}"),
        _ => Reply::hold(""),
    });
    let tool = program().with_env("DOCKER_HOST", engine.host());
    let running = tool.start(["run", "--rm", "x"]);
    let requests = || engine.requests();
    until(|| {
        requests()
            .iter()
            .any(|request| request.target.contains("/attach"))
            .then_some(())
    });
    running.signal(Signal::INT);
    assert_eq!(running.finish().code, status_of(Signal::INT));
    assert!(requests().iter().any(|request| request.method == "DELETE"));
}

#[test]
fn in_raw_mode_the_container_gets_it_and_the_terminal_is_as_before() {
    let engine = engine!();
    let label = "interrupted_terminal";
    let script = "trap 'exit 3' HUP INT TERM; echo ready; while :; do sleep 0.05; done";
    for signal in SIGNALS {
        let pty = Pty::open(24, 80);
        let before = pty.modes();
        let words = [
            "run", "--rm", "-it", "-l", label, "busybox", "sh", "-c", script,
        ];
        let running = tool(engine).start_on(&pty, words);
        pty.wait_for("ready");
        pty.wait_for_modes(Modes::is_raw);
        running.signal(signal);
        assert_eq!(running.finish().code, Some(3), "{:?}", pty.text());
        assert_eq!(pty.modes(), before);
        assert!(engine.containers(label).is_empty());
    }
}

#[test]
fn at_any_moment_the_container_is_made_and_run_or_not_made_at_all() {
    let engine = engine!();
    let label = "interrupted_anywhen";
    // It ends by itself, since a process 1 is not ended by a signal before it has a handler.
    let script = "trap 'exit 3' HUP INT TERM; sleep 0.3 & wait; exit 4";
    thread::scope(|scope| {
        for signal in SIGNALS {
            scope.spawn(move || {
                for step in 0..12 {
                    let tool = tool(engine);
                    let running = tool.start([
                        "run",
                        "--rm",
                        "--cidfile",
                        "id",
                        "-l",
                        label,
                        "busybox",
                        "sh",
                        "-c",
                        script,
                    ]);
                    thread::sleep(Duration::from_millis(step * 25));
                    running.signal(signal);
                    let outcome = running.finish();
                    // A signal before it is caught has its default effect, and there is no code.
                    let codes = [status_of(signal), Some(3), Some(4), None];
                    assert!(codes.contains(&outcome.code), "{step}: {outcome:?}");
                    let id = std::fs::read_to_string(tool.directory().join("id"));
                    let is_whole = id.as_ref().is_ok_and(|id| id.len() == 64);
                    assert!(id.is_err() || is_whole, "{step}: {id:?} {outcome:?}");
                }
            });
        }
    });
    for container in engine.containers(label) {
        assert_ne!(container["State"], "created", "{container}");
    }
    until(|| engine.containers(label).is_empty().then_some(()));
}
