//! An engine that takes no time: it answers the requests of a run at once, as an engine would, and runs nothing. What a
//! client takes against it is the client's own.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

const PONG: &str =
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Length: 0\r\n\r\n";
const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 87\r\n\r\n\
    {\"Id\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"Warnings\":[]}";
const UPGRADED: &str = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
    Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const WAITING: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
const ENDED: &str = "10\r\n{\"StatusCode\":0}\r\n0\r\n\r\n";
const STARTED: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

const PING: &str = "HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n";
const CREATE: &str =
    "POST /v1.41/containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
const ATTACH: &str = "POST /v1.41/containers/x/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\n\
    Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
const WAIT: &str = "POST /v1.41/containers/x/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\
    Content-Length: 0\r\n\r\n";
const START: &str =
    "POST /v1.41/containers/x/start HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

/// What a run needs to send, each on the connection of its number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sequence {
    /// With the container's streams, until its end.
    Attached,
    /// Until it is started.
    Detached,
}

impl Sequence {
    fn requests(self) -> &'static [(usize, &'static str)] {
        match self {
            Sequence::Attached => &[(0, PING), (0, CREATE), (1, ATTACH), (2, WAIT), (0, START)],
            Sequence::Detached => &[(0, PING), (0, CREATE), (0, START)],
        }
    }
}

/// How often containers have been started; attached streams and waits end with the next start.
#[derive(Default)]
struct Starts {
    count: Mutex<u64>,
    more: Condvar,
}

impl Starts {
    fn now(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.more.notify_all();
    }

    fn wait_beyond(&self, seen: u64) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.more.wait_while(count, |count| *count <= seen);
        drop(waited);
    }
}

/// The engine, on a socket of its own. Its threads end with the process.
pub(crate) struct Instantaneous {
    path: PathBuf,
}

impl Instantaneous {
    /// Listens on `path`.
    pub(crate) fn start(path: PathBuf) -> anyhow::Result<Instantaneous> {
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("cannot listen on {}", path.display()))?;
        let starts = Arc::new(Starts::default());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let starts = Arc::clone(&starts);
                // A client that leaves early is measured all the same.
                thread::spawn(move || serve(client, &starts));
            }
        });
        Ok(Instantaneous { path })
    }

    /// The address that a client is given.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// Sends what a run must send, and nothing else, and returns how long that takes: what no client can save.
    pub(crate) fn bare_sequence(&self, sequence: Sequence) -> anyhow::Result<Duration> {
        let start = Instant::now();
        bare_sequence(&self.path, sequence).context("the bare sequence of requests failed")?;
        Ok(start.elapsed())
    }
}

fn bare_sequence(path: &Path, sequence: Sequence) -> io::Result<()> {
    let mut streams: Vec<UnixStream> = Vec::new();
    for &(number, request) in sequence.requests() {
        if streams.len() == number {
            streams.push(UnixStream::connect(path)?);
        }
        streams[number].write_all(request.as_bytes())?;
        head(&mut streams[number], &mut Vec::new())?;
    }
    if let [_, output, wait] = &mut streams[..] {
        // The output ends, and the status comes.
        output.read_to_end(&mut Vec::new())?;
        wait.read_exact(&mut [0; ENDED.len()])?;
    }
    Ok(())
}

fn serve(mut client: UnixStream, starts: &Starts) -> io::Result<()> {
    let mut rest = Vec::new();
    while let Some(head) = head(&mut client, &mut rest)? {
        let length: usize = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.parse().ok())
            .unwrap_or(0);
        while rest.len() < length {
            if fill(&mut client, &mut rest)? == 0 {
                return Ok(());
            }
        }
        rest.drain(..length);
        let request = head.lines().next().unwrap_or_default();
        let has = |part: &str| request.contains(part);
        let seen = starts.now();
        if has("/_ping") {
            client.write_all(PONG.as_bytes())?;
        } else if has("/create") {
            client.write_all(CREATED.as_bytes())?;
        } else if has("/attach") {
            client.write_all(UPGRADED.as_bytes())?;
            starts.wait_beyond(seen);
            return Ok(());
        } else if has("/wait") {
            client.write_all(WAITING.as_bytes())?;
            starts.wait_beyond(seen);
            client.write_all(ENDED.as_bytes())?;
        } else if has("/start") {
            starts.add();
            client.write_all(STARTED.as_bytes())?;
        } else {
            client.write_all(NOT_FOUND.as_bytes())?;
        }
    }
    Ok(())
}

/// Reads a head, or nothing at the end of the stream. What comes behind it stays in `rest`.
fn head(stream: &mut UnixStream, rest: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = rest.drain(..end + 4).collect();
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        if fill(stream, rest)? == 0 {
            return Ok(None);
        }
    }
}

fn fill(stream: &mut UnixStream, rest: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; 8 * 1024];
    let length = stream.read(&mut buffer)?;
    rest.extend_from_slice(&buffer[..length]);
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_run_is_answered() {
        let body = CREATED.split_once("\r\n\r\n").map(|(_, body)| body.len());
        assert_eq!(body, Some(87), "the length that the head says");
        let directory = std::env::temp_dir();
        let path = directory.join(format!("instant-{}", std::process::id()));
        let engine = Instantaneous::start(path.clone()).expect("a socket");
        for sequence in [Sequence::Attached, Sequence::Detached, Sequence::Attached] {
            engine.bare_sequence(sequence).expect("a run");
        }
        std::fs::remove_file(path).expect("the socket");
    }
}
