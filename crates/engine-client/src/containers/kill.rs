//! `POST /containers/{id}/kill`: send a signal to a container.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, container_path};

impl Client {
    /// Sends a signal, by name or number, to a container's first process; SIGKILL without one.
    ///
    /// Engine API `POST /containers/{id}/kill?signal=`.
    ///
    /// # Errors
    /// Status 409 if the container does not run.
    pub fn kill_container(&self, id: &str, signal: Option<&str>) -> Result<(), Error> {
        let mut request = Request::new("POST", container_path(id)? + "/kill");
        if let Some(signal) = signal {
            request = request.query("signal", signal);
        }
        self.call(&request)
    }
}
