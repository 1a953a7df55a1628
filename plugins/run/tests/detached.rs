//! Detached containers: the printed ID, and no unneeded request.

mod engine;

use byname::ExitStatus;
use engine::{Engine, ID, Script, error};

const SEQUENCE: [&str; 3] = [
    "HEAD /_ping",
    "POST /containers/create",
    "POST /containers/ID/start",
];

#[test]
fn three_requests_and_the_id() {
    let engine = Engine::new(Script::default());
    let outcome = engine.run(&["run", "-dit", "--rm", "img"]);
    assert_eq!(outcome.stdout, format!("{ID}\n"));
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.status, ExitStatus::Success);
    assert_eq!(engine.lines(), SEQUENCE);
    let body = engine.request("POST /containers/create").json();
    assert_eq!(body["AttachStdin"], false);
    assert_eq!(body["AttachStdout"], false);
    assert_eq!(body["OpenStdin"], true);
    assert_eq!(body["StdinOnce"], false);
    assert_eq!(body["Tty"], true);
}

#[test]
fn the_id_of_a_container_that_does_not_start_is_printed_too() {
    let start = error(
        400,
        "exec: \"x\": executable file not found in $PATH: unknown",
    );
    let engine = Engine::new(Script {
        start,
        ..Script::default()
    });
    let outcome = engine.run(&["run", "-d", "img", "x"]);
    assert_eq!(outcome.stdout, format!("{ID}\n"));
    assert!(
        outcome
            .stderr
            .starts_with("tool: Error response from daemon: exec: "),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.status, ExitStatus::Code(127));
    assert_eq!(engine.lines(), SEQUENCE);
}
