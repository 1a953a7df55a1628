//! `DELETE /volumes/{name}`: remove a volume and its data.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, volume_path};

impl Client {
    /// Removes a volume. With `force` one that does not exist is no error.
    ///
    /// Engine API `DELETE /volumes/{name}?force=1`.
    ///
    /// # Errors
    /// Status 404 if there is no such volume, 409 if a container uses it.
    pub fn remove_volume(&self, name: &str, force: bool) -> Result<(), Error> {
        let request = Request::new("DELETE", volume_path(name)?);
        self.call(&request.flag("force", force))
    }
}
