//! Signals at each stage. They are sent to this process, so all of it is one test, and the only one of its process.

mod engine;

use std::sync::Mutex;
use std::time::Duration;

use byname::ExitStatus;
use engine::{Engine, Script, created, error};
use rustix::process::{Signal, getpid, kill_process};

/// Sends a signal to this process, which has to be caught by now, and lets it arrive.
fn send(signal: Signal) {
    kill_process(getpid(), signal).expect("to signal oneself");
    std::thread::sleep(Duration::from_millis(300));
}

/// A script that signals before it answers the request with this line.
fn signal_before(line: &'static str, signal: Signal, script: Script) -> Script {
    let sent = Mutex::new(false);
    let before = move |asked: &str| {
        if asked == line && !std::mem::replace(&mut *sent.lock().unwrap(), true) {
            send(signal);
        }
    };
    Script {
        before: Some(Box::new(before)),
        ..script
    }
}

#[test]
fn signals_at_each_stage() {
    // What is ignored from the start on, as by `nohup`, would stay so.
    harness::default_signals();
    a_pull_is_broken_off();
    a_container_that_is_being_created_is_removed();
    a_container_that_is_created_is_removed();
    a_signal_during_the_start_reaches_the_container();
    without_forwarding_it_does_not();
}

fn a_pull_is_broken_off() {
    let script = Script {
        create: vec![error(404, "No such image: img:latest"), created(&[])],
        ..Script::default()
    };
    let engine = Engine::new(signal_before("POST /images/create", Signal::INT, script));
    let path = engine.path("cid").to_str().unwrap().to_owned();
    let outcome = engine.run(&["run", "-q", "--cidfile", &path, "img"]);
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.status, ExitStatus::Signal(2));
    assert_eq!(
        engine.lines(),
        [
            "HEAD /_ping",
            "POST /containers/create",
            "POST /images/create"
        ]
    );
    assert!(!std::fs::exists(path).unwrap());
}

fn a_container_that_is_being_created_is_removed() {
    let engine = Engine::new(signal_before(
        "POST /containers/create",
        Signal::TERM,
        Script::default(),
    ));
    let outcome = engine.run(&["run", "--rm", "-d", "img"]);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    assert_eq!(outcome.status, ExitStatus::Signal(15));
    assert_eq!(
        engine.lines(),
        [
            "HEAD /_ping",
            "POST /containers/create",
            "DELETE /containers/ID"
        ]
    );
}

fn a_container_that_is_created_is_removed() {
    let engine = Engine::new(signal_before(
        "POST /containers/ID/wait",
        Signal::HUP,
        Script::default(),
    ));
    let outcome = engine.run(&["run", "--rm", "img"]);
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.status, ExitStatus::Signal(1));
    let lines = engine.lines();
    assert_eq!(lines.last().unwrap(), "DELETE /containers/ID");
    assert!(!lines.contains(&"POST /containers/ID/start".to_owned()));
}

fn a_signal_during_the_start_reaches_the_container() {
    // What was kept is sent right after the start, before the session is looked at.
    let script = signal_before("POST /containers/ID/start", Signal::USR1, Script::default());
    let engine = Engine::new(script);
    let outcome = engine.run(&["run", "img"]);
    assert_eq!(outcome.status, ExitStatus::Success);
    assert_eq!(
        engine.request("POST /containers/ID/kill").line(),
        "POST /containers/ID/kill?signal=USR1"
    );
}

fn without_forwarding_it_does_not() {
    let engine = Engine::new(signal_before(
        "POST /containers/ID/start",
        Signal::INT,
        Script::default(),
    ));
    let outcome = engine.run(&["run", "--sig-proxy=false", "img"]);
    assert_eq!(outcome.status, ExitStatus::Success);
    assert!(
        !engine
            .lines()
            .contains(&"POST /containers/ID/kill".to_owned())
    );
}
