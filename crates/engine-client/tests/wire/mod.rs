//! A scripted engine: a real socket that answers each connection with given bytes.

// Each test file uses another part of this.
#![allow(dead_code)]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use engine_client::{Client, ClientOptions, Endpoint};

/// What a daemon of API 1.41 answers to a ping.
pub(crate) const PONG: &str =
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Length: 0\r\n\r\n";

/// How long a test waits for what should not take any time, before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A fake engine. It listens until the test's process ends.
pub(crate) struct Wire {
    pub(crate) endpoint: Endpoint,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    _directory: Option<tempfile::TempDir>,
}

/// One connection, as the engine sees it.
pub(crate) struct Peer {
    stream: Box<dyn Duplex>,
    requests: Arc<Mutex<Vec<String>>>,
    unread: Vec<u8>,
}

pub(crate) trait Duplex: Read + Write + Send {
    fn shutdown(&self, how: Shutdown);
}

impl Duplex for UnixStream {
    fn shutdown(&self, how: Shutdown) {
        let _ = UnixStream::shutdown(self, how);
    }
}

impl Duplex for TcpStream {
    fn shutdown(&self, how: Shutdown) {
        let _ = TcpStream::shutdown(self, how);
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Wire {
    /// On a unix socket; `script` runs on a thread for each connection.
    pub(crate) fn unix(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Wire {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("engine.sock");
        let listener = UnixListener::bind(&path).expect("a socket");
        let endpoint = Endpoint::unix(path).expect("an endpoint");
        Wire::serve(endpoint, Some(directory), script, move || {
            listener
                .accept()
                .map(|(stream, _)| Box::new(stream) as Box<dyn Duplex>)
        })
    }

    /// On a TCP port.
    pub(crate) fn tcp(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let endpoint = format!("tcp://{address}").parse().expect("an endpoint");
        Wire::serve(endpoint, None, script, move || {
            listener
                .accept()
                .map(|(stream, _)| Box::new(stream) as Box<dyn Duplex>)
        })
    }

    /// Answers pings as an engine of API 1.41, and each other request with these bytes.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Wire {
        let answer = answer.into();
        Wire::unix(move |peer| {
            while let Some(request) = peer.receive() {
                if request.line.contains("/_ping") {
                    peer.send(PONG);
                } else {
                    peer.send(&answer);
                    // An answer that is cut short ends with the connection.
                    return;
                }
            }
        })
    }

    fn serve(
        endpoint: Endpoint,
        directory: Option<tempfile::TempDir>,
        script: impl Fn(&mut Peer) + Send + Sync + 'static,
        accept: impl Fn() -> io::Result<Box<dyn Duplex>> + Send + 'static,
    ) -> Wire {
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(script);
        let (counter, log) = (Arc::clone(&connections), Arc::clone(&requests));
        thread::spawn(move || {
            while let Ok(stream) = accept() {
                counter.fetch_add(1, Ordering::SeqCst);
                let (script, requests) = (Arc::clone(&script), Arc::clone(&log));
                thread::spawn(move || {
                    let mut peer = Peer {
                        stream,
                        requests,
                        unread: Vec::new(),
                    };
                    script(&mut peer);
                });
            }
        });
        Wire {
            endpoint,
            connections,
            requests,
            _directory: directory,
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(ClientOptions::default())
    }

    pub(crate) fn client_with(&self, options: ClientOptions) -> Client {
        Client::new(self.endpoint.clone(), options)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The first lines of all requests, without ` HTTP/1.1`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

impl Peer {
    /// The next request, or `None` if the client closed the connection.
    pub(crate) fn receive(&mut self) -> Option<Received> {
        let end = loop {
            if let Some(at) = self
                .unread
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break at + 4;
            }
            self.fill()?;
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).expect("an ASCII head");
        let line = head
            .lines()
            .next()
            .expect("a line")
            .strip_suffix(" HTTP/1.1")
            .expect("HTTP/1.1")
            .to_owned();
        let mut request = Received {
            line,
            head,
            body: Vec::new(),
        };
        let length = request
            .header("Content-Length")
            .map_or(0, |length| length.parse().expect("a number"));
        request.body = if request.header("Transfer-Encoding") == Some("chunked") {
            self.chunks()?
        } else {
            self.take(length)?
        };
        self.requests
            .lock()
            .expect("no panic")
            .push(request.line.clone());
        Some(request)
    }

    fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            self.fill()?;
        }
        Some(self.unread.drain(..length).collect())
    }

    /// A body in chunks, without extensions or trailers.
    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.extend(self.take(1)?);
            }
            let size = String::from_utf8(size).expect("an ASCII size");
            let size = usize::from_str_radix(size.trim(), 16).expect("a size");
            let chunk = self.take(size + 2)?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Some(body);
            }
        }
    }

    fn fill(&mut self) -> Option<()> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) | Err(_) => None,
            Ok(read) => {
                self.unread.extend_from_slice(&buffer[..read]);
                Some(())
            }
        }
    }

    /// Sends bytes, in one write. The client may be gone.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Sends bytes one by one, each in a write of its own.
    pub(crate) fn trickle(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            self.send([*byte]);
            thread::yield_now();
        }
    }

    /// Answers with a status and a JSON body.
    pub(crate) fn json(&mut self, status: u16, body: &str) {
        let length = body.len();
        self.send(format!(
            "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
    }

    pub(crate) fn no_content(&mut self) {
        self.send("HTTP/1.1 204 No Content\r\n\r\n");
    }

    /// Whether the client's end of this connection was closed, within the test's patience. Discards what it sends.
    pub(crate) fn wait_for_close(&mut self) {
        while self.fill().is_some() {}
    }

    /// What the client sent until it closed its writing end.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        while self.fill().is_some() {}
        std::mem::take(&mut self.unread)
    }

    pub(crate) fn shutdown(&self, how: Shutdown) {
        self.stream.shutdown(how);
    }
}

/// One chunk of a chunked body; the empty one ends it.
pub(crate) fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// Runs `call` on a thread and fails if it does not end.
pub(crate) fn in_time<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(call()));
    receiver.recv_timeout(PATIENCE).expect("it ends")
}

/// The request that `call` sends, besides the ping.
#[allow(
    dead_code,
    reason = "not every test that uses the wire sends single requests"
)]
pub(crate) fn sent(answer: &'static str, call: impl FnOnce(&Client)) -> Received {
    let (sender, received) = std::sync::mpsc::channel();
    let wire = Wire::unix(move |peer| {
        while let Some(request) = peer.receive() {
            let ping = request.line.contains("/_ping");
            peer.send(if ping { PONG } else { answer });
            if !ping {
                sender.send(request).expect("the test listens");
            }
        }
    });
    call(&wire.client());
    received.recv_timeout(PATIENCE).expect("a request")
}
