//! Attached containers and processes, by hand: with `Upgrade` and without it, a connection becomes a stream both ways.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use harness::{BUSYBOX, Engine, Kind};
use serde_json::json;

use crate::support::until_running;
use crate::{Name, engine};

/// One way to be attached.
#[derive(Clone, Copy, Debug)]
struct Case {
    tty: bool,
    stdin: bool,
    upgrade: bool,
    /// Whether the input comes in one packet with the request.
    early: bool,
}

impl Case {
    /// All of them; Docker drops what came with the head.
    fn all(engine: &Engine) -> impl Iterator<Item = Case> {
        let keeps_early = matches!(engine.kind(), Kind::Embedded | Kind::Rootless);
        (0..16_u32)
            .map(|bits| {
                let bit = |number: u32| bits & (1 << number) != 0;
                Case {
                    tty: bit(0),
                    stdin: bit(1),
                    upgrade: bit(2),
                    early: bit(3),
                }
            })
            .filter(move |case| !case.early || (case.stdin && keeps_early))
    }

    /// What is run: with input it ends when that does.
    fn command(self) -> &'static [&'static str] {
        match self.stdin {
            true => &["cat"],
            false => &["echo", "hello"],
        }
    }

    /// What is typed. A terminal's input ends by a key.
    fn input(self) -> &'static str {
        match (self.stdin, self.tty) {
            (false, _) => "",
            (true, false) => "hello\n",
            (true, true) => "hello\n\x04",
        }
    }

    /// What comes back.
    fn output(self) -> &'static [u8] {
        match (self.tty, self.stdin) {
            (false, _) => b"\x01\0\0\0\0\0\0\x06hello\n",
            (true, false) => b"hello\r\n",
            // The terminal's echo, and the program's.
            (true, true) => b"hello\r\nhello\r\n",
        }
    }

    fn head(self, target: &str, body: &str) -> String {
        let upgrade = match self.upgrade {
            true => "Connection: Upgrade\r\nUpgrade: tcp\r\n",
            false => "",
        };
        let content = match body {
            "" => String::new(),
            body => format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            ),
        };
        format!("POST {target} HTTP/1.1\r\nHost: x\r\n{upgrade}{content}\r\n{body}")
    }
}

/// A connection that was asked to become a stream, and did.
struct Attached {
    stream: UnixStream,
    case: Case,
}

impl Attached {
    fn new(engine: &Engine, case: Case, request: &str) -> Attached {
        let mut stream = UnixStream::connect(engine.socket()).expect("an engine");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a limit");
        let early = if case.early { case.input() } else { "" };
        stream
            .write_all(format!("{request}{early}").as_bytes())
            .expect("written");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("UTF-8");
        let status = match case.upgrade {
            true => "HTTP/1.1 101 UPGRADED\r\n",
            false => "HTTP/1.1 200 OK\r\n",
        };
        assert!(head.starts_with(status), "{case:?}: {head}");
        assert!(
            head.to_ascii_lowercase()
                .contains("content-type: application/vnd.docker.raw-stream\r\n"),
            "{case:?}: {head}"
        );
        Attached { stream, case }
    }

    /// Types, says that no more comes, and reads to the end.
    fn talk(mut self) {
        if !self.case.early {
            self.stream
                .write_all(self.case.input().as_bytes())
                .expect("written");
        }
        // With a terminal, Docker takes the end of the input for that of the session.
        if !self.case.tty {
            self.stream.shutdown(Shutdown::Write).expect("shut down");
        }
        let mut output = Vec::new();
        self.stream.read_to_end(&mut output).expect("output");
        assert_eq!(
            String::from_utf8_lossy(&output),
            String::from_utf8_lossy(self.case.output()),
            "{:?}",
            self.case
        );
    }
}

