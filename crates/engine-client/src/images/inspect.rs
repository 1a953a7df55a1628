//! `GET /images/{name}/json`: describe an image.

use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, image_path};

impl Client {
    /// Describes an image in the engine's own words.
    ///
    /// Engine API `GET /images/{name}/json`.
    ///
    /// # Errors
    /// Status 404 if there is no such image.
    pub fn describe_image(&self, name: &str) -> Result<Value, Error> {
        self.call_json(&Request::new("GET", image_path(name)? + "/json"))
    }
}
