//! `POST /containers/{id}/resize`: resize a container's terminal.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, container_path};

impl Client {
    /// Sets the size of a container's terminal, in characters.
    ///
    /// Engine API `POST /containers/{id}/resize?h=&w=`.
    ///
    /// # Errors
    /// Status 409 or 500 (by the engine's age) while the container does not run yet.
    pub fn resize_container(&self, id: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let request = Request::new("POST", container_path(id)? + "/resize")
            .query("h", &rows.to_string())
            .query("w", &columns.to_string());
        self.call(&request)
    }
}
