//! An engine that is nothing but a socket: it answers the ping and the attach request, and then the test has the
//! other end of the stream.

// Each test binary uses what it needs of this.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use attach::{Attached, End, Events, Session, Status};
use byname::{Captured, Environment, Input, Output, Streams};
use engine_client::models::ContainerWaitResponse;
use engine_client::{AttachOptions, Client, ClientOptions, Endpoint, Hijacked};

/// Attaches to an engine that sends `early` together with the head of its answer; returns both ends.
pub(crate) fn attach(early: &[u8]) -> (Hijacked, UnixStream) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("engine.sock");
    let listener = UnixListener::bind(&path).expect("listen");
    let (upgraded, engine) = mpsc::channel();
    let early = early.to_vec();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (upgraded, early) = (upgraded.clone(), early.clone());
            thread::spawn(move || {
                if let Some(stream) = serve(connection, &early) {
                    let _ = upgraded.send(stream);
                }
            });
        }
    });
    let endpoint = Endpoint::unix(&path).expect("an endpoint");
    let client = Client::new(endpoint, ClientOptions::default());
    let hijacked = client
        .attach_container("c", &AttachOptions::default())
        .expect("attach");
    let stream = engine
        .recv_timeout(Duration::from_secs(10))
        .expect("the engine's end");
    (hijacked, stream)
}

/// Answers requests until one is for a stream.
fn serve(mut connection: UnixStream, early: &[u8]) -> Option<UnixStream> {
    let mut lines = BufReader::new(connection.try_clone().ok()?);
    loop {
        let mut request = String::new();
        if lines.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let mut header = String::new();
        while lines.read_line(&mut header).ok()? > 2 {
            header.clear();
        }
        let answer: &[u8] = if request.contains("/attach") {
            b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        } else {
            b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Length: 0\r\n\r\n"
        };
        if request.contains("/attach") {
            connection.write_all(&[answer, early].concat()).ok()?;
            return Some(connection);
        }
        connection.write_all(answer).ok()?;
    }
}

/// One frame of a stream without a terminal.
pub(crate) fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    [&[stream, 0, 0, 0], &length.to_be_bytes()[..], payload].concat()
}

/// All three streams, without a terminal.
pub(crate) fn everything() -> Attached {
    Attached {
        stdin: true,
        stdout: true,
        stderr: true,
        ..Attached::default()
    }
}

/// Streams from `input` into memory.
pub(crate) fn captured(input: Input) -> (Streams, Captured, Captured) {
    let (out, out_text) = Output::buffer();
    let (err, err_text) = Output::buffer();
    (Streams::new(input, out, err), out_text, err_text)
}

/// Starts a session with an empty environment.
pub(crate) fn start(
    hijacked: Hijacked,
    attached: Attached,
    streams: &Streams,
) -> (Session, Events) {
    let events = Events::new().expect("a descriptor");
    let environment = Environment::from_iter(Vec::<(String, String)>::new());
    let session = Session::start(hijacked, attached, streams, &environment, &events.sender())
        .expect("start the session");
    (session, events)
}

/// What waiting for a container brings that exits with `status_code`.
pub(crate) fn exited(status_code: i64) -> Status {
    Ok(ContainerWaitResponse {
        status_code,
        error: None,
    })
}

/// The container's exit code that a session ended with.
pub(crate) fn code(end: Result<End, attach::Error>) -> i64 {
    match end {
        Ok(End::Exited(Ok(response))) => response.status_code,
        other => panic!("no exit: {other:?}"),
    }
}

/// Bytes in which a lost or doubled piece shows.
pub(crate) fn pattern(length: u32) -> Vec<u8> {
    let words = (0..length / 4).map(|n| n.wrapping_mul(0x9e37_79b1));
    words.flat_map(u32::to_le_bytes).collect()
}

/// Runs `work` on a thread and returns where its result arrives.
pub(crate) fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    result
}

/// The result of what runs beside, which must not take for ever.
pub(crate) fn soon<T>(result: &Receiver<T>) -> T {
    result
        .recv_timeout(Duration::from_secs(30))
        .expect("no deadlock and no panic")
}
