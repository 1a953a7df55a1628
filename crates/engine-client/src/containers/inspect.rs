//! `GET /containers/{id}/json`: describe a container.

use serde_json::Value;

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

    /// Describes a container in the engine's own words, whatever fields it has; with `size`, how much it takes on disk,
    /// too.
    ///
    /// Engine API `GET /containers/{id}/json?size=1`.
    ///
    /// # Errors
    /// Status 404 if there is no such container.
    pub fn describe_container(&self, id: &str, size: bool) -> Result<Value, Error> {
        let request = Request::new("GET", container_path(id)? + "/json");
        self.call_json(&request.flag("size", size))
    }
}
