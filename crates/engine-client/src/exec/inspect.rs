//! `GET /exec/{id}/json`: describe an exec process.

use crate::client::Client;
use crate::error::Error;
use crate::models::ExecInspectResponse;
use crate::request::{Request, exec_path};

impl Client {
    /// Describes a process: whether it runs, and its status if it does not any more.
    ///
    /// Engine API `GET /exec/{id}/json`.
    ///
    /// # Errors
    /// Status 404 if there is no such process.
    pub fn inspect_exec(&self, id: &str) -> Result<ExecInspectResponse, Error> {
        self.call_json(&Request::new("GET", exec_path(id)? + "/json"))
    }
}
