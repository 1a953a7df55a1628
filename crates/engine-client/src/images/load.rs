//! `POST /images/load`: load images from an archive.

use std::io::Read;

use crate::client::Client;
use crate::error::Error;
use crate::images::create::ImageProgress;
use crate::request::Request;

impl Client {
    /// Loads the images of an archive, such as `docker save` makes. The archive is sent before this returns; what the
    /// engine made of it is in the progress, and without `quiet` how far it is, too.
    ///
    /// Engine API `POST /images/load?quiet=1`.
    ///
    /// # Errors
    /// Also those of reading the archive.
    pub fn load_images(&self, archive: &mut dyn Read, quiet: bool) -> Result<ImageProgress, Error> {
        let request = Request::new("POST", "/images/load")
            .query("quiet", if quiet { "1" } else { "0" })
            .header("Content-Type", "application/x-tar");
        let http = self.separate();
        let response = self.upload_on(&http, &request, archive)?;
        Ok(ImageProgress::new(response.body, request.label(), http))
    }
}
