//! A scripted engine at the wire that records the requests it gets.

#![allow(dead_code, reason = "every test file uses another part")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use byname::testing::{self, Outcome};
use byname::{Dispatcher, Environment};
use engine_client::{Client, ClientOptions, Endpoint};
// Linking the crate registers the command.
use tool_run as _;

/// The container that every create makes.
pub(crate) const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// How long a test may hang before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) body: String,
}

impl Request {
    /// Method, and path without the API version and the container's ID: `POST /containers/ID/start`.
    pub(crate) fn line(&self) -> String {
        let path = self
            .target
            .split_once("/v1.")
            .map_or(self.target.as_str(), |(_, rest)| {
                rest.find('/').map_or("", |at| &rest[at..])
            });
        format!("{} {}", self.method, path.replace(ID, "ID"))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

/// Is told the line of each request, without its query.
pub(crate) type Observer = Box<dyn Fn(&str) + Send + Sync>;

/// What the engine does. The default makes, runs and ends a container without a word.
pub(crate) struct Script {
    pub(crate) api_version: &'static str,
    pub(crate) os_type: &'static str,
    /// Whether it says that it is the embedded engine.
    pub(crate) is_embedded: bool,
    /// Statuses and bodies of the answers to creates, in order; the last one repeats.
    pub(crate) create: Vec<(u16, String)>,
    /// The answer to a pull.
    pub(crate) pull: (u16, String),
    /// The answer to an attach, if it is not an upgrade.
    pub(crate) attach: Option<(u16, String)>,
    pub(crate) start: (u16, String),
    /// What is written to the attached stream after the start.
    pub(crate) output: Vec<u8>,
    /// The body of the answer to a wait, after the start.
    pub(crate) wait: String,
    /// Closes every connection right after the start, instead of all that.
    pub(crate) dies: bool,
    /// Called before an answer, with the line of its request.
    pub(crate) before: Option<Observer>,
}

impl Default for Script {
    fn default() -> Script {
        Script {
            api_version: "1.41",
            os_type: "linux",
            is_embedded: false,
            create: vec![created(&[])],
            pull: (200, String::new()),
            attach: None,
            start: (204, String::new()),
            output: Vec::new(),
            wait: exited(0),
            dies: false,
            before: None,
        }
    }
}

/// The answer to a create that works.
pub(crate) fn created(warnings: &[&str]) -> (u16, String) {
    (
        201,
        serde_json::json!({ "Id": ID, "Warnings": warnings }).to_string(),
    )
}

/// An error of the engine.
pub(crate) fn error(status: u16, message: &str) -> (u16, String) {
    (
        status,
        serde_json::json!({ "message": message }).to_string(),
    )
}

/// The body of a wait.
pub(crate) fn exited(status: i64) -> String {
    format!("{{\"StatusCode\":{status}}}\n")
}

/// A frame of the attached stream: 1 is standard output, 2 standard error.
pub(crate) fn frame(stream: u8, text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len())
        .expect("a short text")
        .to_be_bytes();
    [&[stream, 0, 0, 0][..], &length, text.as_bytes()].concat()
}

/// A running engine.
pub(crate) struct Engine {
    directory: tempfile::TempDir,
    shared: Arc<Shared>,
}

struct Shared {
    script: Script,
    log: Mutex<Vec<Request>>,
    creates: Mutex<usize>,
    /// Whether a start was answered.
    started: Mutex<bool>,
    starting: Condvar,
}

impl Engine {
    pub(crate) fn new(script: Script) -> Engine {
        let directory = tempfile::tempdir().expect("a directory");
        let listener = UnixListener::bind(directory.path().join("socket")).expect("a socket");
        let shared = Arc::new(Shared {
            script,
            log: Mutex::default(),
            creates: Mutex::default(),
            started: Mutex::default(),
            starting: Condvar::new(),
        });
        let of_server = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let shared = Arc::clone(&of_server);
                let connection = connection.expect("a connection");
                thread::spawn(move || shared.serve(connection));
            }
        });
        Engine { directory, shared }
    }

    /// A path in a directory of its own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A program that has the command and this engine.
    pub(crate) fn dispatcher(&self) -> Dispatcher {
        let socket = self.path("socket");
        Dispatcher::builder("tool")
            .state(move |_| {
                let endpoint = Endpoint::unix(socket.clone())?;
                Ok(Client::new(endpoint, ClientOptions::default()))
            })
            .build()
    }

    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        testing::run(&self.dispatcher(), words.iter().copied())
    }

    pub(crate) fn run_with(
        &self,
        words: &[&str],
        stdin: &[u8],
        variables: &[(&str, &str)],
    ) -> Outcome {
        let environment = Environment::from_iter(variables.iter().copied());
        testing::run_with(
            &self.dispatcher(),
            words.iter().copied(),
            stdin,
            environment,
        )
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.log.lock().expect("the log").clone()
    }

    /// The requests' lines without their queries. Attach and wait come at the same time, so they are sorted.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .requests()
            .iter()
            .map(|request| {
                request
                    .line()
                    .split('?')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        for at in 1..lines.len() {
            if lines[at - 1].ends_with("/wait") && lines[at].ends_with("/attach") {
                lines.swap(at - 1, at);
            }
        }
        lines
    }

    /// The one request whose line begins so.
    pub(crate) fn request(&self, line: &str) -> Request {
        let mut found = self.requests();
        found.retain(|request| request.line().starts_with(line));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        found.remove(0)
    }
}

