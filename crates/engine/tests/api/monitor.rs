//! What goes to a container's monitor and comes from it, with one that does as it is told here.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustix::fs::{FlockOperation, flock};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::{Value, json};

use crate::containers::create;
use crate::wire::Fixture;

/// A container whose monitor is a thread of the test.
pub(crate) struct Monitored {
    pub(crate) fixture: Fixture,
    listener: UnixListener,
    _lock: File,
}

impl Monitored {
    pub(crate) fn new(body: Value) -> Monitored {
        let fixture = Fixture::new();
        let id = create(&fixture, "one", body);
        let layout = fixture.engine.layout();
        let run = layout.container_run(&id);
        fs::create_dir_all(&run).expect("a directory");
        // The address of a socket has few letters.
        let directory = File::open(&run).expect("a directory");
        let address = format!("/proc/self/fd/{}/monitor.sock", directory.as_raw_fd());
        let listener = UnixListener::bind(address).expect("a socket");
        // Who holds the lock is believed to live.
        let lock = File::create(layout.container(&id).join("lock")).expect("a file");
        flock(&lock, FlockOperation::LockExclusive).expect("a lock");
        let state = json!({"status": "running", "pid": std::process::id(), "exit_code": 0});
        fs::write(layout.container(&id).join("state.json"), state.to_string()).expect("written");
        Monitored {
            fixture,
            listener,
            _lock: lock,
        }
    }

    /// Answers one connection on a thread; what `answer` returns comes through the channel.
    pub(crate) fn answer<T: Send + 'static>(
        &self,
        answer: impl FnOnce(Value, &mut UnixStream) -> T + Send + 'static,
    ) -> Receiver<T> {
        let listener = self.listener.try_clone().expect("a socket");
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            assert!(reader.buffer().is_empty(), "nothing follows unasked");
            let request = serde_json::from_str(&line).expect("JSON");
            let mut stream = stream;
            let _ = sender.send(answer(request, &mut stream));
        });
        receiver
    }
}

/// The line that brings a descriptor, and the descriptor.
pub(crate) fn receive_stream(connection: &UnixStream) -> (Value, UnixStream) {
    let mut bytes = vec![0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        connection,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut ancillary,
        RecvFlags::empty(),
    )
    .expect("a message");
    let descriptors: Vec<OwnedFd> = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    let [descriptor] = <[OwnedFd; 1]>::try_from(descriptors).expect("one descriptor");
    let line = serde_json::from_slice(&bytes[..received.bytes]).expect("JSON");
    (line, UnixStream::from(descriptor))
}

/// The head of an answer, byte by byte, so that what follows is left alone.
pub(crate) fn read_head(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("UTF-8")
}

pub(crate) const UPGRADE: &str = "Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n";

#[test]
fn an_attached_connection_is_the_monitors() {
    for (version, tty, content_type) in [
        ("1.42", false, "application/vnd.docker.multiplexed-stream"),
        ("1.41", false, "application/vnd.docker.raw-stream"),
        ("1.42", true, "application/vnd.docker.raw-stream"),
    ] {
        let container = Monitored::new(json!({"Tty": tty}));
        let served = container.answer(|request, monitor| {
            monitor.write_all(b"\"ready\"\n").expect("written");
            let (line, mut client) = receive_stream(monitor);
            client.write_all(b"from the monitor").expect("written");
            let mut input = String::new();
            client.read_to_string(&mut input).expect("input");
            (request, line, input)
        });
        let mut client = container.fixture.connect();
        // The first bytes of input come along with the request.
        let request = format!(
            "POST /v{version}/containers/one/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-a HTTP/1.1\r\n{UPGRADE}\r\nearly "
        );
        client.write_all(request.as_bytes()).expect("written");
        let head = read_head(&mut client);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let head = head.to_ascii_lowercase();
        for header in [
            "connection: upgrade",
            "upgrade: tcp",
            &format!("content-type: {content_type}"),
        ] {
            assert!(head.contains(&format!("\r\n{header}\r\n")), "{head}");
        }
        client.write_all(b"late").expect("written");
        client.shutdown(Shutdown::Write).expect("shut down");
        let (request, line, input) = served.recv().expect("a session");
        let expected = json!({"attach": {
            "stdin": true, "stdout": true, "stderr": false, "logs": false, "stream": true, "detach_keys": "ctrl-a",
        }});
        assert_eq!(request, expected);
        let early = line["stream"]["early"].as_str().expect("early bytes");
        let early = match early {
            "" => "",
            "ZWFybHkg" => "early ",
            other => panic!("{other}"),
        };
        assert_eq!(format!("{early}{input}"), "early late");
        let mut output = String::new();
        client.read_to_string(&mut output).expect("output");
        assert_eq!(output, "from the monitor");
    }
}

