//! `POST /images/{name}/tag`: tag an image.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, image_path};

impl Client {
    /// Gives an image the name `repository:tag`, whichever image had it before.
    ///
    /// Engine API `POST /images/{name}/tag?repo=&tag=`.
    ///
    /// # Errors
    /// Status 404 if there is no such image, 400 if the name is none.
    pub fn tag_image(&self, image: &str, repository: &str, tag: &str) -> Result<(), Error> {
        let request = Request::new("POST", image_path(image)? + "/tag")
            .query("repo", repository)
            .query("tag", tag);
        self.call(&request)
    }
}
