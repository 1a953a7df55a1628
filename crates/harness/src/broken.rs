//! An engine that breaks the protocol: it answers each request with given bytes, or never.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

/// One request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The whole head, with the empty line at its end.
    pub head: String,
    /// The body, if a `Content-Length` announced one.
    pub body: Vec<u8>,
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Read,
    Close,
    Hold,
}

impl Reply {
    /// These bytes, then the connection closes.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply {
            bytes: bytes.into(),
            then: Then::Close,
        }
    }

    /// These bytes, then silence on an open connection.
    pub fn hold(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply {
            bytes: bytes.into(),
            then: Then::Hold,
        }
    }

    /// A well-formed answer with a body of JSON, after which the connection takes the next request.
    pub fn json(status: u16, body: &str) -> Reply {
        let head = format!(
            "HTTP/1.1 {status} Some Reason\r\nApi-Version: 1.41\r\nOstype: linux\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Reply {
            bytes: (head + body).into_bytes(),
            then: Then::Read,
        }
    }

    /// The answer of an engine that upgrades, then these bytes in the upgraded stream, then its end.
    pub fn upgrade(stream: &[u8]) -> Reply {
        let head = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
                    Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
        Reply {
            bytes: [head.as_bytes(), stream].concat(),
            then: Then::Close,
        }
    }

    /// The answer to a ping of an engine that speaks this API version.
    pub fn ping(api_version: &str) -> Reply {
        let head = format!(
            "HTTP/1.1 200 OK\r\nApi-Version: {api_version}\r\nOstype: linux\r\nContent-Length: 0\r\n\r\n"
        );
        Reply {
            bytes: head.into_bytes(),
            then: Then::Read,
        }
    }

    /// A well-formed answer without a body, as `HEAD` gets.
    pub fn empty(status: u16) -> Reply {
        Reply::json(status, "")
    }
}

/// A listener on a unix socket that speaks whatever a test wants.
#[derive(Debug)]
pub struct BrokenEngine {
    directory: TempDir,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<Mutex<Vec<UnixStream>>>,
}

impl BrokenEngine {
    /// Listens, and answers every request with what `answer` makes of it.
    ///
    /// # Panics
    /// If this machine lets nobody listen on a unix socket.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> BrokenEngine {
        let directory = tempfile::Builder::new()
            .prefix("broken")
            .tempdir()
            .expect("a temporary directory");
        let listener = UnixListener::bind(directory.path().join("socket")).expect("a unix socket");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let (all_requests, all_connections) = (Arc::clone(&requests), Arc::clone(&connections));
        // The thread waits for connections as long as the process lives: it costs nothing, and a test process is short.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if let Ok(handle) = stream.try_clone() {
                    all_connections
                        .lock()
                        .expect("no holder panics")
                        .push(handle);
                }
                let (answer, requests) = (Arc::clone(&answer), Arc::clone(&all_requests));
                thread::spawn(move || serve(stream, &*answer, &requests));
            }
        });
        BrokenEngine {
            directory,
            requests,
            connections,
        }
    }

    /// The socket's path.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// The socket as `-H` and `DOCKER_HOST` want it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// All requests so far, in the order they came.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no holder panics").clone()
    }
}

impl Drop for BrokenEngine {
    fn drop(&mut self) {
        for connection in self.connections.lock().expect("no holder panics").drain(..) {
            // One that is closed already says so, and that is fine.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn serve(
    mut stream: UnixStream,
    answer: &dyn Fn(&Request) -> Reply,
    requests: &Mutex<Vec<Request>>,
) {
    while let Ok(Some(request)) = read_request(&mut stream) {
        requests
            .lock()
            .expect("no holder panics")
            .push(request.clone());
        let reply = answer(&request);
        if stream.write_all(&reply.bytes).is_err() {
            return;
        }
        match reply.then {
            Then::Read => {}
            Then::Close => {
                // The engine keeps a handle for its drop, so closing has to be said aloud.
                let _ = stream.shutdown(Shutdown::Write);
                // Reading on until the client leaves keeps unread input from turning the end into a reset.
                let _ = io::copy(&mut stream, &mut io::sink());
                return;
            }
            Then::Hold => {
                let _ = io::copy(&mut stream, &mut io::sink());
                return;
            }
        }
    }
}

fn read_request(stream: &mut UnixStream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let mut words = head.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    Ok(Some(Request {
        method: word(),
        target: word(),
        head,
        body,
    }))
}
