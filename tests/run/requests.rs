//! Requests on the wire: none that is not needed.

use harness::{Forward, Kind};

use crate::{engine, program};

/// The request lines of a run, with the container's id and the API's version taken out.
fn requests(forward: &Forward) -> Vec<String> {
    let mut lines = forward.request_lines();
    for line in &mut lines {
        let parts: Vec<&str> = line.split('/').collect();
        let parts = parts.iter().map(|part| match part {
            part if part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit()) => "ID",
            part if part.starts_with("v1.") => "VERSION",
            part => part,
        });
        *line = parts.collect::<Vec<_>>().join("/");
    }
    // Attach and wait go out at the same time, each on a connection of its own.
    lines.sort_unstable();
    lines
}

#[test]
fn a_run_over_tcp_makes_five_requests_on_three_connections() {
    let engine = engine!();
    let forward = Forward::to(engine.socket());
    let tool = program().with_env("DOCKER_HOST", forward.host());
    tool.run(["run", "--rm", "busybox", "echo", "over tcp"])
        .assert(0, "over tcp\n", "");
    let mut expected = vec![
        "HEAD /_ping",
        "POST /VERSION/containers/ID/attach?stderr=1&stdout=1&stream=1",
        "POST /VERSION/containers/ID/start",
        "POST /VERSION/containers/ID/wait?condition=removed",
        "POST /VERSION/containers/create",
    ];
    if engine.kind() == Kind::Podman {
        // Which has no status for who waits for the removal.
        expected.insert(3, "POST /VERSION/containers/ID/wait?condition=next-exit");
    }
    assert_eq!(requests(&forward), expected);
    let connections = forward.connections();
    assert!(connections <= expected.len() - 2, "{connections}");
}

#[test]
fn a_detached_run_makes_three_on_one_connection() {
    let engine = engine!();
    let forward = Forward::to(engine.socket());
    let tool = program().with_env("DOCKER_HOST", forward.host());
    let outcome = tool.run([
        "run",
        "-d",
        "--rm",
        "--name",
        "detached-requests",
        "busybox",
        "true",
    ]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    assert_eq!(
        requests(&forward),
        [
            "HEAD /_ping",
            "POST /VERSION/containers/ID/start",
            "POST /VERSION/containers/create?name=detached-requests",
        ]
    );
    assert_eq!(forward.connections(), 1);
}
