//! Engines that are missing, die or break the protocol: an error, no hang, no leaked container.

use std::time::{Duration, Instant};

use harness::{BrokenEngine, Engine, Modes, Outcome, Program, Pty, Reply, Request};

use crate::{engine, program, tool, until_running};

const ID: &str = "4fa6e0f0c6786287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2";

/// An engine that runs a container which says and does nothing, but answers the requests that `odd` takes its own way.
fn engine_with(odd: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> BrokenEngine {
    BrokenEngine::start(move |request| {
        let target = request.target.split('?').next().unwrap_or_default();
        odd(request).unwrap_or_else(|| match target.rsplit('/').next().unwrap_or_default() {
            "_ping" => Reply::json(200, ""),
            "create" => Reply::json(201, &format!("{{\"Id\":\"{ID}\",\"Warnings\":[]}}")),
            "attach" => Reply::upgrade(b""),
            "wait" => Reply::json(200, "{\"StatusCode\":0}"),
            "start" => Reply::empty(204),
            _ => Reply::json(404, "{\"message\":\"not here\"}"),
        })
    })
}

/// An engine that answers the requests to this path in its own way.
fn engine_whose(path: &'static str, reply: Reply) -> BrokenEngine {
    engine_with(move |request| {
        let target = request.target.split('?').next().unwrap_or_default();
        target.ends_with(path).then(|| reply.clone())
    })
}

fn on(engine: &BrokenEngine) -> Program {
    program().with_env("DOCKER_HOST", engine.host())
}

/// Runs, and wants an error within a few seconds.
#[track_caller]
fn fails(engine: &BrokenEngine, code: i32, part: &str) -> Outcome {
    let start = Instant::now();
    let outcome = on(engine).run(["run", "--rm", "x"]);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    assert!(
        outcome.err().contains(part),
        "{part:?} is not in {:?}",
        outcome.err()
    );
    assert!(!outcome.err().contains("panicked"), "{}", outcome.err());
    outcome
}

#[test]
fn a_well_behaved_fake_is_taken_for_an_engine() {
    let engine = engine_with(|_| None);
    on(&engine).run(["run", "--rm", "x"]).assert(0, "", "");
}

#[test]
fn a_socket_that_is_not_there_is_named() {
    let outcome = program().run(["-H", "unix:///nonexist/socket", "run", "x"]);
    let text = "failed to connect to the docker API at unix:///nonexist/socket; check if the path is correct and if the daemon is running: dial unix /nonexist/socket: connect: no such file or directory\n";
    outcome.assert(1, "", text);
}

#[test]
fn a_port_that_nobody_listens_on_is_named() {
    // Bound and let go: nobody listens there now.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let host = format!("tcp://127.0.0.1:{port}");
    let outcome = program().run(["-H", &host, "run", "x"]);
    let text =
        format!("Cannot connect to the Docker daemon at {host}. Is the docker daemon running?\n");
    outcome.assert(1, "", &text);
}

#[test]
fn a_host_that_has_no_address_is_named() {
    let outcome = program().run(["-H", "tcp://nosuchhost.invalid:1", "run", "x"]);
    assert_eq!(
        (outcome.code, outcome.out().as_str()),
        (Some(1), ""),
        "{outcome:?}"
    );
    assert!(
        outcome.err().contains("nosuchhost.invalid"),
        "{}",
        outcome.err()
    );
}

#[test]
fn an_engine_that_says_nothing_is_given_up() {
    let engine = BrokenEngine::start(|_| Reply::hold(""));
    let start = Instant::now();
    let outcome = fails(&engine, 1, "");
    let taken = start.elapsed();
    assert!(outcome.err().contains(&engine.host()), "{}", outcome.err());
    let text = "took the connection but does not answer";
    assert!(outcome.err().contains(text), "{}", outcome.err());
    assert!(
        (Duration::from_secs(2)..Duration::from_secs(5)).contains(&taken),
        "{taken:?}"
    );
}

#[test]
fn an_engine_that_speaks_no_http_is_an_error() {
    const NONSENSE: [&str; 4] = [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "\0\0\0\0",
        "HTTP/1.1 abc\r\n\r\n",
        "",
    ];
    for nonsense in NONSENSE {
        let engine = BrokenEngine::start(move |_| Reply::bytes(nonsense));
        fails(&engine, 125, "/_ping");
    }
    for path in ["/containers/create", "/attach", "/start"] {
        for nonsense in NONSENSE {
            fails(&engine_whose(path, Reply::bytes(nonsense)), 125, path);
        }
    }
}

#[test]
fn an_answer_of_the_wrong_shape_is_an_error() {
    for body in ["[]", "{", "\"x\"", "{\"Id\":7}", "{}", "null", ""] {
        let engine = engine_whose("/containers/create", Reply::json(201, body));
        fails(&engine, 125, "/containers/create");
    }
    for body in ["[]", "{", "{\"StatusCode\":\"x\"}"] {
        let engine = engine_whose("/wait", Reply::json(200, body));
        fails(&engine, 125, "error waiting for container");
    }
}

#[test]
fn an_answer_that_is_cut_is_an_error() {
    let head = "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"Id\":";
    fails(
        &engine_whose("/containers/create", Reply::bytes(head)),
        125,
        "/containers/create",
    );
    fails(
        &engine_whose("/containers/create", Reply::bytes("HTTP/1.1 201 Cre")),
        125,
        "/containers/create",
    );
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    fails(
        &engine_whose("/wait", Reply::bytes(chunked)),
        125,
        "error waiting for container",
    );
}

#[test]
fn an_id_that_would_be_another_path_is_refused() {
    let engine = engine_whose(
        "/containers/create",
        Reply::json(201, "{\"Id\":\"../../images\",\"Warnings\":[]}"),
    );
    let outcome = on(&engine).run(["run", "--rm", "x"]);
    assert_eq!(outcome.code, Some(125), "{outcome:?}");
    for request in engine.requests() {
        assert!(!request.target.contains(".."), "{}", request.target);
    }
}

#[test]
fn a_refused_attach_starts_nothing_and_leaves_nothing() {
    for reply in [
        Reply::json(400, "{\"message\":\"no\"}"),
        Reply::json(200, ""),
        Reply::bytes("what?\r\n\r\n"),
        Reply::bytes(""),
    ] {
        let engine = engine_whose("/attach", reply);
        fails(&engine, 125, "");
        let requests = engine.requests();
        let removed = requests
            .iter()
            .any(|request| request.method == "DELETE" && request.target.contains(ID));
        assert!(removed, "{requests:#?}");
        assert!(
            !requests
                .iter()
                .any(|request| request.target.ends_with("/start"))
        );
    }
}

#[test]
fn frames_are_cut_short_without_harm() {
    for (stream, out) in [
        (&b"\x01\0\0\0\0\0\0\x05hello\x01\0\0"[..], "hello"),
        (b"\x01\0\0\0\0\0\0\x05hel", "hel"),
        (b"\x01\0\0\0\xff\xff\xff\xffhel", "hel"),
        (b"\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0", ""),
    ] {
        let engine = engine_whose("/attach", Reply::upgrade(stream));
        on(&engine).run(["run", "--rm", "x"]).assert(0, out, "");
    }
}

#[test]
fn frames_of_no_known_stream_are_an_error() {
    for (stream, part) in [
        (&b"\x07\0\0\0\0\0\0\x05hello"[..], "unrecognized stream: 7"),
        (
            b"\x03\0\0\0\0\0\0\x06broken",
            "error from daemon in stream: broken",
        ),
    ] {
        // The container runs on: its status does not come before the frame.
        let engine = engine_with(move |request| {
            let target = request.target.split('?').next().unwrap_or_default();
            match target.rsplit('/').next().unwrap_or_default() {
                "attach" => Some(Reply::upgrade(stream)),
                "wait" => Some(Reply::hold(
                    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
                )),
                _ => None,
            }
        });
        fails(&engine, 125, part);
        // The status is there at once, and the output is lost all the same.
        fails(&engine_whose("/attach", Reply::upgrade(stream)), 125, part);
    }
}

#[test]
fn warnings_are_shown_before_the_output() {
    let body = format!("{{\"Id\":\"{ID}\",\"Warnings\":[\"first\",\"second\"]}}");
    let engine = engine_whose("/containers/create", Reply::json(201, &body));
    on(&engine)
        .run(["run", "--rm", "x"])
        .assert(0, "", "WARNING: first\nWARNING: second\n");
}

#[test]
fn control_characters_in_an_engines_message_do_no_harm() {
    let engine = engine_whose(
        "/containers/create",
        Reply::json(500, "{\"message\":\"  trimmed\\n\"}"),
    );
    fails(
        &engine,
        125,
        "tool: Error response from daemon: trimmed\n\nRun ",
    );
    let engine = engine_whose(
        "/containers/create",
        Reply::bytes("HTTP/1.1 500 X\r\nContent-Length: 5\r\n\r\nplain"),
    );
    fails(&engine, 125, "tool: Error response from daemon: plain\n");
}

#[test]
fn a_redirect_is_not_followed() {
    let engine = engine_whose(
        "/containers/create",
        Reply::bytes("HTTP/1.1 307 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"),
    );
    fails(&engine, 125, "redirect");
    assert!(
        !engine
            .requests()
            .iter()
            .any(|request| request.target == "/elsewhere")
    );
}

#[test]
fn an_engine_that_dies_under_a_container_is_an_error() {
    // Left out by name where there is no engine.
    let shared = engine!();
    let engine = Engine::start(shared.kind()).expect("an engine to kill");
    let mut running =
        tool(&engine).start(["run", "--rm", "-i", "--name", "orphan", "busybox", "cat"]);
    running.write("alive\n");
    running.wait_for_out("alive\n");
    // The container may be heard before the engine has answered that it started it.
    std::thread::sleep(Duration::from_millis(500));
    engine.crash();
    let outcome = running.finish();
    assert_eq!(
        (outcome.code, outcome.out().as_str()),
        (Some(125), "alive\n"),
        "{}",
        outcome.err()
    );
    assert!(
        outcome.err().contains("error waiting for container"),
        "{}",
        outcome.err()
    );
}

#[test]
fn an_engine_that_dies_leaves_the_terminal_as_before() {
    let shared = engine!();
    let engine = Engine::start(shared.kind()).expect("an engine to kill");
    let pty = Pty::open(24, 80);
    let before = pty.modes();
    let running = tool(&engine).start_on(
        &pty,
        ["run", "--rm", "-it", "--name", "orphan", "busybox", "cat"],
    );
    until_running(&engine, "orphan");
    pty.wait_for_modes(Modes::is_raw);
    std::thread::sleep(Duration::from_millis(500));
    engine.crash();
    assert_eq!(running.finish().code, Some(125), "{:?}", pty.text());
    assert_eq!(pty.modes(), before);
}

#[test]
fn a_reader_that_has_gone_ends_it_quietly() {
    let engine = engine!();
    let label = "reader_gone";
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tool"))
        .args(["run", "--rm", "-l", label, "--log-driver", "none"])
        .args(["busybox", "yes"])
        .env("DOCKER_HOST", engine.host())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("tool starts");
    let mut first = [0; 2];
    let mut reader = child.stdout.take().expect("a pipe");
    std::io::Read::read_exact(&mut reader, &mut first).expect("output");
    drop(reader);
    let output = child.wait_with_output().expect("tool ends");
    assert_eq!((&first, output.status.code()), (b"y\n", Some(128 + 13)));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    for container in engine.containers(label) {
        engine.remove(container["Id"].as_str().expect("an ID"));
    }
}
