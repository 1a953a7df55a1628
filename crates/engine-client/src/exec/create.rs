//! `POST /containers/{id}/exec`: create a process in a running container.

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::models::ExecConfig;
use crate::request::{Request, container_path};

/// The answer.
#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

impl Client {
    /// Prepares a process in a running container, and returns its identifier.
    ///
    /// Engine API `POST /containers/{id}/exec`.
    ///
    /// # Errors
    /// Status 404 if there is no such container, 409 if it does not run.
    pub fn create_exec(&self, container: &str, process: &ExecConfig) -> Result<String, Error> {
        let request = Request::new("POST", container_path(container)? + "/exec");
        let created: Created = self.call_json(&request.json(process)?)?;
        Ok(created.id)
    }
}
