//! A minimal Engine API client for the tests' own questions.
//!
//! It shares no code with the project's client, so a test never checks that client against itself. It speaks HTTP/1.0:
//! the engine then answers without chunks and closes the connection, and an answer is all that comes until then.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take.
pub(crate) const SILENCE: Duration = Duration::from_secs(60);

/// An engine's socket, for requests that a test makes beside the program under test.
#[derive(Clone, Debug)]
pub struct Api {
    socket: PathBuf,
}

/// What the engine answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code of HTTP.
    pub status: u16,
    /// The body, as it came.
    pub body: Vec<u8>,
    head: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("the engine's answer is no JSON ({error}): {}", self.text())
        })
    }

    /// The body as text, whatever it is.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer, if its status says success.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn expect_success(self) -> Answer {
        assert!(
            (200..300).contains(&self.status),
            "the engine answered {}: {}",
            self.status,
            self.text()
        );
        self
    }
}

impl Api {
    /// A client of the engine that listens on this socket.
    pub fn new(socket: impl AsRef<Path>) -> Api {
        Api {
            socket: socket.as_ref().to_owned(),
        }
    }

    /// `GET`, to a path without version such as `/containers/json`.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.must("GET", path, &[], &[])
    }

    /// `POST` with an empty body.
    #[track_caller]
    pub fn post(&self, path: &str) -> Answer {
        self.must("POST", path, &[], &[])
    }

    /// `POST` with a body of JSON.
    #[track_caller]
    pub fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.must(
            "POST",
            path,
            &[("Content-Type", "application/json")],
            body.to_string().as_bytes(),
        )
    }

    /// `DELETE`.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.must("DELETE", path, &[], &[])
    }

    #[track_caller]
    fn must(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        match self.request(method, path, headers, body) {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {path} on {}: {error}", self.socket.display()),
        }
    }

    /// Any request.
    ///
    /// # Errors
    /// If the engine cannot be reached, is silent for a minute, or speaks no HTTP.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(SILENCE))?;
        exchange(stream, method, path, headers, body)
    }
}

/// Sends a request over HTTP/1.0 and returns the answer.
pub(crate) fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut head = format!(
        "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "the engine speaks no HTTP");
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(malformed)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.ok_or_else(malformed)?,
        body: answer.split_off(end + 4),
        head,
    })
}
