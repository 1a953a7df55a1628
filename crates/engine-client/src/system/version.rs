//! `GET /version`: the versions of the engine and its components.

use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::request::Request;

impl Client {
    /// The versions of the engine and its parts, in its own words.
    ///
    /// Engine API `GET /version`.
    ///
    /// # Errors
    /// Those of any request.
    pub fn engine_version(&self) -> Result<Value, Error> {
        self.call_json(&Request::new("GET", "/version"))
    }
}