impl Shared {
    fn serve(&self, connection: UnixStream) {
        let mut reader = BufReader::new(connection.try_clone().expect("a second handle"));
        while let Some(request) = read(&mut reader) {
            let line = request.line();
            self.log.lock().expect("the log").push(request);
            if let Some(before) = &self.script.before {
                before(line.split('?').next().unwrap_or_default());
            }
            if self.answer(&line, &connection).is_none() {
                return;
            }
        }
    }

    /// Answers; `None` if the connection is at its end.
    fn answer(&self, line: &str, connection: &UnixStream) -> Option<()> {
        let script = &self.script;
        let (status, body) = match line.split('?').next().unwrap_or_default() {
            "HEAD /_ping" => {
                let embedded = match script.is_embedded {
                    true => "Embedded-Engine: 0.1.0\r\n",
                    false => "",
                };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nApi-Version: {}\r\nOstype: {}\r\n{embedded}Content-Length: 0\r\n\r\n",
                    script.api_version, script.os_type
                );
                return write(connection, head.as_bytes());
            }
            "POST /containers/create" => {
                let mut creates = self.creates.lock().expect("the number of creates");
                *creates += 1;
                script.create[(*creates - 1).min(script.create.len() - 1)].clone()
            }
            "POST /images/create" => script.pull.clone(),
            "POST /containers/ID/attach" => match &script.attach {
                Some(answer) => answer.clone(),
                None => {
                    let head =
                        "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
                    write(connection, head.as_bytes())?;
                    self.wait_for_start();
                    if script.start.0 == 204 {
                        write(connection, &script.output)?;
                    }
                    return None;
                }
            },
            "POST /containers/ID/wait" => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
                write(connection, head.as_bytes())?;
                self.wait_for_start();
                if script.dies {
                    return None;
                }
                let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", script.wait.len(), script.wait);
                return write(connection, chunk.as_bytes());
            }
            "POST /containers/ID/start" => {
                respond(connection, &script.start)?;
                *self.started.lock().expect("the start") = true;
                self.starting.notify_all();
                return Some(());
            }
            "POST /containers/ID/kill" | "DELETE /containers/ID" => (204, String::new()),
            _ => error(404, "page not found"),
        };
        respond(connection, &(status, body))
    }

    fn wait_for_start(&self) {
        let started = self.started.lock().expect("the start");
        let _ = self
            .starting
            .wait_timeout_while(started, PATIENCE, |started| !*started);
    }
}

fn respond(connection: &UnixStream, (status, body): &(u16, String)) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    write(connection, format!("{head}{body}").as_bytes())
}

/// A client that is gone is no failure of the engine's.
fn write(mut connection: &UnixStream, bytes: &[u8]) -> Option<()> {
    connection.write_all(bytes).ok()
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        target,
        body: String::from_utf8(body).ok()?,
    })
}
