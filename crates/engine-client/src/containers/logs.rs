//! `GET /containers/{id}/logs`: read a container's log.

use std::fmt;
use std::io::{self, Read};

use crate::cancel::Canceller;
use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, container_path};
use crate::transport::Body;

/// Which lines [`Client::container_logs`] returns; by default none, since neither stream is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsOptions {
    /// What the container wrote to its standard output.
    pub stdout: bool,
    /// What it wrote to its standard error.
    pub stderr: bool,
    /// Wait for more until the container ends.
    pub follow: bool,
    /// Not before this moment, as seconds since 1970 with nine decimals: `1700000000.000000000`.
    pub since: Option<String>,
    /// Not after this moment, in the same form.
    pub until: Option<String>,
    /// The time before each line.
    pub timestamps: bool,
    /// Only so many of the last lines: a number or `all`.
    pub tail: Option<String>,
    /// Labels and variables that the log's driver was told to keep.
    pub details: bool,
}

/// What a container has written, and writes if it is followed. Without a terminal it is for a
/// [`Demultiplexer`](crate::Demultiplexer).
///
/// Reading blocks while a container that is followed is silent. It has a connection of its own.
pub struct Logs {
    body: Body,
    canceller: Canceller,
}

impl Client {
    /// Reads a container's log.
    ///
    /// Engine API `GET /containers/{id}/logs?stdout=1&stderr=1&follow=1&since=&until=&timestamps=1&tail=`.
    ///
    /// # Errors
    /// Status 404 if there is no such container, 501 if its log's driver cannot be read.
    pub fn container_logs(&self, id: &str, options: &LogsOptions) -> Result<Logs, Error> {
        let request = Request::new("GET", container_path(id)? + "/logs")
            .flag("stdout", options.stdout)
            .flag("stderr", options.stderr)
            .flag("follow", options.follow)
            .optional("since", options.since.as_deref())
            .optional("until", options.until.as_deref())
            .flag("timestamps", options.timestamps)
            .optional("tail", options.tail.as_deref())
            .flag("details", options.details);
        let http = self.separate();
        let response = self.send_on(&http, &request)?;
        Ok(Logs {
            body: response.body,
            canceller: Canceller::new(http),
        })
    }
}

impl Logs {
    /// A handle that ends the reading from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }
}

impl Read for Logs {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs").finish_non_exhaustive()
    }
}
