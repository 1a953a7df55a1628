//! `POST /containers/{id}/stop`: stop a container.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, container_path};

/// How [`Client::stop_container`] and [`Client::restart_container`] end a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopOptions {
    /// The signal to send first; the container's own stop signal by default, which is SIGTERM if it has none.
    pub signal: Option<String>,
    /// Seconds until it is killed: -1 waits for ever; the container's own time-out by default, which is 10 seconds if
    /// it has none.
    pub timeout: Option<i64>,
}

impl StopOptions {
    /// Adds itself to a request.
    pub(crate) fn add_to(&self, request: Request) -> Request {
        let timeout = self.timeout.map(|seconds| seconds.to_string());
        request
            .optional("signal", self.signal.as_deref())
            .optional("t", timeout.as_deref())
    }
}

impl Client {
    /// Stops a container: sends it a signal, waits, and kills it if it has not ended by then. This returns when it has
    /// ended; one that does not run is left alone.
    ///
    /// Engine API `POST /containers/{id}/stop?signal=&t=`.
    ///
    /// # Errors
    /// Status 404 if there is no such container.
    pub fn stop_container(&self, id: &str, options: &StopOptions) -> Result<(), Error> {
        let request = Request::new("POST", container_path(id)? + "/stop");
        self.call(&options.add_to(request))
    }
}
