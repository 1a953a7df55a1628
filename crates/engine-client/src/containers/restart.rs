//! `POST /containers/{id}/restart`: restart a container.

use crate::client::Client;
use crate::containers::stop::StopOptions;
use crate::error::Error;
use crate::request::{Request, container_path};

impl Client {
    /// Restarts a container: stops it, if it runs, and starts it.
    ///
    /// Engine API `POST /containers/{id}/restart?signal=&t=`.
    ///
    /// # Errors
    /// Status 404 if there is no such container.
    pub fn restart_container(&self, id: &str, options: &StopOptions) -> Result<(), Error> {
        let request = Request::new("POST", container_path(id)? + "/restart");
        self.call(&options.add_to(request))
    }
}
