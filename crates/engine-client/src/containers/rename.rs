//! `POST /containers/{id}/rename`: rename a container.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, container_path};

impl Client {
    /// Renames a container.
    ///
    /// Engine API `POST /containers/{id}/rename?name=`.
    ///
    /// # Errors
    /// Status 404 if there is no such container, 409 if the name is taken.
    pub fn rename_container(&self, id: &str, name: &str) -> Result<(), Error> {
        let request = Request::new("POST", container_path(id)? + "/rename");
        self.call(&request.query("name", name))
    }
}
