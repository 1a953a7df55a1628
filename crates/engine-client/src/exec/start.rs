//! `POST /exec/{id}/start`: start an exec process.

use serde::Serialize;

use crate::client::Client;
use crate::error::Error;
use crate::hijack::Hijacked;
use crate::request::{Request, exec_path};

/// How [`Client::start_exec`] starts a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartExec {
    /// The process was prepared with a terminal.
    pub tty: bool,
    /// Rows and columns of its terminal. Engines below API 1.42 do not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u16; 2]>,
}

/// The body as it is sent.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    detach: bool,
    #[serde(flatten)]
    start: &'a StartExec,
}

impl Client {
    /// Starts a prepared process with its streams, on a connection of its own.
    ///
    /// With a terminal the stream is raw, without one it is for a [`Demultiplexer`](crate::Demultiplexer).
    ///
    /// Engine API `POST /exec/{id}/start`, with `Connection: Upgrade`.
    ///
    /// # Errors
    /// Status 409 if the container does not run any more.
    pub fn start_exec(&self, id: &str, start: &StartExec) -> Result<Hijacked, Error> {
        self.upgrade(&request(id, start, false)?)
    }

    /// Starts a prepared process and leaves it.
    ///
    /// Engine API `POST /exec/{id}/start`.
    ///
    /// # Errors
    /// As [`Client::start_exec`], and status 400 if its program cannot be executed.
    pub fn start_exec_detached(&self, id: &str, start: &StartExec) -> Result<(), Error> {
        self.call(&request(id, start, true)?)
    }
}

fn request(id: &str, start: &StartExec, detach: bool) -> Result<Request, Error> {
    Request::new("POST", exec_path(id)? + "/start").json(&Body { detach, start })
}
