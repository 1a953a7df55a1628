//! `GET /info`: describe the engine.

use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::request::Request;

impl Client {
    /// Describes the engine in its own words.
    ///
    /// Engine API `GET /info`.
    ///
    /// # Errors
    /// Those of any request.
    pub fn describe_engine(&self) -> Result<Value, Error> {
        self.call_json(&Request::new("GET", "/info"))
    }
}
