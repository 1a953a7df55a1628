//! `GET /containers/{id}/json`: all that the engine knows of a container.

use crate::client::Client;
use crate::error::Error;
use crate::models::ContainerInspectResponse;
use crate::request::{Request, container_path};

impl Client {
    /// Describes a container.
    ///
    /// Engine API `GET /containers/{id}/json`.
    ///
    /// # Errors
    /// Status 404 if there is no such container.
    pub fn inspect_container(&self, id: &str) -> Result<ContainerInspectResponse, Error> {
        self.call_json(&Request::new("GET", container_path(id)? + "/json"))
    }
}
