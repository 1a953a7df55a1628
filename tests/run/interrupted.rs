//! Signals to `tool` at each stage: nothing half-made is left.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use harness::{BrokenEngine, Modes, Pty, Reply, Signal};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

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

/// Answers a ping on the first connection, has its queue of connections filled before, and accepts no further one.
/// Returns when the answer is written, and what has to be kept for as long as the queue shall be full.
fn accept_one<S: Read + Write, F>(
    accept: impl FnOnce() -> std::io::Result<S>,
    fill: impl FnOnce() -> Vec<F>,
) -> Vec<F> {
    let mut connection = accept().expect("a connection");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).expect("a request");
        head.push(byte[0]);
    }
    let full = fill();
    let answer = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    connection.write_all(answer.as_bytes()).expect("an answer");
    full
}

/// Connections to a unix socket until there is room for none.
fn fill_unix(path: &std::path::Path) -> Vec<rustix::fd::OwnedFd> {
    let address = SocketAddrUnix::new(path).expect("an address");
    let connect = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let family = AddressFamily::UNIX;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&socket, &address)?;
        Ok::<_, Errno>(socket)
    };
    let mut full = Vec::new();
    loop {
        match connect() {
            Ok(socket) => full.push(socket),
            Err(Errno::AGAIN) => return full,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn an_engine_that_accepts_no_more_is_left_at_the_third_signal() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let unix = UnixListener::bind(&path).expect("a socket");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    for listener in [unix.as_fd(), tcp.as_fd()] {
        rustix::net::listen(listener, 1).expect("a short queue");
    }
    let address = tcp.local_addr().expect("an address");
    let (answered, is_answered) = mpsc::channel();
    let engines = [
        format!("unix://{}", path.display()),
        format!("tcp://{address}"),
    ];
    thread::scope(|scope| {
        for (number, host) in engines.iter().enumerate() {
            let (unix, tcp, path, answered) = (&unix, &tcp, &path, answered.clone());
            let (release, held) = mpsc::channel::<()>();
            scope.spawn(move || {
                let done = || answered.send(()).expect("it is waited for");
                if number == 0 {
                    let accept = || unix.accept().map(|(connection, _)| connection);
                    let _full = accept_one(accept, || fill_unix(path));
                    done();
                    let _ = held.recv();
                } else {
                    let accept = || tcp.accept().map(|(connection, _)| connection);
                    let connect =
                        || TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok();
                    let _full = accept_one(accept, || std::iter::from_fn(connect).collect());
                    done();
                    let _ = held.recv();
                }
            });
            let tool = program().with_env("DOCKER_HOST", host);
            let mut running = tool.start(["run", "--rm", "x"]);
            is_answered
                .recv()
                .expect("it asks whether there is an engine");
            for _ in 0..2 {
                thread::sleep(Duration::from_millis(300));
                running.signal(Signal::INT);
            }
            thread::sleep(Duration::from_millis(300));
            assert!(running.is_running());
            let start = Instant::now();
            running.signal(Signal::INT);
            let outcome = running.finish();
            // A connection is waited for ten seconds.
            let took = start.elapsed();
            assert!(took < Duration::from_secs(5), "{host}: {took:?}");
            outcome.assert(1, "", "got 3 SIGTERM/SIGINTs, forcefully exiting\n");
            drop(release);
        }
    });
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
