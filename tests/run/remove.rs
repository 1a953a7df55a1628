//! `--rm`, and nothing left after a failed run.

use harness::Kind;

use crate::{engine, tool};

#[test]
fn an_ended_container_stays_unless_it_shall_not() {
    let engine = engine!();
    let label = "an_ended_container_stays";
    tool(engine)
        .run(["run", "--rm", "-l", label, "busybox", "true"])
        .assert(0, "", "");
    assert!(engine.containers(label).is_empty());
    tool(engine)
        .run(["run", "-l", label, "busybox", "true"])
        .assert(0, "", "");
    assert_eq!(engine.containers(label).len(), 1);
    // A boolean takes its value with an equals sign only.
    tool(engine)
        .run(["run", "--rm=false", "-l", label, "busybox", "true"])
        .assert(0, "", "");
    assert_eq!(engine.containers(label).len(), 2);
}

#[test]
fn a_container_that_fails_to_start_is_removed_before_we_leave() {
    let engine = engine!();
    let label = "a_container_that_fails_to_start";
    let words = [
        "run",
        "--rm",
        "--name",
        "fails-to-start",
        "-l",
        label,
        "busybox",
        "nosuchcmd",
    ];
    for _ in 0..2 {
        assert_eq!(tool(engine).run(words).code, Some(127));
        assert!(engine.containers(label).is_empty());
    }
    // Without the option it stays, to be looked at.
    assert_eq!(
        tool(engine)
            .run(["run", "-l", label, "busybox", "nosuchcmd"])
            .code,
        Some(127)
    );
    assert_eq!(engine.containers(label).len(), 1);
}

#[test]
fn a_taken_name_is_a_conflict() {
    let engine = engine!();
    let label = "a_taken_name_is_a_conflict";
    let words = [
        "run", "--name", "taken", "-l", label, "busybox", "echo", "hi",
    ];
    tool(engine).run(words).assert(0, "hi\n", "");
    let outcome = tool(engine).run(words);
    let text = match engine.kind() {
        Kind::Dockerd | Kind::Embedded | Kind::Rootless => {
            "tool: Error response from daemon: Conflict. The container name \"/taken\" is already in use by container \""
        }
        Kind::Podman => "the container name \"taken\" is already in use by",
    };
    outcome.assert_err_contains(125, "", text);
    assert_eq!(engine.containers(label).len(), 1);
}
