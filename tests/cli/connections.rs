//! Clients of `engine serve` that ask for nothing, or do so slowly, and more of them than there is room for.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harness::{Program, Running};

/// An engine of this test's own that may open so many files.
struct Server {
    socket: PathBuf,
    run: PathBuf,
    _process: Running,
}

impl Server {
    fn start(open_files: u32) -> Server {
        let shell = Program::new("/bin/sh").with_env("TOOL", env!("CARGO_BIN_EXE_tool"));
        let directory = shell.directory().to_owned();
        let shell = shell.with_env("XDG_RUNTIME_DIR", &directory);
        let script = format!(
            "ulimit -n {open_files} && exec \"$TOOL\" -H \"embedded://$PWD/state\" engine serve --socket \"$PWD/socket\""
        );
        let process = shell.start(["-c", &script]);
        process.wait_for_err("Listening on unix://");
        let host = format!("embedded://{}", directory.join("state").display());
        let format = "{{.Embedded.RuntimeDirectory}}";
        let tool = Program::new(env!("CARGO_BIN_EXE_tool")).with_env("XDG_RUNTIME_DIR", &directory);
        let outcome = tool.run(["-H", &host, "engine", "info", "--format", format]);
        Server {
            socket: directory.join("socket"),
            run: PathBuf::from(outcome.out().trim()),
            _process: process,
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).expect("an engine");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a limit");
        stream
    }

    fn send(&self, text: &str) -> UnixStream {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).expect("written");
        stream
    }

    /// The number of threads, and of kilobytes of memory.
    fn size(&self) -> (u64, u64) {
        let process = rustix::net::sockopt::socket_peercred(self.connect()).expect("a process");
        let path = format!("/proc/{}/status", process.pid.as_raw_nonzero());
        let status = fs::read_to_string(Path::new(&path)).expect("a process");
        let number = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            number.and_then(|number| number.parse().ok()).expect(name)
        };
        (number("Threads:"), number("VmRSS:"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.run);
    }
}

/// All that comes until the connection ends.
fn rest(mut stream: &UnixStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an end");
    text
}

const PING: &str = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";

/// Reads an answer to [`PING`].
fn read_answer(stream: &mut UnixStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nOK") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        answer.push(byte[0]);
    }
}

#[test]
fn slow_and_silent_clients_are_let_go_and_leave_nothing() {
    let server = Server::start(1024);
    let wave = || {
        let create = "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{";
        let clients: Vec<(UnixStream, &str)> = (0..30)
            .flat_map(|_| {
                [
                    (server.connect(), ""),
                    (server.send("GET /_ping HTTP/1.1\r\nHo"), "HTTP/1.1 408 "),
                    (server.send(create), "HTTP/1.1 400 "),
                ]
            })
            .collect();
        // The head's last byte is what counts, not its last but one.
        let mut trickling = server.send("GET /_ping HTTP/1.1\r\nX: ");
        // One that asked for something and may again, and one that has ended its side.
        let mut idle = server.send(PING);
        read_answer(&mut idle);
        let ended = server.send("GET /_pi");
        ended.shutdown(Shutdown::Write).expect("shut down");
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(9) {
            trickling.write_all(b"x").expect("written");
            std::thread::sleep(Duration::from_millis(500));
        }
        for (client, expected) in clients.iter().chain([&(trickling, "HTTP/1.1 408 ")]) {
            let answer = rest(client);
            assert!(answer.starts_with(expected), "{expected}: {answer}");
            match *expected {
                "" => assert_eq!(answer, ""),
                _ => assert!(answer.contains("10 seconds"), "{answer}"),
            }
        }
        let time = start.elapsed();
        assert!(time < Duration::from_secs(40), "{time:?}");
        rest(&ended);
        idle.write_all(PING.as_bytes()).expect("written");
        read_answer(&mut idle);
    };
    // The first time, the engine sets up what it keeps.
    let (threads, _) = server.size();
    wave();
    let settled = || {
        let start = Instant::now();
        loop {
            let (now, memory) = server.size();
            if now <= threads || start.elapsed() > Duration::from_secs(20) {
                return (now, memory);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let (now, before) = settled();
    assert!(now <= threads, "{now} threads after {threads}");
    wave();
    let (now, after) = settled();
    assert!(now <= threads, "{now} threads after {threads}");
    assert!(after <= before + 512, "{after} kB of memory after {before}");
}

#[test]
fn clients_beyond_the_bound_are_told_so() {
    // (256 - 64) / 9
    let (server, bound) = (Server::start(256), 21);
    let mut clients: Vec<UnixStream> = (0..bound).map(|_| server.send(PING)).collect();
    clients.iter_mut().for_each(read_answer);
    // Nobody waits for a request of theirs, so they may not have sent it yet.
    for request in ["", PING] {
        let refused: Vec<UnixStream> = (0..40).map(|_| server.send(request)).collect();
        for client in &refused {
            let answer = rest(client);
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            assert!(
                answer
                    .contains("too many connections: the engine answers 21 at a time; close some"),
                "{answer}"
            );
        }
    }
    let outcome = Program::new(env!("CARGO_BIN_EXE_tool")).run([
        "-H",
        &format!("unix://{}", server.socket.display()),
        "ps",
    ]);
    assert_ne!(outcome.code, Some(0));
    assert!(
        outcome.err().contains("too many connections"),
        "{}",
        outcome.err()
    );
    // Those that were there before are answered as ever, and a place that is free again is given away.
    for client in &mut clients {
        client.write_all(PING.as_bytes()).expect("written");
    }
    clients.iter_mut().for_each(read_answer);
    clients.pop();
    let start = Instant::now();
    loop {
        let mut answer = [0; 12];
        let mut client = server.connect();
        // One that is turned away may be so before it has written.
        let _ = client.write_all(PING.as_bytes());
        client.read_exact(&mut answer).expect("an answer");
        if &answer == b"HTTP/1.1 200" {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no place");
    }
}
