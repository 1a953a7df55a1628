//! Foreground containers: requests, output and status.

mod engine;

use byname::ExitStatus;
use engine::{Engine, Script, created, error, exited, frame};

/// The requests of a container that runs in the foreground.
const SEQUENCE: [&str; 5] = [
    "HEAD /_ping",
    "POST /containers/create",
    "POST /containers/ID/attach",
    "POST /containers/ID/wait",
    "POST /containers/ID/start",
];

#[test]
fn five_requests_and_the_containers_own_status() {
    let output = [frame(1, "out\n"), frame(2, "err\n")].concat();
    let engine = Engine::new(Script {
        output,
        wait: exited(7),
        ..Script::default()
    });
    let outcome = engine.run(&["run", "img", "cmd", "-x", "--", "y"]);
    assert_eq!(outcome.stdout, "out\n");
    assert_eq!(outcome.stderr, "err\n");
    assert_eq!(outcome.status, ExitStatus::Code(7));
    assert_eq!(engine.lines(), SEQUENCE);
    let body = engine.request("POST /containers/create").json();
    assert_eq!(body["Cmd"], serde_json::json!(["cmd", "-x", "--", "y"]));
    assert_eq!(body["Image"], "img");
    assert_eq!(
        engine.request("POST /containers/ID/attach").line(),
        "POST /containers/ID/attach?stderr=1&stdout=1&stream=1"
    );
    assert_eq!(
        engine.request("POST /containers/ID/wait").line(),
        "POST /containers/ID/wait?condition=next-exit"
    );
}

#[test]
fn what_is_removed_is_waited_for_until_then() {
    let engine = Engine::new(Script::default());
    let words = [
        "run",
        "--rm",
        "-i",
        "--name",
        "n",
        "--platform",
        "amd64",
        "--detach-keys",
        "ctrl-a",
        "img",
    ];
    assert_eq!(engine.run(&words).status, ExitStatus::Success);
    assert_eq!(engine.lines(), SEQUENCE);
    let line = |start| engine.request(start).line();
    assert_eq!(
        line("POST /containers/create"),
        "POST /containers/create?name=n&platform=linux%2Famd64"
    );
    assert_eq!(
        line("POST /containers/ID/attach"),
        "POST /containers/ID/attach?detachKeys=ctrl-a&stderr=1&stdin=1&stdout=1&stream=1"
    );
    assert_eq!(
        line("POST /containers/ID/wait"),
        "POST /containers/ID/wait?condition=removed"
    );
    let body = engine.request("POST /containers/create").json();
    assert_eq!(body["HostConfig"]["AutoRemove"], true);
    assert_eq!(body["OpenStdin"], true);
    assert_eq!(body["StdinOnce"], true);
}

#[test]
fn variables_come_from_files_the_command_line_and_the_client() {
    let engine = Engine::new(Script::default());
    let file = engine.path("env");
    std::fs::write(&file, "A=1\n# no\nFROM_CLIENT\nUNSET\n").unwrap();
    let file = file.to_str().unwrap();
    let words = [
        "run",
        "-e",
        "B=2",
        "-e",
        "FROM_CLIENT",
        "--env-file",
        file,
        "img",
    ];
    engine.run_with(
        &words,
        b"",
        &[
            ("FROM_CLIENT", "x"),
            ("DOCKER_DEFAULT_PLATFORM", "linux/arm64"),
        ],
    );
    let request = engine.request("POST /containers/create");
    assert_eq!(
        request.json()["Env"],
        serde_json::json!(["A=1", "FROM_CLIENT=x", "B=2", "FROM_CLIENT=x"])
    );
    assert!(
        request.target.ends_with("?platform=linux%2Farm64"),
        "{}",
        request.target
    );
}

#[test]
fn warnings_come_before_the_container() {
    let script = Script {
        create: vec![created(&["one", "two"])],
        output: frame(2, "err\n"),
        ..Script::default()
    };
    let outcome = Engine::new(script).run(&["run", "img"]);
    assert_eq!(outcome.stderr, "WARNING: one\nWARNING: two\nerr\n");
}

#[test]
fn a_failed_start_has_the_status_of_its_reason() {
    for (message, status) in [
        (
            "exec: \"x\": executable file not found in $PATH: unknown",
            127,
        ),
        ("exec: \"/etc\": permission denied: unknown", 126),
        ("no luck", 125),
    ] {
        for words in [&["run", "img"][..], &["run", "--rm", "img"]] {
            let engine = Engine::new(Script {
                start: error(400, message),
                ..Script::default()
            });
            let outcome = engine.run(words);
            let text = format!(
                "tool: Error response from daemon: {message}\n\nRun 'tool run --help' for more information\n"
            );
            assert_eq!(outcome.stderr, text);
            assert_eq!(outcome.status, ExitStatus::Code(status));
            // The engine removes what it could not start.
            assert_eq!(engine.lines(), SEQUENCE);
        }
    }
}

#[test]
fn what_is_never_started_is_removed_if_it_was_to_be() {
    for (words, removes) in [
        (&["run", "--rm", "img"][..], true),
        (&["run", "img"], false),
    ] {
        let engine = Engine::new(Script {
            attach: Some((400, String::new())),
            ..Script::default()
        });
        let outcome = engine.run(words);
        assert_eq!(
            outcome.stderr,
            "tool: unable to upgrade to tcp, received 400\n\nRun 'tool run --help' for more information\n"
        );
        assert_eq!(outcome.status, ExitStatus::Code(125));
        let lines = engine.lines();
        assert_eq!(
            lines.contains(&"DELETE /containers/ID".to_owned()),
            removes,
            "{lines:?}"
        );
        assert!(
            !lines.contains(&"POST /containers/ID/start".to_owned()),
            "{lines:?}"
        );
    }
}

#[test]
fn an_engine_that_dies_is_told_of() {
    let engine = Engine::new(Script {
        dies: true,
        output: frame(1, "half"),
        ..Script::default()
    });
    let outcome = engine.run(&["run", "img"]);
    assert_eq!(outcome.stdout, "half");
    assert!(
        outcome.stderr.starts_with("error waiting for container: "),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.status, ExitStatus::Code(125));
}

#[test]
fn a_wait_that_fails_is_told_of() {
    let wait = "{\"StatusCode\":0,\"Error\":{\"Message\":\"lost it\"}}".to_owned();
    let outcome = Engine::new(Script {
        wait,
        ..Script::default()
    })
    .run(&["run", "img"]);
    assert_eq!(outcome.stderr, "error waiting for container: lost it\n");
    assert_eq!(outcome.status, ExitStatus::Code(125));
}

#[test]
fn a_stream_of_the_wrong_shape_is_told_of() {
    let mut output = frame(1, "good");
    output.extend(b"\x09\0\0\0\0\0\0\x01x");
    // The wait never ends, so the stream is what counts.
    let engine = Engine::new(Script {
        output,
        wait: String::new(),
        ..Script::default()
    });
    let outcome = engine.run(&["run", "img"]);
    assert_eq!(outcome.stdout, "good");
    assert_eq!(outcome.status, ExitStatus::Code(125));
    assert!(!outcome.stderr.is_empty());
}
