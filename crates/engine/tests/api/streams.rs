//! Connections that become streams, at the wire: whatever a client sends behind such a request is input, never a request.

use std::io::{Read, Write};
use std::net::Shutdown;

use serde_json::{Value, json};

use crate::containers::create;
use crate::monitor::{Monitored, UPGRADE, read_head, receive_stream};
use crate::wire::Fixture;

/// What would be a request if it were read as one.
const HARM: &str = "DELETE /containers/one?force=1 HTTP/1.1\r\nHost: x\r\n\r\n";

/// One way to ask for a stream.
#[derive(Clone, Copy, Debug)]
struct Case {
    is_exec: bool,
    tty: bool,
    stdin: bool,
    upgrade: bool,
    /// Whether input comes with the head, too.
    early: bool,
    /// Whether the client ends its input before the output comes.
    ends: bool,
}

impl Case {
    fn all() -> impl Iterator<Item = Case> {
        (0..64_u32).map(|bits| {
            let bit = |number: u32| bits & (1 << number) != 0;
            Case {
                is_exec: bit(0),
                tty: bit(1),
                stdin: bit(2),
                upgrade: bit(3),
                early: bit(4),
                ends: bit(5),
            }
        })
    }

    fn content_type(self) -> &'static str {
        match self.upgrade && !self.tty {
            true => "application/vnd.docker.multiplexed-stream",
            false => "application/vnd.docker.raw-stream",
        }
    }

    /// The request, for which the container is ready.
    fn request(self, container: &Monitored) -> String {
        let upgrade = match self.upgrade {
            true => UPGRADE,
            false => "Host: x\r\n",
        };
        if !self.is_exec {
            let stdin = u8::from(self.stdin);
            let target = format!("/v1.45/containers/one/attach?stream=1&stdout=1&stdin={stdin}");
            return format!("POST {target} HTTP/1.1\r\n{upgrade}\r\n");
        }
        let config = json!({
            "Cmd": ["cat"], "Tty": self.tty, "AttachStdin": self.stdin, "AttachStdout": true,
        });
        let (status, made) = container
            .fixture
            .post("/v1.45/containers/one/exec", &config);
        assert_eq!(status, "201", "{made}");
        let id = made["Id"].as_str().expect("an id");
        let body = json!({"Detach": false, "Tty": self.tty}).to_string();
        format!(
            "POST /v1.45/exec/{id}/start HTTP/1.1\r\n{upgrade}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

#[test]
fn all_that_follows_is_the_stream_however_it_was_asked_for() {
    for case in Case::all() {
        let container = Monitored::new(json!({"Tty": case.tty, "OpenStdin": true}));
        let request = case.request(&container);
        let served = container.answer(move |_, monitor| {
            monitor.write_all(b"\"ready\"\n").expect("written");
            let (line, mut client) = receive_stream(monitor);
            let mut input = String::new();
            if !case.ends {
                client.write_all(b"output").expect("written");
            }
            client.read_to_string(&mut input).expect("input");
            if case.ends {
                client.write_all(b"output").expect("written");
            }
            (line["stream"]["early"].clone(), input)
        });
        let mut client = container.fixture.connect();
        let (early, late) = match case.early {
            true => HARM.split_at(20),
            false => ("", HARM),
        };
        client
            .write_all(format!("{request}{early}").as_bytes())
            .expect("written");
        let head = read_head(&mut client);
        let status = match case.upgrade {
            true => "HTTP/1.1 101 UPGRADED\r\n",
            false => "HTTP/1.1 200 OK\r\n",
        };
        assert!(head.starts_with(status), "{case:?}: {head}");
        let head = head.to_ascii_lowercase();
        let content_type = format!("\r\ncontent-type: {}\r\n", case.content_type());
        assert!(head.contains(&content_type), "{case:?}: {head}");
        assert_eq!(
            head.contains("\r\nconnection: upgrade\r\nupgrade: tcp\r\n"),
            case.upgrade,
            "{case:?}: {head}"
        );
        for framing in ["content-length", "transfer-encoding"] {
            assert!(!head.contains(framing), "{case:?}: {head}");
        }
        let mut output = String::new();
        if !case.ends {
            let mut bytes = [0; 6];
            client.read_exact(&mut bytes).expect("output");
            output.push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
        }
        client.write_all(late.as_bytes()).expect("written");
        client.shutdown(Shutdown::Write).expect("shut down");
        client.read_to_string(&mut output).expect("output");
        assert_eq!(output, "output", "{case:?}");
        let (early, input) = served.recv().expect("a session");
        let early = decoded(&early);
        assert_eq!(format!("{early}{input}"), HARM, "{case:?}");
    }
}

/// The text that those few early bytes are in base64.
fn decoded(early: &Value) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = early.as_str().expect("a text").trim_end_matches('=');
    let bits: Vec<bool> = text
        .chars()
        .map(|letter| alphabet.find(letter).expect("base64"))
        .flat_map(|value| (0..6).rev().map(move |bit| value & (1 << bit) != 0))
        .collect();
    let bytes = bits.chunks_exact(8).map(|bits| {
        bits.iter()
            .fold(0_u8, |byte, &bit| byte << 1 | u8::from(bit))
    });
    String::from_utf8(bytes.collect()).expect("UTF-8")
}

/// Where there is no stream, what was meant for it is still not a request.
#[test]
fn input_of_a_stream_that_is_refused_is_not_read_as_requests() {
    let fixture = Fixture::new();
    let id = create(&fixture, "one", json!({}));
    for target in [
        "/containers/none/attach?stream=1&stdin=1",
        "/v1.45/containers/none/attach?stream=1&stdin=1",
        "/v9.99/containers/one/attach?stream=1&stdin=1",
        "/containers/%ff/attach?stream=1&stdin=1",
        "/containers/none/%61ttach?stream=1&stdin=1",
        "/containers/one/attach/ws?stream=1&stdin=1",
        "/exec/none/start",
        "/exec/none/start?x=1",
        // Nothing of the API, and yet what a client may mean by it is a stream.
        "//containers/one/attach?stream=1&stdin=1",
        "/v1.45//containers/one/attach?stream=1&stdin=1",
        "/containers//one/attach?stream=1&stdin=1",
        "/Containers/one/attach?stream=1&stdin=1",
        "/v1.45/v1.45/containers/one/attach?stream=1&stdin=1",
        "/exec/none/start/",
        "/exec//none/start",
        "/session",
    ] {
        for upgrade in [UPGRADE, "Host: x\r\n"] {
            if target == "/session" && upgrade != UPGRADE {
                continue;
            }
            let answer =
                fixture.exchange(&format!("POST {target} HTTP/1.1\r\n{upgrade}\r\n{HARM}"));
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{target}: {answer}");
            assert!(
                answer
                    .to_ascii_lowercase()
                    .contains("\r\nconnection: close\r\n"),
                "{target}: {answer}"
            );
        }
    }
    assert_eq!(
        fixture.get("/containers/one/json")["Id"],
        json!(id),
        "nobody removed it"
    );
    // Other requests go on as before.
    let answer = fixture.exchange(&format!(
        "GET /containers/none/json HTTP/1.1\r\nHost: x\r\n\r\n{HARM}"
    ));
    assert!(answer.contains("HTTP/1.1 204 "), "{answer}");
}

#[test]
fn what_was_answered_before_a_stream_is_sent_before_it() {
    let container = Monitored::new(json!({"OpenStdin": true}));
    let served = container.answer(|_, monitor| {
        monitor.write_all(b"\"ready\"\n").expect("written");
        let (line, mut client) = receive_stream(monitor);
        client.write_all(b"output").expect("written");
        let mut input = String::new();
        client.read_to_string(&mut input).expect("input");
        (line["stream"]["early"].clone(), input)
    });
    // More answers than a socket holds, so that they are on their way when the stream is asked for.
    let mut client = container.fixture.connect();
    let count = 4000;
    let pings = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n".repeat(count);
    let request = format!(
        "{pings}POST /containers/one/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n{HARM}"
    );
    let mut writer = client.try_clone().expect("a stream");
    let writing = std::thread::spawn(move || {
        writer.write_all(request.as_bytes()).expect("written");
        writer.shutdown(Shutdown::Write).expect("shut down");
    });
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("answers");
    writing.join().expect("no panic");
    assert_eq!(answer.matches("HTTP/1.1 200 OK\r\n").count(), count + 1);
    assert!(answer.ends_with("\r\n\r\noutput"), "{:?}", answer.len());
    let (early, input) = served.recv().expect("a session");
    assert_eq!(format!("{}{input}", decoded(&early)), HARM);
}

#[test]
fn a_body_that_was_declared_is_input_and_one_in_chunks_is_refused() {
    let container = Monitored::new(json!({"OpenStdin": true}));
    let served = container.answer(|_, monitor| {
        monitor.write_all(b"\"ready\"\n").expect("written");
        let (line, mut client) = receive_stream(monitor);
        let mut input = String::new();
        client.read_to_string(&mut input).expect("input");
        (line["stream"]["early"].clone(), input)
    });
    let target = "/containers/one/attach?stream=1&stdin=1";
    let answer = container.fixture.exchange(&format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{HARM}"
    ));
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    let (early, input) = served.recv().expect("a session");
    assert_eq!(format!("{}{input}", decoded(&early)), HARM);
    let answer = container.fixture.exchange(&format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n{HARM}"
    ));
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("cannot be sent in chunks"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

#[test]
fn a_process_has_frames_as_the_start_says_whatever_it_was_made_with() {
    for (made, started) in [(false, true), (true, false), (true, true)] {
        let container = Monitored::new(json!({}));
        let config = json!({"Cmd": ["sh"], "Tty": made, "AttachStdout": true});
        let (status, body) = container.fixture.post("/containers/one/exec", &config);
        assert_eq!(status, "201", "{body}");
        let id = body["Id"].as_str().expect("an id").to_owned();
        let asked = container.answer(|request, monitor| {
            monitor.write_all(b"\"ready\"\n").expect("written");
            receive_stream(monitor);
            request
        });
        let body = json!({"tty": started, "consolesize": [24, 80]}).to_string();
        let answer = container.fixture.exchange(&format!(
            "POST /v1.45/exec/{id}/start HTTP/1.1\r\n{UPGRADE}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let content_type = match started {
            true => "application/vnd.docker.raw-stream",
            false => "application/vnd.docker.multiplexed-stream",
        };
        assert!(answer.contains(content_type), "{answer}");
        let size = match started {
            true => json!({"height": 24, "width": 80}),
            // There is none without a terminal.
            false => Value::Null,
        };
        let expected =
            json!({"exec_start": {"id": id, "detach": false, "tty": started, "size": size}});
        assert_eq!(asked.recv().expect("a request"), expected);
    }
}

/// docker-py drops what it reads together with the head of the answer.
#[test]
fn output_follows_when_the_client_has_read_the_head() {
    use std::time::{Duration, Instant};
    let handed = |agent: &str, reads: bool| {
        let container = Monitored::new(json!({}));
        let served = container.answer(|_, monitor| {
            monitor.write_all(b"\"ready\"\n").expect("written");
            let start = Instant::now();
            let (_, mut client) = receive_stream(monitor);
            client.write_all(b"output").expect("written");
            start.elapsed()
        });
        let mut client = container.fixture.connect();
        let request = format!(
            "POST /containers/one/attach?stream=1&stdout=1 HTTP/1.1\r\n{UPGRADE}User-Agent: {agent}\r\n\r\n"
        );
        client.write_all(request.as_bytes()).expect("written");
        if !reads {
            return (served.recv().expect("a session"), None);
        }
        // One read takes all that is there when the head is.
        let mut together = [0; 4096];
        let count = client.read(&mut together).expect("a head");
        let head = String::from_utf8_lossy(&together[..count]).into_owned();
        (served.recv().expect("a session"), Some(head))
    };
    for _ in 0..20 {
        let (_, head) = handed("docker-sdk-python/5.0.3", true);
        let head = head.expect("a head");
        assert!(head.ends_with("\r\n\r\n"), "only the head: {head}");
    }
    let (waited, _) = handed("docker-sdk-python/5.0.3", false);
    assert!(waited >= Duration::from_millis(4), "{waited:?}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    // Docker's own client, and ours, keep what follows: the fastest of some is not held up.
    let fastest = (0..10).map(|_| handed("Docker-Client/29.0.0 (linux)", false).0);
    assert!(fastest.min() < Some(Duration::from_millis(4)));
}
