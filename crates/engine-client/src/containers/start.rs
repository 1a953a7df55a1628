//! `POST /containers/{id}/start`: start a container.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, container_path};

impl Client {
    /// Starts a container. One that runs already is left alone.
    ///
    /// Engine API `POST /containers/{id}/start`.
    pub fn start_container(&self, id: &str) -> Result<(), Error> {
        self.call(&Request::new("POST", container_path(id)? + "/start"))
    }
}
