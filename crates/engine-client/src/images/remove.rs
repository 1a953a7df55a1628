//! `DELETE /images/{name}`: remove an image or one of its names.

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, image_path};

/// How [`Client::remove_image`] removes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveImage {
    /// Even if it has several names or a stopped container uses it.
    pub force: bool,
    /// Leave images below it that have no name.
    pub no_prune: bool,
}

/// One thing that was removed: a name, or an image.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RemovedImage {
    /// The name that was taken from an image.
    pub untagged: Option<String>,
    /// The identifier of an image that is gone.
    pub deleted: Option<String>,
}

impl Client {
    /// Removes a name of an image, and with its last name the image.
    ///
    /// Engine API `DELETE /images/{name}?force=1&noprune=1`.
    ///
    /// # Errors
    /// Status 404 if there is no such image, 409 if it is in use or has several names.
    pub fn remove_image(
        &self,
        name: &str,
        options: RemoveImage,
    ) -> Result<Vec<RemovedImage>, Error> {
        let request = Request::new("DELETE", image_path(name)?)
            .flag("force", options.force)
            .flag("noprune", options.no_prune);
        self.call_json(&request)
    }
}
