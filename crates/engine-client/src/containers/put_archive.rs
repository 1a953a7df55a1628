//! `PUT /containers/{id}/archive`: copy files into a container.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, container_path};

impl Client {
    /// Unpacks a tar archive in a directory of a container, which need not run. A directory of the archive does not
    /// take the place of a file, nor a file that of a directory.
    ///
    /// Engine API `PUT /containers/{id}/archive?path=&noOverwriteDirNonDir=true`.
    ///
    /// # Errors
    /// Status 404 if there is no such container or directory, 403 if its file system is read-only, 400 if the archive
    /// can not be unpacked.
    pub fn put_archive(&self, id: &str, directory: &str, archive: Vec<u8>) -> Result<(), Error> {
        let path = format!("{}/archive", container_path(id)?);
        let mut request = Request::new("PUT", path)
            .query("path", directory)
            .query("noOverwriteDirNonDir", "true")
            .header("Content-Type", "application/x-tar");
        request.body = Some(archive);
        self.call(&request)
    }
}