#[test]
fn a_container_is_attached_to_both_ways_however_that_is_asked_for() {
    let engine = engine!();
    for case in Case::all(engine) {
        let name = Name::new(engine);
        let body = json!({
            "Image": BUSYBOX, "Cmd": case.command(), "Tty": case.tty, "OpenStdin": case.stdin, "StdinOnce": case.stdin,
            "HostConfig": {"NetworkMode": "none"},
        });
        let target = format!("/v1.41/containers/create?name={}", &*name);
        engine.api().post_json(&target, &body).expect_success();
        let stdin = u8::from(case.stdin);
        let target = format!(
            "/v1.41/containers/{}/attach?stream=1&stdout=1&stderr=1&stdin={stdin}",
            &*name
        );
        let attached = Attached::new(engine, case, &case.head(&target, ""));
        engine
            .api()
            .post(&format!("/v1.41/containers/{}/start", &*name))
            .expect_success();
        attached.talk();
    }
}

#[test]
fn a_process_is_attached_to_both_ways_however_that_is_asked_for() {
    let engine = engine!();
    let name = running(engine);
    for case in Case::all(engine) {
        let target = process(engine, &name, case, case.tty);
        let body = json!({"Detach": false, "Tty": case.tty}).to_string();
        Attached::new(engine, case, &case.head(&target, &body)).talk();
    }
}

/// The frames are the start's to choose, and the terminal that of the create.
#[test]
fn a_process_has_frames_as_its_start_says() {
    let engine = engine!();
    let name = running(engine);
    for upgrade in [true, false] {
        for (made_with, started_with, expected) in [
            (false, true, &b"hello\n"[..]),
            (true, false, &b"\x01\0\0\0\0\0\0\x07hello\r\n"[..]),
        ] {
            let case = Case {
                tty: made_with,
                stdin: false,
                upgrade,
                early: false,
            };
            let target = process(engine, &name, case, made_with);
            let body = json!({"Detach": false, "Tty": started_with}).to_string();
            let mut attached = Attached::new(engine, case, &case.head(&target, &body));
            let mut output = Vec::new();
            attached.stream.read_to_end(&mut output).expect("output");
            assert_eq!(
                String::from_utf8_lossy(&output),
                String::from_utf8_lossy(expected),
                "made with {made_with}, started with {started_with}"
            );
        }
    }
}

/// A container that runs.
fn running(engine: &Engine) -> Name<'_> {
    let name = Name::new(engine);
    let body = json!({
        "Image": BUSYBOX, "Cmd": ["sleep", "600"], "HostConfig": {"NetworkMode": "none"},
    });
    let target = format!("/v1.41/containers/create?name={}", &*name);
    engine.api().post_json(&target, &body).expect_success();
    engine
        .api()
        .post(&format!("/v1.41/containers/{}/start", &*name))
        .expect_success();
    until_running(engine, &name);
    name
}

/// The target by which a process of that container is started.
fn process(engine: &Engine, container: &str, case: Case, tty: bool) -> String {
    let config = json!({
        "Cmd": case.command(), "Tty": tty, "AttachStdin": case.stdin, "AttachStdout": true, "AttachStderr": true,
    });
    let target = format!("/v1.41/containers/{container}/exec");
    let answer = engine.api().post_json(&target, &config).expect_success();
    let id = answer.json()["Id"].as_str().expect("an id").to_owned();
    format!("/v1.41/exec/{id}/start")
}

/// Whoever supplies the input of an attached container must not be able to ask the engine for anything.
#[test]
fn input_that_looks_like_a_request_is_input() {
    let engine = engine!();
    let name = running(engine);
    let harm = format!(
        "DELETE /v1.41/containers/{}?force=1 HTTP/1.1\r\nHost: x\r\n\r\n",
        &*name
    );
    let case = Case {
        tty: false,
        stdin: true,
        upgrade: false,
        early: false,
    };
    let target = process(engine, &name, case, false);
    let body = json!({"Detach": false, "Tty": false}).to_string();
    let mut attached = Attached::new(engine, case, &case.head(&target, &body));
    attached.stream.write_all(harm.as_bytes()).expect("written");
    attached
        .stream
        .shutdown(Shutdown::Write)
        .expect("shut down");
    let mut output = Vec::new();
    attached.stream.read_to_end(&mut output).expect("output");
    assert_eq!(output.get(8..), Some(harm.as_bytes()));
    assert_eq!(engine.inspect(&name)["State"]["Running"], true);
}
