//! `GET /volumes/{name}`: describe a volume.

use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, volume_path};

impl Client {
    /// Describes a volume in the engine's own words.
    ///
    /// Engine API `GET /volumes/{name}`.
    ///
    /// # Errors
    /// Status 404 if there is no such volume.
    pub fn describe_volume(&self, name: &str) -> Result<Value, Error> {
        self.call_json(&Request::new("GET", volume_path(name)?))
    }
}