#[test]
fn what_the_monitor_refuses_is_refused_before_the_connection_changes() {
    let container = Monitored::new(json!({}));
    container.answer(|_, monitor| {
        let reply = "{\"failed\":{\"status\":409,\"message\":\"not now\"}}\n";
        monitor.write_all(reply.as_bytes()).expect("written");
    });
    let answer = container.fixture.exchange(&format!(
        "POST /containers/one/attach?stream=1 HTTP/1.1\r\n{UPGRADE}\r\n"
    ));
    assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
    assert!(answer.ends_with("{\"message\":\"not now\"}\n"), "{answer}");
}

/// The CLI sends `start` when it has the head of this answer.
#[test]
fn a_wait_answers_at_once_and_tells_later() {
    let container = Monitored::new(json!({}));
    let (go, told) = channel::<()>();
    let asked = container.answer(move |request, monitor| {
        monitor.write_all(b"\"waiting\"\n").expect("written");
        told.recv().expect("told");
        let reply = "{\"exited\":{\"status_code\":7,\"error\":null}}\n";
        monitor.write_all(reply.as_bytes()).expect("written");
        request
    });
    let mut client = container.fixture.connect();
    client
        .write_all(b"POST /containers/one/wait?condition=removed HTTP/1.0\r\nHost: x\r\n\r\n")
        .expect("written");
    let head = read_head(&mut client);
    assert!(head.starts_with("HTTP/1.0 200 "), "{head}");
    go.send(()).expect("told");
    let mut body = String::new();
    client.read_to_string(&mut body).expect("a body");
    assert_eq!(body.trim_end(), "{\"StatusCode\":7}");
    let request = asked.recv().expect("a request");
    assert_eq!(request, json!({"wait": {"condition": "removed"}}));
}

/// It would be waited for in vain, for as long as the container runs.
#[test]
fn a_wait_ends_with_its_client() {
    let container = Monitored::new(json!({}));
    let left = container.answer(|_, monitor| {
        monitor.write_all(b"\"waiting\"\n").expect("written");
        let mut rest = Vec::new();
        monitor.read_to_end(&mut rest).expect("the end")
    });
    let mut client = container.fixture.connect();
    client
        .write_all(b"POST /containers/one/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("written");
    // One that only ends its writing waits for its answer still.
    client.shutdown(Shutdown::Write).expect("shut down");
    read_head(&mut client);
    assert!(left.try_recv().is_err());
    drop(client);
    assert_eq!(left.recv().expect("the end"), 0);
}

#[test]
fn a_joining_process_is_started_with_what_it_was_made_with() {
    let container = Monitored::new(json!({}));
    let fixture = &container.fixture;
    let config = json!({"Cmd": ["sh"], "Tty": true, "AttachStdout": true, "ConsoleSize": [24, 80]});
    let (status, body) = fixture.post("/v1.42/containers/one/exec", &config);
    assert_eq!(status, "201", "{body}");
    let id = body["Id"].as_str().expect("an id").to_owned();
    let shown = fixture.get(&format!("/exec/{id}/json"));
    assert_eq!(
        (&shown["Running"], &shown["ExitCode"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(shown["ProcessConfig"]["entrypoint"], "sh");

    let asked = container.answer(|request, monitor| {
        monitor.write_all(b"\"ready\"\n").expect("written");
        let (_, mut client) = receive_stream(monitor);
        client.write_all(b"$ ").expect("written");
        request
    });
    let body = "{\"Detach\":false,\"Tty\":true}";
    let answer = fixture.exchange(&format!(
        "POST /v1.42/exec/{id}/start HTTP/1.1\r\n{UPGRADE}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n$ "), "{answer}");
    let expected = json!({"exec_start": {
        "id": id, "detach": false, "tty": true, "size": {"height": 24, "width": 80},
    }});
    assert_eq!(asked.recv().expect("a request"), expected);
}
