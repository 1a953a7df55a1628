//! `DELETE /containers/{id}`: remove a container.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, container_path};

/// How [`Client::remove_container`] removes; neither by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Kill the container if it runs.
    pub force: bool,
    /// Remove its anonymous volumes too.
    pub volumes: bool,
}

impl Client {
    /// Removes a container.
    ///
    /// Engine API `DELETE /containers/{id}?force=1&v=1`.
    ///
    /// # Errors
    /// Status 404 if there is no such container, 409 if it runs, or is being removed already.
    pub fn remove_container(&self, id: &str, options: &RemoveOptions) -> Result<(), Error> {
        let request = Request::new("DELETE", container_path(id)?);
        self.call(
            &request
                .flag("force", options.force)
                .flag("v", options.volumes),
        )
    }
}
