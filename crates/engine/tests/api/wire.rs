//! A client that speaks HTTP by hand to an engine of its own.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use engine::{Engine, Layout};
use serde_json::Value;

/// An engine with a root of its own.
pub(crate) struct Fixture {
    pub(crate) engine: Engine,
    _root: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        let root = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(root.path()).expect("a layout");
        Fixture {
            engine: Engine::open(layout).expect("an engine"),
            _root: root,
        }
    }

    /// What `tool engine check` finds.
    pub(crate) fn check(&self) -> Vec<engine::Finding> {
        engine::Access::new(self.engine.layout().clone())
            .check(false)
            .expect("a check")
    }

    pub(crate) fn connect(&self) -> UnixStream {
        let (client, server) = UnixStream::pair().expect("a pair");
        let engine = self.engine.clone();
        thread::spawn(move || engine::api::serve(server, &engine));
        client
    }

    /// What the engine sends until it closes the connection, after the client has written that and ended its side.
    pub(crate) fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("written");
        stream.shutdown(Shutdown::Write).expect("shut down");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// The status and the body of the answer to a request without a body.
    pub(crate) fn ask(&self, method: &str, target: &str) -> (String, String) {
        let answer = self.exchange(&format!(
            "{method} {target} HTTP/1.1\r\nHost: engine\r\n\r\n"
        ));
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        (status.to_owned(), body.trim_end().to_owned())
    }

    /// The same with a body of JSON.
    pub(crate) fn post(&self, target: &str, body: &Value) -> (String, Value) {
        let body = body.to_string();
        let answer = self.exchange(&format!(
            "POST {target} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        let body = match body.trim_end() {
            "" => Value::Null,
            text => serde_json::from_str(text).expect("JSON"),
        };
        (status.to_owned(), body)
    }

    /// The body of an answer that has to be 200.
    pub(crate) fn get(&self, target: &str) -> Value {
        let (status, body) = self.ask("GET", target);
        assert_eq!(status, "200", "{target}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.engine.layout().run());
    }
}
